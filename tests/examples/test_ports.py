"""Programs written for jax.numpy: with their imports changed, and nothing else, they compute the same."""

import importlib.util
import re
import sys
from pathlib import Path

import numpy as onp
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def load(name: str, path: Path):
    """The file at `path` as a module called `name`."""
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def both(tmp_path):
    """An example as it stands, and with JAX's imports in place of fn's."""

    def pair(name):
        text = (EXAMPLES / f"{name}.py").read_text()
        names = re.search(r"^from fn import (.*)$", text, re.M)[1].split(", ")
        ours = f"import fn.numpy as np\nfrom fn import {', '.join(names)}\n"
        theirs = f"import jax.numpy as np\nfrom jax import {', '.join(n for n in names if n != 'scan')}\n"
        if "scan" in names:
            theirs += "from jax.lax import scan\n"
        assert text.count(ours) == 1 and len(re.findall(r"\bfn\b", text.replace(ours, ""))) == 0
        copy = tmp_path / f"{name}_jax.py"
        copy.write_text(text.replace(ours, theirs))
        return load(f"{name}_fn", EXAMPLES / f"{name}.py"), load(f"{name}_jax", copy)

    return pair


def test_kalman(both, tmp_path):
    ours, theirs = both("kalman")
    mine, other = (m.analyse(m.NILE, 60) for m in (ours, theirs))
    onp.testing.assert_allclose(mine[0], other[0], rtol=1e-2)  # 60 steps in f32 drift apart
    onp.testing.assert_allclose(mine[3][0], other[3][0], rtol=1e-3)
    # Durbin and Koopman's maximum is flat: a percent off in log-likelihood's fourth digit.
    onp.testing.assert_allclose(mine[0], [15099, 1469], rtol=0.06)
    ours.draw(tmp_path / "k.png", ours.NILE, ours.NILE, mine[1], mine[2], mine[3])
    assert (tmp_path / "k.png").read_bytes()[:4] == b"\x89PNG"


def test_pca(both, tmp_path):
    ours, theirs = both("pca")
    mine, other = (m.run(8) for m in (ours, theirs))
    onp.testing.assert_allclose(mine[1], other[1], rtol=2e-3)
    onp.testing.assert_allclose(mine[0]["log_weights"], other[0]["log_weights"], atol=2e-3)
    assert mine[2][1][0] < 0.8 * mine[2][0][0]
    ours.draw(tmp_path / "p.png", *mine)
    assert (tmp_path / "p.png").read_bytes()[:4] == b"\x89PNG"


def test_particles(both, tmp_path):
    ours, theirs = both("particles")
    mine, other = (m.simulate(8, 4.0, 2.5, 12) for m in (ours, theirs))
    onp.testing.assert_allclose(mine[1], other[1], rtol=1e-3)
    onp.testing.assert_allclose(mine[0][-1][0], other[0][-1][0], atol=1e-3)
    total = onp.array(mine[1]).sum(1)
    assert abs(total - total[0]).max() < 1e-3 * abs(mine[1][0][0])
    ours.draw(tmp_path / "x.png", *mine, 8, 12 * 10 * 0.004)
    assert (tmp_path / "x.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize("name", ["kalman", "pca", "particles"])
def test_pictures_are_kept(name):
    assert (EXAMPLES / f"{name}.png").read_bytes()[:4] == b"\x89PNG"
