"""Comparing what two evaluations gave, and saying in one line how they differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import ml_dtypes
import numpy as np

from fn.core import dtype_name, is_inexact


@dataclass
class Case:
    """Two evaluations that are to agree.

    Args:
        left: results of the one side.
        right: results of the other side.
        names: what the sides are called in messages.
        rtol: how far they may be apart, relative to the largest value of a result; None for a few
            units in the last place of its dtype.
        atol: absolute tolerance beside it.
        detail: what distinguishes this case: axes, chunk sizes, …
        labels: the paths of the results.
        noise: per result, what rounding alone may change, asked for only if the sides differ.
    """

    left: Sequence[Any]
    right: Sequence[Any]
    names: tuple[str, str]
    rtol: float | None = None
    atol: float = 0.0
    detail: str = ""
    labels: Sequence[str] = ()
    exact: bool = False
    noise: Any = None


@dataclass
class Difference:
    """Where two evaluations differ most, in words and numbers."""

    case: Case
    text: str
    position: int
    """Which of the results it is."""
    ratio: float
    """The largest difference, in units of what was allowed."""


@dataclass
class Measure:
    """How far apart the sides of all cases were, in units of what was allowed."""

    cases: int = 0
    worst: float = 0.0
    excused: list[str] = field(default_factory=list)


def label_of(case: Case, position: int) -> str:
    """How a message calls one of the results."""
    if position < len(case.labels):
        return case.labels[position]
    return "result" if len(case.left) == 1 else f"result {position}"


def compare(case: Case, measure: Measure | None = None) -> Difference | None:
    """The difference between the sides of `case`, or None if they agree."""
    measure = Measure() if measure is None else measure
    measure.cases += 1
    if len(case.left) != len(case.right):
        text = f"{len(case.left)} results ({case.names[0]}) against {len(case.right)} ({case.names[1]})"
        return Difference(case, text, 0, np.inf)
    found: list[Difference] = []
    for position, (a, b) in enumerate(zip(case.left, case.right, strict=True)):
        difference = _compare_arrays(case, position, np.asarray(a), np.asarray(b), measure)
        if difference is not None:
            found.append(difference)
    if not found:
        return None
    if case.noise is not None:
        allowed = case.noise()
        found = [d for d in found if not _excused(d, allowed, measure)]
    return found[0] if found else None


def _excused(difference: Difference, allowed: Sequence[float], measure: Measure) -> bool:
    case, position = difference.case, difference.position
    a, b = np.asarray(case.left[position]), np.asarray(case.right[position])
    if (a.shape, a.dtype) != (b.shape, b.dtype):
        return False
    spread = max(allowed, default=0.0) if len(allowed) != len(case.left) else allowed[position]
    apart = float(np.max(_distance(a, b), initial=0.0))
    if apart > 30 * spread:
        return False
    measure.excused.append(f"{label_of(case, position)}: rounding alone changes it by {spread:.1g}")
    return True


def _distance(a: Any, b: Any) -> Any:
    """Elementwise distance; zero between equal values, infinities and NaNs among them."""
    if a.dtype.kind in "biu":
        wide: Any = np.float64
    else:
        wide = np.complex128 if a.dtype.kind == "c" else np.float64
    x, y = a.astype(wide), b.astype(wide)
    with np.errstate(all="ignore"):
        same = (x == y) | (np.isnan(x) & np.isnan(y))
        apart = np.where(same, 0.0, np.abs(x - y))
    return np.where(np.isnan(apart), np.inf, apart)


def allowed_distance(a: Any, b: Any, rtol: float | None, atol: float) -> float:
    """How far apart elements of two arrays may be: `rtol` of the largest finite value, and `atol`."""
    if not is_inexact(a.dtype):
        return 0.0
    info = ml_dtypes.finfo(a.dtype)
    if rtol is None:
        rtol = 64 * float(info.eps)
    wide: Any = np.complex128 if a.dtype.kind == "c" else np.float64
    with np.errstate(all="ignore"):
        sizes = np.abs(b.astype(wide))
    scale = float(np.max(sizes[np.isfinite(sizes)], initial=0.0))
    # Denormal numbers may be taken for zero.
    return rtol * scale + atol + 2 * float(info.smallest_normal)


def _compare_arrays(
    case: Case, position: int, a: Any, b: Any, measure: Measure
) -> Difference | None:
    label = label_of(case, position)
    left, right = case.names
    if (a.shape, a.dtype) != (b.shape, b.dtype):
        text = f"{label}: {_type_text(a)} ({left}) against {_type_text(b)} ({right})"
        return Difference(case, text, position, np.inf)
    if not a.size:
        return None
    distance = _distance(a, b)
    allowed = 0.0 if case.exact else allowed_distance(a, b, case.rtol, case.atol)
    worst = float(np.max(distance))
    ratio = 0.0 if worst == 0 else np.inf if allowed == 0 else worst / allowed
    if ratio <= 1:
        measure.worst = max(measure.worst, ratio)
        return None
    index = np.unravel_index(int(np.argmax(distance)), a.shape)
    wrong = int(np.sum(distance > allowed))
    where = "".join(["[", ", ".join(map(str, index)), "]"]) if a.ndim else ""
    text = f"{label}{where}: {number(a[index])} ({left}) against {number(b[index])} ({right})"
    if a.size > 1:
        text += f"; {wrong} of {a.size} elements differ, by up to {worst:.3g}"
    return Difference(case, text, position, ratio)


def number(value: Any) -> str:
    """One number, short."""
    if value.dtype.kind in "biu":
        return str(value.item())
    if value.dtype.kind == "c":
        return f"{complex(value):.6g}"
    return f"{float(value):.6g}"


def _type_text(a: Any) -> str:
    return f"{dtype_name(a.dtype)}[{','.join(map(str, a.shape))}]"


def summary(value: Any) -> str:
    """An input in a few words: type, and how its values look; never all of them."""
    x = np.asarray(value)
    text = _type_text(x)
    if not x.size:
        return text
    if x.ndim == 0:
        return f"{text} = {number(x[()])}"
    plain = x.astype(np.complex128 if x.dtype.kind == "c" else np.float64)
    flat, first = plain.reshape(-1), x.reshape(-1)[0]
    if np.all((flat == flat[0]) | (np.isnan(flat) & np.isnan(flat[0]))):
        return f"{text}, all {number(first)}"
    different = np.flatnonzero(flat != 0)
    if len(different) <= 3:
        places = [np.unravel_index(i, x.shape) for i in different]
        listed = ", ".join(f"{number(x[p])} at [{', '.join(map(str, p))}]" for p in places)
        return f"{text}, zero but for {listed}"
    if x.dtype.kind == "c":
        return f"{text}, moduli from {np.min(np.abs(flat)):.3g} to {np.max(np.abs(flat)):.3g}"
    bad = int(np.sum(~np.isfinite(flat)))
    extra = f", {bad} not finite" if bad else ""
    finite = flat[np.isfinite(flat)]
    low, high = (np.min(finite), np.max(finite)) if finite.size else (np.nan, np.nan)
    return f"{text}, from {low:.4g} to {high:.4g}{extra}"
