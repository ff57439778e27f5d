"""Gradient descent: momentum, Nesterov, dampening, counters, accumulated gradients."""
