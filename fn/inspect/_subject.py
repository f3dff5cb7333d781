"""What is looked at: a function together with arguments, or a Program as it is."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple, TypeVar

from fn.core import (
    ArgumentError,
    Program,
    array_paths,
    function_name,
    public,
    split_arguments,
    trace_call,
)

Result = TypeVar("Result")


class Subject(NamedTuple):
    """A Program to look at."""

    program: Program
    paths: tuple[str, ...] = ()
    """What the function's arguments call each input, where there is a function."""
    arrays: tuple[Any, ...] = ()
    """The arguments' arrays (or types), one per input that is not captured."""


def look(
    operation: str, subject: Any, view: Callable[[Subject], Result], *, concrete: bool = False
) -> Any:
    """`view` of a Program, or a function of arguments that gives it for a function.

    Args:
        concrete: whether Python may look at the arguments' values while the function is traced.
    """
    if isinstance(subject, Program):
        return view(Subject(subject))
    check_function(operation, subject)

    @wraps(subject)
    @public
    def viewed(*args: Any, **kwargs: Any) -> Result:
        return view(traced(operation, subject, args, kwargs, concrete))

    return viewed


def traced(
    operation: str, function: Callable[..., Any], args: Any, kwargs: Any, concrete: bool = False
) -> Subject:
    """`function` at these arguments."""
    split = split_arguments(operation, function, args, kwargs)
    found = trace_call(
        operation, function, args, kwargs, split, values=split.arrays if concrete else None
    )
    paths = tuple(array_paths(function, args, kwargs))
    return Subject(unwrapped(found.program), paths, tuple(split.arrays))


def check_function(operation: str, subject: Any) -> None:
    """Raise unless `subject` can be called."""
    if not callable(subject):
        raise ArgumentError(
            f"{operation}: the first argument is neither a function nor a Program",
            expected=f"fn.inspect.{operation}(f)(*args), or fn.inspect.{operation}(program)",
            got=type(subject).__name__,
        )


def unwrapped(program: Program) -> Program:
    """What a jitted function is, where `program` only calls it."""
    if len(program.equations) != 1 or program.equations[0].primitive.name != "call":
        return program
    (equation,) = program.equations
    inner: Program = equation.params["program"]
    if equation.inputs != program.inputs or equation.outputs != program.outputs:
        return program
    return Program(
        inner.inputs, inner.equations, inner.outputs, program.captured, inner.name
    )  # fmt: skip


def name_of(subject: Any) -> str:
    """What to call a function or a Program."""
    return subject.name if isinstance(subject, Program) else function_name(subject)
