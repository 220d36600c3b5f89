/* hire.c - see hire.h. Pure; called by the crew. */
#include "hire.h"

#include "clock.h"

/* Nearer than this one connection is as good as several. */
#define LONG_LINE_US (10 * US_PER_MS)
/* What a further one has to save. */
#define GAIN_US (250 * US_PER_MS)
/* Round trips until it is at work: TCP, TLS, greeting, login and the rest. */
#define SETUP_TRIPS 6
/* A rate is that of so long; and a try is not worth it for less to come. */
#define LOOK_US	  (2 * US_PER_S)
#define WORTH_US  (6 * US_PER_S)
#define FULL_RATE 0.8 /* of the client's limit: no more will come */
/* The share of what a further one could bring that it has to. */
#define GAIN_SHARE 0.4

unsigned hire_for_commands(const struct work_size *size,
	const struct source_line *line, unsigned max)
{
	double trips;
	unsigned count = 1;

	if (line->round_trip_us < LONG_LINE_US || !line->commands_max)
		return 1;
	trips = (double)size->commands / line->commands_max - SETUP_TRIPS;
	/* The work after the set-up, shared by one more. */
	while (count < max &&
		trips * (double)line->round_trip_us / (count * (count + 1)) >=
			(double)GAIN_US)
		count++;
	return count;
}

static void mark(struct hire *hire, const struct hire_look *look)
{
	hire->since_us = look->now_us;
	hire->since_bytes = look->bytes;
}

void hire_start(struct hire *hire, const struct source_line *line,
	unsigned count, unsigned max, const struct hire_look *look)
{
	*hire = (struct hire){.line = *line, .count = count, .max = max};
	hire->settled = line->round_trip_us < LONG_LINE_US;
	mark(hire, look);
}

void hire_changed(
	struct hire *hire, unsigned count, const struct hire_look *look)
{
	/* One that we did not ask to go has gone: there is no comparing. */
	if (count <= hire->count)
		hire->settled = true;
	hire->count = count;
	mark(hire, look);
}

static enum hire_advice judge(struct hire *hire, double rate)
{
	double before = hire->rate_before;

	hire->trying = false;
	if (rate >= before * (1 + GAIN_SHARE / (hire->count - 1)))
		return HIRE_NONE;
	hire->settled = true;
	return HIRE_FEWER;
}

enum hire_advice hire_consider(struct hire *hire, const struct hire_look *look)
{
	int64_t us = look->now_us - hire->since_us;
	double rate;

	if (hire->settled || us < LOOK_US)
		return HIRE_NONE;
	rate = (double)(look->bytes - hire->since_bytes) * US_PER_S /
		(double)us;
	mark(hire, look);
	if (hire->trying && judge(hire, rate) == HIRE_FEWER)
		return HIRE_FEWER;
	if (hire->count >= hire->max || rate <= 0 ||
		(double)look->bytes_left / rate * US_PER_S < (double)WORTH_US ||
		(look->limit_bytes_s &&
			rate >= FULL_RATE * (double)look->limit_bytes_s))
		return HIRE_NONE;
	hire->rate_before = rate;
	hire->trying = true;
	return HIRE_MORE;
}
