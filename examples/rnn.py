"""Train a recurrent language model, letter by letter, on the Python language reference.

    python examples/rnn.py --steps 600 --seed 0 --out rnn-out

The text is real and already there: `pydoc_data.topics`, which every Python ships for `help()`. The model
is an LSTM (Hochreiter and Schmidhuber, 1997) over characters. Its loop over time is one `scan`, so the
compiled program does not grow with the length of a sequence, and blocks of steps are rematerialised:
the backward pass keeps the state at the start of each block and computes the inside again.
"""

from __future__ import annotations

import argparse
import bz2
import os
import pydoc_data.topics
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

BITS = 1.0 / numpy.log(2.0)


# --- the text -----------------------------------------------------------------------------


def load():
    """The topics as one array of small integers, its alphabet, and where the held-out tenth starts."""
    topics = pydoc_data.topics.topics
    text = "\n\n".join(topics[name] for name in sorted(topics))
    text = text.translate({ord("“"): '"', ord("”"): '"', ord("‘"): "'", ord("’"): "'"})
    alphabet = sorted({c for c in text if c.isascii()})
    codes = numpy.full(128, alphabet.index("?"), numpy.int32)
    codes[[ord(c) for c in alphabet]] = range(len(alphabet))
    letters = codes[numpy.frombuffer(text.encode("ascii", "replace"), numpy.uint8)]
    return letters, alphabet, int(0.9 * len(letters))


def references(letters, cut):
    """Bits per character of the held-out part for simpler models of the text."""
    train, held = letters[:cut], letters[cut:]
    size = letters.max() + 1
    counts = numpy.bincount(train, minlength=size) + 1.0
    single = -numpy.log2(counts / counts.sum())[held].mean()
    pairs = numpy.full((size, size), 0.1)
    numpy.add.at(pairs, (train[:-1], train[1:]), 1.0)
    double = -numpy.log2(pairs / pairs.sum(1, keepdims=True))[held[:-1], held[1:]].mean()
    packed = len(bz2.compress(letters.astype(numpy.uint8).tobytes()))
    packed -= len(bz2.compress(train.astype(numpy.uint8).tobytes()))
    return {
        "single letters": float(single),
        "letter pairs": float(double),
        "bzip2": 8.0 * packed / len(held),
    }


# --- the model ----------------------------------------------------------------------------


def init(key, letters, width):
    """Parameters: an embedding folded into the first matrix product, one LSTM layer, an output layer."""
    keys = fn.random.split(key, 3)
    bias = np.zeros(4 * width).at[width : 2 * width].set(1.0)  # remember, to begin with
    return {
        "input": nn.glorot_uniform(keys[0], (letters, 4 * width)),
        "hidden": nn.glorot_uniform(keys[1], (width, 4 * width)),
        "bias": bias,
        "output": {"w": nn.glorot_uniform(keys[2], (width, letters)), "b": np.zeros(letters)},
    }


def cell(params, state, letter):
    """One step for a batch: state (cells, outputs), each (batch, width); letter (batch,)."""
    cells, outputs = state
    gates = params["input"][letter] + outputs @ params["hidden"] + params["bias"]
    enter, keep, leave, new = np.split(gates, 4, axis=-1)
    cells = nn.sigmoid(keep) * cells + nn.sigmoid(enter) * np.tanh(new)
    outputs = nn.sigmoid(leave) * np.tanh(cells)
    return (cells, outputs), outputs


def predict(params, state, letters, block):
    """Logits for the letter after each of `letters` (time, batch), and the state at the end."""

    def steps(state, letters):
        return fn.scan(partial(cell, params), state, letters)

    if block:  # keep the state at the start of each block only, compute its inside again
        steps_of_block = fn.checkpoint(steps)
        grouped = letters.reshape(-1, block, letters.shape[1])
        state, outputs = fn.scan(steps_of_block, state, grouped)
        outputs = outputs.reshape(*letters.shape, -1)
    else:
        state, outputs = steps(state, letters)
    return outputs @ params["output"]["w"] + params["output"]["b"], state


