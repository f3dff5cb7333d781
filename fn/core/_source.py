"""Where in the user's code something happened: cheap to record, resolved only when somebody looks."""

from __future__ import annotations

import os
import sys
import sysconfig
import threading
import traceback
from collections.abc import Callable, Sequence
from functools import lru_cache, wraps
from types import CodeType, FrameType, TracebackType
from typing import Any, NamedTuple, TypeVar

import jax

_HOME = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_STDLIB = sysconfig.get_paths()["stdlib"] + os.sep
# Code below these folders is never "the user's line". The standard library counts as internal only
# outside its site-packages folder, which lies below it.
_INTERNAL = (_HOME, os.path.dirname(jax.__file__) + os.sep, "<frozen ")
_known: dict[str, bool] = {}


class Source:
    """A place in the user's code: a code object and an instruction offset.

    >>> str(current_source()).endswith("in <module>")
    True
    """

    __slots__ = ("code", "offset")
    origin: tuple[str, ...] = ()
    """What made the equation of the one the user wrote, in order: `("jvp", "transpose", "batch")`."""
    lanes: tuple[Lanes, ...] = ()
    """Where the equation's outputs have the axes of `vmap`, outermost first."""

    def __init__(self, code: CodeType, offset: int) -> None:
        self.code, self.offset = code, offset

    @property
    def file(self) -> str:
        """Path of the source file."""
        return self.code.co_filename

    @property
    def line(self) -> int:
        """Line number in the file, counted from one."""
        return _lines(self.code)[self.offset // 2]

    def through(self, step: str) -> Derived:
        """This place, for an equation that `step` makes of the one from here."""
        return Derived(self.code, self.offset, (*self.origin, step), self.lanes)

    def __str__(self) -> str:
        return f"{shown_file(self.file)}:{self.line} in {self.code.co_name}"


def shown_file(name: str) -> str:
    """How people know the file called `name`: a notebook's cell by its number, `Cell In[3]`."""
    notebook = sys.modules.get("IPython")
    shell = None if notebook is None else notebook.get_ipython()
    found = None if shell is None else shell.compile.format_code_name(name)
    return " ".join(found) if found else name


class Lanes(NamedTuple):
    """An axis that `vmap` added to the outputs of an equation."""

    size: int
    name: Any
    dims: tuple[int | None, ...]
    """Per output, which of its axes it is; None where the output has no such axis."""


class Derived(Source):
    """Where an equation that a transform or a pass made comes from."""

    __slots__ = ("origin", "lanes")

    def __init__(
        self, code: CodeType, offset: int, origin: tuple[str, ...], lanes: tuple[Lanes, ...] = ()
    ) -> None:
        self.code, self.offset, self.origin, self.lanes = code, offset, origin, lanes

    def batched(self, size: int, name: Any, dims: Sequence[int | None]) -> None:
        """Note where the axis just added is; those added before have moved up behind it."""
        older = [
            axis._replace(dims=tuple([_shifted(d, new) for d, new in zip(axis.dims, dims)]))
            for axis in self.lanes
        ]
        self.lanes = (Lanes(size, name, tuple(dims)), *older)


def _shifted(dim: int | None, new: int | None) -> int | None:
    return dim if dim is None or new is None or dim < new else dim + 1


@lru_cache(1024)
def _lines(code: CodeType) -> list[int]:
    return [position[0] or code.co_firstlineno for position in code.co_positions()]


def through(source: Source | None, step: str) -> Derived | None:
    """`source.through(step)`; for an equation without a source, one from the line being executed."""
    if source is None:
        frame = user_frame()
        source = None if frame is None else Source(frame.f_code, frame.f_lasti)
    return None if source is None else source.through(step)


class _State(threading.local):
    source: Source | None = None


state = _State()


def is_internal(code: CodeType) -> bool:
    """Whether `code` belongs to fn, to JAX or to the standard library rather than to the user."""
    name = code.co_filename
    known = _known.get(name)
    return is_internal_file(name) if known is None else known


def is_internal_file(name: str) -> bool:
    """Whether the file called `name` belongs to fn, to JAX or to the standard library."""
    known = _known.get(name)
    if known is None:
        standard = name.startswith(_STDLIB) and "site-packages" not in name
        known = _known[name] = name.startswith(_INTERNAL) or standard
    return known


def user_frame() -> FrameType | None:
    """The innermost frame that runs the user's code, or None outside any."""
    frame: FrameType | None = sys._getframe(1)
    known = _known  # this loop is a good part of what recording an operation costs
    while frame is not None:
        name = frame.f_code.co_filename
        internal = known.get(name)
        if internal is None:
            internal = is_internal_file(name)
        if not internal:
            return frame
        frame = frame.f_back
    return None


def current_source() -> Source | None:
    """The user's line being executed, or the line an equation under transformation came from."""
    if state.source is not None:
        return state.source
    frame = user_frame()
    return None if frame is None else Source(frame.f_code, frame.f_lasti)


# --- tracebacks -------------------------------------------------------------------------

_JAX_NOTE = "JAX has removed its internal frames"
# A concrete array of JAX's refuses a traced index before fn can see it.
_INDEXED = "Got Tracer<"
_INDEX_NOTE = (
    "take it from the array as a traced one: fn.numpy.asarray(table)[i], or fn.numpy.take(table, i)"
)
F = TypeVar("F", bound=Callable[..., Any])


def user_traceback(error: BaseException) -> TracebackType | None:
    """`error`'s traceback without the frames of fn and JAX (all of them if `FN_TRACEBACK=full`)."""
    if os.environ.get("FN_TRACEBACK") == "full":
        return error.__traceback__
    kept = [
        (frame, line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if not is_internal(frame.f_code)
    ]
    result: TracebackType | None = None
    for frame, line in reversed(kept):
        result = TracebackType(result, frame, frame.f_lasti, line)
    return result


def hide_frames(error: BaseException) -> BaseException:
    """Strip internal frames, and JAX's remark about having done so, from `error`."""
    error.__traceback__ = user_traceback(error)
    if os.environ.get("FN_TRACEBACK") != "full":
        if _JAX_NOTE in str(error.__cause__):
            error.__cause__ = None
        notes = getattr(error, "__notes__", None)
        if notes:
            error.__notes__ = [note for note in notes if _JAX_NOTE not in note]
    known = getattr(error, "__notes__", ())
    if isinstance(error, IndexError) and _INDEXED in str(error) and _INDEX_NOTE not in known:
        error.add_note(_INDEX_NOTE)
    return error


def public(function: F) -> F:
    """Mark a function users call: errors that leave it show the user's frames and this one only."""

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            raise hide_frames(error) from error.__cause__

    return call  # type: ignore[return-value]  # same signature by construction
