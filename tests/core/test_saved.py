"""Programs in files: what is written is read back, and nothing else is read."""

from __future__ import annotations

import os
import time
from pathlib import Path

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fn
import fn.numpy as fnp
from fn.core import ArgumentError, Primitive, Program, ProgramFormatError, Variable, _limits
from fn.ops import add, mul, sin
from fn.testing import random_program

X = np.ones((2, 3), np.float32)
HELD = jax.numpy.ones((2, 3))


def _square(x):
    return mul(x, x)


def _looping(x):
    def step(c, row):
        c = fnp.tanh(c + row)
        return c, fn.cond(c.sum() > 0.0, lambda c: c * 2.0, lambda c: c, c)

    carry, rows = fn.scan(step, fnp.zeros(3), x)
    n = fn.while_loop(
        lambda v: v[0] < 3, lambda v: (v[0] + 1, v[1] * 0.5), (0, carry.sum()), max_steps=5
    )[1]
    return (rows**2).sum() + n


PROGRAMS = {
    "plain": fn.trace(_square)(X),
    "gradient": fn.trace(fn.grad(_looping))(X),
    "batched": fn.trace(fn.vmap(fn.grad(fn.jit(_looping))))(np.stack([X, X])),
    "remat": fn.trace(fn.grad(fn.checkpoint(lambda x: fnp.sin(x).sum(), policy="dots")))(X),
    "nothing": fn.trace(lambda: ())(),
}


LONG = fn.trace(lambda x: [x := sin(x) for _ in range(7_000)][-1])(1.0)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_file_gives_the_program_back(name: str, tmp_path: Path) -> None:
    program = PROGRAMS[name]
    path = tmp_path / "program.fn"
    program.save(path)
    read = Program.load(path)
    assert read == program
    assert str(read) == str(program)
    assert path.read_text().splitlines()[0] == "fn program 1"
    assert read.dumps() == program.dumps()
    assert Program.loads(program.dumps()) == program


def test_variables_are_not_called_like_numbers() -> None:
    # `inf` and `nan` would come up among 20,000 names.
    text = LONG.dumps()
    assert " inf: " not in text
    assert " inm: " in text
    start = time.perf_counter()
    assert Program.loads(text) == LONG
    assert time.perf_counter() - start < 8.0  # a second, on a quiet core


def test_captured_arrays_are_passed_again(tmp_path: Path) -> None:
    program = fn.trace(lambda x: add(x, HELD))(X)
    program.save(tmp_path / "p.fn")
    read = Program.load(tmp_path / "p.fn", captured=program.captured)
    assert read == program
    assert read.captured[0] is HELD
    with pytest.raises(ProgramFormatError, match="text does not carry captured arrays"):
        Program.load(tmp_path / "p.fn")
    with pytest.raises(ProgramFormatError, match=r"a captured input of type f32\[2,3\] holds f32"):
        Program.load(tmp_path / "p.fn", captured=[jax.numpy.ones(3)])


def test_python_rules_have_no_text_form(tmp_path: Path) -> None:
    f = fn.custom(fnp.sin, vjp=(lambda x: (fnp.sin(x), x), lambda x, ct: (ct,)))
    with pytest.raises(ArgumentError) as caught:
        fn.trace(lambda x: f(x))(X).save(tmp_path / "p.fn")
    assert "custom at " in str(caught.value)
    assert "test_saved.py" in str(caught.value)
    assert not list(tmp_path.iterdir())


# --- files ------------------------------------------------------------------------------


