"""Reading, writing and printing arrays: NumPy's own functions, with results of this room."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy

from fn.core import Tracer
from fn.numpy._creation import array
from fn.numpy._habits import public
from fn.numpy._logic import array_equal
from fn.numpy._manipulation import broadcast_shapes, broadcast_to
from fn.numpy._promotion import array as operand

get_printoptions, set_printoptions = numpy.get_printoptions, numpy.set_printoptions
printoptions = numpy.printoptions
save, savez = numpy.save, numpy.savez
ComplexWarning = numpy.exceptions.ComplexWarning


@public
def array_repr(arr: Any, *args: Any, **kwargs: Any) -> str:
    """The text of an array that Python code would make it from; of a tracer its type.

    >>> import fn.numpy as np
    >>> np.array_repr(np.ones(2))
    'Array([1., 1.], dtype=float32)'
    """
    if isinstance(arr, (Tracer, jax.Array)) and not args and not kwargs:
        return repr(arr)
    return numpy.array_repr(numpy.asarray(arr), *args, **kwargs)


@public
def array_str(a: Any, *args: Any, **kwargs: Any) -> str:
    """The elements of an array as text; of a tracer its type.

    >>> import fn.numpy as np
    >>> np.array_str(np.ones(2))
    '[1. 1.]'
    """
    return repr(a) if isinstance(a, Tracer) else numpy.array_str(numpy.asarray(a), *args, **kwargs)


def _reader(name: str, doc: str, example: str) -> Callable[..., Any]:
    read = getattr(numpy, name)

    def call(*args: Any, **kwargs: Any) -> Any:
        return array(read(*args, **kwargs))

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"{doc}; arguments as in NumPy.\n\n    {example}\n    "
    return public(call)


load = _reader(
    "load",
    "The array in a file written by `save`",
    """>>> import io, fn.numpy as np
    >>> file = io.BytesIO()
    >>> np.save(file, np.ones(2)), file.seek(0)
    (None, 0)
    >>> print(np.load(file))
    [1. 1.]""",
)
fromfile = _reader(
    "fromfile",
    "The array whose bytes or words a file holds",
    """>>> import tempfile, fn.numpy as np
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     _ = file.write(bytes([1, 2])), file.flush()
    ...     print(np.fromfile(file.name, np.uint8))
    [1 2]""",
)
frombuffer = _reader(
    "frombuffer",
    "The array whose bytes these are",
    """>>> import fn.numpy as np
    >>> print(np.frombuffer(bytes([1, 2]), np.uint8))
    [1 2]""",
)
fromstring = _reader(
    "fromstring",
    "The array of the numbers in a text",
    """>>> import fn.numpy as np
    >>> print(np.fromstring("1 2", sep=" "))
    [1. 2.]""",
)
fromiter = _reader(
    "fromiter",
    "The array of what an iterator gives",
    """>>> import fn.numpy as np
    >>> print(np.fromiter((i * i for i in range(3)), int))
    [0 1 4]""",
)


@public
def array_equiv(a1: Any, a2: Any) -> Any:
    """Whether two arrays broadcast together and then have the same elements.

    >>> import fn.numpy as np
    >>> bool(np.array_equiv(np.ones(3), 1.0))
    True
    """
    x, y = operand("array_equiv", a1), operand("array_equiv", a2, 1)
    try:
        shape = broadcast_shapes(x.shape, y.shape)
    except TypeError:
        return array(False)
    return array_equal(broadcast_to(x, shape), broadcast_to(y, shape))
