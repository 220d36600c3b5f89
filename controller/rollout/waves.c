/*
 * waves.c - who is in a wave, and when each of them starts.
 *
 * The batch is kept full: a client that ends makes room for the next at once,
 * while growth beyond what this wave has already carried is staggered.
 */
#include "waves.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "err.h"
#include "ramp.h"

#define DAY_MIN (24 * 60)

/* ---- planning */

static bool is_candidate(const struct client_row *client, int64_t now_us)
{
	return client->state == CLIENT_CHECKED ||
		(client->state == CLIENT_FAILED &&
			client->not_before_us <= now_us);
}

static int compare_expected(const void *left, const void *right)
{
	const struct client_row *a = *(struct client_row *const *)left;
	const struct client_row *b = *(struct client_row *const *)right;

	if (a->expected_bytes != b->expected_bytes)
		return a->expected_bytes < b->expected_bytes ? 1 : -1;
	return a->id < b->id ? -1 : 1;
}

/* Candidates in the order of the scenario; an array for free(). */
static struct client_row **candidates(
	struct rollout *r, int64_t now_us, size_t *count)
{
	struct client_row **list = xcalloc(r->client_count + 1, sizeof(*list));

	*count = 0;
	for (size_t i = 0; i < r->client_count; i++)
		if (is_candidate(&r->clients[i], now_us))
			list[(*count)++] = &r->clients[i];
	if (r->scenario->steps.longest_first)
		qsort(list, *count, sizeof(*list), compare_expected);
	return list;
}

static int no_candidate(const struct rollout *r, struct err *err)
{
	err_set(err, ERR_REFUSED,
		"no client is ready: %u without an agent, %u outdated, %u "
		"unreachable, %u wait for their retry, %u are final",
		rollout_count(r, CLIENT_UNKNOWN),
		rollout_count(r, CLIENT_OUTDATED),
		rollout_count(r, CLIENT_UNREACHABLE),
		rollout_count(r, CLIENT_FAILED),
		rollout_count(r, CLIENT_DONE) +
			rollout_count(r, CLIENT_GAVE_UP) +
			rollout_count(r, CLIENT_SKIPPED) +
			rollout_count(r, CLIENT_EXCLUDED) +
			rollout_count(r, CLIENT_CANCELLED));
	return err_hint(err, "see sluice status, or sluice retry");
}

/* May a wave begin, as far as states say? */
static int check_idle(struct rollout *r, struct err *err)
{
	const struct wave_row *wave = rollout_wave(r);

	if (r->row.state == ROLLOUT_PAUSED)
		return err_set(err, ERR_REFUSED,
			"the rollout is paused (%s); run sluice resume, or "
			"sluice promote --skip-gate REASON",
			r->row.reason);
	if (rollout_state_final(r->row.state) ||
		r->row.state == ROLLOUT_ABORTING)
		return err_set(err, ERR_REFUSED, "the rollout is %s",
			rollout_state_name(r->row.state));
	/* A wave that passed may drain while the next one runs. */
	if (wave && wave->state != WAVE_DRAINING)
		return err_set(err, ERR_REFUSED,
			"wave %u is %s; wait for its end or run sluice abort",
			wave->number, wave_state_name(wave->state));
	return 0;
}

static struct wave_row *add_wave(struct rollout *r)
{
	size_t count = r->wave_count + 1;

	r->waves = xrealloc(r->waves, count, sizeof(*r->waves));
	r->wave_changed = xrealloc(
		r->wave_changed, count + 1, sizeof(*r->wave_changed));
	r->waves[count - 1] = (struct wave_row){.number = (unsigned)count};
	r->wave_changed[count - 1] = true;
	r->wave_count = count;
	return &r->waves[count - 1];
}

static unsigned clients_wanted(
	const struct rollout *r, const struct wave_order *order)
{
	double factor = r->scenario->steps.wave;

	if (order->clients)
		return order->clients;
	if (order->kind == WAVE_KIND_PILOT)
		return order->batch_size;
	return (unsigned)(factor * order->batch_size + 0.5);
}

static bool is_trial(const struct wave_row *wave)
{
	return wave->kind == WAVE_KIND_PILOT || wave->explore;
}

/* What is tried is tried on the usual mailbox, not the largest. Where these
 * decide when all is done, they are in the wave besides one batch of usual
 * ones, for the slots that are no trial. LIST is longest first. */
static size_t large_in_trial(const struct wave_row *wave,
	struct client_row *const *list, size_t count)
{
	double left = 0;

	for (size_t i = 0; i < count; i++)
		left += (double)list[i]->expected_bytes;
	if (!wave->explore || wave->clients <= wave->batch_size ||
		!ramp_tail_is_long(left, (double)list[0]->expected_bytes,
			wave->batch_size))
		return 0;
	return wave->clients - wave->batch_size;
}

