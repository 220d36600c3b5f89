#!/bin/bash
# The controller with scripted agents over real HTTPS: enrolment, reports that
# come twice, the long poll, kill -9 in mid-wave, a second controller, wrong
# tokens, operators over HTTPS, more connections than files, a full disk, an abort.
set -u
. tests/tap.sh
SLUICE=$BIN/sluice
DIR=$(mktemp -d)
PID=
cleanup() {
	[ -n "$PID" ] && kill "$PID" 2> /dev/null && wait "$PID" 2> /dev/null
	rm -rf "$DIR"
}
trap cleanup EXIT

export SLUICE_STATE=$DIR/st
cat > "$DIR/s.yaml" << 'END'
rollout: scripted
server: { imap: { host: 127.0.0.1, port: 1, security: none } }
clients: { range: u1..u4, link: 1.5MB/s }
baseline: { agent: { min: "0.1" } }
steps: { pilots: [1], stagger: 100ms, wave: 2x, backoff: 1s }
END

serve() { # PORT
	"$SLUICE" serve --listen 127.0.0.1:"$1" 2>> "$DIR/log" &
	PID=$!
	for _ in $(seq 600); do
		# 3 (still running) and 4 (waits for a person) are answers too.
		"$SLUICE" status > /dev/null 2>&1
		[ $? != 1 ] && [ -s "$SLUICE_STATE/url" ] && break
		sleep 0.1
	done
	URL=$(cat "$SLUICE_STATE/url")
}

post() { # PATH BEARER BODY: the answer's body, and its status in $DIR/code
	curl -s --max-time 40 --cacert "$SLUICE_STATE/ca.pem" -X POST \
		-H "Authorization: Bearer $2" -d "$3" -o - \
		-w '%{stderr}%{http_code}' "$URL$1" 2> "$DIR/code"
}
code() { cat "$DIR/code"; }

enroll() { # TOKEN CLIENT VERSION
	post /v1/enroll - "$(jq -nc --arg t "$1" --arg c "$2" --arg v "$3" \
		'{protocol: 1, token: $t, client: $c, host: "h", version: $v,
		  store_free_bytes: 100000000000}')"
}

declare -A BEARER SEQ COMMAND BYTES
bump() { SEQ[$1]=$((${SEQ[$1]:-0} + 1)); } # before a report in a subshell
report() { # CLIENT PHASE [VERIFIED]: one more report, the answer's body
	bump "$1"
	again "$1" "$2" "${3:-false}"
}
again() { # CLIENT PHASE VERIFIED: the same report once more
	post /v1/agent/report "${BEARER[$1]}" "$(jq -nc \
		--argjson seq "${SEQ[$1]}" --arg phase "$2" \
		--argjson verified "${3:-false}" \
		--argjson command "${COMMAND[$1]:-0}" \
		--argjson bytes "${BYTES[$1]:-0}" \
		'{seq: $seq, boot: "b", sent_us: (1000000 * $seq), phase: $phase,
		  wave: 0, command: $command, version: "0.1.0",
		  progress: {total_bytes: 1000, folders: 1, messages: 2, bodies: 1,
		    protected_messages: 0, contacts: 0, events: 0, tasks: 0,
		    notes: 0, quarantined: 0, retries: 0, stored_bytes: 9,
		    seconds: 1.5, verified: $verified},
		  samples: [{at_us: (1000000 * $seq), phase: $phase,
		    app_bytes: $bytes, wire_bytes: $bytes, messages: 1}]}')"
}
state() { "$SLUICE" status --json | jq -r --arg c "$1" '.clients[] | select(.name == $c) | .state'; }
obey() { # CLIENT: wait for a command in the long poll and obey it
	local answer command
	bump "$1"
	answer=$(again "$1" "${2:-idle}" "${3:-false}")
	command=$(jq -r .command <<< "$answer")
	[ "$command" != none ] && COMMAND[$1]=$(jq -r .command_id <<< "$answer")
	GOT=$command
}

