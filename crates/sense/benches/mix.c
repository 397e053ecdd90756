/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Load for the kernel sensor: mix M of docs/benchmarks.md, from containers that are only control groups.
 *
 *	mix RATE SECONDS STUB CGROUP2_MOUNT
 *
 * Twenty workers, each in a control group with the name of a container, make about RATE records a second together:
 * 70 % opens for writing, 15 % fork, exec and exit of STUB (a program that ends at once), 10 % connect, accept and
 * close on the loopback interface, 5 % DNS queries. A worker that falls behind does not catch up: the rate printed
 * at the end is what was really offered. Nothing leaves the machine; control groups are removed at the end.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORKERS = 20, OPENS = 490, EXECS = 35, CONNECTS = 10, QUERIES = 35, UNIT = 700 };

static uint64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void group_path(char *path, size_t size, const char *mount, int worker)
{
	snprintf(path, size, "%s/%062x%02x", mount, 0xbe9c, worker);
}

static void enter_group(const char *mount, int worker)
{
	char path[512], file[544], pid[16];
	group_path(path, sizeof(path), mount, worker);
	mkdir(path, 0755);
	snprintf(file, sizeof(file), "%s/cgroup.procs", path);
	int fd = open(file, O_WRONLY);
	int len = snprintf(pid, sizeof(pid), "%d", getpid());
	if (fd < 0 || write(fd, pid, len) != len)
		die(file);
	close(fd);
}

static void run_stub(const char *stub)
{
	pid_t child = vfork();
	if (!child) {
		char *argv[] = { (char *)stub, "mix", NULL };
		execv(stub, argv);
		_exit(1);
	}
	waitpid(child, NULL, 0);
}

static void connect_once(const struct sockaddr_in *to, int listener)
{
	struct linger reset = { 1, 0 };
	int c = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(c, (const void *)to, sizeof(*to)) == 0) {
		int s = accept(listener, NULL, NULL);
		close(s);
	}
	setsockopt(c, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(c);
}

static void work(int worker, const char *stub, uint64_t interval_ns, uint64_t end_ns, volatile uint64_t *units)
{
	static const unsigned char query[] = "\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x05" "bench\x07" "invalid\0\0\x01\0\x01";
	char path[64];
	snprintf(path, sizeof(path), "/tmp/mix-%d-%d", getpid(), worker);
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in dns = { .sin_family = AF_INET, .sin_port = htons(53), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(here);
	int listener = socket(AF_INET, SOCK_STREAM, 0), udp = socket(AF_INET, SOCK_DGRAM, 0);
	if (bind(listener, (void *)&here, sizeof(here)) || listen(listener, 16) || getsockname(listener, (void *)&here, &len))
		die("listen");
	uint64_t due = now_ns() + interval_ns * worker / WORKERS;
	while (now_ns() < end_ns) {
		uint64_t t = now_ns();
		if (t < due) {
			struct timespec wait = { 0, due - t };
			nanosleep(&wait, NULL);
			continue;
		}
		due = t - due > interval_ns ? t : due + interval_ns;
		for (int i = 0; i < OPENS; i++) {
			close(open(path, O_CREAT | O_RDWR, 0600));
			if (i % (OPENS / EXECS) == 0)
				run_stub(stub);
			if (i % (OPENS / QUERIES) == 1)
				sendto(udp, query, sizeof(query) - 1, 0, (void *)&dns, sizeof(dns));
			if (i % (OPENS / CONNECTS) == 2)
				connect_once(&here, listener);
		}
		*units += 1;
	}
	unlink(path);
}

int main(int argc, char **argv)
{
	if (argc != 5) {
		fprintf(stderr, "usage: mix RATE SECONDS STUB CGROUP2_MOUNT\n");
		return 2;
	}
	double rate = atof(argv[1]);
	uint64_t seconds = atoi(argv[2]);
	uint64_t interval_ns = (uint64_t)(1e9 * UNIT * WORKERS / rate), begin = now_ns();
	volatile uint64_t *units = mmap(NULL, 4096 * WORKERS, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (units == MAP_FAILED)
		die("mmap");
	for (int i = 0; i < WORKERS; i++)
		if (!fork()) {
			enter_group(argv[4], i);
			work(i, argv[3], interval_ns, begin + seconds * 1000000000ull, units + i * 512);
			_exit(0);
		}
	while (wait(NULL) > 0)
		;
	uint64_t all = 0;
	for (int i = 0; i < WORKERS; i++)
		all += units[i * 512];
	double took = (now_ns() - begin) / 1e9;
	printf("offered %.0f operations/s for %.1f s (%llu units)\n", all * UNIT / took, took, (unsigned long long)all);
	for (int i = 0; i < WORKERS; i++) {
		char path[512];
		group_path(path, sizeof(path), argv[4], i);
		rmdir(path);
	}
	return 0;
}