static void queue(struct rollout *r, struct client_row *client,
	const struct wave_row *wave, int64_t now_us, const char *who)
{
	char reason[64];

	(void)snprintf(reason, sizeof(reason), "wave %u", wave->number);
	(void)client_set_state(
		r, client, CLIENT_QUEUED, now_us, who, reason, NULL);
	client->wave = wave->number;
}

int rollout_begin_wave(struct rollout *r, const struct wave_order *order,
	int64_t now_us, const char *who, struct err *err)
{
	struct client_row **list;
	struct wave_row *wave;
	size_t count, large = 0, typical = 0;
	unsigned wanted = clients_wanted(r, order);

	if (order->batch_size == 0 || wanted == 0)
		return err_set(err, ERR_USAGE,
			"a wave has at least one client; give a size from 1");
	if (check_idle(r, err) < 0)
		return -1;
	list = candidates(r, now_us, &count);
	if (count == 0) {
		free(list);
		return no_candidate(r, err);
	}
	if (wanted > count)
		wanted = (unsigned)count;
	wave = add_wave(r);
	wave->kind = order->kind;
	wave->explore = order->explore;
	wave->batch_size = order->barrier ? wanted : order->batch_size;
	wave->clients = wanted;
	wave->barrier = order->barrier;
	wave->started_us = now_us;
	/* Who replaces a straggler of the wave before does not wait. */
	wave->peak = rollout_active(r) < wave->batch_size ? rollout_active(r)
							  : wave->batch_size;
	if (is_trial(wave) && r->scenario->steps.longest_first) {
		large = large_in_trial(wave, list, count);
		typical = large + (count - wanted) / 2;
	}
	for (size_t i = 0; i < wanted; i++)
		queue(r, list[i < large ? i : typical + i - large], wave,
			now_us, who);
	free(list);
	r->row.batch_size = wave->batch_size;
	r->row_changed = true;
	(void)wave_set_state(r, wave, WAVE_PREFLIGHT, now_us, who, "", NULL);
	return rollout_set_state(r, ROLLOUT_RUNNING, now_us, who, "", err);
}

/* ---- admission */

static bool is_queued(
	const struct client_row *client, const struct wave_row *wave)
{
	return client->state == CLIENT_QUEUED && client->wave == wave->number;
}

static bool in_window(const struct scenario_steps *steps, int minute)
{
	int from = steps->window[0], to = steps->window[1];

	if (!steps->has_window)
		return true;
	if (from < to)
		return minute >= from && minute < to;
	return minute >= from || minute < to;
}

/* Whether CLIENT would end before the window does, at the speed of late. One
 * whose mailbox fits no window begins in the first half of one. */
static bool fits_window(const struct rollout *r,
	const struct client_row *client, const struct rollout_inputs *in)
{
	const struct scenario_steps *steps = &r->scenario->steps;
	int length = (steps->window[1] - steps->window[0] + DAY_MIN) % DAY_MIN;
	int left = (steps->window[1] - in->minute + DAY_MIN) % DAY_MIN;
	double minutes = client_predicted_s(client, in->sync_bytes_s) / 60;

	if (!steps->has_window)
		return true;
	return minutes <= left || (minutes > length && 2 * left >= length);
}

/* Some wait, and none of them would end in time. */
static bool all_too_late(const struct rollout *r, const struct wave_row *wave,
	const struct rollout_inputs *in)
{
	bool any = false;

	for (size_t i = 0; i < r->client_count; i++) {
		if (!is_queued(&r->clients[i], wave))
			continue;
		if (fits_window(r, &r->clients[i], in))
			return false;
		any = true;
	}
	return any;
}

const char *wave_hold(const struct rollout *r, const struct wave_row *wave,
	const struct rollout_inputs *in)
{
	if (r->row.state != ROLLOUT_RUNNING)
		return "the rollout is paused";
	if (in->hold)
		return in->hold;
	if (!in_window(&r->scenario->steps, in->minute))
		return "window_closed";
	if (all_too_late(r, wave, in))
		return "window_closed: nobody who waits would end within it";
	return NULL;
}

/* Who may start now. */
static struct client_row **queued_of(struct rollout *r,
	const struct wave_row *wave, const struct rollout_inputs *in,
	size_t *count)
{
	struct client_row **list = xcalloc(r->client_count + 1, sizeof(*list));

	*count = 0;
	for (size_t i = 0; i < r->client_count; i++)
		if (is_queued(&r->clients[i], wave) &&
			fits_window(r, &r->clients[i], in))
			list[(*count)++] = &r->clients[i];
	return list;
}

/* Of COUNT that are queued the one nearest to the median of all who wait. */
static struct client_row *usual_of(
	struct rollout *r, struct client_row *const *queued, size_t count)
{
	struct client_row **waiting = xcalloc(
		r->client_count + 1, sizeof(*waiting));
	struct client_row *usual = queued[0];
	size_t total = 0;

