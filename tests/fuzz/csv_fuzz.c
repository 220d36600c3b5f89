/* csv_fuzz.c - any file as bucket rows, and a recommendation from them. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "csv.h"
#include "err.h"
#include "recommend.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct recommendation out;
	struct recommend_facts facts = {.clients_left = 10};
	struct csv_table table;
	struct err err = ERR_INIT;

	if (csv_read(&table, "fuzz", (const char *)data, size, &err) < 0) {
		if (err.text[0] == '\0')
			abort();
		return 0;
	}
	facts.exporter = table.load;
	facts.canary = table.canary;
	recommend(&out, table.bucket, table.count, &facts,
		&recommend_policy_default);
	if (out.batch_size < 1 || out.reason_count == 0)
		abort();
	free(table.bucket);
	return 0;
}
