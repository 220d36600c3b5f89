/*
 * states.c - names and legal transitions of the three state machines.
 *
 * Data only: a row of a transition table is the set of states that may
 * follow, one bit each. Any thread.
 */
#include "states.h"

static const char *const rollout_names[ROLLOUT_STATE_COUNT] = {
	[ROLLOUT_DRAFT] = "draft",
	[ROLLOUT_PLANNED] = "planned",
	[ROLLOUT_RUNNING] = "running",
	[ROLLOUT_PAUSED] = "paused",
	[ROLLOUT_WAITING_GATE] = "waiting_gate",
	[ROLLOUT_ABORTING] = "aborting",
	[ROLLOUT_ABORTED] = "aborted",
	[ROLLOUT_DONE] = "done",
	[ROLLOUT_DONE_WITH_ERRORS] = "done_with_errors",
};

static const char *const wave_names[WAVE_STATE_COUNT] = {
	[WAVE_PLANNED] = "planned",
	[WAVE_PREFLIGHT] = "preflight",
	[WAVE_RAMPING] = "ramping",
	[WAVE_STEADY] = "steady",
	[WAVE_HOLDING] = "holding",
	[WAVE_GATING] = "gating",
	[WAVE_PASSED] = "passed",
	[WAVE_FAILED] = "failed",
	[WAVE_INCONCLUSIVE] = "inconclusive",
	[WAVE_DRAINING] = "draining",
	[WAVE_CLOSED] = "closed",
	[WAVE_CANCELLED] = "cancelled",
};

static const char *const kind_names[WAVE_KIND_COUNT] = {
	[WAVE_KIND_PILOT] = "pilot",
	[WAVE_KIND_WAVE] = "wave",
	[WAVE_KIND_RETRY] = "retry",
};

static const char *const client_names[CLIENT_STATE_COUNT] = {
	[CLIENT_UNKNOWN] = "unknown",
	[CLIENT_CHECKED] = "checked",
	[CLIENT_OUTDATED] = "outdated",
	[CLIENT_UNREACHABLE] = "unreachable",
	[CLIENT_EXCLUDED] = "excluded",
	[CLIENT_QUEUED] = "queued",
	[CLIENT_INSTALLING] = "installing",
	[CLIENT_STARTING] = "starting",
	[CLIENT_LISTING] = "listing",
	[CLIENT_SYNCING] = "syncing",
	[CLIENT_PAUSED] = "paused",
	[CLIENT_VERIFYING] = "verifying",
	[CLIENT_DONE] = "done",
	[CLIENT_FAILED] = "failed",
	[CLIENT_LOST] = "lost",
	[CLIENT_GAVE_UP] = "gave_up",
	[CLIENT_SKIPPED] = "skipped",
	[CLIENT_CANCELLED] = "cancelled",
};

#define R(state) (1u << ROLLOUT_##state)
#define W(state) (1u << WAVE_##state)
#define C(state) (1u << CLIENT_##state)

#define ROLLOUT_ENDS (R(DONE) | R(DONE_WITH_ERRORS))

static const unsigned rollout_next[ROLLOUT_STATE_COUNT] = {
	[ROLLOUT_DRAFT] = R(PLANNED) | R(ABORTING),
	[ROLLOUT_PLANNED] = R(RUNNING) | R(PAUSED) | R(ABORTING) | ROLLOUT_ENDS,
	[ROLLOUT_RUNNING] = R(PLANNED) | R(PAUSED) | R(WAITING_GATE) |
		R(ABORTING) | ROLLOUT_ENDS,
	[ROLLOUT_PAUSED] = R(PLANNED) | R(RUNNING) | R(WAITING_GATE) |
		R(ABORTING) | ROLLOUT_ENDS,
	[ROLLOUT_WAITING_GATE] = R(PLANNED) | R(RUNNING) | R(PAUSED) |
		R(ABORTING) | ROLLOUT_ENDS,
	[ROLLOUT_ABORTING] = R(ABORTED),
	[ROLLOUT_ABORTED] = R(PAUSED),
	/* A person may retry or include somebody afterwards. */
	[ROLLOUT_DONE] = R(PLANNED),
	[ROLLOUT_DONE_WITH_ERRORS] = R(PLANNED),
};

static const unsigned wave_next[WAVE_STATE_COUNT] = {
	[WAVE_PLANNED] = W(PREFLIGHT) | W(CANCELLED),
	[WAVE_PREFLIGHT] = W(RAMPING) | W(HOLDING) | W(FAILED) | W(CANCELLED),
	[WAVE_RAMPING] = W(STEADY) | W(HOLDING) | W(GATING) | W(CANCELLED),
	[WAVE_STEADY] = W(RAMPING) | W(HOLDING) | W(GATING) | W(CANCELLED),
	[WAVE_HOLDING] = W(RAMPING) | W(STEADY) | W(GATING) | W(CANCELLED),
	[WAVE_GATING] = W(PASSED) | W(FAILED) | W(INCONCLUSIVE) | W(CANCELLED),
	[WAVE_PASSED] = W(DRAINING) | W(CANCELLED),
	/* Promoted by a person. */
	[WAVE_FAILED] = W(DRAINING) | W(PASSED) | W(CANCELLED),
	[WAVE_INCONCLUSIVE] = W(DRAINING) | W(PASSED) | W(CANCELLED),
	[WAVE_DRAINING] = W(CLOSED) | W(CANCELLED),
	[WAVE_CLOSED] = 0,
	[WAVE_CANCELLED] = 0,
};

