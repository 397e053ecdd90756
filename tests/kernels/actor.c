// Acts out, in a guest, one of each thing that the kernel sensor must see, with names and numbers that the host side
// looks for (expected.tsv). Static, so that it runs in any root file system.
//
//   actor enter CGROUP PROGRAM ARG…   joins the cgroup and a mount namespace of its own, as a runtime does, then runs
//   actor all                         every act below, in this order; status 1 names an act that did not work
//   actor host                        acts of a host process, none of which may be charged to a container
//   actor true                        nothing: what the exec acts run
//
// Harmless by construction: loopback only, files below /tmp only, calls that load code are made with nothing to load.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int failures;

static void worked(const char *act, int ok)
{
	if (!ok) {
		printf("act %s did not work: %s\n", act, strerror(errno));
		failures++;
	}
}

// Runs PATH as "act-NAME true" in a child and waits for it.
static int run(const char *path, const char *name)
{
	char *argv[] = { (char *)name, "true", NULL };
	char *envp[] = { "LD_PRELOAD=/tmp/act.so", NULL };
	int status;
	pid_t child = fork();

	if (child == 0) {
		execve(path, argv, envp);
		_exit(127);
	}
	return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int copy_self(int to)
{
	char part[65536];
	ssize_t length;
	int from = open("/proc/self/exe", O_RDONLY);

	while ((length = read(from, part, sizeof part)) > 0)
		if (write(to, part, length) != length)
			return 0;
	close(from);
	return length == 0;
}

static void programs(void)
{
	char path[64];
	int fd;

	for (int i = 0; i < 3; i++)
		worked("exec", run("/proc/self/exe", "act-exec"));

	fd = memfd_create("act-memory", MFD_CLOEXEC);
	worked("memfd", copy_self(fd));
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	worked("memfd exec", run(path, "act-memfd"));

	fd = open("/tmp/act-dropped", O_CREAT | O_WRONLY, 0755);
	worked("drop", copy_self(fd));
	close(fd);
	worked("dropped exec", run("/tmp/act-dropped", "act-dropped"));
}

static void files(void)
{
	int fd, folder;

	for (int i = 0; i < 4; i++) {
		fd = open("/tmp/act-write", O_CREAT | O_WRONLY, 0644);
		worked("write", write(fd, "act", 3) == 3);
		close(fd);
	}
	worked("rename", rename("/tmp/act-write", "/tmp/act-renamed") == 0);
	worked("chmod", chmod("/tmp/act-renamed", 0600) == 0);
	worked("link", symlink("/tmp/act-renamed", "/tmp/act-link") == 0);
	close(open("/tmp/ID_rsa", O_CREAT | O_WRONLY, 0600));
	close(open("/tmp/ID_rsa", O_RDONLY));
	worked("mkdir", mkdir("/tmp/act-folder", 0755) == 0);
	folder = open("/tmp/act-folder", O_RDONLY | O_DIRECTORY);
	fd = openat(folder, "../act-relative", O_CREAT | O_WRONLY, 0600);
	worked("relative", fd >= 0);
	close(fd);
	close(folder);
	worked("unlink", unlink("/tmp/act-link") == 0);
}

// open() by the 32-bit call, which a sensor of 64-bit calls alone would miss. Its path must lie below 4 GiB.
static void compat(void)
{
	long fd;
	char *path = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	strcpy(path, "/tmp/act-compat");
	asm volatile("int $0x80" : "=a"(fd) : "a"(5), "b"(path), "c"(O_CREAT | O_WRONLY), "d"(0644)
		     : "memory", "r8", "r9", "r10", "r11");
	worked("32-bit open", fd >= 0);
}

// openat through a ring: no system call of that name is made.
static void uring(void)
{
	struct io_uring_params params = { 0 };
	struct io_uring_sqe *entry;
	unsigned *tail, *array;
	char *ring;
	int fd = syscall(SYS_io_uring_setup, 8, &params);

	if (fd < 0) {
		worked("io_uring_setup", 0);
		return;
	}
	ring = mmap(NULL, params.sq_off.array + 8 * sizeof(unsigned), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd,
		    IORING_OFF_SQ_RING);
	entry = mmap(NULL, 8 * sizeof *entry, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, IORING_OFF_SQES);
	memset(entry, 0, sizeof *entry);
	entry->opcode = IORING_OP_OPENAT;
	entry->fd = AT_FDCWD;
	entry->addr = (unsigned long)"/tmp/act-uring";
	entry->open_flags = O_CREAT | O_WRONLY;
	entry->len = 0644;
	tail = (unsigned *)(ring + params.sq_off.tail);
	array = (unsigned *)(ring + params.sq_off.array);
	array[0] = 0;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	worked("io_uring", syscall(SYS_io_uring_enter, fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) == 1 &&
				   access("/tmp/act-uring", F_OK) == 0);
}

static struct sockaddr_in loopback(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return address;
}

// Two whole connections to 127.0.0.1:4444 with payload, one refused to port 9, one shell-like descriptor move.
static void tcp(void)
{
	struct sockaddr_in address = loopback(4444), closed = loopback(9);
	char part[16];
	int on = 1, client, server, listener = socket(AF_INET, SOCK_STREAM, 0);

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	worked("listen", bind(listener, (void *)&address, sizeof address) == 0 && listen(listener, 4) == 0);
	for (int i = 0; i < 2; i++) {
		client = socket(AF_INET, SOCK_STREAM, 0);
		worked("connect", connect(client, (void *)&address, sizeof address) == 0);
		server = accept(listener, NULL, NULL);
		worked("payload", write(client, "act-payload", 11) == 11 && read(server, part, sizeof part) == 11);
		close(client);
		close(server);
	}
	client = socket(AF_INET, SOCK_STREAM, 0);
	worked("refused", connect(client, (void *)&closed, sizeof closed) < 0 && errno == ECONNREFUSED);
	close(client);

	client = socket(AF_INET, SOCK_STREAM, 0);
	connect(client, (void *)&address, sizeof address);
	if (fork() == 0) {
		dup2(client, 0);
		_exit(0);
	}
	wait(NULL);
	close(client);
	close(listener);
}

// A query for act.test to a resolver that reads it and never answers.
static void dns(void)
{
	char part[64];
	static const char query[] = "\x12\x34\1\0\0\1\0\0\0\0\0\0\3act\4test\0\0\1\0\1";
	struct sockaddr_in address = loopback(53);
	int client = socket(AF_INET, SOCK_DGRAM, 0), server = socket(AF_INET, SOCK_DGRAM, 0);

	worked("resolver", bind(server, (void *)&address, sizeof address) == 0);
	worked("dns", sendto(client, query, sizeof query - 1, 0, (void *)&address, sizeof address) == sizeof query - 1);
	// Closed sooner, the socket could be gone before the datagram is there.
	worked("dns received", read(server, part, sizeof part) == sizeof query - 1);
	close(client);
	close(server);
}

static void local_socket(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/tmp/act.sock" };
	int client = socket(AF_UNIX, SOCK_STREAM, 0), listener = socket(AF_UNIX, SOCK_STREAM, 0);

	worked("unix listen", bind(listener, (void *)&address, sizeof address) == 0 && listen(listener, 1) == 0);
	worked("unix connect", connect(client, (void *)&address, sizeof address) == 0);
}

// An echo request to loopback, which the raw socket gets too: packets without ports.
static void ping(void)
{
	static const char echo[] = "\x08\0\xf7\xff\0\0\0";
	struct sockaddr_in address = loopback(0);
	char part[64];
	int raw = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);

	worked("raw socket", raw >= 0);
	worked("ping", sendto(raw, echo, sizeof echo, 0, (void *)&address, sizeof address) == sizeof echo);
	worked("pinged", read(raw, part, sizeof part) > 0);
	close(raw);
}

