// One storm of one kind of call, from inside a cgroup that is named as a container: what a sensor costs the process
// that it observes.
//
//   storm exec|getppid|connect COUNT
//
// Prints nanoseconds per operation: processor time of this process and its children (the kernel programs run inside
// them, so theirs is part of it), then elapsed time. The connections are on the loopback of a network namespace of
// its own, both ends in this process, as in a container that talks to itself.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "clock.h"

static const char id[] = "5708a0000000000000000000000000000000000000000000000000000000cafe";
static char folder[300], nothing[280];
static int listener;

static void die(const char *what)
{
	fprintf(stderr, "storm: %s: %s\n", what, strerror(errno));
	exit(2);
}

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

static void enter(void)
{
	const char *root = access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/unified";
	char path[400];
	int fd;

	snprintf(folder, sizeof folder, "%s/%s", root, id);
	snprintf(path, sizeof path, "%s/cgroup.procs", folder);
	if (mkdir(folder, 0755) != 0 && errno != EEXIST)
		die(folder);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, "0", 1) != 1)
		die(path);
	close(fd);
}

// Back to the top, so that the cgroup can go.
static void leave(void)
{
	char path[400];
	int fd;

	snprintf(path, sizeof path, "%.*s/cgroup.procs", (int)(strlen(folder) - sizeof id), folder);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, "0", 1) != 1)
		perror(path);
	close(fd);
	for (int tries = 0; rmdir(folder) != 0 && tries < 100; tries++)
		usleep(10000);
}

static void *serve(void *unused)
{
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd >= 0)
			close(fd);
	}
	return unused;
}

static struct sockaddr_in listen_here(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(8080) };
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	pthread_t server;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (unshare(CLONE_NEWNET) != 0)
		die("network namespace");
	listener = socket(AF_INET, SOCK_STREAM, 0);
	if (ioctl(listener, SIOCSIFFLAGS, &request) != 0 || bind(listener, (void *)&address, sizeof address) != 0 ||
	    listen(listener, 4096) != 0 || pthread_create(&server, NULL, serve, NULL) != 0)
		die("listener");
	return address;
}

// As shells and lmbench's lat_proc do it: fork, execve, exit, wait. posix_spawn would add some 130 sigaction calls, whose
// observation is what the getppid storm measures.
static void exec_once(void)
{
	char *argv[] = { nothing, NULL }, *envp[] = { NULL };
	int status;
	pid_t pid;

	pid = fork();
	if (pid == 0) {
		execve(nothing, argv, envp);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		die("exec");
}

static void connect_once(struct sockaddr_in *address)
{
	struct linger reset = { 1, 0 };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(fd, (void *)address, sizeof *address) != 0)
		die("connect");
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
	close(fd);
}

int main(int argc, char **argv)
{
	long count = argc == 3 ? atol(argv[2]) : 0;
	struct sockaddr_in address = { 0 };
	long long wall, cpu;
	char kind = argc == 3 ? argv[1][0] : 0;

	if (count <= 0 || !strchr("egc", kind)) {
		fprintf(stderr, "usage: storm exec|getppid|connect COUNT\n");
		return 2;
	}
	find_nothing();
	if (kind == 'c')
		address = listen_here();
	enter();
	wall = clock_ns(CLOCK_MONOTONIC);
	cpu = cpu_us(RUSAGE_SELF) + cpu_us(RUSAGE_CHILDREN);
	for (long i = 0; i < count; i++) {
		if (kind == 'e')
			exec_once();
		else if (kind == 'c')
			connect_once(&address);
		else
			syscall(SYS_getppid);
	}
	cpu = cpu_us(RUSAGE_SELF) + cpu_us(RUSAGE_CHILDREN) - cpu;
	wall = clock_ns(CLOCK_MONOTONIC) - wall;
	leave();
	printf("%.1f %.1f\n", cpu * 1000.0 / count, (double)wall / count);
	return 0;
}
