"""Every public name of JAX's numerical modules is here, or is left out for a reason that is written down.

These are `jax.numpy`, `jax.nn`, `jax.random`, `jax.ops` and all of `jax.scipy`, with their own modules.
"""

import importlib
import inspect
import pkgutil
import re
import types

import jax
import jax.numpy
import jax.ops
import jax.scipy
import pytest

_NARROW = "a storage format XLA computes nothing with; bfloat16, float16, float8_e4m3fn, float8_e5m2, int4 and uint4 are here"
_UFUNC = "functions are plain functions here; instead of add.reduce there is sum, instead of frompyfunc vectorize"
_SCALED = (
    "bound to one vendor's block-scaled matrix units; dot_product_attention and einsum are here"
)

OMITTED: dict[str, dict[str, str]] = {
    "numpy": {
        **dict.fromkeys(
            [
                "float4_e2m1fn", "float6_e2m3fn", "float6_e3m2fn", "float8_e3m4", "float8_e4m3",
                "float8_e4m3b11fnuz", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu",
                "int1", "int2", "uint1", "uint2",
            ],
            _NARROW,
        ),
        "ufunc": _UFUNC,
        "frompyfunc": _UFUNC,
    },
    "nn": {
        "initializers": "initial weights are fn.nn.he_normal and the like, functions of a key, a shape and a dtype",
        "get_scaled_dot_general_config": _SCALED,
        "scaled_dot_general": _SCALED,
        "scaled_matmul": _SCALED,
    },
    "random": {
        "key_dtype": "a key is an array of two uint32 here, not a scalar of a dtype of its own",
        "random_gamma_p": "a primitive of JAX's; the samplers gamma and loggamma are here",
    },
}  # fmt: skip


def _modules():
    """`numpy`, `nn`, `scipy.stats.norm`, …: the modules to walk, by their names below `jax`."""
    found = ["numpy", "numpy.linalg", "numpy.fft", "nn", "random", "ops", "scipy"]
    rooms = [room.name for room in pkgutil.walk_packages(jax.scipy.__path__, "jax.scipy.")]
    return found + [name.removeprefix("jax.") for name in rooms if "._" not in name]


MODULES = _modules()
THEIRS = {name: importlib.import_module(f"jax.{name}") for name in MODULES}
OURS = {name: importlib.import_module(f"fn.{name}") for name in MODULES}


def names(module):
    """Public names, among them modules that are part of this one."""
    inner = module.__name__ + "."
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (not isinstance(value, types.ModuleType) or value.__name__ == inner + name)
    ]


@pytest.mark.parametrize("module", OURS)
def test_every_name_is_here_or_omitted_for_a_reason(module):
    missing = [n for n in names(THEIRS[module]) if not hasattr(OURS[module], n)]
    assert sorted(missing) == sorted(
        n for n in OMITTED.get(module, {}) if hasattr(THEIRS[module], n)
    )


@pytest.mark.parametrize("module", OURS)
def test_no_name_is_omitted_that_is_here(module):
    assert not [n for n in OMITTED.get(module, {}) if hasattr(OURS[module], n)]


# Arguments of JAX's that are met without being in a signature: see fn/numpy/_habits.py.
_HABITS = {
    "out", "where", "order", "kind", "out_sharding", "wrap_negative_indices", "assume_unique_indices",
    "_dot_general",
}  # fmt: skip
_OTHER_ARGUMENTS = {
    "array_repr": "NumPy's own function behind it takes its arguments",
    "array_str": "NumPy's own function behind it takes its arguments",
    "load": "NumPy's own function behind it takes its arguments",
    "fromfile": "NumPy's own function behind it takes its arguments",
    "frombuffer": "NumPy's own function behind it takes its arguments",
    "fromstring": "NumPy's own function behind it takes its arguments",
    "fromiter": "NumPy's own function behind it takes its arguments",
    "one_hot": "fn.nn.one_hot is a loss's helper of fewer arguments",
}


def _signature(function):
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):
        return None


@pytest.mark.parametrize("module", OURS)
def test_arguments_have_their_names(module):
    wrong = []
    for name in names(THEIRS[module]):
        ours, theirs = getattr(OURS[module], name, None), getattr(THEIRS[module], name)
        if not inspect.isfunction(ours) or name in _OTHER_ARGUMENTS or inspect.isclass(theirs):
            continue
        found, wanted = _signature(ours), _signature(theirs)
        if found is None or wanted is None:
            continue
        kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
        known = {p.name for p in found.parameters.values() if p.kind in kinds}
        if any(p.kind is inspect.Parameter.VAR_KEYWORD for p in found.parameters.values()):
            continue
        lacking = {
            p.name for p in wanted.parameters.values() if p.kind in kinds
        } - known - _HABITS  # fmt: skip
        if lacking:
            wrong.append(f"{name}: {sorted(lacking)}")
    assert not wrong, "\n".join(wrong)


def test_reasons_are_sentences():
    for reasons in OMITTED.values():
        assert all(re.match(r"[a-z].{20,}", reason) for reason in reasons.values())
