"""Iterative solvers of linear systems: `cg`, `bicgstab`, `gmres`, differentiated implicitly.

Each works on one vector, the concatenated leaves of the unknown tree.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from jax.tree_util import tree_flatten, tree_unflatten

from fn.control._implicit import custom_linear_solve
from fn.control._loops import while_loop
from fn.core import ArgumentError, ArrayType, is_complex, public, type_of
from fn.ops import (
    add,
    concatenate,
    conj,
    convert,
    div,
    dot_general,
    dynamic_slice,
    dynamic_update_slice,
    eq,
    full,
    gt,
    iota,
    logical_and,
    lt,
    maximum,
    mul,
    qr,
    real_part,
    reshape,
    select,
    slice,
    sqrt,
    sub,
    transpose,
    triangular_solve,
)

Operator = Callable[[Any], Any]


@public
def cg(
    A: Any, b: Any, x0: Any = None, *, tol: float = 1e-5, atol: float = 0.0,
    maxiter: int | None = None, M: Any = None,
) -> tuple[Any, None]:  # fmt: skip
    """Solve `A x = b` by conjugate gradients, for `A` Hermitian and positive definite.

    Args:
        A: a square matrix, or a linear function from trees like `b` to trees like `b`.
        b: an array or a tree of floating or complex ones.
        x0: where to start; zeros by default.
        tol: stop once the residual's norm is at most `tol` times that of `b`,
        atol: or at most this.
        maxiter: at most so many steps; ten times the number of unknowns by default.
        M: a matrix or function that approximates the inverse of `A`.

    Returns:
        `(x, None)`, as in SciPy. Derivatives solve one more system instead of passing through steps.

    Source: Hestenes and Stiefel, Methods of Conjugate Gradients for Solving Linear Systems (1952).

    >>> import fn, fn.numpy as np
    >>> x, _ = fn.cg(np.array([[4.0, 1.0], [1.0, 3.0]]), np.array([1.0, 2.0]))
    >>> [round(float(v), 4) for v in x]
    [0.0909, 0.6364]
    """
    return _solve("cg", _cg, A, b, x0, tol, atol, maxiter, M, hermitian=True)


@public
def bicgstab(
    A: Any, b: Any, x0: Any = None, *, tol: float = 1e-5, atol: float = 0.0,
    maxiter: int | None = None, M: Any = None,
) -> tuple[Any, None]:  # fmt: skip
    """Solve `A x = b` by stabilised bi-conjugate gradients. Arguments are those of `cg`.

    Source: van der Vorst, Bi-CGSTAB: A Fast and Smoothly Converging Variant of Bi-CG (1992).

    >>> import fn, fn.numpy as np
    >>> x, _ = fn.bicgstab(np.array([[4.0, 1.0], [2.0, 3.0]]), np.array([1.0, 2.0]))
    >>> [round(float(v), 4) for v in x]
    [0.1, 0.6]
    """
    return _solve("bicgstab", _bicgstab, A, b, x0, tol, atol, maxiter, M)


@public
def gmres(
    A: Any, b: Any, x0: Any = None, *, tol: float = 1e-5, atol: float = 0.0, restart: int = 20,
    maxiter: int | None = None, M: Any = None,
) -> tuple[Any, None]:  # fmt: skip
    """Solve `A x = b` by generalised minimal residuals. Arguments are those of `cg`, and

    Args:
        restart: size of the Krylov space; `maxiter` counts the spaces.

    Source: Saad and Schultz, GMRES (1986).

    >>> import fn, fn.numpy as np
    >>> x, _ = fn.gmres(np.array([[4.0, 1.0], [2.0, 3.0]]), np.array([1.0, 2.0]))
    >>> [round(float(v), 4) for v in x]
    [0.1, 0.6]
    """
    if not isinstance(restart, int) or restart < 1:
        raise ArgumentError(
            "gmres: restart is not a positive integer", expected="at least 1", got=repr(restart)
        )

    return _solve("gmres", partial(_gmres, restart=restart), A, b, x0, tol, atol, maxiter, M)


def _solve(
    name: str, method: Callable[..., Any], A: Any, b: Any, x0: Any, tol: float, atol: float,
    maxiter: int | None, M: Any, hermitian: bool = False,
) -> tuple[Any, None]:  # fmt: skip
    multiply = _operator(name, "A", A)
    precondition = (lambda x: x) if M is None else _operator(name, "M", M)
    leaves, tree = tree_flatten(b)
    kinds = [k.strong() for k in map(type_of, leaves) if k is not None]
    size = sum(k.size for k in kinds)
    steps = _number(10 * size if maxiter is None else maxiter, np.dtype(np.int32))
    if x0 is not None and tree_flatten(x0)[1] != tree:
        raise ArgumentError(
            f"{name}: x0 is not a tree like b", expected=str(tree), got=str(tree_flatten(x0)[1])
        )

    def solve(multiply: Operator, b: Any, start: Any = None) -> Any:
        def flat(function: Operator) -> Operator:
            return lambda v: _ravel(function(_unravel(v, tree, kinds)))

        v = _ravel(b)
        x = full(v.dtype.type(0), v.shape) if start is None else _ravel(start)
        relative = mul(_norm2(v), _scalar(v, tol**2, real=True))
        limit = maximum(relative, _scalar(v, atol**2, real=True))
        found = method(flat(multiply), flat(precondition), v, x, limit, steps)
        return _unravel(found, tree, kinds)

    real = not any(is_complex(k.dtype) for k in kinds)
    x = custom_linear_solve(
        multiply, b, lambda multiply, b: solve(multiply, b, x0),
        transpose_solve=None if hermitian and real else solve, symmetric=hermitian and real,
    )  # fmt: skip
    return x, None


def _operator(name: str, which: str, given: Any) -> Operator:
    if callable(given):
        return given  # type: ignore[no-any-return]
    kind = type_of(given)
    if kind is None or kind.ndim != 2 or kind.shape[0] != kind.shape[1]:
        raise ArgumentError(
            f"{name}: {which} is neither a function nor a square matrix",
            expected="a linear function, or a matrix f32[n,n]",
            got=str(kind or type(given).__name__),
        )
    return lambda x: dot_general(given, x, contract=((1,), (0,)))


# --- vectors ----------------------------------------------------------------------------


def _ravel(tree: Any) -> Any:
    leaves = tree_flatten(tree)[0]
    kinds = [k for k in map(type_of, leaves) if k is not None]
    dtype = np.result_type(*[k.dtype for k in kinds])
    parts = [
        reshape(convert(x, dtype=dtype), shape=(k.size,))
        for x, k in zip(leaves, kinds, strict=True)
    ]
    return parts[0] if len(parts) == 1 else concatenate(*parts, axis=0)


def _unravel(v: Any, tree: Any, kinds: list[ArrayType]) -> Any:
    leaves, start = [], 0
    for k in kinds:
        part = slice(v, starts=(start,), limits=(start + k.size,), strides=(1,))
        leaves.append(convert(reshape(part, shape=k.shape), dtype=k.dtype))
        start += k.size
    return tree_unflatten(tree, leaves)


def _dot(x: Any, y: Any) -> Any:
    return dot_general(conj(x), y, contract=((0,), (0,)))


def _norm2(x: Any) -> Any:
    return real_part(_dot(x, x)) if is_complex(x.dtype) else _dot(x, x)


def _scalar(v: Any, value: float, real: bool = False) -> Any:
    return _number(value, np.zeros((), v.dtype).real.dtype if real else v.dtype)


def _number(value: Any, dtype: Any) -> Any:
    """A scalar of this dtype, from a number or from an array that may be traced."""
    plain = isinstance(value, (int, float, complex, np.generic))
    return full(dtype.type(value), ()) if plain else convert(value, dtype=dtype)


def _go_on(residual: Any, limit: Any, k: Any, steps: Any) -> Any:
    return logical_and(gt(_norm2(residual), limit), lt(k, steps))


# --- methods ----------------------------------------------------------------------------


def _cg(A: Operator, M: Operator, b: Any, x: Any, limit: Any, steps: Any) -> Any:
    r = sub(b, A(x))
    z = M(r)

    def step(state: Any) -> Any:
        x, r, p, gamma, k = state
        q = A(p)
        alpha = div(gamma, _dot(p, q))
        x, r = add(x, mul(alpha, p)), sub(r, mul(alpha, q))
        z = M(r)
        new = _dot(r, z)
        return x, r, add(z, mul(div(new, gamma), p)), new, add(k, np.int32(1))

    first = (x, r, z, _dot(r, z), np.int32(0))
    return while_loop(lambda s: _go_on(s[1], limit, s[4], steps), step, first)[0]


def _bicgstab(A: Operator, M: Operator, b: Any, x: Any, limit: Any, steps: Any) -> Any:
    r = shadow = sub(b, A(x))
    one = _scalar(b, 1.0)

    def step(state: Any) -> Any:
        x, r, alpha, omega, rho, p, q, k = state
        new = _dot(shadow, r)
        beta = mul(div(new, rho), div(alpha, omega))
        p = add(r, mul(beta, sub(p, mul(omega, q))))
        y = M(p)
        q = A(y)
        alpha = div(new, _dot(shadow, q))
        s = sub(r, mul(alpha, q))
        z = M(s)
        t = A(z)
        # With `s` zero the half step is the solution, and `t` zero as well.
        done = gt(limit, _norm2(s))
        length = _dot(t, t)
        omega = div(_dot(t, s), select(eq(length, _scalar(b, 0.0)), one, length))
        omega = select(done, _scalar(b, 0.0), omega)
        x = add(x, add(mul(alpha, y), mul(omega, z)))
        r = sub(s, mul(omega, t))
        # A breakdown ends the loop: there is nothing to divide by in the next step.
        broken = eq(mul(omega, mul(alpha, new)), _scalar(b, 0.0))
        k = select(broken, steps, add(k, np.int32(1)))
        return x, r, alpha, omega, new, p, q, k

    first = (x, r, one, one, one, r, r, np.int32(0))
    return while_loop(lambda s: _go_on(s[1], limit, s[7], steps), step, first)[0]


def _gmres(A: Operator, M: Operator, b: Any, x: Any, limit: Any, steps: Any, restart: int) -> Any:
    (n,) = b.shape
    m = min(restart, n)
    zero = _scalar(b, 0.0)
    # Column k of the Hessenberg matrix is row k here; rows not reached stay those of the identity.
    rows = eq(
        iota(dtype=np.int32, shape=(m, m + 1), axis=0),
        iota(dtype=np.int32, shape=(m, m + 1), axis=1),
    )
    identity = convert(rows, dtype=b.dtype)
    small = float(np.finfo(np.zeros((), b.dtype).real.dtype).eps)

    def safe(r: Any, scale: Any) -> tuple[Any, Any, Any]:
        """`r` by its norm, or zero if it is nothing but rounding."""
        norm = sqrt(_norm2(r))
        real = gt(norm, mul(scale, _scalar(b, small, real=True)))
        length = convert(norm, dtype=b.dtype)
        unit = div(r, select(real, length, _scalar(b, 1.0)))
        return select(real, unit, mul(r, zero)), select(real, length, zero), real

    def arnoldi(state: Any) -> Any:
        V, H, k, _ = state
        v = reshape(dynamic_slice(V, k, np.int32(0), sizes=(1, n)), shape=(n,))
        w = A(M(v))
        scale = sqrt(_norm2(w))
        h = full(b.dtype.type(0), (m + 1,))
        for _again in range(2):  # the second pass removes what rounding left
            part = dot_general(conj(V), w, contract=((1,), (0,)))
            w = sub(w, dot_general(part, V, contract=((0,), (0,))))
            h = add(h, part)
        unit, length, real = safe(w, scale)
        h = dynamic_update_slice(h, reshape(length, shape=(1,)), add(k, np.int32(1)))
        V = dynamic_update_slice(V, reshape(unit, shape=(1, n)), add(k, np.int32(1)), np.int32(0))
        H = dynamic_update_slice(H, reshape(h, shape=(1, m + 1)), k, np.int32(0))
        return V, H, add(k, np.int32(1)), real

    def space(state: Any) -> Any:
        x, r, k = state
        unit, beta, _ = safe(r, _scalar(b, 0.0, real=True))
        V = full(b.dtype.type(0), (m + 1, n))
        V = dynamic_update_slice(V, reshape(unit, shape=(1, n)), np.int32(0), np.int32(0))
        start = (V, identity, np.int32(0), gt(limit, _scalar(b, -1.0, real=True)))
        V, H, _, _ = while_loop(lambda s: logical_and(s[3], lt(s[2], np.int32(m))), arnoldi, start)
        q, triangle = qr(transpose(H, permutation=(1, 0)))
        first = reshape(slice(q, starts=(0, 0), limits=(1, m), strides=(1, 1)), shape=(m, 1))
        y = triangular_solve(triangle, mul(conj(first), beta), left_side=True)
        basis = slice(V, starts=(0, 0), limits=(m, n), strides=(1, 1))
        x = add(x, M(dot_general(reshape(y, shape=(m,)), basis, contract=((0,), (0,)))))
        return x, sub(b, A(x)), add(k, np.int32(1))

    first = (x, sub(b, A(x)), np.int32(0))
    return while_loop(lambda s: _go_on(s[1], limit, s[2], steps), space, first)[0]
