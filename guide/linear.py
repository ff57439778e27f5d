"""Linear models of scikit-learn: what their parameters mean elsewhere."""

import numpy as np

from backends.base import Arrays
from guide.card import Card


def regression() -> Arrays:
    """A hundred rows `x` (100, 3) and targets `y` (100,)."""
    rng = np.random.default_rng(7)
    x = rng.standard_normal((100, 3))
    return {"x": x, "y": x @ [1.0, -2.0, 0.5] + 3 + 0.3 * rng.standard_normal(100)}


def sparse_regression() -> Arrays:
    """Forty rows `x` (40, 4) and targets `y` (40,), which do not depend on the last two columns."""
    rng = np.random.default_rng(8)
    x = rng.standard_normal((40, 4))
    return {"x": x, "y": x @ [1.0, -2.0, 0.0, 0.0] + 0.1 * rng.standard_normal(40)}


def classification() -> Arrays:
    """Rows `x` (32, 2) and classes `y` (32,), 0 or 1, that no line separates."""
    rng = np.random.default_rng(9)
    x = rng.standard_normal((32, 2))
    return {"x": x, "y": (x @ [1.0, -1.0] + rng.standard_normal(32) > 0).astype(float)}


def coarse_rows() -> Arrays:
    """Twenty rows `x` (20, 3) of -1, 0 and 1, and classes `y` (20,), -1 or 1."""
    rng = np.random.default_rng(10)
    x = rng.integers(-1, 2, (20, 3)).astype(float)
    return {"x": x, "y": np.where(x @ [1, -1, 0] + 0.5 * rng.standard_normal(20) > 0, 1.0, -1.0)}


def few_rows() -> Arrays:
    """Eight rows `x` (8, 3) and targets `y` (8,)."""
    return {name: array[:8] for name, array in regression().items()}


def some_rows() -> Arrays:
    """Sixty-four rows `x` (64, 3) and targets `y` (64,)."""
    return {name: array[:64] for name, array in regression().items()}


sgd_per_row = Card(
    id="sgd-per-row",
    title="SGDClassifier and SGDRegressor: one update per row",
    wrong=(
        "`partial_fit` of a batch is not one step on that batch. SGDRegressor and SGDClassifier update after "
        "every single row, so n rows are n steps, and their order matters. A port that makes one step per "
        "batch, on the mean, moves about n times less. With batches of one row both agree."
    ),
    conventions={
        "sklearn": "for each row: w -= η · ∂ℓᵢ/∂w",
        "numpy tensorflow keras torch": "w -= η · ∂(1/n · Σ ℓᵢ)/∂w",
    },
    given=few_rows,
    differs=0.3,
)


@sgd_per_row.numpy
def _(x, y):
    w = np.zeros(3)
    return w - 0.05 * x.T @ (x @ w - y) / len(x)


@sgd_per_row.numpy.like("sklearn")
def _(x, y):
    """Make one step for each row, in the order of the rows."""
    w = np.zeros(3)
    for i in range(len(x)):
        w = w - 0.05 * x[i] * (x[i] @ w - y[i])
    return w


@sgd_per_row.sklearn
def _(x, y):
    from sklearn.linear_model import SGDRegressor

    model = SGDRegressor(alpha=0, fit_intercept=False, learning_rate="constant", eta0=0.05, shuffle=False)
    return model.partial_fit(x, y).coef_


sgd_per_row.sklearn.cannot("torch", "no call of SGDRegressor makes one step on a mean; MLPRegressor does")


@sgd_per_row.tensorflow
def _(x, y):
    import tensorflow as tf

    w = tf.Variable(np.zeros(3))
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((tf.linalg.matvec(x, w) - y) ** 2) / 2
    w.assign_sub(0.05 * tape.gradient(loss, w))
    return w


@sgd_per_row.tensorflow.like("sklearn")
def _(x, y):
    """Make one step for each row, in the order of the rows."""
    import tensorflow as tf

    w = tf.Variable(np.zeros(3))
    for i in range(len(x)):
        with tf.GradientTape() as tape:
            loss = (tf.reduce_sum(x[i] * w) - y[i]) ** 2 / 2
        w.assign_sub(0.05 * tape.gradient(loss, w))
    return w


