/* refill_test.c - after a restart buckets are what they were before it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "archive_fixture.h"
#include "clock.h"
#include "err.h"
#include "generator.h"
#include "refill.h"
#include "slicer.h"

#define START_US (INT64_C(1790000000) * US_PER_S)
#define LENGTH_S 580
#define MB	 UINT64_C(1000000)

/* Wave 1 from 12 s to 100 s, nothing up to 200 s, wave 2 up to 302 s, wave 3
 * half a second after it and still running. A bucket in which one ends and
 * another begins is the later one's. */
static const struct wave_row waves[] = {
	{.number = 1,
		.state = WAVE_CLOSED,
		.started_us = START_US + 12 * US_PER_S,
		.ended_us = START_US + 100 * US_PER_S},
	{.number = 2,
		.state = WAVE_CLOSED,
		.started_us = START_US + 200 * US_PER_S,
		.ended_us = START_US + 302 * US_PER_S},
	{.number = 3,
		.state = WAVE_STEADY,
		.started_us = START_US + 302 * US_PER_S + US_PER_S / 2},
};

static unsigned wave_at(double second)
{
	if (second < 10)
		return 0;
	if (second < 100)
		return 1;
	if (second < 200)
		return 0;
	return second < 300 ? 2 : 3;
}

/* One sample a second; client 2 comes late, long after client 1's first. */
static void put_samples(struct archive *archive, unsigned client, int from_s)
{
	struct err err = ERR_INIT;

	for (int s = from_s; s <= LENGTH_S; s++) {
		struct sample_row row = {.client = client,
			.boot = 7,
			.agent_us = s * US_PER_S,
			.at_us = START_US + s * US_PER_S,
			.received_us = START_US + s * US_PER_S,
			.phase = PHASE_SYNCING,
			.app_bytes = (uint64_t)(s - from_s) * MB};

		must(archive_add_sample(archive, &row, &err), &err);
	}
}

static size_t take(struct archive *archive, struct bucket *buckets, size_t max)
{
	struct slicer *slicer = slicer_new(&slicer_policy_default);
	struct generator *generator = generator_new();
	struct err err = ERR_INIT;
	size_t count;

	must(refill_slicer(slicer, generator, archive, START_US, &err), &err);
	generator_free(generator);
	count = slicer_take(
		slicer, START_US + LENGTH_S * US_PER_S, buckets, max);
	slicer_free(slicer);
	return count;
}

static void every_bucket_keeps_its_wave(void **state)
{
	struct fixture *f = *state;
	struct bucket buckets[256];
	struct err err = ERR_INIT;
	size_t count;

	for (size_t i = 0; i < sizeof(waves) / sizeof(*waves); i++)
		must(archive_put_wave(f->archive, &waves[i], &err), &err);
	put_samples(f->archive, 1, 0);
	count = take(f->archive, buckets, 256);
	assert_int_equal(count, 115); /* all but the last: its grace runs */
	for (size_t i = 0; i < count; i++)
		assert_int_equal(buckets[i].wave,
			wave_at(buckets[i].start_s -
				(double)(START_US / US_PER_S)));
}

static void clients_fall_where_they_were(void **state)
{
	struct fixture *f = *state;
	struct bucket buckets[256];
	size_t count;

	/* The later one is read first: its number is the smaller. */
	put_samples(f->archive, 1, 560);
	put_samples(f->archive, 2, 0);
	count = take(f->archive, buckets, 256);
	assert_int_equal(count, 115);
	for (size_t i = 0; i < count; i++) {
		double second = buckets[i].start_s -
			(double)(START_US / US_PER_S);
		double n = second < 560 ? 1 : 2;

		assert_true(fabs((double)buckets[i].n - n) < 1e-6);
		assert_true(fabs((double)buckets[i].x_mb_min - 60 * n) < 1e-3);
	}
}

static void a_busy_load_generator_stays_marked(void **state)
{
	struct fixture *f = *state;
	struct bucket buckets[256];
	struct err err = ERR_INIT;
	size_t count;

	put_samples(f->archive, 1, 0);
	for (int64_t s = 1; s <= 200; s++) {
		struct host_row row = {
			.host = "fleet1",
			.at_us = START_US + s * US_PER_S,
			.sample = {.span_us = US_PER_S,
				.cpu = s > 100 && s <= 120 ? 0.98 : 0.5,
				.memory = NAN,
				.disk_busy = NAN},
		};

		must(archive_add_host(f->archive, &row, &err), &err);
	}
	count = take(f->archive, buckets, 256);
	for (size_t i = 0; i < count; i++) {
		double second = buckets[i].start_s -
			(double)(START_US / US_PER_S);

		assert_int_equal(!!(buckets[i].flags & BUCKET_GENERATOR),
			second >= 100 && second < 120);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_bucket_keeps_its_wave,
			archive_setup, archive_teardown),
		cmocka_unit_test_setup_teardown(clients_fall_where_they_were,
			archive_setup, archive_teardown),
		cmocka_unit_test_setup_teardown(
			a_busy_load_generator_stays_marked, archive_setup,
			archive_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
