/*
 * pass.c - one folder, from "what is there" to "all of it is stored".
 *
 * Driven by a lane, on its thread; its records change the store on the
 * writer's (engine.c has the whole picture).
 */
#include "pass.h"

#include "alloc.h"
#include "clock.h"
#include "err.h"
#include "log.h"
#include "pass_dav.h"
#include "pipe.h"
#include "source.h"
#include "store.h"
#include "store_message.h"
#include "store_quarantine.h"
#include "tried.h"

#include <stdlib.h>
#include <string.h>

/* A folder with no more messages is read in one go: headers and listing. */
#define SMALL_FOLDER 500
#define PAGE	     256
/* A folder that changes its identity again and again is left for later. */
#define RESTARTS_MAX 3
/* Whole messages straight away, where all of them take no longer. */
#define WHOLE_US (4 * US_PER_S)
/* Little, because on a slow line nothing else comes meanwhile. Where even that
 * takes no time, which says little about speed, more is tried. */
#define PROBE_BYTES	  (UINT64_C(128) << 10)
#define PROBE_AGAIN_BYTES (UINT64_C(1) << 20)
#define PROBE_AGAIN_US	  (25 * US_PER_MS)

void pass_free(struct pass *pass)
{
	if (!pass)
		return;
	plan_free(&pass->plan);
	plan_free(&pass->rescue);
	pass_dav_free(pass);
	collection_free(&pass->collection);
	store_folder_free(&pass->row);
	free(pass->token);
	free(pass);
}

static struct batch *new_batch(struct pass *pass, enum fetch_mode mode)
{
	struct batch *batch = xcalloc(1, sizeof *batch);

	batch->folder = pass->row.id;
	batch->mode = mode;
	batch->dav = pass->collection.dav;
	batch->kind = pass->row.kind;
	batch->pass = pass;
	batch->restarts = pass->restarts;
	return batch;
}

static void fill(struct window *window, const struct pass *pass,
	const struct batch *batch)
{
	*window = (struct window){
		.collection = &pass->collection,
		.mode = batch->mode,
		.ids = batch->ids,
		.count = batch->count,
		.entire = batch->entire,
		.bytes = batch->bytes,
	};
}

/* ------------------------------------------------------------- beginning */

static bool unchanged(const struct pass *pass)
{
	const struct collection *now = &pass->collection;
	const struct store_folder *row = &pass->row;

	if (!row->verified)
		return false;
	if (now->dav)
		return now->token && row->token &&
			strcmp(now->token, row->token) == 0;
	return now->state_known && now->modseq && now->modseq == row->modseq &&
		now->uid_validity == row->validity &&
		now->uid_next == row->uid_next && now->items == row->messages;
}

bool pass_is_idle(const struct pass *pass)
{
	return pass->row.mode == STORE_MODE_OFF || unchanged(pass);
}

void pass_give_up(struct pass *pass)
{
	if (pass->step == PASS_DONE)
		return;
	pass->missed = true;
	pass->differences++;
	pass->step = PASS_DONE;
}

static bool may_walk_at_once(const struct pass *pass)
{
	const struct collection *now = &pass->collection;

	return !now->dav && now->state_known && now->items &&
		pass->row.mode == STORE_MODE_HEADERS &&
		now->items <= SMALL_FOLDER && !pass->row.messages &&
		!pass->restarts;
}

static int load_page(struct pass *pass, const struct store_uid *uids, int got)
{
	for (int i = 0; i < got; i++)
		plan_add_stored(&pass->plan, uids[i].uid, uids[i].size,
			uids[i].flags, uids[i].modseq);
	return got;
}

struct loading {
	struct pass *pass;
	const struct pass_tools *tools;
};

/* What failed in this run is not asked for again, but for its header, which
 * may have been lost with a connection. */
static int load_quarantined(const struct store_quarantine *object, void *arg)
{
	struct loading *loading = arg;
	struct pass *pass = loading->pass;
	uint32_t uid = object->uid;

	if (!uid || !object->skip ||
		store_has(loading->tools->reader, pass->row.id, uid, NULL))
		return 0;
	plan_add_stored(&pass->plan, uid, 0, PLAN_SET_APART, 0);
	if (tried_first(loading->tools->tried, pass->row.id, uid))
		plan_add_fresh(&pass->rescue, uid, 0);
	return 0;
}

static int load_plan(
	struct pass *pass, const struct pass_tools *tools, struct err *err)
{
	struct store_uid uids[PAGE];
	uint64_t before = STORE_UID_END;
	struct loading loading = {pass, tools};
	int got;

