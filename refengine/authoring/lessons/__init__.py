"""A course in writing rules: lessons as data, their judgement, hints, and the progress of whoever takes it."""
