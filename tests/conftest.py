"""Before anything is imported: checking on, eight CPU devices, and compiles as cheap as they get."""

from __future__ import annotations

import os
import tempfile
from importlib.metadata import version
from pathlib import Path

os.environ["FN_CHECK"] = "1"
os.environ["XLA_FLAGS"] = " ".join(
    [
        os.environ.get("XLA_FLAGS", ""),
        "--xla_force_host_platform_device_count=8",
        # The next two change nothing in what is computed; compiling a tiny program goes from 190 ms
        # to 35. Versions after 0.10 do not know the second one, and die of it.
        "--xla_backend_optimization_level=0",
        "--xla_cpu_use_fusion_emitters=false" if version("jax").startswith("0.10.") else "",
    ]
)

import hypothesis
import jax
import pytest

# Executables are kept between runs: a hit takes 2 ms. The folder is keyed by version, XLA by the rest.
_CACHE = Path(tempfile.gettempdir()) / f"fn-tests-xla-{jax.__version__}-{os.getuid()}"
jax.config.update("jax_compilation_cache_dir", str(_CACHE))
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def pytest_configure(config: pytest.Config) -> None:
    # One worker may meet an entry that another is writing; JAX says so and compiles.
    for verb in ("reading", "writing"):
        text = f"ignore:Error {verb} persistent compilation cache entry"
        config.addinivalue_line("filterwarnings", text)


# Compiling is slow and uneven, so examples have no deadline; the same examples each time.
hypothesis.settings.register_profile(
    "fn", deadline=None, derandomize=True, print_blob=True, database=None, max_examples=50,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)  # fmt: skip
hypothesis.settings.load_profile("fn")
