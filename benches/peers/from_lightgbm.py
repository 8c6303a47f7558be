"""Trains LightGBM and writes its trees in our form, for `shap_dump` to predict with and explain.

    python from_lightgbm.py IN.json
    cargo run --release -p trainers --example shap_dump -- IN.json OUT.json
    python shap_parity.py OUT.json

Prints LightGBM's own CPU seconds for the same raw scores on one thread.
"""

import json
import sys
import time

import lightgbm
import numpy as np


def data(n_rows=100_000, n_features=20, seed=1):
    rng = np.random.default_rng(seed)
    x = rng.random((n_rows, n_features), dtype=np.float32)
    x[rng.random(x.shape) < 0.05] = np.nan
    z = np.nan_to_num(x, nan=0.5)
    y = 10 * np.sin(np.pi * z[:, 0] * z[:, 1]) + 20 * (z[:, 2] - 0.5) ** 2 + 10 * z[:, 3] + 5 * z[:, 4]
    return x, y + rng.normal(size=n_rows)


def at_most(threshold):
    """The greatest f32 that is at most a threshold, so that f32 values fall on the same side."""
    single = np.float32(threshold)
    return float(np.nextafter(single, np.float32(-np.inf)) if float(single) > threshold else single)


def ensemble(booster, n_features):
    """The form of `trainers::trees::TreeEnsemble` where a person reads it."""
    arrays = {name: [] for name in
              ["n_nodes", "n_words", "feature", "threshold", "left", "right", "flags", "leaf", "gain", "cover", "levels"]}
    for tree in booster.dump_model()["tree_info"]:
        nodes, leaves = [], []

        def visit(node):
            if "split_index" not in node:
                leaves.append(node)
                return -len(leaves)
            place = len(nodes)
            nodes.append(None)
            left, right = visit(node["left_child"]), visit(node["right_child"])
            nodes[place] = (node, left, right)
            return place

        visit(tree["tree_structure"])
        arrays["n_nodes"].append(len(nodes))
        arrays["n_words"].append(0)
        for node, left, right in nodes:
            arrays["feature"].append(node["split_feature"])
            arrays["threshold"].append(at_most(node["threshold"]))
            arrays["left"].append(left)
            arrays["right"].append(right)
            arrays["flags"].append(int(node["default_left"]))
            arrays["gain"].append(node["split_gain"])
        arrays["leaf"] += [leaf["leaf_value"] for leaf in leaves]
        arrays["cover"] += [node["internal_count"] for node, _, _ in nodes] + [leaf["leaf_count"] for leaf in leaves]
    return {"algorithm": "constant", "n_features": n_features, "n_outputs": 1, "link": "identity", "base": [0.0],
            "scale": 1.0, **arrays}


def main(path):
    x, y = data()
    parameters = {"objective": "regression", "num_leaves": 31, "num_threads": 1, "verbose": -1}
    booster = lightgbm.train(parameters, lightgbm.Dataset(x, y), 100)
    seconds = []
    for _ in range(5):
        before = time.process_time()
        booster.predict(x, raw_score=True, num_threads=1)
        seconds.append(time.process_time() - before)
    columns = [[None if np.isnan(v) else float(v) for v in column] for column in x.T]
    with open(path, "w") as file:
        json.dump({"ensemble": ensemble(booster, x.shape[1]), "columns": columns}, file)
    print(f"LightGBM predicts {len(x)} rows in {min(seconds):.4f} CPU seconds")
    rows = x[:5000]
    before = time.process_time()
    booster.predict(rows, pred_contrib=True, num_threads=1)
    print(f"LightGBM explains {len(rows)} rows in {time.process_time() - before:.4f} CPU seconds")


if __name__ == "__main__":
    main(sys.argv[1])
