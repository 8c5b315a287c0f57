"""Looking around in recorded events: conditions that are typed, and the events for which they hold."""
