/*
 * tls.c - see tls.h. Runs on the thread of the stream; the cache of loaded
 * authorities is the only thing shared and has a lock.
 */
#include "tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "err.h"

#define PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

/* GnuTLS asks for five bytes, then for the record: this much is read ahead
 * so that a record costs no two system calls. */
#define READ_AHEAD (128 * 1024)

struct authorities {
	struct authorities *next;
	char *ca_file; /* NULL: the system's */
	unsigned users;
	gnutls_certificate_credentials_t credentials;
};

struct tls {
	gnutls_session_t session;
	struct authorities *authorities;
	struct tls_io io;
	char *host;
	size_t ahead_start, ahead_end;
	char ahead[READ_AHEAD];
};

static pthread_mutex_t cache_lock = PTHREAD_MUTEX_INITIALIZER;
static struct authorities *cache;

static int same_file(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static int load(struct authorities *authorities, struct err *err)
{
	const char *file = authorities->ca_file;
	int count;

	if (gnutls_certificate_allocate_credentials(&authorities->credentials))
		return err_set(err, ERR_TLS, "GnuTLS: no credentials");
	if (file)
		count = gnutls_certificate_set_x509_trust_file(
			authorities->credentials, file, GNUTLS_X509_FMT_PEM);
	else
		count = gnutls_certificate_set_x509_system_trust(
			authorities->credentials);
	if (count > 0)
		return 0;
	gnutls_certificate_free_credentials(authorities->credentials);
	if (!file)
		return err_set(err, ERR_TLS,
			"the system has no certificate authorities; "
			"install ca-certificates or name a ca_file");
	return err_set(err, ERR_TLS,
		"%s: no certificate authority in it (%s); "
		"ca_file must be a readable PEM file",
		file, count < 0 ? gnutls_strerror(count) : "empty");
}

static struct authorities *authorities_get(const char *file, struct err *err)
{
	struct authorities *found;

	pthread_mutex_lock(&cache_lock);
	for (found = cache; found; found = found->next)
		if (same_file(found->ca_file, file))
			break;
	if (!found) {
		found = xcalloc(1, sizeof(*found));
		found->ca_file = xstrdup(file);
		if (load(found, err) < 0) {
			free(found->ca_file);
			free(found);
			pthread_mutex_unlock(&cache_lock);
			return NULL;
		}
		found->next = cache;
		cache = found;
	}
	found->users++;
	pthread_mutex_unlock(&cache_lock);
	return found;
}

static void authorities_put(struct authorities *authorities)
{
	struct authorities **link;

	pthread_mutex_lock(&cache_lock);
	if (--authorities->users == 0) {
		for (link = &cache; *link != authorities;)
			link = &(*link)->next;
		*link = authorities->next;
		gnutls_certificate_free_credentials(authorities->credentials);
		free(authorities->ca_file);
		free(authorities);
	}
	pthread_mutex_unlock(&cache_lock);
}

static ssize_t pull(gnutls_transport_ptr_t pointer, void *data, size_t bytes)
{
	struct tls *tls = pointer;
	size_t have = tls->ahead_end - tls->ahead_start;
	ssize_t got;

	if (!have) {
		got = tls->io.recv(tls->io.context, tls->ahead, READ_AHEAD);
		if (got <= 0) {
			gnutls_transport_set_errno(tls->session, errno);
			return got;
		}
		tls->ahead_start = 0;
		tls->ahead_end = have = (size_t)got;
	}
	if (bytes > have)
		bytes = have;
	memcpy(data, tls->ahead + tls->ahead_start, bytes);
	tls->ahead_start += bytes;
	return (ssize_t)bytes;
}

static ssize_t push(
	gnutls_transport_ptr_t pointer, const void *data, size_t bytes)
{
	struct tls *tls = pointer;
	ssize_t sent = tls->io.send(tls->io.context, data, bytes);

	if (sent < 0)
		gnutls_transport_set_errno(tls->session, errno);
	return sent;
}

static int is_address(const char *host)
{
	unsigned char address[16];

	return inet_pton(AF_INET, host, address) == 1 ||
		inet_pton(AF_INET6, host, address) == 1;
}

int tls_new(struct tls **out, const char *host, const char *ca_file,
	const struct tls_io *io, struct err *err)
{
	struct authorities *authorities = authorities_get(ca_file, err);
	struct tls *tls;

	if (!authorities)
		return -1;
	tls = xcalloc(1, sizeof(*tls));
	tls->authorities = authorities;
	tls->io = *io;
	tls->host = xstrdup(host);
	if (gnutls_init(&tls->session,
		    GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) ||
		gnutls_priority_set_direct(tls->session, PRIORITIES, NULL) ||
		gnutls_credentials_set(tls->session, GNUTLS_CRD_CERTIFICATE,
			authorities->credentials)) {
		tls_free(tls);
		return err_set(err, ERR_TLS, "GnuTLS: cannot set up a session");
	}
	if (!is_address(host))
		gnutls_server_name_set(
			tls->session, GNUTLS_NAME_DNS, host, strlen(host));
	gnutls_session_set_verify_cert(tls->session, tls->host, 0);
	gnutls_transport_set_ptr(tls->session, tls);
	gnutls_transport_set_pull_function(tls->session, pull);
	gnutls_transport_set_push_function(tls->session, push);
	gnutls_handshake_set_timeout(tls->session, 0);
	*out = tls;
	return 0;
}

/* The first name the peer's certificate is good for, "?" when it has none. */
static void certificate_name(const struct tls *tls, char *name, size_t bytes)
{
	const gnutls_datum_t *chain;
	gnutls_x509_crt_t crt;
	unsigned count = 0;
	size_t length = bytes;

	memcpy(name, "?", 2);
	chain = gnutls_certificate_get_peers(tls->session, &count);
	if (!chain || !count || gnutls_x509_crt_init(&crt))
		return;
	if (gnutls_x509_crt_import(crt, &chain[0], GNUTLS_X509_FMT_DER) == 0) {
		if (gnutls_x509_crt_get_subject_alt_name(crt, 0, name, &length,
			    NULL) != GNUTLS_SAN_DNSNAME) {
			length = bytes;
			if (gnutls_x509_crt_get_dn(crt, name, &length))
				memcpy(name, "?", 2);
		}
	}
	gnutls_x509_crt_deinit(crt);
	name[bytes - 1] = '\0';
}

static int verification_error(const struct tls *tls, struct err *err)
{
	unsigned status = gnutls_session_get_verify_cert_status(tls->session);
	const char *file = tls->authorities->ca_file;
	gnutls_datum_t text = {NULL, 0};
	char name[128];

	if (status & GNUTLS_CERT_EXPIRED)
		return err_set(err, ERR_TLS,
			"the server's certificate has expired; renew it");
	if (status & GNUTLS_CERT_NOT_ACTIVATED)
		return err_set(err, ERR_TLS,
			"the server's certificate is not valid yet; "
			"check the clocks of both machines");
	if (status & GNUTLS_CERT_UNEXPECTED_OWNER) {
		certificate_name(tls, name, sizeof(name));
		return err_set(err, ERR_TLS,
			"the server's certificate is for %s, not for %s; "
			"use the name it was made for",
			name, tls->host);
	}
	if (status & (GNUTLS_CERT_SIGNER_NOT_FOUND | GNUTLS_CERT_SIGNER_NOT_CA))
		return err_set(err, ERR_TLS,
			"the server's certificate has an unknown issuer; "
			"it is not signed by an authority of %s: set ca_file",
			file ? file : "this system");
	gnutls_certificate_verification_status_print(
		status, GNUTLS_CRT_X509, &text, 0);
	err_set(err, ERR_TLS, "the server's certificate is not trusted: %s",
		text.data ? (const char *)text.data : "unknown reason");
	gnutls_free(text.data);
	return -1;
}

int tls_handshake(struct tls *tls, struct err *err)
{
	int result;

	do
		result = gnutls_handshake(tls->session);
	while (result < 0 && result != GNUTLS_E_AGAIN &&
		!gnutls_error_is_fatal(result));
	if (result == GNUTLS_E_AGAIN)
		return TLS_AGAIN;
	if (result == GNUTLS_E_SUCCESS)
		return 0;
	if (result == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR)
		return verification_error(tls, err);
	if (result == GNUTLS_E_PREMATURE_TERMINATION ||
		result == GNUTLS_E_PULL_ERROR)
		return err_set(err, ERR_NETWORK,
			"closed the connection during the TLS handshake");
	if (result == GNUTLS_E_UNEXPECTED_PACKET_LENGTH ||
		result == GNUTLS_E_UNSUPPORTED_VERSION_PACKET)
		return err_set(err, ERR_TLS,
			"does not speak TLS here (%s); is this a port for "
			"starttls?",
			gnutls_strerror(result));
	return err_set(
		err, ERR_TLS, "TLS handshake: %s", gnutls_strerror(result));
}

int tls_wants_write(const struct tls *tls)
{
	return gnutls_record_get_direction(tls->session) == 1;
}

/* The answer to a failed record call, see tls_read(). */
static int64_t record_error(
	const struct tls *tls, ssize_t result, struct err *err)
{
	if (result == GNUTLS_E_AGAIN || result == GNUTLS_E_INTERRUPTED)
		return TLS_AGAIN;
	if (result == 0 || result == GNUTLS_E_PREMATURE_TERMINATION ||
		result == GNUTLS_E_PULL_ERROR || result == GNUTLS_E_PUSH_ERROR)
		return err_set(err, ERR_NETWORK, "closed the connection");
	if (result == GNUTLS_E_FATAL_ALERT_RECEIVED)
		return err_set(err, ERR_TLS, "TLS alert: %s",
			gnutls_alert_get_name(gnutls_alert_get(tls->session)));
	return err_set(
		err, ERR_NETWORK, "TLS: %s", gnutls_strerror((int)result));
}

int64_t tls_read(struct tls *tls, void *data, size_t bytes, struct err *err)
{
	ssize_t got;

	/* A record without data, as a session ticket, ends in E_AGAIN although
	 * the next one may be here already: poll() would not tell of it. */
	do
		got = gnutls_record_recv(tls->session, data, bytes);
	while (got < 0 &&
		(got == GNUTLS_E_AGAIN ? tls->ahead_start < tls->ahead_end
				       : !gnutls_error_is_fatal((int)got)));
	return got > 0 ? got : record_error(tls, got, err);
}

int64_t tls_write(
	struct tls *tls, const void *data, size_t bytes, struct err *err)
{
	ssize_t sent = gnutls_record_send(tls->session, data, bytes);

	return sent > 0 ? sent : record_error(tls, sent, err);
}

void tls_free(struct tls *tls)
{
	if (!tls)
		return;
	if (tls->session) {
		gnutls_bye(tls->session, GNUTLS_SHUT_WR);
		gnutls_deinit(tls->session);
	}
	authorities_put(tls->authorities);
	free(tls->host);
	free(tls);
}
