"""From the raw arguments of system calls to the parameters of events, for every backend that sees them."""
