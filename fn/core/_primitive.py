"""A primitive: one operation and all of its rules, in one frozen record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any, ClassVar, Literal, TypeAlias
from weakref import WeakValueDictionary

from fn.core._errors import MissingRuleError
from fn.core._types import ArrayType

Rule: TypeAlias = Callable[..., Any]


class Property(Enum):
    """A fact about a primitive from which a rule follows."""

    LINEAR = "linear"
    CONSTANT = "constant"
    ELEMENTWISE = "elementwise"


linear: Literal[Property.LINEAR] = Property.LINEAR
constant: Literal[Property.CONSTANT] = Property.CONSTANT
elementwise: Literal[Property.ELEMENTWISE] = Property.ELEMENTWISE


class Linear:
    """Stands, in a transpose rule, for an argument the operation is linear in: only its type is known.

    A rule that asks for more of it was given an argument in which the operation is not linear.
    """

    __slots__ = ("type", "operation")

    def __init__(self, type: ArrayType, operation: str = "the operation") -> None:
        self.type, self.operation = type, operation

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise self.misfit(self.operation)

    def misfit(self, operation: str) -> MissingRuleError:
        """The error for an operation that needs the value of this argument."""
        return MissingRuleError(
            f"{operation} has no transpose rule here: the function is not linear",
            expected="each operation linear in the transposed arguments",
            got=f"an operation that needs the value of one of them, a {self.type}",
            fix="transpose the derivative instead: fn.vjp, or fn.linearize first",
        )

    def __repr__(self) -> str:
        return f"Linear({self.type})"


@dataclass(frozen=True, kw_only=True, eq=False)
class Primitive:
    """One operation. Every rule is required; a rule that cannot exist is a sentence saying why.

    Arrays are positional, parameters keyword-only and hashable. `multiple` says that the operation
    returns a tuple of arrays; then `out`, `ct`, and what the rules return are tuples as well.

    Args:
        name: unique name; how the printer writes and the parser finds the primitive.
        type: `(*types, **params) -> ArrayType`, raising `TypeRuleError` on a misfit.
        jvp: one of
            `linear`, one array argument, and the operation applied to its tangent;
            `constant`, no derivative: tangents are zero;
            a tuple with, per argument, `(tangent, out, *args, **params) -> tangent of out`, or
            None where the derivative is zero. The pieces are added up, zero tangents never arrive;
            a function `(args, tangents, **params) -> (outs, out_tangents)`, where None is zero.
        transpose: `(ct, *args, **params) -> cotangent per argument`. Arguments the operation is
            linear in arrive as `Linear(type)`; the others get None. `ct` of a multiple primitive
            has None for zero.
        batch: `elementwise`, or `(axis, args, dims, **params) -> (out, dim)`, with None for an
            argument or result that is not batched.
        lower: `(emit, *values, **params) -> value`, which writes StableHLO through `emit`.
        linearize: for primitives that carry Programs:
            `(args, nonzero, **params) -> (outs, out_nonzero, tangents -> out_tangents)`.
            None derives it from `jvp`.
        prune: for primitives that carry Programs: `(used, inputs, **params) -> (inputs, params)`,
            the equation without its unused outputs; a third result says, per output, which stay,
            if some have to that are not used.
        multiple: whether the operation returns a tuple.
        effect: what running it does besides computing outputs: None for nothing; a word, `"host"` for
            a call of a Python function, `"ordered"` for one that keeps its place among others,
            `"check"` for something that may fail, `"tag"` for a name others may refer to; or, for a
            primitive that does not run all the Programs it carries, `(**params) -> frozenset` of
            such words. No transform drops, repeats or merges an equation with an effect.
        eager: `(*arrays, **params) -> value`, how to apply it where nothing is compiled, for what is
            Python anyway. None compiles it alone.

    >>> import fn
    >>> program = fn.trace(fn.numpy.sin)(fn.ArrayType((3,), "float32"))
    >>> primitive = program.equations[0].primitive
    >>> primitive.name, primitive is fn.Primitive.named["sin"]
    ('sin', True)
    """

    name: str
    type: Rule
    jvp: Rule | tuple[Rule | None, ...] | Property | str
    transpose: Rule | str
    batch: Rule | Property | str
    lower: Rule | str
    linearize: Rule | None = None
    prune: Rule | None = None
    multiple: bool = False
    effect: str | Callable[..., frozenset[str]] | None = None
    eager: Rule | None = None

    # How the parser finds a primitive by name. It holds no rules: redefining a primitive in a
    # notebook cell simply replaces the entry.
    named: ClassVar[WeakValueDictionary[str, Primitive]] = WeakValueDictionary()

    def __post_init__(self) -> None:
        for field in fields(self):
            if getattr(self, field.name) == "":
                raise ValueError(
                    f"primitive {self.name!r}: the sentence for {field.name!r} is empty"
                )
        self.named[self.name] = self

    def rule(self, kind: str) -> Any:
        """The rule called `kind`; raises `MissingRuleError` with the primitive's own sentence."""
        rule = getattr(self, kind)
        if isinstance(rule, str):
            raise MissingRuleError(f"{self.name} has no {kind} rule: {rule}")
        return rule

    def __repr__(self) -> str:
        return self.name
