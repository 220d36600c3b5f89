/*
 * imap_bench.h - an IMAP source on a fake server with a small mailbox.
 * For imap_bench_use.h.
 */
#ifndef IMAP_BENCH_H
#define IMAP_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "buf.h"
#include "err.h"
#include "fake_imap.h"
#include "imap_record.h"
#include "source.h"
#include "wire.h"

#define QRESYNC "IMAP4rev1 LITERAL+ LIST-STATUS CONDSTORE ENABLE QRESYNC"
struct bench {
	struct fake_imap fake;
	struct wire *wire;
	struct source *source;
	struct record record;
	struct source_options options;
	struct err err;
};

static struct fake_message letters[] = {
	{1, "Subject: one\r\n\r\nfirst", 0, FAKE_GOOD},
	{2, "Subject: two\r\n\r\nsecond", 0, FAKE_GOOD},
	{5, "Subject: five\r\n\r\nfifth", 0, FAKE_GOOD},
	{9, "Subject: nine\r\n\r\nninth", 0, FAKE_GOOD},
	{0, NULL, 0, FAKE_GOOD},
};

static const struct fake_folder inbox[] = {
	{"() \"/\" \"inbox\"", "inbox", 77, letters},
	{NULL, NULL, 0, NULL},
};

static inline int try_open(struct bench *bench)
{
	char host[] = "127.0.0.1";
	char user[] = "u1";
	struct account account = {
		.user = user,
		.imap = {host, bench->fake.port, SECURITY_NONE},
	};

	return imap_source_open(&bench->source, &account, "pw \"x\\",
		&bench->options, bench->wire, &bench->err);
}

static inline struct bench *set_up(const struct fake_imap *fake)
{
	struct bench *bench = xcalloc(1, sizeof(*bench));

	if (fake)
		bench->fake = *fake;
	if (!bench->fake.folders)
		bench->fake.folders = inbox;
	bench->record.events = BUF_INIT(1 << 20);
	bench->record.body = BUF_INIT(1 << 20);
	bench->wire = wire_new();
	fake_imap_start(&bench->fake);
	return bench;
}

static inline void open_and_list(struct bench *bench)
{
	if (try_open(bench) < 0)
		fail_msg("%s", bench->err.text);
	if (source_list(bench->source, on_collection, &bench->record,
		    &bench->err) < 0)
		fail_msg("%s", bench->err.text);
}

static inline void tear_down(struct bench *bench)
{
	size_t i;

	source_close(bench->source);
	fake_imap_stop(&bench->fake);
	wire_free(bench->wire);
	for (i = 0; i < bench->record.collection_count; i++)
		collection_free(&bench->record.collections[i]);
	buf_free(&bench->record.events);
	buf_free(&bench->record.body);
	free(bench);
}

#endif
