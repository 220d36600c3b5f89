/*
 * exposition.c - see exposition.h.
 *
 * Between the scraper's HTTP answer and exporter.c; what it reads comes from
 * the network and is not trusted. Owned by the scraper's thread.
 */
#include "exposition.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void exposition_init(struct exposition *exposition,
	void (*sample)(void *context, const struct exposition_sample *sample),
	void *context)
{
	memset(exposition, 0, sizeof(*exposition));
	exposition->sample = sample;
	exposition->context = context;
}

static bool name_char(char c, bool first)
{
	return isalpha((unsigned char)c) || c == '_' || c == ':' ||
		(!first && isdigit((unsigned char)c));
}

/* Past the name at TEXT; TEXT itself when there is none. */
static char *skip_name(char *text)
{
	char *at = text;

	while (name_char(*at, at == text))
		at++;
	return at;
}

static char *skip_blanks(char *text)
{
	while (*text == ' ' || *text == '\t')
		text++;
	return text;
}

/* Unescapes the quoted value at TEXT in place. Returns past the closing
 * quote, or NULL. */
static char *quoted(char *text)
{
	char *out = text;

	for (char *in = text; *in; in++) {
		if (*in == '"') {
			*out = '\0';
			return in + 1;
		}
		if (*in == '\\') {
			in++;
			if (*in == '\0')
				return NULL;
			*out++ = *in == 'n' ? '\n' : *in;
			continue;
		}
		*out++ = *in;
	}
	return NULL;
}

/* The labels after "{"; returns past "}", or NULL. */
static char *read_labels(char *at, struct exposition_sample *sample)
{
	for (;;) {
		at = skip_blanks(at);
		if (*at == '}')
			return at + 1;
		char *name = at;
		char *end = skip_name(name);
		at = skip_blanks(end);
		if (end == name || *at != '=')
			return NULL;
		*end = '\0';
		at = skip_blanks(at + 1);
		if (*at != '"')
			return NULL;
		char *value = at + 1;
		at = quoted(value);
		if (!at)
			return NULL;
		if (sample->labels < EXPOSITION_LABELS) {
			sample->label[sample->labels].name = name;
			sample->label[sample->labels++].value = value;
		}
		at = skip_blanks(at);
		if (*at == ',')
			at++;
		else if (*at != '}')
			return NULL;
	}
}

/* name [{labels}] value [timestamp] */
static bool read_sample(char *line, struct exposition_sample *sample)
{
	char *end = skip_name(line);
	char *at = skip_blanks(end);
	bool labels = *at == '{';

	sample->name = line;
	sample->labels = 0;
	if (end == line || (!labels && at == end))
		return false;
	*end = '\0';
	if (labels)
		at = read_labels(at + 1, sample);
	if (!at)
		return false;
	at = skip_blanks(at);
	sample->value = strtod(at, &end);
	if (end == at)
		return false;
	at = skip_blanks(end);
	if (*at == '-' || isdigit((unsigned char)*at)) {
		strtoll(at, &end, 10);
		at = skip_blanks(end);
	}
	return *at == '\0';
}

static void end_line(struct exposition *exposition)
{
	struct exposition_sample sample;

	while (exposition->length &&
		exposition->line[exposition->length - 1] == '\r')
		exposition->length--;
	exposition->line[exposition->length] = '\0';
	char *line = skip_blanks(exposition->line);
	bool damaged = memchr(line, '\0',
			       exposition->length -
				       (size_t)(line - exposition->line)) ||
		exposition->skipping;
	exposition->length = 0;
	exposition->skipping = 0;
	if (damaged || (*line && *line != '#' && !read_sample(line, &sample)))
		exposition->damaged++;
	else if (*line && *line != '#') {
		exposition->samples++;
		exposition->sample(exposition->context, &sample);
	}
}

void exposition_feed(
	struct exposition *exposition, const char *data, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (data[i] == '\n')
			end_line(exposition);
		else if (exposition->length < EXPOSITION_LINE)
			exposition->line[exposition->length++] = data[i];
		else
			exposition->skipping = 1;
	}
}

void exposition_end(struct exposition *exposition)
{
	if (exposition->length || exposition->skipping)
		end_line(exposition);
}

const char *exposition_label(
	const struct exposition_sample *sample, const char *name)
{
	for (size_t i = 0; i < sample->labels; i++)
		if (strcmp(sample->label[i].name, name) == 0)
			return sample->label[i].value;
	return "";
}
