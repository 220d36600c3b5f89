#!/bin/bash
# fill.t - `sluice fill` puts what it says, once, on any server.
. tests/e2e/lib.sh

lab_up --users u001..u003 --no-exporter --dovecot --radicale

cat > "$WORK/scenario.yaml" << 'END'
rollout: fill
server:
  imap: { host: 127.0.0.1, port: 20143, security: none }
  dav: { url: "http://127.0.0.1:20080/" }
clients: { list: [u001, u002], mailbox: { busy: 50%, plain: 50% } }
mailboxes:
  busy:
    { messages: 100, folders: 9, depth: 3, width: 2, smime: 20%, pgp: 20%,
      eight_bit: 60%, attachment: 30kB }
  plain: { messages: 20, folders: 0, mail_notes: 0, notes: 0, tasks: 0 }
END
"$LAB" scenario "$WORK/scenario.yaml" --dir "$WORK/lab" > "$WORK/cyrus.yaml"
sed -e "s/port: 20143/port: $LAB_DOVECOT_PORT/" \
	-e "s/127.0.0.1:20080/127.0.0.1:$LAB_RADICALE_PORT/" \
	"$WORK/scenario.yaml" > "$WORK/others.yaml"

# What the server of PORT holds, and what the manifest says, sorted.
held() {
	local user
	for user in u001 u002; do
		tests/e2e/imap-digests 127.0.0.1 "$1" "$user" "secret-$user"
	done | sort
}
promised() {
	jq -r 'select(.folder) | [.user, .folder, .sha256] | @tsv' \
		"$WORK/manifest" | sort
}

# fills NAME SCENARIO PORT: and finds what it put; and puts it only once.
fills() {
	local output
	check "$1: fill" fill "$2"
	held "$3" > "$WORK/held"
	promised > "$WORK/promised"
	same "$1: every message is there, byte for byte" \
		"$WORK/held" "$WORK/promised"
	is "$1: all of them" "$(wc -l < "$WORK/held")" 123
	output=$(fill "$2")
	like "$1: a second fill puts nothing" "$output" \
		": 0 messages, 0 items, 0 B in"
	held "$3" > "$WORK/held"
	same "$1: and doubles nothing" "$WORK/held" "$WORK/promised"
}

fills Cyrus "$WORK/cyrus.yaml" "$LAB_IMAP_PORT"
cp "$WORK/manifest" "$WORK/manifest.cyrus"
is "contacts, events, tasks and notes as the profiles say" \
	"$(jq -r 'select(.item) | .user + " " + .item' "$WORK/manifest" |
		sort | uniq -c | tr -s ' \n' ' ')" \
	" 40 u001 contact 30 u001 event 5 u001 note 10 u001 task 40 u002 contact 30 u002 event "
protected=$(jq -r 'select(.protected) | .kind' "$WORK/manifest" | sort -u)
is "signed and encrypted messages of every kind" "$(echo $protected)" \
	"pgp-encrypted pgp-inline pgp-listed pgp-signed smime-opaque smime-signed"

fills "Dovecot and Radicale" "$WORK/others.yaml" "$LAB_DOVECOT_PORT"
digests() {
	jq -r 'select(.folder) | .user + .folder + .sha256' "$1" | sort
}
is "every server gets the same mail" \
	"$(digests "$WORK/manifest" | sha256sum)" \
	"$(digests "$WORK/manifest.cyrus" | sha256sum)"

# A hole in a mailbox is what an interrupted fill leaves.
cp "$WORK/manifest.cyrus" "$WORK/manifest"
promised > "$WORK/promised"
imap=imap://127.0.0.1:$LAB_IMAP_PORT/INBOX
curl -s -u u001:secret-u001 "$imap" -X 'STORE 3:7 +FLAGS (\Deleted)' > /dev/null
curl -s -u u001:secret-u001 "$imap" -X EXPUNGE > /dev/null
like "what is missing is put again" "$(fill "$WORK/cyrus.yaml")" \
	": 5 messages, 0 items"
held "$LAB_IMAP_PORT" > "$WORK/held"
same "and the mailbox is whole" "$WORK/held" "$WORK/promised"

# Killed at its full speed, then repeated.
sed 's/\[u001, u002\]/[u003]/; s/50%, plain: 50%/100%/; s/messages: 100/messages: 600/' \
	"$WORK/cyrus.yaml" > "$WORK/big.yaml"
background kill "$BIN/sluice" fill "$WORK/big.yaml" \
	--passwords "$LAB_PASSWORDS"
some_mail() {
	curl -s -u u003:secret-u003 "imap://127.0.0.1:$LAB_IMAP_PORT/" \
		-X 'STATUS INBOX (MESSAGES)' | grep -q 'MESSAGES [1-9]'
}
check "a fill is under way" wait_for 60 some_mail
kill_now $!
# The server still stores what it had received by then.
settled() {
	local before=${count:-} user=u003
	count=$(tests/e2e/imap-digests 127.0.0.1 "$LAB_IMAP_PORT" \
		$user secret-$user | wc -l)
	sleep 0.5
	[ "$before" = "$count" ]
}
wait_for 60 settled
check "it can be repeated after kill -9" fill "$WORK/big.yaml"
tests/e2e/imap-digests 127.0.0.1 "$LAB_IMAP_PORT" u003 secret-u003 | sort \
	> "$WORK/held"
promised > "$WORK/promised"
same "and the mailbox has everything once" "$WORK/held" "$WORK/promised"

cp -r "$LAB_PASSWORDS" "$WORK/pw"
echo wrong > "$WORK/pw/u001"
output=$("$BIN/sluice" fill "$WORK/cyrus.yaml" --passwords "$WORK/pw" 2>&1)
is "a wrong password: status 1" $? 1
like "and names the user" "$output" "sluice: fill: u001: .*$LAB_IMAP_PORT"
like "and the others are filled" "$output" "filled 1 of 2 mailboxes"
output=$("$BIN/sluice" fill "$WORK/none.yaml" --passwords "$WORK/pw" 2>&1)
is "no such scenario: status 2" $? 2
like "and names the file" "$output" "none.yaml"
output=$("$BIN/sluice" fill "$WORK/cyrus.yaml" --user nobody 2>&1)
is "a user who is no client: status 2" $? 2
like "and says so" "$output" "--user nobody: the scenario has no such client"
output=$("$BIN/sluice" fill 2>&1)
is "no scenario: status 2" $? 2
"$LAB" stop cyrus --dir "$WORK/lab"
output=$(fill "$WORK/cyrus.yaml" 2>&1)
is "a server that is down: status 1" $? 1
like "and says what refused" "$output" "127.0.0.1:$LAB_IMAP_PORT.*refused"
finish
