/* deflate_test.c - what one end packs the other unpacks, in any pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "deflate.h"
#include "err.h"

static void round_trip_in_small_pieces(void **state)
{
	struct deflate *codec = deflate_new();
	struct buf packed = BUF_INIT(1 << 20);
	struct buf back = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;
	char text[60000];
	char piece[100];
	const char *out;
	size_t bytes;
	int64_t got;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + i * i % 23);
	for (i = 0; i < sizeof(text); i += 20000) {
		assert_int_equal(deflate_write(codec, text + i, 20000, &out,
					 &bytes, &err),
			0);
		buf_append(&packed, out, bytes);
	}
	assert_true(packed.length < sizeof(text) / 2);
	for (i = 0; i < packed.length; i++) {
		const char *in = packed.data + i;
		size_t one = 1;

		do {
			got = deflate_read(
				codec, &in, &one, piece, sizeof(piece), &err);
			assert_true(got >= 0);
			buf_append(&back, piece, (size_t)got);
		} while (one || got == sizeof(piece));
	}
	assert_int_equal(back.length, sizeof(text));
	assert_memory_equal(back.data, text, sizeof(text));
	buf_free(&packed);
	buf_free(&back);
	deflate_free(codec);
}

static void damage_is_an_error(void **state)
{
	struct deflate *codec = deflate_new();
	struct err err = ERR_INIT;
	const char *in = "\xff\xff\xff\xff garbage";
	size_t bytes = strlen(in);
	char out[100];

	(void)state;
	assert_int_equal(
		deflate_read(codec, &in, &bytes, out, sizeof(out), &err), -1);
	assert_int_equal(err.kind, ERR_PROTOCOL);
	deflate_free(codec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip_in_small_pieces),
		cmocka_unit_test(damage_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
