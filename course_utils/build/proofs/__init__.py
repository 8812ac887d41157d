"""Proof of every exercise on every bank: solution, blank, misconceptions, mutants, alternatives."""
