"""Reading Programs back from their text. Strict: a text that is not exactly a Program is refused.

Nothing in a text is ever run, and no module is imported for it: primitives are found by name among
those there are. Time and memory stay in proportion to the length of the text, whatever is in it: what
could grow faster has a limit, listed in `fn.core._limits`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from typing import Any, NoReturn

import ml_dtypes
import numpy as np

from fn.core import _limits as limits
from fn.core._errors import FnError, ParseError
from fn.core._primitive import Primitive
from fn.core._program import Atom, Equation, Literal, Program, Variable, programs_in
from fn.core._types import DTYPES, ArrayType, is_complex, is_integer, type_of

_TOKEN = re.compile(
    r"[ \t\r\n]*(?:(?P<string>'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\")"
    r"|(?P<nan>-?nan\(0x[0-9a-f]+\))"
    r"|(?P<number>-?(?:inf|nan)\b|-?[0-9]+\.?[0-9]*(?:e[+-]?[0-9]+)?)"
    r"|(?P<word>[^\W\d]\w*)|(?P<mark>[@~(){}\[\],:;=]))"
)
_COLON = re.compile(r" *:")
_ESCAPE = re.compile(r"\\(?:([\\'\"nrt])|x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|.)")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}
_SHOWN = 300


class Reader:
    """Tokens of a text, read one by one, with the position for error messages."""

    def __init__(
        self,
        text: str,
        what: str = "Program.parse",
        error: type[ParseError] = ParseError,
        lines_before: int = 0,
    ) -> None:
        self.text, self.position = text, 0
        self.what, self.error, self.lines_before = what, error, lines_before
        self.kind, self.token = "", ""
        self.start = 0
        self.parts = 0
        if len(text) > limits.CHARACTERS:
            self.fail(f"at most {limits.CHARACTERS:,} characters", "the text is too long")
        self.advance()

    def advance(self) -> str:
        before = self.token
        match = _TOKEN.match(self.text, self.position)
        if match is None:
            rest = self.text[self.position :].lstrip(" \t\r\n")
            if rest:
                self.start, self.token = len(self.text) - len(rest), ""
                if rest[0] == "<":
                    self.fail(
                        "numbers, strings, dtypes, types, Programs and tuples of these",
                        "a parameter that has no text form, such as a Python function",
                    )
                self.fail("a name, a number or a mark")
            self.kind, self.token, self.start = "end", "", len(self.text)
        else:
            self.kind = str(match.lastgroup)
            self.token = match[self.kind]
            self.start = match.start(self.kind)
            self.position = match.end()
        return before

    def fail(
        self, expected: str | None, problem: str | None = None, *, got: str | None = None,
        cause: Exception | None = None,
    ) -> NoReturn:  # fmt: skip
        """Refuse the text where the reader stands."""
        line = self.text.count("\n", 0, self.start) + 1 + self.lines_before
        column = self.start - (self.text.rfind("\n", 0, self.start) + 1) + 1
        if got is None:
            found = self.token or self.text[self.start : self.start + 10].strip()
            got = repr((found or "the end of the text")[:60])
        error = self.error(
            f"{self.what}: {problem or 'not a Program'}, at line {line}, column {column}",
            expected=expected,
            got=got,
            fix="pass text that str(program) gave",
        )
        error.line = line
        raise error from cause

    def count(self, parts: int, start: int | None = None) -> None:
        """Count so many parts of the text, of which there is a most."""
        self.parts += parts
        if self.parts > limits.PARTS:
            self.start = self.start if start is None else start
            self.fail(f"at most {limits.PARTS:,} variables, operands and parameters", "too large")

    def take(self, token: str) -> str:
        if self.token != token or self.kind == "string":
            self.fail(repr(token))
        return self.advance()

    def word(self, what: str) -> str:
        if self.kind != "word":
            self.fail(what)
        if len(self.token) > limits.NAME:
            self.fail(f"a name of at most {limits.NAME} characters")
        return self.advance()

    def new_word(self, what: str, *taken: Collection[str]) -> str:
        """A word that is not among those `taken`."""
        if self.kind == "word" and any(self.token in names for names in taken):
            self.fail("a new name", f"{what} {self.token} is defined twice")
        return self.word(f"a {what} name")

    def at(self, token: str) -> bool:
        return self.token == token and self.kind in ("mark", "word")

    # --- the grammar ---

    def type(self) -> ArrayType:
        weak = self.at("~") and bool(self.advance())
        start = self.start
        if self.kind != "word" or self.token not in DTYPES:
            self.fail("a dtype such as f32")
        dtype = DTYPES[self.advance()]
        self.take("[")
        shape: list[int] = []
        size = 1
        while not self.at("]"):
            if not self.token.isdigit() or len(self.token) > limits.DIGITS:
                self.fail("the size of an axis")
            shape.append(int(self.advance()))
            size *= max(shape[-1], 1)
            if len(shape) > limits.RANK or size > limits.ELEMENTS:
                self.start, self.token = start, ""
                self.fail(
                    f"at most {limits.RANK} axes and {limits.ELEMENTS:,} elements",
                    "an array of absurd size",
                )
            if not self.at("]"):
                self.take(",")
        self.take("]")
        return ArrayType(tuple(shape), dtype, weak)

    def literal(self) -> Literal:
        value = self.scalar()
        self.take(":")
        start = self.start
        type = self.type()
        found = _literal(value, type)
        if found is None:
            self.start, self.token = start, ""
            self.fail("a scalar type that holds the number before it")
        return found

    def scalar(self, part: bool = False) -> Any:
        if self.at("(") and not part:
            self.advance()
            real = self.scalar(True)
            self.take(",")
            imag = self.scalar(True)
            self.take(")")
            return real, imag
        if not part and self.token in ("True", "False") and self.kind == "word":
            return self.advance() == "True"
        if self.kind == "nan":
            digits = self.token[:-1].split("0x")[1]
            if self.token.startswith("-") or len(digits) % 2 or len(digits) > 16:
                self.fail("the bits of a number that is not one")
            self.advance()
            return bytes.fromhex(digits)[::-1]
        if self.kind == "number":
            return self.number()
        self.fail("a number")

    def number(self) -> int | float:
        token = self.token
        if len(token) > limits.NUMBER:
            self.fail(f"a number of at most {limits.NUMBER} characters")
        if token.lstrip("-").isdigit():
            if not -(2**64) < int(token) < 2**64:
                self.fail("an integer of at most 64 bits")
            self.advance()
            return int(token)
        value = float(token)
        if math.isinf(value) and "inf" not in token:
            self.fail("a number that a float can hold")
        self.advance()
        return value

    def string(self) -> str:
        if len(self.token) > limits.STRING:
            self.fail(f"a string of at most {limits.STRING} characters")

        def character(match: re.Match[str]) -> str:
            plain, *numbered = match.groups()
            if plain:
                return _ESCAPES.get(plain, plain)
            code = next((n for n in numbered if n), None)
            number = int(code, 16) if code else -1
            if not 0 <= number < 0x110000 or 0xD800 <= number < 0xE000:
                self.fail("a string as Python writes it", f"a bad escape, {match[0][:10]!r}")
            return chr(number)

        text = _ESCAPE.sub(character, self.token[1:-1])
        self.advance()
        return text

    def param(self, programs: dict[str, Program], depth: int = 0) -> Any:
        """One parameter: number, string, dtype, type, Program, None, or a tuple of these."""
        self.count(1)
        if depth > limits.NESTED:
            self.fail(f"parameters nested at most {limits.NESTED} deep")
        if self.at("("):
            self.advance()
            parts: list[Any] = []
            while not self.at(")"):
                if len(parts) == limits.TUPLE:
                    self.fail(f"a tuple of at most {limits.TUPLE:,}")
                parts.append(self.param(programs, depth + 1))
                if not self.at(")") or len(parts) == 1:
                    self.take(",")
            self.take(")")
            return tuple(parts)
        if self.at("@"):
            self.advance()
            if self.kind != "word" or self.token not in programs:
                self.fail("a program defined above")
            return programs[self.advance()]
        if self.kind == "string":
            return self.string()
        if self.kind == "number":
            return self.number()
        if self.kind == "word" and self.token in ("True", "False", "None"):
            return {"True": True, "False": False, "None": None}[self.advance()]
        if self.at("~"):
            return self.type()
        if self.kind == "word" and self.token in DTYPES:
            if not self.text.startswith("[", self.position):
                return DTYPES[self.advance()]
            return self.type()
        self.fail("a parameter")

    def program(self, programs: dict[str, Program]) -> tuple[str, Program, int]:
        """One `program @name(…) { … }`: its name, itself, and how many of its inputs are captured."""
        self.take("program")
        self.take("@")
        name = self.new_word("program", programs)
        env: dict[str, Variable] = {}
        inputs: list[Variable] = []
        captured = 0
        semicolon = False
        self.take("(")
        while not self.at(")"):
            if self.at(";") and not semicolon:
                self.advance()
                semicolon = True
            elif inputs:
                self.take(",")
            word, variable = self.definition(env)
            env[word] = variable
            inputs.append(variable)
            captured += semicolon
        self.take(")")
        self.take("{")
        equations: list[Equation] = []
        depth = 0
        while not self.at("return") or self._defines():
            equation, below = self.equation(programs, env)
            equations.append(equation)
            depth = max(depth, below)
        self.take("return")
        returned: list[Atom] = []
        while not self.at("}"):
            returned.append(self.atom(env))
        self.take("}")
        program = Program(tuple(inputs), tuple(equations), tuple(returned), (), name)
        program.cache[_DEPTH] = depth + 1
        return name, program, captured

    def definition(self, *env: Collection[str]) -> tuple[str, Variable]:
        """`name: type`, with a name that is not in `env` yet."""
        self.count(4)
        word = self.new_word("variable", *env)
        self.take(":")
        return word, Variable(self.type())

    def atom(self, env: dict[str, Variable]) -> Atom:
        self.count(1)
        if self.kind == "word":
            variable = env.get(self.token)
            if variable is not None:
                self.advance()
                return variable
            if self.token not in ("True", "False"):
                problem = f"variable {self.token[: limits.NAME]} is not defined"
                self.fail("a variable defined above", problem)
        return self.literal()

    def equation(
        self, programs: dict[str, Program], env: dict[str, Variable]
    ) -> tuple[Equation, int]:
        """One equation, checked; and how deep Programs are nested below it."""
        outputs: dict[str, Variable] = {}
        first = True
        while not self.at("="):
            if not first:
                self.take(",")
            first = False
            word, variable = self.definition(env, outputs)
            outputs[word] = variable
        self.take("=")
        start = self.start
        primitive = Primitive.named.get(self.token) if self.kind == "word" else None
        if primitive is None:
            self.fail("a known primitive", "unknown primitive")
        self.advance()
        params: dict[str, Any] = {}
        before = self.parts
        if self.at("["):
            self.advance()
            while not self.at("]"):
                key = self.word("a parameter name")
                if key in params:
                    self.fail("each parameter once")
                if len(params) == limits.PARAMETERS:
                    self.fail(f"at most {limits.PARAMETERS} parameters")
                self.take("=")
                params[key] = self.param(programs)
                if not self.at("]"):
                    self.take(",")
            self.take("]")
        operands: list[Atom] = []
        while not (self.at("return") or self.kind == "end" or self._starts_equation()):
            operands.append(self.atom(env))
        below = [p for value in params.values() for p in programs_in(value)]
        depth = max([p.cache.get(_DEPTH, 1) for p in below], default=0)
        if depth >= limits.DEPTH:
            self.start = start
            self.fail(f"Programs nested at most {limits.DEPTH} deep")
        # A rule may go through the operands once for each Program the equation carries.
        size = len(operands) + len(outputs) + self.parts - before
        self.count(size * len(below), start)
        self.check(primitive, operands, list(outputs.values()), params, start)
        env.update(outputs)
        made = Equation(primitive, tuple(operands), tuple(outputs.values()), params)
        return made, depth

    def _defines(self) -> bool:
        return self.kind == "word" and _COLON.match(self.text, self.position) is not None

    def _starts_equation(self) -> bool:
        # `name :` or a bare `=` begins the next equation; a literal begins with its number.
        return self.at("=") or (self.token not in ("True", "False") and self._defines())

    def check(
        self, primitive: Primitive, operands: list[Atom], outputs: list[Variable],
        params: dict[str, Any], start: int,
    ) -> None:  # fmt: skip
        """The law for one equation: its outputs have the types that its primitive's rule gives."""
        problem: str | None
        try:
            found = primitive.type(*[a.type for a in operands], **params)
            types = found if isinstance(found, tuple) else (found,)
            problem = self._misfit(primitive.name, types, outputs)
        except FnError as error:
            self.start, self.token = start, primitive.name
            self.fail(_cut(error.expected), _cut(error.what), got=_cut(error.got), cause=error)
        except Exception as error:  # a type rule met parameters it never produces itself
            self.start, self.token = start, primitive.name
            what = f"a parameter does not fit its primitive ({_cut(repr(error))})"
            self.fail(f"parameters as {primitive.name} has them", what, cause=error)
        if problem:
            self.start, self.token = start, primitive.name
            self.fail("outputs as the type rule gives them", problem)

    def _misfit(self, name: str, types: Sequence[Any], outputs: Sequence[Variable]) -> str | None:
        if len(types) != len(outputs):
            return f"{name} has {len(outputs)} outputs, its type rule {len(types)}"
        for output, expected in zip(outputs, types, strict=True):
            if output.type is not expected:
                return f"{name} gives {expected}, but its output says {output.type}"
        return None


