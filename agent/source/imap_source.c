/*
 * imap_source.c - an IMAP account as a source: the session and the listing
 * of folders. The bulk is in imap_fetch.c. Runs on the source's thread.
 */
#include "imap_source.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alloc.h"
#include "clock.h"
#include "err.h"
#include "imap_list.h"
#include "imap_text.h"
#include "quirks.h"
#include "stream.h"
#include "wire.h"

#define COMMAND_MAX (256u * 1024)
#define COMMAND_US  (300 * US_PER_S)
#define BYTES_S_MIN 1000
#define LOGOUT_US   (2 * US_PER_S)

static void drop_listing(struct imap_listing *listing)
{
	imap_folders_free(&listing->folders);
	listing->list_tag = 0;
	listing->granted = false;
}

static void disconnect(struct imap_source *source)
{
	drop_listing(&source->ahead);
	if (!source->stream)
		return;
	imap_reader_free(&source->reader);
	stream_close(source->stream);
	source->stream = NULL;
	imap_session_free(&source->session);
}

static void logout(struct imap_source *source)
{
	struct buf command = BUF_INIT(64);

	buf_append_text(&command, "LOGOUT");
	stream_set_deadline(source->stream, clock_monotonic_us() + LOGOUT_US);
	/* The answer is not waited for: nobody would do anything with it. */
	if (imap_send(source, &command, NULL))
		(void)stream_flush(source->stream, NULL);
	buf_free(&command);
}

/* What comes unasked while a single answer is awaited. */
static int drop(void *context, const struct imap_scan *scan, uint64_t bytes,
	struct err *err)
{
	(void)context;
	(void)scan;
	(void)bytes;
	(void)err;
	return 0;
}

/* The next answer that is no FETCH: news of a message may come with any
 * command while a folder is open (RFC 9051 7.5.2). */
static int receive(
	struct imap_source *source, struct answer *answer, struct err *err)
{
	const struct body_sink nothing = {.begin = drop};

	for (;;) {
		if (imap_receive(source, answer, err) < 0)
			return -1;
		if (answer->kind != ANSWER_FETCH)
			return 0;
		if (imap_read_fetch(&source->reader, &nothing, err) < 0)
			return -1;
	}
}

/* With nothing in flight: 1 when compressed, 0 when refused, -1. */
static int compress(struct imap_source *source, struct err *err)
{
	struct buf command = BUF_INIT(64);
	struct answer answer = {.kind = ANSWER_UNTAGGED};
	int64_t patience_us = source->options.command_us
		? source->options.command_us
		: COMMAND_US;
	int status;

	buf_append_text(&command, "COMPRESS DEFLATE");
	stream_set_deadline(source->stream, clock_monotonic_us() + patience_us);
	status = imap_send(source, &command, err) ? 0 : -1;
	buf_free(&command);
	while (status == 0 && answer.kind != ANSWER_TAGGED)
		status = receive(source, &answer, err);
	stream_set_deadline(source->stream, 0);
	if (status == 0 && answer.status == ANSWER_OK)
		return stream_deflate(source->stream, err) < 0 ? -1 : 1;
	return status;
}

/* The parting words say more than the end of the stream. */
static int parted(const struct imap_source *source, struct err *err)
{
	if (source->bye.kind && err && err->kind == ERR_NETWORK)
		*err = source->bye;
	return -1;
}

