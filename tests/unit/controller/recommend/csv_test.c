/* csv_test.c - bucket rows from anywhere, and those of our own report. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "csv.h"
#include "err.h"

static struct csv_table table;

static void reads(const char *text)
{
	struct err err = ERR_INIT;

	if (csv_read(&table, "rows", text, strlen(text), &err) < 0)
		fail_msg("%s", err.text);
}

static void refuses(const char *text, const char *says)
{
	struct err err = ERR_INIT;

	assert_int_equal(
		csv_read(&table, "rows", text, strlen(text), &err), -1);
	if (!strstr(err.text, says))
		fail_msg("'%s' does not say '%s'", err.text, says);
}

static void columns_in_any_order(void **state)
{
	(void)state;
	reads("x_mb_per_min, n, seconds, cpu\n50, 1, 0, 0.1\n\n52, 1, 4, \n");
	assert_int_equal(table.count, 2);
	assert_float_equal(table.bucket[0].x_mb_min, 50, 1e-6);
	assert_float_equal(table.bucket[0].seconds, 4, 1e-6);
	assert_float_equal(table.bucket[1].seconds, 4, 1e-6);
	assert_float_equal(table.bucket[0].load[LOAD_CPU], 0.1, 1e-6);
	assert_true(isnan(table.bucket[1].load[LOAD_CPU]));
	assert_true(table.load);
	assert_false(table.canary);
	free(table.bucket);
}

static void a_row_without_numbers_does_not_count(void **state)
{
	(void)state;
	reads("seconds,n,x_mb_per_min\n0,1,nan\n5,,50\n10,1.5,70\n15,1,50\n");
	assert_true(table.bucket[0].flags & BUCKET_INVALID);
	assert_true(table.bucket[1].flags & BUCKET_INVALID);
	assert_true(table.bucket[2].flags & BUCKET_N_CHANGED);
	assert_true(bucket_usable(&table.bucket[3]));
	free(table.bucket);
}

static void the_reports_own_are_taken(void **state)
{
	(void)state;
	reads("start_utc,start_s,seconds,wave,n,mb_per_min,usable,why,psi_cpu\n"
	      "2026-01-01T00:00:00Z,0,5,1,1,50,\"yes\",\"\",0.1\n"
	      "2026-01-01T00:01:00Z,60,5,2,5,230,\"no\",\"n changed\",\n"
	      "2026-01-01T00:01:05Z,65,5,2,5,250,\"no\",\"moonlight\",\n");
	assert_int_equal(table.count, 3);
	assert_float_equal(table.bucket[0].seconds, 5, 1e-6);
	assert_float_equal(table.bucket[1].start_s, 60, 1e-6);
	assert_int_equal(table.bucket[1].wave, 2);
	assert_true(bucket_usable(&table.bucket[0]));
	assert_int_equal(table.bucket[1].flags, BUCKET_N_CHANGED);
	assert_int_equal(table.bucket[2].flags, BUCKET_INVALID);
	assert_false(table.load);
	free(table.bucket);
}

/* What ran in a gap is unknown: one row before an hour of nothing is no hour
 * of data. */
static void a_gap_is_no_data(void **state)
{
	(void)state;
	reads("seconds,n,x_mb_per_min\n0,1,50\n5,1,50\n10,1,50\n15,8,300\n"
	      "3615,1,50\n3620,1,50\n3627,1,50\n");
	assert_int_equal(table.count, 7);
	assert_float_equal(table.bucket[0].seconds, 5, 1e-6);
	assert_float_equal(table.bucket[3].seconds, 10, 1e-6);
	assert_float_equal(table.bucket[5].seconds, 7, 1e-6);
	assert_float_equal(table.bucket[6].seconds, 5, 1e-6);
	free(table.bucket);
}

/* As a spreadsheet writes it. */
static void a_mark_and_foreign_ends_of_line_are_taken(void **state)
{
	(void)state;
	reads("\xef\xbb\xbf\"seconds\",n,x_mb_per_min\r\n0,\"1\",50\r\n");
	assert_int_equal(table.count, 1);
	assert_true(bucket_usable(&table.bucket[0]));
	free(table.bucket);
}

static void errors_name_their_place(void **state)
{
	(void)state;
	refuses("", "empty; the first line names the columns");
	refuses("seconds,n,x_mb_per_min,moon\n", "rows:1:4: unknown column");
	refuses("seconds,n,n,x_mb_per_min\n",
		"rows:1:3: the column is there twice");
	refuses("seconds,n\n", "\"x_mb_per_min\" is missing");
	refuses("start_utc,start_s,n\n", "\"mb_per_min\" is missing");
	refuses("seconds,n,x_mb_per_min\n0,1,fast\n",
		"rows:2:3: expected a number");
	refuses("seconds;n;x_mb_per_min\n", "nic, with commas between");
	refuses("seconds,n,x_mb_per_min,cpu\n0,1,2,0.5\n5,1,2,45\n",
		"rows:3:4: expected a share from 0 to 1, not per cent");
	refuses("seconds,n,x_mb_per_min\n0,1\n", "the row ends too early");
	refuses("seconds,n,x_mb_per_min\n0,1,2,3\n", "too many cells");
	refuses("seconds,n,x_mb_per_min\n,1,2\n", "the row has no time");
	refuses("seconds,n,x_mb_per_min\n5,1,2\n5,1,2\n", "order of time");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_in_any_order),
		cmocka_unit_test(a_row_without_numbers_does_not_count),
		cmocka_unit_test(the_reports_own_are_taken),
		cmocka_unit_test(a_gap_is_no_data),
		cmocka_unit_test(a_mark_and_foreign_ends_of_line_are_taken),
		cmocka_unit_test(errors_name_their_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
