"""What F1's services send: a table of feeds, and the parsers of their bodies."""
