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

/* To 1e-6 of the value; the digits come from a second implementation in
 * decimal arithmetic of 40 digits, and agree with those first published. */
static void golden(double got, double want)
{
	near_to(got, want, 1e-6 * fabs(want));
}

static void golden_rising(void **state)
{
	const double x[] = {52, 101, 141, 172, 193};
	const double se[] = {2, 4, 5, 5, 4};
	struct fit fit;

	(void)state;
	fit_table(&fit, x, se, 5);
	golden(fit.c[0], 0.0192014829299);
	golden(fit.c[1], 2.13513301915e-05);
	golden(fit.c[2], 3.31394388625e-04);
	golden(fit.gamma, 52.0793109391);
	golden(fit.alpha, .001111962564);
	golden(fit.beta, .0172587914087);
	golden(fit.n_peak, 7.60769715708);
	golden(fit_x(&fit, 5), 192.940120166);
	golden(fit_x(&fit, 6), 205.127705531);
	golden(fit_x(&fit, 8), 211.031525237);
	golden(fit_x(&fit, 10), 203.172993774);
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
	golden(fit.c[0], .0188446591055);
	assert_true(fit.c[1] == 0);
	golden(fit.c[2], .00119094936319);
	golden(fit.n_peak, 3.97784168482);
	assert_int_equal(fit_knee(&fit, 10, 0.95), 3);
}

/* P95 of waiting users at n = 0.., of so many PROBES each. */
static void fit_waiting(struct fit_quad *quad, const double *p95,
	const double *probes, size_t count)
{
	struct fit_point points[16];

	for (size_t i = 0; i < count; i++)
		points[i] = (struct fit_point){(double)i, p95[i],
			p95[i] * (1.6 / sqrt(probes[i]) + 0.04)};
	assert_int_equal(fit_quad(quad, points, count), 0);
}

static void golden_canary(void **state)
{
	const double y[] = {40, 44, 51, 60, 74, 88};
	const double probes[] = {1800, 300, 90, 90, 90, 240};
	struct fit_quad quad;

	(void)state;
	fit_waiting(&quad, y, probes, 6);
	golden(quad.l[0], 39.9949397053);
	golden(quad.l[1], 2.62992326644);
	golden(quad.l[2], 1.40468527266);
	golden(quad.rel_residual, .00541592298918);
	golden(fit_quad_upper(&quad, 5, 5), 90.2184715688);
	golden(fit_quad_upper(&quad, 8, 5), 156.288181091);
}

/* Half a minute with a p95 far off, beside hours that agree, widens the bound
 * a little, not for good. */
static void a_thin_level_doubts_little(void **state)
{
	const double y[] = {45.6, 46.6, 78.8, 50.7, 52.7, 55.8};
	const double probes[] = {1800, 1170, 35, 35, 230, 2640};
	struct fit_quad quad;

	(void)state;
	fit_waiting(&quad, y, probes, 6);
	assert_true(fit_quad_upper(&quad, 5, 5) < 1.08 * 55.8);
}

/* "8 would add 9 % (90 %: -14..+40 %)": no spread but the extrapolation's. */
static void golden_gain(void **state)
{
	static struct fit_band band;
	const double x[] = {52, 101, 141, 172, 193};
	const double se[] = {2, 4, 5, 5, 4};
	struct fit fit;

	(void)state;
	fit_table(&fit, x, se, 5);
	struct fit_gain gain = fit_gain(&fit, &band, 5, 8, 5, 0.22);
	golden(gain.gain, .0937669420708);
	golden(gain.low, -.144241076556);
	golden(gain.high, .397970959804);
}

/* By hand: 3360 / 57 below the corner, the mean of the last three beyond. */
static void bounds_where_a_corner_was_seen(void **state)
{
	const double n[] = {1, 2, 4, 6, 8, 10, 12};
	const double x[] = {60, 120, 240, 350, 402, 398, 400};
	struct fit_point points[7];
	struct fit fit;

	(void)state;
	for (size_t i = 0; i < 7; i++)
		points[i] = (struct fit_point){n[i], x[i], 5};
	assert_int_equal(fit_law(&fit, points, 7), 0);
	golden(fit.gamma, 3360.0 / 57);
	golden(fit.ceiling, 400);
	golden(fit_x(&fit, 6), 6 * 3360.0 / 57);
	golden(fit_x(&fit, 60), 400);
	assert_int_equal(fit_knee(&fit, 24, 0.95), 7);
	/* One point beyond shows no ceiling, nor does a curve that bends. */
	assert_int_equal(fit_law(&fit, points, 5), 0);
	assert_true(fit.ceiling == 0);
	for (size_t i = 0; i < 7; i++)
		points[i].y = n[i] / (0.02 + 0.001 * (n[i] - 1));
	assert_int_equal(fit_law(&fit, points, 7), 0);
	assert_true(fit.ceiling == 0);
	fit_cap(&fit, 100);
	assert_true(fit_x(&fit, 2) < 100 && fit_x(&fit, 12) == 100);
}

static void damaged_points_are_no_points(void **state)
{
	const double x[] = {52, 101, 141, 172, 193};
	struct fit_point points[8] = {{2, NAN, 1}, {3, 50, 0}, {0, 50, 1}};
	struct fit clean;
	struct fit fit;

	(void)state;
	assert_int_equal(fit_usl(&fit, points, 0), -1);
	assert_int_equal(fit_law(&fit, points, 3), -1);
	for (size_t i = 0; i < 5; i++)
		points[3 + i] = (struct fit_point){
			(double)i + 1, x[i], 0.04 * x[i]};
	fit_table(&clean, x, NULL, 5);
	assert_int_equal(fit_law(&fit, points, 8), 0);
	assert_int_equal(fit.points, 5);
	assert_true(fit.c[0] == clean.c[0] && fit.c[2] == clean.c[2]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_rising),
		cmocka_unit_test(golden_linear),
		cmocka_unit_test(golden_falling),
		cmocka_unit_test(golden_canary),
		cmocka_unit_test(a_thin_level_doubts_little),
		cmocka_unit_test(golden_gain),
		cmocka_unit_test(bounds_where_a_corner_was_seen),
		cmocka_unit_test(damaged_points_are_no_points),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
