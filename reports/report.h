/*
 * report.h - `sluice report`: from an archive to something people read.
 *
 * Reads the archive in DIR only and decides nothing, so it may run while a
 * controller owns the archive, or long after. One thread.
 */
#ifndef SLUICE_REPORT_H
#define SLUICE_REPORT_H

#include <stdbool.h>
#include <stdio.h>

struct err;

struct report_request {
	const char *dir;  /* of the archive */
	unsigned wave;	  /* 0: the whole rollout */
	const char *html; /* file to write, or NULL; "-" is OUT */
	const char *csv;  /* directory for the CSV files and fit.json */
	bool text, json;  /* to OUT */
	FILE *out;
};

/* Files appear whole or not at all. */
int report_write(const struct report_request *request, struct err *err);

/* The verb: ARGV[0] is "report". Returns the exit status. DIR is the state
 * directory that the command line chose. */
int report_command(const char *dir, int argc, char **argv);

#endif
