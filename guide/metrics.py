"""Metrics and statistics: thresholds, ties, divisors."""

import numpy as np

from backends.base import Arrays
from guide.card import Card


def columns() -> Arrays:
    """Six rows `x` (6, 3)."""
    return {"x": np.random.default_rng(3).standard_normal((6, 3))}


def halves() -> Arrays:
    """Logits `z` (5,), their probabilities `p` (5,), two of them a half, and classes `y` (5,)."""
    z = np.array([-2.0, 0.0, 0.0, 1.0, 3.0])
    return {"z": z, "p": 1 / (1 + np.exp(-z)), "y": np.array([0.0, 1.0, 1.0, 1.0, 0.0])}


def small_logits() -> Arrays:
    """Logits `z` (6,), some of them between 0 and a half, and classes `y` (6,)."""
    return {"z": np.array([-2.0, 0.3, 0.2, 0.4, 3.0, -0.1]), "y": np.array([0.0, 1.0, 1.0, 0.0, 1.0, 0.0])}


def rare_positives() -> Arrays:
    """Classes `y` (200,) and small probabilities `p` (200,), as a model of rare positives gives them."""
    rng = np.random.default_rng(4)
    y = rng.integers(0, 2, 200).astype(float)
    return {"y": y, "p": 0.005 * (rng.random(200) + 0.4 * y)}


def two_batches() -> Arrays:
    """Two batches of classes `y` and predictions `p`, (2, 6), with few positives predicted in the second."""
    y = np.array([[1, 1, 0, 1, 1, 0], [0, 0, 1, 0, 0, 0]], dtype=float)
    p = np.array([[1, 1, 1, 1, 1, 1], [0, 0, 1, 0, 0, 0]], dtype=float)
    return {"y": y, "p": p}


def no_positives() -> Arrays:
    """Classes `y` (4,) and predictions `p` (4,), none of them positive."""
    return {"y": np.array([1.0, 0.0, 1.0, 0.0]), "p": np.zeros(4)}


def absent_class() -> Arrays:
    """Classes `y` (8,) and predicted classes `p` (8,) out of four, of which the last never occurs."""
    return {"y": np.array([0, 0, 0, 1, 1, 1, 2, 2]), "p": np.array([0, 0, 1, 1, 1, 0, 2, 1])}


def equal_scores() -> Arrays:
    """The same scores `p` (5, 4) for all classes, and classes `y` (5,)."""
    return {"p": np.full((5, 4), 0.25), "y": np.array([0, 1, 1, 1, 3])}


def even_columns() -> Arrays:
    """Four rows `x` (4, 2)."""
    return {"x": np.array([[1.0, 10.0], [4.0, 20.0], [2.0, 50.0], [8.0, 40.0]])}


def constant_targets() -> Arrays:
    """Targets `y` (4,) that are all the same, predictions `p` (4,), and `perfect` ones (4,)."""
    return {"y": np.full(4, 2.0), "p": np.array([2.0, 2.5, 1.5, 2.0]), "perfect": np.full(4, 2.0)}


covariance_divisor = Card(
    id="covariance-divisor",
    title="Covariance: n or n - 1",
    wrong=(
        "NumPy divides a variance by n and a covariance by n - 1, so that the diagonal of `np.cov` is not "
        "`np.var`. Scikit-learn's estimators of covariance divide by n. Few rows show it."
    ),
    conventions={
        "numpy torch": "Σ(x - x̄)(x - x̄)ᵀ/(n - 1)",
        "sklearn": "Σ(x - x̄)(x - x̄)ᵀ/n",
    },
    given=columns,
    differs=0.08,
    absent={
        "tensorflow": "TensorFlow itself has no covariance",
        "keras": "Keras has a correlation, in which the divisor falls out, and no covariance",
    },
)


@covariance_divisor.numpy
def _(x):
    return np.cov(x, rowvar=False)


@covariance_divisor.numpy.like("sklearn")
def _(x):
    """Pass ddof=0."""
    return np.cov(x, rowvar=False, ddof=0)


@covariance_divisor.sklearn
def _(x):
    from sklearn.covariance import EmpiricalCovariance

    return EmpiricalCovariance().fit(x).covariance_


