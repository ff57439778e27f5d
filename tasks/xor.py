"""XOR, which no perceptron can learn."""

from tasks import draw
from tasks.build import mlp_classifier
from tasks.spec import Adam, Batches, Network, Stopping, Task

XOR = draw.logic(0, 1, 1, 0)

TASKS = (
    mlp_classifier(
        "xor",
        "Two relu units, a common first example: from this start the network does not learn XOR.",
        XOR,
        hidden=(2,),
        max_epochs=1000,
        tags=("xor", "chapter", "default", "timed"),
    ),
    mlp_classifier(
        "xor-adam",
        "XOR with one of its four rows held back: the three others are learned, the fourth is not inferred.",
        draw.split(XOR.x_train, XOR.y_train, test=0.2, seed=42),
        hidden=(4, 2),
        max_epochs=1000,
        learning_rate=0.01,
        tags=("xor", "chapter", "default"),
    ),
    Task(
        name="xor-learns",
        shows="Four tanh units, a Glorot start and a larger learning rate learn XOR.",
        model=Network((4,), activation="tanh"),
        data=XOR,
        start=draw.glorot((2, 4, 1), seed=0),
        optimizer=Adam(learning_rate=0.05, epsilon_hat=True),
        batches=Batches(4, draw.InOrder()),
        stopping=Stopping(max_epochs=200),
        tags=("xor", "chapter", "default"),
    ),
)