static void privilege(void)
{
	char nothing[64] = { 0 };
	int self = open("/proc/self/ns/net", O_RDONLY);
	pid_t child = fork();

	if (child == 0) {
		pause();
		_exit(0);
	}
	worked("ptrace", ptrace(PTRACE_ATTACH, child, NULL, NULL) == 0);
	waitpid(child, NULL, 0);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	worked("unshare", unshare(CLONE_NEWUTS) == 0);
	worked("setns", setns(self, CLONE_NEWNET) == 0);
	mkdir("/tmp/act-mount", 0755);
	worked("mount", mount("tmpfs", "/tmp/act-mount", "tmpfs", 0, NULL) == 0);
	worked("umount", umount2("/tmp/act-mount", 0) == 0);
	// Refused attempts count as much as the ones that work.
	worked("mount attempt", mount("/tmp/act-none", "/tmp/act-mount", "ext4", 0, NULL) < 0);
	worked("init_module", syscall(SYS_init_module, nothing, sizeof nothing, "") < 0);
	worked("bpf", syscall(SYS_bpf, 5, nothing, sizeof nothing) < 0);
	worked("setuid", setuid(0) == 0);
	worked("memory", mmap(NULL, 4096, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
}

static int enter(const char *cgroup, char **argv)
{
	char path[512];
	int fd;

	snprintf(path, sizeof path, "%s/cgroup.procs", cgroup);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, "0", 1) != 1 || unshare(CLONE_NEWNS) != 0) {
		perror(cgroup);
		return 1;
	}
	close(fd);
	mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	execv(argv[0], argv);
	perror(argv[0]);
	return 127;
}

static int all(void)
{
	programs();
	files();
	compat();
	uring();
	tcp();
	dns();
	local_socket();
	ping();
	privilege();
	return failures != 0;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc >= 4 && !strcmp(argv[1], "enter"))
		return enter(argv[2], argv + 3);
	if (argc == 2 && !strcmp(argv[1], "all"))
		return all();
	if (argc == 2 && !strcmp(argv[1], "host"))
		return !run("/proc/self/exe", "act-host");
	return argc == 2 && !strcmp(argv[1], "true") ? 0 : 2;
}
