/*
 * canary.h - one waiting user: a mailbox used online on a fixed schedule.
 *
 * Each probe is what a person does who looks at the mail: log in, select
 * INBOX, list the last 20, open one message, read one calendar day over
 * DAV. Starts are scheduled openly: the latency counts from the intended
 * start, so a slow server cannot slow the clock it is measured by
 * (coordinated omission). A probe that is still running when its successor
 * is due does not delay that one, as one user does not delay another: up to
 * eight are under way. The ninth waits, and the wait counts; one that waited
 * for the whole timeout has failed. A refused login is tried again only every
 * 30 s, and alone, so that the account is not locked.
 *
 * Own threads; canary_take() and canary_status() never wait.
 */
#ifndef SLUICE_CANARY_H
#define SLUICE_CANARY_H

#include "bucket.h"
#include "hist.h"

struct account;
struct err;
struct canary; /* opaque */

enum canary_step {
	CANARY_LOGIN, /* connect, TLS, LOGIN */
	CANARY_SELECT,
	CANARY_LIST, /* envelope of the last 20 */
	CANARY_OPEN, /* one message, whole */
	CANARY_DAV,  /* one calendar day */
	CANARY_STEPS
};

struct canary_options {
	const struct account *account; /* copied; not one that is synced */
	int64_t interval_us;	       /* 1 s when 0; not below 0.5 s */
	int64_t timeout_us;	       /* 10 s when 0: then it failed */
};

struct canary_probe {
	int64_t start_us;	       /* intended, caller's clock */
	int64_t latency_us;	       /* of the whole probe; -1: failed */
	int64_t step_us[CANARY_STEPS]; /* -1: not done */
};

struct canary_status {
	bool up;
	bool refused; /* it does not take the login; it does answer */
	uint64_t probes, failed;
	char text[512]; /* why the last one failed; "" */
};

/* CLOCK as in scrape.h. Fails when the account has no IMAP or its password
 * cannot be read. */
int canary_start(struct canary **canary, const struct canary_options *options,
	int64_t (*clock)(void), struct err *err);
void canary_stop(struct canary **canary);

/* Moves up to MAX finished probes, in the order of their ends. */
size_t canary_take(struct canary *canary, struct canary_probe *out, size_t max);

void canary_status(struct canary *canary, struct canary_status *out);

#endif
