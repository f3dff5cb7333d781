"""Newton by conjugate gradients, run as a user runs it: it finds the minimum, and Adam does not."""

import re

import pytest

from tests.examples.test_digits import SCRIPT as DIGITS
from tests.examples.test_digits import run_script

SCRIPT = DIGITS.with_name("newton_cg.py")


def test_it_finds_the_minimum_and_draws_the_picture(tmp_path):
    done = run_script(SCRIPT, "--seconds", "1.5", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    last = done.stdout.rstrip().splitlines()[-1]
    found = re.fullmatch(r"newton-cg: gradient (\d\.\de-\d+) after (\d+) steps", last)
    # Superlinear: a gradient of 1e-9 takes a dozen steps, the first half of them for one digit.
    assert found and float(found[1]) < 1e-9 and int(found[2]) <= 20, last
    rows = {
        m[1]: m
        for m in re.finditer(
            r"│ (\S[^│]*?) +│ +([\d,]+) │ +([\d.]+) │ +(\S+) │ +(\S+) │", done.stdout
        )
    }
    assert set(rows) == {"Newton-CG", "Adam", "gradient descent"}
    assert float(rows["Newton-CG"][5]) < 1e-3 * float(rows["Adam"][5])
    assert (tmp_path / "newton_cg.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--seconds", "0"), "--seconds must be positive, not 0"),
        (("--out", "{file}/x"), "is not a directory one can write to"),
    ],
)
def test_bad_flags_are_refused_before_the_race(tmp_path, flags, words):
    file = tmp_path / "file"
    file.write_text("")
    done = run_script(SCRIPT, *[f.format(file=file) for f in flags])
    assert done.returncode == 2
    assert words in done.stderr
    assert "steps" not in done.stdout