@covariance_divisor.sklearn.like("torch")
def _(x):
    """Multiply the covariance by n/(n - 1)."""
    from sklearn.covariance import EmpiricalCovariance

    return EmpiricalCovariance().fit(x).covariance_ * len(x) / (len(x) - 1)


@covariance_divisor.torch
def _(x):
    import torch

    return torch.cov(torch.tensor(x).T)


@covariance_divisor.torch.like("sklearn")
def _(x):
    """Pass correction=0."""
    import torch

    return torch.cov(torch.tensor(x).T, correction=0)


accuracy_logits = Card(
    id="accuracy-logits",
    title="Binary accuracy of logits: the threshold",
    wrong=(
        "With from_logits=True the loss knows that it gets logits, the metric does not: Keras's binary "
        "accuracy compares a logit with a half, as if it were a probability. Positives with a small logit "
        "count as negative. Training is right and only what is reported is wrong, least where the model is "
        "sure of itself."
    ),
    conventions={
        "numpy sklearn tensorflow torch": "class 1 if z > 0",
        "keras": "class 1 if z > 0.5",
    },
    given=small_logits,
    differs=0.1,
    defaults=("BinaryAccuracy.threshold",),
    issues=("tensorflow/tensorflow#41413", "tensorflow/tensorflow#42182"),
    faults=("predict-logits",),
)


@accuracy_logits.numpy
def _(z, y):
    return np.mean((z > 0) == y)


@accuracy_logits.numpy.like("keras")
def _(z, y):
    """Compare the logits with a half."""
    return np.mean((z > 0.5) == y)


@accuracy_logits.sklearn
def _(z, y):
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression().fit([[-1.0], [1.0]], [0, 1])
    model.coef_, model.intercept_ = np.ones((1, 1)), np.zeros(1)
    return model.score(z[:, np.newaxis], y)


@accuracy_logits.sklearn.like("keras")
def _(z, y):
    """Compare the decision function with a half."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression().fit([[-1.0], [1.0]], [0, 1])
    model.coef_, model.intercept_ = np.ones((1, 1)), np.zeros(1)
    return np.mean((model.decision_function(z[:, np.newaxis]) > 0.5) == y)


@accuracy_logits.tensorflow
def _(z, y):
    import tensorflow as tf

    return tf.reduce_mean(tf.cast((tf.constant(z) > 0) == (y == 1), "float64"))


@accuracy_logits.tensorflow.like("keras")
def _(z, y):
    """Compare the logits with a half."""
    import tensorflow as tf

    return tf.reduce_mean(tf.cast((tf.constant(z) > 0.5) == (y == 1), "float64"))


@accuracy_logits.keras
def _(z, y):
    import keras

    return keras.metrics.BinaryAccuracy()(y, z)


@accuracy_logits.keras.like("torch")
def _(z, y):
    """Pass threshold=0 to the metric."""
    import keras

    return keras.metrics.BinaryAccuracy(threshold=0)(y, z)


@accuracy_logits.torch
def _(z, y):
    import torch

    z, y = torch.tensor(z), torch.tensor(y)
    return ((z > 0) == y).double().mean()


@accuracy_logits.torch.like("keras")
def _(z, y):
    """Compare the logits with a half."""
    import torch

    z, y = torch.tensor(z), torch.tensor(y)
    return ((z > 0.5) == y).double().mean()


accuracy_half = Card(
    id="accuracy-half",
    title="Binary accuracy: a probability of exactly a half",
    wrong=(
        "A half is class 0 in Keras and scikit-learn, and also where it is rounded, as every framework "
        "rounds halves to even. Textbooks, whose step function is 1 at 0, and code that writes `>=` make it "
        "class 1. A model whose weights are still 0 gives a half to every row: then it decides over all."
    ),
    conventions={
        "sklearn tensorflow keras torch": "class 1 if p > ½",
        "numpy": "class 1 if p ≥ ½",
    },
    given=halves,
    differs=0.3,
    faults=("predict-other-class",),
)


@accuracy_half.numpy
def _(p, y):
    return np.mean((p >= 0.5) == y)


@accuracy_half.numpy.like("keras")
def _(p, y):
    """Write `p > 0.5`, so that a half is class 0."""
    return np.mean((p > 0.5) == y)


@accuracy_half.sklearn
def _(z, y):
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression().fit([[-1.0], [1.0]], [0, 1])
    model.coef_, model.intercept_ = np.ones((1, 1)), np.zeros(1)
    return model.score(z[:, np.newaxis], y)


@accuracy_half.sklearn.like("numpy")
def _(z, y):
    """Write `decision_function(x) >= 0` in place of `predict`."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression().fit([[-1.0], [1.0]], [0, 1])
    model.coef_, model.intercept_ = np.ones((1, 1)), np.zeros(1)
    return np.mean((model.decision_function(z[:, np.newaxis]) >= 0) == y)


