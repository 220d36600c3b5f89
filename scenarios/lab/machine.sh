# machine.sh - Cyrus' control group told of as a machine of its own.
#
# Sourced by lab, for `up --machine`. The node exporter tells of the computer
# that server and clients share; what the group was given and used is what an
# exporter on a small server would tell: its processors' time out of the quota,
# and a disk that is busy for as long as its limit needs for what was read.
# Written as text that the exporter's textfile collector adds to its answer.

machine_setup() {
	mkdir -p "$DIR/machine"
}

machine_start() {
	# shellcheck disable=SC2016
	launch machine bash -c '. "$1" && shift && machine_write "$@"' machine \
		"$HERE/machine.sh" "$DIR/machine" "$(limits_group cpuacct cpu)" \
		"$(limits_group cpu cpu)" "$(limits_group blkio io)"
	wait_until "the figures of the machine" test -s "$DIR/machine/lab.prom"
}

# machine_write DIR CPUACCT CPU BLKIO: several times a second, for ever.
machine_write() {
	local out=$1 acct=$2 cpu=$3 disk=$4 now before given_us=0 busy_us=0
	local read_before=0 used_us read_bytes reads quota_us limit

	before=${EPOCHREALTIME/./}
	while sleep 0.2; do
		machine_read
		now=${EPOCHREALTIME/./}
		given_us=$((given_us + (now - before) * quota_us / 100000))
		[ "$limit" = 0 ] || busy_us=$((busy_us + \
			(read_bytes - read_before) * 1000000 / limit))
		before=$now read_before=$read_bytes
		machine_print > "$out/lab.new" && mv "$out/lab.new" "$out/lab.prom"
	done
}

# used_us, quota_us (of 100 ms), read_bytes, reads and limit (0: none).
machine_read() {
	local device what value word words
	used_us=0 quota_us=$((100000 * $(nproc))) read_bytes=0 reads=0 limit=0
	if [ -e "$acct/cpuacct.usage" ]; then
		read -r used_us < "$acct/cpuacct.usage"
		used_us=$((used_us / 1000))
		read -r value < "$cpu/cpu.cfs_quota_us"
		[ "$value" -le 0 ] || quota_us=$value
		while read -r device what value; do
			[ "$what" != Read ] || read_bytes=$((read_bytes + value))
		done < "$disk/blkio.throttle.io_service_bytes"
		while read -r device what value; do
			[ "$what" != Read ] || reads=$((reads + value))
		done < "$disk/blkio.throttle.io_serviced"
		read -r device limit < "$disk/blkio.throttle.read_bps_device" ||
			limit=0
		return 0
	fi
	while read -r what value; do
		[ "$what" != usage_usec ] || used_us=$value
	done < "$cpu/cpu.stat"
	read -r value what < "$cpu/cpu.max"
	[ "$value" = max ] || quota_us=$value
	while read -r device words; do
		for word in $words; do
			case $word in
			rbytes=*) read_bytes=$((read_bytes + ${word#*=})) ;;
			rios=*) reads=$((reads + ${word#*=})) ;;
			esac
		done
	done < "$disk/io.stat"
	read -r device words < "$disk/io.max"
	for word in $words; do
		case $word in rbps=[0-9]*) limit=${word#*=} ;; esac
	done
	return 0
}

# A burst may be ahead of its quota; counters never run backwards.
machine_print() {
	local idle_us=$((given_us > used_us ? given_us - used_us : 0))
	printf 'node_cpu_seconds_total{cpu="0",mode="%s"} %d.%06d\n' \
		user $((used_us / 1000000)) $((used_us % 1000000)) \
		idle $((idle_us / 1000000)) $((idle_us % 1000000))
	printf 'node_disk_%s{device="lab"} %d\n' \
		reads_completed_total "$reads" read_bytes_total "$read_bytes"
	printf 'node_disk_io_time_seconds_total{device="lab"} %d.%06d\n' \
		$((busy_us / 1000000)) $((busy_us % 1000000))
}
