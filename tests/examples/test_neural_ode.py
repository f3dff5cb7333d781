"""The neural ODE at small size: its solver solves and has gradients, it learns, and refuses bad flags."""

import re
import sys

import numpy as onp
import pytest

import fn
import fn.numpy as np
from tests.examples.test_ports import EXAMPLES, load


@pytest.fixture(scope="module")
def ode():
    return load("neural_ode_example", EXAMPLES / "neural_ode.py")


TURN = onp.array([[-0.1, 2.0], [-2.0, -0.1]], onp.float32)
TIMES = onp.array([0.0, 0.3, 1.0, 2.5], onp.float32)


def exact(y, times):
    """A damped rotation."""
    turned = (y[0] + 1j * y[1]) * onp.exp((-0.1 - 2j) * times)
    return onp.stack([turned.real, turned.imag], -1)


def test_the_solver_solves(ode):
    y = onp.array([1.0, -0.5], onp.float32)
    sizes = []
    for tolerance in (1e-3, 1e-5):
        found, tried = fn.jit(lambda y, t=tolerance: ode.solve(lambda y: TURN @ y, y, TIMES, t))(y)
        onp.testing.assert_allclose(found, exact(y, TIMES), atol=5 * tolerance)
        sizes.append(int(tried.sum()))
    assert 6 < sizes[0] < sizes[1] < 60
    stuck, _ = ode.solve(lambda y: TURN @ y, y, TIMES, 1e-5, max_steps=2)
    assert onp.isnan(stuck[-1]).all()  # out of steps is no answer


def test_its_gradient_is_that_of_the_solution(ode):
    """Reverse mode, through a loop of unknown length, in `vmap`; by the start and by a parameter."""

    def last(y, rate):
        found, _ = ode.solve(lambda y: rate * (TURN @ y), y, TIMES, 1e-5)
        return found[-1]

    starts = onp.array([[1.0, -0.5], [0.2, 3.0]], onp.float32)
    by_start, by_rate = fn.jit(fn.vmap(fn.jacrev(last, (0, 1)), in_axes=(0, None)))(starts, 1.0)
    matrix = exact(onp.eye(2), TIMES[-1])
    for k, y in enumerate(starts):
        onp.testing.assert_allclose(by_start[k], onp.array(matrix).T, atol=1e-3)
        onp.testing.assert_allclose(by_rate[k], 2.5 * TURN @ exact(y, TIMES[-1]), rtol=2e-3)


def test_it_learns_and_draws(ode, tmp_path, monkeypatch, capsys):
    """In this process, with its quicker compiler: four gradients of loops are a lot to compile."""
    flags = ["--steps", "90", "--width", "8", "--out", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["neural_ode.py", *flags])
    ode.main()
    shown = capsys.readouterr().out
    last = shown.rstrip().splitlines()[-1]
    fitted, ahead = re.fullmatch(
        r"network off by (\d+)% in the years fitted, (\d+)% ahead", last
    ).groups()
    # A population that never changed would be off by 110 %.
    assert int(fitted) < 60 and int(ahead) < 200
    assert re.search(r"textbook │ +4 │ +[23]\d% │", shown), shown
    assert (tmp_path / "neural_ode.png").read_bytes()[:4] == b"\x89PNG"


def test_the_data(ode):
    times, data, mean = ode.load(3)
    assert len(times) == 21 and data[:18].mean(0) == pytest.approx([0, 0], abs=1e-6)
    onp.testing.assert_allclose(np.exp(data + mean)[0], [30.0, 4.0], rtol=1e-5)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--steps", "0"), "--steps must be at least 1, not 0"),
        (("--held-out", "11"), "--held-out must be from 0 to 10, not 11"),
        (("--out", "/dev/null/x"), "is not a directory one can write to"),
    ],
)
def test_bad_flags_are_refused_before_training(ode, flags, words, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["neural_ode.py", *flags])
    with pytest.raises(SystemExit):
        ode.main()
    assert words in capsys.readouterr().err
