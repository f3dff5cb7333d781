"""Files that Programs are not made of, and a few odd ones that they are: each read or refused at once."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from fn.core import Program, ProgramFormatError, check

FILES = sorted((Path(__file__).parent / "corpus").glob("*.fn"))
SECONDS = 2.0
LONGEST = 2_000


def _named(start: str) -> list[Path]:
    found = [path for path in FILES if path.name.startswith(start)]
    assert found
    return found


@pytest.mark.parametrize("path", _named("refused"), ids=lambda path: path.stem)
def test_one_clear_error_soon(path: Path) -> None:
    start = time.perf_counter()
    with pytest.raises(ProgramFormatError) as caught:
        Program.load(path)
    assert time.perf_counter() - start < SECONDS
    error = caught.value
    assert str(error).startswith("Program.load: ")
    assert len(str(error)) < LONGEST
    assert "expected:" in str(error)
    if "captured arrays" not in str(error):
        lines = path.read_bytes().count(b"\n") + 1
        assert error.line is not None
        assert 1 <= error.line <= lines
        assert f"at line {error.line}" in str(error)


@pytest.mark.parametrize("path", _named("loads"), ids=lambda path: path.stem)
def test_what_is_a_program_is_read(path: Path) -> None:
    start = time.perf_counter()
    first, second = Program.load(path), Program.load(path)
    assert first == second
    assert Program.loads(first.dumps()) == first
    check(first)
    assert time.perf_counter() - start < SECONDS


def test_the_corpus_stays_small() -> None:
    assert sum(path.stat().st_size for path in FILES) < 500_000
