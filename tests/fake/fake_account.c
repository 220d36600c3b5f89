/*
 * fake_account.c - folders in arrays, served window by window. As a real
 * session does, it takes several windows before it answers the first. Test
 * code; the engine's network thread.
 */
#include "fake_account.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "alloc.h"
#include "err.h"
#include "source_driver.h"
#include "wire.h"

#define AHEAD 3

struct fake_source {
	struct source source;
	struct fake_account *account;
	struct wire *wire;
	bool dav;
	unsigned number; /* of the mail sessions */
	uint64_t trips;	 /* since it was opened */
	bool arrived;
};

static struct fake_account *served;
/* Each session has a thread of its own. */
static pthread_mutex_t serving_mutex = PTHREAD_MUTEX_INITIALIZER;

struct fake_folder *fake_add_folder(struct fake_account *account,
	const char *path, enum collection_kind kind, bool dav)
{
	struct fake_folder *folder = &account->folders[account->count++];

	folder->path = path;
	folder->kind = kind;
	folder->dav = dav;
	folder->validity = 1000 + (uint32_t)account->count;
	folder->uid_next = 1;
	folder->modseq = 1;
	return folder;
}

struct fake_folder *fake_folder(struct fake_account *account, const char *path)
{
	for (size_t i = 0; i < account->count; i++)
		if (!account->folders[i].gone &&
			strcmp(account->folders[i].path, path) == 0)
			return &account->folders[i];
	return NULL;
}

struct fake_message *fake_add(
	struct fake_folder *folder, const char *text, size_t length)
{
	struct fake_message *message = &folder->messages[folder->count++];

	memset(message, 0, sizeof *message);
	message->length = length ? length : strlen(text);
	message->text = xcalloc(1, message->length + 1);
	memcpy(message->text, text, message->length);
	message->uid = folder->uid_next++;
	message->received_s = 1000000 + message->uid;
	message->flags = "\\Seen";
	message->modseq = ++folder->modseq;
	return message;
}

struct fake_message *fake_add_mail(struct fake_folder *folder, size_t bytes)
{
	char *head = xasprintf("From: a@example.org\r\n"
			       "Subject: number %u\r\n"
			       "Message-ID: <%s.%u@example.org>\r\n\r\n",
		folder->uid_next, folder->path, folder->uid_next);
	size_t length = strlen(head) + bytes;
	char *text = xcalloc(1, length);
	struct fake_message *message;

	memset(text, 'x', length);
	memcpy(text, head, strlen(head));
	message = fake_add(folder, text, length);
	free(text);
	free(head);
	return message;
}

struct fake_message *fake_find(struct fake_folder *folder, uint32_t uid)
{
	for (size_t i = 0; i < folder->count; i++)
		if (folder->messages[i].uid == uid)
			return &folder->messages[i];
	return NULL;
}

void fake_expunge(struct fake_folder *folder, uint32_t uid)
{
	struct fake_message *message = fake_find(folder, uid);
	size_t at = (size_t)(message - folder->messages);

	free(message->text);
	memmove(message, message + 1,
		(folder->count - at - 1) * sizeof *message);
	folder->count--;
	folder->modseq++;
}

void fake_free(struct fake_account *account)
{
	for (size_t i = 0; i < account->count; i++)
		for (size_t j = 0; j < account->folders[i].count; j++)
			free(account->folders[i].messages[j].text);
}

/* ------------------------------------------------------------------ list */

static int tell(const struct fake_folder *folder,
	int (*each)(void *context, const struct collection *collection,
		struct err *err),
	void *context, struct err *err)
{
	char wire[80];
	char token[40];
	struct collection one = {
		.kind = folder->kind,
		.selectable = true,
		.dav = folder->dav,
		.path = (char *)folder->path,
		.wire = wire,
		.delimiter = '/',
		.items = folder->count,
		.state_known = true,
	};

	if (folder->dav) {
		one.token = token;
	} else {
		one.uid_validity = folder->validity;
		one.uid_next = folder->uid_next;
		one.modseq = folder->modseq;
	}
	for (size_t i = 0; i < folder->count; i++)
		one.bytes += folder->messages[i].length;
	snprintf(wire, sizeof wire, "%s%s", folder->dav ? "/dav/" : "",
		folder->path);
	snprintf(token, sizeof token, "t%llu",
		(unsigned long long)folder->modseq);
	return each(context, &one, err);
}

static int list(struct source *source,
	int (*each)(void *context, const struct collection *collection,
		struct err *err),
	void *context, struct err *err)
{
	struct fake_source *fake = (struct fake_source *)source;

	for (size_t i = 0; i < fake->account->count; i++) {
		struct fake_folder *folder = &fake->account->folders[i];

		if (folder->gone || folder->dav != fake->dav)
			continue;
		wire_count_socket(fake->wire, 1, 0);
		if (tell(folder, each, context, err))
			return -1;
	}
	return 0;
}

/* ----------------------------------------------------------------- fetch */

struct serving {
	struct fake_account *account;
	struct wire *wire;
	struct fake_folder *folder;
	const struct feed *feed;
	const struct window *window;
	bool cut; /* the connection dies in this window */
	unsigned items;
};

