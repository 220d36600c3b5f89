/*
 * setting.h - what a person may change of a scenario while it runs.
 *
 * One table; values are kept in the archive and hold after a restart.
 */
#ifndef SLUICE_SETTING_H
#define SLUICE_SETTING_H

struct archive;
struct err;
struct scenario;

/* ERR_USAGE for an unknown key or a value that is none. */
int setting_apply(struct scenario *scenario, const char *key, const char *value,
	struct err *err);
int setting_keep(struct archive *archive, const char *key, const char *value,
	struct err *err);

/* Apply all that were kept. */
int setting_load(
	struct archive *archive, struct scenario *scenario, struct err *err);

#endif
