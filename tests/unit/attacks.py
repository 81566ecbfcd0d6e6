"""Pickles that want to run code, or to fill the memory, or to overflow a stack; and what reading them comes to.

`python -m tests.unit.attacks DIRECTORY` has luigid read each of them as a state, with little memory, and prints a line
of JSON for each: [name, what luigid said]. Code that is run makes the file DIRECTORY/canary.
"""

import contextlib
import copyreg
import json
import os
import pickle
import resource
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import luigid

#: bytes that the process may use in all, Python and luigid included
MEMORY = 400 << 20

#: something is read as a global of this name, under this number of the extension registry
EXTENSION = 240


class Call:
    """Pickled as the call of a function."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def text(value):
    return pickle.BINUNICODE + struct.pack("<I", len(value)) + value.encode()


def a_global(module, name):
    return pickle.GLOBAL + f"{module}\n{name}\n".encode()


TASK = a_global("luigi.scheduler", "Task") + b")\x81"


def state(fields=b"", tasks=b"", workers=b""):
    """A state of stock's, with a task that has these fields besides (keys and values, by turns)."""
    task = text("t") + TASK + b"}(" + text("id") + text("t") + text("status") + text("PENDING") + fields + b"ub"
    return b"\x80\x02}(" + task + tasks + b"u}(" + workers + b"u}\x87."


def calls(command):
    """Name -> pickle that wants to run a command."""
    system = a_global("os", "system")
    posix = a_global("posix", "system")
    arguments = text(command) + b"\x85"
    task = a_global("luigi.scheduler", "Task")
    found = {f"REDUCE in protocol {n}": pickle.dumps(Call(os.system, command), n) for n in range(6)}
    found.update(
        {
            "REDUCE of a class": pickle.dumps(Call(subprocess.Popen, command.split())),
            "REDUCE of eval": pickle.dumps(Call(eval, f"__import__('os').system({command!r})")),
            "REDUCE of exec": pickle.dumps(Call(exec, f"import os; os.system({command!r})")),
            "REDUCE by Python 2's names": a_global("__builtin__", "eval") + text("1") + b"\x85R.",
            "REDUCE in a field": state(text("expl") + posix + arguments + b"R"),
            "REDUCE as a state": posix + arguments + b"R.",
            "REDUCE in place of workers": b"}" + posix + arguments + b"R}\x87.",
            "GLOBAL alone": system + b".",
            "INST": b"(" + text(command) + pickle.INST + b"os\nsystem\n.",
            "INST of a class of stock's": b"(" + pickle.INST + b"luigi.scheduler\nTask\n.",
            "OBJ": b"(" + system + text(command) + pickle.OBJ + b".",
            "OBJ of a class of stock's": b"(" + task + text(command) + pickle.OBJ + b".",
            "NEWOBJ": a_global("subprocess", "Popen") + arguments + pickle.NEWOBJ + b".",
            "NEWOBJ_EX": a_global("subprocess", "Popen") + arguments + b"}" + pickle.NEWOBJ_EX + b".",
            "NEWOBJ_EX of a class of stock's": task + b")}" + pickle.NEWOBJ_EX + b".",
            "STACK_GLOBAL": text("os") + text("system") + pickle.STACK_GLOBAL + arguments + b"R.",
            "dotted STACK_GLOBAL": text("luigi.scheduler")
            + text("os.system")
            + pickle.STACK_GLOBAL
            + arguments
            + b"R.",
            "dotted GLOBAL": a_global("luigi.scheduler", "Task.__init__.__globals__") + b".",
            "GLOBAL of what stock's module imports": a_global("luigi.scheduler", "pickle") + b".",
            "STACK_GLOBAL of what is no text": task + text("system") + pickle.STACK_GLOBAL + b".",
            "getattr chain": a_global("builtins", "getattr")
            + (a_global("builtins", "__import__") + text("os") + b"\x85R" + text("system") + b"\x86R")
            + (arguments + b"R."),
            "attrgetter": a_global("operator", "attrgetter") + text("system") + b"\x85R" + system + b"\x85R.",
            "_reconstructor": a_global("copyreg", "_reconstructor")
            + b"("
            + system
            + a_global("builtins", "object")
            + b"NtR.",
            "_reconstructor of what is no class": a_global("copyreg", "_reconstructor") + text("x") * 3 + b"\x87R.",
            "__reduce_ex__ of a record": a_global("copyreg", "__reduce_ex__") + b".",
            "call of a text": text("os.system") + arguments + b"R.",
            "call of a list": b"]" + arguments + b"R.",
            "call of a record": TASK + arguments + b"R.",
            "call with a list": task + b"]R.",
            "call with arguments it does not take": task + arguments + b"R.",
            "BUILD with __setstate__": TASK + b"}" + text("__setstate__") + system + b"sb" + text(command) + b"b.",
            "BUILD with __dict__ and __class__": state(text("__class__") + task + text("__dict__") + b"}")[:-1]
            + b"0"
            + TASK
            + b"Nb.",
            "BUILD with slots": TASK + b"N}" + text("fields") + system + b"s\x86b.",
            "BUILD of a class": task + b"}" + text("__call__") + text("x") + b"sb.",
            "BUILD of a dictionary": b"}}b.",
            "BUILD of a list": b"]}b.",
            "APPEND to a class": task + text("x") + b"a.",
            "APPENDS to a record": TASK + b"(" + text("x") + b"e.",
            "SETITEM of a class": task + text("__call__") + text("x") + b"s.",
            "ADDITEMS to a dictionary": b"\x80\x04}(" + text("x") + pickle.ADDITEMS + b".",
            "EXT1": pickle.EXT1 + bytes([EXTENSION]) + arguments + b"R.",
            "EXT2": pickle.EXT2 + struct.pack("<H", EXTENSION) + arguments + b"R.",
            "EXT4": pickle.EXT4 + struct.pack("<i", EXTENSION) + arguments + b"R.",
            "PERSID": pickle.PERSID + b"os.system\n.",
            "BINPERSID": text("os.system") + pickle.BINPERSID + b".",
            "NEXT_BUFFER": pickle.NEXT_BUFFER + b".",
            "READONLY_BUFFER": text("x") + pickle.READONLY_BUFFER + b".",
            "DUP": b"]2.",
            "an opcode that is none": b"\xff.",
        }
    )
    return found


