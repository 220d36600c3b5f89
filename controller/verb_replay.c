/*
 * verb_replay.c - `sluice replay`: every stored recommendation once more.
 *
 * Reads the archive, beside a running controller or without one, computes
 * each recommendation again from the stored inputs and the buckets as they
 * were, and says whether it is the same, letter by letter. One thread.
 */
#include <argp.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "archive.h"
#include "err.h"
#include "record.h"
#include "verb_model.h"

struct tally {
	unsigned same, differs;
};

/* The first key whose value differs, with both. */
static void name_difference(const char *stored_text, const char *computed_text)
{
	json_t *stored = json_loads(stored_text, 0, NULL);
	json_t *computed = json_loads(computed_text, 0, NULL);
	const char *key;
	json_t *value;

	json_object_foreach(computed, key, value)
	{
		const json_t *other = json_object_get(stored, key);
		char *is, *was;

		if (other && json_equal(value, other))
			continue;
		is = json_dumps(value, JSON_ENCODE_ANY);
		was = other ? json_dumps(other, JSON_ENCODE_ANY) : NULL;
		printf("  %s: stored %.120s, computed %.120s\n", key,
			was ? was : "nothing", is ? is : "nothing");
		free(is);
		free(was);
		break;
	}
	json_decref(stored);
	json_decref(computed);
}

/* One stored recommendation; -1 when its inputs cannot be read. */
static int replay_row(const struct recommendation_row *row,
	const struct bucket *buckets, size_t count, struct tally *tally,
	struct err *err)
{
	struct recommend_facts facts;
	struct recommend_policy policy;
	struct recommend_data data;
	struct recommend_data now = recommend_data_of(buckets, count);

	if (recommend_input_decode(
		    &facts, &policy, &data, row->inputs_json, err) < 0)
		return err_context(err, "recommendation %u", row->id);
	struct recommendation *rec = xcalloc(1, sizeof(*rec));
	recommend(rec, buckets, count, &facts, &policy);
	char *text = recommendation_encode(rec);
	bool same = strcmp(text, row->result_json) == 0 &&
		row->batch_size == rec->batch_size;
	bool same_data = now.count == data.count && now.digest == data.digest;

	printf("recommendation %u, after wave %u: %s, %u stored, %u computed "
	       "from %zu buckets: %s\n",
		row->id, row->wave, verdict_name(rec->verdict), row->batch_size,
		rec->batch_size, count,
		!same_data     ? "DIFFERS, its buckets were changed since"
			: same ? "the same"
			       : "DIFFERS");
	if (!same)
		name_difference(row->result_json, text);
	tally->same += same && same_data;
	tally->differs += !same || !same_data;
	free(text);
	free(rec);
	free((void *)facts.past);
	return 0;
}

static int replay(const char *dir, struct tally *tally, struct err *err)
{
	struct archive *archive;
	struct recommendation_row *rows = NULL;
	size_t row_count = 0;

	if (archive_open(&archive, dir, ARCHIVE_READ, err) < 0)
		return -1;
	int rc = archive_recommendations(archive, &rows, &row_count, err);
	for (size_t i = 0; rc == 0 && i < row_count; i++) {
		struct bucket *buckets = NULL;
		size_t count = 0;

		rc = archive_buckets_seen(
			archive, rows[i].id, &buckets, &count, err);
		if (rc == 0)
			rc = replay_row(&rows[i], buckets, count, tally, err);
		free(buckets);
	}
	if (rows)
		archive_recommendations_free(rows, row_count);
	archive_close(&archive);
	return rc;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	const char **dir = state->input;

	switch (key) {
	case 's':
	case ARGP_KEY_ARG:
		*dir = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int replay_main(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{"state", 's', "DIR", 0, "the controller's directory", 0},
		{0},
	};
	static const struct argp argp = {options, parse, "[DIR]",
		"Compute every stored recommendation again and compare.\v"
		"Exit status 0 when all are the same.",
		NULL, NULL, NULL};
	const char *dir = getenv("SLUICE_STATE");
	struct tally tally = {0};
	struct err err = ERR_INIT;

	argp_err_exit_status = 2;
	argp_parse(&argp, argc, argv, 0, NULL, &dir);
	if (!dir) {
		fputs("sluice: replay: name the state directory\n", stderr);
		return 2;
	}
	if (replay(dir, &tally, &err) < 0) {
		fprintf(stderr, "sluice: replay: %s\n", err.text);
		return err_exit_status(&err);
	}
	printf("%u the same, %u different\n", tally.same, tally.differs);
	return tally.differs ? 1 : 0;
}