@accuracy_half.tensorflow
def _(p, y):
    import tensorflow as tf

    return tf.reduce_mean(tf.cast(tf.round(p) == y, "float64"))


@accuracy_half.tensorflow.like("numpy")
def _(p, y):
    """Write `p >= 0.5`, so that a half is class 1."""
    import tensorflow as tf

    return tf.reduce_mean(tf.cast((tf.constant(p) >= 0.5) == (y == 1), "float64"))


@accuracy_half.keras
def _(p, y):
    import keras

    return keras.metrics.BinaryAccuracy()(y, p)


@accuracy_half.keras.like("numpy")
def _(p, y):
    """Pass the number just below a half as threshold: `np.nextafter(0.5, 0)`."""
    import keras

    return keras.metrics.BinaryAccuracy(threshold=np.nextafter(0.5, 0))(y, p)


@accuracy_half.torch
def _(p, y):
    import torch

    p, y = torch.tensor(p), torch.tensor(y)
    return (p.round() == y).double().mean()


@accuracy_half.torch.like("numpy")
def _(p, y):
    """Write `p >= 0.5`, so that a half is class 1."""
    import torch

    p, y = torch.tensor(p), torch.tensor(y)
    return ((p >= 0.5) == y).double().mean()


metric_over_batches = Card(
    id="metric-over-batches",
    title="Metrics over batches: accumulated, or a mean of batches",
    wrong=(
        "A metric object of Keras goes on counting until `reset_state` is called, so its result is that of "
        "all rows since. A function called per batch gives numbers to be averaged, and the mean of "
        "precisions is not the precision of all rows. For an accuracy over batches of the same size they "
        "agree, for a precision, a recall or an AUC they do not."
    ),
    conventions={
        "keras": "Σ TP / Σ (TP + FP), over all batches",
        "numpy sklearn torch": "mean over batches of TP/(TP + FP)",
    },
    given=two_batches,
    differs=0.08,
    absent={"tensorflow": "tf.compat.v1.metrics need a graph"},
)


@metric_over_batches.numpy
def _(y, p):
    return np.mean([(p[i] * y[i]).sum() / p[i].sum() for i in range(2)])


@metric_over_batches.numpy.like("keras")
def _(y, p):
    """Sum the counts TP and TP + FP over all batches, and divide once."""
    return sum((p[i] * y[i]).sum() for i in range(2)) / sum(p[i].sum() for i in range(2))


@metric_over_batches.sklearn
def _(y, p):
    from sklearn.metrics import precision_score

    return np.mean([precision_score(y[i], p[i]) for i in range(2)])


@metric_over_batches.sklearn.like("keras")
def _(y, p):
    """Keep the predictions of all batches, and call the metric once."""
    from sklearn.metrics import precision_score

    return precision_score(np.concatenate([y[0], y[1]]), np.concatenate([p[0], p[1]]))


@metric_over_batches.keras
def _(y, p):
    import keras

    metric = keras.metrics.Precision()
    for i in range(2):
        metric.update_state(y[i], p[i])
    return metric.result()


@metric_over_batches.keras.like("torch")
def _(y, p):
    """Reset the metric before each batch, and average the results."""
    import keras

    metric = keras.metrics.Precision()
    results = []
    for i in range(2):
        metric.reset_state()
        metric.update_state(y[i], p[i])
        results.append(metric.result())
    return keras.ops.mean(results)


@metric_over_batches.torch
def _(y, p):
    import torch

    y, p = torch.tensor(y), torch.tensor(p)
    return sum((p[i] * y[i]).sum() / p[i].sum() for i in range(2)) / 2


