/*
 * scrape.h - server load from a Prometheus exporter, once a second.
 *
 * Own thread: it waits in the network, so that the controller's loop does
 * not; scrape_take() and scrape_status() may be called from the loop at any
 * time and never wait. Rates come from counter differences and the times
 * of our own clock; a counter that falls (exporter restarted) skips one
 * interval. Names are node_exporter's.
 */
#ifndef SLUICE_SCRAPE_H
#define SLUICE_SCRAPE_H

#include "bucket.h"

struct err;
struct scrape; /* opaque */

struct scrape_options {
	const char *url;     /* "http://mail:9100/metrics" */
	const char *ca_file; /* NULL: the system's */
	const char *device;  /* of the mail store: "sda"; NULL: busiest */
	const char *link;    /* network interface; NULL: all */
	double link_mb_s;    /* its speed; 0: as the exporter says */
	int64_t interval_us; /* 1 s when 0 */
};

struct scrape_point {
	int64_t at_us;	 /* end of the interval, caller's clock (below) */
	int64_t span_us; /* its length */
	float load[LOAD_COUNT];
};

struct scrape_status {
	bool up;	      /* the last try succeeded */
	int64_t last_good_us; /* 0: never */
	uint64_t good, failed;
	bool rotational; /* the device spins, as far as is known */
	char device[32]; /* chosen; "" until known */
	char text[512];	 /* why not up, or what is missing; "" */
};

/* CLOCK gives the times of points; it is called on the scraper's thread.
 * Strings are copied. Only a malformed URL fails. */
int scrape_start(struct scrape **scrape, const struct scrape_options *options,
	int64_t (*clock)(void), struct err *err);

/* Ends the thread, a request under way too, and nulls the pointer. */
void scrape_stop(struct scrape **scrape);

/* Moves up to MAX points, oldest first; the oldest are dropped when nobody
 * takes them for 10 minutes. */
size_t scrape_take(struct scrape *scrape, struct scrape_point *out, size_t max);

void scrape_status(struct scrape *scrape, struct scrape_status *out);

#endif
