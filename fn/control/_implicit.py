"""Roots and linear systems, differentiated through the equation they solve instead of the solver."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jax.tree_util import tree_flatten, tree_unflatten

from fn.control._call import _call_type, call
from fn.control._custom import Custom
from fn.control._custom_linear import batch_to
from fn.control._custom_rules import Rules
from fn.control._quiet import quiet
from fn.core import (
    ArgumentError,
    ArrayType,
    Linear,
    MissingRuleError,
    Primitive,
    Program,
    Traced,
    TreeError,
    TypeRuleError,
    Variable,
    bind,
    evaluate,
    is_inexact,
    leaf_paths,
    public,
    split_arguments,
    trace_call,
    type_of,
)
from fn.ops import convert, full, move_axis, neg, sub
from fn.transforms import insert_axis, jvp, jvp_program, transpose_program

Programs = dict[str, Program | None]


# --- linear_solve -----------------------------------------------------------------------
@public
def custom_linear_solve(
    matvec: Callable[..., Any],
    b: Any,
    solve: Callable[..., Any],
    transpose_solve: Callable[..., Any] | None = None,
    symmetric: bool = False,
    has_aux: bool = False,
) -> Any:
    """The `x` with `matvec(x) = b`, whose derivatives are those of the equation, not of `solve`.

    Derivatives with respect to `b`, and to whatever `matvec` closes over, solve one more system.

    Args:
        matvec: linear, from trees like `b` to trees like `b`.
        b: an array or a tree of floating or complex ones.
        solve: `(matvec, b) -> x`, any algorithm; it is never differentiated.
        transpose_solve: `(vecmat, b) -> x`, the same for the transposed function; reverse mode needs it.
        symmetric: `matvec` is its own transpose, and `solve` solves for both.
        has_aux: whether `solve` and `transpose_solve` return `(x, aux)`; `aux` has no derivative.

    Returns:
        `x`, a tree like `b`, or `(x, aux)`.

    Raises:
        TreeError, TypeRuleError: if `matvec` or `solve` give something unlike `b`.

    >>> import fn, fn.numpy as np
    >>> def f(a, b):
    ...     solve = lambda matvec, b: b / a
    ...     return fn.custom_linear_solve(lambda x: a * x, b, solve, symmetric=True)
    >>> float(fn.grad(f)(2.0, 8.0))
    -2.0
    """
    leaves, tree = tree_flatten(b)
    _check_inexact(b)
    kinds = [_strong(x) for x in leaves]
    leaves = [convert(x, dtype=t.dtype) for x, t in zip(leaves, kinds, strict=True)]
    product = _trace("custom_linear_solve", "matvec", matvec, tree, kinds)
    _like("matvec", product, tree, kinds)

    def multiply(x: Any) -> Any:
        return tree_unflatten(tree, evaluate(product.program, tree_flatten(x)[0]))

    solution = _trace("custom_linear_solve", "solve", lambda b: solve(multiply, b), tree, kinds)
    own = _solution("solve", solution, tree, kinds, has_aux)
    programs: Programs = {"matvec": product.program, "solve": solution.program}
    programs |= {"vecmat": None, "transpose_solve": None}
    if symmetric:
        programs |= {"vecmat": product.program, "transpose_solve": solution.program}
        if has_aux:
            programs["transpose_solve"] = _first(solution.program, own)
    elif transpose_solve is not None:
        transposed = _transposed(product.program, kinds)

        def multiply_back(x: Any) -> Any:
            return tree_unflatten(tree, evaluate(transposed, tree_flatten(x)[0]))

        back = _trace(
            "custom_linear_solve", "transpose_solve",
            lambda b: transpose_solve(multiply_back, b), tree, kinds,
        )  # fmt: skip
        own_back = _solution("transpose_solve", back, tree, kinds, has_aux)
        programs |= {"vecmat": transposed, "transpose_solve": _first(back.program, own_back)}
    constants, closed = _share(programs)
    outs = bind(linear_solve_p, *constants, *leaves, constants=len(constants), **closed)
    x = tree_unflatten(tree, outs[:own])
    return (x, solution.rebuild(outs)[1]) if has_aux else x


def _linear_solve_type(
    *types: ArrayType, constants: int, solve: Program, **params: Any
) -> tuple[ArrayType, ...]:
    return _call_type(*types, program=solve)


def _linear_solve_jvp(args: Any, tangents: Any, **params: Any) -> tuple[Any, Any]:
    constants, matvec = params["constants"], params["matvec"]
    outs = bind(linear_solve_p, *args, **params)
    count = len(args) - constants
    xs = list(outs[:count])
    # From A x = b: A dx = db - dA x.
    moving = tuple([t is not None for t in tangents[:constants]])
    right: list[Any] = list(tangents[constants:])
    if any(moving):
        program, given = jvp_program(quiet(matvec), moving + (False,) * count)
        found = call(
            program, *args[:constants], *xs, *[t for t in tangents[:constants] if t is not None]
        )
        left = iter(found[count:])
        for i, g in enumerate(given):
            if g:
                t = next(left)
                right[i] = neg(t) if right[i] is None else sub(right[i], t)
    if all(r is None for r in right):
        return outs, [None] * len(outs)
    right = [_zeros(x) if r is None else r for r, x in zip(right, xs, strict=True)]
    again = {k: quiet(p) if isinstance(p, Program) else p for k, p in params.items()}
    moved = bind(linear_solve_p, *args[:constants], *right, **again)
    return outs, [*moved[:count], *[None] * (len(outs) - count)]


def _linear_solve_transpose(cts: Any, *args: Any, **params: Any) -> tuple[Any, ...]:
    constants = params["constants"]
    if any(isinstance(a, Linear) for a in args[:constants]):
        raise MissingRuleError(
            "custom_linear_solve has no transpose rule here: it is not linear in what matvec closes over",
            fix="transpose the derivative instead: fn.vjp",
        )
    if params["transpose_solve"] is None:
        raise MissingRuleError(
            "custom_linear_solve: reverse mode needs transpose_solve",
            expected="transpose_solve=, or symmetric=True", got="neither",
            fix="give transpose_solve=solve if the algorithm solves the transposed system as well",
        )  # fmt: skip
    count = len(args) - constants
    kinds = [a.type for a in args[constants:]]
    right = [_zeros_of(t) if c is None else c for c, t in zip(cts[:count], kinds, strict=True)]
    swapped = {
        "matvec": params["vecmat"], "vecmat": params["matvec"], "solve": params["transpose_solve"],
        "transpose_solve": _first(params["solve"], count), "constants": constants,
    }  # fmt: skip
    found = bind(linear_solve_p, *args[:constants], *right, **swapped)
    return (*[None] * constants, *found)


def _linear_solve_batch(axis: Any, args: Any, dims: Any, **params: Any) -> tuple[Any, Any]:
    constants = params["constants"]
    right = [
        insert_axis(a, axis.size, 0) if d is None else move_axis(a, d, 0)
        for a, d in zip(args[constants:], dims[constants:], strict=True)
    ]
    places = (*dims[:constants], *[0] * len(right))
    batched = {
        k: batch_to(p, axis, places) if isinstance(p, Program) else p for k, p in params.items()
    }
    outs = bind(linear_solve_p, *args[:constants], *right, **batched)
    return outs, (0,) * len(outs)


def _linear_solve_lower(emit: Any, *args: Any, solve: Program, **params: Any) -> Any:
    return emit.call(solve, *args)


linear_solve_p = Primitive(
    name="linear_solve", type=_linear_solve_type, jvp=_linear_solve_jvp,
    transpose=_linear_solve_transpose, batch=_linear_solve_batch, lower=_linear_solve_lower,
    multiple=True, effect=lambda solve, **_: solve.effects,
)  # fmt: skip


# --- custom_root ------------------------------------------------------------------------
@public
def custom_root(
    f: Callable[..., Any],
    initial_guess: Any,
    solve: Callable[..., Any],
    tangent_solve: Callable[..., Any],
    has_aux: bool = False,
) -> Any:
    """The `x` with `f(x) = 0`, whose derivatives are those of the equation, not of `solve`.

    By the implicit function theorem, derivatives with respect to what `f` closes over solve one linear
    system; those with respect to `initial_guess` are zero.

    Args:
        f: from trees like `initial_guess` to trees like it.
        initial_guess: an array or a tree of floating ones.
        solve: `(f, initial_guess) -> x`, any algorithm; it is never differentiated.
        tangent_solve: `(g, y) -> x` with `g(x) = y`, for `g` linear: `f` linearized at the root, or
            its transpose in reverse mode. For scalars: `lambda g, y: y / g(1.0)`.
        has_aux: whether `solve` returns `(x, aux)`; `aux` has no derivative.

    Returns:
        `x`, a tree like `initial_guess`, or `(x, aux)`.

    >>> import fn, fn.numpy as np
    >>> def square_root(a):
    ...     newton = lambda f, x: sum([0.5 * a / x, 0.5 * x])
    ...     return fn.custom_root(lambda x: x * x - a, 2.0, newton, lambda g, y: y / g(1.0))
    >>> float(fn.grad(square_root)(4.0))
    0.25
    """
    leaves, tree = tree_flatten(initial_guess)
    _check_inexact(initial_guess)
    kinds = [_strong(x) for x in leaves]
    leaves = [convert(x, dtype=t.dtype) for x, t in zip(leaves, kinds, strict=True)]
    value = _trace("custom_root", "f", f, tree, kinds)
    _like("f", value, tree, kinds)

    def apply(x: Any) -> Any:
        return tree_unflatten(tree, evaluate(value.program, tree_flatten(x)[0]))

    solution = _trace("custom_root", "solve", lambda x: solve(apply, x), tree, kinds)
    own = _solution("solve", solution, tree, kinds, has_aux)
    constants, closed = _share({"f": value.program, "solve": solution.program})
    solver, residual = closed["solve"], closed["f"]
    assert solver is not None and residual is not None

    def root(constants: list[Any], guess: list[Any]) -> list[Any]:
        return evaluate(solver, [*constants, *guess])

    def rule(primals: Any, tangents: Any) -> Any:
        constants, _ = primals
        outs = custom(*primals)
        x = outs[:own]
        function = quiet(residual)
        _, right = jvp(
            lambda *constants: evaluate(function, [*constants, *x]), constants, tangents[0]
        )

        def linearized(v: Any) -> Any:
            moved = jvp(
                lambda *x: evaluate(function, [*constants, *x]), x, tuple(tree_flatten(v)[0])
            )[1]
            return tree_unflatten(tree, moved)

        moved = custom_linear_solve(
            linearized, tree_unflatten(tree, right), tangent_solve, transpose_solve=tangent_solve
        )
        return outs, [*map(neg, tree_flatten(moved)[0]), *[None] * (len(outs) - own)]

    custom = Custom(root, Rules(jvp=rule))
    outs = custom(constants, leaves)
    x = tree_unflatten(tree, outs[:own])
    return (x, solution.rebuild(outs)[1]) if has_aux else x


# --- tracing the parts ------------------------------------------------------------------


def _trace(
    operation: str, name: str, function: Callable[..., Any], tree: Any, kinds: Sequence[ArrayType]
) -> Traced:
    example = (tree_unflatten(tree, kinds),)
    split = split_arguments(f"{operation}: {name}", function, example, {})
    return trace_call(f"{operation}: {name}", function, example, {}, split)


def _check_inexact(tree: Any) -> None:
    for path, leaf in zip(leaf_paths(tree, "argument"), tree_flatten(tree)[0], strict=True):
        kind = type_of(leaf)
        if kind is None or not is_inexact(kind.dtype):
            raise ArgumentError(
                f"custom_linear_solve, custom_root: `{path}` cannot be solved for",
                expected="floating or complex arrays",
                got=str(kind or type(leaf).__name__),
            )


def _like(name: str, traced: Traced, tree: Any, kinds: Sequence[ArrayType]) -> None:
    """Raise unless a traced function gives a tree like its argument."""
    if traced.out_tree != tree or traced.out_static:
        raise TreeError(
            f"{name} returns another structure than it is given",
            expected=str(tree), got=str(traced.out_tree),
        )  # fmt: skip
    _same_types(name, traced.program.out_types, kinds)


def _same_types(name: str, found: Sequence[ArrayType], kinds: Sequence[ArrayType]) -> None:
    if [t.strong() for t in found] != list(kinds):
        raise TypeRuleError(
            f"{name} returns other types than it is given",
            expected=", ".join(map(str, kinds)), got=", ".join(map(str, found)),
        )  # fmt: skip


def _solution(
    name: str, traced: Traced, tree: Any, kinds: Sequence[ArrayType], has_aux: bool
) -> int:
    """How many results are the solution; the rest is auxiliary."""
    if not has_aux:
        _like(name, traced, tree, kinds)
        return len(kinds)
    children = traced.out_tree.children()
    if len(children) != 2 or children[0] != tree:
        raise TreeError(
            f"{name} does not return (x, aux) with x like what it is given",
            expected=f"({tree}, aux)", got=str(traced.out_tree),
        )  # fmt: skip
    _same_types(name, traced.program.out_types[: len(kinds)], kinds)
    return len(kinds)


def _transposed(program: Program, kinds: Sequence[ArrayType]) -> Program:
    """The transpose of a traced linear function, with the same captured values."""
    count = len(kinds)
    linear = (True,) * count + (False,) * len(program.captured)
    backward, given = transpose_program(program.closed(), linear, (True,) * count)
    hidden = len(program.captured)
    if not all(given):
        raise MissingRuleError(
            "custom_linear_solve: matvec does not depend on all of its argument, so it has no inverse"
        )
    inputs = (*backward.inputs[hidden:], *backward.inputs[:hidden])
    return Program(
        inputs, backward.equations, backward.outputs, program.captured, f"transposed_{program.name}"
    )


def _first(program: Program, count: int) -> Program:
    """`program` with its first outputs alone."""
    return Program(
        program.inputs, program.equations, program.outputs[:count], program.captured, program.name
    )


def _share(programs: Programs) -> tuple[list[Any], Programs]:
    """The programs with what they captured as their first inputs, the same for all of them."""
    values: dict[int, Any] = {
        id(v): v for p in programs.values() if p is not None for v in p.captured
    }
    closed: Programs = {}
    made: dict[int, Program] = {}
    for name, p in programs.items():
        if p is None or id(p) in made:
            closed[name] = None if p is None else made[id(p)]
            continue
        own = len(p.inputs) - len(p.captured)
        mine = {id(v): variable for v, variable in zip(p.captured, p.inputs[own:], strict=True)}
        shared = [mine.get(key) or Variable(_kind(v)) for key, v in values.items()]
        inputs = (*shared, *p.inputs[:own])
        closed[name] = made[id(p)] = Program(inputs, p.equations, p.outputs, (), p.name)
    return list(values.values()), closed


def _kind(value: Any) -> ArrayType:
    kind = type_of(value)
    assert kind is not None
    return kind


def _strong(value: Any) -> ArrayType:
    return _kind(value).strong()


def _zeros(value: Any) -> Any:
    return _zeros_of(_kind(value))


def _zeros_of(kind: ArrayType) -> Any:
    return full(kind.dtype.type(0), kind.shape)