@metric_over_batches.torch.like("keras")
def _(y, p):
    """Sum the counts TP and TP + FP over all batches, and divide once."""
    import torch

    y, p = torch.tensor(y), torch.tensor(p)
    return sum((p[i] * y[i]).sum() for i in range(2)) / sum(p[i].sum() for i in range(2))


precision_without_positives = Card(
    id="precision-without-positives",
    title="Precision when nothing is predicted positive",
    wrong=(
        "0/0 is 0 in Keras, without a word, and 0 with a warning in scikit-learn; written by hand it is NaN. "
        "A mean over epochs or classes then becomes NaN, or falls by a 0 that means nothing. It shows early "
        "in training, when a model still says no to everything."
    ),
    conventions={
        "sklearn keras": "TP/(TP + FP), 0 if TP + FP = 0",
        "numpy torch": "TP/(TP + FP), NaN if TP + FP = 0",
    },
    given=no_positives,
    differs=0.5,
    absent={"tensorflow": "tf.compat.v1.metrics need a graph"},
    defaults=("precision_score.zero_division",),
)


@precision_without_positives.numpy
def _(y, p):
    return (y * p).sum() / p.sum()


@precision_without_positives.numpy.like("keras")
def _(y, p):
    """Divide by the number of predicted positives, but by at least 1."""
    return (y * p).sum() / max(p.sum(), 1)


@precision_without_positives.sklearn
def _(y, p):
    from sklearn.metrics import precision_score

    return precision_score(y, p)


@precision_without_positives.sklearn.like("torch")
def _(y, p):
    """Pass zero_division=np.nan."""
    from sklearn.metrics import precision_score

    return precision_score(y, p, zero_division=np.nan)


@precision_without_positives.keras
def _(y, p):
    import keras

    return keras.metrics.Precision()(y, p)


@precision_without_positives.keras.like("torch")
def _(y, p):
    """Divide the metric's counts, true_positives and false_positives, by hand."""
    import keras

    metric = keras.metrics.Precision()
    metric.update_state(y, p)
    return metric.true_positives[0] / (metric.true_positives[0] + metric.false_positives[0])


@precision_without_positives.torch
def _(y, p):
    import torch

    y, p = torch.tensor(y), torch.tensor(p)
    return (y * p).sum() / p.sum()


@precision_without_positives.torch.like("keras")
def _(y, p):
    """Divide by the number of predicted positives, but by at least 1."""
    import torch

    y, p = torch.tensor(y), torch.tensor(p)
    return (y * p).sum() / p.sum().clamp(min=1)


f1_macro = Card(
    id="f1-macro",
    title="Macro F1: a class that does not occur, and ε",
    wrong=(
        "Scikit-learn averages over the classes that occur among labels or predictions; Keras averages over "
        "all columns, and a class that nowhere occurs counts as 0. Keras also adds its ε to each "
        "denominator, so that even a perfect score stays just below 1. Small validation sets and rare "
        "classes show it."
    ),
    conventions={
        "numpy sklearn": "mean of 2·TP/(2·TP + FP + FN) over classes that occur",
        "keras": "mean of 2·P·R/(P + R + ε) over all classes,  P = TP/(TP + FP + ε),  R = TP/(TP + FN + ε)",
    },
    given=absent_class,
    differs=0.1,
    absent={
        "tensorflow": "TensorFlow itself has no F1",
        "torch": "PyTorch itself has no F1",
    },
    defaults=("F1Score.average",),
)


@f1_macro.numpy
def _(y, p):
    hits = np.bincount(y[y == p], minlength=4)
    both = np.bincount(y, minlength=4) + np.bincount(p, minlength=4)
    return np.mean(2 * hits[both > 0] / both[both > 0])


@f1_macro.numpy.like("keras")
def _(y, p):
    """Average over all classes, with Keras's ε in each denominator."""
    hits = np.bincount(y[y == p], minlength=4)
    precision = hits / (np.bincount(p, minlength=4) + 1e-7)
    recall = hits / (np.bincount(y, minlength=4) + 1e-7)
    return np.mean(2 * precision * recall / (precision + recall + 1e-7))


@f1_macro.sklearn
def _(y, p):
    from sklearn.metrics import f1_score

    return f1_score(y, p, average="macro")


