"""Training: shuffles, batches, modes, stopping, what is logged."""

import numpy as np

from backends.base import Arrays
from guide import given
from guide.card import Card


def numbered_rows() -> Arrays:
    """Twelve rows `x` (12, 1) that hold their numbers; a snippet tells what it sees of them."""
    return {"x": np.arange(12.0)[:, np.newaxis]}


def many_rows() -> Arrays:
    """Two hundred and fifty rows `x` (250, 1) that hold their numbers."""
    return {"x": np.arange(250.0)[:, np.newaxis]}


def regression() -> Arrays:
    """Eight rows `x` (8, 3) and targets `y` (8, 1)."""
    rng = np.random.default_rng(5)
    x = rng.standard_normal((8, 3))
    return {"x": x, "y": x @ [[1.0], [-2.0], [0.5]] + 0.5}


def flat_losses() -> Arrays:
    """The `losses` of twelve epochs, all the same."""
    return {"losses": np.ones(12)}


def slow_losses() -> Arrays:
    """The `losses` of twelve epochs, of which each is lower by 0.6 of the least improvement, 0.001."""
    return {"losses": 1 - 6e-4 * np.arange(12)}


def rising_losses() -> Arrays:
    """The `losses` of six epochs, the second of which is the lowest."""
    return {"losses": np.array([3.0, 1.0, 2.0, 2.5, 3.0, 4.0])}


shuffle_default = Card(
    id="shuffle-default",
    title="Are the rows shuffled by default?",
    wrong=(
        "Keras's `fit` and scikit-learn's estimators shuffle the rows in every epoch unless told not to; a "
        "DataLoader, a tf.data pipeline and a loop of one's own take them as they come. Sorted data then "
        "train one class after the other. Two frameworks never draw the same permutation, so a comparison of "
        "steps needs shuffle=False and a permutation of one's own. With one batch per epoch nothing shows."
    ),
    conventions={
        "sklearn keras": "rows in another order in each epoch",
        "numpy tensorflow torch": "rows in the order of the data",
    },
    given=numbered_rows,
    differs=0.5,
    defaults=("fit.shuffle",),
    faults=("order-not-shuffled", "order-other-seed", "order-backwards", "order-one-late"),
)


@shuffle_default.numpy
def _(x):
    seen = [row for i in range(0, len(x), 4) for row in x[i : i + 4, 0]]
    return [seen == sorted(seen)]


@shuffle_default.numpy.like("keras")
def _(x):
    """Permute the rows before each epoch."""
    x = np.random.default_rng().permutation(x)
    seen = [row for i in range(0, len(x), 4) for row in x[i : i + 4, 0]]
    return [seen == sorted(seen)]


@shuffle_default.sklearn
def _(x):
    from sklearn.neural_network import MLPRegressor

    seen = []

    class Seeing(MLPRegressor):
        def _backprop(self, batch, *arguments):
            seen.extend(batch[:, 0])
            return super()._backprop(batch, *arguments)

    Seeing(hidden_layer_sizes=(), batch_size=4, max_iter=1).fit(x, x[:, 0])
    return [seen == sorted(seen)]


@shuffle_default.sklearn.like("torch")
def _(x):
    """Pass shuffle=False."""
    from sklearn.neural_network import MLPRegressor

    seen = []

    class Seeing(MLPRegressor):
        def _backprop(self, batch, *arguments):
            seen.extend(batch[:, 0])
            return super()._backprop(batch, *arguments)

    Seeing(hidden_layer_sizes=(), batch_size=4, max_iter=1, shuffle=False).fit(x, x[:, 0])
    return [seen == sorted(seen)]


@shuffle_default.tensorflow
def _(x):
    import tensorflow as tf

    seen = []
    for batch in tf.data.Dataset.from_tensor_slices(x).batch(4):
        seen.extend(batch[:, 0].numpy())
    return [seen == sorted(seen)]


@shuffle_default.tensorflow.like("keras")
def _(x):
    """Shuffle with a buffer of all rows."""
    import tensorflow as tf

    seen = []
    for batch in tf.data.Dataset.from_tensor_slices(x).shuffle(len(x)).batch(4):
        seen.extend(batch[:, 0].numpy())
    return [seen == sorted(seen)]


@shuffle_default.keras
def _(x):
    import keras

    seen = []

    class Seeing(keras.Model):
        def train_step(self, data):
            seen.extend(data[:, 0].numpy())
            return {"loss": 0.0}

    model = Seeing()
    model.compile(run_eagerly=True)
    model.fit(x, batch_size=4, verbose=0)
    return [seen == sorted(seen)]


