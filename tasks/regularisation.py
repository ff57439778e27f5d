"""Over-fitting, and what is done against it: few rows, much noise, a wide network, long training."""

from tasks import draw
from tasks.build import network
from tasks.spec import Adam, Dataset, Network, Order, Stopping, Task

UNITS, EPOCHS, COPIES, DROPPED = 40, 400, 20, 0.5
FEW = draw.split(*draw.moons(440, noise=0.4, seed=0), test=0.909, seed=0)  # 40 rows for training
WATCHED = draw.with_validation(FEW, rows=13)
ONE_BY_ONE = draw.OneCopyAnEpoch(draw.Shuffled(seed=1), COPIES)


def _against(
    kind: str,
    shows: str,
    model: Network,
    *tags: str,
    data: Dataset = FEW,
    order: Order = draw.Shuffled(seed=1),  # noqa: B008  frozen
    stopping: Stopping | None = None,
) -> Task:
    rows = data.rows // (COPIES if data.rows > FEW.rows else 1)
    return network(
        f"overfit-{kind}",
        shows,
        data,
        model,
        tags=("regularisation", *tags),
        epochs=EPOCHS,
        optimizer=Adam(0.02),
        size=rows,
        order=order,
        stopping=stopping,
    )


TASKS = (
    _against("none", "40 noisy rows and 40 units, without anything against it.", Network((UNITS,), "tanh")),
    _against("l2", "Squares of the weights are penalised.", Network((UNITS,), "tanh", l2=0.5)),
    _against(
        "l1", "Magnitudes are penalised, so that small weights go to zero.", Network((UNITS,), "tanh", l1=0.1)
    ),
    _against("elastic-net", "Half of each.", Network((UNITS,), "tanh", l2=0.25, l1=0.05)),
    _against(
        "dropout",
        "Half of the units are dropped in every epoch; which ones, the task says.",
        Network((UNITS,), "tanh", dropout=DROPPED),
        "default",
        data=draw.thinned(FEW, COPIES, UNITS, DROPPED, seed=3),
        order=ONE_BY_ONE,
    ),
    _against(
        "early-stopping",
        "13 rows are held back; training ends when they are predicted worse, and goes back to the best.",
        Network((UNITS,), "tanh"),
        "default",
        data=WATCHED,
        stopping=Stopping(EPOCHS, tolerance=0.0, patience=40, on_validation=True),
    ),
    _against(
        "augmentation",
        "In every epoch the rows are moved a little, 20 ways in turn.",
        Network((UNITS,), "tanh"),
        data=draw.augmented(FEW, COPIES, noise=0.3, seed=3),
        order=ONE_BY_ONE,
    ),
    _against(
        "max-norm",
        "The weights into a unit have a norm of at most 1.",
        Network((UNITS,), "tanh", max_norm=1.0),
    ),
)
