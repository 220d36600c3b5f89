# rows.sh - the rows of `make bench`, a function each, named bench_NAME.
# Sourced by tests/bench/run after lib.sh. $TIMES is how often a run is
# repeated; a peer that takes a minute runs once.

# Ours against the raw drain of the same FETCH, plain or over TLS.
against_drain() { # NAME PORT SECURITY DRAIN_OPTION…
	local name=$1 port=$2 security=$3 i ours drained rss
	shift 3
	: > "$WORK/ours" && : > "$WORK/drained" && : > "$WORK/rss" &&
		: > "$WORK/felt"
	for ((i = 0; i < TIMES; i++)); do
		timed drain "$TOOLS/drain" "$port" inbox "$LAB_PASSWORDS/inbox" \
			"$@" >> "$WORK/drained" || return 1
		agent ours inbox "$port" "$security" >> "$WORK/ours" || return 1
		cost ours rss_mb >> "$WORK/rss"
		jq .ui.during.p95_ms "$WORK/ours.out" >> "$WORK/felt"
	done
	ours=$(median < "$WORK/ours") drained=$(median < "$WORK/drained")
	rss=$(sort -g "$WORK/rss" | tail -n 1)
	size=$(jq '.bytes / 1e6' "$WORK/drain.out")
	jq -n --slurpfile ours "$WORK/ours" --slurpfile drain "$WORK/drained" \
		--slurpfile rss "$WORK/rss" \
		'{ours_s: $ours, drain_s: $drain, rss_mb: $rss}' > "$WORK/runs"
	RUNS=$WORK/runs row "$name" \
		"6000 messages, $(calc "int($size)") MB, ${security/none/plain}: share of the drain" \
		"$(calc "$drained / $ours")" 0.7 "of its rate" \
		"drain $(calc "int($size / $drained)"), ours $(calc "int($size / $ours)") MB/s" min
	RUNS=$WORK/runs row "$name-memory" "the same: resident memory" "$rss" 40 \
		MB "-" max
	row "$name-feel" "the same: p95 of a look at the store meanwhile" \
		"$(median < "$WORK/felt")" 20 ms "-" max
}

bench_inbox() { # the rate of the wire; then mbsync, by turns
	local i before ours mbsync cpu_ours=0 cpu_mbsync=0
	against_drain inbox "$LAB_IMAP_PORT" none || return 1
	: > "$WORK/ours" && : > "$WORK/mbsync"
	for ((i = 0; i < TIMES; i++)); do
		before=$(server_cpu)
		agent ours inbox >> "$WORK/ours" || return 1
		cpu_ours=$(calc "$cpu_ours + $(server_cpu) - $before")
		before=$(server_cpu)
		mbsync_run mbsync inbox INBOX >> "$WORK/mbsync" || return 1
		cpu_mbsync=$(calc "$cpu_mbsync + $(server_cpu) - $before")
	done
	ours=$(median < "$WORK/ours") mbsync=$(median < "$WORK/mbsync")
	row mbsync "the same: faster than mbsync" "$(calc "$mbsync / $ours")" \
		10 times "mbsync $(calc "$size / $mbsync") MB/s" min
	row server-cpu "the same: CPU of the server per GB" \
		"$(calc "$cpu_ours / $TIMES / $size * 1000")" \
		"$(calc "$cpu_mbsync / $TIMES / $size * 1000")" "s/GB" \
		"mbsync, the bar" max
}

bench_tls() {
	against_drain tls "$LAB_IMAPS_PORT" tls --tls "$LAB_CA_FILE"
}

# 300 folders over a long line: round trips, and mbsync.
bench_tree() {
	local i ours alone mbsync
	relay_up 25
	: > "$WORK/ours"
	for ((i = 0; i < TIMES; i++)); do
		agent ours tree "$RELAY" >> "$WORK/ours" || return 1
	done
	ours=$(median < "$WORK/ours")
	row tree "300 folders x 40, headers, 50 ms round trip" \
		"$(calc "$ours / 0.05 / 300")" 0.5 "trips/folder" \
		"ours $(calc "$ours") s" max
	alone=$(AGENT_OPTIONS="--connections 1" agent ours tree "$RELAY") ||
		return 1
	row tree-connections "the same: one connection to as many as pay" \
		"$(calc "$alone / $ours")" 1 times "one: $(calc "$alone") s" min
	mbsync=$(mbsync_run mbsync tree '*' "$RELAY") || return 1
	row tree-mbsync "the same: faster than mbsync" \
		"$(calc "$mbsync / $ours")" 5 times "mbsync $(calc "$mbsync") s" min
	relay_down
}

