"""`cost`: arithmetic, memory traffic and peak memory of a function, by operator and by line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from fn.core import Equation, Program, Source, public
from fn.inspect._document import Document, Span, Table
from fn.inspect._equations import code, place
from fn.inspect._flops import bytes_of, work
from fn.inspect._inside import BRANCHES, LOOPS, expansion
from fn.inspect._memory import Memory
from fn.inspect._subject import look
from fn.inspect._trips import bounds_of, trips
from fn.inspect._view import View

_TEXT_ROWS = 15
_PAGE_ROWS = 200
_BAR = 10


class CostRow(NamedTuple):
    """What one operator, or one line of the user's, takes in all.

    >>> import fn, fn.numpy as np
    >>> row = fn.inspect.cost(lambda x: np.exp(x) + 1.0)(np.ones(5)).operators[0]
    >>> row.name, row.times, row.flops
    ('add', 1, 5)
    """

    name: str
    """The operator, or `file.py:12`."""
    times: int
    """How many operations are run."""
    flops: int
    transcendentals: int
    bytes: int
    peak: int
    """Bytes it holds when the most memory is in use."""
    source: Source | None = None
    """The line."""


class Cost(View):
    """What `cost` gives: totals, and where they come from.

    >>> import fn, fn.numpy as np
    >>> found = fn.inspect.cost(lambda x: x * x)(np.ones(5))
    >>> found.flops, found.bytes, found.peak
    (5, 60, 40)
    """

    flops: int
    """Floating-point operations, transcendental functions aside."""
    transcendentals: int
    """Elements of exp, tanh, …"""
    bytes: int
    """Read and written, each operation by itself: what fusion saves is not taken off."""
    peak: int
    """The most bytes in use at once, arguments included."""
    arguments: int
    """Bytes of arguments and captured arrays."""
    operators: list[CostRow]
    """The most expensive first."""
    lines: list[CostRow]
    notes: list[str]
    """What is not certain: loops without a known number of rounds, operations nobody counted."""

    def __init__(self, program: Program) -> None:
        self.program = program
        tally = _Counter().program(program, ())
        peak = Memory().peak(program)
        self.arguments = sum(bytes_of(t) for t in program.in_types)
        self.peak = self.arguments + peak.bytes
        self.flops = sum(w.flops for w in tally.sums.values())
        self.transcendentals = sum(w.transcendentals for w in tally.sums.values())
        self.bytes = sum(w.bytes for w in tally.sums.values())
        by_operator: dict[Any, list[int]] = {}
        by_line: dict[Any, list[int]] = {}
        sources: dict[Any, Source | None] = {}
        places = _Places()
        entries = [
            (key, (w.times, w.flops, w.transcendentals, w.bytes, 0))
            for key, w in tally.sums.items()
        ]
        entries += [(key, (0, 0, 0, 0, held)) for key, held in peak.held.items()]
        for (operator, source), numbers in entries:
            line = places(source)
            sources.setdefault(line, source)
            for total in (
                by_operator.setdefault(operator, [0] * 5),
                by_line.setdefault(line, [0] * 5),
            ):
                for i, n in enumerate(numbers):
                    total[i] += n
        self.operators = _sorted([_row(name, n, None) for name, n in by_operator.items()])
        self.lines = _sorted([
            _row("unknown" if s is None else place(s), by_line[key], s)
            for key, s in sources.items()
        ])  # fmt: skip
        self.notes = list(tally.notes)

    def _document(self, page: bool) -> Document:
        title: list[Span] = [
            (f"{quantity(self.flops)}FLOP", "strong"),
            (f" and {quantity(self.transcendentals).strip()} transcendentals" if self.transcendentals else "", ""),
            (f", {quantity(self.bytes)}B moved, at most ", ""), (f"{quantity(self.peak)}B", "strong"),
            (f" in use, {quantity(self.arguments)}B of them arguments", ""),
        ]  # fmt: skip
        most = _PAGE_ROWS if page else _TEXT_ROWS
        note = "\n".join(self.notes) if page else ""
        blocks = [
            self._table("by operator", self.operators, most, ""),
            self._table("by line", self.lines, most, note),
        ]
        if self.notes and not page:
            notes = [((("  " + n, "dim"),),) for n in self.notes]
            blocks.append(Table((("not certain", "changed"),), ("",), notes, frozenset({0})))
        return Document(tuple(title), blocks)

    def _table(self, title: str, rows: Sequence[CostRow], most: int, note: str) -> Table:
        total = max(self.flops + self.transcendentals, 1)
        cells: list[tuple[tuple[Span, ...], ...]] = []
        for row in rows[:most]:
            share = (row.flops + row.transcendentals) / total
            cells.append((
                ((row.name, "op" if row.source is None else "source"),), ((f"{row.times:,}", "dim"),),
                ((quantity(row.flops), ""),), ((quantity(row.transcendentals), "dim"),),
                ((_bar(share), "bar"), (f"{share:>4.0%}", "")), ((quantity(row.bytes), ""),),
                ((quantity(row.peak), ""),),
                ((code(row.source), "code"),) if row.source is not None else (),
            ))  # fmt: skip
        if len(rows) > most:
            rest = (((f"… {len(rows) - most} more", "fold"),), *[()] * 7)
            cells.append(rest)
        by_line = title == "by line"
        head = ("", "times", "FLOP", "transc.", "share", "bytes", "at peak", "")
        cut = len(head) - (not by_line)
        return Table(
            ((title, "strong"),),
            head[:cut],
            [tuple(c[:cut]) for c in cells],
            frozenset({0, 7}),
            note,
        )


def _row(name: str, numbers: Sequence[int], source: Source | None) -> CostRow:
    times, flops, transcendentals, moved, peak = numbers
    return CostRow(name, times, flops, transcendentals, moved, peak, source)


def _sorted(rows: list[CostRow]) -> list[CostRow]:
    return sorted(rows, key=lambda r: (-r.flops - r.transcendentals, -r.bytes, -r.peak, r.name))


def quantity(n: float) -> str:
    """`1.23 M`; a space stands where a unit follows."""
    for size, letter in ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if n >= size * 0.9995:
            return f"{n / size:.3g} {letter}"
    return f"{n:,.0f} "


def _bar(share: float) -> str:
    """Up to ten characters long, in eighths."""
    eighths = round(min(max(share, 0.0), 1.0) * _BAR * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (" ▏▎▍▌▋▊▉"[rest] if rest else "")).ljust(_BAR)


class _Places:
    """The file and line of sources, which many equations share."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], Any] = {}

    def __call__(self, source: Source | None) -> Any:
        if source is None:
            return None
        key = id(source.code), source.offset
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = source.file, source.line
        return found


