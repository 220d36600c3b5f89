/* scrape_test.c - the scraper against exporters that die and lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first. */
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "err.h"
#include "fake_http.h"
#include "scrape.h"

#define PATIENCE_US (60 * US_PER_S)

static int answers;

/* Counters that grow by the same at every answer. */
static int answer(
	void *context, const struct fake_request *request, struct buf *body)
{
	(void)context;
	(void)request;
	answers++;
	buf_printf(body,
		"node_cpu_seconds_total{cpu=\"0\",mode=\"idle\"} %d\n"
		"node_cpu_seconds_total{cpu=\"0\",mode=\"user\"} %d\n"
		"node_disk_io_time_seconds_total{device=\"vda\"} %d\n"
		"node_memory_MemTotal_bytes 4e9\n"
		"node_memory_MemAvailable_bytes 1e9\n",
		answers * 3, answers, answers);
	return 200;
}

static struct scrape *start(const char *base)
{
	struct scrape *scrape;
	struct err err = ERR_INIT;
	char url[128];
	struct scrape_options options = {
		.url = url, .interval_us = 20 * US_PER_MS};

	snprintf(url, sizeof(url), "%s/metrics", base);
	if (scrape_start(&scrape, &options, clock_wall_us, &err) < 0)
		fail_msg("%s", err.text);
	return scrape;
}

/* Waits until the status is as wanted; the time limit is the test's own. */
static struct scrape_status wait_for(struct scrape *scrape, bool up)
{
	struct scrape_status status;
	int64_t give_up_us = clock_monotonic_us() + PATIENCE_US;

	do {
		clock_sleep_us(5 * US_PER_MS);
		scrape_status(scrape, &status);
	} while ((status.up != up || status.good + status.failed < 3) &&
		clock_monotonic_us() < give_up_us);
	assert_true(status.up == up);
	return status;
}

static void reads_an_exporter(void **state)
{
	static const struct fake_step steps[] = {
		{.times = -1, .path = "/metrics", .answer = answer}};
	struct fake_http *http = fake_http_start(steps, 1);
	struct scrape *scrape = start(fake_http_url(http));
	struct scrape_point point[4];

	(void)state;
	struct scrape_status status = wait_for(scrape, true);
	assert_string_equal(status.device, "vda");
	assert_string_equal(status.text, "");
	assert_true(scrape_take(scrape, point, 4) > 0);
	assert_true(fabsf(point[0].load[LOAD_CPU] - 0.25F) < 1e-5F);
	assert_true(fabsf(point[0].load[LOAD_MEM_AVAILABLE] - 0.25F) < 1e-5F);
	assert_true(isnan(point[0].load[LOAD_NIC]));
	assert_true(point[0].span_us > 0 && point[0].at_us > 0);
	scrape_stop(&scrape);
	assert_null(scrape);
	fake_http_stop(http);
}

static void names_what_is_not_an_exporter(void **state)
{
	static const struct fake_step steps[] = {
		{.times = -1, .status = 200, .body = "up 1\nfoo_total 2\n"}};
	struct fake_http *http = fake_http_start(steps, 1);
	struct scrape *scrape = start(fake_http_url(http));

	(void)state;
	struct scrape_status status = wait_for(scrape, false);
	assert_non_null(strstr(status.text,
		"none with a name of "
		"node_exporter"));
	scrape_stop(&scrape);
	fake_http_stop(http);
}

static void says_what_is_missing(void **state)
{
	static const struct fake_step steps[] = {{.times = -1,
		.status = 200,
		.body = "node_memory_MemTotal_bytes 4\n"
			"node_memory_MemAvailable_bytes 1\n"}};
	struct fake_http *http = fake_http_start(steps, 1);
	struct scrape *scrape = start(fake_http_url(http));

	(void)state;
	struct scrape_status status = wait_for(scrape, true);
	assert_string_equal(
		status.text, "the exporter does not tell: CPU busy, disk busy");
	scrape_stop(&scrape);
	fake_http_stop(http);
}

/* Dies in the middle of an answer, then for good: no zero, no point. */
static void survives_a_dying_exporter(void **state)
{
	static const struct fake_step steps[] = {
		{.times = 3, .answer = answer},
		{.times = 1, .answer = answer, .cut_after = 60},
		{.times = -1, .hang_up = 1},
	};
	struct fake_http *http = fake_http_start(steps, 3);
	struct scrape *scrape = start(fake_http_url(http));
	struct scrape_point point[16];

	(void)state;
	struct scrape_status status = wait_for(scrape, false);
	assert_int_equal(status.good, 3);
	assert_true(status.text[0] != '\0');
	assert_int_equal(scrape_take(scrape, point, 16), 2);
	scrape_stop(&scrape);
	fake_http_stop(http);
}

static void refuses_no_url(void **state)
{
	struct scrape *scrape;
	struct err err = ERR_INIT;
	struct scrape_options options = {.url = "mail:9100"};

	(void)state;
	assert_int_equal(
		scrape_start(&scrape, &options, clock_wall_us, &err), -1);
	assert_non_null(strstr(err.text, "not an http:// or https:// URL"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_an_exporter),
		cmocka_unit_test(names_what_is_not_an_exporter),
		cmocka_unit_test(says_what_is_missing),
		cmocka_unit_test(survives_a_dying_exporter),
		cmocka_unit_test(refuses_no_url),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
