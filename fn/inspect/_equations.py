"""Equations as rows: names, types, parameters, operands; and the user's line beside them."""

from __future__ import annotations

import linecache
import os
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from fn.core import (
    Atom,
    Equation,
    Literal,
    Program,
    Source,
    Variable,
    format_literal,
    format_param,
    program_names,
    shown_file,
    variable_names,
)
from fn.inspect._document import Row, Span

_OPERANDS = 8
_PARAM = 40
_HOVER = 1_500


class Writer:
    """Writes the equations of a Program and of those inside it, under the names `str(program)` uses."""

    def __init__(self, program: Program) -> None:
        self.names = program_names(program)
        self._variables: dict[int, dict[Variable, str]] = {}

    def variables(self, program: Program) -> dict[Variable, str]:
        """The name of each variable of one Program."""
        known = self._variables.get(id(program))
        if known is None:
            fresh = variable_names()
            known = {v: next(fresh) for v in program.inputs}
            for equation in program.equations:
                for output in equation.outputs:
                    known[output] = next(fresh)
            self._variables[id(program)] = known
        return known

    def rename(self, program: Program, names: dict[Variable, str]) -> None:
        """Use these names for the variables of `program`."""
        self._variables[id(program)] = names

    def atom(self, program: Program, atom: Atom) -> Span:
        """An operand: a name, or a number without its type."""
        if isinstance(atom, Literal):
            return format_literal(atom).rpartition(":")[0], "literal"
        return self.variables(program).get(atom, "?"), "name"

    def equation(self, program: Program, equation: Equation) -> tuple[Span, ...]:
        """`c: f32[3] = mul a b` as spans."""
        spans: list[Span] = []
        for output in equation.outputs[:_OPERANDS]:
            spans += [(", ", "")] if spans else []
            spans += self.definition(program, output)
        more = len(equation.outputs) - _OPERANDS
        if more > 0:
            spans.append((f", … {more} more", "dim"))
        spans += [(" = ", "dim"), (equation.primitive.name, "op")]
        spans += self.params(equation)
        for operand in equation.inputs[:_OPERANDS]:
            spans += [(" ", ""), self.atom(program, operand)]
        more = len(equation.inputs) - _OPERANDS
        if more > 0:
            spans.append((f" … {more} more", "dim"))
        return tuple(spans)

    def definition(self, program: Program, variable: Variable) -> list[Span]:
        """`c: f32[3]`"""
        return [self.atom(program, variable), (": ", "dim"), (str(variable.type), "type")]

    def params(self, equation: Equation) -> list[Span]:
        """`[axes=(0,)]`, long values cut short; what is None is left out."""
        spans: list[Span] = []
        for name, value in sorted(equation.params.items()):
            if value is None:
                continue
            spans.append((", " if spans else "[", "dim"))
            style = "program" if isinstance(value, Program) else "param"
            text = format_param(value, self.names)
            if len(text) > _PARAM:
                text = text[: _PARAM - 1] + "…"
            spans += [(f"{name}=", "dim"), (text, style)]
        return [*spans, ("]", "dim")] if spans else []

    def hover(self, equation: Equation) -> str:
        """What pointing at an equation shows: all its types, its parameters, and where it is from."""
        ins = ", ".join(str(a.type) for a in equation.inputs)
        outs = ", ".join(str(v.type) for v in equation.outputs)
        text = f"{equation.primitive.name}: ({ins}) → ({outs})"
        for name, value in sorted(equation.params.items()):
            text += f"\n{name} = {format_param(value, self.names)}"
        source = equation.source
        if source is not None:
            text += f"\n{source.file}:{source.line} in {source.code.co_name}"
            if source.origin:
                text += f"\nby way of {', '.join(source.origin)}"
        return text[:_HOVER]

    def row(self, program: Program, equation: Equation, indent: str = "  ") -> Row:
        """An equation with its line beside it."""
        names = self.variables(program)
        return Row(
            ((indent, "rule"), *self.equation(program, equation)),
            source_spans(equation.source),
            self.hover(equation),
            " ".join(names[v] for v in equation.outputs),
        )


def source_spans(source: Source | None) -> tuple[Span, ...]:
    """The transforms an equation went through, its line, and the text of the line."""
    if source is None:
        return ()
    spans: list[Span] = [(f"{place(source)}", "source")]
    if source.origin:
        spans.append((f"  {origin(source)}", "origin"))
    text = code(source)
    if text:
        spans.append((f"  {text}", "code"))
    return tuple(spans)


def place(source: Source) -> str:
    """`file.py:12`"""
    shown = shown_file(source.file)
    return f"{os.path.basename(shown) if shown == source.file else shown}:{source.line}"


def origin(source: Source) -> str:
    """`jvp · transpose · batch`"""
    return " · ".join(source.origin)


def code(source: Source) -> str:
    """The text of the line, if the file can be read."""
    return _text_of(source.file, source.line)


@lru_cache(10_000)
def _text_of(file: str, line: int) -> str:
    text = linecache.getline(file, line).strip()
    return text if len(text) <= 200 else text[:199] + "…"


def operators(equations: Sequence[Equation], most: int = 4) -> str:
    """`dot_general, add ×2, tanh`: which operations these are."""
    counts = Counter(e.primitive.name for e in equations)
    parts = [f"{name} ×{n}" if n > 1 else name for name, n in counts.most_common(most)]
    return ", ".join(parts) + (", …" if len(counts) > most else "")


def number(count: int, noun: str) -> str:
    """`1 equation`, `1,204 equations`"""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def reachable(program: Program) -> list[Program]:
    """`program` and all Programs inside it, each once, in the order they are met."""
    found: dict[int, Program] = {}
    todo = [program]
    while todo:
        current = todo.pop()
        if id(current) not in found:
            found[id(current)] = current
            todo += reversed(list(current.subprograms()))
    return list(found.values())


def as_tuple(value: Any) -> tuple[Any, ...]:
    """One value or several, as a tuple."""
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)
