"""Learn the law by which hares and lynxes came and went, from twenty-one years of furs.

    python examples/neural_ode.py --steps 1200 --seed 0 --out neural-ode-out

The data are real: thousands of pelts that the Hudson's Bay Company took in, 1900 to 1920. A small network
gives the rate of change of both populations (a neural ODE: Chen et al., 2018), and an adaptive solver
(Dormand and Prince, 1980) follows it through time. The solver is a `while_loop` whose number of steps
depends on the numbers, and its gradient is taken through it: `max_steps` bounds the loop, and the
backward pass recomputes states from a few checkpoints. Lotka's and Volterra's equations, fitted with the
same solver, stand beside it. The network fits better; whether it also foresees better depends on how many
years it has seen: the textbook wins with `--held-out 6`.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from functools import partial

import matplotlib
import numpy
import rich.console
import rich.progress
import rich.table

import fn
import fn.numpy as np
from fn import nn, optim

matplotlib.use("agg")  # pictures go to files, screen or not
from matplotlib import pyplot

# Thousands of pelts by year (Elton and Nicholson, 1942; table of Howard, 2009).
HARES = [30.0, 47.2, 70.2, 77.4, 36.3, 20.6, 18.1, 21.4, 22.0, 25.4, 27.1,
         40.3, 57.0, 76.6, 52.3, 19.5, 11.2, 7.6, 14.6, 16.2, 24.7]  # fmt: skip
LYNXES = [4.0, 6.1, 9.8, 35.2, 59.4, 41.7, 19.0, 13.0, 8.3, 9.1, 7.4,
          8.0, 12.3, 19.5, 45.7, 51.1, 29.7, 15.8, 9.7, 10.1, 8.6]  # fmt: skip
FIRST = 1900

# --- the solver ---------------------------------------------------------------------------

# Dormand and Prince's pair of orders 5 and 4: stages, the result, and its difference from the other.
STAGES = [
    [1 / 5],
    [3 / 40, 9 / 40],
    [44 / 45, -56 / 15, 32 / 9],
    [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
    [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
    [35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
]
ERROR = [71 / 57600, 0.0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40]


def weighted(weights, slopes):
    return sum(w * k for w, k in zip(weights, slopes, strict=True) if w)


def attempt(f, y, slope, size):
    """One step from `y`, whose slope is known: the new state and slope, and an estimate of the error."""
    slopes = [slope]
    for weights in STAGES:
        at = y + size * weighted(weights, slopes)
        slopes.append(f(at))
    return at, slopes[-1], size * weighted(ERROR, slopes)


def solve(f, y, times, tolerance=1e-4, max_steps=60):
    """States of `dy/dt = f(y)` at `times`, from `y` at the first one, and how many steps each stretch took.

    A step is taken again, smaller, if its error is too large; and the next one is as large as that error
    suggests. How large it is has no gradient: it decides where to compute, not what.
    """

    def stretch(state, end):
        y, slope, size, start = state

        def unfinished(state):
            return state[0] < end

        def advance(state):
            time, y, slope, size, tried = state
            used = np.minimum(size, end - time)
            new, new_slope, error = attempt(f, y, slope, used)
            scale = tolerance * (1 + np.maximum(abs(y), abs(new)))
            ratio = fn.stop_gradient(np.sqrt(((error / scale) ** 2).mean()))
            good = ratio <= 1
            factor = np.clip(0.9 * np.maximum(ratio, 1e-6) ** -0.2, 0.2, 5.0)
            # A step cut short by the end of the stretch says nothing about longer ones.
            size = np.where(good & (used < size), size, used * factor)
            ahead = np.where(used < end - time, time + used, end)
            move = lambda new, old: np.where(good, new, old)
            return move(ahead, time), move(new, y), move(new_slope, slope), size, tried + 1

        start = (start, y, slope, size, 0)
        time, y, slope, size, tried = fn.while_loop(
            unfinished, advance, start, max_steps=max_steps, checkpoints=6
        )
        y = np.where(time < end, np.nan, y)  # out of steps: better no answer than a wrong one
        return (y, slope, size, end), (y, tried)

    start = (y, f(y), np.asarray(0.1), times[0])
    _, (ys, tried) = fn.scan(stretch, start, times[1:])
    return np.concatenate([y[None], ys]), tried


# --- two laws -----------------------------------------------------------------------------


def network(width):
    """The rate of change of both populations' logarithms, as a small network of them."""
    init, apply = nn.serial(nn.dense(width), nn.tanh, nn.dense(width), nn.tanh, nn.dense(2))
    start = lambda key: init(key, fn.ArrayType((2,), "float32"))[0]
    return start, lambda params, y: apply(params, {}, y)[0]


