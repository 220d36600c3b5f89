#!/bin/bash
# sync.t - one agent against real servers: what it stores is what was put,
# and whatever goes wrong is said and can be repeated.
. tests/e2e/lib.sh

lab_up --users u001..u006 --no-exporter --dovecot --radicale
"$LAB" scenario scenarios/e2e.yaml --dir "$WORK/lab" > "$WORK/e2e.yaml"
fill "$WORK/e2e.yaml" > "$WORK/fill.log" 2>&1 || bail "the fill failed"

count() { # count USER FILTER: of the manifest
	jq -c "select(.user == \"$1\") | select($2)" "$WORK/manifest" | wc -l
}

profile u001
profile u002 --starttls
profile u003 --tls
for user in u001 u002 u003; do
	how=$(grep -o 'security: [a-z]*' "$WORK/$user.yaml")
	check "$how: sync" sync_user $user
	is "$how: done and verified" \
		"$(jq -r '"\(.state) \(.verified) \(.error)"' \
			"$WORK/$user.json")" \
		"done true null"
	same_store "$how: the store is what was put" $user
done

got=$(jq -c '[.messages, .bodies, .signed_or_encrypted, .contacts, .events,
	.tasks, .notes, .quarantined]' "$WORK/u003.json")
is "the result counts what was put" "$got" "[$(count u003 .folder),$(
	count u003 '.folder == "INBOX" or .protected or .kind == "note"'
),$(count u003 .protected),$(count u003 '.item == "contact"'),$(
	count u003 '.item == "event"'),$(count u003 '.item == "task"'),$(
	count u003 '.item == "note" or .kind == "note"'),0]"

check "again" sync_user u001
is "a second run fetches nothing" "$(result u001 app_bytes)" 0

# ---- offline
"$LAB" stop cyrus --dir "$WORK/lab"
agent() {
	local verb=$1
	shift
	"$BIN/sluice-agent" "$verb" --profile "$WORK/u001.yaml" "$@"
}
like "offline: folders are listed" "$(agent ls)" "INBOX"
like "offline: a folder is listed" "$(agent ls INBOX)" "2025"
like "offline: status" "$(agent status)" "$(result u001 messages)"
"$LAB" start cyrus --dir "$WORK/lab"
# Takes a minute or two to give up; meanwhile the tests go on.
sed 's/port: [0-9]*/port: 1/' "$WORK/u001.yaml" > "$WORK/down.yaml"
background down "$BIN/sluice-agent" sync --profile "$WORK/down.yaml"
down=$!

# ---- bad input
printf 'account:\n  user: u001\n  pasword_file: x\nstore: ./x\n' \
	> "$WORK/bad.yaml"
output=$("$BIN/sluice-agent" sync --profile "$WORK/bad.yaml" 2>&1)
is "an unknown key: status 2" $? 2
like "file, line, column and key are named" "$output" \
	"bad.yaml:3:3: .*pasword_file"

profile u004
echo wrong > "$WORK/wrong.pw"
chmod 600 "$WORK/wrong.pw"
sed "s|password_file: .*|password_file: $WORK/wrong.pw|" "$WORK/u004.yaml" \
	> "$WORK/wrong.yaml"
sync_user wrong
is "a wrong password: status 1" $? 1
like "user and server are named" "$(cat "$WORK/wrong.err")" \
	"$LAB_IMAP_PORT.*u004|u004.*$LAB_IMAP_PORT"

chmod 644 "$WORK/wrong.pw"
sync_user wrong
is "a password that others may read: status not 0" \
	"$([ $? != 0 ]; echo $?)" 0
like "the file is named" "$(cat "$WORK/wrong.err")" "wrong.pw"

profile u005 --tls
sed '/ca_file/d' "$WORK/u005.yaml" > "$WORK/untrusted.yaml"
sync_user untrusted
is "an untrusted certificate: status 1" $? 1
like "and says so" "$(cat "$WORK/untrusted.err")" \
	"127.0.0.1:$LAB_IMAPS_PORT.*(trust|authorit|issuer|certificate)"
