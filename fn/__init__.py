"""fn: composable transformations of pure functions, over a program you can read."""

from importlib import import_module as _import_module
from typing import Any as _Any

from fn import debug as debug
from fn import inspect as inspect
from fn import nn as nn
from fn import numpy as numpy
from fn import ops as ops
from fn import optim as optim
from fn import random as random
from fn import scipy as scipy
from fn import tree as tree
from fn.control import associative_scan as associative_scan
from fn.control import bicgstab as bicgstab
from fn.control import cg as cg
from fn.control import check as check
from fn.control import checkpoint as checkpoint
from fn.control import cond as cond
from fn.control import custom as custom
from fn.control import custom_jvp as custom_jvp
from fn.control import custom_linear_solve as custom_linear_solve
from fn.control import custom_root as custom_root
from fn.control import custom_vjp as custom_vjp
from fn.control import fori_loop as fori_loop
from fn.control import gmres as gmres
from fn.control import io_callback as io_callback
from fn.control import map as map
from fn.control import name as name
from fn.control import optimization_barrier as optimization_barrier
from fn.control import plant as plant
from fn.control import pure_callback as pure_callback
from fn.control import reap as reap
from fn.control import remat as remat
from fn.control import save_only as save_only
from fn.control import scan as scan
from fn.control import switch as switch
from fn.control import tag as tag
from fn.control import while_loop as while_loop
from fn.core import ArrayType as ArrayType
from fn.core import CheckError as CheckError
from fn.core import FnError as FnError
from fn.core import Literal as Literal
from fn.core import Primitive as Primitive
from fn.core import Program as Program
from fn.core import Tracer as Tracer
from fn.core import bind as bind
from fn.core import check as check_program
from fn.core import clear_trace_cache as clear_trace_cache
from fn.core import evaluate as evaluate
from fn.core import set_evaluator as _set_evaluator
from fn.core import set_repeater as _set_repeater
from fn.derivatives import SparseMatrix as SparseMatrix
from fn.derivatives import gnvp as gnvp
from fn.derivatives import hessian as hessian
from fn.derivatives import hvp as hvp
from fn.derivatives import jacobian as jacobian
from fn.derivatives import jet as jet
from fn.derivatives import laplacian as laplacian
from fn.derivatives import per_example_clipped_grad as per_example_clipped_grad
from fn.derivatives import per_example_grads as per_example_grads
from fn.derivatives import per_example_norms as per_example_norms
from fn.derivatives import ravel as ravel
from fn.derivatives import sparsity_pattern as sparsity_pattern
from fn.numpy import install_operators as _install_operators
from fn.ops import all_gather as all_gather
from fn.ops import axis_index as axis_index
from fn.ops import pmax as pmax
from fn.ops import pmean as pmean
from fn.ops import pmin as pmin
from fn.ops import ppermute as ppermute
from fn.ops import psum as psum
from fn.ops import stop_gradient as stop_gradient
from fn.transforms import eval_type as eval_type
from fn.transforms import grad as grad
from fn.transforms import jacfwd as jacfwd
from fn.transforms import jacrev as jacrev
from fn.transforms import jvp as jvp
from fn.transforms import linear_transpose as linear_transpose
from fn.transforms import linearize as linearize
from fn.transforms import trace as trace
from fn.transforms import value_and_grad as value_and_grad
from fn.transforms import vjp as vjp
from fn.transforms import vmap as vmap
from fn.xla import effects_barrier as effects_barrier
from fn.xla import evaluate_eagerly as _evaluate_eagerly
from fn.xla import jit as jit
from fn.xla import repeated as _repeated

# The two upward hooks of the library. Core leaves the slot for eager evaluation open; xla fills it.
_set_evaluator(_evaluate_eagerly)
_set_repeater(_repeated)
# Core's tracers know no operation; numpy gives them the operators and methods of arrays.
_install_operators(Tracer)

__version__ = "0.1.0"


def __getattr__(name: str) -> _Any:
    """`fn.testing` is read when first used: it needs packages that are not installed with fn."""
    if name == "testing":
        return _import_module("fn.testing")
    raise AttributeError(f"module 'fn' has no attribute {name!r}")
