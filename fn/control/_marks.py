"""Identities that tell something to others: `name` to policies, `optimization_barrier` to XLA."""

from __future__ import annotations

from typing import Any

from jax.tree_util import tree_map

from fn.core import (
    ArgumentError,
    ArrayType,
    Primitive,
    bind,
    elementwise,
    public,
    type_of,
)


# --- name -------------------------------------------------------------------------------
@public
def name(x: Any, name: str) -> Any:
    """`x`, known to rematerialisation policies as `name`.

    Args:
        x: an array, or a pytree whose arrays all get the name.
        name: what `fn.save_only` refers to.

    >>> import fn, fn.numpy as np
    >>> print(fn.trace(lambda x: fn.name(np.sin(x), "wave"))(1.0))
    program @_lambda_(a: ~f32[]) {
      b: ~f32[] = sin a
      c: ~f32[] = name[name='wave'] b
      return c
    }
    """
    if not isinstance(name, str):
        raise ArgumentError("name: the name is not a string", expected="a string", got=repr(name))
    return tree_map(
        lambda leaf: leaf if type_of(leaf) is None else bind(name_p, leaf, name=name), x
    )


name_p = Primitive(
    name="name", type=lambda x, name: x, jvp=(lambda t, out, x, name: t,),
    transpose=lambda ct, x, name: (ct,), batch=elementwise,
    lower=lambda emit, x, name: emit.spread(x, emit.type.shape),
)  # fmt: skip


# --- optimization_barrier ---------------------------------------------------------------
@public
def optimization_barrier(*xs: Any) -> Any:
    """`xs` as they are, none of them available before all of them are.

    XLA moves no computation across it, and merges nothing on one side with what is on the other. On CPU,
    XLA drops it before its last passes.

    Args:
        xs: arrays.

    Returns:
        The arrays, as a tuple; the array itself if there is one.

    >>> import fn
    >>> x, y = fn.optimization_barrier(1.0, 2.0)
    >>> float(x), float(y)
    (1.0, 2.0)
    """
    outs: tuple[Any, ...] = bind(optimization_barrier_p, *xs)
    return outs[0] if len(xs) == 1 else outs


def _barrier_type(*types: ArrayType) -> tuple[ArrayType, ...]:
    return types


def _barrier_jvp(args: Any, tangents: Any) -> tuple[Any, Any]:
    moving = iter(bind(optimization_barrier_p, *[t for t in tangents if t is not None]))
    outs = bind(optimization_barrier_p, *args)
    return outs, [None if t is None else next(moving) for t in tangents]


def _barrier_transpose(cts: Any, *args: Any) -> tuple[Any, ...]:
    given = iter(bind(optimization_barrier_p, *[c for c in cts if c is not None]))
    return tuple([None if c is None else next(given) for c in cts])


def _barrier_batch(axis: Any, args: Any, dims: Any) -> tuple[Any, Any]:
    return bind(optimization_barrier_p, *args), tuple(dims)


def _barrier_lower(emit: Any, *args: Any) -> Any:
    return emit.op("stablehlo.optimization_barrier", *args, types=emit.types)


optimization_barrier_p = Primitive(
    name="optimization_barrier", type=_barrier_type, jvp=_barrier_jvp, transpose=_barrier_transpose,
    batch=_barrier_batch, lower=_barrier_lower, multiple=True,
)  # fmt: skip
