/*
 * states.h - the states of rollouts, waves and clients, and which may follow
 * which.
 *
 * Pure tables. The only functions that change a state are rollout_set_state,
 * wave_set_state and client_set_state (rollout.h); they refuse what is not
 * legal here. Names are stable: they stand in the archive and in JSON. Any
 * thread.
 */
#ifndef SLUICE_STATES_H
#define SLUICE_STATES_H

#include <stdbool.h>

enum rollout_state {
	ROLLOUT_DRAFT,	      /* the scenario is read */
	ROLLOUT_PLANNED,      /* checked; no wave runs */
	ROLLOUT_RUNNING,      /* a wave is on its way */
	ROLLOUT_PAUSED,	      /* the reason says by whom or by what */
	ROLLOUT_WAITING_GATE, /* a wave passed, a person decides */
	ROLLOUT_ABORTING,     /* active syncs end or are cancelled */
	ROLLOUT_ABORTED,
	ROLLOUT_DONE,		  /* every client is done or skipped */
	ROLLOUT_DONE_WITH_ERRORS, /* some gave up */
	ROLLOUT_STATE_COUNT
};

enum wave_state {
	WAVE_PLANNED,
	WAVE_PREFLIGHT, /* its clients are checked */
	WAVE_RAMPING,	/* starts are staggered up to the batch size */
	WAVE_STEADY,	/* the batch is full, or nobody is left to admit */
	WAVE_HOLDING,	/* no starts for now; the reason says why */
	WAVE_GATING,	/* judged; nothing is admitted */
	WAVE_PASSED,	/* stragglers may still run */
	WAVE_FAILED,
	WAVE_INCONCLUSIVE,
	WAVE_DRAINING, /* judged, the last clients finish */
	WAVE_CLOSED,
	WAVE_CANCELLED,
	WAVE_STATE_COUNT
};

enum wave_kind {
	WAVE_KIND_PILOT, /* a given size, before a model exists */
	WAVE_KIND_WAVE,
	WAVE_KIND_RETRY,
	WAVE_KIND_COUNT
};

enum client_state {
	CLIENT_UNKNOWN, /* no agent yet */
	CLIENT_CHECKED, /* its agent is there and good */
	CLIENT_OUTDATED,
	CLIENT_UNREACHABLE,
	CLIENT_EXCLUDED, /* by a person */
	CLIENT_QUEUED,	 /* in a wave, or for the next one (retry) */
	CLIENT_INSTALLING,
	CLIENT_STARTING, /* told to start */
	CLIENT_LISTING,
	CLIENT_SYNCING, /* bulk: n(t) counts these */
	CLIENT_PAUSED,
	CLIENT_VERIFYING,
	CLIENT_DONE,
	CLIENT_FAILED,	/* the reason says why; may be queued again */
	CLIENT_LOST,	/* no heartbeat */
	CLIENT_GAVE_UP, /* no retry is left */
	CLIENT_SKIPPED, /* was synced before the rollout */
	CLIENT_CANCELLED,
	CLIENT_STATE_COUNT
};

const char *rollout_state_name(enum rollout_state state);
const char *wave_state_name(enum wave_state state);
const char *wave_kind_name(enum wave_kind kind);
const char *client_state_name(enum client_state state);

bool rollout_state_legal(enum rollout_state from, enum rollout_state to);
bool wave_state_legal(enum wave_state from, enum wave_state to);
bool client_state_legal(enum client_state from, enum client_state to);

/* Holds a slot of the batch. */
bool client_state_active(enum client_state state);

/* Nothing more will happen by itself. */
bool client_state_final(enum client_state state);
bool wave_state_final(enum wave_state state);
bool rollout_state_final(enum rollout_state state);

#endif
