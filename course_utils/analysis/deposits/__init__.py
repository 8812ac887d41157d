"""Deposits: balances and averages, maturities, churn, price, market share."""
