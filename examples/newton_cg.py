"""Newton's method for a classifier of real handwritten digits, without ever forming a Hessian.

    python examples/newton_cg.py --seconds 3 --seed 0 --out newton-out

Each step solves H d = -g by conjugate gradients (`fn.cg`), which need the Hessian H only as products
with vectors (`fn.hvp`). Adam and gradient descent, at the learning rates that suit them best, get more
time on the same clock. scikit-learn brings the data, matplotlib the picture, rich the progress bar.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time

import jax
import matplotlib
import numpy
import rich.console
import rich.progress
import rich.table
import sklearn.datasets

import fn
import fn.numpy as np
from fn import nn, optim

matplotlib.use("agg")  # pictures go to files, screen or not
from matplotlib import pyplot

jax.config.update("jax_enable_x64", True)  # to see how far down each method gets

RIDGE = 1e-5

# --- the problem --------------------------------------------------------------------------


def load(key):
    """The digits as vectors of 64 brightnesses, shuffled by `key`: 80 % for training, 20 % for the test."""
    digits = sklearn.datasets.load_digits()
    images, labels = np.asarray(digits.data / 16.0), np.asarray(digits.target)
    order = fn.random.permutation(key, len(labels))
    images, labels = images[order], labels[order]
    first = int(0.8 * len(labels))
    return (images[:first], labels[:first]), (images[first:], labels[first:])


def logits(params, images):
    """One score per class: the image weighed by that class's template."""
    return images @ params["templates"] + params["bias"]


def objective(params, images, labels):
    """Cross-entropy of softmax regression, and a ridge that makes it strongly convex."""
    flat, _ = fn.ravel(params)
    return nn.cross_entropy(logits(params, images), labels).mean() + 0.5 * RIDGE * flat @ flat


@fn.jit
def accuracy(params, images, labels):
    """The part of the images whose highest score is right."""
    return (logits(params, images).argmax(-1) == labels).mean()


# --- three ways down ----------------------------------------------------------------------


def newton_cg(products=200):
    """Truncated Newton: solve for the direction as precisely as it is worth, then go along it.

    Far from the minimum a rough direction is good enough, and costs few products; close to it the
    system is solved ever more precisely, which makes the convergence superlinear (Dembo, Eisenstat and
    Steihaug, 1982). The step is the longest of 1, 1/2, 1/4, … that lowers the objective by a fair part
    of what its slope promises (Armijo, 1966); `vmap` tries all of them at once.
    """
    lengths = 0.5 ** numpy.arange(8)

    @fn.jit
    def step(params, state, images, labels):
        value, gradient = fn.value_and_grad(objective)(params, images, labels)
        size = norm(gradient)

        def product(v):
            return fn.hvp(objective, (params, images, labels), (v, None, None))

        downhill = fn.tree.map(np.negative, gradient)
        direction, _ = fn.cg(
            product, downhill, tol=np.minimum(0.5, np.sqrt(size)), maxiter=products
        )

        def moved(length):
            return fn.tree.map(lambda p, d: p + length * d, params, direction)

        slope = fn.ravel(gradient)[0] @ fn.ravel(direction)[0]
        values = fn.vmap(lambda length: objective(moved(length), images, labels))(lengths)
        fair = values <= value + 1e-4 * lengths * slope
        return moved(np.take(np.asarray(lengths), fair.argmax()) * fair.any()), state, value, size

    return lambda params: None, step


def first_order(optimizer):
    """An optimizer that sees gradients only."""

    @fn.jit
    def step(params, state, images, labels):
        value, gradient = fn.value_and_grad(objective)(params, images, labels)
        updates, state = optimizer.update(gradient, state, params)
        return optim.apply_updates(params, updates), state, value, norm(gradient)

    return optimizer.init, step


def norm(tree):
    """The length of all of a tree's entries as one vector."""
    flat, _ = fn.ravel(tree)
    return np.sqrt(flat @ flat)


METHODS = {
    "Newton-CG": newton_cg(),
    "Adam": first_order(optim.adam(0.5)),  # the best rate of 0.1 … 2, after 4,000 steps
    "gradient descent": first_order(optim.sgd(15.0)),  # the best of 1 … 30
}
PRECISE = 1e-12
"""The norm of the gradient at which a method is done."""


# --- the race -----------------------------------------------------------------------------


class Run:
    """Where a method was when: seconds, parameters, the objective there and its gradient's norm."""

    def __init__(self):
        self.seconds, self.places, self.values, self.sizes = [], [], [], []

    def add(self, *row):
        columns = self.seconds, self.places, self.values, self.sizes
        for column, entry in zip(columns, row, strict=True):
            column.append(entry)

    def by(self, seconds):
        """The last step that was done by then."""
        return max(sum(t <= seconds for t in self.seconds) - 1, 0)


