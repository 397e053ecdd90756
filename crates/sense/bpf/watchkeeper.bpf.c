// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The kernel programs as one translation unit: they share the maps of base.h. */
#include "base.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#include "process.bpf.c"
#include "cgroup.bpf.c"
#include "network.bpf.c"
#include "heartbeat.bpf.c"
#include "packet.bpf.c"
#include "file.bpf.c"
#include "privilege.bpf.c"
#include "unix.bpf.c"
#include "memory.bpf.c"
#include "signal.bpf.c"
#include "uring.bpf.c"
