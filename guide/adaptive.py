"""Adaptive optimizers: RMSprop, Adam and their relatives."""

import numpy as np

from guide import given
from guide.card import Card

adam_epsilon = Card(
    id="adam-epsilon",
    title="Adam: where ε goes",
    wrong=(
        "ε has the same name everywhere and stands in two places. PyTorch adds it to the root of the "
        "corrected second moment, as algorithm 1 of the paper does; Keras, TensorFlow and scikit-learn add "
        "it to the root of the moment itself, the paper's ε̂, which in the first step acts as an ε some 30 "
        "times as large. It shows wherever gradients are small, and in every first step."
    ),
    conventions={
        "numpy torch": "w -= η · m̂ / (√v̂ + ε),  m̂ = m/(1-β₁ᵗ),  v̂ = v/(1-β₂ᵗ)",
        "sklearn tensorflow keras": "w -= η·√(1-β₂ᵗ)/(1-β₁ᵗ) · m / (√v + ε)",
    },
    given=given.descent,
    differs=1e-8,
    defaults=("Adam.learning_rate", "Adam.beta_1", "Adam.beta_2", "Adam.epsilon"),
    issues=("tensorflow/tensorflow#9047", "keras-team/keras#17391", "HorizonRobotics/alf#466"),
    faults=("epsilon-elsewhere@Adam", "epsilon-hat"),
)


@adam_epsilon.numpy
def _(start, gradients):
    w, m, v = start, 0.0, 0.0
    for t, g in enumerate(gradients, 1):
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + (1 - 0.999) * g**2
        w = w - 0.01 * m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-7)
        yield w


@adam_epsilon.numpy.like("keras")
def _(start, gradients):
    """Add ε to the root of v itself, and correct both moments afterwards."""
    w, m, v = start, 0.0, 0.0
    for t, g in enumerate(gradients, 1):
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + (1 - 0.999) * g**2
        rate = 0.01 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        w = w - rate * m / (np.sqrt(v) + 1e-7)
        yield w


@adam_epsilon.sklearn
def _(start, gradients):
    from sklearn.neural_network._stochastic_optimizers import AdamOptimizer

    optimizer = AdamOptimizer([start], 0.01, beta_1=0.9, beta_2=0.999, epsilon=1e-7)
    for g in gradients:
        optimizer.update_params([start], [g])  # in place
        yield start


@adam_epsilon.sklearn.like("torch")
def _(start, gradients):
    """Before each step, multiply ε by √(1-β₂ᵗ)."""
    from sklearn.neural_network._stochastic_optimizers import AdamOptimizer

    optimizer = AdamOptimizer([start], 0.01, beta_1=0.9, beta_2=0.999)
    for t, g in enumerate(gradients, 1):
        optimizer.epsilon = 1e-7 * np.sqrt(1 - 0.999**t)
        optimizer.update_params([start], [g])
        yield start


@adam_epsilon.tensorflow
def _(start, gradients):
    import tensorflow as tf

    w = tf.Variable(start)
    f = np.float64  # a Python number would be rounded to float32
    optimizer = tf.compat.v1.train.AdamOptimizer(f(0.01), f(0.9), f(0.999), f(1e-7))
    for g in gradients:
        optimizer.apply_gradients([(tf.constant(g), w)])
        yield w.numpy()


@adam_epsilon.tensorflow.like("torch")
def _(start, gradients):
    """Before each step, multiply ε by √(1-β₂ᵗ)."""
    import tensorflow as tf

    w = tf.Variable(start)
    f = np.float64
    optimizer = tf.compat.v1.train.AdamOptimizer(f(0.01), f(0.9), f(0.999))
    for t, g in enumerate(gradients, 1):
        optimizer._epsilon_t = tf.constant(1e-7 * np.sqrt(1 - 0.999**t))
        optimizer._prepare = lambda: None
        optimizer._lr_t, optimizer._beta1_t, optimizer._beta2_t = f(0.01), f(0.9), f(0.999)
        optimizer.apply_gradients([(tf.constant(g), w)])
        yield w.numpy()


@adam_epsilon.keras
def _(start, gradients):
    import keras

    w = keras.Variable(start)
    f = np.float64  # a Python number would be rounded to float32
    optimizer = keras.optimizers.Adam(0.01, f(0.9), f(0.999), epsilon=1e-7)
    optimizer.build([w])
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@adam_epsilon.keras.like("torch")
def _(start, gradients):
    """Before each step, multiply ε by √(1-β₂ᵗ)."""
    import keras

    w = keras.Variable(start)
    f = np.float64
    optimizer = keras.optimizers.Adam(0.01, f(0.9), f(0.999))
    optimizer.build([w])
    for t, g in enumerate(gradients, 1):
        optimizer.epsilon = 1e-7 * np.sqrt(1 - 0.999**t)
        optimizer.apply([g], [w])
        yield w.numpy()


@adam_epsilon.torch
def _(start, gradients):
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.Adam([w], lr=0.01, betas=(0.9, 0.999), eps=1e-7)
    for g in gradients:
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


@adam_epsilon.torch.like("keras")
def _(start, gradients):
    """Before each step, divide ε by √(1-β₂ᵗ)."""
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.Adam([w], lr=0.01, betas=(0.9, 0.999))
    for t, g in enumerate(gradients, 1):
        optimizer.param_groups[0]["eps"] = 1e-7 / np.sqrt(1 - 0.999**t)
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()
