"""Releases of a bank's data: to a class in the bank, and out of it."""
