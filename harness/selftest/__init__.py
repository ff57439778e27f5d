"""Show the checker every fault of the catalogue, and see whether it finds them.

The real path throughout: a worker builds the wrong program, records it and stores the trace; the trace is
compared with the reference's, and the cause looked for.

    inject.py    is every fault found, when, where, and is its cause named?
    files.py     is damage to the files of a run noticed?
    clean.py     is nothing found where nothing is wrong, on random tasks?
    power.py     what is the smallest change of a hyper-parameter that is found?
    outcome.py   what was found, and what is promised
    workers.py   one worker for each backend
"""
