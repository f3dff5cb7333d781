"""`fn.inspect.cost`: arithmetic as XLA counts it, traffic, the peak of live memory, and rounds of loops."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as onp
import pytest

import fn
import fn.numpy as np
from fn.core import Primitive
from fn.inspect._cost import quantity
from fn.ops import conv

X = onp.ones((4, 8), onp.float32)
W = onp.ones((8, 3), onp.float32)
cost = fn.inspect.cost


def _xla(f: Any, *args: Any) -> tuple[int, int]:
    counts = fn.jit(f).lower(*args).compile().cost_analysis()
    return int(counts.get("flops", 0)), int(counts.get("transcendentals", 0))


# --- arithmetic, beside what XLA says of what it compiled -------------------------------


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x * x + 1.0,
        lambda x: np.where(x > 0.0, x, -x) - np.maximum(x, 0.5),
        lambda x: np.exp(x) * np.sin(x),
        lambda x: np.tanh(x) ** 3 + x.max(),
        lambda x: x.sum(0),
        lambda x: x.T.reshape(-1),
    ],
)
def test_elementwise_and_reductions(f: Any) -> None:
    found = cost(f)(X)
    assert (found.flops, found.transcendentals) == _xla(f, X)


@pytest.mark.parametrize(
    ("f", "shapes"),
    [
        (lambda x, w: x @ w, [(4, 8), (8, 3)]),
        (lambda x, w: x @ w, [(5, 4, 8), (5, 8, 3)]),
        (lambda x, w: np.einsum("ij,kj->ik", x, w), [(4, 8), (3, 8)]),
        (lambda x, w: np.tanh(x @ w).sum(), [(4, 8), (8, 3)]),
    ],
)
def test_products(f: Any, shapes: Any) -> None:
    args = [onp.ones(s, onp.float32) for s in shapes]
    found = cost(f)(*args)
    assert (found.flops, found.transcendentals) == _xla(f, *args)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"padding": ((1, 1), (1, 1))},
        {"padding": ((1, 2), (0, 1)), "strides": (2, 2)},
        {"padding": ((1, 1), (1, 1)), "w_dilation": (2, 2)},
    ],
)
def test_convolutions(options: dict[str, Any]) -> None:
    x, w = onp.ones((2, 9, 8, 3), onp.float32), onp.ones((3, 3, 3, 4), onp.float32)
    plain: dict[str, Any] = {
        "strides": (1, 1), "padding": ((0, 0), (0, 0)), "x_dilation": (1, 1), "w_dilation": (1, 1),
        "x_layout": (0, 3, 1, 2), "w_layout": (3, 2, 0, 1), "out_layout": (0, 3, 1, 2),
    }  # fmt: skip

    def f(x: Any, w: Any) -> Any:
        return conv(x, w, **{**plain, **options})

    assert cost(f)(x, w).flops == _xla(f, x, w)[0]


def test_a_gradient() -> None:
    def f(w: Any, x: Any) -> Any:
        return (np.tanh(x @ w) ** 2).sum()

    found = cost(fn.grad(f))(W, X)
    assert found.operators[0].name == "dot_general"
    assert found.operators[0].times == 2
    assert found.operators[0].flops == 2 * 2 * 4 * 8 * 3


def test_complex_numbers_take_more() -> None:
    z = onp.ones((4, 4), onp.complex64)
    assert cost(lambda z: z * z)(z).flops == 6 * 16
    assert cost(lambda z: z + z)(z).flops == 2 * 16
    assert cost(lambda z: z @ z)(z).flops == 8 * 64


def test_factorizations_and_sorts_are_counted() -> None:
    a = onp.eye(6, dtype=onp.float32)
    assert cost(np.linalg.cholesky)(a).flops >= 6**3 // 3
    for f in (np.linalg.inv, np.linalg.svd, np.linalg.eigh, np.linalg.qr, np.sort, np.fft.fft):
        found = cost(f)(a)
        assert found.flops > 0
        assert not found.notes


# --- loops ------------------------------------------------------------------------------


def _step(c: Any, x: Any) -> Any:
    return c * 2.0 + x, c


def test_scans_count_their_rounds() -> None:
    found = cost(lambda xs: fn.scan(_step, 0.0, xs)[0])(onp.ones(50, onp.float32))
    assert found.flops == 100
    assert {row.name: row.times for row in found.operators}["mul"] == 50
    nested = cost(lambda xs: fn.scan(lambda c, x: (fn.scan(_step, c, x)[0], None), 0.0, xs)[0])
    assert nested(onp.ones((7, 5), onp.float32)).flops == 70
    assert nested(onp.ones((7, 5), onp.float32)).notes == []


@pytest.mark.parametrize(
    ("start", "end", "step", "rounds"),
    [(0, 10, 1, 10), (0, 10, 3, 4), (3, 10, 2, 4), (5, 5, 1, 0), (10, 0, -2, 5)],
)
def test_loops_that_count_are_counted(start: int, end: int, step: int, rounds: int) -> None:
    def f(x: Any) -> Any:
        test = (lambda v: v[0] < end) if step > 0 else (lambda v: v[0] > end)
        return fn.while_loop(test, lambda v: (v[0] + step, np.sin(v[1])), (start, x))[1]

    found = cost(f)(1.0)
    assert found.transcendentals == rounds
    assert found.notes == []
    at_most = cost(
        lambda x: fn.while_loop(lambda v: v[0] <= 4, lambda v: (v[0] + 2, np.sin(v[1])), (0, x))
    )
    assert at_most(1.0).transcendentals == 3


def test_loops_of_unknown_length_are_marked() -> None:
    found = cost(lambda x: fn.while_loop(lambda v: v < 9.0, np.exp, x))(1.0)
    assert found.transcendentals == 1
    (note,) = found.notes
    assert note.startswith("while_loop at test_cost.py:")
    assert "rounds unknown" in note
    bounded = cost(lambda x: fn.while_loop(lambda v: v < 9.0, np.exp, x, max_steps=20))(1.0)
    assert bounded.transcendentals == 20
    assert "at most 20 rounds" in bounded.notes[0]
    both = cost(fn.grad(lambda x: fn.while_loop(lambda v: v < 9.0, np.exp, x, max_steps=20)))(1.0)
    assert both.transcendentals >= 40
    assert both.transcendentals <= 20 * 5
    assert "at most 20 rounds" in both.text()


def test_the_most_expensive_branch_counts() -> None:
    f = cost(lambda x: fn.cond(x.sum() > 0.0, lambda x: np.sin(np.sin(x)), lambda x: x, x))
    found = f(onp.ones(5, onp.float32))
    assert found.transcendentals == 10
    assert "most expensive branch" in found.notes[0]


def test_what_nobody_counted_is_said() -> None:
    odd = Primitive(
        name="odd_cost", type=lambda x: x, jvp="no", transpose="no", batch="no", lower="no"
    )  # fmt: skip
    found = cost(lambda x: fn.bind(odd, x))(X)
    assert found.flops == 0
    assert found.bytes == 2 * X.nbytes
    assert "odd_cost" in found.notes[0]


def test_calls_count_each_time() -> None:
    inner = fn.jit(np.sin)
    assert cost(lambda x: inner(inner(inner(x))))(X).transcendentals == 96
    again = fn.checkpoint(lambda x: np.sin(np.sin(x)).sum())
    assert cost(fn.grad(again))(X).transcendentals > cost(again)(X).transcendentals


# --- memory -----------------------------------------------------------------------------


def test_traffic() -> None:
    assert cost(lambda x: x + 1.0)(X).bytes == 2 * X.nbytes
    assert cost(lambda x: x.reshape(-1))(X).bytes == 0
    assert cost(lambda x: x[0])(X).bytes == 2 * 8 * 4
    assert cost(lambda x, w: x @ w)(X, W).bytes == X.nbytes + W.nbytes + 4 * 3 * 4


def test_the_peak_is_that_of_values_alive_at_once() -> None:
    n = X.nbytes
    # One value after the other: two of them at a time, besides the argument.
    assert cost(lambda x: np.sin(np.sin(np.sin(np.sin(x)))))(X).peak == 3 * n

    def held(x: Any) -> Any:
        a, b, c = np.sin(x), np.cos(x), np.tanh(x)
        return np.exp(a * b * c)

    assert cost(held)(X).peak == 5 * n  # x, a, b, c and a product
    assert cost(lambda x: (x + 1.0).reshape(-1) * 2.0)(X).peak == 3 * n  # a view takes nothing
    assert cost(lambda x: x)(X).peak == n


def test_the_peak_inside_of_calls_and_loops() -> None:
    n = X.nbytes
    inner = fn.jit(lambda x: np.sin(np.cos(x)).sum())
    assert cost(lambda x: inner(x) + 1.0)(X).peak == 3 * n
    stacked = cost(lambda x: fn.scan(lambda c, _: (c, np.sin(x)), 0.0, None, length=10)[1])(X)
    assert stacked.peak == n + 10 * n + n  # the argument, all results, and the one at hand


def test_who_holds_the_peak() -> None:
    def f(x: Any) -> Any:
        big = np.broadcast_to(x, (100, *x.shape))  # this line
        return (big * big).sum()

    found = cost(f)(X)
    assert {row.name for row in found.operators if row.peak} == {"broadcast", "mul"}
    line = max(found.lines, key=lambda row: row.peak)
    assert line.name.startswith("test_cost.py:")
    assert found.arguments == X.nbytes
    assert sum(row.peak for row in found.operators) + found.arguments == found.peak
    assert sum(row.peak for row in found.lines) + found.arguments == found.peak


# --- the view ---------------------------------------------------------------------------


def test_rows_add_up_and_name_lines() -> None:
    def f(w: Any, x: Any) -> Any:
        y = x @ w  # the product
        return np.exp(y).sum()

    found = cost(fn.grad(f))(W, X)
    for rows in (found.operators, found.lines):
        assert sum(r.flops for r in rows) == found.flops
        assert sum(r.bytes for r in rows) == found.bytes
        assert sum(r.transcendentals for r in rows) == found.transcendentals
    assert found.lines[0].source is not None
    assert found.lines[0].source.line == f.__code__.co_firstlineno + 1
    text = found.text(120)
    assert "y = x @ w  # the product" in text
    assert "by operator" in text
    assert "█" in text


def test_quantities() -> None:
    shown = {
        0: "0 ",
        999: "999 ",
        1000: "1 k",
        1234: "1.23 k",
        999_999: "1 M",
        5e9: "5 G",
        2e12: "2 T",
    }
    assert {n: quantity(n) for n in shown} == shown


def test_types_programs_and_size() -> None:
    found = cost(lambda x: x @ x)(fn.ArrayType((10**5, 10**5), onp.float32))
    assert found.flops == 2 * 10**15
    program = fn.trace(lambda x: x @ x)(onp.ones((4, 4), onp.float32))
    assert cost(program).flops == 128


def test_long_programs_take_linear_time() -> None:
    def chain(n: int) -> Any:
        return fn.trace(lambda x: [x := np.sin(x) * 2.0 for _ in range(n // 2)][-1])(X)

    def seconds(program: Any) -> float:
        start = time.perf_counter()
        cost(program).text()
        return time.perf_counter() - start

    short, long = chain(1_000), chain(10_000)
    assert len(long.equations) == 10_000
    least = min(seconds(short) for _ in range(3))
    assert min(seconds(long) for _ in range(2)) < 25 * least + 0.5
    assert cost(long).transcendentals == 5_000 * math.prod(X.shape)