# A line of 100 Mbit/s and 50 ms. What the link carries is 12.5 MB/s.
bench_line() {
	local i ours wire
	relay_up 25 12500000
	: > "$WORK/ours"
	for ((i = 0; i < TIMES; i++)); do
		agent ours line "$RELAY" >> "$WORK/ours" || return 1
	done
	ours=$(median < "$WORK/ours")
	wire=$(jq .app_bytes "$WORK/ours.out")
	row line "$(calc "int($wire / 1e6)") MB Inbox, 50 ms and 100 Mbit/s" \
		"$(calc "$wire / $ours / 12500000")" 0.9 "of the link" \
		"ours $(calc "$wire / $ours / 1e6") MB/s" min
	relay_down
}

# A line of 50 ms on which no connection has more than 192 KB under way: each
# carries 3.9 MB/s at most.
bench_window() {
	local ours alone
	relay_up 25 "" 192000
	alone=$(AGENT_OPTIONS="--connections 1" agent ours line "$RELAY") ||
		return 1
	ours=$(agent ours line "$RELAY") || return 1
	row window "100 MB Inbox, 50 ms, 192 KB of TCP window" \
		"$(calc "$alone / $ours")" 2 times \
		"one: $(calc "$alone") s, $(jq .connections "$WORK/ours.out"): $(calc "$ours") s" min
	relay_down
}

# From the start until a person has listed the whole Inbox: its `ls` begins when
# the last header is there, and its time counts.
bench_first() {
	local i profile start pid count
	: > "$WORK/first"
	for ((i = 0; i < TIMES; i++)); do
		profile=$(agent_profile first)
		rm -rf "$WORK/store"
		start=$(date +%s%N)
		"$BIN/sluice-agent" sync --profile "$profile" --json \
			> "$WORK/first.out" 2> "$WORK/first.err" &
		pid=$!
		"$TOOLS/listed" "$WORK/store" INBOX 6000
		count=$("$BIN/sluice-agent" ls INBOX --limit 10000 \
			--profile "$profile" | wc -l)
		calc "($(date +%s%N) - $start) / 1e9" >> "$WORK/first"
		echo >> "$WORK/first"
		wait "$pid" && [ "$count" -ge 6000 ] || return 1
	done
	row first "6000 in the Inbox, 50 other folders: listed" \
		"$(median < "$WORK/first")" 1 s "-" max
}

bench_giant() {
	agent ours giant > /dev/null || return 1
	row giant-memory "one message of 200 MB: resident memory" \
		"$(cost ours rss_mb)" 40 MB \
		"in $(calc "$(cost ours seconds)") s" max
}

# Half a million messages, made as they are sent: no server has to hold them.
bench_crowd() {
	local port=$WORK/crowd.port
	: > "$port"
	"$TOOLS/crowd" 500000 > "$port" &
	relay_pids+=($!)
	until [ -s "$port" ]; do sleep 0.05; done
	agent ours inbox "$(cat "$port")" > /dev/null || return 1
	row crowd-memory "a folder of 500 000 headers: resident memory" \
		"$(cost ours rss_mb)" 40 MB \
		"in $(calc "$(cost ours seconds)") s" max
	relay_down
}

# Two months of buckets: what the controller's loop waits for.
bench_recommend() {
	local out
	out=$("$TOOLS/recommend_bench") || return 1
	row recommend "a recommendation from 10^6 buckets" \
		"$(jq .cpu_ms <<< "$out")" 50 ms \
		"$(jq .passes <<< "$out") passes over them" max
}

bench_dav() {
	tests/bench/dav
}
