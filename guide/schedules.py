"""Learning-rate schedules."""

import numpy as np

from backends.base import Arrays
from guide.card import Card


def twenty_steps() -> Arrays:
    """The numbers of twenty `steps`, from 0; a snippet returns the rate of each."""
    return {"steps": np.arange(20)}


def ten_steps() -> Arrays:
    """The numbers of the `steps` of a schedule of ten, from 0; a snippet returns the rate of each."""
    return {"steps": np.arange(11)}


def five_epochs() -> Arrays:
    """The numbers of the steps of five `epochs`, (5, 4); a snippet returns the rate of each step."""
    return {"epochs": np.arange(20).reshape(5, 4)}


def flat_losses() -> Arrays:
    """The `losses` of twelve epochs, which fall once and then stay; a snippet returns the rate after each."""
    return {"losses": np.array([3.0] + 11 * [2.0])}


def slow_losses() -> Arrays:
    """The `losses` of twelve epochs, which fall by little; a snippet returns the rate after each."""
    return {"losses": 100 - 0.001 * np.arange(12)}


def single_rows() -> Arrays:
    """Thirty rows `x` (30, 1) and their targets `y` (30,), all 1: a step from zero shows its rate."""
    return {"x": np.ones((30, 1)), "y": np.ones(30)}


def resting_rows() -> Arrays:
    """Five rows `x` (5, 1) of zeros with targets `y` (5,) of 1, and the numbers of twelve `epochs`."""
    return {"x": np.zeros((5, 1)), "y": np.ones(5), "epochs": np.arange(12)}


schedule_unit = Card(
    id="schedule-unit",
    title="Learning-rate schedules: per step or per epoch",
    wrong=(
        "A schedule of Keras or TensorFlow counts the optimizer's steps. One of PyTorch counts the calls of "
        "`scheduler.step()`, which its documentation places at the end of an epoch. With the same numbers "
        "the rate then falls too fast or too slowly by as many times as an epoch has batches. Nothing shows "
        "when an epoch is a single batch."
    ),
    conventions={
        "numpy tensorflow keras": "ηₜ = η₀ · γᵗ,  t: steps",
        "torch": "ηₜ = η₀ · γᵗ,  t: epochs",
    },
    given=five_epochs,
    differs=0.2,
    absent={"sklearn": "scikit-learn has no exponential schedule; those that it has are on other cards"},
    issues=("skorch-dev/skorch#610",),
    faults=("schedule-per-epoch",),
)


@schedule_unit.numpy
def _(epochs):
    return [0.1 * 0.8**step for epoch in epochs for step in epoch]


@schedule_unit.numpy.like("torch")
def _(epochs):
    """Count epochs, not steps."""
    return [0.1 * 0.8**t for t, epoch in enumerate(epochs) for _ in epoch]


@schedule_unit.tensorflow
def _(epochs):
    import tensorflow as tf

    f = np.float64  # a Python number would be rounded to float32
    decay = tf.compat.v1.train.exponential_decay
    return [decay(f(0.1), step, decay_steps=1, decay_rate=f(0.8))() for epoch in epochs for step in epoch]


@schedule_unit.tensorflow.like("torch")
def _(epochs):
    """Pass staircase=True, and the steps of an epoch as decay_steps."""
    import tensorflow as tf

    f = np.float64
    decay = tf.compat.v1.train.exponential_decay
    n = len(epochs[0])
    return [decay(f(0.1), step, n, f(0.8), staircase=True)() for epoch in epochs for step in epoch]


@schedule_unit.keras
def _(epochs):
    import keras

    w = keras.Variable(np.zeros(1))
    f = np.float64  # a Python number would be rounded to float32
    schedule = keras.optimizers.schedules.ExponentialDecay(f(0.1), decay_steps=1, decay_rate=f(0.8))
    optimizer = keras.optimizers.SGD(schedule)
    rates = []
    for epoch in epochs:
        for _ in epoch:
            rates.append(optimizer.learning_rate)
            optimizer.apply([keras.ops.zeros_like(w)], [w])
    return rates


@schedule_unit.keras.like("torch")
def _(epochs):
    """Pass staircase=True, and the steps of an epoch as decay_steps."""
    import keras

    w = keras.Variable(np.zeros(1))
    f = np.float64
    schedule = keras.optimizers.schedules.ExponentialDecay(f(0.1), len(epochs[0]), f(0.8), staircase=True)
    optimizer = keras.optimizers.SGD(schedule)
    rates = []
    for epoch in epochs:
        for _ in epoch:
            rates.append(optimizer.learning_rate)
            optimizer.apply([keras.ops.zeros_like(w)], [w])
    return rates


@schedule_unit.torch
def _(epochs):
    import torch

    w = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.8)
    rates = []
    for epoch in epochs:
        for _ in epoch:
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
        scheduler.step()
    return rates


@schedule_unit.torch.like("keras")
def _(epochs):
    """Call `scheduler.step()` after each batch, not each epoch."""
    import torch

    w = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.8)
    rates = []
    for epoch in epochs:
        for _ in epoch:
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
    return rates


schedule_start = Card(
    id="schedule-start",
    title="Learning-rate schedules: the rate of the first step",
    wrong=(
        "The first step has the initial rate everywhere: Keras and TensorFlow count from 0 and count up "
        "after the update, and so does PyTorch as long as `scheduler.step()` comes after `optimizer.step()`. "
        "Called before it, as code for PyTorch before 1.1 did, every rate comes one step early, and the "
        "initial one is never used. A hand-written loop that counts from 1 does the same."
    ),
    conventions={"numpy tensorflow keras torch": "w -= ηₜ · g,  t = 0, 1, 2, …"},
    given=twenty_steps,
    absent={"sklearn": "scikit-learn has no exponential schedule"},
    issues=("skorch-dev/skorch#610",),
    faults=("schedule-early", "schedule-late", "state-step-ahead"),
)


@schedule_start.numpy
def _(steps):
    return -np.cumsum(0.1 * 0.8**steps)


