"""Where in the user's code something happened: cheap to record, resolved only when somebody looks."""

from __future__ import annotations

import os
import sys
import sysconfig
import threading
import traceback
from collections.abc import Callable
from functools import wraps
from types import CodeType, FrameType, TracebackType
from typing import Any, TypeVar

import jax

_HOME = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_STDLIB = sysconfig.get_paths()["stdlib"] + os.sep
# Code below these folders is never "the user's line". The standard library counts as internal only
# outside its site-packages folder, which lies below it.
_INTERNAL = (_HOME, os.path.dirname(jax.__file__) + os.sep, "<frozen ")
_known: dict[CodeType, bool] = {}


class Source:
    """A place in the user's code: a code object and an instruction offset.

    >>> str(current_source()).endswith("in <module>")
    True
    """

    __slots__ = ("code", "offset")

    def __init__(self, code: CodeType, offset: int) -> None:
        self.code, self.offset = code, offset

    @property
    def file(self) -> str:
        """Path of the source file."""
        return self.code.co_filename

    @property
    def line(self) -> int:
        """Line number in the file, counted from one."""
        for index, position in enumerate(self.code.co_positions()):
            if index * 2 == self.offset and position[0] is not None:
                return position[0]
        return self.code.co_firstlineno

    def __str__(self) -> str:
        return f"{self.file}:{self.line} in {self.code.co_name}"


class _State(threading.local):
    source: Source | None = None


state = _State()


def is_internal(code: CodeType) -> bool:
    """Whether `code` belongs to fn, to JAX or to the standard library rather than to the user."""
    known = _known.get(code)
    if known is None:
        known = _known[code] = is_internal_file(code.co_filename)
    return known


def is_internal_file(name: str) -> bool:
    """Whether the file called `name` belongs to fn, to JAX or to the standard library."""
    standard = name.startswith(_STDLIB) and "site-packages" not in name
    return name.startswith(_INTERNAL) or standard


def user_frame() -> FrameType | None:
    """The innermost frame that runs the user's code, or None outside any."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and is_internal(frame.f_code):
        frame = frame.f_back
    return frame


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
