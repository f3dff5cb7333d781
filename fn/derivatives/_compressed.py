"""Jacobians from few passes: columns of one colour are pushed together, or rows pulled back together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from fn.core import (
    ArgumentError,
    ArrayType,
    MissingRuleError,
    Program,
    Trace,
    checked,
    dce,
    evaluate,
    recording,
)
from fn.derivatives._colouring import Colours, colour_columns, colour_symmetric
from fn.derivatives._dependence import dependences
from fn.derivatives._known import Known, concrete, settle_program
from fn.derivatives._pattern import Pattern
from fn.derivatives._sets import Sets, TooManyError
from fn.ops import broadcast, convert, eq, full, gather, iota, move_axis, reshape, scatter_set
from fn.transforms import (
    BatchAxis,
    Linearized,
    batch_program,
    insert_axis,
    linearize_program,
    transpose_program,
)

# A pattern without zeros is written down if it has at most so many entries.
_MOST = 30_000_000

Rows = tuple[int | None, ...]
"""Positions of the outputs that give the rows; None for rows that are zero."""


class Compressed(NamedTuple):
    """A Jacobian as a Program."""

    program: Program
    """Inputs to outputs, then the entries of each block, row of blocks by row of blocks. It captures what
    the function did."""
    patterns: tuple[Pattern, ...]
    """The pattern of each block."""
    pattern: Pattern
    """That of all of them."""
    colours: int
    """How many directions there are."""
    forward: bool
    """Whether they are pushed forward, rather than pulled back."""


def compress(
    program: Program,
    moving: tuple[bool, ...],
    rows: Rows,
    row_types: Sequence[ArrayType],
    given: Pattern | None = None,
    symmetric: bool = False,
) -> Compressed:
    """The Jacobian of some outputs of `program` with respect to some inputs; remembered on it.

    Args:
        moving: per input, captured ones included, whether it gives columns.
        rows: the outputs that give rows.
        row_types: their types.
        given: the pattern; found from the Program if None.
        symmetric: whether the whole Jacobian is known to be symmetric.
    """
    key = ("compressed", moving, rows, given, symmetric)
    if key not in program.cache:
        program.cache[key] = _compress(program, moving, rows, row_types, given, symmetric)
    found: Compressed = program.cache[key]
    return found


def find_pattern(
    program: Program, moving: tuple[bool, ...], rows: Rows, row_types: Sequence[ArrayType]
) -> Pattern:
    """Where that Jacobian may be nonzero."""
    key = ("pattern", moving, rows)
    if key not in program.cache:
        program.cache[key] = _find_pattern(program, moving, rows, row_types)
    found: Pattern = program.cache[key]
    return found


def mentions(program: Program, names: frozenset[str]) -> bool:
    """Whether one of these primitives is in `program`, or in a Program it carries."""
    return any(e.primitive.name in names for e in program.equations) or any(
        mentions(p, names) for p in program.subprograms()
    )


def only_backwards(program: Program) -> bool:
    """Whether a custom function in a linear Program has a vjp rule but no jvp rule."""
    return any(
        e.primitive.name == "custom_linear" and e.params["forward"] is None
        for e in program.equations
    ) or any(only_backwards(p) for p in program.subprograms())


# --- the pattern ------------------------------------------------------------------------


def _find_pattern(
    program: Program, moving: tuple[bool, ...], rows: Rows, row_types: Sequence[ArrayType]
) -> Pattern:
    lin = linearize_program(program, moving)
    in_types = lin.linear.in_types[lin.residuals :]
    shape = _total(row_types), _total(in_types)
    sets = Sets(shape[1])
    seeds, start = [], 0
    for t in in_types:
        seeds.append(sets.singletons(start, t.shape))
        start += t.size
    values = [*_residuals(program, lin), *[None] * len(seeds)]
    try:
        found = iter(dependences(sets, lin.linear, [*[None] * lin.residuals, *seeds], values))
        per_output = [next(found) if n else None for n in lin.out_nonzero]
        at, members, start = [np.zeros(0, int)], [np.zeros(0, int)], 0
        for position, t in zip(rows, row_types, strict=True):
            numbers = None if position is None else per_output[position]
            if numbers is not None:
                positions, cols = sets.members(numbers.ravel())
                at.append(positions + start)
                members.append(cols)
            start += t.size
    except TooManyError:
        return _full(shape)
    return Pattern(np.concatenate(at), np.concatenate(members), shape)


def _full(shape: tuple[int, int]) -> Pattern:
    """The pattern without zeros, for dependences that are not worth writing down."""
    if shape[0] * shape[1] > _MOST:
        raise ArgumentError(
            "sparsity: the Jacobian is not sparse, and too large to be listed entry by entry",
            expected=f"a sparse one, or one of at most {_MOST:,} entries",
            got=f"about {shape[0]:,} × {shape[1]:,} entries that may be nonzero",
            fix="leave out sparsity for a dense one, or multiply with it instead: fn.jvp, fn.vjp, fn.hvp",
        )
    rows, cols = np.divmod(np.arange(shape[0] * shape[1]), max(shape[1], 1))
    return Pattern(rows, cols, shape)


def _residuals(program: Program, lin: Linearized) -> list[Known | None]:
    """What the linear Program is given besides tangents, where that does not depend on arguments."""
    own = len(program.inputs) - len(program.captured)
    inputs: list[Known | None] = [None] * own
    inputs += [concrete(array) for array in program.captured]
    outputs = settle_program(lin.primal, inputs)
    return [*[inputs[i] for i in lin.forwarded], *outputs[len(lin.out_nonzero) :]]


def _total(types: Sequence[ArrayType]) -> int:
    return sum(t.size for t in types)


# --- the Program ------------------------------------------------------------------------


def _compress(
    program: Program, moving: tuple[bool, ...], rows: Rows, row_types: Sequence[ArrayType],
    given: Pattern | None, symmetric: bool,
) -> Compressed:  # fmt: skip
    lin = linearize_program(program, moving)
    in_types = lin.linear.in_types[lin.residuals :]
    pattern = find_pattern(program, moving, rows, row_types) if given is None else given
    shape = _total(row_types), _total(in_types)
    if pattern.shape != shape:
        raise ArgumentError(
            "sparsity: the pattern does not fit the function",
            expected=f"a row for each element of the output and a column for each of the input: {shape}",
            got=f"a pattern of shape {pattern.shape}",
        )  # fmt: skip
    if symmetric:
        pattern = _mirrored(pattern)
    mirrored, forward = False, True
    if symmetric:
        colours, star = colour_columns(pattern), colour_symmetric(pattern)
        mirrored = _count(star) < _count(colours) and len({t.dtype for t in row_types}) == 1
        colours = star if mirrored else colours
    else:
        colours, forward = _best(pattern, lin, rows)
    trace = Trace(f"jacobian({program.name})")
    with recording(trace):
        inputs = [trace.input(t) for t in program.in_types]
        outs, residuals = lin.split(inputs, evaluate(lin.primal, inputs))
        push = _push if forward else _pull
        found = push(lin, residuals, rows, row_types, colours)
        data, patterns = _read(found, pattern, row_types, in_types, colours, forward, mirrored)
        made = dce(trace.finish([*outs, *data], f"jacobian_{program.name}"))
        # What `program` captured are the last of its inputs; arrays captured here follow.
        captured = (*program.captured, *made.captured)
        result = checked(Program(made.inputs, made.equations, made.outputs, captured, made.name))
    return Compressed(result, tuple(patterns), pattern, _count(colours), forward)


def _count(colours: Colours) -> int:
    return int(colours.max(initial=-1)) + 1


def _mirrored(pattern: Pattern) -> Pattern:
    """The entries whose mirror images are entries too: if a symmetric matrix is zero here, then there."""
    n = pattern.shape[1]
    rows, cols = pattern.rows.astype(np.int64), pattern.cols.astype(np.int64)
    keep = np.isin(rows * n + cols, cols * n + rows)
    return Pattern(rows[keep], cols[keep], pattern.shape)


def _best(pattern: Pattern, lin: Linearized, rows: Rows) -> tuple[Colours, bool]:
    """Colours of columns, to push forward, or of rows, to pull back, whichever are fewer."""
    if only_backwards(lin.linear):
        return colour_columns(pattern.T), False
    columns = colour_columns(pattern)
    fewest = int(np.bincount(pattern.cols).max(initial=0))  # rows need at least so many colours
    if fewest < _count(columns):
        by_rows = colour_columns(pattern.T)
        if _count(by_rows) < _count(columns) and _transposes(lin, rows):
            return by_rows, False
    return columns, True


def _transposes(lin: Linearized, rows: Rows) -> bool:
    try:
        _transposed(lin, rows)
    except MissingRuleError:
        return False
    return True


def _transposed(lin: Linearized, rows: Rows) -> tuple[Program, tuple[bool, ...]]:
    linear = (False,) * lin.residuals + (True,) * (len(lin.linear.inputs) - lin.residuals)
    given = [i for i, n in enumerate(lin.out_nonzero) if n]
    return transpose_program(lin.linear, linear, tuple([i in rows for i in given]))


def _seeds(types: Sequence[ArrayType | None], sizes: Sequence[int], colours: Colours) -> list[Any]:
    """Per type, for each colour the sum of the directions that have it; nothing for None."""
    count, start, seeds = _count(colours), 0, []
    for t, size in zip(types, sizes, strict=True):
        if t is not None:
            shape = (count, size)
            mine = broadcast(colours[start : start + size], shape=shape, axes=(1,))
            hit = eq(iota(dtype=np.int32, shape=shape, axis=0), mine)
            seeds.append(reshape(convert(hit, dtype=t.dtype), shape=(count, *t.shape)))
        start += size
    return seeds


def _batched(program: Program, count: int, residuals: list[Any], seeds: list[Any]) -> list[Any]:
    dims = (None,) * len(residuals) + (0,) * len(seeds)
    batched, places = batch_program(program, BatchAxis(count), dims)
    outs = evaluate(batched, [*residuals, *seeds])
    return [
        insert_axis(o, count, 0) if d is None else move_axis(o, d, 0)
        for o, d in zip(outs, places, strict=True)
    ]


def _push(
    lin: Linearized, residuals: list[Any], rows: Rows, row_types: Sequence[ArrayType], colours: Colours
) -> list[Any]:  # fmt: skip
    """Per row of blocks, the sums of its columns of each colour; None where there is nothing."""
    types = lin.linear.in_types[lin.residuals :]
    if not _count(colours) or not lin.linear.outputs:
        return [None] * len(rows)
    seeds = _seeds(types, [t.size for t in types], colours)
    found = iter(_batched(lin.linear, _count(colours), residuals, seeds))
    per_output = [next(found) if n else None for n in lin.out_nonzero]
    return [None if p is None else per_output[p] for p in rows]


def _pull(
    lin: Linearized, residuals: list[Any], rows: Rows, row_types: Sequence[ArrayType], colours: Colours
) -> list[Any]:  # fmt: skip
    """Per column of blocks, the sums of its rows of each colour; None where there is nothing."""
    moving = len(lin.linear.inputs) - lin.residuals
    if not _count(colours) or not lin.linear.outputs:
        return [None] * moving
    backward, given = _transposed(lin, rows)
    types = [t if p is not None and lin.out_nonzero[p] else None for p, t in zip(rows, row_types)]
    seeds = _seeds(types, [t.size for t in row_types], colours)
    found = iter(_batched(backward, _count(colours), residuals, seeds))
    return [next(found) if g else None for g in given]


def _read(
    found: list[Any], pattern: Pattern, row_types: Sequence[ArrayType], in_types: Sequence[ArrayType],
    colours: Colours, forward: bool, mirrored: bool,
) -> tuple[list[Any], list[Pattern]]:  # fmt: skip
    """The entries of each block, from the sums they are in, and its pattern."""
    sums = [
        None if s is None else reshape(s, shape=(s.shape[0], int(np.prod(s.shape[1:]))))
        for s in found
    ]
    rows, cols = pattern.rows, pattern.cols
    if (
        mirrored
    ):  # read from the mirror image where another column of that colour has an entry there
        meeting = rows.astype(np.int64) * _count(colours) + colours[cols]
        _, back, times = np.unique(meeting, return_inverse=True, return_counts=True)
        swap = times[back.reshape(-1)] > 1
        rows, cols = np.where(swap, cols, rows), np.where(swap, rows, cols)
    data, patterns = [], []
    top = 0
    for i, t in enumerate(row_types):
        left = 0
        for j, kind in enumerate(in_types):
            block, at = pattern.block(slice(top, top + t.size), slice(left, left + kind.size))
            if mirrored:
                entries = _pick_mirrored(sums, colours[cols[at]], rows[at], row_types)
            elif forward:
                entries = _pick(sums[i], colours[cols[at]], rows[at] - top)
            else:
                entries = _pick(sums[j], colours[rows[at]], cols[at] - left)
            dtype = t.dtype if forward else kind.dtype
            data.append(full(dtype.type(0), (len(at),)) if entries is None else entries)
            patterns.append(block)
            left += kind.size
        top += t.size
    return data, patterns


def _pick(sums: Any, colour: Any, place: Any) -> Any:
    if sums is None or not len(colour):
        return None
    return gather(
        sums, np.stack([colour, place], 1).astype(np.int32), offset_axes=(), collapsed_axes=(0, 1),
        index_map=(0, 1), slice_sizes=(1, 1), mode="promise",
    )  # fmt: skip


def _pick_mirrored(sums: list[Any], colour: Any, row: Any, types: Sequence[ArrayType]) -> Any:
    """Entries that may lie in any row of blocks."""
    total: Any = None
    start = 0
    for part, t in zip(sums, types, strict=True):
        inside = np.flatnonzero((row >= start) & (row < start + t.size))
        if part is not None and len(inside):
            entries = _pick(part, colour[inside], row[inside] - start)
            if len(inside) == len(row):
                return entries
            total = full(t.dtype.type(0), (len(row),)) if total is None else total
            total = put(total, inside, entries)
        start += t.size
    return total


def put(x: Any, at: Any, values: Any) -> Any:
    """`x`, a vector, with `values` at known places."""
    return scatter_set(
        x, at.astype(np.int32)[:, None], values, update_window_axes=(), inserted_axes=(0,),
        index_map=(0,), mode="promise", unique=True,
    )  # fmt: skip
