"""How a step's time grows with the size of a task, backend by backend.

grid.py         which tasks are timed, and along which axes
work.py         what a step of a task has to compute
line.py         a backend's step time as a sum of costs
crossover.py    where one backend overtakes another
peak.py         the most floating-point operations a second that this machine does
outcome.py      what was found, as the data of scale.json
conduct.py      all of it in turn
"""
