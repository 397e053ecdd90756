// Copies lines from standard input to standard output, each behind the time of its arrival: nanoseconds of
// CLOCK_BOOTTIME and a space. Between an agent's standard output and a file it says when an alert was there to read.
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include "clock.h"

int main(void)
{
	char *line = NULL;
	size_t room = 0;

	while (getline(&line, &room, stdin) > 0) {
		printf("%lld %s", clock_ns(CLOCK_BOOTTIME), line);
		fflush(stdout);
	}
	free(line);
	return 0;
}
