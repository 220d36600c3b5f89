# process.sh - servers as sessions: started, waited for, stopped to the last
# child, and nobody else's process touched.
#
# Sourced by lab. Each server is the leader of a session of its own, whose id
# stands in DIR/run/SERVER; its children stay in the session.

# Of this lab, wherever on the machine something has to be named after it.
lab_name() {
	echo "sluice-lab-$(sha256sum <<< "$DIR" | cut -c 1-12)"
}

# Cyrus refuses to be root, and Dovecot wants users that are not here. For
# root they become nobody, with the one privilege of reaching their files
# wherever this tree lies.
lab_user() {
	if [ "$(id -u)" = 0 ]; then echo nobody; else id -un; fi
}
DROP_ROOT=()
[ "$(id -u)" != 0 ] || DROP_ROOT=(setpriv --reuid nobody --regid nogroup
	--clear-groups '--inh-caps=-all,+dac_override'
	'--ambient-caps=-all,+dac_override')

# free_port NAME: keep a free loopback port as setting NAME, once.
free_port() {
	local port
	[ -z "${!1:-}" ] || return 0
	while :; do
		port=$((20000 + RANDOM % 12000))
		(exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null && continue
		# Two labs that start at once must not choose the same.
		claim_port "$port" && break
	done
	setting "$1" "$port"
}

# A claim is a folder that names its lab; those of labs that are gone go.
claim_port() {
	local claims=$LAB_ROOT.ports claim holder
	# The root may be another user's, to be shared by reading only.
	[ -w "$(dirname "$LAB_ROOT")" ] || claims=$DIR/ports
	claim=$claims/$1
	mkdir -p "$claims"
	if ! mkdir "$claim" 2> /dev/null; then
		holder=$(cat "$claim/lab" 2> /dev/null || true)
		[ -n "$holder" ] && [ ! -e "$holder/env" ] || return 1
	fi
	echo "$DIR" > "$claim/lab"
}

# launch SERVER COMMAND…: in its own session and control group.
launch() {
	local server=$1 log=$DIR/log/$1.log pid_file=$DIR/run/$1
	shift
	# The shell becomes the server, so that the session's id is its pid.
	# shellcheck disable=SC2016
	setsid bash -c '
		read -r stat < /proc/$$/stat
		echo "$$ $(cut -d" " -f22 <<< "$stat")" > "$1.new"
		mv "$1.new" "$1"
		for group in $2; do
			echo $$ 2> /dev/null > "$group/cgroup.procs"
		done
		shift 2
		exec "$@"' launch "$pid_file" "$(limits_groups "$server")" "$@" \
		>> "$log" 2>&1 < /dev/null &
	disown
	wait_until "$server to start" test -s "$pid_file"
}

# wait_until WHAT COMMAND…: at most 20 s.
wait_until() {
	local what=$1 try
	shift
	for ((try = 0; try < 400; try++)); do
		"$@" > /dev/null 2>&1 && return
		sleep 0.05
	done
	die "waited 20 s in vain for $what; see $DIR/log"
}

listens() {
	(exec 3<> "/dev/tcp/127.0.0.1/$1") 2> /dev/null
}

session_alive() {
	ps -o stat= -s "$1" | grep -qv '^Z'
}

# A recycled process id is not ours: its leader started at another time.
session_ours() {
	local leader=$1 started=$2 stat
	[ -e "/proc/$leader/stat" ] || return 0
	stat=$(cat "/proc/$leader/stat" 2> /dev/null) || return 0
	[ "$(cut -d' ' -f22 <<< "$stat")" = "$started" ]
}

session_signal() {
	local pids
	pids=$(ps -o pid= -s "$2") || return 0
	# shellcheck disable=SC2086
	[ -z "$pids" ] || kill "-$1" $pids 2> /dev/null || true
}

# stop_server SERVER TERM|KILL: returns when every process of it is gone.
stop_server() {
	local session started try
	[ -s "$DIR/run/$1" ] || return 0
	read -r session started < "$DIR/run/$1"
	if session_ours "$session" "$started"; then
		session_signal "$2" "$session"
		for ((try = 0; try < 100; try++)); do
			session_alive "$session" || break
			# Some server children only leave when they are idle.
			[ "$try" -lt 60 ] || session_signal KILL "$session"
			sleep 0.05
		done
	fi
	rm -f "$DIR/run/$1"
}

stop_everything() {
	local file
	for file in "$DIR"/run/*; do
		[ ! -e "$file" ] || [ "${file##*/}" = owner ] ||
			stop_server "${file##*/}" TERM
	done
	limits_remove
	rm -rf "$(cyrus_run)"
	stop_server owner KILL
}

# Without this a killed test would leave its servers behind.
watch_owner() {
	launch owner bash -c '
		tail --pid="$1" -f /dev/null
		exec "$2" down --dir "$3"' watch "$1" "$HERE/lab" "$DIR"
}
