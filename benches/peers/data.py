"""A set as a whole, a split of it, and the two files that a split is written to."""

import json
import struct
from dataclasses import dataclass, field

import numpy as np
from sklearn.model_selection import train_test_split


@dataclass
class Table:
    """Features and a target.

    `x` is rows by features, float32; a category holds the index of its level; NaN is missing. `y` holds numbers, or
    with `n_classes` > 0 the index of the class. `levels` has each feature's number of levels, 0 for a quantity.
    """

    x: np.ndarray
    y: np.ndarray
    n_classes: int = 0
    levels: list = field(default_factory=list)

    def __post_init__(self):
        self.x = np.ascontiguousarray(self.x, np.float32)
        self.y = np.asarray(self.y, np.float64)
        self.levels = self.levels or [0] * self.x.shape[1]

    def split(self, seed, n_train=None):
        """Draws a split; three quarters of the rows train unless told otherwise. Classes keep their shares."""
        strata = self.y if self.n_classes else None
        train, test = train_test_split(
            np.arange(len(self.y)), train_size=n_train or 0.75, random_state=seed, stratify=strata
        )
        x, x_test, levels = self.x[train], self.x[test], list(self.levels)
        for j in np.flatnonzero(levels):
            x[:, j], x_test[:, j], levels[j] = renumber(x[:, j], x_test[:, j])
        return Split(x, self.y[train], x_test, self.y[test], self.n_classes, levels)


def renumber(train, test):
    """Numbers the levels by how often they occur in the training part; what does not occur there is missing."""
    found, counts = np.unique(train[~np.isnan(train)], return_counts=True)
    order = found[np.argsort(-counts, kind="stable")]
    rank = np.full(int(np.nanmax(np.append(np.append(train, test), 0))) + 1, np.nan, np.float32)
    rank[order.astype(int)] = np.arange(len(order))

    def encode(column):
        missing = np.isnan(column)
        return np.where(missing, np.nan, rank[np.where(missing, 0, column).astype(int)])

    return encode(train), encode(test), max(len(order), 1)


@dataclass
class Split:
    """A training part and a test part, features in C order."""

    x: np.ndarray
    y: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    n_classes: int
    levels: list

    @property
    def categories(self):
        """Which features are categories."""
        return [j for j, n_levels in enumerate(self.levels) if n_levels]

    def save(self, npz, binary):
        """Writes the file that the Python peers read and the one that `trainers/examples/peer.rs` reads."""
        np.savez(npz, **vars(self))
        header = json.dumps(
            {"n_train": len(self.x), "n_test": len(self.x_test), "n_classes": self.n_classes, "levels": self.levels}
        ).encode()
        with open(binary, "wb") as file:
            file.write(struct.pack("<Q", len(header)) + header)
            file.write(self.x.astype("<f4").tobytes("F"))
            file.write(self.x_test.astype("<f4").tobytes("F"))
            file.write(self.y.astype("<f8").tobytes())

    @staticmethod
    def load(npz):
        """Reads the first of the two files."""
        with np.load(npz) as arrays:
            split = Split(**arrays)
        split.n_classes, split.levels = int(split.n_classes), split.levels.tolist()
        return split

    def loss(self, predicted):
        """Log-loss for classes, given one probability per class; root mean squared error for numbers."""
        if not self.n_classes:
            return float(np.sqrt(np.mean((predicted.reshape(-1) - self.y_test) ** 2)))
        shares = predicted.reshape(-1, self.n_classes)
        chosen = shares[np.arange(len(shares)), self.y_test.astype(int)] / shares.sum(axis=1)
        return float(-np.mean(np.log(np.clip(chosen, 1e-15, 1))))
