"""Pages for notebooks: whatever came from a user is text, and nothing is fetched."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import numpy as onp
import pytest

import fn
import fn.numpy as np

X = onp.ones((4, 3), onp.float32)
EVIL = "<script>alert(1)</script><img src=x onerror='alert(2)'>\"'&"
TAGS = {
    "div", "style", "span", "input", "details", "summary", "a", "script", "table", "thead", "tbody",
    "tr", "th", "td",
}  # fmt: skip
ATTRIBUTES = {
    "class", "style", "type", "placeholder", "aria-label", "open", "title", "data-name", "data-to",
    "data-defines",
}  # fmt: skip


class _Page(HTMLParser):
    """Tags that match, and what there is of them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.attributes: set[str] = set()
        self.shown = ""
        self.hovers: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.hovers += [value for name, value in attrs if name == "title"]
        if tag != "input":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("script", "style"):
            self.shown += data


def _views() -> dict[str, Any]:
    def evil(x: Any) -> Any:
        y = fn.name(np.sin(x[EVIL]), EVIL)  # <b>bold</b>
        return np.log(y - 10.0).sum()

    evil.__name__ = EVIL
    args = {EVIL: X}
    jitted = fn.jit(lambda x, mode: np.sin(x["a"]) if mode else x["a"], static_argnames="mode")
    jitted({"a": X}, mode=EVIL)
    jitted({"a": X}, mode=EVIL + "2")
    return {
        "show": fn.inspect.show(fn.grad(evil))(args),
        "diff": fn.inspect.diff(evil, lambda x: np.cos(x[EVIL]).sum())(args),
        "steps": fn.inspect.steps(evil, fn.grad)(args),
        "cost": fn.inspect.cost(evil)(args),
        "find_nan": fn.inspect.find_nan(evil)(args),
        "explain": fn.inspect.explain(jitted),
    }


VIEWS = _views()


@pytest.mark.parametrize("kind", VIEWS)
def test_what_comes_from_users_is_text(kind: str) -> None:
    page = _Page(VIEWS[kind].html())
    assert not page.open
    assert set(page.tags) <= TAGS
    assert page.attributes <= ATTRIBUTES
    assert page.tags.count("script") == 1
    assert VIEWS[kind]._repr_html_() == VIEWS[kind].html()


@pytest.mark.parametrize("kind", VIEWS)
def test_nothing_is_fetched(kind: str) -> None:
    text = VIEWS[kind].html()
    for word in (
        "http:",
        "https:",
        "//cdn",
        "@import",
        "url(",
        "<link",
        "src=x>",
        "fetch(",
        "innerHTML",
    ):
        assert word not in text.replace(EVIL, "")


def test_names_paths_and_lines_are_shown_as_they_are() -> None:
    shown = _Page(VIEWS["show"].html()).shown
    assert f"x/{EVIL}" in shown
    assert "# <b>bold</b>" in shown
    assert "<script>alert(1)" in _Page(VIEWS["explain"].html()).shown


def test_a_page_folds_hovers_and_searches() -> None:
    inner = fn.jit(lambda x: np.sin(x) * 2.0)
    chain = fn.inspect.show(lambda x: inner(np.cos(inner(x) + 1.0) ** 2 / 3.0) - 1.0)(X)
    text = chain.html()
    page = _Page(text)
    assert page.tags.count("details") == 2
    assert text.count("<details open") == 1
    assert 'class="off" type="search"' in text
    assert 'data-to="_lambda_"' in text
    assert any(
        h.startswith("sin: (f32[4,3]) → (f32[4,3])") and "test_html.py" in h for h in page.hovers
    )
    assert 'data-defines="b"' in text
