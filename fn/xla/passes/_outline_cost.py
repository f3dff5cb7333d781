"""What equations cost on a CPU, roughly, and which of them XLA's CPU compiler fuses with their users."""

from __future__ import annotations

from functools import lru_cache
from math import prod

from fn.core import ArrayType, Equation, Literal, Primitive, Program, elementwise

# Measured on one core: arithmetic in large and small products, and moving bytes.
_FLOPS_PER_NS = 20.0
BYTES_PER_NS = 8.0
_TRANSCENDENTAL_NS = 1.0

_MOVES = frozenset(
    {
        "broadcast", "concatenate", "dynamic_slice", "dynamic_update_slice", "gather", "iota", "pad",
        "reshape", "reverse", "slice", "transpose",
    }
)  # fmt: skip
_REDUCTIONS = frozenset(
    {
        "argmax", "argmin", "reduce_and", "reduce_max", "reduce_min", "reduce_or", "reduce_prod",
        "reduce_sum", "reduce_xor",
    }
)  # fmt: skip
# Elementwise, but nothing to be computed twice.
_DEAR = frozenset(
    {
        "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "bessel_i0e", "bessel_i1e",
        "betainc", "cbrt", "cos", "cosh", "digamma", "erf", "erf_inv", "erfc", "exp", "exp2", "expm1",
        "igamma", "igamma_grad_a", "igammac", "lgamma", "log", "log1p", "logistic", "polygamma", "pow",
        "random_gamma_grad", "sin", "sinh", "tan", "tanh", "zeta",
    }
)  # fmt: skip
# Names that may not move between computations: they say where something is, not what.
_PLACES = frozenset({"axis_index", "name", "optimization_barrier", "random_clone"})


@lru_cache(maxsize=8192)
def size(type: ArrayType) -> int:
    """Bytes of an array of this type."""
    return int(type.size * type.dtype.itemsize)


def fuses(primitive: Primitive) -> bool:
    """Whether XLA computes this inside the loop of whatever uses it."""
    return primitive.batch is elementwise or primitive.name in _MOVES


def reduces(primitive: Primitive) -> bool:
    """Whether this is a reduction: producers are fused into it, it into nothing."""
    return primitive.name in _REDUCTIONS


def cheap(primitive: Primitive) -> bool:
    """Whether computing this again costs less than keeping it: it fuses, and is no special function."""
    name = primitive.name
    return fuses(primitive) and name not in _DEAR and name not in _PLACES


def work(equation: Equation) -> float:
    """Nanoseconds on one core, if what fuses is fused."""
    primitive, outputs = equation.primitive, equation.outputs
    name = primitive.name
    if name == "dot_general":
        (axes, _), shape = equation.params["contract"], equation.inputs[0].type.shape
        return 2.0 * prod([outputs[0].type.size, *[shape[a] for a in axes]]) / _FLOPS_PER_NS
    if name == "conv":
        kernel = equation.inputs[1].type
        widest = max(kernel.shape, default=1) or 1
        return 2.0 * outputs[0].type.size * kernel.size / widest / _FLOPS_PER_NS
    if primitive.multiple:
        times: int = equation.params.get("length", 1)
        inside = sum(map(program_work, Program((), (equation,), ()).subprograms()))
        return times * inside or moved(equation)
    if name in _DEAR:
        return outputs[0].type.size * _TRANSCENDENTAL_NS
    if fuses(primitive):
        return outputs[0].type.size / BYTES_PER_NS
    return moved(equation)


def moved(equation: Equation) -> float:
    """Nanoseconds to read the inputs of `equation` and write its outputs."""
    taken = sum([size(a.type) for a in equation.inputs if not isinstance(a, Literal)])
    return (taken + sum([size(v.type) for v in equation.outputs])) / BYTES_PER_NS


def program_work(program: Program) -> float:
    """`work` of all equations; remembered."""
    found: float | None = program.cache.get("work")
    if found is None:
        found = program.cache["work"] = sum(map(work, program.equations))
    return found
