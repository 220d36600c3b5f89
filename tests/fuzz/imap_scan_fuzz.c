/*
 * imap_scan_fuzz.c - any bytes as FETCH answers.
 *
 * Lines end at LF; after a literal the next bytes are its content as far as
 * there are any. A scan must end with the input and keep within its caps.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "imap_scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *at = (const char *)data;
	const char *end = at + size;
	enum scan_step step = SCAN_END;
	struct imap_scan scan;

	imap_scan_init(&scan);
	while (at < end) {
		const char *lf = memchr(at, '\n', (size_t)(end - at));
		size_t length = lf ? (size_t)(lf - at) + 1 : (size_t)(end - at);
		size_t literal;

		if (step == SCAN_END || step == SCAN_BAD)
			imap_scan_start(&scan);
		step = imap_scan_line(&scan, at, length);
		at += length;
		if (step == SCAN_BAD && !scan.reason)
			abort();
		if (step == SCAN_END || step == SCAN_BAD)
			continue;
		literal = (size_t)(end - at);
		if (scan.literal_bytes < literal)
			literal = (size_t)scan.literal_bytes;
		if (step == SCAN_TEXT)
			imap_scan_text(&scan, at, literal);
		at += literal;
	}
	if (scan.structure.length > SCAN_TEXT_MAX ||
		scan.flags.length > SCAN_TEXT_MAX)
		abort();
	imap_scan_free(&scan);
	return 0;
}
