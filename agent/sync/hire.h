/*
 * hire.h - how many connections to a mail server are worth it.
 *
 * Each costs the server a process and a login, so one is the rule, near the
 * server always. On a long line more of them pay in two ways, which are told
 * apart because only the first can be reckoned:
 *
 *   round trips   more commands under way at once than one may have: the
 *                 time saved is known before, from round trip and folders
 *   bytes         one connection may not fill the line, because of the
 *                 window its TCP has got; whether that is so shows only by
 *                 trying. One at a time is added while the rate grows, and
 *                 the last one, that did not make it grow, is let go.
 *
 * Pure.
 */
#ifndef SLUICE_HIRE_H
#define SLUICE_HIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "source.h"
#include "work.h"

/* How many, up to MAX, for the round trips of so much work. */
unsigned hire_for_commands(const struct work_size *size,
	const struct source_line *line, unsigned max);

/* What is seen of a step under way, now and then. */
struct hire_look {
	int64_t now_us;
	uint64_t bytes;		/* received since any fixed moment */
	uint64_t bytes_left;	/* still to come */
	uint64_t limit_bytes_s; /* of the client; 0: none */
};

struct hire {
	struct source_line line;
	unsigned count, max;
	bool trying; /* whether the newest one pays */
	bool settled;
	int64_t since_us;
	uint64_t since_bytes;
	double rate_before; /* bytes a second, without the newest */
};

enum hire_advice {
	HIRE_NONE,
	HIRE_MORE,  /* open another; then hire_changed() */
	HIRE_FEWER, /* let the newest go; the same */
};

/* COUNT connections are at work from now on. */
void hire_start(struct hire *hire, const struct source_line *line,
	unsigned count, unsigned max, const struct hire_look *look);
void hire_changed(
	struct hire *hire, unsigned count, const struct hire_look *look);

enum hire_advice hire_consider(struct hire *hire, const struct hire_look *look);

#endif