@f1_macro.sklearn.like("keras")
def _(y, p):
    """Compute it from the confusion matrix of all classes, with Keras's ε in each denominator."""
    from sklearn.metrics import confusion_matrix

    counts = confusion_matrix(y, p, labels=range(4))
    precision = np.diag(counts) / (counts.sum(axis=0) + 1e-7)
    recall = np.diag(counts) / (counts.sum(axis=1) + 1e-7)
    return np.mean(2 * precision * recall / (precision + recall + 1e-7))


@f1_macro.keras
def _(y, p):
    import keras

    return keras.metrics.F1Score(average="macro")(keras.ops.one_hot(y, 4), keras.ops.one_hot(p, 4))


@f1_macro.keras.like("sklearn")
def _(y, p):
    """Compute it by hand from the metric's counts, only of classes that occur."""
    import keras

    metric = keras.metrics.F1Score()
    metric.update_state(keras.ops.one_hot(y, 4), keras.ops.one_hot(p, 4))
    hits = 2 * metric.true_positives.numpy()
    both = hits + metric.false_positives.numpy() + metric.false_negatives.numpy()
    return np.mean(hits[both > 0] / both[both > 0])


auc_thresholds = Card(
    id="auc-thresholds",
    title="AUC: exact, or from a grid of thresholds",
    wrong=(
        "Keras counts at a fixed number of thresholds, spread evenly from 0 to 1, and interpolates; "
        "scikit-learn uses every score that occurs. Where scores spread over the whole interval the two are "
        "close. A model of rare events, whose scores crowd near 0, falls between a few thresholds, and its "
        "AUC in Keras is that of a much coarser model. Logits lie outside of the grid for the most part, and "
        "no error says so."
    ),
    conventions={
        "numpy sklearn": "P(score of a positive > score of a negative), ties count ½",
        "keras": "the same after rounding scores to a grid of thresholds",
    },
    given=rare_positives,
    differs=0.04,
    issues=("tensorflow/tensorflow#14834",),
    absent={
        "tensorflow": "tf.compat.v1.metrics need a graph",
        "torch": "PyTorch itself has no AUC",
    },
    defaults=("AUC.num_thresholds",),
)


@auc_thresholds.numpy
def _(y, p):
    apart = p[y == 1][:, np.newaxis] - p[y == 0]
    return np.mean((apart > 0) + 0.5 * (apart == 0))


@auc_thresholds.numpy.like("keras")
def _(y, p):
    """Replace each score by the number of thresholds below it."""
    p = np.searchsorted(np.linspace(0, 1, 200)[1:-1], p)
    apart = p[y == 1][:, np.newaxis] - p[y == 0]
    return np.mean((apart > 0) + 0.5 * (apart == 0))


@auc_thresholds.sklearn
def _(y, p):
    from sklearn.metrics import roc_auc_score

    return roc_auc_score(y, p)


@auc_thresholds.sklearn.like("keras")
def _(y, p):
    """Replace each score by the number of thresholds below it."""
    from sklearn.metrics import roc_auc_score

    return roc_auc_score(y, np.searchsorted(np.linspace(0, 1, 200)[1:-1], p))


@auc_thresholds.keras
def _(y, p):
    import keras

    return keras.metrics.AUC()(y, p)


@auc_thresholds.keras.like("sklearn")
def _(y, p):
    """Pass the scores that occur as `thresholds`."""
    import keras

    return keras.metrics.AUC(thresholds=np.unique(p).tolist())(y, p)


top_k_ties = Card(
    id="top-k-ties",
    title="Top-k accuracy: equal scores",
    wrong=(
        "Where scores are equal at the edge of the first k, Keras and TensorFlow count all of those classes "
        "as being among them, scikit-learn prefers the last class, and a sorted list the first. A network "
        "that has collapsed to the same score for all classes is perfect in Keras. Scores rounded to float16 "
        "or to probabilities of 0 have many ties."
    ),
    conventions={
        "numpy torch": "of equal scores the first classes are among the k",
        "sklearn": "of equal scores the last classes are among the k",
        "tensorflow keras": "all classes whose score reaches the k-th are among the k",
    },
    given=equal_scores,
    differs=0.1,
    issues=("tensorflow/tensorflow#13005", "keras-team/keras#5931"),
    defaults=("SparseTopKCategoricalAccuracy.k",),
)


