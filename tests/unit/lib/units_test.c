/* units_test.c - numbers with units, both ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "err.h"
#include "units.h"

static void reads_durations(void **state)
{
	static const struct {
		const char *text;
		int64_t us;
	} good[] = {{"250ms", 250000}, {"2s", 2000000}, {"0.1s", 100000},
		{"1.5m", 90000000}, {"10m", 600000000}, {"2h", 7200000000},
		{"1d", 86400000000}, {"0", 0}, {"3 s", 3000000}};
	static const char *const bad[] = {"", "s", "2", "-1s", "2 sec", "1e3s",
		"2s ", "1..5s", "1.s", "99999999999999999999s",
		"9223372036855s", "nan", "0x10s"};
	int64_t us;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_int_equal(
			units_parse_duration(good[i].text, &us, NULL), 0);
		assert_int_equal(us, good[i].us);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (units_parse_duration(bad[i], &us, NULL) == 0)
			fail_msg("'%s' was taken", bad[i]);
}

static void reads_sizes_and_rates(void **state)
{
	uint64_t n;

	(void)state;
	assert_int_equal(units_parse_bytes("20MB", &n, NULL), 0);
	assert_int_equal(n, 20000000);
	assert_int_equal(units_parse_bytes("16KiB", &n, NULL), 0);
	assert_int_equal(n, 16384);
	assert_int_equal(units_parse_bytes("512", &n, NULL), 0);
	assert_int_equal(n, 512);
	assert_int_equal(units_parse_rate("1.5MB/s", &n, NULL), 0);
	assert_int_equal(n, 1500000);
	assert_int_equal(units_parse_rate("100Mbit/s", &n, NULL), 0);
	assert_int_equal(n, 12500000);
	assert_int_equal(units_parse_rate("120MB/min", &n, NULL), 0);
	assert_int_equal(n, 2000000);
	assert_int_equal(units_parse_rate("5MB", &n, NULL), -1);
	assert_int_equal(units_parse_bytes("5MB/s", &n, NULL), -1);
	assert_int_equal(units_parse_bytes("99999999999TB", &n, NULL), -1);
}

static void reads_ratios(void **state)
{
	double x;

	(void)state;
	assert_int_equal(units_parse_percent("60%", &x, NULL), 0);
	assert_true(x == 0.6);
	assert_int_equal(units_parse_percent("100%", &x, NULL), 0);
	assert_int_equal(units_parse_percent("100.1%", &x, NULL), -1);
	assert_int_equal(units_parse_percent("60", &x, NULL), -1);
	assert_int_equal(units_parse_factor("3x", &x, NULL), 0);
	assert_true(x == 3);
	assert_int_equal(units_parse_factor("3", &x, NULL), -1);
}

static void reads_times(void **state)
{
	static const char *const bad[] = {
		"", "8:00", "24:00", "20:60", "20:00x", "20", "-1:00"};
	int minute;

	(void)state;
	assert_int_equal(units_parse_time("20:15", &minute, NULL), 0);
	assert_int_equal(minute, 20 * 60 + 15);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (units_parse_time(bad[i], &minute, NULL) == 0)
			fail_msg("'%s' was taken", bad[i]);
}

static void reads_windows(void **state)
{
	static const char *const bad[] = {"", "20:00", "20:00-", "24:00-06:00",
		"20:60-06:00", "2:00-06:00", "20:00-20:00", "20:00-06:00 "};
	int from, to;

	(void)state;
	assert_int_equal(
		units_parse_window("20:00-06:30", &from, &to, NULL), 0);
	assert_int_equal(from, 1200);
	assert_int_equal(to, 390);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (units_parse_window(bad[i], &from, &to, NULL) == 0)
			fail_msg("'%s' was taken", bad[i]);
}

static void writes_for_people(void **state)
{
	char text[UNITS_TEXT_BYTES];

	(void)state;
	assert_string_equal(units_format_duration(0, text), "0s");
	assert_string_equal(units_format_duration(850000, text), "850ms");
	assert_string_equal(units_format_duration(42999999, text), "42s");
	assert_string_equal(units_format_duration(200000000, text), "3m20s");
	assert_string_equal(units_format_duration(7500000000, text), "2h05m");
	assert_string_equal(units_format_duration(273600000000, text), "3d04h");
	units_format_duration(INT64_MIN, text);
	assert_string_equal(units_format_bytes(512, text), "512 B");
	assert_string_equal(units_format_bytes(1500000, text), "1.5 MB");
	assert_string_equal(units_format_bytes(213000000, text), "213 MB");
	assert_string_equal(units_format_bytes(999999999, text), "1.0 GB");
	units_format_bytes(UINT64_MAX, text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_durations),
		cmocka_unit_test(reads_sizes_and_rates),
		cmocka_unit_test(reads_ratios),
		cmocka_unit_test(reads_times),
		cmocka_unit_test(reads_windows),
		cmocka_unit_test(writes_for_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
