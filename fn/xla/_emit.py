"""From Program to StableHLO text: one function per Program, each written once however often called."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from fn.core import ArrayType, Literal, Program, Variable, program_names
from fn.xla._borrow import borrowed_text
from fn.xla._mlir import integers, matrix, number_text, type_text


class Value:
    """An SSA value while emitting: its name in the text and its type."""

    __slots__ = ("name", "type", "literal")

    def __init__(self, name: str, type: ArrayType, literal: Literal | None = None) -> None:
        self.name, self.type, self.literal = name, type, literal


class PythonCall(NamedTuple):
    """A function that the text declares and that calls Python: whoever takes the text writes it."""

    function: Callable[..., tuple[Any, ...]]
    """`(out_types, *arrays) -> results`."""
    in_types: tuple[ArrayType, ...]
    out_types: tuple[ArrayType, ...]
    effect: bool
    """Whether calling it does more than compute results."""


class Module:
    """The functions emitted so far; `prefix` keeps their names apart from others in the same module."""

    def __init__(self, program: Program, prefix: str, platform: str) -> None:
        self.callbacks: dict[str, PythonCall] = {}
        self.prefix, self.platform = prefix, platform
        self.names = program_names(program)
        self.functions: list[str] = []
        self.emitted: dict[Program, str] = {}
        self.borrowed: dict[str, str] = {}

    def function(self, program: Program) -> str:
        """The name of the function for `program`, emitting it at the first call."""
        name = self.emitted.get(program)
        if name is None:
            base = self.names.get(id(program), f"program_{len(self.emitted)}")
            name = self.emitted[program] = f"{self.prefix}{base}"
            self.functions.append(Emitter(self).function(program, name))
        return name

    def callback(self, call: PythonCall) -> str:
        """The name of a function that calls Python, which is only declared."""
        name = f"{self.prefix}python_{len(self.callbacks)}"
        self.callbacks[name] = call
        ins, outs = (", ".join(map(type_text, t)) for t in (call.in_types, call.out_types))
        self.functions.append(f"func.func private @{name}({ins}) -> ({outs})")
        return name

    def borrow(
        self, function: Callable[..., Any], types: tuple[ArrayType, ...], params: Any
    ) -> str:
        """The name of a function that JAX lowered for us."""
        text = borrowed_text(function, types, params, self.platform)
        name = self.borrowed.get(text)
        if name is None:
            name = self.borrowed[text] = f"{self.prefix}jax_{len(self.borrowed)}"
            self.functions.append(text.replace("@@", f"@{name}_"))
        return f"{name}_main"


class Emitter:
    """Writes one function. Lowering rules receive it and describe their operation with it."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.platform = module.platform
        self.types: tuple[ArrayType, ...] = ()
        """Output types of the equation being lowered."""
        self._lines: list[str] = []
        self._constants: list[str] = []
        self._known: dict[tuple[Literal, tuple[int, ...]], Value] = {}
        self._count = 0
        self._in_region = False

    @property
    def type(self) -> ArrayType:
        """Output type of the equation being lowered, where it has one output."""
        return self.types[0]

    def function(self, program: Program, name: str) -> str:
        """The text of `program` as a private function."""
        env: dict[Any, Value] = {}
        for index, variable in enumerate(program.inputs):
            env[variable] = Value(f"%arg{index}", variable.type)
        for equation in program.equations:
            args = [
                env[a] if isinstance(a, Variable) else self._literal(a) for a in equation.inputs
            ]
            self.types = tuple([v.type for v in equation.outputs])
            result = equation.primitive.rule("lower")(self, *args, **equation.params)
            if equation.primitive.multiple:
                for variable, value in zip(equation.outputs, result, strict=True):
                    env[variable] = value
            else:
                env[equation.outputs[0]] = result
        outputs = [env[a] if isinstance(a, Variable) else self._literal(a) for a in program.outputs]
        names = [self._name(v) for v in outputs]
        inputs = ", ".join(f"%arg{i}: {type_text(v.type)}" for i, v in enumerate(program.inputs))
        types = ", ".join(type_text(t) for t in program.out_types)
        ending = f'  "func.return"({", ".join(names)}) : ({types}) -> ()'
        head = f"func.func private @{name}({inputs}) -> ({types}) {{"
        return "\n".join([head, *self._constants, *self._lines, ending, "}"])

    # --- what lowering rules use ---

    def op(
        self,
        name: str,
        *operands: Value,
        type: ArrayType | None = None,
        types: Sequence[ArrayType] | None = None,
        attrs: str = "",
        regions: Sequence[str] = (),
    ) -> Any:
        """Write one operation and return its result (a tuple of them if `types` is given).

        Args:
            name: full name, `stablehlo.add`.
            operands: values; scalar literals become constants of their own type.
            type: result type; by default that of the equation.
            types: result types of an operation with several results.
            attrs: attributes as MLIR text, without braces.
            regions: texts made by `region`.
        """
        results = [type or self.types[0]] if types is None else list(types)
        start = self._count
        self._count += len(results)
        if types is None:
            names = f"%{start} = "
        else:
            names = (
                ", ".join(f"%{start + i}" for i in range(len(results))) + " = " if results else ""
            )
        args = ", ".join([self._name(v) for v in operands])
        arg_types = ", ".join([type_text(v.type) for v in operands])
        bodies = f" ({', '.join(regions)})" if regions else ""
        attrs = f" {{{attrs}}}" if attrs else ""
        result_types = ", ".join([type_text(t) for t in results])
        self._lines.append(
            f'  {names}"{name}"({args}){bodies}{attrs} : ({arg_types}) -> ({result_types})'
        )
        values = tuple([Value(f"%{start + i}", t) for i, t in enumerate(results)])
        return values[0] if types is None else values

    def elementwise(
        self, name: str, *operands: Value, type: ArrayType | None = None, attrs: str = ""
    ) -> Any:
        """`op` for elementwise operations: scalar operands are spread over the result's shape."""
        type = type or self.types[0]
        return self.op(
            name, *[self.spread(v, type.shape) for v in operands], type=type, attrs=attrs
        )

    def spread(self, value: Value, shape: tuple[int, ...]) -> Value:
        """`value` with this shape; it has it already or is a scalar."""
        if value.type.shape == shape:
            return value
        if value.literal is not None:
            return self._constant(value.literal, shape)
        return self.broadcast(value, shape, ())

    def broadcast(self, value: Value, shape: tuple[int, ...], axes: Sequence[int]) -> Value:
        """`stablehlo.broadcast_in_dim`: axis `i` of `value` becomes axis `axes[i]` of the result."""
        result: Value = self.op(
            "stablehlo.broadcast_in_dim", value, type=ArrayType(shape, value.type.dtype),
            attrs=f"broadcast_dimensions = {integers(axes)}",
        )  # fmt: skip
        return result

    def constant(self, value: Any, type: ArrayType) -> Value:
        """An array of `type` filled with the scalar `value`."""
        return self._constant(Literal(value, ArrayType((), type.dtype)), type.shape)

    def region(self, types: Sequence[ArrayType], body: Callable[..., Sequence[Value]]) -> str:
        """A block with arguments of these types; `body(*values)` returns the values it yields."""
        lines, constants, known, inside = self._lines, self._constants, self._known, self._in_region
        self._lines = []
        # A block may not see constants of the function around it, so it writes its own.
        self._constants = self._lines
        self._known, self._in_region = {}, True
        values = []
        for type in types:
            values.append(Value(f"%{self._count}", type))
            self._count += 1
        results = list(body(*values))
        names = ", ".join([self._name(v) for v in results])
        result_types = ", ".join(type_text(v.type) for v in results)
        text = "\n".join(self._lines)
        self._lines, self._constants, self._known, self._in_region = lines, constants, known, inside
        arguments = ", ".join(f"{v.name}: {type_text(v.type)}" for v in values)
        head = f"^bb0({arguments}):" if values else ""
        return f'{{\n{head}\n{text}\n  "stablehlo.return"({names}) : ({result_types}) -> ()\n}}'

    def call(self, program: Program, *operands: Value, inline: bool = True) -> tuple[Value, ...]:
        """Call the function of a sub-program, which is emitted once; without `inline`, it stays one."""
        attrs = f"callee = @{self.module.function(program)}"
        if not inline:
            attrs += ', mhlo.frontend_attributes = {inlineable = "false"}'
        values: tuple[Value, ...] = self.op(
            "func.call", *operands, types=program.out_types, attrs=attrs
        )
        return values

    def jax(self, function: Callable[..., Any], *operands: Value, **params: Any) -> Any:
        """Call what JAX lowers `function(*arrays, **params)` to, at these types."""
        name = self.module.borrow(function, tuple([v.type for v in operands]), params)
        values = self.op("func.call", *operands, types=self.types, attrs=f"callee = @{name}")
        return values if len(values) > 1 else values[0]

    def callback(
        self, function: Callable[..., tuple[Any, ...]], *operands: Value, effect: bool
    ) -> tuple[Value, ...]:
        """Call the Python function `(out_types, *arrays) -> results`; see `PythonCall`."""
        types = tuple([v.type for v in operands])
        name = self.module.callback(PythonCall(function, types, self.types, effect))
        values: tuple[Value, ...] = self.op(
            "func.call", *operands, types=self.types, attrs=f"callee = @{name}"
        )
        return values

    integers = staticmethod(integers)
    matrix = staticmethod(matrix)

    # --- names and constants ---

    def _literal(self, literal: Literal) -> Value:
        return Value("", literal.type, literal)

    def _name(self, value: Value) -> str:
        if value.literal is not None:
            return self._constant(value.literal, ()).name
        return value.name

    def _constant(self, literal: Literal, shape: tuple[int, ...]) -> Value:
        key = (literal, shape)
        value = self._known.get(key)
        if value is None:
            type = ArrayType(shape, literal.type.dtype)
            value = self._known[key] = Value(f"%{self._count}", type)
            self._count += 1
            text = type_text(type)
            number = number_text(literal.value)
            self._constants.append(
                f'  {value.name} = "stablehlo.constant"() {{value = dense<{number}> : {text}}} : () -> {text}'
            )
        return value


def emit(
    program: Program,
    prefix: str = "",
    platform: str = "cpu",
    callbacks: dict[str, PythonCall] | None = None,
) -> tuple[str, str]:
    """The StableHLO text of `program` and the name of its function.

    Args:
        program: without captured arrays.
        prefix: put before the names of all functions.
        platform: as JAX calls it: `cpu`, `cuda`, `rocm` or `tpu`; lowering rules may look at it.
        callbacks: filled with the functions that the text only declares, by name.
    """
    module = Module(program, prefix, platform)
    name = module.function(program)
    if callbacks is not None:
        callbacks.update(module.callbacks)
    return "module {\n" + "\n".join(module.functions) + "\n}\n", name
