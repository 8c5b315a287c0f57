"""What makes the documentation site: the documents of the repository, and pages written from the tables."""
