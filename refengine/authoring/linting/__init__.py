"""Doubts about rules that load: what they are, where, and what would remove them."""
