"""Trains one peer once and measures it: engine.py NAME SET.npz PREDICTIONS THREADS alike|defaults

Writes the test part's predictions as row-major float64 and prints one JSON line, the same as
`trainers/examples/peer.rs`. What an engine needs is imported, and the data is in memory, before anything is measured.
"""

import json
import os
import sys

import numpy as np

from data import Split
from measure import Clock, Memory

ROUNDS, RATE, LEAVES, BINS, MIN_ROWS = 100, 0.1, 31, 255, 20


class LightGbm:
    """LightGBM: bins, then trains."""

    def __init__(self, split, threads, alike):
        import lightgbm

        self.library, self.split = lightgbm, split
        objective = {0: {"objective": "regression"}, 2: {"objective": "binary"}}
        many = {"objective": "multiclass", "num_class": split.n_classes}
        self.params = {"num_threads": threads, "verbose": -1, **objective.get(split.n_classes, many)}
        if alike:
            own = {"learning_rate": RATE, "num_leaves": LEAVES, "max_bin": BINS, "min_data_in_leaf": MIN_ROWS}
            self.params.update(own)
        self.rounds = ROUNDS

    def cut(self):
        """Bins the training part."""
        data = self.library.Dataset(
            self.split.x, self.split.y, categorical_feature=self.split.categories, params=self.params
        )
        return data.construct()

    def train(self, bins):
        """Boosts."""
        return self.library.train(self.params, bins, self.rounds)

    def predict(self, model):
        """Predictions for the test part."""
        return model.predict(self.split.x_test)


class XgBoost:
    """XGBoost: bins, then trains."""

    def __init__(self, split, threads, alike):
        import xgboost

        self.library, self.split, self.threads = xgboost, split, threads
        objective = {0: {"objective": "reg:squarederror"}, 2: {"objective": "binary:logistic"}}
        many = {"objective": "multi:softprob", "num_class": split.n_classes}
        self.params = {"nthread": threads, "tree_method": "hist", **objective.get(split.n_classes, many)}
        if alike:
            own = {"eta": RATE, "grow_policy": "lossguide", "max_leaves": LEAVES, "max_depth": 0, "max_bin": BINS}
            self.params.update(own)
            if not split.n_classes:
                # The second derivative of a squared error is 1, so this counts rows.
                self.params["min_child_weight"] = MIN_ROWS
        self.max_bin = self.params.get("max_bin", 256)
        self.types = {
            "feature_types": ["c" if n_levels else "q" for n_levels in split.levels],
            "enable_categorical": True,
            "nthread": threads,
        }

    def cut(self):
        """Bins the training part."""
        return self.library.QuantileDMatrix(self.split.x, self.split.y, max_bin=self.max_bin, **self.types)

    def train(self, bins):
        """Boosts."""
        return self.library.train(self.params, bins, ROUNDS)

    def predict(self, model):
        """Predictions for the test part."""
        return model.predict(self.library.DMatrix(self.split.x_test, **self.types))


class Sklearn:
    """scikit-learn's histogram boosting: binning and training are one. Threads come from OMP_NUM_THREADS."""

    def __init__(self, split, threads, alike):
        from sklearn import ensemble

        self.split, self.params = split, {"random_state": 0}
        if alike:
            own = {"learning_rate": RATE, "max_iter": ROUNDS, "max_leaf_nodes": LEAVES, "max_bins": BINS}
            self.params.update(own, min_samples_leaf=MIN_ROWS, early_stopping=False)
        # It takes no category of more levels than bins; such a one is given as a number.
        self.params["categorical_features"] = [j for j in split.categories if split.levels[j] < BINS]
        kind = "HistGradientBoostingClassifier" if split.n_classes else "HistGradientBoostingRegressor"
        self.model = getattr(ensemble, kind)(**self.params)

    cut = None

    def train(self, _):
        """Bins and boosts."""
        return self.model.fit(self.split.x, self.split.y)

    def predict(self, model):
        """Predictions for the test part."""
        return model.predict_proba(self.split.x_test) if self.split.n_classes else model.predict(self.split.x_test)


class CatBoost:
    """CatBoost with its symmetric trees of depth 6: its pool, binning and training are one."""

    def __init__(self, split, threads, alike):
        import catboost

        self.library, self.split, self.threads = catboost, split, threads
        loss = {0: "RMSE", 2: "Logloss"}.get(split.n_classes, "MultiClass")
        self.params = {
            "loss_function": loss, "thread_count": threads, "random_seed": 0, "verbose": False,
            "allow_writing_files": False,
        }
        if alike:
            self.params.update(iterations=ROUNDS, learning_rate=RATE, depth=6, border_count=254)
        self.x, self.x_test = self.features(split.x), self.features(split.x_test)

    def features(self, x):
        """A matrix as it is, or a frame when there are categories."""
        if not self.split.categories:
            return x
        import pandas as pd

        frame = pd.DataFrame({j: x[:, j] for j in range(x.shape[1])})
        for j in self.split.categories:
            names = [str(level) for level in range(self.split.levels[j])] + ["missing"]
            codes = np.where(np.isnan(x[:, j]), len(names) - 1, x[:, j]).astype(int)
            frame[j] = pd.Categorical.from_codes(codes, names)
        return frame

    cut = None

    def train(self, _):
        """Bins and boosts."""
        pool = self.library.Pool(
            self.x, self.split.y, cat_features=self.split.categories, thread_count=self.threads
        )
        return self.library.train(pool, self.params)

    def predict(self, model):
        """Predictions for the test part."""
        pool = self.library.Pool(self.x_test, cat_features=self.split.categories, thread_count=self.threads)
        kind = "Probability" if self.split.n_classes else "RawFormulaVal"
        return model.predict(pool, prediction_type=kind, thread_count=self.threads)


ENGINES = {"lightgbm": LightGbm, "xgboost": XgBoost, "sklearn": Sklearn, "catboost": CatBoost}


def run(name, npz, threads, alike):
    """Trains, and gives the measures and the predictions."""
    split = Split.load(npz)
    engine = ENGINES[name](split, threads, alike)
    memory, start = Memory(), Clock()
    bins = engine.cut and engine.cut()
    binning = engine.cut and start.elapsed()
    trained = Clock()
    model = engine.train(bins)
    training, total = engine.cut and trained.elapsed(), start.elapsed()
    growth = memory.growth()
    start = Clock()
    predicted = np.asarray(engine.predict(model), np.float64)
    measures = {
        "binning": binning, "training": training, "total": total, "predict": start.elapsed(), "memory": growth,
        "params": engine.params,
    }
    if split.n_classes == 2 and predicted.ndim == 1:
        predicted = np.column_stack([1 - predicted, predicted])
    return measures, predicted


def main():
    """Runs what the command line says."""
    name, npz, predictions, threads, mode = sys.argv[1:]
    if os.environ.get("OMP_NUM_THREADS") != threads:
        raise SystemExit(f"OMP_NUM_THREADS has to be {threads}, since some engines heed nothing else")
    measures, predicted = run(name, npz, int(threads), mode == "alike")
    predicted.tofile(predictions)
    print(json.dumps(measures))


if __name__ == "__main__":
    main()
