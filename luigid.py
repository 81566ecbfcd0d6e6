#!/usr/bin/env python3
"""luigid: the central scheduler for Luigi, in one file, on the standard library alone.

Luigi's workers tell it what tasks there are and ask it what to run; it sees to it that dependencies come first, that no
task runs twice, that resources suffice, and that failures are retried. `python3 luigid.py` starts it; see README.md.

    1. Settings            every option: its meaning, its range, where it is read from
    2. Model               what is known of a task and of a worker
    3. Graph and agenda    the indexes that make each call cost what it changes, and their proof
    4. Scheduler           the state machine: one method for each call of the wire
    5. Persistence         snapshot and journal, the way from stock and back, and the Scheduler that lasts
    9. HTTP                the server: connections, requests, pages
    10. Daemon             pid file, background, signals, logging
    11. Command line       flags, exit statuses, main()

Each section builds on those above it. Numbers 6 to 8 are kept for task history, notices and metrics.

Threads and locks
-----------------
The main thread accepts connections; each connection has a thread that reads a request, calls the scheduler, and
answers. One more does what is due without anybody calling (prune, sync, fold the journal), and one waits for signals.

    the scheduler's lock    all tasks, workers and indexes, and the order of the journal. A call takes it after its
                            arguments are checked and gives it back before what it changed is written and its reply
                            encoded: nothing slow happens under it, no disk, no socket, no large JSON.
    the journal's lock      the open journal. Whoever takes it writes for all that wait for it. `Journal.wait` takes it
                            with no other held; a snapshot and a sync take `_folding` and `_syncing` before it.
    the HTTP server's lock  the set of connections.

No two of these three are ever held together. Besides them, each address has a lock that its log-ins take turns by, held
while a password is looked at and with no other taken under it.

Promises
--------
A call that is refused has changed nothing. A call that is answered is kept: it survives `kill -9`, and a power cut as
`journal_sync` says. No reply holds a part of the state, and no argument becomes one. Costs follow what changes, not
what exists: `validate()` proves that what is kept for this equals what could be counted.
"""

import argparse
import binascii
import collections
import configparser
import contextlib
import copy
import email.utils
import errno
import fcntl
import functools
import gc
import hashlib
import heapq
import hmac
import html
import io
import ipaddress
import itertools
import json
import logging
import logging.config
import logging.handlers
import math
import operator
import os
import pickle
import re
import reprlib
import resource as rlimit
import signal
import socket
import socketserver
import ssl
import stat
import struct
import sys
import tempfile
import threading
import time
import types
import urllib.parse
import zlib
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import Empty, SimpleQueue
from typing import (
    Annotated,
    Any,
    BinaryIO,
    Callable,
    Deque,
    Dict,
    FrozenSet,
    Iterable,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    NoReturn,
    Optional,
    Set,
    TextIO,
    Tuple,
    Union,
)

__version__ = "1.0.0"

logger = logging.getLogger("luigid")
audit_logger = logging.getLogger("luigid.audit")


# ======================================================================================================================
# 1. Settings
# ======================================================================================================================
#
# OPTIONS is the one table of all there is to set: the reader, the error messages, --check-config and luigid.cfg.example
# are made from it, and a new option is a new row. A row's kind both reads a value and says what is allowed, so that
# the two cannot drift apart.
#
# Files are read where stock Luigi looks for them, the later ones winning: /etc/luigi/client.cfg, /etc/luigi/luigi.cfg,
# client.cfg and luigi.cfg in the working directory, $LUIGI_CONFIG_PATH; flags win over all of them. As in stock, names
# are case-sensitive, and an option has several spellings, of which the first one found in any file counts: with
# underscores, with dashes, then those of an older place (Option.spellings). A value is interpolated only when it is
# used: the same files serve the clients, whose sections may refer to what does not exist here.
#
# What cannot be read or is not allowed stops the start with one line (SettingsError); what is merely suspicious is a
# warning. Nothing is guessed: a daemon that runs with other limits than its operator wrote is worse than none.


Key = tuple[str, str]  #: an option: its section and its name


class SettingsError(ValueError):
    """A setting or a configuration file that cannot be used; the message is one line for the operator."""


class ValueKind(NamedTuple):
    """What the values of an option are."""

    allowed: str  #: what is allowed, worded to follow "must be"
    parse: Callable[[Any], Any]  #: from text or a native value to the typed one; raises one of _UNREADABLE


_UNREADABLE = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


def _meaning(allowed: str, meanings: Mapping[str, Any], fold: Callable[[str], str] = str) -> ValueKind:
    return ValueKind(allowed, lambda value: meanings[fold(str(value))])


def _choice(*names: str) -> ValueKind:
    return _meaning("one of " + ", ".join(names), dict(zip(names, names)))


def _number_kind(noun: str, convert: Callable[[Any], Any], low: float = -math.inf, high: float = math.inf) -> ValueKind:
    def parse(value: Any) -> Any:
        number = convert(value)
        if isinstance(value, bool) or not low <= float(number) <= high:  # NaN fails every comparison
            raise ValueError(value)
        return number

    limits = f" from {low} to {high}" if high < math.inf else f", at least {low}" if low > -math.inf else ""
    return ValueKind(noun + limits, parse)


def _as_integer(value: Any) -> int:
    if isinstance(value, float) and not value.is_integer():
        raise ValueError(value)
    return int(value)


def _as_line(value: Any) -> str:
    if not value.isprintable():
        raise ValueError(value)
    return value


def _as_text(value: Any) -> str:
    _as_line("".join(value.split()))
    return value


def _as_path(value: Any) -> str:
    path = os.fspath(value)
    if not path or "\0" in path:
        raise ValueError(value)
    return path


def _as_list(value: Any) -> tuple[str, ...]:
    items = json.loads(value) if isinstance(value, str) else value
    if not isinstance(items, (list, tuple)):
        raise ValueError(value)
    return tuple(map(_as_line, items))


BOOLEAN = _meaning("true or false", {"true": True, "false": False}, str.lower)
SWITCH = _meaning("true or false, yes or no, on or off, 1 or 0", configparser.ConfigParser.BOOLEAN_STATES, str.lower)
COUNT = _number_kind("an integer", _as_integer, 0)
PORT = _number_kind("an integer", _as_integer, 0, 65535)
WHOLE_SECONDS = _number_kind("a whole number of seconds", _as_integer, 0)
SECONDS = _number_kind("a number of seconds", float, 0)
LINE = ValueKind("text on one line", _as_line)
TEXT = ValueKind("text", _as_text)
PATH = ValueKind("a path", _as_path)
LIST = ValueKind('a JSON list of texts, such as ["a", "b"]', _as_list)


class Option(NamedTuple):
    """One row of the table of options."""

    section: str
    name: str  #: with underscores; files may write dashes
    kind: ValueKind
    default: Any  #: None: unset, and an empty value in a file unsets it
    doc: str  #: what it means, on one line
    aliases: tuple[Key, ...] = ()  #: where else it is read from; the first place found counts
    secret: bool = False  #: never shown

    def spellings(self) -> Iterator[Key]:
        """Every (section, name) that a file may use, in the order they are looked for."""
        other_sections = [(section, self.name) for section in _OTHER_NAMES.get(self.section, ())]
        for section, name in [(self.section, self.name), *self.aliases, *other_sections]:
            yield section, name.replace("-", "_")
            yield section, name.replace("_", "-")

    def parse(self, value: Any, where: str) -> Any:
        """The typed value of what is written at ``where``, or a SettingsError naming it and what is allowed."""
        if self.default is None and value in (None, ""):
            return None
        try:
            return self.kind.parse(value)
        except _UNREADABLE:
            found = f"{self.show(value)!r:.100}"
            raise SettingsError(f"{where} = {found}: must be {self.kind.allowed}") from None

    def show(self, value: Any) -> str:
        """``value`` as a file would have it, passwords masked."""
        text = "" if value is None else value if isinstance(value, str) else json.dumps(value, default=str)
        return "********" if self.secret and text else _PASSWORD_IN_URL.sub(r"\1\2********", text)


_PASSWORD_IN_URL = re.compile(r"(://[^:/?#@\s]*:).*(?=@)|([?&]pass(?:word|wd)?=)[^&\s]*")

#: What sections are called elsewhere: in the code of stock Luigi, in its documentation, or in an older version of it.
_OTHER_NAMES = {"batch_email": ("batch-notifier", "batch_notifier")}

STOCK_STATE_PATH = "/var/lib/luigi-server/state.pickle"

SECTIONS = {
    "scheduler": "When tasks are retried, disabled and forgotten, and what the scheduler keeps and offers.",
    "resources": "How much there is of what tasks may need: one option a resource, such as 'postgres = 10'.",
    "luigid": "The daemon itself. Stock Luigi does not read this section; flags of the same names override it.",
    "core": "Logging. In luigi.toml it may be a section [logging] for Python's logging.config.dictConfig instead.",
    "cors": "Which other web origins may call the API from a browser.",
    "task_history": "The database of what ran when, used with [scheduler] record_task_history.",
    "batch_email": "The failure notices of [scheduler] batch_emails. The section may also be called [batch-notifier].",
    "email": "Who is written to about failures, and how.",
    "smtp": "The mail server, for [email] method = smtp.",
    "sendgrid": "The SendGrid account, for [email] method = sendgrid.",
    "prometheus": "The labels of task metrics, for [scheduler] metrics_collector = prometheus.",
    "datadog": "The Datadog account and its agent, for [scheduler] metrics_collector = datadog.",
}

OPTIONS = (
    Option("scheduler", "state_path", PATH, STOCK_STATE_PATH,
           "Where the state is kept. Unset: here, or in luigid/ of $XDG_STATE_HOME where this cannot be written."),
    Option("scheduler", "retry_delay", _number_kind("a number of seconds", float), 900.0,
           "How long a failed task rests before it may run again; negative: for ever."),
    Option("scheduler", "retry_count", COUNT, 999999999,
           "The number of failures within disable_window that disables a task."),
    Option("scheduler", "disable_window", WHOLE_SECONDS, 3600,
           "How long a failure counts towards retry_count."),
    Option("scheduler", "disable_hard_timeout", WHOLE_SECONDS, 999999999,
           "A task that fails this long or longer after its first failure is disabled, whatever their number."),
    Option("scheduler", "disable_persist", WHOLE_SECONDS, 86400,
           "How long a disabled task stays disabled."),
    Option("scheduler", "remove_delay", SECONDS, 600.0,
           "How long a task is kept that no connected worker has an interest in."),
    Option("scheduler", "worker_disconnect_delay", SECONDS, 60.0,
           "How long a worker may be silent before it is lost and what it was running has failed."),
    Option("scheduler", "stable_done_cooldown_secs", WHOLE_SECONDS, 10,
           "For how long after a task is done a claim that it is pending is ignored."),
    Option("scheduler", "prune_on_get_work", BOOLEAN, False,
           "Remove lost workers and expired tasks at each request for work too, not only now and then."),
    Option("scheduler", "pause_enabled", BOOLEAN, True,
           "Whether the scheduler may be paused; while it is, no task is given out."),
    Option("scheduler", "send_messages", BOOLEAN, True,
           "Whether messages may be sent to running tasks that accept them."),
    Option("scheduler", "max_shown_tasks", COUNT, 100000,
           "A list of more tasks than this is answered with their number alone."),
    Option("scheduler", "max_graph_nodes", COUNT, 100000,
           "A dependency graph ends at this many tasks."),
    Option("scheduler", "record_task_history", BOOLEAN, False,
           "Record what ran when in the database of [task_history]."),
    Option("scheduler", "batch_emails", BOOLEAN, False,
           "Send failure notices as one e-mail per owner and interval instead of one each."),
    Option("scheduler", "metrics_collector", _choice("default", "none", "datadog", "prometheus", "custom"), "default",
           "Where metrics of tasks go; default is none."),
    Option("scheduler", "metrics_custom_import", LINE, None,
           "The collector class, as package.module.Class, for metrics_collector = custom."),

    Option("luigid", "address", LINE, None,
           "The address to listen on; unset: every interface, IPv4 and IPv6."),
    Option("luigid", "port", PORT, 8082,
           "The TCP port to listen on; 0: any free one."),
    Option("luigid", "unix_socket", PATH, None,
           "The path of a Unix socket to listen on instead of TCP."),
    Option("luigid", "users_file", PATH, None,
           "Who may do what: lines name:role:hash (see --hash-password). Unset: all may do all. HUP re-reads it."),
    Option("luigid", "tls_cert", PATH, None,
           "The certificate (chain), in PEM: https is spoken, and no http. HUP re-reads it and what goes with it."),
    Option("luigid", "tls_key", PATH, None,
           "The private key of tls_cert, in PEM and without a password; unset: it is in the same file."),
    Option("luigid", "tls_client_ca", PATH, None,
           "The certificates, in PEM, of which a client's certificate must come; unset: clients need none."),
    Option("luigid", "allowed_hosts", LIST, None,
           "Names by which this server is asked, '*' for any. Unset: browsers are held to names that none can forge."),
    Option("luigid", "pidfile", PATH, None,
           "The file to keep the process id in."),
    Option("luigid", "logdir", PATH, None,
           "The directory of luigi-server.log; unset: standard error, or /var/log/luigi in the background."),
    Option("luigid", "max_body", _number_kind("a number of bytes", _as_integer, 1), 64 * 1024 * 1024,
           "The longest request body that is accepted."),
    Option("luigid", "max_connections", _number_kind("an integer", _as_integer, 1), 4096,
           "The connections at a time; beyond this the one idle longest gives way, or the new one gets a 503."),
    Option("luigid", "max_connections_per_address", COUNT, 2048,
           "The same for the connections of one address, with a 429; 0: no limit. A proxy in front is one address."),
    Option("luigid", "max_calls", _number_kind("an integer", _as_integer, 1), 1024,
           "The calls that are worked on at a time; another one gets a 503, and its client tries again."),
    Option("luigid", "journal_sync", _choice("always", "everysec", "no"), "everysec",
           "What a power cut may cost: always: nothing; everysec: the last second; no: more. A kill costs nothing."),

    Option("core", "logging_conf_file", PATH, None,
           "A file for Python's logging.config.fileConfig that sets logging up."),
    Option("core", "no_configure_logging", SWITCH, False,
           "Leave logging alone, because something else sets it up."),

    Option("cors", "enabled", BOOLEAN, False,
           "Whether other origins are answered at all."),
    Option("cors", "allowed_origins", LIST, (),
           "The origins that are allowed, when not any origin is; '*' and 'null' are not origins and left out."),
    Option("cors", "allow_any_origin", BOOLEAN, False,
           "Whether any origin is allowed."),
    Option("cors", "allow_null_origin", BOOLEAN, False,
           "Whether the origin 'null' (a local file, a sandbox) is allowed."),
    Option("cors", "max_age", _number_kind("a whole number of seconds", _as_integer, -1), 86400,
           "How long a browser may remember the answer to a preflight; -1: not at all."),
    Option("cors", "allowed_methods", LINE, "GET, OPTIONS",
           "The methods a preflight allows."),
    Option("cors", "allowed_headers", LINE, "Accept, Content-Type, Origin",
           "The request headers a preflight allows."),
    Option("cors", "exposed_headers", LINE, "",
           "The reply headers that scripts may see."),
    Option("cors", "allow_credentials", BOOLEAN, False,
           "Whether a browser may send cookies and passwords along."),

    Option("task_history", "db_connection", LINE, None,
           "The database, such as sqlite:////var/lib/luigi-server/history.db; unset: an SQLite file beside the state."),

    Option("batch_email", "email_interval", _number_kind("a whole number of minutes", _as_integer, 0), 60,
           "The time between two batches.",
           (("batch-notifier", "email-interval-minutes"),)),
    Option("batch_email", "batch_mode", _choice("family", "all", "unbatched_params"), "unbatched_params",
           "What is counted together: a family, only what is identical (all), or what differs in batched parameters."),
    Option("batch_email", "error_lines", COUNT, 20,
           "How many lines from the end of an error message are shown; 0: all."),
    Option("batch_email", "error_messages", COUNT, 1,
           "How many of the error messages of what is counted together are shown."),
    Option("batch_email", "group_by_error_messages", BOOLEAN, True,
           "Whether tasks with the same error message are listed together."),

    Option("email", "receiver", TEXT, "",
           "Who gets the notices, separated by commas.", (("core", "error-email"),)),
    Option("email", "sender", LINE, "luigi-client@HOSTNAME",
           "Who the notices are from; HOSTNAME in the default is the name of this host.", (("core", "email-sender"),)),
    Option("email", "prefix", LINE, "",
           "What each subject begins with.", (("core", "email-prefix"),)),
    Option("email", "format", _choice("plain", "html", "none"), "plain",
           "The form of the notices; none: do not send any.", (("core", "email-type"),)),
    Option("email", "method", _choice("smtp", "sendgrid", "ses", "sns"), "smtp",
           "How notices are sent.", (("email", "type"),)),
    Option("email", "force_send", BOOLEAN, False,
           "Send notices even when standard output is a terminal."),
    Option("email", "traceback_max_length", _number_kind("a number of characters", _as_integer, 0), 5000,
           "Longer tracebacks are cut."),

    Option("smtp", "host", LINE, "localhost",
           "The name of the server.", (("core", "smtp_host"),)),
    Option("smtp", "port", PORT, 0,
           "The port of the server; 0: the usual one.", (("core", "smtp_port"),)),
    Option("smtp", "local_hostname", LINE, None,
           "The name that this host greets the server with; unset: its own.", (("core", "smtp_local_hostname"),)),
    Option("smtp", "username", LINE, None,
           "The name to log in with; unset: do not log in.", (("core", "smtp_login"),)),
    Option("smtp", "password", LINE, None,
           "The password to log in with.", (("core", "smtp_password"),), secret=True),
    Option("smtp", "ssl", BOOLEAN, False,
           "Speak TLS from the first byte.", (("core", "smtp_ssl"),)),
    Option("smtp", "no_tls", BOOLEAN, False,
           "Do not go over to TLS even when the server offers it.", (("core", "smtp_without_tls"),)),
    Option("smtp", "timeout", _number_kind("a number of seconds", float, 0, 86400), 10.0,
           "How long to wait for the server; 0: for ever.", (("core", "smtp_timeout"),)),

    Option("sendgrid", "apikey", LINE, None,
           "The key of the API.", (("email", "SENGRID_API_KEY"),), secret=True),

    Option("prometheus", "use_task_family_in_labels", BOOLEAN, True,
           "Label metrics with the task's family."),
    Option("prometheus", "task_parameters_to_use_in_labels", LIST, (),
           "The task parameters to label metrics with."),

    Option("datadog", "api_key", LINE, "dummy_api_key",
           "The API key.", secret=True),
    Option("datadog", "app_key", LINE, "dummy_app_key",
           "The application key.", secret=True),
    Option("datadog", "default_tags", LINE, "application:luigi",
           "Tags of all that is sent, separated by commas."),
    Option("datadog", "environment", LINE, "development",
           "The value of the tag 'environment'."),
    Option("datadog", "metric_namespace", LINE, "luigi",
           "What the name of each metric begins with."),
    Option("datadog", "statsd_host", LINE, "localhost",
           "The host of the agent."),
    Option("datadog", "statsd_port", PORT, 8125,
           "The UDP port of the agent."),
)


def default_state_path(environ: Mapping[str, str] = os.environ) -> str:
    """Where the state is kept when nobody says: stock's place if it can be used, else the user's state directory."""
    if _is_writable(os.path.dirname(STOCK_STATE_PATH)):
        return STOCK_STATE_PATH
    base = environ.get("XDG_STATE_HOME", "")
    if not os.path.isabs(base):  # the XDG specification has relative ones ignored
        base = os.path.join(environ.get("HOME") or os.path.expanduser("~"), ".local", "state")
    return os.path.join(base, "luigid", "state.pickle")


def _is_writable(directory: str) -> bool:
    while not os.path.lexists(directory):
        directory = os.path.dirname(directory)
    return os.path.isdir(directory) and os.access(directory, os.W_OK | os.X_OK)


#: Defaults that depend on the machine; the table has what the example file shows for them.
_LOCAL_DEFAULTS = {
    ("scheduler", "state_path"): default_state_path,
    ("email", "sender"): lambda environ: f"luigi-client@{socket.gethostname()}",
}


def _default_of(option: Option, environ: Mapping[str, str]) -> Any:
    local = _LOCAL_DEFAULTS.get((option.section, option.name))
    return local(environ) if local else option.default


def _nearest(name: str, known: Iterable[str]) -> str:
    import difflib

    found = difflib.get_close_matches(name.lower().replace("-", "_"), known, n=1)
    return f" (did you mean {found[0]}?)" if found else ""


#: Where the files are, by syntax; the later ones win.
CONFIG_PATHS = {
    "ini": ("/etc/luigi/client.cfg", "/etc/luigi/luigi.cfg", "client.cfg", "luigi.cfg"),
    "toml": ("/etc/luigi/luigi.toml", "luigi.toml"),
}
#: What $LUIGI_CONFIG_PARSER may be, and how the extension of $LUIGI_CONFIG_PATH is understood.
_SYNTAXES = {"cfg": "ini", "conf": "ini", "ini": "ini", "toml": "toml"}


def _read_text(path: str) -> Optional[str]:
    try:
        with open(path, encoding="utf-8-sig") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: not UTF-8 text (byte {error.start})") from None
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from None


def _parse_ini(texts: list[tuple[str, str]]) -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.optionxform = str  # type: ignore[assignment]  # names are case-sensitive
    for path, text in texts:
        try:
            parser.read_string(text, path)
        except configparser.Error as error:
            raise SettingsError(_describe_ini_error(path, error)) from None
    return parser


def _describe_ini_error(path: str, error: Any) -> str:
    reasons = {
        configparser.DuplicateSectionError: "this section has been begun before",
        configparser.DuplicateOptionError: "this option has been set before in the same section",
        configparser.MissingSectionHeaderError: "a [section] must come first",
    }
    line = getattr(error, "lineno", None) or error.errors[0][0]
    return f"{path}:{line}: {reasons.get(type(error), 'neither [section] nor name = value')}"


def _parse_toml(texts: list[tuple[str, str]]) -> dict[str, dict[str, Any]]:
    try:
        import tomllib
    except ImportError:
        version = sys.version.split()[0]
        raise SettingsError(f"LUIGI_CONFIG_PARSER=toml takes Python 3.11 or newer; this is {version}") from None
    sections: dict[str, dict[str, Any]] = {"DEFAULT": {}}  # as in every ConfigParser
    for path, text in texts:
        try:
            for name, table in tomllib.loads(text).items():
                sections.setdefault(name, {}).update(table.items())
        except AttributeError:
            raise SettingsError(f"{path}: {name} is not a [section]") from None
        except (RecursionError, ValueError) as error:
            raise SettingsError(f"{path}: {error}") from None
    return sections


_PARSERS = {"ini": _parse_ini, "toml": _parse_toml}
_VARIABLE = re.compile(r"\$\{([^}]+)\}")
_DEFINITION = re.compile(r"(?P<indent>\s*)(?:\[(?P<section>[^]]+)\]|(?P<option>[^#;\[=:\s][^=:]*)[=:])")


def _line_numbers(text: str) -> dict[Key, int]:
    """Where each (section, option) stands in a file, and as (section, "") its heading: the parsers do not tell."""
    found, section, deepest = {}, "", math.inf
    for number, line in enumerate(text.split("\n"), 1):
        match = _DEFINITION.match(line)
        if match and len(match["indent"]) <= deepest:  # a deeper line goes on with the value above
            section = match["section"] or section
            deepest = math.inf if match["section"] else len(match["indent"])
            found[section, (match["option"] or "").rstrip()] = number
    return found


