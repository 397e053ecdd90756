// Generates mix M from 20 cgroups that are named as containers: 70 % opens for writing, 15 % exec, fork and exit,
// 10 % connect and close, 5 % DNS, counted in the sensor's records.
//
//   mix RATE SECONDS [CGROUPS]     RATE in records a second over all, 0: as fast as it goes
//   mix id N                       the id of cgroup N
//
// One worker a cgroup. Prints one line of JSON when it ends: what was really done, by operation, and the processor
// time that the generator itself used (the kernel programs run inside it, so theirs is part of it). The truth against
// which seen + lost is compared.
//
// All happens in a network namespace of its own on the loopback, below a folder of its own. The far end of the
// connections is a process outside of the cgroups, which the sensor does not record.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "clock.h"

// One round of a worker in records of the sensor. A connection of a program that connects, sends nothing and closes is
// 4 records (connect, its result, established, closed); a question is 2 (destination, the question itself). Two of
// seventeen processes execute a program (fork, exec, exit), the others only fork and exit: an exec costs the generator
// several times as much, and two cores carry generator and sensor.
enum { OPENS = 168, EXECS = 2, FORKS = 15, CONNECTS = 6, QUERIES = 6 };
enum { ROUND = OPENS + 3 * EXECS + 2 * FORKS + 4 * CONNECTS + 2 * QUERIES }; // 240 records: 70, 15, 10, 5 %

enum { MAX_WORKERS = 64, FILES = 16, PORT = 8080, DNS_PORT = 53 };

struct worker {
	long long opens, execs, forks, connects, queries, failed, behind_ns, cpu_us;
};

static struct worker *workers;
static char root[64], nothing[280];
static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static void die(const char *what)
{
	fprintf(stderr, "mix: %s: %s\n", what, strerror(errno));
	exit(2);
}

// 64 hexadecimal digits, another for each worker.
static const char *id_of(int worker)
{
	static char id[65];

	snprintf(id, sizeof id, "%08x%056x", 0x10ad0000 + worker, 0xc0ffee);
	return id;
}

static const char *cgroup2(void)
{
	return access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/unified";
}

static char *cgroup_of(int worker)
{
	static char path[300];

	if (worker < 0)
		snprintf(path, sizeof path, "%s/watchkeeper-load-%d", cgroup2(), getpid());
	else
		snprintf(path, sizeof path, "%s/watchkeeper-load-%d/%s", cgroup2(), getppid(), id_of(worker));
	return path;
}

static void enter_cgroup(int worker)
{
	char path[600];
	int fd;

	snprintf(path, sizeof path, "%s/cgroup.procs", cgroup_of(worker));
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, "0", 1) != 1)
		die(path);
	close(fd);
}

static void loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (ioctl(fd, SIOCSIFFLAGS, &request) != 0)
		die("loopback");
	close(fd);
}

static struct sockaddr_in address_of(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return address;
}

// The far end: accepts and closes what has come every few milliseconds, and lets the questions pile up unread. To be
// woken for each connection would cost the machine more than the connection.
static void far_end(int listener)
{
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd >= 0)
			close(fd);
		else
			usleep(5000);
	}
}

static int leave(void *argument)
{
	(void)argument;
	_exit(0);
}

static int become(void *argument)
{
	char *argv[] = { nothing, NULL }, *envp[] = { NULL };

	(void)argument;
	execve(nothing, argv, envp);
	_exit(127);
}

// A child that shares memory until it executes or ends, as posix_spawn makes it: the cheapest real process.
static void child(struct worker *w, int (*run)(void *), char *stack)
{
	int status, pid = clone(run, stack + 16384, CLONE_VM | CLONE_VFORK | CLONE_FS | CLONE_FILES | SIGCHLD, NULL);

	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		w->failed++;
}

static void open_file(struct worker *w, int number)
{
	char path[] = "var/log/a.log";
	int fd;

	path[8] += number % FILES;
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		w->failed++;
	else
		close(fd);
	w->opens++;
}

static void connect_once(struct worker *w)
{
	struct sockaddr_in address = address_of(PORT);
	struct linger reset = { 1, 0 }; // no TIME_WAIT: the ports would run out
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (void *)&address, sizeof address) != 0)
		w->failed++;
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
	close(fd);
	w->connects++;
}

static void ask(struct worker *w)
{
	unsigned char query[64] = { 0, 0, 1, 0, 0, 1 };
	struct sockaddr_in address = address_of(DNS_PORT);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int length = 12 + snprintf((char *)query + 13, 40, "q%08llu", w->queries) + 1;

	query[12] = length - 13;
	memcpy(query + length, "\4load\4test\0\0\1\0\1", 15);
	if (sendto(fd, query, length + 15, 0, (void *)&address, sizeof address) < 0)
		w->failed++;
	close(fd);
	w->queries++;
}

static void round_of(struct worker *w, char *stack)
{
	int opened = 0;

	for (int i = 0; i < OPENS / 8; i++) {
		for (int k = 0; k < 8; k++)
			open_file(w, opened++);
		if (i % 3 == 0 && i / 3 < EXECS) {
			child(w, become, stack);
			w->execs++;
		}
		if (i < FORKS) {
			child(w, leave, stack);
			w->forks++;
		}
		if (i % 3 == 1 && i / 3 < CONNECTS)
			connect_once(w);
		if (i % 3 == 2 && i / 3 < QUERIES)
			ask(w);
	}
}

