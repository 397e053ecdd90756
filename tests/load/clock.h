// Clocks and processor time that every generator uses.
#pragma once
#include <sys/resource.h>
#include <time.h>

// Nanoseconds of a clock.
static inline long long clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

// Processor time of the given RUSAGE_*, microseconds.
static inline long long cpu_us(int who)
{
	struct rusage used;

	getrusage(who, &used);
	return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000LL + used.ru_utime.tv_usec + used.ru_stime.tv_usec;
}