_DEPTH = "nested"


def _cut(text: str | None) -> str | None:
    return text if text is None or len(text) <= _SHOWN else text[:_SHOWN] + " …"


def _literal(value: Any, type: ArrayType) -> Literal | None:
    """The literal of a value as it was read, or None if the type does not hold it."""
    if type.shape != ():
        return None
    dtype = type.dtype
    if isinstance(value, tuple):
        if not is_complex(dtype):
            return None
        half = np.dtype(np.float32 if dtype.itemsize == 8 else np.float64)
        parts = [_literal(part, ArrayType((), half)) for part in value]
        if parts[0] is None or parts[1] is None:
            return None
        both = np.array([parts[0].value, parts[1].value], half)
        return Literal(both.view(dtype)[0], type)
    if is_complex(dtype):
        return None
    if isinstance(value, bytes):
        if len(value) != dtype.itemsize or is_integer(dtype) or dtype == np.bool_:
            return None
        found = np.frombuffer(value, dtype)[0]
        return Literal(found, type) if math.isnan(float(found)) else None
    if isinstance(value, bool):
        return Literal(value, type) if dtype == np.bool_ else None
    if isinstance(value, int) and is_integer(dtype):
        info = ml_dtypes.iinfo(dtype)
        return Literal(value, type) if int(info.min) <= value <= int(info.max) else None
    if not isinstance(value, float) or is_integer(dtype) or dtype == np.bool_ or value != value:
        return None
    literal = Literal(value, type)
    held = float(literal.value)
    return literal if math.isfinite(held) or held == value else None


