"""Products of arrays: one primitive, which is closed under transposition."""

from __future__ import annotations

from typing import Any

import numpy as np

from fn.core import (
    ArrayType,
    Linear,
    Primitive,
    bind,
    dtype_name,
    is_complex,
    is_float,
    is_integer,
    public,
)
from fn.ops._elementwise import convert
from fn.ops._rules import Batched, require, result_weak, types_text
from fn.ops._shape import transpose

Ints = tuple[int, ...]
Pairs = tuple[Ints, Ints]
PRECISIONS = ("default", "high", "highest")


# --- dot_general ------------------------------------------------------------------------
@public
def dot_general(
    x: Any,
    y: Any,
    *,
    contract: Pairs,
    batch: Pairs = ((), ()),
    preferred: Any = None,
    precision: str | None = None,
) -> Any:
    """Sum of products over pairs of axes.

    The result has the batch axes, then the axes of `x` that are left, then those of `y`.

    Args:
        x: an array.
        y: an array of the same dtype.
        contract: axes of `x` and, pair by pair, axes of `y`, which are summed over.
        batch: axes of `x` and, pair by pair, of `y`, which run in parallel.
        preferred: dtype of the sums and the result; that of the operands by default.
        precision: `default`, `high` or `highest`, where the machine can trade bits for speed.

    >>> import fn, numpy as np
    >>> x, y = np.ones((2, 3), np.float32), np.ones((3, 4), np.float32)
    >>> fn.ops.dot_general(x, y, contract=((1,), (0,))).shape
    (2, 4)
    """
    preferred = None if preferred is None else np.dtype(preferred)
    return bind(
        dot_general_p, x, y,
        contract=contract, batch=batch, preferred=preferred, precision=precision,
    )  # fmt: skip


def _free(ndim: int, *taken: Ints) -> Ints:
    """The axes that are in none of these lists, in order."""
    return tuple([i for i in range(ndim) if not any(i in axes for axes in taken)])


def _family(dtype: np.dtype[Any]) -> str:
    if is_integer(dtype):
        return dtype_name(dtype)[0]
    return "float" if is_float(dtype) else "complex" if is_complex(dtype) else dtype_name(dtype)


def _dot_general_type(
    x: ArrayType, y: ArrayType, *, contract: Pairs, batch: Pairs, preferred: Any, precision: Any
) -> ArrayType:
    both = types_text([x, y])
    require(
        x.dtype == y.dtype, "dot_general: the operands' dtypes differ", expected="equal dtypes",
        got=both, fix="convert one; the fn.numpy functions promote",
    )  # fmt: skip
    require(x.dtype != np.bool_, "dot_general: wrong dtype", expected="numbers", got=both)
    for kind, (xs, ys) in (("contract", contract), ("batch", batch)):
        require(
            len(xs) == len(ys), f"dot_general: {kind} does not pair axes",
            expected="as many axes of the first operand as of the second",
            got=f"{kind}={(xs, ys)} for {both}",
        )  # fmt: skip
    for position, (which, t) in enumerate((("first", x), ("second", y))):
        axes = (*contract[position], *batch[position])
        require(
            len(set(axes)) == len(axes) and all(0 <= a < t.ndim for a in axes),
            f"dot_general: contract and batch do not fit the {which} operand",
            expected=f"distinct axes from 0 to {t.ndim - 1}" if t.ndim else "no axes of a scalar",
            got=f"contract={contract}, batch={batch} for {both}",
        )  # fmt: skip
    for kind, (xs, ys) in (("contract", contract), ("batch", batch)):
        sizes = [tuple([t.shape[a] for a in axes]) for t, axes in ((x, xs), (y, ys))]
        require(
            sizes[0] == sizes[1], f"dot_general: the sizes of the {kind} axes differ",
            expected="equal sizes, pair by pair",
            got=f"{sizes[0]} and {sizes[1]} at {kind}={(xs, ys)} for {both}",
        )  # fmt: skip
    require(
        precision is None or precision in PRECISIONS, "dot_general: there is no such precision",
        expected=f"None or one of {', '.join(PRECISIONS)}", got=repr(precision),
    )  # fmt: skip
    dtype = x.dtype
    if preferred is not None:
        require(
            _family(preferred) == _family(dtype) and preferred.itemsize >= dtype.itemsize,
            "dot_general: the preferred dtype does not hold the sums",
            expected=f"a dtype of the kind of {dtype_name(dtype)}, at least as wide",
            got=f"{dtype_name(preferred)} for {both}", fix="convert the operands or the result",
        )  # fmt: skip
        dtype = preferred
    x_free, y_free = (_free(t.ndim, contract[i], batch[i]) for i, t in enumerate((x, y)))
    shape = (*[x.shape[a] for a in (*batch[0], *x_free)], *[y.shape[a] for a in y_free])
    return ArrayType(shape, dtype, preferred is None and result_weak(x, y))