@shuffle_default.keras.like("torch")
def _(x):
    """Pass shuffle=False."""
    import keras

    seen = []

    class Seeing(keras.Model):
        def train_step(self, data):
            seen.extend(data[:, 0].numpy())
            return {"loss": 0.0}

    model = Seeing()
    model.compile(run_eagerly=True)
    model.fit(x, batch_size=4, verbose=0, shuffle=False)
    return [seen == sorted(seen)]


@shuffle_default.torch
def _(x):
    import torch

    seen = []
    for batch in torch.utils.data.DataLoader(torch.tensor(x), batch_size=4):
        seen.extend(batch[:, 0].tolist())
    return [seen == sorted(seen)]


@shuffle_default.torch.like("keras")
def _(x):
    """Pass shuffle=True."""
    import torch

    seen = []
    for batch in torch.utils.data.DataLoader(torch.tensor(x), batch_size=4, shuffle=True):
        seen.extend(batch[:, 0].tolist())
    return [seen == sorted(seen)]


shuffle_each_epoch = Card(
    id="shuffle-each-epoch",
    title="partial_fit with a number as random_state repeats its shuffle",
    wrong=(
        "Scikit-learn makes a new random stream of a random_state that is a number in every call of "
        "`partial_fit`. From the second call on, each has the same permutation: the rows are shuffled once, "
        "not for every epoch. Within a single `fit`, and in the other frameworks, each epoch gets a new one."
    ),
    conventions={
        "sklearn": "each epoch has the order of the one before",
        "numpy tensorflow keras torch": "each epoch has another order",
    },
    given=numbered_rows,
    differs=0.5,
    issues=("scikit-learn/scikit-learn#12505", "civisanalytics/muffnn#15"),
    faults=("order-shuffled-once",),
)


@shuffle_each_epoch.numpy
def _(x):
    rng = np.random.default_rng(1)
    epochs = [rng.permutation(x), rng.permutation(x)]
    return [np.array_equal(*epochs)]


@shuffle_each_epoch.numpy.like("sklearn")
def _(x):
    """Start the generator again in each epoch."""
    epochs = [np.random.default_rng(1).permutation(x), np.random.default_rng(1).permutation(x)]
    return [np.array_equal(*epochs)]


@shuffle_each_epoch.sklearn
def _(x):
    from sklearn.neural_network import MLPRegressor

    seen = []

    class Seeing(MLPRegressor):
        def _backprop(self, batch, *arguments):
            seen.append(batch[:, 0])
            return super()._backprop(batch, *arguments)

    model = Seeing(hidden_layer_sizes=(), random_state=1)
    for _ in range(3):
        model.partial_fit(x, x[:, 0])
    return [np.array_equal(*seen[1:])]  # the first call also draws the initial weights


@shuffle_each_epoch.sklearn.like("keras")
def _(x):
    """Pass a `RandomState`, which goes on from call to call."""
    from sklearn.neural_network import MLPRegressor

    seen = []

    class Seeing(MLPRegressor):
        def _backprop(self, batch, *arguments):
            seen.append(batch[:, 0])
            return super()._backprop(batch, *arguments)

    model = Seeing(hidden_layer_sizes=(), random_state=np.random.RandomState(1))
    for _ in range(3):
        model.partial_fit(x, x[:, 0])
    return [np.array_equal(*seen[1:])]


@shuffle_each_epoch.tensorflow
def _(x):
    import tensorflow as tf

    rows = tf.data.Dataset.from_tensor_slices(x).shuffle(len(x), seed=1)
    epochs = [np.array(list(rows)) for _ in range(2)]
    return [np.array_equal(*epochs)]


@shuffle_each_epoch.tensorflow.like("sklearn")
def _(x):
    """Pass reshuffle_each_iteration=False."""
    import tensorflow as tf

    rows = tf.data.Dataset.from_tensor_slices(x).shuffle(len(x), seed=1, reshuffle_each_iteration=False)
    epochs = [np.array(list(rows)) for _ in range(2)]
    return [np.array_equal(*epochs)]


@shuffle_each_epoch.keras
def _(x):
    import keras

    seen = []

    class Seeing(keras.Model):
        def train_step(self, data):
            seen.append(data.numpy())
            return {"loss": 0.0}

    keras.utils.set_random_seed(1)
    model = Seeing()
    model.compile(run_eagerly=True)
    model.fit(x, epochs=2, verbose=0)
    return [np.array_equal(*seen)]


@shuffle_each_epoch.keras.like("sklearn")
def _(x):
    """Permute the rows once, and pass shuffle=False."""
    import keras

    seen = []

    class Seeing(keras.Model):
        def train_step(self, data):
            seen.append(data.numpy())
            return {"loss": 0.0}

    model = Seeing()
    model.compile(run_eagerly=True)
    model.fit(np.random.default_rng(1).permutation(x), epochs=2, shuffle=False, verbose=0)
    return [np.array_equal(*seen)]


