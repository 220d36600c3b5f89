/*
 * imap_fetch.c - from answers to items: what the server says, attributed to
 * the job it answers and handed to the engine's sink. The jobs themselves
 * are made and judged in imap_jobs.c. Runs on the source's thread.
 */
#include "imap_fetch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "err.h"
#include "imap_text.h"
#include "stream.h"

/* An item too large is read and thrown away up to here; above, a new session
 * is cheaper. */
#define DRAIN_MAX (64u * 1024 * 1024)
/* More is no delta but a new listing. */
#define VANISHED_MAX 1000000u
/* No folder has more. */
#define SEARCH_MAX 8000000u

static struct job *head(const struct fetch_run *run)
{
	return run->sent.first;
}

static bool is_dead(const struct flight *flight)
{
	return flight->result != WINDOW_DONE;
}

/* ---------------------------------------------------------------- sink */

/* What the engine answers passes through here: its errors are final. */
static int told(struct fetch_run *run, int status)
{
	if (status < 0)
		run->sink_failed = true;
	return status;
}

int fetch_fail(struct fetch_run *run, struct flight *flight, uint32_t uid,
	enum item_fault fault, const char *reason, struct err *err)
{
	const struct item_id id = {.uid = uid};

	run->open = false;
	uid_set_add(&flight->delivered, uid);
	return told(run,
		run->feed->sink->failed(run->feed->context, &flight->window, id,
			fault, reason, buf_text(&run->raw),
			fault == FAULT_UNPARSABLE ? run->raw.length : 0, err));
}

int fetch_too_large(struct fetch_run *run, struct flight *flight, uint32_t uid,
	struct err *err)
{
	char reason[100];

	snprintf(reason, sizeof reason,
		"announced with %llu bytes, more than the limit of %llu",
		(unsigned long long)run->oversize_bytes,
		(unsigned long long)run->item_bytes_max);
	return fetch_fail(run, flight, uid, FAULT_TOO_LARGE, reason, err);
}

int fetch_gone(struct fetch_run *run, struct flight *flight, uint32_t uid,
	struct err *err)
{
	const struct item_id id = {.uid = uid};

	uid_set_add(&flight->delivered, uid);
	return told(run,
		run->feed->sink->gone(
			run->feed->context, &flight->window, id, err));
}

/* The first answer to a flight's first job: is it the mailbox we mean? */
int fetch_start(struct fetch_run *run, struct job *job, struct err *err)
{
	struct flight *flight = job->flight;
	struct collection_state state = job->selection->state;
	uint32_t expected = flight->started
		? flight->uid_validity
		: flight->window.collection->uid_validity;

	if (is_dead(flight))
		return 0;
	if (job->selection->refused)
		flight->result = WINDOW_NO_COLLECTION;
	else if (expected && state.uid_validity != expected)
		flight->result = WINDOW_NEW_VALIDITY;
	if (is_dead(flight) || flight->started)
		return 0;
	flight->started = true;
	flight->uid_validity = state.uid_validity;
	state.complete = flight->all && !flight->delta;
	return told(run,
		run->feed->sink->state(
			run->feed->context, &flight->window, &state, err));
}

/* ---------------------------------------------------------------- items */

static int body_begin(void *context, const struct imap_scan *scan,
	uint64_t bytes, struct err *err)
{
	struct fetch_run *run = context;
	struct flight *flight = head(run) ? head(run)->flight : NULL;

	if (!flight || head(run)->kind != JOB_FETCH || is_dead(flight) ||
		flight->window.mode == FETCH_LIST ||
		(scan->has_uid && !flight_wants(flight, scan->uid)))
		return 0;
	run->data_bytes = 0;
	run->oversize_bytes = bytes > run->item_bytes_max ? bytes : 0;
	if (run->oversize_bytes && bytes > DRAIN_MAX) {
		/* Without a UID it will be asked for alone. */
		if (scan->has_uid &&
			fetch_too_large(run, flight, scan->uid, err) < 0)
			return -1;
		return err_set(err, ERR_PROTOCOL, "%s: a message of %llu bytes",
			stream_name(run->source->stream),
			(unsigned long long)bytes);
	}
	if (run->oversize_bytes)
		return 0;
	run->open = true;
	return told(run,
		       run->feed->sink->begin(run->feed->context,
			       &flight->window, bytes, err)) < 0
		? -1
		: 1;
}

