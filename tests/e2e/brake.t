#!/bin/bash
# brake.t - waiting users and the brake, on a real server: the online probe
# has a mailbox of its own and reaches the server through a line that the test
# makes slow, while the clients of a pilot do not. The exporter dies in the
# middle; at the end the server itself stands still for three seconds.
. tests/e2e/lib.sh

users=(u001 u002 u003 u004)
lab_up --users u001..u004,online

# scenario_of CLIENTS PORT
scenario_of() {
	cat << END
rollout: brake
server:
  imap: { host: 127.0.0.1, port: $2, security: none }
  dav: { url: "http://127.0.0.1:$LAB_DAV_PORT/" }
  exporter: "$LAB_EXPORTER_URL"
clients: { $1, mailbox: { m: 100% }, link: 60kB/s }
mailboxes:
  m: { messages: 60, inbox: 100%, attachments: 100%, attachment: 100kB,
       spread: 0.1, folders: 1, depth: 1, contacts: 2, events: 20, tasks: 1,
       notes: 1 }
steps: { pilots: [4], stagger: 1s, failed_wave: 10% }
canary:
  { user: online, password_file: $LAB_PASSWORDS/online, interval: 1s,
    idle: 15s }
measure: { bucket: 1s, settle: 1s, observed: 3s }
limits: { cpu: 100%, disk_await: 10s }
brake: { cap: 10s, pause: 20s, again: 10s, release: 5s }
END
}

scenario_of 'list: [online]' "$LAB_IMAP_PORT" |
	sed '/^canary:/,+2d' > "$WORK/online.yaml"
fill "$WORK/online.yaml" > "$WORK/fill.log" 2>&1 || bail "no mail to read"
scenario_of 'range: u001..u004' "$LAB_IMAP_PORT" > "$WORK/clients.yaml"
fill "$WORK/clients.yaml" > "$WORK/fill.log" 2>&1 || bail "the fill failed"

# line MS: the probe's line takes MS more each way from now on.
line() {
	relay_start "$LAB_IMAP_PORT" --listen "${relay_port:-0}" --delay "$1"
}
line 0

scenario_of 'range: u001..u004' "$relay_port" > "$WORK/brake.yaml"
check "init" "$BIN/sluice" init "$WORK/brake.yaml"
controller_start
(umask 077 && "$BIN/sluice" token > "$WORK/token")
for user in "${users[@]}"; do
	profile "$user"
	agent_start "$user"
done
status() { { "$BIN/sluice" status --json || true; } | jq -r "$1"; }
everybody() { "$BIN/sluice" check | grep -q '4 of 4'; }
check "everybody is there" wait_for 120 everybody

# ---- what nobody could keep is refused before anybody starts
"$BIN/sluice" set slo=1ms > /dev/null
"$BIN/sluice" pilot 4 > /dev/null
reason() { [[ $(status .wave.reason) == *"$1"* ]]; }
check "an objective below the idle p95 is refused in words" wait_for 120 \
	reason 'the SLO of 1 ms is below the idle p95 of'
is "the wave has not begun" "$(status '.wave | .state, .admitted')" "preflight
0"
check "and that is an event" grep -q 'SLO of 1 ms is below' \
	<(archive "select text from event where subject = 'wave 1'")
"$BIN/sluice" set slo=1h > /dev/null
syncing() {
	[ "$(archive "select count(*) from client where state = 'syncing'")" = "$1" ]
}
check "with another one the pilot starts" wait_for 120 syncing 4
baseline=$(archive 'select count(*) from probe where latency_us > 0')
check "after an idle baseline of 15 s" test "$baseline" -ge 13
is "each probe does what a person does" "$(archive "select count(*) >= 10 from probe
	where latency_us > 0 and (select min(value) from json_each(step_us)
		where key < 5) > 0")" 1

# ---- the exporter's figures are those of the machine
cpu_times() { # busy and all, in ticks
	awk '/^cpu / { idle = $5 + $6; for (i = 2; i <= 9; i++) all += $i
		print all - idle, all; exit }' /proc/stat
}
read -r busy all < <(cpu_times)
from_us=$(date +%s%6N)
timeout 4 sha512sum /dev/zero > "$WORK/sum.log" 2>&1 &
dd if=/dev/zero of="$WORK/written" bs=1M count=64 oflag=direct \
	2> "$WORK/dd.log" || skip "written" "no direct writes here"
wait $!
sleep 2
to_us=$(date +%s%6N)
read -r busy_then all_then < <(cpu_times)
rm -f "$WORK/written"
# figure NAME: mean over that time
figure() {
	archive "select sum(json_extract(load, '\$.$1') * span_us) / sum(span_us)
		from load where at_us between $from_us and $to_us"
}
near() { jq -ne "($1) - ($2) | fabs < $3" > /dev/null; }
check "CPU" near "$(figure cpu)" \
	"($busy_then - $busy) / ($all_then - $all)" 0.15