	plan_free(&pass->plan);
	plan_free(&pass->rescue);
	if (pass->detached)
		return 0;
	plan_reserve(&pass->plan, pass->row.messages);
	do {
		got = store_uids(tools->reader, pass->row.id, STORE_SELECT_ALL,
			before, uids, PAGE, err);
		if (got < 0)
			return -1;
		before = got ? uids[load_page(pass, uids, got) - 1].uid : 0;
	} while (got == PAGE);
	if (store_quarantine_each(tools->reader, pass->row.id, load_quarantined,
		    &loading, err) < 0)
		return -1;
	plan_seal(&pass->plan);
	return 0;
}

static int list(struct pass *pass, const struct pass_tools *tools,
	struct window *window, struct batch **batch, struct err *err)
{
	struct collection *now = &pass->collection;

	pass->step = PASS_LIST;
	pass->delta = pass->row.verified && !pass->restarts &&
		(tools->features & SOURCE_DELTA) &&
		(now->dav ? pass->row.token != NULL : pass->row.modseq != 0);
	*batch = new_batch(pass, FETCH_LIST);
	if (now->dav) {
		free(now->token);
		now->token = pass->delta ? xstrdup(pass->row.token) : NULL;
		if (!pass->early && pass_dav_load(pass, tools, err))
			goto free_job;
	} else if (!pass->delta && load_plan(pass, tools, err)) {
		goto free_job;
	}
	(*batch)->bytes = now->items * 64;
	fill(window, pass, *batch);
	if (pass->delta && !now->dav)
		window->since_modseq = pass->row.modseq;
	pass->outstanding++;
	return 1;

free_job:
	batch_free(*batch);
	return -1;
}

static int finish(
	struct pass *pass, const struct pass_tools *tools, struct err *err)
{
	struct record_pass done = {
		.folder = pass->row.id,
		.validity = pass->validity,
		.uid_next = pass->uid_next,
		.modseq = pass->modseq,
		.count = pass->count,
		.verified = pass->complete && !pass->differences,
		.detached = pass->rematch,
		.token = pass->token,
	};

	pass->step = PASS_DONE;
	plan_free(&pass->plan);
	plan_free(&pass->rescue);
	pass_dav_free(pass);
	return pass->missed ? 0 : pipe_pass(tools->pipe, &done, err);
}

/* The server counts its UIDs afresh, or another folder took the name. */
static int restart(struct pass *pass, const struct pass_tools *tools,
	struct batch *batch, bool detach, struct err *err)
{
	plan_free(&pass->plan);
	plan_free(&pass->rescue);
	pass_dav_free(pass);
	pass->whole = pass->resized = pass->early = false;
	pass->probe_us = 0;
	pass->probes = 0;
	pass->restarts++;
	pass->differences++;
	pass->step = PASS_NEW;
	pass->row.verified = false;
	if (pass->restarts > RESTARTS_MAX) {
		pass->missed = true;
		pass->step = PASS_DONE;
		return 0;
	}
	if (!detach)
		return 0;
	pass->detached = pass->rematch = true;
	pass->noted = 0;
	pass->collection.uid_validity = 0;
	return pipe_mark(tools->pipe, RECORD_DETACH, batch, err);
}

/* 1: all objects are asked for, 0: not before they are listed, -1. */
static int begin_early(struct pass *pass, const struct pass_tools *tools,
	struct window *window, struct batch **batch, struct err *err)
{
	struct collection *now = &pass->collection;

	if (!now->dav || pass->row.items)
		return 0;
	if (pass_dav_load(pass, tools, err))
		return -1;
	if (!pass_dav_early(pass, tools))
		return 0;
	pass->step = PASS_EARLY;
	pass->early = true;
	pass->token = now->token;
	now->token = NULL;
	*batch = new_batch(pass, FETCH_FULL);
	pass_dav_entire(pass, *batch);
	fill(window, pass, *batch);
	pass->outstanding++;
	return 1;
}

static int begin(struct pass *pass, const struct pass_tools *tools,
	struct window *window, struct batch **batch, struct err *err)
{
	struct collection *now = &pass->collection;
	bool settled = now->dav && !pass->row.verified &&
		pass_dav_settle(pass, tools);
	int early;

	if (!pass->restarts) {
		pass->noted = pass->row.validity;
		pass->rematch = pass->row.detached > 0;
	}
	pass->row.verified |= settled;
	if (pass_is_idle(pass) &&
		!(now->dav && pass->row.mode != STORE_MODE_OFF &&
			pass_dav_owed(pass, tools))) {
		pass->step = PASS_DONE;
		return settled ? finish(pass, tools, err) : 0;
	}
	if (!now->dav && pass->row.validity && !pass->restarts)
		now->uid_validity = pass->row.validity;
	early = begin_early(pass, tools, window, batch, err);
	if (early)
		return early;
	if (!may_walk_at_once(pass))
		return list(pass, tools, window, batch, err);
	pass->step = PASS_WALK;
	pass->differences++;
	*batch = new_batch(pass, FETCH_HEADERS);
	(*batch)->bytes = now->items * PLAN_HEADER_BYTES;
	fill(window, pass, *batch);
	pass->outstanding++;
	return 1;
}

