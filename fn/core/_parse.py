"""Reading Programs back from their text. Strict: a text that is not exactly a Program is refused."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Sequence
from typing import Any, NoReturn

import ml_dtypes
import numpy as np

from fn.core._check import check
from fn.core._errors import FnError, ParseError
from fn.core._primitive import Primitive
from fn.core._program import Atom, Equation, Literal, Program, Variable
from fn.core._types import DTYPES, ArrayType, is_complex, is_integer

_TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\")"
    r"|(?P<nan>-?nan\(0x[0-9a-f]+\))"
    r"|(?P<number>-?(?:inf|nan)\b|-?\d+\.?\d*(?:e[+-]?\d+)?)"
    r"|(?P<word>[A-Za-z_]\w*)|(?P<mark>[@~(){}\[\],:;=]))"
)
_DEPTH = 50
_DIGITS = 20


class _Reader:
    """Tokens of a text, read one by one, with the position for error messages."""

    def __init__(self, text: str) -> None:
        self.text, self.position = text, 0
        self.kind, self.token = "", ""
        self.start = 0
        self.advance()

    def advance(self) -> str:
        before = self.token
        match = _TOKEN.match(self.text, self.position)
        if match is None:
            rest = self.text[self.position :].lstrip()
            if rest:
                self.start, self.token = len(self.text) - len(rest), ""
                self.fail("a name, a number or a mark")
            self.kind, self.token, self.start = "end", "", len(self.text)
        else:
            self.kind = str(match.lastgroup)
            self.token = match[self.kind]
            self.start = match.start(self.kind)
            self.position = match.end()
        return before

    def fail(self, expected: str, problem: str | None = None) -> NoReturn:
        line = self.text.count("\n", 0, self.start) + 1
        column = self.start - (self.text.rfind("\n", 0, self.start) + 1) + 1
        got = self.token or self.text[self.start : self.start + 10].strip() or "the end of the text"
        raise ParseError(
            f"Program.parse: {problem or 'not a Program'}, at line {line}, column {column}",
            expected=expected,
            got=repr(got[:60]),
            fix="pass text that str(program) gave",
        )

    def take(self, token: str) -> str:
        if self.token != token or self.kind == "string":
            self.fail(repr(token))
        return self.advance()

    def word(self, what: str) -> str:
        if self.kind != "word":
            self.fail(what)
        return self.advance()

    def new_word(self, what: str, taken: Collection[str]) -> str:
        """A word that is not among those `taken`."""
        if self.kind == "word" and self.token in taken:
            self.fail("a new name", f"{what} {self.token} is defined twice")
        return self.word(f"a {what} name")

    def at(self, token: str) -> bool:
        return self.token == token and self.kind in ("mark", "word")

    # --- the grammar ---

    def type(self) -> ArrayType:
        weak = self.at("~") and bool(self.advance())
        if self.token not in DTYPES:
            self.fail("a dtype such as f32")
        dtype = DTYPES[self.advance()]
        self.take("[")
        shape: list[int] = []
        while not self.at("]"):
            if not self.token.isdigit() or len(self.token) > _DIGITS:
                self.fail("the size of an axis")
            shape.append(int(self.advance()))
            if not self.at("]"):
                self.take(",")
        self.take("]")
        return ArrayType(tuple(shape), dtype, weak)

    def literal(self) -> Literal:
        value = self.scalar()
        self.take(":")
        start = self.start
        type = self.type()
        fits = type.shape == ()
        if isinstance(value, bytes):
            fits = fits and len(value) == type.dtype.itemsize and not is_complex(type.dtype)
        elif isinstance(value, tuple):
            fits = fits and is_complex(type.dtype)
        elif isinstance(value, bool):
            fits = fits and type.dtype == np.bool_
        elif isinstance(value, int) and is_integer(type.dtype):
            info = ml_dtypes.iinfo(type.dtype)
            fits = fits and int(info.min) <= value <= int(info.max)
        else:
            fits = fits and isinstance(value, float) and type.dtype.kind not in "biuc"
        if not fits:
            self.start = start
            self.fail("a scalar type that holds the number before it")
        if isinstance(value, bytes):
            return Literal(np.frombuffer(value, type.dtype)[0], type)
        if isinstance(value, tuple):
            half = np.empty(2, np.float32 if type.dtype.itemsize == 8 else np.float64)
            for i, part in enumerate(value):
                half[i] = np.frombuffer(part, half.dtype)[0] if isinstance(part, bytes) else part
            return Literal(half.view(type.dtype)[0], type)
        return Literal(value, type)

    def scalar(self) -> Any:
        if self.at("("):
            self.advance()
            real = self.scalar()
            self.take(",")
            imag = self.scalar()
            self.take(")")
            return real, imag
        if self.token in ("True", "False"):
            return self.advance() == "True"
        if self.kind == "nan":
            return bytes.fromhex(self.advance()[:-1].split("0x")[1])[::-1]
        if self.kind == "number":
            return self.number()
        self.fail("a number")

    def number(self) -> int | float:
        token = self.token
        if token.lstrip("-").isdigit():
            if len(token) > _DIGITS + 1:
                self.fail(f"a number of at most {_DIGITS} digits")
            self.advance()
            return int(token)
        self.advance()
        return float(token)

    def param(self, programs: dict[str, Program], depth: int = 0) -> Any:
        if depth > _DEPTH:
            self.fail(f"parameters nested at most {_DEPTH} deep")
        if self.at("("):
            self.advance()
            parts = []
            while not self.at(")"):
                parts.append(self.param(programs, depth + 1))
                if not self.at(")"):
                    self.take(",")
            self.take(")")
            return tuple(parts)
        if self.at("@"):
            self.advance()
            if self.token not in programs:
                self.fail("a program defined above")
            return programs[self.advance()]
        if self.kind == "string":
            return ast.literal_eval(self.advance())
        if self.kind == "number":
            return self.number()
        if self.token in ("True", "False", "None"):
            return {"True": True, "False": False, "None": None}[self.advance()]
        if self.token in ("inf", "nan"):
            return float(self.advance())
        if self.at("~"):
            return self.type()
        if self.token in DTYPES:
            position = (self.position, self.start, self.kind, self.token)
            name = self.advance()
            if not self.at("["):
                return DTYPES[name]
            self.position, self.start, self.kind, self.token = position
            return self.type()
        self.fail("a parameter")

    def program(self, programs: dict[str, Program]) -> tuple[str, Program, int]:
        self.take("program")
        self.take("@")
        name = self.new_word("program", programs)
        env: dict[str, Variable] = {}

        def define() -> Variable:
            variable = self.new_word("variable", env)
            self.take(":")
            env[variable] = Variable(self.type())
            return env[variable]

        def atom() -> Atom:
            if self.kind == "word" and self.token in env:
                return env[self.advance()]
            if self.kind == "word" and self.token not in ("True", "False", "inf", "nan"):
                self.fail("a variable defined above", f"variable {self.token} is not defined")
            return self.literal()

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
            inputs.append(define())
            captured += semicolon
        self.take(")")
        self.take("{")
        equations: list[Equation] = []
        while not self.at("return"):
            outputs: list[Variable] = []
            types_from: list[tuple[str, Variable]] = []
            while not self.at("="):
                if outputs:
                    self.take(",")
                variable = self.new_word("variable", {*env, *(n for n, _ in types_from)})
                self.take(":")
                outputs.append(Variable(self.type()))
                types_from.append((variable, outputs[-1]))
            self.take("=")
            primitive = Primitive.named.get(self.token) if self.kind == "word" else None
            if primitive is None:
                self.fail("a known primitive", "unknown primitive")
            self.advance()
            params: dict[str, Any] = {}
            if self.at("["):
                self.advance()
                while not self.at("]"):
                    key = self.word("a parameter name")
                    if key in params:
                        self.fail("each parameter once")
                    self.take("=")
                    params[key] = self.param(programs)
                    if not self.at("]"):
                        self.take(",")
                self.take("]")
            operands: list[Atom] = []
            while not (self.at("return") or self.kind == "end" or self._starts_equation(env)):
                operands.append(atom())
            env.update(types_from)
            equations.append(Equation(primitive, tuple(operands), tuple(outputs), params))
        self.take("return")
        returned: list[Atom] = []
        while not self.at("}"):
            returned.append(atom())
        self.take("}")
        return name, Program(tuple(inputs), tuple(equations), tuple(returned), (), name), captured

    def _starts_equation(self, env: dict[str, Variable]) -> bool:
        # `name :` or a bare `=` begins the next equation; a literal begins with its number.
        if self.at("="):
            return True
        if self.kind != "word" or self.token in ("True", "False", "inf", "nan"):
            return False
        return self.text[self.position :].lstrip(" ").startswith(":")


def parse(text: str, captured: Sequence[Any] = ()) -> Program:
    """The Program that `str(program)` wrote.

    Args:
        text: the text form.
        captured: the arrays for the captured inputs, in order; text does not carry them.

    Raises:
        ParseError: with line and column, if the text is not exactly a Program that keeps the law.
    """
    reader = _Reader(text)
    programs: dict[str, Program] = {}
    wanted = 0
    program: Program | None = None
    while reader.kind != "end":
        if wanted:
            reader.fail("captured inputs only in the last program")
        name, program, wanted = reader.program(programs)
        programs[name] = program
    if program is None:
        reader.fail("at least one program")
    if len(captured) != wanted:
        raise ParseError(
            "Program.parse: text does not carry captured arrays",
            expected=f"{wanted} arrays in captured=",
            got=str(len(captured)),
            fix="pass captured=program.captured of the Program that was printed",
        )
    program = Program(
        program.inputs, program.equations, program.outputs, tuple(captured), program.name
    )
    try:
        return check(program)
    except FnError as error:
        raise ParseError(f"Program.parse: the text breaks the law of Programs\n{error}") from error
    except Exception as error:  # a type rule met parameters it never produces itself
        raise ParseError(
            f"Program.parse: a parameter does not fit its primitive ({error!r})"
        ) from error


# `Program.parse(text)`; attached here because parsing needs Programs, not they it.
Program.parse = staticmethod(parse)
