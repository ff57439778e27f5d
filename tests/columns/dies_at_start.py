"""Aborts while it is imported, as a framework built for another processor does."""

import os

print("illegal instruction, or so")  # noqa: T201
os.abort()
