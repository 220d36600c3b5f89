/*
 * multistatus.c - read a WebDAV multistatus by expat.
 *
 * Names are compared without their namespace: what we asked for is known,
 * and no property of another namespace has one of these names. Any thread.
 */
#include "multistatus.h"

#include <expat.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "buf.h"
#include "err.h"

#define DEPTH_MAX   32
#define NAME_BYTES  48
#define TEXT_MAX    8192
#define ENTRIES_MAX 10000

struct reader {
	struct multistatus *result;
	XML_Parser parser;
	char name[DEPTH_MAX][NAME_BYTES]; /* open elements */
	unsigned depth;
	struct buf text; /* of the innermost element */
	const char *refused;
};

static void refuse(struct reader *reader, const char *why)
{
	reader->refused = why;
	XML_StopParser(reader->parser, XML_FALSE);
}

/* The name of the element that many levels up; "" above the root. */
static const char *up(const struct reader *reader, unsigned levels)
{
	return reader->depth > levels ? reader->name[reader->depth - 1 - levels]
				      : "";
}

static void begin_entry(struct reader *reader)
{
	struct multistatus *result = reader->result;

	if (result->count == ENTRIES_MAX) {
		refuse(reader, "too many responses");
		return;
	}
	result->entry = xrealloc(
		result->entry, result->count + 1, sizeof(*result->entry));
	result->entry[result->count++] = (struct multistatus_entry){0};
}

static void XMLCALL on_start(
	void *context, const XML_Char *name, const XML_Char **attributes)
{
	struct reader *reader = context;
	struct multistatus *result = reader->result;
	struct multistatus_entry *entry = result->count
		? &result->entry[result->count - 1]
		: NULL;
	const char *local = strrchr(name, '\n');

	local = local ? local + 1 : name;
	if (reader->depth == DEPTH_MAX || strlen(local) >= NAME_BYTES) {
		refuse(reader, "nested too deep");
		return;
	}
	memcpy(reader->name[reader->depth++], local, strlen(local) + 1);
	buf_clear(&reader->text);
	if (strcmp(local, "response") == 0) {
		begin_entry(reader);
		return;
	}
	if (!entry)
		return;
	if (strcmp(up(reader, 1), "resourcetype") == 0) {
		entry->calendar |= strcmp(local, "calendar") == 0;
		entry->addressbook |= strcmp(local, "addressbook") == 0;
	}
	if (strcmp(local, "comp") != 0)
		return;
	entry->limited = true;
	for (; *attributes; attributes += 2)
		if (strcmp(attributes[0], "name") == 0)
			entry->events |= strcmp(attributes[1], "VEVENT") == 0;
}

static void keep(char **value, const struct buf *text)
{
	if (!*value)
		*value = xstrdup(buf_text(text));
}

static void XMLCALL on_end(void *context, const XML_Char *name)
{
	struct reader *reader = context;
	struct multistatus *result = reader->result;
	const char *outer = up(reader, 1);

	(void)name;
	if (strcmp(up(reader, 0), "href") == 0 && result->count) {
		if (strcmp(outer, "response") == 0)
			keep(&result->entry[result->count - 1].href,
				&reader->text);
		else if (strcmp(outer, "current-user-principal") == 0)
			keep(&result->principal, &reader->text);
		else if (strcmp(outer, "calendar-home-set") == 0)
			keep(&result->calendar_home, &reader->text);
		else if (strcmp(outer, "addressbook-home-set") == 0)
			keep(&result->addressbook_home, &reader->text);
	}
	reader->depth--;
	buf_clear(&reader->text);
}

static void XMLCALL on_text(void *context, const XML_Char *text, int length)
{
	struct reader *reader = context;

	if (buf_append(&reader->text, text, (size_t)length) < 0)
		refuse(reader, "a text too long");
}

int multistatus_parse(const char *text, size_t length,
	struct multistatus *result, struct err *err)
{
	struct reader reader = {.result = result, .text = BUF_INIT(TEXT_MAX)};
	int status = 0;

	*result = (struct multistatus){0};
	reader.parser = XML_ParserCreateNS(NULL, '\n');
	XML_SetUserData(reader.parser, &reader);
	XML_SetElementHandler(reader.parser, on_start, on_end);
	XML_SetCharacterDataHandler(reader.parser, on_text);
	if (XML_Parse(reader.parser, text, (int)length, 1) != XML_STATUS_OK) {
		status = err_set(err, ERR_PROTOCOL, "multistatus: line %lu: %s",
			XML_GetCurrentLineNumber(reader.parser),
			reader.refused ? reader.refused
				       : XML_ErrorString(XML_GetErrorCode(
						 reader.parser)));
		multistatus_free(result);
	}
	XML_ParserFree(reader.parser);
	buf_free(&reader.text);
	return status;
}

void multistatus_free(struct multistatus *result)
{
	for (size_t i = 0; i < result->count; i++)
		free(result->entry[i].href);
	free(result->entry);
	free(result->principal);
	free(result->calendar_home);
	free(result->addressbook_home);
	*result = (struct multistatus){0};
}
