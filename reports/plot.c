/*
 * plot.c - see plot.h.
 *
 * The child's three streams are unlinked temporary files: nothing to name,
 * nothing to clean up, and neither side can block the other. gnuplot is
 * started without the user's settings and with the C locale, so that the
 * same archive draws the same figure everywhere.
 */
#include "plot.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "err.h"
#include "utf8.h"

#define SVG_LIMIT_BYTES	  (64u << 20)
#define LABEL_LIMIT	  28  /* characters; more would leave the figure */
#define GLYPH_PX	  7.2 /* of a letter at 11 points */
#define RENDER_LIMIT_MS	  60000
#define COMMAND_NOT_FOUND 127

void plot_init(
	struct plot *plot, const char *name, unsigned width, unsigned height)
{
	*plot = (struct plot){.name = name, .width = width, .height = height};
	plot_script(plot,
		"set encoding utf8\n"
		"set datafile separator '\\t'\n"
		"set datafile missing '?'\n"
		"set terminal svg size %u,%u dynamic noenhanced "
		"font 'DejaVu Sans,12' background rgb 'white' name '%s'\n"
		"set border 3 linecolor rgb '#9ca3af'\n"
		"set tics nomirror scale 0.5 textcolor rgb '#374151'\n"
		"set grid linetype 1 linecolor rgb '#e5e7eb'\n"
		"unset key\n",
		width, height, name);
}

void plot_free(struct plot *plot)
{
	buf_free(&plot->rows);
	buf_free(&plot->script);
}

void plot_open_rows(struct plot *plot, const char *name)
{
	buf_printf(&plot->rows, "$%s << END_OF_ROWS\n", name);
}

void plot_close_rows(struct plot *plot)
{
	buf_append_text(&plot->rows, "END_OF_ROWS\n");
}

void plot_cell(struct plot *plot, double value)
{
	if (isfinite(value))
		buf_printf(&plot->rows, "%.6g\t", value);
	else
		buf_append_text(&plot->rows, "?\t");
}

void plot_cell_text(struct plot *plot, const char *text)
{
	unsigned shown = 0;

	/* A quote would open a string, and a lone ? mean "missing". */
	buf_append_text(&plot->rows, "\"");
	while (*text && shown < LABEL_LIMIT) {
		size_t length = utf8_length(text);
		bool plain = utf8_printable(text, length) && *text != '"' &&
			*text != '\\';

		buf_append(&plot->rows, plain ? text : "_", plain ? length : 1);
		text += length ? length : 1;
		shown++;
	}
	buf_append_text(&plot->rows, *text ? "\xe2\x80\xa6\"\t" : "\"\t");
}

double plot_text_px(const char *text)
{
	unsigned shown = 0;

	while (*text && shown < LABEL_LIMIT) {
		size_t length = utf8_length(text);

		text += length ? length : 1;
		shown++;
	}
	return (shown + (*text != '\0')) * GLYPH_PX;
}

void plot_end_row(struct plot *plot)
{
	buf_append_text(&plot->rows, "\n");
}

void plot_script(struct plot *plot, const char *fmt, ...)
{
	char line[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	buf_append_text(&plot->script, line);
}

struct streams {
	FILE *in, *out, *err;
};

static void close_streams(struct streams *streams)
{
	if (streams->in)
		fclose(streams->in);
	if (streams->out)
		fclose(streams->out);
	if (streams->err)
		fclose(streams->err);
}

static int open_streams(
	struct streams *streams, const struct plot *plot, struct err *err)
{
	*streams = (struct streams){tmpfile(), tmpfile(), tmpfile()};
	if (!streams->in || !streams->out || !streams->err)
		goto fail;
	if (fputs(buf_text(&plot->rows), streams->in) == EOF ||
		fputs(buf_text(&plot->script), streams->in) == EOF ||
		fflush(streams->in) == EOF)
		goto fail;
	rewind(streams->in);
	return 0;
fail:
	err_set_errno(err, "a temporary file for figure %s", plot->name);
	close_streams(streams);
	return -1;
}

static int spawn(pid_t *pid, const struct streams *streams)
{
	char *const arguments[] = {"gnuplot", "-d", "-", NULL};
	char path[4096];
	char *const environment[] = {path, "LC_ALL=C.UTF-8", "HOME=/", NULL};
	posix_spawn_file_actions_t actions;
	const char *search = getenv("PATH");
	int failed;

	snprintf(path, sizeof(path), "PATH=%s",
		search ? search : "/usr/local/bin:/usr/bin:/bin");
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fileno(streams->in), 0);
	posix_spawn_file_actions_adddup2(&actions, fileno(streams->out), 1);
	posix_spawn_file_actions_adddup2(&actions, fileno(streams->err), 2);
	failed = posix_spawnp(
		pid, "gnuplot", &actions, NULL, arguments, environment);
	posix_spawn_file_actions_destroy(&actions);
	return failed;
}

