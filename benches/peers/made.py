"""Made sets: each function gives a `Table` that is the same on every machine.

Noise and difficulty are chosen so that LightGBM's losses at 100 rounds are of the size usual in published
comparisons: a log-loss of 0.2 to 0.5 for two classes, and an error well above the noise for regression.
"""

import numpy as np
from sklearn.datasets import make_classification, make_hastie_10_2, make_regression

from data import Table


def classes(n_rows, n_features, n_classes=2, seed=0, **options):
    """Clusters at the corners of a hypercube, some labels flipped."""
    x, y = make_classification(n_rows, n_features, n_classes=n_classes, random_state=seed, **options)
    return Table(x, y, n_classes)


def cls10k():
    """Two classes of four clusters each, 30 features."""
    return classes(20_000, 30, n_informative=12, n_redundant=6, n_clusters_per_class=4, class_sep=1.1, flip_y=0.1)


def cls100k():
    """Two classes of eight clusters each, 50 features."""
    return classes(150_000, 50, n_informative=20, n_redundant=10, n_clusters_per_class=8, class_sep=1.25, flip_y=0.1)


def multi10():
    """Ten classes of two clusters each, 30 features."""
    return classes(45_000, 30, 10, n_informative=15, n_redundant=5, class_sep=1.15, flip_y=0.05)


def wide():
    """As many features as training rows, one in forty informative."""
    return classes(4_000, 2_000, n_informative=30, n_redundant=20, class_sep=1.5, flip_y=0.05)


def hastie10k():
    """Ten normal features; the class is whether their squares sum to more than the median (Hastie et al., 10.2)."""
    x, y = make_hastie_10_2(20_000, random_state=0)
    return Table(x, y > 0, 2)


def reg10k():
    """A linear function of 15 of 30 features and noise: what trees are worst at."""
    x, y = make_regression(20_000, 30, n_informative=15, noise=20.0, random_state=0)
    return Table(x, y)


def friedman(n_rows, n_features, seed=0):
    """Friedman's first function of five uniform features and unit noise (MARS, 1991, equation 61)."""
    random = np.random.default_rng(seed)
    x = random.random((n_rows, n_features), dtype=np.float32)
    y = 10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4]
    return Table(x, y + random.standard_normal(n_rows))


def fried100k():
    """Friedman's function, 45 of 50 features without meaning."""
    return friedman(150_000, 50)


def reg1m():
    """Friedman's function over a million training rows."""
    return friedman(1_100_000, 20)


def sparse():
    """300 counts, 95 of 100 of them zero; two classes from forty of them and twenty pairs."""
    random = np.random.default_rng(0)
    n_rows, n_features = 75_000, 300
    x = random.exponential(2.0, (n_rows, n_features)).astype(np.float32)
    x = np.ceil(x) * (random.random((n_rows, n_features), dtype=np.float32) < 0.05)
    score = np.log1p(x[:, :40]) @ random.normal(0, 1.5, 40)
    for _ in range(20):
        i, j = random.choice(n_features, 2, replace=False)
        score += 4 * random.normal() * ((x[:, i] > 0) | (x[:, j] > 0))
    return Table(x, bernoulli(random, score - np.median(score)), 2)


def cats():
    """Four numbers and eight categories of 5 to 2,000 levels with an effect each, 5 in 100 cells missing."""
    random = np.random.default_rng(0)
    n_rows = 150_000
    columns = [random.standard_normal(n_rows) for _ in range(4)]
    score = columns[0] + 0.5 * columns[1] ** 2 - 0.5
    levels = [0] * 4
    for n_levels in (5, 10, 20, 50, 100, 300, 800, 2000):
        # A few levels are common and most are rare, as in life.
        shares = 1 / np.arange(1, n_levels + 1) ** 0.8
        level = random.choice(n_levels, n_rows, p=shares / shares.sum())
        score += random.normal(0, 0.6, n_levels)[level] + 0.3 * random.normal(0, 1, n_levels)[level] * columns[2]
        columns.append(level.astype(float))
        levels.append(n_levels)
    x = np.column_stack(columns)
    x[random.random(x.shape) < 0.05] = np.nan
    return Table(x, bernoulli(random, score), 2, levels)


def bernoulli(random, score):
    """Class 1 with the probability whose log-odds are `score`."""
    return random.random(len(score)) < 1 / (1 + np.exp(-score))


# Name: the function, and how many of its rows are for training.
MADE = {
    "cls10k": (cls10k, 10_000),
    "reg10k": (reg10k, 10_000),
    "hastie10k": (hastie10k, 10_000),
    "cls100k": (cls100k, 100_000),
    "fried100k": (fried100k, 100_000),
    "reg1m": (reg1m, 1_000_000),
    "multi10": (multi10, 30_000),
    "wide": (wide, 2_000),
    "sparse": (sparse, 50_000),
    "cats": (cats, 100_000),
}