static void work(int number, double rounds_per_s, long long begin, long long end)
{
	struct worker *w = &workers[number];
	char folder[300], *stack = malloc(16384);
	double round_ns = rounds_per_s > 0 ? 1e9 / rounds_per_s : 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	enter_cgroup(number);
	snprintf(folder, sizeof folder, "%s/%d", root, number);
	if (chdir(folder) != 0)
		die(folder);
	for (long long n = 0; !stopped && clock_ns(CLOCK_MONOTONIC) < end; n++) {
		// Workers begin at evenly spread points of a round.
		long long due = begin + (long long)(round_ns * (n + (double)number / MAX_WORKERS));
		struct timespec at = { due / 1000000000, due % 1000000000 };

		if (due >= end)
			break;
		if (round_ns > 0 && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) != 0)
			continue;
		round_of(w, stack);
		if (round_ns > 0)
			w->behind_ns = clock_ns(CLOCK_MONOTONIC) - due;
	}
	w->cpu_us = cpu_us(RUSAGE_SELF) + cpu_us(RUSAGE_CHILDREN);
	_exit(0);
}

// The program that is executed lies beside this one.
static void find_nothing(void)
{
	char self[256] = "";

	if (readlink("/proc/self/exe", self, sizeof self - 1) < 0)
		die("/proc/self/exe");
	*strrchr(self, '/') = 0;
	snprintf(nothing, sizeof nothing, "%s/nothing", self);
	if (access(nothing, X_OK) != 0)
		die(nothing);
}

static void prepare(int count)
{
	char path[400];

	find_nothing();
	if (!mkdtemp(strcpy(root, "/tmp/watchkeeper-load.XXXXXX")))
		die("folder");
	if (mkdir(cgroup_of(-1), 0755) != 0)
		die(cgroup_of(-1));
	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof path, "%s/%s", cgroup_of(-1), id_of(i));
		if (mkdir(path, 0755) != 0)
			die(path);
		snprintf(path, sizeof path, "%s/%d", root, i);
		mkdir(path, 0755);
		strcat(path, "/var");
		mkdir(path, 0755);
		strcat(path, "/log");
		mkdir(path, 0755);
	}
	workers = mmap(NULL, sizeof *workers * MAX_WORKERS, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (workers == MAP_FAILED || unshare(CLONE_NEWNET) != 0)
		die("network namespace");
	loopback_up();
}

static void tidy(int count)
{
	char path[400], command[400];

	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof path, "%s/%s", cgroup_of(-1), id_of(i));
		for (int tries = 0; rmdir(path) != 0 && errno == EBUSY && tries < 100; tries++)
			usleep(10000); // the last task's exit is still on its way
	}
	rmdir(cgroup_of(-1));
	snprintf(command, sizeof command, "rm -rf %s", root);
	if (system(command) != 0)
		fprintf(stderr, "mix: %s stays\n", root);
}

static pid_t start_far_end(void)
{
	struct sockaddr_in web = address_of(PORT), resolver = address_of(DNS_PORT);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), questions = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	pid_t pid;

	if (bind(listener, (void *)&web, sizeof web) != 0 || listen(listener, 4096) != 0 ||
	    bind(questions, (void *)&resolver, sizeof resolver) != 0)
		die("far end");
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		far_end(listener);
	}
	close(listener);
	return pid; // which keeps the resolver's socket open as well
}

static void report(int count, double rate, double seconds)
{
	struct worker t = { 0 };
	long long records;

	for (int i = 0; i < count; i++) {
		struct worker *w = &workers[i];

		t.opens += w->opens, t.execs += w->execs, t.forks += w->forks, t.connects += w->connects, t.queries += w->queries;
		t.failed += w->failed, t.cpu_us += w->cpu_us;
		t.behind_ns = w->behind_ns > t.behind_ns ? w->behind_ns : t.behind_ns;
	}
	records = t.opens + 3 * t.execs + 2 * t.forks + 4 * t.connects + 2 * t.queries;
	printf("{\"asked_per_s\":%.0f,\"seconds\":%.3f,\"records\":%lld,\"records_per_s\":%.0f,\"opens\":%lld,\"execs\":%lld,"
	       "\"forks\":%lld,\"connects\":%lld,\"queries\":%lld,\"failed\":%lld,\"behind_ms\":%.1f,\"cpu_s\":%.2f,"
	       "\"cpu_us_per_record\":%.2f}\n",
	       rate, seconds, records, records / seconds, t.opens, t.execs, t.execs + t.forks, t.connects, t.queries, t.failed,
	       t.behind_ns / 1e6, t.cpu_us / 1e6, records ? (double)t.cpu_us / records : 0);
}

int main(int argc, char **argv)
{
	double rate = argc > 1 ? atof(argv[1]) : 0, seconds = argc > 2 ? atof(argv[2]) : 0;
	int count = argc > 3 ? atoi(argv[3]) : 20;
	pid_t far, pids[MAX_WORKERS];
	long long begin;

	if (argc == 3 && !strcmp(argv[1], "id"))
		return puts(id_of(atoi(argv[2]))) < 0;
	if (argc < 3 || seconds <= 0 || count < 1 || count > MAX_WORKERS) {
		fprintf(stderr, "usage: mix RATE SECONDS [CGROUPS up to %d]\n", MAX_WORKERS);
		return 2;
	}
	signal(SIGINT, stop);
	signal(SIGTERM, stop);
	prepare(count);
	far = start_far_end();
	begin = clock_ns(CLOCK_MONOTONIC) + 100000000;
	for (int i = 0; i < count; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			work(i, rate / ROUND / count, begin, begin + (long long)(seconds * 1e9));
	}
	for (int i = 0; i < count; i++)
		while (waitpid(pids[i], NULL, 0) < 0 && errno == EINTR)
			if (stopped)
				for (int k = 0; k < count; k++)
					kill(pids[k], SIGTERM);
	seconds = (clock_ns(CLOCK_MONOTONIC) - begin) / 1e9;
	kill(far, SIGKILL);
	waitpid(far, NULL, 0);
	report(count, rate, seconds);
	tidy(count);
	return 0;
}
