# exporter.sh - prometheus-node-exporter on loopback. Sourced by lab.

exporter_setup() {
	unpack prometheus-node-exporter
	free_port LAB_EXPORTER_PORT
	setting LAB_EXPORTER_URL "http://127.0.0.1:$LAB_EXPORTER_PORT/metrics"
}

exporter_start() {
	local collectors=()
	[ -z "${LAB_MACHINE:-}" ] || collectors=(--no-collector.cpu
		--no-collector.diskstats
		--collector.netdev.device-exclude=none # Debian's: lo
		"--collector.textfile.directory=$DIR/machine")
	launch exporter \
		"$LAB_ROOT/usr/bin/prometheus-node-exporter" \
		--web.listen-address="127.0.0.1:$LAB_EXPORTER_PORT" \
		--web.max-requests=5 "${collectors[@]}"
	wait_until "the node exporter" listens "$LAB_EXPORTER_PORT"
}
