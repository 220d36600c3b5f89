/*
 * conf_locate.h - where in a file a check of a table found fault.
 */
#ifndef SLUICE_CONF_LOCATE_H
#define SLUICE_CONF_LOCATE_H

#include <yaml.h>

/* TEXT begins with a path of keys below NODE, as "imap.port: " or "imap:
 * port: ". The mark of the deepest one that is there, else NODE's. */
yaml_mark_t conf_locate(
	yaml_document_t *document, yaml_node_t *node, const char *text);

#endif
