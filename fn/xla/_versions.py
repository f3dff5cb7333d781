"""The one file that knows which names of JAX's extension points exist in which version (0.10 to 0.12)."""

from __future__ import annotations

from typing import Any

import jax.extend.mlir.dialects.chlo
import jax.extend.mlir.dialects.func
import jax.extend.mlir.dialects.stablehlo  # noqa: F401  (importing registers the dialects)
from jax.extend.core import Primitive as JaxPrimitive
from jax.extend.mlir import ir
from jax.extend.mlir.dialects import func
from jax.extend.mlir.dialects.func import CallOp
from jax.interpreters.mlir import (
    TokenSet,
    aval_to_ir_type,
    emit_python_callback,
    lower_fun,
    register_lowering,
)

MlirModule: Any = ir.Module  # the bindings' stubs do not know the operations inside
FlatSymbolRefAttr = ir.FlatSymbolRefAttr
FuncOp: Any = func.FuncOp
ReturnOp: Any = func.ReturnOp
FunctionType: Any = ir.FunctionType
InsertionPoint: Any = ir.InsertionPoint

__all__ = [
    "CallOp", "FlatSymbolRefAttr", "FuncOp", "FunctionType", "InsertionPoint", "JaxPrimitive",
    "MlirModule", "ReturnOp", "TokenSet", "aval_to_ir_type", "emit_python_callback", "lower_fun",
    "register_lowering",
]  # fmt: skip
