"""Prefilters: what the kernel side decides by itself, so that irrelevant events cost next to nothing."""