@schedule_start.tensorflow
def _(steps):
    import tensorflow as tf

    w, t = tf.Variable(np.float64(0)), tf.Variable(0)
    f = np.float64  # a Python number would be rounded to float32
    rate = tf.compat.v1.train.exponential_decay(f(0.1), t, decay_steps=1, decay_rate=f(0.8))
    optimizer = tf.compat.v1.train.GradientDescentOptimizer(rate)
    trace = []
    for _ in steps:
        optimizer.apply_gradients([(tf.ones_like(w), w)], global_step=t)
        trace.append(w.numpy())
    return trace


@schedule_start.keras
def _(steps):
    import keras

    w = keras.Variable(np.zeros(1))
    f = np.float64  # a Python number would be rounded to float32
    schedule = keras.optimizers.schedules.ExponentialDecay(f(0.1), decay_steps=1, decay_rate=f(0.8))
    optimizer = keras.optimizers.SGD(schedule)
    trace = []
    for _ in steps:
        optimizer.apply([keras.ops.ones_like(w)], [w])
        trace.append(w.numpy()[0])
    return trace


@schedule_start.torch
def _(steps):
    import torch

    w = torch.tensor(0.0)
    optimizer = torch.optim.SGD([w], lr=0.1)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.8)
    trace = []
    for _ in steps:
        w.grad = torch.ones_like(w)
        optimizer.step()
        scheduler.step()
        trace.append(w.item())
    return trace


cosine_end = Card(
    id="cosine-end",
    title="Cosine decay: after the last step",
    wrong=(
        "Keras and TensorFlow stop at the end of the cosine and keep its lowest rate. PyTorch's "
        "`CosineAnnealingLR` goes on with the wave: after T_max steps the rate rises again, to the initial "
        "one after 2·T_max. It shows only in runs that are longer than the schedule."
    ),
    conventions={
        "numpy tensorflow keras": "ηₜ = η₀ · ½(1 + cos(π · min(t, T)/T))",
        "torch": "ηₜ = η₀ · ½(1 + cos(π·t/T))",
    },
    given=twenty_steps,
    differs=0.4,
    absent={"sklearn": "scikit-learn has no cosine schedule"},
    faults=("cosine-periodic",),
    dtype="float32",
)


@cosine_end.numpy
def _(steps):
    return 0.1 * (1 + np.cos(np.pi * np.minimum(steps, 10) / 10)) / 2


@cosine_end.numpy.like("torch")
def _(steps):
    """Let t grow beyond T."""
    return 0.1 * (1 + np.cos(np.pi * steps / 10)) / 2


@cosine_end.tensorflow
def _(steps):
    import tensorflow as tf

    # it computes in float32 only, and fails where it gets a float64
    return [tf.compat.v1.train.cosine_decay(0.1, t, decay_steps=10)() for t in steps]


@cosine_end.tensorflow.like("torch")
def _(steps):
    """Fold the step back at T: T - |T - t mod 2T|."""
    import tensorflow as tf

    folded = 10 - np.abs(10 - steps % 20)
    return [tf.compat.v1.train.cosine_decay(0.1, t, decay_steps=10)() for t in folded]


@cosine_end.keras
def _(steps):
    import keras

    f = np.float64  # a Python number would be rounded to float32
    schedule = keras.optimizers.schedules.CosineDecay(f(0.1), decay_steps=10)
    return [schedule(t) for t in steps]


@cosine_end.keras.like("torch")
def _(steps):
    """Derive a schedule that folds the step back at T: T - |T - t mod 2T|."""
    import keras

    class Wave(keras.optimizers.schedules.CosineDecay):
        def __call__(self, step):
            return super().__call__(10 - abs(10 - step % 20))

    schedule = Wave(np.float64(0.1), decay_steps=10)
    return [schedule(t) for t in steps]


@cosine_end.torch
def _(steps):
    import torch

    w = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=10)
    rates = []
    for _ in steps:
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


@cosine_end.torch.like("keras")
def _(steps):
    """Stop calling `scheduler.step()` after T_max calls."""
    import torch

    w = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=10)
    rates = []
    for _ in steps:
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if scheduler.last_epoch < scheduler.T_max:
            scheduler.step()
    return rates


cosine_floor = Card(
    id="cosine-floor",
    title="Cosine decay: is the floor a fraction or a rate?",
    wrong=(
        "Keras and TensorFlow give the lowest rate as a fraction of the initial one (`alpha`), PyTorch gives "
        "the rate itself (`eta_min`). The same number is another floor in each, and as a rate it may even "
        "lie above the initial one, so that the cosine rises. Nothing shows at a floor of 0."
    ),
    conventions={
        "numpy tensorflow keras": "ηₜ = η₀·((1 - α)·cₜ + α),  cₜ = ½(1 + cos(π·t/T))",
        "torch": "ηₜ = (η₀ - η_min)·cₜ + η_min",
    },
    given=ten_steps,
    differs=0.03,
    absent={"sklearn": "scikit-learn has no cosine schedule"},
    defaults=("CosineDecay.alpha",),
    faults=("cosine-without-floor",),
    dtype="float32",
)


@cosine_floor.numpy
def _(steps):
    cosine = (1 + np.cos(np.pi * steps / 10)) / 2
    return 0.2 * ((1 - 0.1) * cosine + 0.1)


@cosine_floor.numpy.like("torch")
def _(steps):
    """Let the cosine fall to the floor itself."""
    cosine = (1 + np.cos(np.pi * steps / 10)) / 2
    return (0.2 - 0.1) * cosine + 0.1


@cosine_floor.tensorflow
def _(steps):
    import tensorflow as tf

    # it computes in float32 only, and fails where it gets a float64
    return [tf.compat.v1.train.cosine_decay(0.2, t, 10, alpha=0.1)() for t in steps]


@cosine_floor.tensorflow.like("torch")
def _(steps):
    """Pass eta_min divided by the initial rate as alpha."""
    import tensorflow as tf

    return [tf.compat.v1.train.cosine_decay(0.2, t, 10, alpha=0.1 / 0.2)() for t in steps]


@cosine_floor.keras
def _(steps):
    import keras

    f = np.float64  # a Python number would be rounded to float32
    schedule = keras.optimizers.schedules.CosineDecay(f(0.2), decay_steps=10, alpha=f(0.1))
    return [schedule(t) for t in steps]


