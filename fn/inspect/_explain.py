"""`explain`: why a jitted function was traced again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from fn.core import ArgumentError, ArrayType, Source, dtype_name, public
from fn.inspect._document import Block, Document, Row, Span
from fn.inspect._equations import number, source_spans
from fn.inspect._subject import name_of
from fn.inspect._view import View
from fn.xla import Held, TraceRecord, traces

_REASONS = 12


class Reason(NamedTuple):
    """One thing that differs from the trace before."""

    kind: str
    """`"shape"`, `"dtype"`, `"weak"`, `"static"`, `"structure"`, `"closure"`, `"jit"` or `"setting"`."""
    what: str
    """The argument's path, or the name of what is closed over."""
    before: str
    after: str
    note: str = ""
    """Which part of it changed, and what can be done."""

    def __str__(self) -> str:
        said = {"closure": "closed-over ", "setting": ""}.get(self.kind, "")
        if self.kind in ("jit", "unknown"):
            return self.what + (f" ({self.note})" if self.note else "")
        what = f"{said}`{self.what}`" if self.kind != "setting" else self.what
        arrow = f"{what}: {self.before} → {self.after}"
        return arrow + (f" ({self.note})" if self.note else "")


class Traced(NamedTuple):
    """One trace, and why it was needed besides those before."""

    reasons: tuple[Reason, ...]
    """Against the earlier trace most like it; empty for the first."""
    like: int | None
    """Which one that is."""
    compiled: bool
    source: Source | None
    """The line of the call."""


class Explanation(View):
    """The traces of a function, as `explain` gives them.

    >>> import fn, fn.numpy as np
    >>> f = fn.jit(lambda x: x * x)
    >>> _ = f(1.0), f(2.0)
    >>> fn.inspect.explain(f).retraces
    0
    """

    def __init__(self, name: str, records: Sequence[TraceRecord]) -> None:
        self._name = name
        self.traces: list[Traced] = []
        for index, record in enumerate(records):
            reasons, like = _closest(records[:index], record)
            self.traces.append(Traced(reasons, like, record.compiled, record.source))

    @property
    def retraces(self) -> int:
        """How often it was traced besides the first time."""
        return max(len(self.traces) - 1, 0)

    def _document(self, page: bool) -> Document:
        if not self.traces:
            return Document(((f"jit({self._name}) was not traced yet", ""),))
        times = "once" if len(self.traces) == 1 else f"{len(self.traces):,} times"
        title: tuple[Span, ...] = ((f"jit({self._name})", "program"), (f" was traced {times}", ""))
        return Document(title, [Block((), list(self._rows()))])

    def _rows(self) -> Iterator[Row]:
        width = len(str(len(self.traces)))
        for index, trace in enumerate(self.traces):
            like = (
                ""
                if trace.like in (None, index - 1)
                else f"; most like number {(trace.like or 0) + 1}"
            )
            inside = "" if trace.compiled else ", inside another function"
            heading = "the first call" if trace.like is None else f"again{inside}{like}"
            left: tuple[Span, ...] = (
                (f"{index + 1:>{width}}. ", "dim"),
                (heading, "strong" if index else ""),
            )
            yield Row(left, source_spans(trace.source))
            pad = " " * (width + 2)
            for reason in trace.reasons[:_REASONS]:
                yield Row(((pad, ""), *_spans(reason)))
            if len(trace.reasons) > _REASONS:
                more = number(len(trace.reasons) - _REASONS, "more difference")
                yield Row(((pad, ""), (f"… {more}", "fold")))


def _spans(reason: Reason) -> tuple[Span, ...]:
    note: tuple[Span, ...] = ((f"  {reason.note}", "dim"),) if reason.note else ()
    if reason.kind in ("jit", "unknown"):
        return ((reason.what, ""), *note)
    said = "closed over " if reason.kind == "closure" else ""
    return (
        (said, "dim"), (reason.what, "name"), (": ", "dim"), (reason.before, "removed"), (" → ", "dim"),
        (reason.after, "added"), *note,
    )  # fmt: skip


@public
def explain(f: Any) -> Explanation:
    """Why a jitted function was traced more than once.

    Each trace is compared with the earlier one most like it: which argument changed its shape, dtype,
    weakness or static value, how the tree of arguments changed, which closed-over value is another one,
    or that the function went through `fn.jit` again. Recording happens when something is traced, not
    when a compiled function is called; the last 32 traces are kept.

    Args:
        f: a function that `fn.jit` returned.

    Returns:
        A view; `.traces` lists them with their `.reasons`, `.retraces` counts.

    Raises:
        ArgumentError: if `f` does not come from `fn.jit`.

    >>> import fn, fn.numpy as np
    >>> f = fn.jit(lambda x, n: x * n)
    >>> _ = f(np.ones(3), 2.0), f(np.ones(4), 2.0)
    >>> [str(reason) for reason in fn.inspect.explain(f).traces[1].reasons]
    ['`x`: f32[3] → f32[4] (axis 0: 3 → 4)']
    """
    records = traces(f)
    if records is None:
        raise ArgumentError(
            "explain: this is not a jitted function", expected="a function that fn.jit returned",
            got=type(f).__name__, fix="keep what fn.jit(f) returns, call it, and explain that",
        )  # fmt: skip
    return Explanation(name_of(getattr(f, "func", f)), records)


