# advice.sh - what the product recommends, by its own path: a controller, a
# fleet of agents, a pilot of one, a pilot of five, `recommend`; then waves of
# the advised size until the advice stays.
#
# Sourced by run, in a network name space with the limited server.

WAVES_MAX=2
[ -z "$QUICK" ] || WAVES_MAX=0
export SLUICE_STATE=$WORK/state

advice_stop() {
	kill "$fleet" "$controller" 2> /dev/null || :
	wait "$fleet" "$controller" 2> /dev/null || :
}

advice_start() {
	local try
	scenario > "$WORK/truth.yaml"
	"$BIN/sluice" init "$WORK/truth.yaml" > "$WORK/init.log"
	"$BIN/sluice" serve --listen 127.0.0.1:0 \
		> "$WORK/controller.log" 2>&1 &
	controller=$!
	until [ -s "$SLUICE_STATE/url" ]; do
		kill -0 $controller || return 1
		sleep 0.1
	done
	(umask 077 && "$BIN/sluice" token > "$WORK/token")
	mkdir -p "$WORK/stores"
	{
		profile %u "$WORK/stores/%u"
		cat << YAML
controller:
  url: "$(cat "$SLUICE_STATE/url")"
  token_file: $WORK/token
  ca_file: $SLUICE_STATE/ca.pem
YAML
	} > "$WORK/client.yaml"
	"$BIN/sluice-agent" fleet --template "$WORK/client.yaml" \
		--range "$(printf 'u001..u%03d' $CLIENTS)" \
		> "$WORK/fleet.log" 2>&1 &
	fleet=$!
	for ((try = 0; try < 60; try++)); do
		"$BIN/sluice" check > "$WORK/check.txt" 2>&1 &&
			grep -q "$CLIENTS of $CLIENTS" "$WORK/check.txt" &&
			return
		sleep 0.5
	done
	cat "$WORK/check.txt" >&2
	return 1
}

# verb WORD…: over when it waits for a person (4), who is us. The heads of
# messages, warm after this, do not stay so for long on every machine.
verb() {
	local status=0
	[ -z "$COLD" ] || "$LAB" cold --dir "$OUT/lab"
	"$BIN/sluice" "$@" --wait >> "$WORK/verbs.log" 2>&1 || status=$?
	[ $status = 0 ] || [ $status = 4 ] || {
		tail -n 3 "$WORK/verbs.log" >&2
		return 1
	}
}

ask() {
	"$BIN/sluice" recommend --json > "$1" || :
	jq -e .batch_size "$1" > /dev/null
}

settle() {
	local wave before after
	before=$(jq .batch_size "$WORK/0.json")
	for ((wave = 1; wave <= WAVES_MAX; wave++)); do
		"$BIN/sluice" promote > /dev/null 2>&1 ||
			"$BIN/sluice" promote --skip-gate "to see the next" \
				> /dev/null 2>&1 || :
		# Not too many: their number must not be what limits at the end.
		verb wave --size "$before" --clients $((before * 3 / 2)) ||
			return 1
		ask "$WORK/$wave.json" || return 1
		after=$(jq .batch_size "$WORK/$wave.json")
		[ "$after" != "$before" ] || return 0
		before=$after
	done
}

advice() {
	local status=0 fleet=0 controller=0
	trap 'advice_stop; "$LAB" down --dir "$OUT/lab"' EXIT
	{ advice_start && verb pilot 1 && verb pilot 5 && ask "$WORK/0.json" &&
		settle; } || status=1
	"$BIN/sluice" report --csv="$WORK/csv" > /dev/null 2>&1 || :
	advice_stop
	trap '"$LAB" down --dir "$OUT/lab"' EXIT
	[ $status = 0 ] || {
		tail -n 5 "$WORK"/*.log >&2
		return 1
	}
	cp "$WORK/csv/buckets.csv" "$OUT/$1-buckets.csv"
	jq -s '{pilots: .[0], waves: .[1:]}' "$WORK"/[0-9].json \
		> "$OUT/$1-advice.json"
}
