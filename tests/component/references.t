#!/bin/bash
# docs/testing.md names tests that exist; docs/scenario.md and docs/metrics.md are what the tables of the reader print; the manual page
# names every verb; the program itself tells people its verbs.
SLUICE=${BUILD:-build}/bin/sluice
echo 1..9
if diff <("$SLUICE" scenario-reference) docs/scenario.md >&2; then
	echo "ok 1 - docs/scenario.md is up to date"
else
	echo "not ok 1 - docs/scenario.md lags; run: make docs"
	status=1
fi
missing=
for verb in $("$SLUICE" --help | sed -n 's/^  \([a-z]*\) .*/\1/p'); do
	grep -qE "\b$verb\b" docs/man/sluice.1 || missing+=" $verb"
done
if [ -z "$missing" ]; then
	echo "ok 2 - the manual page names every verb"
else
	echo "not ok 2 - the manual page lacks:$missing"
	status=1
fi
if diff <("$SLUICE" metrics-reference) docs/metrics.md >&2; then
	echo "ok 3 - docs/metrics.md is up to date"
else
	echo "not ok 3 - docs/metrics.md lags; run: make docs"
	status=1
fi
if ! command -v man > /dev/null; then
	echo "ok 4 # SKIP no man here"
elif man --warnings -l docs/man/sluice.1 2>&1 > /dev/null | grep -q .; then
	echo "not ok 4 - the manual page has warnings"
	status=1
else
	echo "ok 4 - the manual page is clean"
fi
wrong=
for verb in $("$SLUICE" --help | sed -n 's/^  \([a-z]*\) .*/\1/p'); do
	"$SLUICE" "$verb" --help | sed -n 1p | grep -q "^Usage: sluice $verb " || wrong+=" $verb"
done
if [ -z "$wrong" ]; then
	echo "ok 5 - the usage of a verb names program and verb"
else
	echo "not ok 5 - the usage of a verb names program and verb: not$wrong"
	status=1
fi
order=$("$SLUICE" --help | grep -oE '^  (init|serve|check|plan|pilot|recommend|wave|report) ' | xargs)
if [ "$order" = "init serve check plan pilot recommend wave report" ]; then
	echo "ok 6 - the help follows the rollout"
else
	echo "not ok 6 - the help follows the rollout: $order"
	status=1
fi
"$SLUICE" > /dev/null 2>&1
none=$?
"$SLUICE" polit 1 > /dev/null 2>&1
if [ "$none $?" = "2 2" ]; then
	echo "ok 7 - no verb and an unknown one are exit 2"
else
	echo "not ok 7 - no verb and an unknown one are exit 2"
	status=1
fi
if [ "$("$SLUICE" polit 1 2>&1 | tail -n +3)" = "$("$SLUICE" --help)" ] &&
	"$SLUICE" polit 1 2>&1 | grep -q "no verb 'polit'"; then
	echo "ok 8 - and both are told the verbs"
else
	echo "not ok 8 - and both are told the verbs"
	status=1
fi
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
if [ -z "${unknown:-}" ] && [ $tests -gt 100 ]; then
	echo "ok 9 - docs/testing.md names $tests tests that exist"
else
	echo "not ok 9 - docs/testing.md names $tests tests, unknown:${unknown:-}"
	status=1
fi
exit "${status:-0}"
