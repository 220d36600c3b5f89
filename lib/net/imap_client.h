/*
 * imap_client.h - IMAP commands and their raw answers (RFC 9051).
 *
 * For who needs a handful of commands and exact timing: the canary and the
 * filler. It knows tags, literals, continuation requests and several
 * commands in flight, and does not interpret answers. One thread.
 *
 *     imap_client_begin(c);
 *     imap_client_text(c, "APPEND ");
 *     imap_client_string(c, mailbox);
 *     imap_client_text(c, " ");
 *     imap_client_literal(c, message, bytes);
 *     imap_client_end(c, true, &tag, err);    ... more commands ...
 *     imap_client_wait(c, tag, &result, err);
 */
#ifndef SLUICE_IMAP_CLIENT_H
#define SLUICE_IMAP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stream.h"

struct err;
struct imap_client;
struct wire;

#define IMAP_IN_FLIGHT_MAX 64 /* commands sent and not yet waited for */

enum imap_status {
	IMAP_OK,
	IMAP_NO,
	IMAP_BAD,
};

struct imap_result {
	enum imap_status status;
	char text[512]; /* after the status word, code included; cut */
};

/* One untagged answer without "* " and the last CRLF, its literals inside
 * as sent ("1 FETCH (BODY[] {5}\r\nhello)"). Valid during the call. */
typedef void imap_untagged(void *context, const char *text, size_t length);

/* Connects, reads the greeting, upgrades with STARTTLS when asked to. */
int imap_client_open(struct imap_client **client,
	const struct stream_options *options, struct wire *wire,
	struct err *err);

/* Says LOGOUT when the session is still good. NULL is allowed. */
void imap_client_close(struct imap_client *client);

/* AUTHENTICATE PLAIN when offered, else LOGIN. ERR_AUTH when refused. */
int imap_client_login(struct imap_client *client, const char *user,
	const char *password, struct err *err);

/* Of the newest CAPABILITY answer; any case. */
bool imap_client_has(const struct imap_client *client, const char *capability);

/* Where untagged answers go; NULL drops them. An answer longer than
 * MAX_BYTES (0: 16 MiB) ends the session with ERR_LIMIT. */
void imap_client_on_untagged(struct imap_client *client, imap_untagged *call,
	void *context, size_t max_bytes);

/*
 * Build and send one command, the parts in order. Errors of the parts stick
 * and come out of imap_client_end(). A part may wait: for the peer to take
 * what was sent, and without LITERAL+ (RFC 7888) for its go-ahead.
 */
void imap_client_begin(struct imap_client *client);
void imap_client_text(struct imap_client *client, const char *text);
/* Quoted, or as a literal where quoting cannot hold it. */
void imap_client_string(struct imap_client *client, const char *text);
void imap_client_literal(
	struct imap_client *client, const void *data, size_t bytes);
/* Does not wait for the answer; *TAG names the command for the wait. With
 * FLUSH false it may stay buffered until a later command or wait. */
int imap_client_end(
	struct imap_client *client, bool flush, uint32_t *tag, struct err *err);

/* Wait for one command's end; the others may end before and are kept. -1 is
 * a broken session; NO and BAD are results. */
int imap_client_wait(struct imap_client *client, uint32_t tag,
	struct imap_result *result, struct err *err);

/* One command of one piece of text, and its end; NO and BAD are errors:
 * ERR_THROTTLED, ERR_AUTH, ERR_LIMIT, ERR_REFUSED by the response code. */
int imap_client_run(
	struct imap_client *client, const char *command, struct err *err);

/* Turn a NO or BAD into an error; 0 for OK. WHAT names the command. */
int imap_result_check(
	const struct imap_result *result, const char *what, struct err *err);

/* The deadline of the waits that follow; 0: only the watchdog. */
void imap_client_set_deadline(struct imap_client *client, int64_t at_us);

#endif
