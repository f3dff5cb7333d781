"""Calls of Python functions from compiled programs: for a value, for what they do, or to look.

`pure_callback` computes a value and may be dropped or repeated. `io_callback` is run once each time it
is reached. `debug_callback` is run likewise and gives nothing. Eagerly each is a plain call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fn.control._derive import record
from fn.control._host import Host, declared, host
from fn.control._scan import bind_scan
from fn.core import (
    ArgumentError,
    ArrayType,
    MissingRuleError,
    Primitive,
    bind,
    constant,
    for_this_call,
    is_inexact,
    public,
    type_of,
)
from fn.ops import move_axis
from fn.transforms import insert_axis

_METHODS = ("sequential", "sequential_unrolled", "expand_dims", "broadcast_all")
Types = tuple[ArrayType, ...]


# --- pure_callback ----------------------------------------------------------------------
@public
def pure_callback(
    f: Callable[..., Any], result_types: Any, *args: Any, vmap_method: str | None = None, **kwargs: Any
) -> Any:  # fmt: skip
    """What the Python function `f` returns, as part of a compiled program.

    Args:
        f: of NumPy arrays and static values; returns arrays. It must depend on its arguments alone and
            do nothing else: it is called as often as is convenient, or not at all if the result is not
            used.
        result_types: what `f` returns, a pytree of `fn.ArrayType`, `jax.ShapeDtypeStruct` or arrays.
        args: pytrees, passed to `f`; leaves that are no arrays reach it as they are.
        vmap_method: what `fn.vmap` does: "sequential" calls `f` for one entry after the other
            ("sequential_unrolled" without a loop); "expand_dims" calls it once, with the mapped axis in
            front of mapped arrays and an axis of size 1 in front of the others; "broadcast_all"
            likewise, with the others repeated along it.
        kwargs: passed to `f` as well.

    Returns:
        A tree like `result_types`. It has no derivative; `fn.custom` gives it one.

    Raises:
        TypeRuleError, TreeError: where the result is computed, if `f` returns something else than was
            declared.
        MissingRuleError: under `fn.vmap` without `vmap_method`, and when differentiated.

    >>> import fn, math, fn.numpy as np
    >>> f = fn.jit(lambda x: fn.pure_callback(lambda v: math.erf(v), x, x))
    >>> round(float(f(0.5)), 4)
    0.5205
    """
    if vmap_method is not None and vmap_method not in _METHODS:
        raise ArgumentError(
            "pure_callback: no such vmap_method", expected=", ".join(map(repr, _METHODS)),
            got=repr(vmap_method),
        )  # fmt: skip
    types, tree = declared("pure_callback", result_types)
    call, arrays = host("pure_callback", f, args, kwargs, tree)
    for_this_call()
    outs = bind(pure_callback_p, *arrays, host=call, results=types, vmap_method=vmap_method)
    return tree.unflatten(outs)


def _callback_type(*types: ArrayType, host: Host, results: Types, **_: Any) -> Types:
    return results


def _callback_jvp(primitive: Callable[[], Primitive]) -> Callable[..., Any]:
    def jvp(args: Any, tangents: Any, **params: Any) -> tuple[Any, Any]:
        call, results = params["host"], params["results"]
        if any(is_inexact(t.dtype) for t in results):
            raise MissingRuleError(
                f"{call.operation} of `{call.name}` has no derivative: it is a Python function",
                expected="arguments that are not differentiated, or results that are integers or booleans",
                got=", ".join(map(str, results)),
                fix=f"give it one, fn.custom(f, jvp=...) or vjp=..., for the f that calls {call.operation}; "
                "or fn.stop_gradient its arguments",
            )
        return bind(primitive(), *args, **params), [None] * len(results)

    return jvp


def _pure_batch(
    axis: Any, args: Any, dims: Any, *, host: Host, results: Types, vmap_method: str | None
) -> tuple[Any, Any]:
    if vmap_method is None:
        raise MissingRuleError(
            f"pure_callback of `{host.name}` does not say what vmap is to do with it",
            expected="vmap_method=" + " or ".join(map(repr, _METHODS)), got="no vmap_method",
            fix='pass vmap_method="sequential" to call it entry by entry, or "broadcast_all" if it '
            "takes a leading axis",
        )  # fmt: skip
    params = {"host": host, "results": results, "vmap_method": vmap_method}
    if vmap_method.startswith("sequential"):
        unroll = axis.size if vmap_method.endswith("unrolled") else 1
        return one_by_one(pure_callback_p, axis.size, args, dims, params, unroll)
    repeat = axis.size if vmap_method == "broadcast_all" else 1
    moved = [
        insert_axis(a, repeat, 0) if d is None else move_axis(a, d, 0)
        for a, d in zip(args, dims, strict=True)
    ]
    params["results"] = tuple([t.with_shape((axis.size, *t.shape)) for t in results])
    return bind(pure_callback_p, *moved, **params), [0] * len(results)


def one_by_one(
    primitive: Primitive, size: int, args: Any, dims: Any, params: dict[str, Any], unroll: int = 1
) -> tuple[Any, Any]:
    """The batch rule that calls the function for one entry after the other, in order."""
    same = [a for a, d in zip(args, dims, strict=True) if d is None]
    own = [move_axis(a, d, 0) for a, d in zip(args, dims, strict=True) if d is not None]
    kinds = [_kind(a) for a in same], [_kind(x).with_shape(_kind(x).shape[1:]) for x in own]

    def entry(*values: Any) -> Sequence[Any]:
        fixed, mine = iter(values[: len(same)]), iter(values[len(same) :])
        operands = [next(fixed) if d is None else next(mine) for d in dims]
        outs: Sequence[Any] = bind(primitive, *operands, **params)
        return outs

    body = record(entry, [*kinds[0], *kinds[1]], params["host"].name)
    outs = bind_scan(body, same, [], own, length=size, unroll=max(1, min(unroll, size)))[1]
    return outs, [0] * len(outs)


def _kind(value: Any) -> ArrayType:
    kind = type_of(value)
    assert kind is not None
    return kind


def _callback_lower(effect: bool) -> Callable[..., Any]:
    def lower(emit: Any, *args: Any, host: Host, **params: Any) -> Any:
        return emit.callback(host, *args, effect=effect)

    return lower


def _callback_eager(*args: Any, host: Host, results: Types = (), **_: Any) -> tuple[Any, ...]:
    return host(results, *args)


pure_callback_p: Primitive = Primitive(
    name="pure_callback", type=_callback_type, jvp=_callback_jvp(lambda: pure_callback_p),
    transpose="it calls a Python function, which need not be linear", batch=_pure_batch,
    lower=_callback_lower(effect=False), eager=_callback_eager, multiple=True,
)  # fmt: skip


# --- io_callback ------------------------------------------------------------------------
def _effect(*, ordered: bool, **_: Any) -> frozenset[str]:
    return frozenset(("ordered",) if ordered else ("host",))


@public
def io_callback(
    f: Callable[..., Any], result_types: Any, *args: Any, ordered: bool = False, **kwargs: Any
) -> Any:
    """What the Python function `f` returns, which is called once each time the program comes here.

    Args:
        f: of NumPy arrays and static values; returns arrays. It may read and write anything.
        result_types: what `f` returns, a pytree of `fn.ArrayType`, `jax.ShapeDtypeStruct` or arrays;
            None if it returns nothing.
        args: pytrees, passed to `f`; leaves that are no arrays reach it as they are.
        ordered: whether the call keeps its place among all others that are ordered: in a function, in
            and between the rounds of loops, in the functions called, and from one compiled function to
            the next called in the same thread. Calls that are not ordered may run in any order.
        kwargs: passed to `f` as well.

    Under `fn.vmap` it is called for one entry after the other, unless it is ordered, which `vmap` does
    not know how to keep. Under differentiation it runs once, with the primals. What `fn.checkpoint`
    computes again does not call it again: its results are kept. The primal function of `fn.custom` is
    replaced by its rule when differentiated, together with the calls in it.

    Returns:
        A tree like `result_types`. It has no derivative; `fn.custom` gives it one.

    Raises:
        TypeRuleError, TreeError: where it is called, if `f` returns something else than was declared.
        MissingRuleError: under `fn.vmap` if ordered, and when differentiated, if there are floating or
            complex results.
        ConcretizationError: where Python asks for the value of the result while tracing.

    >>> import fn, fn.numpy as np
    >>> seen = []
    >>> f = fn.jit(lambda x: fn.io_callback(lambda v: seen.append(float(v)), None, x, ordered=True))
    >>> f(1.0), f(2.0), fn.effects_barrier(), seen
    (None, None, None, [1.0, 2.0])
    """
    types, tree = declared("io_callback", result_types)
    call, arrays = host("io_callback", f, args, kwargs, tree)
    for_this_call()
    return tree.unflatten(
        bind(io_callback_p, *arrays, host=call, results=types, ordered=bool(ordered))
    )


def _io_batch(axis: Any, args: Any, dims: Any, **params: Any) -> tuple[Any, Any]:
    if params["ordered"]:
        raise MissingRuleError(
            f"io_callback of `{params['host'].name}` is ordered, and the entries of a vmap have no order",
            expected="ordered=False under vmap", got="ordered=True",
            fix="call it outside of vmap with the whole array, loop with fn.map, or leave out ordered",
        )  # fmt: skip
    return one_by_one(io_callback_p, axis.size, args, dims, params)


io_callback_p: Primitive = Primitive(
    name="io_callback", type=_callback_type, jvp=_callback_jvp(lambda: io_callback_p),
    transpose="it calls a Python function, which need not be linear", batch=_io_batch,
    lower=_callback_lower(effect=True), eager=_callback_eager, multiple=True, effect=_effect,
)  # fmt: skip


# --- debug_callback ---------------------------------------------------------------------
def debug_callback(
    operation: str, f: Callable[..., Any], args: Any, kwargs: Any, ordered: bool, remember: bool
) -> None:
    """Call `f` to look at values; see `fn.debug.callback`."""
    call, arrays = host(operation, f, args, kwargs)
    if not remember:
        for_this_call()
    bind(debug_callback_p, *arrays, host=call, ordered=bool(ordered))


def _debug_type(*types: ArrayType, host: Host, ordered: bool) -> Types:
    return ()


def _debug_batch(axis: Any, args: Any, dims: Any, **params: Any) -> tuple[Any, Any]:
    return one_by_one(debug_callback_p, axis.size, args, dims, params)


debug_callback_p: Primitive = Primitive(
    name="debug_callback", type=_debug_type, jvp=constant,
    transpose="it looks at a tangent, and reverse mode never computes any: look at the primal, or at the "
    "cotangent in a vjp rule",
    batch=_debug_batch, lower=_callback_lower(effect=True), eager=_callback_eager, multiple=True,
    effect=_effect,
)  # fmt: skip


# --- ordered_callback -------------------------------------------------------------------
# A callback in its place: the first operand comes from the one before it, and the first result goes to
# the next. `in_order` makes it on the way to XLA, so it meets no transform.
_LATE = "order is kept from the moment a program is compiled, and it is compiled already"


def _ordered_type(place: ArrayType, *types: ArrayType, host: Host, results: Types) -> Types:
    return (place, *results)


class _InPlace:
    """The Python side of `ordered_callback`: hands the place on."""

    def __init__(self, host: Host) -> None:
        self.host = host

    def __call__(self, types: Types, place: Any, *arrays: Any) -> tuple[Any, ...]:
        return (place, *self.host(types[1:], *arrays))


def _ordered_lower(emit: Any, *args: Any, host: Host, results: Types) -> Any:
    return emit.callback(_InPlace(host), *args, effect=True)


ordered_callback_p = Primitive(
    name="ordered_callback", type=_ordered_type, jvp=_LATE, transpose=_LATE, batch=_LATE,
    lower=_ordered_lower, multiple=True, effect="ordered",
)  # fmt: skip
