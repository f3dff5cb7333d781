"""Transforms as data, to be composed at random: each takes a function of arrays to another one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from fn.control import remat
from fn.core import ArrayType, Program, evaluate, is_complex, is_inexact
from fn.ops import add, convert, real_part, reduce_sum
from fn.testing._draft import Choices
from fn.transforms import eval_type, jvp, linearize, trace, value_and_grad, vjp, vmap
from fn.xla import jit

Function: TypeAlias = Callable[..., tuple[Any, ...]]
"""Of arrays, returning a tuple of arrays."""
Types: TypeAlias = tuple[ArrayType, ...]
Staged: TypeAlias = tuple[Function, Types]
"""A function and the types of its arguments."""


def moving(types: Sequence[ArrayType]) -> list[int]:
    """Positions of the floating and complex types."""
    return [i for i, t in enumerate(types) if is_inexact(t.dtype)]


def _out_types(function: Function, types: Types) -> Types:
    found: Types = tuple(eval_type(function)(*types))
    return found


def _spread(size: int, places: Sequence[int], values: Sequence[Any]) -> tuple[Any, ...]:
    """`values` at these places among so many, None elsewhere."""
    at = dict(zip(places, values, strict=True))
    return tuple([at.get(i) for i in range(size)])


@dataclass(frozen=True)
class Jit:
    """The function compiled: one `call` to a shared Program.

    >>> import fn, fn.testing
    >>> f, types = fn.testing.Jit().apply(lambda x: (x * x,), (fn.ArrayType((), "float32"),))
    >>> [float(out) for out in f(3.0)]
    [9.0]
    """

    def apply(self, function: Function, types: Types) -> Staged:
        """The compiled function, of the same arguments."""
        return jit(function), types


@dataclass(frozen=True)
class Remat:
    """The function computed again in the backward pass.

    >>> import fn, fn.testing
    >>> f, types = fn.testing.Remat().apply(lambda x: (x * x,), (fn.ArrayType((), "float32"),))
    >>> [float(out) for out in f(3.0)]
    [9.0]
    """

    def apply(self, function: Function, types: Types) -> Staged:
        """The function under `fn.remat`, of the same arguments."""
        return remat(function), types


@dataclass(frozen=True)
class Vmap:
    """The function mapped over an axis of its arguments; results have it first.

    Args:
        axes: where each argument has the axis: 0, -1 or None, repeated as often as needed. If no
            argument would have it, the first does.
        size: its size.

    >>> import fn, fn.testing
    >>> f, types = fn.testing.Vmap().apply(lambda x: (x * x,), (fn.ArrayType((), "float32"),))
    >>> types
    (f32[2],)
    """

    axes: tuple[int | None, ...] = (0,)
    size: int = 2

    def places(self, types: Types) -> tuple[int | None, ...]:
        """The axis of each argument, counted from the front."""
        found = [
            None if a is None else a % (t.ndim + 1)
            for a, t in zip(_cycled(self.axes, len(types)), types, strict=True)
        ]
        if types and all(a is None for a in found):
            found[0] = 0
        return tuple(found)

    def apply(self, function: Function, types: Types) -> Staged:
        """The mapped function, of arguments with one more axis."""
        places = self.places(types)
        mapped = vmap(function, in_axes=places, axis_size=self.size)
        return mapped, tuple(map(self._batched, types, places))

    def _batched(self, type: ArrayType, place: int | None) -> ArrayType:
        if place is None:
            return type
        return type.with_shape((*type.shape[:place], self.size, *type.shape[place:]))


def _cycled(axes: tuple[int | None, ...], count: int) -> list[int | None]:
    return [axes[i % len(axes)] for i in range(count)]


@dataclass(frozen=True)
class Jvp:
    """Values and tangents, from arguments and the tangents of those that have one.

    >>> import fn, fn.testing
    >>> f, types = fn.testing.Jvp().apply(lambda x: (x * x,), (fn.ArrayType((), "float32"),))
    >>> [float(out) for out in f(3.0, 1.0)]
    [9.0, 6.0]
    """

    def apply(self, function: Function, types: Types) -> Staged:
        """The function of arguments, then tangents, that returns results, then their tangents."""
        places = moving(types)
        count = len(types)

        def pushed(*args: Any) -> tuple[Any, ...]:
            tangents = _spread(count, places, args[count:])
            outs, moved = self._push(function, args[:count], tangents)
            return (*outs, *[t for t in moved if t is not None])

        return pushed, (*types, *[types[i].strong() for i in places])

    def _push(self, function: Function, args: Any, tangents: Any) -> tuple[Any, Any]:
        outs, moved = jvp(function, args, tangents)
        return outs, moved


@dataclass(frozen=True)
class Linearize(Jvp):
    """The same as `Jvp`, by way of `fn.linearize`.

    >>> import fn, fn.testing
    >>> f, types = fn.testing.Linearize(
    ...     ).apply(lambda x: (x * x,), (fn.ArrayType((), "float32"),)
    ... )
    >>> [float(out) for out in f(3.0, 1.0)]
    [9.0, 6.0]
    """

    def _push(self, function: Function, args: Any, tangents: Any) -> tuple[Any, Any]:
        outs, push = linearize(function, *args)
        return outs, push(*tangents)


@dataclass(frozen=True)
class Vjp:
    """Values and cotangents of arguments, from arguments and cotangents of results.

    >>> import fn, fn.testing
    >>> f, types = fn.testing.Vjp().apply(lambda x: (x * x,), (fn.ArrayType((), "float32"),))
    >>> [float(out) for out in f(3.0, 1.0)]
    [9.0, 6.0]
    """

    def apply(self, function: Function, types: Types) -> Staged:
        """The function of arguments, then cotangents, that returns results, then cotangents."""
        outs = _out_types(function, types)
        places, given = moving(types), moving(outs)
        if not places:
            return function, types
        count = len(types)

        def pulled(*args: Any) -> tuple[Any, ...]:
            results, pull = vjp(function, *args[:count])
            cts = pull(_spread(len(outs), given, args[count:]))
            return (*results, *[cts[i] for i in places])

        return pulled, (*types, *[outs[i].strong() for i in given])


@dataclass(frozen=True)
class Grad:
    """The sum of the real parts of all results, and its gradient.

    >>> import fn, fn.testing
    >>> f, types = fn.testing.Grad().apply(lambda x: (x * x,), (fn.ArrayType((), "float32"),))
    >>> [float(out) for out in f(3.0)]
    [9.0, 6.0]
    """

    def apply(self, function: Function, types: Types) -> Staged:
        """The function of the same arguments that returns that number, then gradients."""
        places = moving(types)
        if not places or not moving(_out_types(function, types)):
            return function, types
        both = value_and_grad(lambda *xs: total(function(*xs)), argnums=tuple(places))

        def gradient(*args: Any) -> tuple[Any, ...]:
            value, cts = both(*args)
            return (value, *cts)

        return gradient, types


def total(values: Sequence[Any]) -> Any:
    """The sum of the real parts of floating and complex arrays, in float32."""
    result: Any = None
    for x in values:
        if not is_inexact(np.dtype(x.dtype)):
            continue
        x = real_part(x) if is_complex(x.dtype) else x
        part = reduce_sum(convert(x, dtype=np.float32), axes=tuple(range(x.ndim)))
        result = part if result is None else add(result, part)
    return result


Transform: TypeAlias = Jit | Remat | Vmap | Jvp | Linearize | Vjp | Grad


class Stack(tuple[Transform, ...]):
    """Transforms to apply one after the other, the first first.

    >>> import fn
    >>> from fn.testing import Grad, Stack, Vmap
    >>> program = fn.trace(lambda x: x * x)(fn.ArrayType((), "float32"))
    >>> Stack([Grad(), Vmap((0,), 3)]).apply(program).out_types
    (f32[3], f32[3])
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Stack([{', '.join(map(repr, self))}])"

    def staged(self, program: Program) -> Staged:
        """The transformed function of a Program, and the types of its arguments."""
        function: Function = lambda *xs: tuple(evaluate(program, xs))
        types: Types = program.in_types[: len(program.inputs) - len(program.captured)]
        for transform in self:
            function, types = transform.apply(function, types)
        return function, types

    def apply(self, program: Program) -> Program:
        """The transformed Program.

        Raises:
            MissingRuleError: if an operation has no rule for a transform.
        """
        function, types = self.staged(program)
        found: Program = trace(function)(*types)
        return found


_PLAIN: tuple[Transform, ...] = (
    Jit(), Vmap((0,), 2), Jvp(), Grad(), Vjp(), Linearize(), Remat(), Vmap((0, None), 3),
    Vmap((-1, 0), 2), Vmap((None, -1), 2),
)  # fmt: skip


def draw_stack(choices: Choices, most: int = 3, reverse: bool = True) -> Stack:
    """A random stack of up to so many transforms, with at most two derivatives among them."""
    found: list[Transform] = []
    derivatives = 0
    for _ in range(choices.integer(0, most)):
        options: list[Transform] = [
            t for t in _PLAIN
            if (derivatives < 2 or isinstance(t, (Jit, Vmap, Remat)))
            and (reverse or not isinstance(t, (Grad, Vjp, Jvp, Linearize)))
        ]  # fmt: skip
        transform = options[choices.integer(0, len(options) - 1)]
        derivatives += not isinstance(transform, (Jit, Vmap, Remat))
        found.append(transform)
    return Stack(found)