@cosine_floor.keras.like("torch")
def _(steps):
    """Pass eta_min divided by the initial rate as alpha."""
    import keras

    f = np.float64
    schedule = keras.optimizers.schedules.CosineDecay(f(0.2), decay_steps=10, alpha=f(0.1 / 0.2))
    return [schedule(t) for t in steps]


@cosine_floor.torch
def _(steps):
    import torch

    w = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.2)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=10, eta_min=0.1)
    rates = []
    for _ in steps:
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


@cosine_floor.torch.like("keras")
def _(steps):
    """Pass alpha times the initial rate as eta_min."""
    import torch

    w = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.2)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=10, eta_min=0.1 * 0.2)
    rates = []
    for _ in steps:
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


warm_up = Card(
    id="warm-up",
    title="Warm-up: from 0, or from a fraction of the rate",
    wrong=(
        "Keras warms up from the initial rate that it is given, and its documentation gives it 0: the first "
        "step then moves nothing. PyTorch's `LinearLR` starts at a fraction of the rate and refuses a "
        "fraction of 0. The curves meet at the end of the warm-up, so only early steps differ; what follows "
        "from them does not go away."
    ),
    conventions={
        "numpy keras": "ηₜ = η·t/W  for t < W",
        "torch": "ηₜ = η·(s + (1 - s)·t/W)  for t < W",
    },
    given=twenty_steps,
    differs=0.1,
    absent={
        "sklearn": "scikit-learn has no warm-up",
        "tensorflow": "TensorFlow's own schedules have no warm-up",
    },
    defaults=("LinearLR.start_factor", "LinearLR.total_iters"),
    faults=("warm-up-from-zero", "rate-warms-up"),
)


@warm_up.numpy
def _(steps):
    cosine = (1 + np.cos(np.pi * np.minimum(steps - 5, 15) / 15)) / 2
    return 0.1 * np.where(steps < 5, steps / 5, cosine)


@warm_up.numpy.like("torch")
def _(steps):
    """Start at start_factor times the rate, not at 0."""
    cosine = (1 + np.cos(np.pi * (steps - 5) / 15)) / 2
    return 0.1 * np.where(steps < 5, 1 / 3 + (1 - 1 / 3) * steps / 5, cosine)


@warm_up.keras
def _(steps):
    import keras

    f = np.float64  # a Python number would be rounded to float32
    schedule = keras.optimizers.schedules.CosineDecay(
        f(0.0), decay_steps=15, warmup_target=f(0.1), warmup_steps=5
    )
    return [schedule(t) for t in steps]


@warm_up.keras.like("torch")
def _(steps):
    """Pass start_factor times warmup_target as the initial rate."""
    import keras

    f = np.float64
    schedule = keras.optimizers.schedules.CosineDecay(
        f(0.1 / 3), decay_steps=15, warmup_target=f(0.1), warmup_steps=5
    )
    return [schedule(t) for t in steps]


@warm_up.torch
def _(steps):
    import torch
    from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, SequentialLR

    w = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1)
    rise, fall = LinearLR(optimizer, start_factor=1 / 3, total_iters=5), CosineAnnealingLR(optimizer, 15)
    scheduler = SequentialLR(optimizer, [rise, fall], milestones=[5])
    rates = []
    for _ in steps:
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


@warm_up.torch.like("keras")
def _(steps):
    """Warm up with a `LambdaLR`, which may start at 0, in place of `LinearLR`."""
    import torch
    from torch.optim.lr_scheduler import CosineAnnealingLR, LambdaLR, SequentialLR

    w = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1)
    rise, fall = LambdaLR(optimizer, lambda t: t / 5), CosineAnnealingLR(optimizer, 15)
    scheduler = SequentialLR(optimizer, [rise, fall], milestones=[5])
    rates = []
    for _ in steps:
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


step_decay = Card(
    id="step-decay",
    title="Step decay: in stairs or smoothly",
    wrong=(
        "`StepLR` keeps the rate for `step_size` steps and then multiplies it. Keras's and TensorFlow's "
        "exponential decay with the same two numbers falls a little in every step, and meets the stairs only "
        "at their edges; stairs are an option there. Right after an edge both agree, so a check of a few "
        "rates may miss it."
    ),
    conventions={
        "numpy torch": "ηₜ = η₀ · γ^⌊t/T⌋",
        "tensorflow keras": "ηₜ = η₀ · γ^(t/T)",
    },
    given=twenty_steps,
    differs=0.2,
    absent={"sklearn": "scikit-learn has no such schedule"},
    defaults=("ExponentialDecay.staircase",),
    faults=("step-decay-smooth",),
)


@step_decay.numpy
def _(steps):
    return 0.1 * 0.5 ** (steps // 4)


@step_decay.numpy.like("keras")
def _(steps):
    """Do not round the exponent down."""
    return 0.1 * 0.5 ** (steps / 4)


@step_decay.tensorflow
def _(steps):
    import tensorflow as tf

    f = np.float64  # a Python number would be rounded to float32
    decay = tf.compat.v1.train.exponential_decay
    return [decay(f(0.1), t, decay_steps=4, decay_rate=f(0.5))() for t in steps]


@step_decay.tensorflow.like("torch")
def _(steps):
    """Pass staircase=True."""
    import tensorflow as tf

    f = np.float64
    decay = tf.compat.v1.train.exponential_decay
    return [decay(f(0.1), t, decay_steps=4, decay_rate=f(0.5), staircase=True)() for t in steps]


@step_decay.keras
def _(steps):
    import keras

    f = np.float64  # a Python number would be rounded to float32
    schedule = keras.optimizers.schedules.ExponentialDecay(f(0.1), decay_steps=4, decay_rate=f(0.5))
    return [schedule(t) for t in steps]


@step_decay.keras.like("torch")
def _(steps):
    """Pass staircase=True."""
    import keras

    f = np.float64
    schedule = keras.optimizers.schedules.ExponentialDecay(f(0.1), 4, f(0.5), staircase=True)
    return [schedule(t) for t in steps]


@step_decay.torch
def _(steps):
    import torch

    w = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=4, gamma=0.5)
    rates = []
    for _ in steps:
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


