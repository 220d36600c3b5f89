/*
 * pass.h - going once through one folder: what the server has, held against
 * what the store has, and the headers or objects that are missing.
 *
 * A pass makes batches (windows) on demand and is told what came back; it reads
 * the store through the lane's reading handle and changes it only by records.
 * Belongs to the lane's thread.
 *
 *   NEW ---- unchanged since it was verified ---------------------> DONE
 *    |\---- small and empty: all headers in one window --> WALK
 *    \---- LIST: all, or changes since the last pass ----> WALK --> DONE
 *             ^---- other UIDVALIDITY, forgotten token ----'
 *
 * Where bodies are wanted anyway and the line is fast, a walk fetches whole
 * messages instead of headers first: PROBE, between LIST and WALK, finds
 * out. DAV, of which the store has nothing: the collection as a whole is
 * asked for once the listing is there, or, where the source works on windows
 * side by side, beside it: EARLY, between NEW and LIST.
 */
#ifndef SLUICE_PASS_H
#define SLUICE_PASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collection.h"
#include "plan.h"
#include "store_folder.h"
#include "window.h"

struct err;
struct batch;
struct pipe;
struct store;
struct tried;

enum pass_step {
	PASS_NEW,
	PASS_EARLY, /* DAV: its objects are under way; to be listed */
	PASS_LIST,
	PASS_PROBE, /* a little of it whole, to see how fast that goes */
	PASS_WALK,
	PASS_DONE,
};

/* DAV: what has to be fetched, or what is stored and was it listed. */
struct pass_hrefs {
	char **names;
	bool *listed;
	size_t count, capacity;
};

struct pass {
	struct collection collection; /* owned */
	struct store_folder row;      /* as the round found it; owned */
	enum pass_step step;
	struct plan plan;
	struct pass_hrefs fresh, stored, troubled; /* the last two sorted */
	struct pass_hrefs came;			   /* of the window entire */
	unsigned outstanding;			   /* windows under way */
	unsigned restarts;
	uint32_t validity, uid_next; /* as the listing found them */
	uint32_t noted;		     /* the validity in the store's row */
	uint64_t modseq, count;
	uint64_t differences; /* found by this pass */
	uint64_t removed, added;
	char *token;
	bool early;	  /* TOKEN is older than all that was asked for */
	bool entire;	  /* a window of all objects is under way */
	bool delta;	  /* lists changes only */
	bool complete;	  /* the listing named everything */
	bool detached;	  /* in this round: the store's messages do not count */
	bool rematch;	  /* headers first: their bodies may be in the store */
	bool whole;	  /* walks by whole messages */
	int64_t probe_us; /* when the probe was begun; 0: not yet */
	unsigned probes;
	uint64_t probe_bytes;
	struct plan rescue; /* came not whole: headers at least */
	bool resized;	    /* UIDs name other messages than stored ones */
	bool missed;	    /* the folder went away meanwhile */
};

/* What a pass works with; the lane's. */
struct pass_tools {
	struct store *reader;
	struct pipe *pipe;
	unsigned features;     /* of the source */
	int64_t round_trip_us; /* the shortest so far; 0: not known */
	struct tried *tried;
	/* Whole messages begin to come in; may be NULL. */
	void (*bulk)(void *context);
	void *context;
};

void pass_free(struct pass *pass);

/* Nothing has to be asked about a folder that looks like this. */
bool pass_is_idle(const struct pass *pass);

/* The session is lost in the middle of it: it ends here, and proves nothing.
 * The next round begins it afresh. */
void pass_give_up(struct pass *pass);

/* 1 and a batch for the next window, its fields filled but for user and
 * issued_us; 0 when there is none now; -1 with ERR. */
int pass_next(struct pass *pass, const struct pass_tools *tools,
	const struct plan_pace *pace, struct window *window,
	struct batch **batch, struct err *err);

/* What came of a batch in FETCH_LIST mode. */
int pass_state(struct pass *pass, const struct pass_tools *tools,
	const struct batch *batch, const struct collection_state *state,
	struct err *err);
int pass_listed(struct pass *pass, const struct pass_tools *tools,
	struct batch *batch, const struct item *item, struct err *err);

/* An item is gone, in any mode: to the store. */
int pass_gone(struct pass *pass, const struct pass_tools *tools,
	struct batch *batch, struct item_id id, struct err *err);

/* An item failed. True when it belongs in quarantine: a message that cannot
 * be listed is not lost yet, it is there and asked for like a new one. */
bool pass_failed(struct pass *pass, const struct pass_tools *tools,
	const struct batch *batch, struct item_id id);

/* An object of a window that is a whole collection. */
void pass_came(struct pass *pass, const struct batch *batch, struct item_id id);

/* A window has ended; its last record is still to be pushed. */
int pass_ended(struct pass *pass, const struct pass_tools *tools,
	struct batch *batch, enum window_result result, const char *token,
	struct err *err);

/* And now it is: a pass with nothing left to do writes down its folder. */
int pass_settle(
	struct pass *pass, const struct pass_tools *tools, struct err *err);

#endif
