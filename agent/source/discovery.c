/*
 * Finds the homes of an account's calendars and address books; see
 * discovery.h. First step of every DAV session, on the source's thread.
 *
 * What an address answers is either a hint (principal, homes), nothing (404
 * and its like, or no WebDAV at all: try the next address) or the end (login
 * refused, no connection, bad certificate).
 */
#include "discovery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account.h"
#include "alloc.h"
#include "dav_body.h"
#include "dav_client.h"
#include "dav_href.h"
#include "discovery_dns.h"
#include "err.h"

/* What one run knows so far. */
struct search {
	struct discovery *found;
	struct dav_client *client;
	const struct discovery_options *options;
	bool calendars, contacts; /* a home of this kind is known */
	bool reached;		  /* told already */
	bool ill;		  /* a server, or a part of it */
	struct err trouble;	  /* of a server that is ill, not without DAV */
};

/* What one address says about itself. */
struct hints {
	struct search *search;
	char *base; /* URL that answered; set after the request */
	char *principal;
	char *homes[2 * DAV_HOMES_MAX];
	size_t home_count;
	bool calendars, contacts;
	bool is_collection; /* holds items or other collections */
};

static const struct {
	const char *service, *plain_service, *well_known;
} kinds[] = {
	{"caldavs", "caldav", "/.well-known/caldav"},
	{"carddavs", "carddav", "/.well-known/carddav"},
};

static int keep_hints(
	void *context, const struct dav_response *response, struct err *err)
{
	struct hints *hints = context;
	const struct dav_props *props = &response->props;
	int i;

	(void)err;
	if (props->principal && !hints->principal)
		hints->principal = xstrdup(props->principal);
	for (i = 0; i < DAV_HOMES_MAX && hints->home_count < DAV_HOMES_MAX;
		i++) {
		char *const homes[] = {
			props->calendar_homes[i], props->addressbook_homes[i]};

		if (homes[0]) {
			hints->homes[hints->home_count++] = xstrdup(homes[0]);
			hints->calendars = true;
		}
		if (homes[1]) {
			hints->homes[hints->home_count++] = xstrdup(homes[1]);
			hints->contacts = true;
		}
	}
	if (props->types)
		hints->is_collection = true;
	hints->search->ill |= response->ill;
	return 0;
}

static void hints_clear(struct hints *hints)
{
	free(hints->base);
	free(hints->principal);
	while (hints->home_count)
		free(hints->homes[--hints->home_count]);
}

/* The failures that speak of this address only. */
static bool is_soft(const struct err *err)
{
	return err->kind == ERR_PROTOCOL || err->kind == ERR_REFUSED ||
		err->kind == ERR_LIMIT;
}

/* 1: it answered, 0: nothing here, -1. */
static int ask(struct search *search, const char *url, struct hints *hints,
	struct err *err)
{
	struct dav_request request = {
		.method = "PROPFIND",
		.url = url,
		.depth = "0",
		.body = dav_body_principal,
		.body_bytes = strlen(dav_body_principal),
		.max_bytes = 4 << 20,
		.handler = {keep_hints, NULL, hints},
	};
	struct dav_answer answer;
	struct err failure = ERR_INIT;
	int result = 1;

	*hints = (struct hints){.search = search};
	if (dav_perform(search->client, &request, &answer, &failure) < 0) {
		result = 0;
		if (!is_soft(&failure)) {
			if (err)
				*err = failure;
			result = -1;
		}
	} else if (answer.status != 207) {
		if (answer.status >= 500) {
			dav_answer_check(&request, &answer, &search->trouble);
			search->ill = true;
		}
		result = 0;
	} else {
		hints->base = xstrdup(answer.url);
	}
	dav_answer_clear(&answer);
	return result;
}

static bool has_home(const struct discovery *found, const char *url)
{
	char *wanted = dav_href_normal(url);
	bool has = false;
	size_t i;

	for (i = 0; i < found->count && !has; i++) {
		char *known = dav_href_normal(found->homes[i]);

		has = strcmp(known, wanted) == 0 &&
			dav_href_same_host(found->homes[i], url);
		free(known);
	}
	free(wanted);
	return has;
}

static void add_home(struct discovery *found, const char *url)
{
	if (found->count < DISCOVERY_HOMES_MAX && !has_home(found, url))
		found->homes[found->count++] = xstrdup(url);
}

static void tell_reached(struct search *search, const char *url)
{
	const struct discovery_options *options = search->options;

	if (search->reached || !options || !options->reached)
		return;
	search->reached = true;
	options->reached(options->context, url);
}

static int take_homes(
	struct search *search, const struct hints *hints, struct err *err)
{
	size_t i;

	for (i = 0; i < hints->home_count; i++) {
		char *url = dav_href_target(
			hints->base, hints->homes[i], "home", err);

		if (!url)
			return -1;
		tell_reached(search, url);
		add_home(search->found, url);
		free(url);
	}
	search->calendars |= hints->calendars;
	search->contacts |= hints->contacts;
	return 0;
}

/* The homes that the principal of HINTS names. */
static int ask_principal(
	struct search *search, const struct hints *hints, struct err *err)
{
	struct hints more;
	char *url = dav_href_target(
		hints->base, hints->principal, "principal", err);
	int result;

	if (!url)
		return -1;
	tell_reached(search, url);
	result = ask(search, url, &more, err);
	if (result > 0) {
		free(search->found->principal);
		search->found->principal = xstrdup(more.base);
		result = take_homes(search, &more, err) < 0 ? -1 : 1;
	}
	hints_clear(&more);
	free(url);
	return result;
}

