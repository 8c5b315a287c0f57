"""The grammars of the language, as texts that the specification refers to, and the JSON Schema of rules files."""
