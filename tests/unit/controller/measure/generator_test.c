/* generator_test.c - when a fleet's own host was the bottleneck. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "clock.h"
#include "generator.h"
#include "message.h"

static const struct host_sample idle = {
	.span_us = US_PER_S,
	.cpu = 0.3,
	.cpu_own = 0.2,
	.memory = 0.4,
	.disk_busy = NAN,
	.disk_await_ms = NAN,
	.net_link = NAN,
};

static void what_limits(void **state)
{
	struct host_sample s = idle;
	char text[GENERATOR_TEXT_BYTES];

	(void)state;
	assert_false(generator_limits(&s, text));
	s.cpu = 0.97;
	assert_true(generator_limits(&s, text));
	assert_string_equal(text, "CPU 97 %");
	/* The server's own work on the same machine is no bottleneck of the
	 * fleet; the fleet's is. */
	s.shared = true;
	assert_false(generator_limits(&s, text));
	s.cpu_own = 0.6;
	assert_true(generator_limits(&s, text));
	s = idle;
	s.memory = 0.96;
	assert_true(generator_limits(&s, text));
	assert_string_equal(text, "memory 96 %");
	s = idle;
	s.disk_busy = 1;
	assert_false(generator_limits(&s, text)); /* busy, but quick */
	s.disk_await_ms = 35;
	assert_true(generator_limits(&s, text));
	assert_string_equal(text, "disk 100 % busy, 35 ms a request");
	s.shared = true;
	assert_false(generator_limits(&s, text));
	s = idle;
	s.net_link = 0.95;
	assert_true(generator_limits(&s, text));
	assert_string_equal(text, "network 95 %");
}

static void limited_seconds_count(void **state)
{
	struct generator *generator = generator_new();
	struct host_sample busy = idle;

	(void)state;
	busy.cpu = 0.99;
	assert_true(isnan(generator_share(generator)));
	assert_null(generator_now(generator, 11 * US_PER_S));
	assert_true(generator_add(generator, "one", &busy, 11 * US_PER_S));
	assert_string_equal(generator_text(generator), "one: CPU 99 %");
	assert_string_equal(
		generator_now(generator, 13 * US_PER_S), "one: CPU 99 %");
	assert_null(generator_now(generator, 28 * US_PER_S));
	assert_false(generator_add(generator, "one", &idle, 13 * US_PER_S));
	assert_null(generator_now(generator, 13 * US_PER_S));
	/* One that was overtaken counts, but is not how things are now. */
	assert_true(generator_add(generator, "one", &busy, 12 * US_PER_S));
	assert_null(generator_now(generator, 13 * US_PER_S));
	assert_true(fabs(generator_share(generator) - 2.0 / 3) < 1e-9);
	generator_free(generator);
}

static void the_worst_host_speaks_for_all(void **state)
{
	struct generator *generator = generator_new();
	struct host_sample busy = idle;

	(void)state;
	busy.cpu = 0.95;
	for (int i = 1; i <= 10; i++) {
		char name[16];

		generator_add(generator, "calm", &idle, i * US_PER_S);
		generator_add(
			generator, "hot", i <= 4 ? &busy : &idle, i * US_PER_S);
		for (int k = 0; k < 100; k++) {
			snprintf(name, sizeof(name), "h%d", k);
			generator_add(generator, name, &idle, i * US_PER_S);
		}
	}
	assert_true(fabs(generator_share(generator) - 0.4) < 1e-9);
	assert_string_equal(generator_text(generator), "hot: CPU 95 %");
	generator_wave(generator);
	assert_true(isnan(generator_share(generator)));
	assert_string_equal(generator_text(generator), "");
	generator_free(generator);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_limits),
		cmocka_unit_test(limited_seconds_count),
		cmocka_unit_test(the_worst_host_speaks_for_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
