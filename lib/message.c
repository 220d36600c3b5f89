/*
 * message.c - the messages of the control link: one table each, which is the
 * whole of its JSON form.
 *
 * Used by agent/link and controller/server. Any thread.
 */
#include "message.h"

#include "err.h"
#include "shape.h"

#define SAMPLES_MAX    20000
#define HOSTS_MAX      5000
#define ERROR_TEXT_MAX 4096
#define COUNT(array)   (sizeof(array) / sizeof(*(array)))

static const char *const phases[PHASE_COUNT] = {
	[PHASE_IDLE] = "idle",
	[PHASE_STARTING] = "starting",
	[PHASE_LISTING] = "listing",
	[PHASE_SYNCING] = "syncing",
	[PHASE_PAUSED] = "paused",
	[PHASE_VERIFYING] = "verifying",
	[PHASE_DONE] = "done",
	[PHASE_FAILED] = "failed",
};

static const char *const commands[COMMAND_COUNT] = {
	[COMMAND_NONE] = "none",
	[COMMAND_START] = "start",
	[COMMAND_PAUSE] = "pause",
	[COMMAND_RESUME] = "resume",
	[COMMAND_CANCEL] = "cancel",
	[COMMAND_VERIFY] = "verify",
};

#define FIELD(type, member, kind)                                              \
	{                                                                      \
		SHAPE_AT(struct type, member), #member, SHAPE_##kind           \
	}
#define MAY_MISS(type, member, kind)                                           \
	{                                                                      \
		SHAPE_AT(struct type, member), #member, SHAPE_##kind,          \
			.optional = true                                       \
	}

static const struct shape_field enroll_fields[] = {
	FIELD(enroll, protocol, INT),
	FIELD(enroll, token, TEXT),
	FIELD(enroll, client, TEXT),
	FIELD(enroll, host, TEXT),
	FIELD(enroll, version, TEXT),
	FIELD(enroll, store_free_bytes, INT),
	SHAPE_END,
};
static const struct shape_table enroll_table = {
	sizeof(struct enroll),
	enroll_fields,
};

static const struct shape_field enrolled_fields[] = {
	FIELD(enrolled, protocol, INT),
	FIELD(enrolled, agent, TEXT),
	FIELD(enrolled, secret, TEXT),
	SHAPE_END,
};
static const struct shape_table enrolled_table = {
	sizeof(struct enrolled),
	enrolled_fields,
};

static const struct shape_field sample_fields[] = {
	FIELD(sample, at_us, INT),
	{SHAPE_AT(struct sample, phase), "phase", SHAPE_WORD, .words = phases,
		.word_count = COUNT(phases)},
	FIELD(sample, app_bytes, UINT),
	FIELD(sample, wire_bytes, UINT),
	FIELD(sample, messages, UINT),
	SHAPE_END,
};
static const struct shape_table sample_table = {
	sizeof(struct sample),
	sample_fields,
};

static const struct shape_field progress_fields[] = {
	FIELD(progress, total_bytes, UINT),
	FIELD(progress, folders, UINT),
	FIELD(progress, messages, UINT),
	FIELD(progress, bodies, UINT),
	FIELD(progress, protected_messages, UINT),
	FIELD(progress, contacts, UINT),
	FIELD(progress, events, UINT),
	FIELD(progress, tasks, UINT),
	FIELD(progress, notes, UINT),
	FIELD(progress, quarantined, UINT),
	FIELD(progress, retries, UINT),
	FIELD(progress, stored_bytes, UINT),
	FIELD(progress, seconds, DOUBLE),
	FIELD(progress, verified, BOOL),
	SHAPE_END,
};
static const struct shape_table progress_table = {
	sizeof(struct progress),
	progress_fields,
};

static const struct shape_field host_fields[] = {
	FIELD(host_sample, at_us, INT),
	FIELD(host_sample, span_us, INT),
	FIELD(host_sample, cpu, DOUBLE),
	FIELD(host_sample, cpu_own, DOUBLE),
	FIELD(host_sample, memory, DOUBLE),
	FIELD(host_sample, resident_bytes, UINT),
	FIELD(host_sample, disk_busy, DOUBLE),
	FIELD(host_sample, disk_await_ms, DOUBLE),
	FIELD(host_sample, net_mb_s, DOUBLE),
	FIELD(host_sample, net_link, DOUBLE),
	FIELD(host_sample, shared, BOOL),
	SHAPE_END,
};
static const struct shape_table host_table = {
	sizeof(struct host_sample),
	host_fields,
};

