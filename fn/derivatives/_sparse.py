"""Jacobians and Hessians, dense or compressed by their sparsity: `jacobian`, `hessian`, `sparsity_pattern`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, NamedTuple

import numpy as np
from jax.tree_util import tree_flatten, tree_unflatten

import fn.transforms as transforms
from fn.control import call
from fn.core import (
    ArgumentError,
    Arguments,
    ArrayType,
    MissingRuleError,
    Program,
    Traced,
    argument_paths,
    is_complex,
    is_inexact,
    public,
    split_arguments,
    trace_call,
)
from fn.derivatives._compressed import (
    Compressed,
    compress,
    find_pattern,
    mentions,
    only_backwards,
)
from fn.derivatives._pattern import Pattern, SparseMatrix
from fn.ops import reshape
from fn.transforms import gradient_program, linearize_program, transpose_program

Function = Callable[..., Any]
_CUSTOM = frozenset({"custom", "custom_linear"})


@public
def jacobian(
    function: Function,
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    *,
    sparsity: Any = None,
    dense: bool = False,
    holomorphic: bool = False,
) -> Function:
    """A function that gives the Jacobian of `function`, computed forwards or backwards as suits it.

    Dense, it is that of `fn.jacfwd` if there are no more entries of inputs than of outputs, and that of
    `fn.jacrev` otherwise, or if one of them cannot be.

    With `sparsity="auto"` it is found from the Program which entries may be nonzero, whatever the
    arguments. Columns that have no row in common are then computed in one pass, or rows without a common
    column, whichever takes fewer passes: 3 for a tridiagonal matrix of any size. The pattern is found
    once per Program, while tracing under `jit`.

    Args:
        function: of arrays and pytrees.
        argnums: which positional arguments to differentiate; a sequence gives a tuple per output.
        has_aux: whether the function returns `(output, aux)`; the result is then `(jacobian, aux)`.
        sparsity: None, "auto", or the pattern, where that is known: a `Pattern`, a boolean matrix, or a
            SciPy sparse matrix, with a row per element of all outputs and a column per element of all
            arguments differentiated, in order. Entries that a pattern lacks must be zero: they would
            be added to others.
        dense: give arrays all the same.
        holomorphic: promise that the function is complex-differentiable, for complex arrays.

    Returns:
        A function whose result has the structure of the output, each leaf replaced by the structure of
        the argument, as that of `fn.jacfwd`. Sparse, its leaves are each a `SparseMatrix` with a row
        per element of that output and a column per element of that input; otherwise arrays of
        shape `output.shape + input.shape`.

    Raises:
        ArgumentError: if nothing can be differentiated, or a pattern does not fit.

    Source: Gebremedhin, Manne and Pothen, What Color Is Your Jacobian?, SIAM Review 47, 2005.

    >>> import fn, fn.numpy as np
    >>> step = lambda u: u + 0.1 * np.diff(u, prepend=0.0, append=0.0, n=2)
    >>> jacobian = fn.jacobian(step, sparsity="auto")(np.zeros(1000))
    >>> jacobian
    SparseMatrix(1000×1000, 2998 entries, float32)
    >>> [round(x, 1) for x in jacobian.data[:4].tolist()]
    [0.8, 0.1, 0.1, 0.8]
    """
    _check("jacobian", function)
    given = _read_sparsity("jacobian", sparsity)
    both = [
        rule(function, argnums, has_aux, holomorphic=holomorphic)
        for rule in (transforms.jacfwd, transforms.jacrev)
    ]

    @wraps(function)
    @public
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        found = _Call.make("jacobian", function, args, kwargs, argnums, has_aux)
        if sparsity is None:
            return both[0 if found.forward() else 1](*args, **kwargs)
        found.check_complex("jacobian", holomorphic)
        rows = tuple(found.outputs)
        types = [found.traced.program.out_types[p] for p in rows]
        result = compress(found.traced.program, found.moving, rows, types, given)
        return found.assemble(result, types, dense)

    return jacobian


@public
def hessian(
    function: Function,
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    *,
    sparsity: Any = None,
    dense: bool = False,
    holomorphic: bool = False,
) -> Function:
    """A function that gives the Hessian of `function`, which returns a scalar.

    Dense, it is `fn.jacfwd(fn.jacrev(function))`. With `sparsity="auto"` it is the sparse Jacobian of the
    gradient. Because the Hessian is symmetric, one of each two mirrored entries is enough, which can
    take fewer passes still: 2 for an arrowhead matrix of any size. Functions with rules of their own
    (`fn.custom`), whose second derivatives need not be symmetric, go without that.

    Args:
        function: of arrays and pytrees; returns a real scalar. Sparse, it may return `(scalar, aux)`.
        argnums: as in `jacobian`.
        has_aux: likewise.
        sparsity: likewise; the pattern is square, with a row and a column per element of all arguments.
        dense: likewise.
        holomorphic: for complex functions; dense only.

    Returns:
        A function whose result has the structure of the argument twice over, with leaves as those
        `jacobian` gives.

    >>> import fn, fn.numpy as np
    >>> rosenbrock = lambda x: (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()
    >>> fn.hessian(rosenbrock, sparsity="auto")(np.ones(100))
    SparseMatrix(100×100, 298 entries, float32)
    """
    _check("hessian", function)
    given = _read_sparsity("hessian", sparsity)
    plain = transforms.hessian(function, argnums, has_aux, holomorphic=holomorphic)

    @wraps(function)
    @public
    def hessian(*args: Any, **kwargs: Any) -> Any:
        if sparsity is None:
            return plain(*args, **kwargs)
        found = _Call.make("hessian", function, args, kwargs, argnums, has_aux)
        found.check_scalar()
        program = found.traced.program
        gradient, has = _gradient(program, found.moving)
        hidden = (False,) * (len(gradient.inputs) - len(program.inputs))
        left = iter(range(len(program.outputs), len(gradient.outputs)))
        rows = tuple([next(left) if h else None for h in has])
        types = [t.strong() for t, m in zip(program.in_types, found.moving, strict=True) if m]
        symmetric = not mentions(program, _CUSTOM)
        result = compress(gradient, found.moving + hidden, rows, types, given, symmetric)
        return found.assemble(result, types, dense, twice=True)

    return hessian


@public
def sparsity_pattern(function: Function, argnums: int | Sequence[int] = 0) -> Function:
    """A function that tells where the Jacobian of `function` may be nonzero, whatever the values.

    Nothing is computed but the pattern, in NumPy, from the Program: exactly for operations that move,
    pick, pair or sum elements, matrix products and convolutions among them; masks, indices and matrices
    that are known while tracing count with their values. Where places depend on arguments (sorting, a
    computed index), or an operation is a stranger, elements depend on all they might. A branch that may
    be taken counts, a loop with its steps if they are few, otherwise with any number of them.

    Args:
        function: of arrays and pytrees.
        argnums: as in `jacobian`.

    Returns:
        A function of arrays or types whose result has the structure of the Jacobian, each leaf a
        `Pattern`. The pattern of a Hessian is that of the gradient: `sparsity_pattern(fn.grad(f))`.

    >>> import fn, fn.numpy as np
    >>> print(fn.sparsity_pattern(lambda x: np.diff(x) * x[0])(np.ones(5)))
    ##...
    ###..
    #.##.
    #..##
    """
    _check("sparsity_pattern", function)

    @wraps(function)
    @public
    def pattern(*args: Any, **kwargs: Any) -> Any:
        found = _Call.make("sparsity_pattern", function, args, kwargs, argnums, False)
        rows = tuple(found.outputs)
        program = found.traced.program
        types = [program.out_types[p] for p in rows]
        whole = find_pattern(program, found.moving, rows, types)
        return found.tree(_cut(whole, types, found.in_types))

    return pattern


def _gradient(program: Program, moving: tuple[bool, ...]) -> tuple[Program, tuple[bool, ...]]:
    """`gradient_program`, whose Program captures what `program` does: it may be known to have zeros."""
    key = ("gradient that captures", moving)
    if key not in program.cache:
        made, has = gradient_program(program, moving)
        captured = (*program.captured, *made.captured)
        made = Program(made.inputs, made.equations, made.outputs, captured, made.name)
        program.cache[key] = made, has
    found: tuple[Program, tuple[bool, ...]] = program.cache[key]
    return found


def _check(operation: str, function: Function) -> None:
    if not callable(function):
        raise ArgumentError(
            f"{operation}: the first argument is not a function",
            expected="a function of arrays and pytrees", got=type(function).__name__,
            fix=f"write {operation}(f)(x), not {operation}(f(x))",
        )  # fmt: skip


def _read_sparsity(operation: str, sparsity: Any) -> Pattern | None:
    """The pattern given; None if there is none, or it is to be found."""
    if sparsity is None or (isinstance(sparsity, str) and sparsity == "auto"):
        return None
    if isinstance(sparsity, (str, bool)):
        raise ArgumentError(
            f"{operation}: there is no such sparsity",
            expected='None, "auto", or a pattern: a Pattern, a boolean matrix, a SciPy sparse matrix',
            got=repr(sparsity),
        )  # fmt: skip
    return Pattern.of(sparsity)


def _cut(
    whole: Pattern, row_types: Sequence[ArrayType], in_types: Sequence[ArrayType]
) -> list[Pattern]:
    """The patterns of the blocks, row of blocks by row of blocks."""
    blocks, top = [], 0
    for t in row_types:
        left = 0
        for kind in in_types:
            rows, cols = slice(top, top + t.size), slice(left, left + kind.size)
            blocks.append(whole.block(rows, cols)[0])
            left += kind.size
        top += t.size
    return blocks


class _Call(NamedTuple):
    """A call of a function that is to be differentiated: its Program, and what is what in it."""

    args: tuple[Any, ...]
    split: Arguments
    traced: Traced
    numbers: tuple[int, ...]
    single: bool
    """Whether one argument is differentiated, not a sequence of them."""
    moving: tuple[bool, ...]
    """Per input of the Program, whether it is differentiated."""
    outputs: list[int]
    """Positions of the outputs that are differentiated."""
    has_aux: bool

    @classmethod
    def make(
        cls, operation: str, function: Function, args: tuple[Any, ...], kwargs: Any, argnums: Any,
        has_aux: bool,
    ) -> _Call:  # fmt: skip
        numbers = _numbers(operation, argnums, args)
        split = split_arguments(operation, function, args, kwargs)
        values = [None if isinstance(a, ArrayType) else a for a in split.arrays]
        traced = trace_call(operation, function, args, kwargs, split, values=values)
        chosen: list[bool] = []
        for position, arg in enumerate(args):
            chosen += [position in numbers] * tree_flatten(arg)[1].num_leaves
        chosen += [False] * (len(split.types) - len(chosen))
        pairs = list(zip(chosen, split.types, strict=True))
        moving = [c and is_inexact(t.dtype) for c, t in pairs if t is not None]
        if not any(moving):
            paths = argument_paths(function, args, kwargs)
            got = [f"`{p}` ({t or 'static'})" for p, (c, t) in zip(paths, pairs, strict=True) if c]
            raise ArgumentError(
                f"{operation}: nothing to differentiate", expected="floating or complex arrays",
                got=", ".join(got) or "no array", fix="convert them with .astype(float)",
            )  # fmt: skip
        moving += [False] * len(traced.program.captured)
        proper = _proper(operation, traced, has_aux)
        outputs = [
            p for p, t in enumerate(traced.program.out_types[:proper]) if is_inexact(t.dtype)
        ]
        single = not isinstance(argnums, Sequence)
        return cls(args, split, traced, numbers, single, tuple(moving), outputs, has_aux)

    @property
    def in_types(self) -> list[ArrayType]:
        """Types of the inputs that are differentiated."""
        pairs = zip(self.traced.program.in_types, self.moving, strict=True)
        return [t for t, m in pairs if m]

    def forward(self) -> bool:
        """Whether a dense Jacobian is to be computed by forward mode."""
        lin = linearize_program(self.traced.program, self.moving)
        if only_backwards(lin.linear):
            return False
        outputs = sum(self.traced.program.out_types[p].size for p in self.outputs)
        if sum(t.size for t in self.in_types) <= outputs:
            return True
        linear = (False,) * lin.residuals + (True,) * len(self.in_types)
        wanted = [i in self.outputs for i, n in enumerate(lin.out_nonzero) if n]
        try:
            transpose_program(lin.linear, linear, tuple(wanted))
        except MissingRuleError:
            return True
        return False

    def check_complex(self, operation: str, holomorphic: bool) -> None:
        """Raise if something is complex without a promise."""
        types = [*self.in_types, *[self.traced.program.out_types[p] for p in self.outputs]]
        odd = [t for t in types if is_complex(t.dtype)]
        if odd and not holomorphic:
            raise ArgumentError(
                f"{operation}: the function is complex", expected="real inputs and outputs",
                got=", ".join(map(str, odd)), fix="pass holomorphic=True if it is complex-differentiable, "
                "or split real and imaginary parts",
            )  # fmt: skip

    def check_scalar(self) -> None:
        """Raise unless the function returns one real scalar, of real arguments."""
        self.check_complex("hessian", False)
        proper = _proper("hessian", self.traced, self.has_aux)
        types = self.traced.program.out_types[:proper]
        if proper != 1 or types[0].shape != () or not self.outputs:
            raise ArgumentError(
                "hessian: the function does not return a scalar", expected="a real floating scalar",
                got=", ".join(map(str, types)) or "no array", fix="reduce it (.sum(), .mean()); the "
                "Jacobian of a gradient is fn.jacobian(fn.grad(f))",
            )  # fmt: skip

    def assemble(
        self, result: Compressed, row_types: Sequence[ArrayType], dense: bool, twice: bool = False
    ) -> Any:
        """Run the Program of a Jacobian, and build the tree of its blocks."""
        program = self.traced.program
        outs = list(call(result.program, *self.split.arrays))
        count = len(outs) - len(result.patterns)
        blocks: list[Any] = [
            SparseMatrix(d, p) for d, p in zip(outs[count:], result.patterns, strict=True)
        ]
        if dense:
            pairs = [(t, kind) for t in row_types for kind in self.in_types]
            blocks = [
                reshape(b.todense(), shape=(*t.shape, *kind.shape))
                for b, (t, kind) in zip(blocks, pairs, strict=True)
            ]
        tree = self.tree_twice(blocks) if twice else self.tree(blocks)
        if not self.has_aux:
            return tree
        return tree, self.traced.rebuild(outs[: len(program.outputs)])[1]

    def _of_inputs(self, entries: Sequence[Any]) -> Any:
        """The structure of the arguments differentiated, with an entry for each input."""
        left = iter(entries)
        array = 0
        leaves: list[Any] = []
        for kind in self.split.types:
            moves = kind is not None and self.moving[array]
            leaves.append(next(left) if moves else None)
            array += kind is not None
        trees, start = [], 0
        for arg in self.args:
            tree = tree_flatten(arg)[1]
            trees.append(tree_unflatten(tree, leaves[start : start + tree.num_leaves]))
            start += tree.num_leaves
        chosen = tuple([trees[n] for n in self.numbers])
        return chosen[0] if self.single else chosen

    def tree(self, blocks: Sequence[Any]) -> Any:
        """The structure of the output, each leaf replaced by that of the arguments."""
        width = len(self.in_types)
        per_output = {
            p: self._of_inputs(blocks[i * width : (i + 1) * width])
            for i, p in enumerate(self.outputs)
        }
        nothing = None if self.single else (None,) * len(self.numbers)
        without = self._of_inputs([None] * width)
        leaves: list[Any] = [
            per_output.get(p, without) for p in range(len(self.traced.program.outputs))
        ]
        for position, _ in self.traced.out_static:
            leaves.insert(position, nothing)
        whole = tree_unflatten(self.traced.out_tree, leaves)
        return whole[0] if self.has_aux else whole

    def tree_twice(self, blocks: Sequence[Any]) -> Any:
        """The structure of the arguments, each leaf replaced by it."""
        width = len(self.in_types)
        return self._of_inputs(
            [self._of_inputs(blocks[i * width : (i + 1) * width]) for i in range(width)]
        )


def _numbers(operation: str, argnums: Any, args: tuple[Any, ...]) -> tuple[int, ...]:
    given = argnums if isinstance(argnums, Sequence) else (argnums,)
    numbers = []
    for n in given:
        if not isinstance(n, (int, np.integer)) or not -len(args) <= n < len(args):
            raise ArgumentError(
                f"{operation}: argnums does not name a positional argument",
                expected=f"integers from {-len(args)} to {len(args) - 1}" if args else "no argnums",
                got=f"argnums={argnums!r} with {len(args)} positional arguments",
                fix="pass the argument to differentiate by position",
            )
        numbers.append(int(n) % len(args))
    return tuple(numbers)


def _proper(operation: str, traced: Traced, has_aux: bool) -> int:
    """How many of the outputs belong to the result proper, the others to `aux`."""
    if not has_aux:
        return len(traced.program.outputs)
    children = traced.out_tree.children()
    if len(children) != 2 or not isinstance(
        traced.rebuild(traced.program.out_types), (tuple, list)
    ):
        raise ArgumentError(
            f"{operation}: has_aux=True, but the function did not return a pair",
            expected="(output, aux)", got=str(traced.out_tree),
            fix="return (output, aux), or leave out has_aux",
        )  # fmt: skip
    statics = {position for position, _ in traced.out_static}
    return sum(position not in statics for position in range(children[0].num_leaves))
