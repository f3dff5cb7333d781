"""Estimate the Nile's flow with a Kalman filter whose noise levels are learnt by maximum likelihood.

    python examples/kalman.py --out kalman-out

A program written for jax.numpy, moved here by changing the two import lines below and nothing else. The data are 100 yearly flows at Aswan (Cobb, 1978),
the model is the local level model of Durbin and Koopman, "Time Series Analysis by State Space
Methods", chapter 2, whose maximum-likelihood variances are 15099 and 1469.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib
import numpy

import fn.numpy as np
from fn import jit, scan, value_and_grad

matplotlib.use("agg")
from matplotlib import pyplot

# Yearly flow volume at Aswan, 1871 to 1970, in 10^8 cubic metres.
NILE = numpy.fromstring("""
    1120 1160  963 1210 1160 1160  813 1230 1370 1140  995  935 1110  994 1020  960 1180  799  958 1140
    1100 1210 1150 1250 1260 1220 1030 1100  774  840  874  694  940  833  701  916  692 1020 1050  969
     831  726  456  824  702 1120 1100  832  764  821  768  845  864  862  698  845  744  796 1040  759
     781  865  845  944  984  897  822 1010  771  676  649  846  812  742  801 1040  860  874  848  890
     744  749  838 1050  918  986  797  923  975  815 1020  906  901 1170  912  746  919  718  714  740
