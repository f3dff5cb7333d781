"""The order in which the outliner reads a Program: optimizer updates next to the gradients they use.

Functions that map over all parameters write equations leaf by leaf, far from the layer that computes each
gradient. Put where their last input is computed, they become a part of the layer's own repeated run: one
call does both, and no gradient has to be kept until the end.
"""

from __future__ import annotations

from collections.abc import Sequence


def canonical(
    inputs: Sequence[Sequence[int]], outputs: Sequence[range], movable: Sequence[bool], values: int
) -> list[int]:
    """Equations, by index, in an order that respects what they use.

    The tail, equations that reach nothing but outputs of the program through movable ones, moves up to
    the equation that computes the last of its inputs. What is not in the tail keeps its order.

    Args:
        inputs: per equation, the numbers of the values it takes.
        outputs: per equation, those of the values it gives.
        movable: per equation, whether it is cheap and may move.
        values: how many values there are.
    """
    count = len(inputs)
    tail = _tail(inputs, outputs, movable, values)
    if not any(tail):
        return list(range(count))
    place = [-1] * values
    at = list(range(count))
    for index in range(count):
        here = index
        if tail[index]:
            here = max([place[v] for v in inputs[index]], default=-1)
            at[index] = here
        for value in outputs[index]:
            place[value] = here
    # What takes inputs of the program only goes to the first of its users.
    first = [count] * values
    for index in range(count - 1, -1, -1):
        if not tail[index]:
            continue
        here = at[index]
        if here < 0:
            here = min([first[v] for v in outputs[index]], default=count)
            at[index] = here = index if here == count else here
        for value in inputs[index]:
            if here < first[value]:
                first[value] = here
    keys = [2 * here + moved for here, moved in zip(at, tail, strict=True)]
    return sorted(range(count), key=keys.__getitem__)


def _tail(
    inputs: Sequence[Sequence[int]], outputs: Sequence[range], movable: Sequence[bool], values: int
) -> list[bool]:
    """Which equations reach nothing but outputs, through movable ones."""
    tail = list(movable)
    used = bytearray(values)
    for index in range(len(inputs) - 1, -1, -1):
        if tail[index]:
            for value in outputs[index]:
                if used[value]:
                    tail[index] = False
                    break
            else:
                continue
        for value in inputs[index]:
            used[value] = 1
    return tail
