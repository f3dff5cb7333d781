"""Examples for the docstrings of elementwise operations: a call, and the result it prints.

Kept in one table because those operations are rows of tables themselves. The tests run every one.
"""

from __future__ import annotations

EXAMPLES: dict[str, tuple[str, str]] = {
    "neg": ("neg(2.0)", "-2.0"),
    "add": ("add(1.0, 2.0)", "3.0"),
    "sub": ("sub(1.0, 3.0)", "-2.0"),
    "mul": ("mul(2.0, 3.0)", "6.0"),
    "div": ("div(7, 2)", "3"),
    "rem": ("rem(-7, 3)", "-1"),
    "maximum": ("maximum(1.0, 2.0)", "2.0"),
    "minimum": ("minimum(1.0, 2.0)", "1.0"),
    "abs": ("abs(-1.5)", "1.5"),
    "sign": ("sign(-3.0)", "-1.0"),
    "floor": ("floor(1.7)", "1.0"),
    "ceil": ("ceil(1.2)", "2.0"),
    "round": ("round(2.5)", "2.0"),
    "round_away": ("round_away(2.5)", "3.0"),
    "eq": ("eq(1, 2)", "False"),
    "ne": ("ne(1, 2)", "True"),
    "lt": ("lt(1, 2)", "True"),
    "le": ("le(2, 2)", "True"),
    "gt": ("gt(1, 2)", "False"),
    "ge": ("ge(1, 2)", "False"),
    "and": ("logical_and(6, 3)", "2"),
    "or": ("logical_or(6, 3)", "7"),
    "xor": ("logical_xor(6, 3)", "5"),
    "not": ("logical_not(0)", "-1"),
    "shift_left": ("shift_left(3, 2)", "12"),
    "shift_right_logical": ("shift_right_logical(12, 2)", "3"),
    "shift_right_arithmetic": ("shift_right_arithmetic(-12, 2)", "-3"),
    "population_count": ("population_count(7)", "3"),
    "count_leading_zeros": ("count_leading_zeros(1)", "31"),
    "real": ("real_part(3 + 4j)", "3.0"),
    "imag": ("imag_part(3 + 4j)", "4.0"),
    "complex": ("make_complex(3.0, 4.0)", "(3+4j)"),
    "square": ("square(3.0)", "9.0"),
    "sqrt": ("sqrt(9.0)", "3.0"),
    "rsqrt": ("rsqrt(4.0)", "0.5"),
    "cbrt": ("cbrt(-8.0)", "-2.0"),
    "pow": ("pow(2.0, 3.0)", "8.0"),
    "exp": ("exp(1.0)", "2.7183"),
    "exp2": ("exp2(3.0)", "8.0"),
    "expm1": ("expm1(1.0)", "1.7183"),
    "log": ("log(2.0)", "0.6931"),
    "log1p": ("log1p(1.0)", "0.6931"),
    "logistic": ("logistic(1.0)", "0.7311"),
    "sin": ("sin(0.5)", "0.4794"),
    "cos": ("cos(0.5)", "0.8776"),
    "tan": ("tan(0.5)", "0.5463"),
    "asin": ("asin(0.5)", "0.5236"),
    "acos": ("acos(0.5)", "1.0472"),
    "atan": ("atan(0.5)", "0.4636"),
    "atan2": ("atan2(1.0, 2.0)", "0.4636"),
    "sinh": ("sinh(0.5)", "0.5211"),
    "cosh": ("cosh(0.5)", "1.1276"),
    "tanh": ("tanh(0.5)", "0.4621"),
    "asinh": ("asinh(0.5)", "0.4812"),
    "acosh": ("acosh(2.0)", "1.317"),
    "atanh": ("atanh(0.5)", "0.5493"),
    "erf": ("erf(0.5)", "0.5205"),
    "erfc": ("erfc(0.5)", "0.4795"),
    "erf_inv": ("erf_inv(0.5)", "0.4769"),
    "is_finite": ("is_finite(1.0)", "True"),
    "nextafter": ("nextafter(1e9, 2e9)", "1000000064.0"),
    "lgamma": ("lgamma(5.0)", "3.1781"),
    "digamma": ("digamma(2.0)", "0.4228"),
    "polygamma": ("polygamma(1.0, 2.0)", "0.6449"),
    "zeta": ("zeta(2.0, 1.0)", "1.6449"),
    "bessel_i0e": ("bessel_i0e(1.0)", "0.4658"),
    "bessel_i1e": ("bessel_i1e(1.0)", "0.2079"),
    "igamma": ("igamma(2.0, 1.0)", "0.2642"),
    "igammac": ("igammac(2.0, 1.0)", "0.7358"),
    "igamma_grad_a": ("igamma_grad_a(2.0, 1.0)", "-0.2762"),
    "random_gamma_grad": ("random_gamma_grad(2.0, 1.0)", "0.7508"),
    "xlogy": ("xlogy(2.0, 3.0)", "2.1972"),
    "xlog1py": ("xlog1py(2.0, 3.0)", "2.7726"),
    "betaln": ("betaln(2.0, 3.0)", "-2.4849"),
    "expi": ("expi(1.0)", "1.8951"),
    "exp1": ("exp1(1.0)", "0.2194"),
    "expn": ("expn(2.0, 1.0)", "0.1485"),
    "sine_integral": ("sine_integral(1.0)", "0.9461"),
    "cosine_integral": ("cosine_integral(1.0)", "0.3374"),
    "fresnel_sine": ("fresnel_sine(1.0)", "0.4383"),
    "fresnel_cosine": ("fresnel_cosine(1.0)", "0.7799"),
    "spence": ("spence(2.0)", "-0.8225"),
    "erfcx": ("erfcx(1.0)", "0.4276"),
    "dawsn": ("dawsn(1.0)", "0.5381"),
    "wofz": ("real_part(fn.ops.wofz(1j))", "0.4276"),
    "ndtri": ("ndtri(0.75)", "0.6745"),
    "inverse_mills": ("inverse_mills(0.5)", "0.5092"),
    "log_ndtr": ("log_ndtr(-1.0)", "-1.841"),
    "owens_t": ("owens_t(1.0, 0.5)", "0.0431"),
    "clamp": ("clamp(0, 5, 3)", "3"),
    "round_to_zero": ("round_to_zero(np.float32(-1.7))", "-1"),
    "select": ("select(True, 1, 2)", "1"),
    "convert": ("convert(2.7, dtype=int)", "2"),
    "bitcast": ("bitcast(np.float32(1), dtype=np.int32)", "1065353216"),
    "conj": ("conj(np.complex64(3 + 4j))", "(3-4j)"),
    "stop_gradient": ("stop_gradient(2)", "2"),
    "integer_pow": ("integer_pow(2.0, exponent=3)", "8.0"),
    "reduce_precision": ("reduce_precision(1.05, exponent_bits=8, mantissa_bits=4)", "1.0625"),
}


def with_example(name: str, doc: str) -> str:
    """`doc` with the example of the operation, if the table has one."""
    if name not in EXAMPLES:
        return doc
    call, result = EXAMPLES[name]
    if result in ("True", "False"):
        form = "bool({})"
    elif result.endswith("j)"):
        form = "complex({})"
    else:
        form = "round(float({}), 4)" if "." in result else "int({})"
    imports = "import fn, numpy as np" if "np." in call else "import fn"
    return f"{doc.rstrip()}\n\n    >>> {imports}\n    >>> {form.format('fn.ops.' + call)}\n    {result}\n    "
