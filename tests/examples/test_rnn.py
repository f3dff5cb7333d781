"""The language model at small size: it learns, says so, keeps less with blocks, and refuses bad flags."""

import re

import jax
import numpy as onp
import pytest

import fn
from tests.examples.test_digits import run_script
from tests.examples.test_ports import EXAMPLES, load


@pytest.fixture(scope="module")
def rnn():
    return load("rnn_example", EXAMPLES / "rnn.py")


def test_it_learns_writes_and_draws(tmp_path):
    flags = ("--steps", "40", "--width", "48", "--out", str(tmp_path))
    done = run_script(EXAMPLES / "rnn.py", *flags)
    assert done.returncode == 0, done.stderr
    assert "what it writes" in done.stdout and "bzip2" in done.stdout
    bits = float(
        re.fullmatch(r"held out (\d\.\d\d) bits a letter", done.stdout.splitlines()[-1])[1]
    )
    assert bits < 4.9  # all letters alike would be 6.5; after 40 steps it knows which are frequent
    kept = re.search(r"step: (\d+\.\d) MB keeping everything, (\d+\.\d) MB by blocks", done.stdout)
    assert float(kept[2]) < 0.6 * float(kept[1])
    assert (tmp_path / "rnn.png").read_bytes()[:4] == b"\x89PNG"


def test_blocks_change_no_number(rnn):
    params = rnn.init(fn.random.key(0), 7, 5)
    letters = onp.random.RandomState(0).randint(0, 7, (13, 3)).astype("int32")
    start = onp.zeros((3, 5), "float32"), onp.zeros((3, 5), "float32")
    whole, blocks = (
        fn.jit(fn.grad(lambda p, b=b: rnn.loss(p, start, letters, b)[0]))(params) for b in (0, 4)
    )
    jax.tree.map(
        lambda a, b: onp.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7), whole, blocks
    )


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--steps", "0"), "--steps must be at least 1, not 0"),
        (("--width", "-1"), "--width must be at least 1, not -1"),
        (("--out", "/dev/null/x"), "is not a directory one can write to"),
    ],
)
def test_bad_flags_are_refused_before_training(flags, words):
    done = run_script(EXAMPLES / "rnn.py", *flags)
    assert done.returncode == 2 and words in done.stderr
