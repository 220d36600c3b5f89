/*
 * command.h - the verbs of the command line.
 */
#ifndef SLUICE_COMMAND_H
#define SLUICE_COMMAND_H

#include <argp.h>

#include "ask.h"

struct err;

/* ARGV[0] is "sluice VERB". Each returns the exit status of the program. */
typedef int command_fn(int argc, char **argv);

command_fn command_init, command_serve, command_check, command_operator,
	command_reference, command_report;

/* --state, --controller, --token-file, --ca-file, --json; its input is a
 * struct common. */
extern const struct argp common_argp;
void common_init(struct common *common);

/* Print "sluice: TEXT" and say the exit status that fits. */
int command_failed(const struct err *err);

/* Look again until the wave, or with NUMBER 0 the rollout, has ended. */
int command_wait(const struct common *common, unsigned number);

/* Print the status again and again until the rollout has ended. */
int command_watch(const struct common *common);

/* The VERB of "sluice VERB". */
const char *command_verb(const char *name);

/* One line on a verb that command_operator serves. */
const char *operator_verb_text(const char *verb);

#endif