static int body_data(
	void *context, const char *data, size_t bytes, struct err *err)
{
	struct fetch_run *run = context;

	run->data_bytes += bytes;
	run->source->packing.received += bytes;
	return told(run,
		run->feed->sink->data(run->feed->context,
			&head(run)->flight->window, data, bytes, err));
}

static int deliver(struct fetch_run *run, struct flight *flight,
	struct imap_scan *scan, struct err *err)
{
	const struct item item = {
		.id = {.uid = scan->uid},
		.size = scan->size,
		.data_bytes = run->open ? run->data_bytes : 0,
		.received_s = scan->has_date ? scan->received_s : 0,
		.flags = buf_text(&scan->flags),
		.modseq = scan->modseq,
		.structure = scan->structure.length ? scan->structure.data
						    : NULL,
		.structure_bytes = scan->structure.length,
	};

	run->open = false;
	run->drops = run->timeouts = 0;
	uid_set_add(&flight->delivered, scan->uid);
	return told(run,
		run->feed->sink->end(
			run->feed->context, &flight->window, &item, err));
}

/* Remember what came instead of an item. */
static void spoilt(struct fetch_run *run, struct job *job)
{
	struct imap_reader *reader = &run->source->reader;

	job->spoilt = true;
	run->open = false;
	run->reason = reader->scan.reason;
	buf_clear(&run->raw);
	(void)buf_append(&run->raw, reader->raw.data, reader->raw.length);
}

/* A FETCH answer was announced; read it and pass it on. */
static int take_fetch(struct fetch_run *run, struct err *err)
{
	const struct body_sink sink = {body_begin, body_data, run};
	struct imap_scan *scan = &run->source->reader.scan;
	struct job *job = head(run);
	bool ours = job && job->kind == JOB_FETCH;
	struct flight *flight;
	int understood;

	run->oversize_bytes = 0;
	if (ours && fetch_start(run, job, err) < 0)
		return -1;
	understood = imap_read_fetch(&run->source->reader, &sink, err);
	if (understood < 0)
		return -1;
	if (!ours || is_dead(job->flight))
		return 0;
	flight = job->flight;
	if (!understood) {
		spoilt(run, job);
		/* The rest of such a window is not known by name. */
		if (flight->all && !job->uid && scan->has_uid &&
			flight_wants(flight, scan->uid)) {
			job->spoilt = false;
			job_push_front(
				&run->queue, job_for_uid(flight, scan->uid));
			run->queue.first->plain = flight->window.mode ==
				FETCH_HEADERS;
		}
		return 0;
	}
	if (!scan->has_uid || !flight_wants(flight, scan->uid))
		return 0;
	if (run->oversize_bytes)
		return fetch_too_large(run, flight, scan->uid, err);
	/* Without what was asked for it is news about flags only. */
	if (flight->window.mode == FETCH_LIST ? !scan->has_size
					      : !scan->has_body)
		return 0;
	return deliver(run, flight, scan, err);
}

/* ---------------------------------------------------------------- answers */

static uint64_t code_number(const char *text, const char *code)
{
	return imap_has_code(text, code)
		? strtoull(text + strlen(code) + 2, NULL, 10)
		: 0;
}

static void take_selection(struct selection *selection, const char *text)
{
	struct collection_state *state = &selection->state;
	uint64_t number;
	char *word;

	if (strncasecmp(text, "OK ", 3) == 0) {
		text += 3;
		if ((number = code_number(text, "UIDVALIDITY")))
			state->uid_validity = (uint32_t)number;
		if ((number = code_number(text, "UIDNEXT")))
			state->uid_next = (uint32_t)number;
		if ((number = code_number(text, "HIGHESTMODSEQ")))
			state->modseq = number;
		return;
	}
	number = strtoull(text, &word, 10);
	if (word != text && strncasecmp(word, " EXISTS", 7) == 0)
		state->items = number;
}

