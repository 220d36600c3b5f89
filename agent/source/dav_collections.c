/*
 * The collections of an account: one PROPFIND per home, all homes at once where
 * there are connections for it. Called by source_list() on the source's
 * thread. A home that cannot be listed fails the call, and a collection of
 * which nothing is told makes it 1: none must look deleted because a server was
 * ill.
 */
#include "dav_source.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "dav_body.h"
#include "dav_href.h"
#include "dav_quirks.h"
#include "err.h"

#define COLLECTIONS_MAX 10000

struct gathering {
	struct dav_source *source;
	const char *home;
	struct collection *all;
	size_t count;
	bool hidden; /* there may be more than are told of */
};

/* A home that is listed beside others. */
struct errand {
	struct gathering g;
	struct dav_source source; /* its own connection and judgements */
	unsigned number;	  /* in the queue for a connection */
	struct err err;
	int result;
	pthread_t thread;
	bool running;
};

static enum collection_kind kind_of(const struct dav_props *props)
{
	unsigned components = props->components;

	if (props->types & DAV_TYPE_ADDRESSBOOK)
		return COLLECTION_CONTACTS;
	if (!props->has_components || components == 0 ||
		(components & DAV_VEVENT))
		return COLLECTION_CALENDAR;
	return components & DAV_VTODO ? COLLECTION_TASKS : COLLECTION_NOTES;
}

static enum collection_space space_of(
	const struct dav_source *source, const struct dav_props *props)
{
	enum collection_space space = SPACE_PERSONAL;
	char *owner;
	char *me;

	if (props->types & DAV_TYPE_SHARED)
		return SPACE_SHARED;
	if (!props->owner || !*props->owner || !source->discovery.principal)
		return SPACE_PERSONAL;
	owner = dav_href_normal(props->owner);
	me = dav_href_normal(source->discovery.principal);
	if (strcmp(owner, me) != 0)
		space = SPACE_OTHER_USERS;
	free(owner);
	free(me);
	return space;
}

/* One level of a path: see collection.h on '/' and '%'. */
static char *escape_level(const char *name)
{
	struct buf path = BUF_INIT(0);
	char *result;

	for (; *name; name++) {
		bool code = *name == '%' && name[1] && name[2] &&
			strspn(name + 1, "0123456789abcdefABCDEF") >= 2;

		if (*name == '/')
			buf_append_text(&path, "%2F");
		else if (code)
			buf_append_text(&path, "%25");
		else if ((unsigned char)*name < 0x20)
			buf_append_text(&path, " ");
		else
			buf_append(&path, name, 1);
	}
	result = xstrdup(buf_text(&path));
	buf_free(&path);
	return result;
}

static char *token_of(
	const struct dav_source *source, const struct dav_props *props)
{
	bool sync = props->can_sync || (props->sync_token && !props->ctag);

	if (sync && !source->quirks->sync_is_unreliable)
		return props->sync_token
			? xasprintf(DAV_TOKEN_SYNC "%s", props->sync_token)
			: NULL;
	return props->ctag ? xasprintf(DAV_TOKEN_CTAG "%s", props->ctag) : NULL;
}

static int gather(
	void *context, const struct dav_response *response, struct err *err)
{
	struct gathering *g = context;
	const struct dav_props *props = &response->props;
	struct collection *collection;
	char *url;
	char *name;

	if (!(props->types & (DAV_TYPE_CALENDAR | DAV_TYPE_ADDRESSBOOK)) ||
		(props->types & DAV_TYPE_SUBSCRIBED)) {
		g->hidden |= response->ill && !props->types;
		return 0;
	}
	if (g->count == COLLECTIONS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d collections",
			COLLECTIONS_MAX);
	url = dav_href_target(g->home, response->href, "collection", err);
	if (!url)
		return -1;
	name = props->display_name && *props->display_name
		? xstrdup(props->display_name)
		: dav_href_name(response->href);
	g->all = xrealloc(g->all, g->count + 1, sizeof(*g->all));
	collection = &g->all[g->count++];
	*collection = (struct collection){
		.kind = kind_of(props),
		.space = space_of(g->source, props),
		.dav = true,
		.selectable = true,
		.path = escape_level(name),
		.wire = url,
		.delimiter = '/',
		.token = token_of(g->source, props),
	};
	free(name);
	return 0;
}

static int gather_home(struct gathering *g, const char *home, struct err *err)
{
	struct dav_request request = {
		.method = "PROPFIND",
		.url = home,
		.depth = "1",
		.body = dav_body_collections,
		.body_bytes = strlen(dav_body_collections),
		.max_bytes = 64 << 20,
		.handler = {gather, NULL, g},
	};
	struct dav_answer answer;
	size_t before = g->count;
	int result;

	g->home = home;
	result = dav_perform(g->source->client, &request, &answer, err);
	if (result == 0)
		result = dav_answer_check(&request, &answer, err);
	if (result == 0 && g->count == before)
		result = dav_prove(g->source, home, &answer, err);
	dav_answer_clear(&answer);
	return result;
}

