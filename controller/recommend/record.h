/*
 * record.h - a recommendation and its inputs as JSON, for people and replay.
 *
 * The archive stores both texts; decoding the input and recommending again
 * from the same buckets must give the same output text. Any thread.
 */
#ifndef SLUICE_RECORD_H
#define SLUICE_RECORD_H

#include "recommend.h"

struct err;

/* JSON text for free(): keys of the recommendation in docs/capacity.md. */
char *recommendation_encode(const struct recommendation *rec);

/* Facts and policy together. */
char *recommend_input_encode(const struct recommend_facts *facts,
	const struct recommend_policy *policy);

/* On success FACTS->past is memory for free(). */
int recommend_input_decode(struct recommend_facts *facts,
	struct recommend_policy *policy, const char *text, struct err *err);

#endif
