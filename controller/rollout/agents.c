/*
 * agents.c - what agents say, as states of their clients.
 *
 * A report counts only when it comes after the start it belongs to: what an
 * agent says before it has obeyed the newest start is about the past.
 */
#include "rollout.h"

#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "units.h"
#include "version.h"

/* Step 0 for one client: is its agent fit for a wave? */
static enum client_state baseline_state(
	const struct rollout *r, const struct client_row *client, char *reason)
{
	const struct scenario_baseline *baseline = &r->scenario->baseline;
	char have[UNITS_TEXT_BYTES], want[UNITS_TEXT_BYTES];

	*reason = '\0';
	if (!version_at_least(client->version, baseline->agent_min)) {
		(void)snprintf(reason, ROW_REASON_BYTES,
			"version: agent is %.40s, the baseline is %.40s; "
			"update it",
			client->version, baseline->agent_min);
		return CLIENT_OUTDATED;
	}
	if (client->free_bytes >= 0 &&
		(uint64_t)client->free_bytes < baseline->free_bytes) {
		(void)snprintf(reason, ROW_REASON_BYTES,
			"disk: %s free, %s wanted; make room",
			units_format_bytes((uint64_t)client->free_bytes, have),
			units_format_bytes(baseline->free_bytes, want));
		return CLIENT_OUTDATED;
	}
	return CLIENT_CHECKED;
}

/* A client that waits for its wave is checked again with every report. */
static void check_client(
	struct rollout *r, struct client_row *client, int64_t now_us)
{
	char reason[ROW_REASON_BYTES];
	enum client_state state = baseline_state(r, client, reason);

	switch (client->state) {
	case CLIENT_UNKNOWN:
	case CLIENT_UNREACHABLE:
	case CLIENT_OUTDATED:
	case CLIENT_CHECKED:
	case CLIENT_INSTALLING:
		(void)client_set_state(
			r, client, state, now_us, "agent", reason, NULL);
		break;
	default:
		break;
	}
}

/* The agent of a client in mid-sync does not sync; unless it should stand
 * still, which ends with a report that it is idle. */
static void start_again(struct rollout *r, struct client_row *client)
{
	if (client_state_active(client->state) && !client->braked)
		client_command(r, client, COMMAND_START);
}

void rollout_enrolled(struct rollout *r, struct client_row *client,
	const struct enroll *enroll, const char *agent, int64_t now_us)
{
	(void)snprintf(client->agent, sizeof(client->agent), "%s", agent);
	(void)snprintf(client->version, sizeof(client->version), "%s",
		enroll->version);
	(void)snprintf(client->host, sizeof(client->host), "%s", enroll->host);
	client->free_bytes = enroll->store_free_bytes;
	client->enrolled_us = client->seen_us = now_us;
	client->seq = 0;
	client->command_done = 0;
	rollout_touch(r, client);
	/* The machine was set up anew in mid-sync: its new agent starts. */
	start_again(r, client);
	check_client(r, client, now_us);
}

static void copy_figures(
	struct client_row *client, const struct report *report, int64_t now_us)
{
	uint64_t app = client->app_bytes;

	for (size_t i = 0; i < report->sample_count; i++) {
		client->app_bytes = report->samples[i].app_bytes;
		client->wire_bytes = report->samples[i].wire_bytes;
	}
	if (client->app_bytes != app || client->phase != report->phase ||
		report->progress.messages != client->progress.messages ||
		report->progress.bodies != client->progress.bodies)
		client->progress_us = now_us;
	client->progress = report->progress;
	client->phase = report->phase;
	client->command_done = report->command;
	client->seen_us = now_us;
	(void)snprintf(client->version, sizeof(client->version), "%s",
		report->version);
}

static void sync_failed(struct rollout *r, struct client_row *client,
	const struct report *report, int64_t now_us)
{
	char reason[ROW_REASON_BYTES];

	(void)snprintf(reason, sizeof(reason), "%.40s: %.200s",
		report->error_kind ? report->error_kind : "failed",
		report->error ? report->error : "the agent gave no reason");
	client_fail(r, client, report->retryable, now_us, reason);
}

