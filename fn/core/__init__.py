"""The language: types, Programs, primitives, tracing, checker, printer, parser, errors, trees.

This room knows no operation, no device and no transform. Its words:

program     a pure function as data: inputs, equations in order, outputs. Not "jaxpr".
equation    one application of a primitive.
variable    a value inside one program. **literal**: a scalar written into it.
type        shape, dtype and weakness of an array, spelled `f32[3,4]` (`~f32[]` if weak). Not "aval".
primitive   one operation with all its rules. **rule**: what it does under one transform.
primal      a value being differentiated at; **tangent**: its derivative along a direction;
            **cotangent**: the derivative of an outcome along it.
linear program   a program whose outputs are linear in some of its inputs.
residual    a value the linear program needs from the primal one.
trace       a recording of a Python function at work. **tracer**: stands for an array meanwhile.
captured    an array the traced function closed over; a hidden input of its program.
room        a folder of this library. **door**: a room's `__init__.py`, the only way in.
"""

from fn.core._check import check as check
from fn.core._check import checked as checked
from fn.core._dce import dce as dce
from fn.core._dce import used_inputs as used_inputs
from fn.core._environment import Snapshot as Snapshot
from fn.core._environment import Unknowable as Unknowable
from fn.core._environment import snapshot as snapshot
from fn.core._errors import ArgumentError as ArgumentError
from fn.core._errors import AxisNameError as AxisNameError
from fn.core._errors import BatchError as BatchError
from fn.core._errors import CheckError as CheckError
from fn.core._errors import ConcretizationError as ConcretizationError
from fn.core._errors import FnError as FnError
from fn.core._errors import LeakError as LeakError
from fn.core._errors import MissingExtraError as MissingExtraError
from fn.core._errors import MissingRuleError as MissingRuleError
from fn.core._errors import ParseError as ParseError
from fn.core._errors import ProgramError as ProgramError
from fn.core._errors import ProgramFormatError as ProgramFormatError
from fn.core._errors import TreeError as TreeError
from fn.core._errors import TypeRuleError as TypeRuleError
from fn.core._evaluate import evaluate as evaluate
from fn.core._evaluate import execute as execute
from fn.core._evaluate import set_repeater as set_repeater
from fn.core._infer import infer as infer
from fn.core._infer import not_an_array as not_an_array
from fn.core._parse import parse as parse
from fn.core._primitive import Linear as Linear
from fn.core._primitive import Primitive as Primitive
from fn.core._primitive import Property as Property
from fn.core._primitive import constant as constant
from fn.core._primitive import elementwise as elementwise
from fn.core._primitive import linear as linear
from fn.core._print import format_literal as format_literal
from fn.core._print import format_param as format_param
from fn.core._print import format_program as format_program
from fn.core._print import program_names as program_names
from fn.core._print import variable_names as variable_names
from fn.core._program import PURE as PURE
from fn.core._program import Atom as Atom
from fn.core._program import Equation as Equation
from fn.core._program import Literal as Literal
from fn.core._program import Program as Program
from fn.core._program import Variable as Variable
from fn.core._saved import dumps as dumps
from fn.core._saved import load as load
from fn.core._saved import loads as loads
from fn.core._saved import save as save
from fn.core._source import Derived as Derived
from fn.core._source import Lanes as Lanes
from fn.core._source import Source as Source
from fn.core._source import current_source as current_source
from fn.core._source import hide_frames as hide_frames
from fn.core._source import is_internal as is_internal
from fn.core._source import public as public
from fn.core._source import shown_file as shown_file
from fn.core._source import through as through
from fn.core._switches import checks as checks
from fn.core._trace import Trace as Trace
from fn.core._trace import Tracer as Tracer
from fn.core._trace import bind as bind
from fn.core._trace import check_open as check_open
from fn.core._trace import context as context
from fn.core._trace import evaluating as evaluating
from fn.core._trace import for_this_call as for_this_call
from fn.core._trace import from_source as from_source
from fn.core._trace import recording as recording
from fn.core._trace import set_evaluator as set_evaluator
from fn.core._traced import Arguments as Arguments
from fn.core._traced import Traced as Traced
from fn.core._traced import argument_paths as argument_paths
from fn.core._traced import array_paths as array_paths
from fn.core._traced import axis_sizes as axis_sizes
from fn.core._traced import clear_trace_cache as clear_trace_cache
from fn.core._traced import collection_paused as collection_paused
from fn.core._traced import function_name as function_name
from fn.core._traced import split_arguments as split_arguments
from fn.core._traced import trace_call as trace_call
from fn.core._tree import broadcast_prefix as broadcast_prefix
from fn.core._tree import format_path as format_path
from fn.core._tree import leaf_paths as leaf_paths
from fn.core._types import DTYPES as DTYPES
from fn.core._types import ArrayType as ArrayType
from fn.core._types import canonical_dtype as canonical_dtype
from fn.core._types import dtype_name as dtype_name
from fn.core._types import is_complex as is_complex
from fn.core._types import is_float as is_float
from fn.core._types import is_inexact as is_inexact
from fn.core._types import is_integer as is_integer
from fn.core._types import scalar_type as scalar_type
from fn.core._types import type_of as type_of
from fn.core._types import x64_enabled as x64_enabled
