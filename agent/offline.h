/*
 * offline.h - the verbs that work without the server: ls, show, search,
 * export, status.
 *
 * STORE is the directory of the local database; argv[0] is the verb, the
 * rest its own options and arguments. Each reads the store beside whatever
 * else uses it, writes to standard output, and returns the exit status: 0
 * done, 1 failed, 2 usage. One thread.
 */
#ifndef SLUICE_OFFLINE_H
#define SLUICE_OFFLINE_H

int verb_ls(const char *store, int argc, char **argv);
int verb_show(const char *store, int argc, char **argv);
int verb_search(const char *store, int argc, char **argv);
int verb_export(const char *store, int argc, char **argv);
int verb_status(const char *store, int argc, char **argv);

#endif