cp "$WORK/lab/tls/server.pem" "$WORK/server.pem"
cp "$WORK/lab/tls/server.key" "$WORK/server.key"
cp "$WORK/lab/tls/other.pem" "$WORK/lab/tls/server.pem"
cp "$WORK/lab/tls/other.key" "$WORK/lab/tls/server.key"
"$LAB" stop cyrus --dir "$WORK/lab"
"$LAB" start cyrus --dir "$WORK/lab"
sync_user u005
is "a certificate of another name: status 1" $? 1
like "and names both" "$(cat "$WORK/u005.err")" "127.0.0.1"
cp "$WORK/server.pem" "$WORK/lab/tls/server.pem"
cp "$WORK/server.key" "$WORK/lab/tls/server.key"
"$LAB" stop cyrus --dir "$WORK/lab"
"$LAB" start cyrus --dir "$WORK/lab"

# ---- interrupted in the middle
stored() { # bodies in USER's store
	"$BIN/sluice-agent" export --digests --profile "$WORK/$1.yaml" |
		grep -c '"part":"body"'
}
has_bodies() { [ "$(stored "$1")" -ge "$2" ]; }
whole=$(promised_store u004 | grep -c body)

background u004 "$BIN/sluice-agent" sync --profile "$WORK/u004.yaml" \
	--rate 400kB/s
check "kill -9: under way" wait_for 60 has_bodies u004 5
kill_now $!
before=$(stored u004)
check "kill -9: it had not ended" test "$before" -lt "$whole"
check "kill -9: another run completes it" sync_user u004
same_store "kill -9: and the store is what was put" u004
total=$(jq -s "map(select(.user == \"u004\" and (.folder == \"INBOX\" or
	.protected)) | .bytes) | add" "$WORK/manifest")
check "kill -9: what was there was not fetched again" \
	test "$(result u004 app_bytes)" -lt "$total"

background u005 "$BIN/sluice-agent" sync --profile "$WORK/u005.yaml" \
	--rate 150kB/s
agent=$!
check "server killed: under way" wait_for 60 has_bodies u005 5
background second "$BIN/sluice-agent" sync --profile "$WORK/u005.yaml"
wait $!
is "a second agent on one store is refused" $? 1
"$LAB" kill cyrus --dir "$WORK/lab"
sleep 1
"$LAB" start cyrus --dir "$WORK/lab"
wait $agent
note "the interrupted run ended with status $?"
check "server killed: it is completed" sync_user u005
same_store "server killed: and the store is what was put" u005

# ---- a file that may not grow: without a word from the agent it would die
profile u006
(ulimit -f 256 && sync_user u006)
is "a limit of file sizes: status 1" $? 1
like "and says so" "$(cat "$WORK/u006.err")" "no space|too large"
check "without it it is completed" sync_user u006

# ---- a full disk
mkdir -p "$WORK/small"
profile u006
sed -i "s|^store: .*|store: $WORK/small/u006|" "$WORK/u006.yaml"
if mount -t tmpfs -o size=2m tmpfs "$WORK/small" 2> /dev/null; then
	sync_user u006
	is "a full disk: status 1" $? 1
	like "and says so" "$(cat "$WORK/u006.err")" "[Nn]o space|full"
	mount -o remount,size=100m "$WORK/small"
	check "with room again it is completed" sync_user u006
	same_store "and the store is what was put" u006
	mount -o remount,ro "$WORK/small"
	sync_user u006
	is "a disk that may not be written: status 1" $? 1
	like "and says so, by name" "$(cat "$WORK/u006.err")" \
		"small/u006.*[Rr]ead-only"
	same_store "and reading works" u006
	mount -o remount,rw "$WORK/small"
	umount "$WORK/small"
else
	skip "a full disk" "mounting a small file system needs root"
fi

# ---- a server that was down all the time
wait "$down"
is "a server that is down: status 1" $? 1
like "and the address is named" "$(cat "$WORK/down.log")" \
	"127.0.0.1:1.*refused"
same_store "and the store is intact" u001

# ---- the other servers
sed -e "s/port: [0-9]*/port: $LAB_DOVECOT_PORT/" \
	-e "s|http://[^\"]*/\" }|$LAB_RADICALE_URL\" }|" "$WORK/e2e.yaml" \
	> "$WORK/others.yaml"
fill "$WORK/others.yaml" --user u001 > "$WORK/fill.log" 2>&1 ||
	bail "the fill of the other servers failed"
rm -rf "${WORK:?}/u001"
profile u001 --dovecot
check "Dovecot and Radicale: sync" sync_user u001
same_store "Dovecot and Radicale: the store is what was put" u001
finish
