# tls.sh - the lab's own certificate authority, by certtool.
#
# Sourced by lab. Three certificates: one that is right, one for another
# name, one signed by nobody we trust; the last two are for tests.

certificate() {
	local name=$1 template=$DIR/tls/$1.cfg
	shift
	printf '%s\n' "$@" 'expiration_days = 30' > "$template"
	certtool --generate-privkey --key-type ecdsa --outfile "$DIR/tls/$name.key"
}

tls_setup() {
	setting LAB_CA_FILE "$DIR/tls/ca.pem"
	[ ! -e "$DIR/tls/ready" ] || return 0
	mkdir -p "$DIR/tls"
	chmod 700 "$DIR/tls"
	{
		certificate ca 'cn = "Sluice lab"' ca cert_signing_key
		certtool --generate-self-signed --load-privkey "$DIR/tls/ca.key" \
			--template "$DIR/tls/ca.cfg" --outfile "$DIR/tls/ca.pem"
		signed server 'cn = "localhost"' 'dns_name = "localhost"' \
			'ip_address = "127.0.0.1"'
		signed other 'cn = "mail.example.org"' \
			'dns_name = "mail.example.org"'
	} >> "$DIR/log/tls.log" 2>&1 ||
		die "certtool failed; see $DIR/log/tls.log"
	touch "$DIR/tls/ready"
}

signed() {
	certificate "$@" tls_www_server signing_key
	certtool --generate-certificate --load-privkey "$DIR/tls/$1.key" \
		--load-ca-certificate "$DIR/tls/ca.pem" \
		--load-ca-privkey "$DIR/tls/ca.key" \
		--template "$DIR/tls/$1.cfg" --outfile "$DIR/tls/$1.pem"
}