/* An agent that was killed goes on when it is started again, whether or not it
 * was told to stand still before. */
static bool forgot_pause(
	const struct client_row *client, const struct report *report)
{
	if (!client->braked || report->command < client->command_id)
		return false;
	return report->phase == PHASE_STARTING
		? client->state != CLIENT_STARTING
		: report->phase != PHASE_PAUSED &&
			client->state == CLIENT_PAUSED;
}

/* An active client follows its agent's phase. */
static void follow_phase(struct rollout *r, struct client_row *client,
	const struct report *report, int64_t now_us)
{
	static const enum client_state states[PHASE_COUNT] = {
		[PHASE_STARTING] = CLIENT_STARTING,
		[PHASE_LISTING] = CLIENT_LISTING,
		[PHASE_SYNCING] = CLIENT_SYNCING,
		[PHASE_PAUSED] = CLIENT_PAUSED,
		[PHASE_VERIFYING] = CLIENT_VERIFYING,
	};

	switch (report->phase) {
	case PHASE_IDLE:
		/* Its machine was restarted before the sync had begun. */
		start_again(r, client);
		break;
	case PHASE_DONE:
		if (report->progress.verified)
			(void)client_set_state(r, client, CLIENT_DONE, now_us,
				"agent", "", NULL);
		else
			client_fail(r, client, true, now_us,
				"unverified: the agent ended without a proof");
		break;
	case PHASE_FAILED:
		sync_failed(r, client, report, now_us);
		break;
	default:
		if (forgot_pause(client, report))
			client_command(r, client, COMMAND_PAUSE);
		if (client->state != CLIENT_LOST ||
			report->phase != PHASE_STARTING)
			(void)client_set_state(r, client, states[report->phase],
				now_us, "agent", "", NULL);
	}
}

/* The functional acceptance of a client that is done. */
static void follow_acceptance(struct rollout *r, struct client_row *client,
	const struct report *report, int64_t now_us)
{
	if (!client->accept_id || report->command < client->accept_id ||
		client->accepted)
		return;
	if (report->phase == PHASE_DONE && report->progress.verified) {
		client->accepted = true;
		rollout_touch(r, client);
	} else if (report->phase == PHASE_FAILED) {
		sync_failed(r, client, report, now_us);
	}
}

/* We gave up, the agent did not. */
static bool was_done_after_all(
	const struct client_row *client, const struct report *report)
{
	return report->phase == PHASE_DONE && report->progress.verified &&
		client->start_id && report->command >= client->start_id &&
		(client->state == CLIENT_FAILED ||
			client->state == CLIENT_GAVE_UP ||
			client->state == CLIENT_CANCELLED);
}

/* Synchronised before this rollout. */
static bool was_done_elsewhere(
	const struct client_row *client, const struct report *report)
{
	return report->phase == PHASE_DONE && report->progress.verified &&
		(client->state == CLIENT_CHECKED ||
			client->state == CLIENT_UNREACHABLE) &&
		client->attempts == 0;
}

void rollout_report(struct rollout *r, struct client_row *client,
	const struct report *report, int64_t now_us)
{
	copy_figures(client, report, now_us);
	rollout_touch(r, client);
	check_client(r, client, now_us);
	if (was_done_elsewhere(client, report))
		(void)client_set_state(r, client, CLIENT_SKIPPED, now_us,
			"agent", "was synchronised before", NULL);
	else if (was_done_after_all(client, report))
		(void)client_set_state(r, client, CLIENT_DONE, now_us, "agent",
			"ended after all", NULL);
	else if (client_state_active(client->state)) {
		if (report->command >= client->start_id)
			follow_phase(r, client, report, now_us);
	} else if (client->state == CLIENT_DONE) {
		follow_acceptance(r, client, report, now_us);
	}
}
