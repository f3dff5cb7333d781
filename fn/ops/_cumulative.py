"""Running sums, products, extremes and log-sum-exps, and the recurrence that differentiates them.

Each has for derivative a recurrence `h[i] = a[i] * h[i - 1] + b[i]` with suitable `a` and `b`. It
is linear in `b` and, run backwards, its own transpose; so derivatives of every order stay here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fn.core import ArrayType, Primitive, bind, is_float, linear, public
from fn.ops._elementwise import convert, div, eq, mul, select, sub
from fn.ops._reduce import as_tangent, same
from fn.ops._rules import Batched, jax_lowering, require, require_axes, result_weak, types_text
from fn.ops._shape import broadcast, move_axis
from fn.ops._slicing import pad
from fn.ops._special import exp
from fn.ops._table import like, number, real


def _previous(x: Any, first: float, axis: int, reverse: bool) -> Any:
    """`x[i - 1]` at `i` (`x[i + 1]` in reverse), and `first` where there is none."""
    step = [0] * x.ndim
    step[axis] = -1 if reverse else 1
    return pad(x, value=first, low=tuple(step), high=tuple([-s for s in step]))


# --- linear_recurrence ------------------------------------------------------------------
@public
def linear_recurrence(a: Any, b: Any, *, axis: int, reverse: bool = False) -> Any:
    """`h[i] = a[i] * h[i - 1] + b[i]` along `axis`, starting from `h[0] = b[0]`.

    >>> import fn, numpy as np
    >>> fn.ops.linear_recurrence(np.float32([0, 2, 2]), np.float32([1, 1, 1]), axis=0).tolist()
    [1.0, 3.0, 7.0]
    """
    return bind(linear_recurrence_p, a, b, axis=axis, reverse=reverse)


def _linear_recurrence_type(a: ArrayType, b: ArrayType, *, axis: int, reverse: bool) -> ArrayType:
    require_axes("linear_recurrence", (axis,), a.ndim, a)
    require(
        a.shape == b.shape and a.dtype == b.dtype and number(a.dtype),
        "linear_recurrence: the operands do not fit together",
        expected="numbers of equal shape and dtype", got=types_text([a, b]),
    )  # fmt: skip
    return ArrayType(a.shape, a.dtype, result_weak(a, b))


def _wrt_factors(t: Any, out: Any, a: Any, b: Any, *, axis: int, reverse: bool) -> Any:
    before = _previous(out, 0, axis, reverse)
    return linear_recurrence(a, mul(t, before), axis=axis, reverse=reverse)


def _wrt_terms(t: Any, out: Any, a: Any, b: Any, *, axis: int, reverse: bool) -> Any:
    return linear_recurrence(a, t, axis=axis, reverse=reverse)


def _linear_recurrence_transpose(
    ct: Any, a: Any, b: Any, *, axis: int, reverse: bool
) -> tuple[Any, ...]:
    after = _previous(a, 0, axis, not reverse)
    return None, linear_recurrence(after, ct, axis=axis, reverse=not reverse)


def _linear_recurrence_batch(
    axis_: Any, args: Any, dims: Any, *, axis: int, reverse: bool
) -> Batched:
    a, b = (
        broadcast(x, shape=(axis_.size, *x.shape), axes=tuple(range(1, x.ndim + 1)))
        if d is None else move_axis(x, d, 0)
        for x, d in zip(args, dims, strict=True)
    )  # fmt: skip
    return linear_recurrence(a, b, axis=axis + 1, reverse=reverse), 0


def _wide(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """What to add in: half precision would lose the small terms of a long sum."""
    return np.dtype(np.float32) if is_float(dtype) and dtype.itemsize < 4 else dtype


def _one_by_one(a: Any, b: Any, *, axis: int, reverse: bool) -> Any:
    dtype, wide = a.dtype, _wide(a.dtype)
    a, b = jnp.moveaxis(a, axis, 0), jnp.moveaxis(b, axis, 0)

    def step(h: Any, ab: Any) -> Any:
        h = ab[0].astype(wide) * h + ab[1].astype(wide)
        return h, h.astype(dtype)

    _, out = jax.lax.scan(step, jnp.zeros(a.shape[1:], wide), (a, b), reverse=reverse)
    return jnp.moveaxis(out, 0, axis)


def _by_doubling(a: Any, b: Any, *, axis: int, reverse: bool) -> Any:
    def join(first: Any, then: Any) -> Any:
        return first[0] * then[0], first[1] * then[0] + then[1]

    wide = tuple([x.astype(_wide(x.dtype)) for x in (a, b)])
    return jax.lax.associative_scan(join, wide, axis=axis, reverse=reverse)[1].astype(b.dtype)


def _linear_recurrence_lower(emit: Any, a: Any, b: Any, *, axis: int, reverse: bool) -> Any:
    if 0 in b.type.shape:
        return b
    # On CPU the plain loop both runs and compiles faster than any log-depth form.
    function = _one_by_one if emit.platform == "cpu" else _by_doubling
    return emit.jax(function, a, b, axis=axis, reverse=reverse)


linear_recurrence_p = Primitive(
    name="linear_recurrence", type=_linear_recurrence_type, jvp=(_wrt_factors, _wrt_terms),
    transpose=_linear_recurrence_transpose, batch=_linear_recurrence_batch,
    lower=_linear_recurrence_lower,
)  # fmt: skip


# --- what the five share ----------------------------------------------------------------
def _cumulative(
    name: str, borrowed: Callable[..., Any], *, kind: Callable[..., bool], kinds: str, jvp: Any,
    transpose: Any = "it is not linear",
) -> Primitive:  # fmt: skip
    """A primitive with params `axis` and `reverse`, lowered as JAX's of the same name."""

    def type_rule(x: ArrayType, *, axis: int, reverse: bool) -> ArrayType:
        require_axes(name, (axis,), x.ndim, x)
        require(kind(x.dtype), f"{name}: wrong dtype", expected=kinds, got=types_text([x]))
        return x

    def batch(axis_: Any, args: Any, dims: Any, *, axis: int, reverse: bool) -> Batched:
        return bind(primitive, args[0], axis=axis + (axis >= dims[0]), reverse=reverse), dims[0]

    primitive = Primitive(
        name=name, type=type_rule, jvp=jvp, transpose=transpose, batch=batch,
        lower=jax_lowering(borrowed),
    )  # fmt: skip
    return primitive


