# fleet.sh - the rows of `make bench` about many clients in one process: 500
# that copy at once, and what a MB costs there beside a single agent. Sourced
# by tests/bench/run after lib.sh. All clients copy one mailbox each time, as
# it is the clients that are measured.

fleet_pids=()
fleet_down() {
	local pid
	for pid in "${fleet_pids[@]}"; do
		kill "$pid" 2> /dev/null
		wait "$pid" 2> /dev/null
	done
	fleet_pids=()
}

# fleet_up CLIENTS: a controller of v001, v002, … in $SLUICE_STATE.
fleet_up() {
	export SLUICE_STATE=$WORK/fleet-state
	rm -rf "$SLUICE_STATE" "$WORK/fleet-stores"
	mkdir -p "$WORK/fleet-stores"
	cat > "$WORK/fleet-scenario.yaml" << END
rollout: fleet
server: { imap: { host: 127.0.0.1, port: $LAB_IMAP_PORT, security: none } }
clients: { range: v001..$(printf 'v%03d' "$1") }
steps: { pilots: [1], stagger: 0s, heartbeat: 60s, lost: 5m, stall: 10m }
limits: { cpu: 100% }
END
	"$BIN/sluice" init "$WORK/fleet-scenario.yaml" > "$WORK/fleet.log" ||
		return 1
	"$BIN/sluice" serve --listen 127.0.0.1:0 >> "$WORK/fleet.log" 2>&1 &
	fleet_pids+=($!)
	fleet_until 20 test -s "$SLUICE_STATE/url" || return 1
	(umask 077 && "$BIN/sluice" token > "$WORK/fleet-token")
}

fleet_until() { # SECONDS COMMAND…
	local until=$((SECONDS + $1))
	shift
	until "$@" > /dev/null 2>&1; do
		[ $SECONDS -lt $until ] || return 1
		sleep 0.2
	done
}

fleet_count() { # STATE: clients in it
	sqlite3 -readonly "$SLUICE_STATE/archive.db" \
		"select count(*) from client where state = '$1'"
}

fleet_has() { # STATE COUNT
	[ "$(fleet_count "$1")" -ge "$2" ]
}

# fleet_profile MAILBOX CLIENT STORE LINK: a profile, or a template.
fleet_profile() {
	cat > "$WORK/fleet.yaml" << END
account:
  user: $1
  password_file: $LAB_PASSWORDS/$1
  imap: { host: 127.0.0.1, port: $LAB_IMAP_PORT, security: none }
store: $3
${4:+link: $4}
controller:
  client: "$2"
  url: "$(cat "$SLUICE_STATE/url")"
  token_file: $WORK/fleet-token
  ca_file: $SLUICE_STATE/ca.pem
END
}

fleet_agent() { # VERB OPTION…: in the background; its pid is $fleet_agent
	"$BIN/sluice-agent" "$@" >> "$WORK/fleet.log" 2>&1 < /dev/null &
	fleet_agent=$!
	fleet_pids+=("$fleet_agent")
}

# fleet_wave CLIENTS SECONDS: all at once, to their end.
fleet_wave() {
	fleet_until 60 fleet_has checked "$1" || return 1
	"$BIN/sluice" wave --size "$1" --clients "$1" --barrier \
		>> "$WORK/fleet.log" 2>&1
	fleet_until "$2" fleet_has done "$1"
}

# CPU seconds of $fleet_agent for a MB that its clients stored.
fleet_cost() {
	local mb
	mb=$(sqlite3 -readonly "$SLUICE_STATE/archive.db" \
		"select sum(app_bytes) / 1e6 from client")
	awk -v mb="$mb" -v hertz="$(getconf CLK_TCK)" \
		'{ printf "%.6g\n", ($14 + $15) / hertz / mb }' \
		"/proc/$fleet_agent/stat"
}

fleet_memory() { # MB: most that was resident, and its stores in memory
	local rss shm
	rss=$(awk '/^VmHWM/ { print $2 / 1e3 * 1.024 }' \
		"/proc/$fleet_agent/status")
	shm=$(sort -g "$WORK/fleet-shm" | tail -n 1)
	calc "$rss + $shm"
}

bench_fleet_memory() {
	local n=${FLEET:-500} watch memory peak bulk idle
	fleet_up "$n" || return 1
	fleet_profile fleet %u none 15kB/s
	fleet_agent fleet --template "$WORK/fleet.yaml" \
		--range "$(printf 'v001..v%03d' "$n")"
	while sleep 1; do
		du -sm /dev/shm/sluice-scratch.* 2> /dev/null |
			awk '{ s += $1 } END { print s * 1.048576 }'
	done > "$WORK/fleet-shm" &
	watch=$!
	fleet_until 60 fleet_has checked "$n" || return 1
	idle=$(awk '/^VmRSS/ { print $2 / 1e3 * 1.024 }' \
		"/proc/$fleet_agent/status")
	fleet_wave "$n" 600 || return 1
	memory=$(fleet_memory)
	peak=$(sqlite3 -readonly "$SLUICE_STATE/archive.db" \
		"select peak from wave")
	bulk=$(sqlite3 -readonly "$SLUICE_STATE/archive.db" \
		"select cast(max(n) as integer) from bucket")
	kill $watch
	wait $watch 2> /dev/null
	fleet_down
	[ "$peak" = "$n" ] || {
		echo "bench: only $peak of $n ran together" >&2
		return 1
	}
	row fleet-memory "fleet, $n syncs at once, $bulk in bulk: memory" \
		"$memory" 2000 MB "idle $(calc "int($idle)") MB" max
}

# The same mailbox, the same engine, stores on the same disk: one agent, and
# four clients of a fleet at once.
bench_fleet() {
	local i single fleet
	: > "$WORK/single" && : > "$WORK/many"
	for ((i = 0; i < TIMES; i++)); do
		fleet_up 1 || return 1
		fleet_profile line v001 "$WORK/fleet-stores/one"
		fleet_agent run --profile "$WORK/fleet.yaml"
		fleet_wave 1 120 || return 1
		fleet_cost >> "$WORK/single"
		fleet_down
		fleet_up 4 || return 1
		fleet_profile line %u "$WORK/fleet-stores/%u"
		fleet_agent fleet --template "$WORK/fleet.yaml" \
			--range v001..v004
		fleet_wave 4 120 || return 1
		fleet_cost >> "$WORK/many"
		fleet_down
	done
	single=$(median < "$WORK/single") fleet=$(median < "$WORK/many")
	row fleet-cpu "fleet of 4 beside one agent: CPU for a MB" \
		"$(calc "$fleet / $single")" 1 times \
		"agent $(calc "$single * 1000"), fleet $(calc "$fleet * 1000") ms/MB" \
		max
	bench_fleet_memory
}