class ConfigFiles:
    """What the configuration files say together, as text, and where they say it."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.syntax = _SYNTAXES.get(environ.get("LUIGI_CONFIG_PARSER", "cfg"), "ini")
        candidates = [(path, _read_text(path)) for path in map(os.path.abspath, self._candidates())]
        texts = [(path, text) for path, text in candidates if text is not None]
        self.paths = [path for path, _ in texts]  #: the files that were found, the strongest last
        self.sections: Mapping[str, Mapping[str, Any]] = _PARSERS[self.syntax](texts)
        self._lines = {at: f"{path}:{line}" for path, text in texts for at, line in _line_numbers(text).items()}

    def _candidates(self) -> list[str]:
        extra = self.environ.get("LUIGI_CONFIG_PATH", "")
        return [*CONFIG_PATHS[self.syntax], *([extra] if extra and self._required_parser(extra) is None else [])]

    def _required_parser(self, path: str) -> Optional[str]:
        """The LUIGI_CONFIG_PARSER that ``path`` takes by its extension, if that is not the one in force."""
        extension = os.path.splitext(path)[1][1:]
        return extension if _SYNTAXES.get(extension, self.syntax) != self.syntax else None

    def names(self, section: str) -> list[str]:
        """The option names in ``section``, without those that [DEFAULT] adds to each."""
        shared = self.sections["DEFAULT"]
        return [name for name in self.sections[section] if name not in shared] if section in self.sections else []

    def find(self, option: Option) -> Optional[Key]:
        """The (section, name) that ``option`` is set by, if it is."""
        return next((at for at in option.spellings() if at[0] in self.sections and at[1] in self.sections[at[0]]), None)

    def value(self, section: str, name: str) -> Any:
        """What stands there, with %(name)s resolved (not in TOML) and then ${VARIABLE}."""
        try:
            value = self.sections[section][name]
            return _VARIABLE.sub(lambda match: self.environ[match[1]], value) if isinstance(value, str) else value
        except configparser.InterpolationError:
            hint = "its % must be %% (a percent sign) or %(name)s (an option of the same section or [DEFAULT])"
            raise SettingsError(f"{self.where(section, name)}: {hint}") from None
        except KeyError as error:
            missing = f"the environment variable {error.args[0]} is not set"
            raise SettingsError(f"{self.where(section, name)}: {missing}") from None

    def origin(self, section: str, name: str = "") -> str:
        """Where the option, or the section itself, stands: "file:line", or all files if that cannot be told."""
        lines = self._lines
        return lines.get((section, name)) or lines.get(("DEFAULT", name)) or ", ".join(self.paths)

    def where(self, section: str, name: str) -> str:
        """The beginning of a message about the option as it is written there."""
        return f"{self.origin(section, name)}: [{section}] {name}"

    def suspicions(self) -> Iterator[str]:
        """Warnings about what is written but has no effect, or no longer the best name."""
        known: dict[str, list[str]] = {}
        for option in OPTIONS:
            for section, name in option.spellings():
                known.setdefault(section, []).append(name)
        yield from self._unread_environment()
        yield from self._old_names()
        yield from itertools.chain.from_iterable(self._unknown_options(s, known[s]) for s in known if s != "core")
        yield from self._unread_sections(known)

    def _unread_environment(self) -> Iterator[str]:
        parser, path = self.environ.get("LUIGI_CONFIG_PARSER", "cfg"), self.environ.get("LUIGI_CONFIG_PATH")
        if parser not in _SYNTAXES:
            yield f"LUIGI_CONFIG_PARSER={parser} is not one of {', '.join(_SYNTAXES)}: cfg files are read"
        if path and os.path.abspath(path) not in self.paths:
            required = self._required_parser(path)
            reason = f"is read with LUIGI_CONFIG_PARSER={required} only" if required else "does not exist"
            yield f"LUIGI_CONFIG_PATH={path} {reason}"

    def _old_names(self) -> Iterator[str]:
        for option in OPTIONS:
            section, name = self.find(option) or (option.section, option.name)
            if (section, name.replace("-", "_")) != (option.section, option.name):
                yield f"{self.where(section, name)} is better written [{option.section}] {option.name}"

    def _unknown_options(self, section: str, known: list[str]) -> Iterator[str]:
        for name in self.names(section):
            if name not in known:
                yield f"{self.where(section, name)} is not an option{_nearest(name, known)}"

    def _unread_sections(self, known: Iterable[str]) -> Iterator[str]:
        if "logging" in self.sections and self.syntax != "toml":
            yield f"{self.origin('logging')}: [logging] is read from TOML files only; see [core] logging_conf_file"
        for section in self.sections:
            intended = section.replace("-", "_")
            if section not in known and intended in known:
                yield f"{self.origin(section)}: [{section}] is not read (did you mean [{intended}]?)"


class Settings:
    """Every option in force and where it came from. Nothing changes after ``load``, so any thread may read."""

    def __init__(self, files: ConfigFiles, overrides: Mapping[Key, Any]) -> None:
        self._values: dict[Key, Any] = {}
        self._origins: dict[Key, str] = {}
        self.files = files.paths  #: the files that were read, the strongest last
        for option in OPTIONS:
            self._settle(option, *self._last_word(option, files, overrides))
        for at in [("resources", name) for name in files.names("resources")]:
            self._settle(Option(*at, COUNT, 0, ""), files.value(*at), files.origin(*at), files.where(*at))
        self.warnings = list(files.suspicions())  #: a line each, for the log
        #: the [logging] section of a TOML file, for logging.config.dictConfig; None without one
        self.logging = files.sections["logging"] if files.syntax == "toml" and "logging" in files.sections else None

    @classmethod
    def load(
        cls, overrides: Optional[Mapping[Key, Any]] = None, environ: Mapping[str, str] = os.environ
    ) -> "Settings":
        """Read the configuration files that ``environ`` selects.

        ``overrides`` are the flags: (section, name) of an option -> its value; None stands for a flag not given.
        Raises SettingsError for a file that cannot be read and a value that is not allowed.
        """
        return cls(ConfigFiles(environ), overrides or {})

    @staticmethod
    def _last_word(option: Option, files: ConfigFiles, overrides: Mapping[Key, Any]) -> tuple[Any, str, str]:
        flag, found = "--" + option.name.replace("_", "-"), files.find(option)
        value = overrides.get((option.section, option.name))
        if value is not None:
            return value, flag, flag
        if found:
            return files.value(*found), files.origin(*found), files.where(*found)
        return _default_of(option, files.environ), "default", "default"

    def _settle(self, option: Option, value: Any, origin: str, where: str) -> None:
        self._values[option.section, option.name] = option.parse(value, where)
        self._origins[option.section, option.name] = origin

    def get(self, section: str, name: str) -> Any:
        """The typed value of an option; KeyError if there is no such option."""
        return self._values[section, name]

    def section(self, section: str) -> dict[str, Any]:
        """The typed values of a section by name."""
        return {name: value for (its_section, name), value in self._values.items() if its_section == section}

    def origin(self, section: str, name: str) -> str:
        """Where the value comes from: "default", "file:line" or "--flag"."""
        return self._origins[section, name]

    @property
    def resources(self) -> dict[str, int]:
        """How much there is of each resource, by name."""
        return self.section("resources")

    def describe(self) -> str:
        """What is in force and where it came from, as text for the operator, secrets masked."""
        options = {(option.section, option.name): option for option in OPTIONS}
        read = ["# read: " + path for path in self.files] or ["# no configuration file found"]
        for section in SECTIONS:
            read += ["", f"[{section}]"]
            for name, value in self.section(section).items():
                shown = options[section, name].show(value) if (section, name) in options else str(value)
                read.append(f"{f'{name} = {shown}':<48}  # {self.origin(section, name)}")
        if self.logging is not None:
            read += ["", f"{'[logging]':<48}  # {', '.join(self.files)}"]
        return "\n".join(read) + "\n"


def scheduler_settings(**given: Any) -> types.SimpleNamespace:
    """Check and complete the settings of a scheduler made in-process: those of [scheduler], and db_connection.

    No file is read; None stands for the default. A name that is none of them raises TypeError, a value that is not
    allowed SettingsError.
    """
    options = {option.name: option for option in OPTIONS if option.section in ("scheduler", "task_history")}
    for name in sorted(given.keys() - options.keys()):
        raise TypeError(f"Scheduler() has no setting {name}{_nearest(name, options)}")
    settled = types.SimpleNamespace()
    for name, option in options.items():
        value = given.get(name)
        value = _default_of(option, os.environ) if value is None else value
        setattr(settled, name, option.parse(value, f"Scheduler(): {name}"))
    return settled


_EXAMPLE_HEADING = """\
# Every option of luigid with its default.
#
# Put what you change into /etc/luigi/luigi.cfg, into luigi.cfg in the working directory, or into the file that
# LUIGI_CONFIG_PATH names; of several the last of these counts. Clients and daemon may share a file. A value may use
# ${VARIABLE} from the environment and %(name)s from the same section or [DEFAULT]; a percent sign is written %%.
# 'luigid.py --check-config' prints what is in force and where it came from.
#
# This file is made from the table of options in luigid.py by 'make example'.
"""


def example_config() -> str:
    """The text of luigid.cfg.example: every option commented out, with its default, its meaning and what is allowed."""
    text = _EXAMPLE_HEADING
    for section, doc in SECTIONS.items():
        text += f"\n\n# {doc}\n[{section}]\n"
        text += "".join(map(_example_option, (option for option in OPTIONS if option.section == section)))
    return text


def _example_option(option: Option) -> str:
    allowed = option.kind.allowed[0].upper() + option.kind.allowed[1:]
    also = "".join(f" Also read from [{section}] {name}." for section, name in option.aliases)
    value = option._replace(secret=False).show(option.default)
    return f"\n# {option.doc}\n# {allowed}.{also}\n{f'#{option.name} = {value}'.rstrip()}\n"


# ======================================================================================================================
# 2. Model
# ======================================================================================================================
#
# What the scheduler knows of a task and of a worker, as plain records. They change nothing but themselves: section 3
# keeps the indexes over them, section 4 decides. Tuples and frozensets stand where stock Luigi has mutable sets,
# because thousands of tasks share one value: a task costs what is its own.

PENDING = "PENDING"
RUNNING = "RUNNING"
BATCH_RUNNING = "BATCH_RUNNING"
DONE = "DONE"
FAILED = "FAILED"
DISABLED = "DISABLED"
SUSPENDED = "SUSPENDED"
UNKNOWN = "UNKNOWN"

#: every status a client may report; SUSPENDED comes from old clients only and is kept as PENDING
STATUSES = (PENDING, RUNNING, BATCH_RUNNING, DONE, FAILED, DISABLED, SUSPENDED, UNKNOWN)

UPSTREAM_RUNNING = "UPSTREAM_RUNNING"
UPSTREAM_MISSING_INPUT = "UPSTREAM_MISSING_INPUT"
UPSTREAM_FAILED = "UPSTREAM_FAILED"
UPSTREAM_DISABLED = "UPSTREAM_DISABLED"

#: what a task's own status means to those that wait for it; a status not named here holds up nobody in a telling way
UPSTREAM_STATUS = {
    RUNNING: UPSTREAM_RUNNING,
    BATCH_RUNNING: UPSTREAM_RUNNING,
    PENDING: UPSTREAM_MISSING_INPUT,
    FAILED: UPSTREAM_FAILED,
    DISABLED: UPSTREAM_DISABLED,
}

#: upstream statuses from mild to grave: a waiting task shows the gravest one among its dependencies
UPSTREAM_SEVERITY = {
    status: severity
    for severity, status in enumerate(
        ("", UPSTREAM_RUNNING, UPSTREAM_MISSING_INPUT, UPSTREAM_FAILED, UPSTREAM_DISABLED)
    )
}

#: visibility of a parameter that everybody may see; hidden ones are 1, private ones 2 (stock's ParameterVisibility)
PUBLIC = 0

Number = Union[int, float]

#: resource amounts as (name, amount) pairs sorted by name: hashable, so that tasks with equal demands are told at once
Demand = Tuple[Tuple[str, Number], ...]


#: the one empty mapping that tasks share; never written to
NOTHING: Mapping[str, Any] = {}


def detached(value: Any) -> Any:
    """Return a JSON value that shares nothing with the given one which could be changed in place."""
    return copy.deepcopy(value) if isinstance(value, (dict, list)) else value


def copied(values: Mapping[str, Any]) -> Dict[str, Any]:
    """Return a copy of a JSON object that shares nothing with it which could be changed in place."""
    return {name: detached(value) for name, value in values.items()}


class RetryPolicy(NamedTuple):
    """When failing becomes being disabled (stock's `[scheduler]` options and `retry_policy_dict`)."""

    #: failures within the window that disable the task
    retry_count: Number
    #: seconds after the first failure after which any further failure disables it
    disable_hard_timeout: Number
    #: seconds for which a failure counts
    disable_window: Number


class Task:
    """A task: what clients said about it, what became of it, and where the indexes keep it."""

    __slots__ = (
        # -- who it is
        #: its name, unique
        "id",
        #: family (class name); empty as long as the task is only known as somebody's dependency
        "family",
        #: module that defines the family, or None
        "module",
        #: parameter name -> value as text
        "params",
        #: parameter name -> visibility (see PUBLIC); missing names are public
        "param_visibilities",
        #: number of tasks created before it: the order of `Agenda.tasks`
        "seq",
        # -- what it needs
        #: ids of the tasks that must be DONE first; inverse: `Agenda.dependents`
        "deps",
        #: what a run takes of each resource (Demand)
        "resources",
        #: higher goes first; only ever raised
        "priority",
        #: plain tuple of the fields of RetryPolicy
        "retry_policy",
        #: whether several may run as one (see `Agenda.batchers`)
        "batchable",
        # -- who cares
        #: ids of the live, enabled workers that may run it, oldest claim first; inverse: `Worker.tasks`
        "workers",
        #: ids of the live workers that want it kept; inverse: `Worker.tasks`
        "stakeholders",
        #: whether an assistant may run it
        "runnable",
        # -- where it stands
        #: one of STATUSES
        "status",
        #: rises with every change of status in the whole scheduler: the order of `Agenda.by_status`
        "order",
        #: epoch seconds of its creation
        "time",
        #: epoch seconds of its last change of status
        "updated",
        #: epoch seconds after which a FAILED task is PENDING again, or None
        "retry",
        #: epoch seconds from which the task is forgotten, or None
        "remove",
        #: epoch seconds of each failure that may still count, oldest first
        "failures",
        #: epoch seconds of the first failure since the last pardon, or None
        "first_failure_time",
        #: epoch seconds at which the scheduler disabled it; None if it did not (a worker may have)
        "scheduler_disable_time",
        # -- its run: the present one, or the last
        #: id of the worker that runs it, or ran it last, or None; inverse while it runs: `Agenda.running_on`
        "worker_running",
        #: epoch seconds of the start, or None
        "time_running",
        #: what the run holds of each resource (Demand), or None: as much as `resources`
        "resources_running",
        #: id of the batch it runs in, or None; inverse while BATCH_RUNNING: `Agenda.batches`
        "batch_id",
        #: error report of the last failure, or None
        "expl",
        #: link to the run, or None
        "tracking_url",
        #: free text of the run, or None
        "status_message",
        #: 0 to 100, or None
        "progress_percentage",
        #: whether its run reads messages; None if never said
        "accepts_messages",
        #: message id -> the run's answer not yet fetched
        "responses",
        # -- what section 3 derives from the above; nobody else writes these
        #: number of `deps` that are not DONE or not known
        "unmet",
        #: DISABLED itself, or PENDING below such a task through PENDING ones only
        "barred",
        #: (-priority, time, order, task) while it is ready to run, else None
        "entry",
        #: the Queues that hold `entry`: its own first, then the pools it could be batched from
        "seats",
        #: (workers, flags) as counted in `Worker`, or None
        "tally",
        #: (worker id, Demand, batch id) as booked in `Agenda.running_on`, `holders` and `batches`, or None
        "booking",
        #: epoch seconds at which `prune` must look at it, or None
        "due",
        #: its entry in a list of tasks as JSON, or None if it has changed since that was made
        "json",
    )

    def __init__(self, task_id: str, seq: int, status: str, now: float, retry_policy: Tuple[Number, ...]) -> None:
        self.id = task_id
        self.seq = seq
        self.status = status
        self.time = self.updated = now
        self.retry_policy = retry_policy
        self.family = ""
        self.params = self.param_visibilities = self.responses = NOTHING
        self.deps: Tuple[str, ...] = ()
        self.resources: Demand = ()
        self.priority: Number = 0
        self.workers: Tuple[str, ...] = ()
        self.stakeholders: FrozenSet[str] = frozenset()
        self.failures: Tuple[float, ...] = ()
        self.seats: tuple = ()
        self.batchable = self.runnable = self.barred = self.accepts_messages = False
        self.order = self.unmet = 0
        self.module = self.retry = self.remove = self.first_failure_time = self.scheduler_disable_time = None
        self.worker_running = self.time_running = self.resources_running = self.batch_id = None
        self.expl = self.tracking_url = self.status_message = self.progress_percentage = None
        self.entry = self.tally = self.booking = self.due = self.json = None

    def public_params(self) -> Dict[str, Any]:
        """Return the parameters that the page may show."""
        hidden = self.hidden_params()
        return copied({name: value for name, value in self.params.items() if name not in hidden})

    def hidden_params(self) -> Tuple[str, ...]:
        """Return the names of the parameters that may not be shown."""
        return tuple(name for name, visibility in self.param_visibilities.items() if visibility != PUBLIC)

    def display_name(self) -> str:
        """Return `Family(name=value, ...)`, public parameters only, sorted by name."""
        return f"{self.family}({', '.join(f'{name}={value}' for name, value in sorted(self.public_params().items()))})"

    def held(self) -> Demand:
        """Return what its run holds of each resource."""
        return self.resources if self.resources_running is None else self.resources_running

    def __repr__(self) -> str:
        return f"<Task {self.id} {self.status}>"


class Worker:
    """A client that asked for work or spoke for a task."""

    __slots__ = (
        #: its name, unique
        "id",
        #: host name it gave with its last get_work, or None
        "host",
        #: what it said of itself: `workers` (processes), `assistant`, `first_task`, host, user, ...
        "info",
        #: epoch seconds of its first call
        "started",
        #: epoch seconds of its last call
        "last_active",
        #: epoch seconds of its last get_work, or None
        "last_get_work",
        #: a disabled worker gets no work and schedules nothing
        "disabled",
        #: messages it has not fetched: {"name": ..., "kwargs": {...}}
        "rpc_messages",
        # -- what section 3 derives; nobody else writes these
        #: tasks that name it among `workers` or `stakeholders`
        "tasks",
        #: RUNNING tasks that name it among `workers`
        "running",
        #: Line of the Queues of the ready tasks it may run
        "line",
        #: PENDING tasks it may run; those it alone may run; those that need resources
        "pending",
        "pending_alone",
        "pending_demanding",
        #: tasks it may run that are FAILED, or PENDING and not barred: in all, it alone, it as the last to claim them
        "open",
        "open_alone",
        "open_last",
    )

    def __init__(self, worker_id: str, now: float) -> None:
        self.id = worker_id
        self.host = self.last_get_work = None
        self.info: Dict[str, Any] = {}
        self.started = self.last_active = now
        self.disabled = False
        self.rpc_messages: List[Dict[str, Any]] = []
        self.tasks: Set[Task] = set()
        self.running: Set[Task] = set()
        self.line = None
        self.pending = self.pending_alone = self.pending_demanding = 0
        self.open = self.open_alone = self.open_last = 0

    @property
    def assistant(self) -> bool:
        """Whether it said that it runs what others scheduled."""
        return self.info.get("assistant", False)

    @property
    def state(self) -> str:
        """Stock's word for whether it may work."""
        return "disabled" if self.disabled else "active"

    def __repr__(self) -> str:
        return f"<Worker {self.id} {self.state}>"


# What history, notices and metrics hear of. A status stands for the change to it.
FAILURE_REPORTED = "FAILURE_REPORTED"
SCHEDULING_FAILED = "SCHEDULING_FAILED"
WORKER_LOST = "WORKER_LOST"

#: events of tasks, which the history records; their kinds are named after statuses
RECORDED = frozenset((PENDING, RUNNING, BATCH_RUNNING, DONE, FAILED, DISABLED))


class Event(NamedTuple):
    """Something that happened to a task or a worker, as plain data: it outlives both, and a kill."""

    #: rises by one with each event of a state, across restarts
    number: int
    #: PENDING: a worker scheduled it, its failure was forgiven, or (reason "returned") its batch did not run after all.
    #: RUNNING: given to a worker (again, if the reply was lost), or (reason "batch", "reported") a worker says so.
    #: BATCH_RUNNING: given to a worker in a batch. DONE, FAILED, DISABLED: its status has become this; a failure that
    #: disables is a DISABLED with `failures`. FAILURE_REPORTED: what `batch_emails` counts, whatever it changed (reason
    #: "disabled": the task is). SCHEDULING_FAILED: a worker could not schedule it. WORKER_LOST: no word for too long.
    kind: str
    #: epoch seconds
    time: float
    #: "" with WORKER_LOST; with SCHEDULING_FAILED the displayed name
    task_id: str
    family: str
    #: parameter name -> text; shared with the task, so never changed in place
    params: Mapping[str, Any]
    #: names of those which must not be shown
    hidden: Tuple[str, ...]
    #: id of the worker that runs or ran it, or spoke of it, and the host it gave; None if there is none
    worker: Optional[str]
    host: Optional[str]
    #: epoch seconds at which the run began, or None
    started: Optional[float]
    #: failures that count; 0 if it was not the scheduler that disabled it
    failures: int = 0
    #: why, if not because a worker said so: "worker lost", "by hand", "re-enabled", or as at `kind`
    reason: Optional[str] = None
    #: error report of a failure: the end of it, at most MAX_REPORT characters
    report: Optional[str] = None
    #: with RUNNING and BATCH_RUNNING: what it depends on, at most MAX_EVENT_DEPS ids
    deps: Tuple[str, ...] = ()
    #: with FAILURE_REPORTED and SCHEDULING_FAILED: mail addresses, and the parameters that do not differ in a batch
    owners: Tuple[str, ...] = ()
    unbatched: Mapping[str, Any] = NOTHING


MAX_REPORT = 64 * 1024
MAX_EVENT_DEPS = 1000


# ======================================================================================================================
# 3. Graph and agenda
# ======================================================================================================================
#
# The indexes that let every call cost what it changes. They know nothing of RPC, HTTP or disk.
#
# The graph is kept edge by edge, at once: `dependents` inverts `Task.deps` (also for ids nobody has added yet),
# `Task.unmet` counts the dependencies that are not DONE, `Task.barred` marks what a disabled task keeps from running.
#
# Everything else follows from a task's own fields and is brought up to date by `settle(task)`, which compares what
# the indexes hold of the task with what they should hold and moves only the difference:
#
#   seats    a ready task sits in the Queue of the tasks that are like it: same resources, same workers. Alike tasks
#            are refused together, so `choose` looks at a queue's first and never at the rest; and queues stand in Lines
#            in the order of their firsts, so it looks at no more of them than rank above the one it finds.
#   tally    the counters that every get_work reply carries are kept per worker, not counted.
#   booking  what runs where: resource use, tasks by worker, tasks by batch.
#   due      the one moment at which `prune` must look at the task again, in a heap over all tasks.
#
# So whoever changes a task settles it afterwards, and `validate()` recomputes all of it from nothing and compares.
#
# Heaps are never searched. An entry that is no longer wanted stays where it is, is recognised when it surfaces
# (`task.entry is not entry`, `task.due != due`) and is dropped then, or when such entries outnumber the others.

#: (-priority, creation time, order, task): sorts as stock ranks; `order` is unique, so tasks are never compared
Entry = Tuple[Number, float, int, Task]

#: what makes ready tasks alike to `choose`: resources, workers, runnable
QueueKey = Tuple[Demand, Tuple[str, ...], bool]

#: added to the order of RUNNING tasks, which rank below PENDING ones of equal priority and time
AFTER_PENDING = 1 << 62

#: flags of `Task.tally`
IS_PENDING, IS_DEMANDING, IS_OPEN, IS_RUNNING = 1, 2, 4, 8

#: the flag that a status alone decides; the others are for PENDING tasks only
STATUS_FLAG = {PENDING: IS_PENDING, FAILED: IS_OPEN, RUNNING: IS_RUNNING}

#: `Task.due` of what the next prune must look at, whenever that is
AT_ONCE = 0.0

#: the status of a task that has been removed
GONE = ""


@functools.lru_cache(maxsize=4096)
def joined(workers: Tuple[str, ...], worker_id: str) -> Tuple[str, ...]:
    """Return `workers` and one more; cached, so that tasks with the same workers share one tuple."""
    return workers + (worker_id,)


@functools.lru_cache(maxsize=4096)
def parted(workers: Tuple[str, ...], worker_id: str) -> Tuple[str, ...]:
    """Return `workers` without one of them; cached as `joined` is."""
    return tuple(other for other in workers if other != worker_id)


@functools.lru_cache(maxsize=4096)
def united(stakeholders: FrozenSet[str], worker_id: str) -> FrozenSet[str]:
    """Return `stakeholders` and one more; cached as `joined` is."""
    return stakeholders | {worker_id}


@functools.lru_cache(maxsize=4096)
def bereft(stakeholders: FrozenSet[str], worker_id: str) -> FrozenSet[str]:
    """Return `stakeholders` without one of them; cached as `joined` is."""
    return stakeholders - {worker_id}


def unbatched(task: Task, names: Tuple[str, ...]) -> FrozenSet[Tuple[str, Any]]:
    """Return the parameters that must agree for tasks to be batched by `names`; a null one counts as missing."""
    others = ((name, value) for name, value in task.params.items() if name not in names and value is not None)
    return frozenset((name, value if isinstance(value, str) else (json.dumps(value),)) for name, value in others)


def discard_from(index: Dict[Any, Set[Task]], key: Any, task: Task) -> None:
    """Take a task out of one of the sets of an index, and the set out of the index when it is empty."""
    index[key].discard(task)
    if not index[key]:
        del index[key]


def ranked(heap: List[Entry], is_wanted: Callable[[Entry], bool]) -> Iterator[Entry]:
    """Yield the wanted entries of a heap in rank order, disturbing nothing; O(k log k) for the first k."""
    frontier = [(heap[0], 0)] if heap else []
    while frontier:
        entry, index = heapq.heappop(frontier)
        if is_wanted(entry):
            yield entry
        for child in range(2 * index + 1, min(2 * index + 3, len(heap))):
            heapq.heappush(frontier, (heap[child], child))


class Line:
    """The queues that some worker may be given work from, or all queues, in the rank order of their first tasks."""

    __slots__ = ("heap", "room")

    def __init__(self) -> None:
        #: the first entries of the queues, and some that have ceased to be that
        self.heap: List[Entry] = []
        #: length of the heap from which on the latter are removed
        self.room = 64

    def push(self, entry: Entry) -> None:
        """Take in what has become the first entry of a queue; O(log n)."""
        if len(self.heap) >= self.room:
            self.heap = list(self.ranked())
            self.room = 2 * len(self.heap) + 64
        heapq.heappush(self.heap, entry)

    def ranked(self) -> Iterator[Entry]:
        """Yield the first entry of each queue in rank order; O(k log k) for the first k."""
        last = None
        for entry in ranked(self.heap, is_first):
            if entry is not last:  # it may have been first, and second, and first again
                yield entry
            last = entry


def is_first(entry: Entry) -> bool:
    """Tell whether an entry is in use, and the first one of its queue."""
    task = entry[-1]
    return task.entry is entry and task.seats[0].head() is entry


class Queue:
    """Ready tasks in rank order; forgets itself (in `home`) with the last of them."""

    __slots__ = ("home", "key", "lines", "heap", "live")

    def __init__(self, home: Dict[Any, "Queue"], key: Any, lines: Iterable[Line] = ()) -> None:
        self.home = home
        self.key = key
        #: the lines in which it stands with its first entry
        self.lines = tuple(lines)
        self.heap: List[Entry] = []
        self.live = 0

    def push(self, entry: Entry) -> None:
        """Add a task; O(log n)."""
        self.live += 1
        if len(self.heap) > 2 * self.live + 64:
            self.heap = [kept for kept in self.heap if kept[-1].entry is kept]
            heapq.heapify(self.heap)
        heapq.heappush(self.heap, entry)
        if self.lines and self.head() is entry:
            self._line_up()

    def leave(self, entry: Entry) -> None:
        """Take note that an entry is out of use."""
        self.live -= 1
        if not self.live:
            del self.home[self.key]
        elif self.lines and entry < self.head():
            self._line_up()

    def _line_up(self) -> None:
        for line in self.lines:
            line.push(self.head())

    def head(self) -> Entry:
        """Return the first ranked entry of a queue that holds one."""
        while self.heap[0][-1].entry is not self.heap[0]:
            heapq.heappop(self.heap)
        return self.heap[0]

    def ranked(self) -> Iterator[Entry]:
        """Yield the entries in rank order, disturbing nothing; O(k log k) for the first k."""
        return ranked(self.heap, lambda entry: entry[-1].entry is entry)


class Agenda:
    """Tasks, workers, and every index over them. Not locked: the Scheduler's lock guards it."""

    def __init__(self) -> None:
        #: id -> Task, in order of creation
        self.tasks: Dict[str, Task] = {}
        #: id -> Worker, in order of appearance
        self.workers: Dict[str, Worker] = {}
        #: status -> id -> Task, in the order in which they took that status
        self.by_status: Dict[str, Dict[str, Task]] = {status: {} for status in (*STATUSES, GONE)}
        #: task id -> the tasks that have it among their `deps`; also ids that are not known (yet)
        self.dependents: Dict[str, Set[Task]] = {}
        #: worker id -> family -> (names of the parameters to batch, most tasks in a batch); outlives the worker,
        #: whose client says it only once
        self.batchers: Dict[str, Dict[str, Tuple[Tuple[str, ...], Number]]] = {}
        #: resource -> amount that may be used at a time; resources without an entry have 1
        self.totals: Dict[str, Number] = {}
        #: whether work is held back
        self.paused = False
        #: whose events they are (a random name; "" until somebody records them), and the number of the last one
        self.state_id, self.told = "", 0
        #: resource -> RUNNING task -> amount it holds
        self.holders: Dict[str, Dict[Task, Number]] = {}
        #: resource -> sum of its holders
        self.used: Dict[str, Number] = {}
        #: worker id -> tasks that are RUNNING or BATCH_RUNNING there
        self.running_on: Dict[str, Set[Task]] = {}
        #: batch id -> BATCH_RUNNING tasks
        self.batches: Dict[str, Set[Task]] = {}
        #: the ready tasks
        self.queues: Dict[QueueKey, Queue] = {}
        #: all of `queues`
        self.line = Line()
        #: (family, batched parameters) -> number of other parameters -> (resources, their values) -> ready tasks
        self.pools: Dict[Tuple[str, Tuple[str, ...]], Dict[int, Dict[Any, Queue]]] = {}
        #: family -> the ways in which workers batch it
        self.batchings: Dict[str, Set[Tuple[str, ...]]] = {}
        #: runs whose worker does not keep the task: it is gone, or an assistant, which may go; each prune looks at them
        self.adrift: Dict[Task, None] = {}
        #: (due, seq, Task) of the tasks that have something coming
        self.deadlines: List[Tuple[float, int, Task]] = []
        #: (epoch seconds at which it may be gone, worker id): one a worker, put right when it surfaces
        self.farewells: List[Tuple[float, str]] = []
        #: seconds from a failure to the next attempt; negative: never (`[scheduler] retry_delay`)
        self.retry_delay: float = 0
        #: seconds for which the scheduler disables a task (`[scheduler] disable_persist`)
        self.disable_persist: float = 0
        #: what changed since somebody took note and cleared it: tasks and workers (also removed ones) of which fields
        #: of their own did, and ("paused",), ("told",), ("resource", name), ("batchers", worker id)
        self.changed: Dict[Union[Task, Worker, Tuple[str, ...]], None] = {}
        #: (worker id, whether its stakes too) of what `strip_worker` did since then: one note for all its tasks
        self.stripped: List[Tuple[str, bool]] = []
        self._seqs = itertools.count()
        self._orders = itertools.count(1)

    # -- tasks and edges -----------------------------------------------------------------------------------------------

    def create(self, task_id: str, status: str, now: float, retry_policy: Tuple[Number, ...]) -> Task:
        """Add a task that is not there yet."""
        task = self.tasks[task_id] = Task(task_id, next(self._seqs), status, now, retry_policy)
        task.order = next(self._orders)
        self.by_status[status][task_id] = task
        return task

    def reindex(self, farewell: float) -> None:
        """Build all indexes anew, after fields were filled in from outside; workers may be gone at `farewell`."""
        for seq, task in enumerate(self.tasks.values()):
            task.seq = seq
        self._seqs = itertools.count(len(self.tasks))
        self.farewells = [(farewell, worker_id) for worker_id in sorted(self.workers)]
        in_order = sorted(self.tasks.values(), key=lambda task: task.order)
        self._orders = itertools.count(in_order[-1].order + 1 if in_order else 1)
        for index in (*self.by_status.values(), *(worker.tasks for worker in self.workers.values())):
            index.clear()
        for task in in_order:
            self.by_status[task.status][task.id] = task
            for worker_id in task.stakeholders.union(task.workers):
                self.workers[worker_id].tasks.add(task)
        for task in in_order:
            deps, task.deps = task.deps, ()
            self.set_deps(task, deps)
        for task in self.by_status[DISABLED].values():
            self._bar(task)
        for task in in_order:
            self._settle(task)

    def remove(self, task: Task) -> None:
        """Forget a task; what depends on it waits until it comes back."""
        self.set_deps(task, ())
        for worker_id in task.stakeholders.union(task.workers):
            self.workers[worker_id].tasks.discard(task)
        self.set_status(task, GONE)
        task.workers, task.stakeholders, task.remove = (), frozenset(), None
        self.settle(task)
        del self.tasks[task.id], self.by_status[GONE][task.id]

    def set_status(self, task: Task, status: str) -> None:
        """Enter a task under another status and tell those that depend on it."""
        was_done = task.status == DONE
        del self.by_status[task.status][task.id]
        self.by_status[status][task.id] = task
        task.status, task.order = status, next(self._orders)
        if was_done != (status == DONE):
            for dependent in self.dependents.get(task.id, ()):
                dependent.unmet += 1 if was_done else -1
                self._settle(dependent)
        self._rebar(task)

    def set_deps(self, task: Task, deps: Iterable[str]) -> None:
        """Replace the dependencies of a task."""
        deps = tuple(dict.fromkeys(deps))
        if deps == task.deps:
            return
        for dep in task.deps:
            discard_from(self.dependents, dep, task)
        for dep in deps:
            self.dependents.setdefault(dep, set()).add(task)
        task.deps = deps
        task.unmet = self._count_unmet(task)
        self._rebar(task)

    def _count_unmet(self, task: Task) -> int:
        done = self.by_status[DONE]
        return sum(dep not in done for dep in task.deps)

    # A task is barred by a DISABLED one upstream of it as long as all between them are PENDING. Counting barred
    # dependencies would not do: tasks in a cycle would bar each other for ever. So when a task stops barring,
    # everything that leaned on it is cleared first, and then barred again where another reason is left.

    def _rebar(self, task: Task) -> None:
        if task.barred and task.status != DISABLED:
            leaning = self._barred_through(task)
            for other in leaning:
                other.barred = False
            for other in leaning:
                self._bar(other)
            for other in leaning:
                self._settle(other)
        elif self.by_status[DISABLED]:
            self._bar(task)

    def _barred_through(self, task: Task) -> List[Task]:
        found, stack = {task}, [task]
        while stack:
            fresh = {dep for dep in self.dependents.get(stack.pop().id, ()) if dep.barred and dep not in found}
            found |= fresh
            stack.extend(fresh)
        return list(found)

    def _bar(self, task: Task) -> None:
        stack = [task]
        while stack:
            task = stack.pop()
            if not task.barred and self._has_bar(task):
                task.barred = True
                self._settle(task)
                stack.extend(self.dependents.get(task.id, ()))

    def _has_bar(self, task: Task) -> bool:
        if task.status != PENDING:
            return task.status == DISABLED
        upstream = map(self.tasks.get, task.deps)
        return any(dep is not None and dep.barred for dep in upstream)

    def raise_priority(self, task: Task, priority: Number) -> None:
        """Raise a task to `priority`, and all it waits for to what it then has; priorities never fall. Settles them."""
        priority = max(priority, task.priority)
        stack = [task]
        while stack:
            task = stack.pop()
            task.priority = priority
            self.settle(task)
            upstream = map(self.tasks.get, task.deps)
            stack.extend(dep for dep in upstream if dep is not None and dep.priority < priority)

    # -- workers -------------------------------------------------------------------------------------------------------

    def add_claim(self, task: Task, worker: Worker) -> None:
        """Let a worker run a task."""
        if worker.id not in task.workers:
            task.workers = joined(task.workers, worker.id)
            worker.tasks.add(task)

    def add_stake(self, task: Task, worker: Worker) -> bool:
        """Keep a task as long as a worker lives; False if it does that already."""
        if worker.id in task.stakeholders:
            return False
        task.stakeholders = united(task.stakeholders, worker.id)
        worker.tasks.add(task)
        return True

    def strip_worker(self, worker: Worker, stakes: bool) -> None:
        """Take back all claims of a worker, and its stakes too if `stakes`."""
        for task in worker.tasks:
            task.workers, task.json = parted(task.workers, worker.id), None
            if stakes:
                task.stakeholders = bereft(task.stakeholders, worker.id)
            self._settle(task)
        self.stripped.append((worker.id, stakes))
        worker.tasks = {task for task in worker.tasks if worker.id in task.stakeholders}

    def pop_silent_workers(self, now: float, delay: float) -> Iterator[Worker]:
        """Yield and forget the workers that said nothing for more than `delay` seconds."""
        while self.farewells and self.farewells[0][0] < now:
            worker = self.workers[heapq.heappop(self.farewells)[1]]
            if worker.last_active + delay < now:
                yield worker
                self.strip_worker(worker, stakes=True)
                del self.workers[worker.id]
                self.changed[worker] = None
            else:
                heapq.heappush(self.farewells, (worker.last_active + delay, worker.id))

    def add_worker(self, worker_id: str, now: float, delay: float) -> Worker:
        """Add a worker that is not there yet; it is silent after `delay` seconds without a call."""
        worker = self.workers[worker_id] = Worker(worker_id, now)
        worker.line = Line()
        self.changed[worker] = None
        heapq.heappush(self.farewells, (now + delay, worker_id))
        return worker

    def set_batcher(self, worker_id: str, family: str, names: Tuple[str, ...], max_size: Number) -> None:
        """Let a worker run up to `max_size` ready tasks of a family as one when they differ in `names` only."""
        # taken out and put in again: the order of `batchers` is the one in which workers last spoke of theirs
        self.batchers[worker_id] = {**self.batchers.pop(worker_id, {}), family: (names, max_size)}
        self.changed[("batchers", worker_id)] = None
        if names not in self.batchings.setdefault(family, set()):
            self.batchings[family].add(names)
            for task in self.by_status[PENDING].values():
                if task.family == family:
                    self._settle(task)

    def drop_batchers(self, worker_id: str) -> None:
        """Forget how a worker batches."""
        del self.batchers[worker_id]
        self.changed[("batchers", worker_id)] = None

    def set_total(self, resource: str, amount: Number) -> None:
        """Set how much of a resource may be used at a time."""
        self.totals[resource] = amount
        self.changed[("resource", resource)] = None

    # -- settling ------------------------------------------------------------------------------------------------------

    def touch(self, task: Task) -> None:
        """Take note of a task of which fields were changed that no index depends on."""
        self.changed[task] = None
        task.json = None

    def settle(self, task: Task) -> None:
        """Take note of a task whose fields were changed, and bring the indexes up to date with them."""
        self.touch(task)
        self._settle(task)

    def _settle(self, task: Task) -> None:
        # also for tasks whose own fields are as they were, when what is derived from others has changed
        self._settle_seats(task)
        self._settle_tally(task)
        self._settle_booking(task)
        self._settle_due(task)

    def _settle_seats(self, task: Task) -> None:
        entry, seats = task.entry, ()
        if task.status == PENDING and not task.unmet:
            seats = (self._queue(task), *self._pools(task))
            if entry and task.seats == seats and entry[0] == -task.priority and entry[2] == task.order:
                return
        elif entry is None:
            return
        left = task.seats
        task.entry = (-task.priority, task.time, task.order, task) if seats else None
        task.seats = seats
        for queue in seats:
            queue.push(task.entry)
        for queue in left:
            queue.leave(entry)

    def _queue(self, task: Task) -> Queue:
        key = (task.resources, task.workers, task.runnable)
        queue = self.queues.get(key)
        if queue is None:
            lines = (self.workers[worker_id].line for worker_id in task.workers)
            queue = self.queues[key] = Queue(self.queues, key, (self.line, *lines))
        return queue

    def _pools(self, task: Task) -> Iterator[Queue]:
        for names in self.batchings.get(task.family, ()) if task.batchable else ():
            others = unbatched(task, names)
            home = self.pools.setdefault((task.family, names), {}).setdefault(len(others), {})
            key = (task.resources, others)
            if key not in home:
                home[key] = Queue(home, key)
            yield home[key]

    def _settle_tally(self, task: Task) -> None:
        flags = STATUS_FLAG.get(task.status, 0) if task.workers else 0
        if flags & IS_PENDING:
            flags |= (IS_DEMANDING if task.resources else 0) | (0 if task.barred else IS_OPEN)
        tally = (task.workers, flags) if flags else None
        if tally != task.tally:
            if task.tally:
                self._count(task, *task.tally, -1)
            if tally:
                self._count(task, *tally, 1)
            task.tally = tally

    def _count(self, task: Task, workers: Tuple[str, ...], flags: int, step: int) -> None:
        alone = step if len(workers) == 1 else 0
        for worker in map(self.workers.__getitem__, workers):
            if flags & IS_PENDING:
                worker.pending += step
                worker.pending_alone += alone
            if flags & IS_DEMANDING:
                worker.pending_demanding += step
            if flags & IS_OPEN:
                worker.open += step
                worker.open_alone += alone
            if flags & IS_RUNNING:
                (worker.running.add if step > 0 else worker.running.discard)(task)
        if flags & IS_OPEN:
            worker.open_last += step

    def _settle_booking(self, task: Task) -> None:
        booking = None
        if task.status == RUNNING:
            booking = (task.worker_running, task.held(), None)
        elif task.status == BATCH_RUNNING:
            booking = (task.worker_running, (), task.batch_id)
        if booking != task.booking:
            if task.booking:
                self._unbook(task, *task.booking)
            if booking:
                self._book(task, *booking)
            task.booking = booking

    def _book(self, task: Task, worker_id: Optional[str], held: Demand, batch_id: Optional[str]) -> None:
        self.running_on.setdefault(worker_id, set()).add(task)
        if batch_id is not None:
            self.batches.setdefault(batch_id, set()).add(task)
        for resource, amount in held:
            self.holders.setdefault(resource, {})[task] = amount
            self._add_use(resource, amount)

    def _unbook(self, task: Task, worker_id: Optional[str], held: Demand, batch_id: Optional[str]) -> None:
        discard_from(self.running_on, worker_id, task)
        if batch_id is not None:
            discard_from(self.batches, batch_id, task)
        for resource, amount in held:
            del self.holders[resource][task]
            self._add_use(resource, -amount)

    def _add_use(self, resource: str, amount: Number) -> None:
        total = self.used.get(resource, 0)
        if type(amount) is int and type(total) is int:
            self.used[resource] = total + amount
        else:  # sums of floats depend on their order, and what is taken away again must leave nothing behind
            self.used[resource] = sum(self.holders[resource].values())
        if not self.holders[resource]:
            del self.holders[resource], self.used[resource]

    def _settle_due(self, task: Task) -> None:
        if self._is_adrift(task):
            self.adrift[task] = None
        else:
            self.adrift.pop(task, None)
        due = self._when_due(task)
        if due != task.due:
            task.due = due
            if due is not None:
                if len(self.deadlines) > 2 * len(self.tasks) + 64:
                    self.deadlines = [(t.due, t.seq, t) for t in self.tasks.values() if t.due is not None]
                    heapq.heapify(self.deadlines)
                heapq.heappush(self.deadlines, (due, task.seq, task))

    def _is_adrift(self, task: Task) -> bool:
        return task.status in (RUNNING, BATCH_RUNNING) and task.worker_running not in task.stakeholders

    def _when_due(self, task: Task) -> Optional[float]:
        due = [] if task.remove is None else [task.remove]
        if not task.stakeholders and task.remove is None and task.status not in (RUNNING, GONE):
            due.append(AT_ONCE)
        if task.status == DISABLED and task.scheduler_disable_time is not None:
            due.append(task.scheduler_disable_time + self.disable_persist)
        if task.status == FAILED and self.retry_delay >= 0:
            due.append(task.retry)
        return min(due, default=None)

    def is_due(self, now: float) -> bool:
        """Tell whether `pop_due` would find a task whose time is over, or has left some for later."""
        return bool(self.deadlines) and self.deadlines[0][0] < now

    def pop_due(self, now: float, most: float = math.inf) -> Iterator[Task]:
        """Yield what `prune` must look at, oldest task first, each once; of those whose time is over at most `most`.

        What falls due meanwhile is yielded as well if it is younger than the task just looked at: so it is for a
        walk over all tasks.
        """
        found = [(task.seq, task) for task in self.adrift]
        heapq.heapify(found)
        popped, seq = [], -1
        try:
            while True:
                while self.deadlines and self.deadlines[0][0] <= now and len(popped) < most:
                    due, _, task = heapq.heappop(self.deadlines)
                    if task.due == due:
                        task.due = None
                        popped.append(task)
                        heapq.heappush(found, (task.seq, task))
                while found and found[0][0] <= seq:  # had its turn already
                    heapq.heappop(found)
                if not found:
                    break
                seq, task = heapq.heappop(found)
                yield task
        finally:
            for task in popped:
                self._settle_due(task)

    # -- choosing ------------------------------------------------------------------------------------------------------

    def fits(self, demand: Demand, used: Mapping[str, Number]) -> bool:
        """Tell whether the totals allow for `demand` on top of what is used."""
        return all(amount + used.get(name, 0) <= self.totals.get(name, 1) for name, amount in demand)

    def choose(self, worker: Worker, assistant: bool, alive_since: float) -> Optional[Task]:
        """Return the task that `worker` must run now, or None.

        It is the first in rank among the ready ones that the worker may run and whose resources are free, unless
        they would not be free had all that ranks above been given out before: to the workers that asked for work
        after `alive_since` (epoch seconds), as far as these have processes. So a worker with many cheap tasks does
        not starve one that waits for the same resources with a task that ranks above.
        """
        line = self.line if assistant else worker.line
        may_run = functools.partial(self._may_run, worker, assistant)
        first = next((entry[-1] for entry in line.ranked() if may_run(entry[-1])), None)
        if first is None or not first.resources:
            return first
        return self._choose_fairly(worker, assistant, self._free_slots(alive_since))

    def _may_run(self, worker: Worker, assistant: bool, task: Task) -> bool:
        return ((assistant and task.runnable) or worker.id in task.workers) and self.fits(task.resources, self.used)

    def _free_slots(self, alive_since: float) -> Dict[str, Number]:
        asked = (w for w in self.workers.values() if w.last_get_work is not None and w.last_get_work > alive_since)
        return {worker.id: worker.info.get("workers", 1) for worker in asked}

    def _choose_fairly(self, worker: Worker, assistant: bool, slots: Dict[str, Number]) -> Optional[Task]:
        # Give out everything in rank order until it is the worker's turn. Slots and resources only dwindle meanwhile,
        # so a queue whose first does not fit, or finds no slot, is through: here alike tasks fall together.
        taken: Dict[str, Number] = collections.defaultdict(int)
        firsts = heapq.merge(self.line.ranked(), self._ranked_running(slots))
        frontier: List[Tuple[Entry, Iterator[Entry]]] = []
        push_next(frontier, firsts)
        while frontier:
            entry, rest = heapq.heappop(frontier)
            task = entry[-1]
            if rest is firsts:
                push_next(frontier, firsts)
                rest = itertools.islice(task.seats[0].ranked(), 1, None) if task.entry else None
            if task.status == RUNNING:
                runner = task.worker_running
            elif not self.fits(task.resources, taken):
                continue
            elif self._may_run(worker, assistant, task):
                return task
            else:
                claims = (*task.workers, worker.id) if assistant else task.workers
                runner = next((claim for claim in claims if slots.get(claim, 0) > 0), None)
            if runner is not None:
                slots[runner] -= 1
                for resource, amount in task.held() if task.status == RUNNING else task.resources:
                    taken[resource] += amount
                push_next(frontier, rest or iter(()))
        return None

    def _ranked_running(self, slots: Mapping[str, Number]) -> Iterator[Entry]:
        tasks = (task for worker_id in slots for task in self.running_on.get(worker_id, ()) if task.status == RUNNING)
        yield from sorted((-task.priority, task.time, AFTER_PENDING + task.order, task) for task in tasks)

    def batch_with(self, worker: Worker, first: Task) -> List[Task]:
        """Return the ready tasks that `worker` runs together with `first`, and it; itself alone if none do."""
        names, max_size = self.batchers.get(worker.id, {}).get(first.family, ((), 1))
        batch = [first]
        if not first.batchable or not names or any(name not in first.params for name in names):
            return batch
        own = not worker.assistant and not worker.pending_demanding
        for entry in heapq.merge(*(pool.ranked() for pool in self._pools_like(first, names))):
            if len(batch) >= max_size:
                break
            if entry > first.entry and (not own or worker.id in entry[-1].workers):
                batch.append(entry[-1])
        return batch

    def _pools_like(self, first: Task, names: Tuple[str, ...]) -> Iterator[Queue]:
        # The tasks of a family have the same parameters, as a rule. Those that have more still match.
        others = unbatched(first, names)
        nulls = [name for name, value in first.params.items() if value is None]
        for size, pools in self.pools[first.family, names].items():
            if size == len(others) and (first.resources, others) in pools:
                yield pools[first.resources, others]
            elif size > len(others):
                for (demand, candidate), pool in pools.items():
                    if demand == first.resources and others < candidate and dict(candidate).keys().isdisjoint(nulls):
                        yield pool

    # -- the proof -----------------------------------------------------------------------------------------------------

    def validate(self) -> None:
        """Recompute every index from the tasks and workers alone; AssertionError names the first that differs."""
        self._validate_graph()
        self._validate_seats()
        self._validate_workers()
        self._validate_bookings()
        for task in self.tasks.values():
            expect(task.due, self._when_due(task), f"due of {task.id}")
            expect(task in self.adrift, self._is_adrift(task), f"whether {task.id} is adrift")
        expected = {(task.due, task.seq, task) for task in self.tasks.values() if task.due is not None}
        expect(expected - set(self.deadlines), set(), "tasks missing in deadlines")

    def _validate_graph(self) -> None:
        for status, tasks in self.by_status.items():
            expected = sorted((task for task in self.tasks.values() if task.status == status), key=lambda t: t.order)
            expect(list(tasks.values()), expected, f"tasks that are {status or 'gone'}")
        expect([task.id for task in self.tasks.values()], list(self.tasks), "task ids")
        dependents: Dict[str, Set[Task]] = {}
        for task in self.tasks.values():
            expect(task.unmet, self._count_unmet(task), f"unmet of {task.id}")
            for dep in task.deps:
                dependents.setdefault(dep, set()).add(task)
        expect(self.dependents, dependents, "dependents")
        stack = list(self.by_status[DISABLED].values())
        barred = set(stack)
        while stack:
            fresh = {t for t in dependents.get(stack.pop().id, ()) if t.status == PENDING and t not in barred}
            barred |= fresh
            stack.extend(fresh)
        expect({task for task in self.tasks.values() if task.barred}, barred, "barred tasks")

    def _validate_seats(self) -> None:
        seated: Dict[Queue, Set[Task]] = {}
        for task in self.tasks.values():
            ready = task.status == PENDING and not task.unmet
            entry = (-task.priority, task.time, task.order, task) if ready else None
            expect(task.entry, entry, f"entry of {task.id}")
            expect(task.seats, (self._queue(task), *self._pools(task)) if ready else (), f"seats of {task.id}")
            for queue in task.seats:
                seated.setdefault(queue, set()).add(task)
        pools = [pool for sizes in self.pools.values() for home in sizes.values() for pool in home.values()]
        expect(set(seated), {*self.queues.values(), *pools}, "queues in use")
        for queue, tasks in seated.items():
            expect(queue.live, len(tasks), f"live entries of {queue.key}")
            expect([entry[-1] for entry in queue.ranked()], sorted(tasks, key=lambda t: t.entry), f"queue {queue.key}")
        expect(list(self.line.ranked()), sorted(queue.head() for queue in self.queues.values()), "line of all queues")

    def _validate_workers(self) -> None:
        expect(sorted(worker_id for _, worker_id in self.farewells), sorted(self.workers), "farewells")
        for worker in self.workers.values():
            mine = [task for task in self.tasks.values() if worker.id in task.workers]
            pending = [task for task in mine if task.status == PENDING]
            open_ = [task for task in mine if task.status == FAILED] + [task for task in pending if not task.barred]
            staked = {task for task in self.tasks.values() if worker.id in task.stakeholders}
            expect(worker.tasks, staked.union(mine), f"tasks of {worker.id}")
            expect(worker.running, {task for task in mine if task.status == RUNNING}, f"running of {worker.id}")
            expect(worker.pending, len(pending), f"pending of {worker.id}")
            expect(worker.pending_alone, sum(len(task.workers) == 1 for task in pending), f"alone of {worker.id}")
            expect(worker.pending_demanding, sum(bool(t.resources) for t in pending), f"demanding of {worker.id}")
            expect(worker.open, len(open_), f"open of {worker.id}")
            expect(worker.open_alone, sum(len(task.workers) == 1 for task in open_), f"open alone of {worker.id}")
            expect(worker.open_last, sum(t.workers[-1] == worker.id for t in open_), f"open last of {worker.id}")
            firsts = [queue.head() for queue in self.queues.values() if worker.id in queue.key[1]]
            expect(list(worker.line.ranked()), sorted(firsts), f"line of {worker.id}")

    def _validate_bookings(self) -> None:
        running_on: Dict[Any, Set[Task]] = {}
        batches: Dict[Any, Set[Task]] = {}
        holders: Dict[str, Dict[Task, Number]] = {}
        for task in itertools.chain(self.by_status[RUNNING].values(), self.by_status[BATCH_RUNNING].values()):
            running_on.setdefault(task.worker_running, set()).add(task)
            if task.status == BATCH_RUNNING and task.batch_id is not None:
                batches.setdefault(task.batch_id, set()).add(task)
            for resource, amount in task.held() if task.status == RUNNING else ():
                holders.setdefault(resource, {})[task] = amount
        expect(self.running_on, running_on, "running_on")
        expect(self.batches, batches, "batches")
        expect(self.holders, holders, "holders")
        expect(self.used, {name: sum(held.values()) for name, held in self.holders.items()}, "used resources")


def push_next(frontier: List[Tuple[Entry, Iterator[Entry]]], rest: Iterator[Entry]) -> None:
    """Put the next entry of one of several ranked sources into their common heap, if it has one."""
    entry = next(rest, None)
    if entry is not None:
        heapq.heappush(frontier, (entry, rest))


def expect(actual: Any, expected: Any, what: str) -> None:
    """Raise AssertionError if an index is not what it should be."""
    if actual != expected:
        raise AssertionError(f"{what}: index has {actual!r}, should be {expected!r}")


# ======================================================================================================================
# 4. Scheduler
# ======================================================================================================================
#
# The state machine. A public method decorated with @rpc is a call of the wire: its annotations say what each argument
# must be, arguments are checked before anything is touched, the clock is read once, and the body runs under the lock.
# What it returns is built for the caller: no reply holds a part of the state, and no argument becomes one uncopied.
#
# Every change of a task's status goes through `_set_status`. The rules there:
#
#   from                        to              what happens
#   RUNNING, BATCH_RUNNING      DISABLED        nothing: a run is not interrupted
#   DISABLED by the scheduler   DONE            failures are forgiven
#   DISABLED by the scheduler   anything else   nothing: workers do not overrule it; `prune` and `re_enable_task` do
#   RUNNING as a batch          any other       its BATCH_RUNNING tasks go the same way, and the batch is dissolved
#   any but DISABLED            FAILED          a failure is counted; too many: DISABLED instead, by the scheduler
#   any                         FAILED          it is retried after `retry_delay`; a batch's own task is removed
#   any                         SUSPENDED       PENDING (old clients)

# -- what arguments may be ---------------------------------------------------------------------------------------------


class BadRequest(ValueError):
    """An argument is missing or not what it must be; the message names it. Nothing has been changed."""


#: numbers beyond are taken as this one: infinity has no place in JSON, and sums of such numbers must stay finite, too
LARGEST = 1e300

#: arrays and objects inside each other in a value: what is accepted must also be copied and encoded, each recursively
MAX_NESTING = 100

# What clients may make the state grow by: far beyond what pipelines need, and little enough that no client, broken or
# hostile, fills the memory of all others. A call that goes beyond is refused as a whole (TooMuch); only where refusing
# would hurt a bystander, the oldest gives way.

MAX_TEXT = 1024 * 1024  #: characters of a name or another text
MAX_VALUE = 8 * 1024 * 1024  #: characters of a JSON value (parameters, an error report), each number counted as 8
MAX_IDS = 1_000_000  #: ids in a list, such as the dependencies of a task
MAX_DEMANDS = 1000  #: resources that a task may ask for
MAX_TASKS = 20_000_000  #: tasks, with those only named as dependencies: some 100 GB
MAX_WORKERS = 100_000  #: workers; those that left count until `worker_disconnect_delay` has passed
MAX_RESOURCES = 10_000  #: resources with a total; nothing else ever removes one
MAX_UNREAD = 1000  #: messages that wait for a worker, which may never come for them
MAX_ANSWERS = 100  #: answers of a task to messages; the oldest gives way, its page was closed long ago
MAX_BATCHERS = 1000  #: families that a worker batches
MAX_BATCHED = 100_000  #: families that are batched
MAX_BATCHINGS = 100  #: ways to batch a family: each costs every ready task of it a seat
#: workers of which batchers are kept: they must outlive a worker that is only silent, since its client says them once.
#: Beyond this, those of the absent worker that spoke of its own longest ago give way.
MAX_BATCHING_WORKERS = 10_000
MAX_FAILURES = 10_000  #: failures remembered of a task; a `retry_count` beyond is never reached


class TooMuch(BadRequest):
    """A call would make something larger than it may become; the message names what and the cap."""


class Unavailable(Exception):
    """Changes cannot be kept at present, so none are made; the message says why. To be tried again later."""


#: compact JSON in ASCII; the values are checked when they come in, so nothing is looked for on the way out
encode_json = json.JSONEncoder(check_circular=False, separators=(",", ":")).encode


class Kind(NamedTuple):
    """What an argument must be: `check` returns it as the scheduler keeps it, or raises ValueError or TypeError.

    A null means the default, except to a `nullable` kind, whose `check` says what it means.
    """

    check: Callable[[Any], Any]
    says: str
    #: the same as a JSON Schema, for programs
    schema: Mapping[str, Any]
    nullable: bool = False


def limit(amount: int, most: int, what: str) -> None:
    """Raise TooMuch if `amount` is more than there may be."""
    if amount > most:
        raise TooMuch(f"too many {what}: at most {most} are kept")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    if len(value) > MAX_TEXT:
        raise TooMuch(f"a text may have {MAX_TEXT} characters")
    return value if type(value) is str else str.__str__(value)


def _size(value: Any) -> int:
    """Return the characters in a JSON value."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(map(len, value)) + sum(map(_size, value.values()))
    return sum(map(_size, value)) if isinstance(value, (list, tuple)) else 8


def _of_sane_size(value: Any) -> Any:
    if _size(value) > MAX_VALUE:
        raise TooMuch(f"a value may have {MAX_VALUE} characters")
    return value


def _identifier(value: Any) -> str:
    if type(value) is str and 0 < len(value) <= MAX_TEXT:  # as nearly all are
        return value
    if not value:
        raise ValueError
    return _text(value)


def _number(value: Any) -> Number:
    if type(value) is int and -sys.maxsize <= value <= sys.maxsize:
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value:
        raise TypeError
    value = int(value) if isinstance(value, int) else float(value)
    return max(-LARGEST, min(value, LARGEST))


def _amount(value: Any) -> Number:
    number = _number(value)
    if number < 0:
        raise ValueError
    return number


def _count(value: Any) -> int:
    if isinstance(value, float) and value.is_integer():  # to JSON 2.0 and 2 are the same
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= sys.maxsize:
        raise TypeError
    return int(value)


def _flag(value: Any) -> bool:
    if value is True or value is False:
        return value
    if value not in (True, False, None):
        raise ValueError
    return bool(value)


def _flag_or_null(value: Any) -> Optional[bool]:
    return value if value is None else _flag(value)


def _status(value: Any) -> str:
    return STATUSES[STATUSES.index(value)]


def _anything(value: Any) -> Any:
    return _of_sane_size(_plain(value))


def _plain(value: Any, levels: int = MAX_NESTING) -> Any:
    if type(value) is str:  # what nearly all are
        return value
    if not levels:
        raise ValueError
    if isinstance(value, dict):
        return {_text(name): _plain(item, levels - 1) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, levels - 1) for item in value]
    if value is None or isinstance(value, bool):
        return value
    return str.__str__(value) if isinstance(value, str) else _number(value)


def _object(value: Any) -> Dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError
    copy, size = {}, 0
    for name, item in value.items():
        copy[sys.intern(name)] = item if type(item) is str else _plain(item)
        size += len(name) + (len(item) if type(item) is str else _size(item))
    if size > MAX_VALUE:
        raise TooMuch(f"a value may have {MAX_VALUE} characters")
    return copy


def _identifiers(value: Any) -> Tuple[str, ...]:
    if not isinstance(value, (list, tuple, set, frozenset)):
        raise TypeError
    limit(len(value), MAX_IDS, "ids in a list")
    return tuple(map(_identifier, value))


def _demand(value: Any) -> Demand:
    limit(len(value), MAX_DEMANDS, "resources of a task")
    return tuple(sorted((_identifier(name), _amount(amount)) for name, amount in value.items())) if value else ()


def _numbers(value: Any) -> Dict[str, Number]:
    limit(len(value), MAX_DEMANDS, "resources of a task")
    return {name: _number(amount) for name, amount in value.items()}


def _info(value: Any) -> Dict[str, Any]:
    info = _object(dict(value))
    _amount(info.get("workers", 1))
    return info


def _retry_policy(value: Any) -> Dict[str, Number]:
    return {name: _number(value[name]) for name in RetryPolicy._fields if value.get(name) is not None}


STRING = {"type": "string", "maxLength": MAX_TEXT}
NAME = {**STRING, "minLength": 1}
NUMBER = {"type": "number"}
AMOUNT = {**NUMBER, "minimum": 0}
COUNT_SCHEMA = {"type": "integer", "minimum": 0, "maximum": sys.maxsize}
FLAG = {"enum": [True, False, None, 0, 1]}


def _array_of(items: Mapping[str, Any], most: int) -> Dict[str, Any]:
    return {"type": "array", "items": items, "maxItems": most}


def _object_of(values: Mapping[str, Any], most: int, names: Mapping[str, Any] = NAME) -> Dict[str, Any]:
    return {"type": "object", "additionalProperties": values, "maxProperties": most, "propertyNames": names}


INFO = {"type": "object", "properties": {"workers": AMOUNT}}
POLICY = {"type": "object", "properties": {name: {"type": ["number", "null"]} for name in RetryPolicy._fields}}

Identifier = Annotated[str, Kind(_identifier, "a string that is not empty", NAME)]
Identifiers = Annotated[
    Tuple[str, ...], Kind(_identifiers, "a list of strings that are not empty", _array_of(NAME, MAX_IDS))
]
Text = Annotated[str, Kind(_text, "a string", STRING)]
Flag = Annotated[bool, Kind(_flag, "true or false", FLAG, nullable=True)]
FlagOrNull = Annotated[Optional[bool], Kind(_flag_or_null, "true, false or null", FLAG, nullable=True)]
Status = Annotated[str, Kind(_status, f"one of {', '.join(STATUSES)}", {"enum": STATUSES})]
Priority = Annotated[Number, Kind(_number, "a number", NUMBER)]
Amount = Annotated[Number, Kind(_amount, "a number of at least 0", AMOUNT)]
Count = Annotated[int, Kind(_count, "a whole number of at least 0", COUNT_SCHEMA)]
Amounts = Annotated[
    Demand, Kind(_demand, "an object of resource names and numbers of at least 0", _object_of(AMOUNT, MAX_DEMANDS))
]
Numbers = Annotated[
    Mapping[str, Number], Kind(_numbers, "an object of numbers", _object_of(NUMBER, MAX_DEMANDS, STRING))
]
Object = Annotated[Mapping[str, Any], Kind(_object, "an object", {"type": "object"})]
Anything = Annotated[Any, Kind(_anything, "any JSON value", {}, nullable=True)]
Info = Annotated[
    Mapping[str, Any], Kind(_info, 'an object or a list of pairs, with a number of at least 0 for "workers"', INFO)
]
Policy = Annotated[
    Mapping[str, Number], Kind(_retry_policy, f"an object with numbers for {', '.join(RetryPolicy._fields)}", POLICY)
]


def shown(value: Any) -> str:
    """Return a short form of what a client sent, for an error message."""
    try:
        return reprlib.repr(value)
    except ValueError:  # Python does not print integers of more than some thousand digits
        return "such a large number"


class Param(NamedTuple):
    """An argument of an RPC."""

    name: str
    kind: Kind
    required: bool
    default: Any


class Rpc(NamedTuple):
    """An RPC: its arguments by name (`rest`: the kind of those whose names are free), what it does, if it changes much.

    Calls with `changes` are refused while changes cannot be kept. The others do at most what a lost call would undo.
    """

    name: str
    params: Dict[str, Param]
    #: the same by the two questions that every call asks: name -> kind, and the names of those that are required
    kinds: Dict[str, Kind]
    required: FrozenSet[str]
    rest: Optional[Kind]
    doc: str
    changes: bool
    #: of a listing: called with the scheduler and the arguments, yields the JSON of the reply's entries, some at a time
    entries: Optional[Callable[..., Iterator[str]]] = None

    def clean(self, arguments: Mapping[str, Any]) -> Dict[str, Any]:
        """Return checked copies of `arguments`, without unknown ones and nulls that mean the default.

        Raises BadRequest for what is missing or wrong.
        """
        cleaned = {}
        try:
            find, rest = self.kinds.get, self.rest
            for name, value in arguments.items():
                kind = find(name, rest)
                if kind is not None and (value is not None or kind.nullable):
                    cleaned[name] = kind.check(value)
        except TooMuch as error:
            raise TooMuch(f"argument {shown(name)} of {self.name}: {error}") from None
        except (ValueError, TypeError, AttributeError):
            raise BadRequest(f"argument {shown(name)} of {self.name} must be {kind.says}, not {shown(value)}") from None
        if not self.required <= cleaned.keys():
            name = next(name for name in self.params if name in self.required and name not in cleaned)
            raise BadRequest(f"{self.name} needs the argument {name!r}: {self.kinds[name].says}")
        return cleaned


#: name -> Rpc: all that the wire may call
RPC_METHODS: Dict[str, Rpc] = {}


#: in a function's flags: it takes keyword arguments of any name
TAKES_ANY_KEYWORD = 0x08


def describe(method: Callable[..., Any], changes: bool) -> Rpc:
    """Return what the signature, the kinds in it and the docstring of a method say of the call that it is."""
    code, defaults, hints = method.__code__, method.__kwdefaults__ or {}, method.__annotations__
    last = code.co_argcount + code.co_kwonlyargcount
    kinds = {name: kind_of(hints[name]) for name in code.co_varnames[code.co_argcount : last]}
    params = {name: Param(name, kind, name not in defaults, defaults.get(name)) for name, kind in kinds.items()}
    rest = kind_of(hints[code.co_varnames[last]]) if code.co_flags & TAKES_ANY_KEYWORD else None
    return Rpc(method.__name__, params, kinds, frozenset(kinds).difference(defaults), rest, method.__doc__, changes)


def kind_of(hint: Any) -> Kind:
    """Return the kind in an annotation."""
    return next(item for item in hint.__metadata__ if isinstance(item, Kind))


def rpc(method: Callable[..., Any], changes: bool = True) -> Callable[..., Any]:
    """Publish a method of StateMachine whose annotations are kinds: arguments checked, clock read, lock held."""
    spec = RPC_METHODS[method.__name__] = describe(method, changes)

    @functools.wraps(method)
    def call(self: "StateMachine", /, **arguments: Any) -> Any:
        return self._perform(method, spec.clean(arguments), changes)

    return call


#: publishes a method that reads
query = functools.partial(rpc, changes=False)


def listing(method: Callable[..., Iterator[Dict[str, Any]]]) -> Callable[..., Dict[str, Any]]:
    """Publish a method that reads much: it returns an iterator over parts of its reply.

    The method runs, and each part is made, under the lock, which is free for other calls in between. Its first argument
    makes an entry of the reply from a task: for the process an object, for the wire its JSON, which tasks keep ready.
    """

    def parts(self: "StateMachine", entry: Callable[..., Any], arguments: Mapping[str, Any]) -> Iterator[Any]:
        found = self._perform(method, {"entry": entry, **spec.clean(arguments)}, changes=False)
        return iter(lambda: self._perform(lambda _: next(found, None), {}, changes=False), None)

    def entries(self: "StateMachine", /, **arguments: Any) -> Iterator[str]:
        for part in parts(self, self._encode, arguments):
            yield ",".join(item if isinstance(item, str) else encode_entry(key, item) for key, item in part.items())

    @functools.wraps(method)
    def call(self: "StateMachine", /, **arguments: Any) -> Dict[str, Any]:
        return dict(itertools.chain.from_iterable(map(dict.items, parts(self, self._node, arguments))))

    spec = RPC_METHODS[method.__name__] = describe(method, changes=False)._replace(entries=entries)
    return call


def brief_report(report: Any) -> Optional[str]:
    """Return the end of an error report, which clients send as text, but might not."""
    if report is None:
        return None
    return (report if isinstance(report, str) else encode_json(report))[-MAX_REPORT:]


def encode_entry(key: str, value: Any) -> str:
    """Return the JSON of an entry of an object, without the braces."""
    return encode_json({key: value})[1:-1]


# -- the state machine -------------------------------------------------------------------------------------------------

#: tasks looked at in one go under the lock, where many are: some milliseconds
SLICE = 200

#: makes an entry of a listing: called with id, task, ids of its neighbours if these are part of it, whether it is named
MakeEntry = Callable[..., Any]

#: family in the id of a task that nobody described: `Family_params_hash`, or `Family(params)` of old clients
FAMILY_IN_ID = re.compile(r"([^(_]+)[(_]")


class StateMachine:
    """Decides which worker may run which task; what is public in it is what the wire may call.

    `settings` are the options of `[scheduler]` (see section 1), `resources` maps names to what may be used of them at a
    time, `clock` returns epoch seconds. The calls take keyword arguments, may come from any thread, raise BadRequest,
    and return what JSON can hold.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        resources: Optional[Mapping[str, Number]] = None,
        **settings: Any,
    ) -> None:
        self._settings = scheduler_settings(**settings)
        self._policy = tuple(getattr(self._settings, name) for name in RetryPolicy._fields)
        self._clock = clock
        #: epoch seconds of the running call
        self._now = clock()
        #: guards the agenda and `_now`
        self._lock = threading.Lock()
        self._agenda = Agenda()
        self._agenda.totals.update(resources or {})
        self._agenda.retry_delay = self._settings.retry_delay
        self._agenda.disable_persist = self._settings.disable_persist
        #: whether anybody hears of events; those of the running call, each with its task
        self._is_heard = False
        self._told: List[Tuple[Event, Optional[Task]]] = []

    def validate(self) -> None:
        """Recompute all indexes and compare; AssertionError names the first that differs. Costs a walk over all."""
        with self._lock:
            self._agenda.validate()
            for task in self._agenda.tasks.values():
                if task.json is not None:
                    expect(task.json, encode_entry(task.id, self._serialize(task)), f"JSON of {task.id}")

    def _perform(self, method: Callable[..., Any], arguments: Mapping[str, Any], changes: bool) -> Any:
        """Return what a method returns, called under the lock, when what it changed is kept."""
        with self._lock:
            if changes:
                self._may_change()
            self._now = self._clock()
            try:
                reply = method(self, **arguments)
            finally:
                ticket = self._note_changes(changes)
        if ticket:
            try:
                self._await(ticket)
            except Unavailable:
                if changes:
                    raise
        return reply

    # What section 5 makes of changes; a state machine on its own forgets them.

    def _may_change(self) -> None:
        """Raise Unavailable if changes cannot be kept now."""

    def _note_changes(self, changes: bool) -> int:
        """Take note of what the running call changed, under the lock; return a ticket for `_await`, 0 for none.

        `changes` says whether it is a call that makes changes.
        """
        self._agenda.changed.clear()
        self._agenda.stripped.clear()
        self._told.clear()
        return 0

    def _await(self, ticket: int) -> None:
        """Return when the changes behind a ticket are kept; Unavailable if they cannot be."""

    # -- tasks come and go ---------------------------------------------------------------------------------------------

    @rpc
    def add_task(
        self,
        *,
        worker: Identifier,
        task_id: Identifier,
        status: Status = PENDING,
        runnable: Flag = True,
        deps: Identifiers = None,
        new_deps: Identifiers = None,
        expl: Anything = None,
        resources: Amounts = (),
        priority: Priority = 0,
        family: Text = "",
        module: Text = None,
        params: Object = NOTHING,
        param_visibilities: Object = NOTHING,
        accepts_messages: FlagOrNull = False,
        assistant: Flag = False,
        tracking_url: Text = None,
        batchable: FlagOrNull = None,
        batch_id: Text = None,
        retry_policy_dict: Policy = NOTHING,
        owners: Identifiers = (),
    ) -> None:
        """Add a task, or say what became of it.

        A worker names what it needs (`deps` replaces, `new_deps` adds), reports a status, and claims to run it if it is
        `runnable`. `owners` are the mail addresses that want to hear of failures.
        """
        agenda = self._agenda
        task = agenda.tasks.get(task_id)
        self._make_room(task_id, task, deps, new_deps)
        speaker = self._seen(worker)
        if speaker.disabled and (task is None or task.status != RUNNING):
            return
        if task is None:
            task = agenda.create(task_id, PENDING, self._now, self._policy)
            task.priority = priority
        elif status == PENDING and self._just_done(task):
            return
        task.family = task.family or sys.intern(family)
        task.module = task.module or module
        if not task.params:
            task.params = params
            task.param_visibilities = task.param_visibilities or param_visibilities
        task.batchable = task.batchable if batchable is None else batchable
        task.accepts_messages = task.accepts_messages if accepts_messages is None else accepts_messages
        task.resources = resources
        agenda.set_deps(task, (task.deps if deps is None else deps) + (new_deps or ()))
        if not speaker.disabled:
            self._claim(task, speaker, priority, stake=not assistant, run=runnable and status != FAILED)
        self._report(task, speaker, status, batch_id, tracking_url, expl, expanding=bool(new_deps))
        if status == FAILED:
            self._tell_failure(task, speaker, family, expl, owners)
        task.retry_policy = self._retry_policy(retry_policy_dict)  # a failure reported with it was under the old one
        agenda.raise_priority(task, priority)

    def _make_room(
        self, task_id: str, task: Optional[Task], deps: Optional[Tuple[str, ...]], new_deps: Optional[Tuple[str, ...]]
    ) -> None:
        """Raise TooMuch if there is none for a task with such dependencies, before anything has changed."""
        if new_deps and task is not None:
            limit(len(new_deps) + len(task.deps if deps is None else deps), MAX_IDS, "dependencies of a task")
        known = self._agenda.tasks
        if len(known) + len(deps or ()) + len(new_deps or ()) >= MAX_TASKS:
            new = {task_id, *(deps or ()), *(new_deps or ())}.difference(known)
            limit(len(known) + len(new), max(MAX_TASKS, len(known)), "tasks")

    def _just_done(self, task: Task) -> bool:
        return task.status == DONE and self._now - task.updated < self._settings.stable_done_cooldown_secs

    def _retry_policy(self, given: Mapping[str, Number]) -> Tuple[Number, ...]:
        policy = tuple(map(given.get, RetryPolicy._fields, self._policy)) if given else self._policy
        return self._policy if policy == self._policy else policy

    def _report(
        self,
        task: Task,
        speaker: Worker,
        status: str,
        batch_id: Optional[str],
        tracking_url: Optional[str],
        expl: Any,
        expanding: bool,
    ) -> None:
        if batch_id is not None:
            task.batch_id = batch_id
        batch = self._batch_members(task.batch_id)
        if status == RUNNING and not task.worker_running:
            task.worker_running = speaker.id
            task.time_running = self._now
            if batch_id and batch:
                task.resources_running = batch[0].resources_running
        for run in (task, *batch):
            if tracking_url is not None or task.status != RUNNING:
                run.tracking_url = tracking_url
            if expl is not None:
                run.expl = expl
            self._agenda.touch(run)
        task.remove = None
        # A run ends where it runs: what others say of it meanwhile does not count.
        ended_here = status in (DONE, FAILED, RUNNING) and task.worker_running == speaker.id
        if task.status not in (RUNNING, BATCH_RUNNING) or ended_here or expanding:
            if status == PENDING:
                self._tell(PENDING, task, speaker=speaker)
            elif status == RUNNING != task.status:
                self._tell(RUNNING, task, "batch" if task.batch_id else "reported", speaker)
            self._set_status(task, PENDING if status == SUSPENDED else status)

    def _batch_members(self, batch_id: Optional[str]) -> List[Task]:
        return sorted(self._agenda.batches.get(batch_id, ()), key=lambda task: task.order)

    def _claim(self, task: Task, speaker: Worker, priority: Number, stake: bool, run: bool) -> None:
        agenda = self._agenda
        if run:
            agenda.add_claim(task, speaker)
            task.runnable = True
        if not stake:
            return
        agenda.add_stake(task, speaker)
        for dep_id in task.deps:
            dep = agenda.tasks.get(dep_id)
            if dep is None:  # keep a place for it: its own worker may take long to get to it
                dep = agenda.create(dep_id, UNKNOWN, self._now, self._policy)
                dep.priority = priority
            if agenda.add_stake(dep, speaker):
                agenda.settle(dep)

    def _set_status(self, task: Task, status: str, reason: Optional[str] = None) -> None:
        if status == task.status == PENDING or not self._may_become(task, status):
            return
        runs_batch = task.batch_id is not None and not task.batchable
        if task.status == DISABLED and status == DONE:
            self._pardon(task)
        if task.status == RUNNING and status != RUNNING:
            self._dissolve_batch(task, status, reason)
        if status == FAILED and task.status != DISABLED:
            status = self._count_failure(task)
        elif status == DISABLED:
            task.scheduler_disable_time = None
        if status == FAILED:
            task.retry = self._now + self._settings.retry_delay
            task.remove = self._now if runs_batch else task.remove
        if status != task.status:
            logger.debug("task %s: %s -> %s", task.id, task.status, status)
            task.updated = self._now
            self._agenda.set_status(task, status)
            if status in (DONE, FAILED, DISABLED):
                self._tell(status, task, reason)
        self._agenda.settle(task)

    def _may_become(self, task: Task, status: str) -> bool:
        if task.status == DISABLED and task.scheduler_disable_time is not None:
            return status in (DISABLED, DONE)
        return status != DISABLED or task.status not in (RUNNING, BATCH_RUNNING)

    def _dissolve_batch(self, task: Task, status: str, reason: Optional[str]) -> None:
        for member in self._batch_members(task.batch_id):
            self._set_status(member, status, reason)
            member.batch_id = None
            self._agenda.settle(member)
        task.batch_id = None

    def _count_failure(self, task: Task) -> str:
        policy = RetryPolicy(*task.retry_policy)
        task.first_failure_time = task.first_failure_time or self._now
        recent = (moment for moment in task.failures if moment >= self._now - policy.disable_window)
        task.failures = (*recent, self._now)[-MAX_FAILURES:]
        timed_out = self._now >= task.first_failure_time + policy.disable_hard_timeout
        if not timed_out and len(task.failures) < policy.retry_count:
            return FAILED
        task.scheduler_disable_time = self._now
        logger.warning("task %s is disabled after %d failures", task.id, len(task.failures))
        return DISABLED

    def _pardon(self, task: Task) -> None:
        task.scheduler_disable_time = task.first_failure_time = None
        task.failures = ()

    def _re_enable(self, task: Task) -> None:
        self._pardon(task)
        self._set_status(task, FAILED, "re-enabled")

    # -- what happened is told -----------------------------------------------------------------------------------------

    def _tell(
        self, kind: str, task: Task, reason: Optional[str] = None, speaker: Optional[Worker] = None, **more: Any
    ) -> None:
        """Let those who attend hear of a task, and of the worker that runs it, unless another one speaks of it."""
        if not self._is_heard:
            return
        worker_id = speaker.id if speaker else task.worker_running
        hidden = task.hidden_params() if task.param_visibilities else ()
        if kind in (FAILED, DISABLED):
            by_worker = kind == DISABLED and task.scheduler_disable_time is None
            more.update(failures=0 if by_worker else len(task.failures), report=brief_report(task.expl))
        elif kind in (RUNNING, BATCH_RUNNING):
            more["deps"] = task.deps[:MAX_EVENT_DEPS]
        about = (task.id, task.family, task.params, hidden, worker_id)
        self._tell_of(kind, *about, started=task.time_running, task=task, reason=reason, **more)

    def _tell_of(
        self,
        kind: str,
        task_id: str,
        family: str,
        params: Mapping[str, Any],
        hidden: Tuple[str, ...],
        worker_id: Optional[str],
        started: Optional[float] = None,
        task: Optional[Task] = None,
        **more: Any,
    ) -> None:
        agenda = self._agenda
        agenda.told += 1
        worker = agenda.workers.get(worker_id)
        about = (task_id, family, params, hidden, worker_id, worker and worker.host, started)
        self._told.append((Event(agenda.told, kind, self._now, *about, **more), task))

    def _tell_failure(self, task: Task, speaker: Worker, family: str, expl: Any, owners: Tuple[str, ...]) -> None:
        """Let hear of a failure that a worker reports, as stock counts them for its batches of mail."""
        if self._is_heard and self._settings.batch_emails:
            reason = "disabled" if task.status == DISABLED else None
            rest = self._unbatched(speaker.id, family, task.params)
            about = {"report": brief_report(expl), "owners": owners, "unbatched": rest}
            self._tell(FAILURE_REPORTED, task, reason, speaker, **about)

    def _unbatched(self, worker_id: str, family: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        joined, _ = self._agenda.batchers.get(worker_id, NOTHING).get(family, ((), 0))
        return {name: value for name, value in params.items() if name not in joined}

    # -- work is given out ---------------------------------------------------------------------------------------------

    @rpc
    def get_work(
        self,
        *,
        worker: Identifier,
        host: Text = None,
        assistant: Flag = False,
        current_tasks: Identifiers = None,
    ) -> Dict[str, Any]:
        """Return the task (or batch of tasks) that a worker must run now, and what else there is for it.

        `current_tasks` are the ids it is running: what it should be running but is not is given to it again.
        """
        if self._settings.prune_on_get_work:
            self._prune()
        asker = self._seen(worker)
        asker.host, asker.last_get_work = host, self._now
        if asker.disabled:
            return {
                "n_pending_tasks": 0,
                "n_unique_pending": 0,
                "running_tasks": [],
                "task_id": None,
                "worker_state": asker.state,
            }
        if assistant and not asker.assistant:
            self._inform(asker, {"assistant": True})
        lost = None
        if current_tasks is not None:
            lost = self._lost_run(asker, current_tasks)
            self._return_unclaimed(asker)
        batch = [lost] if lost else self._choose(asker, assistant)
        return {**self._outlook(asker), **self._hand_out(batch, asker)}

    def _lost_run(self, asker: Worker, current_tasks: Iterable[str]) -> Optional[Task]:
        known = set(current_tasks)
        given = self._agenda.running_on.get(asker.id, ())
        lost = (task for task in given if task.status == RUNNING and task.id not in known)
        return max(lost, key=lambda task: (task.priority, -task.time, task.order), default=None)

    def _return_unclaimed(self, asker: Worker) -> None:
        given = sorted(self._agenda.running_on.get(asker.id, ()), key=lambda task: task.order)
        claimed = {task.batch_id for task in given if task.status == RUNNING}
        for task in given:
            if task.status == BATCH_RUNNING and task.batch_id not in claimed:
                self._tell(PENDING, task, "returned")
                self._set_status(task, PENDING)

    def _choose(self, asker: Worker, assistant: bool) -> List[Task]:
        if self._agenda.paused:
            return []
        alive_since = self._now - self._settings.worker_disconnect_delay
        task = self._agenda.choose(asker, assistant, alive_since)
        return [] if task is None else self._agenda.batch_with(asker, task)

    def _hand_out(self, batch: List[Task], asker: Worker) -> Dict[str, Any]:
        if not batch:
            return {"task_id": None}
        first, reply, status = batch[0], {"task_id": batch[0].id}, RUNNING
        if len(batch) > 1:
            ids = [task.id for task in batch]
            reply = {"task_id": None, "batch_task_ids": ids, "batch_id": self._batch_id(ids)}
            status = BATCH_RUNNING
        params = copied(first.params)
        for task in batch:
            task.batch_id = reply.get("batch_id", task.batch_id)
            task.worker_running, task.time_running = asker.id, self._now
            task.resources_running = task.resources
            self._set_status(task, status)
            self._tell(status, task)
        if len(batch) > 1:
            names, _ = self._agenda.batchers[asker.id][first.family]
            params.update((name, [detached(task.params.get(name)) for task in batch]) for name in names)
        return {**reply, "task_family": first.family, "task_module": first.module, "task_params": params}

    def _batch_id(self, task_ids: List[str]) -> str:
        joint = "|".join(task_ids).encode("utf-8", "surrogatepass")
        return hashlib.new("md5", joint, usedforsecurity=False).hexdigest()

    @query
    def count_pending(self, *, worker: Identifier) -> Dict[str, Any]:
        """Return how many tasks a worker may still come to run, and which of its tasks are running now, and where."""
        return self._outlook(self._worker(worker))

    def _outlook(self, worker: Worker) -> Dict[str, Any]:
        running = []
        for task in sorted(worker.running, key=lambda task: task.order):
            runner = self._worker(task.worker_running)
            running.append({"task_id": task.id, "worker": runner.id, **copied(runner.info)})
        return {
            "n_pending_tasks": worker.open,
            "n_unique_pending": worker.open_alone,
            "n_pending_last_scheduled": worker.open_last,
            "worker_state": worker.state,
            "running_tasks": running,
        }

    @rpc
    def add_task_batcher(
        self,
        *,
        worker: Identifier,
        task_family: Text,
        batched_args: Identifiers,
        max_batch_size: Priority = LARGEST,
    ) -> None:
        """Let a worker run up to `max_batch_size` tasks of a family as one when they differ in `batched_args` only."""
        agenda = self._agenda
        families, ways = agenda.batchers.get(worker, NOTHING), agenda.batchings.get(task_family, ())
        limit(len(agenda.batchings) + (not ways), MAX_BATCHED, "families to batch")
        if task_family not in families:
            limit(len(families) + 1, MAX_BATCHERS, "batchers of a worker")
        if batched_args not in ways:
            limit(len(ways) + 1, MAX_BATCHINGS, "ways to batch a family")
        if not families and len(agenda.batchers) >= MAX_BATCHING_WORKERS:
            absent = next((other for other in agenda.batchers if other not in agenda.workers), None)
            if absent is not None:
                agenda.drop_batchers(absent)
        agenda.set_batcher(worker, task_family, batched_args, max_batch_size)

    # -- people step in ------------------------------------------------------------------------------------------------

    @rpc
    def forgive_failures(self, *, task_id: Identifier = None) -> Dict[str, Any]:
        """Make a FAILED task PENDING at once; its failures still count."""
        return self._force(task_id, PENDING, (FAILED,))

    @rpc
    def mark_as_done(self, *, task_id: Identifier = None) -> Dict[str, Any]:
        """Make a RUNNING, FAILED or DISABLED task DONE."""
        return self._force(task_id, DONE, (RUNNING, FAILED, DISABLED))

    def _force(self, task_id: Optional[str], status: str, allowed: Tuple[str, ...]) -> Dict[str, Any]:
        task = self._agenda.tasks.get(task_id)
        if task is not None and task.status in allowed:
            if status == PENDING:
                self._tell(PENDING, task, "by hand")
            self._set_status(task, status, "by hand")
        return {"task_id": task_id, "status": None if task is None else task.status}

    @rpc
    def re_enable_task(self, *, task_id: Identifier) -> Dict[str, Any]:
        """Forgive a task that the scheduler disabled, and return it; {} if it did not."""
        task = self._agenda.tasks.get(task_id)
        if task is None or task.status != DISABLED or task.scheduler_disable_time is None:
            return {}
        self._re_enable(task)
        return self._serialize(task, task.deps)

    @rpc
    def pause(self) -> None:
        """Give out no more work, if `pause_enabled`."""
        self._set_paused(True)

    @rpc
    def unpause(self) -> None:
        """Give out work again, if `pause_enabled`."""
        self._set_paused(False)

    def _set_paused(self, paused: bool) -> None:
        if self._settings.pause_enabled:
            self._agenda.paused = paused
            self._agenda.changed[("paused",)] = None

    @query
    def is_paused(self) -> Dict[str, bool]:
        """Tell whether work is held back."""
        return {"paused": self._agenda.paused}

    @query
    def is_pause_enabled(self) -> Dict[str, bool]:
        """Tell whether `pause` does anything."""
        return {"enabled": self._settings.pause_enabled}

    @rpc
    def update_resources(self, **resources: Amount) -> None:
        """Set the totals of resources, by name."""
        limit(len(self._agenda.totals.keys() | resources), MAX_RESOURCES, "resources")
        for name, amount in resources.items():
            self._agenda.set_total(name, amount)

    @rpc
    def update_resource(self, *, resource: Text, amount: Anything) -> bool:
        """Set the total of one resource; False, and nothing done, if it is not a whole number of at least 0."""
        if not isinstance(amount, int) or amount < 0:
            return False
        limit(len(self._agenda.totals) + (resource not in self._agenda.totals), MAX_RESOURCES, "resources")
        self._agenda.set_total(resource, amount)
        return True

    # -- workers -------------------------------------------------------------------------------------------------------

    def _worker(self, worker_id: str) -> Worker:
        worker = self._agenda.workers.get(worker_id)
        if worker is None:
            limit(len(self._agenda.workers) + 1, MAX_WORKERS, "workers")
            worker = self._agenda.add_worker(worker_id, self._now, self._settings.worker_disconnect_delay)
        return worker

    def _seen(self, worker_id: str) -> Worker:
        worker = self._worker(worker_id)
        worker.last_active = self._now
        return worker

    @query
    def ping(self, *, worker: Identifier) -> Dict[str, Any]:
        """Tell that a worker lives, and fetch the messages that wait for it."""
        caller = self._seen(worker)
        messages, caller.rpc_messages = caller.rpc_messages, []
        if messages:
            self._agenda.changed[caller] = None
        return {"rpc_messages": detached(messages)}

    @rpc
    def add_worker(self, *, worker: Identifier, info: Info) -> None:
        """Add to what is known of a worker: `workers` (tasks it runs at a time), `assistant`, host, user and so on."""
        self._inform(self._worker(worker), info)

    def _inform(self, worker: Worker, info: Mapping[str, Any]) -> None:
        worker.info = _of_sane_size({**worker.info, **info})
        self._agenda.changed[worker] = None

    @rpc
    def disable_worker(self, *, worker: Identifier) -> None:
        """Give a worker no more work; what it runs may end."""
        disabled = self._worker(worker)
        self._agenda.strip_worker(disabled, stakes=False)
        disabled.disabled = True
        self._agenda.changed[disabled] = None

    @rpc
    def set_worker_processes(self, *, worker: Identifier, n: Count) -> None:
        """Ask a worker to run `n` tasks at a time."""
        self._send(worker, "set_worker_processes", n=n)

    @rpc
    def send_scheduler_message(self, *, worker: Identifier, task: Text, content: Anything) -> Dict[str, Optional[str]]:
        """Send a message to a running task; return the id to fetch its answer by, None if `send_messages` is off."""
        if not self._settings.send_messages:
            return {"message_id": None}
        from uuid import uuid4

        message_id = str(uuid4())
        self._send(worker, "dispatch_scheduler_message", task_id=task, message_id=message_id, content=content)
        return {"message_id": message_id}

    def _send(self, worker_id: str, name: str, **kwargs: Any) -> None:
        worker = self._worker(worker_id)
        limit(len(worker.rpc_messages) + 1, MAX_UNREAD, "unread messages to a worker")
        worker.rpc_messages = [*worker.rpc_messages, {"name": name, "kwargs": kwargs}]
        self._agenda.changed[worker] = None

    @rpc
    def add_scheduler_message_response(self, *, task_id: Text, message_id: Text, response: Anything) -> None:
        """Keep a task's answer to a message."""
        task = self._agenda.tasks.get(task_id)
        if task is not None:
            answers = {**task.responses, message_id: response}
            task.responses = dict(list(answers.items())[-MAX_ANSWERS:])
            self._agenda.touch(task)

    @rpc
    def get_scheduler_message_response(self, *, task_id: Text, message_id: Text) -> Dict[str, Any]:
        """Fetch a task's answer to a message, once; None if there is none (yet)."""
        task = self._agenda.tasks.get(task_id)
        if task is None or message_id not in task.responses:
            return {"response": None}
        task.responses = dict(task.responses)
        self._agenda.touch(task)
        return {"response": detached(task.responses.pop(message_id))}

    @query
    def announce_scheduling_failure(
        self,
        *,
        task_name: Text,
        family: Text,
        params: Object,
        expl: Anything,
        owners: Identifiers,
        worker: Identifier = None,
    ) -> None:
        """Tell that a worker could not even schedule a task."""
        logger.warning("worker %s could not schedule %s", worker, task_name)
        if self._is_heard:
            about, rest = (task_name, family, params, ()), self._unbatched(worker, family, params)
            self._tell_of(
                SCHEDULING_FAILED, *about, worker, report=brief_report(expl), owners=owners, unbatched=rest
            )

    # -- a run tells of itself -----------------------------------------------------------------------------------------

    def _run(self, task_id: str) -> List[Task]:
        """Return a task and, if it runs a batch, the tasks of the batch; [] if it is not known."""
        task = self._agenda.tasks.get(task_id)
        if task is None:
            return []
        return [task, *self._batch_members(task.batch_id)] if task.status == RUNNING else [task]

    @rpc
    def set_task_status_message(self, *, task_id: Text, status_message: Anything) -> None:
        """Keep what a run says of itself."""
        for task in self._run(task_id):
            task.status_message = status_message
            self._agenda.touch(task)

    @query
    def get_task_status_message(self, *, task_id: Text) -> Dict[str, Any]:
        """Return what a run said of itself; "" for an unknown task."""
        task = self._agenda.tasks.get(task_id)
        return {"taskId": task_id, "statusMessage": detached(task.status_message) if task else ""}

    @rpc
    def set_task_progress_percentage(self, *, task_id: Text, progress_percentage: Anything) -> None:
        """Keep how far a run is, 0 to 100."""
        for task in self._run(task_id):
            task.progress_percentage = progress_percentage
            self._agenda.touch(task)

    @query
    def get_task_progress_percentage(self, *, task_id: Text) -> Dict[str, Any]:
        """Return how far a run is, 0 to 100 or None."""
        task = self._agenda.tasks.get(task_id)
        return {"taskId": task_id, "progressPercentage": detached(task.progress_percentage) if task else None}

    @rpc
    def decrease_running_task_resources(self, *, task_id: Text, decrease_resources: Numbers) -> None:
        """Give back part of what a run holds."""
        run = self._run(task_id)
        given_back = {name: amount for name, amount in decrease_resources.items() if amount > 0}
        for task in run if run and run[0].status == RUNNING else ():
            held = ((name, max(0, amount - given_back.get(name, 0))) for name, amount in task.held())
            task.resources_running = tuple(held)
            self._agenda.settle(task)

    @query
    def get_running_task_resources(self, *, task_id: Text) -> Dict[str, Any]:
        """Return what a run holds of each resource, or None."""
        task = self._agenda.tasks.get(task_id)
        held = task.resources_running if task else None
        return {"taskId": task_id, "resources": None if held is None else dict(held)}

    @query
    def update_metrics_task_started(self, *, task: Anything) -> None:
        """Accept what stock's workers never send; starts are counted where they happen."""

    @query
    def report_task_statistics(self, *, task_id: Text, statistics: Anything) -> None:
        """Accept a run's own figures."""

    # -- time passes ---------------------------------------------------------------------------------------------------

    @query
    def prune(self) -> None:
        """Do what has fallen due: part with silent workers, fail what they ran, retry, re-enable, forget."""
        self._prune()

    def prune_some(self) -> bool:
        """Do what `prune` does to some hundred tasks, and tell whether there is more to do."""
        return self._perform(StateMachine._prune, {"most": SLICE}, changes=False)

    def _prune(self, most: float = math.inf) -> bool:
        with contextlib.suppress(Unavailable):
            self._may_change()
            self._prune_due(most)
            return self._agenda.is_due(self._now)
        return False

    def _prune_due(self, most: float) -> None:
        for worker in self._agenda.pop_silent_workers(self._now, self._settings.worker_disconnect_delay):
            logger.info("worker %s is gone: no word since %.0f s", worker.id, self._now - worker.last_active)
            if self._is_heard:
                self._tell_of(WORKER_LOST, "", "", NOTHING, (), worker.id)
        due = [(task, self._expire(task)) for task in self._agenda.pop_due(self._now, most)]
        for task, is_over in due:
            if is_over:
                logger.debug("task %s is removed", task.id)
                self._agenda.remove(task)

    def _expire(self, task: Task) -> bool:
        """Do what is due for a task; True if it is to be removed."""
        now, settings = self._now, self._settings
        if self._is_abandoned(task):
            logger.info("task %s failed: its worker %s is gone", task.id, task.worker_running)
            self._set_status(task, FAILED, "worker lost")
            task.worker_running = None
            self._agenda.touch(task)
        if not task.stakeholders and task.remove is None and task.status != RUNNING:
            task.remove = now + settings.remove_delay
            self._agenda.settle(task)
        disabled_since = task.scheduler_disable_time if task.status == DISABLED else None
        if disabled_since is not None and now - disabled_since > settings.disable_persist:
            self._re_enable(task)
        if task.status == FAILED and settings.retry_delay >= 0 and task.retry < now:
            self._set_status(task, PENDING)
        return task.remove is not None and now >= task.remove

    def _is_abandoned(self, task: Task) -> bool:
        if task.status not in (RUNNING, BATCH_RUNNING) or not task.worker_running:
            return False
        runner = self._agenda.workers.get(task.worker_running)
        return task.worker_running not in task.stakeholders and not (runner and runner.assistant)

    # -- reads ---------------------------------------------------------------------------------------------------------

    @query
    def has_task_history(self) -> bool:
        """Tell whether `record_task_history` is on."""
        return self._settings.record_task_history

    @listing
    def graph(self, entry: MakeEntry) -> Iterator[Dict[str, Any]]:
        """Return all tasks by id, with their dependencies."""
        self._prune()
        seen: Set[str] = set()
        walks = (self._walk(task_id, self._upstream, True, seen) for task_id in list(self._agenda.tasks))
        return sliced(entry, itertools.chain.from_iterable(walks))

    @listing
    def dep_graph(self, entry: MakeEntry, *, task_id: Text, include_done: Flag = True) -> Iterator[Dict[str, Any]]:
        """Return a task and what it depends on by id, nearest first, at most `max_graph_nodes`; {} if unknown."""
        self._prune()
        known = task_id in self._agenda.tasks
        return sliced(entry, self._walk(task_id, self._upstream, include_done, set()) if known else ())

    @listing
    def inverse_dep_graph(
        self, entry: MakeEntry, *, task_id: Text, include_done: Flag = True
    ) -> Iterator[Dict[str, Any]]:
        """Return a task and what depends on it, as `dep_graph` does; `deps` are then those that depend on a node."""
        self._prune()
        known = task_id in self._agenda.tasks
        return sliced(entry, self._walk(task_id, self._downstream, include_done, set()) if known else ())

    def _upstream(self, task: Task) -> Iterable[str]:
        return task.deps

    def _downstream(self, task: Task) -> Iterable[str]:
        return [dependent.id for dependent in self._agenda.dependents.get(task.id, ())]

    def _walk(
        self, root_id: str, neighbours: Callable[[Task], Iterable[str]], include_done: bool, seen: Set[str]
    ) -> Iterator[Tuple[str, Optional[Task], List[str], bool]]:
        """Yield (id, task, ids of its neighbours, whether it is the root), nearest first; None for an unknown task."""
        if root_id in seen:
            return
        done = () if include_done else self._agenda.by_status[DONE]
        seen.add(root_id)
        queue, left = collections.deque([root_id]), max(1, self._settings.max_graph_nodes)
        while queue and left:
            task_id, left = queue.popleft(), left - 1
            task = self._agenda.tasks.get(task_id)
            if task is None or not task.family:
                yield task_id, None, [], task_id == root_id
                continue
            deps = sorted([dep for dep in neighbours(task) if dep not in done])
            fresh = [dep for dep in deps if dep not in seen]
            queue.extend(fresh)
            seen.update(fresh)
            yield task_id, task, deps, task_id == root_id

    def _node(self, task_id: str, task: Optional[Task], deps: Optional[List[str]] = None, named: bool = True) -> Any:
        """Return a task, or what can be said of an unknown one, as an object."""
        node = self._serialize_unknown(task_id) if task is None else self._serialize(task, deps)
        if not named:
            del node["display_name"]
        return node

    def _encode(self, task_id: str, task: Optional[Task], deps: Optional[List[str]] = None, named: bool = True) -> str:
        """Return what `_node` does as the JSON of an entry: "id": {...}."""
        if task is None:
            return encode_entry(task_id, self._node(task_id, task, deps, named))
        if task.json is None:
            task.json = encode_entry(task_id, self._serialize(task))
        if deps is None:
            return task.json
        # The display name comes last, and its quotes are escaped, so this finds the key and nothing else.
        end = -1 if named else task.json.rfind(',"display_name":')
        return f'{task.json[:end]},"deps":[{",".join(map(encode_json, deps))}]}}'

    def _serialize_unknown(self, task_id: str) -> Dict[str, Any]:
        family = FAMILY_IN_ID.match(task_id)
        return {
            "deps": [],
            "display_name": task_id,
            "name": family.group(1) if family else UNKNOWN,
            "params": {"task_id": task_id},
            "priority": 0,
            "start_time": UNKNOWN,
            "status": UNKNOWN,
            "workers": [],
        }

    def _serialize(self, task: Task, deps: Optional[Iterable[str]] = None) -> Dict[str, Any]:
        node = {
            "last_updated": task.updated,
            "name": task.family,
            "params": task.public_params(),
            "priority": task.priority,
            "progress_percentage": detached(task.progress_percentage),
            "resources": dict(task.resources),
            "resources_running": None if task.resources_running is None else dict(task.resources_running),
            "start_time": task.time,
            "status": task.status,
            "status_message": detached(task.status_message),
            "time_running": task.time_running,
            "tracking_url": task.tracking_url,
            "worker_running": task.worker_running,
            "workers": list(task.workers),
        }
        if task.status == DISABLED:
            node["re_enable_able"] = task.scheduler_disable_time is not None
        if deps is not None:
            node["deps"] = list(deps)
        if self._settings.send_messages and task.status == RUNNING:
            node["accepts_messages"] = task.accepts_messages
        node["display_name"] = task.display_name()  # last: see `_encode`
        return node

    @listing
    def task_list(
        self,
        entry: MakeEntry,
        *,
        status: Text = "",
        upstream_status: Text = "",
        limit: Flag = True,
        search: Text = None,
        max_shown_tasks: Count = 0,
    ) -> Iterator[Dict[str, Any]]:
        """Return the tasks by id, or {"num_tasks": n} if there are more than may be shown and `limit` is on.

        Filters: a status ("" for all); for PENDING tasks an upstream status; words that must all be in the displayed
        name. n is -1 where counting would need the upstream status of each.
        """
        most = max_shown_tasks or self._settings.max_shown_tasks
        candidates = self._agenda.by_status.get(status, {}) if status else self._agenda.tasks
        if not search and limit and len(candidates) > most:
            yield {"num_tasks": -1 if upstream_status else len(candidates)}
            return
        self._prune()
        tasks = list(candidates.values())
        if search or upstream_status:
            wanted = self._filter(search or "", upstream_status)
            tasks, unfiltered = [], tasks
            for start in range(0, len(unfiltered), SLICE):
                tasks += filter(wanted, unfiltered[start : start + SLICE])
                yield {}
        if limit and len(tasks) > most:
            yield {"num_tasks": len(tasks)}
            return
        yield from sliced(entry, ((task.id, task) for task in tasks if task.status != GONE))

    def _filter(self, search: str, upstream_status: str) -> Callable[[Task], bool]:
        words = [word.casefold() for word in search.split()]
        known: Dict[str, str] = {}

        def is_wanted(task: Task) -> bool:
            if words and not matches(task.display_name(), words):
                return False
            waits = upstream_status and task.status == PENDING
            return not waits or self._upstream_status(task, known) == upstream_status

        return is_wanted

    def _upstream_status(self, task: Task, known: Dict[str, str]) -> str:
        """Return the gravest status that a task waits for; `known` keeps what was found for others meanwhile."""
        stack = [task]
        while stack:
            current = stack[-1]
            deps = [self._agenda.tasks[dep] for dep in current.deps if dep in self._agenda.tasks]
            if current.status != PENDING or not current.deps:
                known[current.id] = UPSTREAM_STATUS.get(current.status, "")
            elif current.id not in known:
                known[current.id] = ""  # stands for itself in a cycle
                stack.extend(dep for dep in deps if dep.id not in known)
                continue
            else:
                known[current.id] = max((known[dep.id] for dep in deps), key=UPSTREAM_SEVERITY.get, default="")
            stack.pop()
        return known[task.id]

    @query
    def task_search(self, *, task_str: Text) -> Dict[str, Dict[str, Any]]:
        """Return the tasks whose id contains a text: status -> id -> task."""
        self._prune()
        found: Dict[str, Dict[str, Any]] = {}
        for task in self._agenda.tasks.values():
            if task_str in task.id:
                found.setdefault(task.status, {})[task.id] = self._serialize(task)
        return found

    @query
    def worker_list(self, *, include_running: Flag = True) -> List[Dict[str, Any]]:
        """Return the workers, the latest started first, with what they run."""
        self._prune()
        workers = [self._serialize_worker(worker, include_running) for worker in self._agenda.workers.values()]
        return sorted(workers, key=lambda worker: worker["started"], reverse=True)

    def _serialize_worker(self, worker: Worker, include_running: bool) -> Dict[str, Any]:
        first_id = worker.info.get("first_task", "")
        first = self._agenda.tasks.get(first_id) if isinstance(first_id, str) else None
        node = {
            **copied(worker.info),
            "first_task_display_name": first.display_name() if first else detached(first_id),
            "last_active": worker.last_active,
            "name": worker.id,
            "num_unread_rpc_messages": len(worker.rpc_messages),
            "started": worker.started,
            "state": worker.state,
        }
        if include_running:
            given = sorted(self._agenda.running_on.get(worker.id, ()), key=lambda task: task.order)
            running = {task.id: self._serialize(task) for task in given if task.status == RUNNING}
            node.update(num_running=len(running), num_pending=worker.pending, num_uniques=worker.pending_alone)
            node["running"] = running
        return node

    @query
    def resource_list(self) -> List[Dict[str, Any]]:
        """Return the resources that have a total, with the tasks that run with them."""
        self._prune()
        consumers: Dict[str, Dict[str, Any]] = {name: {} for name in self._agenda.totals}
        for task in self._agenda.by_status[RUNNING].values():
            for name, _ in task.resources:
                if name in consumers:
                    consumers[name][task.id] = self._serialize(task)
        return [
            {
                "name": name,
                "num_consumer": len(consumers[name]),
                "num_total": total,
                "num_used": self._agenda.used.get(name, 0),
                "running": consumers[name],
            }
            for name, total in self._agenda.totals.items()
        ]

    @query
    def fetch_error(self, *, task_id: Text) -> Dict[str, Any]:
        """Return the report of a task's last failure, with what is needed to run the task again."""
        task = self._agenda.tasks.get(task_id)
        if task is None:
            return {"taskId": task_id, "error": ""}
        return {
            "taskId": task_id,
            "displayName": task.display_name(),
            "error": detached(task.expl),
            "taskFamily": task.family,
            "taskModule": task.module,
            "taskParams": copied(task.params),
        }


def sliced(entry: MakeEntry, found: Iterable[Tuple[Any, ...]]) -> Iterator[Dict[str, Any]]:
    """Yield parts of a listing; `found` has tuples of arguments for `entry`, the first of which is the id."""
    found = iter(found)
    while part := {item[0]: entry(*item) for item in itertools.islice(found, SLICE)}:
        yield part


def matches(text: str, words: Iterable[str]) -> bool:
    """Tell whether all words, casefolded already, are in a text."""
    text = text.casefold()
    return all(word in text for word in words)


# ======================================================================================================================
# 5. Persistence
# ======================================================================================================================
#
# The promise: a reply means that what it acknowledges is kept. Changes go into a journal before the reply leaves, and
# the journal is folded into a snapshot from time to time. Beside `state_path`, the snapshot, stand
#
#   state_path.journal.N   the journals; N rises with each snapshot
#   state_path.lock        locked by the daemon to which all of this belongs; says which that is
#
# What is written are changes: plain tuples that say what something *is* now, not what happened to it. So a change
# written twice, or one whose effect is in the snapshot already, does no harm.
#
#   ("strip", worker id, stakes)       a worker's claims are taken back, if `stakes` its stakes too (`strip_worker`)
#   ("worker gone", worker id)         ("task gone", task id)
#   ("worker", fields)                 ("task", fields)       in the order of WORKER_FIELDS, TASK_FIELDS
#   ("batchers", worker id, families)  ("resource", name, total)  ("paused", flag)
#   ("told", state id, number)         ("event", *Event)     what happened, for the task history; numbers rise by one
#
# A journal is a header and records, each framed as MARK, length (4 bytes), CRC-32 of length and body (4 bytes), body;
# integers are little-endian. The body of the first record is the pickled header, that of the others a pickled list of
# changes, all of one call. Records are written by whoever holds the journal's lock, for all who wait for it by then.
#
#   - A daemon killed between two writes has lost no acknowledged call. One killed within a write, or a machine that
#     lost power, leaves a part of a record: with `journal_sync = always` it was never acknowledged, so it is dropped.
#   - So a record that does not check and is followed by none that does is the torn end of the last write. If a sound
#     one follows, the file was damaged afterwards: nobody can tell what is missing, and the start is refused.
#   - After a failed write or sync nobody knows what is in the file, and trying again might report success for pages
#     that the kernel has dropped already. So that descriptor is given up; changes are refused until a new snapshot and
#     journal could be written, from memory, which holds everything. Reads go on.
#
# The snapshot is a sequence of pickles: the header, lists of changes, None; then SEAL and the CRC-32 of all before. It
# is written while calls go on, some hundred tasks at a time under the scheduler's lock; what changes meanwhile is
# collected and written behind them, so that the whole is the state at the moment when the next journal begins. It is
# synced, read back, and only then renamed into place; the journals before it are deleted after that. A crash anywhere
# in between leaves the old snapshot with all its journals, or the new one.
#
# Nothing that is read is run: the unpickler refuses whatever refers to a class or function before it is looked up.
# Headers name the fields, so a later version that adds fields reads older files; one that changes the meaning of what
# is there raises the major version. A newer file than one can read is refused by name.

STATE_FORMAT = "luigid state"
STATE_VERSION = (1, 0)

TASK_FIELDS = Task.__slots__[: Task.__slots__.index("unmet")]
WORKER_FIELDS = Worker.__slots__[: Worker.__slots__.index("tasks")]

MARK = b"\xf1LGD"
FRAME = struct.Struct("<4sII")
SEAL = b"\nluigid\n"
TRAILER = struct.Struct("<8sI")

#: seconds between two looks at what is due: tasks and workers to prune, the journal to sync, to fold, or to mend
UPKEEP_INTERVAL = 1.0

#: bytes from which on a journal is folded into a snapshot, if it is also larger than the snapshot
JOURNAL_LIMIT = 16 * 1024 * 1024

#: tasks up to which the journal is folded at each start and stop of the daemon: that takes some 50 ms
TIDY_TASKS = 10_000

#: seconds after which a journal that is not empty is folded into a snapshot anyway
JOURNAL_AGE = 6 * 3600

#: one change, as described above
Change = Tuple[Any, ...]


class StateError(Exception):
    """The state cannot be used; the message names the file, says why, and what to do."""


# -- plain data --------------------------------------------------------------------------------------------------------


class PlainUnpickler(pickle.Unpickler):
    """Reads plain data only."""

    def find_class(self, module: str, name: str) -> Any:
        """Refuse whatever a pickle wants to look up, naming it."""
        raise pickle.UnpicklingError(f"it refers to {module}.{name}")


def dump_plain(value: Any) -> bytes:
    """Return a pickle of plain data."""
    return pickle.dumps(value, protocol=4)


def load_plain(data: bytes) -> Any:
    """Return the plain data of a pickle; any exception at all if it is something else."""
    return PlainUnpickler(io.BytesIO(data)).load()


def make_header(generation: int) -> Dict[str, Any]:
    """Return what a snapshot, or a journal that follows snapshot number `generation`, begins with."""
    return {
        "format": STATE_FORMAT,
        "version": STATE_VERSION,
        "generation": generation,
        "task_fields": TASK_FIELDS,
        "worker_fields": WORKER_FIELDS,
    }


def check_header(header: Any, path: str) -> Dict[str, Any]:
    """Return a header that this version reads; StateError for others."""
    if not isinstance(header, dict) or header.get("format") != STATE_FORMAT:
        raise StateError(f"{path} is no state of luigid; move it away to start empty, or choose another --state-path")
    version = ".".join(map(str, header["version"]))
    if tuple(header["version"]) > STATE_VERSION:
        own = ".".join(map(str, STATE_VERSION))
        raise StateError(f"{path} is in version {version} of the format, this luigid reads {own}; use a newer luigid")
    return header


task_fields = operator.attrgetter(*TASK_FIELDS)
worker_fields = operator.attrgetter(*WORKER_FIELDS)


def describe_changes(agenda: Agenda) -> List[Change]:
    """Return what is in `agenda.changed` and `agenda.stripped` as changes, and clear these."""
    tasks, workers, others = [], [], []
    for item in agenda.changed:
        (tasks if type(item) is Task else workers if type(item) is Worker else others).append(item)
    changes: List[Change] = [("strip", *strip) for strip in agenda.stripped]
    for worker in workers:  # one that is gone may have come back meanwhile, as another object
        if agenda.workers.get(worker.id) is not worker:
            changes.append(("worker gone", worker.id))
    for worker in workers:
        if agenda.workers.get(worker.id) is worker:
            changes.append(("worker", worker_fields(worker)))
    if len(tasks) > 1:
        tasks.sort(key=lambda task: (task.status != GONE, task.seq))
    for task in tasks:
        changes.append(("task gone", task.id) if task.status == GONE else ("task", task_fields(task)))
    changes.extend(describe_common(agenda, item) for item in others)
    agenda.changed.clear()
    agenda.stripped.clear()
    return changes


def describe_common(agenda: Agenda, item: Tuple[str, ...]) -> Change:
    """Return as a change what is neither a task nor a worker."""
    if item[0] == "batchers":
        return (*item, agenda.batchers.get(item[1], {}))
    if item[0] == "resource":
        return (*item, agenda.totals[item[1]])
    return ("told", agenda.state_id, agenda.told) if item[0] == "told" else ("paused", agenda.paused)


def capture(agenda: Agenda) -> List[Change]:
    """Return all that an agenda holds, as changes; costs a walk over everything."""
    return [*capture_common(agenda), *(("task", task_fields(task)) for task in agenda.tasks.values())]


def capture_common(agenda: Agenda) -> List[Change]:
    """Return what an agenda holds besides tasks, as changes."""
    changes: List[Change] = [("worker", worker_fields(worker)) for worker in agenda.workers.values()]
    items = [("paused",), ("told",), *(("resource", name) for name in agenda.totals)]
    items += [("batchers", worker_id) for worker_id in agenda.batchers]
    return changes + [describe_common(agenda, item) for item in items]


class Restorer:
    """Fills an empty agenda with changes, in the order in which they were made.

    Indexes are left alone until `finish`: built once, they cost a fraction of what keeping them up to date would.
    """

    def __init__(self, agenda: Agenda, now: float, delay: float) -> None:
        """Workers get `delay` seconds from `now` to speak up."""
        self.agenda = agenda
        self._now, self._delay = now, delay
        self._apply = {
            "strip": self._strip,
            "worker gone": self._drop_worker,
            "worker": self._put_worker,
            "task gone": self._drop_task,
            "task": self._put_task,
            "batchers": agenda.batchers.__setitem__,
            "resource": agenda.totals.__setitem__,
            "paused": functools.partial(setattr, agenda, "paused"),
            "told": self._put_told,
            "event": self._put_event,
        }
        #: number -> event that was in a file, in order
        self.events: Dict[int, Event] = {}

    def begin(self, header: Mapping[str, Any]) -> None:
        """Take the names of the fields that follow from a header; those this version does not have are passed over."""
        known = {"task_fields": TASK_FIELDS, "worker_fields": WORKER_FIELDS}
        self._setters = {
            kind: [(index, name) for index, name in enumerate(header[kind]) if name in fields]
            for kind, fields in known.items()
        }
        self._task_id = header["task_fields"].index("id")
        self._worker_id = header["worker_fields"].index("id")

    def apply(self, changes: Iterable[Change]) -> None:
        """Make changes."""
        for kind, *arguments in changes:
            self._apply[kind](*arguments)

    def finish(self) -> None:
        """Build the indexes."""
        agenda = self.agenda
        for worker in agenda.workers.values():
            worker.last_active = self._now
        batchers, agenda.batchers = agenda.batchers, {}
        agenda.reindex(self._now + self._delay)
        for worker_id, families in batchers.items():
            for family, (names, max_size) in families.items():
                agenda.set_batcher(worker_id, family, names, max_size)
        agenda.changed.clear()
        agenda.stripped.clear()

    def _put_task(self, fields: Tuple[Any, ...]) -> None:
        task_id = fields[self._task_id]
        task = self.agenda.tasks.get(task_id) or self.agenda.create(task_id, UNKNOWN, self._now, ())
        for index, name in self._setters["task_fields"]:
            setattr(task, name, fields[index])
        for worker_id in task.stakeholders.union(task.workers):
            self._worker(worker_id).tasks.add(task)

    def _drop_task(self, task_id: str) -> None:
        self.agenda.tasks.pop(task_id, None)

    def _put_worker(self, fields: Tuple[Any, ...]) -> None:
        worker = self._worker(fields[self._worker_id])
        for index, name in self._setters["worker_fields"]:
            setattr(worker, name, fields[index])

    def _put_told(self, state_id: str, number: int) -> None:
        self.agenda.state_id, self.agenda.told = state_id, max(number, self.agenda.told)

    def _put_event(self, *fields: Any) -> None:
        event = Event(*fields)
        self.events[event.number] = event
        self.agenda.told = max(event.number, self.agenda.told)

    def _worker(self, worker_id: str) -> Worker:
        return self.agenda.workers.get(worker_id) or self.agenda.add_worker(worker_id, self._now, self._delay)

    def _drop_worker(self, worker_id: str) -> None:
        self._strip(worker_id, stakes=True)
        self.agenda.workers.pop(worker_id, None)

    def _strip(self, worker_id: str, stakes: bool) -> None:
        worker = self.agenda.workers.get(worker_id)
        for task in worker.tasks if worker else ():
            task.workers = parted(task.workers, worker_id)
            if stakes:
                task.stakeholders = bereft(task.stakeholders, worker_id)


# -- files -------------------------------------------------------------------------------------------------------------


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of `data`; OSError if that fails, after which nobody knows how much of it was written."""
    written = os.write(descriptor, data)
    while written < len(data):
        written += os.write(descriptor, memoryview(data)[written:])


def sync_directory(path: str) -> None:
    """Make what was created, renamed or deleted beside `path` survive a power cut."""
    descriptor = os.open(os.path.dirname(os.path.abspath(path)), os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_own(path: str, flags: int) -> int:
    """Open a file, as an opener for open(); a new one is for its owner and group at most.

    In a directory that others may write to, too, no link is followed: one of them could have put it there to have some
    other file of ours read, cut or written. Elsewhere a link is the operator's own, and meant.
    """
    shared = os.stat(os.path.dirname(os.path.abspath(path))).st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return os.open(path, flags | os.O_CLOEXEC | (os.O_NOFOLLOW if shared else 0), 0o640)


def create_file(path: str) -> int:
    """Create a file that only its owner can read, in place of any other; return its descriptor."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)


def frame(body: bytes) -> bytes:
    """Return a record of the journal."""
    length = struct.pack("<I", len(body))
    return MARK + length + struct.pack("<I", zlib.crc32(body, zlib.crc32(length))) + body


def unframe(data: bytes, offset: int) -> Optional[bytes]:
    """Return the body of the sound record that begins at `offset`; None if there is none."""
    if len(data) < offset + FRAME.size:
        return None
    mark, length, checksum = FRAME.unpack_from(data, offset)
    body = data[offset + FRAME.size : offset + FRAME.size + length]
    sound = mark == MARK and len(body) == length and checksum == zlib.crc32(body, zlib.crc32(struct.pack("<I", length)))
    return body if sound else None


def sound_record_after(data: bytes, offset: int) -> bool:
    """Tell whether a sound record begins anywhere after `offset`."""
    while (offset := data.find(MARK, offset + 1)) >= 0:
        if unframe(data, offset) is not None:
            return True
    return False


class Damage(StateError):
    """A file of the state is damaged: `path`, and from which `offset` on it cannot be read."""

    def __init__(self, path: str, offset: int, what: str) -> None:
        super().__init__(
            f"{path} is damaged at byte {offset} ({what}); `luigid --check-state` tells more, and `luigid "
            "--repair-state` keeps what comes before, and the file as it is beside it"
        )
        self.path, self.offset, self.what = path, offset, what


def read_journal(path: str, restorer: Restorer, may_be_torn: bool) -> Tuple[int, int]:
    """Make the changes in a journal; return the bytes that are sound, and those of a torn end.

    Raises Damage for anything that no interrupted write can have left, and for a torn end unless it `may_be_torn`.
    """
    with open(path, "rb", opener=open_own) as file:
        data = file.read()
    offset = 0
    while offset < len(data):
        body = unframe(data, offset)
        if body is None:
            if not may_be_torn or sound_record_after(data, offset):
                raise Damage(path, offset, "a record does not match its checksum")
            break
        try:
            if offset == 0:
                restorer.begin(check_header(load_plain(body), path))
            else:
                restorer.apply(load_plain(body))
        except StateError:
            raise
        except Exception as error:
            raise Damage(path, offset, f"a record makes no sense: {error}") from error
        offset += FRAME.size + len(body)
    return offset, len(data) - offset


def read_snapshot(path: str, restorer: Restorer) -> int:
    """Make the changes in a snapshot; return its generation. Raises Damage, or StateError for what is no snapshot."""
    size = os.path.getsize(path)
    with open(path, "rb", opener=open_own) as file:
        check_seal(file, path, size)
        file.seek(0)
        try:
            header = check_header(PlainUnpickler(file).load(), path)
            restorer.begin(header)
            while (changes := PlainUnpickler(file).load()) is not None:
                restorer.apply(changes)
        except StateError:
            raise
        except Exception as error:
            raise Damage(path, file.tell(), str(error)) from error
    return header["generation"]


def check_seal(file: BinaryIO, path: str, size: int) -> None:
    """Raise Damage unless a snapshot is whole."""
    checksum, left = 0, size - TRAILER.size
    while left > 0:
        chunk = file.read(min(left, 1 << 20))
        checksum, left = zlib.crc32(chunk, checksum), left - len(chunk)
    trailer = file.read()
    if left < 0 or trailer != TRAILER.pack(SEAL, checksum):
        raise Damage(path, 0, "it does not match its checksum")


class StateLock:
    """Belonging of a state to one process, on this machine or another one on the same disk."""

    def __init__(self, state_path: str) -> None:
        self._path = state_path + ".lock"
        self._descriptor: Optional[int] = None

    def take(self) -> Optional[str]:
        """Take the lock, unless it is held already; return None, or who else has it."""
        if self._descriptor is not None:
            return None
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(descriptor, 1000).decode("utf-8", "replace").strip()
            os.close(descriptor)
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                raise
            return holder or "another process"
        try:
            os.ftruncate(descriptor, 0)
            write_all(descriptor, f"pid {os.getpid()} on {socket.gethostname()}\n".encode())
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        return None

    def release(self) -> None:
        """Give the lock back, if it is held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class Journal:
    """The open journal. Its lock is taken, after the scheduler's is released, by those who wait for their changes."""

    def __init__(self, state_path: str, sync: str) -> None:
        """`sync` is the option `journal_sync`."""
        self._state_path = state_path
        self._always = sync == "always"
        #: changes not yet written, with their tickets; appended under the scheduler's lock
        self._waiting: Deque[Tuple[int, List[Change]]] = collections.deque()
        #: the last ticket given out
        self._given = 0
        #: the last ticket taken out of it
        self._taken = 0
        #: held while the descriptor is synced or exchanged; taken before `_lock`
        self._syncing = threading.Lock()
        #: guards all below
        self._lock = threading.Lock()
        #: the last ticket of which the changes are kept
        self._kept = 0
        self._descriptor: Optional[int] = None
        #: why changes cannot be kept; None if they can
        self.failure: Optional[str] = None
        #: the journal in which that happened
        self._failed_in = 0
        #: N in the name of the file; bytes in it; monotonic time of its beginning; whether it has unsynced bytes
        self.generation = 0
        self.size = 0
        self.began = time.monotonic()
        self._unsynced = False
        #: records written since a snapshot was begun; None when none is being made
        self._meanwhile: Optional[List[Change]] = None

    def path(self, generation: int) -> str:
        """Return the name of the journal with a number."""
        return f"{self._state_path}.journal.{generation}"

    def append(self, changes: List[Change]) -> int:
        """Take changes to be written, under the scheduler's lock; return the ticket to wait with."""
        self._given += 1
        self._waiting.append((self._given, changes))
        return self._given

    def last_ticket(self) -> int:
        """Return the ticket that covers all changes taken so far."""
        return self._given

    def wait(self, ticket: int) -> None:
        """Return when the changes behind a ticket are kept; Unavailable if they cannot be.

        Whoever comes first writes, and syncs, for all that are waiting by then.
        """
        if self._kept < ticket:
            with self._lock:
                if self._kept < ticket:
                    self._write_waiting()

    def _write_waiting(self) -> None:
        if self.failure is not None and self._meanwhile is None:  # they can go nowhere for now
            raise Unavailable(self.failure)
        if not self._waiting and self.failure is None:
            return
        taken = []
        while self._waiting:
            self._taken, changes = self._waiting.popleft()
            taken.append(changes)
        if self._meanwhile is not None:
            self._meanwhile.extend(itertools.chain.from_iterable(taken))
        if self.failure is not None:
            raise Unavailable(self.failure)
        try:
            data = b"".join([frame(dump_plain(changes)) for changes in taken])
            write_all(self._descriptor, data)
            if self._always:
                os.fsync(self._descriptor)
        except Exception as error:
            raise self._fail(error) from error
        self.size += len(data)
        self._unsynced = not self._always
        self._kept = self._taken

    def _fail(self, error: Exception) -> Unavailable:
        """Give up the descriptor: whatever went wrong, nobody knows what is in the file now. Under the lock."""
        if self.failure is None:
            reason = error.strerror if isinstance(error, OSError) else repr(error)
            self.failure, self._failed_in = f"the journal cannot be written: {reason}", self.generation
            logger.error("%s (%s); changes are refused until it can be", self.failure, self.path(self.generation))
        return Unavailable(self.failure)

    def sync(self) -> None:
        """Make what is written survive a power cut; Unavailable if that fails. Others may write meanwhile."""
        with self._syncing:
            self._sync()

    def _sync(self) -> None:
        with self._lock:
            self._write_waiting()
            unsynced, self._unsynced = self._unsynced, False
        if unsynced:
            try:
                os.fsync(self._descriptor)
            except OSError as error:
                with self._lock:
                    raise self._fail(error) from error

    def create(self, generation: int) -> int:
        """Make a journal with nothing in it but its header, on disk; return its descriptor. OSError if that fails."""
        descriptor = create_file(self.path(generation))
        try:
            write_all(descriptor, frame(dump_plain(make_header(generation))))
            os.fsync(descriptor)
            sync_directory(self._state_path)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def open(self, generation: int, size: int) -> None:
        """Begin a journal that continues others, of `size` bytes together; OSError if it cannot be made."""
        self._descriptor, self.generation, self.size = self.create(generation), generation, size

    def close(self) -> None:
        """Sync and close, once; Unavailable if the sync fails. Changes are refused from then on."""
        if self._descriptor is None:
            return
        try:
            self.sync()
        finally:
            with self._lock:
                os.close(self._descriptor)
                self._descriptor, self.failure = None, "luigid is stopping"

    def start_collecting(self) -> None:
        """Keep a copy of all changes from now on, for the snapshot that is being made."""
        with self._lock:
            self._meanwhile = []

    def stop_collecting(self) -> None:
        """Drop the copy: there will be no snapshot."""
        with self._lock:
            self._meanwhile = None

    def switch(self, generation: int, descriptor: int) -> List[Change]:
        """Go on in a journal that `create` made, and return what was collected until now.

        If changes cannot be kept at present, those are among it, so that a snapshot with it makes up for the failure.
        """
        with self._syncing:
            with contextlib.suppress(Unavailable):
                self._sync()  # most of it, while others may go on writing
            return self._exchange(generation, descriptor)

    def _exchange(self, generation: int, descriptor: int) -> List[Change]:
        with self._lock:
            try:
                self._write_waiting()
                os.fsync(self._descriptor)
            except Unavailable:
                pass
            except OSError as error:
                self._fail(error)
            os.close(self._descriptor)
            self._descriptor, self.generation = descriptor, generation
            self.size, self.began, self._unsynced = 0, time.monotonic(), False
            collected, self._meanwhile = self._meanwhile, None
        return collected

    def mend(self) -> None:
        """Take up keeping changes again, when a snapshot holds all that were taken until the journal in use began."""
        with self._lock:
            if self.failure is not None and self._failed_in < self.generation:
                self.failure, self._kept = None, self._taken
                logger.warning("the journal can be written again; changes are accepted")


def write_snapshot(path: str, generation: int, parts: Iterable[List[Change]]) -> int:
    """Replace a snapshot by one with all changes in `parts`; return its size in bytes.

    OSError or StateError if that fails, and then the old one is still there.
    """
    temporary = path + ".tmp"
    try:
        size = fill_snapshot(temporary, generation, parts)
        with open(temporary, "rb") as file:
            check_seal(file, temporary, size)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    sync_directory(path)
    return size


def fill_snapshot(path: str, generation: int, parts: Iterable[List[Change]]) -> int:
    """Write a snapshot to a new file, and sync it; return its size in bytes. OSError."""
    descriptor, checksum = create_file(path), 0
    try:
        for value in itertools.chain([make_header(generation)], parts, [None]):
            data = dump_plain(value)
            checksum = zlib.crc32(data, checksum)
            write_all(descriptor, data)
        write_all(descriptor, TRAILER.pack(SEAL, checksum))
        os.fsync(descriptor)
        return os.fstat(descriptor).st_size
    finally:
        os.close(descriptor)


def journals(state_path: str) -> Dict[int, str]:
    """Return the journals that exist beside a state: number -> path, in order."""
    name = re.compile(re.escape(os.path.basename(state_path)) + r"\.journal\.(\d+)")
    directory = os.path.dirname(os.path.abspath(state_path))
    matches = filter(None, map(name.fullmatch, os.listdir(directory)))
    return dict(sorted((int(match.group(1)), os.path.join(directory, match.group())) for match in matches))


# -- the scheduler that lasts ------------------------------------------------------------------------------------------


class Attendant:
    """Somebody who hears what happens and does something about it, in a thread of its own. By default: nothing."""

    #: what it is called in `Scheduler.health`
    name: str
    #: whom it attends
    scheduler: "Scheduler"

    def hear(self, event: Event, task: Optional[Task], ticket: int) -> None:
        """Take note of an event, and return at once: this is under the scheduler's lock, in the order of events.

        `task` is the live one, to look at and copy from, not to keep. `Scheduler.await_ticket` returns when the event
        is in the journal.
        """

    def restore(self, events: List[Event]) -> None:
        """Take over the events that the state's files hold, when it is loaded; they may have been dealt with."""

    def carry(self) -> List[Event]:
        """Return what must not be forgotten with the journals before a snapshot, under the scheduler's lock."""
        return []

    def start(self) -> None:
        """Start the thread."""

    def flush(self) -> None:
        """Return when all that was heard is dealt with; Unavailable if that cannot be."""

    def close(self) -> None:
        """Deal with the rest, if that takes no long, and end."""

    def health(self) -> Dict[str, Any]:
        """Return figures about itself, for `Scheduler.health`."""
        return {}


#: Makers of attendants that a scheduler has from the start if its settings say so; later sections add theirs.
ATTENDANTS: List[Callable[[types.SimpleNamespace], Optional[Attendant]]] = []


class Scheduler(StateMachine):
    """A state machine that outlives its process: with a state on disk, and a thread for upkeep.

    Making one starts no thread and touches no file; without `load` it lives in memory alone. `start` and `close` belong
    to the daemon.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        resources: Optional[Mapping[str, Number]] = None,
        journal_sync: str = "everysec",
        **settings: Any,
    ) -> None:
        super().__init__(clock=clock, resources=resources, **settings)
        self._path = self._settings.state_path
        self._journal_sync = journal_sync
        self._journal: Optional[Journal] = None
        self._state_lock = StateLock(self._path)
        #: held while a snapshot is made
        self._folding = threading.Lock()
        #: bytes of the last snapshot
        self._snapshot_size = 0
        self._closing = threading.Event()
        self._upkeeper: Optional[threading.Thread] = None
        #: monotonic seconds before which no snapshot is due
        self._next_fold = 0.0
        self._attendants: List[Attendant] = []
        for make in ATTENDANTS:
            attendant = make(self._settings)
            if attendant is not None:
                self.attend(attendant)

    def attend(self, attendant: Attendant) -> None:
        """Let `attendant` hear of all events from now on; to be called before `load` and `start`."""
        attendant.scheduler = self
        self._attendants.append(attendant)
        self._is_heard = True

    # What the state machine asks of us.

    def _may_change(self) -> None:
        if self._journal is not None and self._journal.failure is not None:
            raise Unavailable(self._journal.failure)

    def _note_changes(self, changes: bool) -> int:
        agenda, journal, told = self._agenda, self._journal, self._told
        if told:
            self._told = []
        if journal is None:
            ticket = super()._note_changes(changes)
        elif agenda.changed or agenda.stripped or told:
            ticket = journal.append(describe_changes(agenda) + self._recorded(told))
        else:  # what a call found to be so already, somebody else may still be waiting for
            ticket = journal.last_ticket() if changes else 0
        for event, task in told:
            for attendant in self._attendants:
                attendant.hear(event, task, ticket)
        return ticket

    def _recorded(self, told: List[Tuple[Event, Optional[Task]]]) -> List[Change]:
        if not told or not self._settings.record_task_history:
            return []
        return [("event", *event) for event, _ in told if event.kind in RECORDED]

    def _await(self, ticket: int) -> None:
        self._journal.wait(ticket)

    def await_ticket(self, ticket: int) -> None:
        """Return when the journal, if there is one, has all up to what an attendant heard; Unavailable if it cannot."""
        if self._journal is not None:
            self._journal.wait(ticket)

    # What the daemon asks of us.

    def claim(self) -> Optional[str]:
        """Make the state this process's alone; return None, or who has it. OSError."""
        os.makedirs(os.path.dirname(os.path.abspath(self._path)), mode=0o700, exist_ok=True)
        return self._state_lock.take()

    def load(self) -> None:
        """Take over the state in `state_path`, which may be empty, and keep every change from now on.

        Totals of resources that the configuration names are taken from there, and workers get a fresh
        `worker_disconnect_delay`. Raises OSError and StateError.
        """
        holder = self.claim()
        if holder is not None:
            raise StateError(f"the state in {self._path} is in use: {holder}; stop that one, or add --standby")
        try:
            self._load()
        except BaseException:
            self._state_lock.release()
            raise

    def _load(self) -> None:
        with self._lock, without_collecting_garbage():
            agenda = self._fresh_agenda()
            restorer = Restorer(agenda, self._clock(), self._settings.worker_disconnect_delay)
            generation = read_state(self._path, restorer, mend=True)
            restorer.finish()
            agenda.totals.update(self._agenda.totals)
            self._agenda = agenda
            if not agenda.state_id:
                agenda.state_id = os.urandom(16).hex()
                agenda.changed[("told",)] = None
            for attendant in self._attendants:
                attendant.restore(list(restorer.events.values()))
            self._journal = Journal(self._path, self._journal_sync)
            self._journal.open(generation, sum(map(os.path.getsize, journals(self._path).values())))
            self._snapshot_size = os.path.getsize(self._path) if os.path.exists(self._path) else 0
        logger.info("%d tasks and %d workers in %s", len(agenda.tasks), len(agenda.workers), self._path)

    def _fresh_agenda(self) -> Agenda:
        agenda = Agenda()
        agenda.retry_delay, agenda.disable_persist = self._settings.retry_delay, self._settings.disable_persist
        return agenda

    def dump(self) -> None:
        """Fold everything into a new snapshot in `state_path`; OSError or StateError if that fails."""
        with self._folding:
            if self._journal is None:
                self._write_alone()
            else:
                generation = self._journal.generation + 1
                self._snapshot_size = write_snapshot(self._path, generation, self._parts(generation))
                self._journal.mend()
                remove_journals(self._path, generation)

    def tidy(self) -> None:
        """Do what `dump` does, if that takes a moment only: an operator finds all in one file then."""
        if len(self._agenda.tasks) <= TIDY_TASKS:
            self.dump()

    def _write_alone(self) -> None:
        holder = self.claim()
        if holder is not None:
            raise StateError(f"the state in {self._path} is in use: {holder}")
        try:
            generation = max(journals(self._path), default=-1) + 1
            with self._lock:
                changes = capture(self._agenda) + self._carried()
            write_snapshot(self._path, generation, [changes])
            remove_journals(self._path, generation)
        finally:
            self._state_lock.release()

    def _carried(self) -> List[Change]:
        return [("event", *event) for attendant in self._attendants for event in attendant.carry()]

    def _parts(self, generation: int) -> Iterator[List[Change]]:
        # The last part ends the old journal, so all before the new one is in the snapshot, and nothing of the new one.
        journal, descriptor = self._journal, self._journal.create(generation)
        try:
            journal.start_collecting()
            with self._lock:
                common, tasks = capture_common(self._agenda), list(self._agenda.tasks.values())
                common += self._carried()
            yield common
            for start in range(0, len(tasks), SLICE):
                with self._lock:
                    part = [("task", task_fields(t)) for t in tasks[start : start + SLICE] if t.status != GONE]
                yield part
            collected, descriptor = journal.switch(generation, descriptor), None
            yield collected
        finally:
            if descriptor is not None:
                os.close(descriptor)
                journal.stop_collecting()

    def health(self) -> Dict[str, Any]:
        """Return whether changes are accepted (`status`: "ok" or "degraded"), why not, and how large the journal is."""
        journal = self._journal
        failure = journal.failure if journal else None
        return {
            "status": "degraded" if failure else "ok",
            "reason": failure,
            "state_path": self._path,
            "journal_bytes": journal.size if journal else None,
            **{attendant.name: attendant.health() for attendant in self._attendants},
        }

    def flush(self) -> None:
        """Return when everything acknowledged is on disk, also for a power cut, and dealt with by those who attend.

        Unavailable if that fails.
        """
        self._sync()
        for attendant in self._attendants:
            attendant.flush()

    def _sync(self) -> None:
        if self._journal is not None:
            self._journal.sync()

    def start(self) -> None:
        """Start the thread for what is due without anybody calling (prune, sync, fold, mend), and the attendants'."""
        for attendant in self._attendants:
            attendant.start()
        self._upkeeper = threading.Thread(target=self._keep_up, name="upkeep", daemon=True)
        self._upkeeper.start()

    def close(self) -> None:
        """End the thread and give up the state; Unavailable if the last changes cannot be kept. No more are taken."""
        self._closing.set()
        if self._upkeeper is not None:
            self._upkeeper.join()
        for attendant in self._attendants:
            attendant.close()
        with self._folding:
            try:
                if self._journal is not None:
                    self._journal.close()
            finally:
                self._state_lock.release()

    def _keep_up(self) -> None:
        while not self._closing.wait(UPKEEP_INTERVAL):
            try:
                self.keep_up(time.monotonic())
            except Unavailable:
                pass  # has been said, and a snapshot mends it
            except Exception:
                logger.exception("upkeep failed")

    def keep_up(self, now: float) -> None:
        """Do what is due at `now` (monotonic seconds) without anybody calling: prune, fold or mend, sync."""
        while self.prune_some():  # much may fall due at once, when a worker with many tasks is gone
            pass
        if now >= self._next_fold and self._is_fold_due(now):
            self._fold()
            # One of much takes long, and one that fails is tried again: at most a tenth of the time goes into it.
            self._next_fold = now + 10 * (time.monotonic() - now)
        if self._journal_sync == "everysec":
            self._sync()

    def _is_fold_due(self, now: float) -> bool:
        journal = self._journal
        if journal is None or journal.failure is not None:
            return journal is not None
        aged = journal.size and now - journal.began > JOURNAL_AGE
        return bool(aged) or journal.size > max(JOURNAL_LIMIT, self._snapshot_size)

    def _fold(self) -> None:
        try:
            self.dump()
        except (OSError, StateError) as error:
            logger.error("cannot write a snapshot to %s: %s", self._path, error)
        except Exception:
            logger.exception("cannot write a snapshot to %s", self._path)


def read_state(path: str, restorer: Restorer, mend: bool) -> int:
    """Make the changes in a snapshot and its journals; return the number of the journal that continues them.

    With `mend` a torn end is cut off the file, and a file of stock's is taken over first. OSError, StateError.
    """
    if mend:
        adopt_stock(path)
    generation = read_snapshot(path, restorer) if os.path.exists(path) else 0
    files = {number: file for number, file in journals(path).items() if number >= generation}
    check_sequence(path, generation, list(files))
    last = max((number for number, file in files.items() if has_records(file)), default=0)
    for number, file in files.items():
        sound, torn = read_journal(file, restorer, may_be_torn=number >= last)
        if torn:
            logger.warning("%s ends in a torn record: %d bytes from byte %d on are dropped", file, torn, sound)
            if mend:
                cut_off(file, sound)
    return max(files, default=generation - 1) + 1


def cut_off(path: str, size: int) -> None:
    """Shorten a file, for good: the torn end must not come back behind what is written next."""
    descriptor = open_own(path, os.O_WRONLY)
    try:
        os.ftruncate(descriptor, size)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def check_sequence(path: str, generation: int, numbers: List[int]) -> None:
    """Raise StateError if journals are missing between a snapshot and the last one."""
    missing = sorted(set(range(generation, max(numbers, default=0))).difference(numbers))
    if numbers and missing:
        begun = os.path.exists(path) or numbers[0] == 0
        what = f"{path}.journal.{missing[0]}" if begun else path
        others = f"{path}.journal.{numbers[-1]}"
        raise StateError(f"{what} is missing, though {others} is there; bring it back, or move all of them away")


def has_records(journal_path: str) -> bool:
    """Tell whether a journal holds more than its header."""
    with open(journal_path, "rb", opener=open_own) as file:
        header = file.read(FRAME.size)
    return len(header) == FRAME.size and os.path.getsize(journal_path) > FRAME.size + FRAME.unpack(header)[1]


def remove_journals(state_path: str, before: int) -> None:
    """Delete the journals with numbers lower than `before`, which a snapshot has made superfluous."""
    for number, file in journals(state_path).items():
        if number < before:
            os.unlink(file)


@contextlib.contextmanager
def without_collecting_garbage() -> Iterator[None]:
    """Make a million objects without searching them for cycles again and again; they have none."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


# -- moving over from stock, and back ----------------------------------------------------------------------------------
#
# Stock pickles its tasks, workers and batchers as they are: objects of its own classes. What is found at `state_path`
# and is no snapshot is taken for such a file. It is read by a machine that makes plain data and nothing else, checked
# field by field by the rules for what comes in over the wire, and replaced by a snapshot; the file itself stays as
# `*.stock`. The snapshot appears whole, by a rename: who was killed before it imports again, who was killed after it
# has done so.
#
# The way back writes such a pickle, naming the classes opcode by opcode, so luigi need not be there. Stock has no place
# in it for the paused flag and the totals of resources: it begins unpaused, with those of its configuration.

#: stock's own defaults, for tasks of a file that says nothing; each is told its own when it is added again
STOCK_POLICY = (999999999, 999999999, 3600)

#: The opcodes of plain data and of plain objects. Not among them: older ways to call (INST, OBJ), a newer one
#: (NEWOBJ_EX), the extension registry, persistent ids, buffers, bytes, and what no pickler writes for such data.
ADMITTED_OPCODES = (
    *("PROTO", "FRAME", "STOP", "MARK", "POP"),
    *("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE", "GET", "BINGET", "LONG_BINGET"),
    *("NONE", "NEWTRUE", "NEWFALSE", "INT", "LONG", "LONG1", "LONG4", "BININT", "BININT1", "BININT2"),
    *("FLOAT", "BINFLOAT", "STRING", "BINSTRING", "SHORT_BINSTRING"),
    *("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
    *("EMPTY_LIST", "LIST", "APPEND", "APPENDS", "EMPTY_SET", "ADDITEMS", "FROZENSET"),
    *("EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "EMPTY_DICT", "DICT", "SETITEM", "SETITEMS"),
    *("GLOBAL", "STACK_GLOBAL", "REDUCE", "NEWOBJ", "BUILD"),
)

#: digits that a number in a pickle of protocol 0 may have: Python takes quadratic time for them
STOCK_DIGITS = 400

#: How many parts of values a byte of a file may stand for. Values that hold one another many times over are copied each
#: time; real files have less than one part a byte.
MAX_EXPANSION = 10


class StockClass(NamedTuple):
    """The name of a class, or of what makes objects, as it stands in a pickle: nothing that could be called."""

    name: str


class StockObject:
    """An object of a class of stock's, as plain data."""

    __slots__ = ("kind", "fields")

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.fields: Dict[str, Any] = {}

    def __repr__(self) -> str:
        return f"<{self.kind}>"


def make_stock(kind: Any, arguments: Any) -> Any:
    """Return what stands for an object that a pickle wants made; UnpicklingError or TypeError if it may not be."""
    if type(kind) is not StockClass or type(arguments) is not tuple:
        raise pickle.UnpicklingError(f"it calls {shown(kind)}")
    return STOCK_CLASSES[kind.name](*arguments)


def listed(items: Optional[List[Any]] = None) -> List[Any]:
    """Return what stands for a set or a deque: nothing is hashed but strings, since that of deep tuples crashes."""
    return [] if items is None else items


def ordered_set(items: Optional[List[Any]] = None) -> Any:
    """Return what stands for an OrderedSet: made empty and filled with its fields by stock, made full by us."""
    return StockObject("OrderedSet") if items is None else items


def reconstructed(kind: StockClass, _base: StockClass, state: Optional[Tuple[Any, ...]]) -> Any:
    """Return what stands for an object that protocols 0 and 1 make."""
    return make_stock(kind, state or ())


#: all that the files of luigi 2.8 to 3.8 name, under Python 2 and 3, and what makes the data that stand for it
STOCK_CLASSES: Dict[str, Callable[..., Any]] = {
    **{f"luigi.scheduler.{kind}": functools.partial(StockObject, kind) for kind in ("Task", "Worker", "Failures")},
    "luigi.scheduler.OrderedSet": ordered_set,
    "luigi.scheduler.RetryPolicy": lambda *numbers: numbers,
    **dict.fromkeys(("collections.deque", "builtins.set", "__builtin__.set"), listed),
    **dict.fromkeys(("copyreg._reconstructor", "copy_reg._reconstructor"), reconstructed),
    # only ever named as the base that `_reconstructor` is given
    **dict.fromkeys(("builtins.object", "__builtin__.object", "builtins.tuple", "__builtin__.tuple"), listed),
}


class Opcodes(Dict[int, Callable[[Any], None]]):
    """Opcode -> what it does; UnpicklingError, naming it, for one that is not admitted."""

    def __missing__(self, code: int) -> NoReturn:
        names = (name for name in pickle.__all__ if getattr(pickle, name) == bytes([code]))
        raise pickle.UnpicklingError(f"it uses {next(names, f'the byte {code:#x} as an opcode')}")


class WaryUnpickler(pickle._Unpickler):
    """Reads what may be hostile or damaged; makes plain data, and records for the objects in files of stock's.

    This is Python's own machine, in Python. Its memo is a dictionary, so that a huge index takes up nothing; what it
    makes is not more than a small multiple of what it reads; and on its stack there is never anything but data.
    Raises UnpicklingError, naming what is not admitted, or any other exception.
    """

    def find_class(self, module: str, name: str) -> StockClass:
        """Return the name of something in the list."""
        full_name = f"{module}.{name}"
        if full_name not in STOCK_CLASSES:
            raise pickle.UnpicklingError(f"it refers to {full_name}")
        return StockClass(full_name)

    def load_number(self) -> None:
        """Do INT and LONG, which have decimal digits, and INT 00 and 01 for False and True."""
        text = self.readline().rstrip(b"\nL")
        if len(text) > STOCK_DIGITS:
            raise pickle.UnpicklingError(f"it has a number of {len(text)} digits")
        self.append(text == b"01" if text in (b"00", b"01") else int(text))

    def load_call(self) -> None:
        """Do REDUCE and NEWOBJ."""
        arguments = self.stack.pop()
        self.stack[-1] = make_stock(self.stack[-1], arguments)

    def put(self, items: List[Any]) -> None:
        """Put keys and values, by turns, into the dictionary on the stack."""
        if type(self.stack[-1]) is not dict or not all(type(key) is str for key in items[::2]):
            raise pickle.UnpicklingError("it has a dictionary with keys other than strings")
        self.stack[-1].update(zip(items[::2], items[1::2]))

    def load_item(self) -> None:
        """Do SETITEM."""
        value = self.stack.pop()
        self.put([self.stack.pop(), value])

    def load_items(self) -> None:
        """Do SETITEMS."""
        self.put(self.pop_mark())

    def load_dictionary(self) -> None:
        """Do DICT."""
        items = self.pop_mark()
        self.append({})
        self.put(items)

    def load_fields(self) -> None:
        """Do BUILD."""
        fields = self.stack.pop()
        if type(self.stack[-1]) is not StockObject or type(fields) is not dict:
            raise pickle.UnpicklingError(f"it sets the state of {shown(self.stack[-1])}")
        self.stack[-1].fields = fields

    dispatch = Opcodes(
        {
            **{code: pickle._Unpickler.dispatch[code] for (code,) in map(vars(pickle).get, ADMITTED_OPCODES)},
            **dict.fromkeys((pickle.INT[0], pickle.LONG[0]), load_number),
            **dict.fromkeys((pickle.REDUCE[0], pickle.NEWOBJ[0]), load_call),
            pickle.BUILD[0]: load_fields,
            pickle.SETITEM[0]: load_item,
            pickle.SETITEMS[0]: load_items,
            pickle.DICT[0]: load_dictionary,
            pickle.EMPTY_SET[0]: pickle._Unpickler.load_empty_list,
            pickle.ADDITEMS[0]: pickle._Unpickler.load_appends,
            pickle.FROZENSET[0]: pickle._Unpickler.load_list,
        }
    )


def _numbers_of(value: Any) -> Tuple[Number, ...]:
    return tuple(map(_number, value))


def _policy_of(value: Any) -> Tuple[Number, ...]:
    return tuple(RetryPolicy(*_numbers_of(value)))


def _demand_of(value: Any) -> Demand:
    pairs = value.items() if isinstance(value, dict) else value
    return _demand({_identifier(name): amount for name, amount in pairs})


def _stakes_of(value: Any) -> FrozenSet[str]:
    return frozenset(_identifiers(value))


def _info_of(value: Any) -> Dict[str, Any]:
    return _info(_object(value))


def _objects_of(value: Any) -> List[Dict[str, Any]]:
    return list(map(_object, value))


def _batchers_of(value: Any) -> Dict[str, Tuple[Tuple[str, ...], Number]]:
    return {_text(family): (_identifiers(names), _number(most)) for family, (names, most) in value.items()}


def or_none(check: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a check that lets None pass."""
    return lambda value: None if value is None else check(value)


#: name of a field -> (what may be in it, as for an argument of a call; what is in it if nothing is given)
Rules = Mapping[str, Tuple[Callable[[Any], Any], Any]]

TASK_RULES: Rules = {
    "id": (_identifier, None),
    "family": (_text, ""),
    "module": (_text, None),
    "params": (_object, NOTHING),
    "param_visibilities": (_object, NOTHING),
    "seq": (_count, 0),
    "deps": (_identifiers, ()),
    "resources": (_demand_of, ()),
    "priority": (_number, 0),
    "retry_policy": (_policy_of, STOCK_POLICY),
    "batchable": (_flag, False),
    "workers": (_identifiers, ()),
    "stakeholders": (_stakes_of, frozenset()),
    "runnable": (_flag, False),
    "status": (_status, PENDING),
    "order": (_count, 0),
    "time": (_number, 0),
    "updated": (_number, None),
    "retry": (_number, None),
    "remove": (_number, None),
    "failures": (_numbers_of, ()),
    "first_failure_time": (_number, None),
    "scheduler_disable_time": (_number, None),
    "worker_running": (_identifier, None),
    "time_running": (_number, None),
    "resources_running": (_demand_of, None),
    "batch_id": (_text, None),
    "expl": (_anything, None),
    "tracking_url": (_text, None),
    "status_message": (_anything, None),
    "progress_percentage": (_anything, None),
    "accepts_messages": (_flag, None),
    "responses": (_object, NOTHING),
}

WORKER_RULES: Rules = {
    "id": (_identifier, None),
    "host": (_text, None),
    "info": (_info_of, NOTHING),
    "started": (_number, 0),
    "last_active": (_number, 0),
    "last_get_work": (_number, None),
    "disabled": (_flag, False),
    "rpc_messages": (_objects_of, []),
}


#: the other changes: kind -> what its arguments may be
CHANGE_RULES: Mapping[str, Tuple[Callable[[Any], Any], ...]] = {
    "strip": (_identifier, _flag),
    "worker gone": (_identifier,),
    "task gone": (_identifier,),
    "batchers": (_identifier, _batchers_of),
    "resource": (_text, _amount),
    "paused": (_flag,),
    "told": (_text, _count),
    "event": (
        *(_count, _text, _number, _text, _text, _object, _identifiers),
        *map(or_none, (_text, _text, _number)),
        _count,
        *map(or_none, (_text, _text)),
        *(_identifiers, _identifiers, _object),
    ),
}


def checked(rules: Rules, values: Mapping[str, Any], what: str) -> Dict[str, Any]:
    """Return the fields that `rules` name, checked and copied; ValueError says what is wrong with `what`."""
    fields = {}
    for name, (check, default) in rules.items():
        value = values.get(name)
        try:
            fields[name] = default if value is None else check(value)
        except (ValueError, TypeError, AttributeError):
            raise ValueError(f"{what} has {shown(value)} as its {name}") from None
    return fields


def task_change(values: Mapping[str, Any]) -> Change:
    """Return a change that puts a task with checked `values` that fit together; ValueError if they cannot be used."""
    fields = checked(TASK_RULES, values, f"the task {shown(values.get('id'))}")
    if fields["updated"] is None:
        fields["updated"] = fields["time"]
    if fields["status"] == SUSPENDED or (fields["status"] in (RUNNING, BATCH_RUNNING) and not fields["worker_running"]):
        fields["status"] = PENDING  # nobody would ever end what nobody runs
    if fields["status"] == FAILED and fields["retry"] is None:
        fields["retry"] = fields["updated"]
    return ("task", tuple(map(fields.__getitem__, TASK_FIELDS)))


def worker_change(values: Mapping[str, Any]) -> Change:
    """Return a change that puts a worker with checked `values`; ValueError if they cannot be used."""
    fields = checked(WORKER_RULES, values, f"the worker {shown(values.get('id'))}")
    return ("worker", tuple(map(fields.__getitem__, WORKER_FIELDS)))


def fields_of(thing: Any, kind: str) -> Dict[str, Any]:
    """Return the fields of an object of stock's; ValueError if it is not of that class."""
    if type(thing) is not StockObject or thing.kind != kind:
        raise ValueError(f"it has {shown(thing)} in place of its {kind}")
    return thing.fields


def members(collection: Any) -> List[str]:
    """Return what is in a set of stock's, in order. An OrderedSet is a ring of [key, previous, next] from `end` on."""
    if type(collection) is not StockObject:
        return list(map(_text, collection or ()))
    fields = fields_of(collection, "OrderedSet")
    found, node = [], fields["end"]
    for _ in fields["map"]:
        node = node[2]
        found.append(_text(node[0]))
    return found


def stock_task(thing: Any, task_id: str, seq: int, disabled: Mapping[str, bool]) -> Dict[str, Any]:
    """Return a task of stock's by the names of our fields, unchecked.

    What it says of workers that are not in `disabled` (worker id -> whether it is) is left out: these are gone.
    """
    given = fields_of(thing, "Task")
    if type(given.get("failures")) is StockObject:  # until luigi 2.8
        given = {**given, **fields_of(given["failures"], "Failures")}
    visibilities, public = given.get("param_visibilities") or {}, given.get("public_params") or {}
    return {
        **{name: given.get(name) for name in TASK_RULES},
        "id": task_id,
        "seq": seq,
        "order": seq,
        # Visibilities that came after the parameters make no difference to what stock shows.
        "param_visibilities": {**visibilities, **{name: PUBLIC for name in visibilities if name in public}},
        "responses": given.get("scheduler_message_responses"),
        "workers": [worker_id for worker_id in members(given.get("workers")) if not disabled.get(worker_id, True)],
        "stakeholders": [worker_id for worker_id in members(given.get("stakeholders")) if worker_id in disabled],
    }


def stock_worker(thing: Any, worker_id: str) -> Dict[str, Any]:
    """Return a worker of stock's by the names of our fields, unchecked."""
    given = fields_of(thing, "Worker")
    known = {name: given.get(name) for name in WORKER_RULES}
    return {**known, "id": worker_id, "host": (given.get("reference") or {}).get("host")}


def count_parts(value: Any, most: int) -> int:
    """Return how many parts a value has, each counted as often as it is met; ValueError for more than `most`."""
    count, stack = 1, [value]
    while stack:
        item = stack.pop()
        parts = item.values() if isinstance(item, dict) else item if isinstance(item, (list, tuple)) else ()
        count += len(parts)
        if count > most:
            raise ValueError("it has values that hold one another without end")
        stack.extend(parts)
    return count


def stock_changes(state: Any, size: int) -> Iterator[Change]:
    """Yield what makes an empty state what stock's is, from a file of `size` bytes; any exception if it is none."""
    if type(state) is not tuple or not 2 <= len(state) <= 3:
        raise ValueError(f"it has {shown(state)} in place of tasks and workers")
    tasks, workers, batchers = (*state, {})[:3]
    left = MAX_EXPANSION * size - count_parts(batchers, MAX_EXPANSION * size)
    for worker_id, families in batchers.items():
        yield ("batchers", _identifier(worker_id), _batchers_of(families))
    disabled = {}
    for worker_id, thing in workers.items():
        values = stock_worker(thing, worker_id)
        left -= count_parts(values, left)
        disabled[worker_id] = values["disabled"]
        yield worker_change(values)
    for seq, (task_id, thing) in enumerate(tasks.items()):
        values = stock_task(thing, task_id, seq, disabled)
        left -= count_parts(values, left)
        yield task_change(values)


def has_seal(path: str) -> bool:
    """Tell whether a file ends as snapshots do."""
    with open(path, "rb") as file:
        file.seek(max(0, os.path.getsize(path) - TRAILER.size))
        return file.read(len(SEAL)) == SEAL


def read_stock(path: str) -> Optional[List[Change]]:
    """Return what stock's scheduler saved in a file; None if it is a snapshot of ours, damaged or not.

    OSError; StateError for anything else. Nothing of it is run. A snapshot is known by its end, by its beginning, or by
    the journals beside it.
    """
    if has_seal(path):
        return None
    with open(path, "rb") as file:
        data = file.read()
    try:
        state = WaryUnpickler(io.BytesIO(data), encoding="utf-8", errors="replace").load()
        if isinstance(state, dict) and state.get("format") == STATE_FORMAT:
            return None
        return list(stock_changes(state, len(data)))
    except Exception as error:
        if any(map(has_records, journals(path).values())):
            return None
        told = type(error) in (pickle.UnpicklingError, ValueError)
        what = str(error) if told else f"it makes no sense ({type(error).__name__})"
        raise StateError(
            f"{path} is no state of luigid, and none of stock luigi either: {what[:200]}. Nothing of it was run or "
            "changed; move it away to start empty, or choose another --state-path"
        ) from error


def restored(changes: Iterable[Change]) -> Agenda:
    """Return an agenda made by changes."""
    restorer = Restorer(Agenda(), time.time(), 0)
    restorer.begin(make_header(0))
    restorer.apply(changes)
    restorer.finish()
    return restorer.agenda


def parts_of(agenda: Agenda) -> Iterator[List[Change]]:
    """Yield all that an agenda holds, as a snapshot takes it."""
    yield capture_common(agenda)
    tasks = map(task_fields, agenda.tasks.values())
    while part := [("task", fields) for fields in itertools.islice(tasks, SLICE)]:
        yield part


def link_or_copy(path: str, name: str) -> None:
    """Keep a file under a second name; FileExistsError if that is taken, OSError."""
    try:
        os.link(path, name)
    except FileExistsError:
        raise
    except OSError:  # not every file system has hard links
        descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(descriptor, "wb") as copy_of_it, open(path, "rb") as file:
            copy_of_it.write(file.read())
            copy_of_it.flush()
            os.fsync(descriptor)


def keep_beside(path: str, names: Iterable[str]) -> str:
    """Keep a file also under the first of `names` that is free, for good; return that name. OSError.

    Whoever did so before, and was killed then, need not do it again.
    """
    for name in names:
        try:
            link_or_copy(path, name)
        except FileExistsError:
            if not os.path.samefile(path, name):
                continue
        sync_directory(path)
        return name
    raise AssertionError("numbers do not end")


def adopt_stock(path: str) -> None:
    """Replace a file that stock's scheduler left at `path` by a snapshot of the same; anything else is left alone.

    OSError; StateError for what is neither a snapshot nor such a file.
    """
    changes = read_stock(path) if os.path.exists(path) else None
    if changes is None:
        return
    others = journals(path)
    strange = [file for file in others.values() if has_records(file)]
    if strange:
        raise StateError(
            f"{path} is a state of stock luigi, but {strange[0]} beside it belongs to another state; move the journals "
            "away to take over what stock left, or move that away to go on from the journals"
        )
    agenda = restored(changes)
    kept = keep_beside(path, itertools.chain([f"{path}.stock"], (f"{path}.stock.{n}" for n in itertools.count(1))))
    write_snapshot(path, max(others, default=-1) + 1, parts_of(agenda))
    logger.info("imported what stock luigi left in %s; that file is now %s", path, kept)


# The way back. Plain values are pickled without the memo (`fast`), so that the bytes can be put together like text. In
# the memo is what is named more than once: first these, in this order, then the tasks.

EXPORTED_NAMES = (
    *("luigi.scheduler Task", "luigi.scheduler Worker", "luigi.scheduler OrderedSet", "luigi.scheduler RetryPolicy"),
    *("builtins set", "collections deque"),
)
A_TASK, A_WORKER, AN_ORDERED_SET, A_RETRY_POLICY, A_SET, A_DEQUE = range(len(EXPORTED_NAMES))

#: visibility of a parameter that the page does not show, though stock hands it out
HIDDEN = 1

#: fields of a task that stock has under the same name, and in the same form
SAME_IN_STOCK = (
    *("id", "family", "module", "params", "param_visibilities", "priority", "batchable", "runnable", "status"),
    *("time", "updated", "retry", "remove", "first_failure_time", "scheduler_disable_time"),
    *("worker_running", "time_running", "batch_id", "expl", "tracking_url", "status_message", "progress_percentage"),
    "accepts_messages",
)


def pickled(value: Any) -> bytes:
    """Return what pushes plain data onto the stack of an unpickler, and leaves its memo alone."""
    buffer = io.BytesIO()
    pickler = pickle.Pickler(buffer, protocol=3)
    pickler.fast = True
    pickler.dump(value)
    return buffer.getvalue()[2:-1]  # without PROTO and STOP


def fetched(index: int) -> bytes:
    """Return what pushes a part of the memo."""
    return pickle.LONG_BINGET + struct.pack("<I", index)


def kept(index: int) -> bytes:
    """Return what makes the top of the stack a part of the memo."""
    return pickle.LONG_BINPUT + struct.pack("<I", index)


def called(name: int, *arguments: Any) -> bytes:
    """Return what pushes the result of a call with plain arguments."""
    return fetched(name) + pickled(arguments) + pickle.REDUCE


def made(name: int, fields: Mapping[str, Any], built: Mapping[str, bytes], index: Optional[int] = None) -> bytes:
    """Return what pushes an object with plain fields and built ones, and keeps it in the memo at `index`."""
    new = fetched(name) + pickle.EMPTY_TUPLE + pickle.NEWOBJ + (b"" if index is None else kept(index))
    items = b"".join(pickled(field) + value for field, value in built.items())
    return new + pickled(fields) + pickle.MARK + items + pickle.SETITEMS + pickle.BUILD


def exported_task(task: Task, index: int) -> bytes:
    """Return what pushes a task as stock has it."""
    fields = {name: getattr(task, name) for name in SAME_IN_STOCK}
    for name, visibility in (("public_params", PUBLIC), ("hidden_params", HIDDEN)):
        seen = (key for key in task.params if task.param_visibilities.get(key, PUBLIC) == visibility)
        fields[name] = {key: task.params[key] for key in seen}
    fields["scheduler_message_responses"] = task.responses
    fields["resources"] = dict(task.resources)
    if task.resources_running is not None:
        fields["resources_running"] = dict(task.resources_running)
    built = {
        "workers": called(AN_ORDERED_SET, list(task.workers)),
        "stakeholders": called(A_SET, sorted(task.stakeholders)),
        "deps": called(A_SET, list(task.deps)),
        "failures": called(A_DEQUE, list(task.failures)),
        "retry_policy": called(A_RETRY_POLICY, *task.retry_policy),
    }
    return made(A_TASK, fields, built, index)


def exported_worker(worker: Worker, indexes: Mapping[str, int]) -> bytes:
    """Return what pushes a worker as stock has it; `indexes` says where in the memo its tasks are."""
    same = ("id", "info", "started", "last_active", "last_get_work", "disabled", "rpc_messages")
    fields = {name: getattr(worker, name) for name in same}
    fields["reference"] = None if worker.host is None else {"host": worker.host}
    tasks = b"".join(fetched(indexes[task.id]) for task in worker.tasks if worker.id in task.workers)
    tasks = pickle.EMPTY_LIST + pickle.MARK + tasks + pickle.APPENDS + pickle.TUPLE1
    return made(A_WORKER, fields, {"tasks": fetched(A_SET) + tasks + pickle.REDUCE})


def stock_pickle(agenda: Agenda) -> Iterator[bytes]:
    """Yield the bytes of what stock's scheduler would have saved, were this its state."""
    yield pickle.PROTO + b"\3"
    for index, name in enumerate(EXPORTED_NAMES):
        yield pickle.GLOBAL + name.replace(" ", "\n").encode() + b"\n" + kept(index) + pickle.POP
    indexes = {task_id: index for index, task_id in enumerate(agenda.tasks, len(EXPORTED_NAMES))}
    yield pickle.EMPTY_DICT
    for task in agenda.tasks.values():
        yield pickled(task.id) + exported_task(task, indexes[task.id]) + pickle.SETITEM
    yield pickle.EMPTY_DICT
    for worker in agenda.workers.values():
        yield pickled(worker.id) + exported_worker(worker, indexes) + pickle.SETITEM
    batchers = {
        worker_id: {family: (list(names), most) for family, (names, most) in families.items()}
        for worker_id, families in agenda.batchers.items()
    }
    yield pickled(batchers) + pickle.TUPLE3 + pickle.STOP


def fingerprint(path: str) -> Set[Tuple[str, int, Optional[int]]]:
    """Return the files of a state by name, inode number, and size: the last only of those that are not added to.

    FileNotFoundError if files are taken away meanwhile.
    """
    files = journals(path)
    last = max((number for number, file in files.items() if has_records(file)), default=0)
    sizes = {file: os.path.getsize(file) for number, file in files.items() if number < last}
    present = [*files.values(), *([path] if os.path.exists(path) else [])]
    return {(file, os.stat(file).st_ino, sizes.get(file)) for file in present}


def read_steady(path: str, read: Callable[[str], Any]) -> Any:
    """Return what `read(path)` does with a state as it was at one moment, also while a daemon writes it.

    OSError and StateError as `read` raises them.
    """
    for left in reversed(range(STEADY_ATTEMPTS)):
        try:
            before = fingerprint(path)
            try:
                result = read(path)
            except (OSError, StateError):
                if fingerprint(path) == before:
                    raise
            else:
                if fingerprint(path) == before:
                    return result
        except FileNotFoundError:
            if not left:
                raise
    raise StateError(f"{path} is being changed faster than it can be read; try again, or stop luigid before")


def read_agenda(path: str) -> Agenda:
    """Return what is in a state, changing nothing. OSError, StateError."""
    if not os.path.exists(path) and not journals(path):
        raise StateError(f"there is no state in {path}")
    if os.path.exists(path) and read_stock(path) is not None:
        raise StateError(f"{path} is a state of stock luigi as it is")
    restorer = Restorer(Agenda(), time.time(), 0)
    read_state(path, restorer, mend=False)
    restorer.finish()
    return restorer.agenda


def export_stock(state_path: str, target: str) -> str:
    """Write a state, also one in use, as a file that stock's luigid 3.8 loads; return what to tell the operator.

    Raises OSError, and StateError also if there is something in `target` already.
    """
    if os.path.lexists(target) or os.path.realpath(target) == os.path.realpath(state_path):
        raise StateError(f"{target} is taken; move it away, or export to another file")
    agenda = read_steady(state_path, read_agenda)
    temporary = f"{target}.tmp"
    with open(create_file(temporary), "wb") as file:
        file.writelines(stock_pickle(agenda))
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, target)
    sync_directory(target)
    return (
        f"{len(agenda.tasks)} tasks and {len(agenda.workers)} workers are in {target}; stock luigid starts unpaused, "
        "with the resources of its configuration"
    )


# -- check and repair --------------------------------------------------------------------------------------------------
#
# A check reads all there is and changes nothing. A repair begins as a check, keeps every file beside itself, and
# replaces the snapshot, in one step as always, by one of all that could be read: until then the state is as damaged as
# it was, and afterwards it is whole, and newer than every journal that is left.
#
# In a journal all that comes before the damage counts, and nothing behind it: later changes may rest on what is lost.
# A snapshot has one checksum for all of it, so when that is wrong, each list of changes in it that still makes sense is
# taken, though nobody can vouch for it.

#: times that a state is read anew because files of it were replaced meanwhile
STEADY_ATTEMPTS = 10

#: how the header and each list of changes in a snapshot begin: PROTO 4, FRAME of less than 16 MB, EMPTY_DICT or _LIST
PART_START = re.compile(rb"\x80\x04\x95.{3}\0{5}[]}]\x94", re.DOTALL)


class CountingRestorer(Restorer):
    """Counts the changes that it makes, and the records they come in."""

    records = changes = 0

    def apply(self, changes: List[Change]) -> None:
        """Make changes."""
        self.records += 1
        self.changes += len(changes)
        super().apply(changes)


class Findings(NamedTuple):
    """What a check found."""

    #: what to tell the operator, file by file
    lines: List[str]
    #: whether luigid starts with it
    usable: bool
    #: what can be read of it; None if it is no state of ours
    agenda: Optional[Agenda] = None


def read_change(change: Any, header: Mapping[str, Any]) -> Change:
    """Return a change that nothing vouches for, checked; any exception if it cannot be used."""
    kind, *arguments = change
    if kind == "task":
        return task_change(dict(zip(header["task_fields"], *arguments)))
    if kind == "worker":
        return worker_change(dict(zip(header["worker_fields"], *arguments)))
    rules = CHANGE_RULES[kind]
    return (kind, *(check(argument) for check, argument in zip(rules, arguments)))


def read_list(value: Any, header: Mapping[str, Any]) -> Tuple[List[Change], int]:
    """Return the changes in a list that make sense, and how many do not."""
    changes = []
    for change in value:
        with contextlib.suppress(ValueError, TypeError, AttributeError, KeyError):
            changes.append(read_change(change, header))
    return changes, len(value) - len(changes)


def readable(data: bytes) -> Iterator[Tuple[Any, int]]:
    """Yield the parts of a damaged snapshot that can be read, each with the number of bytes that it takes."""
    starts = [match.start() for match in PART_START.finditer(data)]
    for start, end in zip(starts, [*starts[1:], len(data)]):
        file = io.BytesIO(data[start:end])
        with contextlib.suppress(Exception):
            while True:  # empty parts begin otherwise, and follow another
                before = file.tell()
                yield WaryUnpickler(file).load(), file.tell() - before


class Salvage(NamedTuple):
    """What can be had of a damaged snapshot."""

    changes: List[Change]
    #: how many changes make no sense
    senseless: int
    #: of how many bytes nothing can be read
    lost: int


def salvage(path: str) -> Salvage:
    """Return what can be read of a damaged snapshot. OSError; StateError if it is of a later version."""
    with open(path, "rb") as file:
        data = file.read()
    changes, senseless, lost = [], 0, len(data) - TRAILER.size
    header = own = make_header(0)
    for value, size in readable(data):
        lost -= size
        if isinstance(value, dict) and value.get("format") == STATE_FORMAT:
            older = check_header({**own, **value}, path)
            header = own if older["version"] == STATE_VERSION else older  # names that are known need not be trusted
        elif isinstance(value, list):
            found, bad = read_list(value, header)
            changes += found
            senseless += bad
    return Salvage(changes, senseless, max(0, lost))


def count_sound_records(path: str, offset: int) -> int:
    """Return how many sound records begin after `offset` in a journal."""
    with open(path, "rb") as file:
        data = file.read()
    count = 0
    while (offset := data.find(MARK, offset + 1)) >= 0:
        count += unframe(data, offset) is not None
    return count


def examine(path: str) -> Findings:
    """Read all there is of a state, as far as it can be read, and change nothing. OSError, StateError."""
    files = journals(path)
    if not os.path.exists(path):
        return examine_own(path, files) if files else Findings([f"there is no state in {path}"], usable=True)
    changes = read_stock(path)
    if changes is None:
        return examine_own(path, files)
    kinds = collections.Counter(kind for kind, *_ in changes)
    strange = [f"{file} beside it is of another state" for file in files.values() if has_records(file)]
    lines = [f"{path}: a state of stock luigi, {kinds['task']} tasks and {kinds['worker']} workers", *strange]
    return Findings([*lines, *([] if strange else ["the next start takes it over"])], not strange)


def examine_own(path: str, files: Mapping[int, str]) -> Findings:
    """Do what `examine` does with a state of ours that has these journals."""
    restorer = CountingRestorer(Agenda(), time.time(), 0)
    restorer.begin(make_header(0))
    line, generation, sound = examine_snapshot(path, min(files, default=0), restorer)
    lines = [line, *(f"{file}: superseded by the snapshot" for number, file in files.items() if number < generation)]
    following = {number: file for number, file in files.items() if number >= generation}
    last = max((number for number, file in following.items() if has_records(file)), default=0)
    whole = True  # so far, all that comes before the next journal
    for expected, (number, file) in enumerate(following.items(), generation):
        if whole and number != expected:
            lines.append(f"{path}.journal.{expected}: missing")
            whole = False
        line, whole = examine_journal(file, restorer if whole else None, may_be_torn=number >= last)
        lines.append(line)
    restorer.finish()
    agenda = restorer.agenda
    lines.append(f"in all {len(agenda.tasks)} tasks and {len(agenda.workers)} workers")
    return Findings(lines, sound and whole, agenda)


def examine_snapshot(path: str, first: int, restorer: CountingRestorer) -> Tuple[str, int, bool]:
    """Make the changes in a snapshot, or in what is left of it, before the first journal.

    Return what to tell of it, the number of the journal that follows, and whether it is sound.
    """
    if not os.path.exists(path):
        return f"{path}: {'missing' if first else 'not written yet'}", first, not first
    size = os.path.getsize(path)
    try:
        generation = read_snapshot(path, restorer)
    except Damage as damage:
        found = salvage(path)
        restorer.apply(found.changes)
        tasks = sum(kind == "task" for kind, *_ in found.changes)
        told = (
            f"{path}: snapshot, {size} bytes, damaged: {damage.what}; {tasks} tasks in it can be read, though nothing "
            f"vouches for them; {found.senseless} tasks or other changes make no sense, {found.lost} bytes are lost"
        )
        return told, first, False
    return f"{path}: snapshot, {size} bytes, {restorer.changes} changes", generation, True


def examine_journal(path: str, restorer: Optional[CountingRestorer], may_be_torn: bool) -> Tuple[str, bool]:
    """Make the changes in a journal up to any damage, none without a restorer; tell of it, and whether it is whole."""
    told = f"{path}: journal, {os.path.getsize(path)} bytes"
    if restorer is None:
        return f"{told}, {count_sound_records(path, 0)} sound records, but behind what is damaged or missing", False
    before = restorer.records
    try:
        sound, torn = read_journal(path, restorer, may_be_torn)
    except Damage as damage:
        told += f", {restorer.records - before} records, damaged at byte {damage.offset}: {damage.what}"
        return f"{told}; {count_sound_records(path, damage.offset)} sound records follow", False
    told += f", {restorer.records - before} records"
    if torn:
        told += f", and at byte {sound} {torn} bytes of one that was never finished, which the next start drops"
    return told, True


def check_state(path: str) -> Tuple[List[str], bool]:
    """Return what there is to tell of a state, file by file, and whether luigid starts with it. Changes nothing.

    OSError and StateError if that cannot be said. A daemon may be running with it.
    """
    findings = read_steady(path, examine)
    advice = [] if findings.usable else ["luigid does not start with it; --repair-state keeps what is counted here"]
    return [*findings.lines, *(advice if findings.agenda else [])], findings.usable


def repair_state(path: str) -> Tuple[List[str], bool]:
    """Make a state with which luigid does not start one with which it does; return what to tell, and if it does now.

    All files stay beside it as `*.damaged-N`. OSError; StateError if it is in use, or none of ours.
    """
    lock = StateLock(path)
    holder = lock.take()
    if holder is not None:
        raise StateError(f"the state in {path} is in use: {holder}; stop that one before a repair")
    try:
        findings = examine(path)
        if findings.usable or findings.agenda is None:
            told = "nothing to repair" if findings.usable else "which of these is wanted, no repair can tell"
            return [*findings.lines, told], findings.usable
        present = [*journals(path).values(), *([path] if os.path.exists(path) else [])]
        kept = [keep_beside(file, (f"{file}.damaged-{n}" for n in itertools.count(1))) for file in present]
        generation = max(journals(path), default=-1) + 1
        write_snapshot(path, generation, parts_of(findings.agenda))
        remove_journals(path, generation)
    finally:
        lock.release()
    return [*findings.lines, f"{path} holds these now; the files as they were:", *kept], True


# ======================================================================================================================
# 9. HTTP
# ======================================================================================================================
#
# One thread a connection, as ThreadingMixIn has it: a worker keeps one connection open for as long as it lives, so a
# thread costs nothing a call, and the code reads from top to bottom: read a request, look up its route, answer, repeat.
# A request that cannot be answered as asked ends in an HttpError, wherever that is noticed; one place answers those.
#
# http.server brings the class structure; its own parsing (email.parser) would cost more than everything else together.
# What makes a call cheap here: the header lines are read by one loop and picked apart by one regular expression, form
# data is decoded in C, a reply is put together from constants and leaves in one sendall, without Nagle's delay.
#
# Sockets block, with no time-out of their own: that would cost a system call more for each read. Instead each
# connection carries a deadline, and once a second the accepting thread, which has little else to do, hangs up on those
# that are past theirs. That also catches the client that sends a byte now and then, which no time-out on a read does.
#
# A connection is either idle (between two requests) or busy. Closing the server hangs up on the idle ones and lets the
# busy ones finish. The server's lock guards the set of connections and the threads without one; it is held for no
# longer than it takes to walk the set, and no other lock is taken under it.
#
# Before the body of a request is read, it is settled whether it may be made: for the host it names, for the page that
# asks the browser for it, and for whoever asks.

class HttpError(Exception):
    """A request that gets an error reply: `HttpError(status, message, headers)`, headers as on the wire."""

    def __init__(self, status: int, message: str, headers: bytes = b"") -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers


# -- Who may do what ---------------------------------------------------------------------------------------------------
#
# Without a users_file everybody may do everything, as with stock. With one, whoever asks says who they are, by a
# password (HTTP Basic, which stock's clients and browsers speak) or a token (Bearer, for scripts). People choose
# passwords, so guessing must be slow: scrypt, in little parallel, and few failures for each address. A token is
# random, nobody guesses it, and one round of SHA-256 will do.
#
# What scrypt has found right is remembered until the file is read again, by a keyed digest: a call costs microseconds,
# and no password stays in memory. Only those who are not remembered ever wait or are turned away, so that guessing
# from the address of a worker, or of a proxy in front of all of them, stops nobody who is at work.

#: The calls that each role adds to those of the roles before it: a viewer reads, a worker is a process that runs
#: pipelines, an admin does by hand what no pipeline does. The table in the README is compared with this one.
ROLES = {
    "viewer": (
        *("dep_graph", "inverse_dep_graph", "graph", "task_list", "task_search", "worker_list", "resource_list"),
        *("fetch_error", "get_task_status_message", "get_task_progress_percentage", "get_running_task_resources"),
        *("is_paused", "is_pause_enabled", "has_task_history", "audit"),
    ),
    "worker": (
        *("add_worker", "add_task", "add_task_batcher", "get_work", "count_pending", "ping", "prune"),
        *("announce_scheduling_failure", "report_task_statistics", "update_metrics_task_started"),
        *("set_task_status_message", "set_task_progress_percentage", "decrease_running_task_resources"),
        "add_scheduler_message_response",
    ),
    "admin": (
        *("re_enable_task", "forgive_failures", "mark_as_done", "pause", "unpause", "update_resource"),
        *("update_resources", "disable_worker", "set_worker_processes", "send_scheduler_message"),
        "get_scheduler_message_response",
    ),
}
#: call -> the first role that may make it; a call without one is the admin's
LEAST_ROLES = {name: role for role, names in ROLES.items() for name in names}
RANKS = {role: rank for rank, role in enumerate(ROLES)}

CHALLENGE = b'WWW-Authenticate: Basic realm="luigid", charset="UTF-8"\r\n'

#: What scrypt costs here: its logarithmic cost, block size and parallelism make 16 MiB and some 50 ms a password.
SCRYPT_COST, SCRYPT_BLOCK, SCRYPT_LANES = 14, 8, 1
#: The most that a hash in a users_file may ask for (bytes).
MAX_SCRYPT_BYTES = 128 * 1024 * 1024
NO_SCRYPT = "passwords need scrypt, which the OpenSSL of this Python does not have; tokens do not"
SCRYPT_HASH = re.compile(r"\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([\w+/]+)\$([\w+/]+)", re.ASCII).fullmatch
TOKEN_HASH = re.compile(r"\$sha256\$([0-9a-f]{64})").fullmatch

#: Passwords looked at in one moment, whoever asks.
SCRYPTS_AT_ONCE = 2
#: Failed log-ins that an address may have at once, and the seconds after which it is granted one more.
LOGIN_FAILURES, LOGIN_SECONDS = 10, 6.0
#: Addresses whose failures are known, and credentials that are remembered; the oldest is forgotten for a new one.
MAX_ADDRESSES, MAX_REMEMBERED = 10_000, 10_000


class User(NamedTuple):
    """Who asks."""

    name: str
    role: str


def may_call(user: User, method: str) -> bool:
    """Whether the role of `user` includes the call `method`."""
    return RANKS[user.role] >= RANKS[LEAST_ROLES.get(method, "admin")]


def makes_changes(method: str) -> bool:
    """Whether `method` does more than to read, as far as strangers are concerned."""
    return LEAST_ROLES.get(method) != "viewer"


def hash_password(password: str) -> str:
    """What a line of a users_file holds for `password`: salt, parameters and scrypt hash in the PHC format."""
    salt = os.urandom(16)
    digest = scrypt(password, SCRYPT_COST, SCRYPT_BLOCK, SCRYPT_LANES, salt)
    shown = (binascii.b2a_base64(part, newline=False).decode("ascii").rstrip("=") for part in (salt, digest))
    return f"$scrypt$ln={SCRYPT_COST},r={SCRYPT_BLOCK},p={SCRYPT_LANES}${'$'.join(shown)}"


def hash_token(token: str) -> str:
    """What a line of a users_file holds for `token`."""
    return "$sha256$" + hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def scrypt(password: str, cost: int, block: int, lanes: int, salt: bytes) -> bytes:
    """The scrypt digest of `password`; SettingsError where Python was built without it."""
    if not hasattr(hashlib, "scrypt"):
        raise SettingsError(NO_SCRYPT)
    secret = password.encode("utf-8", "surrogateescape")
    return hashlib.scrypt(secret, salt=salt, n=1 << cost, r=block, p=lanes, maxmem=2 * MAX_SCRYPT_BYTES, dklen=32)


class PasswordHash(NamedTuple):
    """A scrypt hash taken apart."""

    cost: int
    block: int
    lanes: int
    salt: bytes
    digest: bytes

    def fits(self, password: str) -> bool:
        """Whether it is that of `password`. Takes its time, and waits while others take theirs."""
        with scrypt_slots:
            return hmac.compare_digest(self.digest, scrypt(password, *self[:4]))


scrypt_slots = threading.BoundedSemaphore(SCRYPTS_AT_ONCE)

#: What the password of somebody unknown is compared with, so that time does not tell who is known.
NOBODY = PasswordHash(SCRYPT_COST, SCRYPT_BLOCK, SCRYPT_LANES, bytes(16), bytes(32))


def parse_password_hash(text: str) -> Optional[PasswordHash]:
    """The parts of what `hash_password` made; None if it is something else, or asks for too much."""
    match = SCRYPT_HASH(text)
    if match is None:
        return None
    cost, block, lanes = map(int, match.groups()[:3])
    if not (cost and block and lanes and block * lanes * 128 << cost <= MAX_SCRYPT_BYTES):
        return None
    try:
        salt, digest = (binascii.a2b_base64(part + "=" * (-len(part) % 4)) for part in match.groups()[3:])
    except ValueError:
        return None
    return PasswordHash(cost, block, lanes, salt, digest) if len(digest) == 32 else None


class Users:
    """What a users_file says: lines `name:role:hash`, empty ones, and comments behind '#' at the start of a line."""

    def __init__(self, path: str) -> None:
        self._passwords: Dict[str, Tuple[User, PasswordHash]] = {}
        #: by their hashes: to look one up tells nothing, as nobody can choose what their guess hashes to
        self._tokens: Dict[str, User] = {}
        #: keyed digest of an Authorization header -> who that is
        self._remembered: Dict[bytes, User] = {}
        self._key = os.urandom(32)
        text = _read_text(path)
        if text is None:
            raise SettingsError(f"users_file {path}: there is no such file")
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip() and not line.startswith("#"):
                problem = self._add(*line.strip().split(":", 2))
                if problem:  # which must not quote the line: it may hold a password
                    raise SettingsError(f"users_file {path}:{number}: {problem}")
        if not (self._passwords or self._tokens):
            raise SettingsError(f"users_file {path}: nobody could log in; it needs a line name:role:hash")
        if self._passwords and not hasattr(hashlib, "scrypt"):
            raise SettingsError(f"users_file {path}: {NO_SCRYPT}")

    def _add(self, name: str, role: str = "", text: str = "") -> str:
        if role not in RANKS or not name or not name.isprintable():
            return f"must be name:role:hash with one of the roles {', '.join(ROLES)}"
        password, user = parse_password_hash(text), User(name, role)
        if name in self._passwords and password:
            return f"{name} has a password already"
        if password:
            self._passwords[name] = user, password
        elif TOKEN_HASH(text):
            self._tokens[text] = user
        else:
            return "the hash must be what --hash-password or --new-token printed"
        return ""

    def recall(self, authorization: str) -> Optional[User]:
        """Who sends this header, if that is known without any work."""
        return self._remembered.get(self._digest(authorization))

    def identify(self, authorization: str) -> Tuple[str, Optional[User]]:
        """The name that is claimed, and who that is if the claim holds."""
        scheme, _, credentials = authorization.partition(" ")
        if scheme.lower() == "bearer":
            claim, user = "the bearer of a token", self._tokens.get(hash_token(credentials.strip()))
        else:
            claim, password = parse_basic(credentials if scheme.lower() == "basic" else "")
            user, known = self._passwords.get(claim, (None, NOBODY))
            user = user if known.fits(password) else None
        if user is not None:
            remember(self._remembered, self._digest(authorization), user, MAX_REMEMBERED)
        return claim, user

    def _digest(self, authorization: str) -> bytes:
        return hashlib.blake2b(authorization.encode("latin-1"), key=self._key, digest_size=32).digest()


def parse_basic(credentials: str) -> Tuple[str, str]:
    """Name and password of a Basic header; two empty texts if it holds none."""
    try:
        data = binascii.a2b_base64(credentials)
    except ValueError:
        return "", ""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:  # `requests`, with which stock's clients call, sends it like this
        text = data.decode("latin-1")
    name, _, password = text.partition(":")
    return name, password


def remember(memory: Dict[Any, Any], key: Any, value: Any, most: int) -> None:
    """Put `value` into `memory`, which holds at most so many; called by several threads at once."""
    memory[key] = value
    while len(memory) > most:
        with contextlib.suppress(StopIteration, KeyError, RuntimeError):  # another thread was faster
            del memory[next(iter(memory))]


class Attempts:
    """The failed log-ins of one address."""

    def __init__(self) -> None:
        #: held while a password is looked at: the next one waits, and then sees whether that failed
        self.lock = threading.Lock()
        #: when all failures are forgiven (on time.monotonic's clock)
        self.forgiven = 0.0

    def wait(self) -> float:
        """Seconds until another log-in may be tried; 0: at once."""
        return max(0.0, self.forgiven - time.monotonic() - (LOGIN_FAILURES - 1) * LOGIN_SECONDS)

    def fail(self) -> None:
        """Count a failure."""
        self.forgiven = max(self.forgiven, time.monotonic()) + LOGIN_SECONDS


def neighbourhood(address: str) -> str:
    """What failures are counted by: an IPv4 address, or the IPv6 network (/64) in which one may choose freely."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:  # a Unix socket
        return address
    if ip.version == 6 and ip.ipv4_mapped is None:
        return ip.exploded[:19]
    return str(getattr(ip, "ipv4_mapped", None) or ip)


# -- What browsers may be made to do -----------------------------------------------------------------------------------
#
# A browser sends what a page from anywhere asks for, from inside the operator's network and with their password. So a
# change must come from this server's own page, from an origin that [cors] allows, or from no browser at all.
#
# By what can it be told? `Sec-Fetch-Site` says it outright, and no page can write a header of that name; but browsers
# send it only over TLS and to this very machine. `Origin` comes with every POST, but not with an <img>. Then there is
# left that every browser calls itself Mozilla, and no program of Luigi's does: of those, a GET that changes something
# must come with this server's address as `Referer`, or with `X-Requested-With`, which a page can send to elsewhere only
# after a preflight that [cors] answers. Stock's page sends it.
#
# With DNS rebinding a page makes its own name point to this server, and is of the same origin then. Only the name gives
# it away. So a browser must ask by a name that nobody else can have: an address, this machine's names, names that
# do not exist in the public DNS; or one in allowed_hosts. Where there is a password or a certificate, which such a page
# does not have, any name will do; unless allowed_hosts is set, which then holds for everybody.

#: Where names end that nobody can register.
PRIVATE_DOMAINS = (".localhost", ".local", ".internal", ".lan", ".home.arpa")
HOST_AND_PORT = re.compile(r"(?:\[([^\]]*)\]|([^:]*))(?::\d*)?").fullmatch


def is_browser(headers: Mapping[str, str]) -> bool:
    """Whether a request may come from a browser."""
    return headers.get("user-agent", "").startswith("Mozilla/") or "origin" in headers or "sec-fetch-site" in headers


def host_name(host: str) -> str:
    """A Host header without the port, in lower case; empty if it is malformed."""
    match = HOST_AND_PORT(host)
    return (match[1] or match[2] or "").lower().rstrip(".") if match else ""


def is_address(name: str) -> bool:
    """Whether a host is named by its IP address."""
    try:
        return bool(ipaddress.ip_address(name))
    except ValueError:
        return False


def is_private(name: str) -> bool:
    """Whether nobody could make `name` point here who is not in charge of this machine or its network."""
    if not name:
        return False
    return is_address(name) or "." not in name or name.endswith(PRIVATE_DOMAINS) or name in own_names()


@functools.lru_cache(maxsize=1)
def own_names() -> FrozenSet[str]:
    """What this machine is called. Asks the DNS, which may take seconds, so only when it matters."""
    return frozenset(name.lower() for name in (socket.gethostname(), socket.getfqdn()))


def cors_headers(cors: Mapping[str, Any], origin: str, preflight: bool) -> bytes:
    """What stock's `[cors]` options answer to a page from `origin`, when it asks (preflight) and when it calls."""
    if origin == "null":
        allowed = "null" if cors["allow_null_origin"] else ""
    elif cors["allow_any_origin"]:
        allowed = "*"
    else:
        allowed = origin if origin in cors["allowed_origins"] and origin != "*" else ""
    if not (cors["enabled"] and allowed):
        return b""
    headers = {"Access-Control-Allow-Origin": allowed}
    if preflight:
        headers["Access-Control-Max-Age"] = cors["max_age"]
        headers["Access-Control-Allow-Methods"] = cors["allowed_methods"]
        headers["Access-Control-Allow-Headers"] = cors["allowed_headers"]
        headers["Access-Control-Allow-Credentials"] = "true" if cors["allow_credentials"] else ""
        headers["Access-Control-Expose-Headers"] = cors["exposed_headers"]
    elif allowed not in ("*", "null"):
        headers["Vary"] = "Origin"
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items() if value != "").encode("latin-1")


