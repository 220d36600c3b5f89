/*
 * message_fuzz.c - any bytes as each message of the control link: what is
 * taken encodes to a text that is taken again and is the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(name)                                                            \
	static void check_##name(const char *text)                             \
	{                                                                      \
		struct name first, second;                                     \
		char *once, *twice;                                            \
                                                                               \
		if (name##_decode(&first, text, NULL) < 0)                     \
			return;                                                \
		once = name##_encode(&first);                                  \
		if (name##_decode(&second, once, NULL) < 0)                    \
			abort();                                               \
		twice = name##_encode(&second);                                \
		if (strcmp(once, twice) != 0)                                  \
			abort();                                               \
		free(once);                                                    \
		free(twice);                                                   \
		name##_release(&first);                                        \
		name##_release(&second);                                       \
	}

static void enroll_release(struct enroll *message)
{
	enroll_free(message);
}

static void enrolled_release(struct enrolled *message)
{
	enrolled_free(message);
}

static void report_release(struct report *message)
{
	report_free(message);
}

static void answer_release(struct answer *message)
{
	(void)message;
}

CHECK(enroll)
CHECK(enrolled)
CHECK(report)
CHECK(answer)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xstrndup((const char *)data, size);

	check_enroll(text);
	check_enrolled(text);
	check_report(text);
	check_answer(text);
	free(text);
	return 0;
}