@step_decay.torch.like("keras")
def _(steps):
    """Use `ExponentialLR` with gamma=γ^(1/T), T being decay_steps."""
    import torch

    w = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5 ** (1 / 4))
    rates = []
    for _ in steps:
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


exponential_decay = Card(
    id="exponential-decay",
    title="Exponential decay: the factor of one step, or of decay_steps",
    wrong=(
        "In Keras and TensorFlow the rate falls by `decay_rate` over `decay_steps` steps. PyTorch's "
        "`ExponentialLR` has no such length: `gamma` is the factor of one step. The same factor drives the "
        "rate to nothing within a few steps, and a run that then stands still looks converged."
    ),
    conventions={
        "numpy torch": "ηₜ = η₀ · γᵗ",
        "tensorflow keras": "ηₜ = η₀ · γ^(t/T)",
    },
    given=twenty_steps,
    differs=0.3,
    absent={"sklearn": "scikit-learn has no such schedule"},
    faults=("rate-decays",),
)


@exponential_decay.numpy
def _(steps):
    return 0.1 * 0.5**steps


@exponential_decay.numpy.like("keras")
def _(steps):
    """Divide the exponent by decay_steps."""
    return 0.1 * 0.5 ** (steps / 10)


@exponential_decay.tensorflow
def _(steps):
    import tensorflow as tf

    f = np.float64  # a Python number would be rounded to float32
    decay = tf.compat.v1.train.exponential_decay
    return [decay(f(0.1), t, decay_steps=10, decay_rate=f(0.5))() for t in steps]


@exponential_decay.tensorflow.like("torch")
def _(steps):
    """Pass decay_steps=1."""
    import tensorflow as tf

    f = np.float64
    decay = tf.compat.v1.train.exponential_decay
    return [decay(f(0.1), t, decay_steps=1, decay_rate=f(0.5))() for t in steps]


@exponential_decay.keras
def _(steps):
    import keras

    f = np.float64  # a Python number would be rounded to float32
    schedule = keras.optimizers.schedules.ExponentialDecay(f(0.1), decay_steps=10, decay_rate=f(0.5))
    return [schedule(t) for t in steps]


@exponential_decay.keras.like("torch")
def _(steps):
    """Pass decay_steps=1."""
    import keras

    f = np.float64
    schedule = keras.optimizers.schedules.ExponentialDecay(f(0.1), decay_steps=1, decay_rate=f(0.5))
    return [schedule(t) for t in steps]


@exponential_decay.torch
def _(steps):
    import torch

    w = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
    rates = []
    for _ in steps:
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


@exponential_decay.torch.like("keras")
def _(steps):
    """Pass decay_rate^(1/decay_steps) as gamma."""
    import torch

    w = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5 ** (1 / 10))
    rates = []
    for _ in steps:
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


piecewise_boundary = Card(
    id="piecewise-boundary",
    title="Piecewise constant rate: at the boundary itself",
    wrong=(
        "With a boundary at step 5, Keras and TensorFlow still use the old rate in step 5, and PyTorch's "
        "`MultiStepLR` uses the new one. One step per boundary is taken at the wrong rate, often a tenth or "
        "ten times of the right one."
    ),
    conventions={
        "numpy torch": "new rate if t ≥ boundary",
        "tensorflow keras": "new rate if t > boundary",
    },
    given=twenty_steps,
    differs=0.4,
    absent={"sklearn": "scikit-learn has no such schedule"},
    faults=("rate-drops", "schedule-late"),
)


@piecewise_boundary.numpy
def _(steps):
    return 0.1 ** ((steps >= 5) * 1.0 + (steps >= 10))


@piecewise_boundary.numpy.like("keras")
def _(steps):
    """Change the rate only after the boundary."""
    return 0.1 ** ((steps > 5) * 1.0 + (steps > 10))


@piecewise_boundary.tensorflow
def _(steps):
    import tensorflow as tf

    f = np.float64  # a Python number would be rounded to float32
    rate = tf.compat.v1.train.piecewise_constant
    return [rate(int(t), boundaries=[5, 10], values=[f(1), f(0.1), f(0.01)])() for t in steps]


@piecewise_boundary.tensorflow.like("torch")
def _(steps):
    """Take 1 off each boundary."""
    import tensorflow as tf

    f = np.float64
    rate = tf.compat.v1.train.piecewise_constant
    return [rate(int(t), boundaries=[4, 9], values=[f(1), f(0.1), f(0.01)])() for t in steps]


@piecewise_boundary.keras
def _(steps):
    import keras

    f = np.float64  # a Python number would be rounded to float32
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([5, 10], [f(1), f(0.1), f(0.01)])
    return [schedule(t) for t in steps]


@piecewise_boundary.keras.like("torch")
def _(steps):
    """Take 1 off each boundary."""
    import keras

    f = np.float64
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([4, 9], [f(1), f(0.1), f(0.01)])
    return [schedule(t) for t in steps]


@piecewise_boundary.torch
def _(steps):
    import torch

    w = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=1.0)
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[5, 10], gamma=0.1)
    rates = []
    for _ in steps:
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


@piecewise_boundary.torch.like("keras")
def _(steps):
    """Add 1 to each milestone."""
    import torch

    w = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=1.0)
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[6, 11], gamma=0.1)
    rates = []
    for _ in steps:
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


plateau_patience = Card(
    id="plateau-patience",
    title="ReduceLROnPlateau: how long patience is",
    wrong=(
        "Keras lowers the rate in the epoch in which the count of epochs without improvement reaches the "
        "patience; PyTorch lowers it when the count exceeds it, an epoch later. Scikit-learn's "
        "learning_rate='adaptive' counts as PyTorch does. Each further fall comes another epoch too late, "
        "and the curves drift apart from the first fall on."
    ),
    conventions={
        "numpy keras": "η ← factor·η  when count ≥ patience",
        "sklearn torch": "η ← factor·η  when count > patience",
    },
    given=flat_losses,
    differs=0.3,
    absent={"tensorflow": "TensorFlow has nothing of the kind outside Keras"},
    defaults=("ReduceLROnPlateau.patience", "ReduceLROnPlateau.factor", "ReduceLROnPlateau.min_lr"),
    issues=("pytorch/pytorch#7151", "keras-team/keras#9541"),
    faults=("plateau-impatient", "plateau-patient"),
)


