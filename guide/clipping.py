"""Clipping of gradients."""
