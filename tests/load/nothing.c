// The cheapest program: ends with status 0. Without the C library, whose start asks the processor for its features:
// in a virtual machine each such question costs more than all that the kernel does for an exec.
//
// Built with -nostdlib -static.
void _start(void)
{
	asm volatile("syscall" : : "a"(60), "D"(0)); // exit(0)
	__builtin_unreachable();
}