""", "float32", sep=" ")  # fmt: skip


# --- the filter and the smoother, for any linear Gaussian model -----------------------------


def model(log_noise):
    """The local level model: a level that wanders, seen through noise, in units of 100."""
    observed, level = np.exp(log_noise)
    return {
        "F": np.eye(1), "Q": level * np.eye(1),  # level' = F level + N(0, Q)
        "H": np.eye(1), "R": observed * np.eye(1),  # y = H level + N(0, R)
        "m": np.zeros(1), "P": 1e4 * np.eye(1),  # almost nothing is known before the first year
    }  # fmt: skip


def kalman_filter(system, ys):
    """Means and covariances of the state given the past, and the log-likelihood of each observation.

    `ys` has shape (time, observed); NaN marks what is missing.
    """
    F, Q, H, R = (system[k] for k in "FQHR")

    def step(belief, y):
        m, P = belief
        missing = np.isnan(y)
        seen = np.where(missing, 0.0, 1.0)
        # A missing coordinate is one that says nothing: no row in H, unit noise.
        Hs = H * seen[:, None]
        Rs = np.where(np.diag(missing), 1.0, R * np.outer(seen, seen))
        error = np.where(missing, 0.0, np.where(missing, 0.0, y) - H @ m)
        S = Hs @ P @ Hs.T + Rs
        gain = np.linalg.solve(S, Hs @ P).T
        distance = error @ np.linalg.solve(S, error)
        known = seen.sum() * np.log(2.0 * np.pi)
        likelihood = -0.5 * (distance + np.linalg.slogdet(S)[1] + known)
        mean, cov = m + gain @ error, P - gain @ S @ gain.T
        ahead = F @ mean, F @ cov @ F.T + Q
        return ahead, (mean, cov, *ahead, likelihood)

    return scan(step, (system["m"], system["P"]), ys)[1]


def smooth(system, filtered):
    """Means and covariances given past and future: the backward pass of Rauch, Tung and Striebel."""
    means, covs, ahead_means, ahead_covs, _ = filtered

    def step(later, now):
        (m_next, P_next), (m, P, m_ahead, P_ahead) = later, now
        gain = np.linalg.solve(P_ahead, system["F"] @ P).T
        m, P = m + gain @ (m_next - m_ahead), P + gain @ (P_next - P_ahead) @ gain.T
        return (m, P), (m, P)

    last = means[-1], covs[-1]
    earlier = (means[:-1], covs[:-1], ahead_means[:-1], ahead_covs[:-1])
    _, (m, P) = scan(step, last, earlier, reverse=True)
    return np.concatenate([m, means[-1:]]), np.concatenate([P, covs[-1:]])


# --- learning the noise -----------------------------------------------------------------------


def negative_log_likelihood(log_noise, ys):
    """Without the first year, whose likelihood only measures how little was known before."""
    return -kalman_filter(model(log_noise), ys)[-1][1:].sum()


def fit(ys, rounds):
    """Gradient ascent with a step that grows while it helps and shrinks when it does not."""
    objective = jit(value_and_grad(negative_log_likelihood))
    log_noise, rate = np.zeros(2), 0.05
    value, gradient = objective(log_noise, ys)
    curve = [float(value)]
    for _ in range(rounds):
        tried = log_noise - rate * gradient
        new_value, new_gradient = objective(tried, ys)
        if float(new_value) < float(value):
            log_noise, value, gradient, rate = tried, new_value, new_gradient, 1.3 * rate
        else:
            rate = 0.5 * rate
        curve.append(float(value))
    return log_noise, curve


def analyse(flows, rounds):
    """Fit the noise, then filter and smooth; flows in 10^8 cubic metres, results likewise."""
    ys = np.asarray(flows)[:, None] / 100.0
    log_noise, curve = fit(ys, rounds)
    variances = np.exp(log_noise) * 1e4
    system = model(log_noise)
    filtered = jit(kalman_filter)(system, ys)
    means, covs = jit(smooth)(system, filtered)
    return variances, curve, (filtered[0] * 100, filtered[1] * 1e4), (means * 100, covs * 1e4)


# --- what a person sees -----------------------------------------------------------------------


def draw(path, flows, hidden, curve, filtered, smoothed):
    """Flow, filtered and smoothed level with two standard deviations, and the likelihood's ascent."""
    figure, (top, bottom) = pyplot.subplots(
        2, 1, figsize=(10, 6.5), height_ratios=(3, 1), layout="constrained"
    )
    years = 1871 + numpy.arange(len(flows))
    top.plot(years, hidden, ".", color="0.7", label="left out")
    top.plot(years, flows, "k.", label="measured")
    top.plot(years, filtered[0][:, 0], color="C0", lw=1, label="level given the past")
    mean, spread = smoothed[0][:, 0], 2 * numpy.sqrt(smoothed[1][:, 0, 0])
    top.plot(years, mean, color="C3", lw=2, label="level given everything, ± 2 σ")
    top.fill_between(years, mean - spread, mean + spread, color="C3", alpha=0.15, lw=0)
    top.axvline(1898, color="0.5", ls=":")
    top.annotate("first dam at Aswan begun", (1898.5, 1330), color="0.4")
    top.set_ylabel("flow of the Nile (10⁸ m³ a year)")
    top.legend(frameon=False, ncols=4, loc="upper right")
    top.set_ylim(400, 1480)
    bottom.plot([-c for c in curve], color="C3")
    bottom.set_ylabel("log-likelihood")
    bottom.set_xlabel("gradient step")
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def main():
    """Parse the flags, analyse, draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=120, help="gradient steps (default 120)")
    parser.add_argument("--out", type=Path, default=Path("kalman-out"), metavar="DIR")
    flags = parser.parse_args()
    flags.out.mkdir(parents=True, exist_ok=True)
    variances, curve, *_ = analyse(NILE, flags.rounds)
    print(
        f"variance of a measurement {variances[0]:.0f}, of the level from year to year {variances[1]:.0f}"
    )
    # Two gaps, which the smoother bridges.
    gaps = NILE.copy()
    gaps[20:40] = gaps[60:80] = numpy.nan
    _, curve, filtered, smoothed = analyse(gaps, flags.rounds)
    draw(flags.out / "kalman.png", gaps, NILE, curve, filtered, smoothed)
    print(f"picture: {flags.out / 'kalman.png'}")


if __name__ == "__main__":
    main()
