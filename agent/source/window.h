/*
 * window.h - a piece of bulk work and where its data goes; see source.h for
 * who calls what on which thread, and what a failure means.
 */
#ifndef SLUICE_WINDOW_H
#define SLUICE_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct collection;
struct err;

/* What the store knows an item by: a UID (IMAP) or an href (DAV), as the
 * server wrote it. */
struct item_id {
	uint32_t uid;
	const char *href; /* NULL for IMAP */
};

enum fetch_mode {
	FETCH_LIST,    /* which items there are: id, size, flags, etag */
	FETCH_HEADERS, /* and the message header as data, and structure */
	FETCH_FULL,    /* and the whole message or object as data */
	FETCH_MODE_COUNT
};

/* A piece of work. All pointers are the engine's and stay valid until
 * window_end() was called for it (or source_fetch() returned). */
struct window {
	const struct collection *collection;
	enum fetch_mode mode;
	/*
	 * The items wanted, ascending by uid; COUNT 0: all there are, from
	 * first_uid on (0 for the start); DAV: only with FETCH_LIST.
	 */
	const struct item_id *ids;
	size_t count;
	uint32_t first_uid;
	/* DAV: all there are, some COUNT, without IDS, as far as the source can
	 * bring them at once; needs SOURCE_ENTIRE. */
	bool entire;
	bool last; /* then source_list(), whose question may go out with it */
	/*
	 * FETCH_LIST of all, when collection.token (DAV) or this (IMAP, a
	 * mod-sequence) says from when: only what changed since, and what
	 * vanished. Needs SOURCE_DELTA; else all, as state.complete tells.
	 */
	uint64_t since_modseq;
	/* What the engine expects to receive, for the number in flight. */
	uint64_t bytes;
	void *user; /* the engine's */
};

/* What the server said when it opened a window's collection, before its
 * first item. */
struct collection_state {
	uint32_t uid_validity; /* 0: not IMAP */
	uint32_t uid_next;     /* 0: not said */
	uint64_t modseq;       /* highest; 0: none */
	uint64_t items;
	/* FETCH_LIST: every item will be named, so what is not named is
	 * gone. False for a delta: what is gone comes by item_gone(). */
	bool complete;
};

/*
 * One item as the server describes it. Unknown is 0 or NULL. Strings are
 * the source's and end with the callback.
 */
struct item {
	struct item_id id;
	uint64_t size;	     /* announced, bytes */
	uint64_t data_bytes; /* handed to item_data() */
	int64_t received_s;  /* INTERNALDATE, seconds since 1970 UTC */
	const char *flags;   /* "\Seen $Forwarded"; "" when it has none */
	uint64_t modseq;
	const char *etag; /* as sent, quotes included */
	/* IMAP, FETCH_HEADERS: BODYSTRUCTURE as sent, for
	 * protection_from_bodystructure(); NULL where the server's was
	 * missing or no S-expression. */
	const char *structure;
	size_t structure_bytes;
};

enum item_fault {
	FAULT_UNPARSABLE, /* what came is not IMAP or not XML */
	FAULT_TOO_LARGE,  /* above options.item_bytes_max */
	FAULT_REFUSED,	  /* the server says NO to this one */
	FAULT_DISCONNECT, /* alone asked for, it ends the connection */
};

enum window_result {
	WINDOW_DONE,	      /* every item came, is gone, or failed */
	WINDOW_NO_COLLECTION, /* deleted, renamed, or not ours to read */
	WINDOW_NEW_VALIDITY,  /* UIDVALIDITY is another: ids mean nothing */
	WINDOW_BAD_TOKEN,     /* the server forgot the token: list all */
	WINDOW_ENDS_SESSION,  /* opening it ends the connection each time */
	WINDOW_FAILED,	      /* for it the call will fail, after the others */
	WINDOW_RESULT_COUNT
};

/*
 * Where data goes. Any callback that returns int may return -1 with ERR
 * filled: source_fetch() then ends with that error. For one window:
 *
 *   state  { begin data* (end | failed) | end | failed | gone }*  window_end
 *
 * `begin` is called when an item has data (possibly none: an empty message)
 * and says how many bytes are announced; it does not know yet who the item
 * is, `end` does. `end` without `begin` describes an item without data
 * (FETCH_LIST). What was begun and not ended is to be forgotten at `failed`, at
 * another `begin` (the session was lost in its middle) and at `window_end`.
 * No id is delivered twice in a window, none that was not asked for.
 */
struct sink {
	int (*state)(void *context, const struct window *window,
		const struct collection_state *state, struct err *err);
	int (*begin)(void *context, const struct window *window, uint64_t bytes,
		struct err *err);
	int (*data)(void *context, const struct window *window,
		const char *data, size_t bytes, struct err *err);
	int (*end)(void *context, const struct window *window,
		const struct item *item, struct err *err);
	/* RAW: what came instead, as far as it was kept; possibly empty. */
	int (*failed)(void *context, const struct window *window,
		struct item_id id, enum item_fault fault, const char *reason,
		const char *raw, size_t raw_bytes, struct err *err);
	/* Asked for and not there any more, or (delta) vanished. */
	int (*gone)(void *context, const struct window *window,
		struct item_id id, struct err *err);
	/* All of WINDOW was delivered, or why not. TOKEN (DAV, FETCH_LIST):
	 * what to ask from next time; valid during the call, or NULL. */
	int (*window_end)(void *context, const struct window *window,
		enum window_result result, const char *token, struct err *err);
};

/*
 * Where windows come from: 1 with *WINDOW filled, 0 when there are no more
 * (asked again after a window_end(), which may have made new ones; the call
 * of source_fetch() ends with nothing in flight and a 0), -1 with ERR to stop.
 */
struct feed {
	int (*next)(void *context, struct window *window, struct err *err);
	const struct sink *sink;
	void *context; /* of next and of the sink */
};

#endif