/* Everything that starts at URL. *IS_COLLECTION: it is one itself. */
static int explore(struct search *search, const char *url, char **collection,
	struct err *err)
{
	struct hints hints;
	int result = ask(search, url, &hints, err);

	if (result > 0) {
		if (take_homes(search, &hints, err) < 0)
			result = -1;
		else if (hints.principal && !hints.home_count)
			result = ask_principal(search, &hints, err);
		if (collection && hints.is_collection)
			*collection = xstrdup(hints.base);
	}
	hints_clear(&hints);
	return result < 0 ? -1 : 0;
}

/* The well-known address of each kind that has no home yet. */
static int explore_well_known(
	struct search *search, const char *origin, struct err *err)
{
	size_t i;

	for (i = 0; i < 2; i++) {
		char *url;
		int result;

		if (i == 0 ? search->calendars : search->contacts)
			continue;
		url = dav_href_resolve(origin, kinds[i].well_known, err);
		if (!url)
			return -1;
		result = explore(search, url, NULL, err);
		free(url);
		if (result < 0)
			return -1;
	}
	return 0;
}

static int explore_url(struct search *search, const char *url, struct err *err)
{
	char *collection = NULL;
	int result = explore(search, url, &collection, err);

	if (result == 0)
		result = explore_well_known(search, url, err);
	/* A server without principals: the address is the place itself. */
	if (result == 0 && search->found->count == 0 && collection)
		add_home(search->found, collection);
	free(collection);
	if (result == 0 && search->found->count == 0 &&
		search->trouble.kind != ERR_NONE) {
		if (err)
			*err = search->trouble;
		return -1;
	}
	if (result == 0 && search->found->count == 0)
		return err_set(err, ERR_REFUSED,
			"%s: no calendars or address books here; set dav.url "
			"to the address that the server's manual gives for "
			"CalDAV and CardDAV",
			url);
	return result;
}

static const char *domain_of(const struct account *account)
{
	const char *at = strrchr(account->user, '@');

	return at ? at + 1 : account->imap.host;
}

/* One host that a SRV record names. */
static int explore_service(struct search *search, const char *scheme,
	const struct dns_service *service, const char *path, size_t kind,
	struct err *err)
{
	char *url = xasprintf("%s://%s:%u%s", scheme, service->host,
		service->port, *path ? path : kinds[kind].well_known);
	int result = explore(search, url, NULL, err);

	free(url);
	return result;
}

/* 1: found a home of KIND by DNS, 0: no. */
static int explore_dns(struct search *search, const char *domain, size_t kind,
	bool plain, struct err *err)
{
	struct dns_service services[DNS_SERVICES_MAX];
	char path[DNS_NAME_BYTES];
	const bool *done = kind == 0 ? &search->calendars : &search->contacts;
	size_t count = dns_find_services(domain,
		plain ? kinds[kind].plain_service : kinds[kind].service,
		search->options ? search->options->nameserver : NULL,
		search->client->wire, services, path);
	struct err last = ERR_INIT;
	size_t i;

	for (i = 0; i < count && !*done; i++) {
		if (explore_service(search, plain ? "http" : "https",
			    &services[i], path, kind, &last) == 0)
			continue;
		/* The next host of the list may live. */
		if (last.kind != ERR_NETWORK && last.kind != ERR_TIMEOUT)
			break;
	}
	if (!*done && last.kind != ERR_NONE) {
		if (err)
			*err = last;
		return -1;
	}
	return *done;
}

static int explore_domain(
	struct search *search, const struct account *account, struct err *err)
{
	const char *domain = domain_of(account);
	struct err ignored = ERR_INIT;
	char *origin;
	size_t kind;

	if (!domain)
		return err_set(err, ERR_CONFIG,
			"dav.url is not set and the user %s names no domain; "
			"set dav.url",
			account->user);
	for (kind = 0; kind < 2; kind++) {
		int found = explore_dns(search, domain, kind, false, err);

		if (found == 0 && search->options &&
			search->options->allow_plain)
			found = explore_dns(search, domain, kind, true, err);
		if (found < 0)
			return -1;
	}
	if (search->found->count)
		return 0;
	origin = xasprintf("https://%s/", domain);
	/* Most mail domains have no web server that knows of DAV. */
	if (explore_well_known(search, origin, &ignored) < 0 &&
		ignored.kind == ERR_CANCELLED && err)
		*err = ignored;
	free(origin);
	if (ignored.kind == ERR_CANCELLED)
		return -1;
	if (search->found->count == 0)
		return err_set(err, ERR_REFUSED,
			"%s: no CalDAV or CardDAV service is announced%s%s; "
			"set dav.url",
			domain, ignored.kind ? ": " : "", ignored.text);
	return 0;
}

int discovery_run(struct discovery *discovery, struct dav_client *client,
	const struct account *account, const struct discovery_options *options,
	struct err *err)
{
	struct search search = {
		.found = discovery, .client = client, .options = options};
	int result;

	*discovery = (struct discovery){.principal = NULL};
	result = account->dav_url ? explore_url(&search, account->dav_url, err)
				  : explore_domain(&search, account, err);
	discovery->hidden = search.ill &&
		!(search.calendars && search.contacts);
	return result;
}

void discovery_clear(struct discovery *discovery)
{
	free(discovery->principal);
	while (discovery->count)
		free(discovery->homes[--discovery->count]);
	*discovery = (struct discovery){.principal = NULL};
}
