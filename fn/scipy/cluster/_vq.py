"""Vector quantization: the nearest of several vectors."""

from __future__ import annotations

from typing import Any

import fn.numpy as np
from fn.core import ArgumentError, type_of
from fn.scipy._arguments import inexact
from fn.xla import fused


@fused("check_finite")
def vq(obs: Any, code_book: Any, check_finite: bool = True) -> tuple[Any, Any]:
    """For each observation the number of the nearest code, and its distance.

    Args:
        obs: observations (n, features), or numbers (n,).
        code_book: codes (k, features), or numbers (k,).
        check_finite: without meaning here.

    >>> import fn.numpy as np
    >>> from fn.scipy.cluster import vq
    >>> [a.tolist() for a in vq.vq(np.array([1.0, 9.0]), np.array([0.0, 10.0]))]
    [[0, 1], [1.0, 1.0]]
    """
    obs, code_book = (np.asarray(x) for x in inexact("vq", obs, code_book))
    if obs.ndim != code_book.ndim or obs.ndim not in (1, 2) or obs.shape[1:] != code_book.shape[1:]:
        raise ArgumentError(
            "vq: the codes do not fit the observations", got=f"{type_of(obs)} and {type_of(code_book)}",
            expected="(n, features) and (k, features), or (n,) and (k,)",
        )  # fmt: skip
    if obs.ndim == 1:
        obs, code_book = obs[:, None], code_book[:, None]
    distance = np.linalg.norm(obs[:, None, :] - code_book[None, :, :], axis=-1)
    code = np.argmin(distance, axis=-1)
    return code, np.take_along_axis(distance, code[:, None], axis=-1)[:, 0]
