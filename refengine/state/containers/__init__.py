"""Containers: whose a process is, by its control groups, and what the container's runtime knows of it."""
