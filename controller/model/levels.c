/*
 * levels.c - pools buckets per (wave, n), then per n.
 *
 * Second stage of the model, between buckets and the fit. The one pass over
 * the buckets keeps sums only; blocks for the bootstrap are merged in pairs
 * when there are too many, so that later steps do not grow with time.
 * Pure; any thread.
 */
#include "levels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "hist.h"
#include "random.h"

#define LOADS	    (LOAD_CONNECTIONS + 1)
#define FIRST_SLOTS 256
#define ABSURD_US   1e15 /* no latency */
#define P95_PROBES  1000 /* behind one p95; more make it no surer */
#define UNLIKELY    0.5	 /* of what its neighbours promise */
#define BROKEN	    0.25 /* of the best throughput */
#define FEW_BLOCKS  4	 /* resampling fewer understates the spread */

const struct level_policy level_policy_default = {
	.observed_s = 30,
	.rho = 0.7,
	.sd_floor = 0.05,
	.se_floor = 0.03,
	.block_s = 60,
	.probes_min = 15,
};

/* Sums over the usable buckets of one wave at one n. */
struct cell {
	unsigned wave, n;
	double k, seconds, sum, sum_squares;
	double load[LOADS], load_k[LOADS];
};

struct block {
	double k, sum, seconds;
	unsigned wave;
};

/* What is kept per n whatever the wave. */
struct pool {
	struct block block[LEVEL_MAX_BLOCKS];
	unsigned blocks;
	double block_s;
	uint32_t bin[HIST_BINS]; /* of probes' latencies */
	uint64_t latencies;
	uint32_t p95_bin[HIST_BINS]; /* where only a p95 came, no latencies */
	uint64_t p95_probes, p95_buckets;
	unsigned probes, failures;
};

struct levels {
	struct level_policy policy;
	struct cell *cells;
	size_t cell_count, cell_room, last_cell;
	uint32_t *slots; /* hash to cell index + 1 */
	size_t slot_count;
	struct pool **pools; /* by n; LEVEL_MAX_N + 1 */
	struct level *rows;
	size_t row_count;
	bool by_age;
	unsigned latest_wave;
	size_t total, usable, damaged;
};

static size_t slot_of(const struct levels *levels, unsigned wave, unsigned n)
{
	uint64_t key = ((uint64_t)wave << 32) | n;

	return (size_t)(random_bits(&key) & (levels->slot_count - 1));
}

static void rehash(struct levels *levels)
{
	free(levels->slots);
	levels->slot_count = levels->slot_count ? levels->slot_count * 2
						: FIRST_SLOTS;
	levels->slots = xcalloc(levels->slot_count, sizeof(*levels->slots));
	for (size_t i = 0; i < levels->cell_count; i++) {
		const struct cell *cell = &levels->cells[i];
		size_t at = slot_of(levels, cell->wave, cell->n);
		while (levels->slots[at])
			at = (at + 1) & (levels->slot_count - 1);
		levels->slots[at] = (uint32_t)i + 1;
	}
}

/* Index of the cell, or SIZE_MAX. */
static size_t find_cell(const struct levels *levels, unsigned wave, unsigned n)
{
	size_t at = slot_of(levels, wave, n);

	for (; levels->slots[at]; at = (at + 1) & (levels->slot_count - 1)) {
		size_t i = levels->slots[at] - 1;
		if (levels->cells[i].wave == wave && levels->cells[i].n == n)
			return i;
	}
	return SIZE_MAX;
}

static size_t cell_for(struct levels *levels, unsigned wave, unsigned n)
{
	size_t i = find_cell(levels, wave, n);

	if (i != SIZE_MAX)
		return i;
	if (levels->cell_count == levels->cell_room) {
		levels->cell_room = levels->cell_room * 2 + 64;
		levels->cells = xrealloc(levels->cells, levels->cell_room,
			sizeof(*levels->cells));
	}
	i = levels->cell_count++;
	memset(&levels->cells[i], 0, sizeof(levels->cells[i]));
	levels->cells[i].wave = wave;
	levels->cells[i].n = n;
	if (levels->cell_count * 2 > levels->slot_count) {
		rehash(levels);
	} else {
		size_t at = slot_of(levels, wave, n);
		while (levels->slots[at])
			at = (at + 1) & (levels->slot_count - 1);
		levels->slots[at] = (uint32_t)i + 1;
	}
	return i;
}

