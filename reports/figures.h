/*
 * figures.h - the figures of a report, each a function of the findings.
 *
 * Each appends one <svg> element and returns 1, or 0 when the archive holds
 * nothing to draw, or -1 with ERR filled. One thread at a time.
 */
#ifndef SLUICE_FIGURES_H
#define SLUICE_FIGURES_H

struct buf;
struct err;
struct findings;

/* Summed MB/min against the number of syncs at once. */
int figure_rate(const struct findings *, struct buf *svg, struct err *);

/* MB/min of every client, sorted. */
int figure_speeds(const struct findings *, struct buf *svg, struct err *);

/* The server over time, with the waves as bands. */
int figure_load(const struct findings *, struct buf *svg, struct err *);

/* What each client did when, with n(t) above. */
int figure_clients(const struct findings *, struct buf *svg, struct err *);

/* What a waiting user felt, over time and against n. */
int figure_canary(const struct findings *, struct buf *svg, struct err *);
int figure_canary_levels(
	const struct findings *, struct buf *svg, struct err *);

/* MB and clients still to go. */
int figure_burndown(const struct findings *, struct buf *svg, struct err *);

/* The colour that stands for an activity, as "#rrggbb". */
struct finding_client;
const char *figure_activity_colour(int activity);

#endif
