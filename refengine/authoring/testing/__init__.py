"""Unit tests of rules: read from YAML, run, judged and reported, with coverage and mutants."""
