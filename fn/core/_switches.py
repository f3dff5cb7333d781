"""What may be switched on and off while the library runs, and changes what is recorded."""

from __future__ import annotations

import os
from typing import Any

import jax

# JAX's own kind of switch: a value per thread that its compile cache looks at, so that a function
# compiled with checks is not found where they are off, at no cost to calls.
checks: Any = jax.make_user_context(default_value=os.environ.get("FN_CHECKS") == "1")
"""Whether `fn.check` records anything."""