# --- counting ---------------------------------------------------------------------------

_Key = tuple[str, Source | None]


class _Sum(NamedTuple):
    times: int = 0
    flops: int = 0
    transcendentals: int = 0
    bytes: int = 0


class _Tally:
    """Sums by operator and place, and what is not certain."""

    def __init__(self) -> None:
        self.sums: dict[_Key, _Sum] = {}
        self.notes: dict[str, None] = {}
        self._places: dict[Any, _Key] = {}

    def add(self, operator: str, source: Source | None, sum: _Sum, times: int = 1) -> None:
        """Count `sum`, so many times."""
        # One key per operator and place, whichever transform the equation went through.
        at = None if source is None else (id(source.code), source.offset)
        key = self._places.setdefault((operator, at), (operator, source))
        t, f, s, b = self.sums.get(key, _NONE)
        self.sums[key] = _Sum(
            t + times * sum.times, f + times * sum.flops, s + times * sum.transcendentals,
            b + times * sum.bytes,
        )  # fmt: skip

    def include(self, other: _Tally, times: int = 1) -> None:
        """Count all of another tally, so many times."""
        for (operator, source), sum in other.sums.items():
            self.add(operator, source, sum, times)
        self.notes.update(other.notes)

    @property
    def total(self) -> tuple[int, int]:
        """What one tally is more expensive by than another."""
        values = self.sums.values()
        return sum(v.flops + v.transcendentals for v in values), sum(v.bytes for v in values)


_NONE = _Sum()


class _Counter:
    """Counts Programs, each once."""

    def __init__(self) -> None:
        self._known: dict[Any, tuple[Program, _Tally]] = {}

    def program(self, program: Program, bounds: tuple[int, ...]) -> _Tally:
        """What one run of `program` takes; `bounds` are those of `trips`."""
        key = id(program), bounds
        if key not in self._known:
            tally = _Tally()
            for equation in program.equations:
                self._equation(tally, equation, bounds)
            self._known[key] = program, tally
        return self._known[key][1]

    def _equation(self, tally: _Tally, equation: Equation, bounds: tuple[int, ...]) -> None:
        name, p, source = equation.primitive.name, equation.params, equation.source
        if name == "call":
            tally.include(self.program(p["program"], bounds))
        elif name == BRANCHES:
            branches = [self.program(b, bounds) for b in p["branches"]]
            tally.include(max(branches, key=lambda t: t.total))
            if len({t.total for t in branches}) > 1:
                _note(tally, source, name, "the most expensive branch is counted")
        elif name in LOOPS:
            found, inner = trips(equation, bounds)
            for part in ("program", "cond", "body"):
                if part in p:
                    tally.include(self.program(p[part], inner), found.rounds)
            if not found.known:
                _note(tally, source, name, "rounds unknown, one is counted")
        else:
            done = work(equation)
            runs = None if done.known else expansion(equation)
            if runs is not None:
                within = bounds_of(equation)
                if within:
                    _note(tally, source, name, f"at most {within[0]:,} rounds, all are counted")
                tally.include(self.program(runs, within or bounds))
                return
            if not done.known:
                _note(tally, source, name, "nobody has counted its arithmetic")
            tally.add(name, source, _Sum(1, done.flops, done.transcendentals, done.bytes))


def _note(tally: _Tally, source: Source | None, name: str, what: str) -> None:
    where = "" if source is None else f" at {place(source)}"
    tally.notes[f"{name}{where}: {what}"] = None


@public
def cost(f: Any) -> Any:
    """Count the arithmetic, the memory traffic and the peak memory of a function, without running it.

    Floating-point operations are counted as XLA counts them before it optimises: two for a product
    that is added, one per element of an elementwise result; transcendental functions apart, one per
    element. Bytes are those each operation reads and writes by itself, unfused. The peak is that of
    values that each live from when they are computed to their last use, arguments for all of it; XLA
    may need less. A scan counts all its rounds, a `while_loop` those its Program tells, or at most
    `max_steps`, or one; of branches, the most expensive counts. `.notes` says where this was so.

    Args:
        f: a function of arrays and pytrees, or a `Program`.

    Returns:
        For a function, a function of arrays or types that gives a view, for a Program the view, with
        `.flops`, `.transcendentals`, `.bytes`, `.peak`, and rows in `.operators` and `.lines`.

    >>> import fn, fn.numpy as np
    >>> found = fn.inspect.cost(lambda x, w: np.tanh(x @ w))(np.ones((4, 8)), np.ones((8, 2)))
    >>> found.flops, found.transcendentals, found.peak
    (128, 8, 256)
    >>> found.operators[0].name
    'dot_general'
    """
    return look("cost", f, lambda subject: Cost(subject.program))
