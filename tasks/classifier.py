"""Tasks that replay `sklearn.neural_network.MLPClassifier(random_state=…).fit` exactly."""

from tasks import draw
from tasks.spec import Adam, Batches, Dataset, Network, Stopping, Task


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
