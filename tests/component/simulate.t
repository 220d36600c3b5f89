#!/bin/bash
# `sluice simulate` and `sluice recommend --from-csv` as an administrator
# types them: what is printed, and what is refused.
set -u
. tests/tap.sh
unset SLUICE_STATE
DIR=$(mktemp -d)
trap 'rm -rf "$DIR"' EXIT
cd "$DIR" || exit 1

has() { # has DESCRIPTION WANTED: a line of out matches
	grep -Eq -- "$2" out
	ok $? "$1"
}
refuses() { # refuses DESCRIPTION WANTED OPTION…
	local what=$1 wanted=$2 code
	shift 2
	"$BIN/sluice" "$@" > out 2>&1
	code=$?
	[ $code = 2 ] && tr '\n' ' ' < out | grep -q -- "$wanted"
	ok $? "$what"
}

"$BIN/sluice" simulate --x1 50 --clients 2000 --window 20:00-06:00 > out
ok $? "2,000 clients at night"
has "says the law" '^By the law given: one sync alone 50 MB/min'
has "says the window" '^2000 clients, median 300 MB, starts from 20:00 to 06:00'
for batch in 5 10 16; do
	has "a row for batch $batch" "^ *$batch .*\([0-9.]+\.\.[0-9.]+\)"
done
has "a burn-down with its cone" '\|#+-+ *\| [0-9]+$'
[ "$(grep -c 'h |' out)" = 21 ]
ok $? "from start to end"

"$BIN/sluice" simulate --x1 60 --nic 100 --disk 3000 --parallel 8 --core 400 \
	--batch 5,40,auto --json > out
ok $? "a server by its parts"
[ "$(jq '.[1].mb_min > 720 and .[1].mb_min <= 750' out)" = true ]
ok $? "100 Mbit/s let 750 MB/min through"
[ "$(jq '.[2].batch > 5 and .[2].batch < 40' out)" = true ]
ok $? "auto lies at the knee"
[ "$(jq '[.[].online_p95_ms] | .[0] < .[1]' out)" = true ]
ok $? "more syncs, slower for those who work online"
[ "$(jq '.[0].left | length == 41 and .[0][2] == 500 and .[40][3] == 0' out)" = true ]
ok $? "clients left, from all to none"
"$BIN/sluice" simulate --x1 60 --disk 120 --batch auto --json > free
"$BIN/sluice" simulate --x1 60 --disk 120 --batch auto --json --slo 60 > kept
[ "$(jq -s '.[0][0].batch > .[1][0].batch and .[1][0].online_p95_ms <= 60' \
	free kept)" = true ]
ok $? "auto keeps the SLO"

"$BIN/../tests/component/reports/report_test" . > made &&
	"$BIN/sluice" simulate --state full --batch auto --json > free &&
	"$BIN/sluice" simulate --state full --batch auto --json \
		--slo "$(jq '.[0].online_p95_ms - 1' free)" > kept
ok $? "a server that was measured"
[ "$(jq -s '.[0][0].batch > .[1][0].batch and .[1][0].batch > 0 and
	.[0][0].online_p95_ms > .[1][0].online_p95_ms' free kept)" = true ]
ok $? "fewer than advised where they do not keep the SLO"

refuses "no law" 'give a law: --state DIR' simulate
refuses "a sync that never ends" 'less than 0.001 MB/min is no sync' \
	simulate --x1 1e-9
refuses "two laws" 'one law only' simulate --x1 50 --nic 100 --alpha 0.1
refuses "a sync faster than its link" 'one sync alone cannot move 900 MB/min' \
	simulate --x1 900 --nic 100
refuses "a batch that is none" 'sizes from 1 to 500 or auto' \
	simulate --x1 50 --batch 5,many
refuses "two laws, one of them measured" 'one law only' \
	simulate --state . --x1 50
refuses "a window that is none" 'a time of day, as 20:00-06:00' \
	simulate --x1 50 --window 20:00
refuses "a window that never closes" 'empty window' \
	simulate --x1 50 --window 20:00-20:00
refuses "a time that is none" 'a time of day, as 20:00,' \
	simulate --x1 50 --at 26:00
refuses "an SLO of nobody" 'nothing is known of people who work online' \
	simulate --x1 50 --slo 80
refuses "a half of a client" '"2.5" is not a whole number' \
	simulate --x1 50 --clients 2.5
SLUICE_STATE=$DIR/elsewhere "$BIN/sluice" simulate > out 2>&1
has "the archive that the environment names" \
	'^sluice: simulate: .*/elsewhere: no rollout is here'

"$BIN/sluice" simulate --x1 50 --clients 12 --batch 12 > out
has "a rollout of minutes, in minutes" '^ +1[0-9]\.[0-9] min \|'
has "and in hundredths of hours" '\([01]\.[0-9][0-9]\.\.[01]\.[0-9][0-9]\)'

"$BIN/sluice" simulate --study 1 --clients 1 --product-only > out 2> err
! [ -s err ] && ! grep -qi nan out
ok $? "a study of too few clients says what it knows"
"$BIN/sluice" simulate --study 1 --clients 30 --seed 7 --json > out
ok $? "a study of one server"
[ "$(jq '(.policies | length) == 10 and (.each | length) == 1' out)" = true ]
ok $? "all policies, and each server"
jq -e 'has("coverage") and (.each[0] | has("gain_low"))' out > /dev/null
ok $? "the interval of the gain and whether it held"

# 5 syncs that move the golden curve, the p95 of waiting users beside it.
{
	echo "seconds,n,x_mb_per_min,canary_p95_ms,probes,cpu,disk_await_ms,nic"
	i=0
	for x in 52 101 141 172 193; do
		i=$((i + 1))
		for k in 1 2 3 4 5 6 7 8 9 10 11 12; do
			echo "$((i * 60 + k * 5)),$i,$x,$((40 + 4 * i)),5,0.$((1 + i)),2,0.1"
		done
	done
} > rows.csv
"$BIN/sluice" recommend --from-csv rows.csv --slo 200 --clients-left 3 > out
ok $? "rows of one's own"
has "sentences cite their numbers" '5 syncs move 193 MB/min; 3 would lose 27 %'
has "clients left bind" 'Recommended 3: clients left \(3\); next limit: '
"$BIN/sluice" recommend --from-csv - --slo 200 --json < rows.csv > out
ok $? "the same from standard input, as JSON"
[ "$(jq '.limits | length' out)" = 13 ]
ok $? "every limit"
[ "$(jq '.fit.c | length == 3' out)" = true ]
ok $? "the fit"
[ "$(jq '.levels[4].load.cpu * 10 | round' out)" = 6 ]
ok $? "the load of every level"
refuses "clients that are none" '"0" is not a positive number' \
	recommend --from-csv rows.csv --clients-left 0
refuses "more clients than there are" '"1e11" is not a whole number' \
	recommend --from-csv rows.csv --clients-left 1e11
sed 1s/nic/nicest/ rows.csv > bad.csv
refuses "no such column" 'bad.csv:1:.* unknown column; known are seconds' \
	recommend --from-csv bad.csv
sed '3s/52/fast/' rows.csv > bad.csv
refuses "a cell that is no number" 'bad.csv:3:3: expected a number' \
	recommend --from-csv bad.csv
finish
