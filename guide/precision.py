"""Precision: which numbers are float32, and where they are rounded on the way."""