@sgd_per_row.keras
def _(x, y):
    import keras

    model = keras.Sequential([keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")])
    optimizer = keras.optimizers.SGD(0.05)
    model.compile(optimizer, loss=lambda y, p: keras.ops.mean((p - y) ** 2) / 2, run_eagerly=True)
    model.train_on_batch(x, y[:, np.newaxis])
    return model.get_weights()[0][:, 0]


@sgd_per_row.keras.like("sklearn")
def _(x, y):
    """Pass batch_size=1 and shuffle=False to `fit`."""
    import keras

    model = keras.Sequential([keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")])
    optimizer = keras.optimizers.SGD(0.05)
    model.compile(optimizer, loss=lambda y, p: keras.ops.mean((p - y) ** 2) / 2, run_eagerly=True)
    model.fit(x, y[:, np.newaxis], batch_size=1, shuffle=False, verbose=0)
    return model.get_weights()[0][:, 0]


@sgd_per_row.torch
def _(x, y):
    import torch

    x, y, w = torch.tensor(x), torch.tensor(y), torch.zeros(3, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.05)
    loss = ((x @ w - y) ** 2).mean() / 2
    loss.backward()
    optimizer.step()
    return w.detach()


@sgd_per_row.torch.like("sklearn")
def _(x, y):
    """Make one step for each row, in the order of the rows."""
    import torch

    x, y, w = torch.tensor(x), torch.tensor(y), torch.zeros(3, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.05)
    for i in range(len(x)):
        optimizer.zero_grad()
        loss = (x[i] @ w - y[i]) ** 2 / 2
        loss.backward()
        optimizer.step()
    return w.detach()


sgd_squared_error = Card(
    id="sgd-squared-error",
    title="SGDRegressor: half the squared error",
    wrong=(
        "The loss that SGDRegressor calls squared_error has a factor ½, that of Keras and PyTorch has none. "
        "Steps with the same rate are twice as long in a port, and the same penalty weighs half as much. The "
        "optimum without a penalty is the same, so a converged fit shows nothing."
    ),
    conventions={
        "sklearn": "ℓ = ½(p - y)²,  w -= η·(p - y)·x",
        "numpy tensorflow keras torch": "ℓ = (p - y)²,  w -= 2η·(p - y)·x",
    },
    given=regression,
    differs=0.2,
    faults=("squared-not-halved",),
)


@sgd_squared_error.numpy
def _(x, y):
    w = np.zeros(3)
    for i in range(100):
        w = w - 0.01 * 2 * (x[i] @ w - y[i]) * x[i]
        yield w


@sgd_squared_error.numpy.like("sklearn")
def _(x, y):
    """Leave out the factor 2 of the derivative."""
    w = np.zeros(3)
    for i in range(100):
        w = w - 0.01 * (x[i] @ w - y[i]) * x[i]
        yield w


@sgd_squared_error.sklearn
def _(x, y):
    from sklearn.linear_model import SGDRegressor

    model = SGDRegressor(alpha=0, fit_intercept=False, learning_rate="constant", eta0=0.01)
    for i in range(100):
        yield model.partial_fit(x[i : i + 1], y[i : i + 1]).coef_


@sgd_squared_error.sklearn.like("torch")
def _(x, y):
    """Double eta0."""
    from sklearn.linear_model import SGDRegressor

    model = SGDRegressor(alpha=0, fit_intercept=False, learning_rate="constant", eta0=0.02)
    for i in range(100):
        yield model.partial_fit(x[i : i + 1], y[i : i + 1]).coef_


@sgd_squared_error.tensorflow
def _(x, y):
    import tensorflow as tf

    w = tf.Variable(np.zeros(3))
    for i in range(100):
        with tf.GradientTape() as tape:
            loss = tf.math.squared_difference(tf.reduce_sum(x[i] * w), y[i])
        w.assign_sub(0.01 * tape.gradient(loss, w))
        yield w.numpy()


@sgd_squared_error.tensorflow.like("sklearn")
def _(x, y):
    """Halve the squared error, or use `tf.nn.l2_loss`, which does."""
    import tensorflow as tf

    w = tf.Variable(np.zeros(3))
    for i in range(100):
        with tf.GradientTape() as tape:
            loss = tf.nn.l2_loss(tf.reduce_sum(x[i] * w) - y[i])
        w.assign_sub(0.01 * tape.gradient(loss, w))
        yield w.numpy()


@sgd_squared_error.keras
def _(x, y):
    import keras
    import tensorflow as tf

    w = keras.Variable(np.zeros(3))
    optimizer, loss = keras.optimizers.SGD(0.01), keras.losses.MeanSquaredError()
    for i in range(100):
        with tf.GradientTape() as tape:
            value = loss(y[i : i + 1], keras.ops.matmul(x[i : i + 1], w))
        optimizer.apply([tape.gradient(value, w.value)], [w])
        yield w.numpy()


@sgd_squared_error.keras.like("sklearn")
def _(x, y):
    """Halve the mean squared error."""
    import keras
    import tensorflow as tf

    w = keras.Variable(np.zeros(3))
    optimizer, loss = keras.optimizers.SGD(0.01), keras.losses.MeanSquaredError()
    for i in range(100):
        with tf.GradientTape() as tape:
            value = loss(y[i : i + 1], keras.ops.matmul(x[i : i + 1], w)) / 2
        optimizer.apply([tape.gradient(value, w.value)], [w])
        yield w.numpy()


@sgd_squared_error.torch
def _(x, y):
    import torch

    x, y, w = torch.tensor(x), torch.tensor(y), torch.zeros(3, requires_grad=True)
    optimizer, loss = torch.optim.SGD([w], lr=0.01), torch.nn.MSELoss()
    for i in range(100):
        optimizer.zero_grad()
        loss(x[i] @ w, y[i]).backward()
        optimizer.step()
        yield w.detach().numpy()


@sgd_squared_error.torch.like("sklearn")
def _(x, y):
    """Halve the mean squared error."""
    import torch

    x, y, w = torch.tensor(x), torch.tensor(y), torch.zeros(3, requires_grad=True)
    optimizer, loss = torch.optim.SGD([w], lr=0.01), torch.nn.MSELoss()
    for i in range(100):
        optimizer.zero_grad()
        (loss(x[i] @ w, y[i]) / 2).backward()
        optimizer.step()
        yield w.detach().numpy()


sgd_alpha = Card(
    id="sgd-alpha",
    title="SGDRegressor's alpha: half the squared norm, without the intercept",
    wrong=(
        "SGDRegressor and SGDClassifier add ½α‖w‖² to the loss of each row and leave the intercept out. An "
        "L2 regulariser of Keras has no ½, so its gradient is twice as large. A weight decay of PyTorch has "
        "the same gradient, but takes all parameters, the bias too. Targets far from 0 show that the bias is "
        "pulled; with a small α little else shows."
    ),
    conventions={
        "numpy sklearn tensorflow": "∂/∂w = α·w,  ∂/∂b = 0",
        "keras": "∂/∂w = 2α·w,  ∂/∂b = 0",
        "torch": "∂/∂w = α·w,  ∂/∂b = α·b",
    },
    given=regression,
    differs=0.03,
    defaults=("SGDClassifier.alpha",),
    issues=("scikit-learn/scikit-learn#21891",),
    faults=("penalty-doubled", "penalty-halved", "penalty-on-biases"),
)


@sgd_alpha.numpy
def _(x, y):
    w, b = np.zeros(3), 0.0
    for i in range(20):
        error = x[i] @ w + b - y[i]
        w, b = w - 0.05 * (error * x[i] + 0.25 * w), b - 0.05 * error
    return np.append(w, b)


@sgd_alpha.numpy.like("keras")
def _(x, y):
    """Double the gradient of the penalty."""
    w, b = np.zeros(3), 0.0
    for i in range(20):
        error = x[i] @ w + b - y[i]
        w, b = w - 0.05 * (error * x[i] + 2 * 0.25 * w), b - 0.05 * error
    return np.append(w, b)


@sgd_alpha.numpy.like("torch")
def _(x, y):
    """Penalise the intercept too."""
    w, b = np.zeros(3), 0.0
    for i in range(20):
        error = x[i] @ w + b - y[i]
        w, b = w - 0.05 * (error * x[i] + 0.25 * w), b - 0.05 * (error + 0.25 * b)
    return np.append(w, b)


@sgd_alpha.sklearn
def _(x, y):
    from sklearn.linear_model import SGDRegressor

    model = SGDRegressor(alpha=0.25, learning_rate="constant", eta0=0.05)
    for i in range(20):
        model.partial_fit(x[i : i + 1], y[i : i + 1])
    return np.append(model.coef_, model.intercept_)


@sgd_alpha.sklearn.like("keras")
def _(x, y):
    """Double alpha."""
    from sklearn.linear_model import SGDRegressor

    model = SGDRegressor(alpha=2 * 0.25, learning_rate="constant", eta0=0.05)
    for i in range(20):
        model.partial_fit(x[i : i + 1], y[i : i + 1])
    return np.append(model.coef_, model.intercept_)


@sgd_alpha.sklearn.like("torch")
def _(x, y):
    """Pass fit_intercept=False, and add a column of ones, whose weight is the intercept."""
    from sklearn.linear_model import SGDRegressor

    model = SGDRegressor(alpha=0.25, learning_rate="constant", eta0=0.05, fit_intercept=False)
    x = np.column_stack([x, np.ones(len(x))])
    for i in range(20):
        model.partial_fit(x[i : i + 1], y[i : i + 1])
    return model.coef_


@sgd_alpha.tensorflow
def _(x, y):
    import tensorflow as tf

    w, b = tf.Variable(np.zeros(3)), tf.Variable(np.zeros(1))
    optimizer = tf.compat.v1.train.GradientDescentOptimizer(np.float64(0.05))
    for i in range(20):
        with tf.GradientTape() as tape:
            error = tf.reduce_sum(x[i] * w) + b - y[i]
            loss = tf.nn.l2_loss(error) + 0.25 * tf.nn.l2_loss(w)
        optimizer.apply_gradients(zip(tape.gradient(loss, [w, b]), [w, b], strict=True))
    return tf.concat([w, b], axis=0).numpy()


@sgd_alpha.tensorflow.like("keras")
def _(x, y):
    """Double the penalty."""
    import tensorflow as tf

    w, b = tf.Variable(np.zeros(3)), tf.Variable(np.zeros(1))
    optimizer = tf.compat.v1.train.GradientDescentOptimizer(np.float64(0.05))
    for i in range(20):
        with tf.GradientTape() as tape:
            error = tf.reduce_sum(x[i] * w) + b - y[i]
            loss = tf.nn.l2_loss(error) + 2 * 0.25 * tf.nn.l2_loss(w)
        optimizer.apply_gradients(zip(tape.gradient(loss, [w, b]), [w, b], strict=True))
    return tf.concat([w, b], axis=0).numpy()


@sgd_alpha.tensorflow.like("torch")
def _(x, y):
    """Penalise the bias too."""
    import tensorflow as tf

    w, b = tf.Variable(np.zeros(3)), tf.Variable(np.zeros(1))
    optimizer = tf.compat.v1.train.GradientDescentOptimizer(np.float64(0.05))
    for i in range(20):
        with tf.GradientTape() as tape:
            error = tf.reduce_sum(x[i] * w) + b - y[i]
            loss = tf.nn.l2_loss(error) + 0.25 * (tf.nn.l2_loss(w) + tf.nn.l2_loss(b))
        optimizer.apply_gradients(zip(tape.gradient(loss, [w, b]), [w, b], strict=True))
    return tf.concat([w, b], axis=0).numpy()


@sgd_alpha.keras
def _(x, y):
    import keras
    import tensorflow as tf

    layer = keras.layers.Dense(1, kernel_initializer="zeros", kernel_regularizer=keras.regularizers.L2(0.25))
    layer.build((1, 3))
    optimizer = keras.optimizers.SGD(0.05)
    for i in range(20):
        with tf.GradientTape() as tape:
            error = layer(x[i : i + 1]) - y[i]
            loss = keras.ops.sum(error**2) / 2 + sum(layer.losses)
        weights = layer.trainable_weights
        optimizer.apply(tape.gradient(loss, [v.value for v in weights]), weights)
    return np.concatenate([v.numpy().ravel() for v in weights])


@sgd_alpha.keras.like("sklearn")
def _(x, y):
    """Pass half of α to L2."""
    import keras
    import tensorflow as tf

    penalty = keras.regularizers.L2(0.25 / 2)
    layer = keras.layers.Dense(1, kernel_initializer="zeros", kernel_regularizer=penalty)
    layer.build((1, 3))
    optimizer = keras.optimizers.SGD(0.05)
    for i in range(20):
        with tf.GradientTape() as tape:
            error = layer(x[i : i + 1]) - y[i]
            loss = keras.ops.sum(error**2) / 2 + sum(layer.losses)
        weights = layer.trainable_weights
        optimizer.apply(tape.gradient(loss, [v.value for v in weights]), weights)
    return np.concatenate([v.numpy().ravel() for v in weights])


@sgd_alpha.keras.like("torch")
def _(x, y):
    """Pass half of the weight_decay to L2, for the kernel and for the bias."""
    import keras
    import tensorflow as tf

    l2 = {f"{name}_regularizer": keras.regularizers.L2(0.25 / 2) for name in ("kernel", "bias")}
    layer = keras.layers.Dense(1, kernel_initializer="zeros", **l2)
    layer.build((1, 3))
    optimizer = keras.optimizers.SGD(0.05)
    for i in range(20):
        with tf.GradientTape() as tape:
            error = layer(x[i : i + 1]) - y[i]
            loss = keras.ops.sum(error**2) / 2 + sum(layer.losses)
        weights = layer.trainable_weights
        optimizer.apply(tape.gradient(loss, [v.value for v in weights]), weights)
    return np.concatenate([v.numpy().ravel() for v in weights])


@sgd_alpha.torch
def _(x, y):
    import torch

    x, y, layer = torch.tensor(x), torch.tensor(y), torch.nn.Linear(3, 1)
    for parameter in layer.parameters():
        torch.nn.init.zeros_(parameter)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.05, weight_decay=0.25)
    for i in range(20):
        optimizer.zero_grad()
        ((layer(x[i]) - y[i]) ** 2 / 2).sum().backward()
        optimizer.step()
    return np.concatenate([p.detach().numpy().ravel() for p in layer.parameters()])


@sgd_alpha.torch.like("sklearn")
def _(x, y):
    """Put the bias in a parameter group of its own, with weight_decay=0."""
    import torch

    x, y, layer = torch.tensor(x), torch.tensor(y), torch.nn.Linear(3, 1)
    for parameter in layer.parameters():
        torch.nn.init.zeros_(parameter)
    optimizer = torch.optim.SGD([layer.weight], lr=0.05, weight_decay=0.25)
    optimizer.add_param_group({"params": [layer.bias], "weight_decay": 0})
    for i in range(20):
        optimizer.zero_grad()
        ((layer(x[i]) - y[i]) ** 2 / 2).sum().backward()
        optimizer.step()
    return np.concatenate([p.detach().numpy().ravel() for p in layer.parameters()])


@sgd_alpha.torch.like("keras")
def _(x, y):
    """Double weight_decay, and put the bias in a parameter group of its own, with weight_decay=0."""
    import torch

    x, y, layer = torch.tensor(x), torch.tensor(y), torch.nn.Linear(3, 1)
    for parameter in layer.parameters():
        torch.nn.init.zeros_(parameter)
    optimizer = torch.optim.SGD([layer.weight], lr=0.05, weight_decay=2 * 0.25)
    optimizer.add_param_group({"params": [layer.bias], "weight_decay": 0})
    for i in range(20):
        optimizer.zero_grad()
        ((layer(x[i]) - y[i]) ** 2 / 2).sum().backward()
        optimizer.step()
    return np.concatenate([p.detach().numpy().ravel() for p in layer.parameters()])


logistic_c = Card(
    id="logistic-c",
    title="LogisticRegression's C as a weight decay",
    wrong=(
        "C multiplies the sum of the losses, so a larger C is a weaker penalty, and more rows weaken it "
        "too. Against a mean loss the decay that belongs to C is 1/(C·n), for the weights and not the "
        "intercept. A decay of 1/C is too strong by a factor of the number of rows, and shrinks the weights "
        "to almost nothing."
    ),
    conventions={
        "sklearn": "min ½‖w‖² + C·Σ ℓᵢ",
        "numpy tensorflow keras torch": "min 1/n·Σ ℓᵢ + ½‖w‖²/C",
    },
    given=classification,
    differs=0.4,
    defaults=("LogisticRegression.C",),
    issues=("scikit-learn/scikit-learn#6919", "scikit-learn/scikit-learn#4666"),
    faults=("penalty-per-set", "penalty-undivided"),
)


@logistic_c.numpy
def _(x, y):
    x, keep = np.column_stack([x, np.ones(len(x))]), np.diag([1, 1, 0])
    w = np.zeros(3)
    for _ in range(8):  # Newton's method
        p = 1 / (1 + np.exp(-x @ w))
        gradient = x.T @ (p - y) / len(x) + keep @ w / 2
        w = w - np.linalg.solve(x.T * p * (1 - p) @ x / len(x) + keep / 2, gradient)
    return w


@logistic_c.numpy.like("sklearn")
def _(x, y):
    """Divide the penalty by the number of rows: ½‖w‖²/(C·n) beside a mean loss."""
    x, keep = np.column_stack([x, np.ones(len(x))]), np.diag([1, 1, 0])
    w = np.zeros(3)
    for _ in range(8):
        p = 1 / (1 + np.exp(-x @ w))
        gradient = x.T @ (p - y) / len(x) + keep @ w / (2 * len(x))
        w = w - np.linalg.solve(x.T * p * (1 - p) @ x / len(x) + keep / (2 * len(x)), gradient)
    return w


@logistic_c.sklearn
def _(x, y):
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=2.0, solver="newton-cholesky", tol=1e-14).fit(x, y)
    return np.append(model.coef_, model.intercept_)


@logistic_c.sklearn.like("torch")
def _(x, y):
    """Divide C by the number of rows."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=2.0 / len(x), solver="newton-cholesky", tol=1e-14).fit(x, y)
    return np.append(model.coef_, model.intercept_)


@logistic_c.tensorflow
def _(x, y):
    import tensorflow as tf

    w = tf.Variable(np.zeros(3))
    for _ in range(8):  # Newton's method
        with tf.GradientTape(persistent=True) as outer:
            with tf.GradientTape() as tape:
                z = tf.linalg.matvec(x, w[:2]) + w[2]
                losses = tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=z)
                loss = tf.reduce_mean(losses) + tf.nn.l2_loss(w[:2]) / 2
            gradient = tape.gradient(loss, w)
        hessian = outer.jacobian(gradient, w, experimental_use_pfor=False)
        w.assign_sub(tf.linalg.solve(hessian, gradient[:, tf.newaxis])[:, 0])
    return w


@logistic_c.tensorflow.like("sklearn")
def _(x, y):
    """Divide the penalty by the number of rows: ½‖w‖²/(C·n) beside a mean loss."""
    import tensorflow as tf

    w = tf.Variable(np.zeros(3))
    for _ in range(8):
        with tf.GradientTape(persistent=True) as outer:
            with tf.GradientTape() as tape:
                z = tf.linalg.matvec(x, w[:2]) + w[2]
                losses = tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=z)
                loss = tf.reduce_mean(losses) + tf.nn.l2_loss(w[:2]) / (2 * len(x))
            gradient = tape.gradient(loss, w)
        hessian = outer.jacobian(gradient, w, experimental_use_pfor=False)
        w.assign_sub(tf.linalg.solve(hessian, gradient[:, tf.newaxis])[:, 0])
    return w


@logistic_c.keras
def _(x, y):
    import keras
    import tensorflow as tf

    w = tf.Variable(np.zeros(3))
    for _ in range(8):  # Newton's method
        with tf.GradientTape(persistent=True) as outer:
            with tf.GradientTape() as tape:
                z = keras.ops.matmul(x, w[:2]) + w[2]
                losses = keras.losses.binary_crossentropy(y, z, from_logits=True)
                loss = losses + keras.regularizers.L2(1 / 2 / 2)(w[:2])
            gradient = tape.gradient(loss, w)
        hessian = outer.jacobian(gradient, w, experimental_use_pfor=False)
        w.assign_sub(keras.ops.solve(hessian, gradient))
    return w


@logistic_c.keras.like("sklearn")
def _(x, y):
    """Divide the penalty by the number of rows: ½‖w‖²/(C·n) beside a mean loss."""
    import keras
    import tensorflow as tf

    w = tf.Variable(np.zeros(3))
    for _ in range(8):
        with tf.GradientTape(persistent=True) as outer:
            with tf.GradientTape() as tape:
                z = keras.ops.matmul(x, w[:2]) + w[2]
                losses = keras.losses.binary_crossentropy(y, z, from_logits=True)
                loss = losses + keras.regularizers.L2(1 / 2 / (2 * len(x)))(w[:2])
            gradient = tape.gradient(loss, w)
        hessian = outer.jacobian(gradient, w, experimental_use_pfor=False)
        w.assign_sub(keras.ops.solve(hessian, gradient))
    return w


@logistic_c.torch
def _(x, y):
    import torch

    x, y, w = torch.tensor(x), torch.tensor(y), torch.zeros(3)

    def objective(w):
        losses = torch.nn.functional.binary_cross_entropy_with_logits(x @ w[:2] + w[2], y)
        return losses + (w[:2] ** 2).sum() / 2 / 2

    for _ in range(8):  # Newton's method
        w = w - torch.linalg.solve(torch.func.hessian(objective)(w), torch.func.grad(objective)(w))
    return w


@logistic_c.torch.like("sklearn")
def _(x, y):
    """Divide the penalty by the number of rows: ½‖w‖²/(C·n) beside a mean loss."""
    import torch

    x, y, w = torch.tensor(x), torch.tensor(y), torch.zeros(3)

    def objective(w):
        losses = torch.nn.functional.binary_cross_entropy_with_logits(x @ w[:2] + w[2], y)
        return losses + (w[:2] ** 2).sum() / 2 / (2 * len(x))

    for _ in range(8):
        w = w - torch.linalg.solve(torch.func.hessian(objective)(w), torch.func.grad(objective)(w))
    return w


ridge_alpha = Card(
    id="ridge-alpha",
    title="Ridge's alpha: beside a sum of squared errors, not their mean",
    wrong=(
        "Ridge adds α‖w‖² to the sum of the squared errors, a training loop to their mean. The same α is "
        "then stronger by a factor of the number of rows, and a port shrinks far too much. Neither penalises "
        "an intercept, provided that a weight decay is not given to all parameters."
    ),
    conventions={
        "sklearn": "min Σ(xᵢ·w - yᵢ)² + α‖w‖²",
        "numpy tensorflow keras torch": "min 1/n·Σ(xᵢ·w - yᵢ)² + α‖w‖²",
    },
    given=some_rows,
    differs=0.2,
    defaults=("Ridge.alpha",),
    issues=("scikit-learn/scikit-learn#21891", "scikit-learn/scikit-learn#4666"),
    faults=("all-summed", "penalty-never-divided"),
)


@ridge_alpha.numpy
def _(x, y):
    return np.linalg.solve(x.T @ x / len(x) + 0.5 * np.eye(3), x.T @ y / len(x))


@ridge_alpha.numpy.like("sklearn")
def _(x, y):
    """Divide α by the number of rows."""
    return np.linalg.solve(x.T @ x / len(x) + 0.5 / len(x) * np.eye(3), x.T @ y / len(x))


@ridge_alpha.sklearn
def _(x, y):
    from sklearn.linear_model import Ridge

    return Ridge(alpha=0.5, fit_intercept=False).fit(x, y).coef_


@ridge_alpha.sklearn.like("torch")
def _(x, y):
    """Multiply α by the number of rows."""
    from sklearn.linear_model import Ridge

    return Ridge(alpha=0.5 * len(x), fit_intercept=False).fit(x, y).coef_


@ridge_alpha.tensorflow
def _(x, y):
    import tensorflow as tf

    w = tf.Variable(np.zeros(3))
    with tf.GradientTape(persistent=True) as outer:
        with tf.GradientTape() as tape:
            error = tf.linalg.matvec(x, w) - y
            loss = tf.reduce_mean(error**2) + 0.5 * tf.reduce_sum(w**2)
        gradient = tape.gradient(loss, w)
    hessian = outer.jacobian(gradient, w, experimental_use_pfor=False)
    return w - tf.linalg.solve(hessian, gradient[:, tf.newaxis])[:, 0]  # one step: it is quadratic


@ridge_alpha.tensorflow.like("sklearn")
def _(x, y):
    """Divide α by the number of rows."""
    import tensorflow as tf

    w = tf.Variable(np.zeros(3))
    with tf.GradientTape(persistent=True) as outer:
        with tf.GradientTape() as tape:
            error = tf.linalg.matvec(x, w) - y
            loss = tf.reduce_mean(error**2) + 0.5 / len(x) * tf.reduce_sum(w**2)
        gradient = tape.gradient(loss, w)
    hessian = outer.jacobian(gradient, w, experimental_use_pfor=False)
    return w - tf.linalg.solve(hessian, gradient[:, tf.newaxis])[:, 0]


@ridge_alpha.keras
def _(x, y):
    import keras
    import tensorflow as tf

    w = tf.Variable(np.zeros(3))
    with tf.GradientTape(persistent=True) as outer:
        with tf.GradientTape() as tape:
            loss = keras.losses.MeanSquaredError()(y, keras.ops.matmul(x, w))
            loss = loss + keras.regularizers.L2(0.5)(w)
        gradient = tape.gradient(loss, w)
    hessian = outer.jacobian(gradient, w, experimental_use_pfor=False)
    return w - keras.ops.solve(hessian, gradient)  # one step: it is quadratic


@ridge_alpha.keras.like("sklearn")
def _(x, y):
    """Divide α by the number of rows."""
    import keras
    import tensorflow as tf

    w = tf.Variable(np.zeros(3))
    with tf.GradientTape(persistent=True) as outer:
        with tf.GradientTape() as tape:
            loss = keras.losses.MeanSquaredError()(y, keras.ops.matmul(x, w))
            loss = loss + keras.regularizers.L2(0.5 / len(x))(w)
        gradient = tape.gradient(loss, w)
    hessian = outer.jacobian(gradient, w, experimental_use_pfor=False)
    return w - keras.ops.solve(hessian, gradient)


@ridge_alpha.torch
def _(x, y):
    import torch

    x, y, w = torch.tensor(x), torch.tensor(y), torch.zeros(3)

    def objective(w):
        return torch.nn.functional.mse_loss(x @ w, y) + 0.5 * (w**2).sum()

    gradient, hessian = torch.func.grad(objective)(w), torch.func.hessian(objective)(w)
    return w - torch.linalg.solve(hessian, gradient)  # one step: it is quadratic


@ridge_alpha.torch.like("sklearn")
def _(x, y):
    """Divide α by the number of rows."""
    import torch

    x, y, w = torch.tensor(x), torch.tensor(y), torch.zeros(3)

    def objective(w):
        return torch.nn.functional.mse_loss(x @ w, y) + 0.5 / len(x) * (w**2).sum()

    gradient, hessian = torch.func.grad(objective)(w), torch.func.hessian(objective)(w)
    return w - torch.linalg.solve(hessian, gradient)


elastic_net = Card(
    id="elastic-net",
    title="Lasso and ElasticNet: halves in the loss and in the square",
    wrong=(
        "Lasso and ElasticNet halve the mean squared error and the squared norm, and not the absolute norm. "
        "Keras's L1L2 beside a mean squared error halves nothing. With the same α a port has half the L1, "
        "and keeps coefficients that Lasso sets to zero. Gradient descent alone never sets one to zero: "
        "that takes a proximal step, as here."
    ),
    conventions={
        "sklearn": "min 1/(2n)·Σ(xᵢ·w - yᵢ)² + α·ρ·‖w‖₁ + ½α(1 - ρ)·‖w‖²",
        "numpy tensorflow keras torch": "min 1/n·Σ(xᵢ·w - yᵢ)² + α·ρ·‖w‖₁ + α(1 - ρ)·‖w‖²",
    },
    given=sparse_regression,
    differs=0.03,
    defaults=("ElasticNet.alpha", "ElasticNet.l1_ratio"),
    faults=("l1-halved", "squared-not-halved"),
)


@elastic_net.numpy
def _(x, y):
    w = np.zeros(4)
    for _ in range(150):  # proximal steps
        w = w - 0.2 * (2 * x.T @ (x @ w - y) / len(x) + 2 * 0.25 * w)
        w = np.sign(w) * np.maximum(np.abs(w) - 0.2 * 0.25, 0)
    return w


@elastic_net.numpy.like("sklearn")
def _(x, y):
    """Halve the mean squared error and the squared norm, but not the absolute norm."""
    w = np.zeros(4)
    for _ in range(150):
        w = w - 0.2 * (x.T @ (x @ w - y) / len(x) + 0.25 * w)
        w = np.sign(w) * np.maximum(np.abs(w) - 0.2 * 0.25, 0)
    return w


@elastic_net.sklearn
def _(x, y):
    from sklearn.linear_model import ElasticNet

    return ElasticNet(alpha=0.5, l1_ratio=0.5, fit_intercept=False, tol=1e-15).fit(x, y).coef_


@elastic_net.sklearn.like("torch")
def _(x, y):
    """Halve the L1 part, keep the L2 part, and compute alpha and l1_ratio from the two."""
    from sklearn.linear_model import ElasticNet

    l1, l2 = 0.5 * 0.5 / 2, 0.5 * (1 - 0.5)
    model = ElasticNet(alpha=l1 + l2, l1_ratio=l1 / (l1 + l2), fit_intercept=False, tol=1e-15)
    return model.fit(x, y).coef_


@elastic_net.tensorflow
def _(x, y):
    import tensorflow as tf

    w = tf.Variable(np.zeros(4))
    for _ in range(150):  # proximal steps
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((tf.linalg.matvec(x, w) - y) ** 2) + 0.25 * tf.reduce_sum(w**2)
        z = w - 0.2 * tape.gradient(loss, w)
        w.assign(tf.sign(z) * tf.nn.relu(tf.abs(z) - 0.2 * 0.25))
    return w


@elastic_net.tensorflow.like("sklearn")
def _(x, y):
    """Halve the mean squared error and the squared norm with `tf.nn.l2_loss`, not the absolute norm."""
    import tensorflow as tf

    w = tf.Variable(np.zeros(4))
    for _ in range(150):
        with tf.GradientTape() as tape:
            loss = tf.nn.l2_loss(tf.linalg.matvec(x, w) - y) / len(x) + 0.25 * tf.nn.l2_loss(w)
        z = w - 0.2 * tape.gradient(loss, w)
        w.assign(tf.sign(z) * tf.nn.relu(tf.abs(z) - 0.2 * 0.25))
    return w


@elastic_net.keras
def _(x, y):
    import keras
    import tensorflow as tf

    w, l2 = tf.Variable(np.zeros(4)), keras.regularizers.L2(0.25)
    for _ in range(150):  # proximal steps
        with tf.GradientTape() as tape:
            loss = keras.losses.mean_squared_error(y, keras.ops.matmul(x, w)) + l2(w)
        w.assign(keras.ops.soft_shrink(w - 0.2 * tape.gradient(loss, w), 0.2 * 0.25))
    return w


@elastic_net.keras.like("sklearn")
def _(x, y):
    """Halve the mean squared error and the factor of L2, but not that of L1."""
    import keras
    import tensorflow as tf

    w, l2 = tf.Variable(np.zeros(4)), keras.regularizers.L2(0.25 / 2)
    for _ in range(150):
        with tf.GradientTape() as tape:
            loss = keras.losses.mean_squared_error(y, keras.ops.matmul(x, w)) / 2 + l2(w)
        w.assign(keras.ops.soft_shrink(w - 0.2 * tape.gradient(loss, w), 0.2 * 0.25))
    return w


@elastic_net.torch
def _(x, y):
    import torch

    x, y, w = torch.tensor(x), torch.tensor(y), torch.zeros(4, requires_grad=True)
    for _ in range(150):  # proximal steps
        loss = torch.nn.functional.mse_loss(x @ w, y) + 0.25 * (w**2).sum()
        (gradient,) = torch.autograd.grad(loss, w)
        z = w.detach() - 0.2 * gradient
        w = torch.nn.functional.softshrink(z, 0.2 * 0.25).requires_grad_()
    return w.detach()


@elastic_net.torch.like("sklearn")
def _(x, y):
    """Halve the mean squared error and the squared norm, but not the absolute norm."""
    import torch

    x, y, w = torch.tensor(x), torch.tensor(y), torch.zeros(4, requires_grad=True)
    for _ in range(150):
        loss = torch.nn.functional.mse_loss(x @ w, y) / 2 + 0.25 / 2 * (w**2).sum()
        (gradient,) = torch.autograd.grad(loss, w)
        z = w.detach() - 0.2 * gradient
        w = torch.nn.functional.softshrink(z, 0.2 * 0.25).requires_grad_()
    return w.detach()


perceptron_tie = Card(
    id="perceptron-tie",
    title="Perceptron: a row on the boundary",
    wrong=(
        "At the start every row lies on the boundary. Scikit-learn counts that as a mistake; a textbook's "
        "step function, 1 at 0, calls it class 1, so that only rows of the other class are mistakes; and "
        "the gradient of max(0, -y·z) is 0 there in the frameworks, so that a perceptron that starts from "
        "zero by autograd never learns anything. Later, only coarse data lie on the boundary."
    ),
    conventions={
        "sklearn": "update if y·z ≤ 0",
        "numpy": "update if y ≠ (1 if z ≥ 0 else -1)",
        "tensorflow keras torch": "update if y·z < 0",
    },
    given=coarse_rows,
    differs=0.2,
)


@perceptron_tie.numpy
def _(x, y):
    w = np.zeros(3)
    for i in range(len(x)):
        z = x[i] @ w
        if y[i] != (1 if z >= 0 else -1):
            w = w + y[i] * x[i]
    return w


@perceptron_tie.numpy.like("sklearn")
def _(x, y):
    """Learn from a row if y·z ≤ 0."""
    w = np.zeros(3)
    for i in range(len(x)):
        z = x[i] @ w
        if y[i] * z <= 0:
            w = w + y[i] * x[i]
    return w


@perceptron_tie.numpy.like("torch")
def _(x, y):
    """Learn from a row if y·z < 0."""
    w = np.zeros(3)
    for i in range(len(x)):
        z = x[i] @ w
        if y[i] * z < 0:
            w = w + y[i] * x[i]
    return w


@perceptron_tie.sklearn
def _(x, y):
    from sklearn.linear_model import Perceptron

    return Perceptron(fit_intercept=False, shuffle=False).partial_fit(x, y, classes=[-1, 1]).coef_[0]


@perceptron_tie.sklearn.like("numpy")
def _(x, y):
    """Call `partial_fit` only for rows of which the step function is wrong."""
    from sklearn.linear_model import Perceptron

    model = Perceptron(fit_intercept=False).partial_fit(0 * x[:1], y[:1], classes=[-1, 1])
    for i in range(len(x)):
        z = model.decision_function(x[i : i + 1])[0]
        if y[i] != (1 if z >= 0 else -1):
            model.partial_fit(x[i : i + 1], y[i : i + 1])
    return model.coef_[0]


@perceptron_tie.sklearn.like("torch")
def _(x, y):
    """Call `partial_fit` only for rows on the wrong side, y·z < 0."""
    from sklearn.linear_model import Perceptron

    model = Perceptron(fit_intercept=False).partial_fit(0 * x[:1], y[:1], classes=[-1, 1])
    for i in range(len(x)):
        z = model.decision_function(x[i : i + 1])[0]
        if y[i] * z < 0:
            model.partial_fit(x[i : i + 1], y[i : i + 1])
    return model.coef_[0]


@perceptron_tie.tensorflow
def _(x, y):
    import tensorflow as tf

    w = tf.Variable(np.zeros(3))
    for i in range(len(x)):
        with tf.GradientTape() as tape:
            loss = tf.nn.relu(-y[i] * tf.reduce_sum(x[i] * w))
        w.assign_sub(tape.gradient(loss, w))
    return w


@perceptron_tie.tensorflow.like("sklearn")
def _(x, y):
    """Write the loss with `tf.where`: -y·z where y·z ≤ 0, else 0."""
    import tensorflow as tf

    w = tf.Variable(np.zeros(3))
    for i in range(len(x)):
        with tf.GradientTape() as tape:
            z = tf.reduce_sum(x[i] * w)
            loss = tf.where(y[i] * z <= 0, -y[i] * z, 0)
        w.assign_sub(tape.gradient(loss, w))
    return w


@perceptron_tie.tensorflow.like("numpy")
def _(x, y):
    """Write the loss with `tf.where`: -y·z where the step function is wrong, else 0."""
    import tensorflow as tf

    w = tf.Variable(np.zeros(3))
    for i in range(len(x)):
        with tf.GradientTape() as tape:
            z = tf.reduce_sum(x[i] * w)
            loss = tf.where((z >= 0) != (y[i] > 0), -y[i] * z, 0)
        w.assign_sub(tape.gradient(loss, w))
    return w


@perceptron_tie.keras
def _(x, y):
    import keras
    import tensorflow as tf

    w = tf.Variable(np.zeros(3))
    for i in range(len(x)):
        with tf.GradientTape() as tape:
            loss = keras.ops.relu(-y[i] * keras.ops.dot(x[i], w))
        w.assign_sub(tape.gradient(loss, w))
    return w


@perceptron_tie.keras.like("sklearn")
def _(x, y):
    """Write the loss with `keras.ops.where`: -y·z where y·z ≤ 0, else 0."""
    import keras
    import tensorflow as tf

    w = tf.Variable(np.zeros(3))
    for i in range(len(x)):
        with tf.GradientTape() as tape:
            z = keras.ops.dot(x[i], w)
            loss = keras.ops.where(y[i] * z <= 0, -y[i] * z, 0.0)
        w.assign_sub(tape.gradient(loss, w))
    return w


@perceptron_tie.keras.like("numpy")
def _(x, y):
    """Write the loss with `keras.ops.where`: -y·z where the step function is wrong, else 0."""
    import keras
    import tensorflow as tf

    w = tf.Variable(np.zeros(3))
    for i in range(len(x)):
        with tf.GradientTape() as tape:
            z = keras.ops.dot(x[i], w)
            loss = keras.ops.where((z >= 0) != (y[i] > 0), -y[i] * z, 0.0)
        w.assign_sub(tape.gradient(loss, w))
    return w


@perceptron_tie.torch
def _(x, y):
    import torch

    x, y, w = torch.tensor(x), torch.tensor(y), torch.zeros(3, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=1.0)
    for i in range(len(x)):
        optimizer.zero_grad()
        loss = torch.relu(-y[i] * (x[i] @ w))
        loss.backward()
        optimizer.step()
    return w.detach()


@perceptron_tie.torch.like("sklearn")
def _(x, y):
    """Write the loss with `torch.where`: -y·z where y·z ≤ 0, else 0."""
    import torch

    x, y, w = torch.tensor(x), torch.tensor(y), torch.zeros(3, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=1.0)
    for i in range(len(x)):
        optimizer.zero_grad()
        z = x[i] @ w
        loss = torch.where(y[i] * z <= 0, -y[i] * z, 0)
        loss.backward()
        optimizer.step()
    return w.detach()


@perceptron_tie.torch.like("numpy")
def _(x, y):
    """Write the loss with `torch.where`: -y·z where the step function is wrong, else 0."""
    import torch

    x, y, w = torch.tensor(x), torch.tensor(y), torch.zeros(3, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=1.0)
    for i in range(len(x)):
        optimizer.zero_grad()
        z = x[i] @ w
        loss = torch.where((z >= 0) != (y[i] > 0), -y[i] * z, 0)
        loss.backward()
        optimizer.step()
    return w.detach()


sgd_huber = Card(
    id="sgd-huber",
    title="Huber's loss in SGDRegressor: where it turns linear",
    wrong=(
        "It is the same loss, but SGDRegressor's epsilon has another default than the delta of Keras and "
        "PyTorch: with it, most errors are on the linear branch, and the length of a step hardly depends on "
        "the error. With the delta of the others most errors are on the quadratic branch, and the loss is "
        "close to a squared one."
    ),
    conventions={
        "sklearn": "∂ℓ/∂p = clip(p - y, -ε, ε),  ε = 0.1",
        "numpy keras torch": "∂ℓ/∂p = clip(p - y, -δ, δ),  δ = 1",
    },
    given=sparse_regression,
    differs=0.4,
    absent={"tensorflow": "tf.compat.v1.losses.huber_loss computes in float32"},
    defaults=("Huber.delta", "SGDRegressor.epsilon"),
    faults=("huber-delta",),
)


@sgd_huber.numpy
def _(x, y):
    w = np.zeros(4)
    for i in range(len(x)):
        w = w - 0.05 * np.clip(x[i] @ w - y[i], -1, 1) * x[i]
    return w


@sgd_huber.numpy.like("sklearn")
def _(x, y):
    """Clip the error at SGDRegressor's epsilon, 0.1."""
    w = np.zeros(4)
    for i in range(len(x)):
        w = w - 0.05 * np.clip(x[i] @ w - y[i], -0.1, 0.1) * x[i]
    return w


@sgd_huber.sklearn
def _(x, y):
    from sklearn.linear_model import SGDRegressor

    model = SGDRegressor(loss="huber", alpha=0, learning_rate="constant", eta0=0.05)
    return model.set_params(fit_intercept=False, shuffle=False).partial_fit(x, y).coef_


@sgd_huber.sklearn.like("torch")
def _(x, y):
    """Pass epsilon=1."""
    from sklearn.linear_model import SGDRegressor

    model = SGDRegressor(loss="huber", epsilon=1, alpha=0, learning_rate="constant", eta0=0.05)
    return model.set_params(fit_intercept=False, shuffle=False).partial_fit(x, y).coef_


@sgd_huber.keras
def _(x, y):
    import keras
    import tensorflow as tf

    w, loss = tf.Variable(np.zeros(4)), keras.losses.Huber()
    for i in range(len(x)):
        with tf.GradientTape() as tape:
            value = loss(y[i : i + 1], keras.ops.matmul(x[i : i + 1], w))
        w.assign_sub(0.05 * tape.gradient(value, w))
    return w


@sgd_huber.keras.like("sklearn")
def _(x, y):
    """Pass delta=0.1."""
    import keras
    import tensorflow as tf

    w, loss = tf.Variable(np.zeros(4)), keras.losses.Huber(delta=0.1)
    for i in range(len(x)):
        with tf.GradientTape() as tape:
            value = loss(y[i : i + 1], keras.ops.matmul(x[i : i + 1], w))
        w.assign_sub(0.05 * tape.gradient(value, w))
    return w


@sgd_huber.torch
def _(x, y):
    import torch

    x, y, w = torch.tensor(x), torch.tensor(y), torch.zeros(4, requires_grad=True)
    optimizer, loss = torch.optim.SGD([w], lr=0.05), torch.nn.HuberLoss()
    for i in range(len(x)):
        optimizer.zero_grad()
        loss(x[i] @ w, y[i]).backward()
        optimizer.step()
    return w.detach()


@sgd_huber.torch.like("sklearn")
def _(x, y):
    """Pass delta=0.1."""
    import torch

    x, y, w = torch.tensor(x), torch.tensor(y), torch.zeros(4, requires_grad=True)
    optimizer, loss = torch.optim.SGD([w], lr=0.05), torch.nn.HuberLoss(delta=0.1)
    for i in range(len(x)):
        optimizer.zero_grad()
        loss(x[i] @ w, y[i]).backward()
        optimizer.step()
    return w.detach()
