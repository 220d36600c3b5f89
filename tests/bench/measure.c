/*
 * measure.c - run a command and say what it cost.
 *
 * usage: measure RESULT_FILE COMMAND…
 * writes {"seconds", "cpu_seconds", "rss_mb", "status"} to RESULT_FILE; the
 * largest resident memory is that of the largest process the command was.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"

static double seconds_of(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
	int64_t start_us = clock_monotonic_us();
	struct rusage usage;
	double seconds;
	FILE *result;
	int status;
	pid_t pid;

	if (argc < 3) {
		fputs("usage: measure RESULT_FILE COMMAND...\n", stderr);
		return 2;
	}
	pid = fork();
	if (pid == 0) {
		execvp(argv[2], argv + 2);
		perror(argv[2]);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) < 0) {
		perror("measure");
		return 1;
	}
	seconds = (double)(clock_monotonic_us() - start_us) / 1e6;
	status = WIFEXITED(status) ? WEXITSTATUS(status)
				   : 128 + WTERMSIG(status);
	result = fopen(argv[1], "w");
	if (!result) {
		perror(argv[1]);
		return 1;
	}
	fprintf(result,
		"{\"seconds\": %.6f, \"cpu_seconds\": %.6f, \"rss_mb\": %.3f, "
		"\"status\": %d}\n",
		seconds,
		seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime),
		(double)usage.ru_maxrss * 1024 / 1e6, status);
	fclose(result);
	return status;
}
