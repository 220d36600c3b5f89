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

/* What a recommendation was computed from, so that replay can tell whether
 * the archive still holds the same. */
struct recommend_data {
	size_t count;	 /* the oldest COUNT buckets */
	uint64_t digest; /* of their figures; not for secrets */
};
struct recommend_data recommend_data_of(
	const struct bucket *buckets, size_t count);

/* Facts, policy and the data's digest together. */
char *recommend_input_encode(const struct recommend_facts *facts,
	const struct recommend_policy *policy,
	const struct recommend_data *data);

/* On success FACTS->past is memory for free(). */
int recommend_input_decode(struct recommend_facts *facts,
	struct recommend_policy *policy, struct recommend_data *data,
	const char *text, struct err *err);

#endif
