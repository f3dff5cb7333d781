"""Linear systems by iteration, of matrices that are known only by what they do to a vector."""

from __future__ import annotations

from typing import Any

from fn.control import bicgstab as bicgstab
from fn.control import cg as cg
from fn.control import gmres as _gmres
from fn.core import public
from fn.scipy._arguments import choose


@public
def gmres(
    A: Any,
    b: Any,
    x0: Any = None,
    *,
    tol: float = 1e-5,
    atol: float = 0.0,
    restart: int = 20,
    maxiter: int | None = None,
    M: Any = None,
    solve_method: str = "batched",
) -> tuple[Any, None]:
    """Solve `A x = b` by generalised minimal residuals: `fn.gmres`.

    Args:
        A, b, x0, tol, atol, restart, maxiter, M: as for `fn.gmres`.
        solve_method: "batched" or "incremental", without meaning here.

    >>> import fn.numpy as np
    >>> from fn.scipy.sparse import linalg
    >>> linalg.gmres(2 * np.eye(1), np.ones(1))[0].tolist()
    [0.5]
    """
    choose("gmres", "solve_method", solve_method, "batched", "incremental")
    return _gmres(A, b, x0, tol=tol, atol=atol, restart=restart, maxiter=maxiter, M=M)
