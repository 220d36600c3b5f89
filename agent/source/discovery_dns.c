/*
 * SRV and TXT records of a domain (RFC 6764), through glibc's resolver
 * library. Called by discovery.c when the profile names no address; the
 * source's thread.
 */
#include "discovery_dns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <arpa/nameser.h>
#include <resolv.h>

#include "alloc.h"
#include "aside.h"
#include "clock.h"

#define ANSWER_BYTES 8192
#define PATIENCE_US  (20 * US_PER_S)

static int better_first(const void *a, const void *b)
{
	const struct dns_service *x = a;
	const struct dns_service *y = b;

	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	if (x->weight != y->weight)
		return x->weight > y->weight ? -1 : 1;
	return strcmp(x->host, y->host);
}

static bool read_service(
	const ns_msg *message, const ns_rr *record, struct dns_service *service)
{
	const unsigned char *data = ns_rr_rdata(*record);

	if (ns_rr_rdlen(*record) < 7)
		return false;
	service->priority = ns_get16(data);
	service->weight = ns_get16(data + 2);
	service->port = (uint16_t)ns_get16(data + 4);
	if (ns_name_uncompress(ns_msg_base(*message), ns_msg_end(*message),
		    data + 6, service->host, sizeof(service->host)) < 0)
		return false;
	return service->port != 0 && service->host[0] &&
		strcmp(service->host, ".") != 0;
}

size_t dns_read_services(const unsigned char *answer, size_t length,
	struct dns_service services[DNS_SERVICES_MAX])
{
	ns_msg message;
	ns_rr record;
	size_t count = 0;
	int i;

	if (length > INT32_MAX || ns_initparse(answer, (int)length, &message))
		return 0;
	for (i = 0; i < ns_msg_count(message, ns_s_an); i++) {
		if (ns_parserr(&message, ns_s_an, i, &record))
			break;
		if (ns_rr_type(record) == ns_t_srv &&
			read_service(&message, &record, &services[count]) &&
			++count == DNS_SERVICES_MAX)
			break;
	}
	qsort(services, count, sizeof(services[0]), better_first);
	return count;
}

bool dns_read_path(
	const unsigned char *answer, size_t length, char path[DNS_NAME_BYTES])
{
	ns_msg message;
	ns_rr record;
	int i;

	if (length > INT32_MAX || ns_initparse(answer, (int)length, &message))
		return false;
	for (i = 0; i < ns_msg_count(message, ns_s_an); i++) {
		const unsigned char *at;
		const unsigned char *end;

		if (ns_parserr(&message, ns_s_an, i, &record))
			break;
		if (ns_rr_type(record) != ns_t_txt)
			continue;
		at = ns_rr_rdata(record);
		end = at + ns_rr_rdlen(record);
		/* Character strings, each behind its length. */
		for (; at < end && at + 1 + *at <= end; at += 1 + *at)
			if (*at > 5 &&
				strncasecmp((const char *)at + 1, "path=", 5) ==
					0) {
				snprintf(path, DNS_NAME_BYTES, "%.*s", *at - 5,
					(const char *)at + 6);
				return path[0] == '/';
			}
	}
	return false;
}

struct question {
	char name[DNS_NAME_BYTES + 32];
	struct sockaddr_in nameserver;
	bool has_nameserver;
	/* What comes of it. */
	struct dns_service services[DNS_SERVICES_MAX];
	size_t count;
	char path[DNS_NAME_BYTES];
};

static void ask(void *context)
{
	struct question *question = context;
	unsigned char *answer = xcalloc(1, ANSWER_BYTES);
	struct __res_state state = {.retrans = 0};
	int length;

	if (res_ninit(&state)) {
		free(answer);
		return;
	}
	if (question->has_nameserver) {
		state.nscount = 1;
		state.nsaddr_list[0] = question->nameserver;
	}
	state.retrans = 2;
	state.retry = 2;
	length = res_nquery(&state, question->name, ns_c_in, ns_t_srv, answer,
		ANSWER_BYTES);
	if (length > 0 && length <= ANSWER_BYTES)
		question->count = dns_read_services(
			answer, (size_t)length, question->services);
	if (question->count) {
		length = res_nquery(&state, question->name, ns_c_in, ns_t_txt,
			answer, ANSWER_BYTES);
		if (length <= 0 || length > ANSWER_BYTES ||
			!dns_read_path(answer, (size_t)length, question->path))
			question->path[0] = '\0';
	}
	res_nclose(&state);
	free(answer);
}

size_t dns_find_services(const char *domain, const char *service,
	const struct sockaddr_in *nameserver, struct wire *wire,
	struct dns_service services[DNS_SERVICES_MAX],
	char path[DNS_NAME_BYTES])
{
	static const struct aside asking = {
		ask, free, "cannot resolve the DAV services"};
	struct question *question = xcalloc(1, sizeof(*question));
	size_t count;

	path[0] = '\0';
	snprintf(question->name, sizeof(question->name), "_%s._tcp.%.200s",
		service, domain);
	question->has_nameserver = nameserver != NULL;
	if (nameserver)
		question->nameserver = *nameserver;
	if (aside_run(&asking, question, wire,
		    clock_monotonic_us() + PATIENCE_US, NULL) < 0)
		return 0;
	count = question->count;
	memcpy(services, question->services, sizeof(question->services));
	memcpy(path, question->path, sizeof(question->path));
	free(question);
	return count;
}
