"""Real data that comes with scikit-learn: several classes, and a regression."""

from tasks import draw
from tasks.build import network
from tasks.spec import (
    Adam,
    BinaryCrossEntropy,
    CategoricalCrossEntropy,
    Dataset,
    Loss,
    Momentum,
    Network,
    Optimizer,
    SquaredError,
    Task,
)


def _data(name: str) -> Dataset | None:
    """A quarter held back, features scaled; None where scikit-learn is not installed."""
    found = draw.shipped(name)
    if found is None:
        return None
    x, y = found
    if name == "diabetes":  # from 25 to 346: as they are, the first steps would be far too long
        y = y / 100
    return draw.scaled(draw.split(x, y, test=0.25, seed=0))


def _real(
    name: str,
    shows: str,
    source: str,
    loss: Loss,
    hidden: tuple[int, ...],
    *tags: str,
    optimizer: Optimizer = Adam(0.01),  # noqa: B008  frozen
    epochs: int = 20,
) -> list[Task]:
    data = _data(source)
    if data is None:
        return []
    model = Network(hidden, loss=loss)
    return [
        network(
            name, shows, data, model, tags=tags, epochs=epochs, optimizer=optimizer, size=min(32, data.rows)
        )
    ]


TASKS = (
    *_real(
        "iris",
        "Three species from four measures.",
        "iris",
        CategoricalCrossEntropy(3),
        (10,),
        "classes",
        "default",
    ),
    *_real(
        "iris-smoothed",
        "The same with labels smoothed by 0.1.",
        "iris",
        CategoricalCrossEntropy(3, smoothing=0.1),
        (10,),
        "classes",
    ),
    *_real(
        "iris-softmax-regression",
        "Without a hidden layer: softmax regression, by momentum.",
        "iris",
        CategoricalCrossEntropy(3),
        (),
        "classes",
        optimizer=Momentum(0.05),
    ),
    *_real(
        "wine",
        "Three growers from thirteen chemical measures.",
        "wine",
        CategoricalCrossEntropy(3),
        (10,),
        "classes",
    ),
    *_real(
        "digits",
        "Ten digits from 8 × 8 grey values.",
        "digits",
        CategoricalCrossEntropy(10),
        (16,),
        "classes",
        epochs=3,
    ),
    *_real(
        "breast-cancer",
        "Two classes from thirty measures.",
        "breast_cancer",
        BinaryCrossEntropy(),
        (10,),
        "classes",
        epochs=5,
    ),
    *_real(
        "diabetes",
        "Progression of a disease from ten measures: a regression.",
        "diabetes",
        SquaredError(),
        (10,),
        "regression",
        "default",
    ),
    *_real(
        "diabetes-linear", "The same by a linear regression.", "diabetes", SquaredError(), (), "regression"
    ),
)
