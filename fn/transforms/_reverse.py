"""Reverse mode for users: `grad`, `value_and_grad`, `vjp`, `linear_transpose`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from jax.tree_util import Partial, tree_flatten, tree_unflatten

from fn.core import (
    ArgumentError,
    Arguments,
    ArrayType,
    Program,
    Trace,
    Traced,
    argument_paths,
    checked,
    dce,
    evaluate,
    execute,
    function_name,
    is_complex,
    is_float,
    is_inexact,
    public,
    recording,
    split_arguments,
    trace_call,
)
from fn.core import Linear as LinearArgument
from fn.transforms._forward import split_aux, trace_at
from fn.transforms._leaves import (
    as_array,
    check_callable,
    example_outputs,
    fit_leaves,
    normalize_argnums,
    zeros,
)
from fn.transforms._linearize import linearize_program
from fn.transforms._transpose import pull_back, transpose_program


def gradient_program(
    program: Program, nonzero: tuple[bool, ...]
) -> tuple[Program, tuple[bool, ...]]:
    """The Program that gives the outputs of `program` and the gradient of its first one.

    Args:
        program: whose first output is a scalar.
        nonzero: per input, whether to differentiate with respect to it.

    Returns:
        A Program from the inputs to the outputs and the gradients there are, and per input where
        `nonzero` whether it has one.
    """
    key = ("gradient", nonzero)
    if key not in program.cache:
        lin = linearize_program(program, nonzero)
        trace = Trace(f"grad({program.name})")
        with recording(trace):
            inputs = [trace.input(t) for t in program.in_types]
            outs, residuals = lin.split(inputs, evaluate(lin.primal, inputs))
            tangents = [LinearArgument(t) for t in lin.linear.in_types[lin.residuals :]]
            # Only the first output has a cotangent, and it is one.
            seed = [program.out_types[0].dtype.type(1)] if lin.out_nonzero[0] else []
            cts = seed + [None] * (len(lin.linear.outputs) - len(seed))
            found = pull_back(trace, lin.linear, [*residuals, *tangents], cts)[lin.residuals :]
            given = [c for c in found if c is not None]
            result = checked(dce(trace.finish([*outs, *given], f"grad_{program.name}")))
        program.cache[key] = result, tuple([c is not None for c in found])
    found_: tuple[Program, tuple[bool, ...]] = program.cache[key]
    return found_


def value_and_grad(
    function: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    *,
    holomorphic: bool = False,
    strict: bool = False,
) -> Callable[..., Any]:
    """A function that gives the value of `function` and its gradient.

    Args:
        function: returns a real floating scalar (or `(scalar, aux)`).
        argnums: which positional arguments to differentiate; a sequence gives a tuple of gradients.
        has_aux: whether the function returns `(scalar, aux)`; `aux` is returned as it is.
        holomorphic: promise that the function is complex-differentiable; then it may return a
            complex scalar.
        strict: raise, listing the paths, if an argument has leaves without a derivative.

    Returns:
        `f(*args, **kwargs) -> (value, gradient)`, or `((value, aux), gradient)`. A gradient has the
        structure of its argument, with None for every leaf that is not floating or complex.

    Raises:
        ArgumentError: when called, if the output is not a scalar or nothing can be differentiated.

    >>> import fn
    >>> value, gradient = fn.value_and_grad(lambda p: p["w"] ** 2)({"w": 3.0, "name": "layer"})
    >>> float(value), float(gradient["w"]), gradient["name"]
    (9.0, 6.0, None)
    """
    check_callable("grad", function)

    @wraps(function)
    @public
    def value_and_gradient(*args: Any, **kwargs: Any) -> Any:
        numbers = normalize_argnums("grad", argnums, args)
        split, traced = trace_at("grad", function, args, kwargs)
        proper = split_aux("grad", traced, has_aux)
        _check_scalar(traced, proper, has_aux, holomorphic)
        wanted = _wanted(function, args, kwargs, split, numbers, strict)
        program = traced.program
        nonzero = tuple([w for w, t in zip(wanted, split.types, strict=True) if t is not None])
        nonzero += (False,) * len(program.captured)
        derived, given = gradient_program(program, nonzero)
        results = execute(derived, [*split.arrays, *program.captured])
        count = len(program.outputs)
        found = iter(results[count:])
        per_wanted = iter([next(found) if g else None for g in given])
        leaves: list[Any] = []
        for kind, want in zip(split.types, wanted, strict=True):
            ct = next(per_wanted) if want else None
            leaves.append(zeros(kind.strong()) if want and ct is None and kind else ct)
        gradient = _argument_trees(args, leaves, numbers)
        value = traced.rebuild(_as_arrays(results[:count]))
        return value, gradient if isinstance(argnums, Sequence) else gradient[0]

    return value_and_gradient


def grad(
    function: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    *,
    holomorphic: bool = False,
    strict: bool = False,
) -> Callable[..., Any]:
    """A function that gives the gradient of `function`.

    Arguments are those of `value_and_grad`. With `has_aux` the result is `(gradient, aux)`.

    >>> import fn, fn.numpy as np
    >>> float(fn.grad(np.sin)(0.0))
    1.0
    """
    both = value_and_grad(function, argnums, has_aux, holomorphic=holomorphic, strict=strict)

    @wraps(function)
    @public
    def gradient(*args: Any, **kwargs: Any) -> Any:
        value, result = both(*args, **kwargs)
        return (result, value[1]) if has_aux else result

    return gradient


def _as_arrays(values: list[Any]) -> list[Any]:
    return [as_array(v) for v in values]


def _check_scalar(traced: Traced, proper: int, has_aux: bool, holomorphic: bool) -> None:
    types = traced.program.out_types[:proper]
    kinds = "complex or real floating" if holomorphic else "real floating"
    kind = types[0] if len(types) == 1 else None
    if (
        kind is not None
        and kind.shape == ()
        and (is_float(kind.dtype) or (holomorphic and is_complex(kind.dtype)))
    ):
        return
    got = ", ".join(map(str, types)) if types else "no array"
    if kind is not None and kind.shape != ():
        fix = "reduce it to a scalar (.sum(), .mean()), or use fn.jacrev or fn.vjp"
    elif kind is not None and is_complex(kind.dtype):
        fix = "take the real part or the modulus, or pass holomorphic=True if it is holomorphic"
    elif len(types) > 1 and not has_aux:
        fix = "return one scalar, or (scalar, aux) with has_aux=True"
    else:
        fix = "return a floating-point scalar"
    raise ArgumentError(
        "grad: the function does not return a scalar",
        expected=f"a {kinds} scalar",
        got=got,
        fix=fix,
    )


def _wanted(
    function: Callable[..., Any],
    args: Any,
    kwargs: Any,
    split: Arguments,
    numbers: tuple[int, ...],
    strict: bool,
) -> list[bool]:
    """Per leaf of the arguments, whether to differentiate with respect to it."""
    chosen: list[bool] = []
    for position, arg in enumerate(args):
        chosen += [position in numbers] * tree_flatten(arg)[1].num_leaves
    chosen += [False] * (len(split.types) - len(chosen))
    wanted = [
        c and kind is not None and is_inexact(kind.dtype)
        for c, kind in zip(chosen, split.types, strict=True)
    ]
    without = [i for i, (c, w) in enumerate(zip(chosen, wanted, strict=True)) if c and not w]
    if without and (strict or not any(wanted)):
        paths = argument_paths(function, args, kwargs)
        described = [f"`{paths[i]}` ({split.types[i] or 'static'})" for i in without]
        raise ArgumentError(
            "grad: leaves without a derivative"
            if any(wanted)
            else "grad: nothing to differentiate",
            expected="floating or complex arrays",
            got=", ".join(described),
            fix="convert them with .astype(float)"
            + (", or leave out strict=True to get None for them" if any(wanted) else ""),
        )
    return wanted


def _argument_trees(args: Any, leaves: list[Any], numbers: tuple[int, ...]) -> tuple[Any, ...]:
    trees, start = [], 0
    for arg in args:
        tree = tree_flatten(arg)[1]
        trees.append(tree_unflatten(tree, leaves[start : start + tree.num_leaves]))
        start += tree.num_leaves
    return tuple([trees[n] for n in numbers])


# --- vjp --------------------------------------------------------------------------------


class _Pullback:
    """The static half of what `vjp` returns: everything but the residuals."""

    def __init__(
        self, linear: Program, residuals: int, moving: tuple[bool, ...], out_nonzero: tuple[bool, ...],
        primals: Any, outputs: Any, proper: int, unwrap: bool,
    ) -> None:  # fmt: skip
        self.linear, self.residuals, self.moving = linear, residuals, moving
        self.out_nonzero, self.primals, self.outputs = out_nonzero, primals, outputs
        self.proper, self.unwrap = proper, unwrap

    def _key(self) -> Any:
        leaves, tree = tree_flatten((self.primals, self.outputs))
        return (
            self.linear,
            self.residuals,
            self.moving,
            self.out_nonzero,
            tuple(leaves),
            tree,
            self.unwrap,
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Pullback) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash((self.linear, self.residuals, self.moving))

    @public
    def __call__(self, residuals: Sequence[Any], ct: Any) -> tuple[Any, ...]:
        """Cotangents of the primals from the output's cotangent."""
        per_leaf = fit_leaves("vjp", "cotangents", ct, self.outputs, "output")
        kinds = tree_flatten(self.outputs)[0]
        arrays = [c for c, k in zip(per_leaf, kinds, strict=True) if isinstance(k, ArrayType)]
        arrays += [None] * (len(self.out_nonzero) - len(arrays))
        cts = [c for c, n in zip(arrays, self.out_nonzero, strict=True) if n]
        nonzero = tuple([c is not None for c in cts])
        linear = (False,) * self.residuals + (True,) * (len(self.linear.inputs) - self.residuals)
        backward, given = transpose_program(self.linear, linear, nonzero)
        found = iter(execute(backward, [*residuals, *[c for c in cts if c is not None]]))
        wanted = iter([next(found) if g else None for g in given])
        leaves, tree = tree_flatten(self.primals)
        results = []
        for leaf, moves in zip(leaves, self.moving, strict=True):
            value = next(wanted) if moves else None
            results.append(zeros(leaf.strong()) if moves and value is None else value)
        trees: tuple[Any, ...] = tree_unflatten(tree, results)
        return trees


