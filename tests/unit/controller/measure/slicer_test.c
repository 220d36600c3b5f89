/* slicer_test.c - whatever order samples come in, every byte counts once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first. */
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "message.h"
#include "random.h"
#include "slicer.h"

#define S	US_PER_S
#define BUCKETS 4096

static struct bucket taken[BUCKETS];
static size_t taken_count;

/* What the archive does: a bucket replaces the one of the same start. */
static void take(struct slicer *slicer, int64_t now_us)
{
	struct bucket some[7];
	size_t count;

	do {
		count = slicer_take(slicer, now_us, some, 7);
		for (size_t i = 0; i < count; i++) {
			size_t at = 0;
			while (at < taken_count &&
				taken[at].start_s != some[i].start_s)
				at++;
			assert_true(at < BUCKETS);
			taken[at] = some[i];
			if (at == taken_count)
				taken_count++;
		}
	} while (count == 7);
}

static const struct bucket *bucket_at(double start_s)
{
	for (size_t i = 0; i < taken_count; i++)
		if (taken[i].start_s == start_s)
			return &taken[i];
	fail_msg("no bucket at %.0f s", start_s);
	return NULL;
}

static double total_bytes(void)
{
	double sum = 0;

	for (size_t i = 0; i < taken_count; i++)
		sum += (double)taken[i].x_mb_min / 60 *
			(double)taken[i].seconds * 1e6;
	return sum;
}

static int setup(void **state)
{
	taken_count = 0;
	*state = slicer_new(&slicer_policy_default);
	return 0;
}

static int teardown(void **state)
{
	slicer_free(*state);
	return 0;
}

static struct sample sample_of(int64_t at_us, enum phase phase, uint64_t bytes)
{
	return (struct sample){
		.at_us = at_us, .phase = phase, .app_bytes = bytes};
}

/* One sample a report, sent at once. */
static void say(struct slicer *slicer, unsigned agent, int64_t at_us,
	enum phase phase, uint64_t bytes)
{
	struct sample sample = sample_of(at_us, phase, bytes);

	slicer_report(slicer, agent, "boot", at_us, at_us, &sample, 1);
}

static void counts_n_and_x(void **state)
{
	for (int s = 1000; s <= 1040; s++) {
		say(*state, 1, s * S, PHASE_SYNCING,
			(uint64_t)(s - 1000) * 1000000);
		say(*state, 2, s * S, PHASE_SYNCING,
			(uint64_t)(s - 1000) * 2000000);
	}
	take(*state, 1045 * S);
	const struct bucket *bucket = bucket_at(1020);
	assert_true(bucket->n == 2);
	assert_true(fabsf(bucket->x_mb_min - 180) < 0.01F);
	assert_int_equal(bucket->flags, 0);
	assert_true(bucket_at(1000)->flags & BUCKET_SETTLING);
	assert_true(bucket_at(1005)->flags & BUCKET_SETTLING);
	assert_false(bucket_at(1010)->flags & BUCKET_SETTLING);
}

static void drops_changes_of_n(void **state)
{
	for (int s = 1000; s <= 1060; s++) {
		say(*state, 1, s * S, PHASE_SYNCING, 0);
		say(*state, 2, s * S + S / 2,
			s < 1032 ? PHASE_SYNCING : PHASE_VERIFYING, 0);
	}
	take(*state, 1060 * S);
	assert_true(bucket_at(1030)->flags & BUCKET_N_CHANGED);
	assert_false(bucket_at(1025)->flags & BUCKET_N_CHANGED);
	/* Half of the active verify from here on. */
	assert_true(bucket_at(1045)->flags & BUCKET_PHASES);
	assert_true(bucket_at(1045)->n == 1);
	assert_true(bucket_at(1045)->active == 2);
}

/* Forty syncs, of which one ends every five seconds and the next begins half
 * a second later: n is hardly ever whole, and every bucket is of use. Four
 * seconds in which eight of them change places are not. */
