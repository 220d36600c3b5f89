/*
 * The DAV side of source.h: opens a session (login, discovery) and works
 * through the engine's windows: near the server one after another, over a
 * long line several side by side (dav_pool.h, dav_ahead.h). What hides the
 * round trips above all is the size of the requests (dav_chunk.h). Runs on the thread that
 * opened the source.
 */
#include "dav_source.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "dav_ahead.h"
#include "dav_body.h"
#include "dav_quirks.h"
#include "err.h"

/* Larger objects than any honest calendar has go into quarantine; the store
 * takes no larger ones either. */
#define ITEM_BYTES_MAX (UINT64_C(16) << 20)

/* From this round trip on more connections are worth what they cost the
 * server; near it, one keeps it busy enough. */
#define LONG_LINE_US (10 * US_PER_MS)

static void take_quirks(
	struct dav_source *source, const struct dav_quirks *quirks)
{
	if (source->quirks == quirks)
		return;
	source->quirks = quirks;
	dav_chunk_init(
		&source->chunk, quirks->multiget_first, quirks->multiget_max);
}

/* What is known of the server by now, also by further connections. Any
 * thread. */
static const struct dav_quirks *quirks_now(
	const struct dav_source *source, bool *identified)
{
	const struct dav_quirks *told = dav_pool_quirks(source->pool);

	*identified = source->identified || told;
	return told && !source->quirks->header ? told : source->quirks;
}

static void learn_quirks(struct dav_source *source)
{
	take_quirks(source, quirks_now(source, &source->identified));
}

static int list(struct source *source,
	int (*each)(void *context, const struct collection *collection,
		struct err *err),
	void *context, struct err *err)
{
	learn_quirks((struct dav_source *)source);
	return dav_collections((struct dav_source *)source, each, context, err);
}

int dav_window(struct dav_source *source, const struct window *window,
	const struct feed *feed, struct err *err)
{
	learn_quirks(source);
	if (window->mode == FETCH_LIST)
		return dav_list_window(source, window, feed, err);
	return window->entire ? dav_query_window(source, window, feed, err)
			      : dav_get_window(source, window, feed, err);
}

/* A server has answered: over a long line it is asked for more connections,
 * which come about while the discovery goes on. */
static void reached(void *context, const char *url)
{
	struct dav_source *dav = context;
	unsigned count = dav->in_flight_max;

	if (!count && dav->client->round_trip_us >= LONG_LINE_US)
		count = DAV_POOL_MAX;
	if (count > 1)
		dav_pool_open(dav->pool, url, count);
}

static int fetch_in_turn(
	struct dav_source *dav, const struct feed *feed, struct err *err)
{
	struct window window = {.collection = NULL};
	int more;

	while ((more = feed->next(feed->context, &window, err)) > 0)
		if (dav_window(dav, &window, feed, err) < 0)
			return -1;
	return more;
}

static int fetch(
	struct source *source, const struct feed *feed, struct err *err)
{
	struct dav_source *dav = (struct dav_source *)source;
	int result = dav_pool_size(dav->pool) > 1
		? dav_ahead_fetch(dav, feed, err)
		: fetch_in_turn(dav, feed, err);

	if (result == 0 && dav->trouble.kind != ERR_NONE) {
		if (err)
			*err = dav->trouble;
		return -1;
	}
	return result;
}

static unsigned features(const struct source *source)
{
	const struct dav_source *dav = (const struct dav_source *)source;
	bool identified;
	const struct dav_quirks *quirks = quirks_now(dav, &identified);
	/* By one connection parts come one after another anyway. */
	bool aside = dav_pool_size(dav->pool) > 1;
	bool entire = !dav->query_refused &&
		(quirks->query_is_cheap || (!identified && !aside));

	return SOURCE_STATE | SOURCE_DELTA | SOURCE_VANISHED |
		(quirks->sync_is_unreliable ? 0 : SOURCE_EXACT) |
		(entire ? SOURCE_ENTIRE : 0) | (aside ? SOURCE_ASIDE : 0);
}

