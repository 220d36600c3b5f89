/*
 * schema.c - the columns of every table of the archive.
 *
 * Data only.
 */
#include "schema.h"

#include "bucket.h"
#include "rows.h"

static const char *rollout_word(int value)
{
	return rollout_state_name((enum rollout_state)value);
}

static const char *client_word(int value)
{
	return client_state_name((enum client_state)value);
}

static const char *wave_word(int value)
{
	return wave_state_name((enum wave_state)value);
}

static const char *kind_word(int value)
{
	return wave_kind_name((enum wave_kind)value);
}

static const char *phase_word(int value)
{
	return phase_name((enum phase)value);
}

static const char *command_word(int value)
{
	return command_name((enum command)value);
}

#define INT(row, member)                                                       \
	{                                                                      \
		COLUMN_AT(struct row, member), #member, COLUMN_INT             \
	}
#define TEXT(row, member)                                                      \
	{                                                                      \
		COLUMN_AT(struct row, member), #member, COLUMN_TEXT            \
	}
#define FLOAT(row, member)                                                     \
	{                                                                      \
		COLUMN_AT(struct row, member), #member, COLUMN_FLOAT           \
	}
#define DOUBLE(row, member)                                                    \
	{                                                                      \
		COLUMN_AT(struct row, member), #member, COLUMN_DOUBLE          \
	}
#define STRING(row, member)                                                    \
	{                                                                      \
		COLUMN_AT(struct row, member), #member, COLUMN_STRING          \
	}
#define WORD(row, member, words, count)                                        \
	{                                                                      \
		COLUMN_AT(struct row, member), #member, COLUMN_WORD, words,    \
			count                                                  \
	}
#define PROGRESS(member)                                                       \
	{                                                                      \
		COLUMN_AT(struct client_row, progress.member), #member,        \
			COLUMN_INT                                             \
	}

static const struct column rollout_columns[] = {
	TEXT(rollout_row, name),
	WORD(rollout_row, state, rollout_word, ROLLOUT_STATE_COUNT),
	TEXT(rollout_row, reason),
	INT(rollout_row, created_us),
	INT(rollout_row, started_us),
	INT(rollout_row, ended_us),
	INT(rollout_row, batch_size),
	INT(rollout_row, automatic),
	INT(rollout_row, auto_pilot),
	COLUMN_END,
};

static const struct column client_columns[] = {
	INT(client_row, id),
	TEXT(client_row, name),
	TEXT(client_row, mailbox),
	INT(client_row, link_bytes_s),
	INT(client_row, expected_bytes),
	WORD(client_row, state, client_word, CLIENT_STATE_COUNT),
	TEXT(client_row, reason),
	INT(client_row, wave),
	INT(client_row, attempts),
	INT(client_row, not_before_us),
	INT(client_row, admitted_us),
	INT(client_row, bulk_us),
	INT(client_row, finished_us),
	INT(client_row, progress_us),
	INT(client_row, lost_us),
	INT(client_row, braked),
	TEXT(client_row, agent),
	TEXT(client_row, version),
	TEXT(client_row, host),
	INT(client_row, free_bytes),
	INT(client_row, enrolled_us),
	INT(client_row, seen_us),
	INT(client_row, seq),
	WORD(client_row, phase, phase_word, PHASE_COUNT),
	WORD(client_row, command, command_word, COMMAND_COUNT),
	INT(client_row, command_id),
	INT(client_row, command_done),
	INT(client_row, start_id),
	INT(client_row, accept_id),
	INT(client_row, rate_bytes_s),
	INT(client_row, app_bytes),
	INT(client_row, wire_bytes),
	PROGRESS(total_bytes),
	PROGRESS(folders),
	PROGRESS(messages),
	PROGRESS(bodies),
	PROGRESS(protected_messages),
	PROGRESS(contacts),
	PROGRESS(events),
	PROGRESS(tasks),
	PROGRESS(notes),
	PROGRESS(quarantined),
	PROGRESS(retries),
	PROGRESS(stored_bytes),
	{COLUMN_AT(struct client_row, progress.seconds), "seconds",
		COLUMN_DOUBLE},
	PROGRESS(verified),
	INT(client_row, accepted),
	COLUMN_END,
};

