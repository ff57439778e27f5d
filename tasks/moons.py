"""Two interleaved half circles: width of the network, and the three kinds of gradient descent."""

from tasks import draw
from tasks.build import mlp_classifier
from tasks.spec import Batches, GradientDescent, Network, Stopping, Task

SMALL = draw.split(*draw.moons(200, noise=0.2, seed=42), test=0.3, seed=42)
NOISY = draw.split(*draw.moons(1000, noise=0.3, seed=42), test=0.2, seed=42)


def _descent(kind: str, shows: str, size: int) -> Task:
    """One of three kinds: same data, start, learning rate and number of passes; only the batch differs."""
    return Task(
        name=f"moons-{kind}",
        shows=shows,
        model=Network((10,), activation="tanh"),
        data=SMALL,
        start=draw.glorot((2, 10, 1), seed=1),
        optimizer=GradientDescent(learning_rate=0.1),
        batches=Batches(size, draw.Shuffled(seed=1)),
        stopping=Stopping(max_epochs=30),
        tags=("moons", "batch-size", "chapter", "default"),
    )


TASKS = (
    mlp_classifier(
        "moons-overfit",
        "100 + 100 units on 140 rows, expected to overfit: measured, they generalise best of the three.",
        SMALL,
        hidden=(100, 100),
        max_epochs=2000,
        tags=("moons", "chapter", "default"),
    ),
    mlp_classifier(
        "moons-good-fit",
        "10 units, expected to fit well: measured, they do worse than 100 + 100.",
        SMALL,
        hidden=(10,),
        max_epochs=2000,
        tags=("moons", "chapter", "default"),
    ),
    mlp_classifier(
        "moons-underfit",
        "2 units can hardly bend the boundary.",
        SMALL,
        hidden=(2,),
        max_epochs=2000,
        tags=("moons", "chapter", "default"),
    ),
    mlp_classifier(
        "moons-noisy-underfit",
        "1 unit on 800 noisy rows: little more than a straight line.",
        NOISY,
        hidden=(1,),
        max_epochs=1000,
        tags=("moons", "chapter", "default"),
    ),
    mlp_classifier(
        "moons-noisy-well-fit",
        "100 + 100 units on 800 noisy rows.",
        NOISY,
        hidden=(100, 100),
        max_epochs=1000,
        tags=("moons", "chapter", "default", "timed"),
    ),
    _descent("full-batch", "Gradient descent on all 140 rows at once: one smooth step per pass.", size=140),
    _descent("stochastic", "The same from one row at a time: 140 rough steps per pass.", size=1),
    _descent(
        "mini-batch", "The same from 32 rows at a time, the last 12 of each pass kept as a batch.", size=32
    ),
)
