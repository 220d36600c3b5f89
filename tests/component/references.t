#!/bin/bash
# docs/testing.md names tests that exist; docs/scenario.md and docs/metrics.md
# are what the tables of the reader print; the manual page names every verb;
# the program itself tells people its verbs.
. tests/tap.sh
SLUICE=$BIN/sluice
verbs=$("$SLUICE" --help | sed -n 's/^  \([a-z]*\) .*/\1/p')

for table in scenario metrics; do
	check "docs/$table.md is up to date (else: make docs)" \
		diff <("$SLUICE" $table-reference) docs/$table.md
done

missing=
for verb in $verbs; do
	grep -qE "\b$verb\b" docs/man/sluice.1 || missing+=" $verb"
done
is "the manual page names every verb" "$missing" ""
if command -v man > /dev/null; then
	is "the manual page is clean" \
		"$(man --warnings -l docs/man/sluice.1 2>&1 > /dev/null)" ""
else
	skip "the manual page is clean" "no man here"
fi

wrong=
for verb in $verbs; do
	"$SLUICE" "$verb" --help | sed -n 1p |
		grep -q "^Usage: sluice $verb " || wrong+=" $verb"
done
is "the usage of a verb names program and verb" "$wrong" ""
is "the help follows the rollout" \
	"$(grep -xE 'init|serve|check|plan|pilot|recommend|wave|report' \
		<<< "$verbs" | xargs)" \
	"init serve check plan pilot recommend wave report"

"$SLUICE" > /dev/null 2>&1
none=$?
told=$("$SLUICE" polit 1 2>&1)
is "no verb and an unknown one are exit 2" "$none $?" "2 2"
is "and both are told the verbs" "$(tail -n +3 <<< "$told")" \
	"$("$SLUICE" --help)"
like "and which one is unknown" "$told" "no verb 'polit'"

# "FILE: NAME": a test that its file defines and runs, or the text of a check.
named() {
	local file
	file=$(find tests -path "*/$1")
	[ -n "$file" ] && [ "$(wc -l <<< "$file")" = 1 ] || return 1
	case $file in
	*.c) [ "$(grep -cwF -- "$2" "$file")" -ge 2 ] ;;
	*) grep -qF -- "$2" "$file" ;;
	esac
}
tests=0
while IFS= read -r test; do
	tests=$((tests + 1))
	named "${test%%: *}" "${test#*: }" || unknown+=" '$test'"
done < <(grep -oE '`[a-z_/]+(_test\.c|\.t): [^`]+`' docs/testing.md | tr -d '`')
is "docs/testing.md names only tests that exist" "${unknown:-}" ""
check "and more than a hundred of them" test $tests -gt 100
finish
