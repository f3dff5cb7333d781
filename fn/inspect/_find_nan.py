"""`find_nan`: evaluate a function operation by operation up to the first value that is not finite."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from fn.control import call
from fn.core import (
    ArgumentError,
    ArrayType,
    Atom,
    Equation,
    Literal,
    Program,
    Source,
    Tracer,
    Variable,
    bind,
    evaluating,
    public,
)
from fn.inspect._document import Block, Document, Row, Span, Table
from fn.inspect._equations import as_tuple, number, place, reachable, source_spans
from fn.inspect._inside import BRANCHES, LOOPS, expansion, loop_parts
from fn.inspect._ranges import Range, faults, host, range_of
from fn.inspect._subject import Subject, look
from fn.inspect._view import View

_WORDS = {"nan": "NaN", "inf": "infinity"}


class Step(NamedTuple):
    """Which round of a loop."""

    loop: str
    """`scan` or `while_loop`."""
    round: int
    """Counted from zero; for a scan, the entry of `xs`."""
    length: int | None
    """How many rounds there are, if that was known beforehand."""
    source: Source | None
    """The loop's line."""

    def __str__(self) -> str:
        of = "" if self.length is None else f" of {self.length:,}"
        where = f", the {self.loop} at {place(self.source)}" if self.source else ""
        return f"round {self.round:,} (from 0){of}{where}"


class Finding(View):
    """What `find_nan` found: the first value that is not finite. False if there is none.

    >>> import fn, fn.numpy as np
    >>> found = fn.inspect.find_nan(np.sqrt)(-1.0)
    >>> bool(found), found.kind, found.operation
    (True, 'nan', 'sqrt')
    """

    kind: str | None = None
    """`"nan"`, `"inf"`, or None if every value is finite."""
    operation: str = ""
    """The primitive that computes it, or `argument x`."""
    source: Source | None = None
    """The user's line. In derivatives, that of the operation being differentiated."""
    direction: str = "forward"
    """`"forward"`, `"backward"`, or `"tangent"` in forward-mode derivatives."""
    type: ArrayType | None = None
    """Of the value."""
    index: tuple[int, ...] = ()
    """Where its first such element is."""
    batch: tuple[int | None, ...] = ()
    """Which entry of each enclosing `vmap` that is, outermost first; None where it cannot be told."""
    nans: int = 0
    infs: int = 0
    operands: tuple[Range, ...] = ()
    """Ranges of the operation's operands."""
    steps: tuple[Step, ...] = ()
    """The rounds of the loops it is in, outermost first."""
    inside: tuple[str, ...] = ()
    """The Programs it is in, outermost first, the function itself aside."""
    forward: tuple[str, ...] = ()
    """In derivatives, the operations of the forward line."""
    reaches: bool = False
    """Whether anything among the results is not finite."""
    looked_at: int = 0
    """How many operations were evaluated until then."""

    def __bool__(self) -> bool:
        return self.kind is not None

    def _document(self, page: bool) -> Document:
        if self.kind is None:
            done = f"all finite: {number(self.looked_at, 'operation')} looked at"
            return Document(((done, "good"),))
        return Document(self._title(), list(self._blocks()))

    def _title(self) -> tuple[Span, ...]:
        ways = {"forward": "", "backward": " of the backward pass", "tangent": " of the derivative"}
        if self.operation.startswith("argument"):
            return ((f"{_WORDS[str(self.kind)]}", "bad"), (f" in {self.operation}", ""))
        return (
            (f"{_WORDS[str(self.kind)]}", "bad"), (" first appears in ", ""), (self.operation, "op"),
            (ways[self.direction], ""),
        )  # fmt: skip

    def _blocks(self) -> Iterator[Block | Table]:
        facts: list[tuple[str, tuple[Span, ...]]] = []
        if self.source is not None:
            facts.append(("line", source_spans(self.source)))
        if self.forward:
            facts.append(("derivative of", ((", ".join(self.forward), "op"),)))
        for step in self.steps:
            facts.append(("in", ((str(step), ""),)))
        if self.inside:
            facts.append(("in", ((" > ".join(f"@{name}" for name in self.inside), "program"),)))
        if self.batch:
            entry = ", ".join("?" if i is None else f"{i:,}" for i in self.batch)
            facts.append(("batch entry", ((entry, ""),)))
        counts = [f"{n:,} {w}" for n, w in ((self.nans, "NaN"), (self.infs, "inf")) if n]
        size = self.type.size if self.type else 0
        at = f", the first at {list(self.index)}" if self.index else ""
        facts.append((
            "value",
            ((str(self.type), "type"), (f"  {' and '.join(counts)} of {number(size, 'element')}{at}", "")),
        ))  # fmt: skip
        reach = (
            "reach the results" if self.reaches else "do not reach the results, which are finite"
        )
        facts.append(("later", ((f"values that are not finite {reach}", ""),)))
        width = max(len(name) for name, _ in facts) + 2
        yield Block((), [Row((("  " + name.ljust(width), "dim"), *spans)) for name, spans in facts])
        if self.operands:
            rows = [
                ((("  " + r.origin, ""),), ((str(r.type), "type"),), _range_spans(r))
                for r in self.operands
            ]
            yield Table(
                ((f"operands of {self.operation}", "dim"),), ("  from", "type", "range"), rows,
                frozenset({0, 1, 2}),
            )  # fmt: skip


