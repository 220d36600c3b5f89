/*
 * reconcile.c - folders made, renamed, deleted; a pass for each that stays.
 *
 * First step of every round (engine.c has the whole picture).
 */
#include "reconcile.h"

#include "alloc.h"
#include "err.h"
#include "pass.h"
#include "policy.h"
#include "store.h"
#include "store_folder.h"
#include "store_item.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define COLLECTIONS_MAX 100000
#define OBJECT_BYTES	1000

/* A row of the store that the listing does not name. */
struct lost {
	struct store_folder row;
	bool taken;
};

struct lost_list {
	struct lost *rows;
	size_t count;
};

int reconcile_add(
	void *context, const struct collection *collection, struct err *err)
{
	struct reconcile *all = context;

	if (!collection->selectable)
		return 0;
	if (all->count == COLLECTIONS_MAX)
		return err_set(err, ERR_LIMIT,
			"the account has more than %d folders",
			COLLECTIONS_MAX);
	if (all->count == all->capacity) {
		all->capacity = all->capacity * 2 + 32;
		all->collections = xrealloc(all->collections, all->capacity,
			sizeof *all->collections);
	}
	all->collections[all->count++] = collection_copy(collection);
	return 0;
}

static enum store_kind kind_of(const struct collection *collection)
{
	switch (collection->kind) {
	case COLLECTION_CONTACTS:
		return STORE_KIND_CONTACTS;
	case COLLECTION_CALENDAR:
	case COLLECTION_TASKS:
		return STORE_KIND_CALENDAR;
	case COLLECTION_NOTES:
		return collection->dav ? STORE_KIND_CALENDAR : STORE_KIND_NOTES;
	case COLLECTION_MAIL:
	case COLLECTION_KIND_COUNT:
		break;
	}
	return STORE_KIND_MAIL;
}

static const char *role_of(const struct collection *collection)
{
	static const char *const roles[SPECIAL_COUNT] = {
		[SPECIAL_INBOX] = "inbox",
		[SPECIAL_DRAFTS] = "drafts",
		[SPECIAL_SENT] = "sent",
		[SPECIAL_TRASH] = "trash",
		[SPECIAL_JUNK] = "junk",
		[SPECIAL_ARCHIVE] = "archive",
		[SPECIAL_ALL] = "all",
		[SPECIAL_FLAGGED] = "flagged",
	};

	return roles[collection->special];
}

static enum store_mode mode_of(
	const struct reconcile *all, const struct collection *collection)
{
	struct policy_folder folder = {
		.path = collection->path,
		.pim = collection->kind != COLLECTION_MAIL,
		/* What shows every message a second time is as unwanted as
		 * what is somebody else's. */
		.foreign = collection->space != SPACE_PERSONAL ||
			collection->special == SPECIAL_ALL ||
			collection->special == SPECIAL_FLAGGED,
	};

	return policy_mode(all->policy, &folder);
}

/* ---------------------------------------------------------------- renames */

struct gathering {
	const struct reconcile *all;
	struct lost_list *lost;
	struct store *store;
	struct err *err;
};

static bool named(const struct reconcile *all, const struct store_folder *row)
{
	for (size_t i = 0; i < all->count; i++)
		if (kind_of(&all->collections[i]) == row->kind &&
			strcmp(all->collections[i].wire, row->remote) == 0)
			return true;
	return false;
}

static int gather(const struct store_folder *row, void *arg)
{
	struct gathering *gathering = arg;
	const struct reconcile *all = gathering->all;
	struct lost_list *lost = gathering->lost;

	if (store_kind_is_dav(row->kind) ? !all->dav_listed : !all->mail_listed)
		return 0;
	if (named(all, row))
		return 0;
	lost->rows = xrealloc(lost->rows, lost->count + 1, sizeof *lost->rows);
	lost->rows[lost->count].taken = false;
	if (store_folder_get(gathering->store, row->id,
		    &lost->rows[lost->count].row, gathering->err) != 1)
		return -1;
	lost->count++;
	return 0;
}

/* What of a URL the hrefs of its objects begin with. */
static const char *url_path(const char *url)
{
	const char *host = strstr(url, "://");
	const char *path = strchr(host ? host + 3 : url, '/');

	return path ? path : "";
}

/* A server that got another name, or another address on the same server. */
static bool may_be_moved(
	const struct store_folder *row, const struct collection *collection)
{
	return row->kind == kind_of(collection) &&
		(strcmp(url_path(row->remote), url_path(collection->wire)) ==
				0 ||
			strcmp(row->path, collection->path) == 0);
}

/* A row whose pass did not end holds a part of the folder. */
static bool may_be(
	const struct store_folder *row, const struct collection *collection)
{
	bool count_fits = row->uid_next ? row->messages == collection->items
					: row->messages <= collection->items;

	if (store_kind_is_dav(row->kind) || collection->dav)
		return collection->dav && may_be_moved(row, collection);
	return row->validity && row->validity == collection->uid_validity &&
		row->uid_next <= collection->uid_next && row->messages &&
		count_fits;
}

/* The one row that the new folder probably was before, or NULL. */
static struct lost *former(
	struct lost_list *lost, const struct collection *collection)
{
	struct lost *found = NULL;

	for (size_t i = 0; i < lost->count; i++) {
		if (lost->rows[i].taken ||
			!may_be(&lost->rows[i].row, collection))
			continue;
		if (found)
			return NULL;
		found = &lost->rows[i];
	}
	return found;
}

