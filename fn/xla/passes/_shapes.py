"""Simplification of what only arranges elements: reshape, transpose, broadcast, slice, pad, concatenate, dot."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from fn.core import Atom, Equation, Variable
from fn.xla.passes._rules import Rule, Scope, instead, same

Ints = tuple[int, ...]


def _reshape(scope: Scope, e: Equation) -> Equation | Atom | None:
    x, shape = e.inputs[0], e.outputs[0].type.shape
    if x.type.shape == shape:
        return same(e, x)
    inner = scope.made(x, "reshape")
    if inner is not None:
        y = inner.inputs[0]
        return same(e, y) if y.type.shape == shape else instead(e, "reshape", y, shape=shape)
    inner = scope.made(x, "broadcast")
    if inner is not None and not inner.params["axes"]:
        return instead(e, "broadcast", inner.inputs[0], shape=shape, axes=())
    return None


def _transpose(scope: Scope, e: Equation) -> Equation | Atom | None:
    x, order = e.inputs[0], e.params["permutation"]
    if order == tuple(range(len(order))):
        return same(e, x)
    inner = scope.made(x, "transpose")
    if inner is not None:
        through = tuple([inner.params["permutation"][i] for i in order])
        return instead(e, "transpose", inner.inputs[0], permutation=through)
    inner = scope.made(x, "broadcast")
    if inner is not None and not inner.params["axes"]:
        shape = e.outputs[0].type.shape
        return instead(e, "broadcast", inner.inputs[0], shape=shape, axes=())
    long = [i for i in order if x.type.shape[i] != 1]
    if long == sorted(long):  # only axes of size one move
        return instead(e, "reshape", x, shape=e.outputs[0].type.shape)
    return None


def _broadcast(scope: Scope, e: Equation) -> Equation | Atom | None:
    x, shape, axes = e.inputs[0], e.params["shape"], e.params["axes"]
    if x.type.shape == shape:
        return same(e, x)
    inner = scope.made(x, "broadcast")
    if inner is not None:
        through = tuple([axes[i] for i in inner.params["axes"]])
        return instead(e, "broadcast", inner.inputs[0], shape=shape, axes=through)
    if x.type.size == e.outputs[0].type.size and isinstance(x, Variable):
        return instead(e, "reshape", x, shape=shape)
    inner = scope.made(x, "reshape")
    if inner is not None:
        y = inner.inputs[0]
        kept = _without_ones(x.type.shape, y.type.shape)
        if kept is not None:
            return instead(e, "broadcast", y, shape=shape, axes=tuple([axes[i] for i in kept]))
    return None


def _without_ones(shape: Ints, wanted: Ints) -> list[int] | None:
    """The axes of `shape` that are left as `wanted` once some axes of size one are dropped."""
    kept: list[int] = []
    for i, size in enumerate(shape):
        if len(kept) < len(wanted) and size == wanted[len(kept)]:
            kept.append(i)
        elif size != 1:
            return None
    return kept if len(kept) == len(wanted) else None


def _nothing_reduced(scope: Scope, e: Equation) -> Equation | Atom | None:
    return None if e.params["axes"] else same(e, e.inputs[0])


def _reverse(scope: Scope, e: Equation) -> Equation | Atom | None:
    x, axes = e.inputs[0], e.params["axes"]
    if all(x.type.shape[a] < 2 for a in axes):
        return same(e, x)
    inner = scope.made(x, "reverse")
    if inner is not None:
        left = tuple(sorted({*axes} ^ {*inner.params["axes"]}))
        return instead(e, "reverse", inner.inputs[0], axes=left)
    return None


# --- slice, pad, concatenate ------------------------------------------------------------


def _slice(scope: Scope, e: Equation) -> Equation | Atom | None:
    x, out = e.inputs[0], e.outputs[0].type.shape
    starts, strides = e.params["starts"], e.params["strides"]
    if out == x.type.shape:
        return same(e, x)
    inner = scope.made(x, "slice")
    if inner is not None:
        first, step = inner.params["starts"], inner.params["strides"]
        begin = tuple([a + s * b for a, s, b in zip(first, step, starts, strict=True)])
        by = tuple([s * t for s, t in zip(step, strides, strict=True)])
        return _sliced(e, inner.inputs[0], begin, by)
    inner = scope.made(x, "broadcast")
    if inner is not None and not inner.params["axes"]:
        return instead(e, "broadcast", inner.inputs[0], shape=out, axes=())
    inner = scope.made(x, "concatenate")
    if inner is not None and 0 not in out:
        axis, before = inner.params["axis"], 0
        last = starts[axis] + (out[axis] - 1) * strides[axis]
        for part in inner.inputs:
            after = before + part.type.shape[axis]
            if before <= starts[axis] and last < after:
                begin = tuple([s - before * (i == axis) for i, s in enumerate(starts)])
                return _sliced(e, part, begin, strides)
            before = after
    inner = scope.made(x, "pad")
    if inner is not None and 0 not in out and not any(inner.params["interior"]):
        low, y = inner.params["low"], inner.inputs[0]
        begin = tuple([s - n for s, n in zip(starts, low, strict=True)])
        ends = [b + (n - 1) * s for b, n, s in zip(begin, out, strides, strict=True)]
        if min(begin) >= 0 and all(a < n for a, n in zip(ends, y.type.shape, strict=True)):
            return _sliced(e, y, begin, strides)
    return None


def _sliced(e: Equation, x: Atom, starts: Ints, strides: Ints) -> Equation | Atom | None:
    """The slice of `x` of the shape of the result of `e`."""
    out = e.outputs[0].type.shape
    if out == x.type.shape and not any(starts) and set(strides) <= {1}:
        return same(e, x)
    if 0 in out:
        starts = tuple([min(a, n) for a, n in zip(starts, x.type.shape, strict=True)])
    limits = tuple(
        [a + (n - 1) * s + 1 if n else a for a, n, s in zip(starts, out, strides, strict=True)]
    )
    return instead(e, "slice", x, starts=starts, limits=limits, strides=strides)


def _pad(scope: Scope, e: Equation) -> Equation | Atom | None:
    x, params = e.inputs[0], e.params
    low, high, interior = params["low"], params["high"], params["interior"]
    if not any(low) and not any(high) and not any(interior):
        return same(e, x)
    along = [i for i, sides in enumerate(zip(low, high, strict=True)) if any(sides)]
    if len(along) == 1 and not any(interior) and params["value"] == 0 and min(*low, *high) >= 0:
        (axis,) = along
        end = low[axis] + x.type.shape[axis]
        scope.pieces[e.outputs[0]] = (axis, [(low[axis], end, x)])
    inner = scope.made(x, "pad")
    if inner is not None and repr(inner.params["value"]) == repr(params["value"]):
        theirs = inner.params["low"], inner.params["high"], inner.params["interior"]
        if min(*low, *high, *theirs[0], *theirs[1]) >= 0 and not any((*interior, *theirs[2])):
            both = [
                tuple([a + b for a, b in zip(mine, its, strict=True)])
                for mine, its in zip((low, high), theirs[:2], strict=True)
            ]
            return instead(
                e, "pad", inner.inputs[0], value=params["value"], low=both[0], high=both[1],
                interior=interior,
            )  # fmt: skip
    return None


def joined_pads(scope: Scope, e: Equation) -> Equation | None:
    """A sum of arrays padded with zeros, that leave no gap between them: the arrays in a row.

    It is how the cotangents of the parts of an array come together.
    """
    (axis, some), (other, more) = (scope.pieces[a] for a in e.inputs)
    pieces = sorted([*some, *more], key=lambda piece: piece[0])
    if axis != other or any(a[1] > b[0] for a, b in pairwise(pieces)):
        return None
    out = e.outputs[0]
    if e.inputs[0].type is not out.type or e.inputs[1].type is not out.type:
        return None
    scope.pieces[out] = (axis, pieces)
    full = sum(end - begin for begin, end, _ in pieces) == out.type.shape[axis]
    if not full or _weak([p[2] for p in pieces]) != out.type.weak:
        return None
    return instead(e, "concatenate", *[p[2] for p in pieces], axis=axis)


def _concatenate(scope: Scope, e: Equation) -> Equation | Atom | None:
    axis, parts = e.params["axis"], e.inputs
    if len(parts) == 1:
        return same(e, parts[0])
    full = [p for p in parts if p.type.shape[axis]]
    if full and len(full) < len(parts) and _weak(full) == _weak(parts):
        return instead(e, "concatenate", *full, axis=axis)
    return _joined_slices(scope, e, axis)


def _weak(atoms: Sequence[Atom]) -> bool:
    return all(a.type.weak for a in atoms)


def _joined_slices(scope: Scope, e: Equation, axis: int) -> Equation | Atom | None:
    """Neighbouring slices of one array, put together again, are one slice."""
    made = [scope.made(p, "slice") for p in e.inputs]
    if sum(m is not None for m in made) < 2:
        return None
    # Per part of the result: what it is if it is as it was, or the array and its bounds there.
    parts: list[Atom | tuple[Atom, Ints, Ints]] = []
    merged = False
    for part, how in zip(e.inputs, made, strict=True):
        if how is None or set(how.params["strides"]) != {1}:
            parts.append(part)
            continue
        bounds = (how.inputs[0], how.params["starts"], how.params["limits"])
        last = parts[-1] if parts else None
        if isinstance(last, tuple) and _follows(last, bounds, axis):
            parts[-1] = (last[0], last[1], bounds[2])
            merged = True
        else:
            parts.append(bounds)
    if not merged:
        return None
    whole = [_part(scope, e, p) if isinstance(p, tuple) else p for p in parts]
    return same(e, whole[0]) if len(whole) == 1 else instead(e, "concatenate", *whole, axis=axis)


def _part(scope: Scope, e: Equation, bounds: tuple[Atom, Ints, Ints]) -> Atom:
    x, starts, limits = bounds
    if limits == x.type.shape and not any(starts):
        return x
    strides = (1,) * len(starts)
    return scope.add("slice", x, source=e.source, starts=starts, limits=limits, strides=strides)


def _follows(before: tuple[Atom, Ints, Ints], after: tuple[Atom, Ints, Ints], axis: int) -> bool:
    """Whether a slice begins where the one before ended, and is like it otherwise."""
    if before[0] is not after[0]:
        return False
    along = range(len(before[1]))
    return before[2][axis] == after[1][axis] and all(
        before[1][i] == after[1][i] and before[2][i] == after[2][i] for i in along if i != axis
    )


# --- dot --------------------------------------------------------------------------------


def _dot(scope: Scope, e: Equation) -> Equation | Atom | None:
    """Operands that are transposed matrices, or stacks of them, are contracted along their other axis."""
    operands = list(e.inputs)
    contract, batch = list(e.params["contract"]), e.params["batch"]
    for i in range(2):
        inner = scope.made(operands[i], "transpose")
        if inner is None:
            continue
        order = inner.params["permutation"]
        ahead = tuple(range(len(batch[i])))
        last_two = (*ahead, len(order) - 1, len(order) - 2)
        if batch[i] == ahead and order == last_two and len(contract[i]) == 1:
            operands[i] = inner.inputs[0]
            contract[i] = (order[contract[i][0]],)
    if operands == list(e.inputs):
        return None
    return instead(e, "dot_general", *operands, **{**e.params, "contract": tuple(contract)})


RULES: dict[str, Rule] = {
    "reshape": _reshape, "transpose": _transpose, "broadcast": _broadcast, "reverse": _reverse,
    "slice": _slice, "pad": _pad, "concatenate": _concatenate, "dot_general": _dot,
    **{f"reduce_{name}": _nothing_reduced for name in ("sum", "max", "min", "prod", "and", "or", "xor")},
}  # fmt: skip
