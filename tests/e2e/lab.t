#!/bin/bash
# lab.t - the lab's servers start, answer, fail on demand and leave nothing.
. tests/e2e/lib.sh

# Every process whose command line names this test's folder.
processes() {
	pgrep -f -- "$WORK/lab" | grep -vx $$ || true
}
url_status() { curl -s -o "$WORK/answer" -w '%{http_code}' "$@"; }
imap_names() { curl -s "$@" | tr -d '\r'; }
inbox='LIST \(.*\) "/" INBOX'

lab_up --users u001,u002 --dovecot --radicale
check "all five servers of the lab run" test "$(ls "$WORK/lab/run" | wc -l)" = 5

me=(-u u001:secret-u001)
ca=(--cacert "$LAB_CA_FILE")
like "IMAP in plain text" \
	"$(imap_names "${me[@]}" "imap://127.0.0.1:$LAB_IMAP_PORT")" "$inbox"
like "IMAP with STARTTLS, certificate verified" \
	"$(imap_names "${me[@]}" "${ca[@]}" --ssl-reqd \
		"imap://127.0.0.1:$LAB_IMAP_PORT")" "$inbox"
like "IMAP over TLS" \
	"$(imap_names "${me[@]}" "${ca[@]}" \
		"imaps://127.0.0.1:$LAB_IMAPS_PORT")" "$inbox"
is "DAV in plain text" "$(url_status "${me[@]}" -X PROPFIND \
	-H 'Depth: 0' "${LAB_DAV_URL}dav/calendars/user/u001/")" 207
is "DAV over TLS" "$(url_status "${me[@]}" "${ca[@]}" -X PROPFIND \
	-H 'Depth: 0' "${LAB_DAVS_URL}dav/addressbooks/user/u001/")" 207
like "Dovecot" "$(imap_names "${me[@]}" "${ca[@]}" \
	"imaps://127.0.0.1:$LAB_DOVECOTS_PORT")" "$inbox"
is "Radicale" \
	"$(url_status "${me[@]}" -X PROPFIND -H 'Depth: 0' \
		"$LAB_RADICALE_URL")" 207
is "the exporter" "$(url_status "$LAB_EXPORTER_URL")" 200
check "the exporter has disk metrics" \
	grep -q '^node_disk_read_bytes_total' "$WORK/answer"
is "a wrong password is refused" \
	"$(curl -s -u u001:wrong "imap://127.0.0.1:$LAB_IMAP_PORT"; echo $?)" 67

is "JSON has the ports as numbers" \
	"$("$LAB" env --json --dir "$WORK/lab" | jq .imap_port)" "$LAB_IMAP_PORT"
like "scenarios get the lab's ports" \
	"$("$LAB" scenario scenarios/demo.yaml --dir "$WORK/lab")" \
	"port: $LAB_IMAP_PORT,"

"$LAB" kill cyrus --dir "$WORK/lab"
is "a killed server refuses connections" \
	"$(curl -s "imap://127.0.0.1:$LAB_IMAP_PORT"; echo $?)" 7
"$LAB" start cyrus --dir "$WORK/lab"
like "it starts again where it was" \
	"$(imap_names "${me[@]}" "imap://127.0.0.1:$LAB_IMAP_PORT")" "$inbox"

output=$("$LAB" throttle read=5 cpu=50 --dir "$WORK/lab" 2>&1)
case $? in
0) ok 0 "limits are set" ;;
3) skip "limits are set" "$output" ;;
*) ok 1 "limits are set: $output" ;;
esac
machine=$WORK/machine
"$LAB" up --machine --no-dav --users u001 --dir "$machine" --owner $$ \
	> "$WORK/machine.env" 2>&1
like "a lab that is told of as a machine of its own" \
	"$(cat "$WORK/machine.env")" 'LAB_SERVERS=cyrus. machine. exporter'
output=$("$LAB" throttle cpu=20 --dir "$machine" 2>&1)
case $? in
0)
	url=$(sed -n 's/^LAB_EXPORTER_URL=//p' "$machine/env")
	# Of one processor's second a fifth is there, used or idle.
	given() { # and when
		curl -s "$url" | awk -v now="$EPOCHREALTIME" '
			/^node_cpu_seconds_total/ { sum += $2 }
			END { print sum, now }'
	}
	sleep 0.5
	given > "$WORK/given" && sleep 3 && given >> "$WORK/given"
	check "its processor is the quota" awk '
		NR == 1 { first = $1; from = $2 }
		END { share = ($1 - first) / ($2 - from)
			exit !(share > 0.1 && share < 0.5) }' \
		"$WORK/given"
	check "it has a disk" grep -q '^node_disk_read_bytes_total' \
		<(curl -s "$url")
	;;
3)
	skip "its processor is the quota" "$output"
	skip "it has a disk" "$output"
	;;
*) ok 1 "limits of the machine: $output" ;;
esac
"$LAB" down --purge --dir "$machine"

check "limits are lifted" "$LAB" throttle off --dir "$WORK/lab"
check "mail can be made cold" "$LAB" cold --dir "$WORK/lab"

second=$WORK/lab/second
check "another lab runs beside it" "$LAB" up --dir "$second" --users u001
is "no port is shared" "$(cat "$WORK/lab/env" "$second/env" |
	grep -E '^LAB_[A-Z]*_PORT=' | cut -d= -f2 | sort | uniq -d)" ""
check "and stops alone" "$LAB" down --dir "$second"
like "the first one still answers" \
	"$(imap_names "${me[@]}" "imap://127.0.0.1:$LAB_IMAP_PORT")" "$inbox"

check "down" "$LAB" down --dir "$WORK/lab"
is "no process is left" "$(processes)" ""
is "no control group is left" \
	"$(find /sys/fs/cgroup -maxdepth 2 -name "sluice-lab-$(
		sha256sum <<< "$WORK/lab" | cut -c 1-12
	)" 2> /dev/null)" ""

# A test that is killed runs no trap: the lab must notice by itself.
sleep 600 &
owner=$!
check "a lab with an owner" \
	"$LAB" up --dir "$WORK/lab" --users u001 --owner $owner
kill_now $owner
nobody_left() { [ -z "$(processes)" ]; }
check "follows its owner" wait_for 90 nobody_left

if [ "$(id -u)" = 0 ]; then
	chmod 711 "$WORK"
	as_nobody() {
		setpriv --reuid nobody --regid nogroup --clear-groups "$@"
	}
	install -d -o nobody -g nogroup "$WORK/plain"
	if as_nobody test -r "$LAB"; then
		check "a plain user's lab starts" as_nobody "$LAB" up \
			--dir "$WORK/plain/lab" --users u001
		# shellcheck source=/dev/null
		. "$WORK/plain/lab/env"
		like "and answers" "$(imap_names "${me[@]}" \
			"imap://127.0.0.1:$LAB_IMAP_PORT")" "$inbox"
		check "and stops" as_nobody "$LAB" down \
			--dir "$WORK/plain/lab"
	else
		skip "a plain user's lab" "user nobody cannot reach this tree"
	fi
fi
finish
