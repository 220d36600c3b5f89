/*
 * reach.h - is there a service of the kind that the scenario says?
 *
 * Asks without a login: the controller has none. Blocking, for the command
 * line, at most 20 seconds a request.
 */
#ifndef SLUICE_REACH_H
#define SLUICE_REACH_H

#include <stdbool.h>

/* A CalDAV or CardDAV server at URL, or at the well-known address of its
 * host, where agents look too: it answers a PROPFIND, or wants a login for
 * it. TEXT, for free(): what was found and, when it is not good, what to do. */
bool reach_dav(const char *url, const char *ca_file, char **text);

/* The metrics of an exporter. TEXT as above. */
bool reach_exporter(const char *url, const char *ca_file, char **text);

#endif
