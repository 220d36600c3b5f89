/* server.c - see server.h. Used by study.c. Pure; any thread. */
#include "server.h"

#include <math.h>

#include "random.h"
#include "recommend.h"

#define KNEE	  0.95
#define OPT_LEAST 2
#define OPT_MOST  40

#define CHANGE_SHARE 0.4 /* of the rollout, before the server changes */
#define SLOWER	     1.6

const char *const server_trouble_names[TROUBLE_COUNT] = {
	"none", "drift", "change", "sizes", "speeds"};

static double uniform(uint64_t *random, double low, double high)
{
	return low + (high - low) * random_unit(random);
}

static double log_uniform(uint64_t *random, double low, double high)
{
	return exp(uniform(random, log(low), log(high)));
}

static void draw_disk(struct network *net, uint64_t *random)
{
	switch (random_below(random, 3)) {
	case 0: /* one spinning disk */
		net->disk_s = log_uniform(random, 0.02, 0.3);
		net->disk_parallel = 1;
		net->disk_thrash = log_uniform(random, 0.005, 0.08);
		if (random_below(random, 2))
			net->thrash_span = uniform(random, 4, 20);
		net->probe_disk_ms = uniform(random, 6, 12);
		break;
	case 1: /* an array */
		net->disk_s = log_uniform(random, 0.03, 0.3);
		net->disk_parallel = uniform(random, 4, 8);
		net->disk_thrash = log_uniform(random, 0.002, 0.03);
		net->probe_disk_ms = uniform(random, 4, 9);
		break;
	default: /* flash */
		net->disk_s = log_uniform(random, 0.01, 0.2);
		net->disk_parallel = uniform(random, 8, 32);
		net->disk_thrash = log_uniform(random, 0.0005, 0.01);
		net->probe_disk_ms = uniform(random, 0.2, 1.5);
		break;
	}
}

static void draw_network(struct network *net, uint64_t *random)
{
	static const double cores[] = {2, 4, 8, 16};
	static const double link_s[] = {0.08, 0.008, 0.008, 0.0008};

	*net = (struct network){0};
	net->z_s = log_uniform(random, 0.05, 1.5);
	net->cores = cores[random_below(random, 4)];
	net->cpu_s = log_uniform(random, 0.01, 0.25);
	net->link_s = link_s[random_below(random, 4)];
	draw_disk(net, random);
	net->online_cpu = uniform(random, 0.02, 0.3);
	net->online_disk = uniform(random, 0.02, 0.3);
	net->probe_rtt_ms = uniform(random, 1, 20);
	net->probe_cpu_ms = uniform(random, 1, 8);
	/* The rest of what one looks at is in the page cache. */
	net->probe_reads = 1;
}

/* The least n with 95 % of the best X within the SLO; 0: none keeps it. */
static unsigned find_optimum(
	const struct network_curve *curve, double slo_ms, unsigned *n_best)
{
	unsigned within = 0;
	double best = 0;

	for (unsigned n = 1; n <= SERVER_N_MAX; n++) {
		if (network_p95_ms(curve, n) > slo_ms)
			break;
		within = n;
		if (network_x(curve, n) > best) {
			best = network_x(curve, n);
			*n_best = n;
		}
	}
	for (unsigned n = 1; n <= within; n++)
		if (network_x(curve, n) >= KNEE * best)
			return n;
	return 0;
}

void server_draw(struct server *server, uint64_t *random)
{
	for (;;) {
		*server = (struct server){0};
		draw_network(&server->network, random);
		server->curve = network_solve(&server->network, SERVER_N_MAX);
		server->idle_p95_ms = network_p95_ms(server->curve, 0);
		server->slo_ms = recommend_slo_ms(
			uniform(random, 1.5, 4) * server->idle_p95_ms,
			server->idle_p95_ms);
		server->n_opt = find_optimum(
			server->curve, server->slo_ms, &server->n_best);
		if (server->n_opt >= OPT_LEAST && server->n_opt <= OPT_MOST)
			break;
		server_free(server);
	}
	server->mean_mb = uniform(random, 7, 25) * network_x(server->curve, 1);
	server->sigma_mb = 0.8;
	server->sigma_speed = uniform(random, 0.1, 0.4);
	server->noise_client = uniform(random, 0.15, 0.4);
	server->noise_server = uniform(random, 0.03, 0.12);
}

/* The same server, whose CPU and disk take so many times as long. */
static void change(struct server *server, double slower)
{
	struct network network = server->network;
	unsigned best;

	network.cpu_s *= slower;
	network.disk_s *= slower;
	network_free(server->later);
	server->later = network_solve(&network, SERVER_N_MAX);
	server->n_opt_later = find_optimum(
		server->later, server->slo_ms, &best);
}

void server_trouble(
	struct server *server, enum server_trouble trouble, unsigned clients)
{
	double whole_s = 60 * clients * server->mean_mb /
		network_x(server->curve, server->n_opt);

	switch (trouble) {
	case TROUBLE_DRIFT:
		server->drift_s = whole_s;
		break;
	case TROUBLE_CHANGE:
		server->change_s = whole_s * CHANGE_SHARE;
		/* Somebody must still be able to work. */
		for (double slower = SLOWER;; slower = sqrt(slower)) {
			change(server, slower);
			if (server->n_opt_later)
				break;
		}
		break;
	case TROUBLE_SIZES:
		server->sigma_mb = 1.6;
		break;
	case TROUBLE_SPEEDS:
		server->sigma_speed = 0.8;
		break;
	case TROUBLE_NONE:
	case TROUBLE_COUNT:
		break;
	}
}

static bool changed(const struct server *server, double now_s)
{
	return server->change_s > 0 && now_s >= server->change_s;
}

const struct network_curve *server_curve(
	const struct server *server, double now_s)
{
	return changed(server, now_s) ? server->later : server->curve;
}

unsigned server_optimum(const struct server *server, double now_s)
{
	return changed(server, now_s) ? server->n_opt_later : server->n_opt;
}

double server_share(const struct server *server, double now_s)
{
	if (!(server->drift_s > 0))
		return 1;
	return 1 - 0.5 * fmin(now_s / server->drift_s, 1);
}

void server_free(struct server *server)
{
	network_free(server->curve);
	network_free(server->later);
	server->curve = server->later = NULL;
}
