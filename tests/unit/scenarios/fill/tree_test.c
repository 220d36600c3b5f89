/* tree_test.c - the shape of generated folder trees, and their names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "buf.h"
#include "mailbox.h"
#include "tree.h"

static unsigned levels(const char *path)
{
	unsigned count = 1;

	for (; *path; path++)
		count += *path == TREE_SEPARATOR;
	return count;
}

static void check_shape(
	unsigned folders, unsigned depth, unsigned width, unsigned deepest)
{
	struct mailbox mailbox = {
		.messages = 1000,
		.inbox = 0.4,
		.folders = folders,
		.depth = depth,
		.width = width,
		.mail_notes = 3,
	};
	struct tree tree;
	unsigned sum = 0, reached = 0;

	tree_make(&mailbox, &tree);
	assert_int_equal(tree.count, folders + 2);
	assert_string_equal(tree.folder[0].path, "INBOX");
	assert_string_equal(tree.folder[tree.count - 1].path, "Notes");
	assert_int_equal(tree.folder[tree.count - 1].messages, 3);
	for (size_t i = 0; i < tree.count - 1; i++) {
		unsigned level = levels(tree.folder[i].path);

		sum += tree.folder[i].messages;
		reached = level > reached ? level : reached;
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(
				tree.folder[i].path, tree.folder[k].path);
	}
	assert_int_equal(reached, deepest);
	assert_int_equal(sum, 1000);
	assert_int_equal(tree.folder[0].messages, folders ? 400 : 1000);
	tree_free(&tree);
}

static void trees_have_the_shape_asked_for(void **state)
{
	(void)state;
	check_shape(0, 2, 3, 1);
	check_shape(1, 1, 1, 1);
	check_shape(6, 2, 4, 2);
	check_shape(12, 3, 2, 3);
	check_shape(5, 5, 1, 5);
	/* 300 do not fit into 3 + 9: the width grows, the depth does not. */
	check_shape(300, 2, 3, 2);
}

static void every_parent_comes_before_its_children(void **state)
{
	struct mailbox mailbox = {.folders = 40, .depth = 4, .width = 3};
	struct tree tree;

	(void)state;
	tree_make(&mailbox, &tree);
	for (size_t i = 1; i < tree.count; i++) {
		const char *path = tree.folder[i].path;
		const char *cut = strrchr(path, TREE_SEPARATOR);
		bool found = !cut;

		for (size_t k = 1; k < i; k++)
			found |= cut &&
				strlen(tree.folder[k].path) ==
					(size_t)(cut - path) &&
				strncmp(path, tree.folder[k].path,
					(size_t)(cut - path)) == 0;
		assert_true(found);
	}
	tree_free(&tree);
}

static void check_name(const char *path, const char *prefix, char separator,
	const char *expected)
{
	struct buf name = BUF_INIT(0);

	tree_server_name(path, prefix, separator, &name);
	assert_string_equal(buf_text(&name), expected);
	buf_free(&name);
}

/* The examples of RFC 3501 section 5.1.3, and ours. */
static void names_are_in_modified_utf7(void **state)
{
	(void)state;
	check_name("Sent", "", '/', "Sent");
	check_name("A & B", "", '/', "A &- B");
	check_name("~peter/mail/台北/日本語", "", '/',
		"~peter/mail/&U,BTFw-/&ZeVnLIqe-");
	check_name("Entwürfe", "", '/', "Entw&APw-rfe");
	check_name("\xf0\x9f\x98\x80!", "", '/', "&2D3eAA-!");
}

static void names_take_prefix_and_separator(void **state)
{
	(void)state;
	check_name("Projects/Team", "INBOX.", '.', "INBOX.Projects.Team");
	check_name("INBOX", "INBOX.", '.', "INBOX");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trees_have_the_shape_asked_for),
		cmocka_unit_test(every_parent_comes_before_its_children),
		cmocka_unit_test(names_are_in_modified_utf7),
		cmocka_unit_test(names_take_prefix_and_separator),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
