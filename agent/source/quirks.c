/* quirks.c - see quirks.h: the table, and the search in it. */
#include "quirks.h"

#include <string.h>

static const struct quirks table[] = {
	{.match = "outlook.office365",
		.commands_max = 16,
		.line_max = 4000,
		.why = "drops the session at some 50 commands in flight"},
	{.match = "Microsoft Exchange",
		.commands_max = 16,
		.line_max = 4000,
		.why = "the same program on the own machine"},
	{.match = "iCloud",
		.commands_max = 8,
		.line_max = 8000,
		.no_qresync = true,
		.why = "sends VANISHED in a form that no grammar knows"},
	{.match = "Gimap",
		.capability = "X-GM-EXT-1",
		.commands_max = 8,
		.line_max = 8000,
		.all_folder_hidden = true,
		.why = "throttles by bytes a day; labels show mail twice"},
	{.match = "Courier",
		.commands_max = 4,
		.line_max = 4000,
		.no_compress = true,
		.why = "four connections an address, short lines"},
	{.match = "Kerio",
		.commands_max = 8,
		.line_max = 8000,
		.why = "slows down with long queues in big folders"},
	{.match = "Dovecot",
		.commands_max = 32,
		.line_max = 32000,
		.why = "reads 64 KiB of commands ahead"},
	{.match = "Cyrus",
		.commands_max = 32,
		.line_max = 32000,
		.why = "reads commands as they come"},
	{.match = "",
		.commands_max = 16,
		.line_max = 8000,
		.why = "what RFC 7162 section 4 expects of everybody"},
};

const struct quirks *quirks_find(const char *text,
	bool (*offered)(const char *capability, const void *context),
	const void *context)
{
	const struct quirks *quirks = table;

	while (!strcasestr(text, quirks->match) &&
		!(offered && quirks->capability &&
			offered(quirks->capability, context)))
		quirks++;
	return quirks;
}
