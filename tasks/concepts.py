"""The concepts of the table: what is usually said of each, and how it is measured on its tasks."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Concept:
    """A group of tasks that share a tag."""

    id: str  # the tag
    title: str
    claim: str  # what is usually said
    measure: str  # the name of the function of harness/findings.py that says what was measured


CONCEPTS = (
    Concept(
        "perceptron",
        "Perceptron",
        "It learns whatever a line separates, and never ends on XOR; averaging its parameters, or keeping "
        "the best in a pocket, makes it predict better where some rows have the wrong class.",
        "mistakes",
    ),
    Concept(
        "perceptron-bound",
        "Convergence of the perceptron",
        "On rows of length at most R that are separated by a margin γ it makes at most (R/γ)² mistakes.",
        "bound",
    ),
    Concept(
        "learning-rate",
        "Learning rate",
        "Too small is slow, right converges, too large overshoots and diverges.",
        "losses",
    ),
    Concept(
        "batch-size",
        "Batch, stochastic and mini-batch descent",
        "Smaller batches make more steps per pass, and get further in as many passes.",
        "losses",
    ),
    Concept(
        "schedule",
        "Learning-rate schedules",
        "Lowering the rate as training goes on finds a lower loss than a constant rate.",
        "losses",
    ),
    Concept(
        "optimizer",
        "Optimizers in narrow valleys",
        "Momentum is faster than gradient descent, and adaptive rules are faster than both.",
        "losses",
    ),
    Concept(
        "initialisation",
        "Initialisation",
        "Equal weights never part, small ones learn slowly; Glorot, He and orthogonal starts keep signals "
        "and gradients alive.",
        "starts",
    ),
    Concept(
        "activation",
        "Activations",
        "relu and its relatives learn faster than tanh, tanh faster than logistic; a step cannot learn.",
        "losses",
    ),
    Concept(
        "gradient-flow",
        "Vanishing and exploding gradients",
        "Through many layers gradients vanish with logistic units, and explode from a wide start.",
        "gradients",
    ),
    Concept(
        "loss-regression",
        "Losses for regression with outliers",
        "Squared error is pulled by outliers; absolute error, Huber and log-cosh hold out against them.",
        "fits",
    ),
    Concept(
        "loss-classes",
        "Losses for classification",
        "Hinge ignores what is right by a margin, smoothed labels make predictions less certain, and "
        "weighted rows help the rare class.",
        "classified",
    ),
    Concept(
        "regularisation",
        "Regularisation",
        "It costs accuracy on the training rows and gains it on the test rows.",
        "gaps",
    ),
    Concept(
        "learning-curve",
        "Learning curve",
        "More training rows bring the two accuracies together, and raise the one on the test rows.",
        "gaps",
    ),
    Concept(
        "cross-validation",
        "Cross-validation",
        "Its mean over five folds is a better estimate than a single split, and its spread says how good.",
        "folds",
    ),
    Concept(
        "validation-curve",
        "Validation curves",
        "There is a best width and a best penalty between too simple and too flexible.",
        "gaps",
    ),
    Concept(
        "search",
        "Grid and random search",
        "Random search finds as good a model as a grid with as many trials.",
        "searches",
    ),
    Concept(
        "bias-variance",
        "Bias and variance",
        "A simple model has more bias, a flexible one more variance.",
        "bias_and_variance",
    ),
    Concept(
        "classes",
        "Several classes, real data",
        "A softmax output and cross-entropy learn several classes.",
        "gaps",
    ),
    Concept(
        "regression",
        "Regression, real data",
        "A hidden layer explains more of the variance than a linear model.",
        "fits",
    ),
)