def _range_spans(r: Range) -> tuple[Span, ...]:
    found = r.faults()
    text = str(r).removesuffix(", ".join(found))
    return ((text, ""), (", ".join(found), "bad")) if found else ((text, ""),)


@public
def find_nan(f: Any) -> Any:
    """Find the first value that is not finite, and the user's line that computes it.

    The function is evaluated operation by operation, and into the Programs it calls. A loop whose
    results are finite is not looked into; one whose results are not is gone through round by round.
    An operation is to blame if it makes NaN from operands without, or an infinity from finite ones;
    infinities among constants and arguments, as in masks, are left alone. For the backward pass, look
    at the gradient: `find_nan(fn.grad(f))(*args)`.

    Args:
        f: a function of arrays and pytrees, or a `Program`.

    Returns:
        A function of arrays that gives a report: false if everything is finite, otherwise with the
        operation, the line (for the backward pass, the forward line it comes from), the ranges of the
        operands, the entry of the batch and the round of the loop. It holds no arrays.

    Raises:
        ArgumentError: if called on types, or inside another transform.

    >>> import fn, fn.numpy as np
    >>> found = fn.inspect.find_nan(lambda x: np.log(x).sum())(np.array([1.0, 0.0, 2.0]))
    >>> found.kind, found.operation, found.index, str(found.operands[0])
    ('inf', 'log', (1,), '0 … 2')
    >>> bool(fn.inspect.find_nan(np.sin)(1.0))
    False
    """
    if isinstance(f, Program):
        program = f

        @public
        def found(*args: Any) -> Finding:
            return _find(Subject(program, tuple(f"input {i}" for i in range(len(args))), args))

        return found
    return look("find_nan", f, _find, concrete=True)


def _find(subject: Subject) -> Finding:
    program, arrays = subject.program, subject.arrays
    own = len(program.inputs) - len(program.captured)
    for array in arrays:
        if isinstance(array, (Tracer, ArrayType)):
            raise ArgumentError(
                "find_nan: an argument has no value", expected="concrete arrays, outside of transforms",
                got=f"a {type(array).__name__}", fix="find_nan(fn.grad(f))(x), not the other way round",
            )  # fmt: skip
    if len(arrays) != own:
        raise ArgumentError(
            f"find_nan: {program.name!r} takes other arguments", expected=number(own, "array"),
            got=str(len(arrays)),
        )  # fmt: skip
    with evaluating():
        walk = _Walk(program)
        values = [*arrays, *program.captured]
        names = [f"argument {p}" for p in subject.paths]
        names += ["captured array"] * (len(values) - len(names))
        results = walk.program(_Frame(program, tuple(names)), values)
        finding = walk.finding
        finding.reaches = any(True in faults(r) for r in results)
        if finding.kind is None and finding.reaches:
            walk.blame_arguments(names, values)
    return finding


