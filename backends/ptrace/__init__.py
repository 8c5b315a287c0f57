"""Events by ptrace: needs no privileges, watches a command and its whole tree, or processes by their ids."""