static int connect_once(struct imap_source *source, bool bare, struct err *err)
{
	const struct stream_options options = {
		.endpoint = source->endpoint,
		.ca_file = source->ca_file,
		.connect_us = source->options.connect_us,
		.stall_us = source->options.stall_us,
	};
	const struct imap_login login = {
		.user = source->user,
		.password = source->password,
		.security = source->endpoint.security,
		.bare = bare,
		.command_us = source->options.command_us,
	};
	int status;

	disconnect(source);
	source->bye = ERR_INIT;
	if (stream_open(&source->stream, &options, source->wire, err) < 0)
		return -1;
	imap_reader_init(&source->reader, source->stream);
	status = imap_session_start(
		&source->session, source->stream, &login, err);
	source->round_trips += source->session.round_trips + 1;
	source->newest_tag = source->answered_tag = source->trip_tag = 0;
	if (status == 0) {
		bool offered = source->session.caps & CAP_COMPRESS && !bare;

		packing_session(&source->packing, offered);
		if (offered && packing_wanted(&source->packing))
			status = imap_repack(source, err);
	}
	source->idle = status == 0;
	if (status < 0)
		disconnect(source);
	return status;
}

int imap_repack(struct imap_source *source, struct err *err)
{
	int result;

	if (!packing_wanted(&source->packing)) {
		logout(source);
		return imap_connect(source, err);
	}
	result = compress(source, err);
	if (result >= 0)
		packing_settled(&source->packing, result == 0);
	return result < 0 ? -1 : 0;
}

int imap_connect(struct imap_source *source, struct err *err)
{
	struct err first = ERR_INIT;

	if (connect_once(source, false, &first) == 0)
		return 0;
	/* What libetpan cannot read may be an answer we can do without. */
	if (first.kind == ERR_PROTOCOL && connect_once(source, true, NULL) == 0)
		return 0;
	if (err)
		*err = first;
	return -1;
}

unsigned imap_send(
	struct imap_source *source, const struct buf *command, struct err *err)
{
	unsigned tag = ++source->newest_tag;
	struct buf line = BUF_INIT(COMMAND_MAX);
	int status;

	if (buf_printf(&line, "F%u ", tag) < 0 ||
		buf_append(&line, command->data, command->length) < 0 ||
		buf_append(&line, "\r\n", 2) < 0)
		status = err_set(err, ERR_LIMIT, "%s: a command too long",
			stream_name(source->stream));
	else
		status = stream_write(
			source->stream, line.data, line.length, err);
	buf_free(&line);
	/* All commands of a trip were sent before the first of them was
	 * answered. */
	if (source->answered_tag >= source->trip_tag) {
		source->trip_tag = tag;
		source->round_trips++;
	}
	if (status < 0)
		(void)parted(source, err);
	return status < 0 ? 0 : tag;
}

void imap_allow(struct imap_source *source, uint64_t bytes)
{
	int64_t allowed_us = source->options.command_us
		? source->options.command_us
		: COMMAND_US;

	stream_set_deadline(source->stream,
		clock_monotonic_us() + allowed_us +
			(int64_t)(bytes / BYTES_S_MIN) * US_PER_S);
}

int imap_receive(
	struct imap_source *source, struct answer *answer, struct err *err)
{
	if (imap_read_answer(&source->reader, answer, err) < 0)
		return parted(source, err);
	if (answer->kind == ANSWER_TAGGED)
		source->answered_tag = answer->tag;
	else if (answer->kind == ANSWER_UNTAGGED &&
		strncasecmp(answer->text, "BYE", 3) == 0)
		err_set(&source->bye,
			imap_error_kind(
				answer->text + 3 + (answer->text[3] == ' '),
				ERR_NETWORK),
			"%s: the server ends the session: %.300s",
			stream_name(source->stream), answer->text);
	return 0;
}

int imap_refusal(const struct imap_source *source, const char *what,
	const char *text, enum err_kind fallback, struct err *err)
{
	return err_set(err, imap_error_kind(text, fallback), "%s: %s: %s",
		stream_name(source->stream), what, text);
}

/*
 * Take untagged answers until the command TAG ends. 1 for OK, 0 for NO or
 * BAD, -1 for a broken session or a server that asks us to go away.
 */
static int collect(struct imap_source *source, unsigned tag,
	struct imap_folders *folders, struct err *err)
{
	struct answer answer;

