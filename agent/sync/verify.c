/*
 * verify.c - the store held against the server, without changing either.
 *
 * Feed and sink of its own, on the caller's thread; the store is read
 * through a reading handle.
 */
#include "verify.h"

#include "alloc.h"
#include "digest.h"
#include "err.h"
#include "plan.h"
#include "store.h"
#include "store_folder.h"
#include "store_item.h"
#include "store_list.h"
#include "store_message.h"
#include "sync_private.h"
#include "wire.h"

#include <gnutls/crypto.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 256

/* A message or an object. */
struct known {
	uint32_t uid;
	char *href; /* owned; NULL: a message */
	int64_t id;
	uint64_t size, body_bytes;
	bool body;
	bool listed;
};

/* One folder under comparison. */
struct folder {
	struct collection collection; /* owned */
	struct store_folder row;      /* owned */
	struct known *known;	      /* UIDs or hrefs ascending */
	size_t count;
	size_t next; /* known ones before it were asked for (deep) */
};

struct verify {
	struct store *store;
	bool deep;
	void (*each)(const struct verify_finding *finding, void *context);
	void *context;
	struct verify_result *result;
	struct folder *folders;
	size_t count;
	size_t at;   /* the folder to ask about next */
	bool bodies; /* the second time round: contents */
	bool dav;    /* which source is asked */
	struct item_id ids[PAGE];
	bool under_way; /* one window at a time: ids are shared */
	gnutls_hash_hd_t hash;
};

static void tell(struct verify *verify, const struct verify_finding *finding,
	uint64_t *counter)
{
	(*counter)++;
	if (verify->each)
		verify->each(finding, verify->context);
}

static struct verify_finding finding_of(
	const struct folder *folder, struct item_id id, const char *what)
{
	return (struct verify_finding){
		.folder = folder->collection.path,
		.folder_id = folder->row.id,
		.uid = id.uid,
		.href = id.href,
		.what = what,
	};
}

static void found(struct verify *verify, const struct folder *folder,
	struct item_id id, const char *what, uint64_t *counter)
{
	struct verify_finding finding = finding_of(folder, id, what);

	tell(verify, &finding, counter);
}

/* What we have is not what the server would send. */
static void found_stale(struct verify *verify, const struct folder *folder,
	struct item_id id, const char *what)
{
	struct verify_finding finding = finding_of(folder, id, what);

	finding.stale = true;
	tell(verify, &finding, &verify->result->different);
}

/* --------------------------------------------------------------- folders */

static enum store_kind kinds_of(const struct collection *collection, int i)
{
	static const enum store_kind mail[] = {
		STORE_KIND_MAIL, STORE_KIND_NOTES};
	static const enum store_kind dav[] = {
		STORE_KIND_CONTACTS, STORE_KIND_CALENDAR};

	return collection->dav ? dav[i] : mail[i];
}

static int add_folder(
	void *context, const struct collection *collection, struct err *err)
{
	struct verify *verify = context;
	struct folder *folder;
	int got = 0;

	if (!collection->selectable)
		return 0;
	verify->folders = xrealloc(
		verify->folders, verify->count + 1, sizeof *verify->folders);
	folder = &verify->folders[verify->count];
	memset(folder, 0, sizeof *folder);
	for (int i = 0; i < 2 && got == 0; i++)
		got = store_folder_find(verify->store, kinds_of(collection, i),
			collection->wire, &folder->row, err);
	if (got < 0)
		return -1;
	folder->collection = collection_copy(collection);
	/* With a token only changes would be listed. */
	free(folder->collection.token);
	folder->collection.token = NULL;
	/* What the stored UIDs mean. */
	if (folder->row.validity)
		folder->collection.uid_validity = folder->row.validity;
	verify->count++;
	if (!got && collection->space == SPACE_PERSONAL)
		found(verify, folder, (struct item_id){0, NULL},
			"folder missing", &verify->result->missing);
	return 0;
}

