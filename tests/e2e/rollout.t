#!/bin/bash
# rollout.t - a whole rollout with real agents: who was synchronised, in which
# waves, what the archive says about it, and what is in every store.
. tests/e2e/lib.sh

users=(u001 u002 u003 u004 u005 u006)
lab_up --users u001..u006
"$LAB" scenario scenarios/e2e.yaml --dir "$WORK/lab" > "$WORK/e2e.yaml"
fill "$WORK/e2e.yaml" > "$WORK/fill.log" 2>&1 || bail "the fill failed"

# A free port is chosen once, so that agents find a restarted controller.
check "init" "$BIN/sluice" init "$WORK/e2e.yaml"
controller_start
port=${controller_url##*:}
(umask 077 && "$BIN/sluice" token > "$WORK/token")
for user in "${users[@]}"; do
	profile "$user"
	agent_start "$user"
done

"$BIN/sluice" serve --listen 127.0.0.1:0 > "$WORK/second.log" 2>&1
is "a second controller on one archive is refused" $? 1
like "and says who has it" "$(cat "$WORK/second.log")" "state"

everybody() { "$BIN/sluice" check | grep -q '6 of 6'; }
check "step 0: server and all agents are as they must be" wait_for 120 everybody

# over COMMAND…: a wave to its end; a person's gate (4) is an end as well.
over() {
	"$BIN/sluice" "$@" --wait > "$WORK/wave.log" 2>&1
	case $? in
	0 | 4) return 0 ;;
	*) cat "$WORK/wave.log" && return 1 ;;
	esac
}
check "step 1: a pilot of one" over pilot 1
check "step 2: a pilot of two" over pilot 2
is "the pilots had the sizes asked for" \
	"$(archive 'select kind, batch_size, admitted, peak from wave')" \
	"pilot|1|1|1
pilot|2|2|2"
"$BIN/sluice" recommend --json > "$WORK/recommend.json"
is "step 3: there is a recommendation" \
	"$(jq '.batch_size >= 1 and (.reasons | length) >= 1' \
		"$WORK/recommend.json")" true

# ---- step 4, with everything dying in its middle
"$BIN/sluice" wave --size 3 --clients 3 > "$WORK/wave.log" 2>&1
is "step 4: a wave of the last three is running" $? 3
running() {
	[ "$(archive "select count(*) from client
		where state = 'syncing' and wave = 3")" -ge "$1" ]
}
check "it is under way" wait_for 120 running 2
victim=$(archive "select name from client
	where state = 'syncing' and wave = 3 order by app_bytes limit 1")
kill_now "${agent[$victim]}"
agent_start "$victim"
kill_now "$controller"
background controller "$BIN/sluice" serve --listen "127.0.0.1:$port"
controller=$!
closed() {
	[ "$(archive "select state from rollout")" = done ]
}
finish_it() {
	"$BIN/sluice" status | grep -q 'waiting_gate' &&
		"$BIN/sluice" promote > /dev/null 2>&1
	closed
}
check "it ends although an agent and the controller were killed" \
	wait_for 300 finish_it
[ "$tap_failed" = 0 ] || note "$("$BIN/sluice" status; tail -n 5 "$WORK"/*.log)"

# ---- what the archive says
is "every client is done and verified" \
	"$(archive 'select state, verified, count(*) from client group by 1, 2')" \
	"done|1|6"
is "waves had the sizes decided" \
	"$(archive 'select batch_size, clients, admitted, peak <= batch_size
		from wave order by number')" \
	"1|1|1|1
2|2|2|1
3|3|3|1"
is "all that a client stored was sampled" \
	"$(archive 'select count(*) from client where app_bytes > (
		select max(app_bytes) from sample where client = client.id)')" 0
check "throughput was measured at several n" test "$(archive '
	select count(distinct round(n)) from bucket
	where n >= 0.9 and x_mb_min > 0')" -ge 2
# The last buckets are closed when no late sample is to be expected.
exact() {
	[ "$(archive "select abs(
		(select sum(x_mb_min * seconds / 60) * 1e6 from bucket) -
		(select sum(app_bytes) from client)) < 1000")" = 1 ]
}
check "X over time is what was copied, also after the crash" \
	wait_for 90 exact
is "the server's load was measured" \
	"$(archive 'select count(*) > 1 from load')" 1

# ---- and the stores
for user in "${users[@]}"; do
	same_store "$user's store is what was put" "$user"
done

# ---- every recommendation can be computed again
"$BIN/sluice" recommend > /dev/null
"$BIN/sluice" replay "$SLUICE_STATE" > "$WORK/replay.log"
is "replay computes every recommendation again the same" $? 0
[ "$tap_failed" = 0 ] || note "$(cat "$WORK/replay.log")"
is "all of them" "$(grep -c ': the same$' "$WORK/replay.log")" \
	"$(archive 'select count(*) from recommendation')"
mkdir -p "$WORK/edited"
sqlite3 "$SLUICE_STATE/archive.db" ".backup $WORK/edited/archive.db"
sqlite3 "$WORK/edited/archive.db" "update recommendation set result_json =
	json_set(result_json, '\$.batch_size', 99) where id = 1"
"$BIN/sluice" replay "$WORK/edited" > "$WORK/replay.log"
is "an edited figure is found" $? 1
like "and which one it is, and which figure" "$(cat "$WORK/replay.log")" \
	'recommendation 1, .*: DIFFERS
  batch_size: stored 99, computed'
sqlite3 "$WORK/edited/archive.db" "update bucket set x_mb_min = 1
	where start_s = (select min(start_s) from bucket where n > 0)"
like "so is an edited bucket" "$("$BIN/sluice" replay "$WORK/edited")" \
	'recommendation 2, .*: DIFFERS, its buckets were changed since'

check "a report" "$BIN/sluice" report --html "$WORK/report.html"
check "with its figures in it" grep -q '<svg' "$WORK/report.html"
check "its buckets" "$BIN/sluice" report --csv="$WORK/csv"
like "which anyone can ask for a recommendation" "$("$BIN/sluice" recommend \
	--from-csv "$WORK/csv/buckets.csv" --observed 3)" 'Recommended [0-9]+: '
for user in "${users[@]}"; do
	kill "${agent[$user]}"
	wait "${agent[$user]}"
	is "agent $user stops when told to" $? 0
done
kill "$controller"
wait "$controller"
is "the controller stops when told to" $? 0
finish
