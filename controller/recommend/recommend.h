/*
 * recommend.h - how many clients may synchronise at once, and why.
 *
 * Buckets and limits in, a batch size out: slots = max(1, min(all limits)),
 * with the binding limit, the next one, and sentences that each cite their
 * number. Pure and deterministic: the same input gives the same text, which
 * is what `sluice replay` checks. Any thread. Method: docs/capacity.md.
 */
#ifndef SLUICE_RECOMMEND_H
#define SLUICE_RECOMMEND_H

#include "bucket.h"
#include "fit.h"
#include "levels.h"

enum verdict {
	VERDICT_PASS,	      /* go on with batch_size */
	VERDICT_FAIL,	      /* pause; the reasons say what broke */
	VERDICT_INCONCLUSIVE, /* repeat at the same size, do not grow */
};

enum limit_id {
	LIMIT_KNEE,   /* throughput knee */
	LIMIT_STEP,   /* at most max_step times the largest n observed */
	LIMIT_CANARY, /* waiting users' p95 */
	LIMIT_CPU,
	LIMIT_NIC,
	LIMIT_DISK_UTIL, /* one rotational disk only */
	LIMIT_DISK_LATENCY,
	LIMIT_MEMORY,
	LIMIT_CONNECTIONS,
	LIMIT_WINDOW,	  /* a user's sync must fit the window */
	LIMIT_CLIENTS,	  /* clients left, who fill slots or repay a trial */
	LIMIT_PLAN,	  /* one n only: the plan decides, not a fit */
	LIMIT_HYSTERESIS, /* growth disappointed: two waves without more */
	LIMIT_COUNT
};

#define LIMIT_NONE UINT32_MAX /* struct limit.n: does not limit */

/* Every knob, with its default in recommend_policy_default. */
struct recommend_policy {
	struct level_policy levels;
	double knee;		  /* 0.95 of the best X within the cap */
	double max_step;	  /* 2; never above 3 */
	unsigned plan_batch;	  /* 5: after a pilot of one */
	double repay;		  /* 3 clients left per slot of a new size */
	double slo_observed;	  /* 0.88 of the SLO up to n_obs, + 0.35/n */
	double slo_beyond;	  /* 0.75 of it at twice n_obs */
	double cpu_max;		  /* 0.85 */
	double nic_max;		  /* 0.85 */
	double disk_util_max;	  /* 0.85, rotational only */
	double disk_await_hdd_ms; /* 20 */
	double disk_await_ssd_ms; /* 5 */
	double disk_await_idle;	  /* 3: times the idle await, if larger */
	double mem_available_min; /* 0.10 */
	double connections_max;	  /* 0.8 of those free */
	double gain_delta;	  /* 0.22 in ln per doubling */
	double data_min;	  /* 0.8 of a wave's buckets usable */
	double sd_ln_max;	  /* 0.15 */
	double failed_wave;	  /* 0.10 of the admitted, at least one */
	double failed_rollout;	  /* 0.05 of all, at least three */
	uint64_t seed;		  /* of the bootstrap */
};
extern const struct recommend_policy recommend_policy_default;

/* A past decision, for hysteresis. */
struct recommend_past {
	unsigned wave;	/* that ran with it */
	unsigned slots; /* its batch size */
	unsigned slots_before;
	double x_low; /* predicted lower bound at slots, MB/min */
};

/* What is known besides buckets; 0 means unknown or unlimited. */
struct recommend_facts {
	unsigned wave;	       /* the last one that ran */
	unsigned wave_slots;   /* its batch size */
	unsigned admitted;     /* clients in it */
	unsigned done, failed; /* of them */
	unsigned rollout_clients, rollout_failed;
	unsigned clients_left; /* not done yet, running ones included */
	double mb_left;	       /* of payload, all of them */
	double mb_left_max;    /* the largest one */
	double mb_left_q90;    /* 90 % quantile of one */
	double slo_ms;	       /* absolute; 0: from the idle baseline only */
	double idle_p95_ms;    /* 0: from the buckets with n = 0 */
	double window_s;       /* for one user's sync */
	unsigned connections_limit, connections_used, connections_per_client;
	bool exporter;	      /* server load is scraped */
	bool canary;	      /* an online user is probed */
	bool disk_rotational; /* one spinning disk: %util means something */
	const struct recommend_past *past; /* oldest first; borrowed */
	size_t past_count;
};

struct limit {
	uint32_t n;	/* LIMIT_NONE: does not limit */
	double value;	/* the figure behind it, see text */
	double ceiling; /* what it is held against */
};

#define RECOMMEND_LEVELS       64
#define RECOMMEND_REASONS      24
#define RECOMMEND_REASON_BYTES 320

struct recommendation {
	enum verdict verdict;
	unsigned batch_size;
	enum limit_id binding;
	enum limit_id next_limit; /* LIMIT_COUNT: nothing else limits */
	struct limit limit[LIMIT_COUNT];
	unsigned n_now;			  /* what `gain` is measured from */
	double gain, gain_low, gain_high; /* X(batch) / X(now) - 1 */
	double x_now, x_batch;		  /* MB/min; NAN without a fit */
	double x_batch_low;		  /* lower bound, for hysteresis */
	double client_now, client_batch;  /* MB/min of one sync */
	double capacity; /* MB/min at which a resource is full; NAN: unknown */
	enum load_metric capacity_of; /* which */
	double eta_seconds;	      /* NAN: sizes unknown */
	double slo_ms;		      /* in force; NAN: none */
	double idle_p95_ms;
	const char *bottleneck; /* "disk", "cpu", "network", "outside", … */
	unsigned n_obs, n_cap, known; /* beyond known is new ground */
	bool explore;	/* new ground: one batch of typical mailboxes first */
	bool drift;	/* older waves count half per wave */
	struct fit fit; /* points = 0: none */
	struct fit_quad canary;		  /* p95 over n; points = 0: none */
	double sd_ln;			  /* bootstrap sd of ln X(n_obs) */
	unsigned choice_low, choice_high; /* 5-95 % range of the batch */
	size_t buckets, usable;		  /* with syncs; of them in the fit */
	struct level level[RECOMMEND_LEVELS]; /* the largest n, ascending */
	unsigned level_count;
	char reasons[RECOMMEND_REASONS][RECOMMEND_REASON_BYTES];
	unsigned reason_count;
};

/* Never fails: too little or damaged data is an INCONCLUSIVE verdict. */
void recommend(struct recommendation *out, const struct bucket *buckets,
	size_t count, const struct recommend_facts *facts,
	const struct recommend_policy *policy);

/* min(absolute, max(2 x idle p95, idle p95 + 50 ms)); NAN: neither known.*/
double recommend_slo_ms(double absolute_ms, double idle_p95_ms);

const char *verdict_name(enum verdict verdict); /* "PASS" */
const char *limit_name(enum limit_id id);	/* "throughput knee" */
const char *limit_key(enum limit_id id);	/* "knee", for JSON */

#endif
