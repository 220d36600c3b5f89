/* buf_test.c - a buffer grows to its cap, never beyond, and stays text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "buf.h"

static void appends_stay_terminated(void **state)
{
	struct buf buf = BUF_INIT(0);

	(void)state;
	assert_string_equal(buf_text(&buf), "");
	assert_int_equal(buf_append(&buf, "ab\0c", 4), 0);
	assert_int_equal(buf_append_text(&buf, "d"), 0);
	assert_int_equal(buf_printf(&buf, "%d", 42), 0);
	assert_int_equal(buf.length, 7);
	assert_memory_equal(buf.data, "ab\0cd42", 8);
	buf_free(&buf);
	assert_null(buf.data);
}

static void the_cap_refuses_and_keeps_the_content(void **state)
{
	struct buf buf = BUF_INIT(4);

	(void)state;
	assert_int_equal(buf_append_text(&buf, "1234"), 0);
	assert_int_equal(buf_append_text(&buf, "5"), -1);
	assert_int_equal(buf_printf(&buf, "%s", "5"), -1);
	assert_int_equal(buf_append(&buf, "", SIZE_MAX), -1);
	assert_string_equal(buf_text(&buf), "1234");
	buf_free(&buf);
}

static void consume_takes_from_the_front(void **state)
{
	struct buf buf = BUF_INIT(0);

	(void)state;
	buf_consume(&buf, 3);
	buf_append_text(&buf, "hello world");
	buf_consume(&buf, 6);
	assert_string_equal(buf_text(&buf), "world");
	buf_consume(&buf, 100);
	assert_int_equal(buf.length, 0);
	assert_string_equal(buf_text(&buf), "");
	buf_free(&buf);
}

static void growth_survives_many_appends(void **state)
{
	struct buf buf = BUF_INIT(0);

	(void)state;
	for (int i = 0; i < 100000; i++)
		assert_int_equal(buf_append(&buf, &(char){(char)i}, 1), 0);
	assert_int_equal(buf.length, 100000);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(buf.data[i], (char)i);
	buf_clear(&buf);
	assert_string_equal(buf_text(&buf), "");
	buf_free(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appends_stay_terminated),
		cmocka_unit_test(the_cap_refuses_and_keeps_the_content),
		cmocka_unit_test(consume_takes_from_the_front),
		cmocka_unit_test(growth_survives_many_appends),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
