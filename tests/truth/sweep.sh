# sweep.sh - the throughput of fixed batch sizes, measured apart from the
# product: by what lies in the stores, with no controller.
#
# Sourced by run, in a network name space with the limited server. n clients,
# each the real agent with an empty store, take mailboxes one after another.
# A level counts from when all of them store mail. Sizes are run upwards and
# then downwards, so that what drifts shows as a difference of the two.

SIZES="1 5 6 7 8 9 10 14" PASSES=2 SECONDS_EACH=8
[ -z "$QUICK" ] || PASSES=1
SETTLE_MAX=30
SETTLED=1000000 # bytes that each client has stored by then

# slot INDEX N END: one of N, until END; the next mailbox after the last.
slot() {
	local at=$1 user left store
	while left=$(($3 - SECONDS)) && [ "$left" -gt 0 ]; do
		printf -v user 'u%03d' $(((at - 1) % CLIENTS + 1))
		store=$WORK/stores/$1.$at
		profile "$user" "$store" > "$store.yaml"
		# TERM by the clock is how most of them end.
		timeout "$left" "$BIN/sluice-agent" sync --quiet \
			--profile "$store.yaml" > "$store.log" 2>&1 || :
		at=$((at + $2))
	done
}

# What is stored: bytes, and slots that have stored enough.
stored() {
	find "$WORK/stores" -name '*.pack' -printf '%P %s\n' |
		awk -F'[. /]' -v enough=$SETTLED '
			{ sum += $NF; slot[$1] += $NF }
			END {
				for (s in slot) settled += slot[s] >= enough
				print sum + 0, settled + 0
			}'
}

wire() { awk '/lo:/ { print $10 }' /proc/net/dev; }

# level N: prints MB/s of payload and of the wire, over SECONDS_EACH.
level() {
	local n=$1 i begin end bytes wire settled from slots=()
	rm -rf "$WORK/stores"
	mkdir "$WORK/stores"
	[ -z "$COLD" ] || "$LAB" cold --dir "$OUT/lab"
	# Their clock is this shell's; the longest it may take.
	end=$((SECONDS + SETTLE_MAX + SECONDS_EACH + 5))
	for ((i = 1; i <= n; i++)); do
		slot "$i" "$n" "$end" &
		slots+=($!)
		sleep 0.2
	done
	for ((i = 0; i < SETTLE_MAX * 5; i++)); do
		read -r bytes settled <<< "$(stored)"
		[ "$settled" -lt "$n" ] || break
		sleep 0.2
	done
	sleep 4
	read -r begin settled <<< "$(stored)"
	from=${EPOCHREALTIME/./} wire=$(wire)
	sleep $SECONDS_EACH
	read -r bytes settled <<< "$(stored)"
	from=$((${EPOCHREALTIME/./} - from)) wire=$(($(wire) - wire))
	end_slots "${slots[@]}"
	# Cyrus reads on for clients that have gone; the next level is to have
	# the server for itself.
	"$LAB" kill cyrus --dir "$OUT/lab"
	"$LAB" start cyrus --dir "$OUT/lab"
	awk -v n="$n" -v b=$((bytes - begin)) -v w=$wire -v us=$from \
		'BEGIN { printf "%d %.4f %.4f\n", n, b / us, w / us }'
}

# The agents of the slots stop when told; their loops end with them.
end_slots() {
	local pid
	for pid; do
		pkill -TERM -P "$pid" 2> /dev/null || :
		kill "$pid" 2> /dev/null || :
	done
	wait "$@" 2> /dev/null || :
}

sweep() {
	local n pass order
	: > "$WORK/levels"
	for ((pass = 1; pass <= PASSES; pass++)); do
		order=$SIZES
		[ $((pass % 2)) = 1 ] || order=$(tac -s ' ' <<< "$SIZES " | xargs)
		for n in $order; do
			level "$n" >> "$WORK/levels"
		done
	done
	cp "$WORK/levels" "$OUT/$1-levels.txt"
	levels_json "$1"
}

# The wire's counter is exact and tells what the server gives now; what is
# stored comes in pieces, and later where sockets' buffers still fill, and tells
# over all levels how much payload a byte of the wire is.
levels_json() {
	jq -nR --argjson seconds "$SECONDS_EACH" '
		[inputs | split(" ") | map(tonumber)] as $rows
		| (($rows | map(.[1]) | add) / ($rows | map(.[2]) | add)) as $per
		| {seconds: $seconds, payload_per_wire_byte: $per, levels: [
			$rows | group_by(.[0])[]
			| (map(.[2] * $per * 60)) as $x
			| {n: .[0][0], mb_min: (($x | add) / length),
				spread: ((($x | max) - ($x | min)) / 2),
				stored_mb_min: ((map(.[1] * 60) | add) / length)}]}' \
		"$OUT/$1-levels.txt" > "$OUT/$1-sweep.json"
}
