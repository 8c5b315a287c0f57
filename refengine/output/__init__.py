"""What a match becomes: output templates, values as text, alerts, and the channels that carry them."""
