/*
 * mail_fill.c - put the generated folders and messages into an account.
 *
 * Several APPENDs are in flight: one after another, each would wait for the
 * round trip and, on loopback, for the server's delayed acknowledgement.
 * Runs on the thread of its account.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "account_fill.h"
#include "alloc.h"
#include "buf.h"
#include "err.h"
#include "imap_client.h"
#include "letter.h"
#include "mailbox.h"
#include "manifest.h"
#include "tree.h"
#include "wire.h"

#define IN_FLIGHT	32
#define IN_FLIGHT_BYTES (4u << 20)
#define ANSWER_MAX	(1u << 20)
#define NAME_MAX_BYTES	4096

/* A command sent and not yet waited for, with the bytes it carried. */
struct flight {
	uint32_t tag;
	size_t bytes;
};

/* Message-IDs that a folder holds, sorted. */
struct id_list {
	char **id;
	size_t count, capacity;
};

struct session {
	const struct account_fill *fill;
	struct imap_client *client;
	char separator;
	char prefix[128];
	unsigned exists; /* of the last STATUS */
	struct id_list ids;
	struct flight flight[IN_FLIGHT];
	unsigned first, count; /* a ring */
	size_t bytes;
};

/* ("" "/") or ("INBOX." "."): the first personal namespace, RFC 2342. */
static void take_namespace(void *context, const char *text, size_t length)
{
	struct session *session = context;
	const char *at;
	size_t used;

	(void)length;
	if (strncasecmp(text, "NAMESPACE ((\"", 13) != 0)
		return;
	at = text + 13;
	used = strcspn(at, "\"");
	if (used >= sizeof(session->prefix) || at[used] != '"')
		return;
	memcpy(session->prefix, at, used);
	session->prefix[used] = '\0';
	if (strncmp(at + used, "\" \"", 3) == 0 && at[used + 3] != '"')
		session->separator = at[used + 3];
}

static void take_status(void *context, const char *text, size_t length)
{
	struct session *session = context;
	const char *at;

	(void)length;
	if (strncasecmp(text, "STATUS ", 7) != 0)
		return;
	at = strrchr(text, '(');
	if (at && strncasecmp(at, "(MESSAGES ", 10) == 0)
		session->exists = (unsigned)strtoul(at + 10, NULL, 10);
}

static void take_id(void *context, const char *text, size_t length)
{
	struct id_list *ids = &((struct session *)context)->ids;
	const char *from = memchr(text, '<', length);
	const char *to = from
		? memchr(from, '>', length - (size_t)(from - text))
		: NULL;

	if (!to)
		return;
	if (ids->count == ids->capacity) {
		ids->capacity = ids->capacity ? 2 * ids->capacity : 64;
		ids->id = xrealloc(ids->id, ids->capacity, sizeof(*ids->id));
	}
	ids->id[ids->count++] = xstrndup(from + 1, (size_t)(to - from - 1));
}

