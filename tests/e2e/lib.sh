# lib.sh - what the end-to-end tests share: a lab, a place to work.
#
# Sourced by each test, which runs from the top of the tree. $WORK is an empty
# folder of its own; whatever was started is stopped when the test ends.
set -uo pipefail

. tests/tap.sh
WORK=$PWD/build/e2e/$(basename "$0" .t)
LAB=scenarios/lab/lab
# Locales and time zones must not matter.
export LC_ALL=C TZ=UTC

bail() {
	note "$(tail -n 5 "$WORK"/lab/log/*.log 2> /dev/null)"
	echo "Bail out! $1"
	exit 1
}

# Processes of this test, by pid; stopped at its end.
started=()

# background NAME COMMAND…: output to $WORK/NAME.log; its pid is $!.
background() {
	local name=$1
	shift
	"$@" >> "$WORK/$name.log" 2>&1 < /dev/null &
	started+=($!)
}

# wait_for SECONDS COMMAND…: until it succeeds.
wait_for() {
	local until=$((SECONDS + $1))
	shift
	until "$@" > /dev/null 2>&1; do
		[ $SECONDS -lt $until ] || return 1
		sleep 0.1
	done
}

gone() {
	[ ! -e "/proc/$1" ] || grep -q '^State:.Z' "/proc/$1/status" 2> /dev/null
}

# stop PID…: TERM, then KILL for who has not gone after half a minute.
stop() {
	local pid
	for pid; do kill "$pid" 2> /dev/null; done
	for pid; do
		wait_for 30 gone "$pid" || kill -KILL "$pid" 2> /dev/null
		wait "$pid" 2> /dev/null
	done
	return 0
}

# kill_now PID: as a crash would.
kill_now() {
	{
		kill -KILL "$1"
		wait "$1"
	} 2> /dev/null
	return 0
}

cleanup() {
	[ ${#started[@]} = 0 ] || stop "${started[@]}"
	[ ! -d "$WORK/lab" ] || "$LAB" down --dir "$WORK/lab" > /dev/null 2>&1
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP

# lab_up OPTION…: a lab in $WORK/lab; its ports and paths as LAB_….
lab_up() {
	"$LAB" up --dir "$WORK/lab" --owner $$ "$@" \
		> "$WORK/lab.env" 2> "$WORK/lab.log" ||
		bail "the lab does not start: $(tail -n 3 "$WORK/lab.log")"
	# shellcheck source=/dev/null
	. "$WORK/lab/env"
}

# fill SCENARIO OPTION…: mailboxes and $WORK/manifest.
fill() {
	local scenario=$1
	shift
	"$BIN/sluice" fill "$scenario" --passwords "$LAB_PASSWORDS" \
		--manifest "$WORK/manifest" "$@"
}

# profile USER OPTION…: $WORK/USER.yaml, whose store is $WORK/USER.
profile() {
	"$LAB" profile "$@" --dir "$WORK/lab" > "$WORK/$1.yaml"
}

# sync USER OPTION…: one synchronisation; its result in $WORK/USER.json.
sync_user() {
	local user=$1
	shift
	"$BIN/sluice-agent" sync --profile "$WORK/$user.yaml" --json "$@" \
		> "$WORK/$user.json" 2> "$WORK/$user.err"
}

# result USER KEY: of the last synchronisation.
result() { jq -r ".$2" "$WORK/$1.json"; }

# ---- a controller and its agents; its state is $SLUICE_STATE

export SLUICE_STATE=$WORK/state

# controller_start: on any free port; waits until it listens.
controller_start() {
	rm -f "$SLUICE_STATE/url"
	background controller "$BIN/sluice" serve --listen 127.0.0.1:0
	controller=$!
	wait_for 60 test -s "$SLUICE_STATE/url" ||
		bail "no controller: $(tail -n 3 "$WORK/controller.log")"
	controller_url=$(cat "$SLUICE_STATE/url")
}

# controller_keys: the part of a profile that says who the controller is.
controller_keys() {
	cat << END
controller:
  url: "$controller_url"
  token_file: $WORK/token
  ca_file: $SLUICE_STATE/ca.pem
END
}

# agent_start USER: a daemon with the profile of USER, which it completes.
declare -A agent
agent_start() {
	grep -q '^controller:' "$WORK/$1.yaml" ||
		controller_keys >> "$WORK/$1.yaml"
	background "agent-$1" "$BIN/sluice-agent" run \
		--profile "$WORK/$1.yaml"
	agent[$1]=$!
}

# relay_start PORT OPTION…: a long or narrow line to PORT, instead of the one
# before; it listens on $relay_port.
relay='' relay_port=''
relay_start() {
	local to=$1
	shift
	[ -z "$relay" ] || kill_now "$relay"
	: > "$WORK/relay.log"
	background relay "$BUILD/tests/bench/relay" --to "127.0.0.1:$to" "$@"
	relay=$!
	wait_for 60 test -s "$WORK/relay.log" || bail "no relay"
	relay_port=$(head -n 1 "$WORK/relay.log")
}

# archive SQL: read from the archive, columns separated by "|".
archive() { sqlite3 -readonly "$SLUICE_STATE/archive.db" "$1"; }

# What the manifest promises for USER under the default policy, and what the
# store of USER's profile holds; the same lines if all is well. Folder names
# of items are the server's choice, so that the item's own identity counts.
promised_store() {
	jq -r --arg user "$1" 'select(.user == $user) |
		if .item then [.item, .uid, .sha256]
		elif .folder == "INBOX" or .protected or .kind == "note"
		then [.folder, "body", .sha256]
		else [.folder, "header", .header_sha256] end | @tsv' \
		"$WORK/manifest" | sort
}
held_store() {
	"$BIN/sluice-agent" export --digests --profile "$WORK/$1.yaml" |
		jq -r 'if .href then [.kind, .uid, .sha256]
			else [.folder, .part, .sha256] end | @tsv' | sort
}

# same_store NAME USER
same_store() {
	promised_store "$2" > "$WORK/promised"
	held_store "$2" > "$WORK/held"
	[ -s "$WORK/promised" ] || bail "no manifest for $2"
	same "$1" "$WORK/held" "$WORK/promised"
}

rm -rf "$WORK"
mkdir -p "$WORK"