/* A stored folder that the server did not name. */
static int check_named(const struct store_folder *row, void *context)
{
	struct verify *verify = context;
	struct verify_finding finding = {
		.folder = row->path,
		.folder_id = row->id,
		.what = "folder extra",
	};

	if (store_kind_is_dav(row->kind) != verify->dav)
		return 0;
	for (size_t i = 0; i < verify->count; i++)
		if (verify->folders[i].row.id == row->id)
			return 0;
	tell(verify, &finding, &verify->result->extra);
	return 0;
}

/* Names that make no sense may be those of folders that we have. */
static int list(struct verify *verify, struct source *source, struct err *err)
{
	int listed = source_list(source, add_folder, verify, err);

	return listed
		? (listed < 0 ? -1 : 0)
		: store_folder_each(verify->store, check_named, verify, err);
}

static struct known *add_known(struct folder *folder)
{
	if (folder->count % PAGE == 0)
		folder->known = xrealloc(folder->known, folder->count + PAGE,
			sizeof *folder->known);
	return &folder->known[folder->count++];
}

static int add_message(const struct store_row *row, void *context)
{
	*add_known(context) = (struct known){
		.uid = row->uid,
		.id = row->id,
		.size = row->size,
		.body = row->has_body,
		.body_bytes = row->body_bytes,
	};
	return 0;
}

static int add_object(const struct store_item *item, void *context)
{
	*add_known(context) = (struct known){
		.href = xstrdup(item->href),
		.id = item->id,
		.body = true,
	};
	return 0;
}

static int by_name(const void *left, const void *right)
{
	const struct known *a = left;
	const struct known *b = right;

	return a->href && b->href ? strcmp(a->href, b->href)
				  : (a->uid > b->uid) - (a->uid < b->uid);
}

static int load(struct verify *verify, struct folder *folder, struct err *err)
{
	int64_t id = folder->row.id;

	if (folder->collection.dav ? store_item_each(verify->store, id,
					     add_object, folder, err)
				   : store_rows(verify->store, id, 0,
					     add_message, folder, err))
		return -1;
	if (folder->count)
		qsort(folder->known, folder->count, sizeof *folder->known,
			by_name);
	return 0;
}

static struct known *lookup(struct folder *folder, struct item_id id)
{
	struct known key = {.uid = id.uid, .href = (char *)id.href};

	return folder->count ? bsearch(&key, folder->known, folder->count,
				       sizeof key, by_name)
			     : NULL;
}

static struct item_id id_of(const struct known *known)
{
	return (struct item_id){known->uid, known->href};
}

/* ------------------------------------------------------------------ feed */

static bool next_bodies(
	struct verify *verify, struct folder *folder, struct window *window)
{
	size_t count = 0;

	for (; folder->next < folder->count && count < PAGE; folder->next++)
		if (folder->known[folder->next].body &&
			folder->known[folder->next].listed)
			verify->ids[count++] = id_of(
				&folder->known[folder->next]);
	window->mode = FETCH_FULL;
	window->ids = verify->ids;
	window->count = count;
	return count > 0;
}

static int next(void *context, struct window *window, struct err *err)
{
	struct verify *verify = context;

	if (verify->under_way)
		return 0;
	for (; verify->at < verify->count; verify->at++) {
		struct folder *folder = &verify->folders[verify->at];

		if (!folder->row.id || folder->row.mode == STORE_MODE_OFF ||
			folder->collection.dav != verify->dav)
			continue;
		*window = (struct window){
			.collection = &folder->collection,
			.mode = FETCH_LIST,
			.user = folder,
		};
		if (verify->bodies && !next_bodies(verify, folder, window))
			continue;
		if (!verify->bodies && load(verify, folder, err))
			return -1;
		verify->under_way = true;
		return 1;
	}
	return 0;
}

/* ------------------------------------------------------------------ sink */

static int on_state(void *context, const struct window *window,
	const struct collection_state *state, struct err *err)
{
	(void)context;
	(void)window;
	(void)state;
	(void)err;
	return 0;
}

