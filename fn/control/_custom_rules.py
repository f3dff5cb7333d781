"""From the rules of a custom function, which are Python, to the Programs that transforms work on.

A `Call` knows one way of calling a custom function: the trees, the static leaves and the types. Rules
are traced when a transform reaches the equation, which may be long after the trace that recorded it
has ended; what their closures hold of that trace are operands of the equation.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from types import FunctionType, MethodType
from typing import Any, NamedTuple

from jax.tree_util import tree_flatten, tree_map, tree_structure, tree_unflatten

from fn.core import (
    ArrayType,
    Linear,
    Program,
    Trace,
    Tracer,
    TreeError,
    TypeRuleError,
    Variable,
    checked,
    dce,
    from_source,
    is_inexact,
    leaf_paths,
    recording,
    type_of,
    used_inputs,
)
from fn.ops import convert, full


class Rules(NamedTuple):
    """The Python rules of a custom function."""

    jvp: Callable[..., Any] | None = None
    vjp: Callable[..., Any] | tuple[Callable[..., Any], Callable[..., Any]] | None = None
    vmap: Callable[..., Any] | None = None
    transpose: Callable[..., Any] | None = None


class Derived(NamedTuple):
    """A traced rule."""

    program: Program
    """Closed: what the rule captured comes last."""
    captured: tuple[Any, ...]
    given: tuple[bool, ...]
    """Per result that may be zero, whether there is one."""


class Pullback(NamedTuple):
    """A traced vjp rule."""

    forward: Program
    """Operands, then what it captured, to outputs and residuals."""
    captured: tuple[Any, ...]
    backward: Program
    """`held`, residuals, then cotangents of the inexact outputs, to the cotangents there are."""
    held: tuple[Any, ...]
    given: tuple[bool, ...]
    """Per argument that moves, whether it has a cotangent."""


@dataclass(frozen=True, eq=False)
class Call:
    """One way of calling a custom function. Compared by identity: Python functions have no structure."""

    rules: Rules
    name: str
    unbind: Callable[[tuple[Any, ...]], tuple[tuple[Any, ...], dict[str, Any]]]
    """From the bound arguments to how the function is called with them."""
    paths: tuple[str, ...]
    """Per leaf of the arguments."""
    tree: Any
    static: tuple[tuple[int, Any], ...]
    """Leaves of the arguments that are no operands, by position."""
    out_tree: Any
    out_static: tuple[tuple[int, Any], ...]
    in_types: tuple[ArrayType, ...]
    """Of all operands: the arguments, then what the function and the rules close over."""
    out_types: tuple[ArrayType, ...]
    arity: int
    """How many operands are arguments."""
    closed_over: tuple[Any, ...]
    """The values of the other operands, when the call was recorded."""
    axes: dict[Any, int]
    """Named axes in scope."""
    cache: dict[Any, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:  # what the printer shows
        object.__setattr__(self, "__qualname__", f"custom {self.name}")

    @property
    def operands(self) -> int:
        """How many operands rules know of."""
        return len(self.in_types)

    def __repr__(self) -> str:
        return f"<custom {self.name}>"

    # --- the rules, traced ---

    def jvp(self, nonzero: tuple[bool, ...]) -> Derived:
        """From operands and the tangents of arguments that move to outputs and their tangents."""
        found: Derived = self._remember(("jvp", nonzero), lambda: self._jvp(nonzero))
        return found

    def vjp(self, nonzero: tuple[bool, ...]) -> Pullback:
        """The two halves of the vjp rule."""
        found: Pullback = self._remember(("vjp", nonzero), lambda: self._vjp(nonzero))
        return found

    def transpose(self, linear: tuple[bool, ...], nonzero: tuple[bool, ...]) -> Derived:
        """From the operands that are not linear and cotangents of outputs to those of linear ones."""
        key = ("transpose", linear, nonzero)
        found: Derived = self._remember(key, lambda: self._transpose(linear, nonzero))
        return found

    def vmap(self, size: int, dims: tuple[int | None, ...]) -> Derived | None:
        """From operands batched at axis 0, where at all, to outputs; None if no rule applies.

        The rule speaks of arguments: where something closed over is batched, it does not apply.
        """
        if self.rules.vmap is None or any(d is not None for d in dims[self.arity :]):
            return None
        mapped = tuple([d is not None for d in dims[: self.arity]])
        found: Derived = self._remember(("vmap", size, mapped), lambda: self._vmap(size, mapped))
        return found

    def _remember(self, key: Any, make: Callable[[], Any]) -> Any:
        if key not in self.cache:
            with from_source(None):  # equations of a rule come from the rule's own lines
                found = make()
            if any(isinstance(v, Tracer) for v in found.captured):
                return found  # good only while the trace they belong to is open
            self.cache[key] = found
        return self.cache[key]

    def _jvp(self, nonzero: tuple[bool, ...]) -> Derived:
        rule = self.rules.jvp
        assert rule is not None
        trace = self._trace("jvp")
        with recording(trace):
            operands = self._operands(trace, self.in_types)
            kinds = self.in_types[: self.arity]
            tangents = [
                trace.input(t.strong()) if n else _zero(t)
                for t, n in zip(kinds, nonzero, strict=True)
            ]
            result = rule(
                self.arguments(operands),
                self._fill(tangents, None),
                **_needs(rule, self._fill(nonzero, False)),
            )
            out, moved = self._pair("jvp", result, "(output, tangent of the output)")
            outs = self._outputs("jvp", out)
            moved = self._inexact_outputs("jvp", "tangent", moved)
            given = [t for t in moved if t is not None]
            program = trace.finish([*outs, *given], f"jvp_{self.name}")
        return _derived(program, moved)

    def _vjp(self, nonzero: tuple[bool, ...]) -> Pullback:
        needs = self._fill(nonzero, False)
        trace = self._trace("vjp")
        with recording(trace):
            operands = self._operands(trace, self.in_types)
            args, kwargs = self.unbind(self.arguments(operands))
            if isinstance(self.rules.vjp, tuple):
                first, second = self.rules.vjp
                result = first(*args, **kwargs, **_needs(first, needs))
                out, residuals = self._pair(
                    "vjp", result, "(output, residuals)", "its forward half"
                )
                pull = partial(second, residuals)
            else:
                assert self.rules.vjp is not None
                rule = second = self.rules.vjp
                result = rule(*args, **kwargs, **_needs(rule, needs))
                out, pull = self._pair("vjp", result, "(output, function of the cotangent)")
                if not callable(pull):
                    raise TypeRuleError(
                        f"custom {self.name}: the second result of its vjp rule is not a function",
                        expected="a function from the output's cotangent to a tuple of cotangents",
                        got=type(pull).__name__,
                        fix="give a pair vjp=(forward, backward) to pass residuals instead",
                    )
                second = pull
            outs = self._outputs("vjp", out)
            inner = Trace(f"the vjp rule of {self.name}")
            with recording(inner):
                cts = [
                    inner.input(t.strong()) if is_inexact(t.dtype) else None for t in self.out_types
                ]
                found = pull(self._result(cts), **_needs(second, needs))
                wanted = self._cotangents("vjp", found, nonzero)
                given = [c for c in wanted if c is not None]
                backward = checked(dce(inner.finish(given, f"backward_{self.name}")))
            own = len(backward.inputs) - len(backward.captured)
            used = used_inputs(backward)[own:]
            residuals = [r for r, u in zip(backward.captured, used, strict=True) if u]
            hidden = tuple([v for v, u in zip(backward.inputs[own:], used, strict=True) if u])
            backward = Program(
                hidden + backward.inputs[:own], backward.equations, backward.outputs, (),
                backward.name,
            )  # fmt: skip
            forward = trace.finish([*outs, *residuals], f"forward_{self.name}")
        program, captured, given_ = _derived(forward, wanted)
        return Pullback(program, captured, backward, (), given_)

    def _transpose(self, linear: tuple[bool, ...], nonzero: tuple[bool, ...]) -> Derived:
        rule = self.rules.transpose
        assert rule is not None
        trace = self._trace("transpose")
        with recording(trace):
            operands: list[Any] = [
                Linear(t) if is_linear else trace.input(t)
                for t, is_linear in zip(self.in_types, linear, strict=True)
            ]
            self._substitute(trace, operands)
            cts = [
                (trace.input(t.strong()) if n else _zero(t)) if is_inexact(t.dtype) else None
                for t, n in zip(self.out_types, nonzero, strict=True)
            ]
            mask = linear[: self.arity]
            found = rule(
                self.arguments(operands),
                self._result(cts),
                **_needs(rule, self._fill(mask, False)),
            )
            wanted = self._cotangents("transpose", found, mask)
            given = [c for c in wanted if c is not None]
            program = trace.finish(given, f"transpose_{self.name}")
        return _derived(program, wanted)

    def _vmap(self, size: int, mapped: tuple[bool, ...]) -> Derived:
        rule = self.rules.vmap
        assert rule is not None
        trace = self._trace("vmap")
        with recording(trace):
            flags = mapped + (False,) * (len(self.in_types) - self.arity)
            kinds = [
                _batched(t, size) if m else t for t, m in zip(self.in_types, flags, strict=True)
            ]
            operands = self._operands(trace, kinds)
            result = rule(self.arguments(operands), self._fill(mapped, False), size)
            out, where = self._pair("vmap", result, "(output, whether each of it is mapped)")
            out_mapped = [
                m
                for i, m in enumerate(self._spread("vmap", where))
                if i not in dict(self.out_static)
            ]
            types = [
                _batched(t, size) if m else t
                for t, m in zip(self.out_types, out_mapped, strict=True)
            ]
            outs = self._outputs("vmap", out, types)
            program = trace.finish(outs, f"vmap_{self.name}")
        closed = checked(dce(program.closed()))
        return Derived(closed, program.captured, tuple(map(bool, out_mapped)))

    # --- trees ---

    def arguments(self, operands: Sequence[Any]) -> tuple[Any, ...]:
        """The bound arguments, from operands."""
        leaves = list(operands[: self.arity])
        for position, value in self.static:
            leaves.insert(position, value)
        args: tuple[Any, ...] = tree_unflatten(self.tree, leaves)
        return args

    def _fill(self, per_operand: Sequence[Any], rest: Any) -> Any:
        """A tree like the arguments; static leaves, and those without a derivative, are `rest`."""
        leaves = [
            value if is_inexact(t.dtype) or value is True else rest
            for value, t in zip(per_operand, self.in_types[: self.arity], strict=True)
        ]
        for position, _ in self.static:
            leaves.insert(position, rest)
        return tree_unflatten(self.tree, leaves)

    def _result(self, per_output: Sequence[Any]) -> Any:
        """A tree like the result, with None for leaves that are no arrays."""
        leaves = list(per_output)
        for position, _ in self.out_static:
            leaves.insert(position, None)
        return tree_unflatten(self.out_tree, leaves)

    def _pair(self, kind: str, result: Any, expected: str, who: str = "") -> tuple[Any, Any]:
        if isinstance(result, (tuple, list)) and len(result) == 2:
            return result[0], result[1]
        raise TreeError(
            f"custom {self.name}: {who or f'its {kind} rule'} did not return a pair",
            expected=expected,
            got=str(tree_structure(result)),
        )

    def _outputs(self, kind: str, out: Any, types: Sequence[ArrayType] | None = None) -> list[Any]:
        """The array leaves of what a rule gives for the function's result, checked."""
        leaves, tree = tree_flatten(out)
        if tree != self.out_tree:
            raise TreeError(
                f"custom {self.name}: its {kind} rule returns another structure than the function",
                expected=str(self.out_tree),
                got=str(tree),
            )
        statics = dict(self.out_static)
        paths = leaf_paths(out, "result")
        arrays = [(p, x) for i, (p, x) in enumerate(zip(paths, leaves)) if i not in statics]
        wanted = self.out_types if types is None else types
        return [self._fit(kind, path, x, t) for (path, x), t in zip(arrays, wanted, strict=True)]

    def _inexact_outputs(self, kind: str, what: str, given: Any) -> list[Any]:
        """Per output, its tangent; None for zero."""
        leaves = self._spread(kind, given, f"the {what} its {kind} rule returns")
        statics = dict(self.out_static)
        example = tree_unflatten(self.out_tree, range(len(leaves)))
        paths = leaf_paths(example, f"{what} of result")
        own = [(p, x) for i, (p, x) in enumerate(zip(paths, leaves)) if i not in statics]
        return [
            self._fit(kind, path, x, t.strong()) if x is not None and is_inexact(t.dtype) else None
            for (path, x), t in zip(own, self.out_types, strict=True)
        ]

    def _cotangents(self, kind: str, given: Any, wanted: Sequence[bool]) -> list[Any]:
        """The cotangents of the arguments where `wanted`; None for zero."""
        example = tree_unflatten(self.tree, range(len(self.paths)))
        if isinstance(given, list):
            given = tuple(given)
        if not isinstance(given, tuple) or len(given) != len(example):
            raise TreeError(
                f"custom {self.name}: its {kind} rule gives something else than one cotangent per "
                "argument",
                expected=f"a tuple of {len(example)}, for {', '.join(self._parameters())}",
                got=str(tree_structure(given)),
                fix="None stands for no cotangent",
            )
        leaves = _prefix(
            given, example, f"custom {self.name}: the cotangents its {kind} rule returns do not "
            "have the structure of the arguments",
        )  # fmt: skip
        statics = dict(self.static)
        own = [(p, x) for i, (p, x) in enumerate(zip(self.paths, leaves)) if i not in statics]
        kinds = self.in_types[: self.arity]
        return [
            self._fit(kind, f"cotangent of {path}", x, t.strong()) if x is not None else None
            for (path, x), t, want in zip(own, kinds, wanted, strict=True)
            if want
        ]

    def _parameters(self) -> list[str]:
        return list(dict.fromkeys(path.split("/")[0] for path in self.paths))

    def _spread(self, kind: str, given: Any, what: str = "") -> list[Any]:
        """One entry of `given`, a prefix of the result's tree in which None may stand for a branch."""
        example = tree_unflatten(self.out_tree, range(self.out_tree.num_leaves))
        what = what or f"what its {kind} rule says of the result"
        message = f"custom {self.name}: {what} does not have the structure of the result"
        return _prefix(given, example, message)

    def _fit(self, kind: str, path: str, x: Any, expected: ArrayType) -> Any:
        got = type_of(x)
        if got is not None and not isinstance(x, ArrayType) and got.shape == expected.shape:
            if got is expected:
                return x
            if got.dtype == expected.dtype or got.weak:
                return convert(x, dtype=expected.dtype, weak=expected.weak)
        raise TypeRuleError(
            f"custom {self.name}: its {kind} rule gives the wrong type for `{path}`",
            expected=str(expected),
            got=str(got or type(x).__name__),
            fix=_likely_fix(kind, path, got, expected),
        )

    # --- traces ---

    def _trace(self, kind: str) -> Trace:
        trace = Trace(f"the {kind} rule of {self.name}", lambda: self._operand_paths())
        trace.axes = self.axes
        return trace

    def _operand_paths(self) -> list[str]:
        statics = dict(self.static)
        return [p for i, p in enumerate(self.paths) if i not in statics]

    def _operands(self, trace: Trace, types: Sequence[ArrayType]) -> list[Any]:
        operands = [trace.input(t) for t in types]
        self._substitute(trace, operands)
        return operands

    def _substitute(self, trace: Trace, operands: Sequence[Any]) -> None:
        for value, operand in zip(self.closed_over, operands[self.arity :], strict=True):
            if isinstance(operand, Tracer):
                trace.stand_for(value, operand)


