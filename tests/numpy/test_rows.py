"""Every public name has a docstring, and every function of the tables an example that runs."""

import doctest
import inspect

import pytest

import fn.numpy as np

FUNCTIONS = {
    name: f for name, f in vars(np).items() if inspect.isfunction(f) and not name.startswith("_")
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_examples(name):
    function = FUNCTIONS[name]
    doc = function.__doc__
    assert doc, "no docstring"
    if name == "install_operators":
        return
    (test,) = doctest.DocTestFinder(recurse=False).find(function, name, module=False)
    assert test.examples, "no example"
    if (
        inspect.unwrap(function).__module__ == "fn.numpy._rows"
    ):  # the others run as doctests of their file
        assert doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(test).failed == 0
