/* hist_test.c - bins and quantiles of known distributions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first. */
#include <cmocka.h>
#include <math.h>

#include "hist.h"

static struct hist hist;

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bins_are_close_and_ordered),
		cmocka_unit_test(quantiles_of_a_uniform),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