def check_same_origin(headers: Mapping[str, str], cors: Mapping[str, Any]) -> None:
    """Refuse (403) a change that a page from elsewhere asks a browser for."""
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    host = headers.get("host", "").lower()
    if origin and cors_headers(cors, origin, preflight=False):
        return
    if site is not None:
        own = site in ("same-origin", "none")
    elif origin is not None:
        own = origin.partition("://")[2].lower() == host
    else:
        referer = headers.get("referer", "").partition("://")[2].partition("/")[0].lower()
        own = not is_browser(headers) or "x-requested-with" in headers or (referer == host != "")
    if not own:
        place = f"of {origin:.200}" if origin else "from elsewhere"
        raise HttpError(403, f"a page {place} may not change anything here; [cors] allowed_origins can permit it")


# -- TLS, and all of it together ---------------------------------------------------------------------------------------


def make_tls_context(cert: str, key: Optional[str], client_ca: Optional[str]) -> ssl.SSLContext:
    """TLS as the files say; with `client_ca`, only for clients that have a certificate from there. SettingsError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # What HTTP carries says itself where it ends. And after hanging up on a slow request there is something to say yet.
    # To agree on keys again and again is work that nobody needs but who wants to keep the server busy.
    for name in ("OP_IGNORE_UNEXPECTED_EOF", "OP_NO_RENEGOTIATION"):  # which not every OpenSSL has
        context.options |= getattr(ssl, name, 0)
    name = f"tls_cert {cert}" + (f" with tls_key {key}" if key else "")
    try:
        context.load_cert_chain(cert, key, password=lambda: b"")  # else OpenSSL would ask the terminal for it
        if client_ca:
            name = f"tls_client_ca {client_ca}"
            context.load_verify_locations(client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
    except OSError as error:
        raise SettingsError(f"{name}: cannot be used: {getattr(error, 'reason', '') or error.strerror}") from None
    return context


class Access:
    """Who may ask a server for what, as its options and the files named there say."""

    def __init__(
        self,
        *,
        users_file: Optional[str] = None,
        tls_cert: Optional[str] = None,
        tls_key: Optional[str] = None,
        tls_client_ca: Optional[str] = None,
        allowed_hosts: Optional[Iterable[str]] = None,
    ) -> None:
        if not tls_cert and (tls_key or tls_client_ca):
            raise SettingsError("[luigid] tls_key and tls_client_ca go with a tls_cert, which is not set")
        self.users: Optional[Users] = None
        self.tls: Optional[ssl.SSLContext] = None
        self._allowed_hosts = None if allowed_hosts is None else frozenset(map(str.lower, allowed_hosts))
        self._attempts: Dict[str, Attempts] = {}
        #: what can be read again: attribute -> how
        self._sources: Dict[str, Callable[[], Any]] = {}
        if users_file:
            self._sources["users"] = functools.partial(Users, users_file)
        if tls_cert:
            self._sources["tls"] = functools.partial(make_tls_context, tls_cert, tls_key, tls_client_ca)
        for name, read in self._sources.items():
            setattr(self, name, read())

    def reload(self) -> None:
        """Read the files again. What cannot be used leaves in force what was read before, and the log says so."""
        for name, read in self._sources.items():
            try:
                setattr(self, name, read())
            except SettingsError as error:
                logger.error("%s; what was read before stays in force", error)
            else:
                logger.info("read again: %s", "users_file" if name == "users" else "certificate")

    def check_host(self, headers: Mapping[str, str]) -> None:
        """Refuse (403) a request that was meant for another host."""
        if self._allowed_hosts is None and (self.users or self.tls or not is_browser(headers)):
            return
        name = host_name(headers.get("host", ""))
        if self._allowed_hosts is None:
            allowed = is_private(name)
        else:
            allowed = name == "localhost" or is_address(name) or not self._allowed_hosts.isdisjoint((name, "*"))
        if not allowed:
            raise HttpError(403, f"this server does not go by the name {name:.200}; [luigid] allowed_hosts can add it")

    def identify(self, authorization: Optional[str], address: str) -> Optional[User]:
        """Who sends this Authorization header; None where nobody has to. 401, or 429 after too many failures."""
        users = self.users
        if users is None:
            return None
        if authorization is None:
            raise HttpError(401, "a name and a password are needed", CHALLENGE)
        return users.recall(authorization) or self._log_in(users, authorization, address)

    def _log_in(self, users: Users, authorization: str, address: str) -> User:
        key = neighbourhood(address)
        attempts = self._attempts.get(key) or Attempts()
        remember(self._attempts, key, attempts, MAX_ADDRESSES)
        with attempts.lock:
            user = users.recall(authorization)  # another worker with the same password may have been first
            if user:
                return user
            wait = math.ceil(attempts.wait())
            if wait:
                raise HttpError(429, "too many failed log-ins from this address", b"Retry-After: %d\r\n" % wait)
            claim, user = users.identify(authorization)
            if user is None:
                attempts.fail()
        if user is None:
            logger.warning("failed log-in from %s as %.80s", address or "the Unix socket", claim)
            raise HttpError(401, "wrong name or password", CHALLENGE)
        return user


# -- Limits, and what is said in every reply ---------------------------------------------------------------------------

PAGES_PATH = "/static/visualiser/"
PAGES_DIRECTORY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "visualiser")

BACKLOG = 1024  #: connections the system may hold until they are accepted
MAX_BODY = 64 * 1024 * 1024  #: bytes of a request body, as sent and unpacked
MAX_LINE = 64 * 1024  #: bytes of a request line
MAX_HEADERS = 100  #: header lines of a request
MAX_KEPT_HEADERS = 2048  #: bytes of header lines up to which they are remembered with what they say
MAX_HEADER_BYTES = 64 * 1024  #: bytes of all header lines of a request
MAX_PARTS = 4_000_000  #: commas in arguments: three bytes of JSON may be a hundred in memory
MAX_DIGITS = 308  #: digits of an integer: each then has a float near it, so that arithmetic cannot overflow

MAX_CONNECTIONS = 4096  #: connections at a time; beyond, an idle one gives way, and if there is none: 503
MAX_PER_ADDRESS = 2048  #: the same of one address, and then 429: a thousand workers, with a child each that calls too
MAX_CALLS = 1024  #: calls of the scheduler at a time; beyond: 503
AUDIT_ENTRIES = 1000  #: changes made by hand that are shown; the log has all of them
AUDIT_CHARACTERS = 2000  #: what is kept of their arguments, and of the replies
MAX_TURNED_AWAY = 256  #: connections without a place that are kept for LINGER_SECONDS

IDLE_SECONDS = 600.0  #: how long a connection may wait between requests
TRANSFER_SECONDS = 30.0  #: how long a request or a reply may take to cross the network, however small it is, ...
TRANSFER_RATE = 16 * 1024  #: ... and the bytes a second that a large one must make
LINGER_SECONDS = 2.0  #: how long a refused request is listened to, lest the refusal be lost in a connection reset
DRAIN_SECONDS = 2.0  #: how long closing the server waits for requests in flight
SWEEP_SECONDS = 1.0  #: between two looks at the deadlines

#: Threads kept for the next connection when theirs has ended: starting one costs more than a call does, which clients
#: that connect anew for each call would feel.
SPARE_THREADS = 32

#: Stack of a connection's thread. The usual 8 MiB are only reserved, but a thousand times 8 MiB does not fit under many
#: a memory limit. With half of this, an endless recursion in Python would overflow the stack before it is noticed.
THREAD_STACK_BYTES = 1024 * 1024

#: Replies from this size (bytes) on are compressed; smaller ones fill no network packet anyway.
GZIP_FLOOR = 1400
#: A long task list becomes 13 times smaller; at level 6 it would be 14 times, for more than twice the time.
GZIP_LEVEL = 1

TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
REQUEST_LINE = re.compile(rf"({TOKEN}) ([!-~\x80-\xff]+) HTTP/1\.([01])\r\n".encode("latin-1")).fullmatch
#: Finds header lines as (name, value). It admits nothing but well-formed whole lines: no folding, no space before the
#: colon, no control character, no bare CR or LF. What it does not find is malformed.
HEADER_LINES = re.compile(rf"^({TOKEN}):([\t -~\x80-\xff]*)\r\n", re.MULTILINE).findall
CHUNK_SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})(?:;[\t -~\x80-\xff]*)?\r\n").fullmatch
GZIP_ACCEPTED = re.compile(r"(?:^|,)\s*gzip\s*(?:;\s*q=(?!0(?:\.0*)?\s*(?:,|$))[^,]*)?(?:,|$)", re.IGNORECASE).search
PAGE_NAME = re.compile(r"\w[\w-]*(?:[./]\w[\w-]*)*", re.ASCII).fullmatch

FORM, JSON = "application/x-www-form-urlencoded", "application/json"

STATUS_LINES = {
    int(status): f"HTTP/1.1 {status:d} {phrase}\r\n".encode("ascii")
    for status, (phrase, _) in BaseHTTPRequestHandler.responses.items()
}
BODILESS = (204, 304)

#: What a connection is told that there is no place for.
TURNED_AWAY = {
    status: b"%sContent-Type: text/plain\r\nContent-Length: %d\r\nRetry-After: 5\r\nConnection: close\r\n\r\n%s"
    % (STATUS_LINES[status], len(message), message)
    for status, message in {
        429: b"429: too many connections from this address\n",
        503: b"503: too many connections\n",
    }.items()
}

API_HEADERS = (
    b"Content-Type: application/json; charset=UTF-8\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
)
#: For everything a browser may show: it runs and loads what comes from this server and nothing else, inside no frame.
PAGE_HEADERS = (
    b"Cache-Control: no-cache\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"
    b"Content-Security-Policy: default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'\r\n"
)
TEXT_HEADERS = b"Content-Type: text/plain; charset=UTF-8\r\n" + PAGE_HEADERS

CONTENT_TYPES = {
    ".html": b"text/html; charset=UTF-8",
    ".css": b"text/css; charset=UTF-8",
    ".js": b"text/javascript; charset=UTF-8",
    ".json": b"application/json; charset=UTF-8",
    ".svg": b"image/svg+xml",
    ".png": b"image/png",
    ".ico": b"image/x-icon",
    ".woff2": b"font/woff2",
}


#: a reply as it goes over the wire, in the blocks that are sent; all but large ones are a single one
Reply = List[bytes]


# -- Reading what a client sends ---------------------------------------------------------------------------------------


def parse_headers(lines: List[bytes]) -> Mapping[str, str]:
    """Headers by name in lower case; one that is repeated has its values joined by commas. 400 if any is malformed.

    A client sends the same ones with nearly every call, so they are kept; but none that say who somebody is.
    """
    block = b"".join(lines)
    kept = len(block) <= MAX_KEPT_HEADERS and b"uthorization" not in block and b"ookie" not in block
    return (parse_header_block if kept else parse_header_block.__wrapped__)(block, len(lines))


@functools.lru_cache(maxsize=256)
def parse_header_block(block: bytes, lines: int) -> Mapping[str, str]:
    """What `parse_headers` does, of so many lines."""
    pairs = HEADER_LINES(block.decode("latin-1"))
    if len(pairs) != lines:
        raise HttpError(400, "malformed header line")
    headers = {name.lower(): value.strip(" \t") for name, value in pairs}
    if len(headers) != len(pairs):
        for name in headers:
            headers[name] = ", ".join(value.strip(" \t") for key, value in pairs if key.lower() == name)
    return headers


def form_field(form: bytes) -> Optional[bytes]:
    """The last field `data` of an urlencoded form, still encoded; None if there is none."""
    start = (b"&" + form).rfind(b"&data=")
    return None if start < 0 else form[start + len(b"data=") :].partition(b"&")[0]


#: Makes percent-encoding into quoted-printable. That gives line ends a meaning, so they become another kind of white
#: space, which to JSON is the same.
TO_QUOTED_PRINTABLE = bytes.maketrans(b"%+\r\n", b"= \t\t")


def unquote_form(value: bytes) -> bytes:
    """Undo the percent-encoding of a form field that holds JSON.

    The standard library decodes percent-encoding in a Python loop, which takes as long as all the rest of an
    `add_task`; but quoted-printable, which differs in one character, in C, twenty times as fast. An escape decodes to
    two bytes less than it has, so the lengths tell whether each was well-formed; if not, the slow way has its rules.
    """
    if b"=" not in value:
        decoded = binascii.a2b_qp(value.translate(TO_QUOTED_PRINTABLE))
        if len(value) - len(decoded) == 2 * value.count(b"%"):
            return decoded
    return urllib.parse.unquote_to_bytes(value.replace(b"+", b" "))


def parse_float(text: str) -> float:
    """A JSON number as a finite float: stock clients send Infinity, which no valid JSON reply could carry back."""
    return min(max(float(text), -sys.float_info.max), sys.float_info.max)


def parse_integer(text: str) -> int:
    """A JSON integer, within the range of floats; ValueError beyond."""
    if len(text) > MAX_DIGITS:
        raise ValueError(f"an integer of {len(text)} digits, {MAX_DIGITS} are allowed")
    return int(text)


def parse_constant(text: str) -> float:
    """A number that JSON does not have, but Python sends; ValueError for NaN, which compares with no other."""
    if text == "NaN":
        raise ValueError("NaN is not a number to work with")
    return parse_float(text)


decode_json = json.JSONDecoder(parse_float=parse_float, parse_int=parse_integer, parse_constant=parse_constant).decode


def parse_arguments(data: bytes) -> Dict[str, Any]:
    """The arguments of a call from their JSON text; 400 unless it is an object of sane size."""
    if data.count(b"[") + data.count(b"{") > MAX_NESTING and is_nested_too_deep(data):
        raise HttpError(400, f"data is nested deeper than {MAX_NESTING} levels")
    if data.count(b",") > MAX_PARTS:
        raise HttpError(413, f"data has more than {MAX_PARTS} parts")
    try:
        arguments = decode_json(data.decode())
    except ValueError as error:
        raise HttpError(400, f"data is not valid JSON: {error}") from None
    if not isinstance(arguments, dict):
        raise HttpError(400, "data must be a JSON object with the arguments by name")
    return arguments


JSON_STRINGS = re.compile(rb'"[^"]*"')
NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def is_nested_too_deep(data: bytes) -> bool:
    """Whether a JSON text has more than MAX_NESTING levels. To be asked first: decoding one recurses on the C stack."""
    outside = JSON_STRINGS.sub(b"", data.replace(b"\\\\", b"").replace(b'\\"', b""))
    steps = (1 if bracket in b"[{" else -1 for bracket in outside.translate(None, NO_BRACKETS))
    return any(depth > MAX_NESTING for depth in itertools.accumulate(steps))


def gunzip(body: bytes, limit: int) -> bytes:
    """Unpack a compressed request body; 413 if that is more than `limit` bytes, 400 if it is damaged."""
    import gzip

    try:
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as unpacked:
            body = unpacked.read(limit + 1)
    except (OSError, EOFError, zlib.error):
        raise HttpError(400, "the body is not in the gzip format") from None
    if len(body) > limit:
        raise HttpError(413, f"the unpacked body is larger than {limit} bytes")
    return body


# -- Making replies ----------------------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=1)
def date_header(second: int) -> bytes:
    """The Date header at `second` (since the epoch); the same for all replies of that second."""
    return b"Date: %s\r\n" % email.utils.formatdate(second, usegmt=True).encode("ascii")


def listing_blocks(entries: Iterable[str]) -> List[bytes]:
    """The body of a reply that is a large object, from its entries as JSON, some at a time.

    Joined it would be many megabytes, and making and copying those would keep all other threads waiting.
    """
    blocks, comma = [b'{"response":{'], b""
    for text in filter(None, entries):
        blocks.append(comma + text.encode("ascii"))
        comma = b","
    return [*blocks, b"}}"]


def compressed(body: Iterable[bytes]) -> List[bytes]:
    """The blocks of a body in the gzip format."""
    packer = zlib.compressobj(GZIP_LEVEL, wbits=31)
    return list(filter(None, [*map(packer.compress, body), packer.flush()]))


# -- What the API says of itself ---------------------------------------------------------------------------------------

ERROR = {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}

#: What may be answered instead of a result: status -> why.
API_ERRORS = {
    400: "The request or an argument is not what it must be; `error` says which, and nothing has changed.",
    401: "Whoever asks must say who they are, and did not, or wrongly.",
    403: "Whoever asks may not do this, or not from where they are.",
    408: "The request took too long to arrive.",
    413: "The body is larger than `[luigid] max_body`.",
    415: "The body is of a type or an encoding that is not known here.",
    429: "Too many failed log-ins, or connections, from this address.",
    431: "Too many header lines.",
    503: "Changes cannot be kept at present, or too much is going on; to be tried again later.",
}


def describe_api() -> Dict[str, Any]:
    """The calls of the wire as an OpenAPI document."""
    paths = {f"/api/{name}": describe_path(spec) for name, spec in RPC_METHODS.items()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "luigid",
            "version": __version__,
            "description": "The calls of Luigi's central scheduler. Unknown arguments are ignored.",
        },
        "paths": paths,
        "components": {
            "schemas": {"Error": ERROR},
            "responses": {str(status): describe_error(why) for status, why in API_ERRORS.items()},
            "securitySchemes": {
                "password": {"type": "http", "scheme": "basic"},
                "token": {"type": "http", "scheme": "bearer"},
            },
        },
        "security": [{}, {"password": []}, {"token": []}],
    }


def describe_error(why: str) -> Dict[str, Any]:
    """An error as OpenAPI has it."""
    schema = {"$ref": "#/components/schemas/Error"}
    return {"description": why, "content": {"application/json": {"schema": schema}}}


def describe_path(spec: Rpc) -> Dict[str, Any]:
    """A call as OpenAPI has it: posted as JSON, or as stock does it, with the arguments in a field named data."""
    schema, needed = describe_arguments(spec), bool(spec.required)
    form = {"type": "object", "properties": {"data": schema}, "required": ["data"] if needed else []}
    data = {"name": "data", "in": "query", "required": needed, "content": {JSON: {"schema": schema}}}
    result = {"type": "object", "properties": {"response": {}}, "required": ["response"]}
    answers = {str(status): {"$ref": f"#/components/responses/{status}"} for status in API_ERRORS}
    answers["200"] = {"description": "The result.", "content": {"application/json": {"schema": result}}}
    import inspect

    doc = inspect.cleandoc(spec.doc)
    common = {"description": doc, "summary": doc.partition("\n")[0], "responses": answers}
    bodies = {JSON: {"schema": schema}, FORM: {"schema": form, "encoding": {"data": {"contentType": JSON}}}}
    return {
        "get": {"operationId": f"get_{spec.name}", "parameters": [data], **common},
        "post": {"operationId": spec.name, "requestBody": {"required": needed, "content": bodies}, **common},
    }


def describe_arguments(spec: Rpc) -> Dict[str, Any]:
    """The arguments of a call as a JSON Schema; a null stands for a default."""
    properties = {
        name: param.kind.schema
        if param.required or not param.kind.schema
        else {"anyOf": [param.kind.schema, {"type": "null"}]}
        for name, param in spec.params.items()
    }
    rest = {"additionalProperties": {"anyOf": [spec.rest.schema, {"type": "null"}]}} if spec.rest else {}
    return {"type": "object", "properties": properties, "required": sorted(spec.required), **rest}


# -- Pages -------------------------------------------------------------------------------------------------------------

#: What is served in place of the pages where luigid.py was copied without them: file name -> content.
PAGES_MISSING = {
    "index.html": """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>luigid: pages missing</title>
