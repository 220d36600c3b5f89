/*
 * report_test.c - a report from a simulated rollout: through the archive,
 * into every form, with names that try to break out of each of them.
 *
 * With a directory as its argument it writes the archives that report.t
 * looks at in a browser, and does nothing else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "err.h"
#include "figures.h"
#include "html.h"
#include "html_tables.h"
#include "report.h"
#include "summary.h"
#include "tables.h"
#include "temp_dir.h"
#include "plain.h"

#include "rollout.c"

static const char *const hostile[] = {"<script>alert(1)</script>",
	"\"; set output '/tmp/sluice-escaped", "`touch /tmp/sluice-escaped`",
	"=cmd|'/c calc'!A1", "na\xc3\xafve \xc3\xbcnicode",
	"an.extremely.long.mailbox.name.that.never.ends@department.example.org",
	"?", "NaN", "#comment", "a\tb\nc", "$bars", "\x1b[31mred\xff", NULL};

static const struct rollout_plan plans[] = {
	{.clients = 40,
		.mb = 300,
		.exporter = true,
		.canary = true,
		.failures = true},
	{.clients = 24, .mb = 60, .waves = 1},
	{.clients = 14,
		.names = hostile,
		.mb = 120,
		.exporter = true,
		.failures = true},
	{.clients = 1000, .mb = 40, .exporter = true, .canary = true},
};
static const char *const plan_names[] = {"full", "one", "hostile", "thousand"};

struct made {
	struct archived rows;
	struct findings findings;
};

static void make(struct made *made, size_t plan, unsigned wave)
{
	struct err err = ERR_INIT;

	rollout_simulate(&made->rows, &plans[plan]);
	if (findings_gather(&made->findings, &made->rows, wave,
		    INT64_C(1790000000000000), &err) < 0)
		fail_msg("%s", err.text);
}

static void drop(struct made *made)
{
	findings_free(&made->findings);
	archived_free(&made->rows);
}

static void figures_of_a_whole_rollout(void **state)
{
	struct made made;
	struct findings_summary sum;
	double mb = 0;

	(void)state;
	make(&made, 0, 0);
	sum = findings_summary(&made.findings);
	for (size_t i = 0; i < made.rows.client_count; i++)
		mb += (double)made.rows.clients[i].app_bytes / 1e6;
	assert_int_equal(made.findings.client_count, 40);
	assert_int_equal(sum.verified, 39);
	assert_int_equal(sum.failed, 1);
	assert_true(fabs(sum.mb - mb) < 1e-6);
	assert_int_equal(made.findings.wave_count, made.rows.wave_count);
	assert_true(made.findings.has_advice);
	assert_true(made.findings.curve_count > 20);
	assert_true(made.findings.moment_count <= 601);
	drop(&made);
}

static void a_busy_load_generator_is_shown(void **state)
{
	struct buf text = BUF_INIT(0), json = BUF_INIT(0), page = BUF_INIT(0);
	struct findings findings;
	struct archived rows;
	struct err err = ERR_INIT;
	json_t *report, *wave;

	(void)state;
	rollout_simulate(&rows, &plans[1]);
	for (size_t i = 0; i < rows.bucket_count; i++)
		if (rows.buckets[i].wave == 1 && i % 2)
			rows.buckets[i].flags |= BUCKET_GENERATOR;
	if (findings_gather(
		    &findings, &rows, 0, INT64_C(1790000000000000), &err) < 0)
		fail_msg("%s", err.text);
	text_report(&findings, &text);
	tables_report_json(&findings, &json);
	html_tables(&page, &findings);
	assert_non_null(
		strstr(text.data, "the load generator was the bottleneck in"));
	assert_non_null(strstr(page.data, "the bottleneck in"));
	report = json_loads(json.data, 0, NULL);
	wave = json_array_get(json_object_get(report, "waves"), 0);
	assert_true(fabs(json_number_value(
				 json_object_get(wave, "generator_share")) -
			    0.5) < 0.2);
	json_decref(report);
	findings_free(&findings);
	archived_free(&rows);
	buf_free(&text);
	buf_free(&json);
	buf_free(&page);
}

static void bind(struct recommendation_row *row, const char *limit)
{
	json_t *result = json_loads(row->result_json, 0, NULL);

	json_object_set_new(result, "binding", json_string(limit));
	free(row->result_json);
	row->result_json = json_dumps(result, 0);
	snprintf(row->binding, sizeof(row->binding), "%s", limit);
	json_decref(result);
}

/* LIMIT: as the text form names it. */
static void assert_headline(
	const struct archived *rows, size_t expected, const char *limit)
{
	const struct recommendation_row *row = &rows->advice[expected];
	char *said = xasprintf("recommended after wave %u\n", row->wave);
	struct buf text = BUF_INIT(0), json = BUF_INIT(0);
	struct findings findings;
	struct err err = ERR_INIT;
	json_t *report;

	if (findings_gather(
		    &findings, rows, 0, INT64_C(1790000000000000), &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(findings.advice_wave, row->wave);
	assert_int_equal(findings.batch, row->batch_size);
	text_report(&findings, &text);
	assert_non_null(strstr(text.data, said));
	assert_non_null(strstr(text.data, limit));
	tables_report_json(&findings, &json);
	report = json_loads(json.data, 0, NULL);
	assert_int_equal(json_integer_value(json_object_get(
				 report, "recommended_after_wave")),
		row->wave);
	json_decref(report);
	findings_free(&findings);
	buf_free(&text);
	buf_free(&json);
	free(said);
}

/* "As many as are left" is not what a rollout found out. */
static void the_headline_is_of_the_server(void **state)
{
	struct archived rows;

	(void)state;
	rollout_simulate(&rows, &plans[0]);
	assert_true(rows.advice_count >= 4);
	for (size_t i = 0; i < rows.advice_count; i++)
		bind(&rows.advice[i], "clients");
	assert_headline(&rows, rows.advice_count - 1,
		"at once; limited by clients left\n");
	bind(&rows.advice[1], "knee");
	assert_headline(&rows, 1, "at once; limited by throughput knee\n");
	bind(&rows.advice[2], "step");
	assert_headline(&rows, 2, "at once; limited by step limit\n");
	snprintf(
		rows.advice[3].verdict, sizeof(rows.advice[3].verdict), "FAIL");
	assert_headline(&rows, 3, "at once; limited by clients left\n");
	json_t *result = json_loads(rows.advice[3].result_json, 0, NULL);
	json_object_set_new(result, "binding", json_null());
	json_object_set_new(result, "next_limit", json_null());
	free(rows.advice[3].result_json);
	rows.advice[3].result_json = json_dumps(result, 0);
	json_decref(result);
	assert_headline(&rows, 3, "synchronisations at once\n");
	archived_free(&rows);
}

/* n(t) of the spans is n of the buckets, for whole buckets. */
static void spans_agree_with_buckets(void **state)
{
	struct made made;
	size_t compared = 0;

	(void)state;
	make(&made, 0, 0);
	for (size_t b = 0; b < made.findings.bucket_count; b++) {
		const struct bucket *bucket = &made.findings.buckets[b];
		int64_t middle_us = (int64_t)((bucket->start_s + 2.5) * 1e6);
		unsigned n = 0;

		if (!bucket_usable(bucket))
			continue;
		for (size_t i = 0; i < made.findings.span_count; i++) {
			const struct finding_span *span =
				&made.findings.spans[i];

			n += span->activity == ACTIVITY_BULK &&
				span->from_us <= middle_us &&
				middle_us < span->to_us;
		}
		assert_int_equal(n, (unsigned)bucket->n);
		compared++;
	}
	assert_true(compared > 50);
	drop(&made);
}

static void one_wave_shows_its_own_only(void **state)
{
	struct made made;

	(void)state;
	make(&made, 0, 2);
	assert_int_equal(made.findings.client_count, 5);
	assert_int_equal(made.findings.wave_count, 1);
	assert_int_equal(made.findings.from_us, made.rows.waves[1].started_us);
	for (size_t i = 0; i < made.findings.bucket_count; i++)
		assert_int_equal(made.findings.buckets[i].wave, 2);
	drop(&made);
}

static void an_unknown_wave_is_refused(void **state)
{
	struct archived rows;
	struct findings findings;
	struct err err = ERR_INIT;

	(void)state;
	rollout_simulate(&rows, &plans[1]);
	assert_int_equal(
		findings_gather(&findings, &rows, 7, INT64_MAX / 2, &err), -1);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_non_null(strstr(err.text, "no wave 7"));
	archived_free(&rows);
}

static void an_empty_archive_says_so(void **state)
{
	struct archived rows = {0};
	struct findings findings;
	struct buf page = BUF_INIT(0), text = BUF_INIT(0);
	struct err err = ERR_INIT;

	(void)state;
	snprintf(rows.rollout.name, sizeof(rows.rollout.name), "empty");
	assert_int_equal(findings_gather(&findings, &rows, 0, 1, &err), 0);
	assert_int_equal(html_report(&findings, &page, &err), 0);
	text_report(&findings, &text);
	assert_non_null(strstr(page.data, "Nothing has been recommended yet"));
	assert_non_null(strstr(page.data, "No client has started."));
	assert_non_null(strstr(text.data, "Nothing has been recommended yet"));
	assert_null(strstr(page.data, "<svg"));
	buf_free(&page);
	buf_free(&text);
	findings_free(&findings);
}

/* No exporter, no canary: those panels and sections are absent. */
static void what_was_not_measured_is_not_drawn(void **state)
{
	struct made made;
	struct buf page = BUF_INIT(0);
	struct err err = ERR_INIT;

	(void)state;
	make(&made, 1, 0);
	assert_int_equal(html_report(&made.findings, &page, &err), 0);
	assert_null(strstr(page.data, "disk await"));
	assert_null(strstr(page.data, "What waiting users felt"));
	assert_non_null(strstr(page.data, "<svg id=\"rate\""));
	assert_non_null(strstr(page.data, "<svg id=\"load\""));
	buf_free(&page);
	drop(&made);
}

static void names_cannot_break_out(void **state)
{
	struct made made;
	struct buf page = BUF_INIT(0), text = BUF_INIT(0), csv = BUF_INIT(0);
	struct err err = ERR_INIT;

	(void)state;
	unlink("/tmp/sluice-escaped");
	make(&made, 2, 0);
	assert_int_equal(html_report(&made.findings, &page, &err), 0);
	assert_null(strstr(page.data, "<script"));
	assert_non_null(strstr(page.data, "&lt;script&gt;alert(1)"));
	assert_null(strchr(page.data, '\x1b'));
	assert_int_equal(access("/tmp/sluice-escaped", F_OK), -1);
	text_report(&made.findings, &text);
	assert_null(strchr(text.data, '\x1b'));
	tables_clients_csv(&made.findings, &csv);
	assert_non_null(strstr(csv.data, "\n\"'=cmd|'/c calc'!A1\","));
	assert_non_null(strstr(csv.data, "\"\"\"; set output"));
	buf_free(&page);
	buf_free(&text);
	buf_free(&csv);
	drop(&made);
}

/* Nobody waits for who was excluded. */
static void the_excluded_are_not_to_be_done(void **state)
{
	struct buf text = BUF_INIT(0);
	struct findings findings;
	struct archived rows;
	struct err err = ERR_INIT;
	size_t at = 0;

	(void)state;
	rollout_simulate(&rows, &plans[0]);
	while (rows.clients[at].state != CLIENT_GAVE_UP)
		at++;
	rows.clients[at].state = CLIENT_EXCLUDED;
	if (findings_gather(
		    &findings, &rows, 0, INT64_C(1790000000000000), &err) < 0)
		fail_msg("%s", err.text);
	text_report(&findings, &text);
	assert_non_null(strstr(text.data, "39 of 39 done and verified, 0 fai"));
	assert_int_equal(findings_summary(&findings).clients, 39);
	findings_free(&findings);
	archived_free(&rows);
	buf_free(&text);
}

/* What was done at nine o'clock was done on some day. */
static void the_text_names_each_day(void **state)
{
	struct buf text = BUF_INIT(0);
	struct findings findings;
	struct archived rows;
	struct err err = ERR_INIT;
	size_t last;
	char *day;

	(void)state;
	rollout_simulate(&rows, &plans[1]);
	last = rows.transition_count;
	while (strncmp(rows.transitions[last - 1].object, "client ", 7) == 0)
		last--;
	rows.transitions[last - 1].at_us += 86400 * SECOND_US;
	if (findings_gather(
		    &findings, &rows, 0, INT64_C(1790000000000000), &err) < 0)
		fail_msg("%s", err.text);
	text_report(&findings, &text);
	day = strstr(text.data, "\n2026-03-01\n");
	assert_non_null(day);
	assert_null(strstr(day + 1, "\n2026-03-01\n"));
	assert_non_null(strstr(day, "\n2026-03-02\n"));
	findings_free(&findings);
	archived_free(&rows);
	buf_free(&text);
}

/* Wave by wave: n, X at it, a client's speed, the probes, the next size. */
static void waves_stand_side_by_side(void **state)
{
	struct made made;
	struct buf text = BUF_INIT(0);

	(void)state;
	make(&made, 0, 0);
	const struct finding_wave *one = &made.findings.waves[0];
	const struct finding_wave *five = &made.findings.waves[1];
	assert_true(one->n == 1 && five->n == 5);
	assert_true(five->n_mb_min > one->n_mb_min);
	/* Alone a client has all that moves. */
	assert_true(fabs(one->median_mb_min / one->n_mb_min - 1) < 0.5);
	assert_true(five->median_mb_min < one->median_mb_min);
	assert_true(one->canary_p95_ms > 0);
	assert_int_equal(one->advised, made.rows.advice[0].batch_size);
	assert_non_null(one->limit);
	text_report(&made.findings, &text);
	assert_non_null(strstr(text.data, "Waves side by side"));
	assert_non_null(strstr(text.data, one->limit));
	buf_free(&text);
	drop(&made);
	make(&made, 1, 0);
	/* Without a canary there is nothing to say of one. */
	assert_true(isnan(made.findings.waves[0].canary_p95_ms));
	drop(&made);
}

static void a_damaged_recommendation_is_an_error(void **state)
{
	struct archived rows;
	struct findings findings;
	struct err err = ERR_INIT;

	(void)state;
	rollout_simulate(&rows, &plans[1]);
	rows.advice[0].result_json[0] = '!';
	assert_int_equal(
		findings_gather(&findings, &rows, 0, INT64_MAX / 2, &err), -1);
	assert_int_equal(err.kind, ERR_DATABASE);
	archived_free(&rows);
}

static void without_gnuplot_the_text_is_still_there(void **state)
{
	char dir[TEMP_DIR_SIZE], *out_text = NULL;
	char *search = xstrdup(getenv("PATH"));
	struct err err = ERR_INIT;
	struct archived rows;
	size_t length;
	struct report_request request = {.dir = dir,
		.html = "-",
		.text = true,
		.out = open_memstream(&out_text, &length)};

	(void)state;
	temp_dir_make(dir);
	rollout_simulate(&rows, &plans[1]);
	assert_int_equal(rollout_archive(&rows, dir, &err), 0);
	setenv("PATH", "/nonexistent", 1);
	assert_int_equal(report_write(&request, &err), -1);
	setenv("PATH", search, 1);
	assert_non_null(strstr(err.text, "gnuplot-nox"));
	fclose(request.out);
	assert_non_null(strstr(out_text, "Verdict"));
	assert_null(strstr(out_text, "<svg"));
	archived_free(&rows);
	temp_dir_remove(dir);
	free(search);
	free(out_text);
}

/* What came through the database is what went in. */
static void the_archive_keeps_the_report(void **state)
{
	char dir[TEMP_DIR_SIZE];
	struct archived rows, back;
	struct findings before, after;
	struct buf one = BUF_INIT(0), two = BUF_INIT(0);
	struct err err = ERR_INIT;

	(void)state;
	temp_dir_make(dir);
	rollout_simulate(&rows, &plans[0]);
	if (rollout_archive(&rows, dir, &err) < 0 ||
		archived_read(&back, dir, &err) < 0)
		fail_msg("%s", err.text);
	findings_gather(&before, &rows, 0, INT64_C(1790000000000000), &err);
	findings_gather(&after, &back, 0, INT64_C(1790000000000000), &err);
	tables_report_json(&before, &one);
	tables_report_json(&after, &two);
	assert_string_equal(one.data, two.data);
	buf_free(&one);
	buf_free(&two);
	findings_free(&before);
	findings_free(&after);
	archived_free(&rows);
	archived_free(&back);
	temp_dir_remove(dir);
}

/* For report.t: one archive a plan below DIR. */
static int write_archives(const char *dir)
{
	for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
		char *path = xasprintf("%s/%s", dir, plan_names[i]);
		struct err err = ERR_INIT;
		struct archived rows;

		rollout_simulate(&rows, &plans[i]);
		if (mkdir(path, 0700) < 0 ||
			rollout_archive(&rows, path, &err) < 0) {
			fprintf(stderr, "%s: %s\n", path, err.text);
			return 1;
		}
		archived_free(&rows);
		free(path);
	}
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(figures_of_a_whole_rollout),
		cmocka_unit_test(a_busy_load_generator_is_shown),
		cmocka_unit_test(the_headline_is_of_the_server),
		cmocka_unit_test(spans_agree_with_buckets),
		cmocka_unit_test(one_wave_shows_its_own_only),
		cmocka_unit_test(an_unknown_wave_is_refused),
		cmocka_unit_test(an_empty_archive_says_so),
		cmocka_unit_test(what_was_not_measured_is_not_drawn),
		cmocka_unit_test(names_cannot_break_out),
		cmocka_unit_test(the_excluded_are_not_to_be_done),
		cmocka_unit_test(the_text_names_each_day),
		cmocka_unit_test(waves_stand_side_by_side),
		cmocka_unit_test(a_damaged_recommendation_is_an_error),
		cmocka_unit_test(without_gnuplot_the_text_is_still_there),
		cmocka_unit_test(the_archive_keeps_the_report),
	};

	if (argc == 2)
		return write_archives(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
