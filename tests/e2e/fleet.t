#!/bin/bash
# fleet.t - a load test by 40 virtual clients in one process: some with stores
# and some without, killed in the middle, and on a host that is too small.
. tests/e2e/lib.sh

lab_up --users u001..u040
"$LAB" scenario scenarios/staging.yaml --dir "$WORK/lab" > "$WORK/staging.yaml"
fill "$WORK/staging.yaml" > "$WORK/fill.log" 2>&1 || bail "the fill failed"
check "init" "$BIN/sluice" init "$WORK/staging.yaml"
controller_start
(umask 077 && "$BIN/sluice" token > "$WORK/token")

template() { # the lab's profile with %u in it
	"$LAB" profile %u --dir "$WORK/lab" | sed 's/^store:.*/store: none/'
	controller_keys
}
template > "$WORK/template.yaml"

# The first twenty keep what they get; two have a line and a start of their
# own.
{
	echo client,store,link,start
	for i in {001..020}; do echo "u$i,stores/u$i,,"; done
	for i in {021..038}; do echo "u$i,,,"; done
	echo u039,,60kB/s,
	echo u040,none,,10s
} > "$WORK/clients.csv"
mkdir -p "$WORK/stores"

fleet_start() {
	background fleet "$BIN/sluice-agent" fleet \
		--template "$WORK/template.yaml" --clients "$WORK/clients.csv"
	fleet=$!
}
has() { # STATE COUNT
	[ "$(archive "select count(*) from client where state = '$1'")" -ge "$2" ]
}
# Of this fleet, not of another one on the machine.
scratch() {
	find "/proc/$fleet/fd" -printf '%l\n' |
		grep -o '^/dev/shm/sluice-scratch\.[^/]*' | sort -u
}

# ---- what it refuses to begin
fleet_refused() { # NAME REGEX OPTION…
	local name=$1 regex=$2
	shift 2
	"$BIN/sluice-agent" fleet "$@" > "$WORK/refused" 2>&1
	is "$name: status 2" $? 2
	like "$name: says why" "$(cat "$WORK/refused")" "$regex"
}
fleet_refused "no clients" "either --range" --template "$WORK/template.yaml"
fleet_refused "a bad range" "expected FIRST..LAST" \
	--template "$WORK/template.yaml" --range u5..u1
(
	ulimit -n 200
	"$BIN/sluice-agent" fleet --template "$WORK/template.yaml" \
		--clients "$WORK/clients.csv"
) > "$WORK/refused" 2>&1
is "too few open files: status 2" $? 2
like "too few open files: says how many and what to do" \
	"$(cat "$WORK/refused")" "40 clients need open files: .*ulimit -n"

# ---- every client is one to the controller, in its own time
fleet_start
check "39 clients enrol at once" wait_for 120 has checked 39
is "one comes later" \
	"$(archive "select state from client where name = 'u040'")" unknown
check "and then it comes" wait_for 120 has checked 40
is "each has an identity of its own" \
	"$(archive "select count(distinct agent) from client")" 40
# Nobody's own and beside those: the main one, and who resolves a name.
threads_at_most() { [ "$(ls "/proc/$fleet/task" | wc -l)" -le "$1" ]; }
check "an idle client takes one thread" wait_for 60 threads_at_most 44

# ---- killed in the middle
"$BIN/sluice" wave --size 10 --clients 40 > "$WORK/wave.log" 2>&1
is "a wave of all is running" $? 3
check "some are done" wait_for 180 has "done" 6
check "a running client takes two threads" wait_for 60 threads_at_most 64
old=$(scratch)
kill_now "$fleet"
fleet_start
check "it ends although the fleet was killed" wait_for 400 has "done" 40
[ "$tap_failed" = 0 ] || note "$("$BIN/sluice" status; tail -n 5 "$WORK"/*.log)"
is "every client is done and verified" \
	"$(archive 'select state, verified, count(*) from client group by 1, 2')" \
	"done|1|40"