@shuffle_each_epoch.torch
def _(x):
    import torch

    torch.manual_seed(1)
    loader = torch.utils.data.DataLoader(torch.tensor(x), batch_size=12, shuffle=True)
    epochs = [np.array(next(iter(loader))) for _ in range(2)]
    return [np.array_equal(*epochs)]


@shuffle_each_epoch.torch.like("sklearn")
def _(x):
    """Set the seed again in each epoch."""
    import torch

    loader = torch.utils.data.DataLoader(torch.tensor(x), batch_size=12, shuffle=True)
    epochs = []
    for _ in range(2):
        torch.manual_seed(1)
        epochs.append(np.array(next(iter(loader))))
    return [np.array_equal(*epochs)]


shuffle_buffer = Card(
    id="shuffle-buffer",
    title="tf.data's shuffle: only within its buffer",
    wrong=(
        "`Dataset.shuffle(n)` draws each row from a buffer of the next n, so that no row comes more than n "
        "places early. With sorted data and a small buffer, whole epochs begin with one class. Everything "
        "else permutes all rows. It does not show when the buffer holds all of the data."
    ),
    conventions={
        "tensorflow": "the i-th row is one of the first n + i",
        "numpy sklearn keras torch": "the i-th row is any row",
    },
    given=many_rows,
    differs=0.5,
)


@shuffle_buffer.numpy
def _(x):
    first = np.random.default_rng(1).permutation(x)[:10]
    return [first.max() < 20]


@shuffle_buffer.numpy.like("tensorflow")
def _(x):
    """Draw from a buffer, and fill it up with the next row."""
    rng = np.random.default_rng(1)
    buffer, first = x[:10], []
    for row in x[10:20]:
        i = rng.integers(10)
        first.append(buffer[i].copy())
        buffer[i] = row
    return [np.max(first) < 20]


@shuffle_buffer.sklearn
def _(x):
    from sklearn.utils import shuffle

    first = shuffle(x, random_state=1)[:10]
    return [first.max() < 20]


@shuffle_buffer.sklearn.like("tensorflow")
def _(x):
    """Draw from a buffer, and fill it up with the next row."""
    from sklearn.utils import check_random_state

    rng = check_random_state(1)
    buffer, first = x[:10], []
    for row in x[10:20]:
        i = rng.randint(10)
        first.append(buffer[i].copy())
        buffer[i] = row
    return [np.max(first) < 20]


@shuffle_buffer.tensorflow
def _(x):
    import tensorflow as tf

    first = next(iter(tf.data.Dataset.from_tensor_slices(x).shuffle(10, seed=1).batch(10)))
    return [np.max(first) < 20]


@shuffle_buffer.tensorflow.like("keras")
def _(x):
    """Make the buffer as large as the data."""
    import tensorflow as tf

    first = next(iter(tf.data.Dataset.from_tensor_slices(x).shuffle(len(x), seed=1).batch(10)))
    return [np.max(first) < 20]


@shuffle_buffer.keras
def _(x):
    import keras

    seen = []

    class Seeing(keras.Model):
        def train_step(self, data):
            seen.append(data.numpy())
            return {"loss": 0.0}

    model = Seeing()
    model.compile(run_eagerly=True)
    model.fit(x, batch_size=10, verbose=0)
    return [seen[0].max() < 20]


@shuffle_buffer.keras.like("tensorflow")
def _(x):
    """Give `fit` a tf.data pipeline."""
    import keras
    import tensorflow as tf

    seen = []

    class Seeing(keras.Model):
        def train_step(self, data):
            seen.append(data.numpy())
            return {"loss": 0.0}

    model = Seeing()
    model.compile(run_eagerly=True)
    model.fit(tf.data.Dataset.from_tensor_slices(x).shuffle(10).batch(10), verbose=0)
    return [seen[0].max() < 20]


@shuffle_buffer.torch
def _(x):
    import torch

    first = next(iter(torch.utils.data.DataLoader(torch.tensor(x), batch_size=10, shuffle=True)))
    return [first.max() < 20]


@shuffle_buffer.torch.like("tensorflow")
def _(x):
    """Draw from a buffer, and fill it up with the next row."""
    import torch

    x = torch.tensor(x)
    buffer, first = x[:10].clone(), []
    for row in x[10:20]:
        i = torch.randint(10, ())
        first.append(buffer[i].clone())
        buffer[i] = row
    return [torch.stack(first).max() < 20]


