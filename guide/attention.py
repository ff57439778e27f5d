"""Attention and embedding: layouts and masks."""