static void drop_hash(struct verify *verify)
{
	unsigned char unused[DIGEST_BYTES];

	if (verify->hash)
		gnutls_hash_deinit(verify->hash, unused);
	verify->hash = NULL;
}

static int on_begin(void *context, const struct window *window, uint64_t bytes,
	struct err *err)
{
	struct verify *verify = context;

	(void)window;
	(void)bytes;
	drop_hash(verify);
	if (gnutls_hash_init(&verify->hash, GNUTLS_DIG_SHA256))
		return err_set(err, ERR_LIMIT, "no SHA-256 in GnuTLS");
	return 0;
}

static int on_data(void *context, const struct window *window, const char *data,
	size_t bytes, struct err *err)
{
	struct verify *verify = context;

	(void)window;
	(void)err;
	gnutls_hash(verify->hash, data, bytes);
	return 0;
}

static void compare_content(
	struct verify *verify, struct folder *folder, struct known *known)
{
	unsigned char theirs[DIGEST_BYTES];
	unsigned char ours[DIGEST_BYTES] = {0};

	gnutls_hash_deinit(verify->hash, theirs);
	verify->hash = NULL;
	verify->result->bodies++;
	if (!(known->href ? digest_object : digest_body)(
		    verify->store, known->id, ours) ||
		memcmp(ours, theirs, sizeof ours) != 0)
		found_stale(verify, folder, id_of(known), "content differs");
}

static void compare_object(
	struct verify *verify, struct folder *folder, const struct item *item)
{
	char *etag = store_item_etag(
		verify->store, folder->row.id, item->id.href);

	verify->result->objects++;
	if (!etag)
		found(verify, folder, item->id, "missing",
			&verify->result->missing);
	else if (item->etag && !store_item_same_etag(etag, item->etag))
		found_stale(verify, folder, item->id, "differs");
	free(etag);
}

static int on_end(void *context, const struct window *window,
	const struct item *item, struct err *err)
{
	struct verify *verify = context;
	struct folder *folder = window->user;
	struct known *known;

	(void)err;
	known = lookup(folder, item->id);
	if (window->mode == FETCH_FULL) {
		if (known && verify->hash)
			compare_content(verify, folder, known);
		return 0;
	}
	if (folder->collection.dav) {
		compare_object(verify, folder, item);
		if (known)
			known->listed = true;
		return 0;
	}
	verify->result->messages++;
	if (!known) {
		found(verify, folder, item->id, "missing",
			&verify->result->missing);
		return 0;
	}
	known->listed = true;
	if (item->size && known->body && item->size != known->body_bytes)
		verify->result->missized++;
	if (item->size && known->size && item->size != known->size &&
		!(known->body && item->size == known->body_bytes))
		found_stale(verify, folder, item->id, "size differs");
	return 0;
}

static int on_failed(void *context, const struct window *window,
	struct item_id id, enum item_fault fault, const char *reason,
	const char *raw, size_t raw_bytes, struct err *err)
{
	struct verify *verify = context;

	(void)fault;
	(void)reason;
	(void)raw;
	(void)raw_bytes;
	(void)err;
	drop_hash(verify);
	found(verify, window->user, id, "cannot be read from the server",
		&verify->result->different);
	return 0;
}

static int on_gone(void *context, const struct window *window,
	struct item_id id, struct err *err)
{
	struct verify *verify = context;

	(void)err;
	found(verify, window->user, id, "extra", &verify->result->extra);
	return 0;
}

/* What the policy asks for and neither side's quarantine explains. */
static int count_missing_bodies(
	struct verify *verify, struct folder *folder, struct err *err)
{
	uint64_t count, bytes;

	if (store_missing(verify->store, folder->row.id, &count, &bytes, err))
		return -1;
	if (count)
		found(verify, folder, (struct item_id){0, NULL},
			"bodies missing", &verify->result->missing_bodies);
	return 0;
}

