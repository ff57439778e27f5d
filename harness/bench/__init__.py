"""The suite's own benchmark: how far its columns are from the fastest loops, and what a run costs."""
