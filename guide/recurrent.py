"""Recurrent layers: gates, biases, order of axes."""