/* Waits for PID, at most RENDER_LIMIT_MS. Returns its wait status. */
static int reap(pid_t pid)
{
	int handle = (int)syscall(SYS_pidfd_open, pid, 0);
	int status = 0;

	if (handle >= 0) {
		struct pollfd end = {handle, POLLIN, 0};

		while (poll(&end, 1, RENDER_LIMIT_MS) < 0 && errno == EINTR)
			;
		if (!(end.revents & POLLIN))
			kill(pid, SIGKILL);
		close(handle);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

static int read_back(FILE *file, struct buf *into)
{
	char chunk[65536];
	size_t length;

	rewind(file);
	while ((length = fread(chunk, 1, sizeof(chunk), file)) > 0)
		if (buf_append(into, chunk, length) < 0)
			return -1;
	return 0;
}

/* gnuplot gives every figure the same ids (gpPt0, textbox): two figures in
 * one page need a prefix of their own. */
static void append_with_own_ids(
	struct buf *svg, const char *text, const char *name)
{
	static const char *const marks[] = {"id='gp", "href='#gp",
		"id='textbox'", "id='greybox'", "url(#textbox", "url(#greybox"};

	while (*text) {
		const char *next = strpbrk(text, "ihu");
		size_t mark = 0, count = sizeof(marks) / sizeof(marks[0]);

		if (!next) {
			buf_append_text(svg, text);
			return;
		}
		buf_append(svg, text, (size_t)(next - text));
		while (mark < count &&
			strncmp(next, marks[mark], strlen(marks[mark])) != 0)
			mark++;
		if (mark == count) {
			buf_append(svg, next, 1);
			text = next + 1;
			continue;
		}
		text = next + strcspn(next, "'#(") + 1;
		text += *text == '#';
		buf_append(svg, next, (size_t)(text - next));
		buf_printf(svg, "%s-", name);
	}
}

static int take_svg(
	const struct plot *plot, FILE *out, struct buf *svg, struct err *err)
{
	struct buf text = BUF_INIT(SVG_LIMIT_BYTES);
	const char *start, *body;
	int result = -1;

	if (read_back(out, &text) < 0) {
		err_set(err, ERR_LIMIT, "figure %s is larger than %u MB",
			plot->name, SVG_LIMIT_BYTES >> 20);
		goto done;
	}
	start = strstr(buf_text(&text), "<svg");
	body = start ? strchr(start, '>') : NULL;
	if (!body) {
		err_set(err, ERR_PROTOCOL, "gnuplot drew no figure %s",
			plot->name);
		goto done;
	}
	/* The page gives each figure a heading, NAME-title, and a caption;
	 * the title element gnuplot writes would only pop up as a tooltip. */
	start = strstr(body, "<g id=\"gnuplot_canvas\"");
	buf_printf(svg,
		"<svg id=\"%s\" viewBox=\"0 0 %u %u\" role=\"img\" "
		"aria-labelledby=\"%s-title\" "
		"xmlns=\"http://www.w3.org/2000/svg\" "
		"xmlns:xlink=\"http://www.w3.org/1999/xlink\">\n"
		"<g id=\"%s-canvas\"",
		plot->name, plot->width, plot->height, plot->name, plot->name);
	append_with_own_ids(svg,
		start ? start + strlen("<g id=\"gnuplot_canvas\"") : body,
		plot->name);
	result = 0;
done:
	buf_free(&text);
	return result;
}

static int explain(
	const struct plot *plot, int status, FILE *messages, struct err *err)
{
	struct buf text = BUF_INIT(1u << 16);

	if (WIFEXITED(status) && WEXITSTATUS(status) == COMMAND_NOT_FOUND) {
		err_set(err, ERR_IO, "gnuplot is not installed");
		return err_hint(err,
			"install the package gnuplot-nox, or ask "
			"for --text");
	}
	read_back(messages, &text);
	err_set(err, ERR_IO, "gnuplot failed at figure %s: %.400s", plot->name,
		buf_text(&text));
	buf_free(&text);
	return -1;
}

int plot_render(const struct plot *plot, struct buf *svg, struct err *err)
{
	struct streams streams;
	pid_t pid = 0;
	int failed, status, result = -1;

	if (open_streams(&streams, plot, err) < 0)
		return -1;
	failed = spawn(&pid, &streams);
	if (failed == ENOENT) {
		explain(plot, COMMAND_NOT_FOUND << 8, streams.err, err);
	} else if (failed) {
		errno = failed;
		err_set_errno(err, "starting gnuplot");
	} else {
		status = reap(pid);
		if (status == 0)
			result = take_svg(plot, streams.out, svg, err);
		else
			explain(plot, status, streams.err, err);
	}
	close_streams(&streams);
	return result;
}
