/*
 * state.h - what a synchronisation is doing, in one enum and one table.
 *
 * The controller sees the coarser `enum phase` (message.h), which follows
 * from the state. Pure; any thread.
 */
#ifndef SLUICE_STATE_H
#define SLUICE_STATE_H

#include <stdbool.h>

#include "message.h"

enum sync_state {
	SYNC_NEW,	 /* made, not started */
	SYNC_CONNECTING, /* opens connections and logs in */
	SYNC_LISTING,	 /* folders, what is in them, headers */
	SYNC_FETCHING,	 /* bodies and objects: the bulk */
	SYNC_VERIFYING,	 /* the store held against the server once more */
	SYNC_WAITING,	 /* backs off after a failure that may pass */
	SYNC_PAUSED,	 /* by command */
	SYNC_DONE,	 /* verified */
	SYNC_FAILED,	 /* needs a person, or tried often enough */
	SYNC_CANCELLED,	 /* by command */
	SYNC_STATE_COUNT
};

const char *sync_state_name(enum sync_state state);
enum phase sync_state_phase(enum sync_state state);
bool sync_state_final(enum sync_state state);

/* Is the step in the table? */
bool sync_state_may(enum sync_state from, enum sync_state to);

#endif