static void few_changes_among_many_count(void **state)
{
	for (int s = 1000; s <= 1100; s++) {
		bool swap = s >= 1081 && s < 1085;
		for (unsigned a = 1; a <= 41; a++) {
			int turn = (s - 1000) / 5 % 41 + 1;
			bool out = (int)a == turn ||
				(swap && a > 30 && (s + (int)a) % 2);
			say(*state, a, s * S + (out ? 0 : S / 2),
				out ? PHASE_VERIFYING : PHASE_SYNCING,
				(uint64_t)(s - 1000) * 1000000);
		}
	}
	take(*state, 1105 * S);
	for (int s = 1015; s < 1080; s += 5) {
		const struct bucket *bucket = bucket_at(s);
		assert_int_equal(bucket->flags, 0);
		assert_true(bucket->n > 39.5F && bucket->n < 40.5F);
		assert_true(fabsf(bucket->x_mb_min - 41 * 60) < 60);
	}
	assert_true(bucket_at(1080)->flags & BUCKET_N_CHANGED);
	assert_true(bucket_at(1085)->flags & BUCKET_SETTLING);
}

static void ignores_doubles_and_disorder(void **state)
{
	struct sample samples[31];

	for (int i = 0; i <= 30; i++)
		samples[i] = sample_of(
			i * S, PHASE_SYNCING, (uint64_t)i * 1000);
	/* Backwards within a report, and each report three times. */
	for (int i = 30; i > 0; i--) {
		struct sample swap = samples[i];
		int j = i > 15 ? i - 15 : i;
		samples[i] = samples[j];
		samples[j] = swap;
	}
	for (int times = 0; times < 3; times++)
		slicer_report(*state, 7, "a", 30 * S, 1030 * S, samples, 31);
	take(*state, 1040 * S);
	assert_int_equal(slicer_bytes(*state), 30000);
	assert_true(fabs(total_bytes() - 30000) < 1);
}

static void late_samples_revise(void **state)
{
	struct sample late[60];

	say(*state, 1, 1000 * S, PHASE_SYNCING, 0);
	take(*state, 1060 * S);
	assert_true(bucket_at(1030)->flags & BUCKET_NO_DATA);
	assert_true(bucket_at(1030)->n == 0);
	for (int i = 0; i < 60; i++)
		late[i] = sample_of((1001 + i) * S, PHASE_SYNCING,
			(uint64_t)(i + 1) * 500000);
	slicer_report(*state, 1, "boot", 1060 * S, 1061 * S, late, 60);
	take(*state, 1070 * S);
	assert_false(bucket_at(1030)->flags & BUCKET_NO_DATA);
	assert_true(bucket_at(1030)->n == 1);
	assert_true(fabsf(bucket_at(1030)->x_mb_min - 30) < 0.01F);
	assert_true(fabs(total_bytes() - 30e6) < 10);
}

static void falling_counter_counts_from_there(void **state)
{
	say(*state, 1, 1000 * S, PHASE_SYNCING, 5000);
	say(*state, 1, 1001 * S, PHASE_SYNCING, 9000);
	say(*state, 1, 1002 * S, PHASE_SYNCING, 8000);
	say(*state, 1, 1003 * S, PHASE_SYNCING, 10000);
	assert_int_equal(slicer_bytes(*state), 6000);
}

/* A counter that no line could have brought so far tells nothing; what comes
 * after it does. */
static void absurd_counters_count_nothing(void **state)
{
	for (int s = 1000; s <= 1040; s++)
		say(*state, 1, s * S, PHASE_SYNCING,
			s == 1022 ? UINT64_C(1) << 60
				  : (uint64_t)(s - 1000) * 1000000);
	take(*state, 1045 * S);
	/* The lie, and the counter falling from it. */
	assert_int_equal(slicer_bytes(*state), 38000000);
	assert_true(bucket_at(1020)->flags & BUCKET_INVALID);
	assert_int_equal(bucket_at(1025)->flags, 0);
	assert_true(fabsf(bucket_at(1025)->x_mb_min - 60) < 0.01F);
}

static void maps_clocks(void **state)
{
	/* An agent whose clock is 500 s behind ours and whose reports take
	 * 0.1 to 0.9 s. */
	for (int i = 0; i <= 40; i++) {
		int64_t at = (500 + i) * S;
		struct sample sample = sample_of(
			at, PHASE_SYNCING, (uint64_t)i * 1000);
		slicer_report(*state, 3, "x", at,
			at + 500 * S + S / 10 * (1 + i % 9), &sample, 1);
	}
	take(*state, 1050 * S);
	assert_true(bucket_at(1020)->n == 1);
	assert_true(slicer_clock_error_us(*state, 3) < S / 2);
	assert_true(fabs(total_bytes() - 40000) < 1);
}

