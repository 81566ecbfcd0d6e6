#!/usr/bin/env python3
"""luigid: the central scheduler for Luigi, in one file, on the standard library alone.

Luigi's workers tell it what tasks there are and ask it what to run; it sees to it that dependencies come first, that no
task runs twice, that resources suffice, and that failures are retried. `python3 luigid.py` starts it; see README.md.

    1. Settings            every option: its meaning, its range, where it is read from
    2. Model               what is known of a task and of a worker
    3. Graph and agenda    the indexes that make each call cost what it changes, and their proof
    4. Scheduler           the state machine: one method for each call of the wire; then what people ask
    5. Persistence         snapshot and journal, the way from stock and back, and the Scheduler that lasts
    6. Task history        what ran when, in stock's tables of a database: recording it, and reading it
    7. Notices             e-mails and messages to a webhook about what went wrong
    8. Metrics             what /metrics says, and the collectors that hear of tasks
    9. HTTP                the server: connections, requests, pages
    10. Daemon             logs, pid file, background, service managers, signals
    11. Command line       flags, exit statuses, main()

Each section builds on those above it.

Threads and locks
-----------------
The main thread accepts connections; each connection has a thread that reads a request, calls the scheduler, and
answers. One more does what is due without anybody calling (prune, sync, fold the journal), and one waits for signals.
Where a service manager wants to hear that all is well, one tells it.
E-mails and messages to a webhook are made and sent by a thread of each; one writes the task history.

    the scheduler's lock    all tasks, workers and indexes, and the order of the journal. A call takes it after its
                            arguments are checked and gives it back before what it changed is written and its reply
                            encoded: nothing slow happens under it, no disk, no socket, no large JSON.
    the journal's lock      the open journal. Whoever takes it writes for all that wait for it. `Journal.wait` takes it
                            with no other held; a snapshot and a sync take `_folding` and `_syncing` before it, and
                            who writes the task history the lock that guards its database.
    the HTTP server's lock  the set of connections.

No two of these three are ever held together. The lock of the history's queue is taken under the scheduler's, for a
moment and with none under it. A page's question that takes a walk over tasks has a lock of its own, so
that others who ask the same wait for its answer; the walk takes the scheduler's lock again and again. Besides them,
each address has a lock that its log-ins take turns by, held while a password is looked at and with no other taken under
it; one scrape of /metrics at a time counts families, and takes the scheduler's lock for it; an operator's own collector
is called by one thread at a time.

Promises
--------
A call that is refused has changed nothing. A call that is answered is kept: it survives `kill -9`, and a power cut as
`journal_sync` says. No reply holds a part of the state, and no argument becomes one. Costs follow what changes, not
what exists: `validate()` proves that what is kept for this equals what could be counted.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import bisect
import collections
import configparser
import contextlib
import copy
import datetime
import email.utils
import errno
import fcntl
import functools
import gc
import hashlib
import heapq
import hmac
import html
import importlib
import io
import ipaddress
import itertools
import json
import logging
import math
import operator
import os
import pickle
import re
import reprlib
import resource as rlimit
import selectors
import signal
import socket
import socketserver
import ssl
import stat
import struct
import sys
import threading
import time
import types
import urllib.parse
import weakref
import zlib
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import Empty, SimpleQueue
from typing import Annotated, Any, BinaryIO, Callable, NamedTuple, NoReturn, Optional, TextIO, Union, final

__version__ = "1.0.0"

logger = logging.getLogger("luigid")
audit_logger = logging.getLogger("luigid.audit")
access_logger = logging.getLogger("luigid.access")


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
Sections = Mapping[str, Mapping[str, Any]]  #: what files say: section -> name -> value


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


def _as_web_url(value: Any) -> str:
    url = urllib.parse.urlsplit(value)
    if not (value.isascii() and value.isprintable() and " " not in value):
        raise ValueError(value)
    if url.scheme not in ("http", "https") or not url.hostname or url.port == 0:  # .port raises what else is wrong
        raise ValueError(value)
    return value


#: what alerts may be about
ALERT_KINDS = ("failed", "disabled", "slow", "worker_lost", "scheduling_failed")


def _as_alert_kinds(value: Any) -> tuple[str, ...]:
    return tuple(ALERT_KINDS[ALERT_KINDS.index(kind)] for kind in _as_list(value))


BOOLEAN = _meaning("true or false", {"true": True, "false": False}, str.lower)
SWITCH = _meaning("true or false, yes or no, on or off, 1 or 0", configparser.ConfigParser.BOOLEAN_STATES, str.lower)
COUNT = _number_kind("an integer", _as_integer, 0)
PORT = _number_kind("an integer", _as_integer, 0, 65535)
WHOLE_SECONDS = _number_kind("a whole number of seconds", _as_integer, 0)
SECONDS = _number_kind("a number of seconds", float, 0)
LINE = ValueKind("text on one line", _as_line)
TEXT = ValueKind("text", _as_text)
PATH = ValueKind("a path", _as_path)
WEB_URL = ValueKind("an http or https URL, without blanks", _as_web_url)
ALERT_LIST = ValueKind(f"a JSON list of some of {', '.join(ALERT_KINDS)}", _as_alert_kinds)
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
    "alerts": "Messages to a webhook (of Slack, Mattermost, or your own) when something goes wrong.",
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
    Option("luigid", "log_level", _choice("debug", "info", "warning", "error"), "info",
           "The least important lines that are logged."),
    Option("luigid", "log_json", BOOLEAN, False,
           "Log each line as a JSON object."),
    Option("luigid", "access_log", BOOLEAN, False,
           "Log a line for each request."),
    Option("luigid", "log_max_bytes", _number_kind("a number of bytes", _as_integer, 0), 100 * 1024 * 1024,
           "A log in logdir begins anew at midnight, and when it has grown this large; 0: whatever its size."),
    Option("luigid", "log_keep", COUNT, 7,
           "How many old files of a log in logdir are kept; 0: it never begins anew, as logrotate sees to that."),
    Option("luigid", "max_body", _number_kind("a number of bytes", _as_integer, 1), 64 * 1024 * 1024,
           "The longest request body that is accepted."),
    Option("luigid", "max_connections", _number_kind("an integer", _as_integer, 1), 4096,
           "The connections at a time; beyond this the one idle longest gives way, or the new one gets a 503."),
    Option("luigid", "max_connections_per_address", COUNT, 2048,
           "The same for the connections of one address, with a 429; 0: no limit. A proxy in front is one address."),
    Option("luigid", "max_calls", _number_kind("an integer", _as_integer, 1), 1024,
           "The calls that are worked on at a time; another one gets a 503, and its client tries again."),
    Option("luigid", "one_core", BOOLEAN, True,
           "Whether the threads that answer calls share a core (Linux). Passing the turn between two costs more."),
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
    Option("task_history", "keep_days", _number_kind("a number of days", float, 1), None,
           "For how many days it is kept what ran; unset: for ever."),

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
    Option("smtp", "verify_tls", BOOLEAN, False,
           "Whether there must be TLS, with a valid certificate for the server's name; stock Luigi does not look."),
    Option("smtp", "timeout", _number_kind("a number of seconds", float, 0, 86400), 10.0,
           "How long to wait for the server; 0: for ever.", (("core", "smtp_timeout"),)),

    Option("sendgrid", "apikey", LINE, None,
           "The key of the API.", (("email", "SENGRID_API_KEY"),), secret=True),

    Option("alerts", "webhook_url", WEB_URL, None,
           "Where alerts are POSTed to, as JSON with a Slack-compatible text; unset: there are none.", secret=True),
    Option("alerts", "kinds", ALERT_LIST, ALERT_KINDS,
           "What alerts are about; slow (95 % took less, and it is twice what is usual) takes record_task_history."),
    Option("alerts", "delay", SECONDS, 10.0,
           "How long events are collected before a message that comes after a quiet time."),
    Option("alerts", "interval", SECONDS, 300.0,
           "The least time between two messages; what happens meanwhile is in the second."),
    Option("alerts", "max_named", _number_kind("an integer", _as_integer, 0, 1000), 10,
           "How many tasks of each kind a message names; the others are counted."),
    Option("alerts", "slow_after", SECONDS, 600.0,
           "No task is slow before it has run this long."),
    Option("alerts", "timeout", _number_kind("a number of seconds", float, 0.1, 3600), 10.0,
           "How long to wait for the server."),

    Option("prometheus", "use_task_family_in_labels", BOOLEAN, True,
           "Label metrics with the task's family."),
    Option("prometheus", "task_parameters_to_use_in_labels", LIST, (),
           "The task parameters to label metrics with."),

    Option("datadog", "api_key", LINE, "dummy_api_key",
           "The API key; not needed, as all goes to the agent.", secret=True),
    Option("datadog", "app_key", LINE, "dummy_app_key",
           "The application key; not needed, either.", secret=True),
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


def _read_text(path: str) -> str | None:
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


_PARSERS: Mapping[str, Callable[[list[tuple[str, str]]], Sections]] = {"ini": _parse_ini, "toml": _parse_toml}
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
        self.sections = _PARSERS[self.syntax](texts)
        self._lines = {at: f"{path}:{line}" for path, text in texts for at, line in _line_numbers(text).items()}

    def _candidates(self) -> list[str]:
        extra = self.environ.get("LUIGI_CONFIG_PATH", "")
        return [*CONFIG_PATHS[self.syntax], *([extra] if extra and self._required_parser(extra) is None else [])]

    def _required_parser(self, path: str) -> str | None:
        """The LUIGI_CONFIG_PARSER that ``path`` takes by its extension, if that is not the one in force."""
        extension = os.path.splitext(path)[1][1:]
        return extension if _SYNTAXES.get(extension, self.syntax) != self.syntax else None

    def names(self, section: str) -> list[str]:
        """The option names in ``section``, without those that [DEFAULT] adds to each."""
        shared = self.sections["DEFAULT"]
        return [name for name in self.sections[section] if name not in shared] if section in self.sections else []

    def find(self, option: Option) -> Key | None:
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
    def load(cls, overrides: Mapping[Key, Any] | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
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

    def differences(self, other: Settings) -> list[Key]:
        """The options that ``other`` gives other values, in the order of the table."""
        return [key for key, value in other._values.items() if key not in self._values or self._values[key] != value]

    def show(self, section: str, name: str) -> str:
        """The value of an option as a file would have it, passwords masked; None for one that there is not."""
        option = next((option for option in OPTIONS if (option.section, option.name) == (section, name)), None)
        value = self._values.get((section, name))
        return option.show(value) if option else str(value)

    def taking(self, keys: Iterable[Key], other: Settings) -> Settings:
        """These settings, but the options ``keys`` as in ``other``."""
        mixed = copy.copy(self)
        mixed._values = {**self._values, **{key: other._values[key] for key in keys}}
        mixed._origins = {**self._origins, **{key: other._origins[key] for key in keys}}
        return mixed

    @property
    def resources(self) -> dict[str, int]:
        """How much there is of each resource, by name."""
        return self.section("resources")

    def table(self) -> list[dict[str, Any]]:
        """What is in force and where it came from, as rows, secrets masked."""
        return [
            {"section": section, "name": name, "value": self.show(section, name), "from": self.origin(section, name)}
            for section in SECTIONS
            for name in self.section(section)
        ]

    def describe(self) -> str:
        """What is in force and where it came from, as text for the operator, secrets masked."""
        read = ["# read: " + path for path in self.files] or ["# no configuration file found"]
        for section in SECTIONS:
            read += ["", f"[{section}]"]
            for name in self.section(section):
                read.append(f"{f'{name} = {self.show(section, name)}':<48}  # {self.origin(section, name)}")
        if self.logging is not None:
            read += ["", f"{'[logging]':<48}  # {', '.join(self.files)}"]
        return "\n".join(read) + "\n"


def scheduler_settings(**given: Any) -> types.SimpleNamespace:
    """Check and complete the settings of a scheduler made in-process: those of [scheduler] and [task_history].

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

#: visibilities of a parameter that everybody may see, and of one that is not shown (stock's ParameterVisibility)
PUBLIC, HIDDEN = 0, 1

Number = Union[int, float]

#: resource amounts as (name, amount) pairs sorted by name: hashable, so that tasks with equal demands are told at once
Demand = tuple[tuple[str, Number], ...]

#: what is booked of a run: worker id, Demand, batch id
Booking = tuple[Optional[str], Demand, Optional[str]]

#: the one empty mapping that tasks share; never written to
NOTHING: Mapping[str, Any] = {}


def detached(value: Any) -> Any:
    """Return a JSON value that shares nothing with the given one which could be changed in place."""
    return copy.deepcopy(value) if isinstance(value, (dict, list)) else value


def copied(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a JSON object that shares nothing with it which could be changed in place."""
    return {name: detached(value) for name, value in values.items()}


def displayed(family: str, params: Mapping[str, Any]) -> str:
    """Return `Family(name=value, ...)`, sorted by name."""
    return f"{family}({', '.join([f'{name}={params[name]}' for name in sorted(params)])})"


class RetryPolicy(NamedTuple):
    """When failing becomes being disabled (stock's `[scheduler]` options and `retry_policy_dict`)."""

    #: failures within the window that disable the task
    retry_count: Number
    #: seconds after the first failure after which any further failure disables it
    disable_hard_timeout: Number
    #: seconds for which a failure counts
    disable_window: Number


@final
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
        #: Booking as it is in `Agenda.running_on`, `holders` and `batches`, or None
        "booking",
        #: epoch seconds at which `prune` must look at it, or None
        "due",
        #: its entry in a list of tasks as JSON, or None if it has changed since that was made
        "json",
        #: (family, status) as counted in `Feed.families`, or None
        "counted",
        #: what words are searched in, once somebody did, or None
        "label",
    )

    def __init__(self, task_id: str, seq: int, status: str, now: float, retry_policy: tuple[Number, ...]) -> None:
        self.id = task_id
        self.seq = seq
        self.status = status
        self.time = self.updated = now
        self.retry_policy = retry_policy
        self.family = ""
        self.params = self.param_visibilities = self.responses = NOTHING
        self.deps: tuple[str, ...] = ()
        self.resources: Demand = ()
        self.priority: Number = 0
        self.workers: tuple[str, ...] = ()
        self.stakeholders: frozenset[str] = frozenset()
        self.failures: tuple[float, ...] = ()
        self.seats: tuple[Queue, ...] = ()
        self.batchable = self.runnable = self.barred = False
        self.accepts_messages: bool | None = False
        self.order = self.unmet = 0
        self.module: str | None = None
        self.remove: float | None = None
        self.first_failure_time: float | None = None
        self.scheduler_disable_time: float | None = None
        self.time_running: float | None = None
        self.resources_running: Demand | None = None
        self.batch_id: str | None = None
        self.expl: Any = None
        self.tracking_url: str | None = None
        self.status_message: Any = None
        self.progress_percentage: Any = None
        self.tally: tuple[tuple[str, ...], int] | None = None
        self.booking: Booking | None = None
        self.due: float | None = None
        self.json: str | None = None
        self.counted: tuple[str, str] | None = None
        self.label: str | None = None
        # None as well, but whoever knows that the task is FAILED, RUNNING or ready need not ask: hence Any.
        self.retry: float | Any = None
        self.worker_running: str | Any = None
        self.entry: Entry | Any = None

    def restore(self, fields: tuple[Any, ...]) -> None:
        """Set all that is not derived, in the order of the slots: in one go, as there may be millions to restore."""
        (
            self.id, self.family, self.module, self.params, self.param_visibilities, self.seq, self.deps,
            self.resources, self.priority, self.retry_policy, self.batchable, self.workers, self.stakeholders,
            self.runnable, self.status, self.order, self.time, self.updated, self.retry, self.remove, self.failures,
            self.first_failure_time, self.scheduler_disable_time, self.worker_running, self.time_running,
            self.resources_running, self.batch_id, self.expl, self.tracking_url, self.status_message,
            self.progress_percentage, self.accepts_messages, self.responses,
        ) = fields

    def public_params(self) -> dict[str, Any]:
        """Return the parameters that the page may show."""
        hidden = self.hidden_params()
        return copied({name: value for name, value in self.params.items() if name not in hidden})

    def hidden_params(self) -> tuple[str, ...]:
        """Return the names of the parameters that may not be shown."""
        return tuple([name for name, visibility in self.param_visibilities.items() if visibility != PUBLIC])

    def display_name(self) -> str:
        """Return `Family(name=value, ...)`, public parameters only, sorted by name."""
        hidden = self.hidden_params()
        shown = {name: value for name, value in self.params.items() if name not in hidden} if hidden else self.params
        return displayed(self.family, shown)

    def held(self) -> Demand:
        """Return what its run holds of each resource."""
        return self.resources if self.resources_running is None else self.resources_running

    def __repr__(self) -> str:
        return f"<Task {self.id} {self.status}>"


@final
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
        self.host: str | None = None
        self.last_get_work: float | None = None
        self.info: dict[str, Any] = {}
        self.started = self.last_active = now
        self.disabled = False
        self.rpc_messages: list[dict[str, Any]] = []
        self.tasks: set[Task] = set()
        self.running: set[Task] = set()
        self.line: Line  # made by `Agenda.add_worker`
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


#: seconds: the upper ends of the classes into which durations are sorted; what took longer is in one more
DURATIONS = (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0)


class Timing:
    """How long something took, over and over. Written by one thread at a time, read by any."""

    __slots__ = (
        #: number of times for each class of DURATIONS, and the last
        "counts",
        #: the sum of all
        "seconds",
    )

    def __init__(self, counts: Iterable[int] = (0,) * (len(DURATIONS) + 1), seconds: float = 0.0) -> None:
        self.counts = list(counts)
        self.seconds = seconds

    def add(self, seconds: float) -> None:
        """Count a time that it took so many seconds."""
        self.counts[bisect.bisect_left(DURATIONS, seconds)] += 1
        self.seconds += seconds

    def quantile(self, part: float) -> float | None:
        """Return the seconds in which such a part of all were done, as far as the classes tell; None beyond them."""
        wanted = part * sum(self.counts)
        classes = zip(DURATIONS, itertools.accumulate(self.counts))
        return next((seconds for seconds, number in classes if number >= wanted), None)

    def __add__(self, other: Timing) -> Timing:
        return Timing(map(operator.add, self.counts, other.counts), self.seconds + other.seconds)


# What history, notices and metrics hear of. A status stands for the change to it.
FAILURE_REPORTED = "FAILURE_REPORTED"
SCHEDULING_FAILED = "SCHEDULING_FAILED"
WORKER_LOST = "WORKER_LOST"
STATISTICS = "STATISTICS"

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
    #: STATISTICS: a run told figures of its own, which are its `report`.
    kind: str
    #: epoch seconds
    time: float
    #: "" with WORKER_LOST; with SCHEDULING_FAILED the displayed name
    task_id: str
    family: str
    #: parameter name -> text; shared with the task, so never changed in place
    params: Mapping[str, Any]
    #: names of those which must not be shown
    hidden: tuple[str, ...]
    #: id of the worker that runs or ran it, or spoke of it, and the host it gave; None if there is none
    worker: str | None
    host: str | None
    #: epoch seconds at which the run began, or None
    started: float | None
    #: failures that count; 0 if it was not the scheduler that disabled it
    failures: int = 0
    #: why, if not because a worker said so: "worker lost", "by hand", "re-enabled", or as at `kind`
    reason: str | None = None
    #: error report of a failure: the end of it, at most MAX_REPORT characters
    report: Any = None
    #: with RUNNING and BATCH_RUNNING: what it depends on, at most MAX_EVENT_DEPS ids
    deps: tuple[str, ...] = ()
    #: with FAILURE_REPORTED and SCHEDULING_FAILED: mail addresses, and the parameters that do not differ in a batch
    owners: tuple[str, ...] = ()
    unbatched: Mapping[str, Any] = NOTHING
    #: with DISABLED by the scheduler: the fields of the RetryPolicy that it was under
    policy: tuple[Number, ...] = ()


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
Entry = tuple[Number, float, int, Task]

#: what makes ready tasks alike to `choose`: resources, workers, runnable
QueueKey = tuple[Demand, tuple[str, ...], bool]

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
def joined(workers: tuple[str, ...], worker_id: str) -> tuple[str, ...]:
    """Return `workers` and one more; cached, so that tasks with the same workers share one tuple."""
    return workers + (worker_id,)


@functools.lru_cache(maxsize=4096)
def parted(workers: tuple[str, ...], worker_id: str) -> tuple[str, ...]:
    """Return `workers` without one of them; cached as `joined` is."""
    return tuple(other for other in workers if other != worker_id)


@functools.lru_cache(maxsize=4096)
def united(stakeholders: frozenset[str], worker_id: str) -> frozenset[str]:
    """Return `stakeholders` and one more; cached as `joined` is."""
    return stakeholders | {worker_id}


@functools.lru_cache(maxsize=4096)
def bereft(stakeholders: frozenset[str], worker_id: str) -> frozenset[str]:
    """Return `stakeholders` without one of them; cached as `joined` is."""
    return stakeholders - {worker_id}


def unbatched(task: Task, names: tuple[str, ...]) -> frozenset[tuple[str, Any]]:
    """Return the parameters that must agree for tasks to be batched by `names`; a null one counts as missing."""
    others = ((name, value) for name, value in task.params.items() if name not in names and value is not None)
    return frozenset((name, value if isinstance(value, str) else (json.dumps(value),)) for name, value in others)


def discard_from(index: dict[Any, set[Task]], key: Any, task: Task) -> None:
    """Take a task out of one of the sets of an index, and the set out of the index when it is empty."""
    index[key].discard(task)
    if not index[key]:
        del index[key]


def ranked(heap: list[Entry], is_wanted: Callable[[Entry], bool]) -> Iterator[Entry]:
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
        self.heap: list[Entry] = []
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

    def __init__(self, home: dict[Any, Queue], key: Any, lines: Iterable[Line] = ()) -> None:
        self.home = home
        self.key = key
        #: the lines in which it stands with its first entry
        self.lines = tuple(lines)
        self.heap: list[Entry] = []
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
        self.tasks: dict[str, Task] = {}
        #: id -> Worker, in order of appearance
        self.workers: dict[str, Worker] = {}
        #: status -> id -> Task, in the order in which they took that status
        self.by_status: dict[str, dict[str, Task]] = {status: {} for status in (*STATUSES, GONE)}
        #: task id -> the tasks that have it among their `deps`; also ids that are not known (yet)
        self.dependents: dict[str, set[Task]] = {}
        #: worker id -> family -> (names of the parameters to batch, most tasks in a batch); outlives the worker,
        #: whose client says it only once
        self.batchers: dict[str, dict[str, tuple[tuple[str, ...], Number]]] = {}
        #: resource -> amount that may be used at a time; resources without an entry have 1
        self.totals: dict[str, Number] = {}
        #: whether work is held back
        self.paused = False
        #: whose events they are (a random name; "" until somebody records them), and the number of the last one
        self.state_id, self.told = "", 0
        #: resource -> RUNNING task -> amount it holds
        self.holders: dict[str, dict[Task, Number]] = {}
        #: resource -> sum of its holders
        self.used: dict[str, Number] = {}
        #: worker id -> tasks that are RUNNING or BATCH_RUNNING there; None: BATCH_RUNNING, but nobody said where
        self.running_on: dict[str | None, set[Task]] = {}
        #: batch id -> BATCH_RUNNING tasks
        self.batches: dict[str, set[Task]] = {}
        #: the ready tasks
        self.queues: dict[QueueKey, Queue] = {}
        #: all of `queues`
        self.line = Line()
        #: (family, batched parameters) -> number of other parameters -> (resources, their values) -> ready tasks
        self.pools: dict[tuple[str, tuple[str, ...]], dict[int, dict[Any, Queue]]] = {}
        #: family -> the ways in which workers batch it
        self.batchings: dict[str, set[tuple[str, ...]]] = {}
        #: runs whose worker does not keep the task: it is gone, or an assistant, which may go; each prune looks at them
        self.adrift: dict[Task, None] = {}
        #: (due, seq, Task) of the tasks that have something coming
        self.deadlines: list[tuple[float, int, Task]] = []
        #: (epoch seconds at which it may be gone, worker id): one a worker, put right when it surfaces
        self.farewells: list[tuple[float, str]] = []
        #: seconds from a failure to the next attempt; negative: never (`[scheduler] retry_delay`)
        self.retry_delay: float = 0
        #: seconds for which the scheduler disables a task (`[scheduler] disable_persist`)
        self.disable_persist: float = 0
        #: what changed since somebody took note and cleared it: tasks and workers (also removed ones) of which fields
        #: of their own did, and ("paused",), ("told",), ("resource", name), ("batchers", worker id)
        self.changed: dict[Task | Worker | tuple[str, ...], None] = {}
        #: (worker id, whether its stakes too) of what `strip_worker` did since then: one note for all its tasks
        self.stripped: list[tuple[str, bool]] = []
        self._seqs = itertools.count()
        self._orders = itertools.count(1)

    # -- tasks and edges -----------------------------------------------------------------------------------------------

    def create(self, task_id: str, status: str, now: float, retry_policy: tuple[Number, ...]) -> Task:
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
        for tasks in self.by_status.values():
            tasks.clear()
        for worker in self.workers.values():
            worker.tasks.clear()
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

    def _barred_through(self, task: Task) -> list[Task]:
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
            if task.deps:
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

    def expect_words(self, delay: float) -> None:
        """Look at each worker anew once it has been silent for `delay` seconds: that has changed."""
        self.farewells = [(worker.last_active + delay, worker_id) for worker_id, worker in self.workers.items()]
        heapq.heapify(self.farewells)

    def add_worker(self, worker_id: str, now: float, delay: float) -> Worker:
        """Add a worker that is not there yet; it is silent after `delay` seconds without a call."""
        worker = self.workers[worker_id] = Worker(worker_id, now)
        worker.line = Line()
        self.changed[worker] = None
        heapq.heappush(self.farewells, (now + delay, worker_id))
        return worker

    def set_batcher(self, worker_id: str, family: str, names: tuple[str, ...], max_size: Number) -> None:
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
        if task.booking or task.status in (RUNNING, BATCH_RUNNING):  # it ran, or runs
            self._settle_booking(task)
        self._settle_due(task)

    def _settle_seats(self, task: Task) -> None:
        entry = task.entry
        seats: tuple[Queue, ...] = ()
        if task.status == PENDING and not task.unmet:
            seats = self._seats(task)
            if entry and task.seats == seats and entry[0] == -task.priority and entry[2] == task.order:
                return
        elif entry is None:
            return
        left, task.seats = task.seats, seats
        if seats:
            task.entry = (-task.priority, task.time, task.order, task)
            for queue in seats:
                queue.push(task.entry)
        else:
            task.entry = None
        for queue in left:
            queue.leave(entry)

    def _seats(self, task: Task) -> tuple[Queue, ...]:
        return (self._queue(task), *self._pools(task)) if task.batchable else (self._queue(task),)

    def _queue(self, task: Task) -> Queue:
        key = (task.resources, task.workers, task.runnable)
        queue = self.queues.get(key)
        if queue is None:
            lines = (self.workers[worker_id].line for worker_id in task.workers)
            queue = self.queues[key] = Queue(self.queues, key, (self.line, *lines))
        return queue

    def _pools(self, task: Task) -> Iterator[Queue]:
        for names in self.batchings.get(task.family, ()):
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

    def _count(self, task: Task, workers: tuple[str, ...], flags: int, step: int) -> None:
        alone = step if len(workers) == 1 else 0
        for worker_id in workers:
            worker = self.workers[worker_id]
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
        booking: Booking | None = None
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
        if self._is_adrift(task):
            self.adrift[task] = None
        else:
            self.adrift.pop(task, None)

    def _book(self, task: Task, worker_id: str | None, held: Demand, batch_id: str | None) -> None:
        self.running_on.setdefault(worker_id, set()).add(task)
        if batch_id is not None:
            self.batches.setdefault(batch_id, set()).add(task)
        for resource, amount in held:
            self.holders.setdefault(resource, {})[task] = amount
            self._add_use(resource, amount)

    def _unbook(self, task: Task, worker_id: str | None, held: Demand, batch_id: str | None) -> None:
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

    def reconsider(self, tasks: Iterable[Task]) -> None:
        """Bring up to date when tasks are due, after `retry_delay` or `disable_persist` were changed."""
        for task in tasks:
            if task.status != GONE:
                self._settle_due(task)

    def _settle_due(self, task: Task) -> None:
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

    def _when_due(self, task: Task) -> float | None:
        due = task.remove
        if due is None and not task.stakeholders and task.status not in (RUNNING, GONE):
            return AT_ONCE
        if task.status == DISABLED and task.scheduler_disable_time is not None:
            change = task.scheduler_disable_time + self.disable_persist
        elif task.status == FAILED and self.retry_delay >= 0:
            change = task.retry
        else:
            return due
        return change if due is None else min(due, change)

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
        popped: list[Task] = []
        seq = -1
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

    def choose(self, worker: Worker, assistant: bool, alive_since: float) -> Task | None:
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

    def _free_slots(self, alive_since: float) -> dict[str, Number]:
        asked = (w for w in self.workers.values() if w.last_get_work is not None and w.last_get_work > alive_since)
        return {worker.id: worker.info.get("workers", 1) for worker in asked}

    def _choose_fairly(self, worker: Worker, assistant: bool, slots: dict[str, Number]) -> Task | None:
        # Give out everything in rank order until it is the worker's turn. Slots and resources only dwindle meanwhile,
        # so a queue whose first does not fit, or finds no slot, is through: here alike tasks fall together.
        taken: dict[str, Number] = collections.defaultdict(int)
        firsts = heapq.merge(self.line.ranked(), self._ranked_running(slots))
        frontier: list[tuple[Entry, Iterator[Entry]]] = []
        push_next(frontier, firsts)
        while frontier:
            entry, rest = heapq.heappop(frontier)
            task = entry[-1]
            if rest is firsts:
                push_next(frontier, firsts)
                rest = itertools.islice(task.seats[0].ranked(), 1, None) if task.entry else iter(())
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
                push_next(frontier, rest)
        return None

    def _ranked_running(self, slots: Mapping[str, Number]) -> Iterator[Entry]:
        tasks = (task for worker_id in slots for task in self.running_on.get(worker_id, ()) if task.status == RUNNING)
        yield from sorted((-task.priority, task.time, AFTER_PENDING + task.order, task) for task in tasks)

    def batch_with(self, worker: Worker, first: Task) -> list[Task]:
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

    def _pools_like(self, first: Task, names: tuple[str, ...]) -> Iterator[Queue]:
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
        dependents: dict[str, set[Task]] = {}
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
        seated: dict[Queue, set[Task]] = {}
        for task in self.tasks.values():
            ready = task.status == PENDING and not task.unmet
            entry = (-task.priority, task.time, task.order, task) if ready else None
            expect(task.entry, entry, f"entry of {task.id}")
            expect(task.seats, self._seats(task) if ready else (), f"seats of {task.id}")
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
        running_on: dict[Any, set[Task]] = {}
        batches: dict[Any, set[Task]] = {}
        holders: dict[str, dict[Task, Number]] = {}
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


def push_next(frontier: list[tuple[Entry, Iterator[Entry]]], rest: Iterator[Entry]) -> None:
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


#: characters that a number counts as, or what else is no text
SCALAR_SIZE = 8


def _size(value: Any) -> int:
    """Return the characters in a JSON value."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(map(len, value)) + sum(map(_size, value.values()))
    return sum(map(_size, value)) if isinstance(value, (list, tuple)) else SCALAR_SIZE


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


class Meanings(dict):
    """What may be said -> what it means; ValueError for anything else. Looking up is the whole check, and done in C."""

    def __missing__(self, said: Any) -> NoReturn:
        raise ValueError(said)


_flag = Meanings({True: True, False: False, None: False}).__getitem__
_flag_or_null = Meanings({True: True, False: False, None: None}).__getitem__


def _anything(value: Any) -> Any:
    return value if value is None else _of_sane_size(_plain(value))


def _plain(value: Any, levels: int = MAX_NESTING) -> Any:
    if type(value) is str or type(value) is bool:  # what nearly all are
        return value
    if type(value) is int:
        return _number(value)
    if not levels:
        raise ValueError
    if isinstance(value, dict):
        return {_text(name): _plain(item, levels - 1) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, levels - 1) for item in value]
    if value is None or isinstance(value, bool):
        return value
    return str.__str__(value) if isinstance(value, str) else _number(value)


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError
    copy, size = {}, 0
    for name, item in value.items():
        kind = type(item)
        if kind is not str:
            item = _number(item) if kind is int else _plain(item)
        copy[sys.intern(name)] = item
        size += len(name) + (len(item) if kind is str else SCALAR_SIZE if kind is int else _size(item))
    if size > MAX_VALUE:
        raise TooMuch(f"a value may have {MAX_VALUE} characters")
    return copy


#: characters of the names in an object up to which equal ones are shared
MAX_SHARED = 1024


def _visibilities(value: Any) -> dict[str, Any]:
    try:
        return _shared(*value, *value.values())
    except TypeError:
        return _object(value)


@functools.lru_cache(maxsize=4096, typed=True)
def _shared(*names_and_values: Any) -> dict[str, Any]:
    """Return a checked object of integers; cached, so that the tasks of a family share one. TypeError for others."""
    half = len(names_and_values) // 2
    names, values = names_and_values[:half], names_and_values[half:]
    if any(type(value) is not int for value in values) or sum(map(len, names)) > MAX_SHARED:
        raise TypeError
    return _object(dict(zip(names, values)))


def _identifiers(value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple, set, frozenset)):
        raise TypeError
    limit(len(value), MAX_IDS, "ids in a list")
    return tuple(map(_identifier, value)) if value else ()


def _demand(value: Any) -> Demand:
    limit(len(value), MAX_DEMANDS, "resources of a task")
    return tuple(sorted((_identifier(name), _amount(amount)) for name, amount in value.items())) if value else ()


def _numbers(value: Any) -> dict[str, Number]:
    limit(len(value), MAX_DEMANDS, "resources of a task")
    return {name: _number(amount) for name, amount in value.items()}


def _info(value: Any) -> dict[str, Any]:
    info = _object(dict(value))
    _amount(info.get("workers", 1))
    return info


def _retry_policy(value: Any) -> dict[str, Number]:
    get = value.get
    return {name: _number(get(name)) for name in RetryPolicy._fields if get(name) is not None}


def choice(*words: str) -> Kind:
    """Return the kind of one of some words."""
    return Kind(Meanings(zip(words, words)).__getitem__, f"one of {', '.join(words)}", {"enum": words})


STRING = {"type": "string", "maxLength": MAX_TEXT}
NAME = {**STRING, "minLength": 1}
NUMBER = {"type": "number"}
AMOUNT = {**NUMBER, "minimum": 0}
COUNT_SCHEMA = {"type": "integer", "minimum": 0, "maximum": sys.maxsize}
FLAG = {"enum": [True, False, None, 0, 1]}


def _array_of(items: Mapping[str, Any], most: int) -> dict[str, Any]:
    return {"type": "array", "items": items, "maxItems": most}


def _object_of(values: Mapping[str, Any], most: int, names: Mapping[str, Any] = NAME) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": values, "maxProperties": most, "propertyNames": names}


INFO = {"type": "object", "properties": {"workers": AMOUNT}}
POLICY = {"type": "object", "properties": {name: {"type": ["number", "null"]} for name in RetryPolicy._fields}}

Identifier = Annotated[str, Kind(_identifier, "a string that is not empty", NAME)]
Identifiers = Annotated[
    tuple[str, ...], Kind(_identifiers, "a list of strings that are not empty", _array_of(NAME, MAX_IDS))
]
Text = Annotated[str, Kind(_text, "a string", STRING)]
Flag = Annotated[bool, Kind(_flag, "true or false", FLAG, nullable=True)]
FlagOrNull = Annotated[Optional[bool], Kind(_flag_or_null, "true, false or null", FLAG, nullable=True)]
Status = Annotated[str, choice(*STATUSES)]
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
Visibilities = Annotated[Mapping[str, Any], Kind(_visibilities, "an object", {"type": "object"})]
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
    params: dict[str, Param]
    #: the same by what every call asks: name -> (that of the parameter, check), those required, those nullable. A call
    #: finds its parameters by identity; names that came over the wire are equal, which it tries last and one by one
    checks: dict[str, tuple[str, Callable[[Any], Any]]]
    required: frozenset[str]
    nullable: frozenset[str]
    rest: Kind | None
    doc: str
    changes: bool
    #: of a listing: called with the scheduler and the arguments, yields the JSON of the reply's entries, some at a time
    entries: Callable[..., Iterator[str]] | None = None

    def clean(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return checked copies of `arguments`, without unknown ones and nulls that mean the default.

        Raises BadRequest for what is missing or wrong.
        """
        cleaned = {}
        try:
            find, nullable = self.checks.get, self.nullable
            for name, value in arguments.items():
                if value is not None or name in nullable:
                    found = find(name)
                    if found:
                        own, check = found
                        cleaned[own] = check(value)
                    elif self.rest:
                        cleaned[name] = self.rest.check(value)
        except TooMuch as error:
            raise TooMuch(f"argument {shown(name)} of {self.name}: {error}") from None
        except (ValueError, TypeError, AttributeError):
            kind = self.kind(name)
            assert kind is not None  # or nothing would have been checked
            raise BadRequest(f"argument {shown(name)} of {self.name} must be {kind.says}, not {shown(value)}") from None
        if not self.required <= cleaned.keys():
            name = next(name for name in self.params if name in self.required and name not in cleaned)
            raise BadRequest(f"{self.name} needs the argument {name!r}: {self.params[name].kind.says}")
        return cleaned

    def kind(self, name: str) -> Kind | None:
        """Return what an argument must be, None if there is no such argument."""
        return self.params[name].kind if name in self.params else self.rest


#: name -> Rpc: all that the wire may call
RPC_METHODS: dict[str, Rpc] = {}


#: in a function's flags: it takes keyword arguments of any name
TAKES_ANY_KEYWORD = 0x08


def describe(method: Callable[..., Any], changes: bool) -> Rpc:
    """Return what the signature, the kinds in it and the docstring of a method say of the call that it is."""
    code, defaults = method.__code__, method.__kwdefaults__ or {}
    last = code.co_argcount + code.co_kwonlyargcount
    kinds = {name: kind_of(method, name) for name in code.co_varnames[code.co_argcount : last]}
    params = {name: Param(name, kind, name not in defaults, defaults.get(name)) for name, kind in kinds.items()}
    rest = kind_of(method, code.co_varnames[last]) if code.co_flags & TAKES_ANY_KEYWORD else None
    checks = {name: (name, kind.check) for name, kind in kinds.items()}
    nullable = frozenset(name for name, kind in kinds.items() if kind.nullable)
    required = frozenset(kinds).difference(defaults)
    return Rpc(method.__name__, params, checks, required, nullable, rest, method.__doc__ or "", changes)


def kind_of(method: Callable[..., Any], argument: str) -> Kind:
    """Return the kind of an argument, of which the annotation is the name."""
    hint = method.__globals__[method.__annotations__[argument]]
    return next(item for item in hint.__metadata__ if isinstance(item, Kind))


def rpc(method: Callable[..., Any], changes: bool = True) -> Callable[..., Any]:
    """Publish a method of StateMachine whose annotations are kinds: arguments checked, clock read, lock held."""
    spec = RPC_METHODS[method.__name__] = describe(method, changes)

    @functools.wraps(method)
    def call(self: StateMachine, /, **arguments: Any) -> Any:
        return self._perform(method, spec.clean(arguments), changes)

    return call


#: publishes a method that reads
query = functools.partial(rpc, changes=False)


def listing(method: Callable[..., Iterator[dict[str, Any]]]) -> Callable[..., dict[str, Any]]:
    """Publish a method that reads much: it returns an iterator over parts of its reply.

    The method runs, and each part is made, under the lock, which is free for other calls in between. Its first argument
    makes an entry of the reply from a task: for the process an object, for the wire its JSON, which tasks keep ready.
    """

    def parts(self: StateMachine, entry: Callable[..., Any], arguments: Mapping[str, Any]) -> Iterator[Any]:
        found = self._perform(method, {"entry": entry, **spec.clean(arguments)}, changes=False)
        return iter(lambda: self._perform(lambda _: next(found, None), {}, changes=False), None)

    def entries(self: StateMachine, /, **arguments: Any) -> Iterator[str]:
        for part in parts(self, self._encode, arguments):
            yield ",".join(item if isinstance(item, str) else encode_entry(key, item) for key, item in part.items())

    @functools.wraps(method)
    def call(self: StateMachine, /, **arguments: Any) -> dict[str, Any]:
        return dict(itertools.chain.from_iterable(map(dict.items, parts(self, self._node, arguments))))

    spec = RPC_METHODS[method.__name__] = describe(method, changes=False)._replace(entries=entries)
    return call


def brief_report(report: Any) -> str | None:
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


class Census(NamedTuple):
    """How much there is."""

    #: status -> tasks
    tasks: dict[str, int]
    #: "active" and "disabled" -> workers
    workers: dict[str, int]
    #: workers that run something
    busy: int
    #: resource -> how much of it is used, and how much there is
    resources: dict[str, tuple[Number, Number]]
    paused: bool


#: The settings that may change while calls go on.
CHANGEABLE_SETTINGS = (
    *("retry_delay", "retry_count", "disable_window", "disable_hard_timeout", "disable_persist", "remove_delay"),
    *("worker_disconnect_delay", "stable_done_cooldown_secs", "prune_on_get_work", "pause_enabled", "send_messages"),
    *("max_shown_tasks", "max_graph_nodes"),
)


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
        resources: Mapping[str, Number] | None = None,
        **settings: Any,
    ) -> None:
        self._settings = scheduler_settings(**settings)
        self._policy = tuple(getattr(self._settings, name) for name in RetryPolicy._fields)
        self._clock = clock
        #: epoch seconds of the running call
        self._now = clock()
        #: guards the agenda and `_now`
        self._lock = threading.Lock()
        #: how long calls waited for it, of those that had to; written under it
        self.lock_waits = Timing()
        self._agenda = Agenda()
        self._agenda.totals.update(resources or {})
        self._agenda.retry_delay = self._settings.retry_delay
        self._agenda.disable_persist = self._settings.disable_persist
        #: lines of the running call for the log: level, message, its arguments
        self._lines: list[tuple[int, str, tuple[Any, ...]]] = []
        #: whether anybody hears of events; those of the running call, each with its task
        self._is_heard = False
        self._told: list[tuple[Event, Task | None]] = []

    def change_settings(self, **settings: Any) -> None:
        """Go on with other values, as `scheduler_settings` gives them, of some settings in CHANGEABLE_SETTINGS.

        What was settled by the old ones stays: when a failed task is tried again, and when a lost interest removes one.
        """
        agenda = self._agenda
        with self._lock:
            vars(self._settings).update(settings)
            self._policy = tuple(getattr(self._settings, name) for name in RetryPolicy._fields)
            agenda.retry_delay, agenda.disable_persist = self._settings.retry_delay, self._settings.disable_persist
            agenda.expect_words(self._settings.worker_disconnect_delay)
            resting = [*agenda.by_status[FAILED].values(), *agenda.by_status[DISABLED].values()]
        for start in range(0, len(resting), SLICE):
            with self._lock:
                agenda.reconsider(resting[start : start + SLICE])

    def validate(self) -> None:
        """Recompute all indexes and compare; AssertionError names the first that differs. Costs a walk over all."""
        with self._lock:
            self._agenda.validate()
            for task in self._agenda.tasks.values():
                if task.json is not None:
                    expect(task.json, encode_entry(task.id, self._serialize(task)), f"JSON of {task.id}")

    def census(self) -> Census:
        """Count what there is; costs a look at each worker and each resource."""
        with self._lock:
            agenda = self._agenda
            totals = {**dict.fromkeys(agenda.used, 1), **agenda.totals}
            return Census(
                {status: len(agenda.by_status[status]) for status in STATUSES},
                dict(collections.Counter(worker.state for worker in agenda.workers.values())),
                len(agenda.running_on),
                {name: (agenda.used.get(name, 0), total) for name, total in totals.items()},
                self._is_paused(),
            )

    def _perform(self, method: Callable[..., Any], arguments: Mapping[str, Any], changes: bool) -> Any:
        """Return what a method returns, called under the lock, when what it changed is kept."""
        if not self._lock.acquire(False):
            began = time.perf_counter()
            self._lock.acquire()
            self.lock_waits.add(time.perf_counter() - began)
        try:
            if changes:
                self._may_change()
            self._now = self._clock()
            try:
                reply = method(self, **arguments)
            finally:
                ticket = self._note_changes(changes)
        finally:
            lines = self._lines
            if lines:
                self._lines = []
            self._lock.release()
            for level, message, values in lines:
                logger.log(level, message, *values)
        if ticket:
            try:
                self._await(ticket)
            except Unavailable:
                if changes:
                    raise
        return reply

    def _log(self, level: int, message: str, *arguments: Any) -> None:
        """Log a line when the lock is given back: whoever reads the log may be slow, or not read at all."""
        if logger.isEnabledFor(level):
            self._lines.append((level, message, arguments))

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
        param_visibilities: Visibilities = NOTHING,
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
        self, task_id: str, task: Task | None, deps: tuple[str, ...] | None, new_deps: tuple[str, ...] | None
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

    def _retry_policy(self, given: Mapping[str, Number]) -> tuple[Number, ...]:
        policy = tuple(map(given.get, RetryPolicy._fields, self._policy)) if given else self._policy
        return self._policy if policy == self._policy else policy

    def _report(
        self,
        task: Task,
        speaker: Worker,
        status: str,
        batch_id: str | None,
        tracking_url: str | None,
        expl: Any,
        expanding: bool,
    ) -> None:
        if batch_id is not None:
            task.batch_id = batch_id
        batch = () if task.batch_id is None else self._batch_members(task.batch_id)
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

    def _batch_members(self, batch_id: str | None) -> list[Task]:
        if batch_id is None:
            return []
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

    def _set_status(self, task: Task, status: str, reason: str | None = None) -> None:
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
            self._log(logging.DEBUG, "task %s: %s -> %s", task.id, task.status, status)
            task.updated = self._now
            self._agenda.set_status(task, status)
            if status in (DONE, FAILED, DISABLED):
                self._tell(status, task, reason)
        self._agenda.settle(task)

    def _may_become(self, task: Task, status: str) -> bool:
        if task.status == DISABLED and task.scheduler_disable_time is not None:
            return status in (DISABLED, DONE)
        return status != DISABLED or task.status not in (RUNNING, BATCH_RUNNING)

    def _dissolve_batch(self, task: Task, status: str, reason: str | None) -> None:
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
        self._log(logging.WARNING, "task %s is disabled after %d failures", task.id, len(task.failures))
        return DISABLED

    def _pardon(self, task: Task) -> None:
        task.scheduler_disable_time = task.first_failure_time = None
        task.failures = ()

    def _re_enable(self, task: Task) -> None:
        self._pardon(task)
        self._set_status(task, FAILED, "re-enabled")

    # -- what happened is told -----------------------------------------------------------------------------------------

    def _tell(
        self,
        kind: str,
        task: Task,
        reason: str | None = None,
        speaker: Worker | None = None,
        report: Any = None,
        **more: Any,
    ) -> None:
        """Let those who attend hear of a task, and of the worker that runs it, unless another one speaks of it."""
        if not self._is_heard:
            return
        failures = 0
        deps: tuple[str, ...] = ()
        if kind in (FAILED, DISABLED):
            by_worker = kind == DISABLED and task.scheduler_disable_time is None
            failures, report = 0 if by_worker else len(task.failures), brief_report(task.expl)
            if kind == DISABLED and not by_worker:
                more["policy"] = task.retry_policy
        elif kind in (RUNNING, BATCH_RUNNING):
            deps = task.deps[:MAX_EVENT_DEPS]
        about = (task.id, task.family, task.params, task.hidden_params())
        worker_id = speaker.id if speaker else task.worker_running
        self._tell_of(task, kind, about, worker_id, task.time_running, failures, reason, report, deps, **more)

    def _tell_of(
        self,
        task: Task | None,
        kind: str,
        about: tuple[str, str, Mapping[str, Any], tuple[str, ...]],
        worker_id: str | None,
        *facts: Any,
        **more: Any,
    ) -> None:
        """Let hear of a task, if it is one that is known; `about` and `facts` are fields of an Event, in its order."""
        agenda = self._agenda
        agenda.told += 1
        worker = agenda.workers.get(worker_id) if worker_id else None
        event = Event(agenda.told, kind, self._now, *about, worker_id, worker and worker.host, *facts, **more)
        self._told.append((event, task))

    def _tell_failure(self, task: Task, speaker: Worker, family: str, expl: Any, owners: tuple[str, ...]) -> None:
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
    ) -> dict[str, Any]:
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

    def _lost_run(self, asker: Worker, current_tasks: Iterable[str]) -> Task | None:
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

    def _choose(self, asker: Worker, assistant: bool) -> list[Task]:
        if self._is_paused():
            return []
        alive_since = self._now - self._settings.worker_disconnect_delay
        task = self._agenda.choose(asker, assistant, alive_since)
        return [] if task is None else self._agenda.batch_with(asker, task)

    def _hand_out(self, batch: list[Task], asker: Worker) -> dict[str, Any]:
        if not batch:
            return {"task_id": None}
        first, status = batch[0], RUNNING
        reply: dict[str, Any] = {"task_id": first.id}
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

    def _batch_id(self, task_ids: list[str]) -> str:
        joint = "|".join(task_ids).encode("utf-8", "surrogatepass")
        return hashlib.new("md5", joint, usedforsecurity=False).hexdigest()

    @query
    def count_pending(self, *, worker: Identifier) -> dict[str, Any]:
        """Return how many tasks a worker may still come to run, and which of its tasks are running now, and where."""
        return self._outlook(self._worker(worker))

    def _outlook(self, worker: Worker) -> dict[str, Any]:
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
    def forgive_failures(self, *, task_id: Identifier = None) -> dict[str, Any]:
        """Make a FAILED task PENDING at once; its failures still count."""
        return self._force(task_id, PENDING, (FAILED,))

    @rpc
    def mark_as_done(self, *, task_id: Identifier = None) -> dict[str, Any]:
        """Make a RUNNING, FAILED or DISABLED task DONE."""
        return self._force(task_id, DONE, (RUNNING, FAILED, DISABLED))

    def _force(self, task_id: str | None, status: str, allowed: tuple[str, ...]) -> dict[str, Any]:
        task = self._agenda.tasks.get(task_id) if task_id else None
        if task is not None and task.status in allowed:
            if status == PENDING:
                self._tell(PENDING, task, "by hand")
            self._set_status(task, status, "by hand")
        return {"task_id": task_id, "status": None if task is None else task.status}

    @rpc
    def re_enable_task(self, *, task_id: Identifier) -> dict[str, Any]:
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
    def is_paused(self) -> dict[str, bool]:
        """Tell whether work is held back."""
        return {"paused": self._is_paused()}

    def _is_paused(self) -> bool:
        """Tell whether work is held back: not in a state that was paused before `pause_enabled` was switched off."""
        return self._agenda.paused and self._settings.pause_enabled

    @query
    def is_pause_enabled(self) -> dict[str, bool]:
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
    def ping(self, *, worker: Identifier) -> dict[str, Any]:
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
    def send_scheduler_message(self, *, worker: Identifier, task: Text, content: Anything) -> dict[str, str | None]:
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
    def get_scheduler_message_response(self, *, task_id: Text, message_id: Text) -> dict[str, Any]:
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
        self._log(logging.WARNING, "worker %s could not schedule %s", worker, task_name)
        if self._is_heard:
            about, rest = (task_name, family, params, ()), self._unbatched(worker or "", family, params)
            more = {"report": brief_report(expl), "owners": owners, "unbatched": rest}
            self._tell_of(None, SCHEDULING_FAILED, about, worker, None, **more)

    # -- a run tells of itself -----------------------------------------------------------------------------------------

    def _run(self, task_id: str) -> list[Task]:
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
    def get_task_status_message(self, *, task_id: Text) -> dict[str, Any]:
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
    def get_task_progress_percentage(self, *, task_id: Text) -> dict[str, Any]:
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
    def get_running_task_resources(self, *, task_id: Text) -> dict[str, Any]:
        """Return what a run holds of each resource, or None."""
        task = self._agenda.tasks.get(task_id)
        held = task.resources_running if task else None
        return {"taskId": task_id, "resources": None if held is None else dict(held)}

    @query
    def update_metrics_task_started(self, *, task: Anything) -> None:
        """Accept what stock's workers never send; starts are counted where they happen."""

    @query
    def report_task_statistics(self, *, task_id: Text, statistics: Anything) -> None:
        """Hand a run's own figures to who collects metrics."""
        task = self._agenda.tasks.get(task_id)
        if task is not None:
            self._tell(STATISTICS, task, report=statistics)

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
            silence = self._now - worker.last_active
            self._log(logging.INFO, "worker %s is gone: no word since %.0f s", worker.id, silence)
            if self._is_heard:
                self._tell_of(None, WORKER_LOST, ("", "", NOTHING, ()), worker.id, None)
        due = [(task, self._expire(task)) for task in self._agenda.pop_due(self._now, most)]
        for task, is_over in due:
            if is_over:
                self._log(logging.DEBUG, "task %s is removed", task.id)
                self._agenda.remove(task)

    def _expire(self, task: Task) -> bool:
        """Do what is due for a task; True if it is to be removed."""
        now, settings = self._now, self._settings
        if self._is_abandoned(task):
            self._log(logging.INFO, "task %s failed: its worker %s is gone", task.id, task.worker_running)
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
    def graph(self, entry: MakeEntry) -> Iterator[dict[str, Any]]:
        """Return all tasks by id, with their dependencies."""
        self._prune()
        seen: set[str] = set()
        walks = (self._walk(task_id, self._upstream, True, seen) for task_id in list(self._agenda.tasks))
        return sliced(entry, itertools.chain.from_iterable(walks))

    @listing
    def dep_graph(self, entry: MakeEntry, *, task_id: Text, include_done: Flag = True) -> Iterator[dict[str, Any]]:
        """Return a task and what it depends on by id, nearest first, at most `max_graph_nodes`; {} if unknown."""
        self._prune()
        known = task_id in self._agenda.tasks
        return sliced(entry, self._walk(task_id, self._upstream, include_done, set()) if known else ())

    @listing
    def inverse_dep_graph(
        self, entry: MakeEntry, *, task_id: Text, include_done: Flag = True
    ) -> Iterator[dict[str, Any]]:
        """Return a task and what depends on it, as `dep_graph` does; `deps` are then those that depend on a node."""
        self._prune()
        known = task_id in self._agenda.tasks
        return sliced(entry, self._walk(task_id, self._downstream, include_done, set()) if known else ())

    def _upstream(self, task: Task) -> Iterable[str]:
        return task.deps

    def _downstream(self, task: Task) -> Iterable[str]:
        return [dependent.id for dependent in self._agenda.dependents.get(task.id, ())]

    def _walk(
        self, root_id: str, neighbours: Callable[[Task], Iterable[str]], include_done: bool, seen: set[str]
    ) -> Iterator[tuple[str, Task | None, list[str], bool]]:
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

    def _node(self, task_id: str, task: Task | None, deps: list[str] | None = None, named: bool = True) -> Any:
        """Return a task, or what can be said of an unknown one, as an object."""
        node = self._serialize_unknown(task_id) if task is None else self._serialize(task, deps)
        if not named:
            del node["display_name"]
        return node

    def _encode(self, task_id: str, task: Task | None, deps: list[str] | None = None, named: bool = True) -> str:
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

    def _serialize_unknown(self, task_id: str) -> dict[str, Any]:
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

    def _serialize(self, task: Task, deps: Iterable[str] | None = None) -> dict[str, Any]:
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
    ) -> Iterator[dict[str, Any]]:
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
        known: dict[str, str] = {}

        def is_wanted(task: Task) -> bool:
            if words and not matches(task.display_name(), words):
                return False
            waits = upstream_status and task.status == PENDING
            return not waits or self._upstream_status(task, known) == upstream_status

        return is_wanted

    def _upstream_status(self, task: Task, known: dict[str, str]) -> str:
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
                known[current.id] = max((known[dep.id] for dep in deps), key=UPSTREAM_SEVERITY.__getitem__, default="")
            stack.pop()
        return known[task.id]

    @query
    def task_search(self, *, task_str: Text) -> dict[str, dict[str, Any]]:
        """Return the tasks whose id contains a text: status -> id -> task."""
        self._prune()
        found: dict[str, dict[str, Any]] = {}
        for task in self._agenda.tasks.values():
            if task_str in task.id:
                found.setdefault(task.status, {})[task.id] = self._serialize(task)
        return found

    @query
    def worker_list(self, *, include_running: Flag = True) -> list[dict[str, Any]]:
        """Return the workers, the latest started first, with what they run."""
        self._prune()
        workers = [self._serialize_worker(worker, include_running) for worker in self._agenda.workers.values()]
        return sorted(workers, key=lambda worker: worker["started"], reverse=True)

    def _serialize_worker(self, worker: Worker, include_running: bool) -> dict[str, Any]:
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
    def resource_list(self) -> list[dict[str, Any]]:
        """Return the resources that have a total, with the tasks that run with them."""
        self._prune()
        consumers: dict[str, dict[str, Any]] = {name: {} for name in self._agenda.totals}
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
    def fetch_error(self, *, task_id: Text) -> dict[str, Any]:
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


def sliced(entry: MakeEntry, found: Iterable[tuple[Any, ...]]) -> Iterator[dict[str, Any]]:
    """Yield parts of a listing; `found` has tuples of arguments for `entry`, the first of which is the id."""
    found = iter(found)
    while part := {item[0]: entry(*item) for item in itertools.islice(found, SLICE)}:
        yield part


def matches(text: str, words: Iterable[str]) -> bool:
    """Tell whether all words, casefolded already, are in a text."""
    text = text.casefold()
    return all(word in text for word in words)


# ======================================================================================================================
# 4. Scheduler, second half: what people ask
# ======================================================================================================================
#
# The page's calls. They read, and what they cost follows what changed or what is shown, not what exists:
#
#   Feed      says what changed since a revision, a number that rises with each call that changed something. A page
#             waits for it (`changes`) and reads again only what it shows.
#   indexes   those of section 3, and a census of the families that is kept in step with the feed: most answers are a
#             look at them.
#   turns     what no index answers walks over tasks, as a generator: the lock is free at each `yield`. A function that
#             is yielded runs without the lock, and what it returns is sent back.
#   keeping   what such a walk found is kept, and serves all pages for twenty times as long as it took, or a minute if
#             nothing changes: however many ask for it, it takes a twentieth of a core.
#
# Statuses are told as shown: a waiting task shows the gravest status upstream of it, if that is trouble. This is not as
# stock has it: to wait for what may run is no trouble, so UPSTREAM_MISSING_INPUT means that something upstream is
# PENDING which nobody can run. So only the tasks behind trouble are walked over, not all that wait.

# -- how questions are asked -------------------------------------------------------------------------------------------

#: name -> Rpc: what /api serves besides RPC_METHODS. Stock has none of them.
QUESTIONS: dict[str, Rpc] = {}

#: tasks walked over in one turn under the lock: about a millisecond
TURN = 1000
SIFTED = 4 * TURN  #: the same where each is only looked at

#: seconds between two turns. A lock that is given back and taken again at once is never had by those who wait for it.
BREATH = 0.0002

#: times that a walk must rest for as long as it took
REST = 20

#: seconds for which what was found behind trouble serves those who want an answer at once
PATIENCE = 5.0
SURVEY_PATIENCE = 60.0  #: the same of the survey of families, where it is not what was asked for

LONGEST_KEPT = 60.0  #: seconds for which it serves if nothing has changed: rates fall all by themselves
MAX_KEPT = 64  #: walks of which the results are kept; the oldest gives way

FEED_SIZE = 40_000  #: tasks of which the last change is known, at most; whoever asks for older ones reads all again
LONGEST_POLL = 30.0  #: seconds that a call may wait for a change
NEWS_INTERVAL = 0.3  #: seconds between two looks for one
MAX_POLLS = 200  #: calls that may wait at a time; others are answered at once

MAX_ROWS = 1000  #: rows in a reply
MAX_NAMED = 10_000  #: ids in a filter
MAX_WORDS = 100  #: words and parameters in a filter
MAX_SHOWN = 20  #: tasks shown with a cause
MAX_NEIGHBOURS = 200  #: dependencies shown of a task, and dependents
MAX_WALKED = 50_000  #: tasks walked over to explain one
MAX_AHEAD = 500  #: tasks counted that rank above one
MAX_ASKERS = 100  #: workers that an explanation looks at

MAX_NODES = 20_000  #: nodes in a reply
MAX_GRAPH_WALK = 200_000  #: tasks after which a walk for them ends

MAX_RUNS = 5000  #: runs in a reply
MAX_PIPELINES = 100  #: pipelines in a reply
MAX_PIPELINE = 200_000  #: tasks walked over for all of these
MAX_BEHIND = 20_000  #: tasks walked over for what waits behind a resource
BULK_TURN = 50  #: tasks changed in one turn

RECENT = 600.0  #: seconds: of what ended then, rates and durations are told
MAX_RECENT = 20_000  #: tasks looked at for these

#: statuses as shown: a waiting task shows the gravest one upstream. In the order of the trouble they mean.
SHOWN_STATUSES = (
    *(FAILED, DISABLED, UPSTREAM_FAILED, UPSTREAM_DISABLED, UPSTREAM_MISSING_INPUT),
    *(RUNNING, BATCH_RUNNING, PENDING, UNKNOWN, DONE),
)
TROUBLE_RANK = {status: rank for rank, status in enumerate(SHOWN_STATUSES)}
#: by hand -> the statuses it does something to
HAND_ACTIONS = {
    "forgive_failures": (FAILED,),
    "re_enable_task": (DISABLED,),
    "mark_as_done": (RUNNING, FAILED, DISABLED),
}


class Outdated(BadRequest):
    """What a call counts on is not so any more; nothing has been changed. To be looked at again."""


def _list_kind(item: Kind) -> Kind:
    def check(value: Any) -> tuple[Any, ...]:
        return tuple(dict.fromkeys(map(item.check, _identifiers(value))))

    return Kind(check, f"a list, each {item.says}", _array_of(item.schema, MAX_IDS))


def _hops(value: Any) -> int:
    return -1 if value in (None, -1) else _count(value)


SORTS = ("updated", "started", "running", "priority", "family", "name", "status", "worker")

Statuses = Annotated[tuple[str, ...], _list_kind(choice(*SHOWN_STATUSES))]
Sort = Annotated[str, choice(*SORTS, *(f"-{name}" for name in SORTS))]
Timestamp = Annotated[str, choice("updated", "started")]
HOPS = {**COUNT_SCHEMA, "minimum": -1}
Hops = Annotated[int, Kind(_hops, "a whole number, -1 for all", HOPS, nullable=True)]
#: a flag of which null means the default, as with all other kinds
Switch = Annotated[bool, Kind(_flag, "true or false", FLAG)]
Lanes = Annotated[str, choice("worker", "family")]
HandAction = Annotated[str, choice(*HAND_ACTIONS)]

#: what a generator that is a question yields: nothing, or what to do without the lock
Steps = Generator[Optional[Callable[[], Any]], Any, Any]


def question(method: Callable[..., Any], changes: bool = False) -> Callable[..., Any]:
    """Publish a method of Inspection as `rpc` does, in QUESTIONS. It may be a generator that returns its reply."""
    spec = QUESTIONS[method.__name__] = describe(method, changes)

    @functools.wraps(method)
    def call(self: Inspection, /, **arguments: Any) -> Any:
        return self._in_turns(method, spec.clean(arguments), changes)

    return call


class Filter(NamedTuple):
    """Which tasks a question is about: those that pass all that is set."""

    #: shown statuses, any of which
    status: tuple[str, ...] = ()
    #: families, any of which
    family: tuple[str, ...] = ()
    #: id of a worker that runs it, ran it last, or may run it
    worker: str = ""
    #: words, all of which are in the id, the displayed name or the worker, in any case
    search: str = ""
    #: public parameter -> text that is in its value, in any case
    params: Mapping[str, Any] = NOTHING
    #: epoch seconds between which `time` is: "updated", the last change of status, or "started", of the last run
    since: Number | None = None
    until: Number | None = None
    time: str = "updated"
    #: ids, any of which
    ids: tuple[str, ...] = ()


#: lets some of the tasks through, in their order
Sieve = Callable[[Iterable[Task]], Iterable[Task]]


# -- what changed ------------------------------------------------------------------------------------------------------


class Family:
    """How many tasks of a family there are, by status."""

    __slots__ = ("counts", "module")

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        #: module that defines it, as far as known
        self.module: str | None = None


@functools.lru_cache(maxsize=4096)
def paired(family: str, status: str) -> tuple[str, str]:
    """Return both; cached, so that tasks of a family share one tuple."""
    return family, status


class Feed:
    """What changed when. Not locked: the Scheduler's lock guards it.

    A revision counts on from the microsecond in which the feed began. So one of an earlier run, in which no more than a
    million calls a second can have been made, lies before it, and is known to be too old.
    """

    def __init__(self, revision: int, tasks: Iterable[Task]) -> None:
        self.revision = revision
        #: the last revision of which not everything is known that changed
        self._forgotten = self.revision
        #: task id -> revision of its last change, oldest first
        self._tasks: dict[str, int] = {}
        #: what else there is -> revision of its last change
        self._others = {"workers": self.revision, "resources": self.revision, "paused": self.revision}
        #: family -> how many; "" for tasks that nobody described yet
        self.families: dict[str, Family] = {}
        for task in tasks:
            self.count(task)

    def note(self, changed: Iterable[Task | Worker | tuple[str, ...]], stripped: bool) -> None:
        """Take note of what one call changed."""
        revision = self.revision = self.revision + 1
        tasks = self._tasks
        for item in changed:
            if type(item) is Task:
                tasks.pop(item.id, None)
                tasks[item.id] = revision
                self.count(item)
            elif type(item) is Worker:
                self._others["workers"] = revision
            else:
                self._others[f"{item[0]}s" if item[0] == "resource" else item[0]] = revision
        if stripped:  # of claims, by which nobody took note of the tasks
            self._forgotten = self._others["workers"] = revision
        if len(tasks) > FEED_SIZE:  # half of them at a time, for a dict is slow at losing its first
            older = list(itertools.islice(tasks.values(), len(tasks) // 2))
            self._forgotten = max(self._forgotten, older[-1])
            self._tasks = dict(itertools.islice(tasks.items(), len(older), None))

    def count(self, task: Task) -> None:
        """Bring the census up to date with a task."""
        was = task.counted
        if was and was[0] is task.family and was[1] is task.status:  # mostly, when nothing but a message has changed
            return
        if was:
            self._add(*was, -1)
        task.counted = paired(task.family, task.status) if task.status != GONE else None
        if task.counted:
            self._add(*task.counted, 1)
            family = self.families[task.family]
            family.module = family.module or task.module

    def _add(self, name: str, status: str, step: int) -> None:
        family = self.families.get(name)
        if family is None:
            family = self.families[name] = Family()
        counts = family.counts
        count = counts[status] = counts.get(status, 0) + step
        if not count:
            del counts[status]
            if not counts:
                del self.families[name]

    def knows(self, revision: int) -> bool:
        """Tell whether all that changed after a revision is known."""
        return self._forgotten <= revision <= self.revision

    def tasks_since(self, revision: int) -> list[str]:
        """Return the ids of the tasks that changed after a revision, the latest first."""
        found = itertools.takewhile(lambda task_id: self._tasks[task_id] > revision, reversed(self._tasks))
        return list(found)

    def others_since(self, revision: int) -> dict[str, bool]:
        """Return whether workers, resources and pausing changed after a revision."""
        return {name: self._others[name] > revision for name in ("workers", "resources", "paused")}


class Trouble:
    """The tasks that wait behind trouble, as they were at some moment not long ago. Not changed any more once made."""

    def __init__(self, found: dict[Task, str]) -> None:
        #: task -> its upstream status
        self.found = found
        #: upstream status -> how many
        self.counts = collections.Counter(found.values())
        #: upstream status -> the tasks that have it, the one that waits longest first
        self.behind: dict[str, list[Task]] = {status: [] for status in UPSTREAM_SEVERITY}
        for task in sorted(found, key=operator.attrgetter("order")):
            self.behind[found[task]].append(task)

    def by_family(self) -> dict[str, dict[str, int]]:
        """Return how many there are by family and upstream status. Called without the lock."""
        families: dict[str, dict[str, int]] = {}
        for (family, status), amount in collections.Counter((t.family, s) for t, s in self.found.items()).items():
            families.setdefault(family, {})[status] = amount
        return families


class Kept:
    """The result of a walk, for those who ask next."""

    def __init__(self) -> None:
        #: held while it is made anew
        self.lock = threading.Lock()
        self.result: Any = None
        #: revision at which it was made; None before that
        self.revision: int | None = None
        #: monotonic seconds at which it was made, and the processor's seconds that this took
        self.made = self.took = 0.0


class Inspection(StateMachine):
    """A state machine that answers what people ask: what changed, what is stuck and why, what is next."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._feed = Feed(int(self._now * 1e6), ())
        self._waiting = 0
        #: rises when those who wait for a change are to go
        self._dismissals = 0
        #: guards the two above and `_results`; nothing else is locked under it
        self._waiting_lock = threading.Lock()
        self._results: dict[Any, Kept] = {}

    def validate(self) -> None:
        """Recompute all indexes and compare, as StateMachine does, and the census of families and the labels."""
        super().validate()
        with self._lock:
            census: dict[str, dict[str, int]] = {}
            for task in self._agenda.tasks.values():
                counts = census.setdefault(task.family, {})
                counts[task.status] = counts.get(task.status, 0) + 1
                if task.label is not None:
                    expect(task.label, f"{task.id} {task.display_name()}".casefold(), f"label of {task.id}")
            expect({name: family.counts for name, family in self._feed.families.items()}, census, "census of families")

    def count_families(self) -> dict[tuple[str, str], int]:
        """Return how many tasks there are of each family in each status: (family, status) -> number."""
        with self._lock:
            families = self._feed.families.items()
            return {(name, status): number for name, each in families for status, number in each.counts.items()}

    # -- turns, and keeping --------------------------------------------------------------------------------------------

    def _in_turns(self, method: Callable[..., Any], arguments: Mapping[str, Any], changes: bool = False) -> Any:
        """Return what a method returns, or what a generator does, each step of which is taken under the lock."""
        answer = self._perform(method, arguments, changes)
        if not isinstance(answer, types.GeneratorType):
            return answer
        sent: Any = None
        while True:
            try:
                aside = self._perform(lambda _: answer.send(sent), {}, changes)  # noqa: B023
            except StopIteration as end:
                return end.value
            if aside:
                sent = aside()
            else:
                sent = None
                time.sleep(BREATH)

    def _keep(self, method: Callable[..., Steps], patience: float = 0.0, **arguments: Any) -> Any:
        """Return what a walk finds, or found lately, or in the last `patience` seconds. Called without the lock."""
        key = (method.__name__, *arguments.items())
        with self._waiting_lock:
            kept = self._results.pop(key, None) or Kept()
            self._results[key] = kept
            if len(self._results) > MAX_KEPT:
                del self._results[next(iter(self._results))]
        if not self._serves(kept, patience) and kept.lock.acquire(blocking=kept.revision is None):
            try:
                if not self._serves(kept, patience):
                    self._make(kept, method, arguments)
            finally:
                kept.lock.release()
        return kept.result

    def _serves(self, kept: Kept, patience: float) -> bool:
        if kept.revision is None:
            return False
        if kept.revision == self._feed.revision:
            patience = LONGEST_KEPT
        return time.monotonic() < kept.made + max(patience, REST * kept.took)

    def _make(self, kept: Kept, method: Callable[..., Steps], arguments: Mapping[str, Any]) -> None:
        revision, began = self._feed.revision, time.thread_time()
        kept.result = self._in_turns(method, arguments)
        kept.made, kept.took, kept.revision = time.monotonic(), time.thread_time() - began, revision

    # -- changes -------------------------------------------------------------------------------------------------------

    def _begin_feed(self) -> None:
        """Begin anew, with another agenda; under the lock."""
        for task in self._agenda.tasks.values():
            task.counted = None
        self._feed = Feed(max(int(self._clock() * 1e6), self._feed.revision + 1), self._agenda.tasks.values())

    def _publish(self) -> None:
        """Enter what the running call changed into the feed; under the lock, before it is forgotten."""
        agenda = self._agenda
        if agenda.changed or agenda.stripped:
            self._feed.note(agenda.changed, bool(agenda.stripped))

    def dismiss(self) -> None:
        """Have those who wait for a change answered, within NEWS_INTERVAL: their server closes."""
        with self._waiting_lock:
            self._dismissals += 1

    def _await_news(self, since: int, wait: float) -> None:
        """Return when the revision is another one than `since`, after `wait` seconds, or at once if too many wait."""
        with self._waiting_lock:
            if self._waiting >= MAX_POLLS:
                return
            self._waiting += 1
            dismissals = self._dismissals
        try:
            end = time.monotonic() + min(wait, LONGEST_POLL)
            # Looking again and again costs less than being woken by each of a thousand calls a second.
            while self._feed.revision == since and self._dismissals == dismissals and time.monotonic() < end:
                time.sleep(NEWS_INTERVAL)
        finally:
            with self._waiting_lock:
                self._waiting -= 1

    @question
    def changes(self, *, since: Count = 0, wait: Amount = 0, ids: Identifiers = None, limit: Count = MAX_ROWS) -> Steps:
        """Tell what changed after the revision `since`, and the counts by status; wait up to `wait` seconds for it.

        `reset`: more than is known here, or in another run of the daemon, so all must be read again. `tasks` and `gone`
        have at most `limit` ids, the latest first (`more`: there are more), and with `ids` only those among them.
        """
        if wait:
            yield functools.partial(self._await_news, since, wait)
        # Whoever waits for changes can wait for this, so that nobody else has to.
        trouble = yield functools.partial(self._trouble, at_once=False)
        feed = self._feed
        known = feed.knows(since)
        changed = feed.tasks_since(since) if known else []
        named = set(ids or ())
        wanted = changed if ids is None else [task_id for task_id in changed if task_id in named]
        told, tasks = wanted[:limit], self._agenda.tasks
        return {
            "revision": feed.revision,
            "reset": not known,
            "now": self._now,
            "counts": self._count_shown(trouble),
            "tasks": [task_id for task_id in told if task_id in tasks],
            "gone": [task_id for task_id in told if task_id not in tasks],
            "more": len(told) < len(wanted),
            "changed": len(changed),
            **feed.others_since(since),
        }

    # -- statuses as shown ---------------------------------------------------------------------------------------------

    def _trouble(self, at_once: bool = True) -> Trouble:
        """Return what waits behind trouble. Called without the lock."""
        return self._keep(Inspection._find_trouble, PATIENCE if at_once else 0.0)

    def _find_trouble(self) -> Steps:
        agenda = self._agenda
        found: dict[Task, str] = {}
        for status, sources in (
            (UPSTREAM_DISABLED, agenda.by_status[DISABLED].values()),
            (UPSTREAM_FAILED, agenda.by_status[FAILED].values()),
            (UPSTREAM_MISSING_INPUT, self._external()),
        ):
            stack = list(sources)
            while stack:
                for _ in range(min(TURN, len(stack))):
                    for dependent in agenda.dependents.get(stack.pop().id, ()):
                        if dependent.status == PENDING and dependent not in found:
                            found[dependent] = status
                            stack.append(dependent)
                yield None
        return (yield functools.partial(Trouble, found))

    def _external(self) -> Iterator[Task]:
        """Yield the tasks that wait for nothing, but that nobody can run."""
        for (_, workers, runnable), queue in self._agenda.queues.items():
            if not workers and not runnable:
                yield from (entry[-1] for entry in queue.heap if entry[-1].entry is entry)

    def _shown(self, task: Task, trouble: Trouble) -> str:
        """Return the status of a task, or what it waits for if that is trouble."""
        return task.status if task.status != PENDING else trouble.found.get(task, PENDING)

    def _count_shown(self, trouble: Trouble) -> dict[str, int]:
        counts = {status: len(tasks) for status, tasks in self._agenda.by_status.items() if status in TROUBLE_RANK}
        for status in (UPSTREAM_DISABLED, UPSTREAM_FAILED, UPSTREAM_MISSING_INPUT):  # may be from a moment before
            counts[status] = min(trouble.counts[status], counts[PENDING])
            counts[PENDING] -= counts[status]
        return counts

    # -- tasks: filtered, sorted, a page at a time ---------------------------------------------------------------------

    @question
    def tasks(
        self,
        *,
        status: Statuses = (),
        family: Identifiers = (),
        worker: Text = "",
        search: Text = "",
        params: Object = NOTHING,
        since: Priority = None,
        until: Priority = None,
        time: Timestamp = "updated",
        ids: Identifiers = (),
        sort: Sort = "status",
        offset: Count = 0,
        limit: Count = 50,
        count: Switch = True,
    ) -> Steps:
        """Return a page of tasks as rows: what `task_list` says of a task, and more.

        `total` is how many pass the filter; null if `count` is off and the search could stop when the page was full.
        Tasks that `sort` says nothing of come last, and those equal to it with the latest change first.
        """
        trouble = yield self._trouble
        wanted = Filter(status, family, worker, search, params, since, until, time, ids)
        end = min(offset + min(limit, MAX_ROWS), sys.maxsize)
        if sort in ORDERED:
            page, total = yield from self._find_in_order(wanted, sort, trouble, end, count)
        else:
            page, total = yield from self._find_and_sort(wanted, sort, trouble, end)
        rows = []
        for start in range(offset, len(page), SLICE):
            rows += [self._row(task, trouble) for task in page[start : start + SLICE] if task.status != GONE]
            yield None
        return {"total": total, "offset": offset, "rows": rows, "revision": self._feed.revision, "now": self._now}

    def _find_in_order(
        self, wanted: Filter, sort: str, trouble: Trouble, end: int, count: bool
    ) -> Generator[Any, Any, tuple[list[Task], int | None]]:
        """Find the first `end` tasks in an order that indexes have, and how many there are."""
        total, sieve, found = self._total(wanted, trouble), self._sieve(wanted, trouble), 0
        may_stop = total is not None or not count
        if may_stop and not wanted.ids and not self._is_crowded(wanted, sort, trouble):
            # mostly, a look at the first few is all, and takes no copies
            now = {status: tasks.values() for status, tasks in self._agenda.by_status.items()}
            few = itertools.islice(self._in_order(wanted, sort, trouble, now), 2 * TURN)
            page = list(itertools.islice(sieve(few), end))
            if len(page) == end:
                return page, total
        candidates, page = (yield from self._candidates(wanted, sort, trouble)), []
        while part := list(itertools.islice(candidates, SIFTED)):
            passed = list(sieve(part))
            page += passed[: end - len(page)]
            found += len(passed)
            if may_stop and len(page) == end:
                return page, total
            yield None
        return page, found

    def _is_crowded(self, wanted: Filter, sort: str, trouble: Trouble) -> bool:
        """Tell whether a look at the PENDING tasks would have to pass over many that are behind trouble."""
        if len(trouble.found) < TURN or not sort.endswith("status"):
            return False
        return sort == "-status" or (bool(wanted.status) and UPSTREAM_SEVERITY.keys().isdisjoint(wanted.status))

    def _find_and_sort(
        self, wanted: Filter, sort: str, trouble: Trouble, end: int
    ) -> Generator[Any, Any, tuple[list[Task], int]]:
        """Find the first `end` tasks by looking at all that there are, and how many these are."""
        valued, rest, falling = [], [], sort.startswith("-")
        value, sign = SORT_VALUES[sort.lstrip("-")], 1 if falling else -1
        candidates, sieve = (yield from self._candidates(wanted, "-updated", trouble)), self._sieve(wanted, trouble)
        while part := list(itertools.islice(candidates, TURN)):
            for task in sieve(part):
                key = value(task, self._now)
                if key is None:
                    rest.append(task)
                else:
                    valued.append((key, sign * task.order, task))
            yield None
        pick = heapq.nlargest if falling else heapq.nsmallest
        first = yield lambda: [item[-1] for item in pick(end, valued)]
        return first + rest[: end - len(first)], len(valued) + len(rest)

    def _total(self, wanted: Filter, trouble: Trouble) -> int | None:
        """Return how many tasks pass, if that is known without looking at them."""
        if wanted != Filter(status=wanted.status):
            return None
        counts = self._count_shown(trouble)
        return sum(counts[status] for status in wanted.status or counts)

    def _candidates(self, wanted: Filter, sort: str, trouble: Trouble) -> Generator[Any, Any, Iterator[Task]]:
        """Return the tasks that may pass, in one of the orders of ORDERED; also good for later turns."""
        tasks, by_status = self._agenda.tasks, self._agenda.by_status
        if wanted.ids:
            named = [tasks[task_id] for task_id in set(wanted.ids) if task_id in tasks]
            named.sort(key=operator.attrgetter("order"), reverse=sort != "updated")
            if sort.endswith("status"):
                sign = -1 if sort == "-status" else 1
                named.sort(key=lambda task: sign * TROUBLE_RANK[self._shown(task, trouble)])
            return iter(named)
        copies = {status: list(tasks.values()) for status, tasks in by_status.items()}
        if sort.endswith("status"):  # else the many behind trouble would have to be passed over again
            copies[PENDING] = yield lambda: [task for task in copies[PENDING] if task not in trouble.found]
        return self._in_order(wanted, sort, trouble, copies)

    def _in_order(self, wanted: Filter, sort: str, trouble: Trouble, by_status: Mapping[str, Any]) -> Iterator[Task]:
        """Yield the tasks in `by_status` that may pass, in an order of ORDERED; there they are in that of change."""
        shown = [status for status in SHOWN_STATUSES if status in (wanted.status or SHOWN_STATUSES)]
        if sort.endswith("status"):
            for status in shown[:: -1 if sort == "-status" else 1]:
                if status in UPSTREAM_SEVERITY:
                    yield from (t for t in reversed(trouble.behind[status]) if self._shown(t, trouble) == status)
                elif status == PENDING:
                    yield from (t for t in reversed(by_status[PENDING]) if t not in trouble.found)
                else:
                    yield from reversed(by_status[status])
            return
        lists = [by_status[status] for status in {PENDING if s in UPSTREAM_SEVERITY else s: None for s in shown}]
        if sort == "updated":
            yield from heapq.merge(*lists, key=operator.attrgetter("order"))
        else:
            yield from heapq.merge(*map(reversed, lists), key=lambda task: -task.order)

    def _sieve(self, wanted: Filter, trouble: Trouble) -> Sieve:
        """Return what lets the tasks through that pass a filter."""
        sieves = list(sieves_of(wanted))
        if wanted.status:
            sieves.append(lambda tasks: (task for task in tasks if self._shown(task, trouble) in wanted.status))
        return functools.partial(sift, sieves)

    def _row(self, task: Task, trouble: Trouble) -> dict[str, Any]:
        return {
            "id": task.id,
            **self._serialize(task),
            "shown": self._shown(task, trouble),
            "ready": task.entry is not None and bool(task.workers or task.runnable),
            "unmet": task.unmet,
            "module": task.module,
            "failures": len(task.failures),
            "retry": task.retry if task.status == FAILED and self._settings.retry_delay >= 0 else None,
            "batch_id": task.batch_id,
        }

    def _brief(self, task_id: str, trouble: Trouble) -> dict[str, Any]:
        """Return what is said of a task that stands beside another one."""
        task = self._agenda.tasks.get(task_id)
        if task is None or not task.family:
            said = self._serialize_unknown(task_id)
            family, params = said["name"], {}
        else:
            family, params = task.family, task.public_params()
        status = UNKNOWN if task is None else task.status
        shown = UNKNOWN if task is None else self._shown(task, trouble)
        return {"id": task_id, "family": family, "params": params, "status": status, "shown": shown}

    @question
    def task(self, *, task_id: Text) -> Steps:
        """Return a task's row with its neighbours and what decides about its future; null if it is not known."""
        trouble = yield self._trouble
        task = self._agenda.tasks.get(task_id)
        if task is None:
            return None
        dependents = [dependent.id for dependent in self._agenda.dependents.get(task_id, ())]
        disabled_at = task.scheduler_disable_time if task.status == DISABLED else None
        return {
            **self._row(task, trouble),
            **self._neighbours("deps", task.deps, trouble),
            **self._neighbours("dependents", dependents, trouble),
            "batch": [member.id for member in self._batch_members(task.batch_id)][:MAX_NEIGHBOURS],
            "batchable": task.batchable,
            "runnable": task.runnable,
            "stakeholders": sorted(task.stakeholders)[:MAX_NEIGHBOURS],
            "failure_times": list(task.failures[-MAX_NEIGHBOURS:]),
            "retry_policy": RetryPolicy(*task.retry_policy)._asdict(),
            "disabled_at": disabled_at,
            "disabled_until": None if disabled_at is None else disabled_at + self._settings.disable_persist,
            "removed_at": task.remove,
            "has_error": task.expl is not None,
            "revision": self._feed.revision,
            "now": self._now,
        }

    def _neighbours(self, name: str, task_ids: Iterable[str], trouble: Trouble) -> dict[str, Any]:
        """Return the first neighbours of a task, those in trouble before the others, and how many there are."""
        tasks = self._agenda.tasks

        def rank(task_id: str) -> tuple[int, str]:
            task = tasks.get(task_id)
            return TROUBLE_RANK[UNKNOWN if task is None else self._shown(task, trouble)], task_id

        ids = list(task_ids)
        shown = [self._brief(task_id, trouble) for task_id in heapq.nsmallest(MAX_NEIGHBOURS, ids, key=rank)]
        done = self._agenda.by_status[DONE]
        return {name: shown, f"{name}_total": len(ids), f"{name}_done": sum(task_id in done for task_id in ids)}

    @functools.partial(question, changes=True)
    def bulk(
        self,
        *,
        action: HandAction,
        status: Statuses = (),
        family: Identifiers = (),
        worker: Text = "",
        search: Text = "",
        params: Object = NOTHING,
        since: Priority = None,
        until: Priority = None,
        time: Timestamp = "updated",
        ids: Identifiers = (),
        dry_run: Switch = True,
        expected: Count = 0,
    ) -> Steps:
        """Do to all tasks that pass a filter what a call does to one; first count them, with `dry_run`.

        `eligible` are those `matched` that the action changes; `ids` has the first. To change them, say as `expected`
        how many these were: with more by now the call is refused.
        """
        trouble = yield functools.partial(self._trouble, at_once=False)
        wanted = Filter(status, family, worker, search, params, since, until, time, ids)
        matched, eligible = 0, []
        candidates, sieve = (yield from self._candidates(wanted, "updated", trouble)), self._sieve(wanted, trouble)
        while part := list(itertools.islice(candidates, TURN)):
            passed = list(sieve(part))
            matched += len(passed)
            eligible += [task for task in passed if is_eligible(action, task)]
            yield None
        if not dry_run and len(eligible) > expected:
            raise Outdated(f"there are {len(eligible)} such tasks, not {expected}; say as `expected` how many you saw")
        changed = 0
        for start in range(0, 0 if dry_run else len(eligible), BULK_TURN):
            for task in eligible[start : start + BULK_TURN]:
                if is_eligible(action, task):
                    getattr(StateMachine, action).__wrapped__(self, task_id=task.id)
                    changed += 1
            yield None
        found = {"matched": matched, "eligible": len(eligible), "changed": changed}
        return {"action": action, **found, "ids": [task.id for task in eligible[:MAX_SHOWN]], "dry_run": dry_run}

    # -- time line -----------------------------------------------------------------------------------------------------

    @question
    def runs(
        self,
        *,
        since: Priority = None,
        until: Priority = None,
        by: Lanes = "worker",
        family: Identifiers = (),
        worker: Text = "",
        limit: Count = MAX_RUNS,
    ) -> Steps:
        """Return the last run of each task that ran between two moments (epoch seconds; by default the last hour).

        `runs` has [lane, family, status, start, end or null, id], numbers in place of names that are in `lanes`,
        `families` and `statuses`. Not `complete`: there were more than `limit`, and earlier ones are missing.
        """
        since = self._now - 3600 if since is None else since
        until = math.inf if until is None else until
        by_status, sieves = self._agenda.by_status, list(sieves_of(Filter(family=family, worker=worker)))
        found: list[Task] = []
        for status in (RUNNING, BATCH_RUNNING, FAILED, DISABLED, DONE):
            goes_on = status in (RUNNING, BATCH_RUNNING)
            tasks = reversed(list(by_status[status].values()))
            while part := list(itertools.islice(tasks, TURN)):
                ran = (t for t in sift(sieves, part) if t.time_running is not None and t.time_running <= until)
                found += [t for t in ran if goes_on or t.updated >= since]
                yield None
                if not goes_on and part[-1].updated < since:
                    break
        most = min(limit, MAX_RUNS)
        latest = yield functools.partial(heapq.nlargest, most, found, key=operator.attrgetter("time_running"))
        lanes: dict[str, int] = {}
        families: dict[str, int] = {}
        statuses: dict[str, int] = {}
        rows = []
        for task in latest:
            goes_on = task.status in (RUNNING, BATCH_RUNNING)
            lane = (task.worker_running or "") if by == "worker" else task.family
            numbers = (number_of(lanes, lane), number_of(families, task.family), number_of(statuses, task.status))
            rows.append([*numbers, task.time_running, None if goes_on else task.updated, task.id])
        lists = {"lanes": list(lanes), "families": list(families), "statuses": list(statuses)}
        return {**lists, "runs": rows, "complete": len(found) <= most, "now": self._now}

    # -- the whole at a glance -----------------------------------------------------------------------------------------

    @question
    def overview(self) -> Steps:
        """Return the counts of everything, what is on and off, and the limits."""
        trouble = yield self._trouble
        agenda, settings, feed = self._agenda, self._settings, self._feed
        counts = self._count_shown(trouble)
        workers = list(agenda.workers.values())
        return {
            "now": self._now,
            "revision": feed.revision,
            "version": __version__,
            "counts": counts,
            "total": sum(counts.values()),
            "ready": sum(queue.live for (_, workers, runnable), queue in agenda.queues.items() if workers or runnable),
            "families": sum(1 for name in feed.families if name),
            "resources": len(agenda.totals),
            "workers": {
                "active": sum(not worker.disabled for worker in workers),
                "disabled": sum(worker.disabled for worker in workers),
                "processes": sum(worker.info.get("workers", 1) for worker in workers if not worker.disabled),
                "running": len(agenda.by_status[RUNNING]),
            },
            "paused": self._is_paused(),
            "features": {
                "pause": settings.pause_enabled,
                "messages": settings.send_messages,
                "history": settings.record_task_history,
                "retry": settings.retry_delay >= 0,
            },
            "limits": {
                "max_shown_tasks": settings.max_shown_tasks,
                "max_graph_nodes": settings.max_graph_nodes,
                "rows": MAX_ROWS,
            },
        }

    @question
    def families(self, *, offset: Count = 0, limit: Count = MAX_ROWS) -> Steps:
        """Return the families with the most tasks first: how many by status, how fast they run of late."""
        survey = yield functools.partial(self._keep, Inspection._survey)
        known = [(name, family) for name, family in self._feed.families.items() if name]
        known.sort(key=lambda item: (-sum(item[1].counts.values()), item[0]))
        page = known[offset : offset + min(limit, MAX_ROWS)]
        found = [self._family(name, family, survey) for name, family in page]
        return {"total": len(known), "as_of": survey["as_of"], "families": found, "now": self._now}

    def _family(self, name: str, family: Family, survey: Mapping[str, Any]) -> dict[str, Any]:
        counts, module = family.counts, family.module
        return {
            "family": name,
            "module": module,
            "package": (module or "").rpartition(".")[0],
            "counts": dict(counts),
            "total": sum(counts.values()),
            "running": counts.get(RUNNING, 0) + counts.get(BATCH_RUNNING, 0),
            "failed": counts.get(FAILED, 0) + counts.get(DISABLED, 0),
            "ready": survey["ready"].get(name, 0),
            "waiting": counts.get(PENDING, 0) - min(survey["ready"].get(name, 0), counts.get(PENDING, 0)),
            "upstream": dict(survey["upstream"].get(name, NOTHING)),
            "per_minute": survey["per_minute"].get(name, 0.0),
            "seconds": survey["seconds"].get(name),
        }

    def _survey(self) -> Steps:
        """Count what is ready, and measure what is done of late, by family."""
        trouble = yield self._trouble
        as_of, since = self._now, self._now - RECENT
        ready: collections.Counter[str] = collections.Counter()
        pending = list(self._agenda.by_status[PENDING].values())
        for start in range(0, len(pending), TURN):
            part = pending[start : start + TURN]
            ready.update(task.family for task in part if task.entry and (task.workers or task.runnable))
            yield None
        done = list(itertools.islice(reversed(self._agenda.by_status[DONE].values()), MAX_RECENT))
        recent = [task for task in done if task.updated >= since]
        if len(recent) == MAX_RECENT:
            since = recent[-1].updated
        runs: dict[str, list[float | None]] = {}
        for start in range(0, len(recent), TURN):
            for task in recent[start : start + TURN]:
                took = None if task.time_running is None else max(0.0, task.updated - task.time_running)
                runs.setdefault(task.family, []).append(took)
            yield None
        upstream = yield trouble.by_family
        minutes = max(as_of - since, 1.0) / 60
        return {
            "as_of": as_of,
            "ready": ready,
            "upstream": upstream,
            "per_minute": {name: round(len(ended) / minutes, 2) for name, ended in runs.items()},
            "seconds": {name: spread([took for took in ended if took is not None]) for name, ended in runs.items()},
        }

    # -- bottlenecks, and pipelines ------------------------------------------------------------------------------------

    @question
    def bottlenecks(self) -> Steps:
        """Return what holds things up: the resources that most waits for, and the families with most that is ready."""
        return (yield functools.partial(self._keep, Inspection._find_bottlenecks))

    def _find_bottlenecks(self) -> Steps:
        survey = yield functools.partial(self._keep, Inspection._survey)
        agenda, as_of = self._agenda, self._now
        wanting: dict[str, list[Queue]] = {}
        for (demand, _, _), queue in agenda.queues.items():
            for name, _ in demand:
                wanting.setdefault(name, []).append(queue)
        resources = []
        for name in {**agenda.totals, **dict.fromkeys(agenda.used), **dict.fromkeys(wanting)}:
            resources.append((yield from self._bottleneck(name, wanting.get(name, []))))
        resources.sort(key=lambda resource: (-resource["behind"] - resource["waiting"], -resource["used"]))
        ready = heapq.nlargest(MAX_SHOWN, survey["ready"], key=survey["ready"].get)
        known = self._feed.families
        families = [self._family(name, known[name], survey) for name in ready if name in known and name]
        return {"as_of": as_of, "resources": resources, "families": families}

    def _bottleneck(self, name: str, queues: list[Queue]) -> Generator[Any, Any, dict[str, Any]]:
        """Say what there is to say of a resource; `queues` are those of the tasks that need it."""
        agenda = self._agenda
        total, used, holders = agenda.totals.get(name, 1), agenda.used.get(name, 0), agenda.holders.get(name, {})
        longest = heapq.nsmallest(MAX_SHOWN, holders, key=lambda holder: holder.time_running or 0)
        found = {
            "name": name,
            "total": total,
            "used": used,
            "n_holders": len(holders),
            "holders": [describe_holder(holder, holders[holder]) for holder in longest],
            "wanted_by": sum(queue.live for queue in queues),
        }
        needs = {queue: dict(queue.key[0])[name] for queue in queues}
        short = [queue for queue in queues if needs[queue] + used > total]
        found["waiting"] = sum(queue.live for queue in short)
        found["impossible"] = sum(queue.live for queue in short if needs[queue] > total)
        entries = itertools.chain.from_iterable(queue.heap for queue in short)
        stack = [entry[-1] for entry in itertools.islice(entries, MAX_BEHIND) if entry[-1].entry is entry]
        behind: set[Task] = set()
        while stack and len(behind) < MAX_BEHIND:
            for _ in range(min(TURN, len(stack))):
                for dependent in agenda.dependents.get(stack.pop().id, ()):
                    if dependent.status == PENDING and dependent not in behind:
                        behind.add(dependent)
                        stack.append(dependent)
            yield None
        return {**found, "behind": len(behind), "behind_complete": not stack}

    @question
    def pipelines(
        self,
        *,
        family: Identifiers = (),
        search: Text = "",
        unfinished: Switch = True,
        offset: Count = 0,
        limit: Count = 20,
    ) -> Steps:
        """Return the tasks that nothing depends on, those in trouble first, and how far what leads up to each is.

        `counts` are of all that it depends on, and itself, by shown status, PENDING ones as `ready` or `waiting`. Tasks
        that depend on nothing are no pipelines.
        """
        arguments: dict[str, Any] = {"family": family, "search": search, "unfinished": unfinished, "offset": offset}
        return (yield functools.partial(self._keep, Inspection._find_pipelines, **arguments, limit=limit))

    def _find_pipelines(self, family: tuple[str, ...], search: str, unfinished: bool, offset: int, limit: int) -> Steps:
        trouble = yield self._trouble
        roots = yield functools.partial(self._keep, Inspection._find_roots)
        sieves, as_of = list(sieves_of(Filter(family=family, search=search))), self._now
        wanted = []
        for start in range(0, len(roots), TURN):
            part = (t for t in roots[start : start + TURN] if t.status not in ((DONE, GONE) if unfinished else (GONE,)))
            wanted += [(TROUBLE_RANK[self._shown(t, trouble)], -t.order, t) for t in sift(sieves, part)]
            yield None
        end = offset + min(limit, MAX_PIPELINES)
        page = (yield functools.partial(heapq.nsmallest, end, wanted))[offset:]
        pipelines, room = [], MAX_PIPELINE
        for _, _, root in page:
            progress = yield from self._progress(root, trouble, room)
            room -= progress["total"]
            pipelines.append({**self._brief(root.id, trouble), "display_name": root.display_name(), **progress})
        return {"total": len(wanted), "as_of": as_of, "pipelines": pipelines}

    def _find_roots(self) -> Steps:
        tasks, dependents, roots = list(self._agenda.tasks.values()), self._agenda.dependents, []
        for start in range(0, len(tasks), TURN):
            roots += [task for task in tasks[start : start + TURN] if task.deps and task.id not in dependents]
            yield None
        return roots

    def _progress(self, root: Task, trouble: Trouble, room: int) -> Generator[Any, Any, dict[str, Any]]:
        """Count what a task depends on by status, of `room` tasks at most; and what changed last."""
        tasks, seen, stack = self._agenda.tasks, {root.id}, [root]
        counts: dict[str, int] = {}
        updated = root.updated
        while stack and len(seen) <= room:
            for task in [stack.pop() for _ in range(min(SLICE, len(stack)))]:
                shown = self._shown(task, trouble)
                if shown == PENDING:
                    shown = "ready" if task.entry else "waiting"
                counts[shown] = counts.get(shown, 0) + 1
                updated = max(updated, task.updated)
                fresh = [dep for dep in task.deps if dep not in seen]
                seen.update(fresh)
                known = [tasks.get(dep) for dep in fresh]
                stack += [dep for dep in known if dep is not None]
                if None in known:
                    counts[UNKNOWN] = counts.get(UNKNOWN, 0) + known.count(None)
            yield None
        return {"counts": counts, "total": sum(counts.values()), "complete": not stack, "updated": updated}

    # -- the graph -----------------------------------------------------------------------------------------------------

    @question
    def graph_view(
        self,
        *,
        task_id: Text = "",
        up: Hops = -1,
        down: Hops = 0,
        hide_done: Switch = False,
        limit: Count = 1500,
        grouped: Switch = False,
    ) -> Steps:
        """Return the tasks around one, or with "" all there are, in few bytes: nodes as lists, edges as their indexes.

        `up` and `down` are how many steps to go towards dependencies and dependents, -1 for all. Of `total` tasks found
        the nearest `limit` are nodes; `complete` says that these are all. An edge is two indexes in a row in `edges`:
        the dependency, then what depends on it. `more_up` and `more_down` count neighbours that are no nodes. `grouped`
        makes one node of each family, with its `sizes`, its `counts` by status, and the `weights` of edges.
        """
        survey = yield functools.partial(self._keep, Inspection._survey, patience=SURVEY_PATIENCE)
        trouble = yield functools.partial(self._trouble, at_once=False)
        found: list[str] = []
        is_whole = True
        if not task_id:
            done = self._agenda.by_status[DONE] if hide_done else ()
            found = [name for name in self._agenda.tasks if name not in done]
        elif task_id in self._agenda.tasks:
            found, is_whole = yield from self._surroundings(task_id, up, down, hide_done)
        shown = functools.partial(self._shown, trouble=trouble)
        view = GraphView(self._agenda, found if grouped else found[: min(limit, MAX_NODES)], hide_done, shown)
        for start in range(0, len(view.ids), SLICE):
            view.add(start, start + SLICE)
            yield None
        typical = survey["seconds"]
        return {
            "task_id": task_id,
            "root": 0 if task_id and found and not grouped else None,
            "total": len(found),
            "complete": is_whole and len(view.ids) == len(found),
            "grouped": grouped,
            **((yield view.groups) if grouped else view.nodes()),
            "seconds": [(typical.get(family) or NOTHING).get("p50") for family in view.families],
            "revision": self._feed.revision,
            "now": self._now,
        }

    def _surroundings(
        self, task_id: str, up: int, down: int, hide_done: bool
    ) -> Generator[Any, Any, tuple[list[str], bool]]:
        """Find the tasks up to so many steps away, nearest first; tell whether these are all."""
        tasks, hidden = self._agenda.tasks, self._agenda.by_status[DONE] if hide_done else ()
        found = {task_id: None}
        walks = [(self._upstream, up, [task_id]), (self._downstream, down, [task_id])]
        looked = 0  # since the last turn: a chain has one task a step
        while (walks := [walk for walk in walks if walk[1] and walk[2]]) and len(found) < MAX_GRAPH_WALK:
            further = []
            for neighbours, steps, front in walks:
                reached: list[str] = []
                for start in range(0, len(front), SLICE):
                    for task in filter(None, map(tasks.get, front[start : start + SLICE])):
                        fresh = [name for name in neighbours(task) if name not in found and name not in hidden]
                        found.update(dict.fromkeys(fresh))
                        reached += fresh
                    looked += min(SLICE, len(front) - start)
                    if looked >= SLICE:
                        looked = 0
                        yield None
                further.append((neighbours, steps - 1, sorted(reached)))
            walks = further
        return list(found), not walks

    # -- why a task does not run ---------------------------------------------------------------------------------------

    @question
    def explain(self, *, task_id: Text) -> Steps:
        """Tell why a task does not run: `causes`, each with a sentence, the facts, and the calls that help.

        `ready`: the next `get_work` of any worker in `next_for` gives it out. If a PENDING task is not, the first cause
        is in the way, and so may others be.
        """
        trouble = yield self._trouble
        task = self._agenda.tasks.get(task_id)
        upstream = Upstream()
        if task is not None and task.unmet and task.status != DONE:
            yield from self._look_upstream(task, trouble, upstream)
        brief = functools.partial(self._brief, trouble=trouble)
        why = Explanation(self._agenda, self._settings, self._is_paused(), self._now, brief)
        if task is None or task.status == GONE:
            why.add("unknown", "The scheduler does not know this task.")
            return {"task_id": task_id, "known": False, "status": None, **why.summary()}
        yield from why.explain(task, upstream)
        return {
            "task_id": task_id,
            "known": True,
            "status": task.status,
            "shown": self._shown(task, trouble),
            "family": task.family,
            "display_name": task.display_name() if task.family else task_id,
            **why.summary(),
        }

    def _look_upstream(self, task: Task, trouble: Trouble, upstream: Upstream) -> Steps:
        """Find what a task waits for in the end: walk up through what itself waits for something unfinished."""
        tasks, done = self._agenda.tasks, self._agenda.by_status[DONE]
        seen, stack = {task.id}, [task]
        while stack and len(seen) < MAX_WALKED:
            for _ in range(min(SLICE, len(stack))):
                current = stack.pop()
                upstream.in_cycle |= task.id in current.deps
                ways = []
                for dep_id in current.deps:
                    if dep_id in seen or dep_id in done:
                        continue
                    seen.add(dep_id)
                    dep = tasks.get(dep_id)
                    if dep is not None and dep.status == PENDING and dep.unmet:
                        ways.append(dep)
                    else:
                        upstream.leaves.append(dep_id)
                # The way to trouble last, so that it is gone first: the walk may have to end early.
                stack += sorted(ways, key=lambda way: way in trouble.found)
            yield None
        upstream.waiting = len(seen) - 1 - len(upstream.leaves)
        upstream.complete = not stack


def is_eligible(action: str, task: Task) -> bool:
    """Tell whether an action by hand changes a task."""
    by_worker = task.status == DISABLED and task.scheduler_disable_time is None
    return task.status in HAND_ACTIONS[action] and not (action == "re_enable_task" and by_worker)


def number_of(numbers: dict[str, int], name: str) -> int:
    """Return the number of a name; a new one gets the next."""
    return numbers.setdefault(name, len(numbers))


class GraphView:
    """Tasks and the edges between them, as lists that a browser reads at once."""

    def __init__(self, agenda: Agenda, ids: list[str], hide_done: bool, shown: Callable[[Task], str]) -> None:
        self._agenda, self._shown = agenda, shown
        self._hidden = agenda.by_status[DONE] if hide_done else ()
        self.ids = ids
        self._index = {task_id: number for number, task_id in enumerate(ids)}
        #: family, and status -> its number
        self.families: dict[str, int] = {}
        self._statuses: dict[str, int] = {}
        self._family_of: list[int] = []
        self._status_of: list[int] = []
        self._edges: list[int] = []
        self._more_up: list[int] = []
        self._more_down: list[int] = []

    def add(self, start: int, end: int) -> None:
        """Enter a part of the nodes with their edges; under the lock."""
        for task_id in self.ids[start:end]:
            task = self._agenda.tasks.get(task_id)
            if task is None or not task.family:
                match = FAMILY_IN_ID.match(task_id)
                family, status = match.group(1) if match else UNKNOWN, UNKNOWN
            else:
                family, status = task.family, self._shown(task)
            self._family_of.append(number_of(self.families, family))
            self._status_of.append(number_of(self._statuses, status))
            deps = task.deps if task else ()
            here, known = self._index[task_id], [dep for dep in map(self._index.get, deps) if dep is not None]
            self._edges += itertools.chain.from_iterable((dep, here) for dep in known)
            dependents = self._agenda.dependents.get(task_id, ())
            self._more_up.append(sum(dep not in self._index and dep not in self._hidden for dep in deps))
            self._more_down.append(sum(d.id not in self._index and d.id not in self._hidden for d in dependents))

    def nodes(self) -> dict[str, Any]:
        """Return a node for each task."""
        return {
            "families": list(self.families),
            "statuses": list(self._statuses),
            "ids": self.ids,
            "family": self._family_of,
            "status": self._status_of,
            "more_up": self._more_up,
            "more_down": self._more_down,
            "edges": self._edges,
        }

    def groups(self) -> dict[str, Any]:
        """Return a node for each family. Called without the lock."""
        statuses = list(self._statuses)
        counts: list[dict[str, int]] = [{} for _ in self.families]
        for (family, status), amount in collections.Counter(zip(self._family_of, self._status_of)).items():
            counts[family][statuses[status]] = amount
        ends = map(self._family_of.__getitem__, self._edges)
        between = collections.Counter((dep, here) for dep, here in zip(ends, ends) if dep != here)
        return {
            "families": list(self.families),
            "sizes": [sum(amounts.values()) for amounts in counts],
            "counts": counts,
            "edges": list(itertools.chain.from_iterable(between)),
            "weights": list(between.values()),
        }


# -- why a task does not run -------------------------------------------------------------------------------------------


class Upstream:
    """What the unfinished dependencies of a task come down to."""

    def __init__(self) -> None:
        #: ids of the unfinished ones that wait for no other
        self.leaves: list[str] = []
        #: how many stand between
        self.waiting = 0
        #: whether all of them were found
        self.complete = True
        #: whether the task waits for itself
        self.in_cycle = False


def action(call: str, label: str, **arguments: Any) -> dict[str, Any]:
    """Return a call that may help, as an explanation has it."""
    return {"call": call, "label": label, "arguments": arguments}


def state_of(task: Task | None) -> str:
    """Return in a word or two how a task stands that others wait for, and that itself waits for none."""
    if task is not None and task.status == PENDING:
        return "ready" if task.runnable else "that no worker can run"
    status = UNKNOWN if task is None else task.status
    return {UNKNOWN: "that nobody described"}.get(status, status.lower().replace("_", " "))


def describe_holder(task: Task, amount: Number) -> dict[str, Any]:
    """Return what is said of a task that holds so much of a resource."""
    about = {"id": task.id, "family": task.family, "worker": task.worker_running, "since": task.time_running}
    return {**about, "amount": amount}


def in_words(seconds: float) -> str:
    """Return a duration for people: its largest unit."""
    for unit, size in (("day", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            amount = round(seconds / size)
            return f"{amount} {unit}{'s' if unit == 'day' and amount > 1 else ''}"
    return f"{max(0, round(seconds))} s"


def numbered(amount: Number, noun: str) -> str:
    """Return a noun with its number."""
    plural = noun[:-1] + "ies" if noun.endswith("y") else noun + ("es" if noun.endswith("s") else "s")
    return f"{amount} {noun if amount == 1 else plural}"


class Explanation:
    """Why a task does not run, found out under the lock; it changes nothing."""

    def __init__(
        self,
        agenda: Agenda,
        settings: types.SimpleNamespace,
        paused: bool,
        now: float,
        brief: Callable[[str], dict[str, Any]],
    ) -> None:
        """`brief` says what is shown of a task with some id."""
        self._agenda, self._settings, self._paused, self._now, self._brief = agenda, settings, paused, now, brief
        self.causes: list[dict[str, Any]] = []
        #: ids of the workers whose next get_work gives the task out, and of the tasks that go with it
        self.next_for: list[str] = []
        self._mates: list[str] = []
        #: whether a worker that may run it would be given one that ranks above
        self._is_preceded = False

    def add(
        self, kind: str, text: str, tasks: Iterable[str] = (), actions: Iterable[dict[str, Any]] = (), **facts: Any
    ) -> None:
        """Add a cause; of `tasks` the first are shown."""
        tasks = list(tasks)
        shown = [self._brief(task_id) for task_id in tasks[:MAX_SHOWN]]
        about = {"tasks": shown, "tasks_total": len(tasks), "actions": list(actions)}
        self.causes.append({"kind": kind, "text": text, **facts, **about})

    def summary(self) -> dict[str, Any]:
        """Return what was found."""
        return {
            "headline": self.causes[0]["text"] if self.causes else "Nothing is known to be in its way.",
            "ready": bool(self.next_for),
            "next_for": self.next_for,
            "causes": self.causes,
            "now": self._now,
        }

    def explain(self, task: Task, upstream: Upstream) -> Steps:
        """Find the causes, the gravest first."""
        special = {
            DONE: self._done,
            RUNNING: self._running,
            BATCH_RUNNING: self._batch_running,
            FAILED: self._failed,
            DISABLED: self._disabled,
            UNKNOWN: self._undescribed,
        }
        if task.status in special:
            special[task.status](task)
        if task.status in (PENDING, FAILED, DISABLED):
            yield from self._obstacles(task, upstream)

    def _obstacles(self, task: Task, upstream: Upstream) -> Steps:
        """Find what is in the way of a task that is to run, or if nothing is, who gets it."""
        if self._paused:
            resume = action("unpause", "Resume")
            self.add("paused", "The scheduler is paused: it gives out no work.", actions=[resume])
        askers, lacking = self._askers(task), list(self._lacking(task))
        may_be_given = task.entry is not None and not lacking and not self._paused
        if may_be_given:
            yield from self._find_takers(task, askers)
        if not askers and not self.next_for:
            self._nobody(task)
        if task.unmet:
            self._dependencies(task, upstream)
        for name, amount in lacking:
            self._resource(task, name, amount)
        if self.next_for:
            self._ready()
        elif may_be_given and askers:
            (self._queued if self._is_preceded else self._reserved)(task, askers)

    # -- statuses that say it all

    def _done(self, task: Task) -> None:
        until = task.updated + self._settings.stable_done_cooldown_secs
        text = f"It was done {in_words(self._now - task.updated)} ago."
        if until > self._now:
            text += f" For another {in_words(until - self._now)} nobody can schedule it anew."
        took = seconds_run(task, self._now)
        self.add("done", text, at=task.updated, seconds=took, cooldown_until=until if until > self._now else None)

    def _running(self, task: Task) -> None:
        worker, started = self._agenda.workers.get(task.worker_running), task.time_running
        members = self._batch(task)
        since = f" for {in_words(self._now - started)}" if started else ""
        text = f"It runs{since} on {task.worker_running or 'a worker that is gone'}."
        silent = lost_at = None
        if worker is not None:
            patience = self._settings.worker_disconnect_delay
            silent, lost_at = self._now - worker.last_active, worker.last_active + patience
            if silent > patience / 2:
                left = in_words(lost_at - self._now)
                text += f" That worker is silent for {in_words(silent)}: it is given up in {left}."
        self.add(
            "running",
            text,
            tasks=members,
            actions=[action("mark_as_done", "Mark it as done", task_id=task.id)],
            worker=task.worker_running,
            since=started,
            progress=detached(task.progress_percentage),
            message=detached(task.status_message),
            silent_for=silent,
            lost_at=lost_at,
            batch_id=task.batch_id if members else None,
        )

    def _batch_running(self, task: Task) -> None:
        members = self._batch(task)
        runs = self._agenda.running_on.get(task.worker_running, ())
        leaders = [run.id for run in runs if run.status == RUNNING and run.batch_id == task.batch_id]
        others = numbered(max(0, len(members) - 1), "other")
        self.add(
            "batch",
            f"It runs as part of a batch, with {others}, on {task.worker_running or 'a worker that is not known'}.",
            tasks=[*leaders, *members],
            batch_id=task.batch_id,
            worker=task.worker_running,
            since=task.time_running,
            leader=leaders[0] if leaders else None,
            members=len(members),
        )

    def _batch(self, task: Task) -> list[str]:
        members = self._agenda.batches.get(task.batch_id, ()) if task.batch_id else ()
        return [member.id for member in sorted(members, key=lambda member: member.order)]

    def _failed(self, task: Task) -> None:
        retry_at = task.retry if self._settings.retry_delay >= 0 else None
        again = "It is not tried again by itself."
        if retry_at is not None:
            wait = retry_at - self._now
            again = f"It is tried again in {in_words(wait)}." if wait > 0 else "It is tried again at once."
        policy = RetryPolicy(*task.retry_policy)
        self.add(
            "failed",
            f"It failed {in_words(self._now - task.updated)} ago. {again}",
            actions=self._help(task),
            at=task.updated,
            failures=len(task.failures),
            retry_count=policy.retry_count,
            retry_at=retry_at,
            has_error=task.expl is not None,
        )

    def _disabled(self, task: Task) -> None:
        at, policy = task.scheduler_disable_time, RetryPolicy(*task.retry_policy)
        if at is None:
            until = None
            text = "A worker disabled it; it stays so until a worker schedules it anew, or it is marked as done."
        else:
            until = at + self._settings.disable_persist
            failures, left = numbered(len(task.failures), "failure"), in_words(until - self._now)
            text = f"The scheduler disabled it after {failures}; it is enabled again in {left}."
        self.add(
            "disabled",
            text,
            actions=self._help(task),
            by="worker" if at is None else "scheduler",
            at=task.updated if at is None else at,
            until=until,
            failures=len(task.failures),
            retry_count=policy.retry_count,
            window=policy.disable_window,
            has_error=task.expl is not None,
        )

    def _undescribed(self, task: Task) -> None:
        dependents = sorted(dependent.id for dependent in self._agenda.dependents.get(task.id, ()))
        text = "A worker could not tell whether it is done."
        if not task.family:
            text = "It is only known as a dependency: no worker has described it."
        self.add("described", text, tasks=dependents, actions=[])

    def _help(self, task: Task, name: str = "it") -> Iterator[dict[str, Any]]:
        """Yield the calls that get a task out of trouble, with labels that call it by a name."""
        if task.status == FAILED:
            yield action("forgive_failures", f"Try {name} again", task_id=task.id)
        if task.status == DISABLED and task.scheduler_disable_time is not None:
            yield action("re_enable_task", f"Re-enable {name}", task_id=task.id)
        if task.status in (FAILED, DISABLED):
            yield action("mark_as_done", f"Mark {name} as done", task_id=task.id)

    # -- what is in the way of one that waits

    def _askers(self, task: Task) -> list[Worker]:
        """Return the workers that may be given a task."""
        workers = [self._agenda.workers[worker_id] for worker_id in task.workers]
        if task.runnable:
            workers += (w for w in self._agenda.workers.values() if w.assistant and w.id not in task.workers)
        return [worker for worker in workers if not worker.disabled]

    def _nobody(self, task: Task) -> None:
        known = self._agenda.workers
        disabled = sorted(name for name in task.stakeholders if name in known and known[name].disabled)
        if not task.runnable:
            text = "No worker can run it: what it stands for must come from elsewhere, and is not there yet."
        elif disabled:
            text = f"Its worker {disabled[0]} is disabled."
        else:
            text = "None of the workers that may run it is alive."
        if task.remove is not None:
            text += f" It is forgotten in {in_words(task.remove - self._now)}."
        self.add(
            "no_worker" if task.runnable else "external",
            text,
            actions=[action("mark_as_done", "Mark it as done", task_id=task.id)] if task.status != PENDING else [],
            disabled=disabled,
            last_worker=task.worker_running,
            removed_at=task.remove,
        )

    def _dependencies(self, task: Task, upstream: Upstream) -> None:
        known = [(task_id, self._agenda.tasks.get(task_id)) for task_id in upstream.leaves]
        known.sort(key=lambda leaf: TROUBLE_RANK[UNKNOWN if leaf[1] is None else leaf[1].status])
        states = collections.Counter(state_of(leaf) for _, leaf in known)
        text = f"It waits for {task.unmet} of {numbered(len(task.deps), 'dependency')}"
        if known:
            most = "" if upstream.complete else "at least "
            in_detail = ", ".join(f"{amount} {state}" for state, amount in states.items())
            text += f", in the end for {most}{numbered(len(known), 'task')}: {in_detail}."
        elif upstream.complete:
            text += ", which wait for each other in a circle."
        else:
            text += f", and through these for more than {numbered(upstream.waiting, 'task')}."
        shown = [leaf for _, leaf in known[:MAX_SHOWN] if leaf is not None]
        self.add(
            "dependencies",
            text,
            tasks=[task_id for task_id, _ in known],
            actions=[help_ for leaf in shown for help_ in self._help(leaf, leaf.display_name())],
            unmet=task.unmet,
            total=len(task.deps),
            waiting=upstream.waiting,
            states=dict(states),
            complete=upstream.complete,
            cycle=upstream.in_cycle,
        )

    def _lacking(self, task: Task) -> Iterator[tuple[str, Number]]:
        """Yield the resources that do not suffice for a task, with what it needs."""
        for demand in task.resources:
            if not self._agenda.fits((demand,), self._agenda.used):
                yield demand

    def _resource(self, task: Task, name: str, needs: Number) -> None:
        agenda = self._agenda
        total, used, holders = agenda.totals.get(name, 1), agenda.used.get(name, 0), agenda.holders.get(name, {})
        ahead = self._ahead(task, (queue for key, queue in agenda.queues.items() if name in dict(key[0])))
        if needs > total:
            text = f"It needs {needs} of the resource {name}, of which there are only {total}."
        else:
            before = f"; before it in line: {numbered(len(ahead), 'task')}" if ahead else ""
            text = f"It waits for {needs} of the resource {name}: {used} of {total} in use{before}."
        longest = sorted(holders, key=lambda holder: holder.time_running or 0)
        amount = math.ceil(needs if needs > total else used + needs)
        self.add(
            "resource",
            text,
            tasks=[holder.id for holder in longest],
            actions=[action("update_resource", f"Raise {name} to {amount}", resource=name, amount=amount)],
            resource=name,
            needs=needs,
            total=total,
            used=used,
            impossible=needs > total,
            holders=[describe_holder(holder, holders[holder]) for holder in longest[:MAX_SHOWN]],
            before=len(ahead),
        )

    def _ahead(self, task: Task, queues: Iterable[Queue]) -> list[Task]:
        """Return the tasks in some queues that rank above a task that is ready, MAX_AHEAD at most."""
        if task.entry is None:
            return []
        above = heapq.merge(*(queue.ranked() for queue in queues if queue.head() < task.entry))
        entries = itertools.takewhile(lambda entry: entry < task.entry, above)
        return [entry[-1] for entry in itertools.islice(entries, MAX_AHEAD)]

    def _find_takers(self, task: Task, askers: list[Worker]) -> Steps:
        """Find out who would be given a task that is ready; in a turn for each."""
        # Assistants, and workers with tasks that need resources, take along in a batch what they may not run alone.
        known, batchers = self._agenda.workers, self._agenda.batchers.items()
        batching = [known[name] for name, families in batchers if task.family in families and name in known]
        helpers = [worker for worker in batching if task.batchable and worker not in askers and not worker.disabled]
        for worker in [*askers[:MAX_ASKERS], *helpers[:MAX_ASKERS]]:
            yield None
            batch = self._share(worker)
            if task.entry is None:  # given out meanwhile
                return
            if task in batch:
                self.next_for.append(worker.id)
                self._mates = [mate.id for mate in batch if mate is not task]
            elif batch and worker in askers:
                self._is_preceded |= batch[0].entry < task.entry

    def _share(self, worker: Worker) -> list[Task]:
        """Return what a worker would be given if it asked now."""
        asked, worker.last_get_work = worker.last_get_work, self._now
        try:
            delay = self._settings.worker_disconnect_delay
            first = self._agenda.choose(worker, worker.assistant, self._now - delay)
        finally:
            worker.last_get_work = asked
        return [] if first is None else self._agenda.batch_with(worker, first)

    def _ready(self) -> None:
        known = self._agenda.workers
        state = [self._describe_worker(known[name]) for name in self.next_for if name in known]
        if not state:  # gone meanwhile
            return
        idle = [worker for worker in state if worker["running"] < worker["processes"]]
        if idle:
            text = f"It is ready: {idle[0]['id']} gets it with its next request for work."
            if idle[0]["asked_before"] is None:
                text = f"It is ready, but {idle[0]['id']} never asked for work."
            elif idle[0]["asked_before"] > 60:
                text = f"It is ready, but {idle[0]['id']} last asked for work {in_words(idle[0]['asked_before'])} ago."
            self.add("idle", text, workers=idle)
        else:
            first, n = state[0]["id"], int(state[0]["processes"]) + 1
            text = f"It is ready and next, but all processes of {first} are busy."
            if len(state) > 1:
                text = f"It is ready and next, but its {len(state)} workers have all processes busy."
            more = action("set_worker_processes", f"Give {first} {numbered(n, 'process')}", worker=first, n=n)
            self.add("busy", text, workers=state[:MAX_SHOWN], actions=[more])
        if self._mates:
            self.add(
                "batchable", f"It will run in a batch with {numbered(len(self._mates), 'other')}.", tasks=self._mates
            )

    def _describe_worker(self, worker: Worker) -> dict[str, Any]:
        given = self._agenda.running_on.get(worker.id, ())
        return {
            "id": worker.id,
            "host": worker.host,
            "processes": worker.info.get("workers", 1),
            "running": sum(task.status == RUNNING for task in given),
            "asked_before": None if worker.last_get_work is None else self._now - worker.last_get_work,
            "silent_for": self._now - worker.last_active,
            "assistant": bool(worker.assistant),
        }

    def _queued(self, task: Task, askers: list[Worker]) -> None:
        ids = {worker.id for worker in askers}
        helped = any(worker.assistant for worker in askers)
        queues = self._agenda.queues.items()
        mine = (queue for key, queue in queues if (helped and key[2]) or not ids.isdisjoint(key[1]))
        ahead = self._ahead(task, mine)
        amount = f"{'at least ' if len(ahead) == MAX_AHEAD else ''}{numbered(len(ahead), 'task')}"
        state = [self._describe_worker(worker) for worker in askers]
        free = sum(max(0, worker["processes"] - worker["running"]) for worker in state)
        self.add(
            "queue",
            f"It is ready, but {amount} of its workers rank{'s' if len(ahead) == 1 else ''} above it.",
            tasks=[other.id for other in ahead],
            before=len(ahead),
            free_processes=free,
            workers=state[:MAX_SHOWN],
        )

    def _reserved(self, task: Task, askers: list[Worker]) -> None:
        names = {name for name, _ in task.resources}
        queues = self._agenda.queues.items()
        ahead = self._ahead(task, (queue for key, queue in queues if not names.isdisjoint(dict(key[0]))))
        self.add(
            "reserved",
            f"What it needs is free, but kept for {numbered(len(ahead), 'task')} of other workers that rank above it.",
            tasks=[other.id for other in ahead],
            before=len(ahead),
            resources=sorted(names),
        )


# -- which tasks, and what is told of them -----------------------------------------------------------------------------


def spread(durations: list[float]) -> dict[str, Any] | None:
    """Return how long runs took: their number, median, 90th percentile and maximum in seconds; None if none did."""
    if not durations:
        return None
    durations.sort()
    at = {name: durations[min(len(durations) - 1, len(durations) * part // 100)] for name, part in PERCENTILES.items()}
    return {"n": len(durations), **at}


PERCENTILES = {"p50": 50, "p90": 90, "max": 100}


def sieves_of(wanted: Filter) -> Iterator[Sieve]:
    """Yield what lets the tasks through that pass a part of a filter, all but their status. Raises TooMuch."""
    words = wanted.search.casefold().split()
    if len(words) + len(wanted.params) > MAX_WORDS or len(wanted.ids) > MAX_NAMED:
        raise TooMuch(f"a filter may have {MAX_WORDS} words and parameters, and {MAX_NAMED} ids")
    if wanted.family:
        families = frozenset(wanted.family)
        yield lambda tasks: (task for task in tasks if task.family in families)
    if wanted.worker:
        worker = wanted.worker
        yield lambda tasks: (task for task in tasks if worker in task.workers or worker == task.worker_running)
    if wanted.since is not None or wanted.until is not None:
        moment = operator.attrgetter("updated" if wanted.time == "updated" else "time_running")
        since = -math.inf if wanted.since is None else wanted.since
        until = math.inf if wanted.until is None else wanted.until
        yield lambda tasks: (task for task in tasks if moment(task) is not None and since <= moment(task) <= until)
    for word in words:
        yield functools.partial(having, word)
    for name, value in wanted.params.items():
        yield functools.partial(filter, functools.partial(has_param, name, str(value).casefold()))


def sift(sieves: Iterable[Sieve], tasks: Iterable[Task]) -> Iterable[Task]:
    """Return the tasks that pass all sieves."""
    for sieve in sieves:
        tasks = sieve(tasks)
    return tasks


def having(word: str, tasks: Iterable[Task]) -> Iterator[Task]:
    """Yield the tasks that have a word, casefolded already, in their id, their displayed name or their worker."""
    # In line, because it is done for all tasks there are: a function called for each would take most of the time.
    for task in tasks:
        if word in (task.label or label_of(task)) or (task.worker_running and word in folded(task.worker_running)):
            yield task


folded = functools.lru_cache(maxsize=1024)(str.casefold)


def label_of(task: Task) -> str:
    """Return the id and the displayed name of a task, casefolded; kept with it once they are settled."""
    label = f"{task.id} {task.display_name()}".casefold()
    if task.family and task.params:  # which do not change any more
        task.label = label
    return label


def has_param(name: str, text: str, task: Task) -> bool:
    """Tell whether a text is in the value of a public parameter."""
    return (
        name in task.params
        and task.param_visibilities.get(name, PUBLIC) == PUBLIC
        and text in str(task.params[name]).casefold()
    )


def seconds_run(task: Task, now: float) -> float | None:
    """Return how long a task runs, or ran."""
    if task.time_running is None:
        return None
    return (now if task.status in (RUNNING, BATCH_RUNNING) else task.updated) - task.time_running


#: sort -> its value of a task at a time, None if it has none
SORT_VALUES: dict[str, Callable[[Task, float], Any]] = {
    "started": lambda task, now: task.time_running,
    "running": seconds_run,
    "priority": lambda task, now: task.priority,
    "family": lambda task, now: (task.family, task.id),
    "name": lambda task, now: task.id,
    "worker": lambda task, now: task.worker_running,
}
#: the sorts that indexes have
ORDERED = ("updated", "-updated", "status", "-status")


# ======================================================================================================================
# 5. Persistence
# ======================================================================================================================
#
# The promise: a reply means that what it acknowledges is kept. Changes go into a journal before the reply leaves, and
# the journal is folded into a snapshot from time to time. Beside `state_path`, the snapshot, stand
#
#   state_path.journal.N   the journals; N rises with each snapshot
#   state_path.lock        locked by the daemon to which all of this belongs; says which that is, and where it listens
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
LENGTH = struct.Struct("<I")
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

#: seconds within which a call must get its turn for the daemon to be called ready
READY_SECONDS = 1.0

#: one change, as described above
Change = tuple[Any, ...]


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


def make_header(generation: int) -> dict[str, Any]:
    """Return what a snapshot, or a journal that follows snapshot number `generation`, begins with."""
    return {
        "format": STATE_FORMAT,
        "version": STATE_VERSION,
        "generation": generation,
        "task_fields": TASK_FIELDS,
        "worker_fields": WORKER_FIELDS,
    }


def is_version(value: Any) -> bool:
    """Tell whether a value is a version of the format, major and minor."""
    return isinstance(value, (tuple, list)) and list(map(type, value)) == [int, int]


def check_header(header: Any, path: str) -> dict[str, Any]:
    """Return a header that this version reads; StateError for others."""
    if not isinstance(header, dict) or header.get("format") != STATE_FORMAT:
        raise StateError(f"{path} is no state of luigid; move it away to start empty, or choose another --state-path")
    if not is_version(header.get("version")):
        raise StateError(f"{path} does not say in which version of the format it is")
    version = ".".join(map(str, header["version"]))
    if tuple(header["version"]) > STATE_VERSION:
        own = ".".join(map(str, STATE_VERSION))
        raise StateError(f"{path} is in version {version} of the format, this luigid reads {own}; use a newer luigid")
    return header


task_fields = operator.attrgetter(*TASK_FIELDS)
worker_fields = operator.attrgetter(*WORKER_FIELDS)


def describe_changes(agenda: Agenda) -> list[Change]:
    """Return what is in `agenda.changed` and `agenda.stripped` as changes, and clear these. Mostly that is one task."""
    tasks: list[Task] = []
    workers: list[Worker] = []
    others: list[tuple[str, ...]] = []
    for item in agenda.changed:
        if type(item) is Task:
            tasks.append(item)
        elif type(item) is Worker:
            workers.append(item)
        else:
            others.append(item)
    changes: list[Change] = [("strip", *strip) for strip in agenda.stripped]
    if workers:
        known = agenda.workers.get  # a worker that is gone may have come back meanwhile, as another object
        changes += [("worker gone", worker.id) for worker in workers if known(worker.id) is not worker]
        changes += [("worker", worker_fields(worker)) for worker in workers if known(worker.id) is worker]
    if len(tasks) > 1:
        tasks.sort(key=lambda task: (task.status != GONE, task.seq))
    for task in tasks:
        changes.append(("task gone", task.id) if task.status == GONE else ("task", task_fields(task)))
    changes += [describe_common(agenda, item) for item in others]
    agenda.changed.clear()
    agenda.stripped.clear()
    return changes


def describe_common(agenda: Agenda, item: tuple[str, ...]) -> Change:
    """Return as a change what is neither a task nor a worker."""
    if item[0] == "batchers":
        return (*item, agenda.batchers.get(item[1], {}))
    if item[0] == "resource":
        return (*item, agenda.totals[item[1]])
    return ("told", agenda.state_id, agenda.told) if item[0] == "told" else ("paused", agenda.paused)


def capture(agenda: Agenda) -> list[Change]:
    """Return all that an agenda holds, as changes; costs a walk over everything."""
    return [*capture_common(agenda), *(("task", task_fields(task)) for task in agenda.tasks.values())]


def capture_common(agenda: Agenda) -> list[Change]:
    """Return what an agenda holds besides tasks, as changes."""
    changes: list[Change] = [("worker", worker_fields(worker)) for worker in agenda.workers.values()]
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
        self._apply: dict[str, Callable[..., None]] = {
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
        self.events: dict[int, Event] = {}
        #: ids of the workers that had a change of their own
        self._introduced: set[str] = set()

    def begin(self, header: Mapping[str, Any]) -> None:
        """Take the names of the fields that follow from a header; those this version does not have are passed over."""
        known = {"task_fields": TASK_FIELDS, "worker_fields": WORKER_FIELDS}
        self._setters = {
            kind: [(index, name) for index, name in enumerate(header[kind]) if name in fields]
            for kind, fields in known.items()
        }
        self._has_our_fields = tuple(header["task_fields"]) == TASK_FIELDS
        self._task_id = header["task_fields"].index("id")
        self._worker_id = header["worker_fields"].index("id")

    def apply(self, changes: list[Change]) -> None:
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

    def _put_task(self, fields: tuple[Any, ...]) -> None:
        task_id = fields[self._task_id]
        task = self.agenda.tasks.get(task_id) or self.agenda.create(task_id, UNKNOWN, self._now, ())
        if self._has_our_fields:
            task.restore(fields)
        else:
            for index, name in self._setters["task_fields"]:
                setattr(task, name, fields[index])
        for worker_id in task.stakeholders.union(task.workers):
            self._worker(worker_id).tasks.add(task)

    def _drop_task(self, task_id: str) -> None:
        self.agenda.tasks.pop(task_id, None)

    def _put_worker(self, fields: tuple[Any, ...]) -> None:
        worker = self._worker(fields[self._worker_id])
        if worker.id not in self._introduced:  # its place is here, also where a task has named it before
            self._introduced.add(worker.id)
            self.agenda.workers[worker.id] = self.agenda.workers.pop(worker.id)
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
        self._introduced.discard(worker_id)

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


def open_own(path: str, flags: int, mode: int = 0o640) -> int:
    """Open a file, as an opener for open(); a new one is for its owner and group at most, or as `mode` says.

    In a directory that others may write to, too, no link is followed: one of them could have put it there to have some
    other file of ours read, cut or written. Elsewhere a link is the operator's own, and meant.
    """
    shared = os.stat(os.path.dirname(os.path.abspath(path))).st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return os.open(path, flags | os.O_CLOEXEC | (os.O_NOFOLLOW if shared else 0), mode)


def create_file(path: str) -> int:
    """Create a file that only its owner can read, in place of any other; return its descriptor."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)


def frame(body: bytes) -> bytes:
    """Return a record of the journal."""
    length = len(body)
    return FRAME.pack(MARK, length, zlib.crc32(body, zlib.crc32(LENGTH.pack(length)))) + body


def unframe(data: bytes, offset: int) -> bytes | None:
    """Return the body of the sound record that begins at `offset`; None if there is none."""
    if len(data) < offset + FRAME.size:
        return None
    mark, length, checksum = FRAME.unpack_from(data, offset)
    body = data[offset + FRAME.size : offset + FRAME.size + length]
    sound = mark == MARK and len(body) == length and checksum == zlib.crc32(body, zlib.crc32(LENGTH.pack(length)))
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


def read_journal(path: str, restorer: Restorer, may_be_torn: bool) -> tuple[int, int]:
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


#: in place of the descriptor of a file: what is done with it is an OSError
NOT_OPEN = -1

#: seconds for which whoever takes a lock is patient with somebody who only looks at it
LOOK_SECONDS = 0.05


def try_lock(descriptor: int) -> bool:
    """Lock an open file for this process alone; False if another one has it. OSError."""
    for pause in (LOOK_SECONDS, 0.0):  # `lock_holder` has it for a moment
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                raise
        else:
            with contextlib.suppress(OSError):  # the process named in it is then known to be its owner's
                os.fchown(descriptor, os.geteuid(), -1)
            return True
        time.sleep(pause)
    return False


def lock_holder(path: str) -> str | None:
    """Return what is in the file at `path` if somebody has locked it, None if nobody has. OSError."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.read(descriptor, 4096).decode("utf-8", "replace")
    finally:
        os.close(descriptor)
    return None


class StateLock:
    """Belonging of a state to one process, on this machine or another one on the same disk."""

    def __init__(self, state_path: str) -> None:
        self._path = state_path + ".lock"
        self._descriptor = NOT_OPEN

    def take(self) -> str | None:
        """Take the lock, unless it is held already; return None, or who else has it."""
        if self.is_taken:
            return None
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            if not try_lock(descriptor):
                holder = os.read(descriptor, 1000).decode("utf-8", "replace").partition("\n")[0]
                os.close(descriptor)
                return holder or "another process"
            os.ftruncate(descriptor, 0)
            write_all(descriptor, f"pid {os.getpid()} on {socket.gethostname()}\n".encode())
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        return None

    def note(self, facts: Mapping[str, Any]) -> None:
        """Write down more about who holds it, as a line of JSON behind the first. OSError."""
        owner = os.pread(self._descriptor, 1000, 0).partition(b"\n")[0]
        text = b"%s\n%s\n" % (owner, encode_json(facts).encode())
        os.ftruncate(self._descriptor, os.pwrite(self._descriptor, text, 0))

    @property
    def is_taken(self) -> bool:
        """Whether this process has it."""
        return self._descriptor != NOT_OPEN

    def release(self) -> None:
        """Give the lock back, if it is held."""
        if self.is_taken:
            os.close(self._descriptor)
            self._descriptor = NOT_OPEN


class Journal:
    """The open journal. Its lock is taken, after the scheduler's is released, by those who wait for their changes."""

    def __init__(self, state_path: str, sync: str) -> None:
        """`sync` is the option `journal_sync`."""
        self._state_path = state_path
        self._always = sync == "always"
        #: changes not yet written, with their tickets; appended under the scheduler's lock
        self._waiting: collections.deque[tuple[int, list[Change]]] = collections.deque()
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
        self._descriptor = NOT_OPEN
        #: why changes cannot be kept; None if they can
        self.failure: str | None = None
        #: the journal in which that happened
        self._failed_in = 0
        #: N in the name of the file; bytes in it; monotonic time of its beginning; whether it has unsynced bytes
        self.generation = 0
        self.size = 0
        self.began = time.monotonic()
        self._unsynced = False
        #: how long syncs took; written by who holds `_syncing`, or with `always` `_lock`
        self.fsyncs = Timing()
        #: records written since a snapshot was begun; None when none is being made
        self._meanwhile: list[Change] | None = None

    def path(self, generation: int) -> str:
        """Return the name of the journal with a number."""
        return f"{self._state_path}.journal.{generation}"

    def append(self, changes: list[Change]) -> int:
        """Take changes to be written, under the scheduler's lock; return the ticket to wait with."""
        self._given += 1
        self._waiting.append((self._given, changes))
        return self._given

    @property
    def waiting(self) -> int:
        """Calls of which the changes are not written yet."""
        return len(self._waiting)

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
                self._fsync()
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
                self._fsync()
            except OSError as error:
                with self._lock:
                    raise self._fail(error) from error

    def _fsync(self) -> None:
        began = time.perf_counter()
        os.fsync(self._descriptor)
        self.fsyncs.add(time.perf_counter() - began)

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
        if self._descriptor == NOT_OPEN:
            return
        try:
            self.sync()
        finally:
            with self._lock:
                old, self._descriptor, self.failure = self._descriptor, NOT_OPEN, "luigid is stopping"
            os.close(old)

    def start_collecting(self) -> None:
        """Keep a copy of all changes from now on, for the snapshot that is being made."""
        with self._lock:
            self._meanwhile = []

    def stop_collecting(self) -> None:
        """Drop the copy: there will be no snapshot."""
        with self._lock:
            self._meanwhile = None

    def switch(self, generation: int, descriptor: int) -> list[Change]:
        """Go on in a journal that `create` made, and return what was collected until now.

        If changes cannot be kept at present, those are among it, so that a snapshot with it makes up for the failure.
        """
        with self._syncing:
            with contextlib.suppress(Unavailable):
                self._sync()  # most of it, while others may go on writing
            return self._exchange(generation, descriptor)

    def _exchange(self, generation: int, descriptor: int) -> list[Change]:
        with self._lock:
            try:
                self._write_waiting()
                self._fsync()
            except Unavailable:
                pass
            except OSError as error:
                self._fail(error)
            old, self._descriptor, self.generation = self._descriptor, descriptor, generation
            self.size, self.began, self._unsynced = 0, time.monotonic(), False
            collected, self._meanwhile = self._meanwhile or [], None
        with contextlib.suppress(OSError):  # it is synced, or known to have failed
            os.close(old)
        return collected

    def mend(self) -> None:
        """Take up keeping changes again, when a snapshot holds all that were taken until the journal in use began."""
        with self._lock:
            if self.failure is not None and self._failed_in < self.generation:
                self.failure, self._kept = None, self._taken
                logger.warning("the journal can be written again; changes are accepted")


def write_snapshot(path: str, generation: int, parts: Iterable[list[Change]]) -> int:
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


def fill_snapshot(path: str, generation: int, parts: Iterable[list[Change]]) -> int:
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


def journals(state_path: str) -> dict[int, str]:
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
    scheduler: Scheduler

    def hear(self, event: Event, task: Task | None, ticket: int) -> None:
        """Take note of an event, and return at once: this is under the scheduler's lock, in the order of events.

        `task` is the live one, to look at and copy from, not to keep. `Scheduler.await_ticket` returns when the event
        is in the journal.
        """

    def restore(self, events: list[Event]) -> None:
        """Take over the events that the state's files hold, when it is loaded; they may have been dealt with."""

    def carry(self) -> list[Event]:
        """Return what must not be forgotten with the journals before a snapshot, under the scheduler's lock."""
        return []

    def start(self) -> None:
        """Start the thread."""

    def flush(self) -> None:
        """Return when all that was heard is dealt with; Unavailable if that cannot be."""

    def close(self) -> None:
        """Deal with the rest, if that takes no long, and end."""

    def health(self) -> dict[str, Any]:
        """Return figures about itself, for `Scheduler.health`."""
        return {}


#: Makers of attendants that a scheduler has from the start if its settings say so; later sections add theirs.
ATTENDANTS: list[Callable[[types.SimpleNamespace], Attendant | None]] = []


class Scheduler(Inspection):
    """A state machine that outlives its process: with a state on disk, and a thread for upkeep.

    Making one starts no thread and touches no file; without `load` it lives in memory alone. `start` and `close` belong
    to the daemon.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        resources: Mapping[str, Number] | None = None,
        journal_sync: str = "everysec",
        **settings: Any,
    ) -> None:
        super().__init__(clock=clock, resources=resources, **settings)
        self._path = self._settings.state_path
        self._journal_sync = journal_sync
        self._journal: Journal | None = None
        self._state_lock = StateLock(self._path)
        #: held while a snapshot is made
        self._folding = threading.Lock()
        #: bytes of the last snapshot; when it was done, and the seconds it took, if this process made it
        self._snapshot_size = 0
        self._snapshot_time: float | None = None
        self._snapshot_seconds: float | None = None
        self._closing = threading.Event()
        self._upkeeper: threading.Thread | None = None
        #: monotonic seconds before which no snapshot is due
        self._next_fold = 0.0
        self._agenda.state_id = os.urandom(16).hex()
        self._attendants: list[Attendant] = []
        for make in ATTENDANTS:
            attendant = make(self._settings)
            if attendant is not None:
                self.attend(attendant)

    def attend(self, attendant: Attendant) -> None:
        """Let `attendant` hear of all events from now on; to be called before `load` and `start`."""
        attendant.scheduler = self
        self._attendants.append(attendant)
        self._is_heard = True

    @property
    def history(self) -> Attendant | None:
        """What records the task history, if that is on; see section 6."""
        return next((attendant for attendant in self._attendants if attendant.name == "history"), None)

    # What the state machine asks of us.

    def _may_change(self) -> None:
        if self._journal is not None and self._journal.failure is not None:
            raise Unavailable(self._journal.failure)

    def _note_changes(self, changes: bool) -> int:
        agenda, journal, told = self._agenda, self._journal, self._told
        self._publish()
        if told:
            self._told = []
        if journal is None:
            ticket = super()._note_changes(changes)
        elif agenda.changed or agenda.stripped or told:
            described = describe_changes(agenda)
            if told and self._settings.record_task_history:
                described += [("event", *event) for event, _ in told if event.kind in RECORDED]
            ticket = journal.append(described)
        else:  # what a call found to be so already, somebody else may still be waiting for
            ticket = journal.last_ticket() if changes else 0
        for event, task in told:
            for attendant in self._attendants:
                attendant.hear(event, task, ticket)
        return ticket

    def _await(self, ticket: int) -> None:
        if self._journal is not None:
            self._journal.wait(ticket)

    def await_ticket(self, ticket: int) -> None:
        """Return when the journal, if there is one, has all up to what an attendant heard; Unavailable if it cannot."""
        self._await(ticket)

    # What the daemon asks of us.

    def claim(self) -> str | None:
        """Make the state this process's alone; return None, or who has it. OSError."""
        os.makedirs(os.path.dirname(os.path.abspath(self._path)), mode=0o700, exist_ok=True)
        return self._state_lock.take()

    def note(self, facts: Mapping[str, Any]) -> None:
        """Write down beside the state what others want to know of the process that has it. OSError."""
        self._state_lock.note(facts)

    def responds(self, patience: float) -> bool:
        """Tell whether calls get their turn within `patience` seconds, and upkeep goes on."""
        if not self._lock.acquire(timeout=patience):
            return False
        self._lock.release()
        return self._upkeeper is None or self._upkeeper.is_alive()

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
            if not agenda.state_id:
                agenda.state_id = self._agenda.state_id
                agenda.changed[("told",)] = None
            self._agenda = agenda
            self._begin_feed()
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
            journal = self._journal
            if journal is None:
                self._write_alone()
            else:
                began, generation = time.monotonic(), journal.generation + 1
                self._snapshot_size = write_snapshot(self._path, generation, self._parts(journal, generation))
                self._snapshot_time, self._snapshot_seconds = self._clock(), time.monotonic() - began
                journal.mend()
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
                changes, carried = capture(self._agenda), self._carried()
            write_snapshot(self._path, generation, [changes, [("event", *event) for event in carried]])
            remove_journals(self._path, generation)
        finally:
            self._state_lock.release()

    def _carried(self) -> list[Event]:
        return [event for attendant in self._attendants for event in attendant.carry()]

    def _parts(self, journal: Journal, generation: int) -> Iterator[list[Change]]:
        # The last part ends the old journal, so all before the new one is in the snapshot, and nothing of the new one.
        descriptor = journal.create(generation)
        try:
            journal.start_collecting()
            with self._lock:
                common, tasks = capture_common(self._agenda), list(self._agenda.tasks.values())
                carried = self._carried()
            yield common + [("event", *event) for event in carried]
            for start in range(0, len(tasks), SLICE):
                with self._lock:
                    part = [("task", task_fields(t)) for t in tasks[start : start + SLICE] if t.status != GONE]
                yield part
            collected, descriptor = journal.switch(generation, descriptor), NOT_OPEN
            yield collected
        finally:
            if descriptor != NOT_OPEN:
                os.close(descriptor)
                journal.stop_collecting()

    def health(self) -> dict[str, Any]:
        """Return whether changes are accepted (`status`: "ok" or "degraded"), why not, and how the files stand."""
        journal = self._journal
        failure = journal.failure if journal else None
        return {
            "status": "degraded" if failure else "ok",
            "reason": failure,
            "state_path": self._path,
            "tasks": len(self._agenda.tasks),
            "workers": len(self._agenda.workers),
            "journal_bytes": journal.size if journal else None,
            "journal_waiting": journal.waiting if journal else None,
            "snapshot_bytes": self._snapshot_size,
            "snapshot_time": self._snapshot_time,
            "snapshot_seconds": self._snapshot_seconds,
            **{attendant.name: attendant.health() for attendant in self._attendants},
        }

    def readiness(self) -> dict[str, bool]:
        """Return what must be true for workers to be served; a state in memory alone is always as it should be."""
        journal, claimed = self._journal, self._state_lock.is_taken
        return {
            "state_loaded": journal is not None or not claimed,
            "disk_writable": not (journal and journal.failure),
            "responding": self.responds(READY_SECONDS),
        }

    def fsyncs(self) -> Timing:
        """Return how long syncs of the journal took."""
        return self._journal.fsyncs if self._journal else Timing()

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


def check_sequence(path: str, generation: int, numbers: list[int]) -> None:
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
        self.fields: dict[str, Any] = {}

    def __repr__(self) -> str:
        return f"<{self.kind}>"


def make_stock(kind: Any, arguments: Any) -> Any:
    """Return what stands for an object that a pickle wants made; UnpicklingError or TypeError if it may not be."""
    if type(kind) is not StockClass or type(arguments) is not tuple:
        raise pickle.UnpicklingError(f"it calls {shown(kind)}")
    return STOCK_CLASSES[kind.name](*arguments)


def listed(items: list[Any] | None = None) -> list[Any]:
    """Return what stands for a set or a deque: nothing is hashed but strings, since that of deep tuples crashes."""
    return [] if items is None else items


def ordered_set(items: list[Any] | None = None) -> Any:
    """Return what stands for an OrderedSet: made empty and filled with its fields by stock, made full by us."""
    return StockObject("OrderedSet") if items is None else items


def reconstructed(kind: StockClass, _base: StockClass, state: tuple[Any, ...] | None) -> Any:
    """Return what stands for an object that protocols 0 and 1 make."""
    return make_stock(kind, state or ())


#: all that the files of luigi 2.8 to 3.8 name, under Python 2 and 3, and what makes the data that stand for it
STOCK_CLASSES: dict[str, Callable[..., Any]] = {
    **{f"luigi.scheduler.{kind}": functools.partial(StockObject, kind) for kind in ("Task", "Worker", "Failures")},
    "luigi.scheduler.OrderedSet": ordered_set,
    "luigi.scheduler.RetryPolicy": lambda *numbers: numbers,
    **dict.fromkeys(("collections.deque", "builtins.set", "__builtin__.set"), listed),
    **dict.fromkeys(("copyreg._reconstructor", "copy_reg._reconstructor"), reconstructed),
    # only ever named as the base that `_reconstructor` is given
    **dict.fromkeys(("builtins.object", "__builtin__.object", "builtins.tuple", "__builtin__.tuple"), listed),
}


class Opcodes(dict[int, Callable[[Any], None]]):
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

    # what the machine has, and its published types do not say
    stack: list[Any]
    append: Callable[[Any], None]
    readline: Callable[[], bytes]
    pop_mark: Callable[[], list[Any]]

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

    def put(self, items: list[Any]) -> None:
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
            **{code: pickle._Unpickler.dispatch[code] for (code,) in map(vars(pickle).__getitem__, ADMITTED_OPCODES)},
            **dict.fromkeys((pickle.INT[0], pickle.LONG[0]), load_number),
            **dict.fromkeys((pickle.REDUCE[0], pickle.NEWOBJ[0]), load_call),
            pickle.BUILD[0]: load_fields,
            pickle.SETITEM[0]: load_item,
            pickle.SETITEMS[0]: load_items,
            pickle.DICT[0]: load_dictionary,
            pickle.EMPTY_SET[0]: pickle._Unpickler.dispatch[pickle.EMPTY_LIST[0]],
            pickle.ADDITEMS[0]: pickle._Unpickler.dispatch[pickle.APPENDS[0]],
            pickle.FROZENSET[0]: pickle._Unpickler.dispatch[pickle.LIST[0]],
        }
    )


def _numbers_of(value: Any) -> tuple[Number, ...]:
    return tuple(map(_number, value))


def _policy_of(value: Any) -> tuple[Number, ...]:
    return tuple(RetryPolicy(*_numbers_of(value)))


def _demand_of(value: Any) -> Demand:
    pairs = value.items() if isinstance(value, dict) else value
    return _demand({_identifier(name): amount for name, amount in pairs})


def _stakes_of(value: Any) -> frozenset[str]:
    return frozenset(_identifiers(value))


def _info_of(value: Any) -> dict[str, Any]:
    return _info(_object(value))


def _objects_of(value: Any) -> list[dict[str, Any]]:
    return list(map(_object, value))


def _batchers_of(value: Any) -> dict[str, tuple[tuple[str, ...], Number]]:
    return {_text(family): (_identifiers(names), _number(most)) for family, (names, most) in value.items()}


def or_none(check: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a check that lets None pass."""
    return lambda value: None if value is None else check(value)


#: name of a field -> (what may be in it, as for an argument of a call; what is in it if nothing is given)
Rules = Mapping[str, tuple[Callable[[Any], Any], Any]]

TASK_RULES: Rules = {
    "id": (_identifier, None),
    "family": (_text, ""),
    "module": (_text, None),
    "params": (_object, NOTHING),
    "param_visibilities": (_visibilities, NOTHING),
    "seq": (_count, 0),
    "deps": (_identifiers, ()),
    "resources": (_demand_of, ()),
    "priority": (_number, 0),
    "retry_policy": (_policy_of, STOCK_POLICY),
    "batchable": (_flag, False),
    "workers": (_identifiers, ()),
    "stakeholders": (_stakes_of, frozenset()),
    "runnable": (_flag, False),
    "status": (choice(*STATUSES).check, PENDING),
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
CHANGE_RULES: Mapping[str, tuple[Callable[[Any], Any], ...]] = {
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


def checked(rules: Rules, values: Mapping[str, Any], what: str) -> dict[str, Any]:
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


def fields_of(thing: Any, kind: str) -> dict[str, Any]:
    """Return the fields of an object of stock's; ValueError if it is not of that class."""
    if type(thing) is not StockObject or thing.kind != kind:
        raise ValueError(f"it has {shown(thing)} in place of its {kind}")
    return thing.fields


def members(collection: Any) -> list[str]:
    """Return what is in a set of stock's, in order. An OrderedSet is a ring of [key, previous, next] from `end` on."""
    if type(collection) is not StockObject:
        return list(map(_text, collection or ()))
    fields = fields_of(collection, "OrderedSet")
    found, node = [], fields["end"]
    for _ in fields["map"]:
        node = node[2]
        found.append(_text(node[0]))
    return found


def stock_task(thing: Any, task_id: str, seq: int, disabled: Mapping[str, bool]) -> dict[str, Any]:
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


def stock_worker(thing: Any, worker_id: str) -> dict[str, Any]:
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


def read_stock(path: str) -> list[Change] | None:
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


def restored(changes: list[Change]) -> Agenda:
    """Return an agenda made by changes."""
    restorer = Restorer(Agenda(), time.time(), 0)
    restorer.begin(make_header(0))
    restorer.apply(changes)
    restorer.finish()
    return restorer.agenda


def parts_of(agenda: Agenda) -> Iterator[list[Change]]:
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


def made(name: int, fields: Mapping[str, Any], built: Mapping[str, bytes], index: int | None = None) -> bytes:
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


def fingerprint(path: str) -> set[tuple[str, int, int | None]]:
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

    def apply(self, changes: list[Change]) -> None:
        """Make changes."""
        self.records += 1
        self.changes += len(changes)
        super().apply(changes)


class Findings(NamedTuple):
    """What a check found."""

    #: what to tell the operator, file by file
    lines: list[str]
    #: whether luigid starts with it
    usable: bool
    #: what can be read of it; None if it is no state of ours
    agenda: Agenda | None = None


def read_change(change: Any, header: Mapping[str, Any]) -> Change:
    """Return a change that nothing vouches for, checked; any exception if it cannot be used."""
    kind, *arguments = change
    if kind == "task":
        return task_change(dict(zip(header["task_fields"], *arguments)))
    if kind == "worker":
        return worker_change(dict(zip(header["worker_fields"], *arguments)))
    rules = CHANGE_RULES[kind]
    return (kind, *(check(argument) for check, argument in zip(rules, arguments)))


def read_list(value: Any, header: Mapping[str, Any]) -> tuple[list[Change], int]:
    """Return the changes in a list that make sense, and how many do not."""
    changes = []
    for change in value:
        with contextlib.suppress(ValueError, TypeError, AttributeError, KeyError):
            changes.append(read_change(change, header))
    return changes, len(value) - len(changes)


def readable(data: bytes) -> Iterator[tuple[Any, int]]:
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

    changes: list[Change]
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
            older = check_header({**own, **value}, path) if is_version(value.get("version", STATE_VERSION)) else own
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


def examine_snapshot(path: str, first: int, restorer: CountingRestorer) -> tuple[str, int, bool]:
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


def examine_journal(path: str, restorer: CountingRestorer | None, may_be_torn: bool) -> tuple[str, bool]:
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


def check_state(path: str) -> tuple[list[str], bool]:
    """Return what there is to tell of a state, file by file, and whether luigid starts with it. Changes nothing.

    OSError and StateError if that cannot be said. A daemon may be running with it.
    """
    findings = read_steady(path, examine)
    advice = [] if findings.usable else ["luigid does not start with it; --repair-state keeps what is counted here"]
    return [*findings.lines, *(advice if findings.agenda else [])], findings.usable


def repair_state(path: str) -> tuple[list[str], bool]:
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
# 6. Task history
# ======================================================================================================================
#
# With `record_task_history`, what happens to tasks goes into a database: stock's three tables, as its DbTaskHistory
# makes and reads them, and beside them what stock does not keep. Either opens what the other has written, and goes on.
#
#   tasks                id, task_id, name, host                     a row for each run, that is for each attempt
#   task_parameters      task_id (of tasks.id), name, value          hidden ones, too, as in stock
#   task_events          id, task_id (of tasks.id), event_name, ts   PENDING, RUNNING, DONE, FAILED, DISABLED; local
#   luigid_runs          run_id (of tasks.id) and what a run comes to, see RUN_COLUMNS; times in epoch seconds
#   luigid_deps          dep, run_id                                 what a run depended on when it began
#   luigid_progress      state_id, last_event                        how far the events of a state are recorded
#
# A run is open until the task is DONE, FAILED or DISABLED; the next event of the task opens another one. Rows that
# stock made hold all attempts of a task in the life of a daemon; luigid_runs then tells of the last one. They are
# filled in after the database is opened, newest first, in small steps between the events.
#
# The way of an event, so that a slow or dead database delays nobody, and each event is recorded once:
#
#   - The call that made it puts it into the journal and into a queue, and answers. The writer, the one thread here,
#     takes it out of the queue when it is in the database. A snapshot, which ends journals, carries what is in there.
#   - The writer makes sure that the journal has an event before the database gets it: what no client was told of, and a
#     kill undoes, is in neither. The number of the last event is written in the same transaction, and events up to it
#     are passed over when they come again: after a kill, or when the connection broke within a commit.
#   - When the database is away, or slower than what happens for long, the queue would fill the memory. Then the writer
#     moves it to the end of a file beside the state, the spool, and syncs that. What is in there comes before what is
#     in the queue; no snapshot carries it. It is framed as the journal is: a header, then lists of events.
#   - A server that does not answer is given up after ANSWER_PATIENCE, so that the writer gets to spooling.
#
# What one event has that the database refuses (which none should: texts are made fit before) costs this event and no
# other. Whatever else fails is the database being away: it is tried again, with pauses that grow up to RETRY_MOST.

#: seconds for which events gather before a transaction
LINGER = 0.1

#: events in a transaction at most
BATCH = 1000

#: what may wait in memory: each event is 1, and 1 for each 1024 characters of its report
QUEUE_LIMIT = 100_000

#: events a second that make a rush: calls come first then, and the writer takes out no more than that, as long as the
#: queue is less than half of QUEUE_LIMIT
WRITER_PACE = 1200

#: seconds before the database is tried again: at first, and at most
RETRY_FIRST, RETRY_MOST = 0.25, 15.0

#: seconds that the database has for the rest when the scheduler closes
CLOSING_PATIENCE = 10.0

#: seconds after which old runs are looked for
SWEEP_INTERVAL = 3600.0

#: rows in one step of deleting, and ids in one of filling in
SWEEP_STEP, FILL_STEP = 100, 1000

#: open runs that are remembered; others are looked up in the database
OPEN_RUNS = 20_000

#: dependencies of a run that are recorded
RECORDED_DEPS = 100

#: values in an SQL statement at most: what every SQLite takes
MAX_VALUES = 900


class HistoryUnavailable(Exception):
    """The database of the history cannot be reached; the message says why."""


# -- the database ------------------------------------------------------------------------------------------------------

#: kind of database -> the modules that may speak to it, the best first
DRIVERS = {"sqlite": ("sqlite3",), "postgresql": ("psycopg", "psycopg2"), "mysql": ("pymysql", "MySQLdb")}

#: what the address of a kind may begin with
SCHEMES = {"postgres": "postgresql", "mariadb": "mysql", **{kind: kind for kind in DRIVERS}}

#: modules that an address calls otherwise, as in mysql+mysqldb://
DRIVER_NAMES = {"pysqlite": "sqlite3", "mysqldb": "MySQLdb"}

ADDRESS = re.compile(
    r"(?P<scheme>\w+)(?:\+(?P<driver>\w+))?://"
    r"(?:(?P<user>[^:/@]*)(?::(?P<password>[^@]*))?@)?"
    r"(?:\[(?P<ipv6>[^]]*)\]|(?P<host>[^:/?]*))(?::(?P<port>\d*))?"
    r"(?:/(?P<name>[^?]*))?(?:\?(?P<query>.*))?"
)

#: seconds for which a connection may take to be made, a lock to be had, or a packet to arrive
DATABASE_PATIENCE = 10

#: seconds after which a server that does not answer is given up
ANSWER_PATIENCE = 30


def import_driver(kind: str, chosen: str | None) -> types.ModuleType:
    """Return the module that speaks to a kind of database, or just the `chosen` one; SettingsError if there is none."""
    names = [name for name in DRIVERS[kind] if chosen is None or name == DRIVER_NAMES.get(chosen, chosen)]
    for name in names:
        with contextlib.suppress(ImportError):
            return importlib.import_module(name)
    which = " or ".join(names or DRIVERS[kind])
    raise SettingsError(f"[task_history] db_connection: {kind} takes the Python package {which}; please install it")


class Database:
    """Where the history is: an address as SQLAlchemy, and so stock, reads it, and the driver that speaks to it.

    Only a file of SQLite takes nothing but Python. SettingsError for an address that cannot be used.
    """

    def __init__(self, address: str) -> None:
        match = ADDRESS.fullmatch(address)
        scheme = SCHEMES.get(match["scheme"]) if match else None
        if not (match and scheme):
            raise SettingsError(
                "[task_history] db_connection must be sqlite:////PATH, postgresql://USER:PASSWORD@HOST/NAME or "
                "mysql://USER:PASSWORD@HOST/NAME"
            )
        #: one of DRIVERS
        self.kind: str = scheme
        self.driver: Any = import_driver(scheme, match["driver"])
        self._connect: Callable[[bool], Any] = {
            "sqlite": self._sqlite,
            "postgresql": self._postgresql,
            "mysql": self._mysql,
        }[scheme](match)

    def open(self, reading: bool = False) -> Session:
        """Connect, for `reading` only or to record; HistoryUnavailable if that cannot be."""
        try:
            return Session(self, self._connect(reading))
        except (self.driver.Error, OSError) as error:
            raise HistoryUnavailable(first_line(error)) from error

    def key(self, text: str, length: int) -> str:
        """Return a text as a column of `length` characters holds it, where the database keeps to that.

        One that is longer is cut, and ends in a digest of the whole, so that two such texts stay two.
        """
        text = self.text(text)
        if len(text) <= length or self.kind == "sqlite":
            return text
        digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        return f"{text[: length - 11]}~{digest[:10]}"

    def text(self, text: str) -> str:
        """Return a text without what the database refuses: halves of characters, and NUL where it is no character."""
        if text.isascii() and "\0" not in text:
            return text
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return text if self.kind == "sqlite" else text.replace("\0", "\N{REPLACEMENT CHARACTER}")

    def _sqlite(self, match: re.Match) -> Callable[[bool], Any]:
        if match["host"] or match["user"] is not None or "uri=" in (match["query"] or ""):
            raise SettingsError("[task_history] db_connection: a file is sqlite:////absolute or sqlite:///relative")
        if match["name"] in (None, "", ":memory:"):
            place = f"file:luigid-{os.urandom(8).hex()}?mode=memory&cache=shared"
            return lambda reading: self._sqlite_at(place, "read_uncommitted = 1")
        path = os.path.abspath(match["name"])
        place = "file:" + urllib.parse.quote(path)

        def connect(reading: bool) -> Any:
            if reading:
                return self._sqlite_at(place + "?mode=ro", "query_only = 1")
            os.close(open_own(path, os.O_RDWR | os.O_CREAT, 0o600))
            # In a transaction of its own each second or so, a full sync costs nothing, and what is in the database is
            # in no journal any more. Most pages are changed by one large transaction after the other: 16 MB of them may
            # wait to be moved to where they belong.
            pragmas = ("journal_mode = WAL", "synchronous = FULL", "wal_autocheckpoint = 4000")
            return self._sqlite_at(place, *pragmas)

        return connect

    def _sqlite_at(self, place: str, *pragmas: str) -> Any:
        connection = self.driver.connect(
            place, uri=True, timeout=DATABASE_PATIENCE, isolation_level=None, check_same_thread=False
        )
        try:
            for pragma in pragmas:
                connection.execute(f"PRAGMA {pragma}")
        except BaseException:
            connection.close()
            raise
        return connection

    def _postgresql(self, match: re.Match) -> Callable[[bool], Any]:
        options = {
            "connect_timeout": DATABASE_PATIENCE,
            "tcp_user_timeout": DATABASE_PATIENCE * 1000,
            "application_name": "luigid",
            **_options(match, "dbname"),
        }
        if self.driver.__name__ == "psycopg":
            options["prepare_threshold"] = None  # a pool in front, such as PgBouncer, knows no prepared statements
        return lambda reading: self.driver.connect(**options)

    def _mysql(self, match: re.Match) -> Callable[[bool], Any]:
        options = {
            "charset": "utf8mb4",
            "connect_timeout": DATABASE_PATIENCE,
            "read_timeout": ANSWER_PATIENCE,
            "write_timeout": ANSWER_PATIENCE,
            **_options(match, "database"),
        }
        return lambda reading: self.driver.connect(**options)


def _options(match: re.Match, name: str) -> dict[str, Any]:
    """Return the parts of an address as a driver takes them; `name`: what it calls the database."""
    options = {
        "host": match["ipv6"] or match["host"],
        "port": match["port"],
        "user": urllib.parse.unquote(match["user"] or ""),
        "password": urllib.parse.unquote(match["password"] or ""),
        name: match["name"],
        **dict(urllib.parse.parse_qsl(match["query"] or "")),
    }
    is_number = re.compile(r"port|\w+_timeout").fullmatch
    return {key: int(value) if is_number(key) else value for key, value in options.items() if value}


def first_line(error: BaseException) -> str:
    """Return what an error says, on a line for people."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:200]


class Session:
    """A connection to the database. SQL is written with a `?` for each value, whatever the driver's way is."""

    def __init__(self, database: Database, connection: Any) -> None:
        self.kind = database.kind
        self._connection = connection
        driver = database.driver
        #: what a statement raises for a value that the database does not take
        self.refusals = (driver.DataError, driver.IntegrityError, ValueError, OverflowError)

    def execute(self, sql: str, values: Sequence[Any] = ()) -> Any:
        """Run a statement and return the cursor; the driver's errors."""
        cursor = self._connection.cursor()
        if not values:
            cursor.execute(sql)
        elif self.kind == "sqlite":
            cursor.execute(sql, values)
        else:
            cursor.execute(sql.replace("%", "%%").replace("?", "%s"), tuple(values))
        return cursor

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return all rows that a query finds."""
        return self.execute(sql, values).fetchall()

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], conflict: str = "") -> None:
        """Insert rows, many with each statement; `conflict` says in SQL what to do about those that are there already.

        One statement for each row would be slow: SQLite gives up the interpreter's lock for each, and gets it back
        behind all calls that wait for it.
        """
        head, row = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ", f"({', '.join('?' * len(columns))})"
        for part in slices_of(rows, MAX_VALUES // len(columns)):
            values = list(itertools.chain.from_iterable(part))
            self.execute(f"{head}{', '.join([row] * len(part))} {conflict}", values)

    def upsert(
        self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], keys: int, lasting: str = ""
    ) -> None:
        """Insert rows in place of those with the same values in the first `keys` columns.

        What those have in the column `lasting` gives way to another value only, not to NULL.
        """
        new = {name: f"VALUES({name})" if self.kind == "mysql" else f"excluded.{name}" for name in columns}
        if lasting:
            new[lasting] = f"COALESCE({new[lasting]}, {table}.{lasting})"
        # MySQL, and only MySQL, wants a change, and finds the key by itself.
        names = columns[keys:] or (columns[:1] if self.kind == "mysql" else ())
        changes = ", ".join(f"{name} = {new[name]}" for name in names)
        if self.kind == "mysql":
            self.insert(table, columns, rows, f"ON DUPLICATE KEY UPDATE {changes}")
        else:
            action = f"UPDATE SET {changes}" if changes else "NOTHING"
            self.insert(table, columns, rows, f"ON CONFLICT ({', '.join(columns[:keys])}) DO {action}")

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what the block does, or nothing of it."""
        if self.kind == "sqlite":
            self.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.commit()
        except BaseException:
            with contextlib.suppress(Exception):
                self._connection.rollback()
            raise

    @contextlib.contextmanager
    def patience(self) -> Iterator[None]:
        """Let the block fail if it lasts longer than ANSWER_PATIENCE, where the driver would wait for ever."""
        if self.kind != "postgresql":
            yield
            return
        timer = threading.Timer(ANSWER_PATIENCE, self._hang_up)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _hang_up(self) -> None:
        with contextlib.suppress(Exception), socket.socket(fileno=os.dup(self._connection.fileno())) as connection:
            connection.shutdown(socket.SHUT_RDWR)

    def rollback(self) -> None:
        """End what a query has begun, without changes."""
        self._connection.rollback()

    def close(self) -> None:
        """Close the connection, whatever state it is in."""
        with contextlib.suppress(Exception):
            self._connection.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *failure: Any) -> None:
        self.close()


def slices_of(rows: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """Yield rows, `size` at a time."""
    return (rows[start : start + size] for start in range(0, len(rows), size))


# -- the tables --------------------------------------------------------------------------------------------------------


class Table(NamedTuple):
    """A table as it is created: its columns in SQL, with types of TYPES in braces, and its indexes."""

    columns: str
    #: name -> columns, or what else SQL may index
    indexes: Mapping[str, str]
    #: whether stock has it, too
    is_stocks: bool = False
    #: index -> column without which a row is not looked for there; nor is it in there, where that can be said (not in
    #: MySQL): most runs have neither host nor times when they are recorded first
    sparse: Mapping[str, str] = NOTHING


#: what types are called that are not called alike
TYPES = {
    "sqlite": {"serial": "INTEGER NOT NULL", "long": "TEXT"},
    "postgresql": {"serial": "SERIAL NOT NULL", "long": "TEXT"},
    "mysql": {"serial": "INTEGER NOT NULL AUTO_INCREMENT", "long": "MEDIUMTEXT"},
}

#: Columns of luigid_runs in order: who; status (as in task_events) after the last event; epoch seconds of the first
#: event, of the start and of the end, and seconds from start to end; last line of the error report; `Event.reason` of
#: the end; JSON lists of the hidden parameters' names and of what it depended on; the error report.
RUN_COLUMNS = (
    *("run_id", "task_id", "family", "host", "worker", "status"),
    *("scheduled", "started", "finished", "duration", "message", "reason", "hidden", "deps", "error"),
)

TABLES = {
    "tasks": Table(
        "id {serial}, task_id VARCHAR(200), name VARCHAR(128), host VARCHAR(128), PRIMARY KEY (id)",
        {"ix_tasks_task_id": "task_id", "ix_tasks_name": "name"},
        is_stocks=True,
    ),
    "task_parameters": Table(
        "task_id INTEGER NOT NULL, name VARCHAR(128) NOT NULL, value TEXT, "
        "PRIMARY KEY (task_id, name), FOREIGN KEY (task_id) REFERENCES tasks (id)",
        {},
        is_stocks=True,
    ),
    "task_events": Table(
        "id {serial}, task_id INTEGER, event_name VARCHAR(20), ts TIMESTAMP NOT NULL, "
        "PRIMARY KEY (id), FOREIGN KEY (task_id) REFERENCES tasks (id)",
        {"ix_task_events_task_id": "task_id", "ix_task_events_ts": "ts"},
        is_stocks=True,
    ),
    "luigid_runs": Table(
        "run_id INTEGER NOT NULL, task_id VARCHAR(200), family VARCHAR(128), host VARCHAR(128), worker VARCHAR(255), "
        "status VARCHAR(20) NOT NULL, scheduled DOUBLE PRECISION NOT NULL, started DOUBLE PRECISION, "
        "finished DOUBLE PRECISION, duration DOUBLE PRECISION, message VARCHAR(300), reason VARCHAR(300), "
        "hidden {long}, deps {long}, error {long}, PRIMARY KEY (run_id)",
        {
            "luigid_runs_scheduled": "scheduled",
            "luigid_runs_started": "started",
            "luigid_runs_finished": "finished",
            "luigid_runs_duration": "duration",
            "luigid_runs_task": "task_id, scheduled, finished",
            "luigid_runs_host": "host, scheduled",
            "luigid_runs_worker": "worker, scheduled",
            "luigid_runs_status": "status, scheduled",
            "luigid_runs_family": "family, scheduled",
            "luigid_runs_family_started": "family, started",
            "luigid_runs_family_finished": "family, finished",
            "luigid_runs_family_duration": "family, duration",
            "luigid_runs_outcome": "family, status, started, duration",
        },
        sparse={
            "luigid_runs_started": "started",
            "luigid_runs_finished": "finished",
            "luigid_runs_duration": "duration",
            "luigid_runs_host": "host",
            "luigid_runs_worker": "worker",
            "luigid_runs_family_started": "started",
            "luigid_runs_family_finished": "finished",
            "luigid_runs_family_duration": "duration",
        },
    ),
    "luigid_deps": Table("dep VARCHAR(200) NOT NULL, run_id INTEGER NOT NULL, PRIMARY KEY (dep, run_id)", {}),
    "luigid_progress": Table(
        "state_id VARCHAR(64) NOT NULL, last_event BIGINT NOT NULL, PRIMARY KEY (state_id)",
        {},
    ),
}

#: finds runs by a parameter; beside stock's own indexes, which stock does not notice
PARAMETER_INDEX = "luigid_parameters_value"


def prepare_tables(session: Session) -> None:
    """Create the tables that are missing, and change those of old versions of stock as stock itself does."""
    with session.transaction():
        for name, table in TABLES.items():
            known = columns_of(session, name)
            if not known:
                create_table(session, name, table)
            elif not table.is_stocks:
                create_indexes(session, name, table)
        if "task_id" not in columns_of(session, "tasks"):
            session.execute("ALTER TABLE tasks ADD COLUMN task_id VARCHAR(200)")
            session.execute("CREATE INDEX ix_tasks_task_id ON tasks (task_id)")
        widen_values(session)
        index_parameters(session)


def columns_of(session: Session, table: str) -> dict[str, str]:
    """Return the columns of a table: name -> type; none if there is no such table."""
    if session.kind == "sqlite":
        return {row[1]: row[2].upper() for row in session.rows(f"PRAGMA table_info({table})")}
    schema = "DATABASE()" if session.kind == "mysql" else "ANY (current_schemas(false))"
    query = f"SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = {schema}"
    return {name: kind.upper() for name, kind in session.rows(f"{query} AND table_name = ?", (table,))}


def create_table(session: Session, name: str, table: Table) -> None:
    """Create a table with its indexes: in MySQL, which commits after each such statement, with one."""
    columns, options = table.columns.format_map(TYPES[session.kind]), ""
    if session.kind == "mysql":
        columns += "".join(f", INDEX {index} ({what})" for index, what in table.indexes.items())
        options = " DEFAULT CHARACTER SET utf8mb4"
    session.execute(f"CREATE TABLE {name} ({columns}){options}")
    create_indexes(session, name, table)


def create_indexes(session: Session, name: str, table: Table) -> None:
    """Create the indexes that are missing; in MySQL they came with the table."""
    if session.kind != "mysql":
        for index, what in table.indexes.items():
            where = f" WHERE {table.sparse[index]} IS NOT NULL" if index in table.sparse else ""
            session.execute(f"CREATE INDEX IF NOT EXISTS {index} ON {name} ({what}){where}")


def widen_values(session: Session) -> None:
    """Have values of parameters be as long as they are: 256 characters, as in old versions of stock, is too little.

    SQLite does not care.
    """
    if session.kind != "sqlite" and columns_of(session, "task_parameters")["value"] != "TEXT":
        change = "MODIFY COLUMN value TEXT" if session.kind == "mysql" else "ALTER COLUMN value TYPE TEXT"
        session.execute(f"ALTER TABLE task_parameters {change}")


def index_parameters(session: Session) -> None:
    """Index the beginnings of values: an index may not hold the whole of a long one."""
    if session.kind != "mysql":
        what = "name, (substr(value, 1, 100)), task_id"
        session.execute(f"CREATE INDEX IF NOT EXISTS {PARAMETER_INDEX} ON task_parameters ({what})")
        return
    known = "SELECT 1 FROM information_schema.statistics WHERE table_schema = DATABASE() AND index_name = ?"
    if not session.rows(known, (PARAMETER_INDEX,)):
        session.execute(f"CREATE INDEX {PARAMETER_INDEX} ON task_parameters (name, value(100), task_id)")


def new_run_ids(session: Session, number: int) -> Sequence[int]:
    """Return ids for so many new rows of `tasks`, which nobody else gets meanwhile."""
    if not number:
        return ()
    if session.kind == "sqlite":  # which the transaction has for itself
        ((highest,),) = session.rows("SELECT max(id) FROM tasks")
        return range((highest or 0) + 1, (highest or 0) + 1 + number)
    if session.kind == "mysql":
        return [session.execute("INSERT INTO tasks (name) VALUES (NULL)").lastrowid for _ in range(number)]
    ids = "SELECT nextval(pg_get_serial_sequence('tasks', 'id')) FROM generate_series(1, ?)"
    return [run_id for (run_id,) in session.rows(ids, (number,))]


# -- runs --------------------------------------------------------------------------------------------------------------


class Run:
    """A run as luigid_runs has it, and what is not in the database of it yet."""

    __slots__ = (*RUN_COLUMNS, "params", "is_moved", "is_changed")

    run_id: int | None
    host: str | None
    worker: str | None
    started: float | None
    finished: float | None
    duration: float | None
    message: str | None
    reason: str | None
    hidden: str | None
    deps: str | None
    error: str | None

    def __init__(self, task_id: str | None, family: str | None, scheduled: float) -> None:
        self.task_id, self.family, self.scheduled, self.status = task_id, family, scheduled, PENDING
        self.run_id = self.host = self.worker = self.started = self.finished = self.duration = None
        self.message = self.reason = self.hidden = self.deps = self.error = None
        #: parameters that are to be recorded
        self.params: Mapping[str, Any] = NOTHING
        #: whether its row in `tasks`, and the one in luigid_runs, is to be written
        self.is_moved = self.is_changed = True

    def plan(self) -> None:
        """A worker wants it to be run; or to be run on, when it has found dependencies on its way."""
        self.is_changed |= self.status != PENDING
        self.status = PENDING

    def put_back(self) -> None:
        """It has not been run after all."""
        self.status, self.is_changed, self.is_moved = PENDING, True, True
        self.started = self.host = self.worker = None

    def begin(self, time: float) -> None:
        """It runs."""
        self.status, self.started, self.is_changed = RUNNING, time, True

    def end(self, status: str, time: float) -> None:
        """It is over."""
        self.status, self.finished, self.is_changed = status, time, True
        if self.started is not None:
            self.duration = time - self.started


def message_of(report: str | None) -> str | None:
    """Return the last line of an error report that is not blank: what the error was, at most 300 characters."""
    lines = filter(None, map(str.strip, reversed((report or "").splitlines())))
    return next((line[:300] for line in lines), None)


def readable_report(event: Event) -> str | None:
    """Return the error report of an event as text; stock's workers send that of a run as JSON."""
    report = event.report
    if report is None or event.kind == SCHEDULING_FAILED:
        return report
    # Of a long report there is only the end: a quote takes the place of what is gone, or of the half of an escaped one.
    for encoded in (report, '"' + report, '"' + report[1:])[: 1 if len(report) < MAX_REPORT else 3]:
        with contextlib.suppress(ValueError, RecursionError):
            value = json.loads(encoded)
            return value if isinstance(value, str) or value is None else report
    return report


def local_time(time: float) -> str:
    """Return epoch seconds as stock writes them: local time, with microseconds. ValueError if no calendar knows it."""
    try:
        return datetime.datetime.fromtimestamp(time).isoformat(" ", "microseconds")
    except (OSError, OverflowError) as error:
        raise ValueError(f"{time} is no time") from error


class Recorder:
    """Makes rows of events, in the order in which they happened."""

    def __init__(self, database: Database) -> None:
        self._database = database
        #: task id as it is stored -> its open run; those used last are kept
        self._open: collections.OrderedDict[str, Run] = collections.OrderedDict()

    def forget(self) -> None:
        """Look runs up in the database again: it is not as it was expected to be."""
        self._open.clear()

    def record(self, session: Session, events: Iterable[Event]) -> None:
        """Write what happened, within a transaction. If that fails, `forget`."""
        keyed = [(self._database.key(event.task_id, 200), event) for event in events]
        self._recall(session, {task_id for task_id, _ in keyed if task_id not in self._open})
        runs, lines = {}, []
        for task_id, event in keyed:
            if event.reason == "re-enabled":  # it may be run again, but nothing was run
                continue
            run = self._run(task_id, event)
            runs[id(run)] = run
            lines += [(run, name, event.time) for name in self._take_in(run, event)]
            if run.finished is not None:
                self._open.pop(task_id)
        self._write(session, list(runs.values()), lines)
        while len(self._open) > OPEN_RUNS:
            self._open.popitem(last=False)

    def _recall(self, session: Session, task_ids: set[str]) -> None:
        columns = ", ".join(f"luigid_runs.{name}" for name in RUN_COLUMNS if name not in ("deps", "error"))
        # Somebody may have deleted from stock's tables, without knowing of ours. COALESCE keeps planners from going
        # through all open runs, of which there may be many.
        query = f"SELECT {columns} FROM luigid_runs JOIN tasks ON tasks.id = run_id WHERE COALESCE(finished, -1) = -1"
        for part in slices_of(list(task_ids), MAX_VALUES):
            marks = ", ".join("?" * len(part))
            for row in session.rows(f"{query} AND luigid_runs.task_id IN ({marks}) ORDER BY run_id", part):
                _, task_id, family, *_ = row
                run = self._open[task_id] = Run(task_id, family, 0.0)
                for name, value in zip(RUN_COLUMNS, row):
                    setattr(run, name, value)
                run.is_moved = run.is_changed = False

    def _run(self, task_id: str, event: Event) -> Run:
        run = self._open.get(task_id)
        if run is None:
            run = self._open[task_id] = Run(task_id, self._database.key(event.family, 128), event.time)
            run.params, run.hidden = event.params, encode_json(event.hidden) if event.hidden else "[]"
        self._open.move_to_end(task_id)
        return run

    def _take_in(self, run: Run, event: Event) -> tuple[str, ...]:
        """Let an event be a part of a run, and return the names of it in task_events."""
        if event.kind == PENDING:
            if event.reason == "returned":
                run.put_back()
            else:
                run.plan()
        elif event.kind in (RUNNING, BATCH_RUNNING):
            self._begin(run, event)
            return (RUNNING,)
        else:
            self._end(run, event)
            if event.kind == DISABLED and event.failures:
                return (FAILED, DISABLED)
        return (event.kind,)

    def _begin(self, run: Run, event: Event) -> None:
        key = self._database.key
        given = event.reason is None  # by the scheduler; else a worker says what may have begun before
        run.begin(event.time if given or run.started is None else run.started)
        host, run.worker = event.host and key(event.host, 128), event.worker and key(event.worker, 255)
        if host is not None and host != run.host:
            run.host, run.is_moved = host, True
        if event.deps:
            run.deps = encode_json(list(dict.fromkeys(key(dep, 200) for dep in event.deps[:RECORDED_DEPS])))

    def _end(self, run: Run, event: Event) -> None:
        database = self._database
        run.end(event.kind, event.time)
        run.reason = event.reason and database.key(event.reason, 300)
        if event.kind != DONE:
            # What a lost worker left is the report of an earlier run.
            report = None if event.reason == "worker lost" else readable_report(event)
            run.error = report and database.text(report)
            run.message = message_of(run.error) or run.reason

    def _write(self, session: Session, runs: list[Run], lines: list[tuple[Run, str, float]]) -> None:
        opened = [run for run in runs if run.run_id is None]
        for run, run_id in zip(opened, new_run_ids(session, len(opened))):
            run.run_id = run_id
        moved = [(run.run_id, run.task_id, run.family, run.host) for run in runs if run.is_moved]
        session.upsert("tasks", ("id", "task_id", "name", "host"), moved, keys=1)
        params = [row for run in opened for row in self._parameters(run)]
        session.upsert("task_parameters", ("task_id", "name", "value"), params, keys=2)
        events = [(run.run_id, name, local_time(time)) for run, name, time in lines]
        session.insert("task_events", ("task_id", "event_name", "ts"), events)
        write_runs(session, [run for run in runs if run.is_changed])
        for run in runs:
            run.is_moved = run.is_changed = False
            run.params, run.deps = NOTHING, None

    def _parameters(self, run: Run) -> Iterator[tuple[Any, ...]]:
        database = self._database
        longest = 16_000 if database.kind == "mysql" else None  # in characters: 65,535 bytes
        for name, value in run.params.items():
            text = value if value is None or isinstance(value, str) else encode_json(value)
            yield run.run_id, database.key(name, 128), text and database.text(text[:longest])


def write_runs(session: Session, runs: list[Run]) -> None:
    """Write rows of luigid_runs, in place of what is there, and of luigid_deps."""
    rows = list(map(operator.attrgetter(*RUN_COLUMNS), runs))
    session.upsert("luigid_runs", RUN_COLUMNS, rows, keys=1, lasting="deps")
    deps = [(dep, run.run_id) for run in runs if run.deps for dep in json.loads(run.deps)]
    session.upsert("luigid_deps", ("dep", "run_id"), deps, keys=2)


# -- chores ------------------------------------------------------------------------------------------------------------


def fill_in_runs(session: Session) -> Iterator[None]:
    """Write the rows of luigid_runs that stock's rows have not, newest first; each step within a transaction."""
    ((highest,),) = session.rows("SELECT max(id) FROM tasks")
    for last in range(highest or 0, 0, -FILL_STEP):
        fill_in(session, last - FILL_STEP, last)
        yield


def fill_in(session: Session, after: int, last: int) -> None:
    """Write the rows of luigid_runs that are missing for ids from `after`, exclusive, to `last`."""
    span, values = "tasks.id > ? AND tasks.id <= ?", (after, last)
    missing = f"FROM tasks LEFT JOIN luigid_runs ON run_id = tasks.id WHERE {span} AND run_id IS NULL"
    runs = {}
    for run_id, task_id, family, host in session.rows(f"SELECT id, tasks.task_id, name, tasks.host {missing}", values):
        runs[run_id] = run = Run(task_id, family, 0.0)
        run.run_id, run.host = run_id, host
    if not runs:
        return
    events = "SELECT task_id, event_name, ts FROM task_events WHERE task_id > ? AND task_id <= ? ORDER BY ts, id"
    for run_id, name, moment in session.rows(events, values):
        if run_id in runs:
            replay(runs[run_id], name, epoch(moment))
    write_runs(session, list(runs.values()))


def replay(run: Run, name: str, time: float) -> None:
    """Let an event that stock recorded be a part of a run, or begin another attempt: the last is told of."""
    if run.finished is not None and name in (PENDING, RUNNING):
        run.started = run.finished = run.duration = None
        run.scheduled = time
    run.scheduled = run.scheduled or time
    if name == PENDING:
        run.plan()
    elif name == RUNNING:
        run.begin(time)
    else:
        run.end(name, time)


def epoch(moment: Any) -> float:
    """Return a local time of `task_events` in epoch seconds; 0.0 for what is none."""
    try:
        return (datetime.datetime.fromisoformat(moment) if isinstance(moment, str) else moment).timestamp()
    except (ValueError, AttributeError, OverflowError):
        return 0.0


def sweep_runs(session: Session, before: float) -> Iterator[None]:
    """Delete the runs of which nothing has been heard since `before`, epoch seconds; each step within a transaction."""
    old = "SELECT run_id, deps FROM luigid_runs WHERE scheduled < ? AND coalesce(finished, started, scheduled) < ?"
    query, values = f"{old} ORDER BY scheduled LIMIT {SWEEP_STEP}", (before, before)
    while runs := session.rows(query, values):
        for run_id, deps in runs:
            for dep in json.loads(deps or "[]"):
                session.execute("DELETE FROM luigid_deps WHERE dep = ? AND run_id = ?", (dep, run_id))
        ids, marks = [run_id for run_id, _ in runs], ", ".join("?" * len(runs))
        for column in ("luigid_runs.run_id", "task_parameters.task_id", "task_events.task_id", "tasks.id"):
            table, _, key = column.partition(".")
            session.execute(f"DELETE FROM {table} WHERE {key} IN ({marks})", ids)
        yield


# -- the spool ---------------------------------------------------------------------------------------------------------

SPOOL_FORMAT = "luigid history spool"


class Spool:
    """A file for events that are more than memory should hold: first in, first out, and synced."""

    def __init__(self, path: str) -> None:
        self._path = path
        #: where the first record is that has not been taken out, and where the next one goes
        self._begin = self._end = 0
        #: epoch seconds of the first event, if there is one
        self.since = 0.0

    def size(self) -> int:
        """Return the bytes that wait in it."""
        return self._end - self._begin

    def open(self, state_id: str) -> int:
        """Take over what a former process left; return the number of the last event in it. OSError.

        A torn end does not count: its events were never taken out of the queue. What belongs to another state is put
        aside.
        """
        if not os.path.exists(self._path):
            return 0
        with open(self._path, "rb", opener=open_own) as file:
            header = self._read(file)
            sound = file.tell()
            if header is None:  # torn: there is nothing in it yet, and the next one goes over it
                return 0
            if header != self._header(state_id):
                return self._put_aside("it does not belong to this state")
            events: list[Event] = []
            self._begin = sound
            while (record := self._read(file)) is not None:
                events, sound = record, file.tell()
        self._end = sound
        if not events:
            return 0
        self.first()
        return Event(*events[-1]).number

    def _header(self, state_id: str) -> dict[str, Any]:
        return {"format": SPOOL_FORMAT, "version": STATE_VERSION, "state_id": state_id}

    def _read(self, file: BinaryIO) -> Any:
        """Return the next record; None if there is no sound one."""
        data = file.read(FRAME.size)
        if len(data) == FRAME.size:
            data += file.read(FRAME.unpack(data)[1])
        body = unframe(data, 0)
        return None if body is None else load_plain(body)

    def _put_aside(self, why: str) -> int:
        aside = f"{self._path}.{os.urandom(4).hex()}"
        os.rename(self._path, aside)
        self._begin = self._end = 0
        logger.error("events that wait for the task history are not read (%s): they are in %s", why, aside)
        return 0

    def append(self, state_id: str, events: Sequence[Event]) -> None:
        """Put events at the end; OSError if that fails, and then none are there."""
        header = b"" if self._end else frame(dump_plain(self._header(state_id)))
        records = [frame(dump_plain(list(map(tuple, part)))) for part in slices_of(events, BATCH)]
        data = b"".join([header, *records])
        descriptor = open_own(self._path, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.ftruncate(descriptor, self._end)  # what a write that failed may have left
            os.lseek(descriptor, self._end, os.SEEK_SET)
            write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if not self._end:
            sync_directory(self._path)
            self._begin, self.since = len(header), events[0].time
        self._end += len(data)

    def first(self) -> tuple[list[Event], int]:
        """Return the events of the first record, and the size to `drop` when they are dealt with."""
        with open(self._path, "rb", opener=open_own) as file:
            file.seek(self._begin)
            record = self._read(file)
            if record is None:
                self._put_aside("it is damaged")
                return [], 0
            events = [Event(*fields) for fields in record]
            self.since = events[0].time
            return events, file.tell() - self._begin

    def drop(self, size: int) -> None:
        """Take the first record out; the file goes with the last one. OSError."""
        self._begin += size
        if self._end and self._begin == self._end:
            os.unlink(self._path)
            self._begin = self._end = 0


# -- the writer --------------------------------------------------------------------------------------------------------


class TaskHistory(Attendant):
    """Records what happens to tasks: hears of it under the scheduler's lock, writes it in a thread of its own.

    Without `start` everything is written by `flush` and `close`.
    """

    name = "history"

    def __init__(self, database: Database, spool_path: str, keep_days: float | None) -> None:
        self.database = database
        self._spool = Spool(spool_path)
        self._keep_days = keep_days
        self._recorder = Recorder(database)
        #: events, oldest first: appended under the scheduler's lock, taken out under `_queue`
        self._heard: collections.deque[Event] = collections.deque()
        #: guards the beginning of `_heard`; nothing is done with it held but taking out and copying
        self._queue = threading.Lock()
        #: what to wait for until the journal has all that was heard
        self._ticket = 0
        #: what was ever appended, and taken out, as QUEUE_LIMIT counts
        self._weight_heard = self._weight_done = 0
        #: number of the last event heard, of the last one dealt with, and of the last one that the database has
        self._last_heard = self._last_done = self._last_recorded = 0
        #: number of the last event in the files that were loaded
        self._loaded = 0
        #: guards what follows, and the database
        self._working = threading.Lock()
        self._session: Session | None = None
        self._chores: Iterator[None] = iter(())
        #: monotonic seconds of the next search for old runs, and before which the database is not tried again
        self._next_sweep = self._retry_at = 0.0
        self._pause = RETRY_FIRST
        #: why the database is away; None if it is not; how often it has been tried in vain
        self._trouble: str | None = None
        self._failures = 0
        #: events that the database refused
        self._refused = 0
        self._is_spool_broken = False
        #: what must have been heard, as QUEUE_LIMIT counts, to wake the writer: anything, or too much for memory
        self._alarm = 1
        self._wake, self._hurry, self._closing = threading.Event(), threading.Event(), threading.Event()
        #: notified when events are done, or the database was tried in vain
        self._progress = threading.Condition()
        self._writer: threading.Thread | None = None

    # What the scheduler asks of us.

    def hear(self, event: Event, task: Task | None, ticket: int) -> None:
        """Put an event into the queue."""
        if event.kind in RECORDED:
            self._ticket, self._last_heard = ticket, event.number  # before the writer can see the event
            self._heard.append(event)
            self._weight_heard += 1 if event.report is None else weight(event)
            if self._weight_heard - self._weight_done >= self._alarm and not self._wake.is_set():
                self._wake.set()

    def restore(self, events: list[Event]) -> None:
        """Put the events of the state's files into the queue; those that are recorded already are passed over there."""
        agenda = self.scheduler._agenda
        self._loaded = agenda.told
        spooled = self._spool.open(agenda.state_id)
        for event in sorted(events):
            self.hear(event, None, 0)
        self._last_heard = max(self._last_heard, spooled)

    def carry(self) -> list[Event]:
        """Return the queue."""
        with self._queue:
            return list(self._heard)

    def start(self) -> None:
        """Start the writer."""
        self._wake.set()
        self._writer = threading.Thread(target=self._run, name="history", daemon=True)
        self._writer.start()

    def flush(self) -> None:
        """Return when all that was heard is in the database; Unavailable if it cannot be reached."""
        last = self._last_heard
        if self._writer is None:
            self._hurry.set()
            with self._working:
                self._step()
        else:
            failures = self._failures + 2  # the attempt that is being made may fail for what has been put right
            while self._last_done < last and self._failures < failures and self._writer.is_alive():
                self._hurry.set()
                self._wake.set()
                with self._progress:
                    self._progress.wait_for(lambda: self._last_done >= last, RETRY_FIRST)
        if self._last_done < last:
            raise Unavailable(f"the task history cannot be written: {self._trouble or 'it is closed'}")

    def close(self) -> None:
        """Write the rest, if that takes no long, and end."""
        self._closing.set()
        self._hurry.set()
        self._wake.set()
        if self._writer is None:
            self._end()
        else:
            self._writer.join(CLOSING_PATIENCE)
        if self._heard or self._spool.size():
            logger.warning("the task history does not have all yet; the rest is written after the next start")

    def health(self) -> dict[str, Any]:
        """Return what is not in the database yet, why, and how many events the database refused."""
        waiting = list(itertools.islice(self._heard, 1))
        since = self._spool.since if self._spool.size() else waiting[0].time if waiting else None
        return {
            "waiting": len(self._heard),
            "spooled_bytes": self._spool.size(),
            "seconds_behind": 0.0 if since is None else max(0.0, self.scheduler._clock() - since),
            "error": self._trouble,
            "refused": self._refused,
        }

    # The thread.

    def _run(self) -> None:
        while not self._closing.is_set():
            self._wake.wait(self._seconds_to_wait())
            self._hurry.wait(LINGER)
            self._wake.clear()
            with self._working:
                self._step()
        self._end()

    def _seconds_to_wait(self) -> float | None:
        """Return the seconds until something is to be done, also if nothing happens."""
        now = time.monotonic()
        if self._heard or self._trouble is not None:
            return max(0.0, self._retry_at - now)
        return None if self._keep_days is None else max(0.0, self._next_sweep - now)

    def _end(self) -> None:
        self._hurry.set()
        with self._working:
            self._step()
            self._disconnect()

    def _step(self) -> None:
        """Do all there is to do, as far as it can be done now."""
        try:
            self._spool_surplus()
            if self._hurry.is_set() or time.monotonic() >= self._retry_at:
                session = self._session or self._connect()
                self._record_all(session)
                self._recover()
                self._do_chores(session)
        except Unavailable:  # the journal is away, which has been said
            self._retry_at = time.monotonic() + RETRY_FIRST
            self._failures += 1
        except Exception as error:
            self._lose(error)
        self._hurry.clear()
        with self._progress:
            self._progress.notify_all()

    def _record_all(self, session: Session) -> None:
        while self._heard or self._spool.size():
            began = time.monotonic()
            if self._spool.size():
                events, size = self._spool.first()
                self._record(session, events)
                self._spool.drop(size)
            else:
                events = self._kept(BATCH)
                self._record(session, events)
                self._take_out(len(events))
                self._rest(began + len(events) / WRITER_PACE)
            self._spool_surplus()

    def _rest(self, until: float) -> None:
        """If there is more, let events gather: in a rush of calls until monotonic seconds `until`."""
        while self._heard and self._weight_heard - self._weight_done < QUEUE_LIMIT // 2:
            heard = self._weight_heard
            hurries, gathered = self._hurry.wait(LINGER), self._weight_heard - heard
            if hurries or gathered < WRITER_PACE * LINGER or time.monotonic() >= until:
                return

    def _kept(self, most: int | None = None) -> list[Event]:
        """Return the events at the beginning of the queue, when the journal has them; Unavailable if it cannot."""
        with self._queue:
            events = list(itertools.islice(self._heard, most))
        self.scheduler.await_ticket(self._ticket)
        return events

    def _take_out(self, number: int) -> None:
        with self._queue:
            for _ in range(number):
                self._weight_done += weight(self._heard.popleft())

    def _spool_surplus(self) -> None:
        """Move the queue to the spool, if memory should not hold it."""
        if self._weight_heard - self._weight_done < QUEUE_LIMIT:
            return
        events = self._kept()
        try:
            self._spool.append(self._state_id(), events)
        except OSError as error:
            if not self._is_spool_broken:
                logger.error("the task history fills the memory: %s", error)
            self._is_spool_broken = True
            return
        self._is_spool_broken = False
        self._take_out(len(events))

    def _connect(self) -> Session:
        session = self.database.open()
        try:
            prepare_tables(session)
            with session.transaction():
                rows = session.rows("SELECT last_event FROM luigid_progress WHERE state_id = ?", (self._state_id(),))
        except BaseException:
            session.close()
            raise
        # A power cut may have cost the state what the database has of it; then the numbers begin anew from there.
        self._last_recorded = min(rows[0][0] if rows else 0, self._loaded)
        self._loaded = sys.maxsize
        self._session, self._chores = session, fill_in_runs(session)
        return session

    def _disconnect(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None
        self._recorder.forget()

    def _state_id(self) -> str:
        return self.scheduler._agenda.state_id

    def _record(self, session: Session, events: list[Event]) -> None:
        fresh = [event for event in events if event.number > self._last_recorded]
        try:
            if fresh:
                self._transact(session, fresh, fresh[-1].number)
        except session.refusals:
            for event in fresh:
                self._record_alone(session, event)
        if events:
            self._last_done = events[-1].number

    def _record_alone(self, session: Session, event: Event) -> None:
        try:
            self._transact(session, [event], event.number)
        except session.refusals as error:
            logger.error("%s of %s is not in the task history: %s", event.kind, event.task_id, first_line(error))
            self._refused += 1

    def _transact(self, session: Session, events: list[Event], number: int) -> None:
        progress = (self._state_id(), number)
        try:
            with session.patience(), session.transaction():
                self._recorder.record(session, events)
                session.upsert("luigid_progress", ("state_id", "last_event"), [progress], keys=1)
        except BaseException:
            self._recorder.forget()
            raise
        self._last_recorded = number

    def _lose(self, error: Exception) -> None:
        """Take note that the database is away."""
        self._disconnect()
        reason = first_line(error)
        if self._trouble is None:
            expected = isinstance(error, (HistoryUnavailable, self.database.driver.Error, OSError))
            text = "the task history cannot be written (%s); what happens is kept until it can"
            logger.warning(text, reason, exc_info=None if expected else error)
        self._trouble = reason
        self._failures += 1
        self._alarm = QUEUE_LIMIT
        self._retry_at = time.monotonic() + self._pause
        self._pause = min(2 * self._pause, RETRY_MOST)

    def _recover(self) -> None:
        """Take note that the database is there, and has all."""
        if self._trouble is not None:
            logger.warning("the task history can be written again, and has all")
        self._trouble, self._alarm, self._pause = None, 1, RETRY_FIRST

    def _do_chores(self, session: Session) -> None:
        """Fill in runs and delete old ones, as long as nothing happens."""
        try:
            while not self._heard and not self._closing.is_set():
                with session.transaction():
                    is_over = next(self._chores, True)
                if not is_over:
                    self._recorder.forget()  # runs may be gone
                elif not self._is_sweep_due(session):
                    break
        except session.refusals as error:
            logger.error("the task history cannot be tidied: %s", first_line(error))
            self._chores = iter(())

    def _is_sweep_due(self, session: Session) -> bool:
        """Tell whether old runs are to be looked for now, and begin."""
        now = time.monotonic()
        if self._keep_days is None or now < self._next_sweep:
            return False
        self._next_sweep = now + SWEEP_INTERVAL
        self._chores = sweep_runs(session, self.scheduler._clock() - self._keep_days * 86400)
        return True


def weight(event: Event) -> int:
    """Return what an event takes of QUEUE_LIMIT."""
    return 1 + len(event.report or "") // 1024


def make_history(settings: types.SimpleNamespace) -> TaskHistory | None:
    """Return what records the task history, if the settings of a scheduler ask for it; SettingsError."""
    if not settings.record_task_history:
        return None
    path = os.path.abspath(settings.state_path) + ".history"
    return TaskHistory(Database(settings.db_connection or f"sqlite:///{path}.db"), path + ".spool", settings.keep_days)


ATTENDANTS.append(make_history)


# -- Reading the history -----------------------------------------------------------------------------------------------
#
# Questions have connections of their own, which see what the writer has committed and hold nobody up. There are few of
# them, and each question is cut off after some seconds; none is asked under the scheduler's lock.
#
# A list of runs is read along one index, in the order wanted, and ends with the page: it costs what it shows, not what
# there is. Of several filters the one leads that fits the fewest runs (counted up to RECENT_RUNS); the others are tried
# run by run, for SEARCH_SECONDS, after which the page says where to go on. Percentiles are those of the last
# RECENT_RUNS, which are read from an index alone.

#: connections that read at a time; seconds to wait for one; seconds for a question (of a server: for each query of it)
READERS, WAIT_SECONDS, READ_SECONDS = 4, 5.0, 5.0
SEARCH_SECONDS = 0.03  #: how long further runs are tried, while a page is not full
SEARCH_STEP = 2000  #: runs tried in one query
PAGE_ROWS, MAX_PAGE_ROWS = 50, 1000  #: rows of a page
RECENT_RUNS = 1000  #: the last runs, of which percentiles and failures are told
EXPECTED_OF, USUAL_OF = 20, 200  #: the last successes, of which the expected duration is the median, and p95 is usual
EXPECTED_KEPT = 60.0  #: seconds for which they are not looked up again
MAX_ESTIMATES = 10_000  #: families of which they are remembered
MAX_LEFT = 100_000  #: tasks that an expected finish may depend on
MAX_BUCKETS = 400
MAX_RELATIVES = 100  #: attempts, upstream and downstream runs told with a run
MAX_LISTED_VALUE = 1000  #: characters of a parameter's value in a list
INDEXED = 100  #: characters of a parameter's value that are in the index
FAR = 9e15  #: an epoch, or number of seconds, beyond any
EVER = (-FAR, FAR)

#: statuses of runs
RUN_STATUSES = (PENDING, RUNNING, DONE, FAILED, DISABLED)
ENDED_BADLY = (FAILED, DISABLED)


class NotFound(LookupError):
    """The history does not have what was asked for; the message says what."""


# -- what questions may say: everything may come as the text of a query -----------------------------------------------


def whole(least: int, most: int) -> Kind:
    """Return the kind of a whole number in a range."""

    def check(value: Any) -> int:
        number = _count(int(value) if isinstance(value, str) else value)
        if not least <= number <= most:
            raise ValueError
        return number

    schema = {"type": "integer", "minimum": least, "maximum": most}
    return Kind(check, f"a whole number from {least} to {most}", schema)


def several(check: Callable[[Any], Any], most: int, says: str, schema: Mapping[str, Any]) -> Kind:
    """Return the kind of one or some things, each of which is checked."""

    def check_all(values: Any) -> tuple[Any, ...]:
        values = [values] if isinstance(values, str) else values
        limit(len(values), most, "values")
        return tuple(map(check, values))

    return Kind(check_all, says, _array_of(schema, most))


def _moment(value: Any) -> float:
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            value = to_epoch(datetime.datetime.fromisoformat(value))
    return max(-FAR, min(_number(value), FAR))


def to_epoch(moment: datetime.datetime) -> float:
    """Return the epoch seconds of a moment, by default of local time; ValueError if the system cannot tell."""
    try:
        return moment.timestamp()
    except (OverflowError, OSError):
        raise ValueError("far from any time that a clock here has shown") from None


def _setting(value: Any) -> tuple[str, str]:
    name, equals, setting = _text(value).partition("=")
    if not (name and equals):
        raise ValueError
    return name, setting


def _place(value: Any) -> tuple[Any, ...]:
    place = load_flat(base64.urlsafe_b64decode(_text(value).encode("ascii")).decode("ascii"))
    if not isinstance(place, list):
        raise TypeError
    return tuple(_text(key) if isinstance(key, str) else max(-FAR, min(_number(key), FAR)) for key in place)


def load_flat(text: str) -> Any:
    """Return a JSON value that has no depth; ValueError for others, because decoding such recurses on the C stack."""
    if text.count("[") + text.count("{") > MAX_NESTING:
        raise ValueError("nested too deep")
    return json.loads(text)


def encode_place(keys: Iterable[Any]) -> str:
    """Return what a client gives as `after` to go on behind the row that has these keys."""
    return base64.urlsafe_b64encode(encode_json(list(keys)).encode("ascii")).decode("ascii")


Moment = Annotated[
    float,
    Kind(
        _moment,
        "epoch seconds, or local time as YYYY-MM-DD HH:MM:SS",
        {"anyOf": [NUMBER, {**STRING, "format": "date"}]},
    ),
]
RunStatuses = Annotated[
    tuple[str, ...],
    several(choice(*RUN_STATUSES).check, 5, f"one or more of {', '.join(RUN_STATUSES)}", {"enum": RUN_STATUSES}),
]
ParameterValues = Annotated[
    tuple[tuple[str, str], ...],
    several(_setting, 5, "NAME=VALUE, at most 5 times", {**STRING, "pattern": "^[^=]+="}),
]
Place = Annotated[tuple[Any, ...], Kind(_place, "`next` of the page before", STRING)]
PageSize = Annotated[int, whole(1, MAX_PAGE_ROWS)]
RunNumber = Annotated[int, whole(1, 2**31 - 1)]
Bucket = Annotated[str, choice("auto", "hour", "day", "week")]


#: name -> description: the questions, each at /api/history/NAME
HISTORY_CALLS: dict[str, Rpc] = {}


def history_call(method: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Publish a method of HistoryReader whose annotations are kinds. One with `rows` in its reply can be exported."""
    spec = HISTORY_CALLS[method.__name__] = describe(method, changes=False)

    @functools.wraps(method)
    def call(self: HistoryReader, /, **arguments: Any) -> dict[str, Any]:
        for name in arguments:
            if name not in spec.params:
                known = ", ".join(spec.params) or "none"
                raise BadRequest(
                    f"{spec.name} has no argument {shown(name)}{_nearest(name, spec.params)}; it has {known}"
                )
        return method(self, **spec.clean(arguments))

    return call


# -- how runs are found -----------------------------------------------------------------------------------------------

LISTED_FIELDS = (
    *("run_id", "task_id", "family", "host", "worker", "status", "scheduled", "started", "finished", "duration"),
    *("message", "reason", "hidden"),
)
LISTED_COLUMNS = ", ".join(f"r.{name}" for name in LISTED_FIELDS)


class Order(NamedTuple):
    """An order of runs: its columns, the one that `since` and `until` are about, and the filters that may lead."""

    columns: tuple[str, ...]
    moment: str
    leads: tuple[str, ...] = ()
    #: the least and the greatest value of the first column (None: none), unless `since` and `until` limit it
    limits: tuple[Any, Any] | None = None

    def place(self, run: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return what tells where a run stands in this order."""
        return (*map(run.__getitem__, self.columns), run["run_id"])


#: Each order, alone and behind each filter that may lead, is one of the indexes of luigid_runs; those with a parameter
#: are found by number, which rises with `scheduled`.
ORDERS = {
    "scheduled": Order(("scheduled",), "scheduled", ("task_id", "param", "worker", "family", "host", "status")),
    "started": Order(("started",), "started", ("family",)),
    "finished": Order(("finished",), "finished", ("family",)),
    "duration": Order(("duration",), "started", ("family",), (-FAR, FAR)),
    "family": Order(("family", "scheduled"), "scheduled", (), ("", None)),
}
RUN_SORTS = (*ORDERS, *(f"-{name}" for name in ORDERS))
RunSort = Annotated[str, choice(*RUN_SORTS)]


class Condition(NamedTuple):
    """What a run `r` (or its parameter `q`) must fulfil: the filter it comes from, SQL, and the values in it."""

    filter: str
    sql: str
    values: tuple[Any, ...]


class Search(NamedTuple):
    """A list of runs: its order, what leads there, its limits, and what each row must fulfil besides."""

    order: Order
    descending: bool
    lead: Condition | None
    #: the least and the greatest value of the first key, None: no limit
    bounds: tuple[Any, Any]
    rest: tuple[Condition, ...]

    @property
    def by_parameter(self) -> bool:
        """Whether a parameter leads, in the order of whose index runs come by number."""
        return self.lead is not None and self.lead.filter == "param"

    def query(self, after: tuple[Any, ...], edge: tuple[Any, ...], size: int) -> tuple[str, tuple[Any, ...]]:
        """Return SQL and values for LISTED_COLUMNS of the first runs behind the place `after`, as far as `edge`."""
        where, values = self._where(after)
        if edge:
            where.append(self._beyond(">=" if self.descending else "<="))
            values += edge[-len(self.keys()) :]
        if self.rest:  # in a form for which no planner leaves the index that leads
            where.append(f"CASE WHEN {' AND '.join(condition.sql for condition in self.rest)} THEN 1 ELSE 0 END = 1")
            values += [value for condition in self.rest for value in condition.values]
        return self._select(LISTED_COLUMNS, where), (*values, size, 0)

    def edge(self, after: tuple[Any, ...], size: int) -> tuple[str, tuple[Any, ...]]:
        """Return SQL and values for the place of the last of `size` runs, whatever they must fulfil besides."""
        where, values = self._where(after)
        return self._select(", ".join(self._columns()), where), (*values, 1, size - 1)

    def keys(self) -> tuple[str, ...]:
        """Return the columns by which rows are found and ordered."""
        return ("q.task_id",) if self.by_parameter else self._columns()

    def _columns(self) -> tuple[str, ...]:
        return tuple(f"r.{column}" for column in (*self.order.columns, "run_id"))

    def _beyond(self, sign: str) -> str:
        keys = self.keys()
        return f"({', '.join(keys)}) {sign} ({', '.join('?' * len(keys))})"

    def _select(self, columns: str, where: list[str]) -> str:
        # Joined crosswise, so that no planner begins at the other end.
        source = "task_parameters q CROSS JOIN luigid_runs r" if self.by_parameter else "luigid_runs r"
        order = ", ".join(f"{key}{' DESC' if self.descending else ''}" for key in self.keys())
        return f"SELECT {columns} FROM {source} WHERE {' AND '.join(where)} ORDER BY {order} LIMIT ? OFFSET ?"

    def _where(self, after: tuple[Any, ...]) -> tuple[list[str], list[Any]]:
        where = ["r.run_id = q.task_id"] if self.by_parameter else []
        values: list[Any] = []
        if self.lead:
            where.append(self.lead.sql)
            values += self.lead.values
        if after:
            where.append(self._beyond("<" if self.descending else ">"))
            values += after[-len(self.keys()) :]
        least, greatest = self.bounds
        if least is not None and (self.descending or not after):  # of two limits at one end the wrong one may be used
            where.append(f"{self.keys()[0]} >= ?")
            values.append(least)
        if greatest is not None and not (self.descending and after):
            where.append(f"{self.keys()[0]} <= ?")
            values.append(greatest)
        return where, values


def quantile(ordered: list[float], share: float) -> float:
    """Return the value below which a share (0 to 1) of some ordered values lies, between two of them if need be."""
    place = share * (len(ordered) - 1)
    below = ordered[int(place)]
    return below + (ordered[math.ceil(place)] - below) * (place - int(place))


class Estimate(NamedTuple):
    """How long the runs of a family take (seconds), from so many of its last successes."""

    of: int
    median: float
    p95: float


class Left(NamedTuple):
    """A task that is not DONE: what a finish depends on."""

    family: str
    status: str
    started: float | None
    retry: float | None
    #: whether it will not run soon: it is disabled, nobody may run it, or it is not tried again
    stuck: bool
    deps: tuple[str, ...]


#: what differs between failures of one kind: numbers, addresses, ids
VARYING = re.compile(r"0x[0-9a-fA-F]+|\b[0-9a-fA-F]{8,}\b|\d+(?:\.\d+)*")


def normalised(message: str | None) -> str:
    """Return a failure's last line with what varies from run to run replaced by #."""
    return VARYING.sub("#", message or "(no report)").strip()


class HistoryReader:
    """Answers questions about the runs of a scheduler; to be had from `history_reader`.

    Its calls may come from any thread that does not hold the scheduler's lock, take keyword arguments, return what JSON
    can hold, and raise BadRequest, NotFound, and Unavailable when the database is away or takes too long.
    """

    def __init__(self, scheduler: Scheduler, database: Database) -> None:
        self._scheduler = scheduler
        self._database = database
        #: what a session raises when the database is away, or gives up
        self._errors = (self._database.driver.Error, OSError)
        self._places = threading.BoundedSemaphore(READERS)
        self._idle: list[Session] = []
        self._closed = False
        #: family -> (when looked up, what was found), the longest known first; guarded by the lock
        self._estimates: dict[str, tuple[float, Estimate | None]] = {}
        self._estimates_lock = threading.Lock()
        #: held by whoever walks over what remains to be done
        self._walking = threading.Lock()

    def close(self) -> None:
        """Give up the connections, those in use when they are no longer."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    # -- connections

    def _ask(self, question: Callable[[Session], Any]) -> Any:
        if not self._places.acquire(timeout=WAIT_SECONDS):
            raise Unavailable("too many questions to the task history at a time; ask again later")
        try:
            try:
                used = self._idle.pop()
            except IndexError:
                return self._ask_in(self._database.open(reading=True), question)
            try:
                return self._ask_in(used, question)
            except self._errors:  # the server may have been restarted since it was used last
                return self._ask_in(self._database.open(reading=True), question)
        except HistoryUnavailable as error:
            raise Unavailable(str(error)) from None
        except self._errors as error:
            raise Unavailable(f"the task history cannot be read: {first_line(error)}") from None
        finally:
            self._places.release()

    def _ask_in(self, session: Session, question: Callable[[Session], Any]) -> Any:
        deadline = time.monotonic() + READ_SECONDS
        try:
            limit_time(session, deadline)
            answer = question(session)
            session.rollback()
        except BaseException as error:
            session.close()
            if isinstance(error, self._errors) and time.monotonic() >= deadline:
                raise Unavailable(f"this takes more than {READ_SECONDS:g} s to find; ask for less") from None
            raise
        if self._closed:
            session.close()
        else:
            self._idle.append(session)
        return answer

    # -- runs

    @history_call
    def runs(
        self,
        *,
        family: Text = "",
        status: RunStatuses = (),
        host: Text = "",
        worker: Text = "",
        task_id: Text = "",
        param: ParameterValues = (),
        since: Moment = -FAR,
        until: Moment = FAR,
        sort: RunSort = "-scheduled",
        after: Place = (),
        limit: PageSize = PAGE_ROWS,
    ) -> dict[str, Any]:
        """List runs: a run is one attempt of a task, from when it was scheduled to when it was done or failed.

        Those that do not have what they are sorted by are left out. `since` and `until` (epoch seconds) are about the
        time they are sorted by, or that of the start where they are sorted by duration. With `param` or `task_id` they
        can be sorted by `scheduled` only. `next` is to be given as `after` for the next page, null on the last; a page
        may have fewer rows than `limit` and still not be the last, when what was looked through in the time for a page
        had no more. Parameters that are hidden are not shown and cannot be filtered by; long values are cut.
        """
        order = ORDERS[sort.lstrip("-")]
        filters = {"family": family, "host": host, "worker": worker, "task_id": task_id}
        conditions = self._conditions(filters, status, param)
        for condition in conditions:
            if condition.filter in ("param", "task_id") and order is not ORDERS["scheduled"]:
                raise BadRequest(
                    f"with {condition.filter} runs can be sorted by scheduled and -scheduled only, not {sort}"
                )
        check_place(after, order)

        def read(session: Session) -> dict[str, Any]:
            search = self._search(session, order, sort.startswith("-"), conditions, (since, until))
            return self._page(session, search, dict(param), after, limit)

        return self._ask(read)

    def _conditions(
        self, filters: Mapping[str, str], status: tuple[str, ...], param: tuple[tuple[str, str], ...]
    ) -> list[Condition]:
        found = [
            Condition(name, f"r.{name} = ?", (self._key(value, name),)) for name, value in filters.items() if value
        ]
        if status:
            name = "status" if len(status) == 1 else "statuses"  # several make no order together
            found.append(Condition(name, f"r.status IN ({', '.join('?' * len(status))})", status))
        return found + [self._has_parameter(name, value) for name, value in param]

    def _key(self, value: str, column: str) -> str:
        return self._database.key(value, {"task_id": 200, "worker": 255}.get(column, 128))

    def _has_parameter(self, name: str, value: str) -> Condition:
        if self._database.kind == "mysql":  # its indexes are over prefixes, and it knows what to do with them
            return Condition("param", "q.name = ? AND q.value = ?", (self._key(name, "name"), value))
        # COALESCE keeps sqlite from taking this for the better use of the index.
        sql = f"q.name = ? AND substr(q.value, 1, {INDEXED}) = ? AND COALESCE(q.value, '') = ?"
        return Condition("param", sql, (self._key(name, "name"), value[:INDEXED], value))

    def _search(
        self,
        session: Session,
        order: Order,
        descending: bool,
        conditions: list[Condition],
        period: tuple[float, float],
    ) -> Search:
        leads = [condition for condition in conditions if condition.filter in order.leads]
        lead = min(leads, key=lambda condition: self._count(session, condition)) if leads else None
        rest = [self._tried(condition) for condition in conditions if condition is not lead]
        by_parameter = lead is not None and lead.filter == "param"
        bounds: tuple[Any, Any] = (None, None) if by_parameter else order.limits or period
        if bounds is not period and period != EVER:
            rest.append(Condition("period", f"r.{order.moment} >= ? AND r.{order.moment} <= ?", period))
        return Search(order, descending, lead, bounds, tuple(rest))

    def _count(self, session: Session, condition: Condition) -> int:
        source = "task_parameters q" if condition.filter == "param" else "luigid_runs r"
        sql = f"SELECT COUNT(*) FROM (SELECT 1 FROM {source} WHERE {condition.sql} LIMIT {RECENT_RUNS}) found"
        return session.rows(sql, condition.values)[0][0]

    def _tried(self, condition: Condition) -> Condition:
        if condition.filter != "param":
            return condition
        sql = f"EXISTS (SELECT 1 FROM task_parameters q WHERE q.task_id = r.run_id AND {condition.sql})"
        return condition._replace(sql=sql)

    def _page(
        self, session: Session, search: Search, named: Mapping[str, str], after: tuple[Any, ...], size: int
    ) -> dict[str, Any]:
        deadline = time.monotonic() + SEARCH_SECONDS
        found: list[dict[str, Any]] = []
        while True:
            edge = next(iter(session.rows(*search.edge(after, SEARCH_STEP))), ()) if search.rest else ()
            wanted = size + 1 - len(found)
            tried = [dict(zip(LISTED_FIELDS, row)) for row in session.rows(*search.query(after, edge, wanted))]
            self._add_parameters(session, tried)
            found += [run for run in tried if self._shows(run, named)]
            if len(found) > size:
                after, found = search.order.place(found[size - 1]), found[:size]
                break
            after = search.order.place(tried[-1]) if len(tried) == wanted else edge
            if not after or time.monotonic() > deadline:
                break
        return {"rows": found, "next": encode_place(after) if after else None}

    def _shows(self, run: Mapping[str, Any], named: Mapping[str, str]) -> bool:
        """Tell whether a run has parameters for all to see: a database may find hidden ones, or not mind the case."""
        shown_values = {name: value or "" for name, value in run["params"].items()}
        return all(
            shown_values.get(self._key(name, "name")) == value[:MAX_LISTED_VALUE] for name, value in named.items()
        )

    def _add_parameters(self, session: Session, runs: list[dict[str, Any]]) -> None:
        """Put the parameters that may be shown in place of the names of those that may not."""
        by_id = {run["run_id"]: run for run in runs}
        hidden = {run["run_id"]: self._hidden_names(run) for run in runs}
        for run in runs:
            del run["hidden"]
            run["params"] = {}
        for numbers in slices_of(list(by_id), 500):
            columns = f"task_id, name, substr(value, 1, {MAX_LISTED_VALUE})"
            marks = ", ".join("?" * len(numbers))
            sql = f"SELECT {columns} FROM task_parameters WHERE task_id IN ({marks}) ORDER BY task_id, name"
            for number, name, value in session.rows(sql, numbers):
                if name not in hidden[number]:
                    by_id[number]["params"][name] = value

    def _hidden_names(self, run: Mapping[str, Any]) -> frozenset[str]:
        return frozenset(self._key(name, "name") for name in json.loads(run["hidden"] or "[]"))

    @history_call
    def run(self, *, run_id: RunNumber = 0, task_id: Text = "") -> dict[str, Any]:
        """Tell all about a run, by its number, or of the last run of a task.

        With its `events`, its parameters and error report whole, the last `attempts` to run its task (itself too), and
        its neighbours: `upstream`, for each dependency the last run before this one began (`run` is null if there is
        none), and `downstream`, the runs that needed it and began between its end and the next attempt.
        """
        if not (run_id or task_id):
            raise BadRequest("run needs the argument 'run_id' or 'task_id'")
        return self._ask(lambda session: self._tell(session, run_id, task_id))

    def _tell(self, session: Session, run_id: int, task_id: str) -> dict[str, Any]:
        where, value = ("run_id", run_id) if run_id else ("task_id", self._key(task_id, "task_id"))
        sql = f"SELECT {LISTED_COLUMNS}, r.deps, r.error FROM luigid_runs r WHERE r.{where} = ?"
        rows = session.rows(f"{sql} ORDER BY r.scheduled DESC, r.run_id DESC LIMIT 1", (value,))
        if not rows:
            raise NotFound(
                f"the history has no run {run_id}" if run_id else f"the history has no run of {task_id[:200]}"
            )
        run = dict(zip((*LISTED_FIELDS, "deps", "error"), rows[0]))
        hidden, deps = self._hidden_names(run), json.loads(run.pop("deps") or "[]")
        del run["hidden"]
        sql = "SELECT name, value FROM task_parameters WHERE task_id = ? ORDER BY name"
        params = session.rows(sql, (run["run_id"],))
        run["params"] = {name: value for name, value in params if name not in hidden}
        run["events"] = self._events(session, run["run_id"])
        run["attempts"] = self._runs_where(
            session, "r.task_id = ? ORDER BY r.scheduled DESC, r.run_id DESC", run["task_id"]
        )
        run["upstream"] = [{"task_id": dep, "run": self._run_before(session, dep, run)} for dep in deps[:MAX_RELATIVES]]
        run["downstream"] = self._downstream(session, run)
        run["command"] = rerun_command(run["family"] or "", run["params"])
        return run

    def _events(self, session: Session, run_id: int) -> list[dict[str, Any]]:
        sql = f"SELECT event_name, ts FROM task_events WHERE task_id = ? ORDER BY id LIMIT {RECENT_RUNS}"
        return [{"event": name, "time": event_time(ts)} for name, ts in session.rows(sql, (run_id,))]

    def _runs_where(
        self, session: Session, where: str, *values: Any, source: str = "", most: int = MAX_RELATIVES
    ) -> list[dict[str, Any]]:
        sql = f"SELECT {LISTED_COLUMNS} FROM {source}luigid_runs r WHERE {where} LIMIT ?"
        runs = [dict(zip(LISTED_FIELDS, row)) for row in session.rows(sql, (*values, most))]
        for run in runs:
            del run["hidden"]
        return runs

    def _run_before(self, session: Session, task_id: str, run: Mapping[str, Any]) -> dict[str, Any] | None:
        where = "r.task_id = ? AND r.scheduled <= ? ORDER BY r.scheduled DESC, r.run_id DESC"
        begun = run["started"] or run["scheduled"]
        return next(iter(self._runs_where(session, where, self._key(task_id, "task_id"), begun, most=1)), None)

    def _downstream(self, session: Session, run: Mapping[str, Any]) -> list[dict[str, Any]]:
        if run["finished"] is None:
            return []
        later = [other["started"] for other in run["attempts"] if (other["started"] or 0) > run["finished"]]
        until = min(later, default=FAR)
        dep, found = self._key(run["task_id"], "task_id"), []
        for sign, direction in ((">", ""), ("<", " DESC")):  # one may have been scheduled before or after it
            where = f"d.dep = ? AND d.run_id {sign} ? AND r.run_id = d.run_id ORDER BY d.run_id{direction}"
            found += self._runs_where(session, where, dep, run["run_id"], source="luigid_deps d CROSS JOIN ")
        return [other for other in found if run["finished"] <= (other["started"] or 0) < until][:MAX_RELATIVES]

    # -- families

    @history_call
    def families(self, *, search: Text = "", after: Place = (), limit: PageSize = PAGE_ROWS) -> dict[str, Any]:
        """List the families in alphabetical order, those whose name contains `search`.

        Each with its number of `runs`, how many of them `began`, are `done` and `failed` (disabled ones among them),
        its `success_rate` (of those that began and ended; null if none did), the `median` duration of the last
        successes, and its `last` run.
        """
        start = after[0] if after else ""
        if not isinstance(start, str):
            raise BadRequest("argument 'after' belongs to another list")

        def read(session: Session) -> dict[str, Any]:
            names, is_all = self._family_names(session, start, search.lower(), limit)
            rows = [self._family_row(session, name) for name in names]
            return {"rows": rows, "next": None if is_all else encode_place(names[-1:] or [start])}

        return self._ask(read)

    def _family_names(self, session: Session, after: str, search: str, most: int) -> tuple[list[str], bool]:
        found: list[str] = []
        while True:  # each step is one look into an index, however many runs a family has
            name = session.rows("SELECT MIN(family) FROM luigid_runs WHERE family > ?", (after,))[0][0]
            if name is None or len(found) == most:
                return found, name is None
            after = name
            if search in name.lower():
                found.append(name)

    def _family_row(self, session: Session, family: str) -> dict[str, Any]:
        where = "r.family = ? ORDER BY r.scheduled DESC, r.run_id DESC"
        estimate = self._look_up(session, family)
        return {
            "family": family,
            **self._outcomes(session, family, EVER),
            "median": estimate.median if estimate else None,
            "last": next(iter(self._runs_where(session, where, family, most=1)), None),
        }

    def _outcomes(self, session: Session, family: str, period: tuple[float, float]) -> dict[str, Any]:
        values = (family, *(() if period == EVER else period))
        began = self._counts(session, "IS NOT NULL" if period == EVER else "BETWEEN ? AND ?", values)
        never = self._counts(session, "IS NULL", values) if period == EVER else dict.fromkeys(RUN_STATUSES, 0)
        failed = sum(map(began.__getitem__, ENDED_BADLY))
        ended = began[DONE] + failed
        return {
            "runs": sum(began.values()) + sum(never.values()),
            "began": sum(began.values()),
            "done": began[DONE] + never[DONE],
            "failed": failed + sum(map(never.__getitem__, ENDED_BADLY)),
            "success_rate": began[DONE] / ended if ended else None,
        }

    def _counts(self, session: Session, started: str, values: tuple[Any, ...]) -> dict[str, int]:
        """Return the runs of a family by status, of which `started` is as asked for. Counting each alone is fastest."""
        where = f"family = ? AND started {started}"
        counts = (
            f"(SELECT COUNT(*) FROM luigid_runs WHERE status = '{status}' AND {where})" for status in RUN_STATUSES
        )
        (row,) = session.rows(f"SELECT {', '.join(counts)}", values * len(RUN_STATUSES))
        return dict(zip(RUN_STATUSES, row))

    @history_call
    def family(
        self,
        *,
        family: Identifier,
        since: Moment = -FAR,
        until: Moment = FAR,
        last: PageSize = 100,
    ) -> dict[str, Any]:
        """Tell how the runs of a family went: counts as in `families`, durations, and the `last` runs that ended.

        `durations` are those of the last successes in the time asked for, at most 1000 of them (`of` says how many), in
        seconds: min, median, p90, p99, max, mean; null if there is none. With `since` or `until`, only runs that began
        in that time count.
        """
        key, period = self._key(family, "family"), (since, until)

        def read(session: Session) -> dict[str, Any]:
            outcomes = self._outcomes(session, key, period)
            if not outcomes["runs"]:
                raise NotFound(f"the history has no runs of the family {family[:200]} (in that time)")
            recent = self._last_runs(session, key, period, last)
            return {"family": family, **outcomes, "durations": self._durations(session, key, period), "last": recent}

        return self._ask(read)

    def _durations(self, session: Session, family: str, period: tuple[float, float]) -> dict[str, Any] | None:
        ordered = sorted(self._successes(session, family, period, RECENT_RUNS))
        if not ordered:
            return None
        return {
            "of": len(ordered),
            "min": ordered[0],
            "median": quantile(ordered, 0.5),
            "p90": quantile(ordered, 0.9),
            "p99": quantile(ordered, 0.99),
            "max": ordered[-1],
            "mean": math.fsum(ordered) / len(ordered),
        }

    def _successes(self, session: Session, family: str, period: tuple[float, float], most: int) -> list[float]:
        """Return the durations of the last runs of a family that succeeded, the latest first."""
        where = "family = ? AND status = ? AND started >= ? AND started <= ?"
        sql = f"SELECT duration FROM luigid_runs WHERE {where} ORDER BY started DESC LIMIT ?"
        rows = session.rows(sql, (family, DONE, *period, most))
        return [duration for (duration,) in rows if duration is not None]

    def _last_runs(self, session: Session, family: str, period: tuple[float, float], most: int) -> list[dict[str, Any]]:
        fields = ("run_id", "task_id", "status", "host", "started", "duration")
        where = "family = ? AND started >= ? AND started <= ?"
        sql = f"SELECT {', '.join(fields)} FROM luigid_runs WHERE {where} ORDER BY started DESC, run_id DESC LIMIT ?"
        runs = [dict(zip(fields, row)) for row in session.rows(sql, (family, *period, most))]
        return [run for run in runs if run["duration"] is not None]

    @history_call
    def failures(
        self,
        *,
        family: Text = "",
        since: Moment = -FAR,
        until: Moment = FAR,
        limit: PageSize = 100,
    ) -> dict[str, Any]:
        """Group the last failures (of a family) by what they say, the most frequent first.

        Of at most the last 1000 that failed and 1000 that were disabled; `of` says how many. A group is the last line
        of its error reports, with # for numbers and addresses. Each has its `count`, the times of the `first` and
        `last`, its `families` and `hosts` (at most 5 each), and the `run_id` of the last with its `example`.
        """
        key = self._key(family, "family")

        def read(session: Session) -> list[tuple[Any, ...]]:
            return [row for status in ENDED_BADLY for row in self._failed(session, key, status, (since, until))]

        failed = sorted(self._ask(read), reverse=True)
        groups: dict[str, list[tuple[Any, ...]]] = {}
        for failure in failed:
            groups.setdefault(normalised(failure[-1]), []).append(failure)
        rows = [describe_failures(message, found) for message, found in groups.items()]
        rows.sort(key=lambda row: -row["count"])
        return {"rows": rows[:limit], "next": None, "of": len(failed)}

    def _failed(self, session: Session, family: str, status: str, period: tuple[float, float]) -> list[tuple[Any, ...]]:
        moment = "started" if family else "scheduled"  # for which there is an index
        where, values = ("family = ? AND ", (family,)) if family else ("", ())
        where += f"status = ? AND {moment} >= ? AND {moment} <= ? ORDER BY {moment} DESC LIMIT {RECENT_RUNS}"
        sql = f"SELECT {moment}, run_id, family, host, message FROM luigid_runs WHERE {where}"
        return session.rows(sql, (*values, status, *period))

    @history_call
    def buckets(
        self,
        *,
        family: Text = "",
        bucket: Bucket = "auto",
        since: Moment = -FAR,
        until: Moment = FAR,
    ) -> dict[str, Any]:
        """Count runs (of a family) over time: by local hours, days, or weeks from Monday; by default the last 30 days.

        Each bucket has its `start` and `end` (epoch seconds), the number of runs `done` and `failed`, and for a family
        the `mean` duration (seconds) of the successes, null if there is none. A family's runs are counted where they
        began, all runs where they were scheduled. Buckets without a run are there, too; there are at most 400.
        """
        now = self._scheduler._clock()
        until = min(until, now)
        since = until - 30 * 86400 if since == -FAR else since
        size = bucket if bucket != "auto" else suitable_bucket(until - since)
        edges = bucket_edges(size, since, until)
        key = self._key(family, "family")
        counted = self._ask(lambda session: {s: self._per_bucket(session, key, s, edges) for s in (DONE, *ENDED_BADLY)})
        rows = [
            {
                "start": start,
                "end": end,
                "done": counted[DONE][start][0],
                "failed": sum(counted[status][start][0] for status in ENDED_BADLY),
                "mean": counted[DONE][start][1],
            }
            for start, end in zip(edges, edges[1:])
        ]
        return {"rows": rows, "next": None, "bucket": size}

    def _per_bucket(
        self, session: Session, family: str, status: str, edges: list[float]
    ) -> dict[float, tuple[int, float | None]]:
        """Return start -> (runs with a status, their mean duration) for each bucket."""
        moment = "started" if family else "scheduled"
        where, values = ("r.family = ? AND r.status = ?", (family, status)) if family else ("r.status = ?", (status,))
        runs = f"FROM luigid_runs r WHERE {where} AND r.{moment} >= b.starts AND r.{moment} < b.ends"
        mean = f"(SELECT AVG(r.duration) {runs})" if family else "NULL"
        found = {}
        for part in slices_of(list(zip(edges, edges[1:])), 100):
            spans = " UNION ALL ".join(["SELECT ? AS starts, ? AS ends"] * len(part))
            sql = f"SELECT b.starts, (SELECT COUNT(*) {runs}), {mean} FROM ({spans}) b"
            chosen = values * (2 if family else 1)
            for start, count, average in session.rows(sql, (*chosen, *itertools.chain.from_iterable(part))):
                found[float(start)] = (count, average)
        return found

    # -- what is to be expected

    def family_seconds(self, families: Iterable[str]) -> dict[str, Estimate | None]:
        """Return how long the runs of families take, None where no success is known; each looked up once a minute."""
        now, known = time.monotonic(), {}
        with self._estimates_lock:
            kept = {family: self._estimates[family] for family in set(families) if family in self._estimates}
        missing = {family for family in families if family not in kept or now - kept[family][0] > EXPECTED_KEPT}
        if missing:
            known = self._ask(lambda session: {family: self._look_up(session, family) for family in missing})
        with self._estimates_lock:
            for family, estimate in known.items():
                self._estimates.pop(family, None)
                self._estimates[family] = (now, estimate)
            while len(self._estimates) > MAX_ESTIMATES:
                del self._estimates[next(iter(self._estimates))]
        return {**{family: estimate for family, (_, estimate) in kept.items()}, **known}

    def _look_up(self, session: Session, family: str) -> Estimate | None:
        durations = self._successes(session, self._key(family, "family"), EVER, USUAL_OF)
        if not durations:
            return None
        last = sorted(durations[:EXPECTED_OF])
        return Estimate(len(durations), quantile(last, 0.5), quantile(sorted(durations), 0.95))

    @history_call
    def expectations(self) -> dict[str, Any]:
        """Tell of each running task how long it may be expected to run, the one that runs longest first.

        `expected` is the median duration of the last 20 successes of its family, `p95` what 95 % of the last 200 took
        at most, `of` how many there are (all in seconds; null if there is none). It is `slow` if it has been
        `running_for` more than `p95` and more than twice what was expected; `remaining` is at least 0.
        """
        now, running = self._scheduler._clock(), running_tasks(self._scheduler)
        usual = self.family_seconds({family for _, family, *_ in running})
        rows = [
            {
                "task_id": task_id,
                "family": family,
                "worker": worker,
                "host": host,
                "started": started,
                **compare_with(usual[family], max(0.0, now - started)),
            }
            for task_id, family, worker, host, started in running
        ]
        rows.sort(key=lambda row: -row["running_for"])
        return {"rows": rows, "next": None}

    @history_call
    def expected_finish(self, *, task_id: Text = "", limit: PageSize = 100) -> dict[str, Any]:
        """Tell when a task may be expected to be done; without `task_id`, each on which no other depends, last first.

        The time is that of the critical path: of what remains, the chain that takes longest, if each task takes the
        median of its family and begins as soon as what it depends on is done; where workers or resources are short, it
        takes longer. Each has the `seconds` that remain and the `finish` as epoch, the `path` (ids, the next to run
        first, at most 100), and `guessed_families`: those on the path without a success yet, for which the mean of the
        others stands in. Both times are null if there is no telling, and `why` says why. `remaining_tasks` (null where
        there is more than one row) counts what is not done. `truncated`: some depend on too much and were left out.
        """
        if task_id and task_id not in self._scheduler._agenda.tasks:
            raise NotFound(f"the scheduler has no task {task_id[:200]}")
        if not self._walking.acquire(timeout=WAIT_SECONDS):  # each takes a core while it lasts
            raise Unavailable("somebody else's expected finish is being worked out; ask again later")
        try:
            roots, truncated = ([task_id], False) if task_id else unfinished_roots(self._scheduler, limit)
            left, skipped = unfinished_upstream(self._scheduler, roots)
            rows = self._finishes([root for root in roots if root in left], left)
        finally:
            self._walking.release()
        for row in rows if task_id else ():
            row["remaining_tasks"] = len(left)
        return {"rows": rows, "next": None, "truncated": truncated or skipped}

    def _finishes(self, roots: list[str], left: Mapping[str, Left]) -> list[dict[str, Any]]:
        costs, guessed = self._costs(left)
        times, now = finish_times(left, costs), self._scheduler._clock()
        rows = [describe_finish(root, left, times, guessed, now) for root in roots]
        return sorted(rows, key=lambda row: -(row["seconds"] or 0))

    def _costs(self, left: Mapping[str, Left]) -> tuple[dict[str, float], frozenset[str]]:
        """Return the seconds that each task takes from when it can run, and the families for which they are guessed."""
        usual = self.family_seconds({task.family for task in left.values()})
        known = [estimate.median for estimate in usual.values() if estimate]
        guess, now = math.fsum(known) / len(known) if known else math.nan, self._scheduler._clock()
        costs = {}
        for task_id, task in left.items():
            estimate = usual[task.family]
            seconds = estimate.median if estimate else guess
            if task.started is not None:
                seconds = max(seconds - (now - task.started), 0.0)  # in this order a nan remains one
            costs[task_id] = seconds + (max(0.0, task.retry - now) if task.retry else 0.0)
        return costs, frozenset(family for family, estimate in usual.items() if not estimate)

    # -- lists as a whole

    def every_row(self, name: str, arguments: Mapping[str, Any]) -> Iterator[list[dict[str, Any]]]:
        """Yield the rows of a list, page by page, each asked for when the one before has been dealt with.

        A `limit` is that of all rows; without one there is none.
        """
        spec, arguments = HISTORY_CALLS[name], dict(arguments)
        room = checked_limit(arguments.get("limit", sys.maxsize))
        while room:
            if "limit" in spec.params:  # if not, it is refused where others are
                arguments["limit"] = min(room, MAX_PAGE_ROWS)
            reply = getattr(self, name)(**arguments)
            yield reply["rows"]
            room -= len(reply["rows"])
            if not reply["next"]:
                return
            arguments["after"] = reply["next"]


# -- what the scheduler is asked for, a moment under its lock at a time -----------------------------------------------


def running_tasks(scheduler: Scheduler) -> list[tuple[str, str, str | None, str | None, float]]:
    """Return id, family, worker, host and start (epoch seconds) of each task that runs."""
    agenda = scheduler._agenda
    with scheduler._lock:
        tasks = [task for status in (RUNNING, BATCH_RUNNING) for task in agenda.by_status[status].values()]
    found = []
    for part in slices_of(tasks, SLICE):
        with scheduler._lock:
            for task in part:
                if task.status in (RUNNING, BATCH_RUNNING):
                    worker = agenda.workers.get(task.worker_running)
                    host = worker.host if worker else None
                    found.append((task.id, task.family, task.worker_running, host, task.time_running or task.updated))
    return found


def unfinished_roots(scheduler: Scheduler, most: int) -> tuple[list[str], bool]:
    """Return ids of tasks that are not DONE and on which no other depends, and whether there are more."""
    agenda, roots = scheduler._agenda, []
    with scheduler._lock:
        waiting = (agenda.by_status[status].values() for status in STATUSES if status != DONE)
        tasks = list(itertools.chain.from_iterable(waiting))
    for part in slices_of(tasks, SLICE):
        with scheduler._lock:
            roots += [t.id for t in part if t.status not in (DONE, GONE) and not agenda.dependents.get(t.id)]
        if len(roots) > most:
            return roots[:most], True
    return roots, False


def unfinished_upstream(scheduler: Scheduler, roots: Iterable[str]) -> tuple[dict[str, Left], bool]:
    """Return tasks and all upstream of them that is not DONE, and whether some were left out, beyond MAX_LEFT."""
    left: dict[str, Left] = {}
    for root in roots:
        found: dict[str, Left] = {}
        waiting, seen = [root], {root}
        while waiting:
            with scheduler._lock:
                for _ in range(min(SLICE, len(waiting))):
                    task_id = waiting.pop()
                    task = describe_left(scheduler, task_id)
                    if task is not None and task_id not in left:
                        found[task_id] = task
                        waiting.extend(dep for dep in task.deps if dep not in seen)
                        seen.update(task.deps)
            if len(left) + len(seen) > MAX_LEFT:
                return left, True
        left.update(found)
    return left, False


def describe_left(scheduler: Scheduler, task_id: str) -> Left | None:
    """Return what a finish depends on in a task; None if it is DONE. To be called under the scheduler's lock."""
    task = scheduler._agenda.tasks.get(task_id)
    if task is None:  # it has been forgotten, or never was there: what needs it waits until somebody adds it
        return Left("", UNKNOWN, None, None, True, ())
    if task.status == DONE:
        return None
    runs = task.status in (RUNNING, BATCH_RUNNING)
    stuck = not runs and (task.status == DISABLED or not task.workers or (task.status == FAILED and task.retry is None))
    return Left(task.family, task.status, task.time_running if runs else None, task.retry, stuck, task.deps)


# -- small parts -------------------------------------------------------------------------------------------------------

#: what a list can be had as besides JSON -> its media type
EXPORTS = {"csv": b"text/csv; charset=UTF-8", "jsonl": b"application/jsonl; charset=UTF-8"}

#: the questions that are answered with a list
EXPORTED = frozenset(HISTORY_CALLS) - {"run", "family"}

#: what makes a spreadsheet take a cell for a formula, where it begins with it
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def checked_limit(rows: Any) -> int:
    """Return how many rows of a list are to be exported at most; BadRequest if that is no number."""
    kind = whole(1, sys.maxsize)
    try:
        return kind.check(rows)
    except (ValueError, TypeError):
        raise BadRequest(f"argument 'limit' must be {kind.says}, not {shown(rows)}") from None


def exported(reader: HistoryReader, name: str, form: str, arguments: Mapping[str, Any]) -> Iterator[bytes]:
    """Yield a list as a file, a page at a time; between two pages nothing of the database is in use."""
    columns: tuple[str, ...] = ()
    for rows in reader.every_row(name, arguments):
        if form == "jsonl":
            yield "".join(encode_json(row) + "\n" for row in rows).encode("ascii")
        elif rows:
            lines = [] if columns else [tuple(rows[0])]
            columns = columns or lines[0]
            yield csv_lines([*lines, *(map(row.get, columns) for row in rows)])


def csv_lines(rows: Iterable[Iterable[Any]]) -> bytes:
    """Return rows in CSV, with nothing in it that a spreadsheet would compute."""
    import csv  # rarely needed, as those below

    text = io.StringIO()
    csv.writer(text).writerows(map(csv_cell, row) for row in rows)
    return text.getvalue().encode("utf-8", "replace")


def csv_cell(value: Any) -> Any:
    """Return what stands for a value in CSV: JSON for what has parts, nothing for null."""
    if isinstance(value, (dict, list)):
        return encode_json(value)
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value


class Finish(NamedTuple):
    """When a task is done: seconds from now, the dependency that it waits for longest, and what blocks it for good."""

    seconds: float
    last: str | None
    blocker: str | None


def finish_times(left: Mapping[str, Left], costs: Mapping[str, float]) -> dict[str, Finish]:
    """Return when each task is done if nothing makes it wait but what it depends on; none for those in a cycle."""
    dependents: dict[str, list[str]] = {}
    waits_for = {}
    for task_id, task in left.items():
        open_deps = [dep for dep in task.deps if dep in left]
        waits_for[task_id] = len(open_deps)
        for dep in open_deps:
            dependents.setdefault(dep, []).append(task_id)
    ready = collections.deque(task_id for task_id, number in waits_for.items() if not number)
    times: dict[str, Finish] = {}
    while ready:
        task_id = ready.popleft()
        times[task_id] = finish_after(task_id, left, times, costs[task_id])
        for dependent in dependents.get(task_id, ()):
            waits_for[dependent] -= 1
            if not waits_for[dependent]:
                ready.append(dependent)
    return times


def finish_after(task_id: str, left: Mapping[str, Left], times: Mapping[str, Finish], cost: float) -> Finish:
    """Return when a task is done whose dependencies have their times."""
    deps = [dep for dep in left[task_id].deps if dep in times]
    last = max(deps, key=lambda dep: times[dep].seconds, default=None)
    blockers = (times[dep].blocker for dep in deps)
    blocker = next(filter(None, blockers), None) or (task_id if left[task_id].stuck else None)
    return Finish((times[last].seconds if last else 0.0) + cost, last, blocker)


def critical_path(task_id: str, times: Mapping[str, Finish]) -> list[str]:
    """Return the ids along which a finish is latest, the next to run first."""
    path = []
    step: str | None = task_id
    while step is not None and step in times:
        path.append(step)
        step = times[step].last
    return path[::-1]


def describe_finish(
    root: str,
    left: Mapping[str, Left],
    times: Mapping[str, Finish],
    guessed: frozenset[str],
    now: float,
) -> dict[str, Any]:
    """Return what is to be said of when a task is done, the `guessed` families being those without a success."""
    finish = times.get(root)
    path = critical_path(root, times)
    seconds = why = None
    if finish is None:
        why = "it depends on itself"
    elif finish.blocker:
        why = f"{finish.blocker} is {left[finish.blocker].status} and will not run soon"
    elif math.isnan(finish.seconds):
        why = "none of the families that remain has a success in the history"
    else:
        seconds = finish.seconds
    return {
        "task_id": root,
        "family": left[root].family,
        "status": left[root].status,
        "remaining_tasks": None,
        "seconds": seconds,
        "finish": None if seconds is None else now + seconds,
        "path": path[:MAX_RELATIVES],
        "guessed_families": sorted({left[task_id].family for task_id in path} & guessed),
        "blocked_by": [finish.blocker] if finish and finish.blocker else [],
        "why": why,
    }


def compare_with(usual: Estimate | None, seconds: float) -> dict[str, Any]:
    """Return what is to be said of a run that has taken so many seconds."""
    return {
        "running_for": seconds,
        "expected": usual.median if usual else None,
        "p95": usual.p95 if usual else None,
        "of": usual.of if usual else 0,
        "remaining": max(0.0, usual.median - seconds) if usual else None,
        "slow": usual is not None and seconds > max(usual.p95, 2 * usual.median),
    }


def check_place(place: tuple[Any, ...], order: Order) -> None:
    """Raise BadRequest if a place is not one in such an order."""
    kinds = [str if column == "family" else (int, float) for column in order.columns]
    if place and not (len(place) == len(kinds) + 1 and all(map(isinstance, place, [*kinds, int]))):
        raise BadRequest("argument 'after' belongs to a list that is sorted otherwise")


def event_time(moment: Any) -> float:
    """Return epoch seconds of what a database has in task_events.ts: local time."""
    return to_epoch(moment if isinstance(moment, datetime.datetime) else datetime.datetime.fromisoformat(moment))


def rerun_command(family: str, params: Mapping[str, str]) -> str:
    """Return the command that runs a task again, but for its module, which the history does not know."""
    import shlex  # rarely needed

    options = (f"--{name.replace('_', '-')}={value}" for name, value in params.items())
    return " ".join(map(shlex.quote, ("luigi", "--module", "MODULE", family, *options)))


def describe_failures(message: str, found: list[tuple[Any, ...]]) -> dict[str, Any]:
    """Return a group of failures, of which the latest comes first: (time, run_id, family, host, message) each."""
    moments, run_ids, families, hosts, messages = zip(*found)
    return {
        "message": message,
        "count": len(found),
        "first": moments[-1],
        "last": moments[0],
        "families": list(dict.fromkeys(families))[:5],
        "hosts": list(dict.fromkeys(filter(None, hosts)))[:5],
        "run_id": run_ids[0],
        "example": messages[0],
    }


def suitable_bucket(seconds: float) -> str:
    """Return the bucket that divides a time into some dozen parts."""
    return "hour" if seconds <= 4 * 86400 else "day" if seconds <= MAX_BUCKETS * 86400 else "week"


def bucket_edges(size: str, since: float, until: float) -> list[float]:
    """Return the epochs at which buckets begin, and the last ends, over a time; BadRequest if they are too many."""
    step = {"hour": 3600, "day": 86400, "week": 7 * 86400}[size]
    if (until - since) / step > MAX_BUCKETS - 2:
        raise BadRequest(f"that would be more than {MAX_BUCKETS} buckets: ask for a shorter time or larger buckets")
    try:
        first = datetime.datetime.fromtimestamp(since).replace(minute=0, second=0, microsecond=0)
    except (ValueError, OverflowError, OSError):
        raise BadRequest("that time is far from any that a clock here has shown") from None
    if size == "hour":
        start = to_epoch(first)
        return [start + 3600 * n for n in range(max(1, math.ceil((until - start) / 3600)) + 1)]
    first = first.replace(hour=0) - datetime.timedelta(days=first.weekday() if size == "week" else 0)
    edges = [to_epoch(first)]
    while edges[-1] < until or len(edges) < 2:  # a local day may have 23 or 25 hours
        first += datetime.timedelta(days=7 if size == "week" else 1)
        edges.append(to_epoch(first))
    return edges


def limit_time(session: Session, deadline: float) -> None:
    """Let the database give up on what a session asks when the time (of time.monotonic) is up."""
    milliseconds = int(READ_SECONDS * 1000)
    if session.kind == "sqlite":
        session._connection.set_progress_handler(lambda: time.monotonic() > deadline, 10_000)
    elif session.kind == "postgresql":
        session.execute(f"SET statement_timeout = {milliseconds}")
    else:  # MySQL and MariaDB call it otherwise, and each reads the comments that are for it
        mysql = f"/*!50708 , SESSION max_execution_time = {milliseconds} */"
        mariadb = f"/*M!100101 , SESSION max_statement_time = {READ_SECONDS} */"
        session.execute(f"SET @luigid = 0 {mysql} {mariadb}")


#: scheduler -> its reader
READERS_MADE: weakref.WeakKeyDictionary[Scheduler, HistoryReader] = weakref.WeakKeyDictionary()


def history_reader(scheduler: Scheduler) -> HistoryReader | None:
    """Return who answers questions about the history of a scheduler, always the same; None if none is recorded."""
    history = scheduler.history
    if not isinstance(history, TaskHistory):
        return None
    return READERS_MADE.get(scheduler) or READERS_MADE.setdefault(scheduler, HistoryReader(scheduler, history.database))


# -- pages -------------------------------------------------------------------------------------------------------------
#
# At stock's addresses, for bookmarks, and for browsers without JavaScript. What is in a page is escaped where it is
# made into markup, by `element`, which takes nothing else for markup than what it has made itself.


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


#: elements that have no content
VOID = frozenset(("meta", "link", "input"))


def element(tag: str, /, *content: Any, **attributes: Any) -> Markup:
    """Return an element; attributes that are None are left out, and `class_` and `data_label` named as in HTML."""
    told = [(key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items() if value is not None]
    start = f"<{tag}{''.join(f' {key}={quoted(value)}' for key, value in told)}>"
    return Markup(start if tag in VOID else f"{start}{content_of(*content)}</{tag}>")


def quoted(value: Any) -> str:
    """Return an attribute's value between quotes."""
    return f'"{html.escape(str(value))}"'


def content_of(*content: Any) -> Markup:
    """Return content as markup: what is none yet is escaped, None is left out."""
    parts = (part if isinstance(part, Markup) else html.escape(str(part)) for part in content if part is not None)
    return Markup("".join(parts))


def duration_text(seconds: float | None) -> str:
    """Return a length of time for people: 0.35 s, 42 s, 3 min 20 s, 2 h 5 min, 3 d 4 h."""
    if seconds is None:
        return ""
    if seconds < 59.5:
        return f"{seconds:.2g} s" if seconds < 9.95 else f"{seconds:.0f} s"
    whole_seconds = round(seconds)
    for large, name, small, small_name in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole_seconds >= large:
            rest = whole_seconds % large // small
            return f"{whole_seconds // large} {name}" + (f" {rest} {small_name}" if rest else "")
    return f"{whole_seconds} s"


def moment_text(moment: float | None) -> Markup:
    """Return a time for people: local, to the second."""
    if moment is None:
        return Markup("")
    local = datetime.datetime.fromtimestamp(moment)
    return element("time", local.strftime("%Y-%m-%d %H:%M:%S"), datetime=local.astimezone().isoformat("T", "seconds"))


def url_of(root: str, *parts: str, **query: Any) -> str:
    """Return the address below `root` of what some names lead to; fields of the query that are empty are left out."""
    path = root + "/".join(urllib.parse.quote(part, safe="") for part in parts)
    fields = [(name, value) for name, value in query.items() if value not in (None, "", ())]
    return f"{path}?{urllib.parse.urlencode(fields, doseq=True)}" if fields else path


class Page(NamedTuple):
    """A page on its way: the status it is sent with, its title and its content."""

    title: str
    content: Markup
    status: int = 200

    def render(self, root: str) -> bytes:
        """Return the document; `root` leads from its address to where all addresses begin."""
        links = [
            element("a", "Tasks", href=root + "static/visualiser/index.html"),
            element("a", "Recent runs", href=root + "history"),
            element("a", "Families", href=root + "tasklist"),
        ]
        head = content_of(
            element("meta", charset="utf-8"),
            element("meta", name="viewport", content="width=device-width, initial-scale=1"),
            element("meta", name="color-scheme", content="light dark"),
            element("title", f"{self.title} - luigid"),
            element("link", rel="icon", type="image/svg+xml", href=root + "static/visualiser/icon.svg"),
            element("link", rel="stylesheet", href=root + "static/visualiser/history.css"),
        )
        body = content_of(
            element("header", element("strong", "luigid"), element("nav", *links, aria_label="Pages"), class_="bar"),
            element("main", element("h1", self.title), self.content),
            element("footer", f"Times are local to the scheduler ({time.strftime('%z')})."),
        )
        document = element("html", element("head", head), element("body", body), lang="en")
        return f"<!doctype html>\n{document}\n".encode("utf-8", "replace")


#: what a page may fail with -> its status
PAGE_ERRORS = {BadRequest: 400, TooMuch: 400, NotFound: 404, Unavailable: 503}


def error_page(status: int, message: str) -> Page:
    """Return the page that tells that there is none."""
    titles = {400: "That cannot be asked", 404: "Not found", 503: "Not now"}
    return Page(titles[status], element("p", message[:1].upper() + message[1:] + "."), status)


#: what is said where no history is recorded
HISTORY_OFF = "no task history is recorded; [scheduler] record_task_history = true in luigi.cfg switches it on"


def history_off_page() -> Page:
    """Return the page that tells how to switch the history on."""
    database = "[task_history]\ndb_connection = sqlite:////var/lib/luigid/history.db\n"
    settings = f"[scheduler]\nrecord_task_history = true\n\n{database}"
    return Page(
        "No history is recorded",
        content_of(
            element("p", "To record what ran when, put this into luigi.cfg and start luigid again:"),
            element("pre", settings),
            element("p", "Without db_connection the database is a file beside the state."),
        ),
        404,
    )


def history_page(scheduler: Scheduler, path: str, query: Mapping[str, list[str]], root: str) -> Page:
    """Return the page at one of stock's addresses, whatever becomes of it; `query` has values by field, as decoded."""
    reader = history_reader(scheduler)
    if reader is None:
        return history_off_page()
    for prefix, make in HISTORY_PAGES:
        if (path.startswith(prefix) and path != prefix) if prefix.endswith("/") else path == prefix:
            try:
                return make(reader, path[len(prefix) :], query, root)
            except tuple(PAGE_ERRORS) as error:
                return error_page(PAGE_ERRORS[type(error)], str(error))
    return error_page(404, "there is no such page")


def recent_page(reader: HistoryReader, name: str, query: Mapping[str, list[str]], root: str) -> Page:
    """Return the page with the runs that fit the filters in the query."""
    spec = HISTORY_CALLS["runs"]
    asked = {field: values for field, values in query.items() if field in spec.params and any(values)}
    chosen = {field: values if is_list(spec, field) else values[-1] for field, values in asked.items()}
    found = reader.runs(**chosen)
    content = content_of(
        filter_form(chosen, root), runs_table(found["rows"], root), further(found, chosen, "history", root)
    )
    return Page("Recent runs", content)


def is_list(spec: Rpc, field: str) -> bool:
    """Tell whether an argument of a question may be given more than once."""
    return spec.params[field].kind.schema.get("type") == "array"


def named_page(reader: HistoryReader, name: str, query: Mapping[str, list[str]], root: str) -> Page:
    """Return the page with the runs of a family."""
    return family_runs_page(reader, name, [], query, root)


def parameters_page(reader: HistoryReader, name: str, query: Mapping[str, list[str]], root: str) -> Page:
    """Return the page with the runs of a family that have the parameters which the field `data` names, in JSON."""
    try:
        wanted = load_flat(query.get("data", ["{}"])[-1]).items()
    except (ValueError, AttributeError):
        raise BadRequest('data must be a JSON object with parameters, such as {"date": "2026-01-31"}') from None
    return family_runs_page(reader, name, [f"{key}={value}" for key, value in wanted], query, root)


def family_runs_page(
    reader: HistoryReader, family: str, param: list[str], query: Mapping[str, list[str]], root: str
) -> Page:
    """Return the page with the runs of a family that have some parameters."""
    chosen = {"family": family, "param": param, **({"after": query["after"][-1]} if "after" in query else {})}
    found = reader.runs(**chosen)
    if not found["rows"] and not found["next"] and not param and "after" not in chosen:
        raise NotFound(f"the history has no runs of the family {family[:200]}")
    told = element("p", "With ", ", ".join(param), class_="muted") if param else None
    links = element("p", element("a", "Durations and failures of this family", href=url_of(root, "tasklist", family)))
    content = content_of(told, links, runs_table(found["rows"], root), further(found, chosen, "history", root))
    return Page(f"Runs of {family}", content)


#: fields of the form that filters runs: name, label, hint
FILTERS = (
    ("family", "Family", None),
    ("host", "Host", None),
    ("param", "Parameter", "name=value"),
    ("since", "Since", "YYYY-MM-DD"),
)


def filter_form(chosen: Mapping[str, Any], root: str) -> Markup:
    """Return the form that filters runs."""
    fields = []
    for name, label, hint in FILTERS:
        field = element("input", name=name, value=text_of(chosen.get(name, "")), placeholder=hint)
        fields.append(element("label", label, field))
    status = chosen.get("status") or ()
    options = [element("option", "any", value="")]
    options += [element("option", word, value=word, selected="" if word in status else None) for word in RUN_STATUSES]
    fields.append(element("label", "Status", element("select", *options, name="status")))
    return element("form", *fields, element("button", "Show"), action=root + "history", method="get", class_="filters")


def text_of(value: Any) -> str:
    """Return the value of a field of a form; of several, the first."""
    return value if isinstance(value, str) else value[0]


def runs_table(runs: list[dict[str, Any]], root: str) -> Markup:
    """Return a table of runs, or a line that says that there are none."""
    if not runs:
        return element("p", "No runs here.", class_="muted")
    return html_table(
        ("Status", "Task", "Parameters", "Host", "Scheduled", "Duration"),
        [
            (
                status_badge(run["status"]),
                element(
                    "a", run["family"] or run["task_id"], href=url_of(root, "history", "by_id", str(run["run_id"]))
                ),
                params_text(run.get("params", {})),
                run["host"] or "",
                moment_text(run["scheduled"]),
                duration_text(run["duration"]),
            )
            for run in runs
        ],
    )


def html_table(titles: Iterable[str], rows: Iterable[Iterable[Any]]) -> Markup:
    """Return a table; on a phone each row stands alone, and its cells name themselves."""
    head = element("tr", *(element("th", title, scope="col") for title in titles))
    body = (element("tr", *(element("td", cell, data_label=title) for title, cell in zip(titles, row))) for row in rows)
    return element("table", element("thead", head), element("tbody", *body))


def status_badge(status: str) -> Markup:
    """Return a status, which its sign tells from others as well as its colour."""
    signs = {DONE: "\u2713", FAILED: "\u2717", DISABLED: "\u2298", RUNNING: "\u25b6", PENDING: "\u2026"}
    sign = element("span", signs.get(status, "?"), aria_hidden="true")
    return element("span", sign, " ", status, class_=f"status {status.lower()}")


def params_text(params: Mapping[str, Any]) -> str:
    """Return parameters on a line, of which long values are cut."""
    return ", ".join(f"{name}={shorten(str(value), 60)}" for name, value in params.items())


def shorten(text: str, most: int) -> str:
    """Return a text, or its beginning if it is long."""
    return text if len(text) <= most else text[: most - 1] + "\u2026"


def further(found: Mapping[str, Any], chosen: Mapping[str, Any], page: str, root: str) -> Markup:
    """Return links to the next page, and to all of a list as a file."""
    export = {name: value for name, value in chosen.items() if name not in ("after", "limit")}
    links = [
        element("a", text, href=url_of(root, "api", "history", "runs", **export, format=kind))
        for text, kind in (("All as CSV", "csv"), ("as JSON lines", "jsonl"))
    ]
    if found["next"]:
        onward = url_of(root, page, **{**chosen, "after": found["next"]})
        links.insert(0, element("a", "Older runs", href=onward, rel="next"))
    return element("p", *(content_of(link, " ") for link in links), class_="further")


def run_page(reader: HistoryReader, number: str, query: Mapping[str, list[str]], root: str) -> Page:
    """Return the page of a run, by its number."""
    if not number.isdecimal() or not 0 < int(number[:20]) < 2**31:
        raise NotFound(f"the history has no run {number[:200]}")
    return tell_run(reader.run(run_id=number), root)


def last_run_page(reader: HistoryReader, task_id: str, query: Mapping[str, list[str]], root: str) -> Page:
    """Return the page of the last run of a task."""
    return tell_run(reader.run(task_id=task_id), root)


def tell_run(run: Mapping[str, Any], root: str) -> Page:
    """Return the page of a run."""
    facts = (
        ("Status", content_of(status_badge(run["status"]), f" ({run['reason']})" if run["reason"] else "")),
        ("Task", element("a", run["task_id"], href=visualiser(root, run["task_id"] or ""))),
        ("Family", element("a", run["family"] or "", href=url_of(root, "tasklist", run["family"] or ""))),
        ("Host", run["host"] or ""),
        ("Worker", run["worker"] or ""),
        ("Scheduled", moment_text(run["scheduled"])),
        ("Started", moment_text(run["started"])),
        ("Finished", moment_text(run["finished"])),
        ("Duration", duration_text(run["duration"])),
        ("Run again", element("code", run["command"])),
    )
    parts = [html_facts(facts)]
    if run["error"]:
        parts += [element("h2", "Error"), element("pre", run["error"])]
    if run["params"]:
        parts += [element("h2", "Parameters"), html_facts(run["params"].items())]
    events = [(moment_text(event["time"]), status_badge(event["event"])) for event in run["events"]]
    parts += [element("h2", "Events"), html_table(("Time", "Event"), events)]
    before = [dep["run"] or missing_run(dep["task_id"]) for dep in run["upstream"]]
    for title, runs in (("Attempts", run["attempts"]), ("Upstream", before), ("Downstream", run["downstream"])):
        if runs:
            parts += [element("h2", title), attempts_table(runs, root)]
    return Page(f"Run {run['run_id']} of {run['family'] or run['task_id']}", content_of(*parts))


def visualiser(root: str, task_id: str) -> str:
    """Return the address of a task in the visualiser."""
    return f"{root}static/visualiser/index.html#{urllib.parse.urlencode({'tab': 'tasks', 'task': task_id})}"


def missing_run(task_id: str) -> dict[str, Any]:
    """Return what stands for a run of a dependency that is not in the history."""
    return {"run_id": None, "task_id": task_id, "status": "", "host": "", "started": None, "duration": None}


def attempts_table(runs: list[Mapping[str, Any]], root: str) -> Markup:
    """Return a table of runs that belong together."""
    rows = [
        (
            status_badge(run["status"]) if run["run_id"] else "not in the history",
            element("a", run["task_id"], href=url_of(root, "history", "by_id", str(run["run_id"])))
            if run["run_id"]
            else run["task_id"],
            run["host"] or "",
            moment_text(run["started"]),
            duration_text(run["duration"]),
        )
        for run in runs
    ]
    return html_table(("Status", "Run of", "Host", "Started", "Duration"), rows)


def html_facts(facts: Iterable[tuple[str, Any]]) -> Markup:
    """Return names and what goes with them."""
    return element("dl", *(content_of(element("dt", name), element("dd", value)) for name, value in facts))


def families_page(reader: HistoryReader, name: str, query: Mapping[str, list[str]], root: str) -> Page:
    """Return the page that lists the families."""
    chosen = {field: query[field][-1] for field in ("search", "after") if any(query.get(field, ()))}
    found = reader.families(**chosen)
    rows = [
        (
            element("a", row["family"], href=url_of(root, "tasklist", row["family"])),
            f"{row['runs']:,}",
            percentage(row["success_rate"]),
            duration_text(row["median"]),
            content_of(status_badge(row["last"]["status"]), " ", moment_text(row["last"]["scheduled"]))
            if row["last"]
            else "",
        )
        for row in found["rows"]
    ]
    search = element("label", "Name contains", element("input", name="search", value=chosen.get("search", "")))
    form = element("form", search, element("button", "Show"), action=root + "tasklist", method="get", class_="filters")
    shown_rows = html_table(("Family", "Runs", "Succeeded", "Usual duration", "Last run"), rows) if rows else None
    nothing = None if rows else element("p", "No families here.", class_="muted")
    onward = url_of(root, "tasklist", **{**chosen, "after": found["next"]})
    more = element("p", element("a", "More families", href=onward, rel="next")) if found["next"] else None
    return Page("Families", content_of(form, shown_rows, nothing, more))


def percentage(share: float | None) -> str:
    """Return a share in percent; 100 % only if it is all."""
    return "" if share is None else f"{math.floor(share * 1000) / 10:g} %"


def family_page(reader: HistoryReader, family: str, query: Mapping[str, list[str]], root: str) -> Page:
    """Return the page of a family: how its runs went, how long they took, and why they failed."""
    found = reader.family(family=family, last=CHARTED)
    durations = found["durations"]
    facts = [
        ("Runs", f"{found['runs']:,}"),
        ("Succeeded", percentage(found["success_rate"])),
        ("Failed", f"{found['failed']:,}"),
    ]
    if durations:
        facts += [
            (name, duration_text(durations[key]))
            for name, key in (("Median", "median"), ("90 % within", "p90"), ("99 % within", "p99"), ("Longest", "max"))
        ]
        facts.append(("Durations of", f"the last {durations['of']:,} successes"))
    failures = reader.failures(family=family)["rows"]
    rows = [
        (
            element("a", row["message"], href=url_of(root, "history", "by_id", str(row["run_id"]))),
            f"{row['count']:,}",
            moment_text(row["last"]),
            ", ".join(row["hosts"]),
        )
        for row in failures
    ]
    parts = [
        element("p", element("a", "All runs of this family", href=url_of(root, "history", "by_name", family))),
        html_facts(facts),
        element("h2", "Durations"),
        duration_chart(found["last"][::-1], root) if found["last"] else element("p", "None yet.", class_="muted"),
    ]
    if rows:
        parts += [element("h2", "Failures"), html_table(("What they say", "Times", "Last", "Hosts"), rows)]
    return Page(family, content_of(*parts))


CHARTED = 200  #: runs in a chart
CHART_WIDTH, CHART_HEIGHT, CHART_LEFT, CHART_BOTTOM, CHART_TOP = 760, 260, 70, 30, 12


def duration_chart(runs: list[Mapping[str, Any]], root: str) -> Markup:
    """Return a chart of the durations of runs, oldest first: circles are successes, crosses failures."""
    first, last = runs[0]["started"], runs[-1]["started"]
    step = tidy_step(max(run["duration"] for run in runs) / 4)
    top = step * max(1, math.ceil(max(run["duration"] for run in runs) / step))
    floor, width = CHART_HEIGHT - CHART_BOTTOM, CHART_WIDTH - CHART_LEFT - 16

    def height(seconds: float) -> float:
        return round(floor - seconds / top * (floor - CHART_TOP), 1)

    parts = []
    for number in range(round(top / step) + 1):
        y = height(step * number)
        parts.append(element("line", x1=CHART_LEFT, x2=CHART_WIDTH, y1=y, y2=y, class_="grid"))
        label = duration_text(step * number) if number else "0"
        parts.append(element("text", label, x=CHART_LEFT - 8, y=y + 4, text_anchor="end"))
    for run in runs:
        x = CHART_LEFT + 8 + (width * (run["started"] - first) / (last - first) if last > first else width / 2)
        parts.append(chart_mark(run, round(x, 1), height(run["duration"]), root))
    for moment, x, anchor in ((first, CHART_LEFT, "start"), (last, CHART_WIDTH, "end")):
        text = time.strftime("%Y-%m-%d %H:%M", time.localtime(moment))
        parts.append(element("text", text, x=x, y=CHART_HEIGHT - 8, text_anchor=anchor))
    box = f"0 0 {CHART_WIDTH} {CHART_HEIGHT}"
    title = f"Durations of the last {len(runs)} runs that ended"
    drawing = element("svg", *parts, viewBox=box, role="group", aria_label=title)
    legend = element("figcaption", title, ": \u25cf succeeded, \u2715 failed. Each leads to its run.")
    return element("figure", element("div", drawing, class_="chart"), legend)


def tidy_step(least: float) -> float:
    """Return a length of time that people count in, at least so many seconds."""
    tidy = (0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
    return next((step for step in tidy if step >= least), math.ceil(least / 86400) * 86400)


def chart_mark(run: Mapping[str, Any], x: float, y: float, root: str) -> Markup:
    """Return what stands for a run in a chart."""
    moment = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(run["started"]))
    told = element("title", f"{run['status']}, {duration_text(run['duration'])}, {moment}")
    if run["status"] == DONE:
        mark = element("circle", cx=x, cy=y, r=3.5, class_="done")
    else:
        mark = element("path", d=f"M{x - 4} {y - 4}l8 8m0 -8l-8 8", class_="failed")
    return element("a", told, mark, href=url_of(root, "history", "by_id", str(run["run_id"])))


#: stock's addresses and what makes the page there; one that ends in a slash is followed by a name
HISTORY_PAGES = (
    ("/history", recent_page),
    ("/history/by_name/", named_page),
    ("/history/by_id/", run_page),
    ("/history/by_task_id/", last_run_page),
    ("/history/by_params/", parameters_page),
    ("/tasklist", families_page),
    ("/tasklist/", family_page),
)

#: the same as routes: what ends in a slash stands for all below it
HISTORY_PATHS = ("/history", "/history/", "/tasklist", "/tasklist/")


# ======================================================================================================================
# 7. Notices
# ======================================================================================================================
#
# What people hear without looking: e-mails as stock Luigi's scheduler sends them (Mails), and messages to a webhook
# (Alerts). Both are Notices: `hear` puts an event into a queue and is done; a thread of each makes messages of the
# events, now and then one of many, and delivers them.
#
#   event -> _heard -> collect() -> messages that go at once --------> _outbox -> deliver()
#                               `-> a digest, until digest() is due -'
#
# A server that is slow or dead holds up that thread alone. All queues are bounded, and what does not fit is counted.
# What cannot be delivered is tried again, ever more rarely, until `patience` is over; then one line of the log says
# what was not sent. A server that takes a message and dies before it says so gets it twice: better than never.
#
# Task names, error reports and addresses come from clients. They go into messages escaped, on one line where a header
# or a headline needs it, without control characters, and cut. No log line and no health figure has a webhook's URL.

#: events that wait for the thread; of those beyond, only their number is kept
MAX_HEARD = 10_000
#: of these, the first that keep their error reports
MAX_HEARD_REPORTS = 1000
MAX_OWNERS = 100  #: owners of a task who hear of its failure
#: messages that wait to be delivered; beyond, the oldest is given up
MAX_OUTBOX = 1000
#: characters of names and error reports in a digest; beyond, failures are counted, and not named
MAX_DIGEST = 512 * 1024
MAX_SHOWN_NAME = 1000  #: characters of a task's name
MAX_SHOWN_VALUE = 200  #: characters of a parameter, or of the last line of an error report, in a webhook's message
MAX_SHOWN_PARAMS = 50
MAX_SUBJECT = 500

#: seconds until the second try of a delivery, doubled for each further one, and the most that this comes to
FIRST_RETRY, LAST_RETRY = 5.0, 300.0
#: seconds for what is due when luigid ends
CLOSE_WITHIN = 3.0
#: seconds between two looks for tasks that run long
LOOK_INTERVAL = 30.0
#: seconds after which the thread looks at its queues even if nothing seems due
LONGEST_WAIT = 3600.0

SENDGRID_URL = "https://api.sendgrid.com/v3/mail/send"
SENDGRID_TIMEOUT = 10.0  #: seconds

#: an address that goes into any header as it is, with or without a name before it
_ADDRESS = re.compile(r"(?:([^<>]*)<)?([A-Za-z0-9_.!#$%&'*+/=^`{|}~-]+(?:@[A-Za-z0-9_.-]+)?)>?")

#: control characters except tab and newline, what turns the direction of writing, and halves of characters
_ILLEGIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def legible(text: str) -> str:
    """Return a text that a client sent with blanks for what could steer whatever displays it."""
    return _ILLEGIBLE.sub(" ", text)


def one_line(text: str, most: int) -> str:
    """Return a text on one line of at most `most` characters, legible."""
    line = legible(text[: most + 1]).replace("\n", " ").replace("\t", " ")
    return line if len(line) <= most else line[: most - 1] + "…"


def name_of(event: Event) -> str:
    """Return what to call the task of an event, without hidden parameters."""
    if event.kind == SCHEDULING_FAILED:
        return event.task_id
    return displayed(event.family, shown_params(event, event.params))


def shown_params(event: Event, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of `params` that may be shown."""
    return {name: value for name, value in params.items() if name not in event.hidden}


# -- collecting and delivering -----------------------------------------------------------------------------------------


class Undelivered(Exception):
    """A message could not be delivered."""

    def __init__(self, reason: str, detail: str = "", final: bool = False, wait: float = 0.0) -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason  #: with nothing in it that only the log may know
        self.final = final  #: whether trying again is in vain
        self.wait = wait  #: seconds for which the server wants to be left alone


class Message(NamedTuple):
    """What is to be delivered."""

    label: str  #: what the log calls it
    content: Any  #: what `Notices.deliver` takes
    made: float  #: epoch seconds


class Notices(Attendant):
    """Makes messages of events and delivers them, in a thread of its own. `clock` returns epoch seconds."""

    #: the kinds of events to hear of
    kinds: frozenset[str] = frozenset()
    #: seconds for which the delivery of a message is tried
    patience = 3600.0

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._heard: collections.deque[Event] = collections.deque()
        self._outbox: collections.deque[Message] = collections.deque()
        #: seconds until the next try, 0 while deliveries succeed, and when it is
        self._delay = 0.0
        self._next_try = -math.inf
        self._figures = {"sent": 0, "failed": 0, "missed": 0}
        self._last_error: str | None = None
        self._wake = threading.Event()
        self._closing = False
        self._thread: threading.Thread | None = None

    # What the kinds of notices are made of.

    def collect(self, event: Event, now: float) -> Iterable[Message]:
        """Take in an event; return what is to go at once."""
        raise NotImplementedError

    def digest(self, now: float, ending: bool) -> Iterable[Message]:
        """Return what is due, or when luigid is `ending`, all that was taken in and has not gone."""
        return ()

    def due(self) -> float:
        """Return when there will be a digest, in epoch seconds."""
        return math.inf

    def deliver(self, content: Any) -> None:
        """Bring a message to where it belongs; Undelivered if that fails."""
        raise NotImplementedError

    def sample(self) -> Message:
        """Return a message that says that it is a test."""
        raise NotImplementedError

    # What is common to them.

    def hear(self, event: Event, task: Task | None, ticket: int) -> None:
        """Put an event of the right kind into the queue."""
        if event.kind not in self.kinds:
            return
        if len(self._heard) >= MAX_HEARD:
            self._figures["missed"] += 1
            return
        if len(self._heard) >= MAX_HEARD_REPORTS:
            event = event._replace(report=None)
        if len(event.owners) > MAX_OWNERS:
            event = event._replace(owners=event.owners[:MAX_OWNERS])
        self._heard.append(event)
        self._wake.set()

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Try for at most CLOSE_WITHIN seconds to deliver what there is, and log how much was left."""
        if self._thread is None:
            return
        self._closing = True
        self._wake.set()
        self._thread.join(CLOSE_WITHIN)
        left = list(self._outbox)
        if left:
            many = "%s ends with %d messages not sent and %d events not told of, first %s"
            logger.error(many, self.name, len(left), len(self._heard), left[0].label)

    def health(self) -> dict[str, Any]:
        """Return how many events and messages wait, were sent, failed and missed, and why the last delivery failed."""
        waiting = {"heard": len(self._heard), "waiting": len(self._outbox)}
        return {**waiting, **self._figures, "last_error": self._last_error}

    def _run(self) -> None:
        while not self._closing:
            self._wake.clear()
            try:
                wait = self.keep_up()
            except Exception:
                logger.exception("%s: a fault", self.name)
                wait = FIRST_RETRY
            if wait > 0 and not self._closing:
                self._wake.wait(min(wait, LONGEST_WAIT))
        self._end()

    def keep_up(self) -> float:
        """Do what is due, at most one delivery; return for how many seconds there is nothing to do but hear."""
        now = self._clock()
        self._take_in(now)
        if self._outbox and now >= self._next_try:
            self._try_delivery()
            return 0.0
        return max(0.0, min(self.due(), self._next_try if self._outbox else math.inf) - now)

    def _take_in(self, now: float, ending: bool = False) -> None:
        while self._heard:
            self._outbox.extend(self.collect(self._heard.popleft(), now))
        self._outbox.extend(self.digest(now, ending))
        while len(self._outbox) > MAX_OUTBOX:
            self._give_up(self._outbox.popleft(), "too many wait")

    def _try_delivery(self) -> None:
        message, failure = self._outbox[0], None  # it stays there, where close() counts it, until that is known
        try:
            self.deliver(message.content)
        except Undelivered as error:
            failure = error
        except Exception as error:
            logger.exception("%s: a fault", self.name)
            failure = Undelivered(f"a fault: {type(error).__name__}", final=True)
        self._outbox.popleft()
        if failure is not None:
            self._put_off(message, failure)
            return
        self._figures["sent"] += 1
        self._delay = 0.0
        logger.info("sent %s", message.label)

    def _put_off(self, message: Message, error: Undelivered) -> None:
        now = self._clock()
        self._last_error = error.reason
        if error.final or now - message.made >= self.patience:
            self._give_up(message, str(error))
            return
        if not self._delay:
            logger.warning("cannot send %s: %s; trying for %.0f minutes", message.label, error, self.patience / 60)
        self._delay = min(max(FIRST_RETRY, 2 * self._delay), LAST_RETRY)
        self._next_try = now + max(self._delay, error.wait)
        self._outbox.append(message)  # behind the others: it may be the only one that fails

    def _give_up(self, message: Message, reason: str) -> None:
        self._figures["failed"] += 1
        logger.error("not sent: %s: %s", message.label, reason)

    def _end(self) -> None:
        """Try each message once, up to the first that meets a server out of order."""
        try:
            self._take_in(self._clock(), ending=True)
            self._delay = 0.0
            while self._outbox and not self._delay:
                self._try_delivery()
        except Exception:
            logger.exception("%s: a fault", self.name)


# -- e-mails -----------------------------------------------------------------------------------------------------------


class Mail(NamedTuple):
    """An e-mail, in plain text or HTML as `[email] format` says."""

    receivers: tuple[str, ...]
    subject: str
    body: str


class Tally:
    """What happened to the tasks that are counted together, for one receiver."""

    __slots__ = ("counts", "reports")

    def __init__(self) -> None:
        #: as in COUNTED
        self.counts = [0, 0, 0]
        #: the last different error reports: hash of all of it -> its end as it is shown
        self.reports: dict[int, str] = {}


#: what a Tally counts
COUNTED = ("failure", "disable", "scheduling failure")

#: under what name failures are counted when MAX_DIGEST is reached
UNNAMED = "tasks not named here"


def describe_counts(counts: Iterable[int]) -> str:
    """Return `2 failures, 1 disable` and the like; "" if there is nothing to tell."""
    return ", ".join(f"{n} {what}{'s' * (n > 1)}" for n, what in zip(counts, COUNTED) if n)


class Mails(Notices):
    """The e-mails of stock's scheduler: about each task that it disables or, with `batch_emails`, about all that failed
    in an interval. Without `batch_emails` it is stock's workers that send those about failures.
    """

    name = "mail"
    patience = 86400.0

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        super().__init__(clock)
        self._settings = settings
        self._mode = settings.section("batch_email")
        self._format = settings.get("email", "format")
        self._receivers = split_addresses(settings.get("email", "receiver"))
        batches = settings.get("scheduler", "batch_emails")
        self.kinds = frozenset((FAILURE_REPORTED, SCHEDULING_FAILED) if batches else (DISABLED,))
        #: receiver -> what is counted together -> what happened
        self._tallies: dict[str, dict[str, Tally]] = {}
        #: characters in it
        self._size = 0
        self._next_digest = clock() + 60 * self._mode["email_interval"]

    def collect(self, event: Event, now: float) -> Iterable[Message]:
        """Count a failure; or return the e-mail about a task that the scheduler disabled."""
        if event.kind == DISABLED:
            return [self._message(disable_mail(event, self._settings), now)] if event.failures else []
        owners = filter(None, (owner.strip() for owner in event.owners))
        key, report = one_line(self._key(event), MAX_SHOWN_NAME), readable_report(event)
        for receiver in dict.fromkeys((*self._receivers, *owners)):
            tally = self._tally(receiver, key)
            tally.counts[2 if event.kind == SCHEDULING_FAILED else 0] += 1
            tally.counts[1] += event.reason == "disabled"
            if report is not None:
                self._keep(tally.reports, report)
        return []

    def _key(self, event: Event) -> str:
        mode = self._mode["batch_mode"]
        if mode == "family":
            return event.family
        if mode == "all":
            return name_of(event)
        rest = shown_params(event, event.unbatched).items()
        return f"{event.family}({', '.join(f'{name}={value}' for name, value in rest)})"

    def _tally(self, receiver: str, key: str) -> Tally:
        if receiver not in self._tallies and not self._has_room(receiver):
            self._figures["missed"] += 1
            return Tally()
        tallies = self._tallies.setdefault(receiver, {})
        if key not in tallies and not self._has_room(key):
            key = UNNAMED
        return tallies.setdefault(key, Tally())

    def _has_room(self, text: str) -> bool:
        self._size += len(text) + 100  # for what holds it
        return self._size <= MAX_DIGEST

    def _keep(self, reports: dict[int, str], report: str) -> None:
        ending = reports.pop(hash(report), None)
        if ending is None:
            ending = "\n".join(legible(report.rstrip()).split("\n")[-self._mode["error_lines"] :])
            if not self._has_room(ending):
                return
        reports[hash(report)] = ending
        if len(reports) > self._mode["error_messages"]:
            del reports[next(iter(reports))]

    def due(self) -> float:
        """Return when the interval ends, also if nothing has failed: the next one begins then."""
        return self._next_digest if self._tallies or self._mode["email_interval"] else math.inf

    def digest(self, now: float, ending: bool) -> Iterable[Message]:
        """Return an e-mail for each receiver, if it is time."""
        if not ending and now < self._next_digest:
            return []
        tallies, self._tallies, self._size = self._tallies, {}, 0
        self._next_digest = now + 60 * self._mode["email_interval"]
        return [self._message(self._batch(*item), now) for item in tallies.items()]

    def _batch(self, receiver: str, tallies: Mapping[str, Tally]) -> Mail:
        counts = describe_counts(map(sum, zip(*(tally.counts for tally in tallies.values()))))
        whose = "" if receiver in self._receivers else "Your tasks have "
        subject = f"Luigi: {whose}{counts} in the last {self._mode['email_interval']} minutes"
        groups = group_tallies(tallies, self._mode["group_by_error_messages"])
        make_body = batch_in_html if self._format == "html" else batch_in_text
        return Mail(split_addresses(receiver), subject, make_body(groups))

    def _message(self, mail: Mail, now: float) -> Message:
        prefix = self._settings.get("email", "prefix")
        subject = one_line(f"{prefix} {mail.subject}" if prefix else mail.subject, MAX_SUBJECT)
        label = f"e-mail to {', '.join(mail.receivers) or 'nobody'}: {subject}"
        return Message(label, mail._replace(subject=subject), now)

    def deliver(self, content: Mail) -> None:
        """Send an e-mail by `[email] method`."""
        if not content.receivers:
            raise Undelivered("nobody to send it to", final=True)
        SENDERS[self._settings.get("email", "method")](self._settings, content)

    def sample(self) -> Message:
        """Return an e-mail to `[email] receiver`."""
        body = f"This is what luigid on {socket.gethostname()} sends to see whether its e-mails arrive."
        return self._message(Mail(self._receivers, "Luigi: a test", as_format(self._format, body)), self._clock())


def split_addresses(text: str) -> tuple[str, ...]:
    """Return ("ann@x", "bob@x") for `Ann <ann@x>, bob@x`, without what is no address."""
    return tuple(match[2] for match in map(_ADDRESS.fullmatch, map(str.strip, text.split(","))) if match)


def sender_of(settings: Settings) -> tuple[str, str]:
    """Return the name, which may be "", and the address in `[email] sender`."""
    sender = settings.get("email", "sender").strip()
    match = _ADDRESS.fullmatch(sender)
    return ((match[1] or "").strip(' "'), match[2]) if match else ("", sender)


def as_format(form: str, text: str) -> str:
    """Return a plain text as the body of an e-mail."""
    import html  # like the other imports in functions: only who sends e-mails waits for it to load

    return HTML_BODY.format(f"<p>{html.escape(text)}</p>") if form == "html" else text


HTML_BODY = "<!DOCTYPE html>\n<html><body>\n{}\n</body></html>\n"


def disable_mail(event: Event, settings: Settings) -> Mail:
    """Return the e-mail about a task that the scheduler has disabled."""
    policy, task_id = RetryPolicy(*event.policy), one_line(event.task_id, MAX_SHOWN_NAME)
    persist = settings.get("scheduler", "disable_persist")
    body = (
        f"{task_id} failed {policy.retry_count} times in the last {policy.disable_window} seconds, "
        f"so it is being disabled for {persist} seconds"
    )
    receivers = split_addresses(settings.get("email", "receiver"))
    subject = f"Luigi Scheduler: DISABLED {task_id} due to excessive failures"
    return Mail(receivers, subject, as_format(settings.get("email", "format"), body))


#: tasks that an e-mail lists together, a line each, and the error reports below them
TaskGroup = tuple[list[str], tuple[str, ...]]


def group_tallies(tallies: Mapping[str, Tally], by_report: bool) -> list[TaskGroup]:
    """Return what an e-mail lists, in stock's order: most failures first. `by_report`: with equal reports together."""

    def rank(names: Iterable[str]) -> tuple[int, int, str]:
        failures, disables, unscheduled = map(sum, zip(*(tallies[name].counts for name in names)))
        return -failures - unscheduled, -disables, min(names)

    groups: dict[Any, list[str]] = {}
    for name, tally in tallies.items():
        groups.setdefault(tuple(tally.reports.values()) if by_report else name, []).append(name)
    described = []
    for names in sorted(groups.values(), key=rank):
        names.sort(key=lambda name: rank([name]))
        lines = [f"{name} ({describe_counts(tallies[name].counts)})" for name in names]
        described.append((lines, tuple(tallies[names[0]].reports.values())))
    return described


def batch_in_text(groups: Iterable[TaskGroup]) -> str:
    """Return the groups as stock writes them into a plain e-mail."""
    text = ""
    for lines, reports in groups:
        text += "- " + "\n  ".join(lines) + "\n"
        text += "".join("\n      " + report.replace("\n", "\n      ") + "\n" for report in reports)
        text += "\n" * bool(reports)
    return text.rstrip()


def batch_in_html(groups: Iterable[TaskGroup]) -> str:
    """Return the groups as a list in HTML."""
    import html

    items = []
    for lines, reports in groups:
        names = "<br>\n".join(map(html.escape, lines))
        items.append(f"<li>{names}" + "".join(f"\n<pre>{html.escape(report)}</pre>" for report in reports) + "</li>")
    return HTML_BODY.format("<ul>\n" + "\n".join(items) + "\n</ul>")


def send_by_smtp(settings: Settings, mail: Mail) -> None:
    """Send an e-mail through the server of `[smtp]`; Undelivered if it does not take it."""
    import smtplib

    try:
        refused = converse(settings.section("smtp"), sender_of(settings)[1], mail.receivers, compose(settings, mail))
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        raise Undelivered(f"SMTP {min(codes)}", "all receivers refused", final=min(codes) >= 500) from error
    except smtplib.SMTPResponseException as error:
        final = error.smtp_code >= 500
        raise Undelivered(f"SMTP {error.smtp_code}", describe_reply(error.smtp_error), final=final) from error
    except smtplib.SMTPNotSupportedError as error:
        raise Undelivered("the server lacks what the e-mail needs", str(error), final=True) from error
    except OSError as error:
        raise Undelivered(describe_failure(error)) from error
    except ValueError as error:  # nothing that could be sent; what it says may have been typed by anybody
        raise Undelivered("the e-mail cannot be encoded", type(error).__name__, final=True) from error
    for address, (code, reply) in refused.items():
        logger.error("not sent: e-mail to %s: SMTP %d: %s", address, code, describe_reply(reply))


def describe_reply(reply: bytes | str) -> str:
    """Return what a mail server said, for the log."""
    return one_line(reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply, MAX_SHOWN_VALUE)


def describe_failure(error: BaseException) -> str:
    """Return what went wrong with a connection, without names that came from elsewhere."""
    import ssl

    if isinstance(error, ssl.SSLError):
        return f"TLS: {getattr(error, 'verify_message', '') or error.reason or type(error).__name__}"
    if isinstance(error, socket.timeout):  # TimeoutError, from Python 3.10 on
        return "no answer in time"
    return getattr(error, "strerror", None) or type(error).__name__


def converse(
    options: Mapping[str, Any], sender: str, receivers: tuple[str, ...], message: Any
) -> dict[str, tuple[int, bytes]]:
    """Hand a message to an SMTP server; return what it replied about those receivers whom it refused."""
    import smtplib

    where = {name: options[name] for name in ("host", "port", "local_hostname")}
    where["timeout"] = options["timeout"] or None
    context = tls_context(options["verify_tls"])
    server = smtplib.SMTP_SSL(context=context, **where) if options["ssl"] else smtplib.SMTP(**where)
    try:
        server.ehlo_or_helo_if_needed()
        if server.has_extn("starttls") and not options["no_tls"]:
            server.starttls(context=context)
        elif options["verify_tls"] and not (options["ssl"] or options["no_tls"]):
            raise Undelivered("TLS: the server offers none", final=True)
        if options["username"] and options["password"]:
            server.login(options["username"], options["password"])
        refused = server.send_message(message, sender, receivers)
        with contextlib.suppress(OSError):  # the message is with them
            server.quit()
        return refused
    finally:
        server.close()


def tls_context(verify: bool) -> Any:
    """Return how TLS is spoken, an ssl.SSLContext: as everywhere or, as stock does with mail servers, with anybody."""
    import ssl

    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def compose(settings: Settings, mail: Mail) -> Any:
    """Return an e-mail as an email.message.Message."""
    import email.charset
    import email.header
    import email.mime.text
    import email.utils

    # Typeshed does not know that a charset need not be a name, nor a header a text.
    encoding: Any = email.charset.Charset("utf-8")
    encoding.body_encoding = email.charset.QP
    form = "html" if settings.get("email", "format") == "html" else "plain"
    message: Any = email.mime.text.MIMEText(mail.body, form, encoding)
    # What looks like an encoded text is encoded, lest it be decoded.
    is_plain = mail.subject.isascii() and "=?" not in mail.subject
    message["Subject"] = email.header.Header(mail.subject, "us-ascii" if is_plain else "utf-8")
    message["From"] = email.utils.formataddr(sender_of(settings))
    message["To"] = ", ".join(mail.receivers)
    message["Date"] = email.utils.formatdate(localtime=True)
    message["Message-ID"] = email.utils.make_msgid(domain=socket.gethostname())
    message["Auto-Submitted"] = "auto-generated"
    return message


def send_by_sendgrid(settings: Settings, mail: Mail) -> None:
    """Send an e-mail through SendGrid's web API; Undelivered if it does not take it."""
    form = "text/html" if settings.get("email", "format") == "html" else "text/plain"
    document = {
        "personalizations": [{"to": [{"email": receiver} for receiver in mail.receivers]}],
        "from": {"email": sender_of(settings)[1]},
        "subject": mail.subject,
        "content": [{"type": form, "value": mail.body}],
    }
    key = settings.get("sendgrid", "apikey")
    post_json(SENDGRID_URL, document, {"Authorization": f"Bearer {key}"}, SENDGRID_TIMEOUT)


#: by the values of `[email] method`; others need what only the SDK of AWS has
SENDERS = {"smtp": send_by_smtp, "sendgrid": send_by_sendgrid}


def post_json(url: str, document: Any, headers: Mapping[str, str], timeout: float) -> None:
    """POST a document to a http or https URL; Undelivered unless the answer is a 2xx. No redirect is followed.

    A user and a password in the URL go into a header; the certificate must be valid.
    """
    import http.client
    import urllib.error
    import urllib.request

    parts = urllib.parse.urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    headers = {"Content-Type": "application/json", "User-Agent": f"luigid/{__version__}", **headers}
    if at:
        credentials = binascii.b2a_base64(urllib.parse.unquote_to_bytes(user), newline=False)
        headers["Authorization"] = "Basic " + credentials.decode()
    url, body = parts._replace(netloc=host, fragment="").geturl(), encode_json(document).encode("ascii")
    request = urllib.request.Request(url, body, headers)
    opener = urllib.request.OpenerDirector()
    for handler in ("ProxyHandler", "HTTPHandler", "HTTPSHandler", "HTTPDefaultErrorHandler", "HTTPErrorProcessor"):
        opener.add_handler(getattr(urllib.request, handler)())
    try:
        opener.open(request, timeout=timeout).close()
    except urllib.error.HTTPError as error:
        error.close()
        raise refusal(error.code, error.headers.get("Retry-After", "")) from None
    except (http.client.HTTPException, OSError, ValueError) as error:  # their texts may have the URL
        raise Undelivered(describe_failure(getattr(error, "reason", error))) from None


def refusal(status: int, retry_after: str) -> Undelivered:
    """Return what an HTTP status that is no 2xx means."""
    if 300 <= status < 400:
        return Undelivered(f"HTTP {status}", "redirects are not followed", final=True)
    wait = min(float(retry_after), 3600.0) if re.fullmatch("[0-9]{1,6}", retry_after) else 0.0
    return Undelivered(f"HTTP {status}", final=status < 500 and status not in (408, 425, 429), wait=wait)


# -- messages to a webhook ---------------------------------------------------------------------------------------------

#: kind of alert -> what a message says of it after the number of tasks
ALERT_WORDS = {
    "failed": "failed",
    "disabled": "disabled after too many failures",
    "slow": "running much longer than usual",
    "worker_lost": "failed with their worker lost",
    "scheduling_failed": "could not be scheduled",
}

#: what makes text a link or a call for attention in Slack and its kin
_MARKUP = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord("@"): "@\u200b"}


class Alerts(Notices):
    """Messages to `[alerts] webhook_url`: the first soon after something happened, then at most one an interval.

    `runs` returns what there is to expect of the tasks that run, as `HistoryReader.expectations` does; without it
    nothing is said of those that run long.
    """

    name = "alerts"

    def __init__(
        self,
        settings: Settings,
        runs: Callable[[], Mapping[str, Any]] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(clock)
        self._options = settings.section("alerts")
        self._runs = runs if "slow" in self._options["kinds"] else None
        self.kinds = frozenset((FAILED, DISABLED, SCHEDULING_FAILED))
        #: kind of alert -> how many there are, and the first of them by task id
        self._counts: dict[str, int] = {}
        self._named: dict[str, dict[str, dict[str, Any]]] = {}
        #: epoch seconds of the next message, before which there is none, and of the next look at what runs
        self._next_message = math.inf
        self._quiet_until = -math.inf
        self._next_look = clock() + LOOK_INTERVAL if self._runs else math.inf
        #: ids and starts of the runs that were found slow
        self._slow: set[tuple[str, float]] = set()

    def collect(self, event: Event, now: float) -> Iterable[Message]:
        """Count an event, and keep what is to be said of it."""
        kind = self._kind(event)
        if kind is not None:
            self._add(describe_event(kind, event), now)
        return []

    def _kind(self, event: Event) -> str | None:
        possible: tuple[str, ...] = ("failed",)
        if event.kind == SCHEDULING_FAILED:
            possible = ("scheduling_failed",)
        elif event.kind == DISABLED:
            possible = ("disabled",) if event.failures else ()
        elif event.reason == "worker lost":
            possible = ("worker_lost", "failed")
        elif event.reason:
            possible = ()
        return next((kind for kind in possible if kind in self._options["kinds"]), None)

    def _add(self, alert: dict[str, Any], now: float) -> None:
        kind, task_id, named = alert["kind"], alert["task_id"], self._named.setdefault(alert["kind"], {})
        if not self._counts:
            self._next_message = max(now + self._options["delay"], self._quiet_until)
        self._counts[kind] = self._counts.get(kind, 0) + 1
        if task_id in named:
            alert["times"] += named[task_id]["times"]
        if task_id in named or len(named) < self._options["max_named"]:
            named[task_id] = alert

    def due(self) -> float:
        """Return when the next message goes, or the next look at what runs is due."""
        return min(self._next_message, self._next_look)

    def digest(self, now: float, ending: bool) -> Iterable[Message]:
        """Return the message of what has happened, if it is time."""
        if self._runs is not None and now >= self._next_look and not ending:
            self._next_look = now + LOOK_INTERVAL
            self._look(self._runs, now)
        if not self._counts or (now < self._next_message and not ending):
            return []
        document = alert_document(self._counts, self._named)
        self._counts, self._named = {}, {}
        self._next_message, self._quiet_until = math.inf, now + self._options["interval"]
        return [Message("alert: " + document["text"].partition("\n")[0], document, now)]

    def _look(self, runs: Callable[[], Mapping[str, Any]], now: float) -> None:
        """Find the runs that take much longer than usual, each once."""
        try:
            rows = runs()["rows"]
        except Unavailable:  # the history is away or too slow: there is a next look
            return
        slow = {
            (row["task_id"], row["started"]): row
            for row in rows
            if row["slow"] and row["running_for"] >= self._options["slow_after"]
        }
        for run, row in slow.items():
            if run not in self._slow:
                name = self.scheduler.fetch_error(task_id=row["task_id"]).get("displayName", row["task_id"])
                self._add(describe_slow_run(row, name, now), now)
        self._slow = set(slow)

    def deliver(self, content: Mapping[str, Any]) -> None:
        """POST a message."""
        post_json(self._options["webhook_url"], content, {}, self._options["timeout"])

    def sample(self) -> Message:
        """Return a message of nothing."""
        document = alert_document({}, {})
        return Message("alert", {**document, "text": document["text"] + "this is a test"}, self._clock())


def describe_event(kind: str, event: Event) -> dict[str, Any]:
    """Return what a webhook is told of an event."""
    # What a lost worker left is the report of an earlier run.
    error = None if event.reason == "worker lost" else message_of(readable_report(event))
    facts = ("task_id", "family", "worker", "host", "time", "started", "failures")
    about = {fact: getattr(event, fact) for fact in facts}
    params = brief_params(shown_params(event, event.params))
    return brief_alert(kind=kind, name=name_of(event), **about, error=error, params=params)


def describe_slow_run(row: Mapping[str, Any], name: str, now: float) -> dict[str, Any]:
    """Return what a webhook is told of a run that takes long, given as in `Alerts`."""
    facts = ("task_id", "family", "worker", "host", "started", "running_for", "expected")
    return brief_alert(kind="slow", name=name, **{fact: row[fact] for fact in facts}, time=now)


def brief_alert(**fields: Any) -> dict[str, Any]:
    """Return an alert of one event, with texts of sane length."""
    texts = {name: one_line(value, MAX_SHOWN_NAME) for name, value in fields.items() if isinstance(value, str)}
    return {**fields, **texts, "times": 1}


def brief_params(params: Mapping[str, Any]) -> dict[str, str]:
    """Return the first parameters, and of each the beginning."""
    first = itertools.islice(params.items(), MAX_SHOWN_PARAMS)
    return {one_line(name, MAX_SHOWN_VALUE): one_line(str(value), MAX_SHOWN_VALUE) for name, value in first}


def alert_document(counts: Mapping[str, int], named: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return what is POSTed: a text as Slack and its kin take it, and the same in fields for programs."""
    host, lines = socket.gethostname(), []
    events = [alert for alerts in named.values() for alert in alerts.values()]
    for kind, number in counts.items():
        alerts = named.get(kind, NOTHING).values()
        lines += [f"- {ALERT_WORDS[kind]}: {alert_line(alert)}" for alert in alerts]
        unnamed = number - sum(alert["times"] for alert in alerts)
        lines += [f"- {ALERT_WORDS[kind]}: {unnamed} more"] if unnamed else []
    what = ", ".join(f"{number} {ALERT_WORDS[kind]}" for kind, number in counts.items())
    text = "\n".join([f"luigid on {host}: {what}", *lines]).translate(_MARKUP)
    return {"text": text, "mrkdwn": False, "source": "luigid", "host": host, "counts": dict(counts), "events": events}


def alert_line(alert: Mapping[str, Any]) -> str:
    """Return what a message says of a task."""
    line = alert["name"]
    place = alert["host"] or alert["worker"]
    if place:
        line += f" on {place}"
    if alert["times"] > 1:
        line += f", {alert['times']} times"
    if alert["kind"] == "slow":
        line += f": {duration_text(alert['running_for'])}, usually {duration_text(alert['expected'])}"
    elif alert["error"]:
        line += f": {alert['error']}"
    return line


# -- what the settings ask for -----------------------------------------------------------------------------------------


def mail_obstacle(settings: Settings, by_hand: bool = False) -> str | None:
    """Return why no e-mails can be sent, though the settings ask for them, or None. `by_hand`: a person wants one."""
    method = settings.get("email", "method")
    if method not in SENDERS:
        ours = "[email] method = smtp, [smtp] host = email-smtp.REGION.amazonaws.com, port = 587, username, password"
        return f"[email] method = {method} takes the SDK of AWS; its SMTP interface does without: {ours}"
    if method == "sendgrid" and not settings.get("sendgrid", "apikey"):
        return "[sendgrid] apikey is not set"
    if not by_hand and not settings.get("email", "force_send") and is_terminal(sys.stdout):
        return "standard output is a terminal; [email] force_send = true sends them nevertheless"
    return None


def is_terminal(stream: TextIO | None) -> bool:
    """Return whether a person sees what is written to a stream, which may be closed."""
    return stream is not None and not stream.closed and stream.isatty()


def wants_mail(settings: Settings) -> bool:
    """Return whether the settings ask for e-mails; owners are known only when tasks fail."""
    somebody = settings.get("scheduler", "batch_emails") or split_addresses(settings.get("email", "receiver"))
    return bool(somebody) and settings.get("email", "format") != "none"


def make_notices(
    settings: Settings,
    runs: Callable[[], Mapping[str, Any]] | None = None,
    clock: Callable[[], float] = time.time,
) -> Iterator[Notices]:
    """Yield the attendants that the settings ask for, and log why there will be no e-mails if they do. See Alerts."""
    if wants_mail(settings):
        obstacle = mail_obstacle(settings)
        if obstacle:
            logger.warning("no e-mails are sent: %s", obstacle)
        else:
            yield Mails(settings, clock)
    if settings.get("alerts", "webhook_url"):
        yield Alerts(settings, runs, clock)


def try_notices(settings: Settings) -> tuple[list[str], bool]:
    """Send a test by each way that the settings name; return a line for each way, and whether all is well."""
    receivers = split_addresses(settings.get("email", "receiver"))
    no_mail = None if wants_mail(settings) and receivers else "[email] receiver is not set, or format = none"
    no_alert = None if settings.get("alerts", "webhook_url") else "[alerts] webhook_url is not set"
    lines, outcomes = [], []
    for what, make, unset, obstacle in (
        (f"e-mail to {', '.join(receivers) or 'nobody'}", Mails, no_mail, mail_obstacle(settings, by_hand=True)),
        ("alert", Alerts, no_alert, None),
    ):
        failure = unset or obstacle or try_delivery(make(settings))
        lines.append(f"{what}: {'not sent: ' + failure if failure else 'sent'}")
        if not unset:
            outcomes.append(failure is None)
    return lines, bool(outcomes) and all(outcomes)


def try_delivery(notices: Notices) -> str | None:
    """Send a test; return why that failed, None if it did not."""
    try:
        notices.deliver(notices.sample().content)
    except Undelivered as error:
        return str(error)
    return None


# ======================================================================================================================
# 8. Metrics
# ======================================================================================================================
#
# What /metrics says, in Prometheus' text format 0.0.4, and where metrics of tasks go ([scheduler] metrics_collector).
#
# Most figures exist anyway and are looked up when somebody asks: how long the indexes are, what the parts say of their
# health, what the process uses. Durations are counted where they arise, by whoever holds the lock there or, for calls,
# by each connection for itself, so that a call pays about a microsecond and nobody waits for anybody. Only the
# tasks of each family take a walk over all; that is done without the lock, and not again before FAMILIES_REST times as
# long has passed.
#
# Tasks that begin and end are events (section 2). A collector hears them as they happen: TaskCounts counts, which is
# fast; the others hand them to a thread of their own. What these cannot keep up with is dropped, and counted.
#
# How many series there are must not be in the hands of those who name families and parameters: each label has so many
# values, and what comes later is counted under one more, OTHERS.

TEXT_FORMAT = "text/plain; version=0.0.4; charset=utf-8"

#: the value of a label for all that have no series of their own
OTHERS = "(others)"

MAX_FAMILIES = 100  #: families shown with a series for each status: those with the most tasks
MAX_RESOURCES_SHOWN = 1000  #: resources shown: the first by name
MAX_LABEL_SETS = 10_000  #: series of each of the metrics of tasks
MAX_LABEL_VALUE = 256  #: characters of a label's value
MAX_WAITING = 10_000  #: events that wait for a slow collector; beyond, new ones are dropped

#: How long a count of families is good for, at least (seconds), and as a multiple of the time that it took.
FAMILIES_AGE, FAMILIES_REST = 5.0, 50

FLUSH_POLL = 0.1  #: seconds between two looks at whether the thread that is waited for still lives
CLOSE_SECONDS = 2.0  #: how long a collector may take to deal with the rest when the daemon stops
COLLECTOR_SECONDS = 5.0  #: how long /metrics waits for an operator's collector that is busy

#: epoch seconds at which this process began, nearly
BEGAN = time.time()


# -- the text format ---------------------------------------------------------------------------------------------------

#: the values of labels -> a number; () where there are no labels
Values = Mapping[tuple[Any, ...], Number]

#: a line: what follows the name, (name, value) of each label, number
Sample = tuple[str, tuple[tuple[str, Any], ...], Number]


class Metric(NamedTuple):
    """A metric with all its series."""

    name: str
    #: counter, gauge or histogram
    kind: str
    #: what it tells, on one line
    doc: str
    samples: list[Sample]


def metric(name: str, kind: str, doc: str, values: Number | Values, *labels: str) -> Metric:
    """Return a metric of one number, or of several by the values of `labels`."""
    values = values if isinstance(values, Mapping) else {(): values}
    return Metric(name, kind, doc, [("", tuple(zip(labels, key)), value) for key, value in values.items()])


def histogram(name: str, doc: str, timings: Mapping[tuple[Any, ...], Timing], *labels: str) -> Metric:
    """Return a histogram of seconds, or several by the values of `labels`."""
    samples: list[Sample] = []
    for key, timing in timings.items():
        about = tuple(zip(labels, key))
        reached = list(itertools.accumulate(timing.counts))
        for bound, number in zip((*DURATIONS, math.inf), reached):
            samples.append(("_bucket", (*about, ("le", number_text(bound))), number))
        samples += [("_sum", about, timing.seconds), ("_count", about, reached[-1])]
    return Metric(name, "histogram", doc, samples)


LABEL_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def cut(value: str) -> str:
    """Return as much of a text as a label may say: what is counted by labels is counted by this."""
    return value[:MAX_LABEL_VALUE]


def label_value(value: Any) -> str:
    """Return what a label says, escaped; half a surrogate pair, which UTF-8 cannot say, as \\udXXX."""
    return str(value).encode("utf-8", "backslashreplace").decode("utf-8").translate(LABEL_ESCAPES)


def number_text(value: Number) -> str:
    """Return a number as the text format has it."""
    if value == math.inf:
        return "+Inf"
    return repr(value) if isinstance(value, float) else str(int(value))


def exposition(metrics: Iterable[Metric]) -> str:
    """Return metrics in the text format."""
    lines = []
    for name, kind, doc, samples in metrics:
        lines.append(f"# HELP {name} {doc}\n# TYPE {name} {kind}\n")
        for suffix, labels, value in samples:
            told = ",".join([f'{label}="{label_value(said)}"' for label, said in labels])
            series = f"{name}{suffix}{{{told}}}" if told else name + suffix
            lines.append(f"{series} {number_text(value)}\n")
    return "".join(lines)


# -- what is looked up when somebody asks ------------------------------------------------------------------------------


def scheduler_metrics(scheduler: Scheduler) -> Iterator[Metric]:
    """Yield what a scheduler tells of itself without a walk over its tasks."""
    census, health = scheduler.census(), scheduler.health()
    shown = sorted(census.resources)[:MAX_RESOURCES_SHOWN]
    used, limits = ({(cut(name),): census.resources[name][which] for name in shown} for which in (0, 1))
    tasks = {(status,): number for status, number in census.tasks.items()}
    workers = {(state,): census.workers.get(state, 0) for state in ("active", "disabled")}
    yield metric("luigid_tasks", "gauge", "Tasks by status.", tasks, "status")
    yield metric("luigid_workers", "gauge", "Workers that are connected.", workers, "state")
    yield metric("luigid_busy_workers", "gauge", "Workers that run something.", census.busy)
    yield metric("luigid_resource_used", "gauge", "Amount of a resource that running tasks hold.", used, "resource")
    yield metric("luigid_resource_limit", "gauge", "Amount of a resource that there is.", limits, "resource")
    yield metric("luigid_paused", "gauge", "1 while no work is given out.", census.paused)
    yield metric("luigid_changes_accepted", "gauge", "0 while changes cannot be kept.", health["status"] == "ok")
    waits = {(): scheduler.lock_waits}
    yield histogram("luigid_lock_wait_seconds", "Waits for the scheduler's lock, of calls that had to.", waits)
    syncs = {(): scheduler.fsyncs()}
    yield histogram("luigid_journal_fsync_seconds", "Syncs of the journal to the disk.", syncs)
    for key, (name, doc) in HEALTH_METRICS.items():
        if health[key] is not None:
            yield metric(name, "gauge", doc, health[key])
    yield from attendants_metrics(health)


#: figures in the health of a scheduler, and the metrics that they are
HEALTH_METRICS = {
    "journal_bytes": ("luigid_journal_bytes", "Size of the journal."),
    "journal_waiting": ("luigid_journal_waiting_calls", "Calls of which the changes are not in the journal yet."),
    "snapshot_bytes": ("luigid_snapshot_bytes", "Size of the last snapshot."),
    "snapshot_time": ("luigid_snapshot_timestamp_seconds", "When the last snapshot was done, since the epoch."),
    "snapshot_seconds": ("luigid_snapshot_duration_seconds", "How long the last snapshot took."),
}


def attendants_metrics(health: Mapping[str, Any]) -> Iterator[Metric]:
    """Yield the numbers that task history, notices and the collector have in the health of a scheduler."""
    for part, facts in health.items():
        for name, value in facts.items() if isinstance(facts, dict) else ():
            if isinstance(value, (int, float)):
                doc = f"What /healthz shows as {name} of {part}."
                yield metric(f"luigid_{part}_{name}", "gauge", doc, value)


def process_metrics() -> Iterator[Metric]:
    """Yield what the process is and uses, by the names that Prometheus' own clients give it."""
    about = (__version__, ".".join(map(str, sys.version_info[:3])))
    yield metric("luigid_build_info", "gauge", "The version, always 1.", {about: 1}, "version", "python")
    yield metric("process_start_time_seconds", "gauge", "When the process began, in seconds since the epoch.", BEGAN)
    yield metric("process_cpu_seconds_total", "counter", "CPU time used, of user and system.", time.process_time())
    most = rlimit.getrlimit(rlimit.RLIMIT_NOFILE)[0]
    unlimited = most == rlimit.RLIM_INFINITY
    yield metric("process_max_fds", "gauge", "Descriptors that may be open.", math.inf if unlimited else most)
    with contextlib.suppress(OSError):  # with none left to list them by
        yield metric("process_open_fds", "gauge", "Descriptors that are open.", len(os.listdir("/dev/fd")) - 1)
    with contextlib.suppress(OSError):  # only Linux tells it like this
        yield metric("process_resident_memory_bytes", "gauge", "Memory in use.", resident_bytes())
    yield metric("luigid_threads", "gauge", "Threads.", threading.active_count())
    collections_of = {(generation,): stats["collections"] for generation, stats in enumerate(gc.get_stats())}
    doc = "Searches for garbage in cycles."
    yield metric("python_gc_collections_total", "counter", doc, collections_of, "generation")


def resident_bytes() -> int:
    """Return how much memory this process has in use; OSError where the system does not tell."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Exporter:
    """Makes what /metrics says."""

    def __init__(self, scheduler: Scheduler, collector: Collector | None = None) -> None:
        self._scheduler = scheduler
        self._collector = collector or Collector()
        #: held while families are counted: who comes meanwhile waits for the result
        self._counting = threading.Lock()
        self._families: Values = {}
        #: monotonic seconds from which on they are counted again
        self._recount = 0.0

    def expose(self, more: Iterable[Metric]) -> tuple[dict[str, str], str]:
        """Return headers and body of /metrics, with `more` in it; also with what an operator's collector says.

        A metric that this one has, too, is its own. What it says in another format stands alone.
        """
        headers, theirs = self._collector.speak()
        if not headers.get("Content-Type", TEXT_FORMAT).startswith("text/plain"):
            return headers, theirs
        known = set(re.findall(r"^# TYPE (\S+)", theirs, re.MULTILINE))
        ours = itertools.chain(self._collector.metrics(), self._metrics(), more)
        end = "" if theirs.endswith("\n") or not theirs else "\n"
        text = exposition(metric for metric in ours if metric.name not in known)
        return {"Content-Type": TEXT_FORMAT, **headers}, theirs + end + text

    def _metrics(self) -> Iterator[Metric]:
        yield from scheduler_metrics(self._scheduler)
        doc = f"Tasks by family and status, of the {MAX_FAMILIES} families with the most."
        yield metric("luigid_family_tasks", "gauge", doc, self._counted_families(), "family", "status")
        yield from process_metrics()

    def _counted_families(self) -> Values:
        with self._counting:
            began = time.monotonic()
            if began >= self._recount:
                self._families = largest_families(self._scheduler.count_families())
                ended = time.monotonic()
                self._recount = ended + max(FAMILIES_AGE, FAMILIES_REST * (ended - began))
            return self._families


def largest_families(counts: Mapping[tuple[str, str], int]) -> Values:
    """Return the counts by (family, status) of the families with the most tasks, in every status, and of all others."""
    sizes: dict[str, int] = collections.Counter()
    for (family, _), number in counts.items():
        sizes[cut(family)] += number
    shown = set(sorted(sizes, key=lambda family: (-sizes[family], family))[:MAX_FAMILIES])
    found = {(family, status): 0 for family in sorted(shown) for status in STATUSES}
    for (family, status), number in counts.items():
        key = (cut(family) if cut(family) in shown else OTHERS, status)
        found[key] = found.get(key, 0) + number
    return found


# -- collectors: where metrics of tasks go -----------------------------------------------------------------------------

#: what stock counts an event as; the others it does not count
MOMENTS = {RUNNING: "started", FAILED: "failed", DISABLED: "disabled", DONE: "done"}


def moment_of(event: Event) -> str | None:
    """Return what stock counts an event as; None for those it does not count, such as the start of a batch."""
    return None if event.kind == RUNNING and event.reason else MOMENTS.get(event.kind)


class Collector(Attendant):
    """Hears of tasks that begin and end, and makes metrics of it. This one makes none."""

    name = "collector"

    def metrics(self) -> Iterable[Metric]:
        """Return what it adds to /metrics."""
        return ()

    def speak(self) -> tuple[dict[str, str], str]:
        """Return headers and body of what it says at /metrics in its own words; ({}, "") if nothing."""
        return {}, ""


class TaskCounts(Collector):
    """Counts tasks under the names that stock has with `metrics_collector = prometheus`."""

    def __init__(self, use_task_family_in_labels: bool, task_parameters_to_use_in_labels: Iterable[str]) -> None:
        """Take the options of `[prometheus]`; SettingsError if labels cannot be made of them."""
        self._labels = (*task_parameters_to_use_in_labels, *(("family",) if use_task_family_in_labels else ()))
        for label in self._labels:
            if not re.fullmatch(r"(?!__)[A-Za-z_]\w*", label, re.ASCII):
                raise SettingsError(f"[prometheus] task_parameters_to_use_in_labels: {label!r:.100} cannot be a label")
        if len(set(self._labels)) != len(self._labels) or not self._labels:
            raise SettingsError("[prometheus] each label must be there once, and one at least; the family is one")
        # All are changed under the scheduler's lock only.
        self._counts: dict[str, dict[tuple[str, ...], int]] = {moment: {} for moment in MOMENTS.values()}
        self._created: dict[str, dict[tuple[str, ...], float]] = {moment: {} for moment in MOMENTS.values()}
        self._seconds: dict[tuple[str, ...], float] = {}
        self._known: set[tuple[str, ...]] = set()

    def hear(self, event: Event, task: Task | None, ticket: int) -> None:
        """Count."""
        moment = moment_of(event)
        if moment is None:
            return
        labels = self._label(event)
        self._created[moment].setdefault(labels, event.time)
        counts = self._counts[moment]
        counts[labels] = counts.get(labels, 0) + 1
        if moment == "started":
            self._seconds.setdefault(labels, 0.0)
        elif event.started is not None:
            self._seconds[labels] = event.time - event.started

    def _label(self, event: Event) -> tuple[str, ...]:
        # As stock has it, a parameter that a task does not have is "None"; so is one that must not be shown.
        said = {**shown_params(event, event.params), "family": event.family}
        labels = tuple([self._say(said.get(name)) for name in self._labels])
        if labels not in self._known:
            if len(self._known) >= MAX_LABEL_SETS:
                labels = (OTHERS,) * len(labels)
            if len(self._known) == MAX_LABEL_SETS:
                logger.warning("metrics of tasks have %d sets of labels; the rest is %s", MAX_LABEL_SETS, OTHERS)
            self._known.add(labels)
        return labels

    def _say(self, value: Any) -> str:
        # Under the scheduler's lock, nothing large is made into text. What is no text comes from Luigi's clients as a
        # list of texts only, with the parameters of a batch.
        return cut(str(value)) if not isinstance(value, (dict, list)) or is_short_list(value) else OTHERS

    def health(self) -> dict[str, Any]:
        """Return how many sets of labels there are."""
        return {"label_sets": len(self._known)}

    def metrics(self) -> Iterator[Metric]:
        """Return stock's metrics, with the time at which each counter began, which stock's client library adds."""
        for moment, counts in self._counts.items():
            name, doc = f"luigi_task_{moment}", f"Tasks that were {moment}."
            yield metric(f"{name}_total", "counter", doc, counts.copy(), *self._labels)
            yield metric(f"{name}_created", "gauge", doc, self._created[moment].copy(), *self._labels)
        doc = "How long the last run took."
        yield metric("luigi_task_execution_time_seconds", "gauge", doc, self._seconds.copy(), *self._labels)


def is_short_list(value: Any) -> bool:
    """Tell whether a list or an object is a list of texts that all fit into a label."""
    short = isinstance(value, list) and len(value) <= MAX_LABEL_VALUE
    return short and all(isinstance(item, str) for item in value) and sum(map(len, value)) <= MAX_LABEL_VALUE


class Forwarder(Collector):
    """Hands what it hears to `deal`, in a thread of its own; what does not fit into its queue is dropped."""

    def __init__(self) -> None:
        #: what `note` made of events; an Event of threading is set when all before it is dealt with; None is the end
        self._queue: SimpleQueue[Any] = SimpleQueue()
        #: events dropped; written under the scheduler's lock
        self._dropped = 0
        self._thread: threading.Thread | None = None
        #: what has been complained about already
        self._complaints: set[tuple[Any, ...]] = set()

    def note(self, event: Event, task: Task | None) -> Any:
        """Return what is needed to deal with an event later, without the task; None if nothing is to be done."""
        raise NotImplementedError

    def deal(self, item: Any) -> None:
        """Do what is to be done with what `note` returned."""
        raise NotImplementedError

    def hear(self, event: Event, task: Task | None, ticket: int) -> None:
        """Queue what is to be done."""
        item = self.note(event, task)
        if item is None:
            return
        if self._queue.qsize() < MAX_WAITING:
            self._queue.put(item)
            return
        self._dropped += 1
        if self.is_news("dropped"):
            logger.warning("metrics_collector cannot keep up: %d events wait, further ones are dropped", MAX_WAITING)

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._work, name=self.name, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        """Deal with what is queued, until the end."""
        while (item := self._queue.get()) is not None:
            if isinstance(item, threading.Event):
                item.set()
                continue
            with self.complaining("events"):
                self.deal(item)

    @contextlib.contextmanager
    def complaining(self, about: str) -> Iterator[None]:
        """Log what goes wrong in the block, once for each kind of error, and go on."""
        try:
            yield
        except Exception as error:
            if self.is_news(about, type(error)):
                logger.exception("metrics_collector failed at %s; what fails alike is not logged again", about)

    def is_news(self, *complaint: Any) -> bool:
        """Tell whether this has not been complained about yet."""
        known = complaint in self._complaints
        self._complaints.add(complaint)
        return not known

    def flush(self) -> None:
        """Return when all that was heard is dealt with."""
        dealt_with = threading.Event()
        self._queue.put(dealt_with)
        while self._thread is not None and self._thread.is_alive() and not dealt_with.wait(FLUSH_POLL):
            pass

    def close(self) -> None:
        """End the thread, when it has dealt with the rest or after CLOSE_SECONDS."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join(CLOSE_SECONDS)

    def health(self) -> dict[str, Any]:
        """Return how many events wait, and how many were dropped."""
        return {"waiting": self._queue.qsize(), "dropped": self._dropped}


# -- Datadog -----------------------------------------------------------------------------------------------------------

MAX_TAGS = 30  #: tags made of a task's parameters; with MAX_TAG they fit into what an agent reads as one packet
MAX_TAG = 200  #: characters of a tag; Datadog cuts longer ones itself

#: Seconds after which the agent's name is looked up again, if it was found and if it was not.
LOOKUP_SECONDS, LOOKUP_RETRY_SECONDS = 300.0, 30.0

#: What Datadog's own client replaces in tags by an underscore, and what could end a field of a packet.
NOT_IN_TAGS = re.compile(r"[^\w\-:/.]")

#: moment -> alert type and priority of its event at Datadog, as stock has them, and what a task does then
DATADOG_EVENTS = {
    "started": ("info", "low", "has been started"),
    "failed": ("error", "normal", "has failed"),
    "disabled": ("error", "normal", "is disabled for {disable_persist} s: too many failures within {disable_window} s"),
    "done": ("info", "low", "is done"),
}


class Datadog(Forwarder):
    """Sends stock's metrics and events of tasks to a Datadog agent, in DogStatsD packets by UDP."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        options = settings.section("datadog")
        self._agent = (options["statsd_host"], options["statsd_port"])
        self._prefix = options["metric_namespace"]
        self._tags = [f"environment:{options['environment']}", *filter(None, options["default_tags"].split(","))]
        self._settings = settings.section("scheduler")
        #: the agent's address and a socket of its kind; None as long as it is not found
        self._address: Any = None
        self._socket: socket.socket | None = None
        #: monotonic seconds from which on the agent's name is looked up again
        self._lookup = 0.0

    def note(self, event: Event, task: Task | None) -> Event | None:
        """Return the event, which needs no task, if stock sends anything then."""
        moment = moment_of(event)
        return None if moment is None or (moment == "done" and event.started is None) else event

    def deal(self, event: Event) -> None:
        """Send the packets for an event, if the agent's name can be resolved."""
        if time.monotonic() >= self._lookup:
            self._look_up()
        if self._socket is not None:
            for packet in self.packets(event):
                with contextlib.suppress(OSError):  # nobody listens: to be expected now and then, and not ours to tell
                    self._socket.sendto(packet.encode("utf-8", "replace"), self._address)

    def _look_up(self) -> None:
        self._hang_up()
        try:
            found = socket.getaddrinfo(*self._agent, type=socket.SOCK_DGRAM)
            family, _, _, _, self._address = min(found, key=lambda info: info[0] != socket.AF_INET)
            self._socket = socket.socket(family, socket.SOCK_DGRAM)
        except (OSError, UnicodeError) as error:  # the latter for what cannot be a host's name
            if self.is_news("look-up"):
                about = (self._agent[0], getattr(error, "strerror", None) or error)
                logger.warning("[datadog] statsd_host = %s: %s; no metrics are sent until it is found", *about)
        self._lookup = time.monotonic() + (LOOKUP_SECONDS if self._socket else LOOKUP_RETRY_SECONDS)

    def _hang_up(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def close(self) -> None:
        """End the thread, and close the socket."""
        super().close()
        self._hang_up()

    def packets(self, event: Event) -> Iterator[str]:
        """Yield what is sent for an event: a counter, the duration of a run that is done, and an event of Datadog's."""
        moment = MOMENTS[event.kind]  # `note` lets no others through
        params = itertools.islice(shown_params(event, event.params).items(), MAX_TAGS)
        tags = [f"task_name:{event.family}", *(f"{name}:{value}" for name, value in params)]
        all_tags = tag_text([*tags, *self._tags])
        yield f"{self._prefix}.task.{moment}:1|c|#{all_tags}"
        if moment == "done" and event.started is not None:
            yield f"{self._prefix}.task.execution_time:{event.time - event.started}|g|#{all_tags}"
        alert, priority, does = DATADOG_EVENTS[moment]
        title = f"Luigi task {moment}"
        text = f"A task of the family {tag_text([event.family])} {does.format(**self._settings)}."
        sizes = ",".join(str(len(part.encode("utf-8", "replace"))) for part in (title, text))
        all_tags = tag_text([*tags, f"task_state:{moment.upper()}", *self._tags])
        yield f"_e{{{sizes}}}:{title}|{text}|p:{priority}|t:{alert}|#{all_tags}"


def tag_text(tags: Iterable[str]) -> str:
    """Return tags as a packet has them."""
    return ",".join(NOT_IN_TAGS.sub("_", tag[:MAX_TAG]) for tag in tags)


# -- the operator's own collector --------------------------------------------------------------------------------------

#: what a collector must be able to do, and what it may
HANDLERS = {moment: f"handle_task_{moment}" for moment in MOMENTS.values()}


class CustomCollector(Forwarder):
    """Lets the class of `metrics_custom_import` handle what it hears; one call of it at a time, as in stock."""

    def __init__(self, settings: Settings) -> None:
        """Import the class and make an instance; SettingsError if that fails or it is no collector."""
        super().__init__()
        self._config = types.SimpleNamespace(**settings.section("scheduler"))
        self._theirs = import_collector(settings.get("scheduler", "metrics_custom_import"))
        #: held while one of its methods runs
        self._turn = threading.Lock()

    def note(self, event: Event, task: Task | None) -> Any:
        """Return the event and the task's fields, none of which is ever changed in place."""
        if task is None or (moment_of(event) is None and event.kind != STATISTICS):
            return None
        return event, task_fields(task)

    def deal(self, item: Any) -> None:
        """Call the handler for an event."""
        event, moment, task = item[0], moment_of(item[0]), as_stock_has_it(*item)
        if moment is None:
            name, arguments = "handle_task_statistics", [task, detached(event.report)]
        else:
            name, arguments = HANDLERS[moment], [task, self._config][: 2 if moment == "disabled" else 1]
        with self._turn, self.complaining(name):
            getattr(self._theirs, name, lambda *_: None)(*arguments)

    def speak(self) -> tuple[dict[str, str], str]:
        """Return what it says at /metrics, with the headers it sets."""
        reply = HeaderSetter()
        if not self._turn.acquire(timeout=COLLECTOR_SECONDS):
            return {}, ""  # it is stuck in a handler, which the queue tells
        try:
            with self.complaining("generate_latest"):
                said = getattr(self._theirs, "generate_latest", lambda: None)()
                if said:
                    getattr(self._theirs, "configure_http_handler", lambda handler: None)(reply)
                    return reply.headers, said if isinstance(said, str) else bytes(said).decode("utf-8", "replace")
        finally:
            self._turn.release()
        return {}, ""


class HeaderSetter:
    """What `configure_http_handler` is given: of Tornado's handler, which stock has, that which sets headers."""

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}

    def set_header(self, name: str, value: Any) -> None:
        """Set a header of the reply; ValueError for what would be more than one line."""
        if not f"{name}{value}".isprintable() or ":" in name:
            raise ValueError(f"{name!r}: {value!r} is no header")
        if name.title() not in ("Connection", "Content-Length", "Transfer-Encoding"):  # how it is sent is our business
            self.headers[name.title()] = str(value)


def import_collector(path: str | None) -> Any:
    """Return an instance of the class that `metrics_custom_import` names; SettingsError says what is wrong with it."""
    where = f"[scheduler] metrics_custom_import = {path}"
    module, _, name = (path or "").rpartition(".")
    if not module:
        raise SettingsError(f"{where}: must name a class, as package.module.Class, for metrics_collector = custom")
    try:
        collector = getattr(importlib.import_module(module), name)()
    except Exception as error:  # the operator's code: anything can come of it
        raise SettingsError(f"{where}: cannot be used: {type(error).__name__}: {error}") from error
    missing = [handler for handler in HANDLERS.values() if not callable(getattr(collector, handler, None))]
    if missing:
        raise SettingsError(f"{where}: is no collector: it lacks {', '.join(missing)}")
    return collector


def as_stock_has_it(event: Event, fields: tuple[Any, ...]) -> types.SimpleNamespace:
    """Return a task, as it was at an event, with the attributes of stock's class; nobody else has a part of it."""
    task = types.SimpleNamespace(**copied(dict(zip(TASK_FIELDS, fields))))
    task.time_running = event.started
    if event.kind != STATISTICS:
        task.status, task.updated = event.kind, event.time
    task.deps, task.stakeholders = set(task.deps), set(task.stakeholders)
    task.failures = collections.deque(task.failures)
    task.resources, task.resources_running = dict(task.resources), dict(task.resources_running or ())
    task.retry_policy = RetryPolicy(*task.retry_policy)
    task.public_params = shown_params(event, task.params)
    task.pretty_id = displayed(task.family, task.public_params)
    visibility = task.param_visibilities.get
    task.hidden_params = {name: value for name, value in task.params.items() if visibility(name) == HIDDEN}
    task.scheduler_message_responses = task.responses
    return task


#: [scheduler] metrics_collector -> what makes the collector from the settings
COLLECTORS: dict[str, Callable[[Settings], Collector]] = {
    "prometheus": lambda settings: TaskCounts(**settings.section("prometheus")),
    "datadog": Datadog,
    "custom": CustomCollector,
}


def make_collector(settings: Settings) -> Collector | None:
    """Return the collector that the settings ask for, None if they ask for none; SettingsError if it cannot be."""
    make = COLLECTORS.get(settings.get("scheduler", "metrics_collector"))
    return make and make(settings)


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
        *("changes", "overview", "tasks", "task", "families", "explain", "whoami", "history"),
        *("runs", "bottlenecks", "pipelines", "graph_view", "server"),
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
        *("get_scheduler_message_response", "bulk"),
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


def parse_password_hash(text: str) -> PasswordHash | None:
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
        self._passwords: dict[str, tuple[User, PasswordHash]] = {}
        #: by their hashes: to look one up tells nothing, as nobody can choose what their guess hashes to
        self._tokens: dict[str, User] = {}
        #: keyed digest of an Authorization header -> who that is
        self._remembered: dict[bytes, User] = {}
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

    def recall(self, authorization: str) -> User | None:
        """Who sends this header, if that is known without any work."""
        return self._remembered.get(self._digest(authorization))

    def identify(self, authorization: str) -> tuple[str, User | None]:
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


def parse_basic(credentials: str) -> tuple[str, str]:
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


def remember(memory: dict[Any, Any], key: Any, value: Any, most: int) -> None:
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
    mapped = getattr(ip, "ipv4_mapped", None)
    return ip.exploded[:19] if ip.version == 6 and mapped is None else str(mapped or ip)


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


class Headers(dict[str, str]):
    """The headers of a request by name in lower case, and what every request asks of them. Not changed once made."""

    __slots__ = ("body_type", "closes", "from_browser", "keeps_alive")

    def __init__(self, headers: Mapping[str, str] = NOTHING) -> None:
        super().__init__(headers)
        wish = self.get("connection", "").lower()
        #: what Connection wishes; without a wish it depends on the version of the protocol
        self.closes, self.keeps_alive = "close" in wish, "keep-alive" in wish
        #: the media type of the body, without its parameters
        self.body_type = self.get("content-type", "").partition(";")[0].strip().lower()
        #: whether the request may come from a browser
        named_so = self.get("user-agent", "").startswith("Mozilla/")
        self.from_browser = named_so or not self.keys().isdisjoint(("origin", "sec-fetch-site"))


NO_HEADERS = Headers()

#: those that say who somebody is
SECRET_HEADERS = frozenset(("authorization", "proxy-authorization", "cookie"))


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
def own_names() -> frozenset[str]:
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


def check_same_origin(headers: Headers, cors: Mapping[str, Any]) -> None:
    """Refuse (403) a change that a page from elsewhere asks a browser for."""
    if not headers.from_browser:
        return
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
        own = "x-requested-with" in headers or (referer == host != "")
    if not own:
        place = f"of {origin:.200}" if origin else "from elsewhere"
        raise HttpError(403, f"a page {place} may not change anything here; [cors] allowed_origins can permit it")


# -- TLS, and all of it together ---------------------------------------------------------------------------------------


def make_tls_context(cert: str, key: str | None, client_ca: str | None) -> ssl.SSLContext:
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

    def __init__(self, **options: Any) -> None:
        """`options` are those that `_take` has."""
        self.users: Users | None = None
        self.tls: ssl.SSLContext | None = None
        self._attempts: dict[str, Attempts] = {}
        self._options = options
        for name, read in self._take(**options).items():
            setattr(self, name, read())

    def _take(
        self,
        *,
        users_file: str | None = None,
        tls_cert: str | None = None,
        tls_key: str | None = None,
        tls_client_ca: str | None = None,
        allowed_hosts: Iterable[str] | None = None,
    ) -> dict[str, Callable[[], Any]]:
        """Take what needs no file; what does is for the caller to read: attribute -> how."""
        if not tls_cert and (tls_key or tls_client_ca):
            raise SettingsError("[luigid] tls_key and tls_client_ca go with a tls_cert, which is not set")
        self._allowed_hosts = None if allowed_hosts is None else frozenset(map(str.lower, allowed_hosts))
        sources: dict[str, Callable[[], Any]] = {}
        if users_file:
            sources["users"] = functools.partial(Users, users_file)
        if tls_cert:
            sources["tls"] = functools.partial(make_tls_context, tls_cert, tls_key, tls_client_ca)
        return sources

    def reload(self, **changed: Any) -> None:
        """Go by `changed` options, which name a file where there was one and none else, and read all files again.

        What cannot be used leaves in force what was read before, and the log says so.
        """
        self._options = {**self._options, **changed}
        for name, read in self._take(**self._options).items():
            try:
                setattr(self, name, read())
            except SettingsError as error:
                logger.error("%s; what was read before stays in force", error)
            else:
                logger.info("read again: %s", "users_file" if name == "users" else "certificate")

    def check_host(self, headers: Headers) -> None:
        """Refuse (403) a request that was meant for another host."""
        if self._allowed_hosts is None and (self.users or self.tls or not headers.from_browser):
            return
        name = host_name(headers.get("host", ""))
        if self._allowed_hosts is None:
            allowed = is_private(name)
        else:
            allowed = name == "localhost" or is_address(name) or not self._allowed_hosts.isdisjoint((name, "*"))
        if not allowed:
            raise HttpError(403, f"this server does not go by the name {name:.200}; [luigid] allowed_hosts can add it")

    def identify(self, authorization: str | None, address: str) -> User | None:
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
READ_BUFFER = 8 * 1024  #: bytes of a connection's read buffer, which some Pythons would make larger than all headers
MAX_BODY = 64 * 1024 * 1024  #: bytes of a request body, as sent and unpacked
MAX_LINE = 64 * 1024  #: bytes of a request line
MAX_HEADERS = 100  #: header lines of a request
MAX_RECALLED = 2048  #: bytes of a request line, or of header lines, up to which what they mean is remembered
MAX_KNOWN = 1024  #: request lines, and blocks of header lines, of which that is
MAX_HEADER_BYTES = 64 * 1024  #: bytes of all header lines of a request
MAX_PARTS = 4_000_000  #: commas in arguments: three bytes of JSON may be a hundred in memory
MAX_FIELDS = 10_000  #: fields of a query
MAX_DIGITS = 4300  #: digits of an integer: as many as Python takes by itself, where it has a limit

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

#: of a file made of what the history has
EXPORT_HEADERS = (
    b'Content-Type: %s\r\nContent-Disposition: attachment; filename="history-%s.%s"\r\n'
    b"Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
)

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


NO_TIMING = Timing()

#: a reply as it goes over the wire, in the blocks that are sent; all but large ones are a single one, and an export of
#: the history is made while it is sent
Reply = Union[list[bytes], Iterator[bytes]]


# -- Reading what a client sends ---------------------------------------------------------------------------------------


# A client says the same at the head of nearly every call, so what that means is remembered: the request lines without a
# query, and the headers, but none that say who somebody is. (What each call looks for in bytes it looks for by `find`:
# `in` first takes it for a number, and fails, which costs more than the search.)


class RequestLine(NamedTuple):
    """The first line of a request."""

    verb: str
    path: str
    #: what follows the question mark
    query: bytes
    version: str


_known_request_lines: dict[bytes, RequestLine] = {}
_known_headers: dict[bytes, Headers] = {}


def parse_request_line(line: bytes) -> RequestLine | None:
    """The parts of a request line; None if it is malformed."""
    return _known_request_lines.get(line) or _parse_request_line(line)


def _parse_request_line(line: bytes) -> RequestLine | None:
    match = REQUEST_LINE(line)
    if match is None:
        return None
    verb, target, minor = match.groups()
    if not target.startswith(b"/"):
        target = re.sub(rb"^https?://[^/?]*/?", b"/", target, flags=re.IGNORECASE)
    path, _, query = target.partition(b"?")
    version = "HTTP/1.1" if minor == b"1" else "HTTP/1.0"
    parsed = RequestLine(verb.decode("ascii"), path.decode("latin-1"), query, version)
    if not query and len(line) <= MAX_RECALLED:
        remember(_known_request_lines, line, parsed, MAX_KNOWN)
    return parsed


def parse_headers(block: bytes) -> Headers:
    """Headers from their lines; one that is repeated has its values joined by commas. 400 if any is malformed."""
    return _known_headers.get(block) or _parse_headers(block)


def _parse_headers(block: bytes) -> Headers:
    pairs = HEADER_LINES(block.decode("latin-1"))
    if len(pairs) != block.count(b"\n"):
        raise HttpError(400, "malformed header line")
    headers = {name.lower(): value.strip(" \t") for name, value in pairs}
    if len(headers) != len(pairs):
        for name in headers:
            headers[name] = ", ".join(value.strip(" \t") for key, value in pairs if key.lower() == name)
    parsed = Headers(headers)
    if len(block) <= MAX_RECALLED and SECRET_HEADERS.isdisjoint(parsed):
        remember(_known_headers, block, parsed, MAX_KNOWN)
    return parsed


def query_fields(query: bytes) -> dict[str, list[str]]:
    """The fields of a query that are not empty, name -> values; 400 for too many."""
    try:
        fields = urllib.parse.parse_qs(query.decode("utf-8", "replace"), max_num_fields=MAX_FIELDS)
    except ValueError:
        raise HttpError(400, f"the query has more than {MAX_FIELDS} fields") from None
    return fields


def history_arguments(spec: Rpc, fields: Mapping[str, list[str]]) -> dict[str, Any]:
    """The arguments of a question to the history from the fields of a query, with `format` if it is there; 400."""
    arguments: dict[str, Any] = {}
    for name, values in fields.items():
        if name != "format" and name in spec.params and is_list(spec, name):
            arguments[name] = values
        elif len(values) > 1:
            raise HttpError(400, f"{name[:80]} may be given once only")
        else:
            arguments[name] = values[0]
    form = arguments.get("format", "json")
    if form != "json" and not (form in EXPORTS and spec.name in EXPORTED):
        forms = ", ".join(("json", *EXPORTS) if spec.name in EXPORTED else ("json",))
        raise HttpError(400, f"format must be one of {forms}, not {shown(form)}")
    return arguments


def form_field(form: bytes) -> bytes | None:
    """The last field `data` of an urlencoded form, still encoded; None if there is none."""
    if form.startswith(b"data=") and form.find(b"&") < 0:  # the only one, as clients send it
        return form[len(b"data=") :]
    _, found, rest = (b"&" + form).rpartition(b"&data=")
    return rest.partition(b"&")[0] if found else None


#: Makes percent-encoding into quoted-printable. That gives line ends a meaning, so they become another kind of white
#: space, which to JSON is the same.
TO_QUOTED_PRINTABLE = bytes.maketrans(b"%+\r\n", b"= \t\t")


def unquote_form(value: bytes) -> bytes:
    """Undo the percent-encoding of a form field that holds JSON.

    The standard library decodes percent-encoding in a Python loop, which takes as long as all the rest of an
    `add_task`; but quoted-printable, which differs in one character, in C, twenty times as fast. An escape decodes to
    two bytes less than it has, so the lengths tell whether each was well-formed; if not, the slow way has its rules.
    """
    if value.find(b"=") < 0:
        decoded = binascii.a2b_qp(value.translate(TO_QUOTED_PRINTABLE))
        if len(value) - len(decoded) == 2 * value.count(b"%"):
            return decoded
    return urllib.parse.unquote_to_bytes(value.replace(b"+", b" "))


def parse_float(text: str) -> float:
    """A JSON number as a finite float: stock clients send Infinity, which no valid JSON reply could carry back."""
    return min(max(float(text), -sys.float_info.max), sys.float_info.max)


def parse_integer(text: str) -> int:
    """A JSON integer; ValueError for one so long that it would take seconds."""
    if len(text) > MAX_DIGITS:
        raise ValueError(f"an integer of {len(text)} digits, {MAX_DIGITS} are allowed")
    return int(text)


def parse_constant(text: str) -> float:
    """A number that JSON does not have, but Python sends; ValueError for NaN, which compares with no other."""
    if text == "NaN":
        raise ValueError("NaN is not a number to work with")
    return parse_float(text)


_decoder = json.JSONDecoder(parse_float=parse_float, parse_int=parse_integer, parse_constant=parse_constant)
#: the same with the scanner's fast way for integers, where Python has a limit of its own
_quick_decoder: Any = json.JSONDecoder(  # typeshed does not know scan_once
    parse_float=parse_float,
    parse_int=int if hasattr(sys, "set_int_max_str_digits") else parse_integer,
    parse_constant=parse_constant,
)


def decode_json(text: str) -> Any:
    """The value of a JSON text; ValueError if it is none."""
    try:
        value, end = _quick_decoder.scan_once(text, 0)
    except (StopIteration, ValueError):
        end = -1
    return value if end == len(text) else _decoder.decode(text)  # which passes over white space, or says what is wrong


def parse_arguments(data: bytes) -> dict[str, Any]:
    """The arguments of a call from their JSON text; 400 unless it is an object of sane size."""
    flat = data.replace(b"[", b"", MAX_NESTING).replace(b"{", b"", MAX_NESTING)  # five times as fast as count()
    if len(data) - len(flat) >= MAX_NESTING and is_nested_too_deep(data):
        raise HttpError(400, f"data is nested deeper than {MAX_NESTING} levels")
    if len(data) > MAX_PARTS and data.count(b",") > MAX_PARTS:
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


QUERY_FIELD = re.compile(r"(\w+)(?:\[(.+)\])?", re.ASCII | re.DOTALL).fullmatch


def plain_arguments(query: bytes, spec: Rpc) -> dict[str, Any]:
    """The arguments of a question from the fields of a query; 400 if these are too many, or one is given twice.

    A list may be a field that is repeated, or one with commas between the items; an object is fields like `name[key]`.
    """
    arguments: dict[str, Any] = {}
    try:
        fields = urllib.parse.parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        raise HttpError(400, f"the query has more than {MAX_FIELDS} fields") from None
    for (name, key), text in ((match.groups(), text) for field, text in fields if (match := QUERY_FIELD(field))):
        kind = spec.kind(name)
        form = kind.schema.get("type") if kind else None
        if form == "array":
            arguments.setdefault(name, []).append(text)
        elif form == "object" and key:
            arguments.setdefault(name, {})[key] = text
        elif name in arguments:
            raise HttpError(400, f"the field {name} is given twice")
        elif kind:
            arguments[name] = text if form == "string" else plain_value(text)
    for name, value in arguments.items():
        if type(value) is list and len(value) == 1 and "," in value[0]:
            arguments[name] = list(filter(None, value[0].split(",")))
    return arguments


def plain_value(text: str) -> Any:
    """A number or a flag as JSON has it; the text itself if it is neither."""
    try:
        value = decode_json(text)
    except ValueError:
        return text
    return text if value is None else value


# -- Making replies ----------------------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=1)
def date_header(second: int) -> bytes:
    """The Date header at `second` (since the epoch); the same for all replies of that second."""
    return b"Date: %s\r\n" % email.utils.formatdate(second, usegmt=True).encode("ascii")


def listing_blocks(entries: Iterable[str]) -> list[bytes]:
    """The body of a reply that is a large object, from its entries as JSON, some at a time.

    Joined it would be many megabytes, and making and copying those would keep all other threads waiting.
    """
    blocks, comma = [b'{"response":{'], b""
    for text in filter(None, entries):
        blocks.append(comma + text.encode("ascii"))
        comma = b","
    return [*blocks, b"}}"]


def compressed(body: Iterable[bytes]) -> tuple[bytes, ...]:
    """The blocks of a body in the gzip format."""
    packer = zlib.compressobj(GZIP_LEVEL, wbits=31)
    return tuple(filter(None, [*map(packer.compress, body), packer.flush()]))


# -- What the API says of itself ---------------------------------------------------------------------------------------

ERROR = {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}

#: What may be answered instead of a result: status -> why.
API_ERRORS = {
    400: "The request or an argument is not what it must be; `error` says which, and nothing has changed.",
    401: "Whoever asks must say who they are, and did not, or wrongly.",
    403: "Whoever asks may not do this, or not from where they are.",
    408: "The request took too long to arrive.",
    409: "What the call counts on is not so any more, and nothing has changed; to be looked at again.",
    413: "The body is larger than `[luigid] max_body`.",
    415: "The body is of a type or an encoding that is not known here.",
    429: "Too many failed log-ins, or connections, from this address.",
    431: "Too many header lines.",
    503: "Changes cannot be kept at present, or too much is going on; to be tried again later.",
}


def describe_api() -> dict[str, Any]:
    """The calls of the wire as an OpenAPI document."""
    paths = {f"/api/{name}": describe_path(spec) for name, spec in {**CALLS, **OWN_CALLS}.items()}
    paths.update((f"/api/history/{name}", describe_history(spec)) for name, spec in HISTORY_CALLS.items())
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


def describe_error(why: str) -> dict[str, Any]:
    """An error as OpenAPI has it."""
    schema = {"$ref": "#/components/schemas/Error"}
    return {"description": why, "content": {"application/json": {"schema": schema}}}


def describe_path(spec: Rpc) -> dict[str, Any]:
    """A call as OpenAPI has it: posted as JSON, or as stock does it, with the arguments in a field named data."""
    schema, needed = describe_arguments(spec), bool(spec.required)
    form = {"type": "object", "properties": {"data": schema}, "required": ["data"] if needed else []}
    data = {"name": "data", "in": "query", "required": needed, "content": {JSON: {"schema": schema}}}
    fields = [data] if spec.name in RPC_METHODS else describe_fields(spec)
    result = {"type": "object", "properties": {"response": {}}, "required": ["response"]}
    answers: dict[str, Any] = {str(status): {"$ref": f"#/components/responses/{status}"} for status in API_ERRORS}
    answers["200"] = {"description": "The result.", "content": {"application/json": {"schema": result}}}
    import inspect

    doc = inspect.cleandoc(spec.doc)
    common = {"description": doc, "summary": doc.partition("\n")[0], "responses": answers}
    bodies = {JSON: {"schema": schema}, FORM: {"schema": form, "encoding": {"data": {"contentType": JSON}}}}
    return {
        "get": {"operationId": f"get_{spec.name}", "parameters": fields, **common},
        "post": {"operationId": spec.name, "requestBody": {"required": needed, "content": bodies}, **common},
    }


def describe_history(spec: Rpc) -> dict[str, Any]:
    """A question to the history as OpenAPI has it."""
    path = describe_path(spec._replace(name=f"history_{spec.name}"))["get"]
    unknown = "The history does not have it, or none is recorded."
    path["responses"] = {**path["responses"], "404": describe_error(unknown)}
    if spec.name in EXPORTED:
        schema = {"enum": ["json", *EXPORTS]}
        path["parameters"] = [*path["parameters"], {"name": "format", "in": "query", "schema": schema}]
        files = {kind.decode("ascii"): {"schema": {"type": "string"}} for kind in EXPORTS.values()}
        path["responses"]["200"] = {**path["responses"]["200"]}
        path["responses"]["200"]["content"] = {**path["responses"]["200"]["content"], **files}
    return {"get": path}


def describe_fields(spec: Rpc) -> list[dict[str, Any]]:
    """The arguments of a question as fields of a query."""
    forms = {"array": {"style": "form", "explode": True}, "object": {"style": "deepObject", "explode": True}}
    return [
        {
            "name": name,
            "in": "query",
            "required": param.required,
            "schema": param.kind.schema,
            **forms.get(param.kind.schema.get("type", ""), {}),
        }
        for name, param in spec.params.items()
    ]


def describe_arguments(spec: Rpc) -> dict[str, Any]:
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


def read_page(directory: str, name: str) -> bytes | None:
    """The content of the file `name` below `directory`; None if there is none, or only by a link leading out."""
    if not PAGE_NAME(name):
        return None
    if not os.path.isdir(directory):
        return packed_pages(directory).get(name) or missing_page(directory, name)
    root = os.path.realpath(directory)
    path = os.path.realpath(os.path.join(root, name))
    if not (path.startswith(root + os.sep) and os.path.isfile(path)):
        return None
    with open(path, "rb") as file:
        return file.read()


@functools.lru_cache(maxsize=1)
def packed_pages(directory: str) -> Mapping[str, bytes]:
    """What is below `directory` in the archive that luigid itself came in, if it did: file name -> content.

    Read once, by make_server(): when a newer archive takes its place, nothing can be read from this one any more.
    """
    archive = getattr(__spec__ and __spec__.loader, "archive", None)
    if archive is None:
        return {}
    import zipfile

    below = os.path.relpath(directory, archive) + "/"
    with zipfile.ZipFile(archive) as packed:
        return {name[len(below) :]: packed.read(name) for name in packed.namelist() if name.startswith(below)}


def missing_page(directory: str, name: str) -> bytes | None:
    """What there is in place of the file `name`, where the pages are missing."""
    page = PAGES_MISSING.get(name)
    return None if page is None else page.replace("{directory}", html.escape(directory)).encode()


# -- A connection ------------------------------------------------------------------------------------------------------


class Connection(BaseHTTPRequestHandler):
    """A client's connection, served by its own thread; the attributes describe the request in hand."""

    server: Server
    rfile: io.BufferedReader
    #: the verb, the path without the query, the query as bytes, and the headers by name in lower case
    command: str
    path: str
    query: bytes
    headers: Headers  # type: ignore[assignment]  # typeshed has what http.server itself would make of them
    body: bytes
    #: who asks; None where nobody has to say so
    user: User | None
    #: neither a request nor a reply is on its way
    idle: bool
    #: when to hang up (on time.monotonic's clock)
    deadline: float
    #: when the request began, and when all of it had arrived (on the same clock)
    began: float
    arrived: float
    #: the call that is asked for, "" for anything else, and the status of the reply
    method: str
    status: int
    #: (method, status) -> how long it took to make the reply; all of this connection
    timings: dict[tuple[str, int], Timing]

    def setup(self) -> None:
        """Prepare the streams, and be known to the server."""
        if self.request.family != socket.AF_UNIX:
            self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        super().setup()
        self.rfile.close()  # which would go through Python code with each read
        self.rfile = io.BufferedReader(io.FileIO(self.request.fileno(), closefd=False), READ_BUFFER)
        self.command = ""  # until it has asked for something, by which one that is kept alive is known
        self.idle, self.deadline = True, time.monotonic() + TRANSFER_SECONDS
        self.timings = {}
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
            if self.server.access.tls and self.client_address:  # a Unix socket meets no network
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
        self.rfile = self.connection.makefile("rb", READ_BUFFER)
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
        if not line and self.idle and self.server.closing:  # hung up on; but what came at that moment is answered
            line = self.rfile.readline(MAX_LINE + 1)
        if line == b"\r\n":  # some clients send an empty line after a body
            line = self.rfile.readline(MAX_LINE + 1)
        self.start_request()
        return line

    def start_request(self) -> None:
        """Forget the last request."""
        self.idle, self.close_connection, self.method = False, True, ""
        self.began = self.arrived = time.monotonic()
        self.command, self.path, self.request_version, self.headers, self.user = "", "", "HTTP/1.1", NO_HEADERS, None

    def allow(self, size: int, since: float) -> None:
        """Give the client the time that `size` bytes may take on the network, from `since` on."""
        self.deadline = since + TRANSFER_SECONDS + size / TRANSFER_RATE

    def send(self, reply: Reply) -> None:
        """Count a reply, and send it whole; of one that is made while it is sent, each block has its own time."""
        now = time.monotonic()
        self.count_reply(now - self.arrived)
        is_whole = isinstance(reply, list)
        size = sum(map(len, reply)) if is_whole else 0
        self.allow(size, now)
        for block in reply:
            if not is_whole:
                self.allow(len(block), time.monotonic())
                size += len(block)
            self.connection.sendall(block)
        if access_logger.isEnabledFor(logging.INFO):
            self.log_access(size)

    def log_access(self, size: int) -> None:
        """Log who asked for what and got which reply; not the query, which may hold what is nobody else's business."""
        facts = {
            "address": self.client_address[0] if self.client_address else "unix",
            "user": self.user.name if self.user else "-",
            "method": self.command or "-",
            "path": self.path.replace('"', "%22"),
            "status": self.status,
            "bytes": size,
            "seconds": round(time.monotonic() - self.began, 6),
        }
        line = '%(address)s %(user)s "%(method)s %(path).500s" %(status)d %(bytes)d %(seconds).6f'
        access_logger.info(line, facts, extra={"facts": facts})

    def count_reply(self, seconds: float) -> None:
        """Take note that the reply is made, so many seconds after the request arrived."""
        try:
            timing = self.timings[self.method, self.status]
        except KeyError:
            timing = self.timings[self.method, self.status] = Timing()
        timing.add(seconds)

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
        self.allow(0, self.began)
        headers = self.headers = parse_headers(self.read_header_lines())
        host = headers.get("host", "" if self.request_version == "HTTP/1.0" else None)
        if host is None or "," in host:
            raise HttpError(400, "one Host header is needed")
        if (self.command, self.path) not in OPEN_TO_ALL and self.command != "OPTIONS":
            self.admit()
        self.body = self.read_body()
        self.close_connection = headers.closes if self.request_version == "HTTP/1.1" else not headers.keeps_alive
        self.deadline, self.arrived = math.inf, time.monotonic()

    def admit(self) -> None:
        """Find out who asks; HttpError if they may not ask for this, or not from where they are."""
        access, headers = self.server.access, self.headers
        method = self.path.split("/", 3)[2] if self.path.startswith("/api/") else ""
        if self.client_address:  # else it came through a Unix socket, where no browser comes
            access.check_host(headers)
        if method and makes_changes(method):
            check_same_origin(headers, self.server.cors)
        self.user = access.identify(headers.get("authorization"), self.client_address and self.client_address[0])
        if self.user and method and not may_call(self.user, method):
            raise HttpError(403, f"a {self.user.role} may not call {method[:80]}")

    def read_request_line(self, line: bytes) -> None:
        """Take the verb, the target and the version from the request line."""
        parsed = parse_request_line(line)
        if parsed is None:
            raise self.bad_request_line(line)
        self.command, self.path, self.query, self.request_version = parsed

    def bad_request_line(self, line: bytes) -> Exception:
        """What to say to a request line that cannot be understood."""
        if len(line) > MAX_LINE:
            return HttpError(414, f"the request line is longer than {MAX_LINE} bytes")
        if not line.endswith(b"\n"):
            return self.cut_short()
        if re.search(rb" HTTP/(?!1\.[01]\r)\d+\.\d+\r\n$", line):
            return HttpError(505, "HTTP/1.1 and HTTP/1.0 are spoken here")
        return HttpError(400, "malformed request line")

    def read_header_lines(self) -> bytes:
        """Read lines up to an empty one, within the limits."""
        arrived = self.rfile.peek()  # nearly always all of them have, and the body too; what fits there is not too much
        size = (b"\r\n" + arrived).find(b"\r\n\r\n")
        if size < 0:
            return self.await_header_lines()
        lines = self.rfile.read(size + 2)[:size]
        if lines.count(b"\n") > MAX_HEADERS:
            raise self.too_many_headers()
        return lines

    def await_header_lines(self) -> bytes:
        """Do what `read_header_lines` does while they arrive."""
        lines: list[bytes] = []
        room = MAX_HEADER_BYTES
        while True:
            line = self.rfile.readline(room)
            if line == b"\r\n":
                return b"".join(lines)
            lines.append(line)
            room -= len(line)
            if not room or len(lines) > MAX_HEADERS:
                raise self.too_many_headers()
            if not line.endswith(b"\r\n"):
                raise HttpError(400, "malformed header line") if line.endswith(b"\n") else self.cut_short()

    def too_many_headers(self) -> HttpError:
        """The refusal of headers over the limits."""
        return HttpError(431, f"more than {MAX_HEADERS} header lines, or {MAX_HEADER_BYTES} bytes of them")

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
        self.allow(size, time.monotonic())
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

    def check_chunked(self, coding: str, length: str | None) -> None:
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
            return self.refuse(HttpError(409 if isinstance(error, Outdated) else 400, str(error)))
        except NotFound as error:
            return self.refuse(HttpError(404, str(error)))
        except Unavailable as error:
            return self.refuse(HttpError(503, str(error), b"Retry-After: 5\r\n"))
        except Exception:
            logger.exception("%s %.200a failed", self.command, self.path)
            self.close_connection = True
            return self.refuse(HttpError(500, "the scheduler failed at this; its log says how"))

    def route(self) -> Callable[[Connection], Reply]:
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
        self.status = status
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
        spec = CALLS.get(name)
        if spec is None:
            raise HttpError(404, f"there is no method {name[:80]}{_nearest(name[:80], CALLS)}")
        self.method = name
        arguments = self.arguments(spec)
        places = self.server.waiting_calls if name in WAITING_CALLS else self.server.calls
        try:
            places.get_nowait()
        except Empty:
            raise HttpError(503, "too many calls at a time", b"Retry-After: 1\r\n") from None
        try:
            body = self.perform(spec, arguments)
        finally:
            places.put(None)
        if name in AUDITED:
            self.note_change(spec, arguments, b"".join(body))
        return self.reply(200, API_HEADERS + self.cors(), *body)

    def perform(self, spec: Rpc, arguments: Mapping[str, Any]) -> Iterable[bytes]:
        """The result of a call as JSON, in blocks."""
        if spec.entries:
            return listing_blocks(spec.entries(self.server.scheduler, **arguments))
        result = getattr(self.server.scheduler, spec.name)(**arguments)
        if result is None:  # as most are
            return [b'{"response":null}']
        return [b'{"response":%s}' % encode_json(result).encode("ascii")]

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

    def own_call(self) -> Reply:
        """What `/api` serves of the server itself: like any other call."""
        name = self.path[len("/api/") :]
        self.method = name
        self.arguments(OWN_CALLS[name])  # of which there are none, but a body must be as it is for others
        result = OWN_ANSWERS[name](self)
        return self.reply(200, API_HEADERS + self.cors(), encode_json({"response": result}).encode("ascii"))

    def audit(self) -> list[dict[str, Any]]:
        """The last changes made by hand, the latest first."""
        return list(self.server.audit_trail)[::-1]

    def whoami(self) -> dict[str, Any]:
        """Who asks, as what, and the calls they may make."""
        user = self.user
        return {
            "name": user.name if user else None,
            "role": user.role if user else None,
            "passwords": self.server.access.users is not None,
            "may": sorted(name for name in (*CALLS, *OWN_CALLS) if user is None or may_call(user, name)),
        }

    def report(self) -> dict[str, Any]:
        """How the server does, and its settings."""
        return self.server.report()

    def description(self) -> Reply:
        """`/api/openapi.json`."""
        return self.reply(200, API_HEADERS + self.cors(), encode_json(describe_api()).encode("ascii"))

    def arguments(self, spec: Rpc) -> dict[str, Any]:
        """The arguments of a call: a JSON body, or the form field `data` of the body or else of the query.

        Those of a question, which stock's clients do not ask, may also be plain fields of the query.
        """
        data = None
        if self.body:
            if self.headers.body_type == JSON:
                return parse_arguments(self.body)
            if self.headers.body_type != FORM:
                raise HttpError(415, f"a body must be of the type {FORM} or {JSON}")
            data = form_field(self.body)
        if data is None:
            data = form_field(self.query)
        if data is None and self.query and spec.name in QUESTIONS:
            return plain_arguments(self.query, spec)
        return {} if data is None else parse_arguments(unquote_form(data))

    def history(self) -> Reply:
        """`/api/history/...`: ask the task history; the reply is like that of a call, or a list as a file."""
        name = self.path[len("/api/history/") :]
        self.method = f"history/{name}"
        reader = history_reader(self.server.scheduler)
        if reader is None:
            raise HttpError(404, HISTORY_OFF)
        arguments = history_arguments(HISTORY_CALLS[name], query_fields(self.query))
        form = arguments.pop("format", "json")
        if form != "json":
            return self.export(name, form, exported(reader, name, form, arguments))
        result = encode_json(getattr(reader, name)(**arguments))
        return self.reply(200, API_HEADERS + self.cors(), b'{"response":%s}' % result.encode("ascii"))

    def export(self, name: str, form: str, blocks: Iterator[bytes]) -> Reply:
        """A file of which the blocks are made while it is sent; if that fails, it ends without an end."""
        first = next(blocks, b"")  # whatever is wrong with the question shows by now
        self.status = 200
        chunked = self.request_version == "HTTP/1.1"
        self.close_connection |= self.server.closing or not chunked
        length = b"Transfer-Encoding: chunked\r\n" if chunked else b""
        length += b"Connection: close\r\n" if self.close_connection else b""
        headers = EXPORT_HEADERS % (EXPORTS[form], name.encode("ascii"), form.encode("ascii")) + self.cors()
        head = b"%s%s%s%s\r\n" % (STATUS_LINES[200], date_header(int(time.time())), headers, length)
        return self.export_blocks(head, first, blocks, chunked)

    def export_blocks(self, head: bytes, first: bytes, blocks: Iterator[bytes], chunked: bool) -> Iterator[bytes]:
        """What `export` sends."""
        yield head
        try:
            for block in filter(None, itertools.chain((first,), blocks)):
                yield b"%x\r\n%s\r\n" % (len(block), block) if chunked else block
        except (Unavailable, NotFound) as error:
            logger.warning("an export of the task history was broken off: %s", error)
            raise ConnectionAbortedError from error
        if chunked:
            yield b"0\r\n\r\n"

    def history_page(self) -> Reply:
        """`/history...`, `/tasklist...`: the history for browsers, at stock's addresses."""
        path = urllib.parse.unquote_to_bytes(self.path.encode("latin-1")).decode("utf-8", "replace")
        root = "../" * (self.path.count("/") - 1)
        page = history_page(self.server.scheduler, path, query_fields(self.query), root)
        headers = b"Content-Type: text/html; charset=UTF-8\r\n" + PAGE_HEADERS
        return self.reply(page.status, headers, page.render(root))

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
        health = {"version": __version__, "uptime": time.time() - BEGAN, **self.server.scheduler.health()}
        return self.reply(200, API_HEADERS, encode_json(self.for_strangers(health)).encode("ascii"))

    def readiness(self) -> Reply:
        """`/readyz`: a load balancer asks whether to send workers here; if not, it is a 503."""
        checks = {**self.server.scheduler.readiness(), "not_stopping": not self.server.closing}
        ready = {"ready": all(checks.values()), "checks": checks, "reason": self.server.scheduler.health()["reason"]}
        body = encode_json(self.for_strangers(ready)).encode("ascii")
        return self.reply(200 if ready["ready"] else 503, API_HEADERS, body)

    def for_strangers(self, facts: dict[str, Any]) -> dict[str, Any]:
        """What whoever asks may see of `facts`: without a log-in, where there are any, no more than how it goes."""
        if self.server.access.users is None:
            return facts
        if "authorization" in self.headers:
            self.admit()
            return facts
        return {name: facts[name] for name in ("status", "ready") if name in facts}

    def metrics(self) -> Reply:
        """`/metrics`: Prometheus asks."""
        headers, text = self.server.exporter.expose(self.server.metrics())
        told = "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode("latin-1", "replace")
        return self.reply(200, told + b"Cache-Control: no-store\r\n", text.encode())

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

#: What /api serves of the scheduler, and of the server itself.
CALLS = {**RPC_METHODS, **QUESTIONS}
OWN_ANSWERS = {"audit": Connection.audit, "whoami": Connection.whoami, "server": Connection.report}
OWN_CALLS = {name: describe(method, changes=False)._replace(name=name) for name, method in OWN_ANSWERS.items()}
#: Those that wait until something changes, which keep nobody else from calling meanwhile.
WAITING_CALLS = frozenset(("changes",))

#: How calls are served: each is found by its whole path, and what is none by the beginning.
CALL_VERBS: dict[str, Callable[[Connection], Reply]] = {
    "GET": Connection.call,
    "POST": Connection.call,
    "OPTIONS": Connection.preflight,
}

#: What is served where, by verb. A path that ends in a slash stands for everything below it.
ROUTES: dict[str, dict[str, Callable[[Connection], Reply]]] = {
    "/": {"GET": Connection.redirect, "HEAD": Connection.alive},
    "/healthz": {"GET": Connection.health, "HEAD": Connection.health},
    "/readyz": {"GET": Connection.readiness, "HEAD": Connection.readiness},
    "/metrics": {"GET": Connection.metrics, "HEAD": Connection.metrics},
    "/api/openapi.json": {"GET": Connection.description},
    **{f"/api/{name}": {"GET": Connection.own_call, "POST": Connection.own_call} for name in OWN_CALLS},
    **dict.fromkeys(("/api/", *(f"/api/{name}" for name in CALLS)), CALL_VERBS),
    "/static/": {"GET": Connection.page, "HEAD": Connection.page},
    **{path: {"GET": Connection.history_page, "HEAD": Connection.history_page} for path in HISTORY_PATHS},
    **{f"/api/history/{name}": {"GET": Connection.history, "OPTIONS": Connection.preflight} for name in HISTORY_CALLS},
}

#: What needs no log-in: whoever watches over the daemon has none. (Nor has a browser that asks with OPTIONS first.)
OPEN_TO_ALL = {
    ("HEAD", "/"),
    *((verb, path) for path in ("/healthz", "/readyz") for verb in ("GET", "HEAD")),
    ("GET", "/api/openapi.json"),
}


# -- The server --------------------------------------------------------------------------------------------------------


class Limits(NamedTuple):
    """What a server has room for: options of make_server()."""

    body: int
    connections: int
    per_address: int
    calls: int


class Server(socketserver.ThreadingMixIn, HTTPServer):
    """Accepts connections on listening sockets, and keeps the books about them."""

    def __init__(
        self,
        scheduler: Scheduler,
        listeners: list[socket.socket],
        socket_file: str | None,
        cors: Mapping[str, Any],
        access: Access,
        limits: Limits,
        pages: str,
        collector: Collector | None = None,
    ) -> None:
        """`listeners` are bound and listening already, so the classes that would make one are skipped.

        The first gives the server its address; `socket_file` is that of a Unix socket that is to end with the server.
        """
        address = listeners[0].getsockname()
        socketserver.BaseServer.__init__(self, address if isinstance(address, str) else address[:2], Connection)
        self.socket = listeners[0]
        self.address_family = self.socket.family
        #: tells at which of several sockets a connection waits; None if there is but one
        self._listeners: selectors.DefaultSelector | None = None
        if len(listeners) > 1:
            self._listeners = selectors.DefaultSelector()
            for listener in listeners:
                self._listeners.register(listener, selectors.EVENT_READ, listener)
        #: absolute path and identity of a Unix socket's file
        self._socket_file = (os.path.abspath(socket_file), os.stat(socket_file)) if socket_file else None
        self.cors = cors
        self.access = access
        self.set_limits(limits)
        self.pages = pages
        self.scheduler = scheduler
        self.exporter = Exporter(scheduler, collector)
        #: epoch seconds
        self.started = time.time()
        #: what tells the settings in force, if these are known: see `Settings.table`
        self.tell_settings: Callable[[], list[dict[str, Any]]] = list
        self.closing = False
        self._next_sweep = 0.0
        self._short_of_descriptors = False
        #: guards the set, and is notified when it shrinks
        self._connections_changed = threading.Condition(threading.Lock())
        self._connections: set[Connection] = set()
        #: what ended connections counted; its values are never changed in place
        self._timings: dict[tuple[str, int], Timing] = {}
        #: connections accepted; the accepting thread's alone, as what follows
        self._accepted = 0
        #: status -> connections turned away with it
        self._refused = dict.fromkeys(TURNED_AWAY, 0)
        #: where the threads without a connection wait for one; None sends them home
        self._spare_threads: list[SimpleQueue[Any]] = []
        #: the last changes made by hand
        self.audit_trail: collections.deque[dict[str, Any]] = collections.deque(maxlen=AUDIT_ENTRIES)
        #: address ("" for Unix sockets) -> its connections
        self._places: dict[str, int] = {}
        #: (when to close it, a connection that there was no place for); the accepting thread's alone
        self._turned_away: collections.deque[tuple[float, socket.socket]] = collections.deque()

    def set_limits(self, limits: Limits) -> None:
        """Go by other limits; what is beyond them already may end."""
        self.limits = limits
        self.max_body = limits.body
        #: a token for each call that may be made now, and as many for those that wait for a change
        self.calls: SimpleQueue[None] = SimpleQueue()
        self.waiting_calls: SimpleQueue[None] = SimpleQueue()
        for _ in range(limits.calls):
            self.calls.put(None)
            self.waiting_calls.put(None)

    def add_connection(self, connection: Connection) -> None:
        """Watch over `connection`."""
        with self._connections_changed:
            self._connections.add(connection)

    def remove_connection(self, connection: Connection) -> None:
        """Forget `connection`; nobody shuts its socket down any more once this returns."""
        with self._connections_changed:
            self._connections.discard(connection)
            for key, timing in connection.timings.items():
                self._timings[key] = timing + self._timings.get(key, NO_TIMING)
            self._connections_changed.notify_all()

    def timings(self) -> dict[tuple[str, int], Timing]:
        """How long replies took to be made, by method ("" for what is no call of a known one) and HTTP status."""
        with self._connections_changed:
            timings = self._timings.copy()
            found = [connection.timings for connection in self._connections]
        for key, timing in itertools.chain.from_iterable(list(each.items()) for each in found):
            timings[key] = timing + timings.get(key, NO_TIMING)
        return timings

    def report(self) -> dict[str, Any]:
        """What `/api/server` says: version, uptime, health, calls with how long they took in seconds, settings."""
        calls: dict[str, dict[str, Any]] = {}
        durations: dict[str, Timing] = {}
        for (method, status), timing in self.timings().items():
            call = calls.setdefault(method, {"call": method or "(pages)", "total": 0, "refused": 0})
            call["total"] += sum(timing.counts)
            call["refused"] += sum(timing.counts) if status >= 400 else 0
            durations[method] = timing + durations.get(method, NO_TIMING)
        for method, call in calls.items():
            call["mean"] = durations[method].seconds / call["total"] if call["total"] else 0.0
            call.update(p50=durations[method].quantile(0.5), p99=durations[method].quantile(0.99))
        with self._connections_changed:
            connections = list(self._connections)
        return {
            "version": __version__,
            "python": ".".join(map(str, sys.version_info[:3])),
            "pid": os.getpid(),
            "started": self.started,
            "uptime": time.time() - self.started,
            "health": self.scheduler.health(),
            "connections": {"open": len(connections), "idle": sum(connection.idle for connection in connections)},
            "calls_in_flight": self.limits.calls - self.calls.qsize(),
            "calls": sorted(calls.values(), key=lambda call: -call["total"]),
            "settings": self.tell_settings(),
        }

    def metrics(self) -> Iterator[Metric]:
        """What /metrics says of connections and calls."""
        with self._connections_changed:
            connections = list(self._connections)
        calls: dict[tuple[Any, ...], Number] = {}
        others: dict[tuple[Any, ...], Number] = {}
        durations: dict[tuple[Any, ...], Timing] = {}
        for (method, status), timing in self.timings().items():
            if method:
                calls[method, status] = sum(timing.counts)
                durations[method,] = timing + durations.get((method,), NO_TIMING)
            else:
                others[status,] = sum(timing.counts)
        yield metric("luigid_rpc_calls_total", "counter", "Calls by method and HTTP status.", calls, "method", "code")
        doc = "Time from when all of a call has arrived until its reply is made."
        yield histogram("luigid_rpc_duration_seconds", doc, durations, "method")
        doc = "Replies to what is no call of a known method, by HTTP status."
        yield metric("luigid_http_replies_total", "counter", doc, others, "code")
        in_flight = self.limits.calls - self.calls.qsize()
        yield metric("luigid_calls_in_flight", "gauge", "Calls that are worked on.", in_flight)
        idle = sum(connection.idle for connection in connections)
        states = {("idle",): idle, ("busy",): len(connections) - idle}
        yield metric("luigid_connections", "gauge", "Connections that are open.", states, "state")
        doc = "Connections accepted, with those refused."
        yield metric("luigid_connections_accepted_total", "counter", doc, self._accepted)
        refused = {(status,): number for status, number in self._refused.items()}
        doc = "Connections turned away for want of a place, by HTTP status."
        yield metric("luigid_connections_refused_total", "counter", doc, refused, "code")

    def process_request(self, request: Any, client_address: Any) -> None:
        """Give a new connection to a thread that has none, or to a new one; or turn it away."""
        address = client_address[0] if client_address else ""
        status = self.refusal(address)
        self._accepted += 1
        if status:
            self._refused[status] += 1
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

    def fileno(self) -> int:
        """What serve_forever waits for: of several sockets, the descriptor of what watches them."""
        return (self._listeners or self.socket).fileno()

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection; when descriptors run out, the one idle longest gives way."""
        if self._listeners:
            self.socket = next((key.data for key, _ in self._listeners.select(0)), self.socket)
        try:
            accepted = self.socket.accept()
            if self.socket.gettimeout() is not None:  # some systems hand on that it does not block
                accepted[0].setblocking(True)
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
        self.scheduler.dismiss()
        self.remove_socket_file()
        for listener in [key.data for key in self._listeners.get_map().values()] if self._listeners else []:
            listener.close()
        super().server_close()
        self.close_turned_away(math.inf)
        reader = history_reader(self.scheduler)
        if reader is not None:
            reader.close()
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


def listen_tcp(host: str | None, port: int) -> socket.socket:
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
    host: str | None = "127.0.0.1",
    port: int = 0,
    unix_socket: str | None = None,
    cors: Mapping[str, Any] | None = None,
    *,
    max_body: int = MAX_BODY,
    max_connections: int = MAX_CONNECTIONS,
    max_connections_per_address: int = MAX_PER_ADDRESS,
    max_calls: int = MAX_CALLS,
    pages: str = PAGES_DIRECTORY,
    collector: Collector | None = None,
    sockets: list[socket.socket] | None = None,
    **access: Any,
) -> Server:
    """A server for `scheduler`, bound and listening on return: connections wait until `serve_forever()` accepts them.

    `host` None or "" means every address of the machine, `port` 0 any free one; `server_address` tells as (host, port).
    With `unix_socket`, a path, both are ignored, and `server_address` is that path. `cors` holds options of stock's
    `[cors]` by name. `max_body` (bytes) limits a request's body, also when unpacked, and `max_connections`,
    `max_connections_per_address` (0: no limit) and `max_calls` what there is at a time; `pages` is the directory served
    as /static/visualiser/. `collector` adds to /metrics. With `sockets`, which listen
    already and do not block, it serves these and goes to no place itself. `access` holds the options of `[luigid]` that
    Access takes: users_file, tls_cert, tls_key, tls_client_ca, allowed_hosts. SettingsError if a file cannot be used,
    OSError if the address is not to be had, TypeError for an option that does not exist.
    """
    options = {option.name: option.default for option in OPTIONS if option.section == "cors"}
    for name in cors or ():
        if name not in options:
            raise TypeError(f"[cors] has no option {name}{_nearest(name, options)}")
    admission = Access(**access)
    if unix_socket and admission.tls:
        raise SettingsError("[luigid] tls_cert and unix_socket do not go together: a socket meets no network")
    limits = Limits(max_body, max_connections, max_connections_per_address, max_calls)
    if sockets:
        unix_socket = None
    listeners = sockets or [listen_unix(unix_socket) if unix_socket else listen_tcp(host, port)]
    packed_pages(pages)
    settled = {**options, **(cors or {})}
    return Server(scheduler, listeners, unix_socket, settled, admission, limits, pages, collector)


# ======================================================================================================================
# 10. Daemon
# ======================================================================================================================
#
# How a process becomes the daemon, and how it ends. The order is the same in the foreground and in the background: fork
# (before there is a thread, a socket or a lock for a fork to tear), pid file, the state's lock, logs, socket, state,
# signals, threads, and last the line that says where everything is. Whatever goes wrong before that line is a
# NotStarted: an exit status and one line that says what to do. A start beside a live daemon ends before it has opened a
# log or a socket, so that cron may try each minute. The working directory stays, as with stock's: relative paths mean
# the same before and after, and when the settings are read again.
#
# Signals are never handled, they are waited for. All that mean something are blocked in every thread, and one thread
# takes them with sigwait(): nothing ever interrupts code that holds the scheduler's lock, and stopping is plain code.
# Once the first has stopped the accepting, those that stop are let through again, so that a second one has its default
# action: the process ends at once, even if a full disk or a bug holds up the saving. The main thread accepts
# connections, so if that ever fails the process ends loudly instead of living on without an ear.
#
# A pid file says who runs by the lock on it (flock), which the system drops with the process however that dies; the
# number inside is for people and for `kill`. A number alone cannot tell a daemon from a program that got it later. The
# state's lock serves where there is no pid file, and its file says more: where the daemon listens, for one.

#: The exit statuses, as --help documents them; those of --status are what service scripts have always answered.
EXIT_OK, EXIT_FAILED, EXIT_USAGE, EXIT_NOT_RUNNING, EXIT_UNKNOWN = range(5)

#: Where --background keeps its logs without --logdir, as stock.
DEFAULT_LOGDIR = "/var/log/luigi"

#: The format of a log line, as stock's, so that what reads the one reads the other.
LOG_FORMAT = "%(asctime)s %(name)s[%(process)s] %(levelname)s: %(message)s"

#: All that is logged here goes through one of these.
LOGGERS = (logger, audit_logger, access_logger)

#: Signals that save the state and end the daemon.
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)

#: The signals that have the settings read again and the logs opened again, and only the latter.
RELOAD_SIGNAL, REOPEN_SIGNAL = signal.SIGHUP, signal.SIGUSR1

#: All that one thread waits for, and every other one has blocked.
SIGNALS = {*STOP_SIGNALS, RELOAD_SIGNAL, REOPEN_SIGNAL}

#: Seconds between two looks at whether to stop accepting: what a stop waits for at most, and what idling wakes up for.
ACCEPT_POLL = 0.1

#: Seconds between two looks at whether the daemon that is stood by for, or that was told to stop, has ended.
STANDBY_POLL, STOP_POLL = 0.2, 0.02

#: Seconds for which --status waits for an answer, and how often it looks who has locked a file.
ANSWER_SECONDS, LOOKS = 5.0, 50

#: The options of [luigid] that make_server() takes by the same names: who may ask for what, and how much at a time.
ACCESS_OPTIONS = ("users_file", "tls_cert", "tls_key", "tls_client_ca", "allowed_hosts")
LIMIT_OPTIONS = ("max_body", "max_connections", "max_connections_per_address", "max_calls")

#: The options that RELOAD_SIGNAL changes at once, besides [resources]. All others take a restart.
CHANGEABLE = {
    *(("scheduler", name) for name in CHANGEABLE_SETTINGS),
    *(("luigid", name) for name in (*ACCESS_OPTIONS, *LIMIT_OPTIONS)),
    *(("luigid", name) for name in ("log_level", "log_json", "access_log", "log_max_bytes", "log_keep")),
    *((option.section, option.name) for option in OPTIONS if option.section == "cors"),
}

#: Those among them whose file may become another one, but not none: a configuration that is empty for a moment, while
#: somebody writes it, must not let everybody in.
GUARDS = ("users_file", "tls_cert", "tls_client_ca")

#: Why listening fails and what to do then, by the error that the system gives.
LISTEN_FAILURES = {
    errno.EADDRINUSE: "something listens there (another luigid?); stop it, or choose another --port or --unix-socket",
    errno.EACCES: "not permitted; choose a --port above 1023, or a --unix-socket in a directory that you may write to",
    errno.EADDRNOTAVAIL: "this machine has no such address; give --address one that it has, or leave it out",
}

#: Tells whoever started the daemon how that went: called once, with an exit status and one line.
Announce = Callable[[int, str], None]


class NotStarted(Exception):
    """What was asked for cannot be; `args` are the exit status and the one line that tells the operator what to do."""


# -- The log -----------------------------------------------------------------------------------------------------------


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


class JsonFormatter(logging.Formatter):
    """Writes a line of the log as a JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """The object, in ASCII, and so on one line; what an access line is made of is in it by name, too."""
        seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        entry = {
            "time": f"{seconds}.{int(record.msecs):03}Z",
            "level": record.levelname,
            "logger": record.name,
            "pid": record.process,
            "message": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if record.exc_text:
            entry["traceback"] = record.exc_text.splitlines()
        return json.dumps(entry)


class LogFile(logging.FileHandler):
    """A log that strangers can neither read nor lead elsewhere, and that begins anew when its day or size is over.

    The old file is named after its day, as stock's are, and numbered if that had one before:
    luigi-server.log.2026-11-22, luigi-server.log.2026-11-22.1. Where somebody else moves, removes or cuts the file, the
    next line notices.
    """

    def __init__(self, path: str) -> None:
        #: bytes from which on it begins anew (0: whatever its size), and how many old files are kept (0: it never does)
        self.max_bytes = self.keep = 0
        self._has_failed = False
        super().__init__(path, encoding="utf-8", errors="backslashreplace")

    def _open(self) -> io.TextIOWrapper:
        last_line = None
        with contextlib.suppress(OSError):
            found = os.stat(self.baseFilename)
            last_line = found.st_mtime if found.st_size else None
        day = time.localtime(last_line)
        self._day = time.strftime("%Y-%m-%d", day)
        self._midnight = time.mktime((day.tm_year, day.tm_mon, day.tm_mday + 1, 0, 0, 0, 0, 0, -1))
        return open(self.baseFilename, "a", encoding=self.encoding, errors=self.errors, opener=open_own)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, into a new file if it is time for one."""
        try:
            self._turn_over(record.created)
            if self.stream is None:
                self.stream, self._has_failed = self._open(), False
        except OSError:  # which must not reach whoever had something to log
            self.handleError(record)
        if self.stream:
            super().emit(record)

    def _turn_over(self, now: float) -> None:
        if self.stream is None:
            return
        try:
            found = os.stat(self.baseFilename)
        except FileNotFoundError:
            found = None
        if found is None or not os.path.samestat(found, os.fstat(self.stream.fileno())):
            reopen(self)
        elif self.keep and found.st_size and (now >= self._midnight or 0 < self.max_bytes <= found.st_size):
            self._begin_anew()

    def _begin_anew(self) -> None:
        numbers = [number for day, number, _ in self._old_files() if day == self._day]
        suffix = f".{max(numbers) + 1}" if numbers else ""
        os.rename(self.baseFilename, f"{self.baseFilename}.{self._day}{suffix}")
        reopen(self)
        for _, _, path in self._old_files()[: -self.keep]:
            with contextlib.suppress(OSError):  # somebody else's, or gone
                os.unlink(path)

    def _old_files(self) -> list[tuple[str, int, str]]:
        directory, name = os.path.split(self.baseFilename)
        is_old = re.compile(re.escape(name) + r"\.(\d{4}-\d\d-\d\d)(?:\.(\d{1,9}))?").fullmatch
        matches = filter(None, map(is_old, os.listdir(directory)))
        return sorted((match[1], int(match[2] or 0), os.path.join(directory, match[0])) for match in matches)

    def handleError(self, record: logging.LogRecord) -> None:
        """Say on standard error that lines are lost, once for each time that the file is opened."""
        if not self._has_failed:
            self._has_failed = True
            with contextlib.suppress(OSError, ValueError):
                print(f"luigid: cannot log to {self.baseFilename}: {sys.exc_info()[1]}", file=sys.stderr, flush=True)


def reopen(handler: logging.FileHandler) -> None:
    """Have `handler` open its file anew for the next line."""
    handler.acquire()
    try:
        stream, handler.stream = handler.stream, None
        if stream:
            stream.close()
    finally:
        handler.release()


def reopen_logs() -> None:
    """Open anew every file that is logged to, also where the operator's own configuration of logging decides that."""
    for source in (logging.getLogger(), *LOGGERS):
        for handler in source.handlers:
            if isinstance(handler, logging.FileHandler) and not handler.mode.startswith("w"):
                reopen(handler)


def configure_logging(settings: Settings, background: bool) -> logging.Handler | None:
    """Send the log where the settings say, in stock's order of precedence; NotStarted if that cannot be.

    What writes it, unless the operator's own configuration of logging decides about that.
    """
    for source in LOGGERS:
        source.addFilter(make_unforgeable)
    threading.excepthook = lambda failed: logger.error("a thread failed", exc_info=failed.exc_value)
    logdir, conf_file = settings.get("luigid", "logdir"), settings.get("core", "logging_conf_file")
    handler: logging.Handler | None = None
    if background:
        handler = log_to_directory(logdir or DEFAULT_LOGDIR, background)
    elif settings.get("core", "no_configure_logging"):
        pass
    elif logdir:
        handler = log_to_directory(logdir, background)
    elif conf_file:
        log_as_configured(f"[core] logging_conf_file = {conf_file}", "fileConfig", conf_file)
    elif settings.logging:
        log_as_configured("[logging]", "dictConfig", {"version": 1, **settings.logging})
    else:
        handler = logging.StreamHandler()
    if handler:
        logging.getLogger().addHandler(handler)
    adjust_logging(handler, settings)
    return handler


def adjust_logging(handler: logging.Handler | None, settings: Settings) -> None:
    """Have logged what the settings say, and by `handler` in the form that they say."""
    chosen = settings.section("luigid")
    access_logger.setLevel(logging.INFO if chosen["access_log"] else logging.WARNING)
    if handler:
        logging.getLogger().setLevel(chosen["log_level"].upper())
        handler.setFormatter(JsonFormatter() if chosen["log_json"] else logging.Formatter(LOG_FORMAT))
    if isinstance(handler, LogFile):
        handler.max_bytes, handler.keep = chosen["log_max_bytes"], chosen["log_keep"]


def log_to_directory(logdir: str, background: bool) -> LogFile:
    """What logs to luigi-server.log in `logdir`, which is made if need be.

    In the background the standard streams go there too, to luigi-server.err: what a crashing interpreter says, for one.
    """
    try:
        os.makedirs(logdir, exist_ok=True)
        handler = LogFile(os.path.join(logdir, "luigi-server.log"))
        if background:
            redirect_standard_streams(logdir)
    except OSError as error:
        advice = "give --logdir a directory that you may write to"
        raise NotStarted(EXIT_FAILED, f"cannot log to {logdir}: {error.strerror}; {advice}") from error
    return handler


def log_as_configured(option: str, configurator: str, source: Any) -> None:
    """Let a function of logging.config set up the log from the operator's `source`, which must not switch ours off."""
    import logging.config

    try:
        if isinstance(source, str):
            os.stat(source)  # before Python 3.12 a file that does not exist passes for an empty one
        getattr(logging.config, configurator)(source)
    except Exception as error:  # the operator's source names classes to import and call: anything can come of it
        raise NotStarted(EXIT_USAGE, f"{option} cannot be used: {type(error).__name__}: {error}") from error
    for ours in LOGGERS:
        ours.disabled = False


def redirect_standard_streams(logdir: str) -> None:
    """Read standard input from nowhere, and append standard output and error to luigi-server.err in `logdir`."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    errors = open_own(os.path.join(logdir, "luigi-server.err"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for source, target in ((nothing, 0), (errors, 1), (errors, 2)):
        os.dup2(source, target)
    os.close(nothing)
    os.close(errors)


# -- Who runs ----------------------------------------------------------------------------------------------------------

#: What is in the file of the state's lock: who has it, and what else that one has noted.
STATE_HOLDER = re.compile(r"(pid (\d+) on (.*))\n(?:(\{.*\})\n)?").match


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
        if not try_lock(descriptor):
            holder = os.read(descriptor, 32).decode("ascii", "replace").strip()
            raise NotStarted(EXIT_OK, f"already running (pid {holder}, pid file {path})")
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                break
        os.close(descriptor)  # the file locked is one that its holder has just removed: it guards nothing
    number = b"%d\n" % os.getpid()
    # One write covers all that a killed daemon left: a reader finds the old number or the new one and no mixture.
    os.pwrite(descriptor, number.ljust(os.fstat(descriptor).st_size, b"\n"), 0)
    os.ftruncate(descriptor, len(number))
    return descriptor


class Found(NamedTuple):
    """A daemon that runs."""

    pid: int
    host: str
    lock: str  #: path of a file that it has locked for as long as it runs
    owner: str  #: what that file begins with meanwhile
    facts: Mapping[str, Any]  #: what it has noted: "since" (epoch seconds), "version", "url"; {} before it answers


def find_daemon(settings: Settings) -> Found | None:
    """The daemon that has the pid file, if the settings name one, or else the state; None if there is none.

    NotStarted if that cannot be told.
    """
    pidfile, state_path = settings.get("luigid", "pidfile"), settings.get("scheduler", "state_path")
    try:
        if not pidfile:
            return find_by_state(state_path)
        number = locked_text(pidfile, re.compile(r"\d+\n").fullmatch)
    except OSError as error:
        advice = "ask as the user that luigid runs as"
        raise NotStarted(EXIT_UNKNOWN, f"cannot look at {error.filename}: {error.strerror}; {advice}") from error
    if number is None:
        return None
    with contextlib.suppress(OSError):  # then there is less to tell
        found = find_by_state(state_path)
        if found and found.pid == int(number[0]):  # its pid file is what it lets go of last
            return found._replace(lock=pidfile, owner=number[0])
    return Found(int(number[0]), socket.gethostname(), pidfile, number[0], {})


def find_by_state(state_path: str) -> Found | None:
    """The daemon that has the state; None if nobody has. OSError."""
    lock = state_path + ".lock"
    holder = locked_text(lock, STATE_HOLDER)
    if holder is None:
        return None
    owner, pid, host, facts = holder.groups()
    return Found(int(pid), host, lock, owner, json.loads(facts or "{}"))


def locked_text(path: str, read: Callable[[str], Any]) -> Any:
    """What `read` finds in the file at `path`, if somebody has locked it; None if nobody has. OSError, NotStarted."""
    for _ in range(LOOKS):  # it is locked a moment before it is written
        text = lock_holder(path)
        if text is None or read(text):
            return text and read(text)
        time.sleep(STOP_POLL)
    raise NotStarted(EXIT_UNKNOWN, f"{path} is locked, but not by luigid")


def stop_daemon(settings: Settings, patience: float) -> tuple[int, str]:
    """Stop the daemon that the settings mean, and wait for `patience` seconds until it is gone; exit status, line."""
    found = find_daemon(settings)
    if found is None:
        return EXIT_NOT_RUNNING, "not running"
    if found.host != socket.gethostname():
        return EXIT_FAILED, f"it runs on {found.host} (pid {found.pid}); stop it there"
    if not is_of_owner(found):
        return EXIT_FAILED, f"{found.lock} names pid {found.pid}, which is not its owner's process and left alone"
    try:
        os.kill(found.pid, signal.SIGTERM)
    except PermissionError:
        return EXIT_FAILED, f"not permitted to stop pid {found.pid}; ask as the user that it runs as, or as root"
    except ProcessLookupError:  # it has just ended by itself
        pass
    if not wait_until(lambda: not (lock_holder(found.lock) or "").startswith(found.owner), patience):
        advice = "another TERM would end it at once, and lose nothing that was acknowledged"
        return EXIT_FAILED, f"pid {found.pid} has not ended within {patience:g} s; {advice}"
    # By now it has saved and let go of everything. That its number goes, too, is not waited for long: where nobody asks
    # after dead processes, as in many a container, they keep it.
    wait_until(lambda: not is_process(found.pid), 0.2)
    return EXIT_OK, f"stopped (pid {found.pid})"


def is_of_owner(found: Found) -> bool:
    """Whether a process is of the user whose file names it, where that can be told.

    If not, whoever may write that file would have root stop what they like.
    """
    with contextlib.suppress(OSError):
        return os.stat(f"/proc/{found.pid}").st_uid == os.stat(found.lock).st_uid
    return True


def wait_until(condition: Callable[[], bool], patience: float) -> bool:
    """Wait until `condition()` holds; False if it does not within `patience` seconds."""
    give_up = time.monotonic() + patience
    while not condition():
        if time.monotonic() > give_up:
            return False
        time.sleep(STOP_POLL)
    return True


def is_process(pid: int) -> bool:
    """Whether there is a process with this number, be it a dead one that nobody has asked after."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def describe_daemon(settings: Settings) -> tuple[int, dict[str, Any]]:
    """What --status tells: an exit status, and {"running": ...} with more if that is so."""
    found = find_daemon(settings)
    if found is None:
        return EXIT_NOT_RUNNING, {"running": False}
    status = {"running": True, "pid": found.pid, "host": found.host, **found.facts, "answers": None}
    if "url" not in found.facts or found.host != socket.gethostname():
        return EXIT_OK, status
    health = ask_health(found.facts["url"])
    return EXIT_UNKNOWN if health is None else EXIT_OK, {**status, "answers": health is not None, **(health or {})}


def ask_health(url: str) -> dict[str, Any] | None:
    """What the daemon at `url`, on this machine, says at /healthz; None if it does not answer in time."""
    import http.client

    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=ANSWER_SECONDS)
    try:
        if parts.scheme == "http+unix":
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.settimeout(ANSWER_SECONDS)
            connection.sock.connect(urllib.parse.unquote(parts.netloc))
        elif parts.scheme == "https":
            connection.connect()
            context = ssl._create_unverified_context()  # nothing is told to whoever answers
            connection.sock = context.wrap_socket(connection.sock)
        connection.request("GET", "/healthz", headers={"Host": "localhost"})
        return json.loads(connection.getresponse().read())
    except ssl.SSLError:  # which is an answer, if only to those who have a certificate
        return {}
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def status_line(status: Mapping[str, Any]) -> str:
    """What `describe_daemon` found, for people."""
    if not status["running"]:
        return "not running"
    parts = [f"running (pid {status['pid']} on {status['host']})"]
    if "url" in status:
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(status["since"]))
        parts += [f"since {since}", f"version {status['version']}", f"listening on {status['url']}"]
    else:
        parts.append("about to start, or standing by")
    if status["answers"] is False:
        parts.append(f"NO ANSWER within {ANSWER_SECONDS:g} s")
    if "tasks" in status:
        parts.append(f"{status['tasks']} tasks")
    if status.get("reason"):
        parts.append(f"{status['status']}: {status['reason']}")
    return ", ".join(parts)


# -- Away from the terminal --------------------------------------------------------------------------------------------


def in_background(daemon: Callable[[Announce], int]) -> tuple[int, str]:
    """Run `daemon` in a process of its own, away from the terminal; the exit status and the line that it announces.

    Returns in the process that called, and only when the daemon answers requests or has failed.
    """
    reader, writer = os.pipe()
    # Python swallows an interrupt that falls into what it calls after a fork; so it has to come later.
    usual = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    child = os.fork()
    signal.pthread_sigmask(signal.SIG_SETMASK, usual)
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

    announced = False

    def announce(status: int, line: str) -> None:
        nonlocal announced
        if announced:  # a standby has been, and the starter waits for one line only
            return
        with contextlib.suppress(BrokenPipeError):  # the starter has been killed; the daemon was asked for nevertheless
            os.write(writer, f"{status} {printable(line)}".encode())
        os.close(writer)
        announced = True

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


# -- Service managers --------------------------------------------------------------------------------------------------
#
# The protocol of systemd, which others speak as well: what is told goes to a datagram socket that the environment names
# (sd_notify), and sockets that listen already are inherited from descriptor 3 on (sd_listen_fds): while one daemon
# follows the other, the system holds what connects, so that a restart refuses nobody.

FIRST_SOCKET = 3

SERVICE_UNIT = """\
[Unit]
Description=Central scheduler for Luigi
Documentation=https://luigi.readthedocs.io/en/stable/central_scheduler.html
After=network-online.target
Wants=network-online.target

[Service]
Type=notify
ExecStart={command}
ExecReload=/bin/kill -HUP $MAINPID
Restart=always
WatchdogSec=60
TimeoutStartSec=15min
TimeoutStopSec=2min
LimitNOFILE=65536

# A user of its own, unless there is one of this name already. Files that the settings name must be readable to it.
DynamicUser=yes
User=luigid
StateDirectory=luigi-server
StateDirectoryMode=0700
RuntimeDirectory=luigid
LogsDirectory=luigi
WorkingDirectory=/var/lib/luigi-server
UMask=0027

# It needs its directories and sockets, and nothing else.
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=read-only
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
PrivateDevices=yes
PrivateTmp=yes
RemoveIPC=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
"""

SOCKET_UNIT = """\
[Unit]
Description=Socket of the central scheduler for Luigi

[Socket]
ListenStream=8082
Backlog=1024
NoDelay=yes

[Install]
WantedBy=sockets.target
"""


def unit(kind: str) -> str:
    """The text of a unit of systemd that runs this program as it runs now: "service", or the "socket" beside it."""
    if kind == "socket":
        return SOCKET_UNIT
    words = [sys.executable, os.path.abspath(sys.argv[0])]
    return SERVICE_UNIT.replace("{command}", " ".join(map(quote_for_unit, words)))


def quote_for_unit(word: str) -> str:
    """`word` as it is written in a command of a unit."""
    if re.fullmatch(r"[\w./+-]+", word, re.ASCII):
        return word
    return '"' + word.replace("\\", r"\\").replace('"', r"\"").replace("%", "%%").replace("$", "$$") + '"'


def notify(*assignments: str) -> None:
    """Tell the service manager, if there is one, such as READY=1."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):  # a name that is in no directory
        address = "\0" + address[1:]
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.settimeout(1.0)
        channel.connect(address)
        channel.send("\n".join(map(printable, assignments)).encode())


def inherited_sockets() -> list[socket.socket]:
    """The sockets that a service manager has handed over, listening; none if it has not. NotStarted if it cannot be."""
    given = [os.environ.pop(name, "") for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")]
    if given[0] != str(os.getpid()):
        return []
    names = itertools.chain(filter(None, given[2].split(":")), itertools.repeat("unnamed"))
    count = int(given[1]) if given[1].isdecimal() else 0
    return [take_over(FIRST_SOCKET + index, next(names)) for index in range(count)]


def take_over(descriptor: int, name: str) -> socket.socket:
    """The listening socket behind a `descriptor` that was handed over; NotStarted if it is none."""
    try:
        listener = socket.socket(fileno=descriptor)
    except OSError:
        listener = None
    if listener is None or not listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        advice = "a socket unit needs ListenStream= and Accept=no"
        raise NotStarted(EXIT_FAILED, f"what was handed over as {name} is no socket that listens; {advice}")
    listener.set_inheritable(False)
    listener.setblocking(False)  # whoever has it too may accept first what both have been told of
    return listener


def feed_watchdog(scheduler: Scheduler, is_serving: Callable[[], bool]) -> None:
    """Tell the service manager again and again, if it wants to hear that, that the scheduler is not stuck."""
    wish, own_pid = os.environ.get("WATCHDOG_USEC", ""), str(os.getpid())
    if not wish.isdecimal() or os.environ.get("WATCHDOG_PID", own_pid) != own_pid:
        return
    pause = int(wish) / 1e6 / 3

    def feed() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # it runs before the others, which have that from serve()
        while True:
            if not is_serving() or scheduler.responds(pause):
                notify("WATCHDOG=1")
            time.sleep(pause)

    threading.Thread(target=feed, name="watchdog", daemon=True).start()


# -- At work -----------------------------------------------------------------------------------------------------------


def run_daemon(read_settings: Callable[[], Settings], background: bool, standby: bool, announce: Announce) -> int:
    """Be the daemon until a signal says stop; the exit status.

    Announces where everything is as soon as requests are answered; NotStarted and SettingsError say why none will be.
    `background` only decides about the logs, and whether it is an error if the state has its daemon already: the
    terminal has been left by then. With `standby` it waits for such a daemon to end, and takes over.
    """
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    for number in (RELOAD_SIGNAL, REOPEN_SIGNAL):
        signal.signal(number, signal.SIG_IGN)  # nothing has been read or opened yet
    settings = read_settings()
    prepare_process()
    sockets = inherited_sockets()
    pidfile = settings.get("luigid", "pidfile")
    with pid_file(pidfile) if pidfile else contextlib.nullcontext():
        scheduler = Scheduler(
            resources=settings.resources,
            journal_sync=settings.get("luigid", "journal_sync"),
            db_connection=settings.get("task_history", "db_connection"),
            **settings.section("scheduler"),
        )
        holder = claim_state(scheduler, settings, background, standby)
        log = configure_logging(settings, background)
        for warning in settings.warnings:
            logger.warning("%s", warning)
        collector = make_collector(settings)
        if collector is not None:
            scheduler.attend(collector)
        reader = history_reader(scheduler)
        for notices in make_notices(settings, reader.expectations if reader else None):
            scheduler.attend(notices)
        daemon = Daemon(scheduler, settings, read_settings, log, background)
        feed_watchdog(scheduler, lambda: daemon.is_serving)
        if holder:
            stand_by(scheduler, settings, holder, announce)
        with listen(scheduler, settings, collector, sockets) as server:
            load_state(scheduler, settings)
            daemon.serve(server, announce)
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


def share_one_core() -> None:
    """Let this thread, and all that it starts from now on, run on the same core; where that cannot be said, nothing.

    Python lets one thread at a time run, and those that wait for their turn on another core have to be woken there, at
    each reply: with some connections at a time that costs more than the calls do. Who else is busy on that core is
    moved away by the system, which may move everybody but us.
    """
    if hasattr(os, "sched_setaffinity"):  # Linux
        cores = sorted(os.sched_getaffinity(0))
        with contextlib.suppress(OSError):
            os.sched_setaffinity(0, {cores[os.getpid() % len(cores)]})


@contextlib.contextmanager
def keeping_state(path: str) -> Iterator[None]:
    """Make of an error with the state in `path`, inside the block, a NotStarted."""
    try:
        yield
    except OSError as error:
        advice = "give --state-path a file in a directory that you may write to"
        raise NotStarted(EXIT_FAILED, f"cannot keep the state in {path}: {error.strerror}; {advice}") from error
    except StateError as error:
        raise NotStarted(EXIT_FAILED, str(error)) from error


def claim_state(scheduler: Scheduler, settings: Settings, background: bool, standby: bool) -> str | None:
    """Make the state this process's alone; None, or with `standby` who has it. Without, that is a NotStarted.

    In the background it is no error: whoever has a daemon started there wants one to run, and one does. In the
    foreground somebody, or a service manager, waits for this one.
    """
    path = settings.get("scheduler", "state_path")
    with keeping_state(path):
        holder = scheduler.claim()
    if holder and background and not standby:
        raise NotStarted(EXIT_OK, f"already running ({holder}, state {path})")
    if holder and not standby:
        advice = "--stop stops that one, --standby waits for its end"
        raise NotStarted(EXIT_FAILED, f"the state in {path} is in use: {holder}; {advice}")
    return holder


def stand_by(scheduler: Scheduler, settings: Settings, holder: str, announce: Announce) -> None:
    """Wait until `holder`, who has the state, has ended; NotStarted if that cannot be told."""
    path = settings.get("scheduler", "state_path")
    line = f"standing by: the state in {path} is in use: {holder}"
    logger.info("%s", line)
    announce(EXIT_OK, line)
    notify("READY=1", f"STATUS={line}")
    with keeping_state(path):
        while scheduler.claim() is not None:
            time.sleep(STANDBY_POLL)


def listen(
    scheduler: Scheduler,
    settings: Settings,
    collector: Collector | None = None,
    sockets: list[socket.socket] | None = None,
) -> Server:
    """The server that the settings ask for, bound, or one for `sockets`; NotStarted if that cannot be."""
    cors, chosen = settings.section("cors"), settings.section("luigid")
    address, port, unix_socket = chosen["address"], chosen["port"], chosen["unix_socket"]
    passed_on = {name: chosen[name] for name in (*ACCESS_OPTIONS, *LIMIT_OPTIONS)}
    try:
        return make_server(
            scheduler, address, port, unix_socket, cors, collector=collector, sockets=sockets, **passed_on
        )
    except (OSError, UnicodeError) as error:  # the latter for what cannot be a host's name
        place = unix_socket or f"port {port} of {address or 'any interface'}"
        reason = getattr(error, "strerror", None) or error
        unusual = f"{reason}; choose another place with --address, --port or --unix-socket"
        explanation = LISTEN_FAILURES.get(getattr(error, "errno", 0), unusual)
        raise NotStarted(EXIT_FAILED, f"cannot listen on {place}: {explanation}") from error


def load_state(scheduler: Scheduler, settings: Settings) -> None:
    """Make sure that the state can be written where the settings say, and read what is there; NotStarted if not."""
    import tempfile

    path = settings.get("scheduler", "state_path")
    directory = os.path.dirname(os.path.abspath(path))
    notify(f"STATUS=reading the state in {path}")
    with keeping_state(path):
        if os.path.isdir(path):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        os.makedirs(directory, mode=0o700, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory) as probe:
            probe.write(b"a full disk takes a file, but nothing into it")
        scheduler.load()
        scheduler.tidy()


def whereabouts(server: HTTPServer, settings: Settings) -> str:
    """Where the daemon listens, where its page is and where its state lives, on one line."""
    url = daemon_url(server, settings)
    page = f"page {url}/static/visualiser/index.html"
    state_path = settings.get("scheduler", "state_path")
    state = f"state in {os.path.abspath(state_path)}"
    if settings.origin("scheduler", "state_path") == "default" and state_path != STOCK_STATE_PATH:
        state += f", as {os.path.dirname(STOCK_STATE_PATH)} cannot be written"
    return f"listening on {url} (pid {os.getpid()}); {page}; {state}"


def daemon_url(server: HTTPServer, settings: Settings) -> str:
    """How clients on this machine reach `server`."""
    return server_url(server.server_address, "https" if settings.get("luigid", "tls_cert") else "http")


def server_url(address: str | tuple[Any, ...], scheme: str = "http") -> str:
    """How clients on this machine reach a server at `address`: a Unix socket's path, or host and port."""
    if isinstance(address, str):
        return "http+unix://" + urllib.parse.quote(os.path.abspath(address), safe="")
    host, port = address[:2]
    if host in ("0.0.0.0", "::"):
        host = "localhost"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


class Daemon:
    """What runs, as far as signals reach it."""

    def __init__(
        self,
        scheduler: Scheduler,
        settings: Settings,
        read_settings: Callable[[], Settings],
        log: logging.Handler | None,
        background: bool,
    ) -> None:
        """`log` is what `configure_logging` returned."""
        self.scheduler = scheduler
        #: what is in force; belongs to the thread that waits for signals
        self.settings = settings
        #: who answers requests; there as soon as it is serving
        self.server: Server
        self.is_serving = False
        self._read_settings = read_settings
        self._log = log
        self._background = background

    def serve(self, server: Server, announce: Announce) -> None:
        """Answer requests until a signal says stop."""
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        for number in (RELOAD_SIGNAL, REOPEN_SIGNAL):  # some systems drop an ignored signal even when it is blocked
            signal.signal(number, signal.SIG_DFL)
        self.scheduler.start()
        self.server, self.is_serving = server, True
        server.tell_settings = lambda: self.settings.table()
        threading.Thread(target=self._obey_signals, name="signals", daemon=True).start()
        line = self._note_whereabouts()
        if self._background:
            logger.info("%s", line)  # nobody keeps what the starter prints
        announce(EXIT_OK, line)
        notify("READY=1", f"STATUS={line}")
        if self.settings.get("luigid", "one_core"):
            share_one_core()
        server.serve_forever(ACCEPT_POLL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)

    def _note_whereabouts(self) -> str:
        url = daemon_url(self.server, self.settings)
        with contextlib.suppress(OSError):  # a full disk: then there is less to tell for --status
            self.scheduler.note({"since": int(time.time()), "version": __version__, "url": url})
        return whereabouts(self.server, self.settings)

    def _obey_signals(self) -> None:
        actions: dict[int, Callable[[], None]] = {RELOAD_SIGNAL: self.reload, REOPEN_SIGNAL: self.reopen_logs}
        while (number := signal.sigwait(SIGNALS)) in actions:
            try:
                actions[number]()
            except Exception:
                logger.exception("%s could not be obeyed", signal.Signals(number).name)
        logger.info("stopping on %s", signal.Signals(number).name)
        notify("STOPPING=1", "STATUS=stopping")
        self.server.shutdown()

    def reopen_logs(self) -> None:
        """Write on in the files that have the names of the logs now."""
        reopen_logs()
        if self._background:
            redirect_standard_streams(self.settings.get("luigid", "logdir") or DEFAULT_LOGDIR)
        logger.info("the logs are open again")

    def reload(self) -> None:
        """Go by the settings, users and certificates as they are now. What cannot be used leaves the old in force."""
        notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
        try:
            self._take(self._read_settings())
        except (SettingsError, Unavailable) as error:
            logger.error("%s; all settings stay as they are", error)
        try:
            self._apply()
            self.reopen_logs()
        finally:
            notify("READY=1", f"STATUS={whereabouts(self.server, self.settings)}")

    def _take(self, new: Settings) -> None:
        differences = self.settings.differences(new)
        taken = [key for key in differences if may_change(*key, self.settings, new)]
        totals = {name: new.get(section, name) for section, name in taken if section == "resources"}
        if totals:
            self.scheduler.update_resources(**totals)
        logger.info("settings read again, %d of them have changed", len(differences))
        for warning in new.warnings:
            logger.warning("%s", warning)
        for section, name in differences:
            change = f"{new.origin(section, name)}: [{section}] {name} = {new.show(section, name) or 'unset'}"
            was = self.settings.show(section, name) or "unset"
            if (section, name) in taken:
                logger.info("%s is in force (it was %s)", change, was)
            else:
                logger.warning("%s takes a restart; %s stays in force", change, was)
        self.settings = self.settings.taking(taken, new)

    def _apply(self) -> None:
        settings, chosen = self.settings, self.settings.section("luigid")
        self.scheduler.change_settings(**{name: settings.get("scheduler", name) for name in CHANGEABLE_SETTINGS})
        self.server.cors = settings.section("cors")
        limits = Limits(*(chosen[name] for name in LIMIT_OPTIONS))
        if limits != self.server.limits:
            self.server.set_limits(limits)
        adjust_logging(self._log, settings)
        try:
            self.server.access.reload(**{name: chosen[name] for name in ACCESS_OPTIONS})
        except SettingsError as error:
            logger.error("%s; what was read before stays in force", error)


def may_change(section: str, name: str, old: Settings, new: Settings) -> bool:
    """Whether an option can change without a restart."""
    if section == "luigid" and name in GUARDS:
        return (old.get(section, name) is None) == (new.get(section, name) is None)
    return section == "resources" or (section, name) in CHANGEABLE


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
    *(("luigid", name) for name in ("log_level", "log_json", "access_log")),
)

#: What --help says after the flags.
HELP_EPILOG = """\
exit status:
  0      stopped as asked; it runs (--status), or runs already (same pid file; with --background also same state);
         the question was answered
  1      cannot start, could not save the state, would not start with it, has not stopped (--stop), or a test notice
         did not go out: what is printed says why and what to do
  2      the command line, the settings, or a file that they name are wrong
  3      it does not run (--status, --stop)
  4      it cannot be told whether it runs, or it does not answer (--status, --stop)
  128+N  signal N ended it before it answered, or a second one while it stopped; 130 also: interrupted while waiting

signals:
  TERM, INT, QUIT  finish the requests in flight, save the state, end; a second one ends it at once, and loses nothing
  HUP              read settings, users and certificates again, open the logs again; what takes a restart is logged, and
                   what cannot be used leaves the old in force
  USR1             open the logs again (after logrotate has moved them)

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
    files.add_argument("--pidfile", metavar="PATH", help="hold PATH while running; held by a live luigid: status 0")
    logs = parser.add_argument_group("what it logs")
    logs.add_argument("--logdir", metavar="DIR", help="log to DIR/luigi-server.log (default: standard error)")
    logs.add_argument("--log-level", metavar="LEVEL", help="debug, info (default), warning or error")
    switch: dict[str, Any] = {"action": "store_const", "const": "true"}
    logs.add_argument("--log-json", **switch, help="log a JSON object a line")
    logs.add_argument("--access-log", **switch, help="log a line for each request")
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
    running.add_argument(
        "--stop", action="store_true", help="stop the luigid that has --pidfile, or else the state; wait for its end"
    )
    running.add_argument(
        "--timeout", metavar="S", type=patience, default=30.0, help="how many seconds --stop waits (default: 30)"
    )
    about = parser.add_argument_group("what it answers instead of running")
    about.add_argument("--status", action="store_true", help="whether that luigid runs, where, since when, how it is")
    about.add_argument("--json", action="store_true", help="the answer of --status as JSON")
    about.add_argument("--check-config", action="store_true", help="the settings in force and where each comes from")
    about.add_argument("--test-notices", action="store_true", help="send a test e-mail and a test alert, as configured")
    about.add_argument("--check-state", action="store_true", help="what is in the state, and if luigid starts with it")
    about.add_argument("--repair-state", action="store_true", help="make a damaged state usable; its files are kept")
    about.add_argument("--export-stock", metavar="PATH", help="write the state to PATH, for stock's luigid 3.8")
    about.add_argument("--hash-password", action="store_true", help="asks for a password; the hash for users_file")
    about.add_argument("--new-token", action="store_true", help="a random token, and the hash for users_file")
    about.add_argument("--print-unit", choices=("service", "socket"), help="a unit for systemd that runs this program")
    about.add_argument("--version", action="version", version=f"luigid {__version__}", help="the version")
    about.add_argument("-h", "--help", action="help", help="this help")
    parser.error = refuse_command_line  # type: ignore[method-assign]  # else it would print it and exit
    return parser


def patience(text: str) -> float:
    """A number of seconds from the command line; ValueError if it is none to wait for."""
    seconds = float(text)
    if not 0 <= seconds <= 1e6:
        raise ValueError(text)
    return seconds


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
PRINTED = {
    "hash_password": lambda _: hash_password(ask_for_password()),
    "new_token": lambda _: new_token(),
    "print_unit": lambda kind: unit(kind).rstrip("\n"),
}


def answer_about_state(flags: argparse.Namespace, path: str) -> int:
    """Print what `flags` want to know of the state in `path`; the exit status."""
    try:
        if flags.check_state:
            lines, usable = check_state(path)
        elif flags.repair_state:
            lines, usable = repair_state(path)
        else:
            lines, usable = [export_stock(path, flags.export_stock)], True
    except StateError as error:
        raise NotStarted(EXIT_FAILED, str(error)) from error
    except OSError as error:
        raise NotStarted(EXIT_FAILED, f"{error.filename or path}: {error.strerror}") from error
    print(*map(printable, lines), sep="\n")
    return EXIT_OK if usable else EXIT_FAILED


def check_config(settings: Settings) -> int:
    """Print what is in force, if the files that it names can be used, too; the exit status."""
    Access(**{name: settings.get("luigid", name) for name in ACCESS_OPTIONS})
    print(settings.describe(), end="")
    return EXIT_OK


def answer_about_daemon(settings: Settings, as_json: bool) -> int:
    """Print whether the daemon that the settings mean runs, and more; the exit status."""
    status, found = describe_daemon(settings)
    print(json.dumps(found) if as_json else f"luigid: {printable(status_line(found))}")
    return status


def answer_about_notices(settings: Settings) -> int:
    """Send test notices, and print what became of them; the exit status."""
    lines, arrived = try_notices(settings)
    print(*map(printable, lines), sep="\n")
    return EXIT_OK if arrived else EXIT_FAILED


def start(announce: Announce, argv: list[str] | None) -> int:
    """Do what the flags in `argv` ask for; the exit status."""
    flags = command_line().parse_args(argv)
    if flags.json and not flags.status:
        refuse_command_line("--json goes with --status")
    for name, answer in PRINTED.items():
        if getattr(flags, name):
            print(answer(getattr(flags, name)))
            return EXIT_OK
    read_settings = functools.partial(Settings.load, {place: getattr(flags, place[1]) for place in FLAGS})
    if flags.check_config:
        return check_config(read_settings())
    if flags.status:
        return answer_about_daemon(read_settings(), flags.json)
    if flags.stop:
        status, line = stop_daemon(read_settings(), flags.timeout)
        announce(status, line)
        return status
    if flags.check_state or flags.repair_state or flags.export_stock:
        return answer_about_state(flags, read_settings().get("scheduler", "state_path"))
    if flags.test_notices:
        return answer_about_notices(read_settings())
    daemon = functools.partial(run_daemon, read_settings, flags.background, flags.standby)
    if not flags.background:
        return daemon(announce)
    status, line = in_background(functools.partial(attempt, daemon))
    announce(status, line)
    return status


def main(argv: list[str] | None = None) -> int:
    """Run luigid with the flags in `argv` (default: those of this process); the exit status, as --help documents it."""
    try:
        return attempt(functools.partial(start, argv=argv), tell)
    except SystemExit as answered:
        if answered.code:
            raise
        return EXIT_OK  # argparse has printed what --help or --version asked for
    except KeyboardInterrupt:  # while waiting for the daemon to come up in the background
        return 128 + signal.SIGINT


if __name__ == "__main__":
    sys.exit(main())
