#!/bin/bash
# docs/scenario.md and docs/metrics.md are what the tables of the reader print; the manual page
# names every verb.
SLUICE=${BUILD:-build}/bin/sluice
echo 1..4
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
exit "${status:-0}"
