/*
 * scenario.h - a rollout as the administrator describes it: one YAML file.
 *
 * Reads and checks the file, and expands its clients into one list. Every key
 * stands in the tables of scenario.c, which also print docs/scenario.md.
 * Plain data, owned by the struct; not changed after loading. Any thread.
 */
#ifndef SLUICE_SCENARIO_H
#define SLUICE_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "account.h"
#include "buf.h"
#include "mailbox.h"

struct err;

struct scenario_server {
	struct endpoint imap;
	char *dav_url;	/* NULL: no DAV, or discovered by the agents */
	char *exporter; /* URL of a Prometheus exporter; NULL: none */
	char *ca_file;	/* PEM for IMAP and DAV; NULL: the system's */
	char *disk;	/* device of the mail store, as the exporter names it */
	char *network;	/* interface towards the clients */
	bool rotational; /* one spinning disk: its busy share has a ceiling */
	char *password_file; /* password of every account (filler only) */
};

struct scenario_client {
	char *name;    /* the mailbox user, and the client's name everywhere */
	char *mailbox; /* its profile's name; NULL: unknown */
	uint64_t link_bytes_s;	 /* cap of its line; 0: none */
	uint64_t expected_bytes; /* 0: unknown */
};

struct scenario_share {
	char *mailbox;
	double share; /* of the clients */
};

/* As written; the result is scenario.client. */
struct scenario_clients {
	char *range, **list; /* "u001..u024" */
	size_t list_count;
	char *inventory; /* CSV with client,mailbox,link,size */
	struct scenario_share *mailbox;
	size_t mailbox_count;
	uint64_t link_bytes_s;
};

struct scenario_baseline {
	char *server_name; /* substring of the greeting or the IMAP ID */
	char *server_min, *agent_min;
	uint64_t free_bytes; /* each agent's disk must have this */
	double usable;	     /* share of the clients that must pass */
};

struct scenario_steps {
	unsigned *pilots;
	size_t pilot_count;
	int64_t stagger_us; /* between starts, up to the largest n seen */
	int64_t stagger_beyond_us; /* above it; 0: 2.5 times stagger_us */
	double wave;		   /* clients of a wave, times batch size */
	unsigned max_step;	   /* growth of the batch size per wave */
	double gate;	       /* share of a wave done before it is judged */
	double failed_wave;    /* largest share of failures in a wave */
	double failed_rollout; /* the same over the whole rollout */
	unsigned retries;
	int64_t backoff_us;   /* before the first retry; x4 for each further */
	int64_t heartbeat_us; /* silence before a client is lost */
	int64_t lost_us;      /* lost for so long is failed */
	int64_t stall_us;     /* no byte for so long is failed */
	unsigned longest_first; /* order of clients in waves; else as listed */
	bool automatic;		/* pass gates without a person */
	bool has_window;
	int window[2]; /* minutes since midnight, local: from, to */
};

/* A real mailbox, used as an online user would. */
struct scenario_canary {
	char *user; /* NULL: no canary */
	char *password_file, *password_command;
	int64_t interval_us;
	int64_t slo_us;	 /* 0: from the idle baseline alone */
	int64_t idle_us; /* how long the idle baseline is measured */
};

/* How fine the measurements are. */
struct scenario_measure {
	int64_t bucket_us;   /* length of a bucket */
	int64_t settle_us;   /* after a start, not counted */
	int64_t observed_us; /* of usable data at one n to count it as seen */
	int64_t explored_us; /* the same, to end a wave that tries a size */
	int64_t again_us;    /* between two looks at the size inside a wave */
};

struct scenario_limits {
	double cpu, network;	  /* shares of all cores, of network_bytes_s */
	uint64_t network_bytes_s; /* 0: unknown */
	double disk_busy;	  /* of one spinning disk */
	int64_t disk_await_us;	  /* 0: by the kind of disk */
	double memory_available;  /* lowest share */
	unsigned connections;	  /* the server's limit; 0: none known */
	unsigned connections_per_client;
	int64_t user_window_us; /* a user's sync must fit; 0: no limit */
	unsigned batch_max;	/* the administrator's own cap; 0: none */
	uint64_t rate_bytes_s;	/* cap per client; 0: none */
};

/* How patient the brake is; release_us 0: each rule its own. */
struct scenario_brake {
	int64_t cap_us, pause_us, again_us, release_us;
};

struct scenario {
	char *rollout; /* its name */
	uint64_t seed;
	struct scenario_server server;
	struct scenario_clients clients;
	struct mailbox *mailboxes;
	size_t mailbox_count;
	struct scenario_baseline baseline;
	struct scenario_steps steps;
	struct scenario_canary canary;
	struct scenario_limits limits;
	struct scenario_measure measure;
	struct scenario_brake brake;

	struct scenario_client *client; /* expanded, in the order listed */
	size_t client_count;
};

int scenario_load(struct scenario *, const char *path, struct err *);

/* The text of a scenario file whose paths are relative to FOLDER. */
int scenario_parse(struct scenario *, const char *text, size_t length,
	const char *name, const char *folder, struct err *);
void scenario_free(struct scenario *scenario);

/* NULL when there is no such profile. */
const struct mailbox *scenario_mailbox(
	const struct scenario *scenario, const char *name);

/* The reference of every key, in Markdown. */
void scenario_document(struct buf *out);

#endif
