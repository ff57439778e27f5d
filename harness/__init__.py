"""Run every task on every backend, compare step by step, time fairly, report."""
