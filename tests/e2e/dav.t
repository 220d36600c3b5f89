#!/bin/bash
# dav.t - contacts, events, tasks and notes of real DAV servers arrive byte
# for byte, follow what changes, and cost requests, not items.
. tests/e2e/lib.sh

me=u001
auth=(-s -u "$me:secret-$me")

# put URL TYPE: stdin, with the line ends that the formats demand.
put() {
	sed 's/$/\r/' | curl "${auth[@]}" -f -o /dev/null -X PUT --data-binary @- \
		-H "Content-Type: text/$2; charset=utf-8" "$1"
}

# object KIND UID LINES…: one calendar object.
object() {
	local kind=$1 uid=$2
	shift 2
	printf '%s\n' BEGIN:VCALENDAR VERSION:2.0 "PRODID:-//test//EN" \
		"BEGIN:$kind" "UID:$uid" DTSTAMP:20260101T000000Z "$@" \
		"END:$kind" END:VCALENDAR
}

event() {
	object VEVENT "$1" DTSTART:20260301T120000Z DTEND:20260301T130000Z \
		"${@:2}"
}

card() { # card UID LINES…
	printf '%s\n' BEGIN:VCARD VERSION:3.0 "UID:$1" "N:Doe;$1;;;" "${@:2}" \
		END:VCARD
}

# Two collections, and in them what tends to go wrong.
populate() {
	curl "${auth[@]}" -f -X MKCALENDAR "$calendar" || return
	curl "${auth[@]}" -f -X MKCOL -H 'Content-Type: application/xml' \
		-d '<D:mkcol xmlns:D="DAV:"
			xmlns:A="urn:ietf:params:xml:ns:carddav"><D:set><D:prop>
			<D:resourcetype><D:collection/><A:addressbook/>
			</D:resourcetype></D:prop></D:set></D:mkcol>' \
		"$contacts" || return
	for i in {1..40}; do
		event "e$i" "SUMMARY:Event $i" | put "${calendar}e$i.ics" calendar
		card "c$i" "FN:Contact $i" | put "${contacts}c$i.vcf" vcard
	done
	event blank "SUMMARY:Büro & <b>" "DESCRIPTION:a\\, b\\nc" |
		put "${calendar}with%20blank%20%26%20more.ics" calendar
	event series "SUMMARY:Series" "RRULE:FREQ=WEEKLY;COUNT=5" |
		put "${calendar}series.ics" calendar
	object VTODO todo "SUMMARY:Task" "DUE:20260401T120000Z" \
		STATUS:NEEDS-ACTION | put "${calendar}todo.ics" calendar
	object VJOURNAL note "SUMMARY:Note" "DESCRIPTION:]]&gt;]]>" |
		put "${calendar}note.ics" calendar
	card photo "FN:Bild" "PHOTO;ENCODING=b;TYPE=JPEG:$(head -c 300000 \
		/dev/zero | base64 -w 0)" | put "${contacts}photo.vcf" vcard
	card umlaut "FN:Žluťoučký kůň" | put "${contacts}k%C5%AF%C5%88.vcf" vcard
}

# What the server has, by GET: "sha256 href", sorted.
server_digests() {
	local collection href
	for collection in "$calendar" "$contacts"; do
		curl "${auth[@]}" -X PROPFIND -H 'Depth: 1' \
			-d '<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>' \
			-H 'Content-Type: application/xml' "$collection" |
			grep -o '<[^>/]*href>[^<]*' | sed 's/.*>//' |
			grep -v '/$' | sed 's/&amp;/\&/g' | while read -r href; do
				echo "$(curl "${auth[@]}" "$base$href" |
					sha256sum | cut -d' ' -f1)"
			done
	done | sort
}

store_digests() {
	"$BIN/sluice-agent" export --profile "$profile" --digests |
		jq -r 'select(.kind | IN("contact", "event", "task", "note")) |
			.sha256' | sort
}

