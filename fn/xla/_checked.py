"""Executables with checks in them: what they return beside their results, and looking at it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax import tree_util

from fn.control import Site, failure, failures
from fn.core import Program


class Checked:
    """Results of an executable, with whether a check failed and what it would say."""

    def __init__(self, result: Any, failed: Any, values: Any, sites: tuple[Site, ...]) -> None:
        self.result, self.failed, self.values, self.sites = result, failed, values, sites


tree_util.register_pytree_node(
    Checked,
    lambda c: ((c.result, c.failed, c.values), c.sites),
    lambda sites, children: Checked(children[0], children[1], children[2], sites),
)


def run_checked(
    run: Callable[..., list[Any]], program: Program, args: Sequence[Any]
) -> tuple[list[Any], Callable[[Any], Checked] | None]:
    """`run(program, args)`, and what makes a `Checked` of what is built of it, if there are checks."""
    if "check" not in program.effects:
        return run(program, args), None
    whole, sites = failures(program)
    results = run(whole, args)
    count = len(program.outputs)
    failed, values = results[count], results[count + 1 :]
    return results[:count], lambda result: Checked(result, failed, values, sites)


def settled(result: Any) -> Any:
    """What an executable returned, once no check in it failed.

    Raises:
        CheckError: if one did.
    """
    if not isinstance(result, Checked):
        return result
    if isinstance(result.failed, jax.core.Tracer):  # a function JAX is tracing cannot raise
        return result.result
    if np.asarray(result.failed):
        raise failure(result.sites, result.values)
    return result.result