/* The headers of what could not be had whole come last. */
static bool next_fresh(struct pass *pass, const struct pass_tools *tools,
	const struct plan_pace *pace, struct batch *next)
{
	if (pass->collection.dav)
		return pass_dav_next(pass, tools, pace, next);
	next->whole = pass->whole;
	next->mode = pass->whole ? FETCH_FULL : FETCH_HEADERS;
	if (plan_next_fresh(&pass->plan, pace, pass->whole, &next->ids,
		    &next->count, &next->bytes))
		return true;
	next->whole = false;
	next->rescue = true;
	next->mode = FETCH_HEADERS;
	return plan_next_fresh(&pass->rescue, pace, false, &next->ids,
		&next->count, &next->bytes);
}

static int walk(struct pass *pass, const struct pass_tools *tools,
	const struct plan_pace *pace, struct window *window,
	struct batch **batch, struct err *err)
{
	struct batch *next = new_batch(pass, FETCH_FULL);

	if (next_fresh(pass, tools, pace, next)) {
		*batch = next;
		fill(window, pass, next);
		pass->outstanding++;
		return 1;
	}
	batch_free(next);
	return pass->outstanding ? 0 : finish(pass, tools, err);
}

/* A window of whole messages; how to go on is seen when it is there. A long
 * line, on which it will not be tried again, brings headers meanwhile. */
static int probe(struct pass *pass, const struct pass_tools *tools,
	const struct plan_pace *usual, struct window *window,
	struct batch **batch, struct err *err)
{
	struct plan_pace pace = plan_pace_init(PROBE_AGAIN_BYTES);
	int got;

	if (pass->probe_us)
		return tools->round_trip_us > PROBE_AGAIN_US
			? walk(pass, tools, usual, window, batch, err)
			: 0;
	pace.bytes = pass->probes ? PROBE_AGAIN_BYTES : PROBE_BYTES;
	pace.items = usual->items;
	/* On a narrow line the second one is most of a small Inbox. */
	if (pass->probes && tools->bulk)
		tools->bulk(tools->context);
	pass->probes++;
	pass->whole = true;
	pass->probe_us = clock_monotonic_us();
	got = walk(pass, tools, &pace, window, batch, err);
	pass->whole = false;
	pass->probe_bytes = got > 0 ? (*batch)->bytes : 0;
	return got;
}

static void decide(struct pass *pass, const struct pass_tools *tools)
{
	int64_t us = clock_monotonic_us() - pass->probe_us;
	uint64_t rest = plan_fresh_bytes(&pass->plan);

	pass->whole = rest == 0 ||
		(double)rest / (double)(pass->probe_bytes + 1) * (double)us <
			(double)WHOLE_US;
	if (!pass->whole && pass->probes == 1 && us < PROBE_AGAIN_US) {
		pass->probe_us = 0;
		return;
	}
	pass->step = PASS_WALK;
	if (pass->whole && rest && tools->bulk)
		tools->bulk(tools->context);
}

int pass_next(struct pass *pass, const struct pass_tools *tools,
	const struct plan_pace *pace, struct window *window,
	struct batch **batch, struct err *err)
{
	switch (pass->step) {
	case PASS_NEW:
		return begin(pass, tools, window, batch, err);
	case PASS_EARLY:
		return list(pass, tools, window, batch, err);
	case PASS_PROBE:
		return probe(pass, tools, pace, window, batch, err);
	case PASS_WALK:
		return walk(pass, tools, pace, window, batch, err);
	case PASS_LIST:
	case PASS_DONE:
		break;
	}
	return 0;
}

/* --------------------------------------------------------------- answers */

/* Written down with the first items: whoever goes on after a crash must know
 * what their UIDs meant. */
static int note_validity(struct pass *pass, const struct pass_tools *tools,
	uint32_t validity, struct err *err)
{
	struct record_pass begun = {
		.folder = pass->row.id,
		.validity = validity,
	};

	if (!validity || validity == pass->noted)
		return 0;
	pass->noted = validity;
	pass->collection.uid_validity = validity;
	return pipe_pass(tools->pipe, &begun, err);
}

int pass_state(struct pass *pass, const struct pass_tools *tools,
	const struct batch *batch, const struct collection_state *state,
	struct err *err)
{
	bool first = batch->mode == FETCH_LIST || !pass->validity;