def loss(params, state, letters, block):
    """Mean cross-entropy (nats) of each letter given those before it; and the state at the end."""
    logits, state = predict(params, state, letters[:-1], block)
    return nn.cross_entropy(logits, letters[1:]).mean(), state


def make_step(optimizer, block):
    """One compiled training step on a stretch of text; the state goes on where the last one ended."""

    @fn.jit
    def step(params, opt_state, state, letters):
        gradient = fn.value_and_grad(lambda p: loss(p, state, letters, block), has_aux=True)
        (value, state_), grads = gradient(params)
        updates, opt_state = optimizer.update(grads, opt_state, params)
        return optim.apply_updates(params, updates), opt_state, state_, value

    return step


@partial(fn.jit, static_argnums=2)
def write(params, key, length, temperature=0.6):
    """Indices (length,) of text that the model makes up, one drawn letter at a time."""
    width = params["hidden"].shape[0]
    start = (np.zeros((1, width)), np.zeros((1, width))), np.zeros(1, "int32")

    def draw(carry, key):
        state, letter = carry
        state, outputs = cell(params, state, letter)
        logits = outputs @ params["output"]["w"] + params["output"]["b"]
        letter = fn.random.categorical(key, logits / temperature).astype("int32")
        return (state, letter), letter[0]

    return fn.scan(draw, start, fn.random.split(key, length))[1]


# --- training -----------------------------------------------------------------------------


def streams(letters, batch, length):
    """The text as `batch` parallel streams, in stretches (length + 1, batch) that overlap by one."""
    rows = (len(letters) - 1) // (batch * length) * length
    table = letters[: batch * rows + 1]
    parts = [table[i * rows : i * rows + rows + 1] for i in range(batch)]
    stacked = numpy.stack(parts, 1)
    return [stacked[a : a + length + 1] for a in range(0, rows, length)]


