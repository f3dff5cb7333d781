"""Tell handwritten digits apart by ten principal component analyses, and learn which pixels matter.

    python examples/pca.py --out pca-out

A program written for jax.numpy, moved here by changing the two import lines below and nothing else.
Every digit class gets its own principal components: one batched eigen-decomposition of ten 64 x 64
covariances. An image belongs to the class whose components leave the least of it unexplained. The
weight of each pixel is learnt by a gradient that goes back through the eigenvectors.
"""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path

import matplotlib
import numpy
import sklearn.datasets

import fn.numpy as np
from fn import jit, value_and_grad, vmap

matplotlib.use("agg")
from matplotlib import pyplot

CLASSES, PIXELS = 10, 64


# --- the model --------------------------------------------------------------------------------


def components(images, labels, weights, count):
    """Per class the mean image and the first `count` principal components of the weighted images.

    Shapes: images (n, 64), labels (n,), weights (64,); returns means (10, 64), vectors (10, 64, count)
    and all eigenvalues (10, 64), the largest first.
    """

    def statistics(digit):
        member = (labels == digit).astype(images.dtype)
        mean = member @ images / member.sum()
        centred = (images - mean) * weights * member[:, None]
        return mean, centred.T @ centred / member.sum()

    means, covariances = vmap(statistics)(np.arange(CLASSES))
    # Pixels that never light up would give equal eigenvalues, whose vectors have no derivative.
    apart = 1e-4 * np.diag(np.linspace(1.0, 2.0, PIXELS))
    values, vectors = np.linalg.eigh(covariances + apart)
    return means, vectors[..., ::-1][..., :count], values[..., ::-1]


def unexplained(model, weights, image):
    """Per class, the weighted squared distance of an image to the class's plane of components."""
    means, vectors = model
    centred = (image - means) * weights
    inside = np.einsum("cp,cpk->ck", centred, vectors)
    return (centred**2).sum(-1) - (inside**2).sum(-1)


def loss(params, images, labels, others, other_labels, count):
    """Cross-entropy of classifying `others` by the components of `images`."""
    weights = np.exp(params["log_weights"])
    means, vectors, _ = components(images, labels, weights, count)
    scores = vmap(lambda image: -unexplained((means, vectors), weights, image))(others)
    logits = scores * np.exp(params["log_sharpness"])
    below = logits - logits.max(-1, keepdims=True)
    log_probabilities = below - np.log(np.exp(below).sum(-1, keepdims=True))
    picked = np.take_along_axis(log_probabilities, other_labels[:, None], axis=-1)
    return -picked.mean(), (logits.argmax(-1) == other_labels).mean()


# --- learning the weights -----------------------------------------------------------------------


def learn(train, validation, count, rounds, rate=0.05, momentum=0.9):
    """Gradient descent with momentum; returns parameters and (loss, accuracy) per round."""
    gradient = jit(value_and_grad(lambda p: loss(p, *train, *validation, count), has_aux=True))
    params = {"log_weights": np.zeros(PIXELS), "log_sharpness": np.array(0.0)}
    speed = {name: np.zeros_like(value) for name, value in params.items()}
    curve = []
    for _ in range(rounds):
        (value, accuracy), grads = gradient(params)
        curve.append((float(value), float(accuracy)))
        for name, g in grads.items():
            speed[name] = momentum * speed[name] - rate * g
            params[name] = params[name] + speed[name]
    return params, curve


def load():
    """The digits in three parts: for the components, for learning the weights, for the test."""
    digits = sklearn.datasets.load_digits()
    order = numpy.random.default_rng(0).permutation(len(digits.target))
    images = np.asarray((digits.images.reshape(-1, PIXELS) / 16.0)[order].astype("float32"))
    labels = np.asarray(digits.target[order].astype("int32"))
    cuts = (0, 400, 1200, len(order))
    return [(images[a:b], labels[a:b]) for a, b in itertools.pairwise(cuts)]


def run(rounds, count=3):
    """Learn on the first two parts; loss and accuracy on the third, before and after."""
    train, validation, test = load()
    params, curve = learn(train, validation, count, rounds)
    start = {"log_weights": np.zeros(PIXELS), "log_sharpness": np.array(0.0)}
    evaluate = jit(lambda p: loss(p, *train, *test, count))
    before, after = evaluate(start), evaluate(params)
    model = components(*train, np.exp(params["log_weights"]), count)
    return params, curve, [tuple(map(float, x)) for x in (before, after)], model


# --- what a person sees -------------------------------------------------------------------------


def draw(path, params, curve, scores, model):
    """Components of every class, the learnt weights, and the course of learning."""
    means, vectors, _ = model
    figure = pyplot.figure(figsize=(11, 4.6), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(1.15, 1))
    left.suptitle("mean and first three components of each digit")
    grid = left.subplots(4, CLASSES)
    for digit in range(CLASSES):
        pictures = [means[digit], *vectors[digit].T]
        for row, picture in enumerate(pictures):
            axes = grid[row, digit]
            bound = float(abs(picture).max())
            axes.imshow(
                numpy.asarray(picture).reshape(8, 8),
                cmap="gray_r" if row == 0 else "RdBu",
                vmin=0 if row == 0 else -bound,
                vmax=bound,
            )
            axes.set_xticks([])
            axes.set_yticks([])
    upper, lower = right.subplots(2, 1)
    weights = numpy.exp(numpy.asarray(params["log_weights"])).reshape(8, 8)
    shown = upper.imshow(weights, cmap="viridis")
    right.colorbar(shown, ax=upper, label="weight of a pixel")
    upper.set_xticks([])
    upper.set_yticks([])
    upper.set_title(f"test accuracy {scores[0][1]:.1%} → {scores[1][1]:.1%}")
    lower.plot([c[0] for c in curve], color="C3")
    lower.set_ylabel("cross-entropy", color="C3")
    lower.set_xlabel("gradient step")
    percent = lower.twinx()
    percent.plot([100 * c[1] for c in curve], color="C0")
    percent.set_ylabel("validation accuracy (%)", color="C0")
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def main():
    """Parse the flags, learn, draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=60, help="gradient steps (default 60)")
    parser.add_argument("--out", type=Path, default=Path("pca-out"), metavar="DIR")
    flags = parser.parse_args()
    flags.out.mkdir(parents=True, exist_ok=True)
    params, curve, scores, model = run(flags.rounds)
    for name, (value, accuracy) in zip(("equal", "learnt"), scores, strict=True):
        print(f"{name:>6} weights: test cross-entropy {value:.3f}, accuracy {accuracy:.1%}")
    draw(flags.out / "pca.png", params, curve, scores, model)
    print(f"picture: {flags.out / 'pca.png'}")


if __name__ == "__main__":
    main()