class _Frame(NamedTuple):
    """A Program being evaluated, and what its inputs are to those around it."""

    program: Program
    names: tuple[str, ...] = ()
    """What to call the inputs; for those without a name, look at `atoms` in the frame around."""
    atoms: tuple[Atom, ...] = ()
    around: _Frame | None = None

    @property
    def inside(self) -> tuple[str, ...]:
        """The names of the Programs, outermost first, the function itself aside."""
        if self.around is None:
            return ()
        own = (self.program.name,) if self.program.name else ()
        return (*self.around.inside, *own)

    def origin(self, atom: Atom) -> str:
        """Where a value comes from."""
        if isinstance(atom, Literal):
            return "a constant"
        if atom in self.program.inputs:
            index = self.program.inputs.index(atom)
            if index < len(self.names) and self.names[index]:
                return self.names[index]
            return "an input" if self.around is None else self.around.origin(self.atoms[index])
        equation = next(e for e in self.program.equations if atom in e.outputs)
        where = f" at {place(equation.source)}" if equation.source else ""
        return f"{equation.primitive.name}{where}"


class _Walk:
    """An evaluation that looks at every value until one is not finite."""

    def __init__(self, program: Program) -> None:
        self.finding = Finding()
        self._top = program
        self._expansions: dict[int, Program | None] = {}
        self._steps: list[Step] = []

    def blame_arguments(self, names: Sequence[str], values: Sequence[Any]) -> None:
        """Nothing makes NaN or infinities, and yet there are some: they came in."""
        for name, value in zip(names, values, strict=True):
            kinds = faults(value)
            if True in kinds:
                self._note("nan" if kinds[0] else "inf", name, value, None, 0)
                return

    def program(self, frame: _Frame, args: Sequence[Any]) -> list[Any]:
        """The results of a Program; what is found on the way goes to `finding`."""
        program = frame.program
        env: dict[Variable, Any] = dict(zip(program.inputs, args, strict=True))
        last = _last_uses(program)
        for index, equation in enumerate(program.equations):
            inputs = [a.operand if isinstance(a, Literal) else env[a] for a in equation.inputs]
            if self.finding:
                outs = _apply(equation, inputs)
            else:
                outs = self._equation(frame, equation, inputs)
            env.update(zip(equation.outputs, outs, strict=True))
            for variable in last.get(index, ()):
                env.pop(variable, None)
        return [a.operand if isinstance(a, Literal) else env[a] for a in program.outputs]

    def _equation(self, frame: _Frame, equation: Equation, inputs: list[Any]) -> list[Any]:
        name = equation.primitive.name
        if name == BRANCHES:
            branches = equation.params["branches"]
            branch = branches[int(np.clip(np.asarray(inputs[0]), 0, len(branches) - 1))]
            return self.program(_Frame(branch, (), equation.inputs[1:], frame), inputs[1:])
        if name in LOOPS:
            outs = _apply(equation, inputs)
            if _made(inputs, outs):
                self._loop(frame, equation, inputs)
        else:
            runs = equation.params["program"] if name == "call" else self._expanded(equation)
            if runs is not None:
                return self.program(_Frame(runs, (), equation.inputs, frame), inputs)
            self.finding.looked_at += 1
            outs = _apply(equation, inputs)
        made = None if self.finding else _made(inputs, outs)
        if made is not None:
            place = next(i for i, o in enumerate(outs) if faults(o)[made == "inf"])
            self._note(made, name, outs[place], equation, place)
            self.finding.inside = frame.inside
            self.finding.operands = tuple([
                range_of(value, frame.origin(atom))
                for atom, value in zip(equation.inputs, inputs, strict=True)
            ])  # fmt: skip
        return outs

    def _expanded(self, equation: Equation) -> Program | None:
        key = id(equation)
        if key not in self._expansions:
            self._expansions[key] = expansion(equation)
        return self._expansions[key]

    # --- loops ---

    def _loop(self, frame: _Frame, equation: Equation, inputs: list[Any]) -> None:
        """Find the round, each compiled as one; then go through that one."""
        scan = equation.primitive.name == "scan"
        for step, inner, args in (_scan if scan else _while)(frame, equation, inputs):
            if _made(args, call(inner.program, *args)):
                self._steps.append(step)
                self.program(inner, args)
                self._steps.pop()
                if self.finding:
                    return

    # --- the report ---

    def _note(
        self, kind: str, operation: str, value: Any, equation: Equation | None, place: int
    ) -> None:
        found = self.finding
        r = range_of(value, "")
        found.kind, found.operation, found.type = kind, operation, r.type
        found.nans, found.infs, found.steps = r.nans, r.infs, tuple(self._steps)
        array = host(value)
        bad = np.isnan(array) if kind == "nan" else np.isinf(array)
        found.index = tuple(int(i) for i in np.unravel_index(int(bad.argmax()), array.shape))
        source = found.source = None if equation is None else equation.source
        if source is None or equation is None:
            return
        if "transpose" in source.origin:
            found.direction = "backward"
        elif "jvp" in source.origin:
            found.direction = "tangent"
        found.batch = _entries(source, found.index, array.shape, place)
        if found.direction != "forward":
            found.forward = _forward(self._top, source)


