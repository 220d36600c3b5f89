/*
 * inventory.h - many clients by name: a range, or a file.
 *
 * One reader for the controller's scenario and for a fleet's --clients, so
 * that both take the same file: CSV whose first line names the columns,
 * unknown ones being for people; or, by its name, YAML with a list `clients`
 * of the same keys. Plain data, owned by the struct. Any
 * thread.
 */
#ifndef SLUICE_INVENTORY_H
#define SLUICE_INVENTORY_H

#include <stddef.h>
#include <stdint.h>

struct err;

#define INVENTORY_MAX 100000

/* A field that its line does not give is NULL or 0. */
struct inventory_row {
	char *client; /* the mailbox user, and the name everywhere */
	char *mailbox;
	uint64_t link_bytes_s;
	uint64_t size_bytes;
	/* Columns that a fleet reads; paths from the file's folder. */
	char *password_file;
	char *store;	  /* a directory, or "none" */
	int64_t start_us; /* after the fleet's own start */
	unsigned line;	  /* of the file, or place in a list; 0: of a range */
};

struct inventory {
	struct inventory_row *rows;
	size_t count;
};

/* 1 to 80 characters without space, slash, backslash and quotes. */
int inventory_check_name(const char *name, struct err *err);

/* "u001..u024": one prefix, the digits of the first number. */
int inventory_check_range(const char *range, struct err *err);

/* Both fill INVENTORY from scratch; on failure nothing is left to free. A
 * name may stand in a file once. */
int inventory_expand(
	struct inventory *inventory, const char *range, struct err *err);
int inventory_load(
	struct inventory *inventory, const char *path, struct err *err);

void inventory_free(struct inventory *inventory);

#endif
