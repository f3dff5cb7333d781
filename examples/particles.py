"""Throw a drop at a wall: molecular dynamics with neighbour lists.

    python examples/particles.py --out particles-out

A program written for jax.numpy, moved here by changing the two import lines below and nothing else. The
particles attract and repel each other by the Lennard-Jones potential, cut off and shifted as in Allen and
Tildesley, "Computer Simulation of Liquids". Each pair within reach is found through a grid of cells:
particles are scattered into the cells, and each one gathers those of its own cell and the eight around.
The force is the negative gradient of the energy, and velocity Verlet conserves that energy.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

import matplotlib
import numpy

import fn.numpy as np
from fn import grad, jit, scan

matplotlib.use("agg")
from matplotlib import pyplot

REACH = 2.5  # where the potential is cut off, in particle diameters
SKIN = 0.4  # pairs this much farther apart are kept in the list, until particles have moved
PER_CELL = 16
NEIGHBOURS = 48


# --- neighbours -----------------------------------------------------------------------------------


def neighbour_list(positions, cells):
    """Indices (n, NEIGHBOURS) of the particles near each one, padded with n; and whether all fitted.

    The box is periodic, `cells` cells of side REACH + SKIN in each direction.
    """
    count = positions.shape[0]
    own = np.floor(positions / (REACH + SKIN)).astype(int) % cells
    flat = own[:, 0] * cells + own[:, 1]
    # Scatter: sort by cell, and number the particles within each cell.
    order = np.argsort(flat)
    sorted_cells = flat[order]
    first = np.searchsorted(sorted_cells, np.arange(cells * cells))
    slot = np.arange(count) - first[sorted_cells]
    table = np.full((cells * cells, PER_CELL), count)
    table = table.at[sorted_cells, slot].set(order, mode="drop")
    # Gather: the particles of the nine cells around, of which those near enough are kept.
    around = np.stack(np.meshgrid(np.arange(-1, 2), np.arange(-1, 2)), -1).reshape(-1, 2)
    near_cells = (own[:, None, :] + around) % cells
    candidates = table[near_cells[..., 0] * cells + near_cells[..., 1]].reshape(count, -1)
    padded = np.concatenate([positions, np.full((1, 2), np.inf)])
    offset = shortest(positions[:, None] - padded[candidates], cells)
    near = (offset**2).sum(-1) < (REACH + SKIN) ** 2
    near = near & (candidates != np.arange(count)[:, None]) & (candidates < count)
    ranked = np.argsort(~near, axis=1)[:, :NEIGHBOURS]
    kept = np.where(
        np.take_along_axis(near, ranked, 1), np.take_along_axis(candidates, ranked, 1), count
    )
    fits = (near.sum(1) <= NEIGHBOURS).all() & (slot < PER_CELL).all()
    return kept, fits


def shortest(offset, cells):
    """The shortest of an offset's periodic images."""
    side = cells * (REACH + SKIN)
    return offset - side * np.round(offset / side)


# --- energy, force and motion -----------------------------------------------------------------------


def pair_energy(squared):
    """Lennard-Jones energy at a squared distance, cut off at REACH and shifted to be zero there."""
    there = REACH**-6
    inside = squared < REACH**2
    # Pairs out of reach keep a harmless distance: their derivative is zero, not infinity.
    sixth = np.where(inside, squared, 1.0) ** -3
    return np.where(inside, 4.0 * (sixth**2 - sixth) - 4.0 * (there**2 - there), 0.0)


def potential(positions, neighbours, cells):
    """Energy of all pairs; each stands in the list twice."""
    padded = np.concatenate([positions, np.full((1, 2), 1e6)])
    offset = shortest(positions[:, None] - padded[neighbours], cells)
    squared = np.where(neighbours < positions.shape[0], (offset**2).sum(-1), 2.0 * REACH**2)
    return 0.5 * pair_energy(squared).sum()


@partial(jit, static_argnums=(2, 3))
def advance(state, dt, cells, steps):
    """`steps` steps of velocity Verlet with one neighbour list; also energies, and whether the list held."""
    positions, velocities = state
    neighbours, fits = neighbour_list(positions, cells)
    force = lambda x: -grad(potential)(x, neighbours, cells)

    def step(state, _):
        x, v, f = state
        v = v + 0.5 * dt * f
        x = x + dt * v
        f = force(x)
        v = v + 0.5 * dt * f
        return (x, v, f), None

    (x, v, _), _ = scan(step, (positions, velocities, force(positions)), None, length=steps)
    moved = np.sqrt(((x - positions) ** 2).sum(-1)).max()
    energies = 0.5 * (v**2).sum(), potential(x, neighbours, cells)
    side = cells * (REACH + SKIN)
    return (x % side, v), energies, fits & (2.0 * moved < SKIN)