<link rel="stylesheet" href="missing.css">
<main>
<h1>The scheduler is running, its pages are missing</h1>
<p>Workers are served as usual. The pages that show their tasks are files which belong beside <code>luigid.py</code>, in
<p><code>{directory}</code>
<p>and there is no such directory. Copy <code>visualiser/</code> there and reload this page; no restart is needed.
<p>Until then, the API tells in JSON of <a href="../../api/task_list">tasks</a>,
<a href="../../api/worker_list">workers</a> and <a href="../../api/resource_list">resources</a>.
</main>
""",
    "missing.css": """:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 40rem; margin: 15vh auto 0; padding: 0 1rem; }
h1 { font-size: 1.4rem; }
code { overflow-wrap: anywhere; }
""",
}


def read_page(directory: str, name: str) -> Optional[bytes]:
    """The content of the file `name` below `directory`; None if there is none, or only by a link leading out."""
    if not PAGE_NAME(name):
        return None
    if not os.path.isdir(directory):
        page = PAGES_MISSING.get(name)
        return page and page.replace("{directory}", html.escape(directory)).encode()
    root = os.path.realpath(directory)
    path = os.path.realpath(os.path.join(root, name))
    if not (path.startswith(root + os.sep) and os.path.isfile(path)):
        return None
    with open(path, "rb") as file:
        return file.read()


# -- A connection ------------------------------------------------------------------------------------------------------


class Connection(BaseHTTPRequestHandler):
    """A client's connection, served by its own thread; the attributes describe the request in hand."""

    server: "Server"
    #: the verb, the path without the query, the query as bytes, and the headers by name in lower case
    command: str
    path: str
    query: bytes
    headers: Mapping[str, str]
    body: bytes
    #: who asks; None where nobody has to say so
    user: Optional[User]
    #: neither a request nor a reply is on its way
    idle: bool
    #: when to hang up (on time.monotonic's clock)
    deadline: float

    def setup(self) -> None:
        """Prepare the streams, and be known to the server."""
        self.disable_nagle_algorithm = self.request.family != socket.AF_UNIX
        super().setup()
        self.command = ""  # until it has asked for something, by which one that is kept alive is known
        self.idle, self.deadline = True, time.monotonic() + TRANSFER_SECONDS
        self.server.add_connection(self)

    def finish(self) -> None:
        """Be forgotten before the descriptor can be given to somebody else, then close the streams."""
        self.server.remove_connection(self)
        super().finish()
        if self.connection is not self.request:  # which went over into one that speaks TLS
            self.server.shutdown_request(self.connection)

    def handle(self) -> None:
        """Answer requests for as long as both sides want. A client that goes away is no error."""
        with contextlib.suppress(OSError):
            if self.server.access.tls:
                self.begin_tls(self.server.access.tls)
            self.close_connection = False
            while not self.close_connection:
                self.handle_one_request()

    def begin_tls(self, context: ssl.SSLContext) -> None:
        """Shake hands, or tell a client that speaks plain HTTP. In this thread, and before the deadline of `setup`."""
        if self.connection.recv(1, socket.MSG_PEEK).isalpha():  # TLS begins with a control character
            self.start_request()
            self.send(self.refuse(HttpError(400, "this port speaks TLS: the address begins with https://")))
            self.linger()
            raise ConnectionAbortedError
        self.connection = context.wrap_socket(self.connection, server_side=True, do_handshake_on_connect=False)
        self.rfile = self.connection.makefile("rb")
        self.connection.do_handshake()

    def handle_one_request(self) -> None:
        """Wait for a request and answer it."""
        line = self.next_request_line()
        if not line:
            return
        try:
            self.read_request(line)
        except HttpError as error:
            self.send(self.refuse(error))
            self.linger()
        else:
            self.send(self.answer())
            self.idle, self.deadline = True, time.monotonic() + IDLE_SECONDS

    def next_request_line(self) -> bytes:
        """Wait until a request begins; nothing if none will."""
        # In this order: whoever closes the server says so before looking for idle connections.
        line = b"" if self.server.closing else self.rfile.readline(MAX_LINE + 1)
        if line == b"\r\n":  # some clients send an empty line after a body
            line = self.rfile.readline(MAX_LINE + 1)
        self.start_request()
        return line

    def start_request(self) -> None:
        """Forget the last request."""
        self.idle, self.close_connection = False, True
        self.command, self.path, self.request_version, self.headers, self.user = "", "", "HTTP/1.1", {}, None

    def allow(self, size: int) -> None:
        """Give the client the time that `size` bytes may take on the network."""
        self.deadline = time.monotonic() + TRANSFER_SECONDS + size / TRANSFER_RATE

    def send(self, reply: Reply) -> None:
        """Send a whole reply."""
        self.allow(sum(map(len, reply)))
        for block in reply:
            self.connection.sendall(block)

    def hang_up(self, how: int) -> None:
        """Shut the socket down from another thread, which wakes the one that waits for it."""
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self.connection, how)  # that of SSLSocket would make it go on without TLS

    def linger(self) -> None:
        """Read what is no longer wanted: closing with data unread would reset the connection, and lose the reply."""
        self.idle, self.deadline = True, time.monotonic() + LINGER_SECONDS
        self.hang_up(socket.SHUT_WR)
        while time.monotonic() < self.deadline and self.connection.recv(MAX_LINE):
            pass

    # -- reading

    def read_request(self, line: bytes) -> None:
        """Read the request that begins with `line`, whole; only then is the connection fit for another one."""
        self.read_request_line(line)
        self.allow(0)
        self.headers = parse_headers(self.read_header_lines())
        host = self.headers.get("host", "" if self.request_version == "HTTP/1.0" else None)
        if host is None or "," in host:
            raise HttpError(400, "one Host header is needed")
        if (self.command, self.path) not in OPEN_TO_ALL and self.command != "OPTIONS":
            self.admit()
        self.body = self.read_body()
        wish = self.headers.get("connection", "").lower()
        self.close_connection = "close" in wish if self.request_version == "HTTP/1.1" else "keep-alive" not in wish
        self.deadline = math.inf

    def admit(self) -> None:
        """Find out who asks; HttpError if they may not ask for this, or not from where they are."""
        access, headers = self.server.access, self.headers
        method = self.path[len("/api/") :] if self.path.startswith("/api/") else ""
        if self.client_address:  # else it came through a Unix socket, where no browser comes
            access.check_host(headers)
        if method and makes_changes(method):
            check_same_origin(headers, self.server.cors)
        self.user = access.identify(headers.get("authorization"), self.client_address and self.client_address[0])
        if self.user and method and not may_call(self.user, method):
            raise HttpError(403, f"a {self.user.role} may not call {method[:80]}")

    def read_request_line(self, line: bytes) -> None:
        """Take the verb, the target and the version from the request line."""
        match = REQUEST_LINE(line)
        if match is None:
            raise self.bad_request_line(line)
        verb, target, minor = match.groups()
        self.command, self.request_version = verb.decode("ascii"), "HTTP/1.1" if minor == b"1" else "HTTP/1.0"
        if not target.startswith(b"/"):
            target = re.sub(rb"^https?://[^/?]*/?", b"/", target, flags=re.IGNORECASE)
        path, _, self.query = target.partition(b"?")
        self.path = path.decode("latin-1")

    def bad_request_line(self, line: bytes) -> Exception:
        """What to say to a request line that cannot be understood."""
        if len(line) > MAX_LINE:
            return HttpError(414, f"the request line is longer than {MAX_LINE} bytes")
        if not line.endswith(b"\n"):
            return self.cut_short()
        if re.search(rb" HTTP/(?!1\.[01]\r)\d+\.\d+\r\n$", line):
            return HttpError(505, "HTTP/1.1 and HTTP/1.0 are spoken here")
        return HttpError(400, "malformed request line")

    def read_header_lines(self) -> List[bytes]:
        """Read lines up to an empty one, within the limits."""
        readline, lines, room = self.rfile.readline, [], MAX_HEADER_BYTES
        while True:
            line = readline(room)
            if line == b"\r\n":
                return lines
            lines.append(line)
            room -= len(line)
            if not room or len(lines) > MAX_HEADERS:
                raise HttpError(431, f"more than {MAX_HEADERS} header lines, or {MAX_HEADER_BYTES} bytes of them")
            if not line.endswith(b"\r\n"):
                raise HttpError(400, "malformed header line") if line.endswith(b"\n") else self.cut_short()

    def cut_short(self) -> Exception:
        """What to raise for a request that ended too early: did the client leave, or did we hang up on a slow one?"""
        if time.monotonic() >= self.deadline:
            return HttpError(408, "the request took too long to arrive")
        return ConnectionAbortedError()

    def read_body(self) -> bytes:
        """Read the body, in whatever form it comes; nothing if there is none."""
        headers = self.headers
        chunked = headers.get("transfer-encoding")
        length = headers.get("content-length")
        if length is None and chunked is None:
            return b""
        size = self.server.max_body if length is None else self.check_length(length)
        if chunked is not None:
            self.check_chunked(chunked, length)
        if "expect" in headers:
            self.answer_expectation()
        self.allow(size)
        body = self.read_bytes(size) if chunked is None else self.read_chunks()
        return self.unpack(body) if "content-encoding" in headers else body

    def check_length(self, length: str) -> int:
        """A Content-Length as a number of bytes; 400 if it is none, 413 if too much."""
        if not length.isdecimal():
            raise HttpError(400, "one decimal Content-Length is needed")
        if len(length) > MAX_DIGITS or int(length) > self.server.max_body:
            raise self.too_large()
        return int(length)

    def too_large(self) -> HttpError:
        """The refusal of a body over the limit."""
        return HttpError(413, f"the body is larger than {self.server.max_body} bytes")

    def check_chunked(self, coding: str, length: Optional[str]) -> None:
        """Refuse what two servers in a row could take for two different bodies."""
        if length is not None or self.request_version == "HTTP/1.0":
            raise HttpError(400, "Transfer-Encoding does not go with Content-Length, nor with HTTP/1.0")
        if coding.lower() != "chunked":
            raise HttpError(501, "the only Transfer-Encoding known here is chunked")

    def answer_expectation(self) -> None:
        """Tell a client that asks first to go on."""
        if self.headers["expect"].lower() != "100-continue":
            raise HttpError(417, "the only expectation known here is 100-continue")
        if self.request_version == "HTTP/1.1":
            self.connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

    def read_bytes(self, size: int) -> bytes:
        """Read exactly `size` bytes."""
        data = self.rfile.read(size)
        if len(data) < size:
            raise self.cut_short()
        return data

    def read_chunks(self) -> bytes:
        """Read a chunked body, with what follows it."""
        body = bytearray()
        while True:
            line = self.rfile.readline(MAX_LINE)
            match = CHUNK_SIZE_LINE(line)
            if match is None:
                whole = line.endswith(b"\n") or len(line) == MAX_LINE
                raise HttpError(400, "malformed chunk") if whole else self.cut_short()
            size = int(match[1], 16)
            if size == 0:
                parse_headers(self.read_header_lines())
                return bytes(body)
            if len(body) + size > self.server.max_body:
                raise self.too_large()
            body += self.read_bytes(size)
            if self.read_bytes(2) != b"\r\n":
                raise HttpError(400, "malformed chunk")

    def unpack(self, body: bytes) -> bytes:
        """Undo the Content-Encoding."""
        coding = self.headers["content-encoding"].lower()
        if coding == "gzip":
            return gunzip(body, self.server.max_body)
        if coding != "identity":
            raise HttpError(415, "the only Content-Encoding known here is gzip", b"Accept-Encoding: gzip\r\n")
        return body

    # -- answering

    def answer(self) -> Reply:
        """The reply to the request, whatever happens."""
        try:
            return self.route()(self)
        except HttpError as error:
            return self.refuse(error)
        except BadRequest as error:
            return self.refuse(HttpError(400, str(error)))
        except Unavailable as error:
            return self.refuse(HttpError(503, str(error), b"Retry-After: 5\r\n"))
        except Exception:
            logger.exception("%s %.200a failed", self.command, self.path)
            self.close_connection = True
            return self.refuse(HttpError(500, "the scheduler failed at this; its log says how"))

    def route(self) -> Callable[["Connection"], Reply]:
        """What answers to the verb and the path."""
        verbs = ROUTES.get(self.path) or ROUTES.get(self.path[: self.path.find("/", 1) + 1])
        if verbs is None:
            raise HttpError(404, "there is nothing here")
        if self.command not in verbs:
            allow = ", ".join(verbs)
            raise HttpError(405, f"this can be asked for by {allow}", f"Allow: {allow}\r\n".encode("ascii"))
        return verbs[self.command]

    def refuse(self, error: HttpError) -> Reply:
        """The reply that tells of `error`: JSON to those who call the API, else plain text."""
        headers, body = TEXT_HEADERS, f"{error.status}: {error}\n"
        if self.path.startswith("/api/"):
            headers, body = API_HEADERS + self.cors(), encode_json({"error": str(error)})
        return self.reply(error.status, headers + error.headers, body.encode())

    def reply(self, status: int, headers: bytes, *body: bytes) -> Reply:
        """A whole reply as it goes over the wire, in blocks; compressed if it is large and the client reads that."""
        size = sum(map(len, body))
        if size >= GZIP_FLOOR:
            headers += b"Vary: Accept-Encoding\r\n"
            if GZIP_ACCEPTED(self.headers.get("accept-encoding", "")):
                headers += b"Content-Encoding: gzip\r\n"
                body = compressed(body)
                size = sum(map(len, body))
        self.close_connection |= self.server.closing
        length = b"" if status in BODILESS else b"Content-Length: %d\r\n" % size
        if self.close_connection:
            length += b"Connection: close\r\n"
        elif self.request_version == "HTTP/1.0":
            length += b"Connection: keep-alive\r\n"
        if self.command == "HEAD":
            body = ()
        head = b"%s%s%s%s\r\n" % (STATUS_LINES[status], date_header(int(time.time())), headers, length)
        return [head + body[0], *body[1:]] if body else [head]

    def call(self) -> Reply:
        """`/api/METHOD`: call the scheduler."""
        name = self.path[len("/api/") :]
        spec = RPC_METHODS.get(name)
        if spec is None:
            raise HttpError(404, f"there is no method {name[:80]}{_nearest(name[:80], RPC_METHODS)}")
        arguments = self.arguments()
        try:
            self.server.calls.get_nowait()
        except Empty:
            raise HttpError(503, "too many calls at a time", b"Retry-After: 1\r\n") from None
        try:
            body = self.perform(spec, arguments)
        finally:
            self.server.calls.put(None)
        if name in AUDITED:
            self.note_change(spec, arguments, b"".join(body))
        return self.reply(200, API_HEADERS + self.cors(), *body)

    def perform(self, spec: Rpc, arguments: Mapping[str, Any]) -> Iterable[bytes]:
        """The result of a call as JSON, in blocks."""
        if spec.entries:
            return listing_blocks(spec.entries(self.server.scheduler, **arguments))
        result = getattr(self.server.scheduler, spec.name)(**arguments)
        text = "null" if result is None else encode_json(result)  # most are, and the encoder is slow at it
        return [b'{"response":%s}' % text.encode("ascii")]

    def note_change(self, spec: Rpc, arguments: Mapping[str, Any], reply: bytes) -> None:
        """Keep on record that somebody has made a change by hand."""
        said = {name: value for name, value in arguments.items() if spec.rest or name in spec.params}
        entry = {
            "time": time.time(),
            "user": self.user.name if self.user else None,
            "address": self.client_address[0] if self.client_address else None,
            "call": spec.name,
            "arguments": encode_json(said)[:AUDIT_CHARACTERS],
            "reply": reply.decode("ascii")[len('{"response":') : -1][:AUDIT_CHARACTERS],
        }
        self.server.audit_trail.append(entry)
        who, where = entry["user"] or "somebody", entry["address"] or "the Unix socket"
        audit_logger.info("%s from %s: %s %s -> %s", who, where, spec.name, entry["arguments"], entry["reply"])

    def audit(self) -> Reply:
        """`/api/audit`: the last changes made by hand, the latest first; like any reply of a call."""
        trail = list(self.server.audit_trail)[::-1]
        return self.reply(200, API_HEADERS + self.cors(), encode_json({"response": trail}).encode("ascii"))

    def description(self) -> Reply:
        """`/api/openapi.json`."""
        return self.reply(200, API_HEADERS + self.cors(), encode_json(describe_api()).encode("ascii"))

    def arguments(self) -> Dict[str, Any]:
        """The arguments of a call: a JSON body, or the form field `data` of the body or else of the query."""
        data = None
        if self.body:
            content_type = self.headers.get("content-type", "").partition(";")[0].strip().lower()
            if content_type == JSON:
                return parse_arguments(self.body)
            if content_type != FORM:
                raise HttpError(415, f"a body must be of the type {FORM} or {JSON}")
            data = form_field(self.body)
        if data is None:
            data = form_field(self.query)
        return {} if data is None else parse_arguments(unquote_form(data))

    def cors(self, preflight: bool = False) -> bytes:
        """The CORS headers for whoever asks."""
        origin = self.headers.get("origin")
        return cors_headers(self.server.cors, origin, preflight) if origin else b""

    def preflight(self) -> Reply:
        """`OPTIONS /api/...`: a browser asks on behalf of a page from elsewhere."""
        return self.reply(204, self.cors(preflight=True), b"")

    def alive(self) -> Reply:
        """`HEAD /`: a load balancer asks."""
        return self.reply(204, b"", b"")

    def health(self) -> Reply:
        """`/healthz`: an operator asks. That there is an answer says that the daemon lives, so it is always a 200."""
        return self.reply(200, API_HEADERS, encode_json(self.server.scheduler.health()).encode("ascii"))

    def redirect(self) -> Reply:
        """`GET /`: send the browser on, relatively, because a proxy may show all this below a path of its own."""
        return self.reply(302, b"Location: static/visualiser/index.html\r\n" + TEXT_HEADERS, b"")

    def page(self) -> Reply:
        """`/static/visualiser/...`: a file, or the news that the browser has it already."""
        name = self.path[len(PAGES_PATH) :] or "index.html"
        content = read_page(self.server.pages, name) if self.path.startswith(PAGES_PATH) else None
        if content is None:
            raise HttpError(404, "there is no such page")
        content_type = CONTENT_TYPES.get(os.path.splitext(name)[1], b"application/octet-stream")
        # Weak, because the same tag goes with the page compressed and plain.
        tag = hashlib.sha256(content).hexdigest()
        headers = b'ETag: W/"%s"\r\n%s' % (tag.encode("ascii"), PAGE_HEADERS)
        known = self.headers.get("if-none-match", "")
        if f'"{tag}"' in known or known == "*":
            return self.reply(304, headers, b"")
        return self.reply(200, b"Content-Type: %s\r\n%s" % (content_type, headers), content)


