"""What a test does when a real part that it needs (a browser, another user, an old luigi) is not on this machine."""

import os
import sys
import unittest


def skip_without(part):
    """Skip the calling test or class for want of `part`, and say so; where CI is set, fail it instead."""
    if os.environ.get("CI"):
        raise AssertionError(f"CI is set, and this machine has no {part}")
    print(f"skipped: this machine has no {part}", file=sys.stderr)
    raise unittest.SkipTest(f"no {part}")
