"""What every view is made of: pieces of text with a style, in rows, in blocks; and its plain text form.

A view builds a `Document`; this file lays one out as text, `_html` as a page for notebooks, `_view`
colours the text. Nothing here knows Programs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

Span = tuple[str, str]
"""A text and its style: one of the keys of `STYLES` in `_view`, or '' for none."""


class Row(NamedTuple):
    """A row of a listing: what, and beside it where it comes from."""

    left: tuple[Span, ...]
    right: tuple[Span, ...] = ()
    hover: str = ""
    """What pointing at the row shows, in notebooks."""
    defines: str = ""
    """The variables the row defines, separated by spaces."""


class Pair(NamedTuple):
    """A row of two columns side by side, and how they compare: '=', '~', '-' or '+'."""

    left: tuple[Span, ...]
    right: tuple[Span, ...]
    mark: str = "="
    beside: tuple[Span, ...] = ()
    """Where the right one comes from."""
    hover: str = ""


@dataclass
class Block:
    """Rows under a title. Blocks are shown one below the other, and fold away in notebooks."""

    title: tuple[Span, ...] = ()
    rows: Sequence[Row | Pair] = ()
    columns: tuple[str, str] | None = None
    """Headings of the two columns, where rows are pairs."""
    name: str = ""
    """What `@name` in other blocks refers to."""
    open: bool = True


@dataclass
class Table:
    """Numbers in columns."""

    title: tuple[Span, ...]
    head: tuple[str, ...]
    rows: Sequence[tuple[tuple[Span, ...], ...]]
    left: frozenset[int] = frozenset()
    """Which columns are text and stand to the left."""
    note: str = ""


@dataclass
class Document:
    """What a view shows."""

    title: tuple[Span, ...]
    blocks: Sequence[Block | Table] = ()


Line = list[Span]


def width_of(spans: Iterable[Span]) -> int:
    """Characters of a row of spans."""
    return sum(len(text) for text, _ in spans)


def cut(spans: Sequence[Span], width: int) -> Line:
    """The spans, shortened to `width` characters."""
    kept: Line = []
    left = width
    for text, style in spans:
        if len(text) > left:
            if left > 0:
                kept.append((text[: left - 1] + "…", style))
            elif kept:
                last, old = kept.pop()
                kept.append((last[:-1] + "…", old))
            break
        kept.append((text, style))
        left -= len(text)
    return kept


def _wrapped(spans: Sequence[Span], width: int) -> Iterator[Line]:
    """The spans in as many lines as they need, broken at spaces."""
    line: Line = []
    used = 0
    for text, style in spans:
        for word in re.findall(r" *[^ ]+ *|^ +$", text):
            if line and used + len(word.rstrip()) > width:
                yield cut(line, width)
                line, used, word = [], 0, word.lstrip()
            line.append((word, style))
            used += len(word)
    yield cut(line, width)


def _padded(spans: Sequence[Span], width: int) -> Line:
    found = cut(spans, width)
    gap = width - width_of(found)
    return [*found, (" " * gap, "")] if gap else found


def lines(document: Document, width: int) -> Iterator[Line]:
    """The rows of a document, laid out in so many columns of characters."""
    yield from _wrapped(document.title, width)
    for block in document.blocks:
        yield []
        if isinstance(block, Table):
            yield from _table_lines(block, width)
        elif block.columns is not None:
            yield from _pair_lines(block, width)
        else:
            yield from _block_lines(block, width)


def _block_lines(block: Block, width: int) -> Iterator[Line]:
    if block.title:
        yield cut(block.title, width)
    rows = [row for row in block.rows if isinstance(row, Row)]
    beside = max((width_of(r.right) for r in rows), default=0)
    needed = max((width_of(r.left) for r in rows if r.right), default=0)
    # The user's code gives way to the Program's, down to a third of the width.
    room = min(needed, max(width - 2 - beside, width * 2 // 3))
    for row in rows:
        if row.right:
            yield [*_padded(row.left, room), ("  ", ""), *cut(row.right, width - room - 2)]
        else:
            yield cut(row.left, width)


def _pair_lines(block: Block, width: int) -> Iterator[Line]:
    if block.title:
        yield cut(block.title, width)
    assert block.columns is not None
    pairs = [row for row in block.rows if isinstance(row, Pair)]
    heads = [((c, "dim"),) for c in block.columns]
    rows = [Pair(heads[0], heads[1], " "), *pairs]
    needed = [max(width_of(cells) for cells in column) for column in zip(*[
        (p.left, p.right, p.beside) for p in rows
    ])]  # fmt: skip
    beside = min(needed[2], width * 3 // 10)
    room = width - 3 - (beside + 2 if beside else 0)
    first = min(max(room // 2, room - needed[1]), needed[0])
    second = min(room - first, needed[1])
    styles = {"-": "removed", "+": "added", "~": "changed"}
    for pair in rows:
        mark = f" {pair.mark if pair.mark != '=' else '│'} "
        line = [*_padded(pair.left, first), (mark, styles.get(pair.mark, "rule"))]
        if pair.beside:
            yield [*line, *_padded(pair.right, second), ("  ", ""), *cut(pair.beside, beside)]
        else:
            yield [*line, *cut(pair.right, second)]


def _table_lines(table: Table, width: int) -> Iterator[Line]:
    if table.title:
        yield cut(table.title, width)
    count = len(table.head)
    sizes = [
        max([len(table.head[i])] + [width_of(row[i]) for row in table.rows]) for i in range(count)
    ]
    spare = width - sum(sizes) - 2 * (count - 1)
    widest = max(range(count), key=lambda i: sizes[i] if i in table.left else -1)
    if spare < 0:
        sizes[widest] = max(sizes[widest] + spare, 12)
    for cells in ([((name, "dim"),) for name in table.head], *table.rows):
        line: Line = []
        for i, cell in enumerate(cells):
            shown = cut(cell, sizes[i])
            gap = (" " * (sizes[i] - width_of(shown)), "")
            line += [*shown, gap] if i in table.left else [gap, *shown]
            if i + 1 < count:
                line.append(("  ", ""))
        yield cut(line, width)
    if table.note:
        yield from _wrapped(((table.note, "dim"),), width)
