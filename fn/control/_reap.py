"""`reap` and `plant`: read or replace the tagged values inside a function, wherever they are."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Any, NamedTuple

from fn.control._extend import Extended, Frame, How, Site, by_site, extend
from fn.control._structure import as_arrays, holds, in_dtype
from fn.control._tag import Shape, shape_of, tag_p
from fn.core import (
    ArgumentError,
    ArrayType,
    Equation,
    TypeRuleError,
    bind,
    execute,
    function_name,
    public,
    type_of,
)
from fn.transforms import trace_at

_MODES = ("once", "append")


class _Named(NamedTuple):
    """What is known of a tagged value."""

    name: str
    shape: Shape | None
    where: str


class _Tags(How):
    """Passes about tags with some names, or all."""

    effects = frozenset({"tag"})
    for_rules = True

    def __init__(self, names: frozenset[str] | None) -> None:
        self.names = names

    @property
    def key(self) -> Any:
        return type(self), self.names

    def leaf(self, frame: Frame, equation: Equation, args: list[Any]) -> Sequence[Any]:
        name, shape = equation.params["name"], equation.params["shape"]
        if self.names is not None and name not in self.names:
            outs: Sequence[Any] = bind(tag_p, *args, **equation.params)
            return outs
        types = tuple([a.type for a in equation.inputs])
        return self.at(frame, Site(_Named(name, shape, str(equation.source)), types), args)

    @abstractmethod
    def at(self, frame: Frame, site: Site, args: list[Any]) -> Sequence[Any]:
        """What a tag with one of the names gives."""

    def join(self, branches: Sequence[Sequence[Site]]) -> tuple[list[Site], list[list[int]]]:
        """What has the same name in several branches is one, of which one is taken."""
        joint: list[Site] = []
        known: dict[tuple[str, int], int] = {}
        places: list[list[int]] = []
        for sites in branches:
            seen: Counter[str] = Counter()
            mine = []
            for site in sites:
                key = site.what.name, seen[site.what.name]
                seen[site.what.name] += 1
                at = known.setdefault(key, len(joint))
                if at == len(joint):
                    joint.append(site)
                elif not _alike(site, joint[at]):
                    raise _differ(joint[at], site)
                mine.append(at)
            places.append(mine)
        return joint, places


class _Reap(_Tags):
    def at(self, frame: Frame, site: Site, args: list[Any]) -> Sequence[Any]:
        frame.find(site, args)
        return args


class _Plant(_Tags):
    def at(self, frame: Frame, site: Site, args: list[Any]) -> Sequence[Any]:
        return frame.feed(site)


# --- reap -------------------------------------------------------------------------------


def reap(
    function: Callable[..., Any], names: Iterable[str] | None = None, *, mode: str = "once"
) -> Callable[..., tuple[Any, dict[str, Any]]]:
    """A function that also gives the values tagged inside `function`.

    A value is found wherever it is: in functions jitted or called with `fn.checkpoint`, in custom ones,
    in what is being differentiated (`reap(grad(f))` finds the primal values). In

    - `fn.scan` and `fn.map`, those of all steps are stacked on a leading axis;
    - `fn.vmap`, those of all entries: `reap(vmap(f))` gives what `vmap(reap(f))` does;
    - `fn.while_loop`, it is that of the last step, zeros if there was none;
    - `fn.cond` and `fn.switch`, it is that of the branch taken. A name may be in several branches, with
      one type. Where the branch taken has none, the value is zeros.

    The result can be transformed like any function. Tags with other names stay, for a `reap` or `plant`
    around.

    Args:
        function: of arrays and pytrees.
        names: which tags to look for; all of them by default.
        mode: "once" if each name is that of one value; "append" to get a tuple for each name, of all
            values with this name in the order in which they are computed.

    Returns:
        `f(*args, **kwargs) -> (output, found)`, with a dict from names to values.

    Raises:
        ArgumentError: when called, if a name is used twice, with both lines, or there is none of it.
        TypeRuleError: if branches use a name for values of different types, with both lines.

    >>> import fn, fn.numpy as np
    >>> def step(c, x):
    ...     return fn.tag(c + x, "sum"), None
    >>> out, found = fn.reap(lambda xs: fn.scan(step, 0.0, xs)[0])(np.arange(4.0))
    >>> found["sum"].tolist()
    [0.0, 1.0, 3.0, 6.0]
    """
    _check("reap", function, mode)
    wanted = _names("reap", names)

    @wraps(function)
    @public
    def reaped(*args: Any, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        split, traced = trace_at("reap", function, args, kwargs)
        program = traced.program
        inner = extend(program.closed(), _Reap(wanted))
        _check_sites("reap", function, inner.found, wanted, mode)
        results = as_arrays(execute(inner.program, [*split.arrays, *program.captured]))
        count = len(program.outputs)
        found: dict[str, Any] = {}
        for site, values in zip(inner.found, by_site(inner.found, results[count:]), strict=True):
            shape = site.what.shape
            value = values[0] if shape is None else shape.rebuild(values)
            if mode == "append":
                value = (*found.get(site.what.name, ()), value)
            found[site.what.name] = value
        return traced.rebuild(results[:count]), found

    return reaped


# --- plant ------------------------------------------------------------------------------


def plant(function: Callable[..., Any], *, mode: str = "once") -> Callable[..., Any]:
    """A function that puts given values in the place of those tagged inside `function`.

    The counterpart of `reap`: values have the types `reap` gives, so that
    `plant(f)(reap(f)(x)[1], x)` is `f(x)`. In `fn.scan` and `fn.map` there is one for each step, stacked;
    in `fn.vmap` one for each entry; in `fn.while_loop` the same for all steps; in branches, the value is
    for each that has the name. What led to the value replaced is not computed. A function with rules of
    its own (`fn.custom`) inside which a value is planted is differentiated as if it had none.

    Args:
        function: of arrays and pytrees.
        mode: "once" if each name is that of one value; "append" to give a tuple for each name, with an
            entry for each value of this name.

    Returns:
        `f(planted, *args, **kwargs)`, which returns what `function` does. `planted` is a dict from names
        to values; tags it does not name stay.

    Raises:
        ArgumentError: when called, if a name is used twice, with both lines, or there is none of it.
        TypeRuleError: if a value has another type than the one tagged, with both types and lines.

    >>> import fn, fn.numpy as np
    >>> f = lambda x: np.cos(fn.tag(np.sin(x), "wave"))
    >>> float(fn.plant(f)({"wave": 0.0}, 2.0))
    1.0
    """
    _check("plant", function, mode)

    @wraps(function)
    @public
    def planted(values: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        if not isinstance(values, dict):
            raise ArgumentError(
                "plant: the first argument is not a dict", expected="a dict from names of tags to values",
                got=type(values).__name__, fix="write fn.plant(f)({name: value}, *args)",
            )  # fmt: skip
        wanted = _names("plant", values)
        split, traced = trace_at("plant", function, args, kwargs)
        program = traced.program
        inner = extend(program.closed(), _Plant(wanted))
        _check_sites("plant", function, inner.feeds, wanted, mode)
        fed = _fed(inner, values, mode)
        outs = execute(inner.program, [*split.arrays, *program.captured, *fed])
        return traced.rebuild(as_arrays(outs))

    return planted


def _fed(inner: Extended, values: dict[str, Any], mode: str) -> list[Any]:
    """The planted arrays, one after the other as the sites want them."""
    seen: Counter[str] = Counter()
    fed: list[Any] = []
    for site in inner.feeds:
        name = site.what.name
        value = values[name]
        if mode == "append":
            total = sum(s.what.name == name for s in inner.feeds)
            if not isinstance(value, tuple) or len(value) != total:
                raise ArgumentError(
                    f"plant: {name!r} is not a tuple with an entry for each value of this name",
                    expected=f"a tuple of {total}",
                    got=f"a tuple of {len(value)}" if isinstance(value, tuple) else type(value).__name__,
                )  # fmt: skip
            value = value[seen[name]]
            seen[name] += 1
        shape, arrays = shape_of(value)
        given = [t for t in map(type_of, arrays) if t is not None]
        fits = len(given) == len(site.types) and shape == site.what.shape
        if not fits or not all(map(_fits, given, site.types)):
            raise TypeRuleError(
                f"plant: {name!r} is given a value of another type than the one tagged",
                expected=f"{_text(site)}, as tagged at {site.what.where}",
                got=_text(Site(_Named(name, shape, ""), tuple(given))),
                fix="values are as fn.reap gives them: one for each step of a scan, stacked, and for each "
                "entry of a vmap",
            )
        fed += [in_dtype(a, t) for a, t in zip(arrays, site.types, strict=True)]
    return fed


def _fits(given: ArrayType, wanted: ArrayType) -> bool:
    same = given.dtype == wanted.dtype or (given.weak and holds(wanted.dtype, given.dtype))
    return given.shape == wanted.shape and same


# --- shared -----------------------------------------------------------------------------


def _check(operation: str, function: Any, mode: str) -> None:
    if not callable(function):
        raise ArgumentError(
            f"{operation}: the first argument is not a function", expected="a function",
            got=type(function).__name__, fix=f"write fn.{operation}(f)(x), not fn.{operation}(f(x))",
        )  # fmt: skip
    if mode not in _MODES:
        raise ArgumentError(
            f"{operation}: no such mode", expected=" or ".join(map(repr, _MODES)), got=repr(mode)
        )


def _names(operation: str, names: Iterable[str] | None) -> frozenset[str] | None:
    if names is None:
        return None
    if isinstance(names, str):
        names = (names,)
    found = list(names)
    if not all(isinstance(n, str) for n in found):
        raise ArgumentError(
            f"{operation}: a name is not a string", expected="names as given to fn.tag",
            got=", ".join(type(n).__name__ for n in found if not isinstance(n, str)),
        )  # fmt: skip
    return frozenset(found)


def _check_sites(
    operation: str, function: Any, sites: Sequence[Site], wanted: Iterable[str] | None, mode: str
) -> None:
    first: dict[str, Site] = {}
    for site in sites:
        before = first.setdefault(site.what.name, site)
        if before is not site and mode == "once":
            raise ArgumentError(
                f"{operation}: two values are tagged {site.what.name!r}",
                expected="a name of its own for each value",
                got=f"one at {before.what.where}, another at {site.what.where}",
                fix='number the names (f"layer{i}"), or pass mode="append" for all of them, in a tuple',
            )
    missing = sorted(set(wanted or ()) - set(first))
    if missing:
        raise ArgumentError(
            f"{operation}: nothing in `{function_name(function)}` is tagged {missing[0]!r}",
            expected="a name given to fn.tag", got=", ".join(map(repr, missing)),
            fix="see fn.reap(f)(*args)[1] for the names there are",
        )  # fmt: skip


def _alike(a: Site, b: Site) -> bool:
    kinds = [[(t.shape, t.dtype) for t in site.types] for site in (a, b)]
    return kinds[0] == kinds[1] and a.what.shape == b.what.shape


def _differ(first: Site, other: Site) -> TypeRuleError:
    return TypeRuleError(
        f"two branches tag values of different types {first.what.name!r}",
        expected=f"{_text(first)}, as at {first.what.where}",
        got=f"{_text(other)} at {other.what.where}",
        fix="give them different names",
    )


def _text(site: Site) -> str:
    if site.what.shape is None:
        return str(site.types[0])
    return str(site.what.shape.rebuild(site.types))