static struct pool *pool_for(struct levels *levels, unsigned n)
{
	if (!levels->pools[n]) {
		levels->pools[n] = xcalloc(1, sizeof(struct pool));
		levels->pools[n]->block_s = levels->policy.block_s;
	}
	return levels->pools[n];
}

/* Pairs of neighbours become one block of twice the length. */
static void merge_blocks(struct pool *pool)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < pool->blocks; i += 2) {
		struct block block = pool->block[i];
		if (i + 1 < pool->blocks) {
			block.k += pool->block[i + 1].k;
			block.sum += pool->block[i + 1].sum;
			block.seconds += pool->block[i + 1].seconds;
			block.wave = pool->block[i + 1].wave;
		}
		pool->block[kept++] = block;
	}
	pool->blocks = kept;
	pool->block_s *= 2;
}

static void add_to_block(struct pool *pool, const struct bucket *bucket)
{
	struct block *last = pool->blocks ? &pool->block[pool->blocks - 1]
					  : NULL;

	if (!last || last->seconds >= pool->block_s ||
		(last->wave != bucket->wave &&
			last->seconds >= pool->block_s / 2)) {
		if (pool->blocks == LEVEL_MAX_BLOCKS)
			merge_blocks(pool);
		last = &pool->block[pool->blocks++];
		*last = (struct block){.wave = bucket->wave};
	}
	last->k += 1;
	last->sum += (double)bucket->x_mb_min;
	last->seconds += (double)bucket->seconds;
}

static void add_probes(struct pool *pool, const struct bucket *bucket)
{
	uint32_t good = bucket->failures < bucket->probes
		? bucket->probes - bucket->failures
		: 0;

	pool->probes += bucket->probes;
	pool->failures += bucket->failures;
	if (bucket->probes_kept && bucket->probes_kept <= BUCKET_PROBES) {
		for (uint32_t i = 0; i < bucket->probes_kept; i++)
			pool->bin[bucket->probe[i] % HIST_BINS]++;
		pool->latencies += bucket->probes_kept;
	} else if (good && isfinite(bucket->p95_ms)) {
		double us = fmin((double)bucket->p95_ms * 1000, ABSURD_US);
		pool->p95_bin[hist_bin((int64_t)us)]++;
		pool->p95_probes += good;
		pool->p95_buckets++;
	}
}

static void add_bucket(struct levels *levels, const struct bucket *bucket)
{
	if (bucket->wave > levels->latest_wave)
		levels->latest_wave = bucket->wave;
	if (!(bucket->n <= 0))
		levels->total++;
	if ((bucket->flags & BUCKET_INVALID) || !isfinite(bucket->x_mb_min) ||
		!(bucket->n >= 0) || bucket->n > LEVEL_MAX_N ||
		bucket->x_mb_min < 0) {
		levels->damaged++;
		return;
	}
	if (!bucket_usable(bucket))
		return;
	unsigned n = (unsigned)lroundf(bucket->n);
	if (n > 0)
		levels->usable++;
	/* Neighbours in time are mostly alike. */
	size_t at = levels->last_cell;
	if (at >= levels->cell_count || levels->cells[at].n != n ||
		levels->cells[at].wave != bucket->wave)
		at = levels->last_cell = cell_for(levels, bucket->wave, n);
	struct cell *cell = &levels->cells[at];
	double x = (double)bucket->x_mb_min;

	cell->k += 1;
	cell->seconds += (double)bucket->seconds;
	cell->sum += x;
	cell->sum_squares += x * x;
	for (int i = 0; i < LOADS; i++) {
		double load = (double)bucket->load[i];
		if (isfinite(load)) {
			cell->load[i] += load;
			cell->load_k[i] += 1;
		}
	}
	struct pool *pool = pool_for(levels, n);
	add_to_block(pool, bucket);
	if (bucket->probes)
		add_probes(pool, bucket);
}

static double weight_of(const struct levels *levels, unsigned wave)
{
	if (!levels->by_age || wave >= levels->latest_wave)
		return 1;
	return ldexp(1, -(int)(levels->latest_wave - wave));
}

/* The share of p95s of COUNT probes each that lie at or below the p95 of all
 * of them. A bucket's is its r-th smallest latency, r = ceil(0.95 COUNT): below
 * where at least r are, by the binomial distribution. Of five probes it is the
 * largest, so that the mean of such p95s is far too low. */
static double share_of_p95s(double count)
{
	unsigned above = (unsigned)(count - ceil(0.95 * count));
	double term = pow(0.95, count); /* none above */
	double sum = term;

	for (unsigned j = 1; j <= above; j++) {
		term *= (count - j + 1) / j * (0.05 / 0.95);
		sum += term;
	}
	return sum;
}