def _prefix(given: Any, tree: Any, message: str) -> list[Any]:
    """One entry of `given` per leaf of `tree`; None and booleans may stand for a whole branch."""
    found: list[Any] = []

    def spread(entry: Any, branch: Any) -> None:
        leaves, structure = tree_flatten(branch)
        if entry is not None and not isinstance(entry, bool) and leaves != [branch]:
            raise ValueError(f"a leaf where the other has {structure}")
        found.extend([entry] * len(leaves))

    try:
        tree_map(spread, given, tree, is_leaf=lambda x: x is None)
    except ValueError as error:
        raise TreeError(
            message,
            expected=str(tree_structure(tree)),
            got=str(tree_structure(given)),
            fix=f"None may stand for a branch without one ({str(error).splitlines()[0]})",
        ) from None
    return found


def _likely_fix(kind: str, path: str, got: ArrayType | None, expected: ArrayType) -> str | None:
    if got is None:
        return "return an array, or None for zero" if "of" in path else "return an array"
    if got.shape != expected.shape:
        if kind in ("vjp", "transpose") and len(got.shape) >= len(expected.shape):
            return "sum over what the function has broadcast: a cotangent has its argument's shape"
        return None
    return f"convert it with .astype({expected.dtype.name!r})"


def _derived(program: Program, results: Sequence[Any]) -> Derived:
    given = tuple([r is not None for r in results])
    return Derived(checked(dce(program.closed())), program.captured, given)


