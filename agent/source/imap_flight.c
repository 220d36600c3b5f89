/* imap_flight.c - see imap_flight.h. */
#include "imap_flight.h"

#include <stdlib.h>

#include "alloc.h"

void job_list_init(struct job_list *list)
{
	*list = (struct job_list){.last = &list->first};
}

void job_push_back(struct job_list *list, struct job *job)
{
	job->next = NULL;
	*list->last = job;
	list->last = &job->next;
	list->count++;
}

void job_push_front(struct job_list *list, struct job *job)
{
	job->next = list->first;
	if (!list->first)
		list->last = &job->next;
	list->first = job;
	list->count++;
}

struct job *job_pop(struct job_list *list)
{
	struct job *job = list->first;

	if (!job)
		return NULL;
	list->first = job->next;
	if (!list->first)
		list->last = &list->first;
	list->count--;
	job->next = NULL;
	return job;
}

void job_list_free(struct job_list *list)
{
	struct job *job;

	while ((job = job_pop(list)))
		job_free(job);
}

struct selection *selection_new(const char *wire)
{
	struct selection *selection = xcalloc(1, sizeof(*selection));

	selection->wire = xstrdup(wire);
	selection->users = 1;
	return selection;
}

struct selection *selection_use(struct selection *selection)
{
	selection->users++;
	return selection;
}

void selection_drop(struct selection *selection)
{
	if (!selection || --selection->users)
		return;
	free(selection->wire);
	free(selection);
}

struct job *job_new(enum job_kind kind, struct flight *flight)
{
	struct job *job = xcalloc(1, sizeof(*job));

	job->kind = kind;
	job->flight = flight;
	if (flight)
		flight->jobs++;
	return job;
}

void job_free(struct job *job)
{
	if (job->flight)
		job->flight->jobs--;
	selection_drop(job->selection);
	free(job);
}

struct flight *flight_new(const struct window *window, bool delta)
{
	struct flight *flight = xcalloc(1, sizeof(*flight));
	size_t i;

	flight->window = *window;
	flight->all = window->count == 0;
	flight->delta = delta;
	for (i = 0; i < window->count; i++)
		uid_set_add(&flight->wanted, window->ids[i].uid);
	return flight;
}

void flight_free(struct flight *flight)
{
	uid_set_free(&flight->wanted);
	uid_set_free(&flight->delivered);
	free(flight);
}

bool flight_wants(const struct flight *flight, uint32_t uid)
{
	if (flight->all ? uid < flight->window.first_uid
			: !uid_set_has(&flight->wanted, uid))
		return false;
	return !uid_set_has(&flight->delivered, uid);
}

size_t job_missing(const struct job *job, uint32_t *first)
{
	const struct flight *flight = job->flight;
	size_t count = 0;
	size_t i;

	if (job->uid) {
		*first = job->uid;
		return uid_set_has(&flight->delivered, job->uid) ? 0 : 1;
	}
	for (i = job->first; i < job->end; i++) {
		if (uid_set_has(&flight->delivered, flight->wanted.uids[i]))
			continue;
		if (!count++)
			*first = flight->wanted.uids[i];
	}
	return count;
}

/* The part of JOB from its FROMth missing member to before its TOth. */
static struct job *missing_part(const struct job *job, size_t from, size_t to)
{
	const struct flight *flight = job->flight;
	struct job *new = job_new(JOB_FETCH, job->flight);
	size_t seen = 0;
	size_t i;

	for (i = job->first; i < job->end; i++) {
		if (uid_set_has(&flight->delivered, flight->wanted.uids[i]))
			continue;
		if (seen == from)
			new->first = i;
		if (seen++ < to)
			new->end = i + 1;
	}
	if (to - from == 1)
		new->uid = flight->wanted.uids[new->first];
	return new;
}

void job_split(const struct job *job, bool each, struct job_list *queue)
{
	uint32_t uid;
	size_t missing = job_missing(job, &uid);
	size_t pieces = each || missing < 2 ? missing : 2;
	size_t i;

	for (i = pieces; i > 0; i--)
		job_push_front(queue,
			missing_part(job, missing * (i - 1) / pieces,
				missing * i / pieces));
}

struct job *job_for_uid(struct flight *flight, uint32_t uid)
{
	struct job *job = job_new(JOB_FETCH, flight);

	job->uid = uid;
	return job;
}
