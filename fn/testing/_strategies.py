"""Strategies for hypothesis: types, arrays, trees, keys, index expressions, Programs, transforms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from fn.core import (
    ArgumentError,
    ArrayType,
    Program,
    is_complex,
    is_float,
    is_integer,
    type_of,
)
from fn.testing._extra import array_strategies, pretty, strategies
from fn.testing._inputs import example_inputs
from fn.testing._programs import draw_program
from fn.testing._spec import parse_type
from fn.testing._stacks import Stack, draw_stack

_USUAL = ("float32", "int32", "bool", "complex64", "float16", "bfloat16", "uint8")


class _Drawn:
    """Choices that hypothesis makes, and makes smaller."""

    def __init__(self, draw: Callable[[Any], Any]) -> None:
        self._draw = draw

    def integer(self, low: int, high: int) -> int:
        number: int = self._draw(strategies.integers(low, high))
        return number


# A failing example shows the whole Program, as text that can be pasted.
def _show_program(program: Program, printer: Any, cycle: bool) -> None:
    printer.text(f'Program.parse("""\n{program}\n""")')


pretty.for_type_by_name(Program.__module__, Program.__name__, _show_program)


def types(
    dtypes: Sequence[Any] = _USUAL, *, min_rank: int = 0, max_rank: int = 3, max_size: int = 4
) -> Any:
    """Array types.

    Args:
        dtypes: the dtypes to choose from, the simplest first.
        min_rank: least number of axes.
        max_rank: greatest number of axes.
        max_size: greatest size of an axis; 0 is among them.

    >>> import fn, hypothesis
    >>> found = hypothesis.find(fn.testing.types(), lambda t: t.ndim == 2)
    >>> found
    f32[0,0]
    """
    shapes = strategies.lists(
        strategies.integers(0, max_size), min_size=min_rank, max_size=max_rank
    )
    kinds = strategies.sampled_from([np.dtype(d) for d in dtypes])
    return strategies.builds(lambda s, d: ArrayType(tuple(s), d), shapes, kinds)


def _elements(type: ArrayType, low: Any, high: Any, finite: bool) -> Any:
    dtype = type.dtype
    if dtype == np.bool_:
        return strategies.booleans()
    if is_integer(dtype):
        info = np.iinfo(dtype)
        least = int(info.min) if low is None else int(low)
        return strategies.integers(least, int(info.max) if high is None else int(high))
    bounds = None if low is None and high is None else (low, high)
    if is_complex(dtype):
        most = None if bounds is None else max(abs(float(b)) for b in bounds if b is not None)
        return strategies.complex_numbers(
            max_magnitude=1e3 if most is None and finite else most, allow_nan=not finite,
            allow_infinity=not finite, width=64 if dtype.itemsize == 8 else 128,
        )  # fmt: skip
    if finite and bounds is None:
        low, high = -1e3, 1e3
    width: Any = 16 if dtype == np.float16 else 64 if dtype.itemsize == 8 else 32
    return strategies.floats(
        low, high, allow_nan=not finite, allow_infinity=not finite and bounds is None, width=width,
        allow_subnormal=False,
    )  # fmt: skip


def arrays(
    type: Any = None, *, low: float | None = None, high: float | None = None, finite: bool = True
) -> Any:
    """NumPy arrays.

    Args:
        type: a type (`fn.ArrayType`, or a text such as `"f32[2,3]"`), or a strategy of types; any usual
            type by default.
        low: least value.
        high: greatest value; for complex numbers, of the modulus.
        finite: whether NaN and infinities are left out; then numbers are at most a thousand, unless
            `low` and `high` say something else.

    >>> import fn, hypothesis
    >>> hypothesis.find(fn.testing.arrays("f32[2]"), lambda x: x.sum() > 1).dtype
    dtype('float32')
    """
    if type is None:
        type = types()
    if isinstance(type, strategies.SearchStrategy):
        return type.flatmap(lambda t: arrays(t, low=low, high=high, finite=finite))
    kind = _read_type(type)
    # NumPy's own dtypes are drawn as such; bfloat16 and its like by way of float32.
    native = not (is_float(kind.dtype) and kind.dtype.kind == "V")
    drawn = kind.dtype if native else np.dtype(np.float32)
    inner = ArrayType(kind.shape, drawn)
    found = array_strategies.arrays(drawn, kind.shape, elements=_elements(inner, low, high, finite))
    return found if native else found.map(lambda x: x.astype(kind.dtype))


def _read_type(given: Any) -> ArrayType:
    if isinstance(given, str):
        opened = parse_type(given)
        if opened is not None and all(isinstance(d, int) for d in opened.dims):
            return opened.at({}, ())
    kind = None if isinstance(given, str) else type_of(given)
    if kind is None:
        raise ArgumentError(
            "arrays: not a type", expected='fn.ArrayType, a text such as "f32[2,3]", or a strategy of types',
            got=repr(given),
        )  # fmt: skip
    return kind


class Pair(NamedTuple):
    """A node of random trees that is a NamedTuple."""

    first: Any
    second: Any


def pytrees(leaves: Any = None, *, max_leaves: int = 6, static: bool = True) -> Any:
    """Trees of dicts, tuples, lists and NamedTuples.

    Args:
        leaves: a strategy of array leaves; small float32 arrays by default.
        max_leaves: about how many leaves at most.
        static: whether there are leaves that are no arrays: None, strings, and Python numbers.

    >>> import fn, hypothesis, jax
    >>> tree = hypothesis.find(fn.testing.pytrees(), lambda t: len(jax.tree.leaves(t)) == 2)
    """
    if leaves is None:
        leaves = arrays(types(("float32",), max_rank=1, max_size=2))
    if static:
        words = strategies.sampled_from(["linear", "relu"])
        leaves = strategies.one_of(leaves, strategies.none(), words, strategies.integers(-3, 3))
    names = strategies.sampled_from(["w", "b", "x", "scale"])

    def grow(children: Any) -> Any:
        return strategies.one_of(
            strategies.dictionaries(names, children, max_size=3),
            strategies.lists(children, max_size=3).map(tuple),
            strategies.lists(children, max_size=3),
            strategies.builds(Pair, children, children),
        )

    return strategies.recursive(leaves, grow, max_leaves=max_leaves)


def keys() -> Any:
    """Random keys, `u32[2]`, from seeds.

    >>> import fn, hypothesis
    >>> hypothesis.find(fn.testing.keys(), lambda key: True).tolist()
    [0, 0]
    """
    halves = strategies.integers(0, 2**32 - 1)
    return strategies.tuples(halves, halves).map(lambda words: np.array(words, np.uint32))


@strategies.composite
def index_expressions(draw: Any, shape: Sequence[int]) -> Any:
    """What may stand in `x[...]` for an array of this shape.

    Integers, slices, `...`, None, integer arrays and boolean masks, negative ones included, none of them
    out of range.

    >>> import fn, hypothesis, numpy
    >>> index = hypothesis.find(fn.testing.index_expressions((3, 4)), lambda i: isinstance(i, tuple))
    >>> numpy.zeros((3, 4))[index].size >= 0
    True
    """
    parts: list[Any] = []
    axis = 0
    dotted = masked = False
    while axis < len(shape):
        n = shape[axis]
        options = ["slice", "all", "end"]
        options += ["integer", "array"] if n else []
        options += ["none"] if len(parts) < 6 else []
        options += [] if dotted else ["dots"]
        options += [] if masked else ["mask"]
        choice = draw(strategies.sampled_from(options))
        if choice == "end":
            break
        if choice == "none":
            parts.append(None)
            continue
        if choice == "dots":
            dotted = True
            parts.append(...)
            axis = max(axis, len(shape) - draw(strategies.integers(0, len(shape) - axis)))
            continue
        parts.append(_index_part(draw, choice, n))
        masked = masked or choice == "mask"
        axis += 1
    return parts[0] if len(parts) == 1 and draw(strategies.booleans()) else tuple(parts)


def _index_part(draw: Any, choice: str, n: int) -> Any:
    if choice == "integer":
        return draw(strategies.integers(-n, n - 1))
    if choice == "all":
        return slice(None)
    if choice == "slice":
        bound = strategies.one_of(strategies.none(), strategies.integers(-n - 1, n + 1))
        step = draw(strategies.sampled_from([None, 2, -1, -2]))
        return slice(draw(bound), draw(bound), step)
    if choice == "mask":
        return draw(array_strategies.arrays(bool, (n,)))
    # One length for all index arrays, so that they broadcast against each other.
    return draw(array_strategies.arrays(np.int32, (2,), elements=strategies.integers(-n, n - 1)))


@strategies.composite
def programs(draw: Any, *, size: int = 8, depth: int = 2, reverse: bool = True) -> Program:
    """Random well-typed Programs over all primitives, with branches, loops and calls within.

    They shrink to few operations, each the plainest. Evaluated at `program_inputs(program)` they stay
    finite, and every operation is where it is defined.

    Args:
        size: at most so many operations, besides those that bring operands into form.
        depth: levels of Programs within Programs.
        reverse: whether all of them have derivatives in reverse mode; without, loops without a bound
            and some more operations are among them.

    >>> import fn, hypothesis
    >>> found = hypothesis.find(fn.testing.programs(), lambda p: "sort" in str(p))
    >>> fn.Program.parse(str(found)) == found
    True
    """
    return draw_program(_Drawn(draw), size=size, depth=depth, reverse=reverse)


def arguments(program: Program) -> Any:
    """Arguments for a random Program, from a seed; everything it computes of them is finite.

    >>> import fn, hypothesis
    >>> program = fn.testing.random_program(3)
    >>> args = hypothesis.find(fn.testing.arguments(program), lambda xs: True)
    >>> results = fn.evaluate(program, args)
    """
    own = program.in_types[: len(program.inputs) - len(program.captured)]
    return strategies.integers(0, 2**32 - 1).map(lambda seed: example_inputs(own, seed))


@strategies.composite
def transform_stacks(draw: Any, *, most: int = 3, reverse: bool = True) -> Stack:
    """Random compositions of transforms: jit, vmap, jvp, linearize, vjp, grad of the sum, remat.

    Args:
        most: how many at most; two of them derivatives.
        reverse: whether there are derivatives among them.

    >>> import fn, hypothesis
    >>> hypothesis.find(fn.testing.transform_stacks(), lambda stack: len(stack) == 2)
    Stack([Jit(), Jit()])
    """
    return draw_stack(_Drawn(draw), most, reverse)
