"""Which intermediate values rematerialisation keeps: by kind, by name, or by cost per byte."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from fn.core import ArgumentError, Equation, Program, Variable

Policy = str | tuple[Any, ...] | Callable[[Equation], bool]

_KINDS: dict[str, Callable[[Equation], bool]] = {
    "nothing": lambda e: False,
    "everything": lambda e: True,
    "dots": lambda e: e.primitive.name in ("dot_general", "conv"),
    "dots_without_batch_dims": lambda e: (
        e.primitive.name == "dot_general" and e.params["batch"] == ((), ())
    ),
}


def save_only(*names: str) -> Policy:
    """The policy that keeps only values that `fn.name` gave one of these names.

    >>> import fn, fn.numpy as np
    >>> f = fn.checkpoint(lambda x: np.sin(fn.name(np.exp(x), "e")), policy=fn.save_only("e"))
    >>> [r.name for r in fn.inspect.residuals(f)(0.0)]
    [None, 'e']
    """
    if not names or not all(isinstance(n, str) for n in names):
        raise ArgumentError(
            "save_only: the names are not strings", expected="names as given to fn.name",
            got=repr(names),
        )  # fmt: skip
    return ("save_only", *names)


def read_policy(policy: Any, memory_budget: int | None) -> Policy:
    """What `checkpoint` was given, as a parameter of its equation."""
    if memory_budget is not None:
        if policy is not None:
            raise ArgumentError(
                "checkpoint: policy and memory_budget exclude each other",
                expected="one of them", got="both",
            )  # fmt: skip
        if not isinstance(memory_budget, int) or memory_budget < 0:
            raise ArgumentError(
                "checkpoint: memory_budget is not a number of bytes",
                expected="an integer from 0", got=repr(memory_budget),
            )  # fmt: skip
        return ("memory_budget", memory_budget)
    policy = "nothing" if policy is None else policy
    known = isinstance(policy, str) and policy in _KINDS
    named = isinstance(policy, tuple) and policy[:1] == ("save_only",)
    if not (known or named or callable(policy)):
        raise ArgumentError(
            "checkpoint: no such policy",
            expected=f"{', '.join(map(repr, _KINDS))}, fn.save_only(names), or a function from an "
            "equation to whether its results are kept",
            got=repr(policy),
        )
    found: Policy = policy
    return found


def choose(policy: Policy, known: Program, wanted: Sequence[Any]) -> set[Variable]:
    """The variables of `known` to keep, so that `wanted` can be computed again."""
    if isinstance(policy, tuple):
        if policy[0] == "memory_budget":
            return _within_budget(known, wanted, policy[1])
        names = set(policy[1:])
        return {
            v for e in known.equations
            if e.params.get("name") in names and e.primitive.name in ("name", "tag")
            for v in e.outputs
        }  # fmt: skip
    keep = _KINDS[policy] if isinstance(policy, str) else policy
    return {v for e in known.equations if keep(e) for v in e.outputs}


def recomputed(known: Program, wanted: Iterable[Any], kept: set[Variable]) -> list[Equation]:
    """The equations that compute `wanted` from inputs and what is kept, in order."""
    needed = {v for v in wanted if isinstance(v, Variable)} - kept
    found = []
    for equation in reversed(known.equations):
        if any(v in needed for v in equation.outputs):
            found.append(equation)
            needed.update(a for a in equation.inputs if isinstance(a, Variable) and a not in kept)
    return found[::-1]


# --- by cost ----------------------------------------------------------------------------
_SHORTLIST = 64
_MOVES = frozenset({"broadcast", "reshape", "transpose", "convert", "slice", "name", "iota"})
_SLOW = frozenset(
    {
        "exp", "log", "sin", "cos", "tan", "tanh", "logistic", "erf", "erfc", "pow", "log1p",
        "expm1", "sqrt", "rsqrt", "cbrt", "exp2", "lgamma", "digamma", "div",
    }
)  # fmt: skip


def byte_size(variable: Any) -> int:
    """Bytes of a value."""
    return int(variable.type.size * variable.type.dtype.itemsize)


def cost(equation: Equation) -> float:
    """An estimate of floating-point operations, moved elements counting a quarter each."""
    name, params = equation.primitive.name, equation.params
    out: int = sum(v.type.size for v in equation.outputs)
    if name == "dot_general":
        shape = equation.inputs[0].type.shape
        return 2.0 * out * int(math.prod([shape[a] for a in params["contract"][0]]))
    if name == "conv":
        kernel = equation.inputs[1].type
        return 2.0 * out * kernel.size / max(1, int(kernel.shape[params["w_layout"][0]]))
    inner = [sum(map(cost, p.equations)) for p in Program((), (equation,), ()).subprograms()]
    if inner:
        return sum(inner) * int(params.get("length", 1))
    read: int = sum(a.type.size for a in equation.inputs)
    if name in _MOVES:
        return out / 4
    return 10.0 * out if name in _SLOW else float(max(out, read))


def _within_budget(known: Program, wanted: Sequence[Any], budget: int) -> set[Variable]:
    """Greedily, what saves most recomputation per byte and still fits."""
    inputs = set(known.inputs)
    results = {v for v in wanted if isinstance(v, Variable)} - inputs
    if sum(map(byte_size, results)) <= budget:
        return results
    kept: set[Variable] = set()
    left = budget
    work = recomputed(known, wanted, kept)
    total = sum(map(cost, work))
    rates = {v: cost(e) / max(1, byte_size(v)) for e in work for v in e.outputs}
    shortlist = sorted(rates, key=lambda v: -rates[v])[:_SHORTLIST]
    while True:
        best, best_rate, best_total = None, 0.0, total
        for v in shortlist:
            if v in kept or byte_size(v) > left:
                continue
            after = sum(map(cost, recomputed(known, wanted, kept | {v})))
            rate = (total - after) / max(1, byte_size(v))
            if rate > best_rate:
                best, best_rate, best_total = v, rate, after
        if best is None:
            return kept
        kept.add(best)
        left -= byte_size(best)
        total = best_total
