/*
 * store_bench.c - how fast the store takes messages, apart from any server:
 * COUNT messages of SIZE bytes each, headers first and then bodies in
 * windows, as the sync does it, while a second handle lists and opens
 * messages as a person would; then the index of words. Prints one JSON
 * object. Usage: store_bench DIRECTORY [COUNT [SIZE]].
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "alloc.h"
#include "clock.h"
#include "err.h"
#include "store.h"
#include "store_folder.h"
#include "store_list.h"
#include "store_message.h"

#define WINDOW	     200
#define PIECE_BYTES  16384
#define HEADER_BYTES 1800

static void must(int status, const struct err *err)
{
	if (status >= 0)
		return;
	fprintf(stderr, "store_bench: %s\n", err->text);
	exit(1);
}

static int64_t add_folder(struct store *store, char *path)
{
	struct err err = ERR_INIT;
	struct store_folder folder = {.kind = STORE_KIND_MAIL,
		.mode = STORE_MODE_FULL,
		.path = path,
		.remote = path};

	must(store_begin(store, &err), &err);
	must(store_folder_put(store, &folder, &err), &err);
	must(store_commit(store, &err), &err);
	return folder.id;
}

static size_t make_header(char *header, uint32_t uid)
{
	int n = snprintf(header, HEADER_BYTES + 200,
		"Return-Path: <someone@example.org>\r\n"
		"From: =?utf-8?Q?J=C3=BCrgen_Example?= <j%u@example.org>\r\n"
		"To: Somebody Else <somebody@example.org>\r\n"
		"Subject: message number %u about the quarterly figures\r\n"
		"Message-ID: <%u.bench@example.org>\r\n"
		"Date: Mon, 1 Jan 2024 10:00:00 +0100\r\n"
		"Content-Type: multipart/mixed; boundary=\"b\"\r\nX-Filler: ",
		uid, uid, uid);

	memset(header + n, 'x', (size_t)(HEADER_BYTES - n));
	memcpy(header + HEADER_BYTES - 4, "\r\n\r\n", 5);
	return HEADER_BYTES;
}

static void put_headers(
	struct store *store, int64_t folder, uint32_t count, uint64_t size)
{
	char header[HEADER_BYTES + 200];
	struct err err = ERR_INIT;

	for (uint32_t uid = count; uid; uid--) {
		struct store_message message = {.folder = folder,
			.uid = uid,
			.size = size,
			.internal_date_s = 1700000000 + uid,
			.header = header};

		if (!store_in_transaction(store))
			must(store_begin(store, &err), &err);
		message.header_length = make_header(header, uid);
		must(store_message_put(store, &message, &err), &err);
		if (uid % WINDOW == 1 || uid == 1)
			must(store_commit(store, &err), &err);
	}
}

static void put_body(
	struct store *store, int64_t folder, uint32_t uid, uint64_t size)
{
	static char piece[PIECE_BYTES];
	struct err err = ERR_INIT;

	must(store_body_begin(store, &err), &err);
	for (uint64_t left = size; left;) {
		size_t n = left < PIECE_BYTES ? (size_t)left : PIECE_BYTES;

		memset(piece, (int)('a' + (left >> 14) % 26), n);
		must(store_body_append(store, piece, n, &err), &err);
		left -= n;
	}
	must(store_body_end(store, folder, uid, &err), &err);
}

static void put_bodies(
	struct store *store, int64_t folder, uint32_t count, uint64_t size)
{
	struct err err = ERR_INIT;

	for (uint32_t uid = count; uid; uid--) {
		if (!store_in_transaction(store))
			must(store_begin(store, &err), &err);
		put_body(store, folder, uid, size);
		if (uid % WINDOW == 1 || uid == 1)
			must(store_commit(store, &err), &err);
	}
}

/* ----------------------------------------------------------- the person */

#define PROBES	     4096
#define PROBE_GAP_US 5000

struct probe {
	const char *directory;
	atomic_bool stop;
	int64_t us[PROBES];
	size_t count;
};

static void *probe_main(void *arg)
{
	struct probe *probe = arg;
	struct err err = ERR_INIT;
	struct store *store = store_open(probe->directory, STORE_READ, &err);

	must(store ? 0 : -1, &err);
	while (!atomic_load(&probe->stop) && probe->count < PROBES) {
		must(store_probe(store, &probe->us[probe->count], &err), &err);
		probe->count++;
		clock_sleep_us(PROBE_GAP_US);
	}
	store_close(store);
	return NULL;
}

static int by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a;
	int64_t y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static double probe_ms(struct probe *probe, double quantile)
{
	size_t at = (size_t)((double)probe->count * quantile);

	if (!probe->count)
		return 0;
	qsort(probe->us, probe->count, sizeof(probe->us[0]), by_time);
	return (double)probe->us[at < probe->count ? at : probe->count - 1] /
		US_PER_MS;
}

static void index_all(struct store *store)
{
	struct err err = ERR_INIT;
	bool more = true;

	while (more)
		must(store_index_step(store, 4000000, &more, &err), &err);
}

static double seconds_since(int64_t start_us)
{
	return (double)(clock_monotonic_us() - start_us) / US_PER_S;
}

int main(int argc, char **argv)
{
	uint32_t count = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 6000;
	uint64_t size = argc > 3 ? strtoull(argv[3], NULL, 10) : 35000;
	struct err err = ERR_INIT;
	struct store_totals totals;
	struct rusage usage;
	double headers_s, bodies_s, sync_s, index_s;
	static struct probe probe;
	pthread_t person;
	int64_t folder, start;
	struct store *store;

	if (argc < 2) {
		fputs("store_bench DIRECTORY [COUNT [SIZE]]\n", stderr);
		return 2;
	}
	store = store_open(argv[1], STORE_WRITE, &err);
	must(store ? 0 : -1, &err);
	folder = add_folder(store, "INBOX");
	probe.directory = argv[1];
	pthread_create(&person, NULL, probe_main, &probe);
	start = clock_monotonic_us();
	put_headers(store, folder, count, size);
	headers_s = seconds_since(start);
	start = clock_monotonic_us();
	if (size)
		put_bodies(store, folder, count, size);
	bodies_s = seconds_since(start);
	atomic_store(&probe.stop, true);
	pthread_join(person, NULL);
	start = clock_monotonic_us();
	must(store_sync(store, &err), &err);
	sync_s = seconds_since(start);
	must(store_totals(store, &totals, &err), &err);
	start = clock_monotonic_us();
	index_all(store);
	index_s = seconds_since(start);
	store_close(store);
	getrusage(RUSAGE_SELF, &usage);
	printf("{\"messages\":%u,\"bytes\":%" PRIu64 ",\"headers_s\":%.3f,"
	       "\"bodies_s\":%.3f,\"sync_s\":%.3f,\"index_s\":%.3f,"
	       "\"mb_s\":%.0f,\"stored_bytes\":%" PRIu64
	       ",\"predicted_bytes\":%" PRIu64 ",\"probes\":%zu,"
	       "\"probe_p95_ms\":%.2f,\"probe_max_ms\":%.2f,"
	       "\"resident_kb\":%ld}\n",
		count, totals.body_bytes, headers_s, bodies_s, sync_s, index_s,
		(double)totals.body_bytes / 1e6 / (headers_s + bodies_s),
		totals.stored_bytes,
		store_predict_bytes(count, (uint64_t)count * HEADER_BYTES,
			count * size, 0, 0),
		probe.count, probe_ms(&probe, 0.95), probe_ms(&probe, 1),
		usage.ru_maxrss);
	return 0;
}
