#!/bin/bash
# offline.t - the local database in use: while it is being filled, and with
# the server switched off.
. tests/e2e/lib.sh

lab_up --users u001 --no-exporter
sed 's/u001\.\.u006/u001..u001/' scenarios/e2e.yaml > "$WORK/one.yaml"
"$LAB" scenario "$WORK/one.yaml" --dir "$WORK/lab" > "$WORK/e2e.yaml"
fill "$WORK/e2e.yaml" --user u001 > "$WORK/fill.log" 2>&1 ||
	bail "the fill failed: $(tail -n 3 "$WORK/fill.log")"
profile u001

agent() {
	local verb=$1
	shift
	"$BIN/sluice-agent" "$verb" --profile "$WORK/u001.yaml" "$@"
}

# count FILTER: lines of the manifest.
count() {
	jq -c "select($1)" "$WORK/manifest" | wc -l
}

# ---- while it is being filled
background sync "$BIN/sluice-agent" sync --profile "$WORK/u001.yaml" --json \
	--rate 250kB/s
sync=$!
listed() { agent ls INBOX | grep -q 20; }
check "the Inbox is listed before its bodies are there" wait_for 60 listed
check "and the sync goes on" kill -0 "$sync"
check "status, too" agent status
check "search, too" agent search something
output=$(agent sync 2>&1)
is "a second agent: status 1" $? 1
like "and it says who has the store" "$output" \
	"another agent works on this store \(process $sync\)"
wait "$sync"
is "the sync was not disturbed" $? 0
note "a person waited $(jq -c .ui.during "$WORK/sync.log")"
is "what a person would feel was measured meanwhile" \
	"$(jq '.ui.during.count > 0 and .ui.after.count > 0 and
		.ui.during.max_ms > 0' "$WORK/sync.log")" true

# ---- with the server off
"$LAB" stop cyrus --dir "$WORK/lab"
whole='.folder == "INBOX" or .protected or .kind == "note"'
is "ls counts what was put" \
	"$(agent ls --json | jq -s 'map(.messages) | add')" "$(count .folder)"
is "ls INBOX has a line a message" "$(agent ls INBOX | wc -l)" \
	"$(count '.folder == "INBOX"')"

id=$(agent ls --json INBOX | jq -s '.[3].id')
sha=$(agent show --raw "$id" | sha256sum | cut -d' ' -f1)
is "show --raw is the message, byte for byte" \
	"$(count ".sha256 == \"$sha\"")" 1
subject=$(agent ls --json INBOX | jq -rs '.[3].subject')
like "show names its subject" "$(agent show "$id")" "Subject: "
like "show --headers ends with an empty line" \
	"$(agent show --headers "$id" | tail -n 1 | od -An -c)" '\\r +\\n'

# Words of the subject find it; the first search makes the index.
mapfile -t words < <(tr -cs '[:alpha:]' '\n' <<< "$subject" | grep ... | head -3)
is "search finds it by its subject" \
	"$(agent search --json -n 0 "${words[@]}" |
		jq -s "map(select(.id == $id)) | length")" 1

check "export --mbox" agent export --mbox "$WORK/mbox"
is "mbox: a message each" "$(cat "$WORK"/mbox/*.mbox | grep -c '^From ')" \
	"$(count ".folder and ($whole)")"
check "export --maildir" agent export --maildir INBOX "$WORK/maildir"
find "$WORK/maildir/INBOX" -type f -exec sha256sum {} + | cut -d' ' -f1 |
	sort > "$WORK/got"
jq -r 'select(.folder == "INBOX") | .sha256' "$WORK/manifest" |
	sort > "$WORK/put"
same "maildir: the messages, byte for byte" "$WORK/got" "$WORK/put"
check "export --ics" agent export --ics "$WORK/ics"
is "ics: an event each" "$(cat "$WORK"/ics/*.ics | grep -c '^BEGIN:VEVENT')" \
	"$(count '.item == "event"')"
is "ics: a task each" "$(cat "$WORK"/ics/*.ics | grep -c '^BEGIN:VTODO')" \
	"$(count '.item == "task"')"
check "export --vcf" agent export --vcf "$WORK/vcf"
is "vcf: a contact each" "$(cat "$WORK"/vcf/*.vcf | grep -c '^BEGIN:VCARD')" \
	"$(count '.item == "contact"')"

is "the predicted size is the real one within a tenth" \
	"$(jq '(.predicted_bytes / .stored_bytes - 1) | fabs < 0.1' \
		"$WORK/sync.log")" true
finish
