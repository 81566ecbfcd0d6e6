"""The rules that keep one long file readable: its sections, its imports, the length of its functions, its names."""

import ast
import collections
import re
import statistics
import sys
import unittest
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "luigid.py"
TEXT = SOURCE.read_text(encoding="utf-8")
TREE = ast.parse(TEXT)

BANNER = re.compile(r"^# =+\n# (\d+)\. (.+)\n# =+$", re.MULTILINE)

#: drivers that an operator may have installed, of which one is imported if the settings ask for it
DRIVERS = {"psycopg", "psycopg2", "pymysql", "MySQLdb"}


def bound_names():
    """The names that statements at the top of the module bind, each as often as it is bound."""
    for node in TREE.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                yield from (name.id for name in ast.walk(target) if isinstance(name, ast.Name))
        elif isinstance(node, ast.AnnAssign):
            yield node.target.id


def functions():
    return [node for node in ast.walk(TREE) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]


def lines_of_code(function):
    """Lines of a function without its decorators and its docstring."""
    documented = ast.get_docstring(function) is not None
    first = function.body[1] if documented and len(function.body) > 1 else function.body[0]
    return function.end_lineno - first.lineno + 1 + (function.body[0].lineno - function.lineno)


class ShapeTest(unittest.TestCase):
    def test_each_name_is_given_once(self):
        """A constant given twice in a long file changes what the earlier section does, and no linter says so."""
        counts = collections.Counter(bound_names())
        self.assertEqual({}, {name: count for name, count in counts.items() if count > 1})

    def test_sections_are_in_order_and_those_of_the_table_of_contents(self):
        sections = [(int(number), title) for number, title in BANNER.findall(TEXT)]
        numbers = [number for number, _ in sections]
        self.assertEqual(sorted(numbers), numbers)
        contents = re.findall(r"^    (\d+)\. (\S.*?) {2,}\S", ast.get_docstring(TREE, clean=False), re.MULTILINE)
        first_titles = dict(reversed(sections))  # a section of two halves has two banners
        self.assertEqual({int(number): title for number, title in contents}, first_titles)

    def test_nothing_but_the_standard_library_is_imported(self):
        imported = set()
        for node in ast.walk(TREE):
            if isinstance(node, ast.Import):
                imported.update(alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                imported.add(node.module.partition(".")[0])
        standard = getattr(sys, "stdlib_module_names", None)
        if standard is None:
            self.skipTest("this Python does not say what its standard library is")
        self.assertLessEqual(imported - {"tomllib"} - DRIVERS, standard)

    def test_functions_are_short(self):
        lengths = {function.name: lines_of_code(function) for function in functions()}
        self.assertEqual({}, {name: length for name, length in lengths.items() if length > 60})
        self.assertLess(statistics.median(map(lines_of_code, functions())), 8)

    def test_public_functions_say_what_they_do(self):
        public = [
            node
            for scope in [TREE, *(node for node in TREE.body if isinstance(node, ast.ClassDef))]
            for node in scope.body
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_")
        ]
        self.assertEqual([], [node.name for node in public if ast.get_docstring(node) is None])


if __name__ == "__main__":
    unittest.main()
