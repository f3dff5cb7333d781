"""Identities between derivatives: what jvp, linearize, vjp and their compositions owe each other.

All are checked in 64 bits where every operation allows it, which makes the tolerances tight.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from fn.control import inline_calls, remat
from fn.core import Program, Variable, evaluate, is_complex
from fn.ops import add, convert, mul, reduce_sum
from fn.testing._compare import Case
from fn.testing._retype import NotAnalytic, complexify
from fn.testing._subject import (
    Arrays,
    Skip,
    Subject,
    pairing,
    pulled,
    traced_pairing,
)
from fn.transforms import (
    grad,
    hessian,
    jacfwd,
    jacrev,
    jvp_program,
    transpose_program,
    vjp,
    vmap,
)

# What a different order of operations may change, relative to the largest term.
_ROUNDING = {64: 1e-7, 32: 2e-3}
_FULL = 400
"""Jacobians with at most this many entries are compared whole."""


def _zeros_for(types: Sequence[Any], nonzero: Sequence[bool], given: Sequence[Any]) -> Arrays:
    left = iter(given)
    return [
        next(left) if n else np.zeros(t.shape, t.dtype) for t, n in zip(types, nonzero, strict=True)
    ]


def _run_jvp(s: Subject, points: Arrays, tangents: Arrays) -> tuple[Arrays, Arrays]:
    f = s.smooth
    derived, nonzero = jvp_program(f, s.moving)
    run = s.compiled("jvp", lambda xs, ts: tuple(evaluate(derived, [*xs, *ts])))
    results = list(run(points, tangents))
    count = len(f.outputs)
    return results[:count], _zeros_for(f.out_types, nonzero, results[count:])


# --- against slopes ---------------------------------------------------------------------


def jvp_is_the_slope(s: Subject) -> Iterator[Case]:
    """jvp against finite differences."""
    with s.differentiating():
        for which in range(2):
            points = s.points
            tangents = _to_scale(s, points, s.tangents(which))
            outs, moved = _run_jvp(s, points, tangents)
            sizes = [float(np.max(np.abs(_finite(o)), initial=0.0)) for o in outs]
            found = _slopes(s, points, tangents, moved, sizes)
            for i, (m, slope, size) in enumerate(zip(moved, found, sizes, strict=True)):
                yield Case(
                    [m], [slope], ("jvp", "finite differences"), _SLOPE[s.bits],
                    _SLOPE[s.bits] * 1e-2 * max(size, 1e-3), labels=s.smooth_labels[i : i + 1],
                )  # fmt: skip


# The error of a central difference is of order step² from curvature and epsilon / step from rounding.
_STEPS = {64: (1e-5, 1e-6, 1e-4, 1e-7, 1e-3), 32: (1e-2, 3e-3, 3e-2)}
_SLOPE = {64: 1e-5, 32: 5e-2}
# Slopes to both sides that stay this far apart at the smallest step: no derivative.
_KINK = {64: 1e-3, 32: 0.3}


def _finite(x: Any) -> Any:
    x = np.asarray(x)
    return np.where(np.isfinite(x), x, 0)


def _to_scale(s: Subject, points: Arrays, tangents: Arrays) -> Arrays:
    """Tangents in proportion to the numbers they move, so that a step keeps signs and domains."""
    scaled = []
    for x, t in zip(s.moved_of(points), tangents, strict=True):
        sizes = np.abs(_finite(x))
        typical = float(np.mean(sizes)) if np.size(x) else 1.0
        unit = np.where(sizes > 0, sizes, typical if typical > 0 else 1.0)
        scaled.append((t * unit).astype(t.dtype))
    return scaled


def _slopes(
    s: Subject, points: Arrays, tangents: Arrays, moved: Arrays, sizes: Sequence[float]
) -> Arrays:
    """Slopes along the tangents, at each element the one closest to `moved` of several steps."""
    best, apart = _best_slopes(s, s.smooth, "smooth", points, tangents, moved)
    held = _hold_constants(s)
    off = any(
        np.any(a > _SLOPE[s.bits] * (np.max(np.abs(_finite(b)), initial=0.0) + 1e-2 * size))
        for a, b, size in zip(apart, best, sizes, strict=True)
    )
    if not off or held is None:
        return best
    # What derivatives take for constant may be held as it is here, or move along.
    values, program = held
    constants = s.compiled("constants", lambda *xs: tuple(evaluate(values, xs)))(*points)
    other, further = _best_slopes(s, program, "held", [*points, *constants], tangents, moved)
    return [np.where(b < a, y, x) for x, y, a, b in zip(best, other, apart, further, strict=True)]


def _best_slopes(
    s: Subject, program: Program, key: str, points: Arrays, tangents: Arrays, moved: Arrays
) -> tuple[Arrays, Arrays]:
    run = s.compiled(key, lambda *xs: tuple(evaluate(program, xs)))
    count = len(s.program.inputs)

    def at(step: float) -> Arrays:
        own = s.with_moved(
            points[:count],
            [x + step * t for x, t in zip(s.moved_of(points[:count]), tangents, strict=True)],
        )
        return [np.asarray(o).astype(_wide(o)) for o in run(*own, *points[count:])]

    here = at(0.0)
    best = [np.zeros_like(o) for o in here]
    apart = [np.full(o.shape, np.inf) for o in here]
    changes: list[list[Any]] = [[] for _ in here]
    sides: list[list[tuple[Any, Any]]] = [[] for _ in here]
    for step in _STEPS[s.bits]:
        ahead, behind = at(step), at(-step)
        for i, (a, b, o) in enumerate(zip(ahead, behind, here, strict=True)):
            target = np.asarray(moved[i]).astype(o.dtype)
            with np.errstate(all="ignore"):
                up, down = _change(a, o) / step, _change(o, b) / step
                central = (up + down) / 2
                changes[i].append(np.abs(a - b))
                sides[i].append((up, down))
                for candidate in (central, np.where(_between(target, up, down), target, central)):
                    distance = np.abs(candidate - target)
                    closer = (distance < apart[i]) | ~np.isfinite(target + candidate)
                    best[i] = np.where(closer, candidate, best[i])
                    apart[i] = np.where(closer, distance, apart[i])
        if all(_settled(b, a) for b, a in zip(best, apart, strict=True)):
            break
    # Where neither side is finite, or the function jumps, there is no slope to compare with.
    for i, m in enumerate(moved):
        target = np.asarray(m).astype(best[i].dtype)
        with np.errstate(all="ignore"):
            nowhere = ~np.isfinite(here[i]) | (~np.isfinite(best[i]) & ~np.isfinite(target))
            if len(changes[i]) == len(_STEPS[s.bits]):
                nowhere |= np.minimum.reduce(changes[i]) > 0.3 * np.maximum.reduce(changes[i])
                # Of several elements that tie, any may come first: each has slopes of its own.
                sizes = [np.max(_finite(np.abs(u) + np.abs(d)), initial=0.0) for u, d in sides[i]]
                kinks = [
                    np.abs(u - d) > _KINK[s.bits] * n
                    for (u, d), n in zip(sides[i], sizes, strict=True)
                ]
                nowhere |= np.logical_and.reduce(kinks)
        nowhere &= apart[i] != 0
        best[i] = np.where(nowhere, target, best[i]).astype(np.asarray(m).dtype)
        apart[i] = np.where(nowhere, 0.0, apart[i])
    return best, apart


def _settled(best: Any, apart: Any) -> bool:
    scale = float(np.max(np.abs(_finite(best)), initial=0.0))
    return bool(np.all(apart <= 1e-6 * max(scale, 1e-3)))


def _wide(x: Any) -> Any:
    return np.complex128 if np.asarray(x).dtype.kind == "c" else np.float64


def _change(a: Any, b: Any) -> Any:
    return np.where(a == b, 0, a - b)  # infinity minus itself is no change


def _between(x: Any, up: Any, down: Any) -> Any:
    """At a kink any number between the slopes on both sides is a derivative."""
    if x.dtype.kind == "c":
        return np.zeros(x.shape, bool)
    low, high = np.minimum(up, down), np.maximum(up, down)
    kink = high - low > 1e-2 * (np.abs(high) + np.abs(low))
    slack = 1e-3 * (np.abs(high) + np.abs(low))
    return kink & (low - slack <= x) & (x <= high + slack)


def _hold_constants(s: Subject) -> tuple[Program, Program] | None:
    """Programs for the values `stop_gradient` gives, and for the function of inputs and these values."""
    whole = inline_calls(s.smooth)
    stopped = [e for e in whole.equations if e.primitive.name == "stop_gradient"]
    if not stopped:
        return None
    variables: tuple[Variable, ...] = tuple([e.outputs[0] for e in stopped])
    rest = tuple([e for e in whole.equations if e.primitive.name != "stop_gradient"])
    values = Program(whole.inputs, whole.equations, variables, (), "constants")
    return values, Program((*whole.inputs, *variables), rest, whole.outputs, (), whole.name)


def jvp_is_the_complex_step(s: Subject) -> Iterator[Case]:
    """jvp against the imaginary part of a step along the imaginary axis: nothing is subtracted."""
    with s.differentiating():
        if s.bits != 64:
            raise Skip("an operation cannot be done in 64 bits")
        if any(is_complex(t.dtype) for t in (*s.smooth.in_types, *s.smooth.out_types)):
            raise Skip("the function is complex already")
        try:
            program = complexify(s.smooth, s.moving)
        except NotAnalytic as found:
            raise Skip(f"{found} is not analytic") from None
        run = s.compiled("complex", lambda *xs: tuple(evaluate(program, xs)))
        points, tangents = s.points, s.tangents()
        _, moved = _run_jvp(s, points, tangents)
        # XLA's complex functions subtract exponentials, which a step of 1e-20 would not survive.
        step = 1e-6
        moving = zip(s.moved_of(points), tangents, strict=True)
        outs = run(*s.with_moved(points, [x + 1j * step * t for x, t in moving]))
        slopes = [np.asarray(np.imag(np.asarray(o)) / step) for o in outs]
        good = [
            np.isfinite(a) & np.isfinite(np.asarray(m)) for a, m in zip(slopes, moved, strict=True)
        ]
        slopes = [np.where(g, a, m) for g, a, m in zip(good, slopes, moved, strict=True)]
        yield Case(moved, slopes, ("jvp", "complex step"), 1e-6, 1e-9, labels=s.smooth_labels)


# --- linearize and transpose ------------------------------------------------------------


def _linear_parts(s: Subject, points: Arrays) -> tuple[Any, Arrays]:
    lin = s.linearized
    run = s.compiled("primal", lambda *xs: tuple(evaluate(lin.primal, xs)))
    return lin, lin.split(points, run(*points))[1]


def linearize_is_jvp(s: Subject) -> Iterator[Case]:
    """The linear function `linearize` gives is the one `jvp` applies."""
    with s.differentiating():
        points, tangents = s.points, s.tangents()
        outs, moved = _run_jvp(s, points, tangents)
        lin, residuals = _linear_parts(s, points)
        primal = s.compiled("primal", lambda *xs: tuple(evaluate(lin.primal, xs)))(*points)
        run = s.compiled("linear", lambda rs, ts: tuple(evaluate(lin.linear, [*rs, *ts])))
        found = _zeros_for(s.smooth.out_types, lin.out_nonzero, run(residuals, tangents))
        rtol = _ROUNDING[s.bits]
        yield Case(found, moved, ("linearize", "jvp"), rtol, labels=s.smooth_labels)
        values = list(primal)[: len(outs)]
        yield Case(
            values, outs, ("linearize", "jvp"), rtol, labels=s.smooth_labels, detail="the value"
        )


def vjp_is_the_transpose(s: Subject) -> Iterator[Case]:
    """<vjp(ct), t> = <ct, jvp(t)>: one number, two ways."""
    with s.differentiating():
        points = s.points
        lin, residuals = _linear_parts(s, points)
        given = [i for i, n in enumerate(lin.out_nonzero) if n]
        if not given:
            raise Skip("the derivative is zero")
        back, has = pulled(lin.linear, lin.residuals, [True] * len(given))
        run = s.compiled("pulled", lambda rs, cs: tuple(evaluate(back, [*rs, *cs])))
        for which in range(2):
            tangents, cts = s.tangents(which), s.cotangents(which)
            _, moved = _run_jvp(s, points, tangents)
            found = run(residuals, [cts[i] for i in given])
            through = [t for t, h in zip(tangents, has, strict=True) if h]
            left, right = pairing(found, through), pairing(cts, moved)
            size = sum(
                float(np.sum(np.abs(np.asarray(c)) * np.abs(_finite(m))))
                for c, m in zip(cts, moved, strict=True)
            )
            yield Case(
                [np.float64(left)], [np.float64(right)], ("<vjp(ct), t>", "<ct, jvp(t)>"), 0.0,
                _ROUNDING[s.bits] * max(size, 1e-6), labels=["their pairing"],
            )  # fmt: skip


def transposed_twice(s: Subject) -> Iterator[Case]:
    """The transpose of the transpose is the linear function itself."""
    with s.differentiating():
        lin, residuals = _linear_parts(s, s.points)
        if not lin.linear.outputs:
            raise Skip("the derivative is zero")
        outs = len(lin.linear.outputs)
        back, has = pulled(lin.linear, lin.residuals, [True] * outs)
        flags = (False,) * lin.residuals + (True,) * outs
        again, still = transpose_program(back, flags, (True,) * len(back.outputs))
        tangents = s.tangents()
        through = [t for t, h in zip(tangents, has, strict=True) if h]
        once = s.compiled("linear", lambda rs, ts: tuple(evaluate(lin.linear, [*rs, *ts])))
        twice = s.compiled("twice", lambda rs, ts: tuple(evaluate(again, [*rs, *ts])))
        found = _zeros_for(lin.linear.out_types, still, twice(residuals, through))
        expected = once(residuals, tangents)
        names = ("transposed twice", "itself")
        yield Case(found, expected, names, _ROUNDING[s.bits], _tiny(expected))


def _tiny(values: Sequence[Any]) -> float:
    """A number that is rounding beside the largest of these values."""
    return 1e-12 * max([1e-30, *(float(np.max(np.abs(_finite(v)), initial=0.0)) for v in values)])


def linear_stays_linear(s: Subject) -> Iterator[Case]:
    """The linear function and its transpose take sums to sums and multiples to multiples."""
    with s.differentiating():
        points = s.points
        lin, residuals = _linear_parts(s, points)
        if not lin.linear.outputs:
            raise Skip("the derivative is zero")
        run = s.compiled("linear", lambda rs, ts: tuple(evaluate(lin.linear, [*rs, *ts])))
        rtol = _ROUNDING[s.bits]
        t, u = s.tangents(0), s.tangents(1)
        joint = [_combined(a, b) for a, b in zip(t, u, strict=True)]
        left = run(residuals, joint)
        parts = zip(run(residuals, t), run(residuals, u), strict=True)
        right = [_combined(np.asarray(a), np.asarray(b)) for a, b in parts]
        yield Case(left, right, ("jvp(2 t - 3 u)", "2 jvp(t) - 3 jvp(u)"), rtol, _tiny(right))
        back, _ = pulled(lin.linear, lin.residuals, [True] * len(lin.linear.outputs))
        pull = s.compiled("pulled", lambda rs, cs: tuple(evaluate(back, [*rs, *cs])))
        c, d = (
            [x for x, n in zip(s.cotangents(i), lin.out_nonzero, strict=True) if n] for i in (0, 1)
        )
        left = pull(residuals, [_combined(a, b) for a, b in zip(c, d, strict=True)])
        parts = zip(pull(residuals, c), pull(residuals, d), strict=True)
        right = [_combined(np.asarray(a), np.asarray(b)) for a, b in parts]
        yield Case(left, right, ("vjp(2 c - 3 d)", "2 vjp(c) - 3 vjp(d)"), rtol, _tiny(right))


def _combined(a: Any, b: Any) -> Any:
    return (2 * a - 3 * b).astype(a.dtype)


# --- compositions -----------------------------------------------------------------------


def grad_of_vmap(s: Subject) -> Iterator[Case]:
    """The gradient of a batch is the batch of gradients."""
    with s.differentiating():
        if not s.own:
            raise Skip("no arguments")
        f, cts = s.smooth, s.cotangents()
        numbers = tuple([i for i, m in enumerate(s.moving) if m])

        def scalar(*xs: Any) -> Any:
            return traced_pairing(cts, evaluate(f, xs))

        own = tuple([0] * s.own + [None] * (len(s.types) - s.own))
        first = tuple([0 if i == numbers[0] else None for i in range(len(s.types))])
        for places in dict.fromkeys([own, first]):
            batch = [
                x.astype(t.dtype)
                for x, t in zip(map(np.asarray, s.batch(places)), f.in_types, strict=True)
            ]
            mapped = vmap(scalar, in_axes=places)

            def total(*xs: Any, mapped: Any = mapped) -> Any:
                return reduce_sum(mapped(*xs), axes=(0,))

            def summed(*xs: Any, places: Any = places) -> Any:
                found = vmap(grad(scalar, argnums=numbers), in_axes=places)(*xs)
                chosen = [places[i] for i in numbers]
                return tuple(
                    [
                        g if p is not None else reduce_sum(g, axes=(0,))
                        for g, p in zip(found, chosen, strict=True)
                    ]
                )

            key = ("grad_vmap", places, s.lanes, s.seed)
            left = s.compiled((*key, "left"), grad(total, argnums=numbers))(*batch)
            right = s.compiled((*key, "right"), summed)(*batch)
            yield Case(
                left, right, ("grad of vmap", "vmap of grad"), _ROUNDING[s.bits], _tiny(right),
                detail=f"in_axes={places[: s.own]}", labels=[f"the gradient of argument {i}" for i in numbers],
            )  # fmt: skip


def _along(s: Subject) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The function restricted to three directions: of three numbers, to its results and to a scalar."""
    f, directions = s.smooth, [s.tangents(i) for i in range(3)]
    cts = [s.cotangents(i) for i in range(3)]

    def moved(points: Any, numbers: Any) -> Any:
        xs = s.moved_of(points)
        for number, ts in zip(numbers, directions, strict=True):
            xs = [
                add(x, mul(convert(number, dtype=t.dtype), t)) for x, t in zip(xs, ts, strict=True)
            ]
        return evaluate(f, s.with_moved(points, xs))

    def three(points: Any, *numbers: Any) -> Any:
        outs = moved(points, numbers)
        return tuple([traced_pairing(c, outs) for c in cts])

    def scalar(points: Any, *numbers: Any) -> Any:
        return traced_pairing(cts[0], moved(points, numbers))

    return three, scalar