static int listing_over(
	struct verify *verify, struct folder *folder, struct err *err)
{
	verify->result->folders++;
	for (size_t i = 0; i < folder->count; i++)
		if (!folder->known[i].listed)
			found(verify, folder, id_of(&folder->known[i]), "extra",
				&verify->result->extra);
	return folder->collection.dav
		? 0
		: count_missing_bodies(verify, folder, err);
}

static int on_window_end(void *context, const struct window *window,
	enum window_result result, const char *token, struct err *err)
{
	struct verify *verify = context;
	struct folder *folder = window->user;

	(void)token;
	verify->under_way = false;
	drop_hash(verify);
	if (window->mode == FETCH_FULL)
		return 0;
	verify->at++;
	if (result == WINDOW_DONE)
		return listing_over(verify, folder, err);
	found(verify, folder, (struct item_id){0, NULL},
		result == WINDOW_NEW_VALIDITY ? "UIDVALIDITY differs"
					      : "cannot be listed",
		&verify->result->different);
	return 0;
}

static const struct sink sink = {
	.state = on_state,
	.begin = on_begin,
	.data = on_data,
	.end = on_end,
	.failed = on_failed,
	.gone = on_gone,
	.window_end = on_window_end,
};

/* ------------------------------------------------------------------ work */

static int compare(
	struct verify *verify, struct source *source, bool dav, struct err *err)
{
	struct feed feed = {next, &sink, verify};

	verify->dav = dav;
	verify->at = 0;
	verify->bodies = false;
	if (list(verify, source, err) || source_fetch(source, &feed, err))
		return -1;
	if (!verify->deep)
		return 0;
	verify->at = 0;
	verify->bodies = true;
	return source_fetch(source, &feed, err);
}

static int compare_account(struct verify *verify,
	const struct sync_setup *setup, struct wire *wire, struct err *err)
{
	const sync_open open[] = {
		setup->open_mail ? setup->open_mail : imap_source_open,
		setup->open_dav ? setup->open_dav : dav_source_open};
	struct source_options options = {.compress = setup->compress};
	char *password = account_password(setup->account, err);
	struct err why = ERR_INIT;
	int status = 0;

	if (!password)
		return -1;
	for (int dav = 0; dav < 2 && !status; dav++) {
		struct source *source = NULL;

		if (!half_expected(setup->account, dav))
			continue;
		status = open[dav](&source, setup->account, password, &options,
			wire, &why);
		if (!status)
			status = compare(verify, source, dav, &why);
		else if (half_may_be_absent(
				 setup->account, dav, verify->store, &why))
			status = 0;
		source_close(source);
	}
	if (status && err)
		*err = why;
	explicit_bzero(password, strlen(password));
	free(password);
	return status;
}

int verify_run(const struct sync_setup *setup, bool deep,
	void (*each)(const struct verify_finding *finding, void *context),
	void *context, struct verify_result *result, struct err *err)
{
	struct verify verify = {
		.deep = deep,
		.each = each,
		.context = context,
		.result = result,
		.store = store_open(setup->directory, STORE_READ, err),
	};
	struct wire *wire;
	int status;

	memset(result, 0, sizeof *result);
	if (!verify.store)
		return -1;
	wire = wire_new();
	wire_set_rate(wire, setup->rate_bytes_s);
	status = compare_account(&verify, setup, wire, err);
	wire_free(wire);
	for (size_t i = 0; i < verify.count; i++) {
		collection_free(&verify.folders[i].collection);
		store_folder_free(&verify.folders[i].row);
		for (size_t j = 0; j < verify.folders[i].count; j++)
			free(verify.folders[i].known[j].href);
		free(verify.folders[i].known);
	}
	free(verify.folders);
	drop_hash(&verify);
	store_close(verify.store);
	return status;
}

bool verify_equal(const struct verify_result *result)
{
	return !result->missing && !result->missing_bodies && !result->extra &&
		!result->different;
}
