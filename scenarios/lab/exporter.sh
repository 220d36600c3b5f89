# exporter.sh - prometheus-node-exporter on loopback. Sourced by lab.

exporter_setup() {
	unpack prometheus-node-exporter
	free_port LAB_EXPORTER_PORT
	setting LAB_EXPORTER_URL "http://127.0.0.1:$LAB_EXPORTER_PORT/metrics"
}

exporter_start() {
	launch exporter \
		"$LAB_ROOT/usr/bin/prometheus-node-exporter" \
		--web.listen-address="127.0.0.1:$LAB_EXPORTER_PORT" \
		--web.max-requests=5
	wait_until "the node exporter" listens "$LAB_EXPORTER_PORT"
}
