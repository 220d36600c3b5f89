/*
 * machine.c - see machine.h. Under capacity.c and host.c.
 */
#include "machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "buf.h"

#define TEXT_MAX (256u << 10)

char *machine_text(const char *root, const char *path)
{
	struct buf text = BUF_INIT(TEXT_MAX);
	char *full = xasprintf("%s%s", root, path);
	FILE *file = fopen(full, "re");
	char piece[4096];
	char *copy = NULL;
	size_t got;

	free(full);
	if (!file)
		return NULL;
	while ((got = fread(piece, 1, sizeof(piece), file)) > 0 &&
		buf_append(&text, piece, got) == 0)
		;
	if (!ferror(file))
		copy = xstrdup(buf_text(&text));
	(void)fclose(file);
	buf_free(&text);
	return copy;
}

static bool parse_number(const char *text, uint64_t *value)
{
	char *end;

	text += strspn(text, " \t");
	if (*text < '0' || *text > '9')
		return false;
	*value = strtoull(text, &end, 10);
	return end != text;
}

uint64_t machine_number(const char *root, const char *path, uint64_t otherwise)
{
	char *text = machine_text(root, path);
	uint64_t value;

	if (!text || !parse_number(text, &value))
		value = otherwise;
	free(text);
	return value;
}

bool machine_field(const char *text, const char *key, uint64_t *value)
{
	size_t length = strlen(key);

	while (text && *text) {
		if (strncmp(text, key, length) == 0 &&
			strchr(": \t", text[length]))
			return parse_number(
				text + length + strspn(text + length, ": \t"),
				value);
		text = strchr(text, '\n');
		text += text ? 1 : 0;
	}
	return false;
}

/* CONTROLLER in a list like "cpu,cpuacct". */
static bool is_listed(const char *list, size_t length, const char *controller)
{
	size_t name = strlen(controller);

	for (size_t at = 0; at + name <= length; at++) {
		if ((at == 0 || list[at - 1] == ',') &&
			memcmp(list + at, controller, name) == 0 &&
			(at + name == length || list[at + name] == ','))
			return true;
	}
	return false;
}

/* Our group from a line "4:memory:/path" or "0::/path"; for free(). */
static char *group_path(const char *groups, const char *controller)
{
	while (groups && *groups) {
		const char *end = groups + strcspn(groups, "\n");
		const char *list = strchr(groups, ':');
		const char *path = list ? strchr(list + 1, ':') : NULL;

		if (path && path < end) {
			size_t length = (size_t)(path - list) - 1;

			if (controller ? is_listed(list + 1, length, controller)
				       : length == 0)
				return xstrndup(
					path + 1, (size_t)(end - path) - 1);
		}
		groups = *end ? end + 1 : end;
	}
	return NULL;
}

/* FILE in GROUP under the first mount point that has it. */
static char *read_group(const char *root, const char *const *mounts,
	const char *group, const char *file)
{
	char *text = NULL;

	for (; !text && *mounts; mounts++) {
		char *path = xasprintf("/sys/fs/cgroup%s%s/%s", *mounts,
			strcmp(group, "/") == 0 ? "" : group, file);

		text = machine_text(root, path);
		free(path);
	}
	return text;
}

static void walk(const char *root, const char *const *mounts, char *group,
	const char *file, void (*each)(const char *text, void *context),
	void *context)
{
	for (;;) {
		char *text = read_group(root, mounts, group, file);
		char *slash = strrchr(group, '/');

		if (text)
			each(text, context);
		free(text);
		if (!slash || !group[1])
			return;
		slash[slash == group] = '\0';
	}
}

void machine_groups(const char *root, const struct machine_file *file,
	void (*each)(const char *text, void *context), void *context)
{
	char *groups = machine_text(root, "/proc/self/cgroup");
	char *v1 = group_path(groups, file->controller);
	char *v2 = group_path(groups, NULL);
	char *mount = xasprintf("/%s", file->controller);
	const char *const mounts_v1[] = {mount, NULL};
	static const char *const mounts_v2[] = {"", "/unified", NULL};

	if (v1 && file->v1)
		walk(root, mounts_v1, v1, file->v1, each, context);
	if (v2 && file->v2)
		walk(root, mounts_v2, v2, file->v2, each, context);
	free(mount);
	free(v1);
	free(v2);
	free(groups);
}

static void keep_first(const char *text, void *context)
{
	char **kept = context;

	if (!*kept)
		*kept = xstrdup(text);
}

char *machine_group_text(const char *root, const struct machine_file *file)
{
	char *text = NULL;

	machine_groups(root, file, keep_first, &text);
	return text;
}

struct numbers {
	uint64_t values[64];
	unsigned count;
};

static void add_number(const char *text, void *context)
{
	struct numbers *numbers = context;
	uint64_t value;

	if (numbers->count == 64)
		return;
	if (!parse_number(text, &value))
		value = MACHINE_NO_LIMIT;
	numbers->values[numbers->count++] = value;
}

uint64_t machine_group_left(const char *root, const struct machine_file *limit,
	const struct machine_file *used)
{
	struct numbers limits = {.count = 0}, uses = {.count = 0};
	uint64_t least = MACHINE_NO_LIMIT;

	machine_groups(root, limit, add_number, &limits);
	if (used)
		machine_groups(root, used, add_number, &uses);
	for (unsigned i = 0; i < limits.count; i++) {
		uint64_t left = limits.values[i];

		if (left == MACHINE_NO_LIMIT)
			continue;
		/* Both lists go from our group upwards. */
		if (used && i < uses.count)
			left = left > uses.values[i] ? left - uses.values[i]
						     : 0;
		if (left < least)
			least = left;
	}
	return least;
}
