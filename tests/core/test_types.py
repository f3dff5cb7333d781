"""Types: interned, spelled shortly, weak for Python scalars."""

import pickle

import jax
import ml_dtypes
import numpy as np
import pytest

from fn.core import DTYPES, ArrayType, dtype_name, is_float, is_inexact, is_integer, type_of


def test_equal_types_are_one_object() -> None:
    assert ArrayType((2, 3), np.float32) is ArrayType((2, 3), "float32")
    assert ArrayType([np.int64(2)], np.int8) is ArrayType((2,), np.int8)
    assert ArrayType((), np.float32) is not ArrayType((), np.float32, weak=True)
    assert pickle.loads(pickle.dumps(ArrayType((2,), np.float32, True))) is ArrayType(
        (2,), np.float32, True
    )


@pytest.mark.parametrize(
    ("type", "text"),
    [
        (ArrayType((3, 4), np.float32), "f32[3,4]"),
        (ArrayType((), np.float32, weak=True), "~f32[]"),
        (ArrayType((0,), np.bool_), "bool[0]"),
        (ArrayType((1,), ml_dtypes.bfloat16), "bf16[1]"),
        (ArrayType((), np.complex128), "c128[]"),
        (ArrayType((), ml_dtypes.int4), "i4[]"),
    ],
)  # fmt: skip
def test_spelling(type: ArrayType, text: str) -> None:
    assert str(type) == text


def test_parts() -> None:
    t = ArrayType((2, 3), np.float32, weak=True)
    assert (t.ndim, t.size) == (2, 6)
    assert t.with_shape((4,)) is ArrayType((4,), np.float32, True)
    assert t.strong() is ArrayType((2, 3), np.float32)
    assert t.with_dtype(np.int8) is ArrayType((2, 3), np.int8)
    with pytest.raises(AttributeError, match="immutable"):
        t.shape = ()  # type: ignore[misc]


def test_type_of_values() -> None:
    assert str(type_of(1)) == "~i32[]"
    assert str(type_of(1.0)) == "~f32[]"
    assert str(type_of(1j)) == "~c64[]"
    assert str(type_of(True)) == "bool[]"
    assert str(type_of(np.float32(1))) == "f32[]"
    assert str(type_of(np.ones(3))) == "f32[3]"
    assert str(type_of(jax.numpy.ones(3, jax.numpy.bfloat16))) == "bf16[3]"
    assert str(type_of(jax.numpy.asarray(1.0))) == "~f32[]"
    assert str(type_of(jax.ShapeDtypeStruct((2,), np.int8))) == "i8[2]"
    for nothing in (None, "text", np.array(["a"]), np.array([None]), [1.0], object()):
        assert type_of(nothing) is None


def test_wide_types_are_narrowed_unless_switched_on() -> None:
    assert str(type_of(np.ones(3, np.int64))) == "i32[3]"
    with jax.enable_x64(True):
        assert str(type_of(1.0)) == "~f64[]"
        assert str(type_of(np.ones(3, np.int64))) == "i64[3]"
        assert str(type_of(np.ones(3, np.float32))) == "f32[3]"
    assert str(type_of(1.0)) == "~f32[]"


def test_families_partition_the_dtypes() -> None:
    for name, dtype in DTYPES.items():
        assert dtype_name(dtype) == name
        assert [is_inexact(dtype), is_integer(dtype), name == "bool"].count(True) == 1
    assert is_float(DTYPES["bf16"]) and not is_float(DTYPES["c64"])