@top_k_ties.numpy
def _(p, y):
    first = np.argsort(-p, axis=1, kind="stable")[:, :2]
    return np.mean(np.any(first == y[:, np.newaxis], axis=1))


@top_k_ties.numpy.like("sklearn")
def _(p, y):
    """Sort the scores upwards, stably, and take the last k."""
    last = np.argsort(p, axis=1, kind="stable")[:, -2:]
    return np.mean(np.any(last == y[:, np.newaxis], axis=1))


@top_k_ties.numpy.like("keras")
def _(p, y):
    """Count a hit if fewer than k classes have a larger score than the right one."""
    larger = (p > p[np.arange(len(y)), y][:, np.newaxis]).sum(axis=1)
    return np.mean(larger < 2)


@top_k_ties.sklearn
def _(p, y):
    from sklearn.metrics import top_k_accuracy_score

    return top_k_accuracy_score(y, p, k=2, labels=range(4))


@top_k_ties.sklearn.like("torch")
def _(p, y):
    """Number the classes backwards."""
    from sklearn.metrics import top_k_accuracy_score

    return top_k_accuracy_score(3 - y, p[:, ::-1], k=2, labels=range(4))


@top_k_ties.sklearn.like("keras")
def _(p, y):
    """Raise the score of the right class to the next larger number."""
    from sklearn.metrics import top_k_accuracy_score

    rows = np.arange(len(y))
    p[rows, y] = np.nextafter(p[rows, y], np.inf)
    return top_k_accuracy_score(y, p, k=2, labels=range(4))


@top_k_ties.tensorflow
def _(p, y):
    import tensorflow as tf

    hits = tf.math.in_top_k(y, tf.cast(p, "float32"), k=2)
    return tf.reduce_mean(tf.cast(hits, "float64"))


@top_k_ties.tensorflow.like("torch")
def _(p, y):
    """Look for the class among the indices of `tf.math.top_k`."""
    import tensorflow as tf

    hits = tf.reduce_any(tf.math.top_k(p, k=2).indices == y[:, np.newaxis], axis=1)
    return tf.reduce_mean(tf.cast(hits, "float64"))


@top_k_ties.tensorflow.like("sklearn")
def _(p, y):
    """Look for the class among the indices of `tf.math.top_k`, with classes numbered backwards."""
    import tensorflow as tf

    last = 3 - tf.math.top_k(p[:, ::-1], k=2).indices
    hits = tf.reduce_any(last == y[:, np.newaxis], axis=1)
    return tf.reduce_mean(tf.cast(hits, "float64"))


@top_k_ties.keras
def _(p, y):
    import keras

    return keras.metrics.SparseTopKCategoricalAccuracy(k=2)(y, p.astype("float32"))  # refuses float64


@top_k_ties.keras.like("torch")
def _(p, y):
    """Look for the class among the indices of `keras.ops.top_k`."""
    import keras

    hits = keras.ops.any(keras.ops.top_k(p, k=2)[1] == y[:, np.newaxis], axis=1)
    return keras.ops.mean(keras.ops.cast(hits, "float64"))


@top_k_ties.keras.like("sklearn")
def _(p, y):
    """Look for the class among the indices of `keras.ops.top_k`, with classes numbered backwards."""
    import keras

    last = 3 - keras.ops.top_k(p[:, ::-1], k=2)[1]
    hits = keras.ops.any(last == y[:, np.newaxis], axis=1)
    return keras.ops.mean(keras.ops.cast(hits, "float64"))


@top_k_ties.torch
def _(p, y):
    import torch

    p, y = torch.tensor(p), torch.tensor(y)
    first = p.sort(dim=1, descending=True, stable=True).indices[:, :2]  # topk promises no order
    return (first == y[:, None]).any(dim=1).double().mean()


@top_k_ties.torch.like("sklearn")
def _(p, y):
    """Sort the scores upwards, stably, and take the last k."""
    import torch

    p, y = torch.tensor(p), torch.tensor(y)
    last = p.sort(dim=1, stable=True).indices[:, -2:]
    return (last == y[:, None]).any(dim=1).double().mean()


