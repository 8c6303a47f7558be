"""Trains 300 random configurations on each of four tasks and writes their validation losses round by round.

    python make.py TASK        # one of mlp_digits, mlp_diabetes, boosting_diabetes, sgd_cancer; writes TASK.csv

Needs numpy and scikit-learn 1.9 (its bundled data sets: digits, diabetes, breast_cancer). Single-threaded: set
OMP_NUM_THREADS=1. About a minute each.

A table has one line for each configuration: its point, one number in [0, 1] for each parameter (an option of a choice
as its index), then the validation loss after each of 81 rounds with four significant digits. The first line names the
columns, and the options of a choice as `name:n`.
"""

import sys

import numpy as np
from sklearn import datasets
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.kernel_approximation import RBFSampler
from sklearn.linear_model import SGDClassifier
from sklearn.preprocessing import StandardScaler

ROUNDS = 81
CONFIGURATIONS = 300


def spread(u, low, high):
    """The number at u of a range on a logarithmic scale."""
    return low * (high / low) ** u


def split(task_data, stratify):
    x, y = task_data(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))
    x, y = x[order], y[order]
    cut = len(x) * 2 // 3
    scaler = StandardScaler().fit(x[:cut])
    y = y if stratify else (y - y[:cut].mean()) / y[:cut].std()
    return scaler.transform(x[:cut]), y[:cut], scaler.transform(x[cut:]), y[cut:]


def network(point, seed, data, classes):
    """A network of one or two hidden layers by stochastic gradient descent with momentum; log loss or squared error."""
    x, y, x_val, y_val = data
    rate = spread(point[0], 1e-3, 3.0)
    momentum = 1 - spread(point[1], 0.02, 1.0)
    width = int(round(spread(point[2], 4, 96)))
    decay = spread(point[3], 1e-6, 1e-1)
    cooling = spread(point[4], 0.1, 10.0)
    layers = 1 + int(point[5])
    rng = np.random.default_rng(seed)
    target = np.eye(classes)[y] if classes else y[:, None]
    sizes = [x.shape[1]] + [width] * layers + [target.shape[1]]
    weights = [rng.normal(0, np.sqrt(2 / a), (a, b)) for a, b in zip(sizes, sizes[1:])]
    biases = [np.zeros(b) for b in sizes[1:]]
    velocity = [np.zeros_like(w) for w in weights + biases]

    def forward(inputs):
        acts = [inputs]
        for i, (w, b) in enumerate(zip(weights, biases)):
            z = acts[-1] @ w + b
            acts.append(np.maximum(z, 0) if i < layers else z)
        return acts

    def softmax(z):
        e = np.exp(z - z.max(1, keepdims=True))
        return e / e.sum(1, keepdims=True)

    def loss():
        z = forward(x_val)[-1]
        if classes:
            p = softmax(z)[np.arange(len(y_val)), y_val]
            return -np.log(np.maximum(p, 1e-4)).mean()
        return ((z[:, 0] - y_val) ** 2).mean()

    curve = []
    for epoch in range(ROUNDS):
        now = rate * (1 - epoch / ROUNDS) ** cooling
        order = rng.permutation(len(x))
        for batch in np.array_split(order, max(1, len(x) // 64)):
            acts = forward(x[batch])
            out = softmax(acts[-1]) if classes else acts[-1]
            delta = (out - target[batch]) / len(batch)
            for i in reversed(range(len(weights))):
                grad_w, grad_b = acts[i].T @ delta + decay * weights[i], delta.sum(0)
                if i:
                    delta = (delta @ weights[i].T) * (acts[i] > 0)
                for k, (param, grad) in enumerate([(weights, grad_w), (biases, grad_b)]):
                    v = velocity[i + k * len(weights)]
                    v *= momentum
                    v -= now * np.clip(grad, -1, 1)
                    param[i] += v
        curve.append(loss())
    return curve


def boosting(point, seed, data):
    """Gradient boosting of regression trees, a tree a round; squared error."""
    x, y, x_val, y_val = data
    model = GradientBoostingRegressor(
        n_estimators=ROUNDS,
        learning_rate=spread(point[0], 0.005, 1.0),
        max_depth=1 + int(point[1] * 6),
        min_samples_leaf=int(round(spread(point[2], 1, 60))),
        subsample=0.3 + 0.7 * point[3],
        max_features=0.1 + 0.9 * point[4],
        loss=["squared_error", "absolute_error", "huber"][int(point[5])],
        random_state=seed,
    )
    model.fit(x, y)
    return [((p - y_val) ** 2).mean() for p in model.staged_predict(x_val)]


def sgd(point, seed, data):
    """A linear classifier on random Fourier features by stochastic gradient descent; its error with a margin."""
    x, y, x_val, y_val = data
    features = RBFSampler(gamma=spread(point[0], 1e-4, 1.0), n_components=120, random_state=seed).fit(x)
    x, x_val = features.transform(x), features.transform(x_val)
    model = SGDClassifier(
        loss=["log_loss", "hinge", "modified_huber"][int(point[4])],
        alpha=spread(point[1], 1e-7, 1e-1),
        learning_rate="invscaling",
        eta0=spread(point[2], 1e-3, 10.0),
        power_t=point[3],
        random_state=seed,
    )
    curve = []
    side = 2 * y_val - 1
    for _ in range(ROUNDS):
        model.partial_fit(x, y, classes=[0, 1])
        z = side * model.decision_function(x_val)
        curve.append((z < 0).mean() + 0.01 * np.log1p(np.exp(-np.clip(z, -30, 30))).mean())
    return curve


NETWORK = ["rate", "momentum", "width", "decay", "cooling", "layers:2"]
TASKS = {
    "mlp_digits": (NETWORK, lambda p, s, d: network(p, s, d, 10), datasets.load_digits, True),
    "mlp_diabetes": (NETWORK, lambda p, s, d: network(p, s, d, 0), datasets.load_diabetes, False),
    "boosting_diabetes": (
        ["rate", "depth", "leaf", "rows", "columns", "loss:3"], boosting, datasets.load_diabetes, False),
    "sgd_cancer": (["gamma", "alpha", "rate", "power", "loss:3"], sgd, datasets.load_breast_cancer, True),
}


def main(name):
    columns, train, load, stratify = TASKS[name]
    data = split(load, stratify)
    rng = np.random.default_rng(sorted(TASKS).index(name))
    options = [int(column.split(":")[1]) if ":" in column else 0 for column in columns]
    with open(f"{name}.csv", "w") as out:
        print(*columns, *(f"r{k}" for k in range(1, ROUNDS + 1)), sep=",", file=out)
        for i in range(CONFIGURATIONS):
            point = [float(rng.integers(n)) if n else round(rng.uniform(), 4) for n in options]
            with np.errstate(all="ignore"):
                curve = np.nan_to_num(train(point, i, data), nan=99.0, posinf=99.0).clip(0, 99.0)
            print(*(f"{x:g}" for x in point), *(f"{x:.4g}" for x in curve), sep=",", file=out)


if __name__ == "__main__":
    main(sys.argv[1])
