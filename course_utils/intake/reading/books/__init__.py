"""Workbooks: what is looked at before they are opened, their cells, their disguises."""
