/*
 * await.h - the latency of the last seconds' operations.
 *
 * Each operation weighs the same and is forgotten little by little, so that
 * seconds with few operations, or none, neither hide nor make a trouble. Pure.
 */
#ifndef SLUICE_AWAIT_H
#define SLUICE_AWAIT_H

struct await {
	double operations, total_ms;
};

/* SPAN_S seconds with PER_S operations of MS each; NaN: none. What is older
 * than MEMORY_S weighs a third or less. */
void await_add(struct await *await, double memory_s, double ms, double per_s,
	double span_s);

/* NaN when hardly one operation is remembered. */
double await_ms(const struct await *await);

#endif
