"""Train a small convolutional network on 1,797 real handwritten digits.

    python examples/digits.py --epochs 40 --seed 0 --out digits-out

Everything numerical is fn: layers are init/apply pairs, the step is one jitted function built from
`value_and_grad`, random numbers come from keys. scikit-learn brings the data, matplotlib the picture,
rich the progress bar.
"""

from __future__ import annotations

import argparse
import os
import tempfile

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

# --- the network, the step and the evaluation ---------------------------------------------


def lenet():
    """Two convolutions with pooling and a dense head, after LeCun et al., 1998."""
    return nn.serial(
        nn.conv(32, 3, w_init=nn.he_normal),
        nn.relu,
        nn.max_pool(2),
        nn.conv(64, 3, w_init=nn.he_normal),
        nn.relu,
        nn.max_pool(2),
        nn.flatten(),
        nn.dense(128, w_init=nn.he_normal),
        nn.relu,
        nn.dropout(0.3),
        nn.dense(10),
    )


def make_step(apply, optimizer):
    """One compiled training step: shift the images, take the gradient, move the parameters."""

    def loss(params, state, images, labels, key):
        logits, state = apply(params, state, images, key=key, train=True)
        return nn.cross_entropy(logits, labels).mean(), (state, logits)

    @fn.jit
    def step(params, state, opt_state, images, labels, key):
        shift_key, drop_key = fn.random.split(key)
        images = shifted(shift_key, images)
        gradient = fn.value_and_grad(loss, has_aux=True)
        (value, (state, logits)), grads = gradient(params, state, images, labels, drop_key)
        updates, opt_state = optimizer.update(grads, opt_state, params)
        accuracy = (logits.argmax(-1) == labels).mean()
        return optim.apply_updates(params, updates), state, opt_state, value, accuracy

    return step


def shifted(key, images):
    """Each image moved by up to one pixel in each direction, by `vmap` over a roll of one image."""

    def one(key, image):
        down, right = fn.random.randint(key, (2,), 0, 3)
        padded = np.pad(image, ((1, 1), (1, 1), (0, 0)))
        return fn.ops.dynamic_slice(padded, down, right, np.int32(0), sizes=image.shape)

    return fn.vmap(one)(fn.random.split(key, images.shape[0]), images)


def make_evaluate(apply):
    """A compiled function of a whole split: mean loss, accuracy and predictions."""

    @fn.jit
    def evaluate(params, state, images, labels):
        logits, _ = apply(params, state, images)
        predictions = logits.argmax(-1)
        return nn.cross_entropy(logits, labels).mean(), (predictions == labels).mean(), predictions

    return evaluate


# --- data ---------------------------------------------------------------------------------


def load(key):
    """The digits, shuffled by `key`: 70 % for training, 10 % for validation, 20 % for the test."""
    digits = sklearn.datasets.load_digits()
    images = np.asarray(digits.images[..., None] / 16.0, "float32")
    labels = np.asarray(digits.target, "int32")
    order = fn.random.permutation(key, len(labels))
    images, labels = images[order], labels[order]
    first, second = int(0.7 * len(labels)), int(0.8 * len(labels))
    return [
        (images[a:b], labels[a:b]) for a, b in ((0, first), (first, second), (second, len(labels)))
    ]


# --- training -----------------------------------------------------------------------------


def train(epochs, seed, console, batch=64):
    """Train for `epochs`; returns the learning curve, and the test split with its predictions."""
    split_key, init_key, loop_key = fn.random.split(fn.random.key(seed), 3)
    (images, labels), validation, test = load(split_key)
    steps = len(labels) // batch

    init, apply = lenet()
    spec = fn.ArrayType((batch, *images.shape[1:]), "float32")
    params, state = fn.jit(lambda key: init(key, spec))(init_key)
    rate = lambda count: 2e-3 * 0.5 * (1 + np.cos(np.pi * count / (epochs * steps)))
    optimizer = optim.adam(rate, weight_decay=1e-2)
    opt_state = optimizer.init(params)
    step, evaluate = make_step(apply, optimizer), make_evaluate(apply)

    curve = []
    bar = rich.progress.Progress(
        rich.progress.TextColumn("epoch {task.fields[epoch]:>2}"),
        rich.progress.BarColumn(),
        rich.progress.MofNCompleteColumn(),
        rich.progress.TextColumn("loss {task.fields[loss]:.4f}"),
        rich.progress.TextColumn("validation {task.fields[accuracy]:.1%}"),
        rich.progress.TimeElapsedColumn(),
        console=console,
    )
    with bar:
        task = bar.add_task("train", total=epochs * steps, epoch=1, loss=float("nan"), accuracy=0.0)
        for epoch in range(epochs):
            epoch_key = fn.random.fold_in(loop_key, epoch)
            order = fn.random.permutation(epoch_key, len(labels))
            losses, accuracies = [], []
            for i in range(steps):
                rows = order[i * batch : (i + 1) * batch]
                key = fn.random.fold_in(epoch_key, i)
                params, state, opt_state, loss, accuracy = step(
                    params, state, opt_state, images[rows], labels[rows], key
                )
                losses.append(loss)
                accuracies.append(accuracy)
                bar.advance(task)
            seen = evaluate(params, state, *validation)
            row = [sum(map(float, losses)) / steps, sum(map(float, accuracies)) / steps]
            curve.append((*row, float(seen[0]), float(seen[1])))
            bar.update(task, epoch=epoch + 1, loss=row[0], accuracy=curve[-1][3])
    _, accuracy, predictions = evaluate(params, state, *test)
    return curve, test, numpy.asarray(predictions), float(accuracy)


