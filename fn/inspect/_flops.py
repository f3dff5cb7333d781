"""How much arithmetic an operation takes, and how many bytes it reads and writes: one entry each.

Floating-point operations are counted as XLA counts them: one per element of an elementwise result,
comparisons and conversions included; two for a product that is added. Transcendental functions count
apart, one per element. Factorizations are counted by the leading term of the textbook's algorithm.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from fn.core import ArrayType, Equation, Literal, Property, is_complex


class Work(NamedTuple):
    """What one run of an operation takes."""

    flops: int = 0
    transcendentals: int = 0
    bytes: int = 0
    known: bool = True
    """False for an operation nobody has counted, such as a call of a Python function."""


def bytes_of(type: ArrayType) -> int:
    """Bytes of an array of this type."""
    return int(type.size * type.dtype.itemsize)


_TRANSCENDENTAL = frozenset(
    [
        "acos",
        "acosh",
        "asin",
        "asinh",
        "atan",
        "atan2",
        "atanh",
        "cbrt",
        "cos",
        "cosh",
        "digamma",
        "erf",
        "erf_inv",
        "erfc",
        "exp",
        "exp2",
        "expm1",
        "lgamma",
        "log",
        "log1p",
        "logistic",
        "pow",
        "rsqrt",
        "sin",
        "sinh",
        "sqrt",
        "tan",
        "tanh",
        "bessel_i0e",
        "bessel_i1e",
        "betainc",
        "betainc_ratio",
        "betaln",
        "cosine_integral",
        "dawsn",
        "erfcx",
        "exp1",
        "expi",
        "expn",
        "fresnel_cosine",
        "fresnel_sine",
        "hyp1f1",
        "hyp1f1_by_a",
        "hyp1f1_by_b",
        "hyp2f1",
        "hyp2f1_by_a",
        "hyp2f1_by_b",
        "hyp2f1_by_c",
        "igamma",
        "igamma_curvature",
        "igamma_grad_a",
        "igammac",
        "inverse_mills",
        "log_ndtr",
        "ndtri",
        "owens_t",
        "polygamma",
        "sine_integral",
        "spence",
        "wofz",
        "xlog1py",
        "xlogy",
        "zeta",
    ]
)
VIEWS = frozenset({"reshape", "bitcast", "name", "stop_gradient", "optimization_barrier", "tag"})
"""Operations whose result is their operand, in the same place."""
_MOVES = frozenset(
    [
        "broadcast",
        "iota",
        "transpose",
        "reverse",
        "concatenate",
        "pad",
        "slice",
        "dynamic_slice",
        "dynamic_update_slice",
        "gather",
        "scatter_set",
        "all_gather",
        "ppermute",
        "axis_index",
        "real",
        "imag",
        "complex",
    ]
)
_PARTS = frozenset({"slice", "dynamic_slice", "gather"})


def work(equation: Equation) -> Work:
    """What an equation without Programs inside takes."""
    name = equation.primitive.name
    ins = [a.type for a in equation.inputs]
    outs = [v.type for v in equation.outputs]
    read = sum(bytes_of(a.type) for a in equation.inputs if not isinstance(a, Literal))
    moved = _bytes(name, ins, outs, read)
    if name in VIEWS or name in _MOVES:
        return Work(bytes=moved)
    size = sum(t.size for t in outs)
    if name in _TRANSCENDENTAL:
        return Work(transcendentals=size, bytes=moved)
    count = _COUNTS.get(name)
    if count is not None:
        return Work(int(count(ins, outs, equation.params)), bytes=moved)
    if equation.primitive.batch is Property.ELEMENTWISE:
        each = 2 if any(is_complex(t.dtype) for t in outs) else 1
        return Work(each * size, bytes=moved)
    return Work(bytes=moved, known=False)


def _bytes(name: str, ins: list[ArrayType], outs: list[ArrayType], read: int) -> int:
    if name in VIEWS:
        return 0
    result = sum(map(bytes_of, outs))
    if name in _PARTS:  # only what is taken is read
        return 2 * result + sum(map(bytes_of, ins[1:]))
    if name == "dynamic_update_slice":  # in place
        return 2 * bytes_of(ins[1])
    if name.startswith("scatter_"):
        return 3 * bytes_of(ins[2]) + bytes_of(ins[1])
    return read + result


# --- operation by operation -------------------------------------------------------------

_Count = Callable[[list[ArrayType], list[ArrayType], Any], Any]


def _mul(ins: list[ArrayType], outs: list[ArrayType], params: Any) -> Any:
    return (6 if is_complex(outs[0].dtype) else 1) * outs[0].size


def _integer_pow(ins: list[ArrayType], outs: list[ArrayType], params: Any) -> Any:
    exponent = abs(int(params["exponent"]))
    steps = max(exponent.bit_length() - 1 + exponent.bit_count() - 1, 0) + (params["exponent"] < 0)
    return steps * _mul(ins, outs, params)


def _reduce(ins: list[ArrayType], outs: list[ArrayType], params: Any) -> Any:
    return max(ins[0].size - outs[0].size, 0)


def _each_input(ins: list[ArrayType], outs: list[ArrayType], params: Any) -> Any:
    return ins[0].size


def _dot(ins: list[ArrayType], outs: list[ArrayType], params: Any) -> Any:
    summed = math.prod(ins[0].shape[a] for a in params["contract"][0])
    return (8 if is_complex(ins[0].dtype) else 2) * outs[0].size * summed


def _conv(ins: list[ArrayType], outs: list[ArrayType], params: Any) -> Any:
    x, w = ins
    (out,) = outs
    products = 1
    for d in range(len(params["strides"])):
        size = x.shape[params["x_layout"][2 + d]]
        kernel = np.arange(w.shape[params["w_layout"][2 + d]])
        places = np.arange(out.shape[params["out_layout"][2 + d]])
        at = (places * params["strides"][d])[:, None] + kernel * params["w_dilation"][d]
        at = at - params["padding"][d][0]
        spread = params["x_dilation"][d]
        # Zeros between and around the elements are not multiplied.
        products *= int(((at >= 0) & (at < (size - 1) * spread + 1) & (at % spread == 0)).sum())
    batch, features = (out.shape[params["out_layout"][i]] for i in (0, 1))
    each = 8 if is_complex(x.dtype) else 2
    return each * products * batch * features * w.shape[params["w_layout"][1]]


def _window(ins: list[ArrayType], outs: list[ArrayType], params: Any) -> Any:
    return max(ins[-1].size, outs[0].size) * max(math.prod(params["window"]) - 1, 1)


def _along(ins: list[ArrayType], outs: list[ArrayType], params: Any) -> Any:
    n = max(ins[0].shape[params["axis"]], 2) if ins[0].ndim else 2
    return sum(t.size for t in ins) * math.ceil(math.log2(n))


def _fft(ins: list[ArrayType], outs: list[ArrayType], params: Any) -> Any:
    n = math.prod(params["lengths"])
    both = is_complex(ins[0].dtype) and is_complex(outs[0].dtype)
    transforms = max(ins[0].size, outs[0].size) / max(n, 1)
    return (5 if both else 2.5) * transforms * n * math.log2(max(n, 2))


def _random(ins: list[ArrayType], outs: list[ArrayType], params: Any) -> Any:
    return 55 * sum(
        t.size * max(t.dtype.itemsize, 4) // 4 for t in outs
    )  # threefry, two words at a time


def _matrix(leading: Callable[[int, int, int], float]) -> _Count:
    """By rows and columns of the first operand, and columns of the last one, per matrix of a stack."""

    def count(ins: list[ArrayType], outs: list[ArrayType], params: Any) -> Any:
        *stack, m, n = ins[0].shape
        k = ins[-1].shape[-1] if ins[-1].ndim > 1 else 1
        each = 4 if is_complex(ins[0].dtype) else 1
        return each * math.prod(stack) * leading(m, n, k)

    return count


def _qr(m: int, n: int, k: int) -> float:
    long, short = max(m, n), min(m, n)
    return 2 * long * short**2 - 2 * short**3 / 3


def _svd(m: int, n: int, k: int) -> float:
    long, short = max(m, n), min(m, n)
    return 4 * long**2 * short + 8 * long * short**2 + 9 * short**3


_COUNTS: dict[str, _Count] = {
    "mul": _mul, "square": _mul, "integer_pow": _integer_pow,
    "dot_general": _dot, "conv": _conv,
    **dict.fromkeys(
        ["reduce_sum", "reduce_prod", "reduce_max", "reduce_min", "reduce_and", "reduce_or", "reduce_xor",
         "psum", "pmax", "pmin"], _reduce),
    **dict.fromkeys(["argmax", "argmin", "top_k", "check", "det", "slogdet"], _each_input),
    **dict.fromkeys(["cumsum", "cumprod", "cummax", "cummin", "cumlogsumexp"], _each_input),
    "linear_recurrence": lambda ins, outs, p: 2 * outs[0].size,
    **dict.fromkeys(
        ["reduce_window_sum", "reduce_window_max", "reduce_window_min", "window_argmax", "window_pick",
         "window_scatter"], _window),
    **dict.fromkeys(["scatter_add", "scatter_mul", "scatter_max", "scatter_min"],
                    lambda ins, outs, p: ins[2].size),
    "sort": _along, "fft": _fft,
    **dict.fromkeys(["threefry2x32", "random_bits", "random_split", "random_fold_in"], _random),
    "cholesky": _matrix(lambda m, n, k: n**3 / 3),
    "triangular_solve": _matrix(lambda m, n, k: n**2 * k),
    "lu": _matrix(lambda m, n, k: m * n * min(m, n) - min(m, n) ** 3 / 3),
    "lu_solve": _matrix(lambda m, n, k: 2 * n**2 * k),
    "tridiagonal_solve": lambda ins, outs, p: 8 * outs[0].size,
    "geqrf": _matrix(_qr), "qr": _matrix(lambda m, n, k: 2 * _qr(m, n, k)),
    "eigh": _matrix(lambda m, n, k: 9 * n**3), "eig": _matrix(lambda m, n, k: 25 * n**3),
    "schur": _matrix(lambda m, n, k: 25 * n**3), "eigenvalues": _matrix(lambda m, n, k: 10 * n**3),
    "svd": _matrix(_svd), "pinv": _matrix(_svd),
    "singular_values": _matrix(lambda m, n, k: 4 * max(m, n) * min(m, n) ** 2 - 4 * min(m, n) ** 3 / 3),
    "adjugate": _matrix(lambda m, n, k: 22 * n**3),
}  # fmt: skip