static int lost(struct err *err)
{
	return err_set(err, ERR_NETWORK, "fake: the connection was cut");
}

static size_t data_length(
	const struct serving *serving, const struct fake_message *message)
{
	const char *end;

	if (serving->window->mode == FETCH_FULL)
		return message->length;
	end = memmem(message->text, message->length, "\r\n\r\n", 4);
	return end ? (size_t)(end - message->text) + 4 : message->length;
}

static int send_data(
	struct serving *serving, struct fake_message *message, struct err *err)
{
	const struct sink *sink = serving->feed->sink;
	void *context = serving->feed->context;
	size_t length = data_length(serving, message);
	size_t half = length / 2;

	wire_count_socket(serving->wire, half, 0);
	if (sink->begin(context, serving->window, length, err) ||
		(half &&
			sink->data(context, serving->window, message->text,
				half, err)))
		return -1;
	wire_count_socket(serving->wire, length - half, 0);
	if (serving->cut && serving->items == serving->account->cut_item)
		return lost(err);
	if (serving->window->mode == FETCH_FULL)
		message->served_bodies++;
	else
		message->served_headers++;
	return length > half ? sink->data(context, serving->window,
				       message->text + half, length - half, err)
			     : 0;
}

static int refuse(struct serving *serving, const struct item *item,
	const struct fake_message *message, struct err *err)
{
	if (message->lethal && serving->window->count > 1)
		return lost(err);
	return serving->feed->sink->failed(serving->feed->context,
		serving->window, item->id,
		message->lethal ? FAULT_DISCONNECT : FAULT_UNPARSABLE,
		"fake poison", "raw", 3, err);
}

static int serve_message(
	struct serving *serving, struct fake_message *message, struct err *err)
{
	static const char structure[] =
		"(\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 1 1)";
	char href[120];
	char etag[40];
	int off = serving->window->mode == FETCH_LIST ? message->off_listed
						      : message->off_fetched;
	struct item item = {
		.id = {message->uid, NULL},
		.size = (uint64_t)((int64_t)message->length + off),
		.received_s = message->received_s,
		.flags = message->flags,
		.modseq = message->modseq,
	};

	if (serving->folder->dav) {
		snprintf(href, sizeof href, "/dav/%s/%u.ics",
			serving->folder->path, message->uid);
		snprintf(etag, sizeof etag, "\"%llu\"",
			(unsigned long long)message->modseq);
		item.id = (struct item_id){0, href};
		item.etag = etag;
		item.modseq = 0;
	}
	if ((message->poison || message->lethal) &&
		serving->window->mode == FETCH_FULL)
		return refuse(serving, &item, message, err);
	if (serving->window->mode != FETCH_LIST) {
		if (send_data(serving, message, err))
			return -1;
		wire_count_socket(serving->wire, 1, 0);
		item.data_bytes = data_length(serving, message);
	}
	if (serving->window->mode == FETCH_HEADERS) {
		item.structure = structure;
		item.structure_bytes = strlen(structure);
	}
	serving->items++;
	return serving->feed->sink->end(
		serving->feed->context, serving->window, &item, err);
}

static struct fake_message *find(
	struct fake_folder *folder, const struct item_id *id)
{
	if (!id->href)
		return fake_find(folder, id->uid);
	return fake_find(folder,
		(uint32_t)strtoul(strrchr(id->href, '/') + 1, NULL, 10));
}

static int serve_items(struct serving *serving, struct err *err)
{
	const struct window *window = serving->window;
	struct fake_folder *folder = serving->folder;

	for (size_t i = 0; !window->count && i < folder->count; i++)
		if (serve_message(serving, &folder->messages[i], err))
			return -1;
	for (size_t i = 0; i < window->count; i++) {
		struct fake_message *message = find(folder, &window->ids[i]);

		if (message ? serve_message(serving, message, err)
			    : serving->feed->sink->gone(serving->feed->context,
				      window, window->ids[i], err))
			return -1;
	}
	return 0;
}

static struct fake_folder *folder_of(
	struct fake_account *account, const struct collection *collection)
{
	for (size_t i = 0; i < account->count; i++)
		if (!account->folders[i].gone &&
			account->folders[i].dav == collection->dav &&
			strcmp(account->folders[i].path, collection->path) == 0)
			return &account->folders[i];
	return NULL;
}

static int serve_folder(struct serving *serving, struct err *err)
{
	const struct feed *feed = serving->feed;
	struct fake_folder *folder = serving->folder;
	struct collection_state state = {
		.uid_validity = folder->dav ? 0 : folder->validity,
		.uid_next = folder->uid_next,
		.modseq = folder->modseq,
		.items = folder->count,
		.complete = true,
	};
	char token[40];

	snprintf(token, sizeof token, "t%llu",
		(unsigned long long)folder->modseq);
	if (feed->sink->state(feed->context, serving->window, &state, err) ||
		serve_items(serving, err))
		return -1;
	if (serving->cut)
		return lost(err);
	return feed->sink->window_end(feed->context, serving->window,
		WINDOW_DONE, folder->dav ? token : NULL, err);
}

