"""What a check found, as a table: in the terminal, in a notebook, in a log."""

from __future__ import annotations

import html
import io
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from fn.testing._extra import Console, Table, Text, box


class Row(NamedTuple):
    """One line of a report."""

    name: str
    """As `transforms=` takes it."""
    identity: str
    status: str
    """`holds`, `skipped` or `fails`."""
    cases: int
    """How many pairs of evaluations were compared."""
    worst: float
    """The largest difference, as a share of what was allowed."""
    seconds: float
    note: str
    """Why it was skipped, what was excused, or how the sides differ."""


_STYLES = {"holds": "green", "skipped": "dim", "fails": "bold red"}
_COLORS = {"holds": "#1a7f37", "skipped": "#888888", "fails": "#cf222e"}
_HEADS = ("identity", "", "cases", "worst", "seconds", "")


class Report:
    """The outcome of a check, a row per identity. Prints as a table, also in notebooks.

    >>> import fn, fn.numpy as np
    >>> report = fn.testing.check_identities(np.sin, np.ones(3), transforms=["jit", "vmap"])
    >>> report.ok, [row.name for row in report]
    (True, ['jit', 'vmap'])
    """

    def __init__(self, title: str, rows: Sequence[Row]) -> None:
        self.title, self.rows = title, list(rows)

    @property
    def ok(self) -> bool:
        """Whether nothing failed."""
        return not self.failed

    @property
    def failed(self) -> list[Row]:
        """The rows that failed."""
        return [r for r in self.rows if r.status == "fails"]

    @property
    def seconds(self) -> float:
        """How long all of it took."""
        return sum(r.seconds for r in self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, name: str) -> Row:
        for row in self.rows:
            if row.name == name:
                return row
        raise KeyError(name)

    def __rich__(self) -> Any:
        table = Table(title=Text(self.title), box=box.SIMPLE, title_justify="left")
        for head in _HEADS:
            table.add_column(head, justify="right" if head in _HEADS[2:5] else "left")
        for row in self.rows:
            cells = [Text(cell) for cell in _cells(row)]
            cells[1].stylize(_STYLES.get(row.status, ""))
            table.add_row(*cells)
        return table

    def __str__(self) -> str:
        console = Console(file=io.StringIO(), width=110, force_terminal=False)
        console.print(self)
        text: str = console.file.getvalue()  # type: ignore[attr-defined]  # a StringIO
        return "\n".join(line.rstrip() for line in text.strip("\n").splitlines())

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        """A table for notebooks; everything that came from a user is escaped."""
        lines = [f"<table><caption>{html.escape(self.title)}</caption>"]
        lines.append("<tr>" + "".join(f"<th>{head}</th>" for head in _HEADS) + "</tr>")
        for row in self.rows:
            cells = [html.escape(cell) for cell in _cells(row)]
            color = _COLORS.get(row.status, "inherit")
            cells[1] = f'<span style="color:{color}">{cells[1]}</span>'
            lines.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
        return "\n".join([*lines, "</table>"])


def _cells(row: Row) -> tuple[str, ...]:
    worst = f"{row.worst:.1%}" if row.status == "holds" and row.cases else ""
    cases = str(row.cases) if row.cases else ""
    return row.identity, row.status, cases, worst, f"{row.seconds:.2f}", row.note
