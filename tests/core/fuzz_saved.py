"""python -m tests.core.fuzz_saved --seconds 900: damage saved Programs at random and load what is left.

Loading has to give a Program or one `ProgramFormatError`, soon. Anything else is written to `--out`;
what is worth keeping goes to `tests/core/corpus`, where `test_corpus.py` loads each file for good.
"""

from __future__ import annotations

import argparse
import random
import re
import resource
import signal
import time
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import fn
from fn.core import Primitive, Program, ProgramFormatError

SLOW = 1.0
_TOKEN = re.compile(r"'[^'\n]*'|[\w.+-]+|\s+|.")
_NUMBERS = [
    "0", "1", "-1", "2", "3", "7", "64", "65", "127", "4096", "100000", "2147483648",
    "281474976710656", "281474976710657", "4611686018427387904", "9223372036854775807",
    "9223372036854775808", "18446744073709551615", "18446744073709551616", "-9223372036854775809",
    "99999999999999999999999", "1e400", "1e-400", "-0.0", "0.5", "inf", "-inf", "nan",
    "nan(0x7fc00000)", "nan(0x)", "(1.0,2.0)", "1.5e308",
]  # fmt: skip
_VALUES = [
    *_NUMBERS, "True", "False", "None", "()", "(0,)", "(0, 1)", "(1, 0)", "(-1,)", "(0, 0)", "((), ())",
    "((0,), (0,))", "(None,)", "(True, False)", "'same'", "''", "'\\x00'", "'\\ud800'", "'\x00'", "f32",
    "i32", "bf16", "c64", "bool", "u4", "f32[3]", "~f32[]", "f32[0]", "i32[2,2]",
    "(9223372036854775807,)", "(281474976710656, 0)", "(4611686018427387904, 2)",
    "(" * 60 + "0" + ",)" * 60,
]  # fmt: skip
_TYPES = [
    "f32[]", "~f32[]", "i32[]", "bool[]", "f32[0]", "f32[3]", "f32[2,3]", "c64[2]", "u32[2]", "f64[]",
    "f32[281474976710656]", "f32[4611686018427387904]", "f32[65536,65536,65536]", "i4[1]", "f33[]",
]  # fmt: skip
_BYTES = [
    b"\x00",
    b"\xff",
    b"\xc3",
    b"\r",
    b"\n",
    b"'",
    b'"',
    b"(",
    b")",
    b"[",
    b"@",
    b"}",
    b"\\",
    b"\xe2\x80\xae",
]


class _TooLong(BaseException):
    """Not an Exception, so that nobody swallows it."""


def seeds(most: int = 400) -> list[str]:
    """Saved Programs of all primitives and of what the transforms make of them."""
    from tests.ops.table import ROWS  # noqa: PLC0415  # only the script needs all rows

    found: list[str] = []
    for row in ROWS:
        makers: list[Callable[[], Program]] = [lambda row=row: fn.trace(row.function)(*row.args)]
        if row.differentiable:
            where = row.differentiable

            def loss(*args, row=row):
                out = row.function(*args)
                out = out[0] if isinstance(out, tuple) else out
                return fn.numpy.real(out * out).sum()

            makers.append(lambda loss=loss, row=row, w=where: fn.trace(fn.grad(loss, w))(*row.args))
        for make in makers:
            try:
                found.append(make().closed().dumps())
            except Exception:
                continue
    random.Random(0).shuffle(found)
    return sorted(found[:most], key=len)


