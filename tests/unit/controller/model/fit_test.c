/* fit_test.c - golden vectors of the capacity law, and its edges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first. */
#include <cmocka.h>
#include <math.h>

#include "fit.h"

static void near_to(double got, double want, double tolerance)
{
	if (!(fabs(got - want) <= tolerance))
		fail_msg("got %.12g, want %.12g", got, want);
}

static void fit_table(
	struct fit *fit, const double *x, const double *se, size_t count)
{
	struct fit_point points[16];

	for (size_t i = 0; i < count; i++)
		points[i] = (struct fit_point){
			(double)i + 1, x[i], se ? se[i] : 0.04 * x[i]};
	assert_int_equal(fit_usl(fit, points, count), 0);
}

static void golden_rising(void **state)
{
	const double x[] = {52, 101, 141, 172, 193};
	const double se[] = {2, 4, 5, 5, 4};
	struct fit fit;

	(void)state;
	fit_table(&fit, x, se, 5);
	near_to(fit.c[0], 0.0192014829, 1e-6 * 0.0192014829);
	near_to(fit.c[1], 2.13513302e-05, 1e-6 * 2.13513302e-05);
	near_to(fit.c[2], 3.31394389e-04, 1e-6 * 3.31394389e-04);
	near_to(fit.gamma, 52.0793, 1e-4);
	near_to(fit.alpha, .001112, 1e-6);
	near_to(fit.beta, .017259, 1e-6);
	near_to(fit.n_peak, 7.608, 1e-3);
	near_to(fit_x(&fit, 5), 192.94, 5e-3);
	near_to(fit_x(&fit, 6), 205.13, 5e-3);
	near_to(fit_x(&fit, 8), 211.03, 5e-3);
	near_to(fit_x(&fit, 10), 203.17, 5e-3);
	assert_int_equal(fit_knee(&fit, 10, 0.95), 6);
}

static void golden_linear(void **state)
{
	const double x[] = {52, 104, 156, 208, 260};
	struct fit fit;

	(void)state;
	fit_table(&fit, x, NULL, 5);
	near_to(fit.gamma, 52, 1e-6);
	assert_true(fit.c[1] == 0 && fit.c[2] == 0);
	assert_true(isinf(fit.n_peak));
	assert_int_equal(fit_knee(&fit, 10, 0.95), 10);
}

static void golden_falling(void **state)
{
	const double x[] = {52, 96, 118, 121, 116};
	const double se[] = {2, 4, 5, 5, 4};
	struct fit fit;

	(void)state;
	fit_table(&fit, x, se, 5);
	near_to(fit.c[0], .0188446591, 1e-6 * .0188446591);
	assert_true(fit.c[1] == 0);
	near_to(fit.c[2], .00119094936, 1e-6 * .00119094936);
	assert_int_equal(fit_knee(&fit, 10, 0.95), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_rising),
		cmocka_unit_test(golden_linear),
		cmocka_unit_test(golden_falling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
