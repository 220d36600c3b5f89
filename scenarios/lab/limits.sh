# limits.sh - make the lab's server slow the way real servers are slow.
#
# Sourced by lab. The kernel's control groups limit what Cyrus reads from its
# disk (blkio throttle in version 1, io.max in version 2) and its CPU time.
# What this machine does not allow is said by name and skipped.

# limits_groups SERVER: the groups it is to be started in.
limits_groups() {
	[ "$1" = cyrus ] || return 0
	limits_group blkio io
	limits_group cpu cpu
	limits_group cpuacct cpu
}

# The folder of this lab's group for a v1 controller $1, or v2 controller $2,
# made when it may be; nothing when it may not.
limits_group() {
	local group name
	name=$(lab_name)
	if [ -d "/sys/fs/cgroup/$1/" ] && [ -e "/sys/fs/cgroup/$1/tasks" ]; then
		group=/sys/fs/cgroup/$1/$name
	elif grep -qw "$2" /sys/fs/cgroup/cgroup.subtree_control 2> /dev/null; then
		group=/sys/fs/cgroup/$name
	else
		return 0
	fi
	mkdir -p "$group" 2> /dev/null && [ -w "$group/cgroup.procs" ] || return 0
	echo "$group"
}

limits_remove() {
	local group
	for group in $(limits_groups cyrus | sort -u); do
		rmdir "$group" 2> /dev/null || true
	done
}

# major:minor of the whole disk under the lab's folder.
limits_device() {
	local number name
	number=$(mountpoint -d "$(stat -c %m "$DIR")") || return 1
	name=$(readlink -f "/sys/dev/block/$number") || return 1
	[ ! -e "$name/partition" ] || number=$(cat "$name/../dev")
	[ -e "/sys/dev/block/$number" ] && echo "$number"
}

limits_set() {
	local word
	[ $# -gt 0 ] || die "throttle: say read=MB/s, cpu=PERCENT or off"
	for word; do
		case $word in
		off) limits_read max && limits_cpu max ;;
		read=*) limits_read $((${word#*=} * 1000000)) ;;
		cpu=*) limits_cpu "${word#*=}" ;;
		*) die "throttle: $word is none of read=MB/s, cpu=PERCENT, off" ;;
		esac
	done
}

limits_read() {
	local group device rate=$1
	group=$(limits_group blkio io)
	device=$(limits_device) || device=
	if [ -z "$group" ] || [ -z "$device" ]; then
		limits_skip "$rate" "disk throttle"
	elif [ -e "$group/io.max" ]; then
		echo "$device rbps=$rate" 2> /dev/null > "$group/io.max" ||
			limits_skip "$rate" "disk throttle"
	else
		echo "$device ${rate/max/0}" 2> /dev/null \
			> "$group/blkio.throttle.read_bps_device" ||
			limits_skip "$rate" "disk throttle"
	fi
}

limits_cpu() {
	local group quota=$1
	group=$(limits_group cpu cpu)
	[ "$quota" = max ] || quota=$((quota * 1000))
	if [ -e "$group/cpu.max" ]; then
		echo "$quota 100000" > "$group/cpu.max"
	elif [ -e "$group/cpu.cfs_quota_us" ]; then
		echo "${quota/max/-1}" > "$group/cpu.cfs_quota_us"
	else
		limits_skip "$quota" "CPU quota"
	fi
}

# Nothing is missing when the limit was to be lifted. Status 3: skipped.
limits_skip() {
	[ "$1" != max ] || return 0
	say "skipped: $2 (this machine lets us set none)"
	exit 3
}

# Forget the cached mail, so that it is read from the disk again: file by
# file, because programs and databases that are in use stay warm on a real
# server too, and so does the head of each message, which listings need. Read
# as if by chance (1), not for reading on, so that a listing does not set off
# the kernel's reading ahead; 4 says that it is not needed. Needs no privilege.
limits_cold() {
	sync
	find "$DIR/cyrus/spool" -type f -name '[0-9]*.' -print0 |
		perl -0ne '
			BEGIN { require "syscall.ph" }
			chomp;
			open my $file, "<", $_ or next;
			syscall SYS_fadvise64(), fileno $file, 0, 0, $_ for 4, 1;
			sysread $file, my $head, 16384;'
}
