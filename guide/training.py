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


def ones() -> Arrays:
    """Fifty rows `x` (50, 4) of ones: dropout shows what it makes of them."""
    return {"x": np.ones((50, 4))}


def shifted_rows() -> Arrays:
    """Eight rows `x` (8, 3) with a mean of about 2."""
    return {"x": 2 + np.random.default_rng(6).standard_normal((8, 3))}


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
    title="Shuffling: are the rows shuffled by default?",
    wrong=(
        "Keras's `fit` and scikit-learn's networks and SGD estimators shuffle the rows in every epoch "
        "unless told not to; a DataLoader, a tf.data pipeline and a loop of one's own take them as they "
        "come. Sorted data then train one class after the other. Two frameworks never draw the same "
        "permutation, so a comparison of steps needs shuffle=False and a permutation of one's own. With one "
        "batch per epoch nothing shows."
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
    x = np.random.default_rng(1).permutation(x)
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
    """Pass shuffle=False to the estimator."""
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
    """Call `shuffle(n)` before `batch`, with a buffer of all n rows."""
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
    """Pass shuffle=False to `fit`."""
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
    from torch.utils.data import DataLoader, TensorDataset

    seen = []
    for (batch,) in DataLoader(TensorDataset(torch.tensor(x)), batch_size=4):
        seen.extend(batch[:, 0].tolist())
    return [seen == sorted(seen)]


@shuffle_default.torch.like("keras")
def _(x):
    """Pass shuffle=True to the DataLoader."""
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    seen = []
    for (batch,) in DataLoader(TensorDataset(torch.tensor(x)), batch_size=4, shuffle=True):
        seen.extend(batch[:, 0].tolist())
    return [seen == sorted(seen)]


shuffle_each_epoch = Card(
    id="shuffle-each-epoch",
    title="With a seed set: the same shuffle in every epoch",
    wrong=(
        "Who sets a seed, to repeat a run, may lose the reshuffling. Keras on TensorFlow starts its pipeline "
        "anew for each epoch, and once a seed is set with it the random stream: every epoch of that `fit` "
        "has the same permutation. Scikit-learn makes a new stream of a random_state that is a number in "
        "every call of `partial_fit`, so from the second call on they are all alike. Without a seed, and in "
        "the other frameworks, each epoch gets a new order."
    ),
    conventions={
        "sklearn keras": "each epoch has the order of the one before",
        "numpy tensorflow torch": "each epoch has another order",
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
    return [np.array_equal(epochs[0], epochs[1])]


@shuffle_each_epoch.numpy.like("sklearn")
def _(x):
    """Make the generator anew, with the same seed, in each epoch."""
    epochs = [np.random.default_rng(1).permutation(x), np.random.default_rng(1).permutation(x)]
    return [np.array_equal(epochs[0], epochs[1])]


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
    return [np.array_equal(seen[1], seen[2])]  # the first call also draws the initial weights


@shuffle_each_epoch.sklearn.like("torch")
def _(x):
    """Pass a `RandomState` as random_state: it goes on from call to call."""
    from sklearn.neural_network import MLPRegressor

    seen = []

    class Seeing(MLPRegressor):
        def _backprop(self, batch, *arguments):
            seen.append(batch[:, 0])
            return super()._backprop(batch, *arguments)

    model = Seeing(hidden_layer_sizes=(), random_state=np.random.RandomState(1))
    for _ in range(3):
        model.partial_fit(x, x[:, 0])
    return [np.array_equal(seen[1], seen[2])]


@shuffle_each_epoch.tensorflow
def _(x):
    import tensorflow as tf

    rows = tf.data.Dataset.from_tensor_slices(x).shuffle(len(x), seed=1)
    epochs = [np.array(list(rows)) for _ in range(2)]
    return [np.array_equal(epochs[0], epochs[1])]


@shuffle_each_epoch.tensorflow.like("sklearn")
def _(x):
    """Pass reshuffle_each_iteration=False to `shuffle`."""
    import tensorflow as tf

    rows = tf.data.Dataset.from_tensor_slices(x).shuffle(len(x), seed=1, reshuffle_each_iteration=False)
    epochs = [np.array(list(rows)) for _ in range(2)]
    return [np.array_equal(epochs[0], epochs[1])]


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
    return [np.array_equal(seen[0], seen[1])]


@shuffle_each_epoch.keras.like("torch")
def _(x):
    """Give `fit` a tf.data pipeline, shuffled with a buffer of all rows."""
    import keras
    import tensorflow as tf

    seen = []

    class Seeing(keras.Model):
        def train_step(self, data):
            seen.append(data.numpy())
            return {"loss": 0.0}

    keras.utils.set_random_seed(1)
    model = Seeing()
    model.compile(run_eagerly=True)
    model.fit(tf.data.Dataset.from_tensor_slices(x).shuffle(len(x)).batch(12), epochs=2, verbose=0)
    return [np.array_equal(seen[0], seen[1])]


@shuffle_each_epoch.torch
def _(x):
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    torch.manual_seed(1)
    loader = DataLoader(TensorDataset(torch.tensor(x)), batch_size=12, shuffle=True)
    epochs = [np.array(next(iter(loader))[0]) for _ in range(2)]
    return [np.array_equal(epochs[0], epochs[1])]


@shuffle_each_epoch.torch.like("sklearn")
def _(x):
    """Call `torch.manual_seed` again before each epoch."""
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    loader = DataLoader(TensorDataset(torch.tensor(x)), batch_size=12, shuffle=True)
    epochs = []
    for _ in range(2):
        torch.manual_seed(1)
        epochs.append(np.array(next(iter(loader))[0]))
    return [np.array_equal(epochs[0], epochs[1])]


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
    """Draw each row from a buffer of n, and put the next row in its place."""
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
    """Draw each row from a buffer of n, and put the next row in its place."""
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
    """Make the buffer as large as the data: `shuffle(len(x))`."""
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
    """Give `fit` a tf.data pipeline with that buffer."""
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
    from torch.utils.data import DataLoader, TensorDataset

    (first,) = next(iter(DataLoader(TensorDataset(torch.tensor(x)), batch_size=10, shuffle=True)))
    return [first.max() < 20]


@shuffle_buffer.torch.like("tensorflow")
def _(x):
    """Draw each row from a buffer of n, and put the next row in its place."""
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
        "Who names no batch size gets a small fixed one in Keras, single rows in PyTorch's DataLoader, and "
        "in scikit-learn's networks a larger one or all rows, whichever is less. The same number of epochs "
        "is then another number of steps. One `partial_fit` of more rows than the batch size is several "
        "steps, too."
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
    """Pass the smaller of 200 and the number of rows as batch_size."""
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
    from torch.utils.data import DataLoader, TensorDataset

    return [len(DataLoader(TensorDataset(torch.tensor(x))))]


@batch_size_default.torch.like("keras")
def _(x):
    """Pass batch_size=32."""
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    return [len(DataLoader(TensorDataset(torch.tensor(x)), batch_size=32))]


@batch_size_default.torch.like("sklearn")
def _(x):
    """Pass the smaller of 200 and the number of rows as batch_size."""
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    return [len(DataLoader(TensorDataset(torch.tensor(x)), batch_size=min(200, len(x))))]


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
    from torch.utils.data import DataLoader, TensorDataset

    return [len(batch) for (batch,) in DataLoader(TensorDataset(torch.tensor(x)), batch_size=5)]


mode_default = Card(
    id="mode-default",
    title="Training or inference: the mode of a call",
    wrong=(
        "A PyTorch module starts in training mode and stays in it until `eval()`; a Keras layer that is "
        "called predicts unless it is told training=True, which only `fit` and its like do. Forgotten, "
        "dropout and batch normalisation are active in an evaluation, or idle in a hand-written training. "
        "Layers without modes show nothing."
    ),
    conventions={
        "numpy keras": "a fresh layer normalises by its running statistics",
        "torch": "a fresh layer normalises by those of the batch",
    },
    given=shifted_rows,
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
    """Take mean and variance of the batch, not the running ones."""
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
    """Call `eval()` on the model before predicting, and `train()` before going on."""
    import torch

    return torch.nn.BatchNorm1d(3, eps=1e-3).eval()(torch.tensor(x)).detach()


dropout_function = Card(
    id="dropout-function",
    title="Dropout as a function: it drops when predicting too",
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
    given=ones,
    differs=0.5,
    issues=("pytorch/pytorch#26338", "pytorch/pytorch#11999", "d2l-ai/d2l-en#1093"),
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
    """Call `tf.nn.dropout` only if training."""
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
    """Pass training=self.training to the function, or use `torch.nn.Dropout`."""
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
    given=ones,
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
    """Pass 1 minus the number: it is the share kept."""
    mask = np.random.default_rng(1).random(x.shape) >= 1 - 0.25
    return np.unique(x * mask / 0.25)


@dropout_share.tensorflow
def _(x):
    import tensorflow as tf

    return np.unique(tf.compat.v1.nn.dropout(x, 0.25))


@dropout_share.tensorflow.like("keras")
def _(x):
    """Pass the number as `rate`, by name, or use today's `tf.nn.dropout`."""
    import tensorflow as tf

    return np.unique(tf.nn.dropout(x, rate=0.25))


@dropout_share.keras
def _(x):
    import keras

    return np.unique(keras.layers.Dropout(0.25)(x, training=True))


@dropout_share.keras.like("tensorflow")
def _(x):
    """Pass 1 minus the number: it is the share kept."""
    import keras

    return np.unique(keras.layers.Dropout(1 - 0.25)(x, training=True))


@dropout_share.torch
def _(x):
    import torch

    return np.unique(torch.nn.Dropout(0.25)(torch.tensor(x)))


@dropout_share.torch.like("tensorflow")
def _(x):
    """Pass 1 minus the number: it is the share kept."""
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
    given=ones,
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
    """Go back to the initial parameters before each fit."""
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
    """Go back to the initial parameters before each fit."""
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
        "them until the next `compile`. A loop of one epoch per `fit` therefore loses its momentum in every "
        "epoch. Plain gradient descent has no state and shows nothing."
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


early_stopping_patience = Card(
    id="early-stopping-patience",
    title="Early stopping: how long patience is",
    wrong=(
        "Keras stops in the epoch in which the count of epochs without improvement reaches the patience. "
        "Scikit-learn's networks stop when it exceeds n_iter_no_change, an epoch later; its SGDClassifier "
        "and SGDRegressor, with an argument of the same name, stop as Keras does. Each run ends an epoch "
        "off."
    ),
    conventions={
        "numpy keras": "stop when count ≥ patience",
        "sklearn": "stop when count > n_iter_no_change",
    },
    given=flat_losses,
    differs=0.1,
    absent={
        "tensorflow": "TensorFlow has nothing of the kind outside Keras",
        "torch": "PyTorch has no early stopping",
    },
    defaults=("EarlyStopping.patience", "MLPClassifier.n_iter_no_change"),
)


@early_stopping_patience.numpy
def _(losses):
    best, count, epochs = np.inf, 0, 0
    for loss in losses:
        epochs += 1
        count = 0 if loss < best else count + 1
        best = min(best, loss)
        if count >= 3:
            break
    return [epochs]


@early_stopping_patience.numpy.like("sklearn")
def _(losses):
    """Stop when the count exceeds the patience, one epoch later."""
    best, count, epochs = np.inf, 0, 0
    for loss in losses:
        epochs += 1
        count = 0 if loss < best else count + 1
        best = min(best, loss)
        if count > 3:
            break
    return [epochs]


@early_stopping_patience.sklearn
def _(losses):
    from sklearn.neural_network import MLPRegressor

    model = MLPRegressor(solver="sgd", learning_rate_init=1e-300, n_iter_no_change=3)  # nothing moves
    return [model.fit(np.zeros((12, 1)), losses).n_iter_]


@early_stopping_patience.sklearn.like("keras")
def _(losses):
    """Pass the patience less 1 as n_iter_no_change."""
    from sklearn.neural_network import MLPRegressor

    model = MLPRegressor(solver="sgd", learning_rate_init=1e-300, n_iter_no_change=2)
    return [model.fit(np.zeros((12, 1)), losses).n_iter_]


@early_stopping_patience.keras
def _(losses):
    import keras

    model = keras.Sequential()
    model.stop_training = False
    callback = keras.callbacks.EarlyStopping(monitor="loss", patience=3)
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, loss in enumerate(losses):
        callback.on_epoch_end(epoch, {"loss": loss})
        if model.stop_training:
            break
    return [epoch + 1]


@early_stopping_patience.keras.like("sklearn")
def _(losses):
    """Pass n_iter_no_change plus 1 as patience."""
    import keras

    model = keras.Sequential()
    model.stop_training = False
    callback = keras.callbacks.EarlyStopping(monitor="loss", patience=4)
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, loss in enumerate(losses):
        callback.on_epoch_end(epoch, {"loss": loss})
        if model.stop_training:
            break
    return [epoch + 1]


early_stopping_best = Card(
    id="early-stopping-best",
    title="Early stopping: slow improvements add up, or do not",
    wrong=(
        "min_delta and tol seem to be the same. Keras compares with the last loss that counted as an "
        "improvement, so that small ones add up until they count. Scikit-learn compares with the lowest loss "
        "of all: a loss that falls steadily, by a little less than tol per epoch, never counts, and training "
        "stops. A tolerance of 0 makes them the same."
    ),
    conventions={
        "numpy keras": "improved if loss < best - δ, and only then best ← loss",
        "sklearn": "improved if loss < best - δ, and best ← min(best, loss)",
    },
    given=slow_losses,
    differs=0.4,
    absent={
        "tensorflow": "TensorFlow has nothing of the kind outside Keras",
        "torch": "PyTorch has no early stopping",
    },
    defaults=("EarlyStopping.min_delta", "MLPClassifier.tol"),
)


@early_stopping_best.numpy
def _(losses):
    best, count, counts = np.inf, 0, []
    for loss in losses:
        count += 1
        if loss < best - 1e-3:
            best, count = loss, 0
        counts.append(count)
    return counts


@early_stopping_best.numpy.like("sklearn")
def _(losses):
    """Lower the best loss in every epoch, not only when it counts."""
    best, count, counts = np.inf, 0, []
    for loss in losses:
        count = 0 if loss < best - 1e-3 else count + 1
        best = min(best, loss)
        counts.append(count)
    return counts


@early_stopping_best.sklearn
def _(losses):
    from sklearn.neural_network import MLPRegressor

    model = MLPRegressor(tol=1e-3)
    model.loss_curve_, model.best_loss_, model._no_improvement_count = [], np.inf, 0
    counts = []
    for loss in losses:
        model.loss_curve_.append(loss)
        model._update_no_improvement_count(False, None, None, None)  # what `fit` calls after each epoch
        counts.append(model._no_improvement_count)
    return counts


@early_stopping_best.sklearn.like("keras")
def _(losses):
    """After an epoch that does not count, put `best_loss_` back."""
    from sklearn.neural_network import MLPRegressor

    model = MLPRegressor(tol=1e-3)
    model.loss_curve_, model.best_loss_, model._no_improvement_count = [], np.inf, 0
    counts = []
    for loss in losses:
        best = model.best_loss_
        model.loss_curve_.append(loss)
        model._update_no_improvement_count(False, None, None, None)
        if model._no_improvement_count:
            model.best_loss_ = best
        counts.append(model._no_improvement_count)
    return counts


@early_stopping_best.keras
def _(losses):
    import keras

    callback = keras.callbacks.EarlyStopping(monitor="loss", min_delta=1e-3, patience=10)
    callback.set_model(keras.Sequential())
    callback.on_train_begin()
    counts = []
    for epoch, loss in enumerate(losses):
        callback.on_epoch_end(epoch, {"loss": loss})
        counts.append(callback.wait)
    return counts


@early_stopping_best.keras.like("sklearn")
def _(losses):
    """After each epoch, lower the callback's `best` to the loss."""
    import keras

    callback = keras.callbacks.EarlyStopping(monitor="loss", min_delta=1e-3, patience=10)
    callback.set_model(keras.Sequential())
    callback.on_train_begin()
    counts = []
    for epoch, loss in enumerate(losses):
        callback.on_epoch_end(epoch, {"loss": loss})
        callback.best = min(callback.best, loss)
        counts.append(callback.wait)
    return counts


early_stopping_restore = Card(
    id="early-stopping-restore",
    title="Early stopping: the best weights or the last ones",
    wrong=(
        "With early_stopping=True scikit-learn's networks give back the parameters of the best epoch. "
        "Keras's callback leaves those of the last one unless told to restore. The difference is what "
        "patience epochs without improvement do to a model: little on a plateau, much where it overfits."
    ),
    conventions={
        "sklearn": "w of the best epoch",
        "numpy keras": "w of the last epoch",
    },
    given=rising_losses,
    differs=0.3,
    absent={
        "tensorflow": "TensorFlow has nothing of the kind outside Keras",
        "torch": "PyTorch has no early stopping",
    },
    defaults=("EarlyStopping.restore_best_weights",),
    issues=("keras-team/keras#11371",),
)


@early_stopping_restore.numpy
def _(losses):
    best, count = np.inf, 0
    for epoch, loss in enumerate(losses):
        w = float(epoch)  # stands for the weights after this epoch
        count = 0 if loss < best else count + 1
        best = min(best, loss)
        if count >= 2:
            break
    return [w]


@early_stopping_restore.numpy.like("sklearn")
def _(losses):
    """Keep a copy of the best weights, and go back to it."""
    best, count = np.inf, 0
    for epoch, loss in enumerate(losses):
        w = float(epoch)
        count += 1
        if loss < best:
            best, count, kept = loss, 0, w
        if count >= 2:
            break
    return [kept]


@early_stopping_restore.sklearn
def _(losses):
    from sklearn.neural_network import MLPRegressor

    class Scored(MLPRegressor):
        def _score(self, *_, **__):
            epoch = self.n_iter_ - 1
            self.coefs_[0][:] = epoch  # stands for the weights after this epoch
            return -losses[epoch]

    model = Scored(hidden_layer_sizes=(), early_stopping=True, n_iter_no_change=1, random_state=1)
    return model.fit(np.ones((20, 1)), np.ones(20)).coefs_[0][0]


@early_stopping_restore.sklearn.like("keras")
def _(losses):
    """Train with `partial_fit`, and stop by hand."""
    from sklearn.neural_network import MLPRegressor

    model = MLPRegressor(hidden_layer_sizes=())
    best, count = np.inf, 0
    for epoch, loss in enumerate(losses):
        model.partial_fit(np.ones((20, 1)), np.ones(20)).coefs_[0][:] = epoch
        count = 0 if loss < best else count + 1
        best = min(best, loss)
        if count >= 2:
            break
    return model.coefs_[0][0]


@early_stopping_restore.keras
def _(losses):
    import keras

    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    callback = keras.callbacks.EarlyStopping(monitor="loss", patience=2)
    callback.set_model(model)
    callback.on_train_begin()
    model.stop_training = False
    for epoch, loss in enumerate(losses):
        model.set_weights([np.full((1, 1), epoch)])  # stands for the weights after this epoch
        callback.on_epoch_end(epoch, {"loss": loss})
        if model.stop_training:
            break
    callback.on_train_end()
    return model.get_weights()[0][0]


@early_stopping_restore.keras.like("sklearn")
def _(losses):
    """Pass restore_best_weights=True."""
    import keras

    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    callback = keras.callbacks.EarlyStopping(monitor="loss", patience=2, restore_best_weights=True)
    callback.set_model(model)
    callback.on_train_begin()
    model.stop_training = False
    for epoch, loss in enumerate(losses):
        model.set_weights([np.full((1, 1), epoch)])
        callback.on_epoch_end(epoch, {"loss": loss})
        if model.stop_training:
            break
    callback.on_train_end()
    return model.get_weights()[0][0]


validation_split = Card(
    id="validation-split",
    title="validation_split: which rows are held out",
    wrong=(
        "Keras's validation_split holds out the last rows, before anything is shuffled. Scikit-learn and "
        "PyTorch's `random_split` draw them, and scikit-learn's classifiers keep the shares of the classes. "
        "Of data sorted by class Keras validates on the last class alone, which it then hardly trains on."
    ),
    conventions={
        "numpy keras": "the last ⌈f·n⌉ rows",
        "sklearn torch": "about f·n rows, drawn",
    },
    given=numbered_rows,
    differs=0.5,
    absent={"tensorflow": "tf.data has no split"},
    defaults=("fit.validation_split", "MLPClassifier.validation_fraction"),
    issues=("keras-team/keras#597", "keras-team/keras#6422", "keras-team/keras#8346"),
)


@validation_split.numpy
def _(x):
    held_out = x[9:]
    return [np.array_equal(np.sort(held_out[:, 0]), [9, 10, 11])]


@validation_split.numpy.like("sklearn")
def _(x):
    """Permute the rows before the split."""
    held_out = np.random.default_rng(1).permutation(x)[9:]
    return [np.array_equal(np.sort(held_out[:, 0]), [9, 10, 11])]


@validation_split.sklearn
def _(x):
    from sklearn.neural_network import MLPRegressor

    seen = []

    class Seeing(MLPRegressor):
        def _score(self, rows, *_, **__):
            seen.extend(rows[:, 0])
            return 0.0

    model = Seeing(early_stopping=True, validation_fraction=0.25, max_iter=1, random_state=1)
    model.fit(x, x[:, 0])
    return [np.array_equal(np.sort(seen), [9, 10, 11])]


@validation_split.sklearn.like("keras")
def _(x):
    """Split with `train_test_split(shuffle=False)`, and train with `partial_fit` on the first part."""
    from sklearn.model_selection import train_test_split

    _, held_out = train_test_split(x, test_size=0.25, shuffle=False)
    return [np.array_equal(np.sort(held_out[:, 0]), [9, 10, 11])]


@validation_split.keras
def _(x):
    import keras

    seen = []

    class Seeing(keras.Model):
        def train_step(self, _):
            return {"loss": 0.0}

        def test_step(self, data):
            seen.extend(data[:, 0].numpy())
            return {"loss": 0.0}

    model = Seeing()
    model.compile(run_eagerly=True)
    model.fit(x, validation_split=0.25, verbose=0)
    return [np.array_equal(np.sort(seen), [9, 10, 11])]


@validation_split.keras.like("torch")
def _(x):
    """Permute the rows before `fit`."""
    import keras

    seen = []

    class Seeing(keras.Model):
        def train_step(self, _):
            return {"loss": 0.0}

        def test_step(self, data):
            seen.extend(data[:, 0].numpy())
            return {"loss": 0.0}

    model = Seeing()
    model.compile(run_eagerly=True)
    model.fit(np.random.default_rng(1).permutation(x), validation_split=0.25, verbose=0)
    return [np.array_equal(np.sort(seen), [9, 10, 11])]


@validation_split.torch
def _(x):
    import torch
    from torch.utils.data import TensorDataset

    torch.manual_seed(1)
    _, held_out = torch.utils.data.random_split(TensorDataset(torch.tensor(x)), [0.75, 0.25])
    return [np.array_equal(np.sort(held_out[:][0][:, 0]), [9, 10, 11])]


@validation_split.torch.like("keras")
def _(x):
    """Hold out a `Subset` of the last rows."""
    import torch
    from torch.utils.data import TensorDataset

    held_out = torch.utils.data.Subset(TensorDataset(torch.tensor(x)), range(9, 12))
    return [np.array_equal(np.sort(held_out[:][0][:, 0]), [9, 10, 11])]


logged_loss = Card(
    id="logged-loss",
    title="The training loss of an epoch: while it ran, or after it",
    wrong=(
        "The loss that Keras and scikit-learn log for an epoch is a mean over its batches, each taken before "
        "its own update: it lags behind the model by about half an epoch. Evaluating after the epoch, as "
        "most loops do, gives another number, lower while training goes well. In Keras the validation loss "
        "is taken after the epoch, so that the first epoch seems to generalise better than it trains."
    ),
    conventions={
        "sklearn keras": "mean over rows of the loss before the update of their batch",
        "numpy tensorflow torch": "mean over rows of the loss after the epoch",
    },
    given=regression,
    differs=0.1,
)


@logged_loss.numpy
def _(x, y):
    w, b = np.zeros((3, 1)), 0.0
    for rows in (slice(4), slice(4, 8)):
        error = x[rows] @ w + b - y[rows]
        w, b = w - 0.1 * x[rows].T @ error / 4, b - 0.1 * np.mean(error)
    return np.mean((x @ w + b - y) ** 2) / 2


@logged_loss.numpy.like("keras")
def _(x, y):
    """Add up the losses of the batches, each before its update and times its rows."""
    w, b, total = np.zeros((3, 1)), 0.0, 0.0
    for rows in (slice(4), slice(4, 8)):
        error = x[rows] @ w + b - y[rows]
        total += np.sum(error**2) / 2
        w, b = w - 0.1 * x[rows].T @ error / 4, b - 0.1 * np.mean(error)
    return total / len(x)


@logged_loss.sklearn
def _(x, y):
    from sklearn.neural_network import MLPRegressor

    model = MLPRegressor(hidden_layer_sizes=(), solver="sgd", learning_rate_init=0.1, momentum=0)
    model.set_params(alpha=0, batch_size=4, shuffle=False).partial_fit(x, y[:, 0])
    model.coefs_[0][:], model.intercepts_[0][:] = 0, 0
    return model.partial_fit(x, y[:, 0]).loss_


@logged_loss.sklearn.like("torch")
def _(x, y):
    """Compute the loss from predictions made after the epoch."""
    from sklearn.neural_network import MLPRegressor

    model = MLPRegressor(hidden_layer_sizes=(), solver="sgd", learning_rate_init=0.1, momentum=0)
    model.set_params(alpha=0, batch_size=4, shuffle=False).partial_fit(x, y[:, 0])
    model.coefs_[0][:], model.intercepts_[0][:] = 0, 0
    return np.mean((model.partial_fit(x, y[:, 0]).predict(x) - y[:, 0]) ** 2) / 2


@logged_loss.tensorflow
def _(x, y):
    import tensorflow as tf

    w, b = tf.Variable(np.zeros((3, 1))), tf.Variable(np.zeros(1))
    for rows in (slice(4), slice(4, 8)):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((x[rows] @ w + b - y[rows]) ** 2) / 2
        for variable, gradient in zip((w, b), tape.gradient(loss, (w, b)), strict=True):
            variable.assign_sub(0.1 * gradient)
    return tf.reduce_mean((x @ w + b - y) ** 2) / 2


@logged_loss.tensorflow.like("keras")
def _(x, y):
    """Add up the losses of the batches, each before its update and times its rows."""
    import tensorflow as tf

    w, b, total = tf.Variable(np.zeros((3, 1))), tf.Variable(np.zeros(1)), 0.0
    for rows in (slice(4), slice(4, 8)):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((x[rows] @ w + b - y[rows]) ** 2) / 2
        total += 4 * loss
        for variable, gradient in zip((w, b), tape.gradient(loss, (w, b)), strict=True):
            variable.assign_sub(0.1 * gradient)
    return total / len(x)


@logged_loss.keras
def _(x, y):
    import keras

    model = keras.Sequential([keras.layers.Dense(1, kernel_initializer="zeros")])
    optimizer = keras.optimizers.SGD(0.1)
    model.compile(optimizer, loss=lambda y, p: keras.ops.mean((p - y) ** 2, axis=-1) / 2, run_eagerly=True)
    return model.fit(x, y, batch_size=4, shuffle=False, verbose=0).history["loss"][0]


@logged_loss.keras.like("torch")
def _(x, y):
    """Call `evaluate` on the training data after the epoch."""
    import keras

    model = keras.Sequential([keras.layers.Dense(1, kernel_initializer="zeros")])
    optimizer = keras.optimizers.SGD(0.1)
    model.compile(optimizer, loss=lambda y, p: keras.ops.mean((p - y) ** 2, axis=-1) / 2, run_eagerly=True)
    model.fit(x, y, batch_size=4, shuffle=False, verbose=0)
    return model.evaluate(x, y, verbose=0)


@logged_loss.torch
def _(x, y):
    import torch

    x, y = torch.tensor(x), torch.tensor(y)
    w, b = torch.zeros((3, 1), requires_grad=True), torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([w, b], lr=0.1)
    for rows in (slice(4), slice(4, 8)):
        optimizer.zero_grad()
        loss = ((x[rows] @ w + b - y[rows]) ** 2).mean() / 2
        loss.backward()
        optimizer.step()
    return ((x @ w + b - y) ** 2).mean().item() / 2


@logged_loss.torch.like("keras")
def _(x, y):
    """Add up the losses of the batches, each before its update and times its rows."""
    import torch

    x, y, total = torch.tensor(x), torch.tensor(y), 0.0
    w, b = torch.zeros((3, 1), requires_grad=True), torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([w, b], lr=0.1)
    for rows in (slice(4), slice(4, 8)):
        optimizer.zero_grad()
        loss = ((x[rows] @ w + b - y[rows]) ** 2).mean() / 2
        total += 4 * loss.item()
        loss.backward()
        optimizer.step()
    return total / len(x)


average_of_weights = Card(
    id="average-of-weights",
    title="Averaged weights: equal mean or exponential",
    wrong=(
        "PyTorch's `AveragedModel` is by default the equal mean of all parameters that it was shown, and so "
        "are the coefficients of SGDClassifier and SGDRegressor with average=True, after every row. Keras's "
        "use_ema and TensorFlow's `ExponentialMovingAverage` forget exponentially. While parameters still "
        "move the equal mean lags far behind; once they only jitter it is the quieter one."
    ),
    conventions={
        "numpy sklearn torch": "aₜ = aₜ₋₁ + (wₜ - aₜ₋₁)/t",
        "tensorflow keras": "aₜ = β·aₜ₋₁ + (1 - β)·wₜ,  a₁ = w₁",
    },
    given=given.descent,
    differs=0.03,
    defaults=("SGD.use_ema", "SGD.ema_momentum"),
    faults=("average-before-update", "average-of-mistakes", "average-summed", "average-not-used"),
)


@average_of_weights.numpy
def _(start, gradients):
    w, average = start, 0.0
    for t, g in enumerate(gradients, 1):
        w = w - 0.1 * g
        average = average + (w - average) / t
        yield average


@average_of_weights.numpy.like("keras")
def _(start, gradients):
    """Average exponentially, from the parameters after the first step on."""
    w, average = start, start
    for t, g in enumerate(gradients):
        w = w - 0.1 * g
        average = 0.875 * average + 0.125 * w if t else w
        yield average


@average_of_weights.sklearn
def _(start, gradients):
    from sklearn.linear_model import SGDRegressor

    model = SGDRegressor(average=True, alpha=0, fit_intercept=False, learning_rate="constant", eta0=0.1)
    model.set_params(max_iter=1, tol=None)
    model.fit(gradients[:1], [gradients[0] @ start - 1], coef_init=start)  # an error of 1: its gradient is x
    yield model.coef_
    for g in gradients[1:]:
        model.partial_fit([g], [g @ model._standard_coef - 1])
        yield model.coef_


@average_of_weights.sklearn.like("keras")
def _(start, gradients):
    """Keep the average by hand, from the parameters after the first step on."""
    from sklearn.linear_model import SGDRegressor

    model = SGDRegressor(alpha=0, fit_intercept=False, learning_rate="constant", eta0=0.1)
    model.partial_fit(gradients[:1], [0])
    model.coef_, average = start.copy(), start
    for t, g in enumerate(gradients):
        model.partial_fit([g], [g @ model.coef_ - 1])
        average = 0.875 * average + 0.125 * model.coef_ if t else model.coef_.copy()
        yield average


@average_of_weights.tensorflow
def _(start, gradients):
    import tensorflow as tf

    w = tf.Variable(start)
    ema = tf.train.ExponentialMovingAverage(0.875)  # it is rounded to float32, in which 7/8 is exact
    for g in gradients:
        w.assign_sub(0.1 * g)
        ema.apply([w])
        yield ema.average(w).numpy()


@average_of_weights.tensorflow.like("torch")
def _(start, gradients):
    """Keep the equal mean by hand: add (w - mean)/t after step t."""
    import tensorflow as tf

    w, average = tf.Variable(start), tf.Variable(start)
    for t, g in enumerate(gradients, 1):
        w.assign_sub(0.1 * g)
        average.assign_add((w - average) / t)
        yield average.numpy()


@average_of_weights.keras
def _(start, gradients):
    import keras

    w = keras.Variable(start)
    optimizer = keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.875)
    for g in gradients:
        optimizer.apply([g], [w])
        yield optimizer._model_variables_moving_average[0].numpy()


@average_of_weights.keras.like("torch")
def _(start, gradients):
    """Keep the equal mean by hand: add (w - mean)/t after step t."""
    import keras

    w, average = keras.Variable(start), keras.Variable(start)
    optimizer = keras.optimizers.SGD(0.1)
    for t, g in enumerate(gradients, 1):
        optimizer.apply([g], [w])
        average.assign_add((w - average) / t)
        yield average.numpy()


@average_of_weights.torch
def _(start, gradients):
    import torch

    model = torch.nn.ParameterList([torch.tensor(start)])
    averaged = torch.optim.swa_utils.AveragedModel(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for g in gradients:
        model[0].grad = torch.tensor(g)
        optimizer.step()
        averaged.update_parameters(model)
        yield next(averaged.parameters()).detach().numpy()


@average_of_weights.torch.like("keras")
def _(start, gradients):
    """Pass multi_avg_fn=get_ema_multi_avg_fn(β) to `AveragedModel`."""
    import torch

    model = torch.nn.ParameterList([torch.tensor(start)])
    mean = torch.optim.swa_utils.get_ema_multi_avg_fn(0.875)
    averaged = torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=mean)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for g in gradients:
        model[0].grad = torch.tensor(g)
        optimizer.step()
        averaged.update_parameters(model)
        yield next(averaged.parameters()).detach().numpy()
