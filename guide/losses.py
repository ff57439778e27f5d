"""Losses: sums and means, logits, clipped probabilities, smoothing, weights."""