batch_size_default = Card(
    id="batch-size-default",
    title="The default batch size, and so the steps of an epoch",
    wrong=(
        "Who names no batch size gets 32 rows in Keras, one in PyTorch's DataLoader, and in scikit-learn's "
        "networks 200 or all rows, whichever is less. The same number of epochs is then another number of "
        "steps. One `partial_fit` of more rows than the batch size is several steps, too."
    ),
    conventions={
        "sklearn": "⌈n/min(200, n)⌉ steps",
        "keras": "⌈n/32⌉ steps",
        "torch": "n steps",
    },
    given=many_rows,
    differs=0.4,
    absent={"numpy": "a loop of one's own has no default", "tensorflow": "tf.data has no default"},
    defaults=("fit.batch_size",),
    faults=("batch-halved",),
)


@batch_size_default.sklearn
def _(x):
    from sklearn.neural_network import MLPRegressor

    return [MLPRegressor().partial_fit(x, x[:, 0])._optimizer.t]


@batch_size_default.sklearn.like("keras")
def _(x):
    """Pass batch_size=32."""
    from sklearn.neural_network import MLPRegressor

    return [MLPRegressor(batch_size=32).partial_fit(x, x[:, 0])._optimizer.t]


@batch_size_default.sklearn.like("torch")
def _(x):
    """Pass batch_size=1."""
    from sklearn.neural_network import MLPRegressor

    return [MLPRegressor(batch_size=1).partial_fit(x, x[:, 0])._optimizer.t]


@batch_size_default.keras
def _(x):
    import keras

    sizes = []

    class Counting(keras.Model):
        def train_step(self, data):
            sizes.append(len(data))
            return {"loss": 0.0}

    model = Counting()
    model.compile(run_eagerly=True)
    model.fit(x, verbose=0)
    return [len(sizes)]


@batch_size_default.keras.like("sklearn")
def _(x):
    """Pass the smaller of 200 and the number of rows."""
    import keras

    sizes = []

    class Counting(keras.Model):
        def train_step(self, data):
            sizes.append(len(data))
            return {"loss": 0.0}

    model = Counting()
    model.compile(run_eagerly=True)
    model.fit(x, batch_size=min(200, len(x)), verbose=0)
    return [len(sizes)]


@batch_size_default.keras.like("torch")
def _(x):
    """Pass batch_size=1."""
    import keras

    sizes = []

    class Counting(keras.Model):
        def train_step(self, data):
            sizes.append(len(data))
            return {"loss": 0.0}

    model = Counting()
    model.compile(run_eagerly=True)
    model.fit(x, batch_size=1, verbose=0)
    return [len(sizes)]


@batch_size_default.torch
def _(x):
    import torch

    return [len(torch.utils.data.DataLoader(torch.tensor(x)))]


@batch_size_default.torch.like("keras")
def _(x):
    """Pass batch_size=32."""
    import torch

    return [len(torch.utils.data.DataLoader(torch.tensor(x), batch_size=32))]


@batch_size_default.torch.like("sklearn")
def _(x):
    """Pass the smaller of 200 and the number of rows."""
    import torch

    return [len(torch.utils.data.DataLoader(torch.tensor(x), batch_size=min(200, len(x))))]


last_batch = Card(
    id="last-batch",
    title="The last batch, if it is short",
    wrong=(
        "All of them keep a last batch that is not full, unless told to drop it. It is one step like any "
        "other, so its few rows count more each than the rest. A port that drops it, or that repeats rows to "
        "fill it, takes other steps and ends a schedule elsewhere."
    ),
    conventions={"numpy sklearn tensorflow keras torch": "⌈n/size⌉ batches, the last of n mod size rows"},
    given=numbered_rows,
    defaults=("DataLoader.drop_last",),
    faults=("last-batch-dropped", "last-batch-filled", "batch-row-missing", "batch-row-twice"),
)


@last_batch.numpy
def _(x):
    return [len(x[i : i + 5]) for i in range(0, len(x), 5)]


@last_batch.sklearn
def _(x):
    from sklearn.neural_network import MLPRegressor

    sizes = []

    class Counting(MLPRegressor):
        def _backprop(self, batch, *arguments):
            sizes.append(len(batch))
            return super()._backprop(batch, *arguments)

    Counting(hidden_layer_sizes=(), batch_size=5).partial_fit(x, x[:, 0])
    return sizes


@last_batch.tensorflow
def _(x):
    import tensorflow as tf

    return [len(batch) for batch in tf.data.Dataset.from_tensor_slices(x).batch(5)]


@last_batch.keras
def _(x):
    import keras

    sizes = []

    class Counting(keras.Model):
        def train_step(self, data):
            sizes.append(len(data))
            return {"loss": 0.0}

    model = Counting()
    model.compile(run_eagerly=True)
    model.fit(x, batch_size=5, verbose=0)
    return sizes


@last_batch.torch
def _(x):
    import torch

    return [len(batch) for batch in torch.utils.data.DataLoader(torch.tensor(x), batch_size=5)]


