/*
 * apply.c - records to rows: headers, bodies, objects, flags, folders.
 *
 * Called by the writer, on the store thread, inside a transaction.
 */
#include "apply.h"

#include "alloc.h"
#include "err.h"
#include "flags.h"
#include "pim.h"
#include "pipe.h"
#include "store.h"
#include "store_folder.h"
#include "store_item.h"
#include "store_message.h"
#include "store_quarantine.h"

#include <stdlib.h>
#include <string.h>

/* A header block or an object that is longer is not taken. */
#define TEXT_BYTES_MAX ((size_t)16 << 20)

void apply_init(struct apply *apply, struct store *store, bool quarantine)
{
	*apply = (struct apply){
		.store = store,
		.text = BUF_INIT(TEXT_BYTES_MAX),
		.keywords = BUF_INIT(1u << 16),
		.quarantine = quarantine,
	};
}

void apply_free(struct apply *apply)
{
	buf_free(&apply->text);
	buf_free(&apply->keywords);
}

static bool is_body(const struct batch *batch)
{
	return batch->mode == FETCH_FULL && !batch->dav;
}

static int begin(
	struct apply *apply, const struct batch *batch, struct err *err)
{
	buf_clear(&apply->text);
	apply->overflow = false;
	apply->item_bytes = 0;
	if (!is_body(batch))
		return 0;
	apply->body = true;
	return store_body_begin(apply->store, err);
}

static int data(
	struct apply *apply, const struct record *record, struct err *err)
{
	apply->item_bytes += record->bytes;
	if (apply->body)
		return store_body_append(apply->store, record_payload(record),
			record->bytes, err);
	if (buf_append(&apply->text, record_payload(record), record->bytes))
		apply->overflow = true;
	return 0;
}

static void drop(struct apply *apply)
{
	if (apply->body)
		store_body_abort(apply->store);
	apply->body = false;
}

static int quarantine(struct apply *apply, const struct batch *batch,
	const struct record_item *item, const char *reason, const void *raw,
	size_t raw_bytes, struct err *err)
{
	struct store_quarantine object = {
		.folder = batch->folder,
		.uid = item->uid,
		.href = item->href,
		.reason = reason,
		.raw = raw,
		.raw_length = raw_bytes,
	};

	apply->quarantine = true;
	return store_quarantine_add(apply->store, &object, err);
}

static int put_message(struct apply *apply, const struct batch *batch,
	const struct record_item *item, bool header, struct err *err)
{
	struct store_message message = {
		.folder = batch->folder,
		.uid = item->uid,
		.size = item->size,
		.internal_date_s = item->received_s,
		.modseq = item->modseq,
		.protection = item->protection,
	};

	buf_clear(&apply->keywords);
	message.flags = flags_parse(item->flags, &apply->keywords);
	message.keywords = buf_text(&apply->keywords);
	if (header) {
		message.header = buf_text(&apply->text);
		message.header_length = apply->text.length;
		message.protection = protection_merge(item->protection,
			protection_from_header(
				message.header, message.header_length));
	} else if (apply->body) {
		apply->body = false;
		return store_message_put_whole(apply->store, &message, err);
	}
	return store_message_put(apply->store, &message, err);
}

static int put_object(struct apply *apply, const struct batch *batch,
	const struct record_item *item, struct err *err)
{
	struct pim_columns columns;
	struct err why = ERR_INIT;
	struct store_item row = {
		.folder = batch->folder,
		.href = item->href,
		.etag = item->etag ? item->etag : "",
		.text = buf_text(&apply->text),
		.length = apply->text.length,
	};
	int status;

	if (pim_parse(&columns, row.text, row.length, &why))
		return quarantine(apply, batch, item, why.text, row.text,
			row.length, err);
	row.kind = columns.kind;
	row.uid = columns.uid;
	row.summary = columns.title;
	row.email = columns.email;
	row.start_us = columns.start_us == PIM_NO_TIME ? 0 : columns.start_us;
	row.end_us = columns.end_us == PIM_NO_TIME ? 0 : columns.end_us;
	status = store_item_put(apply->store, &row, err);
	pim_columns_free(&columns);
	return status;
}

