"""Events by eBPF: watches the whole machine from inside the kernel, which decides what is of interest."""