static const struct shape_field report_fields[] = {
	FIELD(report, seq, UINT),
	FIELD(report, boot, TEXT),
	FIELD(report, sent_us, INT),
	{SHAPE_AT(struct report, phase), "phase", SHAPE_WORD, .words = phases,
		.word_count = COUNT(phases)},
	FIELD(report, wave, UINT),
	FIELD(report, command, UINT),
	FIELD(report, version, TEXT),
	{SHAPE_AT(struct report, progress), "progress", SHAPE_TABLE,
		.table = &progress_table},
	{SHAPE_AT(struct report, error), "error", SHAPE_TEXT, .optional = true,
		.length_max = ERROR_TEXT_MAX},
	MAY_MISS(report, error_kind, TEXT),
	MAY_MISS(report, retryable, BOOL),
	{SHAPE_AT(struct report, samples), "samples", SHAPE_ARRAY,
		.table = &sample_table, .length_max = SAMPLES_MAX,
		.count_offset = offsetof(struct report, sample_count)},
	{SHAPE_AT(struct report, hosts), "hosts", SHAPE_ARRAY, .optional = true,
		.table = &host_table, .length_max = HOSTS_MAX,
		.count_offset = offsetof(struct report, host_count)},
	SHAPE_END,
};
static const struct shape_table report_table = {
	sizeof(struct report),
	report_fields,
};

static const struct shape_field answer_fields[] = {
	FIELD(answer, ack, UINT),
	{SHAPE_AT(struct answer, command), "command", SHAPE_WORD,
		.words = commands, .word_count = COUNT(commands)},
	FIELD(answer, command_id, UINT),
	FIELD(answer, wave, UINT),
	FIELD(answer, rate_bytes_s, UINT),
	FIELD(answer, next_poll_ms, UINT),
	SHAPE_END,
};
static const struct shape_table answer_table = {
	sizeof(struct answer),
	answer_fields,
};

const char *phase_name(enum phase phase)
{
	return (unsigned)phase < PHASE_COUNT ? phases[phase] : "?";
}

const char *command_name(enum command command)
{
	return (unsigned)command < COMMAND_COUNT ? commands[command] : "?";
}

char *enroll_encode(const struct enroll *enroll)
{
	return shape_encode(&enroll_table, enroll);
}

char *enrolled_encode(const struct enrolled *enrolled)
{
	return shape_encode(&enrolled_table, enrolled);
}

char *report_encode(const struct report *report)
{
	return shape_encode(&report_table, report);
}

char *answer_encode(const struct answer *answer)
{
	return shape_encode(&answer_table, answer);
}

/* Two programs of different ages find out here, not in odd figures. */
static int check_protocol(int protocol, struct err *err)
{
	if (protocol == PROTOCOL_VERSION)
		return 0;
	return err_set(err, ERR_PROTOCOL,
		"the peer speaks protocol %d, we speak %d; install the same "
		"version on both",
		protocol, PROTOCOL_VERSION);
}

int enroll_decode(struct enroll *enroll, const char *text, struct err *err)
{
	if (shape_decode(&enroll_table, enroll, text, err) < 0)
		return err_context(err, "enroll");
	if (check_protocol(enroll->protocol, err) < 0) {
		enroll_free(enroll);
		return err_context(err, "enroll");
	}
	return 0;
}

int enrolled_decode(
	struct enrolled *enrolled, const char *text, struct err *err)
{
	if (shape_decode(&enrolled_table, enrolled, text, err) < 0)
		return err_context(err, "enrolled");
	if (check_protocol(enrolled->protocol, err) < 0) {
		enrolled_free(enrolled);
		return err_context(err, "enrolled");
	}
	return 0;
}

int report_decode(struct report *report, const char *text, struct err *err)
{
	if (shape_decode(&report_table, report, text, err) < 0)
		return err_context(err, "report");
	return 0;
}

int answer_decode(struct answer *answer, const char *text, struct err *err)
{
	if (shape_decode(&answer_table, answer, text, err) < 0)
		return err_context(err, "answer");
	return 0;
}

void enroll_free(struct enroll *enroll)
{
	shape_free(&enroll_table, enroll);
}

void enrolled_free(struct enrolled *enrolled)
{
	shape_free(&enrolled_table, enrolled);
}

void report_free(struct report *report)
{
	shape_free(&report_table, report);
}