def read(reader: Reader, captured: Sequence[Any]) -> Program:
    """The last Program of the text, with these arrays for what it captured."""
    programs: dict[str, Program] = {}
    wanted = 0
    program: Program | None = None
    while reader.kind != "end":
        if wanted:
            reader.fail("captured inputs only in the last program")
        if len(programs) == limits.PROGRAMS:
            reader.fail(f"at most {limits.PROGRAMS:,} programs")
        name, program, wanted = reader.program(programs)
        programs[name] = program
    if program is None:
        reader.fail("at least one program")
    if len(captured) != wanted:
        raise reader.error(
            f"{reader.what}: text does not carry captured arrays",
            expected=f"{wanted} arrays in captured=",
            got=str(len(captured)),
            fix="pass captured=program.captured of the Program that was printed",
        )
    inputs = program.inputs
    for variable, value in zip(inputs[len(inputs) - wanted :], captured, strict=True):
        if type_of(value) is not variable.type:
            raise reader.error(
                f"{reader.what}: a captured input of type {variable.type} holds {type_of(value)}",
                expected=", ".join(str(v.type) for v in inputs[len(inputs) - wanted :][:20]),
                got=", ".join(str(type_of(v)) for v in captured[:20]),
            )
    program = Program(inputs, program.equations, program.outputs, tuple(captured), program.name)
    # The law has been checked equation by equation, with the line at hand.
    for known in (*programs.values(), program):
        known.cache["checked"] = True
    return program


def parse(text: str, captured: Sequence[Any] = ()) -> Program:
    """The Program that `str(program)` wrote.

    Args:
        text: the text form.
        captured: the arrays for the captured inputs, in order; text does not carry them.

    Raises:
        ParseError: with line and column, if the text is not exactly a Program that keeps the law.
    """
    return read(Reader(text), captured)


# `Program.parse(text)`; attached here because parsing needs Programs, not they it.
Program.parse = staticmethod(parse)
