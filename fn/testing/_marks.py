"""`identities`: a decorator that makes a function an item of a pytest run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, TypeVar

from jax.tree_util import tree_map

from fn.core import ArgumentError
from fn.testing._check import check_identities
from fn.testing._extra import HealthCheck, given, hypothesis_seed, settings, strategies
from fn.testing._report import Report
from fn.testing._spec import parse_type

F = TypeVar("F", bound=Callable[..., Any])


class Marked:
    """What pytest runs for a function marked with `identities`."""

    def __init__(
        self, function: Callable[..., Any], args: tuple[Any, ...], examples: int | None, options: dict[str, Any]
    ) -> None:  # fmt: skip
        self.function, self.args, self.examples, self.options = function, args, examples, options

    def run(self, examples: int = 1, seed: int = 0) -> Report | None:
        """Check the identities at so many random arguments; the last report."""
        count = self.examples or examples
        if any(isinstance(a, strategies.SearchStrategy) for a in self.args):
            return self._drawn(count, seed)
        args = [_spec(a) for a in self.args]
        report = None
        for k in range(count):
            report = check_identities(self.function, *args, seed=seed + k, **self.options)
        return report

    def _drawn(self, examples: int, seed: int) -> Report | None:
        found: list[Report] = []
        columns = [
            a if isinstance(a, strategies.SearchStrategy) else strategies.just(_spec(a))
            for a in self.args
        ]

        @hypothesis_seed(seed)
        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(strategies.tuples(*columns))
        def attempt(args: tuple[Any, ...]) -> None:
            found.append(check_identities(self.function, *args, seed=seed, **self.options))

        attempt()
        return found[-1] if found else None


def identities(
    *args: Any,
    transforms: Sequence[str] | None = None,
    examples: int | None = None,
    rtol: float | None = None,
    atol: float | None = None,
) -> Callable[[F], F]:
    """Mark a function as one for which all identities are to hold: pytest checks them.

    The function stays what it is, whatever its name. `pytest --fn-examples 10 --fn-seed 3` tries so many
    random arguments, from that seed.

    Args:
        args: its arguments: arrays, types (`fn.ArrayType`, or texts such as `"f32[2,3]"`), trees of
            these, or strategies of hypothesis.
        transforms: names of the identities, as in `check_identities`.
        examples: how many random arguments to try, instead of what pytest is told.
        rtol: as in `check_identities`.
        atol: likewise.

    >>> import fn, fn.numpy as np
    >>> @fn.testing.identities("f32[3]", transforms=["jvp", "vjp"])
    ... def energy(x):
    ...     return (x ** 2).sum()
    >>> float(energy(np.ones(3)))
    3.0
    >>> energy.__fn_identities__.run().ok
    True
    """
    if len(args) == 1 and callable(args[0]) and not isinstance(args[0], strategies.SearchStrategy):
        raise ArgumentError(
            "identities: the decorator was given the function", expected="its arguments",
            got=getattr(args[0], "__name__", "a function"),
            fix='write @fn.testing.identities("f32[3]") above it, with one entry per argument',
        )  # fmt: skip

    def mark(function: F) -> F:
        # A wrapper, so that a function of somebody else's is not changed.
        @wraps(function)
        def call(*given: Any, **named: Any) -> Any:
            return function(*given, **named)

        options = {"transforms": transforms, "rtol": rtol, "atol": atol}
        call.__fn_identities__ = Marked(function, args, examples, options)  # type: ignore[attr-defined]
        return call  # type: ignore[return-value]  # same signature by construction

    return mark


def _spec(tree: Any) -> Any:
    """Texts of types as types; other texts are static leaves."""

    def read(leaf: Any) -> Any:
        opened = parse_type(leaf) if isinstance(leaf, str) else None
        if opened is None:
            return leaf
        return opened.at({d: 3 for d in opened.dims if isinstance(d, str)}, (2, 3))

    return tree_map(read, tree)
