import io

import jax
import numpy

import fn
import fn.numpy as np
from tests.numpy.compare import V, X


def test_there_and_back():
    file = io.BytesIO()
    np.save(file, X)
    file.seek(0)
    back = np.load(file)
    assert isinstance(back, jax.Array) and numpy.array_equal(back, X)
    assert numpy.array_equal(np.frombuffer(numpy.asarray(V).tobytes(), np.float32), V)
    assert np.fromiter(iter([1, 2]), int).tolist() == [1, 2]
    assert np.fromstring("1,2", int, sep=",").tolist() == [1, 2]


def test_texts():
    assert np.array_str(np.ones(2), precision=2) == "[1. 1.]"
    assert np.array_repr(numpy.ones(2)) == "array([1., 1.])"
    texts = []
    fn.jit(lambda x: texts.append((np.array_str(x), np.array_repr(x))) or x)(V)
    assert texts[0] == ("Tracer<f32[4]>", "Tracer<f32[4]>")
    with np.printoptions(precision=2):
        assert np.get_printoptions()["precision"] == 2


def test_equivalence():
    assert bool(np.array_equiv(X, X[None])) and not bool(np.array_equiv(X, V[:3]))