def _zero(kind: ArrayType) -> Any:
    return full(kind.dtype.type(0), kind.shape) if is_inexact(kind.dtype) else None


def _batched(kind: ArrayType, size: int) -> ArrayType:
    return kind.with_shape((size, *kind.shape))


def _needs(rule: Callable[..., Any], needs: Any) -> dict[str, Any]:
    """`needs`, for a rule that has a parameter of this name."""
    try:
        return {"needs": needs} if "needs" in inspect.signature(rule).parameters else {}
    except (TypeError, ValueError):
        return {}


# --- what closures hold -----------------------------------------------------------------


def tracers_held(*roots: Any) -> list[Tracer]:
    """The tracers in the closures of functions, in what these hold, and so on, each once."""
    found: dict[int, Tracer] = {}
    seen: dict[int, Any] = {}  # holds what it identifies by id
    todo = list(reversed(roots))
    while todo and len(seen) < 10_000:
        value = todo.pop()
        if isinstance(value, Tracer):
            if not isinstance(value._atom, Variable):
                continue
            found.setdefault(id(value), value)
            continue
        if value is None or id(value) in seen or isinstance(value, (str, int, float, type)):
            continue
        seen[id(value)] = value
        if isinstance(value, FunctionType):
            for cell in value.__closure__ or ():
                with suppress(ValueError):  # not assigned yet
                    todo.append(cell.cell_contents)
            todo += [value.__defaults__, value.__kwdefaults__, vars(value).get("__wrapped__")]
        elif isinstance(value, MethodType):
            todo += [value.__func__, value.__self__]
        elif isinstance(value, partial):
            todo += [value.func, value.args, value.keywords]
        elif isinstance(value, dict):
            todo += value.values()
        elif isinstance(value, (list, tuple, set, frozenset)):
            todo += value
        elif hasattr(type(value), "__fn_environment__"):
            todo += value.__fn_environment__()
        elif isinstance(held := getattr(value, "__dict__", None), dict) and not hasattr(
            value, "__path__"
        ):
            todo += held.values()
    return list(found.values())
