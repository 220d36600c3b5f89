#!/bin/bash
# auto.t - `run --auto` on a real server, from the first pilot to the last
# client, while somebody works online. Two passwords are wrong, at which it
# stops for a person; the controller is killed on the way.
. tests/e2e/lib.sh

lab_up --users u001..u020,online
# Whose line is long has an objective that a busy machine does not miss.
relay_start "$LAB_IMAP_PORT" --delay 15
scenario_of() { # CLIENTS PORT
	cat << END
rollout: auto
server:
  imap: { host: 127.0.0.1, port: $2, security: none }
  exporter: "$LAB_EXPORTER_URL"
clients: { $1, mailbox: { m: 100% }, link: 200kB/s }
mailboxes:
  m: { messages: 18, inbox: 100%, attachments: 100%, attachment: 70kB,
       folders: 1, depth: 1, contacts: 0, events: 0, tasks: 0, notes: 0 }
steps: { pilots: [1, 5], stagger: 200ms, stagger_beyond: 200ms, backoff: 1s }
canary:
  { user: online, password_file: $LAB_PASSWORDS/online, interval: 500ms,
    idle: 5s, slo: 10s }
measure: { bucket: 1s, settle: 1s, observed: 3s, explored: 5s, again: 5s }
limits: { cpu: 100%, disk_await: 10s, disk_busy: 100% }
END
}
scenario_of 'list: [online]' "$LAB_IMAP_PORT" | sed '/^canary:/,+2d' \
	> "$WORK/online.yaml"
fill "$WORK/online.yaml" > "$WORK/fill.log" 2>&1 || bail "no mail to read"
scenario_of 'range: u001..u020' "$LAB_IMAP_PORT" > "$WORK/fill.yaml"
scenario_of 'range: u001..u020' "$relay_port" > "$WORK/auto.yaml"
fill "$WORK/fill.yaml" > "$WORK/fill.log" 2>&1 || bail "the fill failed"

check "init" "$BIN/sluice" init "$WORK/auto.yaml"
controller_start
(umask 077 && "$BIN/sluice" token > "$WORK/token")
{
	"$LAB" profile %u --dir "$WORK/lab" |
		sed 's/^store:.*/store: none/; /dav:/d'
	echo 'link: 200kB/s'
	controller_keys
} > "$WORK/template.yaml"
background fleet "$BIN/sluice-agent" fleet --template "$WORK/template.yaml" \
	--range u001..u020
everybody() { "$BIN/sluice" check | grep -q '20 of 20'; }
check "everybody is there" wait_for 120 everybody
for user in u003 u005; do
	mv "$LAB_PASSWORDS/$user" "$WORK/right.$user"
	(umask 077 && echo wrong > "$LAB_PASSWORDS/$user")
done

# ---- it stops where a person is needed
run_auto() { "$BIN/sluice" run --auto --wait > "$WORK/run.log" 2>&1; }
run_auto
is "it stops for a person" $? 4
is "after the pilot that failed" "$(archive 'select number, batch_size, state
	from wave order by number')" "1|1|closed
2|5|failed"
like "the gate says by what" "$("$BIN/sluice" show wave 2)" \
	'FAIL +failures in the wave: 2'
is "nobody else has begun" "$(archive "select count(*) from client
	where state != 'checked' and wave = 0")" 0
for user in u003 u005; do
	mv "$WORK/right.$user" "$LAB_PASSWORDS/$user"
	check "$user is to be tried again" "$BIN/sluice" retry "$user"
done
check "the gate is opened by hand" \
	"$BIN/sluice" promote --skip-gate "passwords were mended"

# ---- and goes on by itself
run_auto &
running=$!
done_of() { [ "$(archive "select count(*) from client where state = 'done'")" -ge "$1" ]; }
check "more are done than a pilot" wait_for 300 done_of 7
kill_now "$controller"
background controller "$BIN/sluice" serve --listen "${controller_url#https://}"
controller=$!
wait "$running"
is "it goes on by itself after the controller was killed, to the end" $? 0
[ "$tap_failed" = 0 ] || note "$("$BIN/sluice" status; "$BIN/sluice" log)"
is "every client is done and verified" \
	"$(archive 'select state, verified, count(*) from client group by 1, 2')" \
	"done|1|20"
is "every wave after the pilots was of the size recommended before it" \
	"$(archive "select number from wave w where number > 2 and batch_size !=
		(select batch_size from recommendation where wave = w.number - 1
		order by id desc limit 1)")" ""
check "there was one" test "$(archive 'select max(number) from wave')" -ge 3
check "and more ran at once than in the pilots" test \
	"$(archive 'select max(peak) from wave')" -ge 5
check "waiting users were measured meanwhile" test "$(archive "
	select count(*) from bucket where n >= 1 and probes > 0")" -ge 3
"$BIN/sluice" replay "$SLUICE_STATE" > "$WORK/replay.log"
is "every recommendation can be computed again" $? 0
[ "$tap_failed" = 0 ] || note "$(cat "$WORK/replay.log" "$WORK/run.log")"
finish
