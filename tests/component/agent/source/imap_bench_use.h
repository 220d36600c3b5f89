/*
 * imap_bench_use.h - what a test does with the bench of imap_bench.h: fetch
 * the letters, compare what came. Each test of agent/source includes it once.
 */
#ifndef IMAP_BENCH_USE_H
#define IMAP_BENCH_USE_H

#include "imap_bench.h"

static inline int fetch(struct bench *bench, enum fetch_mode mode,
	const struct item_id *ids, size_t count)
{
	struct record *record = &bench->record;
	const struct feed feed = {on_next, &sink, record};

	record->windows[record->window_count++] = (struct window){
		.collection = &record->collections[0],
		.mode = mode,
		.ids = ids,
		.count = count,
	};
	return source_fetch(bench->source, &feed, &bench->err);
}

static const struct item_id all_ids[] = {
	{1, NULL}, {2, NULL}, {5, NULL}, {9, NULL}};

/* The four letters in the last window of a fetch; then the folders. */
static inline void fetch_and_list(struct bench *bench)
{
	struct record *record = &bench->record;
	const struct feed feed = {on_next, &sink, record};
	size_t listed = record->collection_count;

	record->windows[record->window_count++] = (struct window){
		.collection = &record->collections[0],
		.mode = FETCH_FULL,
		.ids = all_ids,
		.count = 4,
		.last = true,
	};
	if (source_fetch(bench->source, &feed, &bench->err) < 0 ||
		source_list(bench->source, on_collection, record, &bench->err) <
			0)
		fail_msg("%s", bench->err.text);
	assert_int_equal(record->collection_count, listed + 1);
	assert_string_equal(record->collections[listed].path, "INBOX");
	assert_int_equal(record->collections[listed].items, 4);
}

static inline void expect(struct bench *bench, const char *events)
{
	assert_string_equal(buf_text(&bench->record.events), events);
}

/* Fetch the four letters whole, the second one with FAULT. */
static inline struct bench *fetch_with(
	enum fake_fault fault, enum fetch_mode mode, bool by_id)
{
	struct bench *bench;

	letters[1].fault = fault;
	bench = set_up(NULL);
	open_and_list(bench);
	if (fetch(bench, mode, by_id ? all_ids : NULL, by_id ? 4 : 0) < 0)
		fail_msg("%s", bench->err.text);
	letters[1].fault = FAKE_GOOD;
	return bench;
}

#define STATE	 "state INBOX v77 n10 items 4\n"
#define COMPLETE "state INBOX v77 n10 items 4 complete\n"
#define ONE	 "item 1 size 21 flags \\Seen $x data [Subject: one\r\n\r\nfirst]\n"
#define TWO	 "item 2 size 22 flags \\Seen $x data [Subject: two\r\n\r\nsecond]\n"
#define FIVE                                                                   \
	"item 5 size 22 flags \\Seen $x data [Subject: five\r\n\r\nfifth]\n"
#define NINE                                                                   \
	"item 9 size 22 flags \\Seen $x data [Subject: nine\r\n\r\nninth]\n"
#define END "end INBOX 0\n"

#endif