@plateau_patience.numpy
def _(losses):
    rate, best, count, rates = 0.1, np.inf, 0, []
    for loss in losses:
        count = 0 if loss < best else count + 1
        best = min(best, loss)
        if count >= 3:
            rate, count = 0.2 * rate, 0
        rates.append(rate)
    return rates


@plateau_patience.numpy.like("torch")
def _(losses):
    """Lower the rate when the count exceeds the patience, one epoch later."""
    rate, best, count, rates = 0.1, np.inf, 0, []
    for loss in losses:
        count = 0 if loss < best else count + 1
        best = min(best, loss)
        if count > 3:
            rate, count = 0.2 * rate, 0
        rates.append(rate)
    return rates


@plateau_patience.sklearn
def _(losses):
    from sklearn.neural_network import MLPRegressor

    model = MLPRegressor(hidden_layer_sizes=(), solver="sgd", learning_rate="adaptive", alpha=0)
    model.set_params(learning_rate_init=0.1, n_iter_no_change=3)
    x, rates = np.zeros((2, 1)), []
    model.partial_fit(x, [9.0, 9.0])
    for loss in losses:
        model.intercepts_[0][:] = 0  # has this loss:
        model.partial_fit(x, np.full(2, np.sqrt(2 * loss)))
        rates.append(model._optimizer.learning_rate)
    return rates


@plateau_patience.sklearn.like("keras")
def _(losses):
    """Pass the patience less 1 as n_iter_no_change."""
    from sklearn.neural_network import MLPRegressor

    model = MLPRegressor(hidden_layer_sizes=(), solver="sgd", learning_rate="adaptive", alpha=0)
    model.set_params(learning_rate_init=0.1, n_iter_no_change=2)
    x, rates = np.zeros((2, 1)), []
    model.partial_fit(x, [9.0, 9.0])
    for loss in losses:
        model.intercepts_[0][:] = 0  # has this loss:
        model.partial_fit(x, np.full(2, np.sqrt(2 * loss)))
        rates.append(model._optimizer.learning_rate)
    return rates


@plateau_patience.keras
def _(losses):
    import keras

    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.1))
    callback = keras.callbacks.ReduceLROnPlateau(monitor="loss", factor=0.2, patience=3)
    callback.set_model(model)
    callback.on_train_begin()
    rates = []
    for epoch, loss in enumerate(losses):
        callback.on_epoch_end(epoch, {"loss": loss})
        rates.append(model.optimizer.learning_rate.numpy())
    return rates


@plateau_patience.keras.like("torch")
def _(losses):
    """Add 1 to the patience."""
    import keras

    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.1))
    callback = keras.callbacks.ReduceLROnPlateau(monitor="loss", factor=0.2, patience=4)
    callback.set_model(model)
    callback.on_train_begin()
    rates = []
    for epoch, loss in enumerate(losses):
        callback.on_epoch_end(epoch, {"loss": loss})
        rates.append(model.optimizer.learning_rate.numpy())
    return rates


@plateau_patience.torch
def _(losses):
    import torch

    w = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.2, patience=3)
    rates = []
    for loss in losses:
        scheduler.step(loss)
        rates.append(optimizer.param_groups[0]["lr"])
    return rates


@plateau_patience.torch.like("keras")
def _(losses):
    """Take 1 off the patience."""
    import torch

    w = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.2, patience=2)
    rates = []
    for loss in losses:
        scheduler.step(loss)
        rates.append(optimizer.param_groups[0]["lr"])
    return rates


plateau_threshold = Card(
    id="plateau-threshold",
    title="ReduceLROnPlateau: what counts as an improvement",
    wrong=(
        "PyTorch's threshold is by default a fraction of the best loss, Keras's `min_delta` is an amount. "
        "With large losses PyTorch therefore asks for much more and lowers the rate while the loss still "
        "falls; with losses far below 1 it asks for less. They agree where the loss is about 1."
    ),
    conventions={
        "numpy keras": "improved if loss < best - δ",
        "torch": "improved if loss < best·(1 - δ)",
    },
    given=slow_losses,
    differs=0.3,
    absent={
        "sklearn": "scikit-learn's tol is an amount too, but it compares with a best loss of another kind",
        "tensorflow": "TensorFlow has nothing of the kind outside Keras",
    },
    defaults=("ReduceLROnPlateau.min_delta", "ReduceLROnPlateau.threshold_mode"),
    faults=("plateau-threshold",),
)


@plateau_threshold.numpy
def _(losses):
    rate, best, count, rates = 0.1, np.inf, 0, []
    for loss in losses:
        count += 1
        if loss < best - 1e-4:
            best, count = loss, 0
        if count >= 4:
            rate, count = 0.2 * rate, 0
        rates.append(rate)
    return rates


@plateau_threshold.numpy.like("torch")
def _(losses):
    """Ask for a fraction of the best loss, not for an amount."""
    rate, best, count, rates = 0.1, np.inf, 0, []
    for loss in losses:
        count += 1
        if loss < best * (1 - 1e-4):
            best, count = loss, 0
        if count >= 4:
            rate, count = 0.2 * rate, 0
        rates.append(rate)
    return rates


@plateau_threshold.keras
def _(losses):
    import keras

    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.1))
    callback = keras.callbacks.ReduceLROnPlateau(monitor="loss", factor=0.2, patience=4, min_delta=1e-4)
    callback.set_model(model)
    callback.on_train_begin()
    rates = []
    for epoch, loss in enumerate(losses):
        callback.on_epoch_end(epoch, {"loss": loss})
        rates.append(model.optimizer.learning_rate.numpy())
    return rates


@plateau_threshold.keras.like("torch")
def _(losses):
    """Set the callback's `min_delta` to that fraction of the best loss after each epoch."""
    import keras

    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.1))
    callback = keras.callbacks.ReduceLROnPlateau(monitor="loss", factor=0.2, patience=4)
    callback.set_model(model)
    callback.on_train_begin()
    rates = []
    for epoch, loss in enumerate(losses):
        callback.on_epoch_end(epoch, {"loss": loss})
        callback.min_delta = -1e-4 * callback.best  # negative, as what is monitored should fall
        rates.append(model.optimizer.learning_rate.numpy())
    return rates