# --- cumsum, cumprod --------------------------------------------------------------------
@public
def cumsum(x: Any, *, axis: int, reverse: bool = False) -> Any:
    """Sums of the elements up to each one along `axis`; from each one on in reverse.

    >>> import fn, numpy as np
    >>> fn.ops.cumsum(np.array([1, 2, 3]), axis=0).tolist()
    [1, 3, 6]
    """
    return bind(cumsum_p, x, axis=axis, reverse=reverse)


def _cumsum_transpose(ct: Any, x: Any, *, axis: int, reverse: bool) -> tuple[Any, ...]:
    return (cumsum(ct, axis=axis, reverse=not reverse),)


cumsum_p = _cumulative(
    "cumsum", jax.lax.cumsum, kind=number, kinds="numbers", jvp=linear, transpose=_cumsum_transpose
)


@public
def cumprod(x: Any, *, axis: int, reverse: bool = False) -> Any:
    """Products of the elements up to each one along `axis`; from each one on in reverse.

    >>> import fn, numpy as np
    >>> fn.ops.cumprod(np.array([1, 2, 3]), axis=0).tolist()
    [1, 2, 6]
    """
    return bind(cumprod_p, x, axis=axis, reverse=reverse)


def _cumprod_jvp(t: Any, out: Any, x: Any, *, axis: int, reverse: bool) -> Any:
    before = _previous(out, 1, axis, reverse)
    return linear_recurrence(x, mul(t, before), axis=axis, reverse=reverse)


cumprod_p = _cumulative(
    "cumprod", jax.lax.cumprod, kind=number, kinds="numbers", jvp=(_cumprod_jvp,)
)


# --- cummax, cummin ---------------------------------------------------------------------
@public
def cummax(x: Any, *, axis: int, reverse: bool = False) -> Any:
    """Largest of the elements up to each one along `axis`; those that tie share the derivative.

    >>> import fn, numpy as np
    >>> fn.ops.cummax(np.array([1, 3, 2]), axis=0).tolist()
    [1, 3, 3]
    """
    return bind(cummax_p, x, axis=axis, reverse=reverse)


@public
def cummin(x: Any, *, axis: int, reverse: bool = False) -> Any:
    """Smallest of the elements up to each one along `axis`; those that tie share the derivative.

    >>> import fn, numpy as np
    >>> fn.ops.cummin(np.array([3, 1, 2]), axis=0).tolist()
    [3, 1, 1]
    """
    return bind(cummin_p, x, axis=axis, reverse=reverse)


def _extreme_jvp(t: Any, out: Any, x: Any, *, axis: int, reverse: bool) -> Any:
    # The tangents of the elements equal to the extreme so far, and how many there are; both start
    # anew where the extreme changes.
    chosen = same(out, x)
    goes_on = same(out, _previous(out, 0, axis, reverse))
    total = linear_recurrence(
        as_tangent(goes_on, t), select(chosen, t, like(0, t)), axis=axis, reverse=reverse
    )
    goes_on, chosen = (convert(p, dtype=np.int32) for p in (goes_on, chosen))
    count = linear_recurrence(goes_on, chosen, axis=axis, reverse=reverse)
    return div(total, as_tangent(count, t))


cummax_p = _cumulative(
    "cummax", jax.lax.cummax, kind=real, kinds="real numbers", jvp=(_extreme_jvp,)
)
cummin_p = _cumulative(
    "cummin", jax.lax.cummin, kind=real, kinds="real numbers", jvp=(_extreme_jvp,)
)


# --- cumlogsumexp -----------------------------------------------------------------------
@public
def cumlogsumexp(x: Any, *, axis: int, reverse: bool = False) -> Any:
    """Logarithm of the running sum of `exp(x)` along `axis`, without overflow.

    >>> import fn, numpy as np
    >>> [round(x, 3) for x in fn.ops.cumlogsumexp(np.zeros(2, np.float32), axis=0).tolist()]
    [0.0, 0.693]
    """
    return bind(cumlogsumexp_p, x, axis=axis, reverse=reverse)


def _cumlogsumexp_jvp(t: Any, out: Any, x: Any, *, axis: int, reverse: bool) -> Any:
    # A mean weighted by exp(x), carried from the one before; where all so far are -inf every weight
    # is 0, not exp(-inf + inf).
    none = like(-np.inf, out)
    level = select(eq(out, none), like(0.0, out), out)
    carried = exp(sub(_previous(out, -np.inf, axis, reverse), level))
    return linear_recurrence(carried, mul(t, exp(sub(x, level))), axis=axis, reverse=reverse)


cumlogsumexp_p = _cumulative(
    "cumlogsumexp", jax.lax.cumlogsumexp, kind=is_float, kinds="real floating numbers",
    jvp=(_cumlogsumexp_jvp,),
)  # fmt: skip
