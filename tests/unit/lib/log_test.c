/* log_test.c - a log line is whole, levelled, and one write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"

/* What stderr got while EMIT ran. */
static void capture(void (*emit)(void), char *text, size_t size)
{
	int ends[2];
	int saved = dup(STDERR_FILENO);
	ssize_t got;

	assert_int_equal(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	emit();
	dup2(saved, STDERR_FILENO);
	close(saved);
	got = read(ends[0], text, size - 1);
	close(ends[0]);
	text[got > 0 ? got : 0] = '\0';
}

static void emit_levels(void)
{
	log_info("wave 3", "admitted %d", 5);
	log_debug("wave 3", "not shown");
	log_error("agent u007", "lost");
}

static void levels_above_the_limit_are_dropped(void **state)
{
	char text[4096];

	(void)state;
	setenv("JOURNAL_STREAM", "1:2", 1);
	capture(emit_levels, text, sizeof(text));
	assert_string_equal(
		text, "info wave 3: admitted 5\nerror agent u007: lost\n");
	unsetenv("JOURNAL_STREAM");
}

static void emit_long(void)
{
	char word[8000];

	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	log_warn("s", "%s", word);
}

static void long_lines_are_cut_and_still_end(void **state)
{
	char text[16384];

	(void)state;
	capture(emit_long, text, sizeof(text));
	assert_true(strlen(text) < 4096);
	assert_int_equal(text[strlen(text) - 1], '\n');
	assert_non_null(strstr(text, "Z warn s: xxx"));
}

static void utc_is_iso_8601(void **state)
{
	char text[32];

	(void)state;
	assert_string_equal(clock_format_utc(951782400 * US_PER_S, text),
		"2000-02-29T00:00:00Z");
}

static void monotonic_moves_by_what_was_slept(void **state)
{
	int64_t before = clock_monotonic_us();

	(void)state;
	clock_sleep_us(2 * US_PER_MS);
	assert_true(clock_monotonic_us() - before >= 2 * US_PER_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(levels_above_the_limit_are_dropped),
		cmocka_unit_test(long_lines_are_cut_and_still_end),
		cmocka_unit_test(utc_is_iso_8601),
		cmocka_unit_test(monotonic_moves_by_what_was_slept),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