static int take_vanished(struct fetch_run *run, struct job *job,
	const char *text, struct err *err)
{
	uint32_t end = job->selection->state.uid_next;
	unsigned budget = VANISHED_MAX;
	uint32_t first;
	uint32_t last;
	uint32_t uid;

	if (fetch_start(run, job, err) < 0)
		return -1;
	while (!is_dead(job->flight) && uid_range_next(&text, &first, &last)) {
		if (end && last >= end)
			last = end - 1;
		for (uid = first; uid && uid <= last; uid++) {
			if (!budget--) {
				job->flight->result = WINDOW_BAD_TOKEN;
				return 0;
			}
			if (told(run,
				    run->feed->sink->gone(run->feed->context,
					    &job->flight->window,
					    (struct item_id){.uid = uid},
					    err)) < 0)
				return -1;
		}
	}
	return 0;
}

/* TEXT is " 1 2 3" or, of ESEARCH, "1:3". */
static void take_search(struct job *job, const char *text)
{
	struct flight *flight = job->flight;
	uint32_t end = job->selection->state.uid_next;
	uint32_t first;
	uint32_t last;
	uint32_t uid;

	for (;;) {
		text += strspn(text, " ");
		if (!uid_range_next(&text, &first, &last))
			break;
		if (first < flight->window.first_uid)
			first = flight->window.first_uid;
		if (last > first && end && last >= end)
			last = end - 1;
		for (uid = first; uid && uid <= last; uid++) {
			if (flight->wanted.count == SEARCH_MAX) {
				flight->result = WINDOW_NO_COLLECTION;
				return;
			}
			uid_set_append(&flight->wanted, uid);
		}
	}
	uid_set_sort(&flight->wanted);
}

/* "ESEARCH (TAG "F3") UID ALL 1:3", how IMAP4rev2 answers. */
static void take_esearch(struct job *job, const char *text)
{
	const char *all = strcasestr(text, " ALL ");

	if (all)
		take_search(job, all + 5);
}

static int take_untagged(
	struct fetch_run *run, const struct answer *answer, struct err *err)
{
	struct job *job = head(run);
	const char *text = answer->text;

	if (!job)
		return 0;
	if (job->kind == JOB_EXAMINE)
		take_selection(job->selection, text);
	else if (job->kind == JOB_LIST)
		imap_folders_take(
			&run->source->ahead.folders, text, answer->length);
	else if (job->kind == JOB_SEARCH && strncasecmp(text, "SEARCH", 6) == 0)
		take_search(job, text + 6);
	else if (job->kind == JOB_SEARCH &&
		strncasecmp(text, "ESEARCH", 7) == 0)
		take_esearch(job, text + 7);
	else if (job->kind == JOB_FETCH && job->flight->delta &&
		strncasecmp(text, "VANISHED (EARLIER) ", 19) == 0)
		return take_vanished(run, job, text + 19, err);
	return 0;
}

static void expect_list(struct fetch_run *run, unsigned tag)
{
	struct job *job = job_new(JOB_LIST, NULL);

	job->tag = tag;
	job_push_back(&run->sent, job);
}

int fetch_ask_folders(struct fetch_run *run, struct err *err)
{
	struct imap_source *source = run->source;
	struct imap_listing *listing = &source->ahead;

	run->list_due = false;
	imap_folders_free(&listing->folders);
	listing->granted = false;
	if (imap_ask_folders(source, source->session.caps & CAP_LIST_STATUS,
		    listing, err) < 0)
		return -1;
	if (listing->spaces_tag)
		expect_list(run, listing->spaces_tag);
	expect_list(run, listing->list_tag);
	return 0;
}

int fetch_take_answer(struct fetch_run *run, struct err *err)
{
	struct answer answer;
	struct job *job;
	int status;

	if (imap_receive(run->source, &answer, err) < 0)
		return -1;
	if (answer.kind == ANSWER_FETCH)
		return take_fetch(run, err);
	if (answer.kind == ANSWER_UNTAGGED)
		return take_untagged(run, &answer, err);
	job = head(run);
	if (!job || job->tag != answer.tag)
		return err_set(err, ERR_PROTOCOL, "%s: answers out of order",
			stream_name(run->source->stream));
	(void)job_pop(&run->sent);
	status = fetch_job_done(run, job, &answer, err);
	job_free(job);
	return status;
}