_Round = tuple[Step, _Frame, list[Any]]


def _scan(frame: _Frame, equation: Equation, inputs: list[Any]) -> Iterator[_Round]:
    p = equation.params
    consts, carry, xs = loop_parts(equation, inputs)
    entries = [np.asarray(x) for x in xs]
    names = ("",) * len(consts) + ("the carry",) * len(carry)
    for count in range(p["length"]):
        at = p["length"] - 1 - count if p["reverse"] else count
        args = [*consts, *carry, *[x[at] for x in entries]]
        named = (*names, *[f"entry {at:,} of xs"] * len(xs))
        yield (
            Step("scan", at, p["length"], equation.source),
            _Frame(p["program"], named, equation.inputs, frame),
            args,
        )
        carry = list(call(p["program"], *args))[: len(carry)]


def _while(frame: _Frame, equation: Equation, inputs: list[Any]) -> Iterator[_Round]:
    p = equation.params
    tests, consts, carry = loop_parts(equation, inputs)
    names = ("",) * len(consts) + ("the carry",) * len(carry)
    inner = _Frame(p["body"], names, equation.inputs[len(tests) :], frame)
    count = 0
    while bool(np.asarray(call(p["cond"], *tests, *carry)[0])):
        args = [*consts, *carry]
        yield Step("while_loop", count, None, equation.source), inner, args
        carry = list(call(p["body"], *args))
        count += 1


def _apply(equation: Equation, inputs: list[Any]) -> list[Any]:
    return list(as_tuple(bind(equation.primitive, *inputs, **equation.params)))


def _made(inputs: Sequence[Any], outs: Sequence[Any]) -> str | None:
    """What an operation made that its operands do not hold: "nan", "inf" or None."""
    after = [faults(o) for o in outs]
    if not any(True in a for a in after):
        return None
    before = [faults(i) for i in inputs]
    if any(nan for nan, _ in after) and not any(nan for nan, _ in before):
        return "nan"
    if any(inf for _, inf in after) and not any(True in b for b in before):
        return "inf"
    return None


def _last_uses(program: Program) -> dict[int, list[Variable]]:
    """Which variables each equation is the last to need."""
    found: dict[int, list[Variable]] = {}
    seen = {a for a in program.outputs if isinstance(a, Variable)}
    for index in range(len(program.equations) - 1, -1, -1):
        equation = program.equations[index]
        for atom in (*equation.inputs, *equation.outputs):
            if isinstance(atom, Variable) and atom not in seen:
                seen.add(atom)
                found.setdefault(index, []).append(atom)
    return found


def _entries(
    source: Source, index: Sequence[int], shape: Sequence[int], place: int
) -> tuple[int | None, ...]:
    """Which entry of each `vmap` an element belongs to."""
    found: list[int | None] = []
    for lanes in source.lanes:
        dim = lanes.dims[place] if place < len(lanes.dims) else None
        if dim is None or dim >= len(shape) or shape[dim] != lanes.size:
            # A step within the rule: the axis can be told by its size if there is one of that size.
            alike = [d for d, n in enumerate(shape) if n == lanes.size]
            dim = alike[0] if len(alike) == 1 else None
        found.append(None if dim is None else index[dim])
    return tuple(found)


def _forward(program: Program, source: Source) -> tuple[str, ...]:
    """The operations at the same place in the user's code that no derivative made."""
    names: dict[str, None] = {}
    for p in reachable(program):
        for equation in p.equations:
            own = equation.source
            if own is None or own.code is not source.code or own.offset != source.offset:
                continue
            if not {"jvp", "transpose"} & set(own.origin):
                types = ", ".join(str(a.type) for a in equation.inputs)
                names[f"{equation.primitive.name}({types})"] = None
    return tuple(names)