static int drop_lost(struct reconcile *all, struct store *store,
	struct lost_list *lost, struct err *err)
{
	for (size_t i = 0; i < lost->count; i++) {
		if (lost->rows[i].taken)
			continue;
		all->differences++;
		if (store_folder_delete(store, lost->rows[i].row.id, err))
			return -1;
	}
	return 0;
}

/* ----------------------------------------------------------------- passes */

static uint64_t estimate(
	const struct collection *collection, enum store_mode mode)
{
	if (mode == STORE_MODE_OFF)
		return 0;
	if (collection->dav)
		return collection->bytes ? collection->bytes
					 : collection->items * OBJECT_BYTES;
	return collection->items * PLAN_HEADER_BYTES +
		(mode == STORE_MODE_FULL ? collection->bytes : 0);
}

static bool differs(const struct store_folder *row,
	const struct collection *collection, enum store_mode mode)
{
	const char *role = role_of(collection);

	return row->mode != mode || strcmp(row->path, collection->path) != 0 ||
		strcmp(row->role ? row->role : "", role ? role : "") != 0;
}

static int put_row(struct store *store, struct store_folder *row,
	const struct collection *collection, enum store_mode mode,
	struct err *err)
{
	free(row->path);
	free(row->role);
	row->path = xstrdup(collection->path);
	row->role = xstrdup(role_of(collection));
	row->mode = mode;
	return store_folder_put(store, row, err);
}

/* Whole and with the same mod-sequence it is the same folder. Everything else
 * may be a coincidence: its messages are matched by their headers, not taken
 * by their UIDs. Objects are matched by their etags under the hrefs that they
 * have now. */
static int match_again(struct store *store, const struct store_folder *row,
	const struct collection *collection, struct err *err)
{
	if (collection->dav)
		return store_item_move(store, row->id, url_path(row->remote),
			url_path(collection->wire), err);
	if (row->uid_next && row->modseq && row->modseq == collection->modseq)
		return 0;
	return store_folder_detach(store, row->id, 0, err);
}

/* Fills ROW with the folder's, made or changed where need be. */
static int find_row(struct reconcile *all, struct store *store,
	struct lost_list *lost, const struct collection *collection,
	struct store_folder *row, struct err *err)
{
	enum store_kind kind = kind_of(collection);
	enum store_mode mode = mode_of(all, collection);
	struct lost *before;
	int found = store_folder_find(store, kind, collection->wire, row, err);

	if (found < 0)
		return -1;
	if (found)
		return differs(row, collection, mode)
			? put_row(store, row, collection, mode, err)
			: 0;
	all->differences++;
	before = former(lost, collection);
	if (before) {
		before->taken = true;
		if (store_folder_rename(store, before->row.id, kind,
			    collection->path, collection->wire, err) ||
			match_again(store, &before->row, collection, err) ||
			store_folder_get(store, before->row.id, row, err) < 1)
			return -1;
		row->verified = false;
		free(row->token); /* another server's, or of another place */
		row->token = NULL;
		return put_row(store, row, collection, mode, err);
	}
	*row = (struct store_folder){
		.kind = kind,
		.remote = xstrdup(collection->wire),
	};
	return put_row(store, row, collection, mode, err);
}

static int make_passes(struct reconcile *all, struct store *store,
	struct lost_list *lost, struct err *err)
{
	all->passes = xcalloc(all->count + 1, sizeof *all->passes);
	for (size_t i = 0; i < all->count; i++) {
		struct pass *pass = xcalloc(1, sizeof *pass);

		all->passes[all->pass_count++] = pass;
		pass->collection = all->collections[i];
		all->collections[i] = (struct collection){.path = NULL};
		if (find_row(all, store, lost, &pass->collection, &pass->row,
			    err))
			return -1;
		if (all->prove) {
			pass->row.verified = false;
			free(pass->row.token);
			pass->row.token = NULL;
		}
		all->estimate_bytes += estimate(
			&pass->collection, pass->row.mode);
	}
	return 0;
}

static int rank(const struct pass *pass)
{
	return pass->collection.dav || strcasecmp(pass->row.path, "INBOX") != 0;
}

static int in_order(const void *left, const void *right)
{
	const struct pass *a = *(struct pass *const *)left;
	const struct pass *b = *(struct pass *const *)right;

	if (rank(a) != rank(b))
		return rank(a) - rank(b);
	return strcmp(a->row.path, b->row.path);
}

int reconcile_run(struct store *store, void *context, struct err *err)
{
	struct reconcile *all = context;
	struct lost_list lost = {NULL, 0};
	struct gathering gathering = {all, &lost, store, err};
	int status = -1;

	if (store_begin(store, err))
		return -1;
	if (store_folder_each(store, gather, &gathering, err) ||
		make_passes(all, store, &lost, err) ||
		drop_lost(all, store, &lost, err) || store_commit(store, err))
		store_rollback(store);
	else
		status = 0;
	for (size_t i = 0; i < lost.count; i++)
		store_folder_free(&lost.rows[i].row);
	free(lost.rows);
	if (!status)
		qsort(all->passes, all->pass_count, sizeof(struct pass *),
			in_order);
	return status;
}

void reconcile_free(struct reconcile *all)
{
	for (size_t i = 0; i < all->count; i++)
		collection_free(&all->collections[i]);
	free(all->collections);
	for (size_t i = 0; i < all->pass_count; i++)
		pass_free(all->passes[i]);
	free(all->passes);
	*all = (struct reconcile){.collections = NULL};
}
