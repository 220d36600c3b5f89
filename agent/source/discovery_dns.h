/*
 * discovery_dns.h - what the DNS says about a domain's DAV services.
 *
 * RFC 6764 section 3 and 4: SRV names host and port, TXT may name the path.
 * Reading an answer is pure; asking uses the system's resolver with a state
 * of its own, so any thread may ask, and aside, so that it can be cancelled.
 */
#ifndef SLUICE_DISCOVERY_DNS_H
#define SLUICE_DISCOVERY_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <netinet/in.h>

struct wire;

#define DNS_SERVICES_MAX 8
#define DNS_NAME_BYTES	 256

struct dns_service {
	unsigned priority, weight;
	uint16_t port;
	char host[DNS_NAME_BYTES];
};

/* The SRV records of ANSWER, best first: lowest priority, then highest
 * weight. The root as host says that there is no such service and ends up
 * as 0 records. Returns how many. */
size_t dns_read_services(const unsigned char *answer, size_t length,
	struct dns_service services[DNS_SERVICES_MAX]);

/* The value of "path=" in the TXT records of ANSWER; false without one. */
bool dns_read_path(
	const unsigned char *answer, size_t length, char path[DNS_NAME_BYTES]);

/* Ask for SERVICE ("caldavs", "carddavs") of DOMAIN; PATH becomes "" when
 * nothing names one. NAMESERVER NULL: the system's. Returns how many, 0 also
 * when nobody answers or WIRE is cancelled. */
size_t dns_find_services(const char *domain, const char *service,
	const struct sockaddr_in *nameserver, struct wire *wire,
	struct dns_service services[DNS_SERVICES_MAX],
	char path[DNS_NAME_BYTES]);

#endif
