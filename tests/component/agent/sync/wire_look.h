/*
 * wire_look.h - what a store holds after a run of wire_rig.h. Each test
 * includes it once.
 */
#ifndef SLUICE_WIRE_LOOK_H
#define SLUICE_WIRE_LOOK_H

#include "wire_rig.h"

#include "store.h"
#include "store_folder.h"
#include "store_list.h"
#include "store_quarantine.h"

/* The folder's row; false when the store has none. */
static inline bool rig_folder(
	struct rig *rig, const char *path, struct store_folder *row)
{
	struct store *store = store_open(rig->store, STORE_READ, &rig->err);
	int found;

	assert_non_null(store);
	found = store_folder_by_path(store, path, row, &rig->err);
	store_close(store);
	assert_true(found >= 0);
	return found > 0;
}

struct rig_look {
	uint32_t uid;
	int64_t id;
};

static inline int rig_see(const struct store_row *row, void *arg)
{
	struct rig_look *look = arg;

	if (row->uid == look->uid)
		look->id = row->id;
	return 0;
}

/* PART of the message UID in folder PATH is TEXT. */
static inline void rig_expect(struct rig *rig, const char *path, uint32_t uid,
	enum store_part part, const char *text, size_t bytes)
{
	struct store *store = store_open(rig->store, STORE_READ, &rig->err);
	struct store_reader *reader;
	struct store_folder row;
	struct rig_look look = {uid, 0};
	char *got = xcalloc(1, bytes + 2);
	size_t have = 0;
	ssize_t n;

	assert_non_null(store);
	assert_int_equal(store_folder_by_path(store, path, &row, NULL), 1);
	store_rows(store, row.id, 0, rig_see, &look, NULL);
	reader = store_read_open(store, look.id, part, &rig->err);
	if (!reader)
		fail_msg("%s %u: %s", path, (unsigned)uid, rig->err.text);
	while ((n = store_read(
			reader, got + have, bytes + 1 - have, &rig->err)) > 0)
		have += (size_t)n;
	assert_int_equal(n, 0);
	assert_int_equal(have, bytes);
	assert_memory_equal(got, text, bytes);
	store_read_close(reader);
	store_folder_free(&row);
	store_close(store);
	free(got);
}

static inline int rig_note(const struct store_quarantine *object, void *arg)
{
	struct rig *rig = arg;

	if (object->uid != rig->uid)
		return 0;
	snprintf(rig->reason, sizeof rig->reason, "%s", object->reason);
	snprintf(rig->raw, sizeof rig->raw, "%.*s", (int)object->raw_length,
		object->raw ? (const char *)object->raw : "");
	rig->tries = object->tries;
	return 1;
}

/* Whether UID is in quarantine; why and with what, in RIG. */
static inline bool rig_quarantined(struct rig *rig, uint32_t uid)
{
	struct store *store = store_open(rig->store, STORE_READ, &rig->err);
	int found;

	assert_non_null(store);
	rig->uid = uid;
	found = store_quarantine_each(store, 0, rig_note, rig, &rig->err);
	store_close(store);
	assert_true(found >= 0);
	return found > 0;
}

#endif
