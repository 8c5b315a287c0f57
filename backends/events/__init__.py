"""The backend that reads events as JSON lines, each given by the values of its fields."""
