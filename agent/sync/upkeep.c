/* upkeep.c - see upkeep.h. */
#include "upkeep.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "alloc.h"
#include "err.h"
#include "store.h"
#include "store_list.h"

#define STEP_BYTES   (1024 * 1024)
#define DEAD_PERCENT 30

struct upkeep {
	char *directory;
	pthread_t thread;
	atomic_bool stop;
	int status; /* of the thread, read after it was joined */
	struct err err;
};

static int work(struct upkeep *upkeep, struct store *store)
{
	uint64_t freed;
	bool more = true;

	while (more && !atomic_load(&upkeep->stop)) {
		if (store_index_step(store, STEP_BYTES, &more, &upkeep->err) <
			0)
			return -1;
	}
	if (atomic_load(&upkeep->stop))
		return 0;
	if (store_compact(store, DEAD_PERCENT, &upkeep->stop, &freed,
		    &upkeep->err) < 0)
		return -1;
	return store_sync(store, &upkeep->err);
}

static void *upkeep_thread(void *arg)
{
	struct upkeep *upkeep = arg;
	struct store *store;

	/* The thread's own priority: a Linux speciality of PRIO_PROCESS. */
	setpriority(PRIO_PROCESS, (id_t)gettid(), 19);
	store = store_open(upkeep->directory, STORE_UPKEEP, &upkeep->err);
	if (!store) {
		upkeep->status = upkeep->err.kind == ERR_LOCKED ? 0 : -1;
		return NULL;
	}
	upkeep->status = work(upkeep, store);
	store_close(store);
	return NULL;
}

int upkeep_start(struct upkeep **out, const char *directory, struct err *err)
{
	struct upkeep *upkeep = xcalloc(1, sizeof(*upkeep));

	upkeep->directory = xstrdup(directory);
	atomic_init(&upkeep->stop, false);
	if (pthread_create(&upkeep->thread, NULL, upkeep_thread, upkeep)) {
		free(upkeep->directory);
		free(upkeep);
		return err_set(err, ERR_LIMIT, "cannot start another thread");
	}
	*out = upkeep;
	return 0;
}

int upkeep_wait(struct upkeep *upkeep, struct err *err)
{
	int status;

	if (!upkeep)
		return 0;
	pthread_join(upkeep->thread, NULL);
	status = upkeep->status;
	if (status < 0 && err)
		*err = upkeep->err;
	free(upkeep->directory);
	free(upkeep);
	return status;
}

int upkeep_stop(struct upkeep *upkeep, struct err *err)
{
	if (upkeep)
		atomic_store(&upkeep->stop, true);
	return upkeep_wait(upkeep, err);
}
