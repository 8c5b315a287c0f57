"""What a program that runs for a long time needs around its engine."""
