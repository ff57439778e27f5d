"""Rosenblatt's perceptron."""

from tasks import draw
from tasks.spec import Batches, GradientDescent, Perceptron, Stopping, Task

TASKS = (
    Task(
        name="perceptron-and",
        shows="A perceptron learns AND: two, three and three mistakes in the first epochs, then none.",
        model=Perceptron(),
        data=draw.logic(0, 0, 0, 1),
        start=draw.zeros(w=(2,), b=(1,)),
        optimizer=GradientDescent(learning_rate=0.1),
        batches=Batches(1, draw.InOrder()),
        stopping=Stopping(max_epochs=100),
        tags=("perceptron",),
    ),
)
