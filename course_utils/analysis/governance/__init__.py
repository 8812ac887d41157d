"""Data governance: quality, privacy, data in class."""
