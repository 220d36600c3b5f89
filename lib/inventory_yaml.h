/*
 * inventory_yaml.h - the part of inventory.c that reads YAML.
 *
 * Only inventory.c includes this.
 */
#ifndef SLUICE_INVENTORY_YAML_H
#define SLUICE_INVENTORY_YAML_H

#include <stdbool.h>

struct err;
struct inventory;

bool inventory_is_yaml(const char *path);

/* Fills INVENTORY for inventory_free(); on failure nothing is left. */
int inventory_load_yaml(
	struct inventory *inventory, const char *path, struct err *err);

#endif
