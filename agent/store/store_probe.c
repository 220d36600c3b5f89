/*
 * store_probe.c - how long a person at the mail client would wait. See
 * store.h. Thread: the handle's, which is not the writer's.
 */
#include "store.h"

#include <stdlib.h>

#include "alloc.h"
#include "buf.h"
#include "clock.h"
#include "err.h"
#include "store_list.h"
#include "store_private.h"
#include "text.h"

#define PROBE_ROWS  50
#define PROBE_BYTES (256 * 1024)

struct seen {
	unsigned rows;
	unsigned wanted;
	int64_t id;
	bool has_body;
};

static int look_at(const struct store_row *row, void *arg)
{
	struct seen *seen = arg;

	if (seen->rows++ == seen->wanted || !seen->id) {
		seen->id = row->id;
		seen->has_body = row->has_body;
	}
	return 0;
}

static int open_message(
	struct store *store, const struct seen *seen, struct err *err)
{
	struct store_reader *reader = store_read_open(store, seen->id,
		seen->has_body ? STORE_PART_BODY : STORE_PART_HEADER, err);
	struct buf text = BUF_INIT(PROBE_BYTES);
	size_t length = 0;
	char *data;
	ssize_t n = 0;

	if (!reader)
		return -1;
	data = xcalloc(1, PROBE_BYTES);
	while (length < PROBE_BYTES &&
		(n = store_read(
			 reader, data + length, PROBE_BYTES - length, err)) > 0)
		length += (size_t)n;
	text_from_message(&text, data, length, true);
	buf_free(&text);
	free(data);
	store_read_close(reader);
	return n < 0 ? -1 : 0;
}

int store_probe(struct store *store, int64_t *elapsed_us, struct err *err)
{
	struct seen seen = {
		.wanted = (unsigned)(store->probe_id++ % PROBE_ROWS)};
	int64_t start = clock_monotonic_us();
	int64_t folder = 0;

	if (db_number(&store->db, &folder,
		    "SELECT id FROM folders ORDER BY messages DESC LIMIT 1",
		    err) < 0 ||
		store_rows(store, folder, PROBE_ROWS, look_at, &seen, err) < 0)
		return -1;
	if (seen.id && open_message(store, &seen, err) < 0)
		return -1;
	*elapsed_us = clock_monotonic_us() - start;
	return 0;
}