#: The calls that no worker makes on its own.
AUDITED = frozenset(ROLES["admin"]) - {"get_scheduler_message_response"}

#: What is served where, by verb. A path that ends in a slash stands for everything below it.
ROUTES: Dict[str, Dict[str, Callable[[Connection], Reply]]] = {
    "/": {"GET": Connection.redirect, "HEAD": Connection.alive},
    "/healthz": {"GET": Connection.health, "HEAD": Connection.health},
    "/api/audit": {"GET": Connection.audit, "POST": Connection.audit},
    "/api/openapi.json": {"GET": Connection.description},
    "/api/": {"GET": Connection.call, "POST": Connection.call, "OPTIONS": Connection.preflight},
    "/static/": {"GET": Connection.page, "HEAD": Connection.page},
}

#: What needs no log-in: whoever watches over the daemon has none. (Nor has a browser that asks with OPTIONS first.)
OPEN_TO_ALL = {("HEAD", "/"), ("GET", "/healthz"), ("HEAD", "/healthz"), ("GET", "/api/openapi.json")}


# -- The server --------------------------------------------------------------------------------------------------------


class Limits(NamedTuple):
    """What a server has room for: options of make_server()."""

    body: int
    connections: int
    per_address: int
    calls: int


class Server(socketserver.ThreadingMixIn, HTTPServer):
    """Accepts connections on a listening socket, and keeps the books about them."""

    def __init__(
        self,
        scheduler: Scheduler,
        listener: socket.socket,
        cors: Mapping[str, Any],
        access: Access,
        limits: Limits,
        pages: str,
    ) -> None:
        """`listener` is bound and listening already, so the classes that would make one are skipped."""
        address = listener.getsockname()
        socketserver.BaseServer.__init__(self, address if isinstance(address, str) else address[:2], Connection)
        self.socket = listener
        self.address_family = listener.family
        #: absolute path and identity of a Unix socket's file
        self._socket_file = (os.path.abspath(address), os.stat(address)) if isinstance(address, str) else None
        self.cors = cors
        self.access = access
        self.max_body = limits.body
        self.limits = limits
        #: a token for each call that may be made now
        self.calls: SimpleQueue[None] = SimpleQueue()
        for _ in range(limits.calls):
            self.calls.put(None)
        self.pages = pages
        self.scheduler = scheduler
        self.closing = False
        self._next_sweep = 0.0
        self._short_of_descriptors = False
        #: guards the set, and is notified when it shrinks
        self._connections_changed = threading.Condition(threading.Lock())
        self._connections: Set[Connection] = set()
        #: where the threads without a connection wait for one; None sends them home
        self._spare_threads: List[SimpleQueue[Any]] = []
        #: the last changes made by hand
        self.audit_trail: Deque[Dict[str, Any]] = collections.deque(maxlen=AUDIT_ENTRIES)
        #: address ("" for Unix sockets) -> its connections
        self._places: Dict[str, int] = {}
        #: (when to close it, a connection that there was no place for); the accepting thread's alone
        self._turned_away: Deque[Tuple[float, socket.socket]] = collections.deque()

    def add_connection(self, connection: Connection) -> None:
        """Watch over `connection`."""
        with self._connections_changed:
            self._connections.add(connection)

    def remove_connection(self, connection: Connection) -> None:
        """Forget `connection`; nobody shuts its socket down any more once this returns."""
        with self._connections_changed:
            self._connections.discard(connection)
            self._connections_changed.notify_all()

    def process_request(self, request: socket.socket, client_address: Any) -> None:
        """Give a new connection to a thread that has none, or to a new one; or turn it away."""
        address = client_address[0] if client_address else ""
        status = self.refusal(address)
        if status:
            self.turn_away(request, status)
            return
        with self._connections_changed:
            letterbox = self._spare_threads.pop() if self._spare_threads else None
        if letterbox is None:
            letterbox = SimpleQueue()
            self.start_thread(letterbox)
        self.count_connection(address, 1)
        letterbox.put((request, client_address))

    def count_connection(self, address: str, change: int) -> None:
        """Take note of a connection more (1) or less (-1)."""
        with self._connections_changed:
            self._places[address] = self._places.get(address, 0) + change
            if not self._places[address]:
                del self._places[address]

    def refusal(self, address: str) -> int:
        """The status for a new connection from `address` that there is no place for, 0 if one is free or freed."""
        with self._connections_changed:
            full = sum(self._places.values()) >= self.limits.connections
            crowded = address and self._places.get(address, 0) >= self.limits.per_address > 0
        if crowded:
            return 0 if self.hang_up_longest_idle(address) else 429
        return 503 if full and not self.hang_up_longest_idle() else 0

    def turn_away(self, request: socket.socket, status: int) -> None:
        """Refuse a connection without a thread. Closed at once it might be reset, and the client not see why."""
        with contextlib.suppress(OSError):
            if not self.access.tls:
                request.setblocking(False)
                request.send(TURNED_AWAY[status])
            request.shutdown(socket.SHUT_WR)
        self._turned_away.append((time.monotonic() + LINGER_SECONDS, request))
        self.close_turned_away(0.0 if len(self._turned_away) <= MAX_TURNED_AWAY else self._turned_away[0][0])

    def close_turned_away(self, until: float) -> None:
        """Close the connections turned away of which the time is up at `until` (on time.monotonic's clock)."""
        while self._turned_away and self._turned_away[0][0] <= until:
            self._turned_away.popleft()[1].close()

    def start_thread(self, letterbox: SimpleQueue[Any]) -> None:
        """Start a thread that serves what comes into its `letterbox`."""
        usual = threading.stack_size(THREAD_STACK_BYTES)
        try:
            threading.Thread(target=self.serve_connections, args=(letterbox,), name="connection", daemon=True).start()
        finally:
            threading.stack_size(usual)

    def serve_connections(self, letterbox: SimpleQueue[Any]) -> None:
        """What a thread does: serve one connection after the other, until there are enough spare threads without it."""
        accepted = letterbox.get()
        while accepted:
            self.process_request_thread(*accepted)
            self.count_connection(accepted[1][0] if accepted[1] else "", -1)
            with self._connections_changed:
                if self.closing or len(self._spare_threads) >= SPARE_THREADS:
                    return
                self._spare_threads.append(letterbox)
            accepted = letterbox.get()

    def get_request(self) -> Tuple[socket.socket, Any]:
        """Accept a connection; when descriptors run out, the one idle longest gives way."""
        try:
            accepted = super().get_request()
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                if not self._short_of_descriptors:
                    logger.warning("no connection can be accepted for now: %s", error.strerror)
                self._short_of_descriptors = True
                self.hang_up_longest_idle()
                time.sleep(0.05)  # the client still waits, so without a pause all time would go into trying again
            raise
        self._short_of_descriptors = False
        return accepted

    def hang_up_longest_idle(self, address: str = "") -> bool:
        """Close the connection (from `address`) idle longest, one kept alive if there is any; False if none is idle."""
        with self._connections_changed:
            idle = [
                connection
                for connection in self._connections
                if connection.idle and address in ("", connection.client_address and connection.client_address[0])
            ]
            if idle:
                longest = min(idle, key=lambda connection: (not connection.command, connection.deadline))
                longest.idle = False  # it is not to be chosen again while its thread finds out
                longest.hang_up(socket.SHUT_RDWR)
        return bool(idle)

    def service_actions(self) -> None:
        """Hang up on connections past their deadline. Called by serve_forever after each connection and each poll."""
        now = time.monotonic()
        if now < self._next_sweep:
            return
        self._next_sweep = now + SWEEP_SECONDS
        self.close_turned_away(now)
        with self._connections_changed:
            for connection in self._connections:
                if connection.deadline < now:
                    # A slow request may still be told so, but one who does not read that either is cut off.
                    in_time = now < connection.deadline + LINGER_SECONDS
                    connection.hang_up(socket.SHUT_RD if in_time else socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log what went wrong with a connection outside of any request, unless the client is just gone."""
        if not isinstance(sys.exc_info()[1], OSError):
            logger.exception("a connection failed")

    def server_close(self) -> None:
        """Stop listening, hang up on idle connections, and give those in the middle of a request a moment to finish.

        A request that has just arrived is answered: shutting a socket down for reading leaves what is in its buffer.
        """
        self.closing = True
        self.remove_socket_file()
        super().server_close()
        self.close_turned_away(math.inf)
        with self._connections_changed:
            while self._spare_threads:
                self._spare_threads.pop().put(None)
            for connection in self._connections:
                if connection.idle:
                    connection.hang_up(socket.SHUT_RD)
            self._connections_changed.wait_for(lambda: not self._connections, DRAIN_SECONDS)
            for connection in self._connections:
                connection.hang_up(socket.SHUT_RDWR)

    def remove_socket_file(self) -> None:
        """Remove the file of a Unix socket, unless somebody else has put another one there."""
        if self._socket_file:
            (path, identity), self._socket_file = self._socket_file, None
            with contextlib.suppress(OSError):
                if os.path.samestat(identity, os.stat(path)):
                    os.unlink(path)


def listen_tcp(host: Optional[str], port: int) -> socket.socket:
    """Listen on `port` at `host`, or everywhere if that is empty: by IPv6 and IPv4 where the system can do both."""
    if not host:
        try:
            if socket.has_dualstack_ipv6():
                return socket.create_server(("::", port), family=socket.AF_INET6, backlog=BACKLOG, dualstack_ipv6=True)
        except OSError as error:
            if error.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):  # IPv6 built in, but switched off
                raise
        host = "0.0.0.0"
    # A name such as localhost has two addresses; the older kind is the one that every client will try.
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, address = min(found, key=lambda info: info[0] != socket.AF_INET)
    return socket.create_server(address, family=family, backlog=BACKLOG)


def listen_unix(path: str) -> socket.socket:
    """Listen on a Unix socket that is this user's alone; one that a killed server left is replaced, else OSError."""
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise OSError(errno.EEXIST, "there is a file in the way of the socket", path)
        with socket.socket(socket.AF_UNIX) as probe:
            refused = probe.connect_ex(path) == errno.ECONNREFUSED
        if not refused:
            raise OSError(errno.EADDRINUSE, "another server listens on the socket", path)
        os.unlink(path)
    listener = socket.socket(socket.AF_UNIX)
    usual = os.umask(0o177)  # the file is never open to others, not even for a moment
    try:
        listener.bind(path)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    finally:
        os.umask(usual)
    return listener


def make_server(
    scheduler: Scheduler,
    host: Optional[str] = "127.0.0.1",
    port: int = 0,
    unix_socket: Optional[str] = None,
    cors: Optional[Mapping[str, Any]] = None,
    *,
    max_body: int = MAX_BODY,
    max_connections: int = MAX_CONNECTIONS,
    max_connections_per_address: int = MAX_PER_ADDRESS,
    max_calls: int = MAX_CALLS,
    pages: str = PAGES_DIRECTORY,
    **access: Any,
) -> Server:
    """A server for `scheduler`, bound and listening on return: connections wait until `serve_forever()` accepts them.

    `host` None or "" means every address of the machine, `port` 0 any free one; `server_address` tells as (host, port).
    With `unix_socket`, a path, both are ignored, and `server_address` is that path. `cors` holds options of stock's
    `[cors]` by name. `max_body` (bytes) limits a request's body, also when unpacked, and `max_connections`,
    `max_connections_per_address` (0: no limit) and `max_calls` what there is at a time; `pages` is the directory served
    as /static/visualiser/. `access` holds the options of `[luigid]` that Access takes: users_file, tls_cert, tls_key,
    tls_client_ca, allowed_hosts. SettingsError if a file cannot be used, OSError if the address is not to be had,
    TypeError for an option that does not exist.
    """
    options = {option.name: option.default for option in OPTIONS if option.section == "cors"}
    for name in cors or ():
        if name not in options:
            raise TypeError(f"[cors] has no option {name}{_nearest(name, options)}")
    admission = Access(**access)
    if unix_socket and admission.tls:
        raise SettingsError("[luigid] tls_cert and unix_socket do not go together: a socket meets no network")
    limits = Limits(max_body, max_connections, max_connections_per_address, max_calls)
    listener = listen_unix(unix_socket) if unix_socket else listen_tcp(host, port)
    return Server(scheduler, listener, {**options, **(cors or {})}, admission, limits, pages)


# ======================================================================================================================
# 10. Daemon
# ======================================================================================================================
#
# How a process becomes the daemon, and how it ends. The order is the same in the foreground and in the background: fork
# (before there is a thread, a socket or a lock for a fork to tear), logs, pid file, socket, state, signals, threads,
# and last the line that says where everything is. Whatever goes wrong before that line is a NotStarted: an exit status
# and one line that says what to do.
#
# Signals are never handled, they are waited for. The ones that stop the daemon are blocked in every thread, and one
# thread takes them with sigwait(): nothing ever interrupts code that holds the scheduler's lock, and stopping is plain
# code. Once the first has stopped the accepting they are let through again, so that a second one has its default
# action: the process ends at once, even if a full disk or a bug holds up the saving. The main thread accepts
# connections, so if that ever fails the process ends loudly instead of living on without an ear.
#
# A pid file says who runs by the lock on it (flock), which the system drops with the process however that dies; the
# number inside is for people and for `kill`. A number alone cannot tell a daemon from a program that got it later.

#: The exit statuses, as --help documents them.
EXIT_OK, EXIT_FAILED, EXIT_USAGE = 0, 1, 2

#: Where --background keeps its logs without --logdir, as stock.
DEFAULT_LOGDIR = "/var/log/luigi"

#: The format of a log line, as stock's, so that what reads the one reads the other.
LOG_FORMAT = "%(asctime)s %(name)s[%(process)s] %(levelname)s: %(message)s"

#: Signals that save the state and end the daemon.
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)

