/*
 * imap_jobs.c - the loop of source_fetch(): windows in, commands out.
 *
 * Windows become jobs (imap_flight.h), jobs become commands, several in
 * flight; EXAMINE is one more command in the same pipe, so that a small
 * folder costs less than a round trip. Answers come in the order of the
 * commands. A job refused as a whole is cut in two; one that came with an
 * answer nobody understands is asked again item by item. After a lost
 * connection the session is made anew and the job that was being answered
 * is cut in two, until the item that ends every session is alone and can be
 * given up. Runs on the source's thread.
 */
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "imap_fetch.h"
#include "imap_text.h"
#include "quirks.h"
#include "stream.h"
#include "wire.h"

#define IN_FLIGHT_BYTES UINT64_C(8000000)
#define ITEM_BYTES_MAX	UINT64_C(2147483647)
#define COMMAND_MAX	(128u * 1024)
#define RAW_MAX		(64u * 1024)
#define DROPS_MAX	16 /* sessions lost with nothing gained between */
#define TIMEOUTS_MAX	3
#define STRIKES_MAX	2 /* sessions that one item may end */
#define DROP_PAUSE_US	(50 * US_PER_MS)

static bool is_dead(const struct flight *flight)
{
	return flight->result != WINDOW_DONE;
}

/* ---------------------------------------------------------------- windows */

/* Jobs for the members of WANTED from FIRST on, a command line each. */
static void queue_jobs(struct fetch_run *run, struct flight *flight)
{
	size_t line_max = run->source->session.quirks->line_max;
	struct buf text = BUF_INIT(COMMAND_MAX);
	size_t first = 0;

	while (first < flight->wanted.count) {
		struct job *job = job_new(JOB_FETCH, flight);

		buf_clear(&text);
		job->first = first;
		first = uid_set_print(&flight->wanted, first,
			flight->wanted.count, line_max, &text);
		job->end = first;
		job_push_back(&run->queue, job);
	}
	buf_free(&text);
}

static void admit_window(struct fetch_run *run, const struct window *window)
{
	bool delta = window->since_modseq && !window->count &&
		window->mode == FETCH_LIST &&
		run->source->session.caps & CAP_QRESYNC;
	struct flight *flight = flight_new(window, delta);

	*run->flights_last = flight;
	run->flights_last = &flight->next;
	run->flight_count++;
	run->bytes_ahead += window->bytes;
	run->list_due |= window->last;
	if (flight->all)
		job_push_back(&run->queue, job_new(JOB_FETCH, flight));
	else
		queue_jobs(run, flight);
}

/* Ask the engine for windows as long as there is room for them. */
static int admit(struct fetch_run *run, struct err *err)
{
	const struct imap_session *session = &run->source->session;
	unsigned commands_max = session->quirks->commands_max;
	uint64_t ahead_max = packing_ahead_max(&run->source->packing,
		run->in_flight_bytes, session->round_trip_us);
	struct window window;
	int more;

	while (!run->dry && !run->queue.first &&
		run->sent.count < commands_max &&
		run->flight_count < run->windows_max &&
		(run->flight_count < 2 || run->bytes_ahead < ahead_max)) {
		window = (struct window){0};
		more = run->feed->next(run->feed->context, &window, err);
		if (more < 0) {
			run->sink_failed = true;
			return -1;
		}
		if (!more)
			run->dry = true;
		else
			admit_window(run, &window);
		/* Each is sent before the next is asked for. */
		if (more)
			return 1;
	}
	return 0;
}

/* Tell the engine of the windows that are over, in order. */
static int finish(struct fetch_run *run, struct err *err)
{
	struct flight *flight;
	int status;

	while ((flight = run->flights) && !flight->jobs) {
		status = run->feed->sink->window_end(run->feed->context,
			&flight->window, flight->result, NULL, err);
		run->flights = flight->next;
		if (!run->flights)
			run->flights_last = &run->flights;
		run->flight_count--;
		run->bytes_ahead -= flight->window.bytes;
		run->dry = false;
		flight_free(flight);
		if (status < 0) {
			run->sink_failed = true;
			return -1;
		}
	}
	return 0;
}

/* ---------------------------------------------------------------- commands */

static const char *const items[FETCH_MODE_COUNT] = {
	[FETCH_LIST] = "",
	[FETCH_HEADERS] = " INTERNALDATE BODYSTRUCTURE BODY.PEEK[HEADER]",
	[FETCH_FULL] = " INTERNALDATE BODY.PEEK[]",
};