# --- what a person sees -------------------------------------------------------------------


def show_confusion(console, labels, predictions):
    """A table of true digits against predicted ones."""
    table = rich.table.Table(title="test set: true digit (row) against prediction (column)")
    table.add_column("", justify="right", style="bold")
    for digit in range(10):
        table.add_column(str(digit), justify="right")
    for truth in range(10):
        counts = [int(((labels == truth) & (predictions == d)).sum()) for d in range(10)]
        cells = [
            "·" if n == 0 else f"[green]{n}[/]" if d == truth else f"[bold red]{n}[/]"
            for d, n in enumerate(counts)
        ]
        table.add_row(str(truth), *cells)
    console.print(table)


def draw(path, curve, images, labels, predictions, accuracy):
    """The learning curve, and a grid of digits with their predictions, wrong ones first and in red."""
    figure = pyplot.figure(figsize=(11, 5), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(1, 1.15))
    loss, percent = left.subplots(2, 1, sharex=True)
    epochs = range(1, len(curve) + 1)
    train_loss, train_accuracy, val_loss, val_accuracy = zip(*curve, strict=True)
    loss.plot(epochs, train_loss, label="training (with dropout and shifts)")
    loss.plot(epochs, val_loss, label="validation")
    loss.set_yscale("log")
    loss.set_ylabel("cross-entropy")
    loss.legend(frameon=False)
    percent.plot(epochs, [100 * a for a in train_accuracy])
    percent.plot(epochs, [100 * a for a in val_accuracy])
    percent.set_ylim(min(90, 100 * min(val_accuracy[len(curve) // 4 :])) - 1, 100.5)
    percent.set_ylabel("accuracy (%)")
    percent.set_xlabel("epoch")
    wrong = [i for i in range(len(labels)) if labels[i] != predictions[i]]
    shown = (wrong + [i for i in range(len(labels)) if labels[i] == predictions[i]])[:40]
    right.suptitle(f"test accuracy {accuracy:.1%}: {len(wrong)} of {len(labels)} wrong, in red")
    for axes, i in zip(right.subplots(5, 8).flat, shown, strict=False):
        axes.imshow(images[i, ..., 0], cmap="gray_r")
        axes.set_xticks([])
        axes.set_yticks([])
        missed = labels[i] != predictions[i]
        title = f"{predictions[i]} not {labels[i]}" if missed else str(predictions[i])
        axes.set_title(title, fontsize=9, color="crimson" if missed else "black", pad=2)
        for side in axes.spines.values():
            side.set_color("crimson" if missed else "lightgray")
    figure.savefig(path, dpi=120)


def arguments():
    """Flags, checked before anything expensive happens."""
    parser = argparse.ArgumentParser(
        description="Train a small convolutional network on real handwritten digits with fn.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--epochs", type=int, default=40, help="passes over the training set")
    parser.add_argument(
        "--seed", type=int, default=0, help="of the split, the weights and the order"
    )
    parser.add_argument("--out", default="digits-out", metavar="DIR", help="where the picture goes")
    options = parser.parse_args()
    if options.epochs < 1:
        parser.error(f"--epochs must be at least 1, not {options.epochs}")
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
    curve, (images, labels), predictions, accuracy = train(options.epochs, options.seed, console)
    labels = numpy.asarray(labels)
    show_confusion(console, labels, predictions)
    path = os.path.join(options.out, "digits.png")
    draw(path, curve, numpy.asarray(images), labels, predictions, accuracy)
    print(f"picture: {path}")
    print(f"test accuracy {100 * accuracy:.1f} %")


if __name__ == "__main__":
    main()
