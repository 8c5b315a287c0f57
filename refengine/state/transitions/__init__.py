"""What each kind of event changes: one module a family, and the table that names them by event type."""
