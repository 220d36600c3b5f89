/* policy_test.c - the guide's defaults, and rules on top of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "err.h"
#include "policy.h"

static enum store_mode mail(const struct policy *policy, const char *path)
{
	struct policy_folder folder = {path, false, false};

	return policy_mode(policy, &folder);
}

static void defaults_are_the_guides(void **state)
{
	struct policy *policy = policy_new();
	struct policy_folder pim = {"Calendar", true, false};
	struct policy_folder foreign = {"Other/x", false, true};

	(void)state;
	assert_int_equal(mail(policy, "INBOX"), STORE_MODE_FULL);
	assert_int_equal(mail(policy, "inbox"), STORE_MODE_FULL);
	assert_int_equal(mail(policy, "INBOX/a"), STORE_MODE_HEADERS);
	assert_int_equal(mail(policy, "Sent"), STORE_MODE_HEADERS);
	assert_int_equal(policy_mode(policy, &pim), STORE_MODE_FULL);
	assert_int_equal(policy_mode(policy, &foreign), STORE_MODE_OFF);
	policy_free(policy);
}

static void pim_cannot_be_lowered(void **state)
{
	struct policy *policy = policy_new();
	struct policy_folder pim = {"Calendar", true, false};
	struct err err = ERR_INIT;

	(void)state;
	policy_add(policy, "/", STORE_MODE_HEADERS, true);
	assert_int_equal(policy_mode(policy, &pim), STORE_MODE_FULL);
	assert_int_equal(policy_check(&pim, STORE_MODE_HEADERS, &err), -1);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_int_equal(policy_check(&pim, STORE_MODE_FULL, &err), 0);
	policy_free(policy);
}

static void the_last_rule_wins(void **state)
{
	struct policy *policy = policy_new();

	(void)state;
	policy_add(policy, "Projects", STORE_MODE_FULL, true);
	policy_add(policy, "Projects/Old/", STORE_MODE_HEADERS, false);
	assert_int_equal(mail(policy, "Projects"), STORE_MODE_FULL);
	assert_int_equal(mail(policy, "Projects/a/b"), STORE_MODE_FULL);
	assert_int_equal(mail(policy, "ProjectsX"), STORE_MODE_HEADERS);
	assert_int_equal(mail(policy, "Projects/Old"), STORE_MODE_HEADERS);
	assert_int_equal(mail(policy, "Projects/Old/a"), STORE_MODE_FULL);
	policy_add(policy, "/", STORE_MODE_FULL, true);
	assert_int_equal(mail(policy, "Projects/Old"), STORE_MODE_FULL);
	assert_int_equal(mail(policy, "Sent"), STORE_MODE_FULL);
	policy_free(policy);
}

static void a_foreign_folder_must_be_named(void **state)
{
	struct policy *policy = policy_new();
	struct policy_folder foreign = {"Shared/x", false, true};

	(void)state;
	policy_add(policy, "/", STORE_MODE_FULL, true);
	assert_int_equal(policy_mode(policy, &foreign), STORE_MODE_OFF);
	policy_add(policy, "Shared", STORE_MODE_HEADERS, true);
	assert_int_equal(policy_mode(policy, &foreign), STORE_MODE_HEADERS);
	policy_free(policy);
}

static void rules_survive_writing_and_reading(void **state)
{
	struct policy *policy = policy_new();
	struct policy *copy = policy_new();
	struct err err = ERR_INIT;
	char *text;

	(void)state;
	policy_add(policy, "a b", STORE_MODE_FULL, true);
	policy_add(policy, "a b/c", STORE_MODE_HEADERS, false);
	text = policy_rules_format(policy);
	assert_int_equal(policy_rules_parse(copy, text, &err), 0);
	assert_int_equal(mail(copy, "a b/d"), STORE_MODE_FULL);
	assert_int_equal(mail(copy, "a b/c"), STORE_MODE_HEADERS);
	assert_int_equal(policy_rules_parse(copy, "nonsense", &err), -1);
	free(text);
	policy_free(policy);
	policy_free(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_the_guides),
		cmocka_unit_test(pim_cannot_be_lowered),
		cmocka_unit_test(the_last_rule_wins),
		cmocka_unit_test(a_foreign_folder_must_be_named),
		cmocka_unit_test(rules_survive_writing_and_reading),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