static void print_fetch(
	const struct fetch_run *run, const struct job *job, struct buf *command)
{
	const struct flight *flight = job->flight;
	const struct window *window = &flight->window;
	/* Where the listing names none, asking is an error (RFC 7162 3.1.2). */
	bool modseq = run->source->session.caps & CAP_CONDSTORE &&
		window->collection->modseq && !job->plain;
	struct buf set = BUF_INIT(COMMAND_MAX);

	if (job->uid)
		buf_printf(&set, "%u", (unsigned)job->uid);
	else if (flight->all)
		buf_printf(&set, "%u:*",
			(unsigned)(window->first_uid ? window->first_uid : 1));
	else
		uid_set_print(&flight->wanted, job->first, job->end,
			COMMAND_MAX, &set);
	buf_printf(command, "UID FETCH %s (UID FLAGS RFC822.SIZE%s%s)",
		buf_text(&set), modseq ? " MODSEQ" : "",
		job->plain && window->mode == FETCH_HEADERS
			? " INTERNALDATE BODY.PEEK[HEADER]"
			: items[window->mode]);
	if (flight->delta && !job->uid)
		buf_printf(command, " (CHANGEDSINCE %llu VANISHED)",
			(unsigned long long)window->since_modseq);
	buf_free(&set);
}

static int send_examine(
	struct fetch_run *run, const char *wire, struct err *err)
{
	struct job *job = job_new(JOB_EXAMINE, NULL);
	struct buf command = BUF_INIT(COMMAND_MAX);

	buf_append_text(&command, "EXAMINE ");
	imap_quote(&command, wire);
	if (run->source->session.caps & CAP_CONDSTORE)
		buf_append_text(&command, " (CONDSTORE)");
	job->tag = imap_send(run->source, &command, err);
	buf_free(&command);
	selection_drop(run->selected);
	run->selected = selection_new(wire);
	job->selection = selection_use(run->selected);
	job_push_back(&run->sent, job);
	return job->tag ? 0 : -1;
}

static int send_job(struct fetch_run *run, struct job *job, struct err *err)
{
	const char *wire = job->flight->window.collection->wire;
	struct buf command = BUF_INIT(2 * COMMAND_MAX);
	int status = 0;

	if (!run->selected || run->selected->refused ||
		strcmp(run->selected->wire, wire) != 0)
		status = send_examine(run, wire, err);
	if (run->selected) {
		selection_drop(job->selection);
		job->selection = selection_use(run->selected);
	}
	job_push_back(&run->sent, job);
	if (status < 0)
		return -1;
	if (job->kind == JOB_SEARCH)
		buf_printf(&command, "UID SEARCH UID %u:*",
			(unsigned)(job->flight->window.first_uid
					? job->flight->window.first_uid
					: 1));
	else
		print_fetch(run, job, &command);
	job->tag = imap_send(run->source, &command, err);
	buf_free(&command);
	return job->tag ? 0 : -1;
}

static int send_queue(struct fetch_run *run, struct err *err)
{
	unsigned commands_max = run->source->session.quirks->commands_max;
	struct job *job;

	while (run->queue.first && run->sent.count < commands_max) {
		job = job_pop(&run->queue);
		if (is_dead(job->flight)) {
			job_free(job);
			continue;
		}
		if (send_job(run, job, err) < 0)
			return -1;
	}
	return 0;
}

/* ---------------------------------------------------------------- judging */

static void queue_search(struct fetch_run *run, struct flight *flight)
{
	job_push_front(&run->queue, job_new(JOB_SEARCH, flight));
}

/* Ask for one item once more without what a server may stumble over. */
static bool try_plain(struct fetch_run *run, const struct job *job)
{
	struct job *again;

	if (job->plain)
		return false;
	again = job_for_uid(job->flight, job->uid);
	again->plain = true;
	job_push_front(&run->queue, again);
	return true;
}

static int fetch_ok(
	struct fetch_run *run, const struct job *job, struct err *err)
{
	struct flight *flight = job->flight;
	uint32_t uid = 0;

	if (flight->all && !job->uid) {
		if (job->spoilt && flight->delta)
			flight->result = WINDOW_BAD_TOKEN;
		else if (job->spoilt)
			queue_search(run, flight);
		return 0;
	}
	if (!job_missing(job, &uid))
		return 0;
	if (job->spoilt) {
		if (!job->uid)
			job_split(job, true, &run->queue);
		else if (!try_plain(run, job))
			return fetch_fail(run, flight, uid, FAULT_UNPARSABLE,
				run->reason, err);
		return 0;
	}
	while (job_missing(job, &uid))
		if (fetch_gone(run, flight, uid, err) < 0)
			return -1;
	return 0;
}

