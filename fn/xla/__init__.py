"""From Program to XLA: passes, StableHLO, dispatch, evaluation op by op, `jit`.

The only room, besides interop, that touches `jax.extend`, `jax.interpreters` or jaxlib. It knows
no numpy names and no layers.
"""

from fn.xla._aot import Compiled as Compiled
from fn.xla._aot import Lowered as Lowered
from fn.xla._aot import TracedCall as TracedCall
from fn.xla._dispatch import evaluate_eagerly as evaluate_eagerly
from fn.xla._emit import emit as emit
from fn.xla._fused import fused as fused
from fn.xla._history import Held as Held
from fn.xla._history import TraceRecord as TraceRecord
from fn.xla._jit import jit as jit
from fn.xla._jit import traces as traces
from fn.xla._python import effects_barrier as effects_barrier
from fn.xla._repeats import repeated as repeated
from fn.xla.passes import passes_for as passes_for