	for (size_t i = 0; i < r->client_count; i++)
		if (r->clients[i].state == CLIENT_QUEUED ||
			r->clients[i].state == CLIENT_CHECKED)
			waiting[total++] = &r->clients[i];
	qsort(waiting, total, sizeof(*waiting), compare_expected);
	double median =
		(double)(total ? waiting[total / 2] : usual)->expected_bytes;
	free(waiting);
	for (size_t i = 1; i < count; i++)
		if (fabs((double)queued[i]->expected_bytes - median) <
			fabs((double)usual->expected_bytes - median))
			usual = queued[i];
	return usual;
}

/* In the order of the scenario; by size the largest, but in a pilot and for a
 * slot never observed a usual one. */
static struct client_row *next_queued(struct rollout *r,
	const struct wave_row *wave, unsigned active,
	const struct rollout_inputs *in)
{
	size_t count;
	struct client_row **list = queued_of(r, wave, in, &count);
	struct client_row *next = list[0]; /* NULL when there is none */

	if (count && r->scenario->steps.longest_first) {
		bool tried = wave->kind == WAVE_KIND_PILOT ||
			(wave->explore && active >= in->n_observed);
		qsort(list, count, sizeof(*list), compare_expected);
		next = tried ? usual_of(r, list, count) : list[0];
	}
	free(list);
	return next;
}

/* Whether one more start is due while ACTIVE syncs run. */
static bool start_is_due(const struct rollout *r, const struct wave_row *wave,
	unsigned active, const struct rollout_inputs *in)
{
	const struct scenario_steps *steps = &r->scenario->steps;
	int64_t stagger = steps->stagger_us;

	if (wave->kind != WAVE_KIND_PILOT && active + 1 > in->n_observed)
		stagger = steps->stagger_beyond_us ? steps->stagger_beyond_us
						   : stagger * 5 / 2;
	return wave->barrier ||
		ramp_is_due(active, wave->peak, wave->grown_us, stagger,
			in->now_us);
}

unsigned wave_admit(struct rollout *r, struct wave_row *wave,
	const struct rollout_inputs *in)
{
	unsigned admitted = 0;

	for (;;) {
		unsigned active = rollout_active(r);
		struct client_row *client;

		if (active >= wave->batch_size ||
			!start_is_due(r, wave, active, in))
			return admitted;
		client = next_queued(r, wave, active, in);
		if (!client ||
			client_set_state(r, client, CLIENT_STARTING, in->now_us,
				"controller", "", NULL) < 0)
			return admitted;
		client_command(r, client, COMMAND_START);
		wave->admitted++;
		ramp_started(
			active + 1, &wave->peak, &wave->grown_us, in->now_us);
		r->wave_changed[wave - r->waves] = true;
		admitted++;
	}
}

/* ---- counting */

/* A pilot of one ends with a functional acceptance of its client. */
static bool has_acceptance(const struct wave_row *wave)
{
	return wave->kind == WAVE_KIND_PILOT && wave->clients == 1;
}

void wave_count(const struct rollout *r, const struct wave_row *wave,
	struct judge_counts *counts, unsigned *queued, unsigned *active)
{
	*counts = (struct judge_counts){
		.pilot = wave->kind == WAVE_KIND_PILOT,
		.clients = wave->clients,
		.admitted = wave->admitted,
		.acceptance = has_acceptance(wave),
	};
	*queued = *active = 0;
	for (size_t i = 0; i < r->client_count; i++) {
		const struct client_row *client = &r->clients[i];
		bool failed = client->state == CLIENT_FAILED ||
			client->state == CLIENT_GAVE_UP;

		counts->rollout_clients += client->state != CLIENT_EXCLUDED;
		counts->rollout_failed += failed;
		if (client->wave != wave->number)
			continue;
		counts->done += client->state == CLIENT_DONE ||
			client->state == CLIENT_SKIPPED;
		counts->failed += failed;
		counts->accepted |= client->accepted;
		counts->refused |= failed;
		*queued += client->state == CLIENT_QUEUED;
		*active += client_state_active(client->state);
	}
	/* Who was excluded or cancelled meanwhile does not hold the gate. */
	if (counts->done + counts->failed + *queued + *active < wave->clients)
		counts->clients = counts->done + counts->failed + *queued +
			*active;
}

void wave_return_queue(struct rollout *r, const struct wave_row *wave,
	int64_t now_us, const char *why)
{
	for (size_t i = 0; i < r->client_count; i++) {
		struct client_row *client = &r->clients[i];

		if (is_queued(client, wave))
			(void)client_set_state(r, client, CLIENT_CHECKED,
				now_us, "controller", why, NULL);
	}
}
