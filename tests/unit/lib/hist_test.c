/* hist_test.c - bins, merging and quantiles of known distributions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first. */
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

#include "hist.h"

static struct hist hist, other;

static void bins_are_close_and_ordered(void **state)
{
	unsigned last = 0;

	(void)state;
	for (int64_t us = 0; us < 4000000000; us += us / 97 + 1) {
		unsigned bin = hist_bin(us);
		assert_true(bin >= last && bin < HIST_BINS);
		assert_true(fabs(hist_bin_us(bin) - (double)us) <=
			0.016 * (double)us + 0.5);
		last = bin;
	}
	assert_int_equal(hist_bin(-5), 0);
	assert_int_equal(hist_bin(INT64_MAX), HIST_BINS - 1);
}

static void quantiles_of_a_uniform(void **state)
{
	(void)state;
	hist_clear(&hist);
	assert_true(isnan(hist_quantile_us(&hist, 0.5)));
	for (int i = 1; i <= 100000; i++)
		hist_add(&hist, i);
	for (double share = 0.01; share < 1; share += 0.01)
		assert_true(fabs(hist_quantile_us(&hist, share) / 1e5 / share -
				    1) < 0.017);
	assert_true(hist_quantile_us(&hist, 0) == 1);
	assert_true(hist_quantile_us(&hist, 1) == 100000);
}

static void merging_is_adding(void **state)
{
	static struct hist both;

	(void)state;
	hist_clear(&hist);
	hist_clear(&other);
	hist_clear(&both);
	for (int i = 0; i < 5000; i++) {
		hist_add(i % 3 ? &hist : &other, i * 37);
		hist_add(&both, i * 37);
	}
	hist_merge(&hist, &other);
	assert_memory_equal(&hist, &both, sizeof(both));
}

static void text_and_back(void **state)
{
	(void)state;
	hist_clear(&hist);
	for (int i = 1; i < 1000; i++)
		hist_add(&hist, (int64_t)i * i * i);
	char *text = hist_encode(&hist);
	assert_int_equal(hist_decode(&other, text), 0);
	assert_memory_equal(hist.bin, other.bin, sizeof(hist.bin));
	assert_int_equal(other.count, 999);
	free(text);
	assert_int_equal(hist_decode(&other, ""), 0);
	assert_int_equal(hist_decode(&other, "5"), -1);
	assert_int_equal(hist_decode(&other, "5:"), -1);
	assert_int_equal(hist_decode(&other, "5:0"), -1);
	assert_int_equal(hist_decode(&other, "99999:1"), -1);
	assert_int_equal(hist_decode(&other, "5:1,6:1"), -1);
	assert_int_equal(other.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bins_are_close_and_ordered),
		cmocka_unit_test(quantiles_of_a_uniform),
		cmocka_unit_test(merging_is_adding),
		cmocka_unit_test(text_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
