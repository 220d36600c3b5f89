/*
 * exposition.h - the Prometheus text format 0.0.4, streaming.
 *
 * Feed the answer in pieces of any size; each sample line is handed over
 * once. Comments, HELP and TYPE are skipped, lines that are not samples are
 * counted and skipped: one damaged line never hides the others. Memory is
 * fixed. One thread.
 */
#ifndef SLUICE_EXPOSITION_H
#define SLUICE_EXPOSITION_H

#include <stddef.h>
#include <stdint.h>

#define EXPOSITION_LINE	  8192 /* longer lines are skipped */
#define EXPOSITION_LABELS 24

struct exposition_sample {
	const char *name;
	struct {
		const char *name;
		const char *value; /* unescaped */
	} label[EXPOSITION_LABELS];
	size_t labels;
	double value; /* may be NaN or infinite */
};

struct exposition {
	void (*sample)(void *context, const struct exposition_sample *sample);
	void *context;
	uint64_t samples, damaged;
	size_t length;
	int skipping; /* the rest of a line that was too long */
	char line[EXPOSITION_LINE + 1];
};

void exposition_init(struct exposition *exposition,
	void (*sample)(void *context, const struct exposition_sample *sample),
	void *context);
void exposition_feed(
	struct exposition *exposition, const char *data, size_t length);

/* The last line may lack its line end. */
void exposition_end(struct exposition *exposition);

/* The value of a label, or "". */
const char *exposition_label(
	const struct exposition_sample *sample, const char *name);

#endif
