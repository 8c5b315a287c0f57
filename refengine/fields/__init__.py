"""The fields that conditions and outputs read: the catalogue, and one module of extractors a class."""