static const struct column wave_columns[] = {
	INT(wave_row, number),
	WORD(wave_row, kind, kind_word, WAVE_KIND_COUNT),
	WORD(wave_row, state, wave_word, WAVE_STATE_COUNT),
	TEXT(wave_row, reason),
	INT(wave_row, batch_size),
	INT(wave_row, clients),
	INT(wave_row, admitted),
	INT(wave_row, peak),
	INT(wave_row, grown_us),
	INT(wave_row, accept_us),
	INT(wave_row, barrier),
	INT(wave_row, explore),
	INT(wave_row, started_us),
	INT(wave_row, ended_us),
	TEXT(wave_row, verdict),
	TEXT(wave_row, skipped),
	TEXT(wave_row, gates),
	COLUMN_END,
};

static const struct column transition_columns[] = {
	INT(transition_row, at_us),
	TEXT(transition_row, object),
	TEXT(transition_row, from),
	TEXT(transition_row, to),
	TEXT(transition_row, reason),
	TEXT(transition_row, who),
	COLUMN_END,
};

static const struct column event_columns[] = {
	INT(event_row, at_us),
	TEXT(event_row, subject),
	TEXT(event_row, text),
	COLUMN_END,
};

static const struct column sample_columns[] = {
	INT(sample_row, client),
	INT(sample_row, boot),
	INT(sample_row, agent_us),
	INT(sample_row, at_us),
	INT(sample_row, received_us),
	WORD(sample_row, phase, phase_word, PHASE_COUNT),
	INT(sample_row, app_bytes),
	INT(sample_row, wire_bytes),
	INT(sample_row, messages),
	COLUMN_END,
};

static const struct column load_columns[] = {
	INT(load_row, at_us),
	INT(load_row, span_us),
	{COLUMN_AT(struct load_row, load), "load", COLUMN_LOAD},
	COLUMN_END,
};

static const struct column probe_columns[] = {
	INT(probe_row, start_us),
	INT(probe_row, latency_us),
	{COLUMN_AT(struct probe_row, step_us), "step_us", COLUMN_LONGS},
	COLUMN_END,
};

#define HOST(member, type)                                                     \
	{                                                                      \
		COLUMN_AT(struct host_row, sample.member), #member, type       \
	}

static const struct column host_columns[] = {
	TEXT(host_row, host),
	INT(host_row, at_us),
	HOST(span_us, COLUMN_INT),
	HOST(cpu, COLUMN_DOUBLE),
	HOST(cpu_own, COLUMN_DOUBLE),
	HOST(memory, COLUMN_DOUBLE),
	HOST(resident_bytes, COLUMN_INT),
	HOST(disk_busy, COLUMN_DOUBLE),
	HOST(disk_await_ms, COLUMN_DOUBLE),
	HOST(net_mb_s, COLUMN_DOUBLE),
	HOST(net_link, COLUMN_DOUBLE),
	HOST(shared, COLUMN_INT),
	COLUMN_END,
};

static const struct column bucket_columns[] = {
	DOUBLE(bucket, start_s),
	FLOAT(bucket, seconds),
	FLOAT(bucket, n),
	FLOAT(bucket, x_mb_min),
	FLOAT(bucket, active),
	INT(bucket, wave),
	INT(bucket, flags),
	INT(bucket, probes),
	INT(bucket, failures),
	FLOAT(bucket, p50_ms),
	FLOAT(bucket, p95_ms),
	FLOAT(bucket, p99_ms),
	{COLUMN_AT(struct bucket, probe), "probe", COLUMN_SHORTS},
	INT(bucket, probes_kept),
	{COLUMN_AT(struct bucket, load), "load", COLUMN_LOAD},
	COLUMN_END,
};

