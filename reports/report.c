/*
 * report.c - see report.h.
 *
 * Archive -> findings -> texts -> files. The text forms need no gnuplot, so
 * they are written before the HTML form may fail for want of it.
 */
#include "report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "archived.h"
#include "buf.h"
#include "clock.h"
#include "err.h"
#include "findings.h"
#include "html.h"
#include "tables.h"
#include "plain.h"

/* Beside PATH first, so that a reader never sees half a report. */
static int write_file(
	const char *path, const struct buf *content, struct err *err)
{
	char *beside = xasprintf("%s.new", path);
	FILE *file = fopen(beside, "w");
	int result = -1;

	if (!file) {
		err_set_errno(err, "%s", path);
		goto free_name;
	}
	fwrite(content->data, 1, content->length, file);
	if (fflush(file) == EOF || ferror(file)) {
		err_set_errno(err, "%s", path);
		fclose(file);
		goto remove;
	}
	if (fclose(file) == EOF || rename(beside, path) < 0) {
		err_set_errno(err, "%s", path);
		goto remove;
	}
	result = 0;
	goto free_name;
remove:
	unlink(beside);
free_name:
	free(beside);
	return result;
}

static int write_html(const struct findings *findings,
	const struct report_request *request, struct err *err)
{
	struct buf page = BUF_INIT(0);
	int result = html_report(findings, &page, err);

	if (result == 0 && strcmp(request->html, "-") == 0)
		fputs(buf_text(&page), request->out);
	else if (result == 0)
		result = write_file(request->html, &page, err);
	buf_free(&page);
	return result;
}

static int write_tables(
	const struct findings *findings, const char *folder, struct err *err)
{
	static const struct {
		const char *name;
		void (*write)(const struct findings *, struct buf *);
	} files[] = {
		{"clients.csv", tables_clients_csv},
		{"buckets.csv", tables_buckets_csv},
		{"fit.json", tables_fit_json},
		{"report.json", tables_report_json},
	};

	if (mkdir(folder, 0777) < 0 && errno != EEXIST)
		return err_set_errno(err, "%s", folder);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char *path = xasprintf("%s/%s", folder, files[i].name);
		struct buf content = BUF_INIT(0);
		int result;

		files[i].write(findings, &content);
		result = write_file(path, &content, err);
		buf_free(&content);
		free(path);
		if (result < 0)
			return -1;
	}
	return 0;
}

static int write_forms(const struct findings *findings,
	const struct report_request *request, struct err *err)
{
	struct buf content = BUF_INIT(0);

	if (request->text)
		text_report(findings, &content);
	if (request->json)
		tables_report_json(findings, &content);
	fputs(buf_text(&content), request->out);
	buf_free(&content);
	if (request->csv && write_tables(findings, request->csv, err) < 0)
		return -1;
	if (request->html && write_html(findings, request, err) < 0)
		return -1;
	if (fflush(request->out) == EOF)
		return err_set_errno(err, "standard output");
	return 0;
}

int report_write(const struct report_request *request, struct err *err)
{
	struct archived archived;
	struct findings findings;
	int result;

	if (archived_read(&archived, request->dir, err) < 0)
		return -1;
	result = findings_gather(
		&findings, &archived, request->wave, clock_wall_us(), err);
	if (result == 0) {
		result = write_forms(&findings, request, err);
		findings_free(&findings);
	}
	archived_free(&archived);
	return result < 0 ? err_context(err, "report") : 0;
}