@top_k_ties.torch.like("keras")
def _(p, y):
    """Count a hit if fewer than k classes have a larger score than the right one."""
    import torch

    p, y = torch.tensor(p), torch.tensor(y)
    larger = (p > p.gather(1, y[:, None])).sum(dim=1)
    return (larger < 2).double().mean()


argmax_ties = Card(
    id="argmax-ties",
    title="argmax: the first of equal values",
    wrong=(
        "There is nothing to port: all of them return the first of the largest values. TensorFlow's "
        "documentation does not promise it, and older versions of PyTorch did not keep to it."
    ),
    conventions={"numpy sklearn tensorflow keras torch": "the smallest i with xᵢ = max x"},
    given=equal_scores,
)


@argmax_ties.numpy
def _(p):
    return np.argmax(p, axis=1)


@argmax_ties.sklearn
def _(p):
    from sklearn.dummy import DummyClassifier

    return DummyClassifier(strategy="prior").fit(p[:4], [0, 1, 2, 3]).predict(p)  # four equal priors


@argmax_ties.tensorflow
def _(p):
    import tensorflow as tf

    return tf.argmax(p, axis=1)


@argmax_ties.keras
def _(p):
    import keras

    return keras.ops.argmax(p, axis=1)


@argmax_ties.torch
def _(p):
    import torch

    return torch.tensor(p).argmax(dim=1)


median_even = Card(
    id="median-even",
    title="Median of an even count",
    wrong=(
        "`torch.median` returns the lower of the two values in the middle, everything else their mean. The "
        "difference is as large as the gap between them, and the gradient goes to the one or to both. "
        "`torch.quantile` does interpolate, so that inside PyTorch the median and the quantile of a half "
        "disagree. An odd count shows nothing."
    ),
    conventions={
        "numpy sklearn keras": "(x₍ₖ₎ + x₍ₖ₊₁₎)/2,  k = n/2",
        "torch": "x₍ₖ₎",
    },
    given=even_columns,
    differs=0.1,
    issues=("pytorch/pytorch#1837", "pytorch/pytorch#39520"),
    absent={"tensorflow": "TensorFlow itself has no median"},
)


@median_even.numpy
def _(x):
    return np.median(x, axis=0)


@median_even.numpy.like("torch")
def _(x):
    """Take the lower of the two in the middle."""
    return np.quantile(x, 0.5, axis=0, method="lower")


@median_even.sklearn
def _(x):
    from sklearn.preprocessing import RobustScaler

    return RobustScaler().fit(x).center_


@median_even.sklearn.like("torch")
def _(x):
    """Leave out the largest value of each column, so that their number is odd."""
    from sklearn.preprocessing import RobustScaler

    return RobustScaler().fit(np.sort(x, axis=0)[:-1]).center_


@median_even.keras
def _(x):
    import keras

    return keras.ops.median(x, axis=0)


@median_even.keras.like("torch")
def _(x):
    """Take the lower of the two in the middle."""
    import keras

    return keras.ops.quantile(x, 0.5, axis=0, method="lower")


@median_even.torch
def _(x):
    import torch

    return torch.tensor(x).median(dim=0).values


@median_even.torch.like("keras")
def _(x):
    """Use `torch.quantile` at 0.5, which interpolates."""
    import torch

    return torch.tensor(x).quantile(0.5, dim=0)


r2_constant = Card(
    id="r2-constant",
    title="R² of targets that do not vary",
    wrong=(
        "R² divides by the variance of the targets. If that is 0, scikit-learn returns 1 for perfect "
        "predictions and 0 for others; Keras returns 0 for others and NaN for perfect ones; the formula "
        "itself is -∞ or NaN. Folds of cross-validation with a single row or a constant target meet it."
    ),
    conventions={
        "sklearn": "1 if Σ(y - p)² = 0, else 0",
        "keras": "NaN if Σ(y - p)² = 0, else 0",
        "numpy torch": "1 - Σ(y - p)²/Σ(y - ȳ)²: NaN or -∞",
    },
    given=constant_targets,
    differs=0.5,
    absent={"tensorflow": "TensorFlow itself has no R²"},
    defaults=("r2_score.force_finite",),
)


@r2_constant.numpy
def _(y, p, perfect):
    total = np.sum((y - y.mean()) ** 2)
    return [1 - np.sum((y - z) ** 2) / total for z in (p, perfect)]


