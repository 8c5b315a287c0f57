"""From a match to a line: output templates, alerts in text and JSON."""
