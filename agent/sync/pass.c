/*
 * pass.c - one folder, from "what is there" to "all of it is stored".
 *
 * Driven by a lane, on its thread; its records change the store on the
 * writer's (engine.c has the whole picture).
 */
#include "pass.h"

#include "alloc.h"
#include "err.h"
#include "flags.h"
#include "pass_dav.h"
#include "pipe.h"
#include "source.h"
#include "store.h"
#include "store_message.h"
#include "store_quarantine.h"

#include <stdlib.h>
#include <string.h>

/* A folder with no more messages is read in one go: headers and listing. */
#define SMALL_FOLDER 500
#define PAGE	     256
/* A folder that changes its identity again and again is left for later. */
#define RESTARTS_MAX 3

void pass_free(struct pass *pass)
{
	if (!pass)
		return;
	plan_free(&pass->plan);
	pass_dav_free(pass);
	collection_free(&pass->collection);
	store_folder_free(&pass->row);
	free(pass->token);
	free(pass);
}

static struct batch *new_job(struct pass *pass, enum fetch_mode mode)
{
	struct batch *job = xcalloc(1, sizeof *job);

	job->folder = pass->row.id;
	job->mode = mode;
	job->dav = pass->collection.dav;
	job->kind = pass->row.kind;
	job->pass = pass;
	job->restarts = pass->restarts;
	return job;
}

