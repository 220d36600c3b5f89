/*
 * SRV and TXT answers: reading them, damaged ones too, and asking a name
 * server on loopback for them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "discovery_dns.h"
#include "wire.h"

/* An answer under construction. */
struct packet {
	unsigned char data[2048];
	size_t length;
};

static void put(struct packet *p, const void *data, size_t length)
{
	memcpy(p->data + p->length, data, length);
	p->length += length;
}

static void put16(struct packet *p, unsigned value)
{
	unsigned char bytes[2] = {
		(unsigned char)(value >> 8), (unsigned char)value};

	put(p, bytes, 2);
}

/* "a.example" as labels. */
static void put_name(struct packet *p, const char *name)
{
	while (*name) {
		size_t label = strcspn(name, ".");
		unsigned char length = (unsigned char)label;

		put(p, &length, 1);
		put(p, name, label);
		name += label + (name[label] == '.');
	}
	put(p, "", 1);
}

static void start(struct packet *p, unsigned id, unsigned type, unsigned count)
{
	p->length = 0;
	put16(p, id);
	put16(p, 0x8180);
	put16(p, 1);
	put16(p, count);
	put16(p, 0);
	put16(p, 0);
	put_name(p, "_caldavs._tcp.example.org");
	put16(p, type);
	put16(p, ns_c_in);
}

static void put_record(struct packet *p, unsigned type)
{
	put16(p, 0xc00c); /* the name of the question */
	put16(p, type);
	put16(p, ns_c_in);
	put16(p, 0);
	put16(p, 60);
}

static void put_srv(struct packet *p, unsigned priority, unsigned weight,
	unsigned port, const char *host)
{
	size_t at;

	put_record(p, ns_t_srv);
	at = p->length;
	put16(p, 0);
	put16(p, priority);
	put16(p, weight);
	put16(p, port);
	put_name(p, host);
	p->data[at] = 0;
	p->data[at + 1] = (unsigned char)(p->length - at - 2);
}

static void put_txt(struct packet *p, const char *text)
{
	unsigned char length = (unsigned char)strlen(text);

	put_record(p, ns_t_txt);
	put16(p, length + 1U);
	put(p, &length, 1);
	put(p, text, length);
}

static void best_first(void **state)
{
	struct dns_service services[DNS_SERVICES_MAX];
	struct packet p;

	(void)state;
	start(&p, 1, ns_t_srv, 4);
	put_srv(&p, 20, 0, 443, "last.example");
	put_srv(&p, 10, 1, 8443, "second.example");
	put_srv(&p, 10, 9, 443, "first.example");
	put_srv(&p, 5, 0, 0, "");
	assert_int_equal(dns_read_services(p.data, p.length, services), 3);
	assert_string_equal(services[0].host, "first.example");
	assert_string_equal(services[1].host, "second.example");
	assert_int_equal(services[1].port, 8443);
	assert_string_equal(services[2].host, "last.example");
}

static void more_than_fit(void **state)
{
	struct dns_service services[DNS_SERVICES_MAX];
	struct packet p;
	int i;

	(void)state;
	start(&p, 1, ns_t_srv, 12);
	for (i = 0; i < 12; i++)
		put_srv(&p, 1, 1, 443, "h.example");
	assert_int_equal(dns_read_services(p.data, p.length, services),
		DNS_SERVICES_MAX);
}

static void paths(void **state)
{
	char path[DNS_NAME_BYTES];
	struct packet p;

	(void)state;
	start(&p, 1, ns_t_txt, 2);
	put_txt(&p, "v=1");
	put_txt(&p, "path=/dav/principals/");
	assert_true(dns_read_path(p.data, p.length, path));
	assert_string_equal(path, "/dav/principals/");
	start(&p, 1, ns_t_txt, 1);
	put_txt(&p, "path=http://elsewhere/");
	assert_false(dns_read_path(p.data, p.length, path));
}

static void damaged_answers_are_survived(void **state)
{
	struct dns_service services[DNS_SERVICES_MAX];
	char path[DNS_NAME_BYTES];
	struct packet p;
	size_t cut, i;

	(void)state;
	start(&p, 1, ns_t_srv, 2);
	put_srv(&p, 1, 1, 443, "h.example");
	put_txt(&p, "path=/x");
	for (cut = 0; cut < p.length; cut++) {
		assert_true(dns_read_services(p.data, cut, services) <= 1);
		dns_read_path(p.data, cut, path);
	}
	for (i = 0; i < p.length; i++) {
		unsigned char kept = p.data[i];

		p.data[i] = 0xff;
		dns_read_services(p.data, p.length, services);
		dns_read_path(p.data, p.length, path);
		p.data[i] = kept;
	}
}

/* Answers two questions as example.org would, then ends. */
static void *name_server(void *context)
{
	int fd = *(int *)context;
	int i;

	for (i = 0; i < 2; i++) {
		unsigned char question[512];
		struct sockaddr_in from;
		socklen_t length = sizeof(from);
		struct packet p;

		if (recvfrom(fd, question, sizeof(question), 0,
			    (struct sockaddr *)&from, &length) < 12)
			return NULL;
		if (i == 0) {
			start(&p, question[0] * 256U + question[1], ns_t_srv,
				1);
			put_srv(&p, 0, 1, 8443, "dav.example.org");
		} else {
			start(&p, question[0] * 256U + question[1], ns_t_txt,
				1);
			put_txt(&p, "path=/dav");
		}
		sendto(fd, p.data, p.length, 0, (struct sockaddr *)&from,
			length);
	}
	return NULL;
}

/* A socket at ADDRESS, which the kernel picks. */
static int hear(struct sockaddr_in *address)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	socklen_t length = sizeof(*address);

	*address = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	assert_int_equal(bind(fd, (struct sockaddr *)address, length), 0);
	getsockname(fd, (struct sockaddr *)address, &length);
	return fd;
}

static void asking_a_name_server(void **state)
{
	struct sockaddr_in address;
	int fd = hear(&address);
	struct dns_service services[DNS_SERVICES_MAX];
	char path[DNS_NAME_BYTES];
	struct wire *wire = wire_new();
	pthread_t thread;

	(void)state;
	pthread_create(&thread, NULL, name_server, &fd);
	assert_int_equal(dns_find_services("example.org", "caldavs", &address,
				 wire, services, path),
		1);
	assert_string_equal(services[0].host, "dav.example.org");
	assert_int_equal(services[0].port, 8443);
	assert_string_equal(path, "/dav");
	pthread_join(thread, NULL);
	wire_free(wire);
	close(fd);
}

/* Nobody reads what is asked, and nobody waits for the resolver to see it. */
static void a_silent_name_server_is_left(void **state)
{
	struct sockaddr_in address;
	int fd = hear(&address);
	struct dns_service services[DNS_SERVICES_MAX];
	char path[DNS_NAME_BYTES] = "unset";
	struct wire *wire = wire_new();

	(void)state;
	wire_cancel(wire);
	assert_int_equal(dns_find_services("example.org", "caldavs", &address,
				 wire, services, path),
		0);
	assert_string_equal(path, "");
	wire_free(wire);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(best_first),
		cmocka_unit_test(more_than_fit),
		cmocka_unit_test(paths),
		cmocka_unit_test(damaged_answers_are_survived),
		cmocka_unit_test(asking_a_name_server),
		cmocka_unit_test(a_silent_name_server_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