static int fetch_refused(struct fetch_run *run, const struct job *job,
	const struct answer *answer, struct err *err)
{
	struct flight *flight = job->flight;
	struct job *again;
	uint32_t uid = 0;

	if (flight->all && !job->uid) {
		if (flight->delta)
			flight->result = WINDOW_BAD_TOKEN;
		else
			queue_search(run, flight);
		return 0;
	}
	if (!job_missing(job, &uid))
		return 0;
	if (job->uid) {
		if (imap_has_code(answer->text, "EXPUNGEISSUED") ||
			imap_has_code(answer->text, "NONEXISTENT"))
			return fetch_gone(run, flight, uid, err);
		if (try_plain(run, job))
			return 0;
		return fetch_fail(
			run, flight, uid, FAULT_REFUSED, answer->text, err);
	}
	if (answer->status == ANSWER_BAD && !job->plain) {
		again = job_new(JOB_FETCH, flight);
		again->first = job->first;
		again->end = job->end;
		again->plain = true;
		job_push_front(&run->queue, again);
		return 0;
	}
	job_split(job, false, &run->queue);
	return 0;
}

int fetch_job_done(struct fetch_run *run, struct job *job,
	const struct answer *answer, struct err *err)
{
	struct flight *flight = job->flight;

	if (answer->status != ANSWER_OK &&
		imap_error_kind(answer->text, ERR_REFUSED) == ERR_THROTTLED)
		return imap_refusal(run->source,
			flight ? "fetch" : "open a folder", answer->text,
			ERR_THROTTLED, err);
	if (job->kind == JOB_LIST) {
		run->source->ahead.granted = job->tag ==
				run->source->ahead.list_tag &&
			answer->status == ANSWER_OK;
		return 0;
	}
	if (job->kind == JOB_EXAMINE) {
		job->selection->known = true;
		job->selection->refused = answer->status != ANSWER_OK;
		return 0;
	}
	if (fetch_start(run, job, err) < 0)
		return -1;
	if (is_dead(flight))
		return 0;
	if (job->kind == JOB_SEARCH) {
		if (answer->status != ANSWER_OK) {
			flight->result = WINDOW_NO_COLLECTION;
			return 0;
		}
		flight->all = false;
		queue_jobs(run, flight);
		return 0;
	}
	if (answer->status == ANSWER_OK)
		return fetch_ok(run, job, err);
	return fetch_refused(run, job, answer, err);
}

/* ---------------------------------------------------------------- recovery */

/* JOB was being answered when the session ended: ask for less. */
static int blame(struct fetch_run *run, const struct job *job, struct err *err)
{
	struct flight *flight = job->flight;
	struct job *again;
	uint32_t uid = 0;

	if (is_dead(flight))
		return 0;
	if (flight->all && !job->uid) {
		if (!flight->delta) {
			queue_search(run, flight);
			return 0;
		}
		if (job->strikes + 1 >= STRIKES_MAX) {
			flight->result = WINDOW_BAD_TOKEN;
			return 0;
		}
		again = job_new(JOB_FETCH, flight);
		again->strikes = job->strikes + 1;
		job_push_front(&run->queue, again);
		return 0;
	}
	if (job_missing(job, &uid) != 1) {
		job_split(job, false, &run->queue);
		return 0;
	}
	if (run->oversize_bytes)
		return fetch_too_large(run, flight, uid, err);
	if (job->strikes + 1 >= STRIKES_MAX)
		return fetch_fail(run, flight, uid, FAULT_DISCONNECT,
			err ? err->text : "", err);
	again = job_for_uid(flight, uid);
	again->strikes = job->strikes + 1;
	again->plain = true;
	job_push_front(&run->queue, again);
	return 0;
}

/* The session ended when FLIGHT's folder was opened or searched. */
static void blame_folder(struct fetch_run *run, struct flight *flight)
{
	struct flight *one;

	if (!flight || is_dead(flight) || ++flight->strikes < STRIKES_MAX)
		return;
	for (one = run->flights; one; one = one->next)
		if (!is_dead(one) &&
			strcmp(one->window.collection->wire,
				flight->window.collection->wire) == 0)
			one->result = WINDOW_ENDS_SESSION;
}

/* Put everything that was sent back in front of the queue, what was being
 * answered in smaller pieces. */
static int requeue(struct fetch_run *run, struct err *err)
{
	struct job_list lost = run->sent;
	struct job_list rest = run->queue;
	struct job *job;
	bool keep;
	int status = 0;

	if (!lost.first)
		lost.last = &lost.first;
	job_list_init(&run->sent);
	job_list_init(&run->queue);
	job = job_pop(&lost);
	keep = job && job->kind == JOB_SEARCH;
	if (job && job->kind == JOB_FETCH)
		status = blame(run, job, err);
	else if (keep)
		blame_folder(run, job->flight);
	else if (lost.first)
		blame_folder(run, lost.first->flight);
	for (; job; job = job_pop(&lost), keep = job && job->flight) {
		if (keep)
			job_push_back(&run->queue, job);
		else
			job_free(job);
	}
	while ((job = job_pop(&rest)))
		job_push_back(&run->queue, job);
	selection_drop(run->selected);
	run->selected = NULL;
	return status;
}

