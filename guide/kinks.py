"""Gradients at kinks and ties."""