def train(steps, seed, console, width=192, batch=32, length=96, block=12):
    """Train; returns parameters, the curve of (step, training, held-out) bits, and surprises."""
    letters, alphabet, cut = load()
    stretches = streams(letters[:cut], batch, length)
    held = streams(letters[cut:], batch, length)[:10]
    init_key, write_key = fn.random.split(fn.random.key(seed))
    params = fn.jit(init, static_argnums=(1, 2))(init_key, len(alphabet), width)
    rate = lambda count: 4e-3 * np.minimum(1.0, (steps - count) / (0.4 * steps))
    optimizer = optim.chain(optim.clip_by_global_norm(1.0), optim.adam(rate))
    opt_state = optimizer.init(params)
    fresh = lambda count: (np.zeros((count, width)), np.zeros((count, width)))
    step, measure = make_step(optimizer, block), fn.jit(partial(loss, block=0))

    def held_out():
        state, total = fresh(batch), 0.0
        for stretch in held:
            value, state = measure(params, state, stretch)
            total += float(value) * BITS / len(held)
        return total

    state, curve, recent = fresh(batch), [], []
    bar = rich.progress.Progress(
        rich.progress.TextColumn("training"),
        rich.progress.BarColumn(),
        rich.progress.MofNCompleteColumn(),
        rich.progress.TextColumn("{task.fields[bits]:.2f} bits a letter"),
        rich.progress.TextColumn("held out {task.fields[held]:.2f}"),
        rich.progress.TimeElapsedColumn(),
        console=console,
    )
    with bar:
        task = bar.add_task("train", total=steps, bits=float("nan"), held=float("nan"))
        for i in range(steps):
            if i % len(stretches) == 0:
                state = fresh(batch)
            params, opt_state, state, value = step(
                params, opt_state, state, stretches[i % len(stretches)]
            )
            recent.append(value)
            bar.advance(task)
            if (i + 1) % max(1, steps // 30) == 0 or i + 1 == steps:
                row = (i + 1, sum(map(float, recent)) * BITS / len(recent), held_out())
                curve.append(row)
                recent = []
                bar.update(task, bits=row[1], held=row[2])
    text = "".join(alphabet[c] for c in numpy.asarray(write(params, write_key, 600)))
    memory = {
        b: kept(params, opt_state, fresh(batch), stretches[0], optimizer, b) for b in (0, block)
    }
    return params, curve, references(letters, cut), text, memory


def kept(params, opt_state, state, letters, optimizer, block):
    """Bytes of working memory that XLA plans for a step."""
    step = make_step(optimizer, block)
    return (
        step.lower(params, opt_state, state, letters).compile().memory_analysis().temp_size_in_bytes
    )


def surprise(params, length=900):
    """The first held-out letters and how many bits each of them took."""
    letters, alphabet, cut = load()
    stretch = letters[cut : cut + length + 1][:, None]
    width = params["hidden"].shape[0]
    start = np.zeros((1, width)), np.zeros((1, width))
    logits, _ = fn.jit(partial(predict, block=0))(params, start, stretch[:-1])
    bits = numpy.asarray(nn.cross_entropy(logits[:, 0], stretch[1:, 0])) * BITS
    return "".join(alphabet[c] for c in stretch[1:, 0]), bits


# --- what a person sees -------------------------------------------------------------------


def draw(path, curve, simpler, text, bits):
    """The learning curve with simpler models beside it, and held-out text coloured by surprise."""
    figure = pyplot.figure(figsize=(12, 5), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(1, 1.25))
    axes = left.subplots()
    steps, training, held = zip(*curve, strict=True)
    axes.plot(steps, training, label="training")
    axes.plot(steps, held, label="held out")
    for name, level in simpler.items():
        axes.axhline(level, color="0.6", lw=1, ls=":")
        axes.annotate(name, (steps[-1], level), ha="right", va="bottom", color="0.4")
    axes.set_xlabel("training step")
    axes.set_ylabel("bits a letter")
    axes.set_ylim(1.0, 5.2)
    axes.legend(frameon=False)
    right.suptitle("held-out text; the darker a letter's ground, the less it was expected")
    page = right.subplots()
    page.set_axis_off()
    lines, row, column = 26, 0, 0
    for letter, bit in zip(text, bits, strict=True):
        if letter == "\n" or column >= 76:
            row, column = row + 1, 0
            if letter == "\n":
                continue
        if row >= lines:
            break
        colour = pyplot.cm.OrRd(min(bit / 9.0, 1.0)) if bit > 0.6 else "none"
        page.text(
            column / 76, 1 - (row + 0.5) / lines, letter, family="monospace", fontsize=7.5,
            ha="center", va="center", bbox={"facecolor": colour, "edgecolor": "none", "pad": 0.6},
        )  # fmt: skip
        column += 1
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def arguments():
    """Flags, checked before anything expensive happens."""
    parser = argparse.ArgumentParser(
        description="Train a recurrent language model on the Python language reference with fn.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--steps", type=int, default=600, help="training steps")
    parser.add_argument("--seed", type=int, default=0, help="of the weights and the made-up text")
    parser.add_argument("--width", type=int, default=192, help="of the LSTM")
    parser.add_argument("--out", default="rnn-out", metavar="DIR", help="where the picture goes")
    options = parser.parse_args()
    for name in ("steps", "width"):
        if getattr(options, name) < 1:
            parser.error(f"--{name} must be at least 1, not {getattr(options, name)}")
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
    params, curve, simpler, text, memory = train(
        options.steps, options.seed, console, options.width
    )
    console.rule("what it writes")
    console.print(text.strip(), markup=False, highlight=False)
    console.rule()
    table = rich.table.Table(title="bits a letter, on text it has not seen")
    table.add_column("model")
    table.add_column("bits", justify="right")
    for name, level in simpler.items():
        table.add_row(name, f"{level:.2f}")
    table.add_row("[bold]this LSTM[/]", f"[bold]{curve[-1][2]:.2f}[/]")
    console.print(table)
    whole, blocks = (memory[b] / 1e6 for b in sorted(memory))
    print(f"working memory of a step: {whole:.1f} MB keeping everything, {blocks:.1f} MB by blocks")
    path = os.path.join(options.out, "rnn.png")
    draw(path, curve, simpler, *surprise(params))
    print(f"picture: {path}")
    print(f"held out {curve[-1][2]:.2f} bits a letter")


if __name__ == "__main__":
    main()