static int by_text(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

static bool has_id(const struct id_list *ids, const char *id)
{
	return ids->count &&
		bsearch(&id, ids->id, ids->count, sizeof(*ids->id), by_text) !=
		NULL;
}

static void forget_ids(struct id_list *ids)
{
	for (size_t i = 0; i < ids->count; i++)
		free(ids->id[i]);
	free(ids->id);
	*ids = (struct id_list){NULL, 0, 0};
}

/* Wait for the oldest command in flight. */
static int land_one(struct session *session, struct err *err)
{
	struct flight *flight = &session->flight[session->first];
	struct imap_result result;

	session->first = (session->first + 1) % IN_FLIGHT;
	session->count--;
	session->bytes -= flight->bytes;
	if (imap_client_wait(session->client, flight->tag, &result, err) < 0)
		return -1;
	return imap_result_check(&result, "APPEND", err);
}

static int land_all(struct session *session, struct err *err)
{
	while (session->count)
		if (land_one(session, err) < 0)
			return -1;
	return 0;
}

static int take_off(struct session *session, size_t bytes, struct err *err)
{
	struct flight *flight;

	while (session->count == IN_FLIGHT ||
		(session->count && session->bytes + bytes > IN_FLIGHT_BYTES))
		if (land_one(session, err) < 0)
			return -1;
	flight =
		&session->flight[(session->first + session->count) % IN_FLIGHT];
	flight->bytes = bytes;
	session->bytes += bytes;
	session->count++;
	return imap_client_end(session->client, true, &flight->tag, err);
}

/* One command with a mailbox name in it, and its result. */
static int run_on(struct session *session, const char *before, const char *name,
	const char *after, struct imap_result *result, struct err *err)
{
	uint32_t tag;

	imap_client_begin(session->client);
	imap_client_text(session->client, before);
	imap_client_string(session->client, name);
	imap_client_text(session->client, after);
	if (imap_client_end(session->client, true, &tag, err) < 0)
		return -1;
	return imap_client_wait(session->client, tag, result, err);
}

/* The folder exists afterwards, and session->ids are its Message-IDs. */
static int open_folder(
	struct session *session, const char *name, struct err *err)
{
	struct imap_result result, created;

	session->exists = 0;
	imap_client_on_untagged(
		session->client, take_status, session, ANSWER_MAX);
	if (run_on(session, "CREATE ", name, "", &created, err) < 0 ||
		run_on(session, "STATUS ", name, " (MESSAGES)", &result, err) <
			0)
		return -1;
	if (result.status != IMAP_OK)
		return imap_result_check(
			created.status == IMAP_OK ? &result : &created,
			"CREATE", err);
	if (created.status == IMAP_OK &&
		run_on(session, "SUBSCRIBE ", name, "", &result, err) < 0)
		return -1;
	if (!session->exists)
		return 0;
	imap_client_on_untagged(session->client, take_id, session, ANSWER_MAX);
	if (run_on(session, "EXAMINE ", name, "", &result, err) < 0 ||
		imap_result_check(&result, "EXAMINE", err) < 0 ||
		imap_client_run(session->client,
			"FETCH 1:* (BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])",
			err) < 0 ||
		/* A server tells of every APPEND to the selected folder, and
		 * a mailbox opened by EXAMINE loses nothing by CLOSE. */
		imap_client_run(session->client, "CLOSE", err) < 0)
		return -1;
	qsort(session->ids.id, session->ids.count, sizeof(*session->ids.id),
		by_text);
	return 0;
}

static int append(struct session *session, const char *name,
	const struct letter *letter, struct err *err)
{
	struct fill_counts *counts = session->fill->counts;
	char date[32];

	imap_client_begin(session->client);
	imap_client_text(session->client, "APPEND ");
	imap_client_string(session->client, name);
	imap_client_text(session->client, " (");
	imap_client_text(session->client, letter->seen ? "\\Seen" : "");
	imap_client_text(
		session->client, letter->seen && letter->flagged ? " " : "");
	imap_client_text(session->client, letter->flagged ? "\\Flagged" : "");
	imap_client_text(session->client, ") \"");
	imap_client_text(
		session->client, letter_internal_date(letter->date_s, date));
	imap_client_text(session->client, "\" ");
	imap_client_literal(
		session->client, letter->text.data, letter->text.length);
	if (take_off(session, letter->text.length, err) < 0)
		return -1;
	atomic_fetch_add(&counts->messages, 1);
	atomic_fetch_add(&counts->bytes, letter->text.length);
	return 0;
}

/* Our path as the server shows it: its prefix, its separator, in UTF-8. */
static char *shown_path(const struct session *session, const char *path)
{
	bool inbox = strcmp(path, "INBOX") == 0;
	char *shown = xasprintf("%s%s", inbox ? "" : session->prefix, path);

	for (char *at = shown + strlen(shown) - strlen(path); *at; at++)
		if (*at == TREE_SEPARATOR)
			*at = session->separator;
	return shown;
}

static int fill_folder(struct session *session, const struct tree *tree,
	unsigned number, const char *name, struct err *err)
{
	const struct account_fill *fill = session->fill;
	const struct tree_folder *folder = &tree->folder[number];
	bool notes = fill->mailbox->mail_notes && number == tree->count - 1;
	char *shown = shown_path(session, folder->path);
	int result = open_folder(session, name, err);

	for (unsigned i = 0; result == 0 && i < folder->messages; i++) {
		/* The oldest first, as mail arrives. */
		unsigned index = folder->messages - 1 - i;
		struct letter letter;

		letter_make(fill->mailbox, fill->user, number, notes, index,
			&letter);
		if (has_id(&session->ids, letter.id))
			atomic_fetch_add(&fill->counts->found, 1);
		else
			result = append(session, name, &letter, err);
		if (fill->manifest && result == 0)
			manifest_letter(fill->manifest, fill->user, shown,
				index, &letter);
		letter_free(&letter);
	}
	if (result == 0)
		result = land_all(session, err);
	forget_ids(&session->ids);
	free(shown);
	return result < 0 ? err_context(err, "folder %s", folder->path) : 0;
}

static int fill_tree(struct session *session, struct err *err)
{
	struct buf name = BUF_INIT(NAME_MAX_BYTES);
	struct tree tree;
	int result = 0;

	imap_client_on_untagged(
		session->client, take_namespace, session, ANSWER_MAX);
	if (imap_client_has(session->client, "NAMESPACE") &&
		imap_client_run(session->client, "NAMESPACE", err) < 0)
		return -1;
	tree_make(session->fill->mailbox, &tree);
	for (unsigned i = 0; result == 0 && i < tree.count; i++) {
		buf_clear(&name);
		tree_server_name(tree.folder[i].path, session->prefix,
			session->separator, &name);
		result = fill_folder(session, &tree, i, buf_text(&name), err);
	}
	tree_free(&tree);
	buf_free(&name);
	return result;
}

int fill_mail(const struct account_fill *fill, struct err *err)
{
	struct session session = {.fill = fill, .separator = TREE_SEPARATOR};
	struct stream_options options = {
		.endpoint = *fill->imap,
		.ca_file = fill->ca_file,
	};
	struct wire *wire = wire_new();
	int result = imap_client_open(&session.client, &options, wire, err);

	if (result == 0) {
		result = imap_client_login(
			session.client, fill->user, fill->password, err);
		if (result == 0)
			result = fill_tree(&session, err);
		imap_client_close(session.client);
	}
	wire_free(wire);
	return result;
}
