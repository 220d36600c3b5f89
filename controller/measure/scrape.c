/*
 * scrape.c - the thread that asks the exporter.
 *
 * Between the exporter and the controller's loop: the thread waits in the
 * network, the loop takes finished points under a lock that is never held
 * for longer than a copy. An exporter that dies is asked again every
 * second; the time without it is a hole in the data, never a zero.
 */
#include "scrape.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "err.h"
#include "exporter.h"
#include "exposition.h"
#include "http.h"
#include "wire.h"

#define POINTS	     600 /* kept when nobody takes them */
#define ANSWER_BYTES (16U << 20)
#define TIMEOUT_US   (5 * US_PER_S)

struct scrape {
	char *url, *ca_file, *device, *link;
	struct exporter_choice choice;
	int64_t interval_us;
	int64_t (*clock)(void);
	pthread_t thread;
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t wake;
	bool stopping;
	struct scrape_point point[POINTS];
	size_t first, count;
	struct scrape_status status;
	/* The thread's own: */
	struct wire *wire; /* stops a request under way */
	struct http *http;
	struct exposition *parser;
	struct exporter_snapshot *oldest, *before, *after;
	bool have_before;
};

static int feed(void *context, const char *data, size_t bytes, struct err *err)
{
	(void)err;
	exposition_feed(context, data, bytes);
	return 0;
}

static int check_recognised(const struct scrape *s, struct err *err)
{
	const struct exporter_snapshot *now = s->after;

	if (now->recognised == 0)
		return err_set(err, ERR_PROTOCOL,
			"%s: %llu samples (%llu damaged lines), none with a "
			"name of node_exporter, such as "
			"node_cpu_seconds_total; point `exporter` at a "
			"node_exporter",
			s->url, (unsigned long long)s->parser->samples,
			(unsigned long long)s->parser->damaged);
	return 0;
}

/* One answer into s->after, stamped with the middle of the exchange. */
static int ask(struct scrape *s, struct err *err)
{
	struct http_request request = {
		.url = s->url,
		.follow = true,
		.total_us = TIMEOUT_US,
		.max_bytes = ANSWER_BYTES,
		.sink = feed,
		.context = s->parser,
	};
	struct http_response response;

	exporter_clear(s->after);
	exposition_init(s->parser, exporter_sample, s->after);
	int64_t asked_us = s->clock();
	int rc = http_perform(s->http, &request, &response, err);
	if (rc == 0)
		rc = http_check(&request, &response, err);
	http_response_free(&response);
	if (rc < 0)
		return -1;
	exposition_end(s->parser);
	s->after->at_us = asked_us + (s->clock() - asked_us) / 2;
	return check_recognised(s, err);
}

/* What a limit needs and this exporter does not have. */
static void name_missing(const float *load, char *text, size_t size)
{
	static const enum load_metric needed[] = {
		LOAD_CPU, LOAD_DISK_UTIL, LOAD_MEM_AVAILABLE};
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++) {
		if (isfinite(load[needed[i]]))
			continue;
		int length = snprintf(text + used, size - used, "%s%s",
			used ? ", " : "the exporter does not tell: ",
			load_metric_table[needed[i]].label);
		if (length < 0 || (size_t)length >= size - used)
			return;
		used += (size_t)length;
	}
}

static void keep_point(struct scrape *s, const struct scrape_point *point)
{
	if (s->count == POINTS) {
		s->first = (s->first + 1) % POINTS;
		s->count--;
	}
	s->point[(s->first + s->count++) % POINTS] = *point;
}

/* A good answer: a point, when there is one before it to compare with. */
static void succeed(struct scrape *s)
{
	struct scrape_point point = {.at_us = s->after->at_us};
	const struct exporter_snapshot *oldest = s->have_before ? s->oldest
								: s->after;
	int disk = exporter_device(oldest, s->after, &s->choice);
	const char *device = disk >= 0 ? s->after->disk[disk].name : "";
	bool usable = false;

	if (s->have_before) {
		point.span_us = s->after->at_us - s->before->at_us;
		usable = exporter_load(
			s->before, s->after, device, &s->choice, point.load);
	}
	pthread_mutex_lock(&s->lock);
	s->status.up = true;
	s->status.good++;
	s->status.last_good_us = s->after->at_us;
	s->status.rotational = disk >= 0 && s->after->disk[disk].rotational > 0;
	snprintf(s->status.device, sizeof(s->status.device), "%.31s", device);
	if (usable) {
		keep_point(s, &point);
		name_missing(
			point.load, s->status.text, sizeof(s->status.text));
	}
	pthread_mutex_unlock(&s->lock);
	if (!s->have_before || !usable)
		*s->oldest = *s->after;
	struct exporter_snapshot *swap = s->before;
	s->before = s->after;
	s->after = swap;
	s->have_before = true;
}