@plateau_threshold.torch
def _(losses):
    import torch

    w = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1)
    # a patience of 3 is Keras's 4
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.2, patience=3, threshold=1e-4)
    rates = []
    for loss in losses:
        scheduler.step(loss)
        rates.append(optimizer.param_groups[0]["lr"])
    return rates


@plateau_threshold.torch.like("keras")
def _(losses):
    """Pass threshold_mode="abs"."""
    import torch

    w = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, factor=0.2, patience=3, threshold=1e-4, threshold_mode="abs"
    )
    rates = []
    for loss in losses:
        scheduler.step(loss)
        rates.append(optimizer.param_groups[0]["lr"])
    return rates


polynomial_end = Card(
    id="polynomial-end",
    title="Polynomial decay: the rate at the end",
    wrong=(
        "Keras's and TensorFlow's polynomial decay ends at a rate that is small but not 0 unless told so; "
        "PyTorch's `PolynomialLR` ends at 0 and knows no other end. Few notice while the rate is large. "
        "After the last step the former trains on, the latter stands still."
    ),
    conventions={
        "numpy tensorflow keras": "ηₜ = (η₀ - η_end)·(1 - t/T)ᵖ + η_end",
        "torch": "ηₜ = η₀·(1 - t/T)ᵖ",
    },
    given=twenty_steps,
    differs=5e-4,
    absent={"sklearn": "scikit-learn has no such schedule"},
    defaults=("PolynomialDecay.end_learning_rate", "PolynomialDecay.power", "PolynomialLR.total_iters"),
)


@polynomial_end.numpy
def _(steps):
    left = 1 - np.minimum(steps, 10) / 10
    return (0.1 - 1e-4) * left**2 + 1e-4


@polynomial_end.numpy.like("torch")
def _(steps):
    """Let the rate end at 0."""
    left = 1 - np.minimum(steps, 10) / 10
    return 0.1 * left**2


@polynomial_end.tensorflow
def _(steps):
    import tensorflow as tf

    f = np.float64  # a Python number would be rounded to float32
    decay = tf.compat.v1.train.polynomial_decay
    return [decay(f(0.1), t, decay_steps=10, end_learning_rate=f(1e-4), power=f(2))() for t in steps]


@polynomial_end.tensorflow.like("torch")
def _(steps):
    """Pass end_learning_rate=0."""
    import tensorflow as tf

    f = np.float64
    decay = tf.compat.v1.train.polynomial_decay
    return [decay(f(0.1), t, decay_steps=10, end_learning_rate=f(0), power=f(2))() for t in steps]


@polynomial_end.keras
def _(steps):
    import keras

    f = np.float64  # a Python number would be rounded to float32
    schedule = keras.optimizers.schedules.PolynomialDecay(f(0.1), 10, end_learning_rate=f(1e-4), power=2)
    return [schedule(t) for t in steps]


@polynomial_end.keras.like("torch")
def _(steps):
    """Pass end_learning_rate=0."""
    import keras

    f = np.float64
    schedule = keras.optimizers.schedules.PolynomialDecay(f(0.1), 10, end_learning_rate=0, power=2)
    return [schedule(t) for t in steps]


@polynomial_end.torch
def _(steps):
    import torch

    w = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1)
    scheduler = torch.optim.lr_scheduler.PolynomialLR(optimizer, total_iters=10, power=2)
    rates = []
    for _ in steps:
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


@polynomial_end.torch.like("keras")
def _(steps):
    """Use a `LambdaLR`, with the end as a fraction of the initial rate, for `PolynomialLR`."""
    import torch

    w = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1)
    end = 1e-4 / 0.1
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda t: (1 - end) * (1 - min(t, 10) / 10) ** 2 + end
    )
    rates = []
    for _ in steps:
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


cosine_restarts = Card(
    id="cosine-restarts",
    title="Cosine decay with restarts: how long each period is",
    wrong=(
        "Each period is by default twice as long as the one before in Keras and TensorFlow, and as long as "
        "the first in PyTorch. The first period and the first restart are the same, so a short run shows "
        "nothing."
    ),
    conventions={
        "numpy torch": "periods T, T, T, …",
        "tensorflow keras": "periods T, 2T, 4T, …",
    },
    given=twenty_steps,
    differs=0.4,
    absent={"sklearn": "scikit-learn has no cosine schedule"},
    defaults=("CosineDecayRestarts.t_mul", "CosineDecayRestarts.m_mul", "CosineDecayRestarts.alpha"),
    dtype="float32",
)


@cosine_restarts.numpy
def _(steps):
    return 0.1 * (1 + np.cos(np.pi * (steps % 4) / 4)) / 2


@cosine_restarts.numpy.like("keras")
def _(steps):
    """Double the period at each restart."""
    doubled = np.floor(np.log2(steps / 4 + 1))  # how often so far
    done = (steps - 4 * (2**doubled - 1)) / (4 * 2**doubled)
    return 0.1 * (1 + np.cos(np.pi * done)) / 2


@cosine_restarts.tensorflow
def _(steps):
    import tensorflow as tf

    decay = tf.compat.v1.train.cosine_decay_restarts  # it computes in float32 only
    return [decay(0.1, t, first_decay_steps=4)() for t in steps]


@cosine_restarts.tensorflow.like("torch")
def _(steps):
    """Pass t_mul=1."""
    import tensorflow as tf

    decay = tf.compat.v1.train.cosine_decay_restarts
    return [decay(0.1, t, first_decay_steps=4, t_mul=1.0)() for t in steps]


@cosine_restarts.keras
def _(steps):
    import keras

    schedule = keras.optimizers.schedules.CosineDecayRestarts(np.float64(0.1), first_decay_steps=4)
    return [schedule(t) for t in steps]


