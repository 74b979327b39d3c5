"""Rows for programs: the API of OpenF1, from this warehouse."""