#: The signal that has the users and certificates read again.
RELOAD_SIGNAL = signal.SIGHUP

#: Seconds between two looks at whether to stop accepting: what a stop waits for at most, and what idling wakes up for.
ACCEPT_POLL = 0.1

#: Seconds between two looks at whether the daemon that is stood by for has ended.
STANDBY_POLL = 0.2

#: Options that are checked but change nothing yet: section, name, the values that ask for nothing, what is missing.
NOT_YET_ACTED_ON = (
    ("scheduler", "record_task_history", (False,), "no task history is recorded"),
    ("scheduler", "batch_emails", (False,), "no e-mails are sent"),
    ("scheduler", "metrics_collector", ("default", "none"), "no metrics are collected"),
)

#: The options of [luigid] that make_server() takes by the same names.
SERVER_OPTIONS = (
    *("max_body", "max_connections", "max_connections_per_address", "max_calls"),
    *("users_file", "tls_cert", "tls_key", "tls_client_ca", "allowed_hosts"),
)

#: Why listening fails and what to do then, by the error that the system gives.
LISTEN_FAILURES = {
    errno.EADDRINUSE: "something listens there (another luigid?); stop it, or choose another --port or --unix-socket",
    errno.EACCES: "not permitted; choose a --port above 1023, or a --unix-socket in a directory that you may write to",
    errno.EADDRNOTAVAIL: "this machine has no such address; give --address one that it has, or leave it out",
}

