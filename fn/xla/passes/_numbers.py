"""Simplification of arithmetic, logic, conversions and choices. Exact for IEEE numbers, see `_simplify.py`."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

from fn.core import Atom, Equation, Literal, Program, is_complex, is_float, is_integer
from fn.xla.passes._rules import Rule, Scope, instead, is_number, same
from fn.xla.passes._shapes import joined_pads

# Series and iterations, which XLA rounds differently when an operand is the same everywhere.
_UNEVEN = frozenset({
    "betainc", "igamma", "igamma_grad_a", "igammac", "polygamma", "random_gamma_grad", "zeta",
})  # fmt: skip


def narrow(scope: Scope, e: Equation) -> Equation | None:
    """An elementwise operation beside whose full operands a spread scalar is as good as the scalar."""
    if not e.outputs[0].type.shape or e.primitive.name in _UNEVEN:
        return None
    inputs = list(e.inputs)
    full = sum(bool(a.type.shape) for a in inputs)
    for i, a in enumerate(inputs):
        if full < 2:
            break
        spread = scope.made(a, "broadcast")
        if spread is not None and not spread.params["axes"]:
            inputs[i] = spread.inputs[0]
            full -= 1
    if inputs == list(e.inputs):
        return None
    return Equation(e.primitive, tuple(inputs), e.outputs, e.params, e.source)


# --- arithmetic -------------------------------------------------------------------------


def _neg(scope: Scope, e: Equation) -> Equation | Atom | None:
    inner = scope.made(e.inputs[0], "neg")
    return None if inner is None else same(e, inner.inputs[0])


def _add(scope: Scope, e: Equation) -> Equation | Atom | None:
    x, y = e.inputs
    for a, b in ((x, y), (y, x)):
        if is_number(b, 0 if is_integer(b.type.dtype) else -0.0):
            return same(e, a)
    for a, b in ((x, y), (y, x)):
        minus = scope.made(b, "neg")
        if minus is not None:
            return instead(e, "sub", a, minus.inputs[0])
    return joined_pads(scope, e) if x in scope.pieces and y in scope.pieces else None


def _sub(scope: Scope, e: Equation) -> Equation | Atom | None:
    x, y = e.inputs
    if is_number(y, 0.0):
        return same(e, x)
    minus = scope.made(y, "neg")
    return None if minus is None else instead(e, "add", x, minus.inputs[0])


def _mul(scope: Scope, e: Equation) -> Equation | Atom | None:
    x, y = e.inputs
    for a, b in ((x, y), (y, x)):
        if is_number(b, 1):
            return same(e, a)
        if is_number(b, 0) and is_integer(b.type.dtype):
            out = e.outputs[0].type
            zero = Literal(0, out.with_shape(()))
            return instead(e, "broadcast", zero, shape=out.shape, axes=()) if out.shape else zero
    if is_complex(x.type.dtype):
        return None
    minus = [scope.made(a, "neg") for a in (x, y)]
    if minus[0] is not None and minus[1] is not None:
        return instead(e, "mul", minus[0].inputs[0], minus[1].inputs[0])
    return None


def _div(scope: Scope, e: Equation) -> Equation | Atom | None:
    x, y = e.inputs
    return same(e, x) if is_number(y, 1) else None


def _both_the_same(scope: Scope, e: Equation) -> Equation | Atom | None:
    x, y = e.inputs
    return same(e, x) if x is y else None


def _logic(scope: Scope, e: Equation) -> Equation | Atom | None:
    x, y = e.inputs
    if x is y:
        return same(e, x)
    if x.type.dtype != np.bool_:
        return None
    neutral = e.primitive.name == "and"
    for a, b in ((x, y), (y, x)):
        if isinstance(b, Literal):
            if bool(b.value) == neutral:
                return same(e, a)
            shape = e.outputs[0].type.shape
            return instead(e, "broadcast", b, shape=shape, axes=()) if shape else same(e, b)
    return None


def _not(scope: Scope, e: Equation) -> Equation | Atom | None:
    inner = scope.made(e.inputs[0], "not")
    return None if inner is None else same(e, inner.inputs[0])


def _integer_pow(scope: Scope, e: Equation) -> Equation | Atom | None:
    return same(e, e.inputs[0]) if e.params["exponent"] == 1 else None


def _identity(scope: Scope, e: Equation) -> Equation | Atom | None:
    return same(e, e.inputs[0])


# --- convert ----------------------------------------------------------------------------


def _convert(scope: Scope, e: Equation) -> Equation | Atom | None:
    x, out = e.inputs[0], e.outputs[0].type
    if x.type is out:
        return x
    inner = scope.made(x, "convert")
    if inner is None:
        return None
    y = inner.inputs[0]
    if not _same_by_way_of(y.type.dtype, x.type.dtype, out.dtype):
        return None
    return y if y.type is out else instead(e, "convert", y, dtype=out.dtype, weak=out.weak)


def _same_by_way_of(first: np.dtype[Any], middle: np.dtype[Any], last: np.dtype[Any]) -> bool:
    """Whether converting by way of `middle` is converting directly."""
    if middle in (first, last):  # one of the two changes nothing but weakness
        return True
    if not _holds(first, middle):
        return False
    whole = is_integer(first) or first == np.bool_
    # Negative numbers become unsigned by wrapping around from integers, but not from floats.
    return first == last or not (whole and is_float(middle) and is_integer(last))


def _holds(small: np.dtype[Any], wide: np.dtype[Any]) -> bool:
    """Whether every number of dtype `small` is one of dtype `wide`."""
    if small == np.bool_ or small == wide:
        return True
    if wide == np.bool_:
        return False
    if is_integer(small):
        info = ml_dtypes.iinfo(small)
        if is_integer(wide):
            other = ml_dtypes.iinfo(wide)
            return bool(other.min <= info.min and info.max <= other.max)
        bits = int(info.max).bit_length()
        return is_float(wide) and bits <= ml_dtypes.finfo(wide).nmant + 1 and _reaches(wide, bits)
    if is_float(small) and is_float(wide):
        a, b = ml_dtypes.finfo(small), ml_dtypes.finfo(wide)
        special = small.itemsize > 1 and wide.itemsize > 1  # 8-bit floats have no infinities
        return special and bool(
            a.nmant <= b.nmant and a.maxexp <= b.maxexp and a.minexp >= b.minexp
        )
    return False


def _reaches(dtype: np.dtype[Any], bits: int) -> bool:
    return int(ml_dtypes.finfo(dtype).maxexp) > bits


# --- choices ----------------------------------------------------------------------------


def _select(scope: Scope, e: Equation) -> Equation | Atom | None:
    predicate, x, y = e.inputs
    if isinstance(predicate, Literal) or x is y:
        taken = y if isinstance(predicate, Literal) and not predicate.value else x
        shape = e.outputs[0].type.shape
        if taken.type.shape != shape and not taken.type.weak:
            return instead(e, "broadcast", taken, shape=shape, axes=())
        return same(e, taken)
    other = scope.made(predicate, "not")
    return None if other is None else instead(e, "select", other.inputs[0], y, x)


def _switch(scope: Scope, e: Equation) -> Equation | None:
    """A branch that is known is a call."""
    index, branches = e.inputs[0], e.params["branches"]
    if not isinstance(index, Literal):
        return None
    branch: Program = branches[min(max(int(index.value), 0), len(branches) - 1)]
    if branch.out_types != tuple([v.type for v in e.outputs]):
        return None
    return instead(e, "call", *e.inputs[1:], program=branch)


RULES: dict[str, Rule] = {
    "neg": _neg, "add": _add, "sub": _sub, "mul": _mul, "div": _div, "maximum": _both_the_same,
    "minimum": _both_the_same, "and": _logic, "or": _logic, "not": _not, "integer_pow": _integer_pow,
    "convert": _convert, "select": _select, "switch": _switch, "stop_gradient": _identity,
    "name": _identity,
}  # fmt: skip
