# cyrus.sh - a private Cyrus IMAP: IMAP, CalDAV and CardDAV in one server.
#
# Sourced by lab. Everything lives in DIR/cyrus; cyrmaster stays in the
# foreground of its session. Passwords are in a sasldb, mechanisms PLAIN and
# LOGIN.

cyrus_setup() {
	local user
	unpack cyrus-common cyrus-imapd cyrus-caldav sasl2-bin libsasl2-modules \
		libsasl2-modules-db
	free_port LAB_IMAP_PORT
	free_port LAB_IMAPS_PORT
	free_port LAB_DAV_PORT
	free_port LAB_DAVS_PORT
	setting LAB_DAV_URL "http://127.0.0.1:$LAB_DAV_PORT/"
	setting LAB_DAVS_URL "https://127.0.0.1:$LAB_DAVS_PORT/"
	mkdir -p "$DIR"/cyrus/{conf/db,conf/socket,spool,sieve}
	cyrus_write_imapd_conf
	cyrus_write_cyrus_conf
	for user in $(expand_users "$LAB_USERS"); do
		cyrus_add_user "$user"
	done
}

# What Cyrus keeps of its processes and their locks: in memory, as an
# installation has it under /run. On the disk every command of every user would
# wait for whoever reads from it.
cyrus_run() {
	if [ -w /dev/shm ]; then
		echo "/dev/shm/$(lab_name)"
	else
		echo "$DIR/cyrus/run"
	fi
}

cyrus_add_user() {
	in_root "$LAB_ROOT/usr/sbin/saslpasswd2" -c -p -f "$DIR/cyrus/sasldb" \
		-u lab "$1" < "$DIR/pw/$1" >> "$DIR/log/cyrus.log" 2>&1 ||
		die "cannot set the password of $1; see $DIR/log/cyrus.log"
}

cyrus_write_imapd_conf() {
	local run
	run=$(cyrus_run)
	cat > "$DIR/cyrus/imapd.conf" << END
configdirectory: $DIR/cyrus/conf
partition-default: $DIR/cyrus/spool
defaultpartition: default
sievedir: $DIR/cyrus/sieve
cyrus_user: $(lab_user)
servername: lab
admins: admin
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: $DIR/cyrus/sasldb
sasl_mech_list: PLAIN LOGIN
sasl_plugin_path: $(cyrus_plugins)
defaultdomain: lab
loginrealms: lab
virtdomains: off
allowplaintext: yes
unixhierarchysep: yes
altnamespace: yes
munge8bit: no
autocreate_users: anyone
autocreate_quota: 0
httpmodules: caldav carddav
httpallowcompress: no
caldav_create_default: yes
caldav_create_sched: no
notesmailbox: Notes
tls_server_cert: $DIR/tls/server.pem
tls_server_key: $DIR/tls/server.key
tls_versions: tls1_2 tls1_3
tls_session_timeout: 0
skiplist_unsafe: yes
maxword: 1048576
maxquoted: 1048576
maxlogins_per_host: 0
popminpoll: 0
syslog_prefix: sluice-lab
idlesocket: $DIR/cyrus/conf/socket/idle
proc_path: $run/proc
mboxname_lockpath: $run/lock
END
}

# Debian's SASL plugins are installed with libsasl2 or come unpacked.
cyrus_plugins() {
	local folder
	for folder in "$LAB_ROOT/usr/lib/$MULTIARCH/sasl2" \
		"/usr/lib/$MULTIARCH/sasl2"; do
		[ ! -e "$folder/libsasldb.so" ] || break
	done
	echo "$folder"
}

cyrus_write_cyrus_conf() {
	local bin=$LAB_ROOT/usr/lib/cyrus/bin conf="-C $DIR/cyrus/imapd.conf"
	cat > "$DIR/cyrus/cyrus.conf" << END
START {
  recover cmd="$bin/ctl_cyrusdb $conf -r"
}
SERVICES {
  imap cmd="$bin/imapd $conf" listen="127.0.0.1:$LAB_IMAP_PORT" prefork=4 maxchild=600
  imaps cmd="$bin/imapd $conf -s" listen="127.0.0.1:$LAB_IMAPS_PORT" prefork=4 maxchild=600
$([ -z "$LAB_DAV" ] || cat << DAV
  http cmd="$bin/httpd $conf" listen="127.0.0.1:$LAB_DAV_PORT" prefork=4 maxchild=600
  https cmd="$bin/httpd $conf -s" listen="127.0.0.1:$LAB_DAVS_PORT" prefork=4 maxchild=600
DAV
)
}
EVENTS {
}
END
}

cyrus_start() {
	mkdir -p "$(cyrus_run)"/{proc,lock}
	launch cyrus "${DROP_ROOT[@]}" env LD_LIBRARY_PATH="$(root_libraries)" \
		"$LAB_ROOT/usr/lib/cyrus/bin/master" -C "$DIR/cyrus/imapd.conf" \
		-M "$DIR/cyrus/cyrus.conf" -p "$DIR/cyrus/master.pid"
	wait_until "Cyrus IMAP" listens "$LAB_IMAP_PORT"
	[ -z "$LAB_DAV" ] || wait_until "Cyrus DAV" listens "$LAB_DAV_PORT"
	[ -e "$DIR/cyrus/created" ] || cyrus_create_mailboxes
}

# Cyrus makes a mailbox when its user first logs in by IMAP; DAV answers 500
# until then.
cyrus_create_mailboxes() {
	local user
	for user in $(expand_users "$LAB_USERS"); do
		printf 'user = "%s:%s"\n' "$user" "$(cat "$DIR/pw/$user")" |
			curl -s -K - -o /dev/null -X NOOP \
				"imap://127.0.0.1:$LAB_IMAP_PORT" ||
			die "$user cannot log in; see $DIR/log/cyrus.log"
	done
	touch "$DIR/cyrus/created"
}
