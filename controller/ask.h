/*
 * ask.h - a verb's question to the daemon, over its UNIX socket or HTTPS.
 */
#ifndef SLUICE_ASK_H
#define SLUICE_ASK_H

#include <jansson.h>
#include <stdbool.h>

struct err;

/* Where the daemon is and how to show what it says: options of every verb. */
struct common {
	const char *dir;	/* --state, $SLUICE_STATE */
	const char *url;	/* --controller: over HTTPS instead */
	const char *token_file; /* --token-file: for HTTPS */
	const char *ca_file;
	bool json;
};

struct said {
	int exit;     /* status that the verb ends with */
	json_t *data; /* owned */
	char *text;
};

/* ERR_NETWORK when nobody answers; ERR_USAGE and ERR_REFUSED are the
 * daemon's. */
int ask(const struct common *common, const char *verb, const json_t *args,
	struct said *said, struct err *err);
void said_free(struct said *said);

/* Print the text, or with --json the data. */
void said_print(const struct common *common, const struct said *said);

#endif