	for (;;) {
		imap_allow(source, 0);
		if (receive(source, &answer, err) < 0)
			return -1;
		if (answer.kind == ANSWER_UNTAGGED) {
			imap_folders_take(folders, answer.text, answer.length);
			continue;
		}
		if (answer.tag != tag)
			return err_set(err, ERR_PROTOCOL,
				"%s: answers out of order",
				stream_name(source->stream));
		if (answer.status == ANSWER_OK)
			return 1;
		if (imap_error_kind(answer.text, ERR_REFUSED) == ERR_THROTTLED)
			return imap_refusal(source, "folders", answer.text,
				ERR_THROTTLED, err);
		return 0;
	}
}

static const char *status_items(const struct imap_source *source)
{
	unsigned caps = source->session.caps;

	if (caps & CAP_CONDSTORE)
		return caps & CAP_STATUS_SIZE ? "(MESSAGES UIDNEXT UIDVALIDITY "
						"HIGHESTMODSEQ SIZE)"
					      : "(MESSAGES UIDNEXT UIDVALIDITY "
						"HIGHESTMODSEQ)";
	return caps & CAP_STATUS_SIZE ? "(MESSAGES UIDNEXT UIDVALIDITY SIZE)"
				      : "(MESSAGES UIDNEXT UIDVALIDITY)";
}

int imap_ask_folders(struct imap_source *source, bool with_status,
	struct imap_listing *listing, struct err *err)
{
	unsigned caps = source->session.caps;
	struct buf command = BUF_INIT(1024);

	listing->spaces_tag = 0;
	if (caps & CAP_NAMESPACE && !listing->folders.space_count) {
		buf_append_text(&command, "NAMESPACE");
		listing->spaces_tag = imap_send(source, &command, err);
		buf_clear(&command);
		if (!listing->spaces_tag)
			return -1;
	}
	buf_append_text(&command, "LIST \"\" \"*\"");
	if (with_status)
		buf_printf(&command, " RETURN (%sSTATUS %s)",
			caps & CAP_SPECIAL_USE ? "SPECIAL-USE " : "",
			status_items(source));
	else if (caps & CAP_SPECIAL_USE && caps & CAP_LIST_EXTENDED)
		buf_append_text(&command, " RETURN (SPECIAL-USE)");
	listing->list_tag = imap_send(source, &command, err);
	buf_free(&command);
	return listing->list_tag ? 0 : -1;
}

/* 1: listed, 0: refused, -1. */
static int run_list(struct imap_source *source, bool with_status,
	struct imap_listing *listing, struct err *err)
{
	struct imap_folders *folders = &listing->folders;

	if (listing->granted)
		return 1;
	if (imap_ask_folders(source, with_status, listing, err) < 0 ||
		(listing->spaces_tag &&
			collect(source, listing->spaces_tag, folders, err) < 0))
		return -1;
	return collect(source, listing->list_tag, folders, err);
}

/* STATUS of every folder whose state is not known, several in flight. */
static int run_statuses(struct imap_source *source,
	struct imap_folders *folders, struct err *err)
{
	unsigned depth = source->session.quirks->commands_max;
	unsigned first_tag = source->newest_tag + 1;
	size_t next = 0;

	for (;;) {
		while (next < folders->count &&
			source->newest_tag + 1 - first_tag < depth) {
			const struct collection *folder =
				&folders->folder[next++].collection;
			struct buf command = BUF_INIT(COMMAND_MAX);
			unsigned tag;

			if (!folder->selectable || folder->state_known)
				continue;
			buf_append_text(&command, "STATUS ");
			imap_quote(&command, folder->wire);
			buf_printf(&command, " %s", status_items(source));
			tag = imap_send(source, &command, err);
			buf_free(&command);
			if (!tag)
				return -1;
		}
		if (source->newest_tag + 1 == first_tag)
			return 0;
		if (collect(source, first_tag++, folders, err) < 0)
			return -1;
	}
}