mode_default = Card(
    id="mode-default",
    title="Training or inference: the mode of a call",
    wrong=(
        "A PyTorch module starts in training mode and stays in it until `eval()`; a Keras layer that is "
        "called predicts unless it is told training=True, and only `fit` tells it. Forgotten, dropout and "
        "batch normalisation are active in an evaluation, or idle in a hand-written training. Layers without "
        "modes show nothing."
    ),
    conventions={
        "numpy keras": "a fresh layer normalises by its running statistics",
        "torch": "a fresh layer normalises by those of the batch",
    },
    given=lambda: {"x": 2 + np.random.default_rng(6).standard_normal((8, 3))},
    differs=0.4,
    absent={
        "sklearn": "scikit-learn has no layers with modes",
        "tensorflow": "a low-level function gets its statistics as arguments",
    },
)


@mode_default.numpy
def _(x):
    return (x - 0) / np.sqrt(1 + 1e-3)


@mode_default.numpy.like("torch")
def _(x):
    """Take mean and variance of the batch."""
    return (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-3)


@mode_default.keras
def _(x):
    import keras

    return keras.layers.BatchNormalization(epsilon=1e-3)(x)


@mode_default.keras.like("torch")
def _(x):
    """Pass training=True to the call."""
    import keras

    return keras.layers.BatchNormalization(epsilon=1e-3)(x, training=True)


@mode_default.torch
def _(x):
    import torch

    return torch.nn.BatchNorm1d(3, eps=1e-3)(torch.tensor(x)).detach()


@mode_default.torch.like("keras")
def _(x):
    """Call `eval()` before predicting, and `train()` before going on."""
    import torch

    return torch.nn.BatchNorm1d(3, eps=1e-3).eval()(torch.tensor(x)).detach()


dropout_function = Card(
    id="dropout-function",
    title="Dropout as a function drops when predicting too",
    wrong=(
        "A dropout layer knows whether its model is training. The functions do not: "
        "`torch.nn.functional.dropout` drops by default, in a model that is in evaluation mode too, and "
        "`tf.nn.dropout` has no mode at all. Predictions are then random and worse. Two predictions of the "
        "same row that differ show it."
    ),
    conventions={
        "keras": "y = x when predicting",
        "tensorflow torch": "y = x·mask/(1 - p), always",
    },
    given=lambda: {"x": np.ones((50, 4))},
    differs=0.5,
    absent={
        "numpy": "by hand, one writes the condition",
        "sklearn": "scikit-learn has no dropout",
    },
    faults=("dropout-at-prediction", "dropout-missing"),
)


@dropout_function.tensorflow
def _(x):
    import tensorflow as tf

    def predict(x):
        return tf.nn.dropout(x, rate=0.5)

    return [np.any(predict(x) == 0)]


@dropout_function.tensorflow.like("keras")
def _(x):
    """Drop only if training."""
    import tensorflow as tf

    def call(x, *, training):
        return tf.nn.dropout(x, rate=0.5) if training else x

    return [np.any(call(x, training=False) == 0)]


@dropout_function.keras
def _(x):
    import keras

    model = keras.Sequential([keras.layers.Dropout(0.5)])
    return [np.any(model(x) == 0)]


@dropout_function.keras.like("torch")
def _(x):
    """Pass training=True to the layer where the model calls it."""
    import keras

    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.dropout = keras.layers.Dropout(0.5)

        def call(self, x):
            return self.dropout(x, training=True)

    return [np.any(Model()(x) == 0)]


@dropout_function.torch
def _(x):
    import torch

    class Model(torch.nn.Module):
        def forward(self, x):
            return torch.nn.functional.dropout(x, 0.5)

    return [(Model().eval()(torch.tensor(x)) == 0).any()]


@dropout_function.torch.like("keras")
def _(x):
    """Pass training=self.training, or use `torch.nn.Dropout`."""
    import torch

    class Model(torch.nn.Module):
        def forward(self, x):
            return torch.nn.functional.dropout(x, 0.5, training=self.training)

    return [(Model().eval()(torch.tensor(x)) == 0).any()]


dropout_share = Card(
    id="dropout-share",
    title="Dropout: the share dropped or the share kept",
    wrong=(
        "The number is the share dropped, except in TensorFlow 1, where the second argument of "
        "`tf.nn.dropout` is keep_prob; `tf.compat.v1.nn.dropout` still has it so. All divide what they keep "
        "by the share kept while training, and do nothing when predicting; books and older code that "
        "multiply when predicting must not be mixed with them. A share of a half is the same either way."
    ),
    conventions={
        "numpy keras torch": "y = x·mask/(1 - p),  P(mask = 0) = p",
        "tensorflow": "y = x·mask/p,  P(mask = 1) = p",
    },
    given=lambda: {"x": np.ones((50, 4))},
    differs=0.3,
    absent={"sklearn": "scikit-learn has no dropout"},
    faults=("dropout-other-share", "dropout-not-scaled"),
)


