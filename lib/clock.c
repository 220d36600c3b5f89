/* clock.c - see clock.h. */
#include "clock.h"

#include <errno.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return now.tv_sec * US_PER_S + now.tv_nsec / 1000;
}

int64_t clock_monotonic_us(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

int64_t clock_wall_us(void)
{
	return read_clock(CLOCK_REALTIME);
}

char *clock_format_utc(int64_t wall_us, char *text)
{
	time_t seconds = wall_us / US_PER_S;
	struct tm parts;

	gmtime_r(&seconds, &parts);
	strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &parts);
	return text;
}

void clock_sleep_us(int64_t us)
{
	struct timespec rest = {us / US_PER_S, (us % US_PER_S) * 1000};

	while (nanosleep(&rest, &rest) < 0 && errno == EINTR)
		;
}
