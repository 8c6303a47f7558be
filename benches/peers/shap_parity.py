"""Compares our Shapley values with those of the `shap` package for the same trees and rows.

    cargo run --release -p trainers --example shap_dump -- made OUT.json
    python shap_parity.py OUT.json

Exits with 1 when a value differs by more than 1e-6 of the greatest value of its row.
"""

import json
import sys
import time

import numpy as np
import shap

TOLERANCE = 1e-6


def dictionary(tree, scale):
    """A tree as `shap.TreeExplainer` takes it."""
    whole = {name: np.array(tree[name], dtype=np.int32)
             for name in ["children_left", "children_right", "children_default", "features"]}
    return {**whole,
            "thresholds": np.array(tree["thresholds"], dtype=np.float64),
            "values": np.array(tree["values"], dtype=np.float64).reshape(-1, 1) * scale,
            "node_sample_weight": np.array(tree["node_sample_weight"], dtype=np.float64)}


def main(path):
    with open(path) as file:
        dump = json.load(file)
    n_raw, n_features = dump["n_raw_outputs"], len(dump["columns"])
    ours = np.array(dump["values"]).reshape(-1, n_raw, n_features)
    rows = np.array(dump["columns"], dtype=np.float64).T[:len(ours)]
    raw = np.array(dump["raw"]).reshape(-1, n_raw)
    worst, seconds = 0.0, 0.0
    for k in range(n_raw):
        trees = [dictionary(tree, dump["scale"]) for tree in dump["trees"][k::n_raw]]
        explainer = shap.TreeExplainer({"trees": trees, "internal_dtype": np.float64, "input_dtype": np.float64},
                                       feature_perturbation="tree_path_dependent")
        runs = []
        for _ in range(3):
            before = time.process_time()
            theirs = explainer.shap_values(rows, check_additivity=False)
            runs.append(time.process_time() - before)
        seconds += min(runs)
        theirs = theirs.reshape(ours[:, k].shape)
        expected = float(np.ravel(explainer.expected_value)[0]) + dump["base"][k]
        scale = np.abs(theirs).max(axis=1, keepdims=True)
        worst = max(worst, float((np.abs(ours[:, k] - theirs) / scale).max()))
        print(f"output {k}: expected {dump['expected'][k]:.12g}, shap's {expected:.12g}")
        added = ours[:, k].sum(axis=1) + dump["expected"][k]
        print(f"output {k}: values and expectation miss the raw score by {np.abs(added - raw[:len(rows), k]).max():.3g}")
    ours_seconds = dump["shap_seconds"]
    print(f"largest error, as a share of the row's greatest value: {worst:.3g}")
    print(f"rows a CPU second: ours {len(rows) / max(ours_seconds, 1e-9):.0f}, one by one "
          f"{len(rows) / dump['shap_one_by_one_seconds']:.0f}, shap's {len(rows) / seconds:.0f} "
          f"({seconds / ours_seconds:.1f} times as fast, one by one {seconds / dump['shap_one_by_one_seconds']:.1f})")
    print(f"we predict {len(raw)} rows in {dump['predict_seconds']:.4f} CPU seconds")
    sys.exit(worst > TOLERANCE)


if __name__ == "__main__":
    main(sys.argv[1])
