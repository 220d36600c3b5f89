/*
 * secret.c - see secret.h. Called at init and at the start of the server, and
 * for every token and secret that is checked.
 */
#include "secret.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "alloc.h"
#include "err.h"

#define FILE_BYTES_MAX	  (256u << 10)
#define AUTHORITY_SECONDS (10L * 365 * 86400)
#define SERVER_SECONDS	  (5L * 365 * 86400)
#define CLOCK_SLACK_S	  86400 /* agents' clocks may be behind */
#define SERIAL_BYTES	  16

static int tls_error(struct err *err, const char *what, int code)
{
	return err_set(err, ERR_TLS, "%s: %s", what, gnutls_strerror(code));
}

int secret_make(char text[SECRET_TEXT_BYTES], struct err *err)
{
	unsigned char bytes[(SECRET_TEXT_BYTES - 1) / 2];
	int code = gnutls_rnd(GNUTLS_RND_KEY, bytes, sizeof(bytes));

	if (code < 0)
		return tls_error(err, "random numbers", code);
	for (size_t i = 0; i < sizeof(bytes); i++)
		(void)snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	explicit_bzero(bytes, sizeof(bytes));
	return 0;
}

void secret_hash(const char *text, unsigned char hash[SECRET_HASH_BYTES])
{
	/* SHA-256 of a text in memory has no way to fail but a broken
	 * library, and then nobody must be let in. */
	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, text, strlen(text), hash) < 0)
		abort();
}

/* ---- files */

int secret_read_file(const char *path, char **text, struct err *err)
{
	FILE *file = fopen(path, "re");
	char *content;
	size_t length;

	if (!file)
		return err_set_errno(err, "%s", path);
	content = xcalloc(1, FILE_BYTES_MAX + 1);
	length = fread(content, 1, FILE_BYTES_MAX, file);
	if (ferror(file) || length == FILE_BYTES_MAX) {
		(void)fclose(file);
		free(content);
		return err_set(
			err, ERR_IO, "%s: unreadable or too large", path);
	}
	(void)fclose(file);
	*text = content;
	return 0;
}

static int write_file(const char *dir, const char *name, mode_t mode,
	const gnutls_datum_t *data, struct err *err)
{
	char *path = xasprintf("%s/%s", dir, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	int result = 0;

	if (fd < 0 ||
		write(fd, data->data, data->size) != (ssize_t)data->size ||
		fsync(fd) < 0)
		result = err_set_errno(err, "%s", path);
	if (fd >= 0)
		close(fd);
	free(path);
	return result;
}

/* ---- certificates */

static int make_key(gnutls_x509_privkey_t key, struct err *err)
{
	int code = gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
		GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);

	return code < 0 ? tls_error(err, "private key", code) : 0;
}

/* Name, serial number, validity and key: what every certificate has. */
static int fill_common(gnutls_x509_crt_t cert, gnutls_x509_privkey_t key,
	const char *name, long seconds, struct err *err)
{
	unsigned char serial[SERIAL_BYTES];
	time_t now = time(NULL);
	int code = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial));

	serial[0] &= 0x7f; /* a positive number */
	if (code >= 0)
		code = gnutls_x509_crt_set_version(cert, 3);
	if (code >= 0)
		code = gnutls_x509_crt_set_serial(cert, serial, sizeof(serial));
	if (code >= 0)
		code = gnutls_x509_crt_set_activation_time(
			cert, now - CLOCK_SLACK_S);
	if (code >= 0)
		code = gnutls_x509_crt_set_expiration_time(cert, now + seconds);
	if (code >= 0)
		code = gnutls_x509_crt_set_key(cert, key);
	if (code >= 0)
		code = gnutls_x509_crt_set_dn_by_oid(cert,
			GNUTLS_OID_X520_COMMON_NAME, 0, name,
			(unsigned)strlen(name));
	return code < 0 ? tls_error(err, "certificate", code) : 0;
}

static int sign_authority(
	gnutls_x509_crt_t cert, gnutls_x509_privkey_t key, struct err *err)
{
	int code;

	if (fill_common(cert, key, "Sluice controller authority",
		    AUTHORITY_SECONDS, err) < 0)
		return -1;
	code = gnutls_x509_crt_set_basic_constraints(cert, 1, 0);
	if (code >= 0)
		code = gnutls_x509_crt_set_key_usage(
			cert, GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN);
	if (code >= 0)
		code = gnutls_x509_crt_sign2(
			cert, cert, key, GNUTLS_DIG_SHA256, 0);
	return code < 0 ? tls_error(err, "authority", code) : 0;
}

int secret_make_authority(const char *dir, struct err *err)
{
	char *path = xasprintf("%s/ca.pem", dir);
	bool there = access(path, F_OK) == 0;
	gnutls_x509_privkey_t key = NULL;
	gnutls_x509_crt_t cert = NULL;
	gnutls_datum_t pem = {NULL, 0}, key_pem = {NULL, 0};
	int result = -1;

	free(path);
	if (there)
		return 0;
	if (gnutls_x509_privkey_init(&key) < 0 ||
		gnutls_x509_crt_init(&cert) < 0)
		err_set(err, ERR_TLS, "certificate: GnuTLS does not start");
	else if (make_key(key, err) == 0 &&
		sign_authority(cert, key, err) == 0 &&
		gnutls_x509_privkey_export2(
			key, GNUTLS_X509_FMT_PEM, &key_pem) >= 0 &&
		gnutls_x509_crt_export2(cert, GNUTLS_X509_FMT_PEM, &pem) >= 0 &&
		write_file(dir, "ca.key", 0600, &key_pem, err) == 0)
		result = write_file(dir, "ca.pem", 0644, &pem, err);
	gnutls_free(pem.data);
	gnutls_free(key_pem.data);
	gnutls_x509_crt_deinit(cert);
	gnutls_x509_privkey_deinit(key);
	return result;
}

