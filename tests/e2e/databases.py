"""Real database servers for the end-to-end tests, each with data of its own, started and stopped at will."""

import glob
import importlib
import os
import pwd
import shutil
import signal
import subprocess
from pathlib import Path

from tests.e2e.daemon import DEADLINE, free_port, wait_until
from tests.missing import skip_without

#: Characters that mean something in an address; it has them escaped.
PASSWORD, ESCAPED_PASSWORD = "p:w/d@%", "p%3Aw%2Fd%40%25"


def program(name):
    """The path of a program, also where Debian keeps those that are not for everybody; skips the test without it."""
    places = [*glob.glob("/usr/lib/postgresql/*/bin"), "/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin"]
    found = shutil.which(name) or shutil.which(name, path=os.pathsep.join(places))
    return found or skip_without(name)


class Server:
    """A server that listens on a free port of 127.0.0.1. `USER` is who it runs as: both kinds refuse to run as root."""

    USER = DRIVER = PROGRAM = ""

    def __init__(self, directory):
        self._program = program(self.PROGRAM)
        self.port = free_port()
        self.directory = Path(directory, type(self).__name__.lower())
        self.directory.mkdir()
        self._log = self.directory / "log"
        self._as = []
        if os.getuid() == 0:
            self._as = ["setpriv", "--reuid", self.USER, "--regid", self.USER, "--init-groups"]
            Path(directory).chmod(0o711)
            os.chown(self.directory, pwd.getpwnam(self.USER).pw_uid, -1)
        self._process = None
        self.create()

    def run(self, *command):
        """Run a program of the server's to its end."""
        subprocess.run([*self._as, *map(str, command)], check=True, capture_output=True, cwd="/", timeout=DEADLINE)

    def command(self):
        """The command line of the server itself."""
        raise NotImplementedError

    def create(self):
        """Make an empty database."""
        raise NotImplementedError

    def connect(self):
        """A DB-API connection that commits by itself."""
        raise NotImplementedError

    def start(self):
        """Start it, and return when it answers."""
        with open(self._log, "ab") as log:
            command = [*self._as, *map(str, self.command())]
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd="/", start_new_session=True)
        wait_until(self._answers, "the database answers")

    def _answers(self):
        if self._process.poll() is not None:
            raise AssertionError(f"the database did not start:\n{self._log.read_text()[-3000:]}")
        try:
            self.connect().close()
            return True
        except self.driver().Error:
            return False

    def driver(self):
        """The driver's module; skips the test without it."""
        try:
            return importlib.import_module(self.DRIVER)
        except ImportError:
            return skip_without(self.DRIVER)

    def stop(self):
        """Let it end without any warning; nothing of what it promised to keep may be lost by that."""
        if self._process is not None:
            self.kill()
            self._process.wait()
            self._process = None

    def kill(self):
        self._process.kill()

    def rows(self, query):
        """What a query finds."""
        connection = self.connect()
        try:
            cursor = connection.cursor()
            cursor.execute(query)
            return cursor.fetchall()
        finally:
            connection.close()


class PostgreSQL(Server):
    USER, DRIVER, PROGRAM = "postgres", "psycopg", "postgres"

    def create(self):
        password = self.directory / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        data = ["-D", self.directory / "data", "-U", "luigi", "-A", "scram-sha-256", "--pwfile", password]
        self.run(program("initdb"), *data, "--no-sync", "-E", "UTF8", "--locale=C")

    def command(self):
        options = ["-p", self.port, "-c", "listen_addresses=127.0.0.1", "-k", self.directory, "-c", "fsync=off"]
        return [self._program, "-D", self.directory / "data", *options]

    def kill(self):
        self._process.send_signal(signal.SIGQUIT)  # at once; killed, it would leave its children in the way of the next

    def connect(self):
        return self.driver().connect(
            host="127.0.0.1", port=self.port, user="luigi", password=PASSWORD, dbname="postgres", autocommit=True
        )

    def url(self, driver=""):
        return f"postgresql{driver}://luigi:{ESCAPED_PASSWORD}@127.0.0.1:{self.port}/postgres"


class MariaDB(Server):
    USER, DRIVER, PROGRAM = "mysql", "pymysql", "mariadbd"

    def create(self):
        setup = self.directory / "setup.sql"
        setup.write_text(
            "CREATE DATABASE IF NOT EXISTS history;\n"
            f"CREATE USER IF NOT EXISTS luigi@localhost IDENTIFIED BY '{PASSWORD}';\n"
            "GRANT ALL ON history.* TO luigi@localhost;\n"
        )
        setup.chmod(0o644)
        options = ["--no-defaults", f"--datadir={self.directory / 'data'}", "--auth-root-authentication-method=normal"]
        self.run(program("mariadb-install-db"), *options, "--skip-test-db")

    def command(self):
        files = {"datadir": "data", "socket": "socket", "pid-file": "pid", "init-file": "setup.sql"}
        paths = [f"--{name}={self.directory / file}" for name, file in files.items()]
        quick = ["--innodb-flush-log-at-trx-commit=2", "--innodb-buffer-pool-size=16M"]
        return [self._program, "--no-defaults", *paths, f"--port={self.port}", "--bind-address=127.0.0.1", *quick]

    def connect(self):
        return self.driver().connect(
            host="127.0.0.1", port=self.port, user="luigi", password=PASSWORD, database="history", autocommit=True
        )

    def url(self, driver=""):
        return f"mysql{driver}://luigi:{ESCAPED_PASSWORD}@127.0.0.1:{self.port}/history"
