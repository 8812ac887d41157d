"""Lending: the arithmetic of loans, cohorts of borrowers."""
