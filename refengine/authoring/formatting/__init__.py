"""The layout of rules files: one form for all, with every comment kept."""