static int serve(struct fake_source *fake, const struct feed *feed,
	const struct window *window, struct err *err)
{
	struct serving serving = {
		fake->account, fake->wire, NULL, feed, window, false, 0};
	struct fake_account *account = fake->account;

	account->windows++;
	wire_count_socket(fake->wire, 1, 0);
	fake->trips += fake->number > 1 ? account->further_trips : 0;
	if (account->before)
		account->before(account, account->windows);
	serving.cut = account->windows == account->cut_window ||
		(fake->number && fake->number == account->cut_session);
	serving.folder = folder_of(account, window->collection);
	if (!serving.folder)
		return feed->sink->window_end(
			feed->context, window, WINDOW_NO_COLLECTION, NULL, err);
	if (window->collection->uid_validity &&
		window->collection->uid_validity != serving.folder->validity)
		return feed->sink->window_end(
			feed->context, window, WINDOW_NEW_VALIDITY, NULL, err);
	return serve_folder(&serving, err);
}

static void await_others(struct fake_source *fake)
{
	const struct timespec nap = {0, 1000000};
	struct fake_account *account = fake->account;
	unsigned naps = 10000;
	unsigned here;

	if (fake->dav)
		return;
	pthread_mutex_lock(&serving_mutex);
	account->arrived += !fake->arrived;
	fake->arrived = true;
	do {
		here = account->arrived + account->refused;
		pthread_mutex_unlock(&serving_mutex);
		if (here < account->await)
			nanosleep(&nap, NULL);
		pthread_mutex_lock(&serving_mutex);
	} while (here < account->await && --naps);
	pthread_mutex_unlock(&serving_mutex);
}

static int fetch(
	struct source *source, const struct feed *feed, struct err *err)
{
	struct fake_source *fake = (struct fake_source *)source;
	struct window ahead[AHEAD];
	size_t count = 0;
	int status;
	int got;

	for (;;) {
		got = 1;
		while (count < AHEAD && got > 0) {
			got = feed->next(feed->context, &ahead[count], err);
			count += got > 0;
		}
		if (got < 0)
			return -1;
		if (!count)
			return 0;
		await_others(fake);
		pthread_mutex_lock(&serving_mutex);
		status = serve(fake, feed, &ahead[0], err);
		pthread_mutex_unlock(&serving_mutex);
		if (status)
			return -1;
		count--;
		memmove(ahead, ahead + 1, count * sizeof *ahead);
	}
}

static unsigned features(const struct source *source)
{
	(void)source;
	return SOURCE_SIZES | SOURCE_STATE;
}

static const char *server(const struct source *source)
{
	(void)source;
	return "fake";
}

static uint64_t round_trips(const struct source *source)
{
	return 1 + ((const struct fake_source *)source)->trips;
}

static void close_source(struct source *source)
{
	struct fake_source *fake = (struct fake_source *)source;

	pthread_mutex_lock(&serving_mutex);
	fake->account->open -= !fake->dav;
	pthread_mutex_unlock(&serving_mutex);
	free(source);
}

static struct source_line line(const struct source *source)
{
	const struct fake_source *fake = (const struct fake_source *)source;

	return (struct source_line){
		.round_trip_us = fake->account->round_trip_us,
		.commands_max = 1,
	};
}

static const struct source_driver driver = {
	list, fetch, features, server, round_trips, close_source, line};

/* ------------------------------------------------------------------ open */

void fake_serve(struct fake_account *account)
{
	served = account;
}

static int open_source(
	struct source **source, bool dav, struct wire *wire, struct err *err)
{
	static const enum err_kind kinds[] = {
		[FAKE_NETWORK] = ERR_NETWORK,
		[FAKE_AUTH] = ERR_AUTH,
		[FAKE_THROTTLED] = ERR_THROTTLED,
	};
	struct fake_source *fake;
	unsigned number;
	bool refuse;

	pthread_mutex_lock(&serving_mutex);
	refuse = !dav &&
		(served->fail_open ||
			(served->open_max && served->open >= served->open_max));
	served->fail_open -= refuse && served->fail_open;
	number = dav ? 0 : ++served->sessions;
	served->refused += refuse;
	served->open += !dav && !refuse;
	pthread_mutex_unlock(&serving_mutex);
	if (refuse)
		return err_set(err, kinds[served->fail_kind],
			"fake: will not let us in");
	fake = xcalloc(1, sizeof *fake);
	fake->number = number;
	fake->source.driver = &driver;
	fake->account = served;
	fake->wire = wire;
	fake->dav = dav;
	*source = &fake->source;
	return 0;
}

int fake_open_mail(struct source **source, const struct account *account,
	const char *password, const struct source_options *options,
	struct wire *wire, struct err *err)
{
	(void)account;
	(void)password;
	(void)options;
	return open_source(source, false, wire, err);
}

int fake_open_dav(struct source **source, const struct account *account,
	const char *password, const struct source_options *options,
	struct wire *wire, struct err *err)
{
	(void)account;
	(void)password;
	(void)options;
	return open_source(source, true, wire, err);
}
