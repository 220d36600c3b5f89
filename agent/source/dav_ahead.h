/*
 * dav_ahead.h - windows worked on side by side, told one after another.
 *
 * Over a long line a request spends most of its time waiting. A helper
 * thread with a connection of the pool works through each window; what it
 * would tell the sink is written down, and the source's thread tells it,
 * window by window, in the order of the feed. So the promises of source.h
 * hold: callbacks on one thread, windows that end in order. What is written
 * down and not yet told is bounded: a helper that is too far ahead waits.
 */
#ifndef SLUICE_DAV_AHEAD_H
#define SLUICE_DAV_AHEAD_H

struct dav_source;
struct err;
struct feed;

/* Work through FEED over all connections of the source's pool. */
int dav_ahead_fetch(
	struct dav_source *source, const struct feed *feed, struct err *err);

#endif