# ---- init and enrolment
sed 's/port: 1,/port: 70000,/' "$DIR/s.yaml" > "$DIR/bad.yaml"
"$SLUICE" init "$DIR/bad.yaml" 2> "$DIR/err"
is "a bad scenario is exit 2" $? 2
check "and says file, line and column" grep -q 'bad.yaml:2:42: server.imap.port: expected a whole number from 1 to 65535, found 70000' "$DIR/err"
"$SLUICE" init "$DIR/s.yaml" > /dev/null
is "init" $? 0
"$SLUICE" init "$DIR/s.yaml" > /dev/null 2>&1
is "init over a rollout is refused" $? 1
"$SLUICE" status 2> "$DIR/err"
is "no daemon is exit 1" $? 1
check "and names the next step" grep -q 'sluice serve' "$DIR/err"
serve 0
check "the socket is for the owner alone" test "$(stat -c %a "$SLUICE_STATE/sluice.sock")" = 700
"$SLUICE" serve --listen 127.0.0.1:0 2> "$DIR/err"
is "a second controller is refused" $? 1
check "and says who owns the state" grep -q "another controller owns it (process $PID)" "$DIR/err"

TOKEN=$("$SLUICE" token)
ONCE=$("$SLUICE" token --uses 1)
enroll wrong u1 0.1.0 > /dev/null
is "a wrong token is 401" "$(code)" 401
enroll "$TOKEN" nobody 0.1.0 > /dev/null
is "an unknown client is 404" "$(code)" 404
enroll "$TOKEN" u1 0.1.0 > "$DIR/e"
is "enrolment" "$(code)" 200
BEARER[u1]=$(jq -r '.agent + "." + .secret' "$DIR/e")
enroll "$ONCE" u2 0.1.0 > "$DIR/e"
BEARER[u2]=$(jq -r '.agent + "." + .secret' "$DIR/e")
enroll "$ONCE" u3 0.1.0 > /dev/null
is "a token for one use is used up" "$(code)" 401
for u in u3 u4; do
	enroll "$TOKEN" $u 0.1.0 > "$DIR/e"
	BEARER[$u]=$(jq -r '.agent + "." + .secret' "$DIR/e")
