"""Acquiring merchants: early warning and stars."""
