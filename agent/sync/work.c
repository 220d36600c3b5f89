/*
 * work.c - passes and bodies handed out to the lanes, each once; see work.h.
 *
 * Called on the lanes' threads; one mutex guards who has what.
 */
#include "work.h"

#include "alloc.h"
#include "err.h"
#include "pass.h"
#include "pipe.h"
#include "plan.h"
#include "store_message.h"

#include <pthread.h>
#include <stdlib.h>

#define PAGE 256

/* Where the search for missing bodies has got to. */
struct body_walk {
	size_t pass;		     /* index of the folder */
	uint64_t before;	     /* UIDs from here on are handed out */
	struct store_uid page[PAGE]; /* newest first */
	int got, used;
	bool last_page;
};

struct work {
	struct pass *const *passes;
	size_t count;
	struct work_size size;
	bool bodies;
	pthread_mutex_t mutex; /* guards what follows */
	const void **owners;   /* of the passes */
	struct body_walk walk;
};

static struct work *new_work(
	struct pass *const *passes, size_t count, bool bodies)
{
	struct work *work = xcalloc(1, sizeof *work);

	work->passes = passes;
	work->count = count;
	work->bodies = bodies;
	work->owners = xcalloc(count + 1, sizeof *work->owners);
	work->walk.before = STORE_UID_END;
	pthread_mutex_init(&work->mutex, NULL);
	return work;
}

struct work *work_passes(struct pass *const *passes, size_t count)
{
	struct work *work = new_work(passes, count, false);

	for (size_t i = 0; i < count; i++) {
		if (passes[i]->step != PASS_NEW || pass_is_idle(passes[i]))
			continue;
		/* Opening it, and asking for what is there. */
		work->size.commands += 2;
		work->size.bytes += passes[i]->collection.items *
			PLAN_HEADER_BYTES;
	}
	return work;
}

struct work *work_bodies(
	struct pass *const *passes, size_t count, const struct work_size *size)
{
	struct work *work = new_work(passes, count, true);

	work->size = *size;
	return work;
}

void work_free(struct work *work)
{
	if (!work)
		return;
	pthread_mutex_destroy(&work->mutex);
	free(work->owners);
	free(work);
}

bool work_is_bodies(const struct work *work)
{
	return work->bodies;
}

size_t work_count(const struct work *work)
{
	return work->count;
}

struct work_size work_size(const struct work *work)
{
	return work->size;
}

struct pass *work_claim(struct work *work, size_t at, const void *lane)
{
	bool ours;

	pthread_mutex_lock(&work->mutex);
	if (!work->owners[at])
		work->owners[at] = lane;
	ours = work->owners[at] == lane;
	pthread_mutex_unlock(&work->mutex);
	return ours ? work->passes[at] : NULL;
}

void work_give_up(struct work *work, const void *lane)
{
	for (size_t i = 0; i < work->count; i++)
		if (work->owners[i] == lane)
			pass_give_up(work->passes[i]);
}

/* The next missing body, in folder order, or NULL. */
static const struct store_uid *peek_body(
	struct work *work, struct store *reader, struct err *err)
{
	struct body_walk *walk = &work->walk;

	while (walk->used == walk->got) {
		if (walk->last_page) {
			walk->pass++;
			walk->before = STORE_UID_END;
			walk->last_page = false;
		}
		if (walk->pass >= work->count)
			return NULL;
		walk->used = 0;
		walk->got = 0;
		if (work->passes[walk->pass]->collection.dav) {
			walk->last_page = true;
			continue;
		}
		walk->got = store_uids(reader, work->passes[walk->pass]->row.id,
			STORE_SELECT_MISSING, walk->before, walk->page, PAGE,
			err);
		if (walk->got < 0)
			return NULL;
		walk->last_page = walk->got < PAGE;
		if (walk->got)
			walk->before = walk->page[walk->got - 1].uid;
	}
	return &walk->page[walk->used];
}

static void reverse(struct item_id *ids, size_t count)
{
	for (size_t i = 0; i < count / 2; i++) {
		struct item_id swap = ids[i];

		ids[i] = ids[count - 1 - i];
		ids[count - 1 - i] = swap;
	}
}

static struct batch *take_bodies(struct work *work, struct store *reader,
	const struct plan_pace *pace, const struct store_uid *uid)
{
	struct body_walk *walk = &work->walk;
	size_t folder = walk->pass;
	const struct pass *pass = work->passes[folder];
	struct batch *batch = xcalloc(1, sizeof *batch);

	batch->folder = pass->row.id;
	batch->mode = FETCH_FULL;
	batch->kind = pass->row.kind;
	batch->ids = xcalloc(pace->items_max, sizeof *batch->ids);
	while (uid && walk->pass == folder &&
		plan_pace_fits(pace, batch->count, batch->bytes, uid->size)) {
		batch->ids[batch->count++].uid = uid->uid;
		batch->bytes += uid->size;
		walk->used++;
		/* An error comes back with the next window. */
		uid = peek_body(work, reader, NULL);
	}
	batch->last = !uid;
	reverse(batch->ids, batch->count);
	return batch;
}

int work_next_bodies(struct work *work, struct store *reader,
	const struct plan_pace *pace, struct batch **batch,
	const struct pass **pass, struct err *err)
{
	struct err why = ERR_INIT;
	const struct store_uid *uid;
	int status = 0;

	pthread_mutex_lock(&work->mutex);
	uid = peek_body(work, reader, &why);
	if (uid) {
		*pass = work->passes[work->walk.pass];
		*batch = take_bodies(work, reader, pace, uid);
		status = 1;
	} else if (why.kind != ERR_NONE) {
		status = -1;
		if (err)
			*err = why;
	}
	pthread_mutex_unlock(&work->mutex);
	return status;
}

bool work_done(struct work *work, struct store *reader)
{
	if (work->bodies)
		return !peek_body(work, reader, NULL);
	for (size_t i = 0; i < work->count; i++)
		if (work->passes[i]->step != PASS_DONE)
			return false;
	return true;
}
