/*
 * message.h - what agents and the controller say to each other.
 *
 * JSON over HTTPS, always asked by the agent (docs/protocol.md):
 *   POST /v1/enroll        struct enroll   -> struct enrolled
 *   POST /v1/agent/report  struct report   -> struct answer
 * A report has a sequence number that never repeats within an agent's life;
 * the controller counts each number once and acknowledges the highest, so
 * a report counts exactly once whatever dies in between. Unknown keys are
 * ignored, missing ones and wrong types refused. Strings are owned by the
 * struct; *_free() releases them. Any thread.
 */
#ifndef SLUICE_MESSAGE_H
#define SLUICE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

#define PROTOCOL_VERSION 1

/* What an agent is doing; the controller's client states follow from it. */
enum phase {
	PHASE_IDLE,	 /* enrolled, waits for a command */
	PHASE_STARTING,	 /* connects and logs in */
	PHASE_LISTING,	 /* folders, sizes, headers: not yet bulk */
	PHASE_SYNCING,	 /* bulk: this is what n(t) counts */
	PHASE_PAUSED,	 /* by command */
	PHASE_VERIFYING, /* delta pass, counts against the server */
	PHASE_DONE,	 /* verified */
	PHASE_FAILED,	 /* report.error says why */
	PHASE_COUNT
};

enum command {
	COMMAND_NONE,
	COMMAND_START, /* begin or go on; carries the wave */
	COMMAND_PAUSE, /* finish the window in flight, keep what is there */
	COMMAND_RESUME,
	COMMAND_CANCEL, /* stop for good, data kept */
	COMMAND_VERIFY, /* prove the store against the server */
	COMMAND_COUNT
};

struct enroll {
	int protocol;
	char *token;
	char *client; /* the name in the scenario: the mailbox user */
	char *host;
	char *version; /* of the agent */
	int64_t store_free_bytes;
};

struct enrolled {
	int protocol;
	char *agent;  /* id for every later request */
	char *secret; /* bearer of every later request; shown once */
};

/* Cumulative since the store was created, so that a lost or doubled sample
 * neither adds nor loses a byte. */
struct sample {
	int64_t at_us; /* the agent's monotonic clock */
	enum phase phase;
	uint64_t app_bytes;  /* payload stored: what MB/min counts */
	uint64_t wire_bytes; /* on the socket, both directions */
	uint64_t messages;
};

struct progress {
	uint64_t total_bytes; /* 0 until the plan is made */
	uint64_t folders;
	uint64_t messages;
	uint64_t bodies;
	uint64_t protected_messages; /* signed or encrypted */
	uint64_t contacts, events, tasks, notes;
	uint64_t quarantined;
	uint64_t retries;
	uint64_t stored_bytes; /* size of the local database */
	double seconds;	       /* active time of this sync */
	bool verified;
};

/* The machine of a fleet over SPAN_US, which may be what limits. Shares are
 * 0..1; what it does not tell is -1. */
struct host_sample {
	int64_t at_us; /* the end, by the agent's monotonic clock */
	int64_t span_us;
	double cpu;	/* busy, of all cores or of the group's quota */
	double cpu_own; /* by the fleet itself, of the same */
	double memory;	/* in use, of the machine or of the group's limit */
	uint64_t resident_bytes; /* by the fleet */
	double disk_busy;	 /* share of time, the disk of the stores */
	double disk_await_ms;
	double net_mb_s; /* in and out, all links but loopback */
	double net_link; /* the busier direction, of what the links state */
	bool shared;	 /* the mail server runs on the same machine */
};

struct report {
	uint64_t seq;
	char *boot;	 /* changes when at_us starts over */
	int64_t sent_us; /* the agent's monotonic clock */
	enum phase phase;
	unsigned wave;	  /* of the command being obeyed; 0: none */
	uint64_t command; /* id of the last command obeyed */
	char *version;
	struct progress progress;
	char *error;	  /* NULL unless PHASE_FAILED */
	char *error_kind; /* err_kind_name() */
	bool retryable;
	struct sample *samples;
	size_t sample_count;
	struct host_sample *hosts; /* of a fleet, by one of its clients */
	size_t host_count;
};

struct answer {
	uint64_t ack; /* reports up to here need not be kept */
	enum command command;
	uint64_t command_id; /* obeyed once however often it is sent */
	unsigned wave;
	uint64_t rate_bytes_s; /* cap for this agent; 0: none */
	unsigned next_poll_ms;
};

const char *phase_name(enum phase phase);
const char *command_name(enum command command);

/* Encoders return a JSON text for free(). */
char *enroll_encode(const struct enroll *enroll);
char *enrolled_encode(const struct enrolled *enrolled);
char *report_encode(const struct report *report);
char *answer_encode(const struct answer *answer);

/* Decoders fill the struct or name the key that is wrong. */
int enroll_decode(struct enroll *, const char *text, struct err *);
int enrolled_decode(struct enrolled *, const char *text, struct err *);
int report_decode(struct report *, const char *text, struct err *);
int answer_decode(struct answer *, const char *text, struct err *);

void enroll_free(struct enroll *enroll);
void enrolled_free(struct enrolled *enrolled);
void report_free(struct report *report);

#endif
