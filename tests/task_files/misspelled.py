"""Imports what there is not."""

from tasks.spec import Quadratik, Task

TASKS = [Task(model=Quadratik())]