#: Tells whoever started the daemon how that went: called once, with an exit status and one line.
Announce = Callable[[int, str], None]


class NotStarted(Exception):
    """The daemon cannot run; `args` are the exit status and the one line that tells the operator what to do."""


def printable(text: str) -> str:
    """`text` on one line, with all that could steer a terminal or fake a line escaped as Python does in a string."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def make_unforgeable(record: logging.LogRecord) -> bool:
    """Logging filter: no task id, worker name or error can begin a line of the log, whatever formatter writes it."""
    record.msg, record.args = printable(record.getMessage()), None
    if record.exc_info:
        text = logging.Formatter().formatException(record.exc_info)
        record.exc_text = "\n".join("  " + printable(line) for line in text.splitlines())
    return True


def configure_logging(settings: Settings, background: bool) -> None:
    """Send the log where the settings say, in stock's order of precedence; NotStarted if that cannot be."""
    for source in (logger, audit_logger):
        source.addFilter(make_unforgeable)
    logdir, conf_file = settings.get("luigid", "logdir"), settings.get("core", "logging_conf_file")
    if settings.get("core", "no_configure_logging") and not background:
        return
    if background or logdir:
        log_to_directory(logdir or DEFAULT_LOGDIR, background)
    elif conf_file:
        log_as_configured(f"[core] logging_conf_file = {conf_file}", logging.config.fileConfig, conf_file)
    elif settings.logging:
        log_as_configured("[logging]", logging.config.dictConfig, {"version": 1, **settings.logging})
    else:
        logging.basicConfig(level=logging.INFO, format=LOG_FORMAT)


