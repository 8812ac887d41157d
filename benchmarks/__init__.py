"""Benchmarks: what the synthetic bank and the build cost, measured in one run each."""