@cosine_restarts.keras.like("torch")
def _(steps):
    """Pass t_mul=1."""
    import keras

    schedule = keras.optimizers.schedules.CosineDecayRestarts(np.float64(0.1), 4, t_mul=1.0)
    return [schedule(t) for t in steps]


@cosine_restarts.torch
def _(steps):
    import torch

    w = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=4)
    rates = []
    for _ in steps:
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


@cosine_restarts.torch.like("keras")
def _(steps):
    """Pass T_mult=2."""
    import torch

    w = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=4, T_mult=2)
    rates = []
    for _ in steps:
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


mlp_invscaling = Card(
    id="mlp-invscaling",
    title="MLPClassifier's invscaling: it counts rows, and changes once an epoch",
    wrong=(
        "The documentation of MLPClassifier says that the rate falls with each time step t. In fact it "
        "falls once an epoch, and t counts the rows seen so far, not the steps: the second epoch already "
        "has a small part of the initial rate. A port that counts steps or epochs trains much faster."
    ),
    conventions={
        "sklearn": "ηₜ = η₀/(t + 1)ᵖ,  t: rows of all epochs before",
        "numpy keras torch": "ηₜ = η₀/(t + 1)ᵖ,  t: steps",
    },
    given=resting_rows,
    differs=0.2,
    absent={"tensorflow": "TensorFlow has no such schedule, and a function of one's own is NumPy's"},
    defaults=("MLPClassifier.power_t", "MLPClassifier.learning_rate_init"),
)


@mlp_invscaling.numpy
def _(epochs):
    return 0.1 / (epochs + 1) ** 0.5  # each of one step


@mlp_invscaling.numpy.like("sklearn")
def _(x, epochs):
    """Let t count the rows of all epochs before, and change the rate once an epoch."""
    return 0.1 / (len(x) * epochs + 1) ** 0.5


@mlp_invscaling.sklearn
def _(x, y, epochs):
    from sklearn.neural_network import MLPRegressor

    model = MLPRegressor(hidden_layer_sizes=(), solver="sgd", learning_rate="invscaling", alpha=0)
    model.set_params(learning_rate_init=0.1, power_t=0.5, momentum=0)
    model.partial_fit(x, y)
    rates = [0.1]
    for _ in epochs[1:]:
        model.intercepts_[0][:] = 0
        rates.append(model.partial_fit(x, y).intercepts_[0][0])  # its gradient is -1
    return rates


@mlp_invscaling.sklearn.like("torch")
def _(x, y, epochs):
    """Set `_optimizer.learning_rate` by hand before each `partial_fit` of one batch."""
    from sklearn.neural_network import MLPRegressor

    model = MLPRegressor(hidden_layer_sizes=(), solver="sgd", learning_rate_init=0.1, alpha=0)
    model.set_params(momentum=0).partial_fit(x, y)
    rates = [0.1]
    for t in epochs[1:]:
        model.intercepts_[0][:] = 0
        model._optimizer.learning_rate = 0.1 / (t + 1) ** 0.5
        rates.append(model.partial_fit(x, y).intercepts_[0][0])
    return rates


@mlp_invscaling.keras
def _(epochs):
    import keras

    class InverseScaling(keras.optimizers.schedules.LearningRateSchedule):
        def __call__(self, step):
            return 0.1 / (keras.ops.cast(step, "float64") + 1) ** 0.5

    return [InverseScaling()(t) for t in epochs]


@mlp_invscaling.keras.like("sklearn")
def _(x, epochs):
    """Let t count the rows of all epochs before, and change the rate once an epoch."""
    import keras

    n, per_epoch = len(x), 1

    class InverseScaling(keras.optimizers.schedules.LearningRateSchedule):
        def __call__(self, step):
            return 0.1 / (keras.ops.cast(step // per_epoch * n, "float64") + 1) ** 0.5

    return [InverseScaling()(t) for t in epochs]


@mlp_invscaling.torch
def _(epochs):
    import torch

    w = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda t: 1 / (t + 1) ** 0.5)
    rates = []
    for _ in epochs:
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


@mlp_invscaling.torch.like("sklearn")
def _(x, epochs):
    """Step a `LambdaLR` once an epoch, with t times the number of rows."""
    import torch

    w = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda t: 1 / (t * len(x) + 1) ** 0.5)
    rates = []
    for _ in epochs:
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


sgd_regressor_rate = Card(
    id="sgd-regressor-rate",
    title="SGDRegressor: its rate falls by default",
    wrong=(
        "The optimizers of Keras and PyTorch have a constant rate unless given a schedule. SGDRegressor's "
        "default is invscaling: the rate falls with every row, counted from 1 over all epochs. A port with "
        "the same initial rate starts the same and soon takes larger steps."
    ),
    conventions={
        "sklearn": "ηₜ = η₀/tᵖ,  t = 1, 2, …: rows",
        "numpy keras torch": "ηₜ = η₀",
    },
    given=single_rows,
    differs=0.2,
    absent={"tensorflow": "TensorFlow's low-level optimizers have no default rate"},
    defaults=("SGD.learning_rate", "SGDRegressor.learning_rate", "SGDRegressor.eta0", "SGDRegressor.power_t"),
)


@sgd_regressor_rate.numpy
def _(x):
    return np.full(len(x), 0.01)


@sgd_regressor_rate.numpy.like("sklearn")
def _(x):
    """Divide the rate of row t by t^power_t, t counted from 1 over all epochs."""
    return 0.01 / np.arange(1, len(x) + 1) ** 0.25


@sgd_regressor_rate.sklearn
def _(x, y):
    from sklearn.linear_model import SGDRegressor

    model = SGDRegressor(fit_intercept=False)
    rates = []
    for i in range(len(x)):
        model.partial_fit(x[i : i + 1], y[i : i + 1])  # from 0, with a gradient of -1
        rates.append(model.coef_[0])
        model.coef_[:] = 0
    return rates


@sgd_regressor_rate.sklearn.like("torch")
def _(x, y):
    """Pass learning_rate="constant"."""
    from sklearn.linear_model import SGDRegressor

    model = SGDRegressor(fit_intercept=False, learning_rate="constant", eta0=0.01)
    rates = []
    for i in range(len(x)):
        model.partial_fit(x[i : i + 1], y[i : i + 1])
        rates.append(model.coef_[0])
        model.coef_[:] = 0
    return rates


