"""The main job, run as a user runs it: it learns, says so, and refuses bad flags before training."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "examples" / "digits.py"


def run_script(script, *flags):
    """A script in a process of its own, with the settings of a user and not those of the tests."""
    kept = {k: v for k, v in os.environ.items() if k not in ("FN_CHECK", "XLA_FLAGS")}
    kept["PYTHONPATH"] = str(SCRIPT.parents[1])
    return subprocess.run(
        [sys.executable, str(script), *flags], capture_output=True, text=True, env=kept, timeout=600
    )


def run(*flags):
    return run_script(SCRIPT, *flags)


def test_it_learns_to_98_percent_and_draws_the_picture(tmp_path):
    done = run("--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    last = done.stdout.rstrip().splitlines()[-1]
    found = re.fullmatch(r"test accuracy (\d+\.\d) %", last)
    assert found and float(found[1]) >= 98.0, last
    assert "true digit" in done.stdout
    assert (tmp_path / "digits.png").read_bytes()[:4] == b"\x89PNG"


def test_a_seed_gives_one_result(tmp_path):
    flags = ("--epochs", "2", "--seed", "3", "--out", str(tmp_path))
    first, second = (run(*flags).stdout.splitlines() for _ in range(2))
    assert first[-1] == second[-1] and first[-1].startswith("test accuracy")
    # The whole table, too: every single prediction.
    assert [x for x in first if "│" in x] == [x for x in second if "│" in x]


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--epochs", "0"), "--epochs must be at least 1, not 0"),
        (("--epochs", "many"), "invalid int value: 'many'"),
        (("--bogus",), "unrecognized arguments: --bogus"),
        (("--out", "{file}/x"), "is not a directory one can write to"),
        (("--out", "{file}"), "is not a directory one can write to"),
    ],
)
def test_bad_flags_are_refused_before_training(tmp_path, flags, words):
    file = tmp_path / "file"
    file.write_text("")
    done = run(*[f.format(file=file) for f in flags])
    assert done.returncode == 2
    assert words in done.stderr
    assert "epoch" not in done.stdout


def test_help():
    done = run("--help")
    assert done.returncode == 0
    for flag in ("--epochs", "--seed", "--out DIR"):
        assert flag in done.stdout