def textbook():
    """Lotka and Volterra: hares multiply and are eaten, lynxes eat and starve; four positive rates."""

    def rates(params, y):
        grow, eaten, eat, starve = np.exp(params)
        hares, lynxes = np.exp(y)
        return np.stack([grow - eaten * lynxes, eat * hares - starve])

    return lambda key: np.full(4, np.log(0.7)), rates


# --- learning -----------------------------------------------------------------------------


def load(held):
    """Years since the first one, and logarithms of both populations around their means, which come third.

    The last `held` years are there, but the means do not know them.
    """
    table = numpy.log(numpy.array([HARES, LYNXES], numpy.float32).T)
    mean = table[: len(table) - held].mean(0)
    return numpy.arange(len(table), dtype=numpy.float32), table - mean, mean


def make_loss(rates, times, data, length):
    """Mean squared error of what is foreseen from each year for the `length - 1` years after it.

    States at the start of each stretch are learned as well: the furs are a sample, not the animals.
    """
    first = numpy.arange(len(times) - length + 1)
    spans = times[first[:, None] + numpy.arange(length)]
    goals = data[first[:, None] + numpy.arange(length)]

    def loss(params):
        law = partial(rates, params["law"])
        found, tried = fn.vmap(lambda y, span: solve(law, y, span))(params["states"][first], spans)
        return ((found - goals) ** 2).mean(), tried.mean()

    return loss


def train(law, times, data, steps, seed, report):
    """Fit a law to short stretches, then to the whole; returns its parameters and how its error fell."""
    start, rates = law
    params = {"law": start(fn.random.key(seed)), "states": np.asarray(data)}
    curve = []
    lengths = (3, len(times))
    for part, length in enumerate(lengths):
        count = steps * (part + 1) // len(lengths) - steps * part // len(lengths)
        rate = lambda i, count=count: 1e-2 * np.minimum(1.0, 2 * (count - i) / count)
        optimizer = optim.chain(optim.clip_by_global_norm(1.0), optim.adam(rate))
        loss = make_loss(rates, times, data, length)
        opt_state = optimizer.init(params)

        @fn.jit
        def step(params, opt_state, loss=loss, optimizer=optimizer):
            (value, tried), grads = fn.value_and_grad(loss, has_aux=True)(params)
            updates, opt_state = optimizer.update(grads, opt_state, params)
            return optim.apply_updates(params, updates), opt_state, value, tried

        for i in range(count):
            params, opt_state, value, tried = step(params, opt_state)
            if i % 10 == 9 or i + 1 == count:
                curve.append(float(value) ** 0.5)
                report(error=curve[-1], length=length, tried=float(tried))
            else:
                report()
    return params, curve


def progress(console):
    """The bars of both fits."""
    return rich.progress.Progress(
        rich.progress.TextColumn("{task.description:<8}"),
        rich.progress.BarColumn(),
        rich.progress.MofNCompleteColumn(),
        rich.progress.TextColumn("{task.fields[length]:>2}-year spans"),
        rich.progress.TextColumn("off by {task.fields[error]:.0%}"),
        rich.progress.TextColumn("{task.fields[tried]:.1f} steps a year"),
        rich.progress.TimeElapsedColumn(),
        console=console,
    )


# --- what a person sees -------------------------------------------------------------------


class Path:
    """Where a law leads from the first year on: by year, with solver steps, and by tenths of years."""

    def __init__(self, rates, params, years=30):
        @fn.jit
        def follow(params, times):
            return solve(partial(rates, params["law"]), params["states"][0], times)

        self.rates = partial(rates, params["law"])
        self.size = sum(x.size for x in fn.tree.leaves(params["law"]))
        self.years = numpy.arange(years + 1, dtype=numpy.float32)
        self.states, self.tried = map(numpy.asarray, follow(params, self.years))
        self.tenths = numpy.arange(10 * years + 1, dtype=numpy.float32) / 10
        self.fine = numpy.asarray(follow(params, self.tenths)[0])


def off_by(path, data, years):
    """The typical error in these years, as a factor minus one."""
    errors = (path.states[: len(data)] - data)[years]
    return float(numpy.exp((errors**2).mean() ** 0.5) - 1)


