# radicale.sh - a private Radicale, the second DAV server of the tests.
#
# Sourced by lab. Runs under Debian's own Python; its modules are unpacked
# where Debian does not have them installed.

radicale_setup() {
	local user
	unpack python3-radicale
	free_port LAB_RADICALE_PORT
	setting LAB_RADICALE_URL "http://127.0.0.1:$LAB_RADICALE_PORT/"
	mkdir -p "$DIR/radicale/data"
	for user in $(expand_users "$LAB_USERS"); do
		echo "$user:$(cat "$DIR/pw/$user")"
	done > "$DIR/radicale/users"
	chmod 600 "$DIR/radicale/users"
	cat > "$DIR/radicale/config" << END
[server]
hosts = 127.0.0.1:$LAB_RADICALE_PORT
max_connections = 100
[auth]
type = htpasswd
htpasswd_filename = $DIR/radicale/users
htpasswd_encryption = plain
[storage]
filesystem_folder = $DIR/radicale/data
[logging]
level = warning
END
}

radicale_start() {
	launch radicale env \
		PYTHONPATH="$LAB_ROOT/usr/lib/python3/dist-packages" \
		/usr/bin/python3 -m radicale --config "$DIR/radicale/config"
	wait_until "Radicale" listens "$LAB_RADICALE_PORT"
}