sync() {
	"$BIN/sluice-agent" sync --profile "$profile" --json \
		> "$WORK/result" 2>> "$WORK/sync.log"
	status=$?
	result=$(tail -n 1 "$WORK/result")
}

field() { jq -r ".$1" <<< "$result"; }

# The whole story with the server of $base, $calendar, $contacts.
story() {
	check "$server: collections and objects are made" populate
	sync
	is "$server: the first sync ends well" "$status $(field verified)" \
		"0 true"
	is "$server: every kind is there" \
		"$(field contacts) $(field events) $(field tasks) $(field notes)" \
		"42 42 1 1"
	is "$server: nothing in quarantine" "$(field quarantined)" 0
	server_digests > "$WORK/server"
	store_digests > "$WORK/store"
	same "$server: byte for byte what GET gives" \
		"$WORK/store" "$WORK/server"
	first=$(field round_trips)

	event e1 "SUMMARY:Moved" | put "${calendar}e1.ics" calendar
	event new "SUMMARY:New" | put "${calendar}new.ics" calendar
	curl "${auth[@]}" -f -o /dev/null -X DELETE "${contacts}c7.vcf"
	sync
	is "$server: the second sync ends well" "$status $(field verified)" \
		"0 true"
	is "$server: one more event, one contact less" \
		"$(field contacts) $(field events)" "41 43"
	server_digests > "$WORK/server"
	store_digests > "$WORK/store"
	same "$server: the changed object too" "$WORK/store" "$WORK/server"
	[ "$(field app_bytes)" -lt 2000 ]
	ok $? "$server: only what changed was fetched"

	sync
	[ "$(field round_trips)" -lt "$first" ] && [ "$(field app_bytes)" = 0 ]
	ok $? "$server: without changes nothing is fetched"
	is "$server: offline, the moved event" "$("$BIN/sluice-agent" ls \
		--profile "$profile" "$folder" | grep -c Moved)" 1
}

lab_up --users "$me" --radicale --no-exporter
curl "${auth[@]}" "imap://127.0.0.1:$LAB_IMAP_PORT" > /dev/null

profile_for() { # profile_for NAME URL
	server=$1 base=${2%/} profile=$WORK/$1.yaml
	cat > "$profile" << END
account:
  user: $me
  password_file: $LAB_PASSWORDS/$me
  dav: { url: "$2" }
store: $WORK/$1.store
END
}

profile_for Cyrus "$LAB_DAV_URL"
calendar=$base/dav/calendars/user/$me/work/ folder=work
contacts=$base/dav/addressbooks/user/$me/people/
story

# From afar, where collections are fetched as a whole.
relay_start "$LAB_DAV_PORT" --delay 10
profile_for afar "http://127.0.0.1:$relay_port/"
sync
is "from afar: the same account" \
	"$status $(field verified) $(field contacts) $(field events)" "0 true 41 43"
store_digests > "$WORK/afar"
same "from afar: byte for byte what GET gives" "$WORK/afar" "$WORK/server"

profile_for Radicale "$LAB_RADICALE_URL"
calendar=$base/$me/work/ folder=$me%2Fwork
contacts=$base/$me/people/
curl "${auth[@]}" -X PROPFIND -o /dev/null "$base/$me/" # makes the user
story

profile_for TLS "$LAB_DAVS_URL"
sed -i "s|^store|  ca_file: $LAB_CA_FILE\n&|" "$profile"
sync
is "TLS: the same account over a verified connection" \
	"$status $(field verified) $(field contacts)" "0 true 41"
sed -i '/ca_file/d' "$profile"
sync
is "TLS: a stranger's certificate is refused" "$status" 1
like "TLS: and the error says so" "$(field error)" certificate

profile_for wrong "$LAB_DAV_URL"
echo nonsense > "$WORK/pw"
chmod 600 "$WORK/pw"
sed -i "s|password_file: .*|password_file: $WORK/pw|" "$profile"
sync
is "a wrong password stops at once" "$status $(field retries)" "1 0"
like "and the error names the user" "$(field error)" "$me"
finish