static int store_it(struct apply *apply, const struct batch *batch,
	const struct record_item *item, struct err *err)
{
	if (batch->dav)
		return put_object(apply, batch, item, err);
	if (batch->mode == FETCH_HEADERS)
		return put_message(apply, batch, item, true, err);
	if (batch->whole)
		return put_message(apply, batch, item, false, err);
	apply->body = false;
	return store_body_end(apply->store, batch->folder, item->uid, err);
}

static int item(
	struct apply *apply, const struct record *record, struct err *err)
{
	struct record_item it = record_item(record);
	const struct batch *batch = record->batch;

	apply->changes++;
	if (apply->overflow)
		return quarantine(apply, batch, &it,
			batch->dav ? "the object is longer than 16 MiB"
				   : "the header is longer than 16 MiB",
			buf_text(&apply->text), apply->text.length, err);
	apply->app_bytes += apply->item_bytes;
	apply->missized += is_body(batch) && it.size &&
		it.size != apply->item_bytes;
	apply->item_bytes = 0;
	if (apply->quarantine && !batch->rescue &&
		store_quarantine_remove(
			apply->store, batch->folder, it.uid, it.href, err))
		return -1;
	return store_it(apply, batch, &it, err);
}

static int failed(
	struct apply *apply, const struct record *record, struct err *err)
{
	struct record_item it = record_item(record);

	drop(apply);
	apply->changes++;
	return quarantine(apply, record->batch, &it, it.reason, it.raw,
		it.raw_bytes, err);
}

static int gone(
	struct apply *apply, const struct record *record, struct err *err)
{
	struct record_item it = record_item(record);
	int64_t folder = record->batch->folder;

	apply->changes++;
	if (apply->quarantine &&
		store_quarantine_remove(
			apply->store, folder, it.uid, it.href, err))
		return -1;
	if (it.href)
		return store_item_delete(apply->store, folder, it.href, err);
	return store_message_delete(apply->store, folder, it.uid, err);
}

static int flags(
	struct apply *apply, const struct record *record, struct err *err)
{
	struct record_item it = record_item(record);
	unsigned bits;

	apply->changes++;
	buf_clear(&apply->keywords);
	bits = flags_parse(it.flags, &apply->keywords);
	if (it.size &&
		store_message_set_size(apply->store, record->batch->folder,
			it.uid, it.size, err))
		return -1;
	return store_message_set_flags(apply->store, record->batch->folder,
		it.uid, bits, buf_text(&apply->keywords), it.modseq, err);
}

/* The folder's row tells the next run where this one got to; at the pass's
 * beginning, what its UIDs mean. */
static int pass(
	struct apply *apply, const struct record *record, struct err *err)
{
	struct record_pass done = record_pass(record);
	struct store_folder row;
	uint64_t dropped;
	int found = store_folder_get(apply->store, done.folder, &row, err);

	if (found <= 0)
		return found;
	row.validity = done.validity;
	row.uid_next = done.uid_next;
	row.modseq = done.modseq;
	row.server_count = done.count;
	row.verified = done.verified;
	free(row.token);
	row.token = xstrdup(done.token);
	found = store_folder_put(apply->store, &row, err);
	if (!found && done.detached)
		found = store_folder_drop_detached(
			apply->store, done.folder, &dropped, err);
	store_folder_free(&row);
	return found;
}

int apply_record(
	struct apply *apply, const struct record *record, struct err *err)
{
	switch (record->kind) {
	case RECORD_BEGIN:
		return begin(apply, record->batch, err);
	case RECORD_DATA:
		return data(apply, record, err);
	case RECORD_ITEM:
		return item(apply, record, err);
	case RECORD_DROP:
		drop(apply);
		return 0;
	case RECORD_FAILED:
		return failed(apply, record, err);
	case RECORD_GONE:
		return gone(apply, record, err);
	case RECORD_FLAGS:
		return flags(apply, record, err);
	case RECORD_DETACH:
		apply->changes++;
		return store_folder_detach(
			apply->store, record->batch->folder, 0, err);
	case RECORD_PASS:
		return pass(apply, record, err);
	case RECORD_WINDOW:
	case RECORD_CALL:
		break;
	}
	return 0;
}
