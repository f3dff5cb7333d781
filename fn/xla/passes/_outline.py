"""The outliner: repeated runs of equations that nobody marked become calls of one Program.

A Python `for` over layers is written out by tracing, and differentiation writes it out again backwards.
Here it becomes a loop's worth of text: each repeated run, equal up to renaming, is said once. What is
left to XLA grows by one call per layer, and does not grow faster than that.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from fn.core import Atom, Equation, Literal, Program, Variable
from fn.xla.passes._outline_cost import BYTES_PER_NS, fuses, reduces
from fn.xla.passes._outline_cost import work as work_of
from fn.xla.passes._outline_flat import Flat
from fn.xla.passes._outline_match import Block, border, match
from fn.xla.passes._outline_report import Repeat, noted
from fn.xla.passes._outline_runs import Windows, repeats
from fn.xla.passes._share import SITES, call_apart_p
from fn.xla.passes._walk import recursive, with_equations

_REFUSALS = 6
"""Candidates in a row that do not pay, after which the rest will not either."""
_DOUBLINGS = 4
_SHIFTS = 8
"""Places to cut at that are looked at more closely, where several are about as good."""


class Rule(NamedTuple):
    """When a repeat is worth a call. A call costs microseconds, and the fusion that ends at its border."""

    places: int = SITES
    """Where it must occur, at least."""
    saved: int = 128
    """Equations that it must save, at least."""
    work: float = 30_000.0
    """Nanoseconds that the body must take, at least."""
    border: float = 0.5
    """How long moving what goes in and out may take, at most, as a part of the body's work."""
    any: bool = False
    """Whether the body may be nothing but operations that fuse."""


@recursive
def outline(program: Program) -> Program:
    """`program` with repeated runs of equations as calls, kept apart, of one Program each."""
    return outlined(program, Rule())


def outlined(program: Program, rule: Rule, inside: bool = False) -> Program:
    """`outline` by another rule of what pays; `program` itself where nothing does.

    `inside` says that it is the body of a repeat, whose equations are counted already.
    """
    if len(program.equations) <= rule.saved:
        return program
    flat = Flat(program)
    blocks: list[Block] = []
    refused = 0
    for windows in repeats(flat, rule.saved):
        block = _chosen(flat, windows, blocks, rule)
        refused = refused + 1 if block is None else 0
        if block is not None:
            flat.take(block.positions().ravel())
            blocks.append(block)
        elif refused == _REFUSALS:
            break
    while blocks:
        found = _build(flat, blocks, rule, inside)
        if found is not None:
            return found
        blocks.pop()
    return program


def _chosen(flat: Flat, windows: Windows, blocks: Sequence[Block], rule: Rule) -> Block | None:
    """The block in `windows` if it pays; where each does too little, several in a row as one."""
    for _ in range(_DOUBLINGS):
        block = match(flat, shifted(flat, windows, blocks))
        if block is not None and pays(flat, block, rule):
            return block
        if not windows.adjacent or len(windows.starts) < 4:
            break
        windows = windows.doubled()
    return None


def shifted(flat: Flat, windows: Windows, blocks: Sequence[Block] = ()) -> Windows:
    """Windows that stand back to back, moved to where least crosses from one to the next.

    Where that leaves a choice, each window is to exchange with as few places of `blocks` as possible: a
    layer backwards with one layer forwards.
    """
    starts, length = windows.starts, windows.length
    if not windows.adjacent:
        return windows
    widths = border(flat, windows)
    if len(starts) < 4:  # one window less is too much
        widths = widths[: windows.slack + 1]
    shifts = np.flatnonzero(widths <= 1.05 * widths.min())[:_SHIFTS].tolist()

    def at(shift: int) -> Windows:
        moved = (starts if shift <= windows.slack else starts[:-1]) + shift
        holes = frozenset([(h - shift) % length for h in windows.holes])
        return Windows(moved, length, holes)

    candidates = [at(s) for s in shifts]
    return min(candidates, key=lambda w: (_places(flat, w, blocks), -len(w.starts)))


def _places(flat: Flat, windows: Windows, blocks: Sequence[Block]) -> int:
    """With how many places of `blocks` a window exchanges something, on average."""
    owner = np.full(len(flat) + 1, -1, np.int64)
    count = 0
    for block in blocks:
        owner[block.positions()] = count + np.arange(block.places)[:, None]
        count += block.places
    definer = flat.definer[flat.operands]
    pairs: set[int] = set()
    for here, there in ((flat.user, definer), (definer, flat.user)):
        window = (here - int(windows.starts[0])) // windows.length
        inside = (here >= windows.starts[0]) & (window < len(windows.starts)) & (owner[there] >= 0)
        pairs.update((window[inside] * (count + 1) + owner[there][inside]).tolist())
    flat.steps += len(flat)
    return round(len(pairs) / len(windows.starts))