def setup(cells, radius, speed):
    """A crystal slab across the box, and above it a drop on its way down."""
    side = cells * (REACH + SKIN)
    spacing = 2.0 ** (1.0 / 6.0)
    columns = int(side / spacing)
    lattice = side / columns
    rows = numpy.arange(6)
    grid = numpy.stack(numpy.meshgrid(numpy.arange(columns), rows), -1).reshape(-1, 2)
    slab = (grid + 0.5 * (grid[:, 1:] % 2) * numpy.array([1.0, 0.0])) * [lattice, 0.87 * lattice]
    reach = int(radius / spacing) + 1
    disc = numpy.stack(numpy.meshgrid(*[numpy.arange(-reach, reach + 1)] * 2), -1).reshape(-1, 2)
    disc = (disc + 0.5 * (disc[:, 1:] % 2) * numpy.array([1.0, 0.0])) * [spacing, 0.87 * spacing]
    disc = disc[(disc**2).sum(-1) < radius**2]
    drop = disc + [0.5 * side, slab[:, 1].max() + radius + 2.0]
    positions = (numpy.concatenate([slab, drop]) + [0.0, 0.4 * side]).astype("float32")
    velocities = 0.3 * numpy.random.default_rng(0).standard_normal(positions.shape)
    velocities -= velocities.mean(0)
    velocities[len(slab) :] += [0.0, -speed]
    return (np.asarray(positions), np.asarray(velocities.astype("float32"))), len(slab)


def simulate(cells, radius, speed, rounds, steps=10, dt=0.004):
    """The states at the start and after each round, and the energies per round."""
    state, slab = setup(cells, radius, speed)
    states, energies = [state], []
    for _ in range(rounds):
        state, energy, held = advance(state, dt, cells, steps)
        if not bool(held):
            raise SystemExit(
                "the neighbour list did not hold: take fewer steps a round, or more SKIN"
            )
        states.append(state)
        energies.append(tuple(map(float, energy)))
    return states, energies, slab


# --- what a person sees -------------------------------------------------------------------------------


def draw(path, states, energies, slab, cells, time):
    """Six moments, coloured by speed, and how the energy is passed on."""
    side = cells * (REACH + SKIN)
    figure = pyplot.figure(figsize=(11, 4.9), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(1.55, 1))
    moments = numpy.linspace(0, len(states) - 1, 6).astype(int)
    for axes, moment in zip(left.subplots(2, 3).flat, moments, strict=True):
        x, v = (numpy.asarray(part) for part in states[moment])
        speeds = numpy.sqrt((v**2).sum(-1))
        axes.scatter(x[:slab, 0], x[:slab, 1], c=speeds[:slab], s=9, vmin=0, vmax=4, cmap="inferno")
        axes.scatter(x[slab:, 0], x[slab:, 1], c=speeds[slab:], s=9, vmin=0, vmax=4, cmap="viridis")
        axes.set_xlim(0, side)
        axes.set_ylim(0, side)
        axes.set_aspect("equal")
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_title(f"t = {time * moment / (len(states) - 1):.1f}", fontsize=9)
    axes = right.subplots()
    times = time * (numpy.arange(len(energies)) + 1) / len(energies)
    kinetic, pairs = map(numpy.array, zip(*energies, strict=True))
    axes.plot(times, kinetic, label="kinetic energy")
    axes.plot(times, pairs, label="potential energy")
    axes.plot(times, kinetic + pairs, "k", label="their sum")
    axes.set_xlabel("time")
    axes.legend(frameon=False, loc=(0.45, 0.28))
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def main():
    """Parse the flags, simulate, draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=200, help="rounds of ten steps (default 200)")
    parser.add_argument("--out", type=Path, default=Path("particles-out"), metavar="DIR")
    flags = parser.parse_args()
    flags.out.mkdir(parents=True, exist_ok=True)
    cells, steps, dt = 14, 10, 0.004
    states, energies, slab = simulate(cells, 7.0, 4.0, flags.rounds, steps, dt)
    total = numpy.array(energies).sum(1)
    print(f"{len(states[0][0])} particles, {flags.rounds * steps} steps")
    print(f"energy {total[0]:.1f}, largest departure from it {abs(total - total[0]).max():.2f}")
    draw(flags.out / "particles.png", states, energies, slab, cells, flags.rounds * steps * dt)
    print(f"picture: {flags.out / 'particles.png'}")


if __name__ == "__main__":
    main()