class LogFile(logging.handlers.TimedRotatingFileHandler):
    """A log that strangers cannot read, nor lead elsewhere."""

    def _open(self) -> TextIO:
        return open(self.baseFilename, self.mode, encoding=self.encoding, errors=self.errors, opener=open_own)


def log_to_directory(logdir: str, background: bool) -> None:
    """Log to luigi-server.log in `logdir`, which is made if need be; a new file each midnight, seven old ones kept.

    In the background the standard streams go there too, to luigi-server.err: what a crashing interpreter says, for one.
    """
    try:
        os.makedirs(logdir, exist_ok=True)
        handler = LogFile(
            os.path.join(logdir, "luigi-server.log"),
            when="midnight",
            backupCount=7,
            encoding="utf-8",
            errors="backslashreplace",
        )
        if background:
            redirect_standard_streams(os.path.join(logdir, "luigi-server.err"))
    except OSError as error:
        advice = "give --logdir a directory that you may write to"
        raise NotStarted(EXIT_FAILED, f"cannot log to {logdir}: {error.strerror}; {advice}") from error
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT, handlers=[handler])


def log_as_configured(option: str, configure: Callable[[Any], None], source: Any) -> None:
    """Let `logging.config` set up the log from the operator's `source`, which must not switch ours off."""
    try:
        if isinstance(source, str):
            os.stat(source)  # before Python 3.12 a file that does not exist passes for an empty one
        configure(source)
    except Exception as error:  # the operator's source names classes to import and call: anything can come of it
        raise NotStarted(EXIT_USAGE, f"{option} cannot be used: {type(error).__name__}: {error}") from error
    logger.disabled = audit_logger.disabled = False


@contextlib.contextmanager
def pid_file(path: str) -> Iterator[None]:
    """Hold the pid file at `path` while the block runs: locked, mode 0640, our number inside; removed at the end.

    `NotStarted` with status 0 if a live daemon holds it, with another if it cannot be written.
    """
    try:
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        descriptor = lock_pid_file(path)
    except OSError as error:
        advice = "give --pidfile a path in a directory that you may write to"
        raise NotStarted(EXIT_FAILED, f"cannot write the pid file {path}: {error.strerror}; {advice}") from error
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                os.unlink(path)
        os.close(descriptor)


def lock_pid_file(path: str) -> int:
    """Lock the pid file and write this process's number into it; the descriptor, which holds the lock while open."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o640)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(descriptor, 32).decode("ascii", "replace").strip()
            raise NotStarted(EXIT_OK, f"already running (pid {holder}, pid file {path})") from error
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                break
        os.close(descriptor)  # the file locked is one that its holder has just removed: it guards nothing
    number = b"%d\n" % os.getpid()
    # One write covers all that a killed daemon left: a reader finds the old number or the new one and no mixture.
    os.pwrite(descriptor, number.ljust(os.fstat(descriptor).st_size, b"\n"), 0)
    os.ftruncate(descriptor, len(number))
    return descriptor


def in_background(daemon: Callable[[Announce], int]) -> Tuple[int, str]:
    """Run `daemon` in a process of its own, away from the terminal; the exit status and the line that it announces.

    Returns in the process that called, and only when the daemon answers requests or has failed.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        leave_terminal(daemon, writer)
    os.close(writer)
    os.waitpid(child, 0)
    with open(reader, encoding="utf-8") as pipe:
        status, _, line = pipe.read().partition(" ")
    if not line:
        return EXIT_FAILED, "the daemon died before it could answer; its logs may say why"
    return int(status), line


def leave_terminal(daemon: Callable[[Announce], int], writer: int) -> NoReturn:
    """Run `daemon` in a grandchild, announcing to the descriptor `writer`; no process ever returns from here."""

    def announce(status: int, line: str) -> None:
        nonlocal writer
        if writer is None:  # a standby has been announced already, and the starter waits for one line only
            return
        with contextlib.suppress(BrokenPipeError):  # the starter has been killed; the daemon was asked for nevertheless
            os.write(writer, f"{status} {printable(line)}".encode())
        os.close(writer)
        writer = None

    status = EXIT_FAILED
    try:
        os.setsid()
        if os.fork():
            os._exit(EXIT_OK)  # the one left does not lead its session, so that no terminal can become its own
        os.umask(os.umask(0) | 0o027)
        close_inherited(keep=writer)
        status = daemon(announce)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        logging.shutdown()
        os._exit(status)


def close_inherited(keep: int) -> None:
    """Close every descriptor that the starter happened to have open, except the standard three and `keep`."""
    for descriptor in map(int, os.listdir("/dev/fd")):
        if descriptor > 2 and descriptor != keep:
            with contextlib.suppress(OSError):  # the one that listed the directory is gone already
                os.close(descriptor)


def redirect_standard_streams(path: str) -> None:
    """Read standard input from nowhere and append standard output and error to the file at `path`."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    errors = open_own(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for source, target in ((nothing, 0), (errors, 1), (errors, 2)):
        os.dup2(source, target)
    os.close(nothing)
    os.close(errors)


def run_daemon(settings: Settings, background: bool, standby: bool, announce: Announce) -> int:
    """Be the daemon until a signal says stop; the exit status.

    Announces where everything is as soon as requests are answered; NotStarted and SettingsError say why none will be.
    `background` only decides about the logs: the terminal has been left by then. With `standby` it waits for a daemon
    that has the state already to end, and takes over.
    """
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(RELOAD_SIGNAL, signal.SIG_IGN)  # nothing has been read yet
    prepare_process()
    configure_logging(settings, background)
    for warning in [*settings.warnings, *ignored_options(settings)]:
        logger.warning("%s", warning)
    pidfile = settings.get("luigid", "pidfile")
    with pid_file(pidfile) if pidfile else contextlib.nullcontext():
        scheduler = Scheduler(
            resources=settings.resources,
            journal_sync=settings.get("luigid", "journal_sync"),
            db_connection=settings.get("task_history", "db_connection"),
            **settings.section("scheduler"),
        )
        if standby:
            stand_by(scheduler, settings, announce)
        with listen(scheduler, settings) as server:
            load_state(scheduler, settings)
            line = whereabouts(server, settings)
            if background:
                logger.info("%s", line)  # nobody keeps what the starter prints
            serve(server, scheduler, functools.partial(announce, EXIT_OK, line))
        return save_state(scheduler)


def prepare_process() -> None:
    """Let this process have as many connections as the system allows it, and no pauses for collecting garbage.

    A search for cycles through millions of tasks, which are in none, would take seconds. So what a collection has found
    alive is not searched again: it goes when the last reference to it does, and each object costs one look.
    """
    _, most = rlimit.getrlimit(rlimit.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # macOS allows less than it says
        rlimit.setrlimit(rlimit.RLIMIT_NOFILE, (most, most))
    gc.callbacks.append(lambda phase, _: gc.freeze() if phase == "stop" else None)


def stand_by(scheduler: Scheduler, settings: Settings, announce: Announce) -> None:
    """Wait until no other daemon has the state; NotStarted if that cannot be told."""
    path = settings.get("scheduler", "state_path")
    try:
        holder = scheduler.claim()
        if holder is not None:
            line = f"standing by: the state in {path} is in use: {holder}"
            logger.info("%s", line)
            announce(EXIT_OK, line)
        while holder is not None:
            time.sleep(STANDBY_POLL)
            holder = scheduler.claim()
    except OSError as error:
        raise NotStarted(EXIT_FAILED, f"cannot stand by for the state in {path}: {error.strerror}") from error


def ignored_options(settings: Settings) -> Iterator[str]:
    """A warning for each option that asks for what this version does not do."""
    for section, name, harmless, missing in NOT_YET_ACTED_ON:
        if settings.get(section, name) not in harmless:
            yield f"{settings.origin(section, name)}: [{section}] {name} has no effect in this version: {missing}"


def listen(scheduler: Scheduler, settings: Settings) -> HTTPServer:
    """The server that the settings ask for, bound; NotStarted if that cannot be."""
    cors, chosen = settings.section("cors"), settings.section("luigid")
    address, port, unix_socket = chosen["address"], chosen["port"], chosen["unix_socket"]
    passed_on = {name: chosen[name] for name in SERVER_OPTIONS}
    try:
        return make_server(scheduler, address, port, unix_socket, cors, **passed_on)
    except (OSError, UnicodeError) as error:  # the latter for what cannot be a host's name
        place = unix_socket or f"port {port} of {address or 'any interface'}"
        reason = getattr(error, "strerror", None) or error
        unusual = f"{reason}; choose another place with --address, --port or --unix-socket"
        explanation = LISTEN_FAILURES.get(getattr(error, "errno", None), unusual)
        raise NotStarted(EXIT_FAILED, f"cannot listen on {place}: {explanation}") from error


def load_state(scheduler: Scheduler, settings: Settings) -> None:
    """Make sure that the state can be written where the settings say, and read what is there; NotStarted if not."""
    path = settings.get("scheduler", "state_path")
    directory = os.path.dirname(os.path.abspath(path))
    try:
        if os.path.isdir(path):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        os.makedirs(directory, mode=0o700, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory) as probe:
            probe.write(b"a full disk takes a file, but nothing into it")
        scheduler.load()
        scheduler.tidy()
    except OSError as error:
        advice = "give --state-path a file in a directory that you may write to"
        raise NotStarted(EXIT_FAILED, f"cannot keep the state in {path}: {error.strerror}; {advice}") from error
    except StateError as error:
        raise NotStarted(EXIT_FAILED, str(error)) from error


def whereabouts(server: HTTPServer, settings: Settings) -> str:
    """Where the daemon listens, where its page is and where its state lives, on one line."""
    url = server_url(server.server_address, "https" if settings.get("luigid", "tls_cert") else "http")
    page = f"page {url}/static/visualiser/index.html"
    state_path = settings.get("scheduler", "state_path")
    state = f"state in {os.path.abspath(state_path)}"
    if settings.origin("scheduler", "state_path") == "default" and state_path != STOCK_STATE_PATH:
        state += f", as {os.path.dirname(STOCK_STATE_PATH)} cannot be written"
    return f"listening on {url} (pid {os.getpid()}); {page}; {state}"


def server_url(address: Union[str, Tuple[Any, ...]], scheme: str = "http") -> str:
    """How clients on this machine reach a server at `address`: a Unix socket's path, or host and port."""
    if isinstance(address, str):
        return f"{scheme}+unix://" + urllib.parse.quote(os.path.abspath(address), safe="")
    host, port = address[:2]
    if host in ("0.0.0.0", "::"):
        host = "localhost"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def serve(server: HTTPServer, scheduler: Scheduler, ready: Callable[[], None]) -> None:
    """Answer requests until a signal says stop."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {*STOP_SIGNALS, RELOAD_SIGNAL})
    signal.signal(RELOAD_SIGNAL, signal.SIG_DFL)  # some systems drop an ignored signal even when it is blocked
    scheduler.start()
    threading.Thread(target=obey_signals, args=(server,), name="signals", daemon=True).start()
    ready()
    server.serve_forever(ACCEPT_POLL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)


def obey_signals(server: HTTPServer) -> None:
    """Do as signals say, until one says stop: then make `server` accept nothing more."""
    while (number := signal.sigwait({*STOP_SIGNALS, RELOAD_SIGNAL})) == RELOAD_SIGNAL:
        server.access.reload()
    logger.info("stopping on %s", signal.Signals(number).name)
    server.shutdown()


def save_state(scheduler: Scheduler) -> int:
    """End the scheduler, which keeps all that it acknowledged; the exit status."""
    try:
        try:
            scheduler.tidy()
        finally:
            scheduler.close()
    except (OSError, StateError, Unavailable) as error:
        logger.error("the state could not be saved: %s", error)
        return EXIT_FAILED
    logger.info("stopped, state saved")
    return EXIT_OK


# ======================================================================================================================
# 11. Command line
# ======================================================================================================================
#
# The flags of stock's luigid by their names and meanings, and few of our own. A flag that has an option in the settings
# overrides it there, so that the rest of the program asks in one place. Whatever goes wrong ends here as one line on
# standard error and a documented exit status.

#: The options that flags of the same names override.
FLAGS = (
    ("scheduler", "state_path"),
    *(("luigid", name) for name in ("address", "port", "unix_socket", "tls_cert", "tls_key", "logdir", "pidfile")),
)

#: What --help says after the flags.
HELP_EPILOG = """\
exit status:
  0  stopped as asked; or it runs already (same pid file), or the question was answered
  1  cannot start, could not save the state, or would not start with it: what is printed says why and what to do
  2  the command line or the settings are wrong

signals:
  TERM, INT, QUIT  finish the requests in flight, save the state, end; a second one ends it at once
  HUP              read the users file and the certificates again; bad ones leave the old in force, and are logged

Settings are read from /etc/luigi/client.cfg, /etc/luigi/luigi.cfg, client.cfg, luigi.cfg and the file that
LUIGI_CONFIG_PATH names: a later one wins, and a flag over all. luigid.cfg.example lists every option with its meaning,
--check-config prints what is in force.
"""


def command_line() -> argparse.ArgumentParser:
    """The parser of the command line, grouped as --help shows it."""
    parser = argparse.ArgumentParser(
        prog="luigid",
        usage="%(prog)s [flags]",
        description="The central scheduler for Luigi: says which worker runs which task, and shows what is going on.",
        epilog=HELP_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
    )
    listening = parser.add_argument_group("where it listens")
    listening.add_argument("--address", metavar="HOST", help="address to listen on (default: all, IPv4 and IPv6)")
    listening.add_argument("--port", help="TCP port (default: 8082; 0: any free one)")
    listening.add_argument("--unix-socket", metavar="PATH", help="listen on this Unix socket, mode 0600, and no port")
    listening.add_argument("--tls-cert", metavar="PATH", help="speak https with this certificate (chain), in PEM")
    listening.add_argument("--tls-key", metavar="PATH", help="its private key (default: in the same file)")
    files = parser.add_argument_group("what it writes")
    files.add_argument("--state-path", metavar="PATH", help="file for the state; overrides [scheduler] state_path")
    files.add_argument("--logdir", metavar="DIR", help="log to DIR/luigi-server.log (default: standard error)")
    files.add_argument("--pidfile", metavar="PATH", help="hold PATH while running; held by a live luigid: status 0")
    running = parser.add_argument_group("how it runs")
    running.add_argument(
        "--background",
        action="store_true",
        help=f"run as a daemon, logging to {DEFAULT_LOGDIR} or --logdir; returns when it answers or has failed",
    )
    running.add_argument(
        "--standby",
        action="store_true",
        help="wait for the daemon that has the state to end, and take over: a second machine on a shared disk",
    )
    about = parser.add_argument_group("what it answers instead of running")
    about.add_argument("--check-config", action="store_true", help="the settings in force and where each comes from")
    about.add_argument("--check-state", action="store_true", help="what is in the state, and if luigid starts with it")
    about.add_argument("--repair-state", action="store_true", help="make a damaged state usable; its files are kept")
    about.add_argument("--export-stock", metavar="PATH", help="write the state to PATH, for stock's luigid 3.8")
    about.add_argument("--hash-password", action="store_true", help="asks for a password; the hash for users_file")
    about.add_argument("--new-token", action="store_true", help="a random token, and the hash for users_file")
    about.add_argument("--version", action="version", version=f"luigid {__version__}", help="the version")
    about.add_argument("-h", "--help", action="help", help="this help")
    parser.error = refuse_command_line
    return parser


def refuse_command_line(message: str) -> NoReturn:
    """What argparse calls with its complaint about the command line."""
    raise NotStarted(EXIT_USAGE, f"{message} (luigid --help lists the flags)")


def tell(status: int, line: str) -> None:
    """Print `line` for people: on standard error if `status` says that something is wrong."""
    with contextlib.suppress(OSError):  # a daemon does not fail because nobody reads its greeting
        print(f"luigid: {printable(line)}", file=sys.stderr if status else sys.stdout, flush=True)


def attempt(run: Callable[[Announce], int], announce: Announce) -> int:
    """The exit status of `run(announce)`; if that cannot run, the reason is announced instead."""
    try:
        return run(announce)
    except SettingsError as error:
        status, line = EXIT_USAGE, str(error)
    except NotStarted as error:
        status, line = error.args
    announce(status, line)
    return status


def ask_for_password() -> str:
    """A password, typed twice without echo, or a line from a pipe; NotStarted if there is none."""
    if sys.stdin.isatty():
        import getpass

        password = getpass.getpass("Password: ")
        if password != getpass.getpass("Again: "):
            raise NotStarted(EXIT_USAGE, "these were two different passwords")
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise NotStarted(EXIT_USAGE, "an empty password is none")
    return password


def new_token() -> str:
    """A random token and its hash, each on a line that says what it is for."""
    import secrets

    token = secrets.token_urlsafe(32)
    return f"token, for the client (it is kept nowhere else): {token}\nhash, for users_file: {hash_token(token)}"


#: Flags that have something printed: attribute of the parsed flags -> what makes it.
PRINTED = {"hash_password": lambda: hash_password(ask_for_password()), "new_token": new_token}


def answer_about_state(flags: argparse.Namespace, path: str) -> Optional[int]:
    """Print what `flags` want to know of the state in `path`; the exit status, None if they ask nothing."""
    try:
        if flags.check_state:
            lines, usable = check_state(path)
        elif flags.repair_state:
            lines, usable = repair_state(path)
        elif flags.export_stock:
            lines, usable = [export_stock(path, flags.export_stock)], True
        else:
            return None
    except StateError as error:
        raise NotStarted(EXIT_FAILED, str(error)) from error
    except OSError as error:
        raise NotStarted(EXIT_FAILED, f"{error.filename or path}: {error.strerror}") from error
    print(*map(printable, lines), sep="\n")
    return EXIT_OK if usable else EXIT_FAILED


def start(announce: Announce, argv: Optional[List[str]]) -> int:
    """Do what the flags in `argv` ask for; the exit status."""
    flags = command_line().parse_args(argv)
    for name, answer in PRINTED.items():
        if getattr(flags, name):
            print(answer())
            return EXIT_OK
    settings = Settings.load({place: getattr(flags, place[1]) for place in FLAGS})
    if flags.check_config:
        print(settings.describe(), end="")
        return EXIT_OK
    answered = answer_about_state(flags, settings.get("scheduler", "state_path"))
    if answered is not None:
        return answered
    daemon = functools.partial(run_daemon, settings, flags.background, flags.standby)
    if not flags.background:
        return daemon(announce)
    status, line = in_background(functools.partial(attempt, daemon))
    announce(status, line)
    return status


def main(argv: Optional[List[str]] = None) -> int:
    """Run luigid with the flags in `argv` (default: those of this process); the exit status, as --help documents it."""
    try:
        return attempt(functools.partial(start, argv=argv), tell)
    except SystemExit as answered:  # by argparse: --help or --version
        return answered.code
    except KeyboardInterrupt:  # while waiting for the daemon to come up in the background
        return 128 + signal.SIGINT


if __name__ == "__main__":
    sys.exit(main())
