/* exposition_fuzz.c - whatever an exporter says, in pieces. */
#include <stddef.h>
#include <stdint.h>

#include "exporter.h"
#include "exposition.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct exporter_snapshot before, after;
	static struct exposition parser;
	struct exporter_choice choice = {NULL, NULL, 0};
	float load[LOAD_COUNT];
	size_t half = size / 2;

	exporter_clear(&before);
	exporter_clear(&after);
	exposition_init(&parser, exporter_sample, &before);
	exposition_feed(&parser, (const char *)data, half);
	exposition_end(&parser);
	exposition_init(&parser, exporter_sample, &after);
	exposition_feed(&parser, (const char *)data + half, size - half);
	exposition_end(&parser);
	after.at_us = 1000000;
	int disk = exporter_device(&before, &after, &choice);
	exporter_load(&before, &after, disk >= 0 ? after.disk[disk].name : "",
		&choice, load);
	return 0;
}
