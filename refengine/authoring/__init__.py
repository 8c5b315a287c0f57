"""What authors of rules work with: unit tests, explanations, doubts about rules, and their layout."""
