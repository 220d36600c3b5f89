#!/bin/bash
# The control link over HTTPS: a real agent and a real controller, which the
# agent believes only when its certificate is proven.
set -u
. tests/tap.sh
DIR=$(mktemp -d)
PIDS=()
cleanup() {
	local pid
	for pid in "${PIDS[@]}"; do
		kill "$pid" 2> /dev/null && wait "$pid" 2> /dev/null
	done
	rm -rf "$DIR"
}
trap cleanup EXIT

export SLUICE_STATE=$DIR/state
cat > "$DIR/s.yaml" << 'END'
rollout: one
server: { imap: { host: 127.0.0.1, port: 1, security: none } }
clients: { range: u1..u2, link: 1.5MB/s }
baseline: { agent: { min: "0.1" } }
END
"$BIN/sluice" init "$DIR/s.yaml" > /dev/null || exit 1
"$BIN/sluice" serve --listen 127.0.0.1:0 2>> "$DIR/controller.log" &
PIDS+=($!)
until_is "a controller over HTTPS" https cut -d: -f1 "$SLUICE_STATE/url"
"$BIN/sluice" token > "$DIR/token"
echo secret > "$DIR/pw"
chmod 600 "$DIR/token" "$DIR/pw"

profile() { # NAME CA: a profile of that client
	cat > "$DIR/$1.yaml" << END
account: { user: $1, password_file: $DIR/pw,
  imap: { host: 127.0.0.1, port: 1, security: none } }
store: $DIR/$1.store
controller: { url: "$(cat "$SLUICE_STATE/url")", token_file: $DIR/token${2:+, ca_file: $2} }
END
}
knows() { # CLIENT: whether the controller has heard of it
	"$BIN/sluice" status --json | jq --arg c "$1" \
		'.clients[] | select(.name == $c) | .state != "unknown"'
}

profile u1 "$SLUICE_STATE/ca.pem"
"$BIN/sluice-agent" run --profile "$DIR/u1.yaml" 2> "$DIR/u1.log" &
PIDS+=($!)
until_is "an agent enrols and reports" true knows u1

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	-keyout "$DIR/other.key" -out "$DIR/other.pem" -subj /CN=127.0.0.1 \
	-days 2 2> /dev/null || cp /etc/ssl/certs/ca-certificates.crt "$DIR/other.pem"
for ca in "" "$DIR/other.pem"; do
	profile u2 "$ca"
	timeout 90 "$BIN/sluice-agent" run --profile "$DIR/u2.yaml" \
		2> "$DIR/u2.log"
	is "${ca:+by another authority }unproven: the agent ends" $? 1
	is "and says why" "$(grep -c "$(cat "$SLUICE_STATE/url").*certificate" \
		"$DIR/u2.log" | sed 's/[1-9][0-9]*/some/')" some
done
is "and has told nobody its token" "$(knows u2)" false
finish
