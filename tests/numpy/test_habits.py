import numpy
import pytest

import fn
import fn.numpy as np
from tests.numpy.compare import V, X


def test_arguments_that_ask_for_nothing():
    assert float(np.sum(V, out=None)) == float(np.sum(V))
    assert np.sort(X, kind=None, order=None).shape == X.shape
    assert np.add(V, V, where=True, casting="same_kind", subok=True).shape == V.shape
    assert np.take_along_axis(V, numpy.array([0]), 0, wrap_negative_indices=True).shape == (1,)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda: np.sum(V, out=V), r"sum: out= is not taken(.|\n)*y = sum\(...\)"),
        (
            lambda: np.sort(V, kind="heapsort"),
            r"sort: kind= is not taken(.|\n)*leave the argument out",
        ),
        (lambda: np.add(V, V, casting="unsafe"), r"add: casting= is not taken(.|\n)*astype"),
        (lambda: np.exp(V, where=V > 0), r"exp: where= is not taken(.|\n)*fn.numpy.where"),
    ],
)
def test_others_are_explained(function, words):
    with pytest.raises(fn.FnError, match=words):
        function()


def test_mistakes_are_pythons_own():
    with pytest.raises(TypeError, match="unexpected keyword argument 'axes'"):
        np.sum(V, axes=0)
