/*
 * counsel.h - asking the model: facts of the rollout in, a recommendation
 * out, both kept in the archive.
 */
#ifndef SLUICE_COUNSEL_H
#define SLUICE_COUNSEL_H

#include "recommend.h"

struct err;
struct hub;

/* Recommends from all data so far and writes inputs and result to the
 * archive; *JSON, if asked for, is the result's text for free(). */
int counsel_ask(struct hub *hub, struct recommendation *out, char **json,
	struct err *err);

/* Payload that is still to be copied, MB = 10^6 bytes. */
double counsel_mb_left(const struct hub *hub);

#endif
