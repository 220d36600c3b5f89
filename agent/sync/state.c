/*
 * state.c - the table of the states of a synchronisation.
 *
 * Asked by the engine's one set_state(). Pure, no thread of its own.
 */
#include "state.h"

#define TO(state) (1u << (state))

static const struct {
	const char *name;
	enum phase phase;
	unsigned next; /* where it may go from here */
} table[SYNC_STATE_COUNT] = {
	[SYNC_NEW] = {"new", PHASE_IDLE,
		TO(SYNC_CONNECTING) | TO(SYNC_FAILED) | TO(SYNC_CANCELLED)},
	[SYNC_CONNECTING] = {"connecting", PHASE_STARTING,
		TO(SYNC_LISTING) | TO(SYNC_FETCHING) | TO(SYNC_VERIFYING) |
			TO(SYNC_WAITING) | TO(SYNC_PAUSED) | TO(SYNC_FAILED) |
			TO(SYNC_CANCELLED)},
	[SYNC_LISTING] = {"listing", PHASE_LISTING,
		TO(SYNC_FETCHING) | TO(SYNC_VERIFYING) | TO(SYNC_WAITING) |
			TO(SYNC_PAUSED) | TO(SYNC_FAILED) | TO(SYNC_CANCELLED) |
			TO(SYNC_DONE)},
	[SYNC_FETCHING] = {"fetching", PHASE_SYNCING,
		TO(SYNC_VERIFYING) | TO(SYNC_WAITING) | TO(SYNC_PAUSED) |
			TO(SYNC_FAILED) | TO(SYNC_CANCELLED)},
	[SYNC_VERIFYING] = {"verifying", PHASE_VERIFYING,
		TO(SYNC_FETCHING) | TO(SYNC_WAITING) | TO(SYNC_PAUSED) |
			TO(SYNC_DONE) | TO(SYNC_FAILED) | TO(SYNC_CANCELLED)},
	[SYNC_WAITING] = {"waiting", PHASE_STARTING,
		TO(SYNC_CONNECTING) | TO(SYNC_PAUSED) | TO(SYNC_FAILED) |
			TO(SYNC_CANCELLED)},
	[SYNC_PAUSED] = {"paused", PHASE_PAUSED,
		TO(SYNC_CONNECTING) | TO(SYNC_LISTING) | TO(SYNC_FETCHING) |
			TO(SYNC_VERIFYING) | TO(SYNC_WAITING) |
			TO(SYNC_FAILED) | TO(SYNC_CANCELLED)},
	[SYNC_DONE] = {"done", PHASE_DONE, 0},
	[SYNC_FAILED] = {"failed", PHASE_FAILED, 0},
	[SYNC_CANCELLED] = {"cancelled", PHASE_IDLE, 0},
};

const char *sync_state_name(enum sync_state state)
{
	return table[state].name;
}

enum phase sync_state_phase(enum sync_state state)
{
	return table[state].phase;
}

bool sync_state_final(enum sync_state state)
{
	return table[state].next == 0;
}

bool sync_state_may(enum sync_state from, enum sync_state to)
{
	return (table[from].next & TO(to)) != 0;
}
