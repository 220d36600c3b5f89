/*
 * imap_session.h - from a connected stream to a logged-in session.
 *
 * libetpan speaks here: greeting, CAPABILITY, STARTTLS, LOGIN or SASL, ID;
 * then come ENABLE and COMPRESS. Afterwards it is gone and the stream stands
 * at the first byte after the last answer; what is read in bulk is read by
 * imap_reader.h. One thread.
 */
#ifndef SLUICE_IMAP_SESSION_H
#define SLUICE_IMAP_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "source.h"

struct err;
struct quirks;
struct stream;

/* What the server offers of what we use. */
enum imap_cap {
	CAP_LIST_STATUS = 1,
	CAP_LIST_EXTENDED = 2,
	CAP_SPECIAL_USE = 4,
	CAP_STATUS_SIZE = 8,
	CAP_CONDSTORE = 16,
	CAP_QRESYNC = 32, /* enabled, not only offered */
	CAP_NAMESPACE = 64,
	CAP_COMPRESS = 128, /* offered, and not by one that gets it wrong */
};

struct imap_session {
	unsigned caps;
	char *server;		     /* "Cyrus IMAPD 3.6.1" */
	const struct quirks *quirks; /* never NULL */
	unsigned round_trips;	     /* that this took */
	int64_t round_trip_us;	     /* the shortest of them */
};

struct imap_login {
	const char *user, *password;
	enum security security;
	int64_t command_us; /* 0: 60 s */
	bool bare;	    /* nothing beyond the login: no ID, ENABLE */
};

/* Fills SESSION, to be released with imap_session_free() after a failure
 * too. A refused login is ERR_AUTH. */
int imap_session_start(struct imap_session *session, struct stream *stream,
	const struct imap_login *login, struct err *err);
void imap_session_free(struct imap_session *session);

#endif