@sgd_regressor_rate.keras
def _(x):
    import keras

    w = keras.Variable(np.zeros(1))
    optimizer = keras.optimizers.SGD()
    rates = []
    for _ in x:
        w.assign([0])
        optimizer.apply([-keras.ops.ones_like(w)], [w])
        rates.append(w.numpy()[0])
    return rates


@sgd_regressor_rate.keras.like("sklearn")
def _(x):
    """Use batches of one row, and a schedule that divides the rate by (step + 1)^power_t."""
    import keras

    class InverseScaling(keras.optimizers.schedules.LearningRateSchedule):
        def __call__(self, step):
            return 0.01 / (keras.ops.cast(step, "float64") + 1) ** 0.25

    w = keras.Variable(np.zeros(1))
    optimizer = keras.optimizers.SGD(InverseScaling())
    rates = []
    for _ in x:
        w.assign([0])
        optimizer.apply([-keras.ops.ones_like(w)], [w])
        rates.append(w.numpy()[0])
    return rates


@sgd_regressor_rate.torch
def _(x):
    import torch

    w = torch.zeros(1)
    optimizer = torch.optim.SGD([w], lr=0.01)
    rates = []
    for _ in x:
        w[:], w.grad = 0, -torch.ones(1)
        optimizer.step()
        rates.append(w.item())
    return rates


@sgd_regressor_rate.torch.like("sklearn")
def _(x):
    """Use batches of one row, and step a `LambdaLR` of (t + 1)^-power_t after each."""
    import torch

    w = torch.zeros(1)
    optimizer = torch.optim.SGD([w], lr=0.01)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda t: (t + 1) ** -0.25)
    rates = []
    for _ in x:
        w[:], w.grad = 0, -torch.ones(1)
        optimizer.step()
        scheduler.step()
        rates.append(w.item())
    return rates


sgd_classifier_rate = Card(
    id="sgd-classifier-rate",
    title="SGDClassifier: its default rate 'optimal' depends on alpha",
    wrong=(
        "SGDClassifier takes its rate from alpha, by a rule of Bottou's, and lowers it with every row. With "
        "the default alpha the first steps are huge, and another alpha, tried for the penalty's sake, is "
        "another rate too. `eta0` is ignored. Taking a constant rate in a port changes every step."
    ),
    conventions={
        "sklearn": "ηₜ = 1/(α·(t₀ + t)),  t₀ = 1/(α·√(1/√α)),  t = 0, 1, …: rows",
        "numpy keras torch": "ηₜ = η",
    },
    given=single_rows,
    differs=0.4,
    absent={"tensorflow": "TensorFlow's low-level optimizers have no default rate"},
    defaults=("SGD.learning_rate", "SGDClassifier.learning_rate", "SGDClassifier.alpha"),
)


@sgd_classifier_rate.numpy
def _(x):
    return np.full(len(x), 0.01)


@sgd_classifier_rate.numpy.like("sklearn")
def _(x):
    """Compute the rate of each row from alpha by Bottou's rule."""
    alpha = 0.01
    first = np.sqrt(1 / np.sqrt(alpha))
    return 1 / (alpha * (1 / (alpha * first) + np.arange(len(x))))


@sgd_classifier_rate.sklearn
def _(x):
    from sklearn.linear_model import SGDClassifier

    model = SGDClassifier(alpha=0.01, fit_intercept=False)
    rates = []
    for i in range(len(x)):
        model.partial_fit(x[i : i + 1], [1], classes=[0, 1])  # from 0: the hinge's gradient is -1
        rates.append(model.coef_[0, 0])
        model.coef_[:] = 0
    return rates


@sgd_classifier_rate.sklearn.like("torch")
def _(x):
    """Pass learning_rate="constant", and the rate as eta0."""
    from sklearn.linear_model import SGDClassifier

    model = SGDClassifier(alpha=0.01, fit_intercept=False, learning_rate="constant", eta0=0.01)
    rates = []
    for i in range(len(x)):
        model.partial_fit(x[i : i + 1], [1], classes=[0, 1])
        rates.append(model.coef_[0, 0])
        model.coef_[:] = 0
    return rates


@sgd_classifier_rate.keras
def _(x):
    import keras

    w = keras.Variable(np.zeros(1))
    optimizer = keras.optimizers.SGD()
    rates = []
    for _ in x:
        w.assign([0])
        optimizer.apply([-keras.ops.ones_like(w)], [w])
        rates.append(w.numpy()[0])
    return rates


@sgd_classifier_rate.keras.like("sklearn")
def _(x):
    """Use batches of one row, and a schedule that computes Bottou's rate from alpha."""
    import keras

    class Optimal(keras.optimizers.schedules.LearningRateSchedule):
        def __call__(self, step, alpha=0.01):
            t = 1 / (alpha * alpha**-0.25) + keras.ops.cast(step, "float64")
            return 1 / (alpha * t)

    w = keras.Variable(np.zeros(1))
    optimizer = keras.optimizers.SGD(Optimal())
    rates = []
    for _ in x:
        w.assign([0])
        optimizer.apply([-keras.ops.ones_like(w)], [w])
        rates.append(w.numpy()[0])
    return rates


@sgd_classifier_rate.torch
def _(x):
    import torch

    w = torch.zeros(1)
    optimizer = torch.optim.SGD([w], lr=0.01)
    rates = []
    for _ in x:
        w[:], w.grad = 0, -torch.ones(1)
        optimizer.step()
        rates.append(w.item())
    return rates


@sgd_classifier_rate.torch.like("sklearn")
def _(x):
    """Use batches of one row, and step a `LambdaLR` of Bottou's rate after each."""
    import torch

    alpha, w = 0.01, torch.zeros(1)
    optimizer = torch.optim.SGD([w], lr=1.0)
    t0 = 1 / (alpha * alpha**-0.25)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda t: 1 / (alpha * (t0 + t)))
    rates = []
    for _ in x:
        w[:], w.grad = 0, -torch.ones(1)
        optimizer.step()
        scheduler.step()
        rates.append(w.item())
    return rates