static int hand_out(struct imap_source *source, struct imap_folders *folders,
	int (*each)(void *context, const struct collection *collection,
		struct err *err),
	void *context, struct err *err)
{
	bool hide_all = source->session.quirks->all_folder_hidden;
	size_t i;

	for (i = 0; i < folders->count; i++) {
		struct imap_folder *folder = &folders->folder[i];

		if (folder->gone)
			continue;
		if (hide_all && folder->collection.special == SPECIAL_ALL)
			folder->collection.selectable = false;
		if (each(context, &folder->collection, err) < 0)
			return -1;
	}
	return 0;
}

static int list(struct source *base,
	int (*each)(void *context, const struct collection *collection,
		struct err *err),
	void *context, struct err *err)
{
	struct imap_source *source = (struct imap_source *)base;
	struct imap_listing listing;
	struct imap_folders *folders = &listing.folders;
	bool with_status = source->session.caps & CAP_LIST_STATUS;
	int result;

	if (!source->ahead.granted)
		drop_listing(&source->ahead);
	listing = source->ahead;
	source->ahead = (struct imap_listing){.granted = false};
	source->idle = false;
	result = run_list(source, with_status, &listing, err);
	if (result == 0 && with_status)
		result = run_list(source, false, &listing, err);
	if (result == 0)
		result = err_set(err, ERR_REFUSED,
			"%s: refuses to list the folders of %s",
			stream_name(source->stream), source->user);
	if (result > 0) {
		imap_folders_settle(folders);
		result = run_statuses(source, folders, err);
	}
	if (result == 0) {
		source->idle = true;
		result = hand_out(source, folders, each, context, err);
	}
	if (result == 0 && folders->unread)
		result = 1;
	imap_folders_free(folders);
	return result;
}

static unsigned features(const struct source *base)
{
	const struct imap_source *source = (const struct imap_source *)base;
	unsigned delta = source->session.caps & CAP_QRESYNC
		? SOURCE_DELTA | SOURCE_VANISHED
		: 0;

	return SOURCE_SIZES | SOURCE_STATE | delta;
}

static const char *server(const struct source *base)
{
	return ((const struct imap_source *)base)->session.server;
}

static uint64_t round_trips(const struct source *base)
{
	return ((const struct imap_source *)base)->round_trips;
}

static struct source_line line(const struct source *base)
{
	const struct imap_source *source = (const struct imap_source *)base;

	return (struct source_line){
		.round_trip_us = source->session.round_trip_us,
		.commands_max = source->session.quirks->commands_max,
		.compress = source->packing.state == PACKING_ON ? COMPRESS_ON
			: source->packing.state == PACKING_OFF	? COMPRESS_OFF
								: COMPRESS_AUTO,
	};
}

static void close_source(struct source *base)
{
	struct imap_source *source = (struct imap_source *)base;

	if (source->stream && source->idle)
		logout(source);
	disconnect(source);
	if (source->password)
		explicit_bzero(source->password, strlen(source->password));
	free(source->password);
	free(source->user);
	free(source->ca_file);
	free(source->endpoint.host);
	free(source);
}

static const struct source_driver driver = {
	.list = list,
	.fetch = imap_fetch,
	.features = features,
	.server = server,
	.round_trips = round_trips,
	.close = close_source,
	.line = line,
};

int imap_source_open(struct source **out, const struct account *account,
	const char *password, const struct source_options *options,
	struct wire *wire, struct err *err)
{
	struct imap_source *source = xcalloc(1, sizeof(*source));

	source->base.driver = &driver;
	source->wire = wire;
	source->endpoint = account->imap;
	source->endpoint.host = xstrdup(account->imap.host);
	source->ca_file = xstrdup(account->ca_file);
	source->user = xstrdup(account->user);
	source->password = xstrdup(password);
	if (options)
		source->options = *options;
	packing_init(
		&source->packing, source->options.compress, wire_rate(wire));
	if (imap_connect(source, err) < 0) {
		close_source(&source->base);
		return -1;
	}
	*out = &source->base;
	return 0;
}