@dropout_share.numpy
def _(x):
    mask = np.random.default_rng(1).random(x.shape) >= 0.25
    return np.unique(x * mask / (1 - 0.25))


@dropout_share.numpy.like("tensorflow")
def _(x):
    """Take 1 minus the number."""
    mask = np.random.default_rng(1).random(x.shape) >= 1 - 0.25
    return np.unique(x * mask / 0.25)


@dropout_share.tensorflow
def _(x):
    import tensorflow as tf

    return np.unique(tf.compat.v1.nn.dropout(x, 0.25))


@dropout_share.tensorflow.like("keras")
def _(x):
    """Call the argument by its name, `rate`, or use today's `tf.nn.dropout`."""
    import tensorflow as tf

    return np.unique(tf.nn.dropout(x, rate=0.25))


@dropout_share.keras
def _(x):
    import keras

    return np.unique(keras.layers.Dropout(0.25)(x, training=True))


@dropout_share.keras.like("tensorflow")
def _(x):
    """Take 1 minus the number."""
    import keras

    return np.unique(keras.layers.Dropout(1 - 0.25)(x, training=True))


@dropout_share.torch
def _(x):
    import torch

    return np.unique(torch.nn.Dropout(0.25)(torch.tensor(x)))


@dropout_share.torch.like("tensorflow")
def _(x):
    """Take 1 minus the number."""
    import torch

    return np.unique(torch.nn.Dropout(1 - 0.25)(torch.tensor(x)))


dropout_mask = Card(
    id="dropout-mask",
    title="Dropout: the same seed drops other units",
    wrong=(
        "No two frameworks draw the same mask from the same seed: what agrees is chance. Whoever compares "
        "them step by step draws the masks once and multiplies by them everywhere. A comparison at a rate of "
        "0, and one of means over many draws, cover the rest."
    ),
    conventions={
        "numpy": "mask of NumPy's generator",
        "tensorflow": "mask of TensorFlow's",
        "keras": "mask of Keras's",
        "torch": "mask of PyTorch's",
    },
    given=lambda: {"x": np.ones((50, 4))},
    differs=0.5,
    absent={"sklearn": "scikit-learn has no dropout"},
)


@dropout_mask.numpy
def _(x):
    mask = np.random.default_rng(1).random(x.shape) >= 0.25
    return x * mask / (1 - 0.25)


@dropout_mask.tensorflow
def _(x):
    import tensorflow as tf

    tf.random.set_seed(1)
    return tf.nn.dropout(x, rate=0.25)


@dropout_mask.tensorflow.like("numpy")
def _(x):
    """Draw the mask with NumPy, and multiply by it."""
    import tensorflow as tf

    mask = np.random.default_rng(1).random(x.shape) >= 0.25
    return tf.multiply(x, mask / (1 - 0.25))


@dropout_mask.keras
def _(x):
    import keras

    return keras.layers.Dropout(0.25, seed=1)(x, training=True)


@dropout_mask.keras.like("numpy")
def _(x):
    """Draw the mask with NumPy, and multiply by it: a second input of the model."""
    import keras

    mask = np.random.default_rng(1).random(x.shape) >= 0.25
    return keras.layers.Multiply()([x, mask / (1 - 0.25)])


@dropout_mask.torch
def _(x):
    import torch

    torch.manual_seed(1)
    return torch.nn.Dropout(0.25)(torch.tensor(x))


@dropout_mask.torch.like("numpy")
def _(x):
    """Draw the mask with NumPy, and multiply by it."""
    import torch

    mask = np.random.default_rng(1).random(x.shape) >= 0.25
    return torch.tensor(x) * torch.tensor(mask / (1 - 0.25))


for _part in dropout_mask.parts.values():
    for _other in {"tensorflow", "keras", "torch"} - {_part.framework}:
        _part.cannot(_other, "no seed draws another framework's mask: draw it with NumPy in both")


fit_again = Card(
    id="fit-again",
    title="fit called twice: goes on, or starts again",
    wrong=(
        "A second `fit` of a scikit-learn estimator forgets the first one; only warm_start=True keeps the "
        "parameters. In Keras, and in any loop, training goes on. Ported naively, a loop over `fit` is "
        "either the same first epoch again and again, or trains a model further that was meant to be fresh, "
        "as in cross-validation."
    ),
    conventions={
        "sklearn": "fit: from the initial parameters",
        "numpy tensorflow keras torch": "fit: from the present parameters",
    },
    given=regression,
    differs=0.1,
    defaults=("SGDRegressor.warm_start",),
)