static void survives_a_suspended_clock(void **state)
{
	int64_t asleep = 0;

	for (int i = 0; i <= 100; i++) {
		if (i == 50)
			asleep = 3600 * S;
		int64_t at = (500 + i) * S;
		struct sample sample = sample_of(
			at, PHASE_SYNCING, (uint64_t)i * 1000);
		slicer_report(*state, 3, "x", at, at + asleep, &sample, 1);
		take(*state, at + asleep);
	}
	take(*state, 4210 * S);
	assert_int_equal(slicer_bytes(*state), 100000);
	assert_true(bucket_at(4190)->n == 1);
	assert_false(bucket_at(4190)->flags & BUCKET_NO_DATA);
}

static void new_boot_keeps_the_count(void **state)
{
	struct sample before = sample_of(90 * S, PHASE_SYNCING, 4000);
	struct sample after = sample_of(2 * S, PHASE_SYNCING, 4500);

	slicer_report(*state, 1, "boot 1", 90 * S, 1000 * S, &before, 1);
	slicer_report(*state, 1, "boot 2", 2 * S, 1012 * S, &after, 1);
	assert_int_equal(slicer_bytes(*state), 500);
	take(*state, 1030 * S);
	assert_true(bucket_at(1005)->flags & BUCKET_NO_DATA);
}

static void refuses_damaged_times(void **state)
{
	struct sample samples[] = {
		sample_of(INT64_MAX, PHASE_SYNCING, 1),
		sample_of(INT64_MIN, PHASE_SYNCING, 2),
		sample_of(1000 * S, PHASE_SYNCING, 3),
	};

	assert_int_equal(
		slicer_report(*state, 1, "b", 1000 * S, 1000 * S, samples, 3),
		1);
	assert_int_equal(
		slicer_report(*state, 1, "b", INT64_MIN, 1000 * S, samples, 3),
		0);
	assert_int_equal(
		slicer_report(*state, UINT32_MAX, "b", S, S, samples, 3), 0);
}

/* The very first samples, of an age that no report can have: a row of buckets
 * from then on would not fit into memory. */
static void an_old_first_sample_makes_no_years_of_buckets(void **state)
{
	struct sample samples[] = {
		sample_of(0, PHASE_SYNCING, 0),
		sample_of(1000000 * S, PHASE_SYNCING, 5000000),
	};

	assert_int_equal(slicer_report(*state, 1, "b", 1000000 * S, 1001000 * S,
				 samples, 2),
		2);
	take(*state, 1001010 * S);
	assert_true(taken_count < 200);
	assert_int_equal(slicer_bytes(*state), 5000000);
	assert_true(fabs(total_bytes() - 5e6) < 1);
}

static void lost_agents_leave(void **state)
{
	for (int s = 1000; s <= 1010; s++)
		say(*state, 1, s * S, PHASE_SYNCING, 0);
	slicer_lost(*state, 1, 1011 * S);
	take(*state, 1060 * S);
	assert_true(bucket_at(1040)->n == 0);
	assert_int_equal(bucket_at(1040)->flags, 0);
}

static void averages_load_and_probes(void **state)
{
	float load[LOAD_COUNT];

	for (int i = 0; i < LOAD_COUNT; i++)
		load[i] = NAN;
	load[LOAD_CPU] = 0.2F;
	load[LOAD_DISK_READ_AWAIT] = 1;
	load[LOAD_DISK_READ_IOPS] = 900;
	slicer_load(*state, 1001 * S, S, load);
	load[LOAD_CPU] = 0.4F;
	load[LOAD_DISK_READ_AWAIT] = 11;
	load[LOAD_DISK_READ_IOPS] = 100;
	slicer_load(*state, 1002 * S, S, load);
	for (int i = 1; i <= 20; i++)
		slicer_probe(*state, 1001 * S + i, i * 1000);
	slicer_probe(*state, 1003 * S, -1);
	slicer_wave(*state, 4, 1000 * S);
	take(*state, 1010 * S);
	const struct bucket *bucket = bucket_at(1000);
	assert_true(fabsf(bucket->load[LOAD_CPU] - 0.3F) < 1e-6F);
	/* 900 reads of 1 ms and 100 of 11 ms took 2 ms each. */
	assert_true(fabsf(bucket->load[LOAD_DISK_READ_AWAIT] - 2) < 1e-5F);
	assert_true(isnan(bucket->load[LOAD_NIC]));
	assert_int_equal(bucket->probes, 21);
	assert_int_equal(bucket->failures, 1);
	assert_true(bucket->p50_ms == 10 && bucket->p95_ms == 19);
	assert_int_equal(bucket->probes_kept, BUCKET_PROBES);
	assert_int_equal(bucket->wave, 4);
}

