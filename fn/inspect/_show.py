"""`show`: a function as a Program, each equation beside the user's line it comes from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from fn.core import Program, public
from fn.inspect._document import Block, Document, Row, Span
from fn.inspect._equations import (
    Writer,
    number,
    operators,
    reachable,
    source_spans,
)
from fn.inspect._folds import Item, Repeat, Same
from fn.inspect._folds import fold as folded
from fn.inspect._subject import Subject, look
from fn.inspect._view import View

_TEXT_ROWS = 150
_PAGE_ROWS = 600
_INPUTS = 8
_TYPES = 4
_ALL = 1 << 60


class Shown(View):
    """A Program to look at, as `show` gives it.

    >>> import fn, fn.numpy as np
    >>> view = fn.inspect.show(np.sin)(1.0)
    >>> view.program.equations[0].primitive.name
    'sin'
    """

    def __init__(self, subject: Subject, rows: int | None) -> None:
        self.program, self._paths, self._rows = subject.program, subject.paths, rows
        self._made: dict[int, Document] = {}

    def _document(self, page: bool) -> Document:
        most = self._rows or (_PAGE_ROWS if page else _TEXT_ROWS)
        if most not in self._made:
            self._made[most] = _document(self.program, self._paths, most)
        return self._made[most]


@public
def show(f: Any, *, rows: int | None = None, fold: bool = True) -> Any:
    """Look at a function as a Program: types, operations, and the user's line beside each equation.

    In a terminal, the result prints as text, with colours where rich is installed; in a notebook it is
    a page with sub-programs that fold away, a search box, and types and lines where the mouse points.
    A sub-program stands there once, however often it is called.

    Args:
        f: a function of arrays and pytrees, or a `Program`.
        rows: fold each Program to about so many rows, by default 150 in text and 600 on a page: first what repeats, then
            neighbours from one line of the user's, then the middle.
        fold: False shows every equation by itself.

    Returns:
        For a function, a function of arrays or types that gives a view; for a Program, the view. Its
        `.program` is what is shown, `str(view)` plain text, `view.html()` the page.

    Raises:
        ArgumentError: if `f` is neither.

    >>> import fn, fn.numpy as np
    >>> print(fn.inspect.show(lambda x: np.sin(x).sum())(np.ones(3)).text())  # doctest: +ELLIPSIS
    @_lambda_: 1 input, 1 output, 2 equations
    <BLANKLINE>
    @_lambda_ → f32[]
      a: f32[3]  x
      b: f32[3] = sin a                   <doctest ...
      c: f32[] = reduce_sum[axes=(0,)] b  │
      return c
    """
    most = rows if fold else _ALL
    return look("show", f, lambda subject: Shown(subject, most))


def _document(program: Program, paths: Sequence[str], most: int) -> Document:
    writer = Writer(program)
    programs = reachable(program)
    uses: dict[int, int] = {}
    for p in programs:
        for sub in p.subprograms():
            uses[id(sub)] = uses.get(id(sub), 0) + 1
    count = sum(len(p.equations) for p in programs)
    title: list[Span] = [
        (f"@{writer.names[id(program)]}", "program"),
        (f": {number(len(program.inputs), 'input')}, {number(len(program.outputs), 'output')}", ""),
        (f", {number(count, 'equation')}", ""),
    ]
    if len(programs) > 1:
        title.append((f", {number(len(programs) - 1, 'sub-program')}", ""))
    blocks = [_block(writer, program, paths, most, 0)]
    for sub in programs[1:]:
        blocks.append(_block(writer, sub, (), most, uses[id(sub)]))
    return Document(tuple(title), list(blocks))


def _block(writer: Writer, program: Program, paths: Sequence[str], most: int, uses: int) -> Block:
    names = writer.variables(program)
    own = len(program.inputs) - len(program.captured)
    outs = ", ".join(str(t) for t in program.out_types[:_TYPES])
    if len(program.outputs) > _TYPES:
        outs += f", … {len(program.outputs) - _TYPES} more"
    title: list[Span] = [
        (f"@{writer.names[id(program)]}", "program"), (" → ", "dim"), (outs or "nothing", "type")
    ]  # fmt: skip
    if uses > 1:
        title.append((f"  used {uses} times", "dim"))
    rows: list[Row] = []
    for index, variable in enumerate(program.inputs[:_INPUTS]):
        beside = paths[index] if index < len(paths) else "captured" if index >= own else ""
        spans = writer.definition(program, variable)
        if beside:
            spans.append((f"  {beside}", "source"))
        rows.append(Row((("  ", ""), *spans), (), "", names[variable]))
    if len(program.inputs) > _INPUTS:
        more = number(len(program.inputs) - _INPUTS, "more input")
        rows.append(Row(((f"  … {more}", "fold"),)))
    rows += _rows(
        writer, program, folded(program, most) if most < _ALL else _unfolded(program), "  "
    )
    returned: list[Span] = [("  return", "op")]
    for atom in program.outputs[:_INPUTS]:
        returned += [(" ", ""), writer.atom(program, atom)]
    if len(program.outputs) > _INPUTS:
        returned.append((f" … {len(program.outputs) - _INPUTS} more", "dim"))
    rows.append(Row(tuple(returned)))
    return Block(
        tuple(title), _quiet(rows), name=writer.names[id(program)], open=uses == 0
    )  # fmt: skip


def _unfolded(program: Program) -> Sequence[Item]:
    return range(len(program.equations))


def _rows(writer: Writer, program: Program, items: Sequence[Item], indent: str) -> Iterator[Row]:
    equations = program.equations
    for item in items:
        if isinstance(item, int):
            yield writer.row(program, equations[item], indent)
        elif isinstance(item, Repeat):
            what = f"{item.times:,} rounds of {number(item.period, 'equation')}, alike; the first:"
            yield Row(((f"{indent}╭ ", "rule"), (what, "fold")))
            yield from _rows(writer, program, item.round, f"{indent}│ ")
            yield Row(((f"{indent}╰", "rule"),))
        elif isinstance(item, Same):
            yield _same(writer, program, item, indent)
        else:
            what = f"⋯ {number(item.stop - item.start, 'equation')} not shown: show(f, rows=…)"
            yield Row(((indent, "rule"), (what, "fold")))


def _same(writer: Writer, program: Program, item: Same, indent: str) -> Row:
    equations = program.equations[item.start : item.stop]
    names = writer.variables(program)
    last = equations[-1].outputs
    spans: list[Span] = [(indent, "rule"), (f"{number(len(equations), 'equation')}: ", "fold")]
    spans.append((operators(equations), "op"))
    if last:
        spans += [(" → ", "dim"), *writer.definition(program, last[-1])]
    defined = " ".join(names[v] for e in equations for v in e.outputs)
    hover = "\n".join("".join(t for t, _ in writer.equation(program, e)) for e in equations[:20])
    return Row(tuple(spans), source_spans(equations[0].source), hover, defined)


def _quiet(rows: Sequence[Row]) -> list[Row]:
    """The rows with a line that is the same as above shown once, and its way through transforms as it changes."""
    found: list[Row] = []
    above: tuple[Span, ...] = ()
    for row in rows:
        shown = row.right
        if shown and above and shown[0] == above[0]:
            ways = [s for s in shown if s[1] == "origin" and s not in above]
            shown = (("│", "rule"), *ways)
        found.append(row._replace(right=shown))
        above = row.right
    return found
