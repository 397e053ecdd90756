// The short life of a container: one each of exec, connect, DNS question and write, every one with the mark of this
// life, so that a recording can be compared with the truth. About 20 ms from start to end.
//
//   act life NUMBER            the marks are life-NUMBER (path; with .act.test: arguments, asked name) and 127.A.B.C, the
//                              digits of NUMBER in base 250, each plus one. What it executes passes for a telnet client,
//                              so that each life also raises an alert.
//   act alert TEXT             becomes a plain-text client: an alert whose evidence holds TEXT-NANOSECONDS.act.test,
//                              nanoseconds of CLOCK_BOOTTIME just before the exec
//   act alerts TEXT COUNT MS   COUNT of them, TEXT-0 and so on, one every MS milliseconds, each by a file of its own name
//   act sleep                  nothing, until it is ended
//
// Harmless by construction: loopback only, nothing answers, files below /tmp only. Static and alone in its image.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "clock.h"

enum { LIFE_MS = 20, PORT = 4444, DNS_PORT = 53, BASE = 250 };

static int worked(const char *what, int ok)
{
	if (!ok)
		fprintf(stderr, "act: %s: %s\n", what, strerror(errno));
	return ok;
}

static int wait_for(pid_t pid)
{
	int status;

	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int run(const char *mark)
{
	char name[64];
	char *argv[] = { "telnet", name, "4444", NULL }, *envp[] = { NULL };
	pid_t pid = fork();

	snprintf(name, sizeof name, "%s.act.test", mark);
	if (pid == 0) {
		execve("/proc/self/exe", argv, envp);
		_exit(127);
	}
	return worked("exec", wait_for(pid));
}

// Refused at once: nobody listens.
static int dial(int number)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), refused;

	address.sin_addr.s_addr = htonl(127u << 24 | (number / BASE / BASE + 1) << 16 | (number / BASE % BASE + 1) << 8 | (number % BASE + 1));
	refused = connect(fd, (void *)&address, sizeof address) != 0 && errno == ECONNREFUSED;
	close(fd);
	return worked("connect", refused);
}

static int ask(const char *mark)
{
	unsigned char query[128] = { 0x12, 0x34, 1, 0, 0, 1 };
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(DNS_PORT) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), sent, length = strlen(mark);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	query[12] = length;
	memcpy(query + 13, mark, length);
	memcpy(query + 13 + length, "\3act\4test\0\0\1\0\1", 14);
	sent = sendto(fd, query, 13 + length + 14, 0, (void *)&address, sizeof address);
	close(fd);
	return worked("dns", sent > 0);
}

static int put(const char *mark)
{
	char path[128];
	int fd, written;

	snprintf(path, sizeof path, "/tmp/%s", mark);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	written = write(fd, mark, strlen(mark));
	close(fd);
	return worked("write", written > 0);
}

static int life(int number)
{
	char mark[32];
	long long end = clock_ns(CLOCK_MONOTONIC) + LIFE_MS * 1000000LL, left;
	int ok;

	snprintf(mark, sizeof mark, "life-%d", number);
	mkdir("/tmp", 0777);
	ok = run(mark) & dial(number) & ask(mark) & put(mark);
	left = end - clock_ns(CLOCK_MONOTONIC);
	if (left > 0)
		usleep(left / 1000);
	return !ok;
}

static int alert(const char *program, const char *text)
{
	char host[160];
	char *argv[] = { "telnet", host, "4444", NULL }, *envp[] = { NULL };

	snprintf(host, sizeof host, "%s-%lld.act.test", text, clock_ns(CLOCK_BOOTTIME));
	execve(program, argv, envp);
	perror(program);
	return 127;
}

// Alerts about one program fold into one: each act has a name of its own for the same file.
static int alerts(const char *name, int count, int every_ms)
{
	char path[64], text[64], part[65536];
	ssize_t length;
	int from = open("/proc/self/exe", O_RDONLY), to, ok = 1;

	mkdir("/tmp", 0777);
	to = open("/tmp/client", O_CREAT | O_WRONLY | O_TRUNC, 0755);
	while ((length = read(from, part, sizeof part)) > 0)
		if (write(to, part, length) != length)
			return !worked("copy", 0);
	close(to);
	for (int i = 0; i < count; i++) {
		pid_t pid;

		snprintf(path, sizeof path, "/tmp/client-%d", i);
		snprintf(text, sizeof text, "%s-%d", name, i);
		ok &= worked("link", link("/tmp/client", path) == 0);
		pid = fork();
		if (pid == 0)
			_exit(alert(path, text));
		ok &= worked("client", wait_for(pid));
		usleep(every_ms * 1000);
	}
	return !ok;
}

int main(int argc, char **argv)
{
	if (!strcmp(argv[0], "telnet"))
		return 0;
	if (argc == 3 && !strcmp(argv[1], "life"))
		return life(atoi(argv[2]));
	if (argc == 3 && !strcmp(argv[1], "alert"))
		return alert("/proc/self/exe", argv[2]);
	if (argc == 5 && !strcmp(argv[1], "alerts"))
		return alerts(argv[2], atoi(argv[3]), atoi(argv[4]));
	if (argc == 2 && !strcmp(argv[1], "sleep"))
		for (;;)
			pause();
	fprintf(stderr, "usage: act life NUMBER | alert TEXT | alerts TEXT COUNT MS | sleep\n");
	return 2;
}
