"""Arguments of the calls: whatever comes in, it is either refused by name with nothing changed, or handled well."""

import copy
import enum
import json
import logging
import math
import pickle
import unittest

import luigid
from luigid import RPC_METHODS, BadRequest, Scheduler

MEGABYTE = 1_000_000


def nested(levels, wrap):
    """A value inside many lists or objects."""
    value = "x"
    for _ in range(levels):
        value = wrap(value)
    return value


def in_list(value):
    return [value]


def in_object(value):
    return {"x": value}


class Whole(int, enum.Enum):
    """A number that is more than a number, as callers in the same process may have them."""

    ONE = 1


class Word(str, enum.Enum):
    """A string that is more than a string."""

    X = "x"


#: name -> something that an argument may or may not be
ODD = {
    "null": None,
    "true": True,
    "false": False,
    "zero": 0,
    "one": 1,
    "minus one": -1,
    "fraction": 0.5,
    "not a number": math.nan,
    "infinity": math.inf,
    "minus infinity": -math.inf,
    "10^400": 10**400,
    "minus 10^400": -(10**400),
    "10,000 digits": 10**10_000,
    "empty string": "",
    "string": "x",
    "status": "DONE",
    "lone surrogate": "\ud800",
    "zero byte": "\0",
    "megabyte": "x" * MEGABYTE,
    "empty list": [],
    "list of strings": ["x", "y"],
    "list of numbers": [1, 2],
    "list of nulls": [None],
    "list of pairs": [["x", 1]],
    "list with lone surrogate": ["\ud800"],
    "list with not a number": [math.nan],
    "list with 10,000 digits": [10**10_000],
    "empty object": {},
    "object": {"x": "y"},
    "object of amounts": {"x": 1, "y": 0.5},
    "object of negatives": {"x": -1},
    "object of infinities": {"x": math.inf},
    "object of 10^400": {"x": 10**400},
    "object of 10,000 digits": {"x": 10**10_000},
    "object of nulls": {"x": None},
    "object with lone surrogates": {"\ud800": "\udfff"},
    "object with megabytes": {"x" * MEGABYTE: "y" * MEGABYTE},
    "object with numbers as names": {1: 2},
    "object with infinity as processes": {"workers": math.inf},
    "object with words as processes": {"workers": "many"},
    "object with words as limits": {"retry_count": "x"},
    "object with not a number as limit": {"disable_window": math.nan},
    "50 levels of lists": nested(50, in_list),
    "50 levels of objects": nested(50, in_object),
    "1,000 levels of lists": nested(1000, in_list),
    "100,000 levels of lists": nested(100_000, in_list),
    "100,000 levels of objects": nested(100_000, in_object),
    "enumerated number": Whole.ONE,
    "enumerated string": Word.X,
    "bytes": b"x",
    "object()": object(),
}

STRINGS = {"string", "status", "lone surrogate", "zero byte", "megabyte", "enumerated string"}
LARGE = {"infinity", "10^400", "10,000 digits"}
NOT_NEGATIVE = {"zero", "one", "fraction", "enumerated number", *LARGE}
NUMBERS = {"minus one", "minus infinity", "minus 10^400", *NOT_NEGATIVE}
FLAGS = {"null", "true", "false", "zero", "one", "enumerated number"}
LISTS = {name for name in ODD if name.startswith("list")} | {"empty list", "50 levels of lists"}
LISTS_OF_STRINGS = {"empty list", "list of strings", "list with lone surrogate"}
OBJECTS = {name for name in ODD if name.startswith("object ")} | {"empty object", "object", "50 levels of objects"}
OBJECTS -= {"object with numbers as names"}
OBJECTS_OF_NUMBERS = {"empty object", "object of amounts", "object of infinities", "object of 10^400"}
OBJECTS_OF_NUMBERS |= {"object of 10,000 digits", "object with infinity as processes"}
NO_LIMITS = {"object with words as limits", "object with not a number as limit"}
NOT_JSON = {"bytes", "object()", "not a number", "list with not a number", "object with numbers as names"}
NOT_JSON |= {"object with not a number as limit", *(name for name in ODD if name.endswith("000 levels of lists"))}
NOT_JSON |= {"100,000 levels of objects"}
NOTHING = {"false", "zero", "empty string", "empty list"}  # taken for an empty object

#: what the description of an argument says it must be -> names in ODD of what is accepted; all else is refused
ACCEPTED = {
    "a string": {"empty string", *STRINGS},
    "a string that is not empty": STRINGS,
    "a list of strings that are not empty": LISTS_OF_STRINGS,
    "true or false": FLAGS,
    "true, false or null": FLAGS,
    "one of": {"status"},
    "a number": NUMBERS,
    "a number of at least 0": NOT_NEGATIVE,
    "a whole number of at least 0": {"zero", "one", "enumerated number"},
    "an object of resource names and numbers of at least 0": OBJECTS_OF_NUMBERS | NOTHING,
    "an object of numbers": OBJECTS_OF_NUMBERS | {"object of negatives"},
    "an object": OBJECTS - NOT_JSON,
    "any JSON value": set(ODD) - NOT_JSON,
    "an object or a list of pairs": OBJECTS - NOT_JSON - {"object with words as processes"} | {"empty list", "list of pairs"},
    "an object with numbers for": OBJECTS - NO_LIMITS,
}
