"""A trace stands in for calling a function again only while nothing it sees has changed."""

import functools
import itertools
import random
import time
import types

import jax
import numpy as np
import pytest

import fn
from fn.ops import add, cummax, cummin, mul, neg, sin

FACTOR = 2.0
TABLE = {"factor": 2.0}
NAMES = ["sin"]


class Settings:
    def __init__(self) -> None:
        self.factor = 2.0
        self.inner = types.SimpleNamespace(factor=2.0)


SETTINGS = Settings()


class Slotted:
    __slots__ = ("factor",)

    def __init__(self) -> None:
        self.factor = 2.0


def _traced(make, x: float = 3.0, times: int = 4) -> int:
    """How often a function is traced if it is made anew and differentiated several times."""
    count = 0
    original = fn.core._traced.Trace

    def counting(*args, **kwargs):
        nonlocal count
        count += 1
        return original(*args, **kwargs)

    fn.core._traced.Trace = counting
    try:
        for _ in range(times):
            fn.grad(make())(x)
    finally:
        fn.core._traced.Trace = original
    return count


# --- once -------------------------------------------------------------------------------


def _square(x):
    return mul(x, x)


def _scaled(factor):
    return lambda x: mul(x, factor)


class Model:
    def __init__(self, factor) -> None:
        self.factor = factor

    def loss(self, x):
        return mul(x, self.factor)

    def __call__(self, x):
        return mul(x, self.factor)


@pytest.mark.parametrize(
    "make",
    [
        lambda: _square,
        lambda: lambda x: mul(x, x),
        lambda: _scaled(2.0),
        lambda: functools.partial(mul, 2.0),
        lambda: functools.partial(lambda x, y: mul(x, y), y=2.0),
        lambda: lambda x, f=sin: f(x),
        lambda: lambda x: mul(x, FACTOR * TABLE["factor"]),
        lambda: Model(2.0).loss,
        lambda: Model(2.0),
        lambda: fn.jit(_square),
        lambda: fn.grad(lambda x: mul(x, mul(x, x))),
        lambda: lambda x: mul(x, np.pi),
        lambda: lambda x: mul(x, np.array([1.0, 2.0])[0]),
        lambda: lambda x: mul(x, max(1.0, 2.0, len("abc"))),
    ],
)
def test_a_function_made_anew_is_traced_once(make) -> None:
    fn.clear_trace_cache()
    assert _traced(make, times=1) >= 1
    assert _traced(make, times=4) == 0


def test_a_function_that_counts_its_own_calls_is_traced_once() -> None:
    calls = []

    def f(x):
        calls.append(1)
        return mul(x, x)

    for _ in range(5):
        fn.grad(f)(2.0)
    assert len(calls) == 1


# --- again ------------------------------------------------------------------------------


def test_changed_closure() -> None:
    factor = 2.0

    def f(x):
        return mul(x, factor)

    assert float(fn.grad(f)(1.0)) == 2.0
    factor = 5.0
    assert float(fn.grad(f)(1.0)) == 5.0


def test_changed_global(monkeypatch: pytest.MonkeyPatch) -> None:
    def f(x):
        return mul(x, FACTOR)

    assert float(fn.grad(f)(1.0)) == 2.0
    monkeypatch.setitem(globals(), "FACTOR", 5.0)
    assert float(fn.grad(f)(1.0)) == 5.0


def test_changed_function_that_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    def f(x):
        return _square(x)

    assert float(fn.grad(f)(1.0)) == 2.0
    monkeypatch.setitem(globals(), "_square", neg)
    assert float(fn.grad(f)(1.0)) == -1.0


@pytest.mark.parametrize(
    ("f", "change"),
    [
        (lambda x: mul(x, TABLE["factor"]), lambda v: TABLE.update(factor=v)),
        (lambda x: mul(x, SETTINGS.factor), lambda v: setattr(SETTINGS, "factor", v)),
        (lambda x: mul(x, SETTINGS.inner.factor), lambda v: setattr(SETTINGS.inner, "factor", v)),
        (lambda x: mul(x, float(NAMES[0] == "sin") * 3 + 2), None),
    ],
)
def test_changed_content(f, change) -> None:
    if change is None:
        NAMES[0] = "cos"
        assert float(fn.grad(f)(1.0)) == 2.0
        NAMES[0] = "sin"
        assert float(fn.grad(f)(1.0)) == 5.0
        return
    change(2.0)
    assert float(fn.grad(f)(1.0)) == 2.0
    change(5.0)
    assert float(fn.grad(f)(1.0)) == 5.0
    change(2.0)
    assert float(fn.grad(f)(1.0)) == 2.0


def test_changed_list_that_grows() -> None:
    layers = [sin]

    def f(x):
        for layer in layers:
            x = layer(x)
        return x

    assert float(fn.grad(f)(0.0)) == 1.0
    layers.append(neg)
    assert float(fn.grad(f)(0.0)) == -1.0


