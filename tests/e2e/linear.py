# SPDX-License-Identifier: EUPL-1.2
"""Is a history of one object linearizable?  Wing and Gong's search, with what was seen remembered.

An operation is (begin, end, kind, argument, result):

    read    -       the value read; None: nothing was there
    write   value   True (done), or None when the answer was lost
    create  value   True, False (something was there), None
    swap    (expected, value)  True, False (it was not as expected), None
    delete  -       True, False (nothing was there), None
    wipe    -       a delete that does not say whether something was there: True, None
    remove  expected  a delete on condition: True, False, None

Values are never written twice.  An operation without an answer ends at infinity, and may have
happened at any time since it began, or not at all."""
import math


def apply(state, kind, argument, result):
    """(allowed, the state after it)"""
    if kind == "read":
        return state == result, state
    if kind == "write":
        return True, argument
    if kind == "wipe":
        return True, None
    if kind == "create":
        held, after = state is None, argument
    elif kind == "swap":
        held, after = state is not None and state == argument[0], argument[1]
    elif kind == "delete":
        held, after = state is not None, None
    elif kind == "remove":
        held, after = state is not None and state == argument, None
    else:
        raise ValueError(kind)
    if result is None:
        return True, after if held else state
    return result == held, after if held else state


def check(history, initial=None):
    """None when there is an order that explains all, else the longest explanation found."""
    history = sorted(history, key=lambda o: o[0])
    count = len(history)
    ends = [math.inf if o[4] is None and o[2] != "read" else o[1] for o in history]
    # Where we are: all before `first` are placed, and of the others those in `placed`.
    start = (0, frozenset(), initial)
    seen, stack, deepest = {start}, [(start, ())], ((), start)
    while stack:
        (first, placed, state), path = stack.pop()
        if all(ends[i] == math.inf or i in placed for i in range(first, count)):
            return None
        horizon = min(ends[i] for i in range(first, count) if i not in placed)
        for i in range(first, count):
            if history[i][0] > horizon:
                break
            if i in placed:
                continue
            allowed, after = apply(state, *history[i][2:])
            if not allowed:
                continue
            new_first, new_placed = first, placed | {i}
            while new_first in new_placed:
                new_placed -= {new_first}
                new_first += 1
            place = (new_first, new_placed, after)
            if place not in seen:
                seen.add(place)
                trace = (path[-8:] if len(path) > 8 else path) + (history[i],)
                stack.append((place, trace))
                if new_first > deepest[1][0]:
                    deepest = (trace, place)
    trace, (first, placed, state) = deepest
    waiting = [history[i] for i in range(first, min(count, first + 12)) if i not in placed]
    return "after %s with state %r nothing explains %s" % (list(trace[-6:]), state, waiting)