check "memory" near "$(figure mem_available)" "$(awk '/^MemTotal/ { all = $2 }
	/^MemAvailable/ { print $2 / all }' /proc/meminfo)" 0.1
[ -s "$WORK/dd.log" ] && ! grep -q 'Invalid' "$WORK/dd.log" &&
	is "what was written to the disk" "$(archive "
		select sum(json_extract(load, '\$.disk_write_mb_s') * span_us) / 1e6
			between 60 and 100000 from load
		where at_us between $from_us and $to_us + 2000000")" 1
check "disk latency is a time" test "$(archive "select count(*) from load
	where json_extract(load, '\$.disk_write_await_ms') between 0 and 10000")" -ge 1

# ---- the exporter dies in mid-wave, and comes back
event() { # event TEXT: of the brake
	archive "select text from event where subject = 'brake'" | grep -q "$1"
}
brake_is() { [ "$(status .now.brake)" = "$1" ]; }
check "the brake is released before" wait_for 180 brake_is released
"$LAB" stop exporter --dir "$WORK/lab" > /dev/null
check "a silent exporter holds new starts" wait_for 90 \
	event 'released -> holding: new starts are held: silence of the exporter'
like "status says why" "$("$BIN/sluice" status)" 'exporter: '
"$LAB" start exporter --dir "$WORK/lab" > /dev/null
check "and its return releases them" wait_for 180 \
	event 'holding -> released: new starts are released'

# ---- waiting users suffer
slo=$(status .now.slo_ms)
# Some seven round trips a probe: 1.15 x the objective more.
line "$(jq -n --argjson slo "$slo" '1.15 * $slo / 14 | ceil')"
slow_from=$(archive 'select max(start_us) from probe')
check "new starts are held" wait_for 90 \
	event "released -> holding: new starts are held: waiting users' p95 [0-9.]* ms, the bound"
check "within five seconds of the evidence" test "$(archive "
	select count(*) from probe where start_us > $slow_from and
		latency_us > 950 * $slo and start_us + latency_us <
		(select max(at_us) from event where text like '%waiting users%')")" \
	-le 10
check "then the fleet's rate is capped" wait_for 120 \
	event "holding -> limiting: the fleet's rate is capped: waiting users' p95"
capped() {
	[ "$(archive "select count(*) from client where rate_bytes_s > 0 and
		rate_bytes_s < 60000 and state in ('syncing', 'starting')")" -ge 3 ]
}
check "which its running syncs share" wait_for 60 capped
check "then the newest sync is paused" wait_for 120 \
	event "limiting -> pausing: the newest sync is paused: waiting users' p95"
newest() {
	[ "$(archive "select group_concat(state) from (select state from client
		order by admitted_us desc limit 1)")" = paused ]
}
check "and it is the newest" wait_for 120 newest
like "status shows the brake and its figure" "$("$BIN/sluice" status)" \
	"brake: pausing .*waiting users' p95"
[ "$tap_failed" = 0 ] || note "$("$BIN/sluice" status)
$(archive "select text from event")"

# ---- and feel better
line 0
check "the paused go on" wait_for 240 event 'pausing -> limiting: the last'
check "the rate is free again" wait_for 180 event 'limiting -> holding'
check "new starts are released" wait_for 180 \
	event "holding -> released: .*below its release value for 5 s"
judged() { [ -n "$(archive "select verdict from wave where verdict != ''")" ]; }
check "the pilot ends" wait_for 400 judged
is "every client is done all the same" \
	"$(archive "select count(*) from client where state = 'done'")" 4
like "its gate names the waiting users" "$("$BIN/sluice" show wave 1)" \
	'FAIL +waiting users: p95 within'

# ---- latency counts from the intended start
session=$(cut -d ' ' -f 1 "$WORK/lab/run/cyrus")
mapfile -t servers < <(ps -o pid= -s "$session")
still_from=$(archive 'select max(start_us) from probe')
kill -STOP "${servers[@]}"
sleep 3
kill -CONT "${servers[@]}"
over() {
	[ "$(archive "select count(*) from probe where start_us > $still_from and
		latency_us between 0 and 900000")" -ge 3 ]
}
check "the server stands still and goes on" wait_for 120 over
# It stood for three; a probe is due each second.
is "the probe that met it waited two seconds and more" "$(archive "
	select max(latency_us) > 1900000 from probe where start_us > $still_from")" 1
is "those that were due meanwhile waited too" "$(archive "
	select count(*) >= 2 from probe where start_us > $still_from
		and latency_us > 900000")" 1
stands() {
	[ "$(archive "select max(p99_ms) > 1900 from bucket
		where start_s > $still_from / 1e6 - 2")" = 1 ]
}
check "and the bucket's p99 says so" wait_for 60 stands

"$BIN/sluice" report --text > "$WORK/report.txt"
check "the report tells what the brake did" \
	grep -q "limiting -> pausing: the newest sync is paused" "$WORK/report.txt"
finish
