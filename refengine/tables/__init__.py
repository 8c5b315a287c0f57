"""Facts as data: event types, flag names, system calls and fields, read from the JSON files in `data/`."""