/* Wherever a sync is on its way it can end in these. */
#define CLIENT_ENDS (C(DONE) | C(FAILED) | C(LOST) | C(CANCELLED) | C(PAUSED))
/* An agent reports once a second, so it may be found further on. */
#define CLIENT_ACTIVE (C(STARTING) | C(LISTING) | C(SYNCING) | C(VERIFYING))

static const unsigned client_next[CLIENT_STATE_COUNT] = {
	[CLIENT_UNKNOWN] = C(CHECKED) | C(OUTDATED) | C(UNREACHABLE) |
		C(EXCLUDED) | C(SKIPPED) | C(INSTALLING),
	[CLIENT_CHECKED] = C(QUEUED) | C(OUTDATED) | C(UNREACHABLE) |
		C(EXCLUDED) | C(SKIPPED),
	[CLIENT_OUTDATED] = C(CHECKED) | C(UNREACHABLE) | C(EXCLUDED),
	[CLIENT_UNREACHABLE] = C(CHECKED) | C(OUTDATED) | C(EXCLUDED) |
		C(SKIPPED),
	[CLIENT_EXCLUDED] = C(UNKNOWN),
	[CLIENT_QUEUED] = C(STARTING) | C(CHECKED) | C(INSTALLING) |
		C(OUTDATED) | C(UNREACHABLE) | C(EXCLUDED) | C(SKIPPED) |
		C(CANCELLED),
	[CLIENT_INSTALLING] = C(CHECKED) | C(QUEUED) | C(FAILED) |
		C(UNREACHABLE) | C(CANCELLED),
	[CLIENT_STARTING] = CLIENT_ACTIVE | CLIENT_ENDS | C(SKIPPED),
	[CLIENT_LISTING] = CLIENT_ACTIVE | CLIENT_ENDS,
	[CLIENT_SYNCING] = CLIENT_ACTIVE | CLIENT_ENDS,
	[CLIENT_PAUSED] = CLIENT_ACTIVE | C(DONE) | C(FAILED) | C(LOST) |
		C(CANCELLED),
	[CLIENT_VERIFYING] = CLIENT_ACTIVE | CLIENT_ENDS,
	/* A later acceptance may find what the first proof did not. */
	[CLIENT_DONE] = C(FAILED),
	[CLIENT_FAILED] = C(QUEUED) | C(GAVE_UP) | C(EXCLUDED) | C(CANCELLED) |
		C(DONE),
	[CLIENT_LOST] = CLIENT_ACTIVE | C(PAUSED) | C(DONE) | C(FAILED) |
		C(CANCELLED),
	[CLIENT_GAVE_UP] = C(QUEUED) | C(EXCLUDED) | C(DONE),
	[CLIENT_SKIPPED] = C(UNKNOWN) | C(EXCLUDED),
	[CLIENT_CANCELLED] = C(QUEUED) | C(EXCLUDED) | C(DONE),
};

#define NAME(names, count, state)                                              \
	((unsigned)(state) < (count) ? (names)[state] : "?")
#define LEGAL(next, count, from, to)                                           \
	((unsigned)(from) < (count) && (unsigned)(to) < (count) &&             \
		((next)[from] >> (to)&1u))

const char *rollout_state_name(enum rollout_state state)
{
	return NAME(rollout_names, ROLLOUT_STATE_COUNT, state);
}

const char *wave_state_name(enum wave_state state)
{
	return NAME(wave_names, WAVE_STATE_COUNT, state);
}

const char *wave_kind_name(enum wave_kind kind)
{
	return NAME(kind_names, WAVE_KIND_COUNT, kind);
}

const char *client_state_name(enum client_state state)
{
	return NAME(client_names, CLIENT_STATE_COUNT, state);
}

bool rollout_state_legal(enum rollout_state from, enum rollout_state to)
{
	return LEGAL(rollout_next, ROLLOUT_STATE_COUNT, from, to);
}

bool wave_state_legal(enum wave_state from, enum wave_state to)
{
	return LEGAL(wave_next, WAVE_STATE_COUNT, from, to);
}

bool client_state_legal(enum client_state from, enum client_state to)
{
	return LEGAL(client_next, CLIENT_STATE_COUNT, from, to);
}

/* A paused or lost sync keeps its slot: it may go on any second. */
bool client_state_active(enum client_state state)
{
	const unsigned active = CLIENT_ACTIVE | C(PAUSED) | C(LOST);

	return (unsigned)state < CLIENT_STATE_COUNT && (active >> state & 1u);
}

bool client_state_final(enum client_state state)
{
	const unsigned final = C(DONE) | C(GAVE_UP) | C(SKIPPED) | C(EXCLUDED) |
		C(CANCELLED);

	return (unsigned)state < CLIENT_STATE_COUNT && (final >> state & 1u);
}

bool wave_state_final(enum wave_state state)
{
	return state == WAVE_CLOSED || state == WAVE_CANCELLED;
}

bool rollout_state_final(enum rollout_state state)
{
	return state == ROLLOUT_DONE || state == ROLLOUT_DONE_WITH_ERRORS ||
		state == ROLLOUT_ABORTED;
}
