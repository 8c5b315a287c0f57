"""A reference interpreter for the Falco rules language."""
