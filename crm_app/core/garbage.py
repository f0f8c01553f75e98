"""The garbage collector of a process that serves people: what was loaded at the start is never looked through again.

A collection of all there is stops everything for 200 ms and more, most of it spent on modules, declarations and
statements that live as long as the process.
"""

import gc

_THRESHOLDS = (10_000, 5, 20)  # new objects, then rounds of the younger generation


def settle() -> None:
    """Once, when everything is loaded."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
