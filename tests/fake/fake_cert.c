/* fake_cert.c - certificates for the fakes; see fake_imap.h. */
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "alloc.h"
#include "fake_imap.h"

static char *save(const char *dir, const char *name, const gnutls_datum_t *pem)
{
	char *path = xasprintf("%s/%s", dir, name);
	FILE *file = fopen(path, "w");

	if (!file || fwrite(pem->data, pem->size, 1, file) != 1 || fclose(file))
		abort();
	return path;
}

void fake_certificate(const char *dir, const char *name, bool address,
	int64_t from_s, int64_t to_s, char **cert_file, char **key_file)
{
	const unsigned char loopback[4] = {127, 0, 0, 1};
	const unsigned char serial = 1;
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t crt;
	gnutls_datum_t pem = {NULL, 0};
	time_t now = time(NULL);

	gnutls_x509_privkey_init(&key);
	gnutls_x509_crt_init(&crt);
	gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
		GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
	gnutls_x509_crt_set_version(crt, 3);
	gnutls_x509_crt_set_serial(crt, &serial, 1);
	gnutls_x509_crt_set_key(crt, key);
	gnutls_x509_crt_set_activation_time(crt, now + from_s);
	gnutls_x509_crt_set_expiration_time(crt, now + to_s);
	gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, name,
		(unsigned)strlen(name));
	gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, name,
		(unsigned)strlen(name), GNUTLS_FSAN_SET);
	if (address)
		gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS,
			loopback, sizeof(loopback), GNUTLS_FSAN_APPEND);
	gnutls_x509_crt_set_basic_constraints(crt, 1, -1);
	if (gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0))
		abort();
	gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pem);
	*cert_file = save(dir, "cert.pem", &pem);
	gnutls_free(pem.data);
	gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &pem);
	*key_file = save(dir, "key.pem", &pem);
	gnutls_free(pem.data);
	gnutls_x509_privkey_deinit(key);
	gnutls_x509_crt_deinit(crt);
}