def pays(flat: Flat, block: Block, rule: Rule) -> bool:
    """Whether calls of `block` cost next to nothing beside what it does, and save enough."""
    if block.places < rule.places or (block.places - 1) * len(block.body) < rule.saved:
        return False
    equations = [flat.equations[i] for i in block.positions()[0].tolist()]
    if not rule.any and all(fuses(e.primitive) or reduces(e.primitive) for e in equations):
        return False  # XLA makes one loop of these, with what is around them
    work = sum(map(work_of, equations))
    passed = np.unique(block.arguments[0])
    passed = passed[flat.definer[passed] >= 0]  # what is computed, and might have been fused
    crossing = flat.bytes[passed].sum() + flat.bytes[block.results[0]].sum()
    return work >= rule.work and crossing / BYTES_PER_NS <= rule.border * work


def _build(flat: Flat, blocks: list[Block], rule: Rule, inside: bool) -> Program | None:
    """The Program with calls in place of the blocks; None if some calls would wait for each other."""
    count = len(flat)
    node = list(range(count))
    calls: list[tuple[Block, int]] = []
    for block in blocks:
        for place, positions in enumerate(block.positions().tolist()):
            for index in positions:
                node[index] = count + len(calls)
            calls.append((block, place))
    order = _scheduled(flat, node, calls)
    if order is None:
        return None
    bodies = {id(block): outlined(_body(flat, block), rule, True) for block in blocks}
    found = [_finding(flat, block, bodies[id(block)]) for block in blocks]
    atoms = flat.atoms
    equations: list[Equation] = []
    for at in order:
        if at < count:
            equations.append(flat.equations[at])
            continue
        block, place = calls[at - count]
        inputs = tuple([atoms[i] for i in block.arguments[place].tolist()])
        outputs = tuple([atoms[i] for i in block.results[place].tolist()])
        source = flat.equations[int(block.starts[place] + block.body[0])].source
        params = {"program": bodies[id(block)]}
        equations.append(Equation(call_apart_p, inputs, outputs, params, source))
    program = with_equations(flat.program, equations)
    if inside:
        return noted(program, *found, steps=flat.steps)
    after = sum([len(p.equations) for p in (program, *_inside(bodies.values()))])
    return noted(program, *found, before=count, after=after, steps=flat.steps)


def _inside(programs: Iterable[Program]) -> list[Program]:
    """These Programs and those their equations call apart, each once."""
    found = {id(p): p for p in programs}
    for program in (todo := list(found.values())):
        for equation in program.equations:
            if equation.primitive is call_apart_p:
                inner: Program = equation.params["program"]
                if id(inner) not in found:
                    found[id(inner)] = inner
                    todo.append(inner)
    return list(found.values())


def _finding(flat: Flat, block: Block, body: Program) -> Repeat:
    first = flat.equations[int(block.positions()[0, 0])]
    return Repeat(body.name, block.places, len(block.body), first.source)


def _scheduled(flat: Flat, node: list[int], calls: list[tuple[Block, int]]) -> list[int] | None:
    """Equations and calls, each after what it uses, otherwise in order; None if they wait for each other.

    Only what stands between the equations of one place may move, before or behind its call. Nothing with an
    effect stands there.
    """
    count = len(flat)
    operands, ends = flat.operands.tolist(), flat.ends.tolist()
    definer = flat.definer.tolist()
    arguments = [block.arguments[place].tolist() for block, place in calls]
    order: list[int] = []
    state = [0] * (count + len(calls))  # 1 while what it uses is being put first, 2 when in place

    def missing(at: int) -> list[int]:
        values = operands[ends[at] : ends[at + 1]] if at < count else arguments[at - count]
        found = []
        for value in values:
            index = definer[value]
            if index >= 0 and state[node[index]] != 2:
                found.append(node[index])
        return found

    for index in range(count):
        todo = [] if state[node[index]] == 2 else [node[index]]
        while todo:
            at = todo[-1]
            first = missing(at) if state[at] != 2 else []
            if not first:
                if state[at] != 2:
                    state[at] = 2
                    order.append(at)
                todo.pop()
            elif state[at] == 1 and any(state[b] == 1 for b in first):
                return None
            else:
                state[at] = 1
                todo += first
    return order


def _body(flat: Flat, block: Block) -> Program:
    """The block as a Program: the equations of its first place, the user's lines included."""
    atoms = flat.atoms
    argument = block.argument.tolist()
    inputs = [Variable(atoms[i].type) for i in block.arguments[0].tolist()]
    env: dict[Atom, Variable] = {}
    equations: list[Equation] = []
    at = 0
    for index in (block.starts[0] + block.body).tolist():
        equation = flat.equations[index]
        taken: list[Atom] = []
        for atom in equation.inputs:
            if argument[at] >= 0:
                taken.append(inputs[argument[at]])
            else:
                taken.append(atom if isinstance(atom, Literal) else env[atom])
            at += 1
        copy = equation.with_inputs(tuple(taken))
        env.update(zip(equation.outputs, copy.outputs, strict=True))
        equations.append(copy)
    outputs = tuple([env[atoms[i]] for i in block.results[0].tolist()])
    return Program(tuple(inputs), tuple(equations), outputs, (), _name(equations))


def _name(equations: list[Equation]) -> str:
    """What the user's function is called that does most of the block's work."""
    names: Counter[str] = Counter()
    for equation in equations:
        if equation.source is not None:
            names[equation.source.code.co_name] += int(work_of(equation)) + 1
    found = names.most_common(1)[0][0] if names else "block"
    return re.sub(r"\W", "_", found).strip("_") or "block"
