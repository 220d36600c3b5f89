/*
 * verb_csv.c - `sluice recommend --from-csv FILE`.
 *
 * The estimator on anybody's data, without archive or daemon: reads bucket
 * rows, recommends, prints. One thread.
 */
#include <argp.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "buf.h"
#include "csv.h"
#include "err.h"
#include "record.h"
#include "verb_model.h"

#define FILE_MAX  (1U << 30)
#define COUNT_MAX 10000000

struct options {
	const char *path;
	int json;
	struct recommend_facts facts;
	struct recommend_policy policy;
};

enum key {
	KEY_CSV = 256,
	KEY_SLO,
	KEY_LEFT,
	KEY_MB,
	KEY_SLOTS,
	KEY_OBSERVED,
	KEY_SPIN
};

static const struct argp_option option_table[] = {
	{"from-csv", KEY_CSV, "FILE", 0,
		"bucket rows; columns seconds, n, x_mb_per_min and optionally wave, "
		"canary_p95_ms, probes, cpu, disk_await_ms, disk_util, "
		"mem_available, nic; - reads standard input",
		0},
	{"slo", KEY_SLO, "MS", 0, "largest p95 for waiting users", 0},
	{"clients-left", KEY_LEFT, "N", 0, "clients still to do", 0},
	{"mb-left", KEY_MB, "MB", 0, "what they have to fetch, for the ETA", 0},
	{"slots", KEY_SLOTS, "N", 0, "batch size in force", 0},
	{"observed", KEY_OBSERVED, "S", 0,
		"data from which a number of syncs counts as observed (30)", 0},
	{"rotational", KEY_SPIN, NULL, 0, "the disk is one spinning disk", 0},
	{"json", 'j', NULL, 0, "everything, as JSON", 0},
	{0},
};

static double positive(const char *text, struct argp_state *state)
{
	char *end;
	double value = strtod(text, &end);

	if (*end || end == text || !(value > 0) || value > 1e12)
		argp_error(state, "\"%s\" is not a positive number", text);
	return value;
}

static unsigned count(const char *text, struct argp_state *state)
{
	double value = positive(text, state);

	if (value > COUNT_MAX || value != floor(value))
		argp_error(state, "\"%s\" is not a whole number up to %d", text,
			COUNT_MAX);
	return (unsigned)value;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case KEY_CSV:
		o->path = arg;
		return 0;
	case KEY_SLO:
		o->facts.slo_ms = positive(arg, state);
		return 0;
	case KEY_LEFT:
		o->facts.clients_left = count(arg, state);
		return 0;
	case KEY_MB:
		o->facts.mb_left = positive(arg, state);
		return 0;
	case KEY_SLOTS:
		o->facts.wave_slots = count(arg, state);
		return 0;
	case KEY_OBSERVED:
		o->policy.levels.observed_s = positive(arg, state);
		return 0;
	case KEY_SPIN:
		o->facts.disk_rotational = true;
		return 0;
	case 'j':
		o->json = 1;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument \"%s\"", arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int read_file(const char *path, struct buf *text, struct err *err)
{
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	char part[65536];
	size_t length;

	if (!file)
		return err_set_errno(err, "%s", path);
	do {
		length = fread(part, 1, sizeof(part), file);
		if (buf_append(text, part, length) < 0) {
			err_set(err, ERR_LIMIT, "%s: larger than 1 GiB", path);
			goto file;
		}
	} while (length == sizeof(part));
	if (ferror(file)) {
		err_set_errno(err, "%s", path);
		goto file;
	}
	if (file != stdin)
		fclose(file);
	return 0;
file:
	if (file != stdin)
		fclose(file);
	return -1;
}

/* For people, or as JSON; 0, or 1 for the verdict FAIL. */
static int print(const struct recommendation *rec, int json)
{
	if (json) {
		char *text = recommendation_encode(rec);
		puts(text);
		free(text);
	} else {
		printf("%s: batch size %u\n", verdict_name(rec->verdict),
			rec->batch_size);
		for (unsigned i = 0; i < rec->reason_count; i++)
			printf("  %s\n", rec->reasons[i]);
	}
	return rec->verdict == VERDICT_FAIL;
}

static int run(const struct options *o, struct err *err)
{
	struct buf text = BUF_INIT(FILE_MAX);
	struct csv_table table = {0};
	struct recommend_facts facts = o->facts;

	int rc = read_file(o->path, &text, err);
	if (rc == 0)
		rc = csv_read(
			&table, o->path, buf_text(&text), text.length, err);
	buf_free(&text);
	if (rc < 0)
		return -1;
	facts.exporter = table.load;
	facts.canary = table.canary;
	struct recommendation *rec = xcalloc(1, sizeof(*rec));
	recommend(rec, table.bucket, table.count, &facts, &o->policy);
	rc = print(rec, o->json);
	free(rec);
	free(table.bucket);
	return rc;
}

int recommend_wants_csv(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strncmp(argv[i], "--from-csv", strlen("--from-csv")) == 0)
			return 1;
	return 0;
}

int recommend_csv_main(int argc, char **argv)
{
	static const struct argp argp = {option_table, parse, NULL,
		"Recommend a batch size from bucket rows in a CSV file.", NULL,
		NULL, NULL};
	struct options options = {.policy = recommend_policy_default};
	struct err err = ERR_INIT;

	argp_err_exit_status = 2;
	argp_parse(&argp, argc, argv, 0, NULL, &options);
	if (!options.path) {
		fputs("sluice: recommend: --from-csv needs a file\n", stderr);
		return 2;
	}
	int rc = run(&options, &err);
	if (rc >= 0)
		return rc;
	fprintf(stderr, "sluice: %s\n", err.text);
	return err_exit_status(&err);
}