# --- comparing --------------------------------------------------------------------------


def _closest(
    before: Sequence[TraceRecord], record: TraceRecord
) -> tuple[tuple[Reason, ...], int | None]:
    """The differences from the trace that is most like `record`, the later one if two are."""
    others = [i for i, r in enumerate(before) if r.compiled or not record.compiled]
    found: list[tuple[int, bool, int, tuple[Reason, ...]]] = []
    for index in others or range(len(before)):
        old = before[index]
        reasons = tuple(_reasons(old, record))
        found.append((len(reasons), old.leaves.keys() != record.leaves.keys(), -index, reasons))
    if not found:
        return (), None
    _, _, index, reasons = min(found, key=lambda entry: entry[:3])
    return reasons, -index


def _reasons(old: TraceRecord, new: TraceRecord) -> Iterator[Reason]:
    found = [*_of_leaves(old, new), *_of_closure(old, new)]
    settings = sorted({*old.settings, *new.settings})
    changed = [s for s in settings if old.settings.get(s) != new.settings.get(s)]
    found += [
        Reason("setting", s, old.settings.get(s, "none"), new.settings.get(s, "none"))
        for s in changed if s != "captured arrays" or not found
    ]  # fmt: skip
    if old.jit != new.jit:
        note = "call fn.jit once, outside of the loop or function, and keep what it returns"
        found.append(Reason("jit", "fn.jit was called again on the same function", "", "", note))
    elif old.cleared != new.cleared and new.compiled:
        found.append(Reason("jit", "clear_cache() had dropped what was compiled", "", ""))
    elif old.compiled != new.compiled and not found:
        what = "as part of another function" if old.compiled else "by itself"
        found.append(Reason("jit", f"it is used {what} for the first time", "", ""))
    if not found:
        note = "what was compiled had been dropped, or one of JAX's own settings changed"
        found.append(Reason("unknown", "nothing it sees is different", "", "", note))
    yield from found


def _of_leaves(old: TraceRecord, new: TraceRecord) -> Iterator[Reason]:
    yield from _of_paths(old, new)
    if old.leaves.keys() == new.leaves.keys() and old.structure != new.structure:
        cut = [s if len(s) <= 80 else s[:79] + "…" for s in (old.structure, new.structure)]
        yield Reason("structure", "the tree of arguments", *cut)


def _of_paths(old: TraceRecord, new: TraceRecord) -> Iterator[Reason]:
    for path in dict.fromkeys([*old.leaves, *new.leaves]):
        before, after = old.leaves.get(path), new.leaves.get(path)
        if before is None or after is None:
            note = "left out before" if before is None else "left out now"
            yield Reason("structure", path, _shown(before), _shown(after), note)
        elif isinstance(before, ArrayType) and isinstance(after, ArrayType):
            yield from _of_types(path, before, after)
        elif isinstance(before, Held) and isinstance(after, Held):
            if not before.same(after):
                yield Reason("static", path, before.shown, after.shown, "a static value")
        else:
            yield Reason("static", path, _shown(before), _shown(after), "static or an array")


def _of_types(path: str, before: ArrayType, after: ArrayType) -> Iterator[Reason]:
    texts = path, str(before), str(after)
    if before.shape != after.shape:
        if before.ndim != after.ndim:
            note = f"{_axes(before.ndim)} → {_axes(after.ndim)}"
        else:
            pairs = enumerate(zip(before.shape, after.shape, strict=True))
            note = ", ".join(f"axis {i}: {a} → {b}" for i, (a, b) in pairs if a != b)
        yield Reason("shape", *texts, note)
    if before.dtype != after.dtype:
        note = f"dtype {dtype_name(before.dtype)} → {dtype_name(after.dtype)}"
        yield Reason("dtype", *texts, note)
    elif before.weak != after.weak:
        kind = "a Python number" if after.weak else "an array"
        yield Reason("weak", *texts, f"now {kind}: pass the same kind each time")


def _axes(count: int) -> str:
    return f"{count} axis" if count == 1 else f"{count} axes"


def _of_closure(old: TraceRecord, new: TraceRecord) -> Iterator[Reason]:
    for name in dict.fromkeys([*old.held, *new.held]):
        before, after = old.held.get(name), new.held.get(name)
        if before is None or after is None:
            yield Reason("closure", name, _shown(before), _shown(after))
        elif not before.same(after):
            note = "another one of the same kind" if before.shown == after.shown else ""
            yield Reason("closure", name, before.shown, after.shown, note)


def _shown(value: ArrayType | Held | None) -> str:
    if value is None:
        return "nothing"
    return value.shown if isinstance(value, Held) else str(value)
