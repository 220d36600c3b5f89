#!/bin/bash
# Over a long line: several connections, what a server that refuses them
# costs, and compression where the line is narrow.
. tests/e2e/lib.sh
mkdir -p "$WORK"
lab_up --users u001,u002 --no-dav --no-exporter --dovecot

fill_user() { # fill_user USER PORT MAILBOX
	cat > "$WORK/$1-scenario.yaml" << END
rollout: line
server: { imap: { host: 127.0.0.1, port: $2, security: none } }
clients: { list: [$1], mailbox: { it: 100% } }
mailboxes:
  it: { contacts: 0, events: 0, tasks: 0, notes: 0, mail_notes: 0, $3 }
END
	fill "$WORK/$1-scenario.yaml" > "$WORK/fill.log" 2>&1 ||
		bail "the fill failed: $(tail -n 3 "$WORK/fill.log")"
}
tree="messages: 300, inbox: 10%, attachments: 0%, folders: 200, width: 20"
heavy="messages: 30, inbox: 100%, attachments: 100%, attachment: 200kB,
  spread: 0.1, folders: 0"
fill_user u001 "$LAB_IMAP_PORT" "$tree"
fill_user u001 "$LAB_DOVECOT_PORT" "$tree"
fill_user u002 "$LAB_IMAP_PORT" "$heavy"

# over USER PORT RELAY_OPTION…: USER's profile, empty store, through a relay.
over() {
	local user=$1
	to=$2
	shift 2
	relay_start "$to" "$@"
	rm -rf "${WORK:?}/$user"
	profile "$user"
	sed -i -e "s/port: [0-9]*/port: $relay_port/" -e /dav/d \
		"$WORK/$user.yaml"
}
# whole USER: verified, and byte for byte the server's, asked without a relay
whole() {
	sed "s/port: [0-9]*/port: $to/" "$WORK/$1.yaml" > "$WORK/near.yaml"
	[ "$(result "$1" verified)" = true ] &&
		"$BIN/sluice-agent" verify --deep --profile "$WORK/near.yaml"
}

# ---- many folders: 100 ms to the server
over u001 "$LAB_IMAP_PORT" --delay 50
check "Cyrus: sync over a long line" sync_user u001
like "more than one connection" "$(result u001 connections)" '^[234]$'
check "the store is the server's" whole u001
over u001 "$LAB_IMAP_PORT" --delay 50
check "the same with one connection" sync_user u001 --connections 1
is "is what was asked for" "$(result u001 connections)" 1
over u001 "$LAB_IMAP_PORT"
check "near the server" sync_user u001
is "one is enough" "$(result u001 connections)" 1

# ---- a server that wants no second one
"$LAB" stop dovecot --dir "$WORK/lab" > /dev/null 2>&1
sed -i 's/^mail_max_userip_connections = .*/mail_max_userip_connections = 1/' \
	"$WORK/lab/dovecot/dovecot.conf"
"$LAB" start dovecot --dir "$WORK/lab" > /dev/null 2>&1
over u001 "$LAB_DOVECOT_PORT" --delay 50
check "Dovecot refuses a second connection: sync" sync_user u001
is "one connection" "$(result u001 connections)" 1
is "nothing had to be tried again" "$(result u001 retries)" 0
like "the log says so" "$(cat "$WORK/u001.err")" \
	'going on with 1: .*Maximum number of connections'
is "it knocked once in the run" "$(grep -c 'going on with' "$WORK/u001.err")" 1
check "the store is the server's" whole u001

# ---- compression
bytes() { # of the wire to the mail, in per cent
	jq '100 * .wire_bytes / .app_bytes | floor' "$WORK/u002.json"
}
packed() { [ "$(bytes)" -lt 92 ]; }
plain() { [ "$(bytes)" -ge 100 ]; }
over u002 "$LAB_IMAP_PORT" --delay 10 --rate 600000
check "a narrow line: sync" sync_user u002
check "compressed on the way" packed
check "the store is the server's" whole u002
over u002 "$LAB_IMAP_PORT" --delay 10 --rate 2000000
check "compression forced off: sync" sync_user u002 --compress off
check "nothing is compressed" plain
over u002 "$LAB_IMAP_PORT"
check "a fast line: sync" sync_user u002
check "nothing is compressed" plain
over u002 "$LAB_IMAP_PORT"
check "compression forced on: sync" sync_user u002 --compress on
check "compressed on a fast line too" packed
finish
