"""Metrics and statistics: thresholds, ties, divisors."""