static double quantile_of_p95s(const struct pool *pool)
{
	double each = round(
		(double)pool->p95_probes / (double)pool->p95_buckets);

	return hist_quantile_bins(
		pool->p95_bin, share_of_p95s(fmin(fmax(each, 1), P95_PROBES)));
}

static double pooled_p95(const struct pool *pool, const struct level_policy *p)
{
	if (pool->latencies >= p->probes_min)
		return hist_quantile_bins(pool->bin, 0.95) / 1000;
	if (pool->p95_probes >= p->probes_min)
		return quantile_of_p95s(pool) / 1000;
	return NAN;
}

static void finish_row(struct level *row, const struct level_policy *policy,
	double sum, double sum_squares)
{
	double k = row->k;
	double mean = sum / k;
	double variance = k > 1 ? (sum_squares - sum * mean) / (k - 1) : 0;
	double k_eff = fmax(1, k * (1 - policy->rho) / (1 + policy->rho));

	row->x_mb_min = mean;
	row->sd = sqrt(fmax(variance, 0));
	row->se = hypot(fmax(row->sd, policy->sd_floor * mean) / sqrt(k_eff),
		policy->se_floor * mean);
	row->observed = row->seconds >= policy->observed_s;
}

static int compare_cells(const void *a, const void *b)
{
	const struct cell *x = a;
	const struct cell *y = b;

	if (x->n != y->n)
		return x->n < y->n ? -1 : 1;
	return (x->wave > y->wave) - (x->wave < y->wave);
}

/* The cells of one n, weighted, as a row. */
static size_t pool_row(
	const struct levels *levels, size_t first, struct level *row)
{
	double sum = 0;
	double sum_squares = 0;
	double load_k[LOADS] = {0};
	size_t i = first;

	*row = (struct level){.n = levels->cells[first].n};
	for (; i < levels->cell_count && levels->cells[i].n == row->n; i++) {
		const struct cell *cell = &levels->cells[i];
		double w = weight_of(levels, cell->wave);
		row->k += w * cell->k;
		row->seconds += cell->seconds;
		sum += w * cell->sum;
		sum_squares += w * cell->sum_squares;
		for (int m = 0; m < LOADS; m++) {
			row->load[m] += w * cell->load[m];
			load_k[m] += w * cell->load_k[m];
		}
	}
	for (int m = 0; m < LOADS; m++)
		row->load[m] = load_k[m] > 0 ? row->load[m] / load_k[m] : NAN;
	finish_row(row, &levels->policy, sum, sum_squares);
	const struct pool *pool = levels->pools[row->n];
	row->probes = pool->probes;
	row->failures = pool->failures;
	row->p95_ms = pooled_p95(pool, &levels->policy);
	return i;
}

struct corner {
	double n, x;
};

/* B lies below the line from A to C, or on it. */
static bool below(struct corner a, struct corner b, struct corner c)
{
	return (b.n - a.n) * (c.x - a.x) >= (c.n - a.n) * (b.x - a.x);
}

/* Upper hull of the origin and the observed rows up to END. */
static size_t make_hull(
	const struct levels *levels, size_t end, struct corner *hull)
{
	size_t count = 1;

	hull[0] = (struct corner){0, 0};
	for (size_t i = 0; i < end; i++) {
		const struct level *row = &levels->rows[i];
		struct corner next = {row->n, row->x_mb_min};
		if (row->n == 0 || !row->observed)
			continue;
		while (count > 1 &&
			below(hull[count - 2], hull[count - 1], next))
			count--;
		hull[count++] = next;
	}
	return count;
}

/* The row after the one that was observed to move most; 0: none was. */
static size_t end_of_rise(const struct levels *levels)
{
	size_t end = 0;
	double most = 0;

	for (size_t i = 0; i < levels->row_count; i++) {
		const struct level *row = &levels->rows[i];
		if (row->n == 0 || !row->observed || !(row->x_mb_min > most))
			continue;
		most = row->x_mb_min;
		end = i + 1;
	}
	return end;
}

/* Which rows no law can reach, by the shape of the others. */
static void judge_rows(struct levels *levels)
{
	size_t end = end_of_rise(levels);
	struct corner *hull = xcalloc(end + 1, sizeof(*hull));
	size_t h = 1;

	make_hull(levels, end, hull);
	for (size_t i = 0; end && i < levels->row_count; i++) {
		struct level *row = &levels->rows[i];
		double least = BROKEN * levels->rows[end - 1].x_mb_min;
		if (i < end && row->n > 0) {
			while (hull[h].n < row->n)
				h++;
			struct corner a = hull[h - 1];
			struct corner b = hull[h];
			least = UNLIKELY *
				(a.x +
					(b.x - a.x) * (row->n - a.n) /
						(b.n - a.n));
		}
		row->left_out = row->n > 0 && row->x_mb_min < least;
	}
	free(hull);
}

