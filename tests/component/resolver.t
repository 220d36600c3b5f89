#!/bin/bash
# A name server that never answers: the agent is asked to stop while it waits
# for it, and stops. Needs namespaces of its own for /etc/resolv.conf and the
# network; ends by itself either way, as the resolver is told to give up after
# five minutes.
set -u
. tests/tap.sh
DIR=$(mktemp -d)
trap 'rm -rf "$DIR"' EXIT
export DIR BIN

if ! unshare -mn ip link set lo up 2> /dev/null; then
	echo "1..0 # SKIP no namespaces here: unshare -mn needs root"
	exit 0
fi

cat > "$DIR/resolv.conf" << 'END'
nameserver 127.0.0.1
options timeout:30 attempts:10
END
echo "hosts: dns" > "$DIR/nsswitch.conf"
echo secret > "$DIR/password"
chmod 600 "$DIR/password"
cat > "$DIR/p.yaml" << 'END'
account:
  user: u1
  password_file: password
  imap: { host: mail.example.org, port: 993 }
store: store
END
cat > "$DIR/silent" << 'END'
use IO::Socket::INET;
my $socket = IO::Socket::INET->new(Proto => "udp", LocalAddr => "127.0.0.1",
	LocalPort => 53) or die "cannot listen: $!";
$| = 1;
print "listening\n";
$socket->recv(my $question, 512);
print "asked\n";
sleep 300;
END

# Prints the agent's exit status and last words.
cat > "$DIR/inside" << 'END'
ip link set lo up
mount --bind "$DIR/resolv.conf" /etc/resolv.conf
mount --bind "$DIR/nsswitch.conf" /etc/nsswitch.conf
perl "$DIR/silent" > "$DIR/server" &
server=$!
until grep -q listening "$DIR/server" || ! kill -0 $server; do sleep 0.05; done
timeout --signal=KILL 60 "$BIN/sluice-agent" sync --quiet \
	--profile "$DIR/p.yaml" 2> "$DIR/err" &
agent=$!
until grep -q asked "$DIR/server" || ! kill -0 $agent; do sleep 0.05; done
kill -TERM $agent
wait $agent
echo $? > "$DIR/status"
kill $server
END
unshare -mn bash "$DIR/inside" > "$DIR/log" 2>&1
status=$(cat "$DIR/status")
[ "$status" != 137 ] && [ "$status" != 0 ]
ok $? "SIGTERM ends an agent whose resolver hangs"
grep -q cancelled "$DIR/err"
ok $? "and it says that it was cancelled"
[ "$tap_failed" = 0 ] || note "$(cat "$DIR"/{log,err,server})"
finish