@public
def vjp(function: Callable[..., Any], *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """The value of `function` at `primals`, and the function that pulls cotangents back from it.

    Args:
        function: of positional arguments, any pytrees.
        primals: the arguments.
        has_aux: whether the function returns `(output, aux)`; `aux` takes no cotangent.

    Returns:
        `(output, f_vjp)`, or `(output, f_vjp, aux)`. `f_vjp(cotangent)` takes a tree like the
        output's and gives a tuple of cotangents, one per primal, with None for leaves that are not
        floating or complex. `f_vjp` is a pytree of its residuals: it passes through `jit` and `vmap`.

    >>> import fn, fn.numpy as np
    >>> y, f_vjp = fn.vjp(lambda x, y: x * y, 2.0, 3.0)
    >>> [float(ct) for ct in f_vjp(1.0)]
    [3.0, 2.0]
    """
    split, traced = trace_at("vjp", function, primals, {})
    program = traced.program
    proper = split_aux("vjp", traced, has_aux)
    moving = tuple([t is not None and is_inexact(t.dtype) for t in split.types])
    nonzero = tuple([m for m, t in zip(moving, split.types, strict=True) if t is not None])
    lin = linearize_program(program, nonzero + (False,) * len(program.captured))
    inputs = [*split.arrays, *program.captured]
    outs, residuals = lin.split(inputs, execute(lin.primal, inputs))
    outputs = example_outputs(traced)
    types = (
        tree_unflatten(split.tree, split.types)[0] if None not in split.types else _types_of(split)
    )
    pullback = _Pullback(
        lin.linear, lin.residuals, moving, lin.out_nonzero, types,
        outputs[0] if has_aux else outputs, proper, has_aux,
    )  # fmt: skip
    f_vjp = Partial(pullback, residuals)
    result = traced.rebuild(_as_arrays(outs))
    return (result[0], f_vjp, result[1]) if has_aux else (result, f_vjp)


class _Static:
    """Marks, among types, a leaf that is no array."""

    def __repr__(self) -> str:
        return "static"


_STATIC = _Static()


def _types_of(split: Arguments) -> Any:
    return tree_unflatten(split.tree, [_STATIC if t is None else t for t in split.types])[0]


@public
def linear_transpose(function: Callable[..., Any], *primals: Any) -> Callable[..., Any]:
    """The transpose of a function that is linear in all its arguments.

    Args:
        function: linear in `primals`.
        primals: arrays, or types of arrays (`fn.ArrayType`, `jax.ShapeDtypeStruct`): only their
            types matter.

    Returns:
        `f(cotangent)`: a tuple of cotangents, one per primal.

    Raises:
        MissingRuleError: when called, if the function is not linear, naming the operation.

    >>> import fn, fn.numpy as np
    >>> t = fn.linear_transpose(lambda x: 3.0 * x, 1.0)
    >>> float(t(2.0)[0])
    6.0
    """
    check_callable("linear_transpose", function)
    split = split_arguments("linear_transpose", function, primals, {})
    traced = trace_call("linear_transpose", function, primals, {}, split)
    program = traced.program
    for path, kind in zip(argument_paths(function, primals, {}), split.types, strict=True):
        if kind is None or not is_inexact(kind.dtype):
            raise ArgumentError(
                f"linear_transpose: `{path}` has no cotangent",
                expected="floating or complex arrays",
                got=str(kind or "static"),
                fix="close over it instead of passing it",
            )

    @public
    def transposed(ct: Any) -> tuple[Any, ...]:
        outputs = example_outputs(traced)
        cts = fit_leaves("linear_transpose", "cotangents", ct, outputs, "output")
        leaves = tree_flatten(outputs)[0]
        cts = [c for c, k in zip(cts, leaves, strict=True) if isinstance(k, ArrayType)]
        own = len(program.inputs) - len(program.captured)
        linear = (True,) * own + (False,) * len(program.captured)
        backward, given = transpose_program(program, linear, tuple([c is not None for c in cts]))
        found = iter(execute(backward, [*program.captured, *[c for c in cts if c is not None]]))
        results = [
            next(found) if g else zeros(t.strong())
            for g, t in zip(given, program.in_types[:own], strict=True)
        ]
        trees: tuple[Any, ...] = tree_unflatten(split.tree, results)[0]
        return trees

    transposed.__name__ = f"transposed_{function_name(function)}"
    return transposed
