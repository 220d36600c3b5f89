/*
 * engine_compare.h - is the store what the account in memory has, and was
 * nothing sent twice?
 */
#ifndef SLUICE_ENGINE_COMPARE_H
#define SLUICE_ENGINE_COMPARE_H

#include "engine_fixture.h"

#include "flags.h"
#include "store.h"
#include "store_folder.h"
#include "store_item.h"
#include "store_list.h"

static inline bool wants_body(
	const struct fake_folder *folder, const struct fake_message *message)
{
	return strncmp(folder->path, "Sent", 4) != 0 ||
		strstr(message->text, "multipart/signed") != NULL;
}

struct lookup {
	uint32_t uid;
	int64_t id;
	bool has_body;
	unsigned flags;
};

static inline int look(const struct store_row *row, void *arg)
{
	struct lookup *lookup = arg;

	if (row->uid != lookup->uid)
		return 0;
	lookup->id = row->id;
	lookup->has_body = row->has_body;
	lookup->flags = row->flags;
	return 1;
}

static inline void compare_body(
	struct store *store, int64_t id, const struct fake_message *message)
{
	struct store_reader *reader = store_read_open(
		store, id, STORE_PART_BODY, NULL);
	char *got = xcalloc(1, message->length + 1);
	size_t have = 0;
	ssize_t n;

	assert_non_null(reader);
	assert_int_equal(store_read_length(reader), message->length);
	while ((n = store_read(reader, got + have, message->length - have + 1,
			NULL)) > 0)
		have += (size_t)n;
	assert_int_equal(n, 0);
	assert_int_equal(have, message->length);
	assert_memory_equal(got, message->text, message->length);
	store_read_close(reader);
	free(got);
}

static inline void compare_mail(struct store *store,
	const struct fake_folder *folder, const struct store_folder *row)
{
	assert_int_equal(row->messages, folder->count);
	for (size_t i = 0; i < folder->count; i++) {
		const struct fake_message *message = &folder->messages[i];
		struct lookup lookup = {.uid = message->uid};

		store_rows(store, row->id, 0, look, &lookup, NULL);
		assert_true(lookup.id != 0);
		assert_int_equal(lookup.has_body, wants_body(folder, message));
		assert_int_equal(
			lookup.flags, flags_parse(message->flags, NULL));
		if (lookup.has_body)
			compare_body(store, lookup.id, message);
	}
}

static inline int compare_item(const struct store_item *item, void *arg)
{
	const struct fake_folder *folder = arg;
	uint32_t uid = (uint32_t)strtoul(
		strrchr(item->href, '/') + 1, NULL, 10);
	struct fake_message *message = fake_find(
		(struct fake_folder *)folder, uid);

	assert_non_null(message);
	assert_int_equal(item->length, message->length);
	return 0;
}

static inline void assert_equal_to_server(struct fixture *f)
{
	struct store *store = store_open(f->store, STORE_READ, NULL);
	struct store_totals totals;
	uint64_t live = 0;

	assert_non_null(store);
	for (size_t i = 0; i < f->fake->count; i++) {
		struct fake_folder *folder = &f->fake->folders[i];
		struct store_folder row;

		if (folder->gone)
			continue;
		live++;
		assert_int_equal(
			store_folder_by_path(store, folder->path, &row, NULL),
			1);
		assert_true(row.verified);
		if (folder->dav) {
			assert_int_equal(row.items, folder->count);
			store_item_each(
				store, row.id, compare_item, folder, NULL);
		} else {
			compare_mail(store, folder, &row);
		}
		store_folder_free(&row);
	}
	assert_int_equal(store_totals(store, &totals, NULL), 0);
	assert_int_equal(totals.folders, live);
	store_close(store);
}

static inline void assert_bodies_served_once(const struct fixture *f)
{
	for (size_t i = 0; i < f->fake->count; i++)
		for (size_t j = 0; j < f->fake->folders[i].count; j++)
			assert_true(
				f->fake->folders[i].messages[j].served_bodies <=
				1);
}

/* No message was sent twice, as header or as body. */
static inline void assert_served_once(const struct fixture *f)
{
	assert_bodies_served_once(f);
	for (size_t i = 0; i < f->fake->count; i++) {
		const struct fake_folder *folder = &f->fake->folders[i];

		for (size_t j = 0; j < folder->count; j++)
			assert_true(folder->messages[j].served_headers <= 1);
	}
}

#endif
