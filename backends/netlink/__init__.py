"""Netlink sockets that tell of processes and of sockets: readers for the other backends, not a backend."""
