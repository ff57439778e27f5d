"""Activations and their defaults."""
