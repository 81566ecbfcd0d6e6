"""luigid as it is, but for a short life: it folds its journal all the time and, if told to, dies at a given step.

    python -m tests.e2e.fragile FUSE FLAGS...

FUSE is the number of the step at which the process kills itself, 0 for none. A step is a call of the module `os` that
changes a file: a write leaves a part of what was to be written, before any other call nothing has been done.
"""

import functools
import itertools
import os
import random
import signal
import sys

import luigid

STEPS = {"fsync", "ftruncate", "link", "rename", "replace", "truncate", "unlink", "write"}

#: what the daemon does once a minute or when there is much of it, it does whenever it can
ALWAYS = {"JOURNAL_LIMIT": 3000, "UPKEEP_INTERVAL": 0.02, "STANDBY_POLL": 0.02, "SLICE": 20}


class FusedOs:
    """The module `os` for luigid, which kills the process at a step, and says on standard error at which."""

    def __init__(self, fuse):
        self._fuse, self._steps = fuse, itertools.count(1)

    def __getattr__(self, name):
        real = getattr(os, name)
        return functools.partial(self._step, name, real) if name in STEPS else real

    def _step(self, name, real, *arguments, **options):
        if next(self._steps) == self._fuse:
            if name == "write":
                os.write(arguments[0], bytes(arguments[1])[: random.Random(self._fuse).randrange(len(arguments[1]))])
            os.write(2, f"killed at {name}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments, **options)


def main():
    for name, value in ALWAYS.items():
        if not hasattr(luigid, name):
            raise AttributeError(f"luigid has no {name} any more")
        setattr(luigid, name, value)
    luigid.os = FusedOs(int(sys.argv[1]))
    return luigid.main(sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