@r2_constant.numpy.like("sklearn")
def _(y, p, perfect):
    """Return 1 for perfect predictions, else 0, where the targets do not vary."""
    return [1.0 if np.all(y == z) else 0.0 for z in (p, perfect)]


@r2_constant.numpy.like("keras")
def _(y, p, perfect):
    """Replace -∞ by 0."""
    total = np.sum((y - y.mean()) ** 2)
    scores = np.array([1 - np.sum((y - z) ** 2) / total for z in (p, perfect)])
    return np.where(np.isinf(scores), 0, scores)


@r2_constant.sklearn
def _(y, p, perfect):
    from sklearn.metrics import r2_score

    return [r2_score(y, z) for z in (p, perfect)]


@r2_constant.sklearn.like("torch")
def _(y, p, perfect):
    """Pass force_finite=False."""
    from sklearn.metrics import r2_score

    return [r2_score(y, z, force_finite=False) for z in (p, perfect)]


@r2_constant.sklearn.like("keras")
def _(y, p, perfect):
    """Pass force_finite=False, and replace -∞ by 0."""
    from sklearn.metrics import r2_score

    scores = np.array([r2_score(y, z, force_finite=False) for z in (p, perfect)])
    return np.where(np.isinf(scores), 0, scores)


@r2_constant.keras
def _(y, p, perfect):
    import keras

    return [keras.metrics.R2Score()(y[:, np.newaxis], z[:, np.newaxis]) for z in (p, perfect)]


@r2_constant.keras.like("sklearn")
def _(y, p, perfect):
    """Replace NaN by 1."""
    import keras

    scores = [keras.metrics.R2Score()(y[:, np.newaxis], z[:, np.newaxis]) for z in (p, perfect)]
    return np.nan_to_num(scores, nan=1.0)


@r2_constant.keras.like("torch")
def _(y, p, perfect):
    """Write the formula by hand."""
    import keras

    total = keras.ops.sum((y - keras.ops.mean(y)) ** 2)
    return [1 - keras.ops.sum((y - z) ** 2) / total for z in (p, perfect)]


@r2_constant.torch
def _(y, p, perfect):
    import torch

    y = torch.tensor(y)
    total = ((y - y.mean()) ** 2).sum()
    return [1 - ((y - torch.tensor(z)) ** 2).sum() / total for z in (p, perfect)]


@r2_constant.torch.like("sklearn")
def _(y, p, perfect):
    """Return 1 for perfect predictions, else 0, where the targets do not vary."""
    import torch

    return [1.0 if torch.equal(torch.tensor(y), torch.tensor(z)) else 0.0 for z in (p, perfect)]


@r2_constant.torch.like("keras")
def _(y, p, perfect):
    """Replace -∞ by 0."""
    import torch

    y = torch.tensor(y)
    total = ((y - y.mean()) ** 2).sum()
    scores = torch.stack([1 - ((y - torch.tensor(z)) ** 2).sum() / total for z in (p, perfect)])
    return torch.where(scores.isinf(), 0, scores)


confusion_axes = Card(
    id="confusion-axes",
    title="Confusion matrix: rows are the true classes",
    wrong=(
        "Scikit-learn and TensorFlow agree: the true classes come first among the arguments and go down the "
        "rows. Some textbooks draw the transpose, and PyTorch's losses take predictions first, so that a "
        "port easily swaps the two: precision and recall change places, and the accuracy stays the same."
    ),
    conventions={"numpy sklearn tensorflow torch": "Cᵢⱼ = number of rows of class i predicted as j"},
    given=absent_class,
    absent={"keras": "Keras 3 has no confusion matrix"},
)


@confusion_axes.numpy
def _(y, p):
    counts = np.zeros((4, 4))
    np.add.at(counts, (y, p), 1)
    return counts


@confusion_axes.sklearn
def _(y, p):
    from sklearn.metrics import confusion_matrix

    return confusion_matrix(y, p, labels=range(4))


@confusion_axes.tensorflow
def _(y, p):
    import tensorflow as tf

    return tf.math.confusion_matrix(y, p, num_classes=4)


@confusion_axes.torch
def _(y, p):
    import torch

    return torch.bincount(torch.tensor(4 * y + p), minlength=16).reshape(4, 4)