gone_dirs() { # shellcheck disable=SC2086
	! ls -d $old; }
check "what the killed one had in memory is gone" gone_dirs
for user in u001 u002 u020; do
	profile "$user"
	sed -i "s|^store:.*|store: $WORK/stores/$user|" "$WORK/$user.yaml"
	same_store "$user's store is what was put" "$user"
done
is "the others count what they do not keep" \
	"$(archive "select count(*) from client
		where name >= 'u021' and app_bytes > 10000 and messages > 0")" 20
is "a line of its own holds" \
	"$(archive "select seconds > 0.7 * wire_bytes / 60000 from client
		where name = 'u039'")" 1

# ---- the host
is "how busy the fleet's host was is in the archive" \
	"$(archive 'select count(*) > 0 and min(resident_bytes) > 1e6 and
		min(cpu_own) >= 0 and max(cpu) <= 1 and min(shared) = 1
		from host')" 1
like "the gate judged it" "$("$BIN/sluice" show wave 1)" "load generator: "
old=$(scratch)
check "the others are in memory" test -d "$old"
kill "$fleet"
wait "$fleet"
is "it stops when told to" $? 0
check "and leaves nothing in memory" gone_dirs
stop "$controller"

# ---- a host that is too small: 4 % of a core
limit() { # NAME: a group in both hierarchies; one caps, the other counts
	mkdir "/sys/fs/cgroup/cpu/$1" "/sys/fs/cgroup/cpuacct/$1" &&
		echo 100000 > "/sys/fs/cgroup/cpu/$1/cpu.cfs_period_us" &&
		echo 4000 > "/sys/fs/cgroup/cpu/$1/cpu.cfs_quota_us"
}
group=sluice-fleet-$$
drop_group() {
	[ ${#started[@]} = 0 ] || stop "${started[@]}"
	rmdir "/sys/fs/cgroup/cpu/$group" "/sys/fs/cgroup/cpuacct/$group" \
		2> /dev/null
	cleanup
}
small="a host at its limit"
if limit "$group" 2> /dev/null; then
	trap drop_group EXIT
	export SLUICE_STATE=$WORK/small
	check "$small: init" "$BIN/sluice" init "$WORK/staging.yaml"
	controller_start
	(umask 077 && "$BIN/sluice" token > "$WORK/token")
	template > "$WORK/template.yaml"
	background fleet bash -c "
		echo \$\$ > /sys/fs/cgroup/cpu/$group/cgroup.procs
		echo \$\$ > /sys/fs/cgroup/cpuacct/$group/cgroup.procs
		exec '$BIN/sluice-agent' fleet --range u001..u040 \
			--template '$WORK/template.yaml'"
	check "$small: clients enrol" wait_for 180 has checked 40
	"$BIN/sluice" wave --size 20 --clients 40 > "$WORK/wave.log" 2>&1
	bound() { # its status is that of the rollout, which runs
		[[ $("$BIN/sluice" status) == *"load generator is the bottl"* ]]
	}
	check "$small: status says so meanwhile" wait_for 180 bound
	closed() { [ -n "$(archive "select verdict from wave where verdict > ''")" ]; }
	check "$small: the wave ends" wait_for 500 closed
	is "$small: the wave proves nothing" \
		"$(archive 'select verdict from wave')" INCONCLUSIVE
	like "$small: and says why" "$("$BIN/sluice" show wave 1)" \
		"INCONCLUSIVE +load generator: the bottleneck for [0-9]+% .*CPU"
	# 32: enum bucket_flag, BUCKET_GENERATOR
	check "$small: its buckets are marked" test \
		"$(archive 'select count(*) from bucket where flags & 32')" -gt 0
	like "$small: the recommendation says so" \
		"$("$BIN/sluice" recommend)" "load generator was the bottleneck"
	like "$small: and so does the report" \
		"$("$BIN/sluice" report --text)" "load generator was the bottl"
else
	skip "$small" "no CPU quota may be set here"
fi
finish
