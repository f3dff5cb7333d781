"""`check_stack`: one Program under one stack of transforms, op by op, compiled, and by an oracle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from fn.core import Program, check, evaluate, public
from fn.testing._by_op import by_op, noise
from fn.testing._compare import Case, Difference, Measure, compare, summary
from fn.testing._errors import identity_error
from fn.testing._inputs import example_inputs
from fn.testing._stacks import Stack, Transform
from fn.xla import jit

Oracle = Callable[[Program, Stack], Callable[..., Any]]


class Verdict(NamedTuple):
    """How two evaluations of a transformed Program differ."""

    sides: tuple[str, str]
    text: str
    difference: Difference | None


def judge(
    derived: Program, args: Sequence[Any], compiled: Sequence[Any], reference: Sequence[Any] | None,
    measure: Measure | None = None,
) -> Verdict | None:  # fmt: skip
    """Compare what was compiled, and what an oracle gave, with the Program evaluated op by op."""
    expected = by_op(derived, args)
    for name, outs in (("XLA", compiled), ("oracle", reference)):
        if outs is None:
            continue
        case = Case(
            [np.asarray(o) for o in outs], expected, (name, "op by op"), 1e-3 if name == "oracle" else 1e-4,
            noise=lambda: noise(derived, args),
        )  # fmt: skip
        difference = compare(_in_their_precision(case), measure)
        if difference is not None:
            return Verdict((name, "op by op"), difference.text, difference)
    return None


def _in_their_precision(case: Case) -> Case:
    """Sixteen bits allow less than thirty-two."""
    if any(
        np.asarray(o).dtype.itemsize == 2 and np.asarray(o).dtype.kind in "fV" for o in case.right
    ):
        case.rtol = 6e-2
    return case


@public
def check_stack(
    program: Program,
    stack: Sequence[Transform] = (),
    args: Sequence[Any] | None = None,
    *,
    seed: int = 0,
    oracle: Oracle | None = None,
) -> Program:
    """Check that a Program, transformed, gives the same op by op, compiled, and by an oracle.

    This is what findings of `python -m fn.testing` are reduced to.

    Args:
        program: the Program.
        stack: transforms to apply, the first first.
        args: arguments of the transformed Program; None for random ones.
        seed: of random arguments.
        oracle: from the Program and the stack to a function of arrays that gives the results.

    Returns:
        The transformed Program.

    Raises:
        IdentityError: if they differ by more than rounding.

    >>> import fn
    >>> program = fn.trace(lambda x: x * x)(fn.ArrayType((3,), "float32"))
    >>> fn.testing.check_stack(program, [fn.testing.Jvp()]).out_types
    (f32[3], f32[3])
    """
    stack = Stack(stack)
    derived = check(stack.apply(check(program)))
    arrays = example_inputs(derived.in_types, seed) if args is None else list(args)
    compiled = jit(lambda *xs: tuple(evaluate(derived, xs)))(*arrays)
    reference = None if oracle is None else oracle(program, stack)(*arrays)
    verdict = judge(derived, arrays, compiled, reference)
    if verdict is not None:
        inputs = "; ".join(summary(x) for x in arrays) or "no arguments"
        difference = verdict.difference
        raise identity_error(
            f"check_stack: {verdict.sides[0]} and {verdict.sides[1]} differ under {stack!r}",
            expected="a Program gives the same however it is evaluated", got=f"{verdict.text}, for {inputs}",
            fix="evaluate the parts of the transformed program; `.left` and `.right` hold both sides", source=None,
            identity="ops", inputs=arrays, left=difference.case.left if difference else None,
            right=difference.case.right if difference else None,
        )  # fmt: skip
    return derived
