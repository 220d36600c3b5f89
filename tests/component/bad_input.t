#!/bin/bash
# Files as people get them wrong: each error says where, what was expected and
# what to do, and is exit 2.
set -u
. tests/tap.sh
DIR=$(mktemp -d)
trap 'rm -rf "$DIR"' EXIT
cd "$DIR" || exit 1

cat > s.yaml << 'END'
rollout: demo
server: { imap: { host: 127.0.0.1, port: 1143, security: none } }
clients:
  range: u1..u4
  mailbox: { small: 100% }
mailboxes:
  small: { messages: 10 }
END
cat > p.yaml << 'END'
account:
  user: u1
  password_file: password
  imap: { host: 127.0.0.1, port: 1, security: none }
store: store
END
echo secret > password
chmod 600 password

refuses() { # refuses DESCRIPTION WANTED COMMAND…: WANTED is in the error
	local what=$1 wanted=$2 got code
	shift 2
	got=$("$@" 2>&1 > /dev/null)
	code=$?
	if [ $code = 2 ] && [[ $got == *"$wanted"* ]]; then
		ok 0 "$what"
	else
		ok 1 "$what"
		note "exit $code, '$got', wanted '$wanted'"
	fi
}
scenario() { # scenario DESCRIPTION SED WANTED
	sed "$2" s.yaml > bad.yaml
	refuses "scenario: $1" "$3" "$BIN/sluice" init --state "$DIR/st" bad.yaml
}
profile() { # profile DESCRIPTION SED WANTED
	sed "$2" p.yaml > bad.yaml
	refuses "profile: $1" "$3" "$BIN/sluice-agent" sync --profile bad.yaml
}

check "the scenario itself is good" "$BIN/sluice" init --dry-run s.yaml
refuses "scenario: no file" "none.yaml: No such file or directory; expected a YAML file; check its name" \
	"$BIN/sluice" init none.yaml
refuses "scenario: a folder" "$DIR: Is a directory; expected a YAML file" \
	"$BIN/sluice" init "$DIR"
scenario "unknown key, near a known one" 's/port:/prot:/' \
	'bad.yaml:2:36: server.imap.prot: unknown key; did you mean port?'
scenario "unknown key" '1a colour: red' \
	'bad.yaml:2:1: colour: unknown key; the keys here are rollout, '
scenario "wrong type" 's/1143/[1]/' \
	'bad.yaml:2:42: server.imap.port: expected a whole number, found a list'
scenario "port 0" 's/1143/0/' \
	'bad.yaml:2:42: server.imap.port: expected a whole number from 1 to 65535, found 0'
scenario "port 99999" 's/1143/99999/' \
	'bad.yaml:2:42: server.imap.port: expected a whole number from 1 to 65535, found 99999'
scenario "port abc" 's/1143/"abc"/' \
	"bad.yaml:2:42: server.imap.port: expected a whole number, found the text 'abc'"
for range in u4..u1 u1..v4 u1-u4 u1..; do
	scenario "range $range" "s/u1..u4/$range/" \
		"bad.yaml:4:10: clients.range: expected FIRST..LAST with one prefix, as u001..u024, found '$range'"
done
scenario "too many clients" 's/u1..u4/u1..u9999999/' \
	'bad.yaml:4:10: clients.range: expected at most 100000 clients'
scenario "unknown mailbox profile" 's/small: 100%/huge: 100%/' \
	'bad.yaml:5:20: clients.mailbox.huge: no such profile stands under mailboxes; add it there or correct the name'
scenario "shares" 's/100%/90%/' \
	'bad.yaml:5:12: clients.mailbox: the shares add up to 90.0%, expected 100%'
scenario "missing key" 's/host: 127.0.0.1, //' \
	'bad.yaml:2:17: server.imap.host: missing; add it: '
scenario "missing table" '/^server/d' \
	'bad.yaml:1:1: server: missing; add it: '
scenario "plain text to another machine" 's/127.0.0.1/192.0.2.1/' \
	'bad.yaml:2:58: server: imap: security: none would send the password to 192.0.2.1 in plain text; use tls or starttls'
scenario "not YAML" 's/demo/"demo/' ': not YAML: '
check "nothing was made of them" test ! -e st

refuses "profile: no file" "none.yaml: No such file or directory; expected a YAML file; check its name" \
	"$BIN/sluice-agent" sync --profile none.yaml
refuses "profile: none named" "name one with --profile FILE" \
	env -u SLUICE_PROFILE "$BIN/sluice-agent" sync
refuses "policy: a line break in a name" "line break in its name" \
	"$BIN/sluice-agent" policy --profile p.yaml set $'a\nb' full
refuses "policy: the root alone" "add --recursive for all folders" \
	"$BIN/sluice-agent" policy --profile p.yaml set / full
check "policy: neither is kept" test ! -e store
refuses "search: a word that looks like an option" "name one with --profile" \
	env -u SLUICE_PROFILE "$BIN/sluice-agent" search -- --help
profile "unknown key" 's/store:/stroe:/' \
	'bad.yaml:5:1: stroe: unknown key; did you mean store?'
profile "wrong type" 's/user: u1/user: [u1]/' \
	'bad.yaml:2:9: account.user: expected a text, found a list'
profile "no password file" 's/: password/: nowhere/' \
	'nowhere: No such file or directory; expected a file whose first line is the password; make it, or correct password_file'
profile "no password at all" '/password_file/d' \
	'bad.yaml:2:3: account: u1: name exactly one of password_file and password_command'
profile "plain text to another machine" 's/127.0.0.1/192.0.2.1/' \
	'bad.yaml:4:47: account: imap: security: none would send the password to 192.0.2.1 in plain text; use tls or starttls'
chmod 644 password
profile "a password that all may read" '' 'others may read it; run: chmod 600 '
finish