static const struct column recommendation_columns[] = {
	INT(recommendation_row, id),
	INT(recommendation_row, at_us),
	INT(recommendation_row, wave),
	TEXT(recommendation_row, verdict),
	INT(recommendation_row, batch_size),
	TEXT(recommendation_row, binding),
	STRING(recommendation_row, inputs_json),
	STRING(recommendation_row, result_json),
	COLUMN_END,
};

/* The designators keep the order of the enum and of the list the same. */
#define TABLE(row, key_text)                                                   \
	{                                                                      \
#row, sizeof(struct row##_row), key_text, row##_columns        \
	}

const struct table schema_tables[SCHEMA_COUNT] = {
	[SCHEMA_ROLLOUT] = TABLE(rollout, "PRIMARY KEY (name)"),
	[SCHEMA_CLIENT] = TABLE(client, "PRIMARY KEY (id), UNIQUE (name)"),
	[SCHEMA_WAVE] = TABLE(wave, "PRIMARY KEY (number)"),
	[SCHEMA_TRANSITION] = TABLE(transition, NULL),
	[SCHEMA_EVENT] = TABLE(event, NULL),
	/* Doubled samples replace themselves. */
	[SCHEMA_SAMPLE] = TABLE(sample, "PRIMARY KEY (client, boot, agent_us)"),
	[SCHEMA_LOAD] = TABLE(load, "PRIMARY KEY (at_us)"),
	[SCHEMA_PROBE] = TABLE(probe, "PRIMARY KEY (start_us)"),
	[SCHEMA_HOST] = TABLE(host, "PRIMARY KEY (host, at_us)"),
	[SCHEMA_BUCKET] = {"bucket", sizeof(struct bucket),
		"PRIMARY KEY (start_s)", bucket_columns},
	[SCHEMA_RECOMMENDATION] = TABLE(recommendation, "PRIMARY KEY (id)"),
};

const struct table schema_bucket_seen = {
	"bucket_seen", sizeof(struct bucket), NULL, bucket_columns};

const char schema_rest[] =
	"CREATE INDEX transition_object ON transition (object);"
	"CREATE INDEX sample_time ON sample (at_us);"
	"CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL);"
	"CREATE TABLE report (agent TEXT, seq INTEGER, at_us INTEGER,"
	" PRIMARY KEY (agent, seq)) WITHOUT ROWID;"
	"CREATE TABLE secret (client INTEGER PRIMARY KEY, agent TEXT UNIQUE,"
	" hash BLOB NOT NULL);"
	"CREATE TABLE token (hash BLOB PRIMARY KEY, kind TEXT NOT NULL,"
	" expires_us INTEGER NOT NULL, uses INTEGER NOT NULL);"
	/* A bucket that is replaced after a recommendation was made from it is
	 * kept for that: SINCE and UNTIL are the recommendations before and
	 * of its time. */
	"CREATE TABLE bucket_since (start_s REAL PRIMARY KEY, since INTEGER);"
	"CREATE TABLE bucket_was AS SELECT 0 AS since, 0 AS until, *"
	" FROM bucket WHERE 0;"
	"CREATE TRIGGER bucket_keep BEFORE INSERT ON bucket BEGIN"
	" INSERT INTO bucket_was"
	"  SELECT s.since, (SELECT max(id) FROM recommendation), b.*"
	"  FROM bucket b JOIN bucket_since s ON s.start_s = b.start_s"
	"  WHERE b.start_s = new.start_s AND s.since <"
	"   (SELECT coalesce(max(id), 0) FROM recommendation);"
	" INSERT INTO bucket_since VALUES (new.start_s,"
	"  (SELECT coalesce(max(id), 0) FROM recommendation)); END;"
	"CREATE VIEW bucket_seen AS"
	" SELECT s.since AS since, 1 << 62 AS until, b.*"
	" FROM bucket b JOIN bucket_since s ON s.start_s = b.start_s"
	" UNION ALL SELECT * FROM bucket_was;";
