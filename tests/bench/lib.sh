# lib.sh - what the rows of `make bench` share. Sourced by tests/bench/run.
#
# A row measures ours and a peer in turn, so that both meet the same machine,
# takes the median, and hands its figures to `row`.

median() { # of the lines of standard input
	sort -g | awk '{ v[NR] = $1 }
		END { if (NR) print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'
}

calc() { # EXPRESSION of awk
	awk "BEGIN { printf \"%.6g\", $1 }"
}

# timed NAME COMMAND…: seconds of a run that has to succeed. What else it cost
# stays in $WORK/NAME.cost.
timed() {
	local name=$1
	shift
	if ! "$TOOLS/measure" "$WORK/$name.cost" "$@" > "$WORK/$name.out" \
		2> "$WORK/$name.err" < /dev/null; then
		echo "bench: $name failed:" >&2
		tail -n 5 "$WORK/$name.err" "$WORK/$name.out" >&2
		return 1
	fi
	jq .seconds "$WORK/$name.cost"
}

cost() { # NAME FIELD: of its last run
	jq ".$2" "$WORK/$1.cost"
}

# agent_profile USER [PORT [SECURITY]]: prints the path of a profile whose
# store is new at every run.
agent_profile() {
	local user=$1 port=${2:-$LAB_IMAP_PORT} security=${3:-none} ca=''
	[ "$security" = none ] || ca="ca_file: $LAB_CA_FILE"
	cat > "$WORK/$user.yaml" << END
account:
  user: $user
  password_file: $LAB_PASSWORDS/$user
  imap: { host: 127.0.0.1, port: $port, security: $security }
  $ca
store: $WORK/store
END
	echo "$WORK/$user.yaml"
}

# agent NAME USER [PORT [SECURITY]]: seconds of a sync into a new store, with
# the further options in $AGENT_OPTIONS.
agent() {
	local name=$1 profile
	shift
	profile=$(agent_profile "$@")
	rm -rf "$WORK/store"
	# shellcheck disable=SC2086 # options are words
	timed "$name" "$BIN/sluice-agent" sync --profile "$profile" --json \
		${AGENT_OPTIONS:-} || return 1
	jq -e '.state == "done" and .verified' "$WORK/$name.out" > /dev/null || {
		echo "bench: $name: not verified" >&2
		return 1
	}
}

mbsync_run() { # NAME USER PATTERN [PORT]: the same by isync, into a Maildir
	local name=$1 user=$2 pattern=$3 port=${4:-$LAB_IMAP_PORT}
	rm -rf "$WORK/maildir"
	mkdir -p "$WORK/maildir"
	cat > "$WORK/mbsyncrc" << END
FSync no

IMAPAccount lab
Host 127.0.0.1
Port $port
User $user
PassCmd "head -n 1 $LAB_PASSWORDS/$user"
SSLType None
AuthMechs *

IMAPStore far
Account lab

MaildirStore near
Path $WORK/maildir/
Inbox $WORK/maildir/INBOX
SubFolders Verbatim

Channel bench
Far :far:
Near :near:
Patterns $pattern
Create Near
Sync Pull
SyncState *
END
	timed "$name" mbsync -c "$WORK/mbsyncrc" -a
}

# CPU seconds that the server has used since its start: what ended children
# left to the master, and the living ones.
server_cpu() {
	local master
	read -r master _ < "$LAB_DIR/run/cyrus"
	# processes come and go while this reads: cat then fails
	{ cat /proc/[0-9]*/stat 2> /dev/null || true; } |
		awk -v root="$master" -v hertz="$(getconf CLK_TCK)" '
		{ pid = $1; sub(/^.*\) /, ""); parent[pid] = $2
		  own[pid] = $12 + $13; reaped[pid] = $14 + $15 }
		END { for (pid in parent) {
			for (p = pid; p > 1 && p != root; p = parent[p]) ;
			if (p == root) sum += own[pid] + reaped[pid] }
		      printf "%.3f\n", sum / hertz }'
}

relay_pids=() # and whatever else ends with a row
relay_up() { # DELAY_MS [RATE [WINDOW]] -> $RELAY, in front of the lab's IMAP
	local out=$WORK/relay.port
	: > "$out"
	"$TOOLS/relay" --to "127.0.0.1:$LAB_IMAP_PORT" --delay "$1" \
		${2:+--rate "$2"} ${3:+--window "$3"} > "$out" 2>> "$WORK/relay.log" &
	relay_pids+=($!)
	until [ -s "$out" ]; do sleep 0.05; done
	read -r RELAY < "$out"
}
relay_down() {
	[ ${#relay_pids[@]} = 0 ] || kill "${relay_pids[@]}" 2> /dev/null
	relay_pids=()
}

# row NAME TEXT OURS BAR UNIT PEER SENSE: SENSE is min (at least) or max (at
# most). Prints a line of the table and writes build/bench/NAME.json.
failures=0
row() {
	local name=$1 text=$2 ours=$3 bar=$4 unit=$5 peer=$6 sense=$7 word=ok
	local sign='>='
	[ "$sense" = min ] || sign='<='
	if ! awk "BEGIN { exit !($ours $sign $bar) }"; then
		word=MISSED
		failures=$((failures + 1))
	fi
	printf '%-50s %9.4g %2s %-7.4g %-13s %-24s %s\n' "$text" "$ours" "$sign" \
		"$bar" "$unit" "$peer" "$word"
	jq -n --arg name "$name" --arg text "$text" --argjson ours "$ours" \
		--argjson bar "$bar" --arg unit "$unit" --arg peer "$peer" \
		--arg sense "$sense" --arg verdict "$word" \
		--slurpfile runs "${RUNS:-/dev/null}" \
		'{$name, $text, $ours, $bar, $unit, $peer, $sense, $verdict, $runs}' \
		> "$OUT/$name.json"
}
