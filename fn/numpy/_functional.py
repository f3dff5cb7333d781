"""Functions made to work along axes, over stacks, and piece by piece."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy

import fn.ops as ops
from fn.core import ArgumentError
from fn.numpy._creation import array as make
from fn.numpy._habits import public
from fn.numpy._logic import truth
from fn.numpy._manipulation import broadcast_shapes, broadcast_to, expand_dims
from fn.numpy._promotion import Axis, array, cast, one_axis, some_axes
from fn.numpy._searching import where
from fn.transforms import vmap

_NAMES = r"\w+(?:,\w+)*"
_ARGUMENT = rf"\((?:{_NAMES})?\)"
_SIGNATURE = re.compile(rf"{_ARGUMENT}(?:,{_ARGUMENT})*->{_ARGUMENT}(?:,{_ARGUMENT})*")


# --- over stacks ------------------------------------------------------------------------


@public
def vectorize(
    pyfunc: Callable[..., Any], *, excluded: Any = frozenset(), signature: str | None = None
) -> Callable[..., Any]:
    """`pyfunc`, a function of single elements (or cores), for stacks of them that broadcast together.

    Args:
        pyfunc: the function.
        excluded: positions and names of arguments that are passed on as they are.
        signature: the axes of the cores, such as "(n,m),(m)->(n)"; scalars by default.

    Returns:
        The function of stacks: one batched computation, by `vmap`.

    >>> import fn.numpy as np
    >>> f = np.vectorize(lambda m, v: m @ v, signature="(n,m),(m)->(n)")
    >>> f(np.ones((5, 2, 3)), np.ones(3)).shape
    (5, 2)
    """
    cores, results = (None, None) if signature is None else _parsed(signature)
    names = {e for e in excluded if isinstance(e, str)}
    places = {e for e in excluded if not isinstance(e, str)}

    @wraps(pyfunc)
    @public
    def vectorized(*args: Any, **kwargs: Any) -> Any:
        stray = [k for k in kwargs if k not in names]
        kept = {k: kwargs[k] for k in stray}
        fixed = {k: v for k, v in kwargs.items() if k in names}
        keys: list[Any] = [i for i in range(len(args)) if i not in places] + list(kept)
        values = [array("vectorize", args[k] if isinstance(k, int) else kept[k], k) for k in keys]
        wanted = [()] * len(values) if cores is None else cores
        if len(wanted) != len(values):
            raise ArgumentError(
                "vectorize: the arguments do not fit the signature",
                expected=f"{len(wanted)} arguments for {signature!r}", got=f"{len(values)} arguments",
            )  # fmt: skip

        def single(*elements: Any) -> Any:
            found = dict(zip(keys, elements, strict=True))
            call = [found[i] if i in found else args[i] for i in range(len(args))]
            out = pyfunc(*call, **{k: found[k] for k in kept}, **fixed)
            return out if results is None else _checked(out, results, sizes, str(signature))

        sizes = _core_sizes(values, wanted, str(signature))
        stacks = [v.shape[: v.ndim - len(core)] for v, core in zip(values, wanted, strict=True)]
        return _over(single, values, stacks, broadcast_shapes(*stacks))

    return vectorized


def _over(
    function: Callable[..., Any], values: list[Any], stacks: list[Any], shape: tuple[int, ...]
) -> Any:
    """Map over the axes of the stacks, the first outermost; arguments lack those they are constant along."""
    for axis in reversed(range(len(shape))):
        back = len(shape) - axis
        mapped = [len(s) >= back and s[len(s) - back] == shape[axis] for s in stacks]
        # An axis of size 1 beside a longer one is dropped: the same for all.
        in_axes = tuple([0 if m else None for m in mapped])
        inner = function
        drop = tuple([len(s) >= back and not m for s, m in zip(stacks, mapped, strict=True)])
        function = _mapped(inner, in_axes, drop, shape[axis])
    return function(*values)


def _mapped(
    inner: Callable[..., Any], in_axes: tuple[int | None, ...], drop: tuple[bool, ...], size: int
) -> Callable[..., Any]:
    def call(*args: Any) -> Any:
        args = tuple(
            [ops.reshape(a, shape=a.shape[1:]) if d else a for a, d in zip(args, drop, strict=True)]
        )
        return vmap(inner, in_axes, axis_size=size)(*args)

    return call


def _parsed(signature: str) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    text = signature.replace(" ", "")
    if not _SIGNATURE.fullmatch(text):
        raise ArgumentError(
            "vectorize: not a signature", expected="such as '(n,m),(m)->(n)'", got=repr(signature)
        )
    sides = []
    for side in text.split("->"):
        groups = re.findall(r"\(([^)]*)\)", side)
        sides.append([tuple([n for n in g.split(",") if n]) for g in groups])
    return sides[0], sides[1]


def _core_sizes(
    values: list[Any], cores: Sequence[tuple[str, ...]], signature: str
) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for value, core in zip(values, cores, strict=True):
        shape = value.shape[value.ndim - len(core) :] if value.ndim >= len(core) else None
        known = dict(sizes)
        if shape is not None:
            for name, n in zip(core, shape, strict=True):
                known[name] = int(name) if name.isdigit() else known.get(name, n)
        if shape is None or any(known[name] != n for name, n in zip(core, shape, strict=True)):
            raise ArgumentError(
                "vectorize: an argument does not fit the signature", got=f"shape {value.shape}",
                expected=f"last axes {core} of {signature!r}, with sizes {sizes}",
            )  # fmt: skip
        sizes = known
    return sizes


def _checked(
    out: Any, results: list[tuple[str, ...]], sizes: dict[str, int], signature: str
) -> Any:
    parts = list(out) if isinstance(out, (tuple, list)) else [out]
    arrays = [array("vectorize", p) for p in parts]
    fits = len(arrays) == len(results) and all(
        len(a.shape) == len(r)
        and all(sizes.get(n, size) == size for n, size in zip(r, a.shape, strict=True))
        for a, r in zip(arrays, results, strict=True)
    )
    if not fits:
        raise ArgumentError(
            "vectorize: the function's result does not fit the signature",
            expected=f"the right side of {signature!r}", got=f"shapes {[a.shape for a in arrays]}",
        )  # fmt: skip
    return out


# --- along axes -------------------------------------------------------------------------


@public
def apply_along_axis(
    func1d: Callable[..., Any], axis: int, arr: Any, *args: Any, **kwargs: Any
) -> Any:
    """A function of arrays of one axis, for every line of an array along an axis.

    Args:
        func1d: the function; the axes of what it returns replace the axis.
        axis: the axis.
        arr: array.
        args, kwargs: passed on to the function.

    >>> import fn.numpy as np
    >>> print(np.apply_along_axis(np.sum, 0, np.ones((2, 3))))
    [2. 2. 2.]
    """
    x = make(arr)
    place = one_axis("apply_along_axis", axis, x.ndim)

    def function(line: Any) -> Any:
        return func1d(line, *args, **kwargs)

    for after in range(1, x.ndim - place):
        function = vmap(function, in_axes=after, out_axes=-1)
    for _ in range(place):
        function = vmap(function)
    return function(x)


@public
def apply_over_axes(func: Callable[..., Any], a: Any, axes: Axis) -> Any:
    """A function of an array and an axis, such as `sum`, applied over one axis after the other.

    Args:
        func: takes an array and an axis; its result keeps or drops the axis.
        a: array.
        axes: the axes.

    >>> import fn.numpy as np
    >>> np.apply_over_axes(np.sum, np.ones((2, 3, 4)), [0, 2]).shape
    (1, 3, 1)
    """
    x = make(a)
    for axis in some_axes("apply_over_axes", axes, x.ndim, "axes"):
        out = array("apply_over_axes", func(x, axis))
        if out.ndim == x.ndim - 1:
            out = expand_dims(out, axis)
        if out.ndim != x.ndim:
            raise ArgumentError(
                "apply_over_axes: the function changes the number of axes",
                expected=f"{x.ndim} axes or one less", got=f"{out.ndim} axes",
            )  # fmt: skip
        x = out
    return x


@public
def piecewise(x: Any, condlist: Any, funclist: Sequence[Any], *args: Any, **kw: Any) -> Any:
    """For each element what the function of the last condition that holds for it gives.

    Args:
        x: array.
        condlist: conditions of the shape of `x`.
        funclist: as many functions of arrays, or numbers; one more for where no condition holds.
        args, kw: passed on to the functions.

    Returns:
        An array of the shape and dtype of `x`. All functions are applied to all elements.

    >>> import fn.numpy as np
    >>> x = np.array([-2., 3.])
    >>> print(np.piecewise(x, [x < 0, x >= 0], [lambda x: -x, lambda x: 10 * x]))
    [ 2. 30.]
    """
    x = make(x)
    if isinstance(condlist, (list, tuple)) and condlist and not numpy.isscalar(condlist[0]):
        conditions = [truth("piecewise", make(c)) for c in condlist]
    else:
        only = truth("piecewise", make(condlist))
        conditions = [only[i] for i in range(only.shape[0])] if only.ndim > x.ndim else [only]
    pieces = list(funclist)
    if len(pieces) == len(conditions):
        pieces.append(0)
    elif len(pieces) != len(conditions) + 1:
        raise ArgumentError(
            "piecewise: functions and conditions do not pair up", got=f"{len(funclist)} functions",
            expected=f"{len(conditions)} or {len(conditions) + 1} functions",
        )  # fmt: skip

    def values(piece: Any) -> Any:
        out = piece(x, *args, **kw) if callable(piece) else piece
        return broadcast_to(cast(make(out), x.dtype), x.shape)

    out = values(pieces[-1])
    for condition, piece in zip(conditions, pieces, strict=False):
        out = where(condition, values(piece), out)
    return out
