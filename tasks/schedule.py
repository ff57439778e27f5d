"""Learning-rate schedules: one network, one start, one number of steps."""

from tasks.build import network
from tasks.moons import SMALL
from tasks.spec import (
    Constant,
    CosineDecay,
    ExponentialDecay,
    GradientDescent,
    Momentum,
    Network,
    Optimizer,
    Plateau,
    Schedule,
    StepDecay,
    Task,
    WarmUp,
)

EPOCHS = 30
STEPS = EPOCHS * 5  # batches of 32 in 140 rows: 5 an epoch
TAGS = ("schedule",)


def _scheduled(
    kind: str,
    shows: str,
    schedule: Schedule,
    optimizer: Optimizer = GradientDescent(1.0),  # noqa: B008  frozen
    tags: tuple[str, ...] = TAGS,
) -> Task:
    return network(
        f"schedule-{kind}",
        shows,
        SMALL,
        Network((10,), "tanh"),
        tags=tags,
        epochs=EPOCHS,
        optimizer=optimizer,
        schedule=schedule,
        size=32,
    )


TASKS = (
    _scheduled("constant", "The rate stays.", Constant()),
    _scheduled("step", "The rate is halved every 50 steps.", StepDecay(every=50, by=0.5)),
    _scheduled("exponential", "The rate shrinks by 2 % in every step.", ExponentialDecay(by=0.98)),
    _scheduled(
        "cosine",
        "The rate follows half a cosine down to a hundredth.",
        CosineDecay(STEPS),
        tags=(*TAGS, "default"),
    ),
    _scheduled("warm-up", "The rate rises for 25 steps, then stays.", WarmUp(25)),
    _scheduled(
        "plateau",
        "The rate falls to a fifth when three epochs in a row bring no new lowest loss.",
        Plateau(by=0.2, patience=2),
    ),
    _scheduled(
        "step-momentum",
        "Halved with momentum, where it matters whether the rate stands inside or outside the velocity.",
        StepDecay(every=50, by=0.5),
        Momentum(0.1, 0.9),
    ),
)
