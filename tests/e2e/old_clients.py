"""Virtual environments with old luigi clients, made when first asked for and kept beside the packages of the tests.

`make test` runs the tests in .venv, so these are .venv/old-2.8.13 and .venv/old-3.0.3. An old luigi runs on old Pythons
only: one is looked for on PATH and among the versions that pyenv has installed (its shims refuse the inactive ones).
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.e2e.daemon import ROOT, clean_environment

#: luigi's version -> the Pythons on which it installs and runs, the best first. Others have been tried: 2.8.13 uses
#: `inspect.ArgSpec` (gone in 3.11); below 3.9 the pinned requests-unixsocket does not install.
CLIENTS = {
    "2.8.13": ("3.9", "3.10"),
    "3.0.3": ("3.9", "3.10", "3.11", "3.12", "3.13"),
}

#: What a client needs besides luigi to reach a Unix socket.
EXTRAS = ("requests==2.32.5", "requests-unixsocket==0.4.1")


class NoSuitablePython(Exception):
    """This machine has none of the Pythons on which a client runs."""


def interpreters(minor):
    """Where an interpreter of this minor version ("3.9") may be."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    return [found for found in (shutil.which(f"python{minor}"), *sorted(pyenv.glob(f"{minor}.*/bin/python"))) if found]


def makes_environments(python):
    """Whether it is more than a shim, and has what it takes to make a virtual environment."""
    return subprocess.run([python, "-c", "import ensurepip, venv"], capture_output=True, check=False).returncode == 0


def find_python(version):
    """An interpreter on which this luigi runs; NoSuitablePython when there is none."""
    for minor in CLIENTS[version]:
        for python in interpreters(minor):
            if makes_environments(python):
                return python
    raise NoSuitablePython(f"no Python {' or '.join(CLIENTS[version])} here")


def run(*command):
    """Run a command to its end; RuntimeError with its output when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, env=clean_environment(), check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{command} ended with status {done.returncode}:\n{done.stdout}{done.stderr}")


def client_python(version):
    """The interpreter of an environment with this luigi in it, made now if need be.

    NoSuitablePython when it cannot be had on this machine, RuntimeError when it should have been.
    """
    in_environment = sys.prefix != sys.base_prefix
    directory = Path(sys.prefix if in_environment else ROOT / ".venv", f"old-{version}")
    python, ready = str(directory / "bin" / "python"), directory / "ready"
    if not ready.exists():
        run(find_python(version), "-m", "venv", "--clear", str(directory))
        run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"luigi=={version}", *EXTRAS)
        run(python, "-W", "ignore", "-c", "import luigi.cmdline, luigi.rpc; assert luigi.rpc.HAS_UNIX_SOCKET")
        ready.touch()
    return python
