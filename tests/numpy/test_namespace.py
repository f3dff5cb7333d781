import jax
import numpy
import pytest

import fn
import fn.numpy as np

INFO = np.__array_namespace_info__()


def test_what_the_namespace_says():
    assert np.__array_api_version__ == "2025.12"
    assert INFO.capabilities() == {
        "boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64,
    }  # fmt: skip
    assert INFO.default_device() is None
    assert jax.devices()[0] in INFO.devices()
    assert np.zeros(2, device=INFO.default_device()).shape == (2,)


def test_dtypes():
    assert "float64" not in INFO.dtypes()
    assert list(INFO.dtypes(kind=("bool", "complex floating"))) == ["bool", "complex64"]
    assert INFO.default_dtypes()["indexing"] == numpy.int32
    with jax.enable_x64(True):
        assert len(INFO.dtypes()) == 13
        assert INFO.dtypes(kind="complex floating")["complex128"] == np.complex128
        assert INFO.default_dtypes()["real floating"] == np.float64


def test_errors():
    with pytest.raises(fn.FnError, match="dtypes: unknown kind"):
        INFO.dtypes(kind="floats")