def draw(file, paths, times, data, mean, seen):
    """Both populations over the years, the plane they go round in, and where the solver slows down."""
    figure = pyplot.figure(figsize=(12.5, 5.6), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(1.5, 1))
    styles = {"network": ("-", 2.2), "textbook": ("--", 1.3)}
    colours = ("#8c5a2b", "#3a6ea5")
    panels = left.subplots(2, 1, sharex=True)
    for which, (axes, animal) in enumerate(zip(panels, ("hares", "lynxes"), strict=True)):
        pelts = numpy.exp(data[:, which] + mean[which])
        axes.axvspan(FIRST + seen - 0.5, FIRST + 30, color="0.95")
        for name, path in paths.items():
            line, width = styles[name]
            level = numpy.exp(path.fine[:, which] + mean[which])
            axes.plot(FIRST + path.tenths, level, line, lw=width, color=colours[which], label=name)
        axes.plot(FIRST + times[:seen], pelts[:seen], "o", color="black", ms=5, label="furs")
        if seen < len(times):
            axes.plot(FIRST + times[seen:], pelts[seen:], "o", color="black", mfc="white", ms=6,
                      label="furs, not shown to it")  # fmt: skip
        axes.set_ylabel(f"{animal} (thousand pelts)")
        axes.set_ylim(0, 1.25 * pelts.max())
        axes.set_xlim(FIRST - 0.5, FIRST + 30)
    panels[0].legend(frameon=False, ncols=4, loc="upper right", fontsize=9)

    path = paths["network"]
    plane, effort = right.subplots(2, 1, height_ratios=(2.4, 1))
    low, high = data.min(0) - 0.4, data.max(0) + 0.4
    grid = numpy.stack(
        numpy.meshgrid(*[numpy.linspace(a, b, 24) for a, b in zip(low, high, strict=True)]), -1
    )
    flow = fn.jit(fn.vmap(fn.vmap(path.rates)))(grid.astype("float32"))
    plane.streamplot(
        *numpy.moveaxis(grid, -1, 0), *numpy.moveaxis(numpy.asarray(flow), -1, 0),
        color="0.75", density=1.1, linewidth=0.8, arrowsize=0.8,
    )  # fmt: skip
    plane.plot(*path.fine.T, color="crimson", lw=2)
    plane.plot(*data[:seen].T, "o", color="black", ms=4)
    plane.plot(*data[seen:].T, "o", color="black", mfc="white", ms=5)
    ticks = [5, 10, 20, 40, 80]
    for axis, m, a, b in zip((plane.xaxis, plane.yaxis), mean, low, high, strict=True):
        inside = [t for t in ticks if a < numpy.log(t) - m < b]
        axis.set_ticks(numpy.log(inside) - m, inside)
    plane.set_xlim(low[0], high[0])
    plane.set_ylim(low[1], high[1])
    plane.set_xlabel("hares")
    plane.set_ylabel("lynxes")
    plane.set_title("the law the network found, and 30 years of it", fontsize=10)
    effort.bar(FIRST + path.years[1:] - 0.5, path.tried, width=0.8, color="0.6")
    effort.set_ylabel("solver steps\na year")
    effort.set_xlim(FIRST - 0.5, FIRST + 30)
    figure.savefig(file, dpi=110)
    pyplot.close(figure)


def arguments():
    """Flags, checked before anything expensive happens."""
    parser = argparse.ArgumentParser(
        description="Learn a law of motion for hares and lynxes from real data, with fn.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--steps", type=int, default=1200, help="training steps of the network")
    parser.add_argument("--seed", type=int, default=0, help="of the network's weights")
    parser.add_argument("--width", type=int, default=24, help="of the network's two layers")
    parser.add_argument(
        "--held-out", type=int, default=3, metavar="YEARS", help="last years to foresee, not to fit"
    )
    parser.add_argument(
        "--out", default="neural-ode-out", metavar="DIR", help="where the picture goes"
    )
    options = parser.parse_args()
    for name in ("steps", "width"):
        if getattr(options, name) < 1:
            parser.error(f"--{name} must be at least 1, not {getattr(options, name)}")
    if not 0 <= options.held_out <= 10:
        parser.error(f"--held-out must be from 0 to 10, not {options.held_out}")
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
    times, data, mean = load(options.held_out)
    seen = len(times) - options.held_out
    makers = {
        "textbook": (textbook(), -(-options.steps // 3)),
        "network": (network(options.width), options.steps),
    }
    paths = {}
    with progress(console) as bar:
        for name, (law, steps) in makers.items():
            task = bar.add_task(name, total=steps, error=float("nan"), length=0, tried=0.0)
            report = lambda task=task, **fields: bar.update(task, advance=1, **fields)
            params, _ = train(law, times[:seen], data[:seen], steps, options.seed, report)
            paths[name] = Path(law[1], params)
    table = rich.table.Table(title="how far off a law is, from the first year on")
    table.add_column("law")
    for title in ("parameters", f"{seen} years fitted", f"{options.held_out} years ahead"):
        table.add_column(title, justify="right")
    for name, path in paths.items():
        parts = [slice(0, seen), slice(seen, None)][: 1 + (options.held_out > 0)]
        cells = [*[f"{off_by(path, data, part):.0%}" for part in parts], "–"][:2]
        table.add_row(name, str(path.size), *cells)
    console.print(table)
    file = os.path.join(options.out, "neural_ode.png")
    draw(file, paths, times, data, mean, seen)
    print(f"picture: {file}")
    print(f"network off by {cells[0]} in the years fitted, {cells[1]} ahead")


if __name__ == "__main__":
    main()
