# dovecot.sh - a private Dovecot, the second IMAP server of the tests.
#
# Sourced by lab. Everything lives in DIR/dovecot; mail is Maildir. Runs
# without root, like Cyrus, and for the same users and passwords. Paths of
# /usr are compiled into Dovecot, so that it sees a /usr with its packages in
# it: an overlay in a mount name space of its own.

dovecot_setup() {
	unpack dovecot-core dovecot-imapd
	free_port LAB_DOVECOT_PORT
	free_port LAB_DOVECOTS_PORT
	mkdir -p "$DIR"/dovecot/{run,mail}
	dovecot_write_users
	dovecot_write_conf
}

dovecot_write_users() {
	local user
	for user in $(expand_users "$LAB_USERS"); do
		echo "$user:{PLAIN}$(cat "$DIR/pw/$user")"
	done > "$DIR/dovecot/users"
	chmod 600 "$DIR/dovecot/users"
}

dovecot_write_conf() {
	local user group
	user=$(lab_user)
	group=$(id -gn "$user")
	cat > "$DIR/dovecot/dovecot.conf" << END
base_dir = $DIR/dovecot/run
state_dir = $DIR/dovecot/run
log_path = $DIR/log/dovecot.log
protocols = imap
listen = 127.0.0.1
default_internal_user = $user
default_internal_group = $group
default_login_user = $user
first_valid_uid = 0
disable_plaintext_auth = no
mail_location = maildir:$DIR/dovecot/mail/%u:INBOX=$DIR/dovecot/mail/%u/INBOX:LAYOUT=fs
mail_uid = $user
mail_gid = $group
mail_max_userip_connections = 100
ssl = yes
ssl_cert = <$DIR/tls/server.pem
ssl_key = <$DIR/tls/server.key
auth_mechanisms = plain login
passdb {
  driver = passwd-file
  args = $DIR/dovecot/users
}
userdb {
  driver = static
  args = uid=$user gid=$group home=$DIR/dovecot/mail/%u
}
namespace inbox {
  inbox = yes
  separator = /
}
service imap-login {
  chroot =
  inet_listener imap {
    port = $LAB_DOVECOT_PORT
  }
  inet_listener imaps {
    port = $LAB_DOVECOTS_PORT
    ssl = yes
  }
  client_limit = 1000
}
service imap {
  process_limit = 600
}
service anvil {
  chroot =
}
END
}

dovecot_start() {
	local name_space=(unshare --mount)
	[ "$(id -u)" = 0 ] ||
		name_space=(unshare --map-current-user --keep-caps --mount)
	"${name_space[@]}" sh -c "$OVERLAY"' && :' sh "$LAB_ROOT" ||
		die "skipped: Dovecot (this machine lets us mount no overlay)"
	launch dovecot "${name_space[@]}" sh -c "$OVERLAY"' &&
		shift && exec "$@"' sh "$LAB_ROOT" "${DROP_ROOT[@]}" \
		dovecot -F -c "$DIR/dovecot/dovecot.conf"
	wait_until "Dovecot" listens "$LAB_DOVECOT_PORT"
}
OVERLAY='mount -t overlay overlay -o "lowerdir=$1/usr:/usr" /usr'
