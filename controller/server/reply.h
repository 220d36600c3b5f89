/*
 * reply.h - what an operator's verb answers: text for a person, data for a
 * program, and the exit status of the command.
 *
 * Between the parts of the operator's interface.
 */
#ifndef SLUICE_REPLY_H
#define SLUICE_REPLY_H

#include <jansson.h>

#include "buf.h"
#include "hub.h"

/* Exit statuses of every verb. */
enum {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_RUNNING = 3,
	EXIT_WAITS = 4, /* for a person */
};

struct reply {
	int exit;
	struct buf text;
	json_t *data; /* an object */
};

/* One verb: ARGS is what the command line gave, WHO who asks. -1 with ERR
 * filled is an error of the verb, not of the connection. */
typedef int verb_fn(struct hub *hub, const json_t *args, const char *who,
	struct reply *reply, struct err *err);

/* operator_waves.c */
verb_fn verb_plan, verb_pilot, verb_wave, verb_run, verb_recommend;
/* operator_status.c */
verb_fn verb_status, verb_show;
/* operator_api.c holds the small ones itself */

/* Of ARGS; NULL, 0 or false when it is not there. */
const char *arg_text(const json_t *args, const char *key);
unsigned arg_count(const json_t *args, const char *key);
bool arg_flag(const json_t *args, const char *key);

/* The exit status that says where the rollout stands. */
int hub_exit(const struct hub *hub);

#endif