def mutate(text: str, others: list[str], rng: random.Random) -> bytes:
    """`text` with a few random changes."""
    tokens = _TOKEN.findall(text)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        if not tokens:
            break
        at = rng.randrange(len(tokens))
        kind = rng.randrange(12)
        if kind == 0:
            del tokens[at : at + rng.choice((1, 1, 2, 10, 100))]
        elif kind == 1:
            tokens.insert(at, rng.choice(tokens))
        elif kind == 2:
            numbers = [i for i, t in enumerate(tokens) if t[:1].isdigit()]
            if numbers:
                tokens[rng.choice(numbers)] = rng.choice(_NUMBERS)
        elif kind in (3, 4):
            keys = [i for i, t in enumerate(tokens) if t == "=" and tokens[i - 1][:1].isalpha()]
            if keys:
                i = end = rng.choice(keys) + 1
                depth = 0
                while end < len(tokens) and not (depth == 0 and tokens[end] in (",", "]")):
                    depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(tokens[end], 0)
                    end += 1
                tokens[i:end] = [rng.choice(_VALUES)]
        elif kind == 5:
            types = [i for i, t in enumerate(tokens[:-1]) if t == ":" and i + 2 < len(tokens)]
            if types:
                i = end = rng.choice(types) + 1
                while end < len(tokens) and tokens[end] != "]":
                    end += 1
                tokens[i : end + 1] = [" ", rng.choice(_TYPES)]
        elif kind == 6:
            names = [i for i, t in enumerate(tokens) if t in Primitive.named]
            if names:
                tokens[rng.choice(names)] = rng.choice(list(Primitive.named))
        elif kind == 7:
            lines = "".join(tokens).split("\n")
            other = rng.choice(others).split("\n")
            i, j = rng.randrange(len(lines)), rng.randrange(len(other))
            lines[i : i + rng.choice((0, 1, 2))] = other[j : j + rng.choice((1, 2, 20))]
            tokens = _TOKEN.findall("\n".join(lines))
        elif kind == 8:
            tokens = tokens[:at]
        elif kind == 9:
            other = rng.randrange(len(tokens))
            tokens[at], tokens[other] = tokens[other], tokens[at]
        elif kind == 10:
            tokens[at:at] = tokens[at : at + rng.choice((1, 5, 50))] * rng.choice((1, 2, 200, 2000))
        else:
            tokens[at] = rng.choice(_VALUES)
    data = "".join(tokens).encode("utf-8", "surrogatepass")
    if rng.random() < 0.15:
        at = rng.randrange(len(data) + 1)
        data = data[:at] + rng.choice(_BYTES) + data[at + rng.choice((0, 1)) :]
    return data


def attempt(data: bytes) -> str:
    """What loading `data` comes to; `load` reads bytes, so this does as it does."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return "not a text"
    try:
        program = Program.loads(text, ())
    except ProgramFormatError as error:
        return "refused" if "captured=" not in str(error) else "captured"
    if Program.loads(program.dumps()) != program:
        raise AssertionError("does not read back")
    return "loaded"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("fuzz-findings"))
    parser.add_argument("--gigabytes", type=float, default=6)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    limit = int(options.gigabytes * 2**30)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    warnings.simplefilter("ignore")

    def too_long(*_: object) -> None:
        raise _TooLong

    signal.signal(signal.SIGALRM, too_long)
    texts = seeds()
    rng = random.Random(options.seed)
    outcomes: Counter[str] = Counter()
    print(f"{len(texts)} Programs to damage", flush=True)
    end = time.monotonic() + options.seconds
    shown = time.monotonic()
    while time.monotonic() < end:
        data = mutate(rng.choice(texts), texts, rng)
        start = time.monotonic()
        signal.alarm(10)
        try:
            outcome = attempt(data)
        except (_TooLong, Exception) as error:
            signal.alarm(0)
            outcome = f"FOUND {type(error).__name__}: {str(error)[:100]}"
        signal.alarm(0)
        if time.monotonic() - start > SLOW:
            outcome = f"SLOW {time.monotonic() - start:.0f} s"
        if outcome[:4] in ("FOUN", "SLOW"):
            name = f"{options.seed}-{sum(outcomes.values())}.fn"
            (options.out / name).write_bytes(data)
            print(name, outcome, flush=True)
            outcome = outcome[:60]
        outcomes[outcome] += 1
        if time.monotonic() - shown > 60:
            shown = time.monotonic()
            print(sum(outcomes.values()), dict(outcomes.most_common(6)), flush=True)
    print(sum(outcomes.values()), dict(outcomes))


if __name__ == "__main__":
    main()
