"""Customers: tiers, portfolios, relations, leads and the matching of lists."""