static const char *server(const struct source *source)
{
	const struct dav_source *dav = (const struct dav_source *)source;

	return dav->client->server ? dav->client->server : dav->quirks->name;
}

static uint64_t round_trips(const struct source *source)
{
	return dav_pool_round_trips(((const struct dav_source *)source)->pool);
}

static void close_source(struct source *source)
{
	struct dav_source *dav = (struct dav_source *)source;

	discovery_clear(&dav->discovery);
	dav_pool_free(dav->pool);
	free(dav);
}

static const struct source_driver driver = {
	.list = list,
	.fetch = fetch,
	.features = features,
	.server = server,
	.round_trips = round_trips,
	.close = close_source,
};

int dav_source_open(struct source **source, const struct account *account,
	const char *password, const struct source_options *options,
	struct wire *wire, struct err *err)
{
	struct dav_source *dav = xcalloc(1, sizeof(*dav));
	const struct discovery_options search = {
		.reached = reached, .context = dav};

	dav->base.driver = &driver;
	dav->item_bytes_max = ITEM_BYTES_MAX;
	if (options && options->item_bytes_max &&
		options->item_bytes_max < ITEM_BYTES_MAX)
		dav->item_bytes_max = options->item_bytes_max;
	dav->in_flight_max = options ? options->in_flight_max : 0;
	dav->pool = dav_pool_new(account, password, options, wire, err);
	dav->client = dav->pool ? dav_pool_own(dav->pool) : NULL;
	if (!dav->pool ||
		discovery_run(&dav->discovery, dav->client, account, &search,
			err) < 0) {
		close_source(&dav->base);
		return err_context(err, "dav");
	}
	take_quirks(dav, dav->client->quirks);
	*source = &dav->base;
	return 0;
}

int dav_identify(struct dav_source *source, const char *url, struct err *err)
{
	struct dav_request request = {.method = "OPTIONS", .url = url};
	struct err failure = ERR_INIT;
	struct dav_answer answer;
	int result = 0;

	if (source->identified || source->quirks->header)
		return 0;
	source->identified = true;
	if (dav_perform(source->client, &request, &answer, &failure) < 0 &&
		!dav_is_soft(&failure)) {
		if (err)
			*err = failure;
		result = -1;
	}
	dav_answer_clear(&answer);
	take_quirks(source, source->client->quirks);
	return result;
}

int dav_check_alive(struct dav_source *source, const char *url,
	const struct err *failure, struct err *err)
{
	const struct dav_request request = {
		.method = "PROPFIND",
		.url = url,
		.depth = "0",
		.body = dav_body_state,
		.body_bytes = strlen(dav_body_state),
	};
	struct dav_answer answer;
	int result;

	if (failure->kind != ERR_NETWORK && failure->kind != ERR_TIMEOUT)
		return 0;
	result = dav_perform(source->client, &request, &answer, err);
	if (result == 0 && answer.status >= 500)
		result = dav_answer_check(&request, &answer, err);
	dav_answer_clear(&answer);
	return result;
}

bool dav_is_soft(const struct err *err)
{
	switch (err->kind) {
	case ERR_NETWORK:
	case ERR_TIMEOUT:
	case ERR_PROTOCOL:
	case ERR_REFUSED:
	case ERR_LIMIT:
		return true;
	default:
		return false;
	}
}

int dav_prove(struct dav_source *source, const char *url,
	const struct dav_answer *answer, struct err *err)
{
	struct dav_request request = {.method = "OPTIONS", .url = url};
	struct dav_answer options;
	int result = 0;

	if (answer->dav || dav_pool_proved(source->pool))
		source->proved = true;
	if (source->proved)
		return 0;
	result = dav_perform(source->client, &request, &options, err);
	if (result == 0)
		source->proved = options.status / 100 == 2 && options.dav;
	dav_answer_clear(&options);
	if (result == 0 && !source->proved)
		return err_set(err, ERR_PROTOCOL,
			"%s claims to be empty, but nothing shows that a DAV "
			"server says so; what is stored stays",
			url);
	return result;
}
