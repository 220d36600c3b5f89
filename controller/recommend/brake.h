/*
 * brake.h - protecting the server while a wave runs.
 *
 * Evidence in once a second, an order out: hold new starts, cap the whole
 * fleet's rate, pause the newest syncs, stop. Each step up and down is an
 * event with the figure that caused it. Steps up need their rule to hold
 * for its time; steps down need what braked to be below its release value
 * for its own. No clock, no I/O: time comes with the evidence. One thread.
 *
 *   RELEASED -> HOLDING -> LIMITING -> PAUSING -> STOPPED
 *
 * and back one step at a time, except STOPPED, which a person leaves
 * (brake_reset). Rules, times and ceilings: brake_rules[] in brake_rules.c.
 */
#ifndef SLUICE_BRAKE_H
#define SLUICE_BRAKE_H

#include "bucket.h"

enum brake_state {
	BRAKE_RELEASED,
	BRAKE_HOLDING,	/* nothing new starts */
	BRAKE_LIMITING, /* and the fleet's rate is capped */
	BRAKE_PAUSING,	/* and the newest syncs are paused */
	BRAKE_STOPPED,	/* all paused; the rollout waits for a person */
	BRAKE_STATES
};

struct brake_policy {
	double slo_ms;	      /* NAN or 0: no canary rule */
	double idle_await_ms; /* disk read latency idle; 0: unknown */
	double await_max_ms;  /* its ceiling; 0: 5 ms, 20 if rotational */
	bool rotational;
	double connections_limit;		    /* 0: unknown */
	bool exporter, canary;			    /* expected to speak */
	double cpu_max, nic_max, mem_available_min; /* 0: 0.85 0.85 0.10 */
	int64_t cap_us;	    /* of holding in vain before it; 0: 30 s */
	int64_t pause_us;   /* of trouble before the first; 0: 60 s */
	int64_t again_us;   /* between two steps of a kind; 0: 20 s */
	int64_t release_us; /* of calm before a step down; 0: by the rule */
};

struct brake_evidence {
	int64_t now_us;
	float load[LOAD_COUNT]; /* newest; NAN: unknown */
	int64_t load_age_us;	/* since the exporter last answered */
	float p95_ms;		/* of the last 60 probes; NAN: < 5 */
	float failure_share;	/* of probes in the last 60 s; NAN: none */
	int64_t canary_age_us;	/* since a probe last ended */
	bool server_reachable;	/* any agent or probe got an answer */
	double x_mb_min;	/* now */
	unsigned n;		/* syncs in bulk, not paused */
};

struct brake_order {
	bool hold;	    /* start nothing */
	double rate_mb_min; /* for all agents together; 0: no cap */
	unsigned pause;	    /* how many of the newest stay paused */
	bool stop;	    /* pause all, and the rollout */
};

struct brake_event {
	int64_t at_us;
	enum brake_state from, to;
	const char *rule; /* key: "canary", "cpu", "disk_latency", … */
	double figure, ceiling;
	char text[256]; /* one sentence with both */
};

#define BRAKE_EVENTS 8 /* at most so many of one brake_step() */

struct brake; /* opaque */

struct brake *brake_new(const struct brake_policy *policy);
void brake_free(struct brake *brake);

/* A new SLO or idle baseline; the state stays. */
void brake_set_policy(struct brake *brake, const struct brake_policy *policy);

/* Returns the order in force; fills EVENTS and *COUNT. */
struct brake_order brake_step(struct brake *brake,
	const struct brake_evidence *evidence,
	struct brake_event events[BRAKE_EVENTS], size_t *count);

/* May a wave begin on a server in this state? A distressed one is not
 * touched: false, with the sentence in TEXT. */
bool brake_may_start(const struct brake_policy *policy,
	const struct brake_evidence *evidence, char *text, size_t size);

/* A person says go on: STOPPED -> RELEASED. In another state it does nothing:
 * that ends by itself when the trouble does. */
void brake_reset(struct brake *brake, int64_t now_us);

/* Released, and nothing runs: what was watched so far is past. */
void brake_rest(struct brake *brake);

/* Goes on as another brake that ended in STATE and had given ORDER; its rules
 * are watched anew. */
void brake_restore(struct brake *brake, enum brake_state state,
	const struct brake_order *order, int64_t now_us);

enum brake_state brake_state(const struct brake *brake);
const char *brake_state_name(enum brake_state state);

#endif