@fit_again.numpy
def _(x, y):
    w = np.zeros(3)
    for _ in range(2):
        for i in range(len(x)):
            w = w - 0.05 * (x[i] @ w - y[i]) * x[i]
    return w


@fit_again.numpy.like("sklearn")
def _(x, y):
    """Start from the initial parameters in each fit."""
    for _ in range(2):
        w = np.zeros(3)
        for i in range(len(x)):
            w = w - 0.05 * (x[i] @ w - y[i]) * x[i]
    return w


@fit_again.sklearn
def _(x, y):
    from sklearn.linear_model import SGDRegressor

    model = SGDRegressor(alpha=0, fit_intercept=False, learning_rate="constant", eta0=0.05)
    model.set_params(shuffle=False, max_iter=1, tol=None)
    for _ in range(2):
        model.fit(x, y[:, 0])
    return model.coef_


@fit_again.sklearn.like("keras")
def _(x, y):
    """Pass warm_start=True, or call `partial_fit`."""
    from sklearn.linear_model import SGDRegressor

    model = SGDRegressor(alpha=0, fit_intercept=False, learning_rate="constant", eta0=0.05)
    model.set_params(shuffle=False, max_iter=1, tol=None, warm_start=True)
    for _ in range(2):
        model.fit(x, y[:, 0])
    return model.coef_


@fit_again.tensorflow
def _(x, y):
    import tensorflow as tf

    w = tf.Variable(np.zeros((3, 1)))
    for _ in range(2):
        for i in range(len(x)):
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum((x[i : i + 1] @ w - y[i]) ** 2) / 2
            w.assign_sub(0.05 * tape.gradient(loss, w))
    return tf.reshape(w, -1)


@fit_again.tensorflow.like("sklearn")
def _(x, y):
    """Start from the initial parameters in each fit."""
    import tensorflow as tf

    for _ in range(2):
        w = tf.Variable(np.zeros((3, 1)))
        for i in range(len(x)):
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum((x[i : i + 1] @ w - y[i]) ** 2) / 2
            w.assign_sub(0.05 * tape.gradient(loss, w))
    return tf.reshape(w, -1)


@fit_again.keras
def _(x, y):
    import keras

    model = keras.Sequential([keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")])
    optimizer = keras.optimizers.SGD(0.05)
    model.compile(optimizer, loss=lambda y, p: keras.ops.mean((p - y) ** 2) / 2, run_eagerly=True)
    for _ in range(2):
        model.fit(x, y, batch_size=1, shuffle=False, verbose=0)
    return model.get_weights()[0].ravel()


@fit_again.keras.like("sklearn")
def _(x, y):
    """Set the initial weights, and compile again, before each `fit`."""
    import keras

    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, use_bias=False)])
    for _ in range(2):
        model.set_weights([np.zeros((3, 1))])
        optimizer = keras.optimizers.SGD(0.05)
        model.compile(optimizer, loss=lambda y, p: keras.ops.mean((p - y) ** 2) / 2, run_eagerly=True)
        model.fit(x, y, batch_size=1, shuffle=False, verbose=0)
    return model.get_weights()[0].ravel()


@fit_again.torch
def _(x, y):
    import torch

    x, y = torch.tensor(x), torch.tensor(y)
    w = torch.zeros(3, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.05)
    for _ in range(2):
        for i in range(len(x)):
            optimizer.zero_grad()
            (((x[i] @ w - y[i]) ** 2).sum() / 2).backward()
            optimizer.step()
    return w.detach()


@fit_again.torch.like("sklearn")
def _(x, y):
    """Make parameters and optimizer anew for each fit."""
    import torch

    x, y = torch.tensor(x), torch.tensor(y)
    for _ in range(2):
        w = torch.zeros(3, requires_grad=True)
        optimizer = torch.optim.SGD([w], lr=0.05)
        for i in range(len(x)):
            optimizer.zero_grad()
            (((x[i] @ w - y[i]) ** 2).sum() / 2).backward()
            optimizer.step()
    return w.detach()


optimizer_across_fits = Card(
    id="optimizer-across-fits",
    title="The optimizer's state between two calls of fit",
    wrong=(
        "Even with warm_start=True, every `fit` of scikit-learn's networks makes a new optimizer: "
        "velocities, moments and the count of steps start at 0. `partial_fit` keeps them, and Keras keeps "
        "them until the next `compile`. A loop of one epoch per `fit` therefore trains without any momentum "
        "to speak of. Plain gradient descent has no state and shows nothing."
    ),
    conventions={
        "sklearn": "v ← 0 at each fit",
        "numpy tensorflow keras torch": "v goes on",
    },
    given=regression,
    differs=0.1,
    faults=("momentum-lost",),
)