_ORIGIN = (np.float64(0), np.float64(0), np.float64(0))
_NUMBERS = (1, 2, 3)


def _matrix(rows: Any) -> Any:
    return np.array([[float(x) for x in row] for row in rows])


def jacobians_agree(s: Subject) -> Iterator[Case]:
    """Forward mode and reverse mode give the same Jacobian."""
    with s.differentiating():
        three, _ = _along(s)
        points = s.points
        forward = s.compiled(("jacfwd", s.seed), jacfwd(three, argnums=_NUMBERS))(points, *_ORIGIN)
        reverse = s.compiled(("jacrev", s.seed), jacrev(three, argnums=_NUMBERS))(points, *_ORIGIN)
        names = ("jacfwd", "jacrev")
        label = ["the Jacobian along three directions"]
        rtol = _ROUNDING[s.bits]
        yield Case([_matrix(forward)], [_matrix(reverse)], names, rtol, 1e-12, labels=label)
        ins, outs = (sum(t.size for t in ts) for ts in (s.moving_types, s.smooth.out_types))
        complex_ = any(is_complex(t.dtype) for t in (*s.moving_types, *s.smooth.out_types))
        if complex_ or not 0 < ins * outs <= _FULL:
            return
        f = s.smooth
        whole = lambda *xs: tuple(evaluate(f, xs))
        numbers = tuple([i for i, m in enumerate(s.moving) if m])
        found = [
            s.compiled(name, jac(whole, argnums=numbers))(*points)
            for name, jac in zip(names, (jacfwd, jacrev), strict=True)
        ]
        left, right = ([x for row in rows for x in row] for rows in found)
        yield Case(left, right, names, rtol, _tiny(right), detail="the whole Jacobian")


