"""Where training starts: the same network from six kinds of initial kernels, the same numbers everywhere."""

from collections.abc import Mapping

from tasks import draw
from tasks.build import network
from tasks.moons import SMALL
from tasks.spec import Array, GradientDescent, Network, Task

SIZES = (2, 10, 10, 1)
TAGS = ("initialisation",)


def _from(kind: str, shows: str, start: Mapping[str, Array], tags: tuple[str, ...] = TAGS) -> Task:
    return network(
        f"start-{kind}",
        shows,
        SMALL,
        Network((10, 10), "relu"),
        tags=tags,
        epochs=60,
        optimizer=GradientDescent(0.3),
        start=start,
    )


def _zeros() -> dict[str, Array]:
    return draw.zeros(w1=(2, 10), b1=(10,), w2=(10, 10), b2=(10,), w3=(10, 1), b3=(1,))


TASKS = (
    _from("zeros", "All units are the same and stay so: nothing but the last bias learns.", _zeros()),
    _from("uniform", "Uniform in ±0.05: signals shrink from layer to layer.", draw.uniform(SIZES, seed=1)),
    _from("normal", "Normal with deviation 0.05: likewise.", draw.normal(SIZES, seed=1)),
    _from("glorot", "Glorot's bound, made for tanh.", draw.glorot(SIZES, seed=1)),
    _from("he", "He's deviation, made for relu.", draw.he(SIZES, seed=1), (*TAGS, "default")),
    _from("orthogonal", "Orthonormal rows or columns.", draw.orthogonal(SIZES, seed=1)),
)
