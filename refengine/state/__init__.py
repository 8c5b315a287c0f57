"""What is known of the machine: threads, file descriptors, users; kept up to date by events."""
