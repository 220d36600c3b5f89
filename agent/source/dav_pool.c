/*
 * The connections of a DAV session, see dav_pool.h. Owned by the source; the
 * helper threads of dav_ahead.c and dav_collections.c take from it.
 */
#include "dav_pool.h"

#include <pthread.h>
#include <stdlib.h>

#include "alloc.h"
#include "clock.h"
#include "err.h"

/* Who does not let us in by then is done without. */
#define CONNECT_US (5 * US_PER_S)

enum line_state {
	LINE_CLOSED,
	LINE_OPENING, /* its thread runs */
	LINE_IDLE,
	LINE_TAKEN,
};

struct line {
	struct dav_pool *pool;
	struct dav_client client; /* http NULL while closed */
	enum line_state state;
	pthread_t thread;
	bool started; /* the thread is to be joined */
};

struct dav_pool {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct line lines[DAV_POOL_MAX];
	char *url;
	const struct dav_quirks *quirks; /* NULL: not known yet */
	bool proved;
	unsigned queued, served; /* numbers of those who want a connection */
};

struct dav_pool *dav_pool_new(const struct account *account,
	const char *password, const struct source_options *options,
	struct wire *wire, struct err *err)
{
	struct dav_pool *pool = xcalloc(1, sizeof(*pool));
	unsigned i;

	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->changed, NULL);
	for (i = 0; i < DAV_POOL_MAX; i++)
		pool->lines[i].pool = pool;
	if (dav_client_init(&pool->lines[0].client, account, password, options,
		    wire, err) < 0) {
		dav_pool_free(pool);
		return NULL;
	}
	pool->lines[0].state = LINE_TAKEN;
	return pool;
}

void dav_pool_free(struct dav_pool *pool)
{
	unsigned i;

	if (!pool)
		return;
	for (i = 0; i < DAV_POOL_MAX; i++) {
		if (pool->lines[i].started)
			pthread_join(pool->lines[i].thread, NULL);
		dav_client_release(&pool->lines[i].client);
	}
	pthread_cond_destroy(&pool->changed);
	pthread_mutex_destroy(&pool->lock);
	free(pool->url);
	free(pool);
}

struct dav_client *dav_pool_own(struct dav_pool *pool)
{
	return &pool->lines[0].client;
}

static void set_line(struct line *line, enum line_state state)
{
	pthread_mutex_lock(&line->pool->lock);
	line->state = state;
	pthread_cond_broadcast(&line->pool->changed);
	pthread_mutex_unlock(&line->pool->lock);
}

void dav_pool_lend(struct dav_pool *pool)
{
	set_line(&pool->lines[0], LINE_IDLE);
}

void dav_pool_take_back(struct dav_pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	while (pool->lines[0].state != LINE_IDLE)
		pthread_cond_wait(&pool->changed, &pool->lock);
	pool->lines[0].state = LINE_TAKEN;
	pthread_mutex_unlock(&pool->lock);
}

static void *open_line(void *argument)
{
	struct line *line = argument;
	struct dav_pool *pool = line->pool;
	struct dav_request request = {.method = "OPTIONS", .url = pool->url};
	struct dav_answer answer;
	bool usable = dav_perform(&line->client, &request, &answer, NULL) == 0;

	pthread_mutex_lock(&pool->lock);
	pool->proved |= usable && answer.status / 100 == 2 && answer.dav;
	if (usable)
		pool->quirks = line->client.quirks;
	pthread_mutex_unlock(&pool->lock);
	dav_answer_clear(&answer);
	set_line(line, usable ? LINE_IDLE : LINE_CLOSED);
	return NULL;
}

void dav_pool_open(struct dav_pool *pool, const char *url, unsigned count)
{
	unsigned i;

	if (pool->url)
		return;
	pool->url = xstrdup(url);
	for (i = 1; i < count && i < DAV_POOL_MAX; i++) {
		struct line *line = &pool->lines[i];

		dav_client_copy(
			&line->client, &pool->lines[0].client, CONNECT_US);
		set_line(line, LINE_OPENING);
		line->started = pthread_create(&line->thread, NULL, open_line,
					line) == 0;
		if (!line->started)
			set_line(line, LINE_CLOSED);
	}
}

unsigned dav_pool_size(struct dav_pool *pool)
{
	unsigned count = 0;
	unsigned i;

	pthread_mutex_lock(&pool->lock);
	for (i = 0; i < DAV_POOL_MAX; i++)
		count += pool->lines[i].state != LINE_CLOSED;
	pthread_mutex_unlock(&pool->lock);
	return count;
}

const struct dav_quirks *dav_pool_quirks(struct dav_pool *pool)
{
	const struct dav_quirks *quirks;

	pthread_mutex_lock(&pool->lock);
	quirks = pool->quirks;
	pthread_mutex_unlock(&pool->lock);
	return quirks;
}

bool dav_pool_proved(struct dav_pool *pool)
{
	bool proved;

	pthread_mutex_lock(&pool->lock);
	proved = pool->proved;
	pthread_mutex_unlock(&pool->lock);
	return proved;
}

unsigned dav_pool_queue(struct dav_pool *pool)
{
	unsigned number;

	pthread_mutex_lock(&pool->lock);
	number = pool->queued++;
	pthread_mutex_unlock(&pool->lock);
	return number;
}

static struct line *idle_line(struct dav_pool *pool)
{
	unsigned i;

	for (i = 0; i < DAV_POOL_MAX; i++)
		if (pool->lines[i].state == LINE_IDLE)
			return &pool->lines[i];
	return NULL;
}

struct dav_client *dav_pool_take(struct dav_pool *pool, unsigned number)
{
	struct line *line = NULL;

	pthread_mutex_lock(&pool->lock);
	while (pool->served != number || !(line = idle_line(pool)))
		pthread_cond_wait(&pool->changed, &pool->lock);
	line->state = LINE_TAKEN;
	pool->served++;
	pthread_cond_broadcast(&pool->changed);
	pthread_mutex_unlock(&pool->lock);
	return &line->client;
}

void dav_pool_give(struct dav_pool *pool, struct dav_client *client)
{
	unsigned i;

	for (i = 0; i < DAV_POOL_MAX; i++)
		if (client == &pool->lines[i].client)
			set_line(&pool->lines[i], LINE_IDLE);
}

uint64_t dav_pool_round_trips(const struct dav_pool *pool)
{
	uint64_t sum = 0;
	unsigned i;

	for (i = 0; i < DAV_POOL_MAX; i++)
		sum += pool->lines[i].client.round_trips;
	return sum;
}
