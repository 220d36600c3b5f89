/* tried.c - see tried.h: a short list under a mutex. */
#include "tried.h"

#include "alloc.h"

#include <pthread.h>
#include <stdlib.h>

struct message {
	int64_t folder;
	uint32_t uid;
};

struct tried {
	pthread_mutex_t mutex;
	struct message *messages;
	size_t count;
};

struct tried *tried_new(void)
{
	struct tried *tried = xcalloc(1, sizeof *tried);

	pthread_mutex_init(&tried->mutex, NULL);
	return tried;
}

void tried_free(struct tried *tried)
{
	if (!tried)
		return;
	pthread_mutex_destroy(&tried->mutex);
	free(tried->messages);
	free(tried);
}

/* Under the mutex. */
static bool has(const struct tried *tried, int64_t folder, uint32_t uid)
{
	for (size_t i = 0; i < tried->count; i++)
		if (tried->messages[i].folder == folder &&
			tried->messages[i].uid == uid)
			return true;
	return false;
}

bool tried_noted(struct tried *tried, int64_t folder, uint32_t uid)
{
	bool noted;

	pthread_mutex_lock(&tried->mutex);
	noted = has(tried, folder, uid);
	pthread_mutex_unlock(&tried->mutex);
	return noted;
}

bool tried_first(struct tried *tried, int64_t folder, uint32_t uid)
{
	bool first;

	pthread_mutex_lock(&tried->mutex);
	first = !has(tried, folder, uid);
	if (first) {
		tried->messages = xrealloc(tried->messages, tried->count + 1,
			sizeof *tried->messages);
		tried->messages[tried->count].folder = folder;
		tried->messages[tried->count++].uid = uid;
	}
	pthread_mutex_unlock(&tried->mutex);
	return first;
}
