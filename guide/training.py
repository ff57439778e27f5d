"""Training: shuffles, batches, modes, stopping, what is logged."""
