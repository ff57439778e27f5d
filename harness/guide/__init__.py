"""Runs the porting guide: every snippet of every card, each framework in its own process.

attempt.py    in the worker: run a card's snippets of one framework
conduct.py    start the workers, ask, compare
outcome.py    what was found: each direction of each card, judged
"""