	if (batch->restarts != pass->restarts)
		return 0;
	if (!first && !pass->collection.dav)
		return 0;
	if (batch->mode == FETCH_LIST)
		pass->complete = state->complete;
	if (batch->dav && batch->mode != FETCH_LIST)
		return 0;
	pass->validity = state->uid_validity;
	pass->uid_next = state->uid_next;
	pass->modseq = state->modseq;
	pass->count = state->items;
	if (state->complete)
		pass->delta = false;
	return note_validity(pass, tools, state->uid_validity, err);
}

void pass_came(struct pass *pass, const struct batch *batch, struct item_id id)
{
	if (batch->restarts == pass->restarts)
		pass_dav_came(pass, id.href);
}

static int remove_unlisted(struct pass *pass, const struct pass_tools *tools,
	struct batch *batch, struct err *err)
{
	struct item_id id = {0, NULL};
	size_t at = 0;

	if (pass->collection.dav) {
		while ((id.href = pass_dav_gone(pass, &at)))
			if (pass_gone(pass, tools, batch, id, err))
				return -1;
		return 0;
	}
	while (plan_gone(&pass->plan, &at, &id.uid))
		if (pass_gone(pass, tools, batch, id, err))
			return -1;
	return 0;
}

/* Does the folder's size come out right after a delta? If not, some server
 * forgot to mention something. */
static bool adds_up(const struct pass *pass)
{
	uint64_t had = pass->collection.dav ? pass->row.items
					    : pass->row.messages;

	return !pass->delta || pass->collection.dav ||
		had + pass->added - pass->removed == pass->count;
}

static int listing_ended(struct pass *pass, const struct pass_tools *tools,
	struct batch *batch, const char *token, struct err *err)
{
	if (pass->resized && !pass->detached) {
		tried_first(tools->tried, pass->row.id, TRIED_SIZES);
		return restart(pass, tools, batch, true, err);
	}
	if (!adds_up(pass))
		return restart(pass, tools, batch, false, err);
	if (pass->complete && remove_unlisted(pass, tools, batch, err))
		return -1;
	if (pass->delta)
		pass->complete = true;
	if (pass->delta && pass->collection.dav)
		pass->count = pass->row.server_count + pass->added -
			pass->removed;
	if (!pass->early) {
		free(pass->token);
		pass->token = xstrdup(token);
	}
	pass->step = !pass->collection.dav && !pass->rematch &&
			pass->row.mode == STORE_MODE_FULL &&
			(tools->features & SOURCE_SIZES) &&
			pass->plan.fresh_count
		? PASS_PROBE
		: PASS_WALK;
	return 0;
}

/* Deleted meanwhile, then the next listing does not name it; or the server
 * lists what it does not let us read, and then there is nothing to wait for. */
static void refused(struct pass *pass, const struct pass_tools *tools)
{
	bool again = !tried_first(tools->tried, pass->row.id, TRIED_OPEN);

	if (pass->step == PASS_DONE)
		return;
	pass_give_up(pass);
	if (!again)
		return;
	pass->differences = 0;
	log_warn("sync",
		"the server lists \"%s\" and does not let us read it; what is "
		"stored of it stays as it is",
		pass->collection.path);
}

static int ended(struct pass *pass, const struct pass_tools *tools,
	struct batch *batch, enum window_result result, const char *token,
	struct err *err)
{
	switch (result) {
	case WINDOW_DONE:
		if (batch->mode == FETCH_LIST)
			return listing_ended(pass, tools, batch, token, err);
		if (pass->step == PASS_PROBE && batch->whole)
			decide(pass, tools);
		return 0;
	case WINDOW_NEW_VALIDITY:
		return restart(pass, tools, batch, true, err);
	case WINDOW_BAD_TOKEN:
		return restart(pass, tools, batch, false, err);
	case WINDOW_NO_COLLECTION:
		refused(pass, tools);
		return 0;
	case WINDOW_ENDS_SESSION:
		log_warn("sync",
			"the server ends the session when \"%s\" is opened; "
			"see its log",
			pass->collection.path);
		break;
	case WINDOW_FAILED:
	case WINDOW_RESULT_COUNT:
		break;
	}
	pass_give_up(pass);
	return 0;
}

int pass_ended(struct pass *pass, const struct pass_tools *tools,
	struct batch *batch, enum window_result result, const char *token,
	struct err *err)
{
	pass->outstanding--;
	pass->entire &= !batch->entire;
	if (batch->restarts != pass->restarts || pass->step == PASS_DONE)
		return 0;
	return ended(pass, tools, batch, result, token, err);
}

int pass_settle(
	struct pass *pass, const struct pass_tools *tools, struct err *err)
{
	if (pass->step == PASS_WALK && !pass->outstanding &&
		!pass->plan.fresh_count && !pass->rescue.fresh_count &&
		!pass->fresh.count)
		return finish(pass, tools, err);
	return 0;
}
