"""Conditions: from text to a checked, typed tree, and the ways to evaluate it."""
