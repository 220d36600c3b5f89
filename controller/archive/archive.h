/*
 * archive.h - everything a rollout was, is and measured: one SQLite file.
 *
 * DIR/archive.db, write-ahead log. One process owns it for writing (a lock
 * on DIR/lock refuses a second), any number read meanwhile. A directory holds
 * one rollout. What is written between archive_begin() and archive_commit()
 * is there whole or not at all, and after archive_commit() it survives
 * SIGKILL and loss of power; a write outside them is its own transaction.
 * Readers return arrays for free(), oldest first. Used by one thread at a
 * time.
 */
#ifndef SLUICE_ARCHIVE_H
#define SLUICE_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rows.h"

struct err;
struct archive;

enum archive_mode {
	ARCHIVE_READ,
	ARCHIVE_OWN, /* ERR_LOCKED when another process owns it */
};

/* Make DIR/archive.db for a rollout of COUNT clients; refuses one that is
 * there. The scenario's text is kept as it was. */
int archive_create(const char *dir, const struct rollout_row *,
	const char *scenario_text, const struct client_row *clients,
	size_t count, struct err *);
int archive_open(
	struct archive **, const char *dir, enum archive_mode, struct err *);
void archive_close(struct archive **archive);

int archive_begin(struct archive *, struct err *);
int archive_commit(struct archive *, struct err *);
void archive_rollback(struct archive *);

/* ---- writing */
int archive_put_rollout(
	struct archive *, const struct rollout_row *, struct err *);
int archive_put_client(
	struct archive *, const struct client_row *, struct err *);
int archive_put_wave(struct archive *, const struct wave_row *, struct err *);
int archive_add_transition(
	struct archive *, const struct transition_row *, struct err *);
int archive_add_event(struct archive *, const struct event_row *, struct err *);

/* *FRESH says whether (agent, seq) is new; an old one must count nothing. */
int archive_add_report(struct archive *, const char *agent, uint64_t seq,
	int64_t at_us, bool *fresh, struct err *);
int archive_add_sample(
	struct archive *, const struct sample_row *, struct err *);
int archive_add_load(struct archive *, const struct load_row *, struct err *);
int archive_add_probe(struct archive *, const struct probe_row *, struct err *);
int archive_add_host(struct archive *, const struct host_row *, struct err *);

/* One bucket per start_s: a later one replaces it. */
int archive_put_bucket(struct archive *, const struct bucket *, struct err *);

/* Gives the row its id. */
int archive_add_recommendation(
	struct archive *, struct recommendation_row *, struct err *);

/* A word of the controller's own, as the batch size that a person set. */
int archive_set(
	struct archive *, const char *key, const char *value, struct err *);

/* ---- reading; SINCE_US 0: all */
int archive_rollout(struct archive *, struct rollout_row *, struct err *);

/* For free(). */
int archive_scenario(struct archive *, char **text, struct err *);
int archive_clients(
	struct archive *, struct client_row **, size_t *count, struct err *);
int archive_waves(
	struct archive *, struct wave_row **, size_t *count, struct err *);

/* OBJECT NULL: all. */
int archive_transitions(struct archive *, const char *object,
	struct transition_row **, size_t *count, struct err *);
int archive_events(
	struct archive *, struct event_row **, size_t *count, struct err *);
int archive_samples(struct archive *, int64_t since_us, struct sample_row **,
	size_t *count, struct err *);
int archive_loads(struct archive *, int64_t since_us, struct load_row **,
	size_t *count, struct err *);
int archive_probes(struct archive *, int64_t since_us, struct probe_row **,
	size_t *count, struct err *);
int archive_hosts(struct archive *, int64_t since_us, struct host_row **,
	size_t *count, struct err *);
int archive_buckets(
	struct archive *, struct bucket **, size_t *count, struct err *);

/* As they were when RECOMMENDATION was made, whatever revised them since. */
int archive_buckets_seen(struct archive *, unsigned recommendation,
	struct bucket **, size_t *count, struct err *);
int archive_recommendations(struct archive *, struct recommendation_row **,
	size_t *count, struct err *);
void archive_recommendations_free(struct recommendation_row *, size_t count);

/* NULL when the key was never set; for free(). */
int archive_get(struct archive *, const char *key, char **value, struct err *);

/* ---- who may speak to the controller; secrets come hashed */
#define ARCHIVE_HASH_BYTES 32

int archive_put_secret(struct archive *, unsigned client, const char *agent,
	const unsigned char hash[ARCHIVE_HASH_BYTES], struct err *);

/* USES 0: any number; EXPIRES_US 0: never. KIND "enroll" or "operator". */
int archive_add_token(struct archive *,
	const unsigned char hash[ARCHIVE_HASH_BYTES], const char *kind,
	int64_t expires_us, unsigned uses, struct err *);

/* Every live token of the kind is compared in constant time; one that fits
 * and has a limit loses a use. *GOOD says whether there was one. */
int archive_use_token(struct archive *,
	const unsigned char hash[ARCHIVE_HASH_BYTES], const char *kind,
	int64_t now_us, bool *good, struct err *);

/* *CLIENT is the client's id, or 0 when nobody has this agent and secret. */
int archive_check_secret(struct archive *, const char *agent,
	const unsigned char hash[ARCHIVE_HASH_BYTES], unsigned *client,
	struct err *);

#endif
