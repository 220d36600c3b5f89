/* markup.c - see markup.h. */
#include "markup.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "units.h"
#include "utf8.h"

#define DASH "\xe2\x80\x93"

void markup_text(struct buf *html, const char *text)
{
	size_t length;

	for (; text && *text; text += length ? length : 1) {
		length = utf8_length(text);
		if (*text == '&')
			buf_append_text(html, "&amp;");
		else if (*text == '<')
			buf_append_text(html, "&lt;");
		else if (*text == '>')
			buf_append_text(html, "&gt;");
		else if (*text == '"')
			buf_append_text(html, "&quot;");
		else if (*text == '\'')
			buf_append_text(html, "&#39;");
		else if (utf8_printable(text, length))
			buf_append(html, text, length);
		else
			buf_append_text(html, "\xef\xbf\xbd");
	}
}

void markup_lines(struct buf *html, const char *text)
{
	while (*text) {
		size_t length = strcspn(text, "\n");
		char *line = xstrndup(text, length);

		for (char *c = line; *c; c++)
			if (*c == '\t' || *c == '\r')
				*c = ' ';
		markup_text(html, line);
		buf_append_text(html, "\n");
		free(line);
		text += length + (text[length] == '\n');
	}
}

void markup_cell(struct buf *html, const char *text)
{
	buf_append_text(html, "<td>");
	markup_text(html, text);
	buf_append_text(html, "</td>");
}

void markup_number(struct buf *html, double value, int decimals)
{
	if (isfinite(value))
		buf_printf(html, "<td class=n>%.*f</td>", decimals, value);
	else
		buf_append_text(html, "<td class=n>" DASH "</td>");
}

void markup_count(struct buf *html, uint64_t value)
{
	buf_printf(html, "<td class=n>%llu</td>", (unsigned long long)value);
}

void markup_time(struct buf *html, int64_t wall_us)
{
	char text[32];

	if (!wall_us) {
		buf_append_text(html, DASH);
		return;
	}
	clock_format_utc(wall_us, text);
	text[10] = ' ';
	text[19] = '\0';
	buf_append_text(html, text);
}

void markup_duration(struct buf *html, double seconds)
{
	char text[UNITS_TEXT_BYTES];

	if (!isfinite(seconds) || seconds < 0 || seconds > 1e10)
		buf_append_text(html, DASH);
	else
		buf_append_text(html,
			units_format_duration((int64_t)(seconds * 1e6), text));
}

void markup_open_table(struct buf *html, const char *titles)
{
	buf_append_text(html, "<table><thead><tr>");
	while (*titles) {
		size_t length = strcspn(titles, "|");
		bool number = *titles == '#';

		buf_printf(html, "<th%s>%.*s</th>", number ? " class=n" : "",
			(int)(length - number), titles + number);
		titles += length + (titles[length] == '|');
	}
	buf_append_text(html, "</tr></thead><tbody>\n");
}

void markup_close_table(struct buf *html)
{
	buf_append_text(html, "</tbody></table>\n");
}
