/*
 * pass_list.c - what a folder's listing says of a message: fresh, changed, not
 * as long as it was, gone, or nothing that makes sense. Part of the pass
 * (pass.h), on its lane's thread.
 */
#include "pass.h"

#include "err.h"
#include "flags.h"
#include "pass_dav.h"
#include "pipe.h"
#include "store_message.h"
#include "tried.h"

static int flags_changed(const struct pass_tools *tools, struct batch *batch,
	const struct item *item, struct err *err)
{
	struct record_item record = {
		.uid = item->id.uid,
		.flags = item->flags,
		.modseq = item->modseq,
	};

	return pipe_item(tools->pipe, RECORD_FLAGS, batch, &record, err);
}

/*
 * Another size: another message, in a folder that was made anew with the same
 * UIDVALIDITY; or a server that does not count well. It is the latter when the
 * body we have is as long, or when the folder was read anew for a size before:
 * then only the figure is noted, and nothing fetched again and again.
 */
static int resized(struct pass *pass, const struct pass_tools *tools,
	struct batch *batch, const struct item *item, struct err *err)
{
	struct record_item record = {
		.uid = item->id.uid,
		.flags = item->flags,
		.modseq = item->modseq,
		.size = item->size,
	};
	uint64_t bytes = 0;
	int has = store_body_length(
		tools->reader, pass->row.id, item->id.uid, &bytes, err);

	if (has < 0)
		return -1;
	if ((has && bytes == item->size) ||
		tried_noted(tools->tried, pass->row.id, TRIED_SIZES))
		return pipe_item(
			tools->pipe, RECORD_FLAGS, batch, &record, err);
	pass->resized = true;
	return 0;
}

/* A message of a delta, of which the plan knows nothing. */
static int changed_since(struct pass *pass, const struct pass_tools *tools,
	struct batch *batch, const struct item *item, struct err *err)
{
	int there = store_has(tools->reader, pass->row.id, item->id.uid, err);

	if (there < 0)
		return -1;
	if (there)
		return flags_changed(tools, batch, item, err);
	pass->differences++;
	pass->added++;
	plan_listed(&pass->plan, item->id.uid, item->size, 0, item->modseq);
	return 0;
}

/* The listing cannot say what UID is like; is it in the store? */
static bool is_known(
	struct pass *pass, const struct pass_tools *tools, uint32_t uid)
{
	if (pass->delta &&
		store_has(tools->reader, pass->row.id, uid, NULL) > 0)
		return true;
	return plan_listed(&pass->plan, uid, 0, 0, 0) != PLAN_FRESH;
}

bool pass_failed(struct pass *pass, const struct pass_tools *tools,
	const struct batch *batch, struct item_id id)
{
	bool listing = batch->mode == FETCH_LIST && !batch->dav;

	if (batch->restarts != pass->restarts)
		return !listing;
	if (batch->whole)
		plan_add_fresh(&pass->rescue, id.uid, 0);
	if (listing && !is_known(pass, tools, id.uid)) {
		pass->differences++;
		pass->added += pass->delta;
	}
	return !listing;
}

int pass_gone(struct pass *pass, const struct pass_tools *tools,
	struct batch *batch, struct item_id id, struct err *err)
{
	struct record_item record = {.uid = id.uid, .href = id.href};

	pass->differences++;
	/* Servers also tell of what came and went between two runs. */
	pass->removed += id.href || !pass->delta ||
		store_has(tools->reader, pass->row.id, id.uid, NULL) > 0;
	if (id.href && batch->mode != FETCH_LIST) {
		pass_dav_vanished(pass, tools, id.href);
		pass->count -= pass->count > 0;
	}
	return pipe_item(tools->pipe, RECORD_GONE, batch, &record, err);
}

int pass_listed(struct pass *pass, const struct pass_tools *tools,
	struct batch *batch, const struct item *item, struct err *err)
{
	if (pass->collection.dav) {
		pass_dav_listed(pass, tools, item);
		return 0;
	}
	if (pass->delta)
		return changed_since(pass, tools, batch, item, err);
	switch (plan_listed(&pass->plan, item->id.uid, item->size,
		flags_parse(item->flags, NULL), item->modseq)) {
	case PLAN_FRESH:
		pass->differences++;
		break;
	case PLAN_CHANGED:
		return flags_changed(tools, batch, item, err);
	case PLAN_RESIZED:
		return resized(pass, tools, batch, item, err);
	case PLAN_SAME:
		break;
	}
	return 0;
}