def test_writing_is_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "p.fn"
    PROGRAMS["plain"].save(path)
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="full"):
            PROGRAMS["gradient"].save(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["p.fn"]
    PROGRAMS["gradient"].save(path)
    assert Program.load(path) == PROGRAMS["gradient"]


def test_saving_through_a_link_and_with_the_usual_permissions(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "link.fn"
    link.symlink_to(tmp_path / "elsewhere" / "p.fn")
    PROGRAMS["plain"].save(link)
    assert link.is_symlink()
    (tmp_path / "plain.txt").write_text("")
    assert link.stat().st_mode == (tmp_path / "plain.txt").stat().st_mode


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    with pytest.raises(ProgramFormatError, match="not a regular file"):
        Program.load("/dev/zero")
    with pytest.raises(FileNotFoundError):
        Program.load(tmp_path / "nothing.fn")
    with pytest.raises(IsADirectoryError):
        Program.load(tmp_path)


def test_errors_name_the_line_of_the_file(tmp_path: Path) -> None:
    text = PROGRAMS["gradient"].dumps()
    at = text.splitlines().index(next(line for line in text.splitlines() if " = tanh " in line))
    path = tmp_path / "p.fn"
    path.write_text(text.replace(" = tanh ", " = tank ", 1))
    with pytest.raises(ProgramFormatError) as caught:
        Program.load(path)
    assert caught.value.line == at + 1
    assert "Program.load: unknown primitive, at line" in str(caught.value)


# --- limits -----------------------------------------------------------------------------


def _text(equations: str) -> str:
    return f"fn program 1\nprogram @f(a: f32[]) {{\n{equations}\n  return a\n}}\n"


@pytest.mark.parametrize(
    ("limit", "most", "text", "message"),
    [
        ("CHARACTERS", 30, PROGRAMS["plain"].dumps(), "too long"),
        ("PARTS", 30, _text("\n".join(f"  b{i}: f32[] = sin a" for i in range(10))), "too large"),
        ("PROGRAMS", 1, PROGRAMS["gradient"].dumps(), "not a Program"),
        ("DEPTH", 1, PROGRAMS["batched"].dumps(), "not a Program"),
        ("RANK", 1, PROGRAMS["plain"].dumps(), "absurd size"),
        ("ELEMENTS", 5, PROGRAMS["plain"].dumps(), "absurd size"),
        ("PARAMETERS", 1, PROGRAMS["gradient"].dumps(), "not a Program"),
        ("TUPLE", 1, PROGRAMS["gradient"].dumps(), "not a Program"),
        ("NAME", 2, PROGRAMS["plain"].dumps(), "not a Program"),
        ("STRING", 2, PROGRAMS["remat"].dumps(), "not a Program"),
        ("NUMBER", 2, PROGRAMS["gradient"].dumps(), "not a Program"),
        ("DIGITS", 0, PROGRAMS["plain"].dumps(), "not a Program"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isupper() else "",
)
def test_each_limit(
    limit: str, most: int, text: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Program.loads(text)
    monkeypatch.setattr(_limits, limit, most)
    with pytest.raises(ProgramFormatError, match=message):
        Program.loads(text)


def test_a_file_that_is_too_long_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "p.fn"
    with open(path, "wb") as file:
        file.truncate(1 << 40)  # a sparse file, of which a byte more than the limit is read
    monkeypatch.setattr(_limits, "CHARACTERS", 1 << 16)
    with pytest.raises(ProgramFormatError, match="too long"):
        Program.load(path)


def test_shared_programs_compare_in_time() -> None:
    # Each calls the one before it twice: 2**60 calls in all, but 60 Programs.
    def build() -> Program:
        program = fn.trace(fnp.sin)(1.0)
        for _ in range(60):
            p = program
            program = fn.trace(lambda x, p=p: fn.control.call(p, *fn.control.call(p, x))[0])(1.0)
        return program

    first, second = build(), Program.loads(build().dumps())
    assert first is not second
    assert first == second


def test_a_rule_that_fails_oddly_is_an_error_of_the_file() -> None:
    def rule(*types, **params):
        raise ZeroDivisionError("a rule did not expect this")

    odd = Primitive(
        name="odd", type=rule, jvp="no", transpose="no", batch="no", lower="no"
    )  # fmt: skip
    with pytest.raises(ProgramFormatError, match="does not fit its primitive") as caught:
        Program.loads(_text("  b: f32[] = odd a"))
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert odd.name == "odd"


# --- round trips ------------------------------------------------------------------------

_UNARY = [fnp.sin, fnp.exp, fnp.tanh, lambda x: x * 2.5, lambda x: x - 1e-30]
_STEPS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 7), st.integers(0, 7)), max_size=12)


def _run(steps, x):
    values = [x, x + 1.0]
    for kind, i, j in steps:
        a, b = values[i % len(values)], values[j % len(values)]
        if kind < 5:
            values.append(_UNARY[kind](a))
        elif kind == 5:
            values.append(a * b)
        elif kind == 6:
            values.append(fn.cond(a.sum() > 0.0, fnp.sin, fnp.cos, b))
        elif kind == 7:
            values.append(fn.scan(lambda c, row: (c * row, c), b[0], a)[1])
        elif kind == 8:
            values.append(fn.jit(_square)(a))
        else:
            values.append(fnp.where(a > b, a, b))
    return values[-1].sum()


@settings(max_examples=25)
@given(_STEPS, st.sampled_from([lambda f: f, fn.grad, lambda f: fn.vmap(fn.grad(f))]))
def test_round_trips(steps, transform) -> None:
    x = np.ones((2, 3), np.float32)
    x = x[None].repeat(2, 0) if "vmap" in transform.__code__.co_names else x
    program = fn.trace(transform(lambda x: _run(steps, x)))(x).closed()
    read = Program.loads(program.dumps())
    assert read == program
    assert [e.source for e in read.equations] == [None] * len(read.equations)
    assert all(isinstance(v, Variable) for v in read.inputs)


@pytest.mark.parametrize("start", range(0, 60, 20))
def test_round_trips_of_random_programs(start: int) -> None:
    for seed in range(start, start + 20):
        program = random_program(seed)
        assert Program.loads(program.dumps(), program.captured) == program
