/*
 * source.h - where an account's data comes from: the contract between the
 * sync engine and a protocol (imap_source.c, dav_source.c).
 *
 * A source is one session: one connection, used by one thread. An engine
 * may open several sources for one account and share the work among them;
 * they share a `struct wire` (counters, rate, cancelling) and nothing else.
 *
 * Everything that is asked for in bulk is asked in *windows*: the engine
 * hands out windows one by one through feed.next, the source keeps as many
 * in flight as the server and the round trip want, and streams what comes
 * back into a sink. Windows end in the order in which they were handed out.
 * The engine's callbacks run on the source's thread, inside source_fetch();
 * a sink that blocks slows the server down through TCP, which is how back
 * pressure works here.
 *
 * The source never writes to the account: mailboxes are opened read-only,
 * messages are peeked at.
 *
 * Failures. -1 with err_retry() != NEVER means: close the source, wait as
 * the error says, open a new one and ask again for what is missing. After
 * any -1 only source_close() is allowed. What concerns one item or one
 * collection never fails the call: it goes to the sink. Cancelling
 * (wire_cancel) makes any call return -1 with ERR_CANCELLED soon.
 */
#ifndef SLUICE_SOURCE_H
#define SLUICE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "account.h"
#include "collection.h"
#include "window.h"

struct err;
struct source;
struct wire;

enum compress {
	COMPRESS_OFF,
	COMPRESS_ON,   /* where the server offers it */
	COMPRESS_AUTO, /* where it is found to pay */
};

struct source_options {
	enum compress compress;
	unsigned in_flight_max;	      /* windows; 0: the quirks decide */
	uint64_t in_flight_bytes;     /* expected ones; 0: 8 MB */
	uint64_t item_bytes_max;      /* 0: 2 GiB - 1 */
	int64_t stall_us, connect_us; /* 0: the transport's defaults */
	int64_t pause_us;   /* before a lost session is made anew; 0: 50 ms,
			       each time as much longer */
	int64_t command_us; /* for an answer, however it drips; 0: 300 s, 60 s
			       until the session has begun */
};

/* What this server can do, for the plan. */
enum source_feature {
	SOURCE_SIZES = 1, /* FETCH_LIST tells sizes */
	SOURCE_STATE = 2, /* source_list() fills items and uid_next or token */
	SOURCE_DELTA = 4, /* changes since modseq or token */
	SOURCE_VANISHED = 8, /* and what is gone since then (QRESYNC) */
	SOURCE_EXACT = 16,   /* an equal token means an equal content */
	SOURCE_ENTIRE = 32,  /* a collection as a whole comes sooner than in
				parts: window.entire */
	SOURCE_ASIDE = 64,   /* windows are worked on side by side, so that
				none has to wait for what it can do without */
};

/*
 * Connect and log in. ACCOUNT, PASSWORD and OPTIONS (NULL: defaults) are
 * used during the call only where not copied. ERR_AUTH: do not try again.
 */
int imap_source_open(struct source **source, const struct account *account,
	const char *password, const struct source_options *options,
	struct wire *wire, struct err *err);
int dav_source_open(struct source **source, const struct account *account,
	const char *password, const struct source_options *options,
	struct wire *wire, struct err *err);

/*
 * Every collection of the account, with the state that came along for free.
 * Called once per collection; the strings are the source's and end with the
 * callback. Other users' and shared ones come too, marked by their space.
 * 1 when there are, or may be, others whose names cannot be read: what was not
 * named is then not gone.
 */
int source_list(struct source *source,
	int (*each)(void *context, const struct collection *collection,
		struct err *err),
	void *context, struct err *err);

/* Work through the feed's windows; see struct feed and struct sink. */
int source_fetch(
	struct source *source, const struct feed *feed, struct err *err);

unsigned source_features(const struct source *source);

/* What there is between us and the server; for the number of connections.
 * Zeros where the protocol sees to that itself. */
struct source_line {
	int64_t round_trip_us;	/* the shortest so far */
	unsigned commands_max;	/* in flight at once */
	enum compress compress; /* what pays; COMPRESS_AUTO: not yet known */
};
struct source_line source_line(const struct source *source);

/* "Cyrus IMAP 3.6.1", or what the greeting says. */
const char *source_server(const struct source *source);

/*
 * Round trips so far: the longest chain of commands each of which was sent
 * after an answer to the one before it, login included. It is what would
 * still take time on a line of any rate and a server of any speed; commands
 * in flight together count once, however many there are.
 */
uint64_t source_round_trips(const struct source *source);

/* Says goodbye when the session is still good. NULL is allowed. */
void source_close(struct source *source);

#endif