static void make_rows(struct levels *levels)
{
	levels->row_count = 0;
	for (size_t i = 0; i < levels->cell_count;)
		i = pool_row(levels, i, &levels->rows[levels->row_count++]);
	judge_rows(levels);
}

struct levels *levels_new(const struct bucket *buckets, size_t count,
	const struct level_policy *policy)
{
	struct levels *levels = xcalloc(1, sizeof(*levels));

	levels->policy = *policy;
	levels->pools = xcalloc(LEVEL_MAX_N + 1, sizeof(struct pool *));
	rehash(levels);
	for (size_t i = 0; i < count; i++)
		add_bucket(levels, &buckets[i]);
	if (levels->cell_count)
		qsort(levels->cells, levels->cell_count, sizeof(*levels->cells),
			compare_cells);
	/* The order of cells has changed: index them anew. */
	rehash(levels);
	levels->rows = xcalloc(levels->cell_count + 1, sizeof(*levels->rows));
	make_rows(levels);
	return levels;
}

void levels_free(struct levels *levels)
{
	if (!levels)
		return;
	for (unsigned n = 0; n <= LEVEL_MAX_N; n++)
		free(levels->pools[n]);
	free(levels->pools);
	free(levels->cells);
	free(levels->slots);
	free(levels->rows);
	free(levels);
}

const struct level *levels_rows(const struct levels *levels, size_t *count)
{
	*count = levels->row_count;
	return levels->rows;
}

const struct level *levels_find(const struct levels *levels, unsigned n)
{
	for (size_t i = 0; i < levels->row_count; i++)
		if (levels->rows[i].n == n)
			return &levels->rows[i];
	return NULL;
}

bool levels_of_wave(const struct levels *levels, unsigned wave, unsigned n,
	double *x_mb_min, double *se)
{
	size_t i = find_cell(levels, wave, n);

	if (i == SIZE_MAX)
		return false;
	const struct cell *cell = &levels->cells[i];
	struct level row = {.k = cell->k, .seconds = cell->seconds};
	finish_row(&row, &levels->policy, cell->sum, cell->sum_squares);
	*x_mb_min = row.x_mb_min;
	*se = row.se;
	return true;
}

void levels_weigh(struct levels *levels, bool by_age)
{
	levels->by_age = by_age;
	make_rows(levels);
}

unsigned levels_n_obs(const struct levels *levels)
{
	unsigned n_obs = 0;

	for (size_t i = 0; i < levels->row_count; i++)
		if (levels->rows[i].observed && !levels->rows[i].left_out)
			n_obs = levels->rows[i].n;
	return n_obs;
}

const struct level *levels_broken(const struct levels *levels)
{
	unsigned n_obs = levels_n_obs(levels);

	for (size_t i = 0; i < levels->row_count && n_obs; i++)
		if (levels->rows[i].observed && levels->rows[i].n > n_obs)
			return &levels->rows[i];
	return NULL;
}

unsigned levels_latest_wave(const struct levels *levels)
{
	return levels->latest_wave;
}

size_t levels_total(const struct levels *levels)
{
	return levels->total;
}

size_t levels_usable(const struct levels *levels)
{
	return levels->usable;
}

size_t levels_damaged(const struct levels *levels)
{
	return levels->damaged;
}

void levels_resample(
	const struct levels *levels, uint64_t *state, double *x_mb_min)
{
	for (size_t i = 0; i < levels->row_count; i++) {
		const struct level *row = &levels->rows[i];
		const struct pool *pool = levels->pools[row->n];
		double k = 0;
		double sum = 0;
		if (pool->blocks < FEW_BLOCKS) {
			double noise = row->se * random_normal(state);
			x_mb_min[i] = fmax(
				row->x_mb_min + noise, row->x_mb_min * 0.05);
			continue;
		}
		for (unsigned b = 0; b < pool->blocks; b++) {
			const struct block *block =
				&pool->block[random_below(state, pool->blocks)];
			double w = weight_of(levels, block->wave);
			k += w * block->k;
			sum += w * block->sum;
		}
		x_mb_min[i] = sum / k;
	}
}