def test_changed_slot_and_default() -> None:
    held = Slotted()

    def f(x, scale=1.0):
        return mul(x, held.factor * scale)

    assert float(fn.grad(f)(1.0)) == 2.0
    held.factor = 3.0
    assert float(fn.grad(f)(1.0)) == 3.0
    f.__defaults__ = (2.0,)
    assert float(fn.grad(f)(1.0)) == 6.0


def test_changed_keyword_default() -> None:
    def f(x, *, scale=1.0):
        return mul(x, scale)

    assert float(fn.grad(f)(1.0)) == 1.0
    f.__kwdefaults__ = {"scale": 2.0}
    assert float(fn.grad(f)(1.0)) == 2.0


def test_changed_numpy_array_in_place() -> None:
    weights = np.array([2.0], np.float32)

    def f(x):
        return mul(x, weights)

    assert fn.vjp(f, np.float32(1))[1](np.ones(1, np.float32))[0] == 2.0
    weights[0] = 5.0
    assert fn.vjp(f, np.float32(1))[1](np.ones(1, np.float32))[0] == 5.0


def test_changed_jax_array_by_identity() -> None:
    weights = jax.numpy.asarray(2.0)

    def f(x):
        return mul(x, weights)

    assert float(fn.grad(f)(1.0)) == 2.0
    weights = jax.numpy.asarray(5.0)
    assert float(fn.grad(f)(1.0)) == 5.0


def test_changed_attribute_of_a_bound_method_and_its_class(monkeypatch: pytest.MonkeyPatch) -> None:
    model = Model(2.0)
    assert float(fn.grad(model.loss)(1.0)) == 2.0
    model.factor = 5.0
    assert float(fn.grad(model.loss)(1.0)) == 5.0
    assert float(fn.grad(model)(1.0)) == 5.0
    monkeypatch.setattr(Model, "loss", lambda self, x: mul(x, 7.0))
    assert float(fn.grad(model.loss)(1.0)) == 7.0


def test_functions_of_fn_are_told_apart() -> None:
    x = np.array([1.0, 3.0, 2.0], np.float32)
    results = [fn.vjp(lambda x, f=f: f(x, axis=0, reverse=False), x)[0] for f in (cummax, cummin)]
    assert [list(map(float, r)) for r in results] == [[1, 3, 3], [1, 1, 1]]
    for f in (sin, neg):
        assert float(fn.grad(lambda x, f=f: f(x))(0.0)) == {sin: 1.0, neg: -1.0}[f]


@pytest.mark.parametrize("values", [(1.0, 1), (0.0, -0.0), (True, 1), ("a", "b"), (None, False)])
def test_similar_values_are_told_apart(values) -> None:
    seen = []
    for value in values:
        fn.eval_type(lambda x, value=value: (seen.append(value), x)[1])(1.0)
    assert [(type(v), repr(v)) for v in seen] == [(type(v), repr(v)) for v in values]


@pytest.mark.parametrize(
    "impure",
    [
        lambda x: mul(x, np.random.uniform()),
        lambda x: mul(x, random.random()),
        lambda x: mul(x, time.time()),
        lambda x: (print("hello"), x)[1],
        lambda x: (open(__file__).close(), x)[1],
    ],
)
def test_what_cannot_be_known_is_traced_every_time(
    impure, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _traced(lambda: impure) == 4


def test_host_randomness_is_drawn_anew() -> None:
    np.random.seed(0)

    def f(x):
        return mul(x, np.random.uniform())

    assert len({float(fn.grad(f)(1.0)) for _ in range(5)}) == 5


def test_random_generators_and_iterators_in_a_closure() -> None:
    rng = np.random.default_rng(0)
    numbers = itertools.count()

    def draws(x):
        return mul(x, rng.uniform())

    def counts(x):
        return mul(x, float(next(numbers)))

    assert len({float(fn.grad(draws)(1.0)) for _ in range(4)}) == 4
    assert [float(fn.grad(counts)(1.0)) for _ in range(4)] == [0, 1, 2, 3]


def test_a_cyclic_environment() -> None:
    loop: list = [2.0]
    loop.append(loop)

    def f(x):
        return mul(x, loop[1][1][0])

    assert float(fn.grad(f)(1.0)) == 2.0
    loop[0] = 3.0
    assert float(fn.grad(f)(1.0)) == 3.0


def test_static_arguments_that_change_inside() -> None:
    model = Model(2.0)

    def f(x, model):
        return mul(x, model.factor)

    assert float(fn.grad(f)(1.0, model)) == 2.0
    model.factor = 5.0
    assert float(fn.grad(f)(1.0, model)) == 5.0


def test_the_cache_is_forgotten_on_request() -> None:
    calls = []

    def f(x):
        calls.append(1)
        return add(x, x)

    fn.grad(f)(1.0)
    fn.clear_trace_cache()
    fn.grad(f)(1.0)
    assert len(calls) == 2


def test_traces_made_inside_another_are_reused_there_only() -> None:
    def outer(x):
        def inner(y):
            return mul(x, y)

        return add(fn.grad(inner)(1.0), fn.grad(inner)(2.0))

    assert float(fn.grad(outer)(3.0)) == 2.0
    assert float(fn.grad(outer)(4.0)) == 2.0
    assert float(outer(4.0)) == 8.0
