/*
 * hub.h - the controller in memory, shared by the parts of server/.
 *
 * Everything happens on the loop's thread. A part that changes something
 * calls hub_begin() first; what a turn changed is committed by hub_commit()
 * before its answers leave. When the archive cannot be written the process
 * ends: nothing that was not written may have been said.
 */
#ifndef SLUICE_HUB_H
#define SLUICE_HUB_H

#include <stdbool.h>
#include <stdint.h>

#include "archive.h"
#include "automatic.h"
#include "err.h"
#include "gauge.h"
#include "rollout.h"
#include "scenario.h"
#include "web.h"

struct hub {
	char *dir;
	struct scenario scenario;
	struct archive *archive;
	struct rollout rollout;
	struct gauge *gauge;
	struct web *web;
	bool open;			    /* a transaction is */
	bool failed;			    /* the archive did; the loop ends */
	uint64_t reports, doubled, refused; /* since the start */
	struct automatic automatic;
	unsigned untouched;  /* wave whose refusal to begin was said */
	int64_t stuck_us;    /* since when it is hopeless; 0: it is not */
	bool stuck;	     /* it does not begin without a person */
	unsigned *slow_said; /* by client: the attempt that was flagged */
	struct err err;
};

int hub_open(struct hub *hub, const char *dir, struct err *err);
void hub_close(struct hub *hub);

/* Notes the failure in hub->err and says false. */
bool hub_begin(struct hub *hub);
bool hub_commit(struct hub *hub);
void hub_fail(struct hub *hub, const struct err *err);
void hub_event(struct hub *hub, const char *subject, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* One second of the scheduler. */
void hub_tick(struct hub *hub, int64_t now_us);

/* ---- requests; each answers or parks */
void agent_enroll(struct hub *hub, struct web_request *request);
void agent_report(struct hub *hub, struct web_request *request);
void agent_policy(struct hub *hub, struct web_request *request);

/* The client whose agent sent REQUEST; NULL: unknown. */
struct client_row *agent_of(struct hub *hub, const struct web_request *);

/* Answer the parked agents that have something to do or waited enough. */
void agent_release(struct hub *hub);

void operator_verb(struct hub *hub, struct web_request *request);
bool operator_allowed(struct hub *hub, const struct web_request *request);
void metrics_answer(struct hub *hub, struct web_request *request);

/* Answer with {"error": TEXT}. */
void hub_refuse(struct web_request *request, int status, const char *text);

#endif
