/*
 * muster.c - see muster.h. Called once by the verb, before the first client.
 */
#include "muster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "buf.h"
#include "conf.h"
#include "err.h"
#include "inventory.h"
#include "store_scratch.h"

#define TEMPLATE_MAX (64u << 10)

struct template
{
	const char *path;
	char *folder;
	struct buf text;
};

static int read_template(
	struct template *template, const char *path, struct err *err)
{
	FILE *file = fopen(path, "re");
	const char *slash = strrchr(path, '/');
	char piece[4096];
	size_t got;
	int status = 0;

	if (!file) {
		err_set_errno(err, "template %s", path);
		if (err)
			err->kind = ERR_CONFIG;
		return -1;
	}
	while (!status && (got = fread(piece, 1, sizeof(piece), file)) > 0)
		status = buf_append(&template->text, piece, got);
	(void)fclose(file);
	template->path = path;
	template->folder = slash ? xstrndup(path, (size_t)(slash - path))
				 : xstrdup(".");
	return status ? err_set(err, ERR_CONFIG,
				"template %s is longer than 64 KiB", path)
		      : 0;
}

/* Every %u of TEXT becomes NAME. */
static void put_name(struct buf *out, const char *text, const char *name)
{
	const char *at;

	while ((at = strstr(text, "%u"))) {
		buf_append(out, text, (size_t)(at - text));
		buf_append_text(out, name);
		text = at + 2;
	}
	buf_append_text(out, text);
}

static void replace(char **text, const char *with)
{
	if (!with)
		return;
	free(*text);
	*text = xstrdup(with);
}

static void override(struct member *member, const struct inventory_row *row)
{
	struct profile *profile = &member->profile;

	replace(&profile->store, row->store);
	if (row->password_file) {
		replace(&profile->account.password_file, row->password_file);
		free(profile->account.password_command);
		profile->account.password_command = NULL;
	}
	if (row->link_bytes_s)
		profile->link_bytes_s = row->link_bytes_s;
	member->start_us = row->start_us;
}

/* A directory in memory in place of "none". */
static int give_store(
	struct muster *muster, struct member *member, struct err *err)
{
	char *directory;

	if (strcmp(member->profile.store, PROFILE_NO_STORE) != 0)
		return 0;
	if (!muster->scratch && scratch_open(&muster->scratch, NULL, err) < 0)
		return -1;
	directory = scratch_store(muster->scratch, member->name, err);
	if (!directory)
		return -1;
	free(member->profile.store);
	member->profile.store = directory;
	return 0;
}

static int add_member(struct muster *muster, const struct template *template,
	const struct inventory_row *row, struct err *err)
{
	struct member *member = &muster->members[muster->count];
	struct profile *profile = &member->profile;
	struct buf yaml = BUF_INIT(0);
	int status;

	put_name(&yaml, buf_text(&template->text), row->client);
	status = conf_parse(&profile_table, profile, yaml.data, yaml.length,
		template->path, template->folder, err);
	buf_free(&yaml);
	if (status)
		return -1;
	muster->count++;
	override(member, row);
	member->name = profile->controller.client ? profile->controller.client
						  : profile->account.user;
	if (!profile->controller.url)
		return err_set(err, ERR_CONFIG,
			"template %s names no controller; add controller: "
			"{url, token_file}",
			template->path);
	return 0;
}

static int compare_names(const void *left, const void *right)
{
	const struct member *const *a = left, *const *b = right;

	return strcmp((*a)->name, (*b)->name);
}

static int compare_stores(const void *left, const void *right)
{
	const struct member *const *a = left, *const *b = right;

	return strcmp((*a)->profile.store, (*b)->profile.store);
}

/* Fills the first two members that COMPARE holds for one; false: none. */
static bool find_twins(const struct muster *muster,
	int (*compare)(const void *, const void *),
	const struct member *twins[2])
{
	const struct member **sorted = xcalloc(
		muster->count + 1, sizeof(const struct member *));
	bool found = false;

	for (size_t i = 0; i < muster->count; i++)
		sorted[i] = &muster->members[i];
	qsort(sorted, muster->count, sizeof(*sorted), compare);
	for (size_t i = 1; !found && i < muster->count; i++) {
		found = compare(&sorted[i - 1], &sorted[i]) == 0;
		twins[0] = sorted[i - 1];
		twins[1] = sorted[i];
	}
	free(sorted);
	return found;
}

/* To the controller two of one name are one that starts again and again. */
static int check_names(
	const struct muster *muster, const char *template, struct err *err)
{
	const struct member *twins[2];

	if (!find_twins(muster, compare_names, twins))
		return 0;
	return err_set(err, ERR_CONFIG,
		"template %s calls more than one client %s; put %%u into "
		"account.user, and into controller.client where that is given",
		template, twins[0]->name);
}

/* Two clients on one store would wait for each other's lock for ever. */
static int check_stores(const struct muster *muster, struct err *err)
{
	const struct member *twins[2];

	if (!find_twins(muster, compare_stores, twins))
		return 0;
	return err_set(err, ERR_CONFIG,
		"%s and %s have one store, %s; put %%u into its name, or "
		"store: none",
		twins[0]->name, twins[1]->name, twins[0]->profile.store);
}

static int read_names(struct inventory *inventory,
	const struct muster_request *request, struct err *err)
{
	int status = request->range
		? inventory_expand(inventory, request->range, err)
		: inventory_load(inventory, request->inventory, err);

	if (status)
		return request->range ? err_context(err, "--range") : -1;
	if (inventory->count && inventory->count <= MUSTER_MAX)
		return 0;
	status = err_set(err, ERR_CONFIG,
		"%s: %zu clients; a fleet has 1 to %d, start several for more",
		request->range ? request->range : request->inventory,
		inventory->count, MUSTER_MAX);
	inventory_free(inventory);
	return status;
}

int muster_make(struct muster *muster, const struct muster_request *request,
	struct err *err)
{
	struct template template = {.text = BUF_INIT(TEMPLATE_MAX)};
	struct inventory names;
	int status;

	*muster = (struct muster){.members = NULL};
	if (read_names(&names, request, err) < 0)
		return -1;
	muster->members = xcalloc(names.count, sizeof(*muster->members));
	status = read_template(&template, request->template, err);
	for (size_t i = 0; !status && i < names.count; i++)
		status = add_member(muster, &template, &names.rows[i], err);
	if (!status)
		status = check_names(muster, request->template, err);
	for (size_t i = 0; !status && i < muster->count; i++)
		status = give_store(muster, &muster->members[i], err);
	if (!status)
		status = check_stores(muster, err);
	inventory_free(&names);
	buf_free(&template.text);
	free(template.folder);
	if (status)
		muster_free(muster);
	return status;
}

void muster_free(struct muster *muster)
{
	for (size_t i = 0; i < muster->count; i++)
		profile_free(&muster->members[i].profile);
	free(muster->members);
	scratch_close(muster->scratch);
	*muster = (struct muster){.members = NULL};
}