static bool worth_another(struct fetch_run *run, const struct err *why)
{
	if (run->sink_failed || wire_cancelled(run->source->wire))
		return false;
	if (why->kind == ERR_TIMEOUT && ++run->timeouts > TIMEOUTS_MAX)
		return false;
	if (why->kind != ERR_NETWORK && why->kind != ERR_TIMEOUT &&
		why->kind != ERR_PROTOCOL && why->kind != ERR_LIMIT)
		return false;
	return ++run->drops <= DROPS_MAX;
}

/* The session is lost because of WHY; begin another and go on. */
static int recover(struct fetch_run *run, struct err *why)
{
	struct wire *wire = run->source->wire;
	int64_t pause_us = run->source->options.pause_us;
	struct err cause;

	if (!worth_another(run, why))
		return -1;
	run->open = false;
	cause = *why;
	if (requeue(run, &cause) < 0) {
		*why = cause;
		return -1;
	}
	run->oversize_bytes = 0;
	run->timed = 0;
	if (wire_wait(wire, -1, 0,
		    (pause_us ? pause_us : DROP_PAUSE_US) * run->drops,
		    why) < 0)
		return -1;
	return imap_connect(run->source, why);
}

/* A window must end in time; where nobody knows how much it brings, because
 * it may be a folder of any length, each of its answers must. */
static void set_deadline(struct fetch_run *run)
{
	struct job *job = run->sent.first;
	uint64_t bytes = job && job->flight ? job->flight->window.bytes : 0;

	if (bytes && job->tag == run->timed)
		return;
	run->timed = job->tag;
	imap_allow(run->source, bytes);
}

/* Compression begins, and ends, when nothing is in flight. What is open then
 * stays so, but not in a new session. */
static int repack(struct fetch_run *run, struct err *err)
{
	if (!packing_wanted(&run->source->packing)) {
		selection_drop(run->selected);
		run->selected = NULL;
	}
	run->timed = 0;
	return imap_repack(run->source, err);
}

static int ask(struct fetch_run *run, struct err *err)
{
	int more = 1;

	while (more > 0 && !run->source->packing.due) {
		if (send_queue(run, err) < 0)
			return -1;
		more = admit(run, err);
	}
	if (more == 0 && run->list_due && !run->queue.first && run->sent.first)
		return fetch_ask_folders(run, err);
	return more < 0 ? -1 : 0;
}

static int step(struct fetch_run *run, struct err *err)
{
	struct packing *packing = &run->source->packing;

	if (packing->due && !run->sent.first && repack(run, err) < 0)
		return -1;
	if (ask(run, err) < 0)
		return -1;
	if (!run->sent.first) {
		packing_idle(packing);
		return finish(run, err);
	}
	set_deadline(run);
	if (fetch_take_answer(run, err) < 0)
		return -1;
	packing_consider(packing, clock_monotonic_us(), run->bytes_ahead,
		run->source->session.round_trip_us);
	return finish(run, err);
}

static void abandon(struct fetch_run *run)
{
	struct flight *flight;

	job_list_free(&run->queue);
	job_list_free(&run->sent);
	selection_drop(run->selected);
	while ((flight = run->flights)) {
		run->flights = flight->next;
		flight_free(flight);
	}
	buf_free(&run->raw);
}

int imap_fetch(struct source *base, const struct feed *feed, struct err *err)
{
	struct imap_source *source = (struct imap_source *)base;
	const struct source_options *options = &source->options;
	struct fetch_run run = {
		.source = source,
		.feed = feed,
		.raw = BUF_INIT(RAW_MAX),
		.item_bytes_max = options->item_bytes_max
			? options->item_bytes_max
			: ITEM_BYTES_MAX,
		.in_flight_bytes = options->in_flight_bytes
			? options->in_flight_bytes
			: IN_FLIGHT_BYTES,
		.windows_max = options->in_flight_max ? options->in_flight_max
						      : UINT32_MAX,
	};
	struct err why = ERR_INIT;
	int status = 0;

	job_list_init(&run.queue);
	job_list_init(&run.sent);
	run.flights_last = &run.flights;
	source->idle = false;
	while (status == 0 &&
		(run.flights || run.queue.first || run.sent.first || !run.dry))
		if (step(&run, &why) < 0)
			status = recover(&run, &why);
	source->idle = status == 0;
	if (status == 0)
		stream_set_deadline(source->stream, 0);
	abandon(&run);
	if (status < 0 && err)
		*err = why;
	return status;
}
