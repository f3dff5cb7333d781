"""Tracing: run a Python function on stand-ins and write down, equation by equation, what it does.

Context, not data, chooses the interpreter: `bind` records into the current trace if there is one and
evaluates otherwise. A tracer of an outer trace met inside an inner one becomes a captured input there,
a constant to whatever transform is running, so nested derivatives cannot be confused:

    grad(lambda x: x * grad(lambda y: x + y)(1.0))    # the inner gradient sees x as a constant
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from fn.core._errors import (
    ConcretizationError,
    FnError,
    LeakError,
)
from fn.core._infer import infer, not_an_array
from fn.core._primitive import Primitive
from fn.core._program import Atom, Equation, Literal, Program, Variable
from fn.core._source import Source, current_source
from fn.core._source import state as _source_state
from fn.core._types import ArrayType, dtype_name, register_type, type_of

_SCALARS = (bool, int, float, complex)


class _Context(threading.local):
    trace: Trace | None = None
    eager: int = 0


context = _Context()

Evaluator = Callable[[Primitive, tuple[Any, ...], dict[str, Any]], Any]


def _no_evaluator(primitive: Primitive, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
    raise FnError(f"{primitive.name}: nothing evaluates operations yet", fix="import fn first")


# The first of the two upward hooks: `fn.xla` fills this slot, wired in `fn/__init__.py`.
_evaluator: Evaluator = _no_evaluator


def set_evaluator(evaluator: Evaluator) -> None:
    """Fill the slot for eager evaluation that core leaves open."""
    global _evaluator
    _evaluator = evaluator


def bind(primitive: Primitive, *args: Any, **params: Any) -> Any:
    """Apply `primitive`: record it if a trace is running, evaluate it otherwise.

    Arrays are positional; parameters are keyword-only and hashable. Returns what the primitive
    returns, a tuple if it is `multiple`.

    >>> import fn
    >>> round(float(fn.bind(fn.Primitive.named["sin"], 0.5)), 4)
    0.4794
    """
    trace = context.trace
    if trace is None:
        return _evaluator(primitive, args, params)
    return trace.bind(primitive, args, params)


class Tracer:
    """Stands for an array while a function is traced: it has a type and, usually, no value.

    Operators and methods (`x + y`, `x[0]`, `x.sum()`) are those of `fn.numpy` arrays.

    >>> import fn
    >>> kinds = []
    >>> program = fn.trace(lambda x: kinds.append(type(x)) or x)(1.0)
    >>> issubclass(kinds[0], fn.Tracer)
    True
    """

    __slots__ = ("_trace", "_atom")
    # NumPy and JAX arrays on the left of an operator step back and let the tracer's own method run.
    __array_priority__ = 1000
    __array_ufunc__ = None
    __hash__ = None  # type: ignore[assignment]  # `==` is elementwise, as for arrays

    def __init__(self, trace: Trace, atom: Atom) -> None:
        self._trace, self._atom = trace, atom

    @property
    def type(self) -> ArrayType:
        """The tracer's type."""
        return self._atom.type

    @property
    def shape(self) -> tuple[int, ...]:
        """Size of each axis."""
        return self._atom.type.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """NumPy dtype of the elements."""
        return self._atom.type.dtype

    @property
    def weak_type(self) -> bool:
        """Whether a Python scalar gave this value its dtype."""
        return self._atom.type.weak

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self._atom.type.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return self._atom.type.size

    def __repr__(self) -> str:
        return f"Tracer<{self._atom.type}>"

    # --- where Python asks for a value ---

    def __bool__(self) -> bool:
        return bool(concrete(self, "bool(x), as in `if x:`", _FIX_BRANCH))

    def __int__(self) -> int:
        return int(concrete(self, "int(x)", _FIX_NUMBER.format("int", "astype(int)")))

    def __float__(self) -> float:
        return float(concrete(self, "float(x)", _FIX_NUMBER.format("float", "astype(float)")))

    def __complex__(self) -> complex:
        return complex(
            concrete(self, "complex(x)", _FIX_NUMBER.format("complex", "astype(complex)"))
        )

    def __index__(self) -> int:
        return int(
            np.asarray(concrete(self, "using x as an index or a size", _FIX_INDEX)).__index__()
        )

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        return np.asarray(concrete(self, "numpy.asarray(x)", _FIX_NUMPY), dtype=dtype)

    def item(self) -> Any:
        """The element of a one-element array as a Python scalar."""
        return np.asarray(concrete(self, "x.item()", _FIX_NUMPY)).item()

    def tolist(self) -> Any:
        """The array as nested Python lists."""
        return np.asarray(concrete(self, "x.tolist()", _FIX_NUMPY)).tolist()