@optimizer_across_fits.numpy
def _(x, y):
    w, v = np.zeros((3, 1)), 0.0
    for _ in range(3):
        v = 0.9 * v - 0.1 * x.T @ (x @ w - y) / len(x)
        w = w + v
    return w.ravel()


@optimizer_across_fits.numpy.like("sklearn")
def _(x, y):
    """Set the velocity to 0 before each fit."""
    w = np.zeros((3, 1))
    for _ in range(3):
        v = 0.0
        v = 0.9 * v - 0.1 * x.T @ (x @ w - y) / len(x)
        w = w + v
    return w.ravel()


@optimizer_across_fits.sklearn
def _(x, y):
    from sklearn.neural_network import MLPRegressor

    model = MLPRegressor(hidden_layer_sizes=(), solver="sgd", learning_rate_init=0.1, alpha=0)
    model.set_params(momentum=0.9, nesterovs_momentum=False, max_iter=1, warm_start=True)
    model.fit(x, y[:, 0])
    model.coefs_[0][:] = 0
    for _ in range(3):
        model.intercepts_[0][:] = 0
        model.fit(x, y[:, 0])
    return model.coefs_[0].ravel()


@optimizer_across_fits.sklearn.like("keras")
def _(x, y):
    """Call `partial_fit` in place of `fit`."""
    from sklearn.neural_network import MLPRegressor

    model = MLPRegressor(hidden_layer_sizes=(), solver="sgd", learning_rate_init=0.1, alpha=0)
    model.set_params(momentum=0.9, nesterovs_momentum=False, max_iter=1, warm_start=True)
    model.fit(x, y[:, 0])
    model.coefs_[0][:], model._optimizer.velocities[0][:] = 0, 0
    for _ in range(3):
        model.intercepts_[0][:] = 0
        model.partial_fit(x, y[:, 0])
    return model.coefs_[0].ravel()


@optimizer_across_fits.tensorflow
def _(x, y):
    import tensorflow as tf

    w, f = tf.Variable(np.zeros((3, 1))), np.float64  # a Python number would be rounded to float32
    optimizer = tf.compat.v1.train.MomentumOptimizer(f(0.1), f(0.9))
    for _ in range(3):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((x @ w - y) ** 2) / 2
        optimizer.apply_gradients([(tape.gradient(loss, w), w)])
    return tf.reshape(w, -1)


@optimizer_across_fits.tensorflow.like("sklearn")
def _(x, y):
    """Make a new optimizer for each fit."""
    import tensorflow as tf

    w, f = tf.Variable(np.zeros((3, 1))), np.float64
    for _ in range(3):
        optimizer = tf.compat.v1.train.MomentumOptimizer(f(0.1), f(0.9))
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((x @ w - y) ** 2) / 2
        optimizer.apply_gradients([(tape.gradient(loss, w), w)])
    return tf.reshape(w, -1)


@optimizer_across_fits.keras
def _(x, y):
    import keras

    model = keras.Sequential([keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")])
    optimizer = keras.optimizers.SGD(0.1, momentum=np.float64(0.9))
    model.compile(optimizer, loss=lambda y, p: keras.ops.mean((p - y) ** 2) / 2, run_eagerly=True)
    for _ in range(3):
        model.fit(x, y, batch_size=8, shuffle=False, verbose=0)
    return model.get_weights()[0].ravel()


@optimizer_across_fits.keras.like("sklearn")
def _(x, y):
    """Compile with a new optimizer before each `fit`."""
    import keras

    model = keras.Sequential([keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")])
    for _ in range(3):
        optimizer = keras.optimizers.SGD(0.1, momentum=np.float64(0.9))
        model.compile(optimizer, loss=lambda y, p: keras.ops.mean((p - y) ** 2) / 2, run_eagerly=True)
        model.fit(x, y, batch_size=8, shuffle=False, verbose=0)
    return model.get_weights()[0].ravel()


@optimizer_across_fits.torch
def _(x, y):
    import torch

    x, y, w = torch.tensor(x), torch.tensor(y), torch.zeros((3, 1), requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1, momentum=0.9)
    for _ in range(3):
        optimizer.zero_grad()
        (((x @ w - y) ** 2).mean() / 2).backward()
        optimizer.step()
    return w.detach().ravel()


@optimizer_across_fits.torch.like("sklearn")
def _(x, y):
    """Make a new optimizer for each fit."""
    import torch

    x, y, w = torch.tensor(x), torch.tensor(y), torch.zeros((3, 1), requires_grad=True)
    for _ in range(3):
        optimizer = torch.optim.SGD([w], lr=0.1, momentum=0.9)
        optimizer.zero_grad()
        (((x @ w - y) ** 2).mean() / 2).backward()
        optimizer.step()
    return w.detach().ravel()
