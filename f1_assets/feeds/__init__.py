"""Feeds of F1's services: a table of them, and the parsers of their bodies."""