def hessian_is_symmetric(s: Subject) -> Iterator[Case]:
    """Second derivatives do not depend on their order, and are the slopes of the first."""
    with s.differentiating():
        _, scalar = _along(s)
        points = s.points
        rows = s.compiled(("hessian", s.seed), hessian(scalar, argnums=_NUMBERS))(points, *_ORIGIN)
        matrix = _matrix(rows)
        rtol = _ROUNDING[s.bits]
        label = ["the Hessian along three directions"]
        atol = rtol * max(float(np.max(np.abs(_finite(matrix)))), 1e-3)
        names = ("hessian[i, j]", "hessian[j, i]")
        yield Case([matrix], [matrix.T], names, rtol, atol, labels=label)
        gradient = s.compiled(("gradient", s.seed), grad(scalar, argnums=_NUMBERS))

        def slope(step: float) -> Any:
            ahead, behind = (gradient(points, np.float64(x), *_ORIGIN[1:]) for x in (step, -step))
            return (np.array(ahead, np.float64) - np.array(behind, np.float64)) / (2 * step)

        tolerance = _SLOPE[s.bits] * 10
        tried = [(step, slope(step)) for step in _STEPS[s.bits]]
        found = min((x for _, x in tried), key=lambda x: float(np.max(np.abs(x - matrix[0]))))
        changes = [np.abs(x) * step for step, x in tried]
        jumps = np.minimum.reduce(changes) > 0.3 * np.maximum.reduce(changes)
        names = ("hessian", "slope of the gradient")
        finite = np.isfinite(found) & np.isfinite(matrix[0]) & ~jumps
        left, right = np.where(finite, matrix[0], 0), np.where(finite, found, 0)
        size = float(np.max(np.abs(np.array(gradient(points, *_ORIGIN), np.float64)), initial=0.0))
        size = size if np.isfinite(size) else 1.0
        yield Case([left], [right], names, tolerance, tolerance * max(size, 1e-3), labels=label)


def remat_is_plain(s: Subject) -> Iterator[Case]:
    """Computing again in the backward pass changes neither the value nor the derivative."""
    with s.differentiating():
        f, cts = s.smooth, s.cotangents()
        plain = lambda *xs: tuple(evaluate(f, xs))
        points = s.points

        def both(function: Callable[..., Any]) -> Callable[..., Any]:
            def run(*xs: Any) -> Any:
                part = lambda *moved: function(*s.with_moved(xs, moved))
                outs, pull = vjp(part, *s.moved_of(xs))
                return (*outs, *pull(tuple(cts)))

            return run

        left = s.compiled(("remat", s.seed), both(remat(plain)))(*points)
        right = s.compiled(("plain", s.seed), both(plain))(*points)
        yield Case(left, right, ("remat", "plain"), _ROUNDING[s.bits], _tiny(right))
