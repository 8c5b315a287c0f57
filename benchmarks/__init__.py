"""Measured programs and the scripts that compare with recorded values."""
