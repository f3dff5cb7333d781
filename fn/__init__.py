"""fn: composable transformations of pure functions, over a program you can read."""

from fn.core import ArrayType as ArrayType
from fn.core import FnError as FnError
from fn.core import Literal as Literal
from fn.core import Primitive as Primitive
from fn.core import Program as Program
from fn.core import Tracer as Tracer
from fn.core import clear_trace_cache as clear_trace_cache
from fn.core import evaluate as evaluate
from fn.core import set_evaluator as _set_evaluator
from fn.transforms import eval_type as eval_type
from fn.transforms import grad as grad
from fn.transforms import hessian as hessian
from fn.transforms import jacfwd as jacfwd
from fn.transforms import jacrev as jacrev
from fn.transforms import jvp as jvp
from fn.transforms import linear_transpose as linear_transpose
from fn.transforms import linearize as linearize
from fn.transforms import trace as trace
from fn.transforms import value_and_grad as value_and_grad
from fn.transforms import vjp as vjp
from fn.transforms import vmap as vmap
from fn.xla import evaluate_eagerly as _evaluate_eagerly
from fn.xla import jit as jit

# The two upward hooks of the library. Core leaves the slot for eager evaluation open; xla fills it.
_set_evaluator(_evaluate_eagerly)

__version__ = "0.1.0"
