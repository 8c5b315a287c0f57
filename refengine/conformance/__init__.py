"""The conformance suite: building it from its tables, and running it against this engine or any other."""