/* A random agent: its own clock, its own counter, its own bad luck. */
struct machine {
	unsigned boot;
	int64_t boot_us; /* our clock minus its own */
	int64_t last_us; /* its clock when it last looked */
	uint64_t counter, counted;
	bool known;
	struct sample outbox[64]; /* not yet sent */
	size_t waiting;
	struct sample sent[64]; /* the last report, to be doubled */
	size_t sent_count;
	int64_t sent_us;
};

/* What cumulative counters promise: growth counts, a fall counts nothing. */
static void note(struct machine *m, int64_t now_us, uint64_t *truth)
{
	if (m->known && m->counter > m->counted)
		*truth += m->counter - m->counted;
	m->known = true;
	m->counted = m->counter;
	m->last_us = now_us - m->boot_us;
	m->outbox[m->waiting++] = sample_of(
		now_us - m->boot_us, PHASE_SYNCING, m->counter);
}

static void deliver(struct slicer *slicer, unsigned number, struct machine *m,
	int64_t now_us, int64_t delay_us)
{
	char boot[16];

	if (m->waiting) {
		memcpy(m->sent, m->outbox, m->waiting * sizeof(*m->sent));
		m->sent_count = m->waiting;
		m->sent_us = now_us - m->boot_us;
		m->waiting = 0;
	}
	if (m->sent_count == 0)
		return;
	(void)snprintf(boot, sizeof(boot), "b%u", m->boot);
	slicer_report(slicer, number, boot, m->sent_us, now_us + delay_us,
		m->sent, m->sent_count);
}

static void live(struct slicer *slicer, unsigned number, struct machine *m,
	int64_t now_us, uint64_t *random, uint64_t *truth)
{
	unsigned fate = random_below(random, 100);

	m->counter += random_below(random, 3000000);
	if (fate < 2) /* the store is made anew: the counter falls */
		m->counter = random_below(random, 1000);
	if (fate >= 98 && m->waiting == 0) { /* rebooted: its clock is new */
		m->boot++;
		m->boot_us = now_us - S;
		m->sent_count = 0;
	}
	if (fate >= 93 && fate < 97) /* suspended: its clock stood still */
		m->boot_us = now_us - m->last_us - 1;
	note(m, now_us, truth);
	/* Silence for some seconds, then all at once; some come again. */
	if (m->waiting == 64 || random_below(random, 4) == 0)
		deliver(slicer, number, m, now_us,
			random_below(random, 900000));
	if (random_below(random, 5) == 0)
		deliver(slicer, number, m, now_us,
			random_below(random, 2000000));
}

/* Delays, doubles, silences, resets, reboots, suspends: the sum over buckets
 * is the sum over counters, exactly. */
static void never_adds_or_loses_a_byte(void **state)
{
	uint64_t random = 42;

	for (int round = 0; round < 40; round++) {
		struct machine machines[6] = {{.boot = 0}};
		uint64_t truth = 0;

		teardown(state);
		setup(state);
		for (int a = 0; a < 6; a++)
			machines[a].boot_us =
				(int64_t)random_below(&random, 2000) * S;
		for (int s = 0; s < 300; s++) {
			int64_t now_us = (5000 + s) * S +
				random_below(&random, 900000);

			for (unsigned a = 0; a < 6; a++)
				if (random_below(&random, 3))
					live(*state, a, &machines[a], now_us,
						&random, &truth);
			if (random_below(&random, 3) == 0)
				take(*state, now_us);
		}
		for (unsigned a = 0; a < 6; a++)
			deliver(*state, a, &machines[a], 5300 * S, 0);
		take(*state, 7000 * S);
		assert_int_equal(slicer_bytes(*state), truth);
		assert_int_equal((uint64_t)llround(total_bytes() / 100),
			(truth + 50) / 100);
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(counts_n_and_x),
		T(drops_changes_of_n),
		T(few_changes_among_many_count),
		T(ignores_doubles_and_disorder),
		T(late_samples_revise),
		T(falling_counter_counts_from_there),
		T(absurd_counters_count_nothing),
		T(maps_clocks),
		T(survives_a_suspended_clock),
		T(new_boot_keeps_the_count),
		T(refuses_damaged_times),
		T(an_old_first_sample_makes_no_years_of_buckets),
		T(lost_agents_leave),
		T(averages_load_and_probes),
		T(never_adds_or_loses_a_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
