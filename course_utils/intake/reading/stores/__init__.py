"""Parquet and databases: values with types, as exact text."""
