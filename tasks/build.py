"""Tasks from a few choices, where the rest is the same for many."""

from collections.abc import Mapping

from tasks import draw
from tasks.spec import (
    Adam,
    Array,
    Batches,
    Constant,
    Dataset,
    GradientDescent,
    Network,
    Optimizer,
    Order,
    Schedule,
    Stopping,
    Task,
)


def mlp_classifier(
    name: str,
    shows: str,
    data: Dataset,
    *,
    hidden: tuple[int, ...],
    max_epochs: int,
    learning_rate: float = 0.001,
    seed: int = 42,
    tags: tuple[str, ...] = (),
) -> Task:
    """What `MLPClassifier(hidden, max_iter=max_epochs, learning_rate_init=…, random_state=seed)` solves.

    All else is scikit-learn's default: relu, alpha 1e-4, Adam in its ε̂ form, batches of min(200, N)
    rows, reshuffled every epoch, a stop after more than 10 epochs without an improvement of 1e-4.
    """
    model = Network(hidden, activation="relu", l2=1e-4)
    start = draw.scikit_learn_start((data.features, *hidden, 1), seed, model.activation)
    drawn = sum(array.size for array in start.values())
    return Task(
        name=name,
        shows=shows,
        model=model,
        data=data,
        start=start,
        optimizer=Adam(learning_rate, epsilon_hat=True),
        batches=Batches(min(200, data.rows), draw.ScikitLearnShuffled(seed, drawn)),
        stopping=Stopping(max_epochs, tolerance=1e-4, patience=10),
        tags=tags,
    )


def network(
    name: str,
    shows: str,
    data: Dataset,
    model: Network,
    *,
    tags: tuple[str, ...],
    epochs: int,
    optimizer: Optimizer = GradientDescent(0.1),  # noqa: B008  frozen
    schedule: Schedule = Constant(),  # noqa: B008
    size: int | None = None,
    order: Order = draw.Shuffled(seed=1),  # noqa: B008
    start: Mapping[str, Array] | None = None,
    stopping: Stopping | None = None,
) -> Task:
    """A network trained from Glorot's start, on all rows at once unless a batch has a `size`."""
    sizes = (data.features, *model.hidden, model.loss.outputs)
    return Task(
        name=name,
        shows=shows,
        model=model,
        data=data,
        start=draw.glorot(sizes, seed=1) if start is None else start,
        optimizer=optimizer,
        schedule=schedule,
        batches=Batches(size or data.rows, order),
        stopping=stopping or Stopping(epochs),
        tags=tags,
    )
