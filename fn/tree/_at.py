"""`at("enc/*/w")`: read, replace or change the places of a tree that a pattern names."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

from jax.tree_util import tree_unflatten

from fn.core import ArgumentError, TreeError, public
from fn.tree._difference import children, join, one_level
from fn.tree._map import paths

_WILD = frozenset("*?[")


class At:
    """Places of a tree, named by patterns; see `at`.

    >>> import fn
    >>> places = fn.tree.at("*/w")
    >>> isinstance(places, fn.tree.At), places.get({"a": {"w": 1, "b": 2}})
    (True, {'a/w': 1})
    """

    __slots__ = ("patterns",)

    def __init__(self, patterns: tuple[str, ...]) -> None:
        self.patterns = patterns

    def __repr__(self) -> str:
        return f"at({', '.join(map(repr, self.patterns))})"

    @public
    def get(self, tree: Any) -> Any:
        """What is there: the leaf or branch itself, or a dict from paths if there are wildcards."""
        found: dict[str, Any] = {}
        self._rebuild("get", tree, lambda path, node: found.setdefault(path, node))
        return found if self._many() else found.popitem()[1]

    @public
    def set(self, tree: Any, value: Any) -> Any:
        """`tree` with `value` at each place.

        A dict as `get` returns it, from exactly the paths that the wildcards match, is put back place
        by place.
        """
        if self._many() and isinstance(value, dict):
            here = self.get(tree)
            if value.keys() == here.keys():
                return self._rebuild("set", tree, lambda path, node: value[path])
        return self._rebuild("set", tree, lambda path, node: value)

    @public
    def apply(self, tree: Any, f: Callable[[Any], Any]) -> Any:
        """`tree` with `f(what is there)` at each place."""
        return self._rebuild("apply", tree, lambda path, node: f(node))

    @public
    def paths(self, tree: Any) -> list[str]:
        """The paths of the places in `tree`."""
        found: list[str] = []
        self._rebuild("paths", tree, lambda path, node: found.append(path))
        return found

    def _many(self) -> bool:
        return len(self.patterns) > 1 or any(_WILD & set(p) for p in self.patterns)

    def _rebuild(self, operation: str, tree: Any, change: Callable[[str, Any], Any]) -> Any:
        used = [False] * len(self.patterns)

        def walk(path: str, node: Any) -> Any:
            hits = [matches(pattern, path) for pattern in self.patterns] if path else []
            if any(hits):
                used[:] = [u or h for u, h in zip(used, hits, strict=True)]
                return change(path, node)
            below = children(node)
            if below is None or node is None:
                return node
            new = [walk(join(path, key), child) for key, child in below]
            if all(a is b for a, (_, b) in zip(new, below, strict=True)):
                return node
            return tree_unflatten(one_level(node), new)

        result = walk("", tree)
        for pattern, hit in zip(self.patterns, used, strict=True):
            if not hit:
                raise _nothing(operation, pattern, tree)
        return result


def _nothing(operation: str, pattern: str, tree: Any) -> TreeError:
    known = paths(tree)
    close = difflib.get_close_matches(pattern, known, 3, 0.4) or known[:3]
    return TreeError(
        f"tree.at: nothing to {operation} at {pattern!r}",
        expected="a pattern that matches a path of the tree",
        got=f"{len(known)} leaves, such as " + ", ".join(f"`{p}`" for p in close) if known else "a tree without leaves",
        fix="`*` stands for one part of a path, `**` for any number of parts",
    )  # fmt: skip


def matches(pattern: str, path: str) -> bool:
    """Whether a pattern names a path: part by part, `*` within one part, `**` for any number."""
    return _parts(pattern.split("/"), path.split("/"))


def _parts(pattern: list[str], path: list[str]) -> bool:
    if not pattern:
        return not path
    if pattern[0] == "**":
        return any(_parts(pattern[1:], path[i:]) for i in range(len(path) + 1))
    return bool(path) and fnmatchcase(path[0], pattern[0]) and _parts(pattern[1:], path[1:])


@public
def at(*patterns: str) -> At:
    """The places of a tree whose path matches a pattern, for `get`, `set`, `apply` and `paths`.

    A path is the keys, positions and attribute names on the way, joined by `/`. In a pattern `*`
    stands for any text within one part, `?` and `[abc]` for one character, `**` for any number of
    parts. A place may be a leaf or a whole branch; below a branch that matches nothing else does.

    Args:
        patterns: such as `"enc/*/w"`; several name the places of all of them.

    Returns:
        An `At`. Its methods take the tree first and return a new one:
        `at("enc/*/w").set(params, 0.0)`.

    Raises:
        TreeError: by the methods, if a pattern matches nothing in the tree; with paths it may mean.

    >>> import fn
    >>> params = {"enc": [{"w": 1, "b": 2}, {"w": 3, "b": 4}]}
    >>> fn.tree.at("enc/*/w").get(params)
    {'enc/0/w': 1, 'enc/1/w': 3}
    >>> fn.tree.at("enc/1").set(params, None)
    {'enc': [{'w': 1, 'b': 2}, None]}
    >>> fn.tree.at("**/b").apply(params, lambda b: 10 * b)
    {'enc': [{'b': 20, 'w': 1}, {'b': 40, 'w': 3}]}
    """
    for pattern in patterns:
        if not isinstance(pattern, str) or not pattern:
            raise ArgumentError(
                "tree.at: a pattern is not a path", expected='a string such as "enc/*/w"',
                got=type(pattern).__name__ if pattern else "an empty pattern",
            )  # fmt: skip
    if not patterns:
        raise ArgumentError("tree.at: no pattern", expected='a string such as "enc/*/w"')
    return At(tuple(p.strip("/") for p in patterns))
