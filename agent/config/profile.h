/*
 * profile.h - the YAML file that describes one client.
 *
 * Plain data, owned by the struct. Documented by its table (profile.c),
 * from which errors and the reference come. Any thread.
 */
#ifndef SLUICE_PROFILE_H
#define SLUICE_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "account.h"

struct conf_table;
struct err;

enum profile_mode {
	PROFILE_HEADERS,
	PROFILE_FULL,
};

enum profile_compress {
	PROFILE_COMPRESS_AUTO,
	PROFILE_COMPRESS_ON,
	PROFILE_COMPRESS_OFF,
};

struct profile_folder {
	char *path;
	enum profile_mode mode;
	bool recursive;
};

struct profile_policy {
	enum profile_mode inbox, mail;
	struct profile_folder *folders;
	size_t folder_count;
};

struct profile_controller {
	char *url; /* NULL: none */
	char *token_file;
	char *ca_file;
	char *client; /* our name in the scenario; NULL: the user */
};

/* A client of a fleet that keeps nothing (store_scratch.h). */
#define PROFILE_NO_STORE "none"

struct profile {
	struct account account;
	char *store;	       /* a directory, or PROFILE_NO_STORE */
	uint64_t link_bytes_s; /* 0: no cap */
	enum profile_compress compress;
	unsigned connections;
	struct profile_policy policy;
	struct profile_controller controller;
};

extern const struct conf_table profile_table;

int profile_load(struct profile *profile, const char *path, struct err *err);
void profile_free(struct profile *profile);

#endif
