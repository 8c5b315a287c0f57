"""Capture files (`.scap`): reading those of any age, and writing current ones."""
