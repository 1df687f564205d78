"""A scikit-learn pipeline whose last step is trained by an evolved rule.

The rule is searched on one part of the digits and used on another: the last step of the pipeline is
a softmax regression with the rule's text as its parameter, so it can be cloned, cross-validated and
pickled like any other.

    python python/examples/sklearn_pipeline.py --candidates 300
"""

import argparse
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_digits
from sklearn.model_selection import cross_val_score, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from evo_search import Program, Search, optimize

Floats = NDArray[np.float32]

CONFIG = """(
    seed: 1,
    start: "zoo:sgd",
    strategy: RegularizedEvolution(population: 20, tournament: 5),
    stopping: (candidates: 100),
)"""


class SoftmaxRegression(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Linear logits, their cross-entropy minimised by an evolved rule."""

    def __init__(self, rule: str, steps: int = 40, learning_rate: float = 1.0) -> None:
        self.rule = rule
        self.steps = steps
        self.learning_rate = learning_rate

    def fit(self, X: Floats, y: NDArray[Any]) -> "SoftmaxRegression":
        """Trains from zero."""
        self.classes_, labels = np.unique(y, return_inverse=True)
        inputs = with_bias(X)
        targets = np.eye(len(self.classes_), dtype=np.float32)[labels]
        self.weights_ = np.zeros((inputs.shape[1], len(self.classes_)), dtype=np.float32)
        optimizer = Program.parse(self.rule).optimizer([self.weights_.shape])
        for _ in range(self.steps):
            wrong = softmax(inputs @ self.weights_) - targets
            gradient: Floats = (inputs.T @ wrong / len(inputs)).astype(np.float32)
            optimizer.step([self.weights_], [gradient], self.learning_rate)
        return self

    def predict_proba(self, X: Floats) -> Floats:
        """A probability for each class."""
        return softmax(with_bias(X) @ self.weights_)

    def predict(self, X: Floats) -> NDArray[Any]:
        """The likeliest class."""
        classes: NDArray[Any] = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return classes


def with_bias(inputs: Floats) -> Floats:
    """A column of ones beside the features."""
    ones = np.ones((len(inputs), 1))
    return np.hstack([inputs, ones]).astype(np.float32)


def softmax(logits: Floats) -> Floats:
    """Probabilities along the last axis."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: Floats = shifted / shifted.sum(axis=1, keepdims=True)
    return probabilities


def pipeline(rule: str) -> Pipeline:
    """Scaling, then the classifier that a rule trains."""
    return Pipeline([("scale", StandardScaler()), ("classify", SoftmaxRegression(rule))])


def halves() -> tuple[tuple[Floats, NDArray[Any]], tuple[Floats, NDArray[Any]]]:
    """Digits to search on, and digits to judge on."""
    X, y = load_digits(return_X_y=True)
    searched, judged, labels, others = train_test_split(X, y, test_size=0.5, random_state=0)
    return (searched, labels), (judged, others)


def log_loss(program: Program) -> float:
    """What the pipeline comes to on a fold of the digits to search on."""
    X, y = halves()[0]
    scores = cross_val_score(pipeline(str(program)), X, y, cv=3, scoring="neg_log_loss")
    return float(-scores.mean())


def main() -> None:
    """Searches, and judges the winner beside the start on digits that no search saw."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--candidates", type=int, default=200)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    limit = f"stopping.candidates={args.candidates}"
    search = Search(CONFIG, objective="log loss of the pipeline", overrides=[limit])
    optimize(search, log_loss, direction="minimize", workers=args.workers, seconds=20.0)
    assert search.best is not None, "the start program scores"
    X, y = halves()[1]
    for name, program in (("start", Program.zoo("sgd")), ("winner", search.best.program)):
        accuracy = cross_val_score(pipeline(str(program)), X, y, cv=5).mean()
        print(f"{name}: accuracy {accuracy:.3f} on digits that no search saw")


if __name__ == "__main__":
    main()
