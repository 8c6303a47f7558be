"""Public sets: those that come with scikit-learn, and those of a folder with a `manifest.json`."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn import datasets

from data import Table

SKLEARN = {
    "digits": datasets.load_digits,
    "breast_cancer": datasets.load_breast_cancer,
    "wine": datasets.load_wine,
    "diabetes": datasets.load_diabetes,
}
# A column of words is left out when more than this share of its cells are all different: it names the row.
NAMES_THE_ROW = 0.9


def from_sklearn(name):
    """A set that comes with scikit-learn."""
    found = SKLEARN[name]()
    return Table(found.data, found.target, len(getattr(found, "target_names", [])))


def listed(folder):
    """The sets of a folder, by name: those of classes or numbers, without text and forecasts."""
    entries = json.loads((Path(folder) / "manifest.json").read_text())["datasets"]
    return {entry["name"]: entry for entry in entries if entry["task"] != "forecast" and entry["name"] != "sms_spam"}


def from_folder(folder, name):
    """The training and the test part of a set of the folder as one table."""
    entry = listed(folder)[name]
    path, target = Path(folder) / entry["path"], entry["target"]
    test = pd.read_csv(path / "test.csv.gz")
    test[target] = pd.read_csv(path / "test_target.csv.gz")[target]
    frame = pd.concat([pd.read_csv(path / "train.csv.gz"), test], ignore_index=True)
    frame = frame[frame[target].notna()]
    y, n_classes = frame.pop(target), entry.get("n_classes") or 0
    if n_classes:
        y = pd.Categorical(y.astype(str), categories=entry["classes"]).codes
    encoded = [encode(frame[name]) for name in frame]
    columns, levels = zip(*(column for column in encoded if column is not None))
    return Table(np.column_stack(columns), y, n_classes, list(levels))


def encode(column):
    """A column's numbers and its number of levels, 0 for a quantity; `None` for one that names the row."""
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(float), 0
    column = column.astype(str).str.strip().where(column.notna()).replace("", None)
    present = column.notna()
    for read in (pd.to_numeric, days):
        numbers = read(column, errors="coerce")
        if numbers.notna().sum() == present.sum():
            return numbers.to_numpy(float), 0
    if column.nunique() > NAMES_THE_ROW * present.sum():
        return None
    codes, found = pd.factorize(column, sort=True)
    return np.where(codes < 0, np.nan, codes), len(found)


def days(column, errors):
    """Days since 1970 of dates such as 2014-06-25, with or without a time."""
    dates = column.where(column.str.match(r"\d{4}-\d\d-\d\d").fillna(False).astype(bool))
    since = pd.to_datetime(dates, format="ISO8601", errors=errors) - pd.Timestamp("1970-01-01").as_unit("s")
    return since / pd.Timedelta(days=1)
