"""What the harness rests on: python -m unittest discover benches/peers. Needs the example `peer` to be built."""

import json
import os
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

import numpy as np
from sklearn.metrics import log_loss

import table
from data import Split, Table, renumber
from engine import ENGINES
from engine import run as train
from measure import Clock, Memory
from public import encode

TARGET = Path(os.environ.get("CARGO_TARGET_DIR", Path(__file__).resolve().parents[2] / "target"))
PEER = TARGET / "release/examples/peer"


def example(n_classes, levels=None, n_rows=400):
    """A split of a noiseless linear target, or of classes cut from it."""
    random = np.random.default_rng(1)
    x = random.standard_normal((n_rows, 3)).astype(np.float32)
    y = x @ [1.0, -2.0, 3.0] + 5
    if n_classes:
        y = np.digitize(y, np.quantile(y, np.arange(1, n_classes) / n_classes))
    return Table(x, y, n_classes, levels).split(0)


def ours(split, algorithm, params="{}"):
    """Runs our side: its measures and predictions."""
    with tempfile.TemporaryDirectory() as folder:
        npz, binary, predictions = (Path(folder) / name for name in ("s.npz", "s.bin", "p"))
        split.save(npz, binary)
        done = subprocess.run(
            [PEER, algorithm, binary, predictions, "1", params], capture_output=True, text=True, check=True
        )
        return json.loads(done.stdout), np.fromfile(predictions)


class OurSide(unittest.TestCase):
    """The example reads what `data.py` writes."""

    def test_a_linear_target_is_predicted_exactly(self):
        split = example(0)
        measures, predicted = ours(split, "linear_regression")
        np.testing.assert_allclose(predicted, split.y_test, rtol=1e-4, atol=1e-4)
        self.assertLess(split.loss(predicted), 1e-4)
        self.assertGreater(measures["total"]["cpu"], 0)

    def test_class_shares_are_those_of_the_training_part(self):
        split = example(3)
        _, predicted = ours(split, "constant")
        shares = np.bincount(split.y.astype(int)) / len(split.y)
        np.testing.assert_allclose(predicted.reshape(-1, 3), np.tile(shares, (len(split.y_test), 1)))

    def test_an_unknown_parameter_is_refused(self):
        with self.assertRaises(subprocess.CalledProcessError) as caught:
            ours(example(2), "logistic_regression", '{"leaves": 3}')
        self.assertIn("parameter `leaves` is unknown (known: c)", caught.exception.stderr)


class Peers(unittest.TestCase):
    """Every peer answers every task in the form that is scored."""

    def test_each_is_better_than_a_guess(self):
        for n_classes in (0, 2, 3):
            split = example(n_classes, levels=None, n_rows=2000)
            worst = split.y.std() if not n_classes else np.log(n_classes)
            with tempfile.TemporaryDirectory() as folder:
                npz = Path(folder) / "s.npz"
                split.save(npz, Path(folder) / "s.bin")
                for name in ENGINES:
                    for alike in (True, False):
                        with self.subTest(engine=name, n_classes=n_classes, alike=alike):
                            _, predicted = train(name, npz, 1, alike)
                            self.assertLess(split.loss(predicted), 0.5 * worst)


class Readings(unittest.TestCase):
    """Clocks and memory."""

    def test_a_peak_that_is_gone_again_is_seen(self):
        memory = Memory()
        np.ones(8 << 20)
        self.assertAlmostEqual(memory.growth() / 2**20, 64, delta=4)
        self.assertLess(Memory().growth(), 4 << 20)

    def test_sleep_costs_no_cpu(self):
        start = Clock()
        time.sleep(0.2)
        elapsed = start.elapsed()
        self.assertGreater(elapsed["wall"], 0.19)
        self.assertLess(elapsed["cpu"], 0.1)


class Data(unittest.TestCase):
    """Splits and losses."""

    def test_levels_are_numbered_by_count_in_the_training_part(self):
        nan = np.nan
        train_part, test_part, n_levels = renumber(np.array([3, 3, 1, nan, 1, 3, 0]), np.array([1, 2, nan, 0, 7]))
        np.testing.assert_array_equal(train_part, [0, 0, 1, nan, 1, 0, 2])
        np.testing.assert_array_equal(test_part, [1, nan, nan, 2, nan])
        self.assertEqual(n_levels, 3)

    def test_a_split_is_read_back(self):
        split = example(2)
        with tempfile.TemporaryDirectory() as folder:
            split.save(Path(folder) / "s.npz", Path(folder) / "s.bin")
            back = Split.load(Path(folder) / "s.npz")
        for name, value in vars(split).items():
            np.testing.assert_array_equal(getattr(back, name), value)

    def test_log_loss_is_scikit_learns(self):
        split = example(3)
        predicted = np.random.default_rng(2).dirichlet(np.ones(3), len(split.y_test))
        self.assertAlmostEqual(split.loss(predicted), log_loss(split.y_test, predicted), places=12)

    def test_words_that_are_numbers_or_dates_are_numbers(self):
        import pandas as pd

        cases = {
            ("1", " 2 ", " "): ([1, 2, np.nan], 0),
            ("1970-01-03", "1970-01-02 12:00:00", None): ([2, 1.5, np.nan], 0),
            ("b", "a", "b", "b", "a", None): ([1, 0, 1, 1, 0, np.nan], 2),
        }
        for words, (expected, n_levels) in cases.items():
            values, found = encode(pd.Series(words))
            np.testing.assert_array_equal(values, expected)
            self.assertEqual(found, n_levels)
        self.assertIsNone(encode(pd.Series(["a1", "a2", "a3"])))


class Report(unittest.TestCase):
    """The tables."""

    @staticmethod
    def line(engine, split, loss, cpu, repeat=0):
        clock = {"cpu": cpu, "wall": cpu}
        return {
            "mode": "alike", "set": "s", "split": split, "repeat": repeat, "threads": 1, "engine": engine,
            "loss": loss, "binning": clock, "training": clock, "total": clock, "predict": clock, "memory": 1 << 20,
        }

    def test_the_least_repeat_counts_on_splits_that_both_have(self):
        lines = [self.line("lightgbm", 0, 1.0, 2.0), self.line("ours", 0, 1.0, 1.0), self.line("ours", 1, 1.0, 9.0)]
        lines += [self.line("ours", 0, 1.0, 3.0, repeat=1)]
        results = table.Results(lines, "lightgbm")
        self.assertEqual(results.ratio(table.TOTAL, "s", 1, "ours"), 0.5)

    def test_a_loss_beyond_two_standard_errors_is_no_noise(self):
        base = [self.line("lightgbm", split, 1.0, 1.0) for split in range(4)]
        for losses, expected in (
            ([1.1, 1.1, 1.1, 1.11], "**worse**"), ([0.9, 0.9, 0.9, 0.91], "better"), ([0.9, 1.1, 1, 1.05], "noise"),
            ([1.1], "too few"),
        ):
            mine = [self.line("ours", split, loss, 1.0) for split, loss in enumerate(losses)]
            results = table.Results(base + mine, "lightgbm")
            self.assertEqual(table.verdict(results.difference("s", "ours")), expected)


if __name__ == "__main__":
    unittest.main()