static int by_url(const void *a, const void *b)
{
	const struct collection *x = a;
	const struct collection *y = b;

	return strcmp(x->wire, y->wire);
}

/* A collection that two homes name is one. */
static void drop_doubles(struct gathering *g)
{
	size_t kept = 0;
	size_t i;

	for (i = 0; i < g->count; i++) {
		if (kept && strcmp(g->all[kept - 1].wire, g->all[i].wire) == 0)
			collection_free(&g->all[i]);
		else
			g->all[kept++] = g->all[i];
	}
	g->count = kept;
}

static bool path_taken(const struct gathering *g, size_t before)
{
	size_t i;

	for (i = 0; i < before; i++)
		if (strcmp(g->all[i].path, g->all[before].path) == 0)
			return true;
	return false;
}

/* Two "Default"s become "Default" and "Default (work)". */
static void make_paths_unique(struct gathering *g)
{
	size_t i;

	for (i = 1; i < g->count; i++) {
		struct collection *c = &g->all[i];
		unsigned number = 1;
		char *name = dav_href_name(c->wire);
		char *last = escape_level(name);
		char *plain = c->path;

		while (path_taken(g, i)) {
			if (c->path != plain)
				free(c->path);
			c->path = number == 1
				? xasprintf("%s (%s)", plain, last)
				: xasprintf("%s (%s %u)", plain, last, number);
			number++;
		}
		if (c->path != plain)
			free(plain);
		free(last);
		free(name);
	}
}

static void *run(void *argument)
{
	struct errand *errand = argument;
	struct dav_pool *pool = errand->source.pool;

	errand->source.client = dav_pool_take(pool, errand->number);
	errand->result = gather_home(&errand->g, errand->g.home, &errand->err);
	dav_pool_give(pool, errand->source.client);
	return NULL;
}

static void start(
	struct errand *errand, struct dav_source *source, const char *home)
{
	errand->source = *source;
	errand->g = (struct gathering){.source = &errand->source, .home = home};
	errand->number = dav_pool_queue(source->pool);
	errand->err = ERR_INIT;
	errand->running = pthread_create(&errand->thread, NULL, run, errand) ==
		0;
	if (!errand->running)
		run(errand);
}

static int finish(struct errand *errand, struct gathering *g, struct err *err)
{
	size_t i;

	if (errand->running)
		pthread_join(errand->thread, NULL);
	g->source->proved |= errand->source.proved;
	g->hidden |= errand->g.hidden;
	g->all = xrealloc(
		g->all, g->count + errand->g.count + 1, sizeof(*g->all));
	for (i = 0; i < errand->g.count; i++)
		g->all[g->count++] = errand->g.all[i];
	free(errand->g.all);
	if (errand->result < 0 && err)
		*err = errand->err;
	return errand->result;
}

/* All homes at once, as far as there are connections. The first failure is
 * the one that counts. */
static int gather_side_by_side(struct gathering *g, struct err *err)
{
	struct dav_source *source = g->source;
	struct errand errands[DISCOVERY_HOMES_MAX];
	size_t count = source->discovery.count;
	int result = 0;
	size_t i;

	dav_pool_lend(source->pool);
	for (i = 0; i < count; i++)
		start(&errands[i], source, source->discovery.homes[i]);
	for (i = 0; i < count; i++)
		if (finish(&errands[i], g, result < 0 ? NULL : err) < 0)
			result = -1;
	dav_pool_take_back(source->pool);
	return result;
}

static int gather_in_turn(struct gathering *g, struct err *err)
{
	const struct discovery *discovery = &g->source->discovery;
	int result = 0;
	size_t i;

	for (i = 0; i < discovery->count && result == 0; i++)
		result = gather_home(g, discovery->homes[i], err);
	return result;
}

int dav_collections(struct dav_source *source,
	int (*each)(void *context, const struct collection *collection,
		struct err *err),
	void *context, struct err *err)
{
	struct gathering g = {
		.source = source, .hidden = source->discovery.hidden};
	int result = dav_pool_size(source->pool) > 1
		? gather_side_by_side(&g, err)
		: gather_in_turn(&g, err);
	size_t i;

	if (g.count)
		qsort(g.all, g.count, sizeof(*g.all), by_url);
	drop_doubles(&g);
	make_paths_unique(&g);
	for (i = 0; i < g.count && result == 0; i++)
		result = each(context, &g.all[i], err);
	for (i = 0; i < g.count; i++)
		collection_free(&g.all[i]);
	free(g.all);
	return result < 0 ? -1 : g.hidden;
}
