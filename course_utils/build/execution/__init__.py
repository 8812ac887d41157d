"""Executing lessons for a bank: kernels, what to run again, in what order."""
