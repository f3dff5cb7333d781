"""`diff`: two Programs side by side, aligned, whatever their variables are called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from fn.core import Equation, Literal, Program, Variable, public, variable_names
from fn.inspect._align import Alignment, Match, align
from fn.inspect._document import Block, Document, Pair, Span
from fn.inspect._equations import Writer, number, origin, place
from fn.inspect._subject import check_function, name_of, traced
from fn.inspect._view import View

_CONTEXT = 3
_ROWS = 200


class Comparison:
    """Two Programs and those inside them, aligned; what `diff` and `steps` show."""

    def __init__(self, left: Program, right: Program) -> None:
        self.left, self.right = left, right
        self.parts: list[tuple[Program, Program, Alignment]] = []
        seen: set[tuple[int, int]] = set()
        todo = [(left, right)]
        while todo:
            a, b = todo.pop(0)
            if (id(a), id(b)) in seen:
                continue
            seen.add((id(a), id(b)))
            found = align(a, b)
            self.parts.append((a, b, found))
            for match in found.matches:
                if match.mark == "~" and match.left is not None and match.right is not None:
                    todo += _inside(a.equations[match.left], b.equations[match.right])

    @property
    def marks(self) -> Counter[str]:
        """How many equations there are of each mark."""
        found = Counter(m.mark for *_, a in self.parts for m in a.matches)
        found["~"] += sum(a.results == "~" for *_, a in self.parts)
        return found

    def blocks(self, columns: tuple[str, str], lines: bool) -> list[Block]:
        """Side by side; with `lines`, what is new on the right has its line beside it."""
        writers = Writer(self.left), Writer(self.right)
        blocks = []
        for index, (a, b, alignment) in enumerate(self.parts):
            if index and not alignment.changes:
                continue
            title: tuple[Span, ...] = ((f"@{writers[0].names[id(a)]}", "program"),)
            if writers[1].names[id(b)] != writers[0].names[id(a)]:
                title += ((" │ ", "rule"), (f"@{writers[1].names[id(b)]}", "program"))
            rows = list(_rows(writers, a, b, alignment, lines))
            blocks.append(Block(title, rows, columns))
        return blocks


def _inside(a: Equation, b: Equation) -> list[tuple[Program, Program]]:
    """The Programs two equations carry under the same names, where they differ."""
    found = []
    for name, value in a.params.items():
        other = b.params.get(name)
        values = value if isinstance(value, tuple) else (value,)
        others = other if isinstance(other, tuple) else (other,)
        for x, y in zip(values, others):
            if isinstance(x, Program) and isinstance(y, Program) and x != y:
                found.append((x, y))
    return found


# --- rows -------------------------------------------------------------------------------


def _rows(
    writers: tuple[Writer, Writer], a: Program, b: Program, alignment: Alignment, lines: bool
) -> Iterator[Pair]:
    left, right = writers
    _rename(left, right, a, b, alignment)
    rows = list(_input_rows(left, right, a, b))
    shown = 0
    for stretch in _stretches(alignment.matches):
        alike = stretch[0].mark == "="
        hidden = len(stretch) - 2 * _CONTEXT
        for index, match in enumerate(stretch):
            if alike and hidden > 1 and _CONTEXT <= index < len(stretch) - _CONTEXT:
                if index == _CONTEXT:
                    what = (f"⋯ {number(hidden, 'equation')} alike", "fold")
                    rows.append(Pair((what,), (what,)))
                continue
            shown += 1
            if shown <= _ROWS:
                rows.append(_pair(left, right, a, b, match, lines))
    if shown > _ROWS:
        what = (f"⋯ {number(shown - _ROWS, 'more equation')} not shown", "fold")
        rows.append(Pair((what,), (what,)))
    returned = [
        (("return", "op"), *[s for x in p.outputs[:8] for s in ((" ", ""), w.atom(p, x))])
        for w, p in ((left, a), (right, b))
    ]
    rows.append(Pair(returned[0], returned[1], alignment.results))
    yield from rows


def _rename(left: Writer, right: Writer, a: Program, b: Program, alignment: Alignment) -> None:
    """Call variables on the right what their twins on the left are called, and new ones something new."""
    known = left.variables(a)
    fresh = variable_names()
    for _ in known:
        next(fresh)
    names: dict[Variable, str] = {}
    for variable in [*b.inputs, *(v for e in b.equations for v in e.outputs)]:
        twin = alignment.twins.get(variable)
        found = None if twin is None or isinstance(twin, Literal) else known.get(twin)
        names[variable] = next(fresh) if found is None else found
    right.rename(b, names)


def _input_rows(left: Writer, right: Writer, a: Program, b: Program) -> Iterator[Pair]:
    """The inputs, where they differ."""
    if a.in_types == b.in_types:
        return
    for index in range(max(len(a.inputs), len(b.inputs))):
        sides: list[tuple[Span, ...]] = [
            tuple(w.definition(p, p.inputs[index])) if index < len(p.inputs) else ()
            for w, p in ((left, a), (right, b))
        ]
        if not sides[0]:
            mark = "+"
        elif not sides[1]:
            mark = "-"
        else:
            mark = "=" if a.inputs[index].type == b.inputs[index].type else "~"
        if mark != "=":
            yield Pair(sides[0], sides[1], mark)


def _stretches(matches: Sequence[Match]) -> Iterator[list[Match]]:
    """Runs of equations that are alike, and of those that are not."""
    run: list[Match] = []
    for match in matches:
        if run and (run[-1].mark == "=") != (match.mark == "="):
            yield run
            run = []
        run.append(match)
    if run:
        yield run


def _pair(left: Writer, right: Writer, a: Program, b: Program, match: Match, lines: bool) -> Pair:
    sides: list[tuple[Span, ...]] = []
    hover = ""
    last = None
    for writer, program, index in ((left, a, match.left), (right, b, match.right)):
        if index is None:
            sides.append(())
            continue
        last = program.equations[index]
        sides.append(writer.equation(program, last))
        hover = writer.hover(last)
    beside: tuple[Span, ...] = ()
    if lines and match.mark != "=" and match.right is not None and last is not None:
        beside = _short_source(last)
    return Pair(sides[0], sides[1], match.mark, beside, hover)


def _short_source(equation: Equation) -> tuple[Span, ...]:
    source = equation.source
    if source is None:
        return ()
    spans: tuple[Span, ...] = ((place(source), "source"),)
    return (*spans, (f"  {origin(source)}", "origin")) if source.origin else spans


# --- diff -------------------------------------------------------------------------------


class Diff(View):
    """Two Programs compared, as `diff` gives them.

    >>> import fn, fn.numpy as np
    >>> fn.inspect.diff(np.sin, np.cos)(1.0).changes
    1
    """

    def __init__(self, left: Program, right: Program, columns: tuple[str, str]) -> None:
        self.left, self.right, self._columns = left, right, columns
        self._comparison = Comparison(left, right)

    @property
    def same(self) -> bool:
        """Whether the Programs are the same but for the names of variables."""
        return not self.changes

    @property
    def changes(self) -> int:
        """How many equations differ, those of Programs inside included."""
        return sum(alignment.changes for *_, alignment in self._comparison.parts)

    def _document(self, page: bool) -> Document:
        blocks = self._comparison.blocks(self._columns, False)
        return Document(summary(self._comparison.marks), blocks)


def summary(marks: Counter[str]) -> tuple[Span, ...]:
    """`3 equations changed, 1 removed, 2 added`"""
    words = [("~", "changed"), ("-", "removed"), ("+", "added")]
    spans: list[Span] = []
    for mark, word in words:
        if marks[mark]:
            spans += [(", ", "")] if spans else []
            count = number(marks[mark], "equation") if not spans else f"{marks[mark]:,}"
            spans.append((f"{count} {word}", word))
    return tuple(spans) or (("the same, up to the names of variables", "good"),)


@public
def diff(f: Any, g: Any) -> Any:
    """Compare two functions as Programs, side by side and aligned.

    What variables are called does not matter. Equations are aligned first by what they compute, then
    by their operation; the right side uses the names of the left where they stand for the same.

    Args:
        f, g: functions of arrays and pytrees, or Programs.

    Returns:
        For two Programs a view, otherwise a function of arrays or types that gives one. Its `.same`
        says whether there is no difference, `.changes` how many equations differ.

    >>> import fn, fn.numpy as np
    >>> both = fn.inspect.diff(lambda x: np.sin(x) * 2.0, lambda y: np.cos(y) * 2.0)(1.0)
    >>> both.same, both.changes
    (False, 1)
    >>> print(both.text(64))
    1 equation changed
    <BLANKLINE>
    @_lambda_
    <lambda>                <lambda>
    b: ~f32[] = sin a     ~ b: ~f32[] = cos a
    c: ~f32[] = mul b 2.0 │ c: ~f32[] = mul b 2.0
    return c              │ return c
    """
    columns = name_of(f), name_of(g)
    if isinstance(f, Program) and isinstance(g, Program):
        return Diff(f, g, columns)
    for subject in (f, g):
        if not isinstance(subject, Program):
            check_function("diff", subject)

    @public
    def compared(*args: Any, **kwargs: Any) -> Diff:
        sides = [
            s if isinstance(s, Program) else traced("diff", s, args, kwargs).program for s in (f, g)
        ]
        return Diff(sides[0], sides[1], columns)

    return compared
