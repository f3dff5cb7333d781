"""Programs written as text: what goes into a pass and what comes out."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent, indent

import fn  # noqa: F401  # names the primitives
from fn.core import Program, check


def parsed(inputs: str, lines: str) -> Program:
    """The Program of these inputs and lines."""
    body = indent(dedent(lines).strip(), "  ")
    return check(Program.parse(f"program @main({inputs}) {{\n{body}\n}}"))


def becomes(run: Callable[[Program], Program], inputs: str, before: str, after: str) -> None:
    """Assert that `run` makes of a Program with these lines one with those."""
    program = parsed(inputs, before)
    text = str(program)
    found = check(run(program))
    assert str(found) == str(parsed(inputs, after))
    assert str(program) == text, "a pass changed the Program it was given"
