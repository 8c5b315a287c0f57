"""Why a rule alerts on an event or does not, and what a rule is after all overrides."""