_FIX_BRANCH = (
    "choose elementwise with fn.numpy.where(condition, a, b); or make the argument static with "
    "static_argnums if it is a plain Python value"
)
_FIX_NUMBER = "keep it an array (x.{1}) instead of {0}(x); or return it and convert outside"
_FIX_INDEX = (
    "shapes and slice bounds must be known while tracing: index with the array itself, use "
    "fn.ops.dynamic_slice, or make the argument static with static_argnums"
)
_FIX_NUMPY = "use the fn.numpy function of the same name, which works on traced arrays"


def _type_of_tracer(tracer: Tracer) -> ArrayType:
    return tracer._atom.type


register_type(Tracer, _type_of_tracer)


class Trace:
    """A recording: equations so far, and the values captured from outside."""

    __slots__ = (
        "label", "parent", "equations", "inputs", "values", "asked", "closed", "paths", "axes",
        "stands_for", "_captured", "_outside", "_kept", "_defined", "_scanned",
    )  # fmt: skip

    def __init__(self, label: str, paths: Callable[[], Sequence[str]] | None = None) -> None:
        self.label = label
        self.parent = context.trace
        self.equations: list[Equation] = []
        self.inputs: list[Variable] = []
        # What concrete (or outer) value each variable has, where an eager transform knows it.
        self.values: dict[Variable, Any] = {}
        # Whether the Program is good for this call alone: Python asked for a value, or something is
        # in it that goes by identity (see `for_this_call`).
        self.asked = False
        self.closed = False
        self.paths = paths
        # Named axes that this trace opens, name -> size; `vmap` fills it.
        self.axes: dict[Any, int] = {}
        # Tracers of other traces that inputs of this one stand for, by identity: how a rule that is
        # traced later sees the values its closure held (see `stand_for`).
        self.stands_for: dict[int, Tracer] = {}
        self._captured: dict[int, Variable] = {}
        self._outside: list[Any] = []  # keeps what `_captured` identifies by id alive
        self._kept: dict[Variable, Any] = {}
        self._defined: dict[Variable, Equation] = {}
        self._scanned = 0

    def input(self, type: ArrayType, value: Any = None) -> Tracer:
        """A new input; `value`, if known, lets Python look at it while tracing."""
        variable = Variable(type)
        self.inputs.append(variable)
        if value is not None:
            self.values[variable] = _standing_for(value, self.parent)
        return Tracer(self, variable)

    def stand_for(self, value: Any, tracer: Tracer) -> None:
        """While this trace runs, `tracer` takes the place of `value`, even if the trace of `value` ended."""
        self.stands_for[id(value)] = tracer
        self._outside.append(value)

    def bind(self, primitive: Primitive, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
        """Record one equation."""
        if self.closed:
            raise FnError(f"{self.label}: the trace has ended")
        inputs = tuple(
            [
                a._atom
                if type(a) is Tracer and a._trace is self
                else self.atom(a, primitive.name, i)
                for i, a in enumerate(args)
            ]
        )
        types = infer(primitive, tuple([a.type for a in inputs]), params)
        outputs = tuple([Variable(t) for t in types])
        source = _source_state.source or current_source()
        self.equations.append(Equation(primitive, inputs, outputs, params, source))
        if primitive.multiple:
            return tuple([Tracer(self, v) for v in outputs])
        return Tracer(self, outputs[0])

    def atom(self, value: Any, operation: str = "trace", position: int | None = None) -> Atom:
        """`value` as this trace sees it: its own variable, a literal, or a captured input."""
        if type(value) is Tracer:
            if value._trace is self:
                return value._atom
            if type(value._atom) is Literal:
                return value._atom
            value = _standing_for(value, self)
            if value._trace is self:
                standing: Atom = value._atom
                return standing
            check_open(value, operation)
        elif type(value) in _SCALARS or isinstance(value, (np.generic, *_SCALARS)):
            return Literal(value)
        elif isinstance(value, np.ndarray) and value.ndim == 0:
            return Literal(value[()])
        known = self._captured.get(id(value))
        if known is not None:
            return known
        found = type_of(value)
        if found is None or isinstance(value, ArrayType):
            raise not_an_array(operation, position, value)
        variable = self._captured[id(value)] = Variable(found)
        self._outside.append(value)
        # A NumPy array may be changed in place later; the trace keeps what it saw.
        kept = np.array(value, dtype=found.dtype) if isinstance(value, np.ndarray) else value
        self._kept[variable] = self.values[variable] = kept
        return variable

    def splice(self, program: Program, args: Sequence[Any]) -> list[Any]:
        """Record all of `program` applied to `args`: what evaluating it here would record, faster."""
        env: dict[Atom, Atom] = {}
        same = True
        for variable, arg in zip(program.inputs, args, strict=True):
            atom = env[variable] = self.atom(arg)
            same = same and atom.type is variable.type
        equations = self.equations
        get = env.get
        for equation in program.equations:
            copy = equation.with_inputs(tuple([get(a, a) for a in equation.inputs]))
            if not same:  # an argument is weak or not where the input is not: so may results be
                copy = _typed_again(copy)
            equations.append(copy)
            for old, new in zip(equation.outputs, copy.outputs, strict=True):
                env[old] = new
        return [Tracer(self, env.get(a, a)) for a in program.outputs]

    def append(self, equation: Equation, inputs: tuple[Atom, ...]) -> list[Tracer]:
        """Record `equation` again on inputs of the same types, without asking its type rule."""
        copy = equation.with_inputs(inputs)
        self.equations.append(copy)
        return [Tracer(self, v) for v in copy.outputs]

    def finish(self, outputs: Sequence[Any], name: str = "main") -> Program:
        """End the recording and give the Program whose outputs are these values."""
        atoms = tuple([self.atom(value, "output", i) for i, value in enumerate(outputs)])
        hidden, values = self.captured()
        self.closed = True
        return Program(tuple(self.inputs) + hidden, tuple(self.equations), atoms, values, name)

    def captured(self) -> tuple[tuple[Variable, ...], tuple[Any, ...]]:
        """The variables of the values captured so far, and these values."""
        variables = tuple(self._captured.values())
        return variables, tuple([self._kept[v] for v in variables])

    def definition(self, variable: Variable) -> Equation | None:
        """The equation that computes `variable`, or None for an input."""
        for equation in self.equations[self._scanned :]:
            for output in equation.outputs:
                self._defined[output] = equation
        self._scanned = len(self.equations)
        return self._defined.get(variable)


def _typed_again(equation: Equation) -> Equation:
    inputs, params = equation.inputs, dict(equation.params)
    types = infer(equation.primitive, tuple([a.type for a in inputs]), params)
    outputs = tuple([Variable(t) for t in types])
    return Equation(equation.primitive, inputs, outputs, equation.params, equation.source)


@contextmanager
def recording(trace: Trace) -> Iterator[Trace]:
    """Make `trace` the current interpreter; on leaving, close it and return to the one before."""
    before, source = context.trace, _source_state.source
    context.trace = trace
    try:
        yield trace
    finally:
        context.trace = before
        _source_state.source = source
        trace.closed = True


@contextmanager
def evaluating() -> Iterator[None]:
    """Leave every trace for a while: operations inside are evaluated."""
    before, source = context.trace, _source_state.source
    context.trace = None
    _source_state.source = None
    try:
        yield
    finally:
        context.trace = before
        _source_state.source = source


@contextmanager
def from_source(source: Source | None) -> Iterator[None]:
    """Equations recorded inside carry `source` instead of the line being executed."""
    before = _source_state.source
    _source_state.source = source
    try:
        yield
    finally:
        _source_state.source = before


def for_this_call() -> None:
    """Keep what is being traced from being remembered and used for a later call.

    A function found again counts as the same if what it holds is equal. A callback is not: it may
    append to a list, and to which one matters.
    """
    trace = context.trace
    while trace is not None:
        trace.asked = True
        trace = trace.parent


# --- leaks and concrete values ----------------------------------------------------------


def _standing_for(value: Any, trace: Trace | None) -> Any:
    """What takes the place of `value` in `trace` or one around it; `value` itself if nothing does."""
    while trace is not None and type(value) is Tracer:
        if trace.stands_for:
            found = trace.stands_for.get(id(value))
            if found is not None:
                return found
        trace = trace.parent
    return value


def check_open(tracer: Tracer, operation: str) -> None:
    """Raise if `tracer` outlived its trace."""
    trace = tracer._trace
    if _standing_for(tracer, context.trace) is not tracer:
        return
    if not trace.closed:
        # An inner trace may use what an outer one made, not the other way round.
        running = context.trace
        while running is not None and running is not trace:
            running = running.parent
        if running is trace:
            return
    equation = trace.definition(tracer._atom) if isinstance(tracer._atom, Variable) else None
    if equation is not None:
        made = f"{equation.primitive.name} at {equation.source}"
    else:
        made = "an argument of the traced function"
    raise LeakError(
        f"{operation}: a traced array was used after {trace.label} had ended",
        expected="values that leave a traced function through its return value",
        got=f"{tracer.type}, made by {made}",
        fix="return the value (for example with has_aux=True) instead of storing it outside",
    )


def concrete(tracer: Tracer, asked: str, fix: str) -> Any:
    """The value of `tracer`, computed on demand from what an eager transform was called on."""
    tracer = _standing_for(tracer, context.trace)
    trace = tracer._trace
    if trace.closed:
        check_open(tracer, asked)
    atom = tracer._atom
    if isinstance(atom, Literal):
        return atom.operand
    try:
        with evaluating():
            return _value(trace, atom, asked, fix)
    except _Unknown as unknown:
        raise _concretization(tracer, unknown, asked, fix) from None


# What depends on other effects cannot be known while tracing without causing them twice.
_REPEATABLE = frozenset({"tag", "check"})


class _Unknown(Exception):
    """The value depends on this variable, which has none."""

    def __init__(self, trace: Trace, variable: Variable) -> None:
        self.trace, self.variable = trace, variable


def _value(trace: Trace, variable: Variable, asked: str, fix: str) -> Any:
    """Evaluate the slice of `trace` that `variable` depends on; remembers every value."""
    trace.asked = True
    values = trace.values
    todo = [variable]
    while todo:
        current = todo[-1]
        known = values.get(current)
        if known is not None:
            if isinstance(known, Tracer):
                if isinstance(known._atom, Literal):
                    values[current] = known._atom.operand
                else:
                    values[current] = _value(known._trace, known._atom, asked, fix)
            todo.pop()
            continue
        equation = trace.definition(current)
        if equation is None:
            raise _Unknown(trace, current)
        if equation.effects - _REPEATABLE:
            raise _Unknown(trace, current)
        waiting = [
            a for a in equation.inputs
            if isinstance(a, Variable) and (a not in values or isinstance(values[a], Tracer))
        ]  # fmt: skip
        if waiting:
            todo.extend(waiting)
            continue
        args = tuple(a.operand if isinstance(a, Literal) else values[a] for a in equation.inputs)
        result = _evaluator(equation.primitive, args, dict(equation.params))
        outputs = result if equation.primitive.multiple else (result,)
        values.update(zip(equation.outputs, outputs, strict=True))
        todo.pop()
    return values[variable]


def _concretization(tracer: Tracer, unknown: _Unknown, asked: str, fix: str) -> FnError:
    trace = unknown.trace
    equation = trace.definition(unknown.variable)
    argument = "an argument" if equation is None else f"`{equation.primitive.name}`, an effect"
    if trace.paths is not None and unknown.variable in trace.inputs:
        paths = list(trace.paths())
        index = trace.inputs.index(unknown.variable)
        if index < len(paths):
            argument = f"argument `{paths[index]}` ({unknown.variable.type})"
    return ConcretizationError(
        f"{asked} needs the value of an array that {trace.label} knows only by its type",
        expected="an array whose value is known while tracing",
        got=f"{dtype_name(tracer.dtype)}[{','.join(map(str, tracer.shape))}], "
        f"which depends on {argument} of {trace.label}",
        fix=fix,
    )
