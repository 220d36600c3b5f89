/* collection.c - see collection.h. Pure. */
#include "collection.h"

#include <stdlib.h>

#include "alloc.h"

static const char *const kind_names[COLLECTION_KIND_COUNT] = {
	[COLLECTION_MAIL] = "mail",
	[COLLECTION_CONTACTS] = "contacts",
	[COLLECTION_CALENDAR] = "calendar",
	[COLLECTION_TASKS] = "tasks",
	[COLLECTION_NOTES] = "notes",
};

struct collection collection_copy(const struct collection *collection)
{
	struct collection copy = *collection;

	copy.path = xstrdup(collection->path);
	copy.wire = xstrdup(collection->wire);
	copy.token = xstrdup(collection->token);
	return copy;
}

void collection_free(struct collection *collection)
{
	free(collection->path);
	free(collection->wire);
	free(collection->token);
	*collection = (struct collection){0};
}

const char *collection_kind_name(enum collection_kind kind)
{
	return kind_names[kind];
}
