"""Initialisers: what layers start with."""
