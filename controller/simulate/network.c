/*
 * network.c - convolution in logarithms, and what online users see.
 *
 * Ground truth of the simulator. Factors of a thrashing disk grow beyond any
 * double within a hundred requests, hence logarithms. Pure; any thread.
 */
#include "network.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "random.h"

#define P95_DRAWS 4000
#define P95_SEED  20260301

enum station {
	CLIENT,
	CPU,
	LINK,
	DISK,
	STATIONS
};

struct network_curve {
	struct network network;
	unsigned n_max;
	double *x;	/* MB/min */
	double *p95_ms; /* NAN until asked for */
	/* Row n: probability of finding at most k there, k = 0..n. */
	double *cpu_cdf, *disk_cdf;
};

/* How much faster K requests are served together than one alone. */
static double cpu_speed(const struct network *net, double k)
{
	return fmin(k, net->cores) * (1 - net->online_cpu);
}

static double disk_speed(const struct network *net, double k)
{
	double further = k - 1;

	if (net->thrash_span > 0)
		further = net->thrash_span *
			(1 - exp(-further / net->thrash_span));
	return pow(fmin(k, net->disk_parallel), 0.9) * (1 - net->online_disk) /
		(1 + net->disk_thrash * further);
}

/* ln of f(k) = product over j <= k of 1 / mu(j). */
static void factors(
	const struct network *net, enum station station, double *f, unsigned n)
{
	f[0] = 0;
	for (unsigned k = 1; k <= n; k++) {
		double demand = 0;
		switch (station) {
		case CLIENT:
			demand = net->z_s / k;
			break;
		case CPU:
			demand = net->cpu_s / cpu_speed(net, k);
			break;
		case LINK:
			demand = net->link_s;
			break;
		default:
			demand = net->disk_s / disk_speed(net, k);
			break;
		}
		f[k] = f[k - 1] + log(fmax(demand, 1e-12));
	}
}

/* ln sum over k of exp(a[k] + b[n - k]). */
static void convolve(const double *a, const double *b, double *out, unsigned n)
{
	for (unsigned i = 0; i <= n; i++) {
		double most = -INFINITY;
		double sum = 0;
		for (unsigned k = 0; k <= i; k++)
			most = fmax(most, a[k] + b[i - k]);
		for (unsigned k = 0; k <= i; k++) {
			double term = a[k] + b[i - k] - most;
			if (term > -40)
				sum += exp(term);
		}
		/* The largest term is e^0, so the sum is at least 1. */
		out[i] = most + log(fmax(sum, 1));
	}
}

/* P(at most k at the station | n) = f(k) G'(n-k) / G(n), summed up. */
static void marginals(const double *f, const double *others, const double *g,
	double *cdf, unsigned n_max)
{
	unsigned width = n_max + 1;

	for (unsigned n = 0; n <= n_max; n++) {
		double sum = 0;
		for (unsigned k = 0; k <= n; k++) {
			sum += exp(f[k] + others[n - k] - g[n]);
			cdf[n * width + k] = sum;
		}
		cdf[n * width + n] = 1;
	}
}

struct network_curve *network_solve(
	const struct network *network, unsigned n_max)
{
	struct network_curve *curve = xcalloc(1, sizeof(*curve));
	size_t width = (size_t)n_max + 1;
	double *work = xcalloc(width * 8, sizeof(*work));
	double *f[STATIONS];
	double *front = work + 4 * width;
	double *with_cpu = work + 5 * width;
	double *with_disk = work + 6 * width;
	double *g = work + 7 * width;

	curve->network = *network;
	curve->n_max = n_max;
	curve->x = xcalloc(width, sizeof(*curve->x));
	curve->p95_ms = xcalloc(width, sizeof(*curve->p95_ms));
	curve->cpu_cdf = xcalloc(width * width, sizeof(*curve->cpu_cdf));
	curve->disk_cdf = xcalloc(width * width, sizeof(*curve->disk_cdf));
	for (int s = 0; s < STATIONS; s++) {
		f[s] = work + (size_t)s * width;
		factors(network, (enum station)s, f[s], n_max);
	}
	convolve(f[CLIENT], f[LINK], front, n_max);
	convolve(front, f[CPU], with_cpu, n_max);
	convolve(front, f[DISK], with_disk, n_max);
	convolve(with_cpu, f[DISK], g, n_max);
	marginals(f[DISK], with_cpu, g, curve->disk_cdf, n_max);
	marginals(f[CPU], with_disk, g, curve->cpu_cdf, n_max);
	for (unsigned n = 1; n <= n_max; n++)
		curve->x[n] = 60 * exp(g[n - 1] - g[n]);
	for (unsigned n = 0; n <= n_max; n++)
		curve->p95_ms[n] = NAN;
	free(work);
	return curve;
}

void network_free(struct network_curve *curve)
{
	if (!curve)
		return;
	free(curve->x);
	free(curve->p95_ms);
	free(curve->cpu_cdf);
	free(curve->disk_cdf);
	free(curve);
}

double network_x(const struct network_curve *curve, unsigned n)
{
	return curve->x[n < curve->n_max ? n : curve->n_max];
}

static unsigned draw(const double *cdf, unsigned n, uint64_t *random)
{
	double u = random_unit(random);
	unsigned low = 0;
	unsigned high = n;

	while (low < high) {
		unsigned middle = (low + high) / 2;
		if (cdf[middle] > u)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

double network_probe_ms(
	const struct network_curve *curve, unsigned n, uint64_t *random)
{
	const struct network *net = &curve->network;
	size_t width = (size_t)curve->n_max + 1;

	if (n > curve->n_max)
		n = curve->n_max;
	/* Everybody present shares the station, the newcomer included. */
	double at_cpu = draw(curve->cpu_cdf + n * width, n, random) + 1;
	double ms = net->probe_rtt_ms * (0.8 + 0.4 * random_unit(random));
	ms += net->probe_cpu_ms * at_cpu / cpu_speed(net, at_cpu) *
		random_exponential(random);
	for (unsigned r = 0; r < net->probe_reads; r++) {
		double at_disk = draw(curve->disk_cdf + n * width, n, random) +
			1;
		ms += net->probe_disk_ms * at_disk / disk_speed(net, at_disk) *
			random_exponential(random);
	}
	return ms;
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

double network_p95_ms(const struct network_curve *curve, unsigned n)
{
	static const size_t rank = P95_DRAWS * 95 / 100;
	uint64_t random = P95_SEED;

	if (n > curve->n_max)
		n = curve->n_max;
	if (!isnan(curve->p95_ms[n]))
		return curve->p95_ms[n];
	double *ms = xcalloc(P95_DRAWS, sizeof(*ms));
	for (int i = 0; i < P95_DRAWS; i++)
		ms[i] = network_probe_ms(curve, n, &random);
	qsort(ms, P95_DRAWS, sizeof(*ms), compare_doubles);
	curve->p95_ms[n] = ms[rank];
	free(ms);
	return curve->p95_ms[n];
}

void network_utilisation(const struct network_curve *curve, unsigned n,
	double *cpu, double *link, double *disk)
{
	const struct network *net = &curve->network;
	double mb_s = network_x(curve, n) / 60;
	size_t width = (size_t)curve->n_max + 1;
	unsigned row = n < curve->n_max ? n : curve->n_max;

	*cpu = net->online_cpu + mb_s * net->cpu_s / net->cores;
	*link = mb_s * net->link_s;
	*disk = 1 - curve->disk_cdf[row * width] * (1 - net->online_disk);
}
