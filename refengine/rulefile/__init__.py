"""Rule files: from YAML text to definitions, after every append, override, list, macro and exception."""