done
enroll "$TOKEN" u4 0.0.9 > "$DIR/e"
BEARER[u4]=$(jq -r '.agent + "." + .secret' "$DIR/e")
is "an old agent is outdated" "$(state u4)" outdated
check "secrets are not in the archive" \
	test -z "$(grep -c "${BEARER[u1]#*.}" "$SLUICE_STATE"/archive.db* | grep -v ':0')"
check "nor in the log" test -z "$(grep "$TOKEN" "$DIR/log")"

# ---- requests that are not right
post /v1/agent/report wrong.secret '{}' > /dev/null
is "a wrong secret is 401" "$(code)" 401
post /v1/agent/report "${BEARER[u1]}" '{"seq": "x"}' > "$DIR/e"
is "a report that is none is 400" "$(code)" 400
is "and names the key" "$(jq -r .error "$DIR/e")" "report: seq: expected a whole number"
head -c 9000000 /dev/zero | tr '\0' ' ' > "$DIR/big"
curl -s --cacert "$SLUICE_STATE/ca.pem" -H "Authorization: Bearer ${BEARER[u1]}" \
	--data-binary @"$DIR/big" -o /dev/null -w '%{http_code}' "$URL/v1/agent/report" > "$DIR/code"
is "a body beyond the cap is 413" "$(code)" 413
is "an unknown path is 404" "$(post /nope - '{}' > /dev/null; code)" 404
curl -s "$URL/v1/agent/policy" > /dev/null 2>&1
check "a stranger's authority is not trusted" test $? -ne 0

# ---- the pilot, with the long poll and the acceptance
(sleep 1; "$SLUICE" pilot 1 > "$DIR/pilot"; echo $? > "$DIR/pilot.exit") &
obey u1
wait $!
is "the long poll brings the start" "$GOT" start
is "a wave that runs is exit 3" "$(cat "$DIR/pilot.exit")" 3
"$SLUICE" pilot 1 2> "$DIR/err"
is "two waves at once are refused" $? 1
report u1 starting > /dev/null
BYTES[u1]=600
report u1 syncing > "$DIR/a"
is "a busy agent is answered at once" "$(jq -r '.command + " " + (.next_poll_ms | tostring)' "$DIR/a")" "none 1000"
is "with its client's rate" "$(jq -r .rate_bytes_s "$DIR/a")" 1500000
is "the state follows" "$(state u1)" syncing
BYTES[u1]=1000
report u1 syncing > "$DIR/a"
ACK=$(jq -r .ack "$DIR/a")
BYTES[u1]=5000
again u1 syncing false > "$DIR/a"
BYTES[u1]=1000
is "a report that comes twice is acknowledged" "$(jq -r .ack "$DIR/a")" "$ACK"
is "and counts once" "$("$SLUICE" show client u1 --json | jq -r .app_bytes)" 1000
report u1 verifying > /dev/null
obey u1 done true
is "a pilot of one is asked to prove itself" "$GOT" verify
bump u1
again u1 done true > /dev/null &
until_is "and then passes its gate" PASS sh -c "\"$SLUICE\" show wave 1 --json | jq -r .verdict"
until_is "a person opens the gate" waiting_gate sh -c "\"$SLUICE\" status --json | jq -r .rollout.state"
"$SLUICE" promote > /dev/null
is "promote" "$("$SLUICE" status --json | jq -r .rollout.state)" planned
kill $! 2> /dev/null

# ---- a wave, killed in the middle
"$SLUICE" wave --size 2 > /dev/null
is "a wave of a person's size" $? 3
obey u2
is "its first client starts" "$GOT" start
BYTES[u2]=700
report u2 syncing > /dev/null
kill -9 "$PID"
wait "$PID" 2> /dev/null
PORT=${URL##*:}
serve "$PORT"
is "after kill -9 the wave goes on" "$("$SLUICE" status --json | jq -r '.rollout.state + " " + (.wave.number | tostring)')" "running 2"
is "what was acknowledged is there" "$(state u2) $("$SLUICE" show client u2 --json | jq -r .app_bytes)" "syncing 700"
again u2 syncing false > "$DIR/a"
is "a report from before is still counted once" "$(jq -r .ack "$DIR/a")" "${SEQ[u2]}"
obey u3
is "and the next client starts" "$GOT" start
"$SLUICE" pause > /dev/null
"$SLUICE" pause > /dev/null
is "pausing twice is no error" $? 0
bump u2
again u2 done true > /dev/null &
until_is "a paused rollout lets syncs end" done state u2
"$SLUICE" resume > /dev/null
bump u3
again u3 done true > /dev/null &
until_is "the wave ends" closed sh -c "\"$SLUICE\" show wave 2 --json | jq -r .state"
bytes_in_buckets() {
	sqlite3 "$SLUICE_STATE/archive.db" \
		'SELECT cast(round(sum(x_mb_min * seconds / 60) * 1e6) AS integer) FROM bucket'
}
until_is "no byte of a bucket is lost by the kill" \
	"$("$SLUICE" status --json | jq '[.clients[].app_bytes] | add')" bytes_in_buckets
is "every transition is kept" "$("$SLUICE" log 'client u2' | sed 's/.*client u2: \([a-z]* -> [a-z]*\).*/\1/' | paste -sd,)" \
	"unknown -> checked,checked -> queued,queued -> starting,starting -> syncing,syncing -> done"

# ---- operators
"$SLUICE" set slo=300ms > /dev/null
is "set" $? 0
"$SLUICE" set nonsense=1 2> "$DIR/err"
is "an unknown setting is exit 2" $? 2
"$SLUICE" exclude u4 --reason "on leave" > /dev/null
until_is "all done is done" done sh -c "\"$SLUICE\" status --json | jq -r .rollout.state"
"$SLUICE" status > /dev/null
is "and exit 0" $? 0
"$SLUICE" token --operator > "$DIR/op"
chmod 600 "$DIR/op"
REMOTE=(--controller "$URL" --token-file "$DIR/op" --ca-file "$SLUICE_STATE/ca.pem")
is "an operator over HTTPS" "$("$SLUICE" status "${REMOTE[@]}" --json | jq -r .rollout.state)" done
over_socket() { # VERB BODY: the status of an order over the socket
	curl -s -o "$DIR/answer" -w '%{http_code}' -d "$2" \
		--unix-socket "$SLUICE_STATE/sluice.sock" "http://x/v1/operator/$1"
}
is "a token for no number of uses is refused" "$(over_socket token '{"uses": -1}')" 400
echo wrong > "$DIR/wrong"
"$SLUICE" status --controller "$URL" --token-file "$DIR/wrong" --ca-file "$SLUICE_STATE/ca.pem" 2> "$DIR/err"
is "a wrong operator token is refused" $? 1
is "metrics for Prometheus" "$(curl -s --cacert "$SLUICE_STATE/ca.pem" -H "Authorization: Bearer $(cat "$DIR/op")" "$URL/metrics" | grep '^sluice_clients{state="done"}')" 'sluice_clients{state="done"} 3'
is "not for strangers" "$(curl -s -o /dev/null -w '%{http_code}' --cacert "$SLUICE_STATE/ca.pem" "$URL/metrics")" 401
kill "$PID"
wait "$PID"
is "SIGTERM ends it cleanly" $? 0
PID=

# ---- more connections than files may be open
ulimit -n 400
serve "$PORT"
( # held open by a subshell, until its input ends
	for _ in $(seq 390); do exec {fd}<> "/dev/tcp/127.0.0.1/$PORT"; done
	echo open
	read -r _
) < <(sleep 600 & echo $! > "$DIR/held"; wait) > "$DIR/open" 2> /dev/null &
until_is "390 strangers hold connections that say nothing" open cat "$DIR/open"
timeout 60 "$SLUICE" status > "$DIR/out"
is "orders are heard all the same" "$(head -1 "$DIR/out")" "rollout scripted: done"
like "and it said how many agents it can hold" "$(cat "$DIR/log")" \
	'240 agents can be connected at once; raise the limit'
kill "$(cat "$DIR/held")"

# ---- a full disk: what was not kept was not said
full() { # the disk is full where a file has 400 kB
	trap '' XFSZ
	ulimit -f 400
	exec "$SLUICE" serve --state "$DIR/full" --listen 127.0.0.1:0
}
"$SLUICE" init "$DIR/s.yaml" --state "$DIR/full" > /dev/null
(full) 2> "$DIR/full.log" &
FULL=$!
until_is "it starts" yes sh -c "[ -s \"$DIR/full/url\" ] && echo yes"
for ((i = 1; i < 500; i++)); do
	"$SLUICE" set slo="${i}s" --state "$DIR/full" > "$DIR/out" 2> "$DIR/err" || break
done
like "an order that cannot be kept is refused" "$(cat "$DIR/err")" \
	'the archive cannot be written'
wait "$FULL"
is "the controller ends" $? 1
is "every order that was taken is kept, and no other" "$(sqlite3 "$DIR/full/archive.db" \
	"select value from setting where key = 'set.slo'")" "$((i - 1))s"

# ---- an abort is final
"$SLUICE" include u4 > /dev/null
"$SLUICE" abort > /dev/null
until_is "a rollout with no syncs is aborted at once" aborted \
	sh -c "\"$SLUICE\" status --json | jq -r .rollout.state"
"$SLUICE" run --auto 2> "$DIR/err"
is "and does not go on by itself" $? 1
check "but says how" grep -q 'sluice resume --force' "$DIR/err"
kill "$PID"
wait "$PID"
PID=
finish