def bombs():
    """Name -> pickle that is small for what it makes of itself."""
    huge, deep = struct.pack("<Q", 10 << 30), 300000
    doubled = b"]q\0" + b"".join(b"0](h" + bytes([n]) + b"h" + bytes([n]) + b"eq" + bytes([n + 1]) for n in range(60))
    circle = b"]q\0(h\0h\0e"
    tuples = b")" + b"\x85" * deep
    return {
        "a memo index of 2 ** 31": text("x") + pickle.LONG_BINPUT + struct.pack("<I", 0x7FFFFFFF) + b".",
        "a memo index of 10 ** 15": text("x") + pickle.PUT + b"1000000000000000\n.",
        "memo indexes all over": b"".join(b"Nr" + struct.pack("<I", n << 20) for n in range(4000)) + b".",
        "a text of 10 GB": b"\x80\x04" + pickle.BINUNICODE8 + huge + b"x.",
        "bytes of 10 GB": b"\x80\x04" + pickle.BINBYTES8 + huge + b"x.",
        "a bytearray of 10 GB": b"\x80\x05" + pickle.BYTEARRAY8 + huge + b"x.",
        "a frame of 10 GB": b"\x80\x04" + pickle.FRAME + huge + b"N.",
        "frames in frames": b"\x80\x04" + (pickle.FRAME + struct.pack("<Q", 1 << 40)) * 1000 + b"N.",
        "a string of 2 GB": pickle.BINSTRING + struct.pack("<i", (1 << 31) - 1) + b"x.",
        "a number of 2 GB": pickle.LONG4 + struct.pack("<i", (1 << 31) - 1) + b"x.",
        "a number of a million digits": pickle.INT + b"9" * 1000000 + b"\n.",
        "a long number of a million digits": pickle.LONG + b"9" * 1000000 + b"L\n.",
        "marks without end": b"(" * deep,
        "lists in lists": b"]" * deep + b"a" * (deep - 1) + b".",
        "lists in lists, as a value": state(text("expl") + b"]" * deep + b"a" * (deep - 1)),
        "dictionaries in dictionaries": state(text("expl") + (b"}" + text("x")) * deep + b"N" + b"s" * deep),
        "tuples in tuples": state(text("expl") + tuples),
        "tuples in tuples, as a key": b"}" + tuples + b"Ns.",
        "tuples in tuples, as keys": state(b"", tuples + b"N"),
        "tuples in tuples, in a set": state(text("stakeholders") + b"\x8f(" + tuples + pickle.ADDITEMS),
        "tuples in tuples, as resources": state(text("resources") + b"](" + tuples + b"K\1\x86e"),
        "tuples in tuples, as information": state(
            workers=text("w") + TASK.replace(b"Task", b"Worker") + b"}" + text("info") + b"](" + tuples + b"K\1\x86esb"
        ),
        "tuples in tuples, called": a_global("luigi.scheduler", "RetryPolicy") + tuples + b"R.",
        "records in records": state(text("expl") + (TASK + b"}" + text("x")) * 100000 + b"N" + b"sb" * 100000),
        "lists that double": state(text("expl") + doubled),
        "lists that double, as a mistake": state(text("priority") + doubled),
        "lists that double, in a worker": state(
            workers=text("w")
            + TASK.replace(b"Task", b"Worker")
            + b"}"
            + text("info")
            + b"}"
            + text("x")
            + doubled
            + b"ssb"
        ),
        "a list that holds itself": state(text("expl") + circle),
        "a list that holds itself, as a state": circle + b".",
        "a dictionary that holds itself": state(text("params") + b"}q\0" + text("x") + b"h\0s"),
        "a ring without end": state(
            text("workers")
            + (a_global("luigi.scheduler", "OrderedSet") + b")\x81}(" + text("end") + b"]q\0(N" + b"h\0h\0e")
            + (text("map") + b"}" + text("w") + b"Nsub")
        ),
        "a task in the place of a ring": state(text("workers") + TASK),
        "a list for a thousand tasks": state(
            text("expl") + b"](" + b"N" * 20000 + b"eq\0",
            b"".join(text(f"t{n}") + TASK + b"}" + text("expl") + b"h\0sb" for n in range(1000)),
        ),
    }


def said_of(data, directory):
    """What luigid says when it is started with these bytes as its state, in an empty directory."""
    path = Path(directory, "state.pickle")
    path.write_bytes(data)
    try:
        luigid.Scheduler(state_path=str(path)).load()
        return "it was loaded"
    except luigid.StateError as error:
        left = {file.name: file.read_bytes() for file in path.parent.iterdir()}
        return (
            str(error)
            if left == {path.name: data, path.name + ".lock": left[path.name + ".lock"]}
            else "it was changed"
        )
    except BaseException as error:
        return f"{type(error).__name__}: {error}"[:1000]


def main(directory):
    canary = Path(directory, "canary")
    with contextlib.suppress(ValueError):  # macOS
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    copyreg.add_extension("os", "system", EXTENSION)
    for name, data in {**calls(f"touch {canary}"), **bombs()}.items():
        with tempfile.TemporaryDirectory(dir=directory) as empty:
            said = said_of(data, empty)
        if canary.exists():
            said = "code was run"
            canary.unlink()
        print(json.dumps([name, said]), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