def _dot_general_transpose(
    ct: Any, x: Any, y: Any, *, contract: Pairs, batch: Pairs, preferred: Any, precision: Any
) -> tuple[Any, ...]:
    first = isinstance(x, Linear)
    operand, other = (x.type, y) if first else (y.type, x)
    x_ndim, y_ndim = (operand.ndim, np.ndim(other)) if first else (np.ndim(other), operand.ndim)
    x_free, y_free = _free(x_ndim, contract[0], batch[0]), _free(y_ndim, contract[1], batch[1])
    count = len(batch[0])
    together, middle = tuple(range(count)), count + len(x_free)
    # What is left of `other` are its contracted axes in increasing order; mine come in that order.
    mine, its = (contract[0], contract[1]) if first else (contract[1], contract[0])
    paired = [a for _, a in sorted(zip(its, mine, strict=True))]
    # The cotangent may be wider than the operands; multiply at its width, and narrow the result.
    wide = convert(other, dtype=ct.dtype)
    if first:
        theirs = tuple(range(middle, middle + len(y_free)))
        pairs = {"contract": (theirs, y_free), "batch": (together, batch[1])}
        out = dot_general(ct, wide, **pairs, precision=precision)
        order = (*batch[0], *x_free, *paired)
    else:
        # With `ct` second, the gradient of a plain matrix product needs no transposition.
        theirs = tuple(range(count, middle))
        pairs = {"contract": (x_free, theirs), "batch": (batch[0], together)}
        out = dot_general(wide, ct, **pairs, precision=precision)
        order = (*batch[1], *paired, *y_free)
    out = transpose(out, permutation=tuple(sorted(range(len(order)), key=order.__getitem__)))
    out = convert(out, dtype=operand.dtype)
    return (out, None) if first else (None, out)


def _dot_general_batch(
    axis: Any, args: Any, dims: Any, *, contract: Pairs, batch: Pairs, **options: Any
) -> Batched:
    (x, y), (dx, dy) = args, dims

    def shifted(axes: Ints, dim: int | None) -> Ints:
        return axes if dim is None else tuple([a + (a >= dim) for a in axes])

    contract = (shifted(contract[0], dx), shifted(contract[1], dy))
    batch = (shifted(batch[0], dx), shifted(batch[1], dy))
    if dx is not None and dy is not None:
        batch = ((dx, *batch[0]), (dy, *batch[1]))
        where = 0
    else:
        # The batched axis is one more free axis of its operand.
        x_free, y_free = (_free(np.ndim(a), contract[i], batch[i]) for i, a in enumerate((x, y)))
        inside = x_free.index(dx) if dy is None else len(x_free) + y_free.index(dy)
        where = len(batch[0]) + inside
    return dot_general(x, y, contract=contract, batch=batch, **options), where


def _dot_general_lower(
    emit: Any, x: Any, y: Any, *, contract: Pairs, batch: Pairs, preferred: Any, precision: Any
) -> Any:
    lists = {
        "lhs_batching_dimensions": batch[0], "rhs_batching_dimensions": batch[1],
        "lhs_contracting_dimensions": contract[0], "rhs_contracting_dimensions": contract[1],
    }  # fmt: skip
    numbers = ", ".join(f"{name} = [{', '.join(map(str, axes))}]" for name, axes in lists.items())
    level = f"#stablehlo<precision {(precision or 'default').upper()}>"
    return emit.op(
        "stablehlo.dot_general", x, y,
        attrs=f"dot_dimension_numbers = #stablehlo.dot<{numbers}>, "
        f"precision_config = [{level}, {level}]",
    )  # fmt: skip


dot_general_p = Primitive(
    name="dot_general", type=_dot_general_type, transpose=_dot_general_transpose,
    batch=_dot_general_batch, lower=_dot_general_lower,
    jvp=(
        lambda t, out, x, y, **params: dot_general(t, y, **params),
        lambda t, out, x, y, **params: dot_general(x, t, **params),
    ),
)  # fmt: skip