static void fail(struct scrape *s, const struct err *err)
{
	pthread_mutex_lock(&s->lock);
	s->status.up = false;
	s->status.failed++;
	snprintf(s->status.text, sizeof(s->status.text), "%.500s", err->text);
	pthread_mutex_unlock(&s->lock);
}

/* Sleeps to the next tick of a schedule that does not drift; ticks that
 * passed meanwhile are skipped. False: time to end. */
static bool wait_tick(struct scrape *s, int64_t *due_us)
{
	int64_t now_us = clock_monotonic_us();

	*due_us += s->interval_us;
	if (*due_us < now_us)
		*due_us = now_us + s->interval_us -
			(now_us - *due_us) % s->interval_us;
	struct timespec until = {
		.tv_sec = *due_us / US_PER_S,
		.tv_nsec = (*due_us % US_PER_S) * 1000,
	};
	pthread_mutex_lock(&s->lock);
	while (!s->stopping && clock_monotonic_us() < *due_us)
		pthread_cond_timedwait(&s->wake, &s->lock, &until);
	bool stopping = s->stopping;
	pthread_mutex_unlock(&s->lock);
	return !stopping;
}

static void *scraper(void *context)
{
	struct scrape *s = context;
	int64_t due_us = clock_monotonic_us();

	do {
		struct err err = ERR_INIT;
		if (ask(s, &err) == 0)
			succeed(s);
		else
			fail(s, &err);
	} while (wait_tick(s, &due_us));
	return NULL;
}

static void release(struct scrape *s)
{
	http_free(s->http);
	wire_free(s->wire);
	free(s->parser);
	free(s->oldest);
	free(s->before);
	free(s->after);
	free(s->url);
	free(s->ca_file);
	free(s->device);
	free(s->link);
	free(s);
}

static void init_sync(struct scrape *s)
{
	pthread_condattr_t monotonic;

	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&s->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

int scrape_start(struct scrape **scrape, const struct scrape_options *options,
	int64_t (*clock)(void), struct err *err)
{
	if (!options->url ||
		(strncmp(options->url, "http://", 7) != 0 &&
			strncmp(options->url, "https://", 8) != 0))
		return err_set(err, ERR_CONFIG,
			"exporter \"%s\": not an http:// or https:// URL",
			options->url ? options->url : "");
	struct scrape *s = xcalloc(1, sizeof(*s));
	s->url = xstrdup(options->url);
	s->ca_file = xstrdup(options->ca_file);
	s->device = xstrdup(options->device);
	s->link = xstrdup(options->link);
	s->choice = (struct exporter_choice){
		s->device, s->link, options->link_mb_s};
	s->interval_us = options->interval_us > 0 ? options->interval_us
						  : US_PER_S;
	s->clock = clock;
	struct http_options http = {
		.ca_file = s->ca_file, .connect_us = TIMEOUT_US};
	s->wire = wire_new();
	s->http = http_new(&http, s->wire);
	s->parser = xcalloc(1, sizeof(*s->parser));
	s->oldest = xcalloc(1, sizeof(*s->oldest));
	s->before = xcalloc(1, sizeof(*s->before));
	s->after = xcalloc(1, sizeof(*s->after));
	init_sync(s);
	int rc = pthread_create(&s->thread, NULL, scraper, s);
	if (rc != 0) {
		release(s);
		return err_set(err, ERR_LIMIT,
			"cannot start a thread for the exporter: %s",
			strerror(rc));
	}
	*scrape = s;
	return 0;
}

void scrape_stop(struct scrape **scrape)
{
	struct scrape *s = *scrape;

	*scrape = NULL;
	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
	wire_cancel(s->wire);
	pthread_join(s->thread, NULL);
	pthread_cond_destroy(&s->wake);
	pthread_mutex_destroy(&s->lock);
	release(s);
}

size_t scrape_take(struct scrape *s, struct scrape_point *out, size_t max)
{
	size_t taken = 0;

	pthread_mutex_lock(&s->lock);
	while (taken < max && s->count) {
		out[taken++] = s->point[s->first];
		s->first = (s->first + 1) % POINTS;
		s->count--;
	}
	pthread_mutex_unlock(&s->lock);
	return taken;
}

void scrape_status(struct scrape *s, struct scrape_status *out)
{
	pthread_mutex_lock(&s->lock);
	*out = s->status;
	pthread_mutex_unlock(&s->lock);
}
