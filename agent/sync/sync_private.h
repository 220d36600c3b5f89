/*
 * sync_private.h - what engine.c and sync_control.c share, and nobody else.
 */
#ifndef SLUICE_SYNC_PRIVATE_H
#define SLUICE_SYNC_PRIVATE_H

#include <pthread.h>

#include "backoff.h"
#include "sync.h"

struct lane;
struct writer;

struct sync {
	struct sync_setup setup;
	struct wire *wire;
	struct writer *writer;
	struct lane *lane;
	struct source *mail, *dav;
	bool no_dav; /* the account has none */
	struct backoff backoff;
	pthread_mutex_t mutex; /* guards what follows */
	pthread_cond_t cond;   /* paused or cancelled changed */
	enum sync_state state;
	bool paused, cancelled;
	uint64_t total_bytes, predicted_bytes;
	uint64_t retries, round_trips;
	uint64_t start_app, start_wire;
	unsigned rounds;
	int64_t active_us, active_since; /* 0: not active */
};

#endif