static int read_authority(const char *dir, gnutls_x509_crt_t cert,
	gnutls_x509_privkey_t key, struct err *err)
{
	char *cert_path = xasprintf("%s/ca.pem", dir);
	char *key_path = xasprintf("%s/ca.key", dir);
	char *cert_text = NULL, *key_text = NULL;
	gnutls_datum_t data;
	int result = -1, code = 0;

	if (secret_read_file(cert_path, &cert_text, err) == 0 &&
		secret_read_file(key_path, &key_text, err) == 0 && cert_text &&
		key_text) {
		data = (gnutls_datum_t){(unsigned char *)cert_text,
			(unsigned)strlen(cert_text)};
		code = gnutls_x509_crt_import(cert, &data, GNUTLS_X509_FMT_PEM);
		data = (gnutls_datum_t){
			(unsigned char *)key_text, (unsigned)strlen(key_text)};
		if (code >= 0)
			code = gnutls_x509_privkey_import(
				key, &data, GNUTLS_X509_FMT_PEM);
		result = code < 0 ? tls_error(err, cert_path, code) : 0;
	}
	if (key_text)
		explicit_bzero(key_text, strlen(key_text));
	free(cert_text);
	free(key_text);
	free(cert_path);
	free(key_path);
	return result;
}

/* A name or an address, whichever TEXT is; refused texts are left out. */
static void add_name(gnutls_x509_crt_t cert, const char *text)
{
	unsigned char address[16];

	if (inet_pton(AF_INET, text, address) == 1)
		(void)gnutls_x509_crt_set_subject_alt_name(cert,
			GNUTLS_SAN_IPADDRESS, address, 4, GNUTLS_FSAN_APPEND);
	else if (inet_pton(AF_INET6, text, address) == 1)
		(void)gnutls_x509_crt_set_subject_alt_name(cert,
			GNUTLS_SAN_IPADDRESS, address, 16, GNUTLS_FSAN_APPEND);
	else
		(void)gnutls_x509_crt_set_subject_alt_name(cert,
			GNUTLS_SAN_DNSNAME, text, (unsigned)strlen(text),
			GNUTLS_FSAN_APPEND);
}

static int sign_server(gnutls_x509_crt_t cert, gnutls_x509_privkey_t key,
	gnutls_x509_crt_t ca, gnutls_x509_privkey_t ca_key, const char *host,
	struct err *err)
{
	char machine[256] = "";
	int code;

	if (make_key(key, err) < 0 ||
		fill_common(cert, key, "sluice", SERVER_SECONDS, err) < 0)
		return -1;
	add_name(cert, "localhost");
	add_name(cert, "127.0.0.1");
	add_name(cert, "::1");
	if (gethostname(machine, sizeof(machine) - 1) == 0 && machine[0])
		add_name(cert, machine);
	if (host)
		add_name(cert, host);
	code = gnutls_x509_crt_set_basic_constraints(cert, 0, -1);
	if (code >= 0)
		code = gnutls_x509_crt_set_key_usage(
			cert, GNUTLS_KEY_DIGITAL_SIGNATURE);
	if (code >= 0)
		code = gnutls_x509_crt_set_key_purpose_oid(
			cert, GNUTLS_KP_TLS_WWW_SERVER, 0);
	if (code >= 0)
		code = gnutls_x509_crt_sign2(
			cert, ca, ca_key, GNUTLS_DIG_SHA256, 0);
	return code < 0 ? tls_error(err, "server certificate", code) : 0;
}

int secret_make_certificate(const char *dir, const char *host, char **cert_pem,
	char **key_pem, struct err *err)
{
	gnutls_x509_privkey_t ca_key = NULL, key = NULL;
	gnutls_x509_crt_t ca = NULL, cert = NULL;
	gnutls_datum_t pem = {NULL, 0}, key_out = {NULL, 0};
	int result = -1;

	if (gnutls_x509_privkey_init(&ca_key) < 0 ||
		gnutls_x509_privkey_init(&key) < 0 ||
		gnutls_x509_crt_init(&ca) < 0 ||
		gnutls_x509_crt_init(&cert) < 0)
		err_set(err, ERR_TLS, "certificate: GnuTLS does not start");
	else if (read_authority(dir, ca, ca_key, err) == 0 &&
		sign_server(cert, key, ca, ca_key, host, err) == 0 &&
		gnutls_x509_crt_export2(cert, GNUTLS_X509_FMT_PEM, &pem) >= 0 &&
		gnutls_x509_privkey_export2(
			key, GNUTLS_X509_FMT_PEM, &key_out) >= 0) {
		*cert_pem = xstrndup((char *)pem.data, pem.size);
		*key_pem = xstrndup((char *)key_out.data, key_out.size);
		result = 0;
	}
	gnutls_free(pem.data);
	gnutls_free(key_out.data);
	gnutls_x509_crt_deinit(cert);
	gnutls_x509_crt_deinit(ca);
	gnutls_x509_privkey_deinit(key);
	gnutls_x509_privkey_deinit(ca_key);
	return result;
}
