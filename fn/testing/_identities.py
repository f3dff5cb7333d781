"""The list of identities: what each says, how it is checked, and what to look at when it fails."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from fn.core import MissingRuleError
from fn.testing import _derivative_checks as derivatives
from fn.testing import _value_checks as values
from fn.testing._compare import Case, Difference, Measure, compare
from fn.testing._subject import Skip, Subject


@dataclass(frozen=True)
class Identity:
    """One identity: its name, what it says, and which rule of a primitive it puts to the test."""

    name: str
    title: str
    sentence: str
    rule: str
    check: Callable[[Subject], Iterator[Case]]


def _identity(
    name: str, title: str, sentence: str, rule: str, check: Callable[[Subject], Iterator[Case]]
) -> Identity:
    return Identity(name, title, sentence, rule, check)


IDENTITIES: dict[str, Identity] = {
    i.name: i
    for i in [
        _identity("jit", "jit = eager", "compiled, a function gives what it gives when called eagerly",
                  "lowering", values.compiled_is_eager),
        _identity("ops", "op by op = XLA", "a Program evaluated op by op gives what XLA makes of all of it",
                  "lowering", values.by_op_is_compiled),
        _identity("vmap", "vmap = loop", "vmap, along any axis and in chunks of any size, is a loop",
                  "batch rule", values.batched_is_looped),
        _identity("jvp", "jvp = slope", "the jvp along a tangent is the limit of finite differences along it",
                  "jvp rule", derivatives.jvp_is_the_slope),
        _identity("complex_step", "jvp = complex step",
                  "where a function is analytic, its jvp is the imaginary part of a small imaginary step",
                  "jvp rule", derivatives.jvp_is_the_complex_step),
        _identity("linearize", "linearize = jvp", "the linear function that linearize gives is the one jvp applies",
                  "linearize rule", derivatives.linearize_is_jvp),
        _identity("vjp", "<vjp(ct), t> = <ct, jvp(t)>", "pulling a cotangent back and pushing a tangent forward pair alike",
                  "transpose rule", derivatives.vjp_is_the_transpose),
        _identity("transpose", "transpose twice = itself", "the transpose of the transpose of a linear function is itself",
                  "transpose rule", derivatives.transposed_twice),
        _identity("linear", "linear stays linear", "derivatives take sums of tangents to sums, and multiples to multiples",
                  "jvp rule", derivatives.linear_stays_linear),
        _identity("grad_vmap", "grad∘vmap = vmap∘grad", "the gradient of a batch is the batch of gradients",
                  "batch rule", derivatives.grad_of_vmap),
        _identity("jacobians", "jacfwd = jacrev", "forward and reverse mode give the same Jacobian",
                  "transpose rule", derivatives.jacobians_agree),
        _identity("hessian", "hessian symmetric", "second derivatives do not depend on their order",
                  "jvp rule", derivatives.hessian_is_symmetric),
        _identity("remat", "remat = plain", "computing again in the backward pass changes no result",
                  "jvp rule", derivatives.remat_is_plain),
        _identity("passes", "outlined = flat", "the passes before compilation change no result", "lowering",
                  values.outlined_is_flat),
        _identity("text", "parse(print) = itself", "a Program read back from its text is the same Program",
                  "type rule", values.text_is_program),
        _identity("precision", "float32 = float64", "in 64 bits the result is the same up to rounding",
                  "lowering", values.single_is_double),
        _identity("keys", "same key, same bits", "a key gives the same random bits under every transform",
                  "batch rule", values.same_key_same_bits),
    ]
}  # fmt: skip
"""By the name that `transforms=` takes."""


@dataclass
class Outcome:
    """How the check of one identity ended."""

    identity: Identity
    status: str
    """`holds`, `skipped` or `fails`."""
    reason: str = ""
    """Why it was skipped, or how the sides differ."""
    difference: Difference | None = None
    measure: Measure = field(default_factory=Measure)
    seconds: float = 0.0
    error: Exception | None = None


def examine(
    identity: Identity, subject: Subject, rtol: float | None = None, atol: float | None = None
) -> Outcome:
    """Check one identity; whatever goes wrong is part of the outcome."""
    start, measure = time.perf_counter(), Measure()

    def ended(
        status: str,
        reason: str = "",
        difference: Difference | None = None,
        error: Exception | None = None,
    ) -> Outcome:
        return Outcome(
            identity, status, reason, difference, measure, time.perf_counter() - start, error
        )

    try:
        for case in identity.check(subject):
            case.rtol = case.rtol if rtol is None else rtol
            case.atol = case.atol if atol is None else atol
            difference = compare(case, measure)
            if difference is not None:
                return ended("fails", difference.text, difference)
    except Skip as skip:
        return ended("skipped", str(skip))
    except MissingRuleError as missing:
        return ended("skipped", missing.what)
    except values.Fault as fault:
        return ended("fails", str(fault), error=fault)
    except Exception as error:  # a rule that raises is a rule that is wrong
        text = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        return ended("fails", text, error=error)
    if not measure.cases:
        return ended("skipped", "nothing to compare")
    return ended("holds")
