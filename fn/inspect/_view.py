"""A view: something to look at, as coloured text in a terminal and as a page in a notebook."""

from __future__ import annotations

import importlib
import importlib.util
import io
import shutil
import sys
from collections.abc import Iterator
from typing import Any

from fn.core import MissingExtraError
from fn.inspect._document import Document, lines
from fn.inspect._html import page

# How rich writes each style. Names of colours follow the user's terminal theme.
STYLES = {
    "": "", "dim": "dim", "rule": "dim", "strong": "bold", "op": "bold", "type": "dim", "name": "",
    "param": "cyan", "literal": "magenta", "program": "blue", "source": "dim", "code": "italic",
    "origin": "yellow", "fold": "dim italic", "added": "green", "removed": "red", "changed": "yellow",
    "bad": "bold red", "good": "green", "bar": "blue",
}  # fmt: skip


def _rich(module: str) -> Any:
    try:
        return importlib.import_module(f"rich.{module}")
    except ImportError as missing:
        raise MissingExtraError(
            "fn.inspect: colours in a terminal need rich",
            expected="the package rich",
            got=str(missing),
            fix="pip install 'fn-transforms[inspect]', or take plain text: str(view)",
        ) from None


class View:
    """Something to look at. `str(view)` is plain text; a terminal gets colours, a notebook a page."""

    def _document(self, page: bool) -> Document:
        """What there is to see, on a page or as text."""
        return Document(())

    def text(self, width: int = 100) -> str:
        """Plain text, `width` characters wide."""
        rows = lines(self._document(False), width)
        return "\n".join("".join([text for text, _ in row]).rstrip() for row in rows)

    def print(self, width: int | None = None) -> None:
        """Print with colours, by default as wide as the terminal.

        Raises:
            MissingExtraError: if rich is not installed.
        """
        _rich("console").Console(width=width).print(self)

    def html(self) -> str:
        """A page that needs nothing from elsewhere, for a file or a notebook."""
        return page(self._document(True))

    _repr_html_ = html

    def __str__(self) -> str:
        return self.text(_columns())

    def __repr__(self) -> str:
        if sys.stdout.isatty() and importlib.util.find_spec("rich"):
            console = _rich("console").Console(
                file=io.StringIO(), force_terminal=True, width=_columns()
            )
            console.print(self)
            coloured: str = console.file.getvalue().rstrip("\n")
            return coloured
        return str(self)

    def __rich_console__(self, console: Any, options: Any) -> Iterator[Any]:
        text = _rich("text").Text
        for row in lines(self._document(False), options.max_width):
            yield text.assemble(*[(t, STYLES[s]) for t, s in row], no_wrap=True, overflow="crop")


def _columns() -> int:
    return max(80, min(shutil.get_terminal_size((100, 24)).columns, 180))
