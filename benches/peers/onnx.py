"""Exported models beside their own predictions: onnx.py AUTOML MODEL TABLE [TABLE...]

Exports MODEL (registered or a file) with the binary AUTOML, predicts every TABLE with both, and prints a JSON line for
each: the largest difference (of one part in so many of a number above 1), labels that differ, and microseconds a row
of ONNX Runtime on one thread and of the program. The program's are of the whole table less those of its first row, so
they have the reading and writing of a row in them. Needs onnxruntime, numpy and pandas.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd

# Of so many runs the fastest counts.
TIMES = 3


def predict(automl, model, table, out):
    """What the program says of a table, and the seconds it took."""
    command = [automl, "predict", "--model", model, str(table), "--proba", "--out", str(out), "--cores", "1", "--quiet"]
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return pd.read_csv(out, dtype={"prediction": str}), time.perf_counter() - began


def compare(automl, model, session, table, folder):
    """One line of the output."""
    types = {port.name: str for port in session.get_inputs() if port.type == "tensor(string)"}
    frame = pd.read_csv(table, dtype=types, keep_default_na=False, na_values=["", "NA", "nan", "NaN", "?"], low_memory=False)
    feed = {}
    for port in session.get_inputs():
        column = frame[port.name]
        if port.name in types:
            cells = ["" if pd.isna(cell) else str(cell).strip() for cell in column]
            feed[port.name] = np.array(cells, dtype=object).reshape(-1, 1)
        else:
            feed[port.name] = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64).reshape(-1, 1)
    its = float("inf")
    for _ in range(TIMES):
        began = time.perf_counter()
        outputs = session.run(None, feed)
        its = min(its, time.perf_counter() - began)
    one = folder / "one.csv"
    with open(table, encoding="utf-8") as lines:
        one.write_text(next(lines) + next(lines), encoding="utf-8")
    start = min(predict(automl, model, one, folder / "one.out")[1] for _ in range(TIMES))
    own, seconds = min(
        (predict(automl, model, table, folder / "all.out") for _ in range(TIMES)), key=lambda told: told[1]
    )
    if len(outputs) == 1:
        expected, wrong = own["prediction"].astype(float).to_numpy().reshape(-1, 1), 0
    else:
        expected = own.drop(columns="prediction").to_numpy(dtype=np.float64)
        wrong = int(sum(str(a) != b for a, b in zip(outputs[0].tolist(), own["prediction"])))
    difference = np.abs(outputs[-1] - expected) / np.maximum(1.0, np.abs(expected))
    return {
        "table": Path(table).name,
        "rows": len(frame),
        "largest_difference": float(difference.max()),
        "labels_that_differ": wrong,
        "onnx_micros": its / len(frame) * 1e6,
        "own_micros": (seconds - start) / len(frame) * 1e6,
    }


def main():
    """Exports once, compares each table."""
    automl, model, *tables = sys.argv[1:]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        exported = folder / "model.onnx"
        subprocess.run([automl, "model", "export", model, "--out", str(exported)], check=True, capture_output=True)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(str(exported), options, providers=["CPUExecutionProvider"])
        for table in tables:
            print(json.dumps(compare(automl, model, session, table, folder)))


if __name__ == "__main__":
    main()
