# tap.sh - results in TAP, for tests that are scripts. Sourced by each of them,
# which runs from the top of the tree and ends with `finish`.

BUILD=${BUILD:-build}
BIN=$PWD/$BUILD/bin

tap_count=0
tap_failed=0

ok() { # ok STATUS NAME
	tap_count=$((tap_count + 1))
	if [ "$1" = 0 ]; then
		echo "ok $tap_count - $2"
	else
		tap_failed=$((tap_failed + 1))
		echo "not ok $tap_count - $2"
	fi
}

# check NAME COMMAND…: its output is shown only when it fails.
check() {
	local name=$1 output
	shift
	if output=$("$@" 2>&1); then
		ok 0 "$name"
	else
		ok 1 "$name"
		note "$output"
	fi
}

# is NAME GOT EXPECTED
is() {
	[ "$2" = "$3" ]
	ok $? "$1"
	[ "$2" = "$3" ] || note "got:      $2
expected: $3"
}

# like NAME GOT REGEX
like() {
	[[ $2 =~ $3 ]]
	ok $? "$1"
	[[ $2 =~ $3 ]] || note "got:      $2
no match: $3"
}

# same NAME FILE FILE: the same lines; shows the first that differ.
same() {
	if cmp -s "$2" "$3"; then
		ok 0 "$1"
	else
		ok 1 "$1"
		note "$(diff "$2" "$3" | head -20)"
	fi
}

skip() { # skip NAME WHY
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1 # SKIP $2"
}

note() {
	# shellcheck disable=SC2001
	sed 's/^/# /' <<< "$1"
}

# until_is NAME WANTED COMMAND…: the command comes to say so within a minute.
until_is() {
	local name=$1 wanted=$2 got='' i
	shift 2
	for ((i = 0; i < 600; i++)); do
		got=$("$@" 2> /dev/null)
		[ "$got" = "$wanted" ] && break
		sleep 0.1
	done
	is "$name" "$got" "$wanted"
}

finish() {
	echo "1..$tap_count"
	[ "$tap_failed" = 0 ]
	exit
}