def race(seconds, seed, console):
    """Every method from zero, for so many seconds or until its gradient vanishes."""
    train, test = load(fn.random.key(seed))
    runs = {name: Run() for name in METHODS}
    bar = rich.progress.Progress(
        rich.progress.TextColumn("{task.description:>16}"),
        rich.progress.BarColumn(),
        rich.progress.TextColumn("{task.fields[steps]:>5} steps"),
        rich.progress.TextColumn("objective {task.fields[value]:.6f}"),
        rich.progress.TextColumn("gradient {task.fields[size]:.0e}"),
        rich.progress.TimeElapsedColumn(),
        console=console,
    )
    with bar:
        for name, (init, step) in METHODS.items():
            params = {"templates": np.zeros((64, 10)), "bias": np.zeros(10)}
            state, run = init(params), runs[name]
            step(params, state, *train)  # compile before the clock starts
            task = bar.add_task(name, total=seconds, steps=0, value=float("nan"), size=float("nan"))
            began, size, now = time.perf_counter(), 1.0, 0.0
            while now < seconds and size > PRECISE:
                after, state, value, size = step(params, state, *train)
                value, size = float(value), float(size)  # waits for the step
                now = time.perf_counter() - began
                run.add(now, params, value, size)
                params = after
                bar.update(task, completed=now, steps=len(run.values), value=value, size=size)
            bar.update(task, completed=seconds)
            bar.stop_task(task)
    return runs, test


# --- what a person sees -------------------------------------------------------------------


def show_results(console, runs, least, test):
    """A table of what each method reached."""
    table = rich.table.Table(title="softmax regression, three methods on one clock")
    table.add_column("", no_wrap=True, style="bold")
    for column in ("steps", "seconds", "above minimum", "gradient", "test accuracy"):
        table.add_column(column, justify="right")
    for name, run in runs.items():
        right = float(accuracy(run.places[-1], *test))
        gap = run.values[-1] - least
        table.add_row(
            name, f"{len(run.values):,}", f"{run.seconds[-1]:.2f}", f"{gap:.0e}" if gap else "0",
            f"{run.sizes[-1]:.0e}", f"{right:.1%}",
        )  # fmt: skip
    console.print(table)


COLORS = {"Newton-CG": "crimson", "Adam": "tab:blue", "gradient descent": "dimgray"}


def draw(path, runs, least, test):
    """How far each is above the minimum, by time, and what each knows once Newton is done."""
    figure = pyplot.figure(figsize=(12, 3.9), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(1.1, 1.25))
    axes = left.subplots()
    axes.set_xscale("log")
    axes.set_yscale("log")
    for name, run in runs.items():
        gaps = [max(v - least, 1e-17) for v in run.values]
        dots = "o" if name == "Newton-CG" else None
        axes.plot(run.seconds, gaps, color=COLORS[name], marker=dots, ms=4)
        axes.annotate(
            f"{name}, {len(run.values):,} steps", (run.seconds[-1], gaps[-1]), color=COLORS[name],
            xytext=(8, 0), textcoords="offset points", va="top" if name == "Adam" else "bottom",
        )  # fmt: skip
    axes.set_xlabel("seconds")
    axes.set_ylabel("objective above its minimum")
    axes.spines[["top", "right"]].set_visible(False)

    finish = runs["Newton-CG"].seconds[-1]
    right.suptitle(f"templates of the ten digits after {finish:.2f} seconds")
    known = [run.places[run.by(finish)] for run in runs.values()]
    limit = 0.7 * float(np.abs(known[0]["templates"]).max())
    for panel, name, params in zip(right.subfigures(len(runs), 1), runs, known, strict=True):
        gap = runs[name].values[runs[name].by(finish)] - least
        above = f"{gap:.0e} above the minimum" if gap else "at the minimum"
        title = f"{name}: {above}, {float(accuracy(params, *test)):.1%} of the test set right"
        panel.suptitle(title, fontsize=10, color=COLORS[name])
        templates = numpy.asarray(params["templates"]).T.reshape(10, 8, 8)
        for cell, template in zip(panel.subplots(1, 10), templates, strict=True):
            cell.imshow(template, cmap="RdBu_r", vmin=-limit, vmax=limit)
            cell.set_xticks([])
            cell.set_yticks([])
            for side in cell.spines.values():
                side.set_color("lightgray")
    figure.savefig(path, dpi=120)


def arguments():
    """Flags, checked before anything expensive happens."""
    parser = argparse.ArgumentParser(
        description="Newton's method by conjugate gradients against Adam, on real handwritten digits.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--seconds", type=float, default=3.0, help="time for each method")
    parser.add_argument("--seed", type=int, default=0, help="of the split into training and test")
    parser.add_argument("--out", default="newton-out", metavar="DIR", help="where the picture goes")
    options = parser.parse_args()
    if not 0 < options.seconds < float("inf"):
        parser.error(f"--seconds must be positive, not {options.seconds:g}")
    try:
        os.makedirs(options.out, exist_ok=True)
        with tempfile.TemporaryFile(dir=options.out):
            pass
    except OSError as error:
        parser.error(f"--out {options.out!r} is not a directory one can write to: {error.strerror}")
    return options


def main():
    options = arguments()
    console = rich.console.Console()
    runs, test = race(options.seconds, options.seed, console)
    least = min(min(run.values) for run in runs.values())
    show_results(console, runs, least, test)
    path = os.path.join(options.out, "newton_cg.png")
    draw(path, runs, least, test)
    print(f"picture: {path}")
    newton = runs["Newton-CG"]
    print(f"newton-cg: gradient {newton.sizes[-1]:.1e} after {len(newton.sizes)} steps")


if __name__ == "__main__":
    main()