static void fill(
	struct window *window, const struct pass *pass, const struct batch *job)
{
	*window = (struct window){
		.collection = &pass->collection,
		.mode = job->mode,
		.ids = job->ids,
		.count = job->count,
		.bytes = job->bytes,
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

static bool may_walk_at_once(const struct pass *pass)
{
	const struct collection *now = &pass->collection;

	return !now->dav && now->state_known && now->items &&
		now->items <= SMALL_FOLDER && !pass->row.messages &&
		!pass->detached && !pass->restarts;
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

/* A header that failed in this run is as good as stored. */
static int load_quarantined(const struct store_quarantine *object, void *arg)
{
	struct loading *loading = arg;
	struct pass *pass = loading->pass;

	if (object->uid && object->at_us >= loading->tools->run_us &&
		!store_has(loading->tools->reader, pass->row.id, object->uid,
			NULL))
		plan_add_stored(&pass->plan, object->uid, 0, 0, 0);
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
	if (pass->detached)
		return 0;
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
	struct window *window, struct batch **job, struct err *err)
{
	struct collection *now = &pass->collection;

	pass->step = PASS_LIST;
	pass->delta = pass->row.verified && !pass->restarts &&
		(tools->features & SOURCE_DELTA) &&
		(now->dav ? pass->row.token != NULL : pass->row.modseq != 0);
	*job = new_job(pass, FETCH_LIST);
	if (now->dav) {
		free(now->token);
		now->token = pass->delta ? xstrdup(pass->row.token) : NULL;
		if (pass_dav_load(pass, tools->reader, err))
			goto free_job;
	} else if (!pass->delta && load_plan(pass, tools, err)) {
		goto free_job;
	}
	(*job)->bytes = now->items * 64;
	fill(window, pass, *job);
	if (pass->delta && !now->dav)
		window->since_modseq = pass->row.modseq;
	pass->outstanding++;
	return 1;

free_job:
	batch_free(*job);
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
		.detached = pass->detached,
		.token = pass->token,
	};

	pass->step = PASS_DONE;
	plan_free(&pass->plan);
	pass_dav_free(pass);
	return pass->missed ? 0 : pipe_pass(tools->pipe, &done, err);
}

/* The server counts its UIDs afresh, or another folder took the name. */
static int restart(struct pass *pass, const struct pass_tools *tools,
	struct batch *job, bool detach, struct err *err)
{
	plan_free(&pass->plan);
	pass_dav_free(pass);
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
	pass->detached = true;
	pass->collection.uid_validity = 0;
	return pipe_mark(tools->pipe, RECORD_DETACH, job, err);
}

static int begin(struct pass *pass, const struct pass_tools *tools,
	struct window *window, struct batch **job, struct err *err)
{
	struct collection *now = &pass->collection;

	if (pass->row.mode == STORE_MODE_OFF || unchanged(pass)) {
		pass->step = PASS_DONE;
		return 0;
	}
	if (!now->dav && pass->row.validity && !pass->restarts)
		now->uid_validity = pass->row.validity;
	if (!may_walk_at_once(pass))
		return list(pass, tools, window, job, err);
	pass->step = PASS_WALK;
	pass->differences++;
	*job = new_job(pass, FETCH_HEADERS);
	(*job)->bytes = now->items * PLAN_HEADER_BYTES;
	fill(window, pass, *job);
	pass->outstanding++;
	return 1;
}

static int walk(struct pass *pass, const struct pass_tools *tools,
	const struct plan_pace *pace, struct window *window, struct batch **job,
	struct err *err)
{
	struct batch *next = new_job(
		pass, pass->collection.dav ? FETCH_FULL : FETCH_HEADERS);
	bool more = pass->collection.dav
		? pass_dav_next(pass, pace, next)
		: plan_next_headers(&pass->plan, pace, &next->ids, &next->count,
			  &next->bytes);

	if (more) {
		*job = next;
		fill(window, pass, next);
		pass->outstanding++;
		return 1;
	}
	batch_free(next);
	return pass->outstanding ? 0 : finish(pass, tools, err);
}

int pass_next(struct pass *pass, const struct pass_tools *tools,
	const struct plan_pace *pace, struct window *window, struct batch **job,
	struct err *err)
{
	switch (pass->step) {
	case PASS_NEW:
		return begin(pass, tools, window, job, err);
	case PASS_WALK:
		return walk(pass, tools, pace, window, job, err);
	case PASS_LIST:
	case PASS_DONE:
		break;
	}
	return 0;
}

/* --------------------------------------------------------------- answers */

void pass_state(struct pass *pass, const struct batch *job,
	const struct collection_state *state)
{
	bool first = job->mode == FETCH_LIST || !pass->validity;

	if (!first && !pass->collection.dav)
		return;
	if (job->mode == FETCH_LIST)
		pass->complete = state->complete;
	if (job->dav && job->mode != FETCH_LIST)
		return;
	pass->validity = state->uid_validity;
	pass->uid_next = state->uid_next;
	pass->modseq = state->modseq;
	pass->count = state->items;
	if (state->complete)
		pass->delta = false;
}

static int flags_changed(const struct pass_tools *tools, struct batch *job,
	const struct item *item, struct err *err)
{
	struct record_item record = {
		.uid = item->id.uid,
		.flags = item->flags,
		.modseq = item->modseq,
	};

	return pipe_item(tools->pipe, RECORD_FLAGS, job, &record, err);
}

/* A message of a delta, of which the plan knows nothing. */
static int changed_since(struct pass *pass, const struct pass_tools *tools,
	struct batch *job, const struct item *item, struct err *err)
{
	int there = store_has(tools->reader, pass->row.id, item->id.uid, err);

	if (there < 0)
		return -1;
	if (there)
		return flags_changed(tools, job, item, err);
	pass->differences++;
	pass->added++;
	plan_listed(&pass->plan, item->id.uid, item->size, 0, item->modseq);
	return 0;
}

int pass_listed(struct pass *pass, const struct pass_tools *tools,
	struct batch *job, const struct item *item, struct err *err)
{
	if (pass->collection.dav) {
		pass_dav_listed(pass, tools->reader, item);
		return 0;
	}
	if (pass->delta)
		return changed_since(pass, tools, job, item, err);
	switch (plan_listed(&pass->plan, item->id.uid, item->size,
		flags_parse(item->flags, NULL), item->modseq)) {
	case PLAN_FRESH:
		pass->differences++;
		break;
	case PLAN_CHANGED:
		return flags_changed(tools, job, item, err);
	case PLAN_SAME:
		break;
	}
	return 0;
}

int pass_gone(struct pass *pass, const struct pass_tools *tools,
	struct batch *job, struct item_id id, struct err *err)
{
	struct record_item record = {.uid = id.uid, .href = id.href};

	pass->differences++;
	pass->removed++;
	return pipe_item(tools->pipe, RECORD_GONE, job, &record, err);
}

static int remove_unlisted(struct pass *pass, const struct pass_tools *tools,
	struct batch *job, struct err *err)
{
	struct item_id id = {0, NULL};
	size_t at = 0;

	if (pass->collection.dav) {
		while ((id.href = pass_dav_gone(pass, &at)))
			if (pass_gone(pass, tools, job, id, err))
				return -1;
		return 0;
	}
	while (plan_gone(&pass->plan, &at, &id.uid))
		if (pass_gone(pass, tools, job, id, err))
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
	struct batch *job, const char *token, struct err *err)
{
	if (pass->plan.resized && !pass->detached)
		return restart(pass, tools, job, true, err);
	if (!adds_up(pass))
		return restart(pass, tools, job, false, err);
	if (pass->complete && remove_unlisted(pass, tools, job, err))
		return -1;
	if (pass->delta)
		pass->complete = true;
	free(pass->token);
	pass->token = xstrdup(token);
	pass->step = PASS_WALK;
	return 0;
}

static int ended(struct pass *pass, const struct pass_tools *tools,
	struct batch *job, enum window_result result, const char *token,
	struct err *err)
{
	switch (result) {
	case WINDOW_DONE:
		return job->mode == FETCH_LIST
			? listing_ended(pass, tools, job, token, err)
			: 0;
	case WINDOW_NEW_VALIDITY:
		return restart(pass, tools, job, true, err);
	case WINDOW_BAD_TOKEN:
		return restart(pass, tools, job, false, err);
	case WINDOW_NO_COLLECTION:
	case WINDOW_RESULT_COUNT:
		break;
	}
	pass->missed = true;
	pass->differences++;
	pass->step = PASS_DONE;
	return 0;
}

int pass_ended(struct pass *pass, const struct pass_tools *tools,
	struct batch *job, enum window_result result, const char *token,
	struct err *err)
{
	pass->outstanding--;
	if (job->restarts != pass->restarts || pass->step == PASS_DONE)
		return 0;
	return ended(pass, tools, job, result, token, err);
}

int pass_settle(
	struct pass *pass, const struct pass_tools *tools, struct err *err)
{
	if (pass->step == PASS_WALK && !pass->outstanding &&
		!pass->plan.fresh_count && !pass->fresh.count)
		return finish(pass, tools, err);
	return 0;
}
