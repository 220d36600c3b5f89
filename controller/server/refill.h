/*
 * refill.h - after a restart: what the archive holds of the last minutes goes
 * through the slicer again, so that no byte of a bucket is lost.
 */
#ifndef SLUICE_REFILL_H
#define SLUICE_REFILL_H

#include <stdint.h>

struct archive;
struct err;
struct generator;
struct slicer;

/* Everything that was measured from SINCE_US on. */
int refill_slicer(struct slicer *slicer, struct generator *generator,
	struct archive *archive, int64_t since_us, struct err *err);

/* The archive keeps a number for the text that names an agent's boot; both
 * sides of a restart give the slicer this number's text. */
uint32_t refill_boot(const char *boot);
#define REFILL_BOOT_BYTES 16
char *refill_boot_text(uint32_t boot, char text[REFILL_BOOT_BYTES]);

#endif
