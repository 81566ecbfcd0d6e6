#!/bin/sh
# Make the environment that the tests run in: prepare.sh DIRECTORY. make calls it whenever tests/requirements.txt changes.
set -eu
venv=$1

# As root on a Debian, what is missing is installed; elsewhere the tests that need it say so.
install() {
    if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
        apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "$@"
    else
        echo "prepare.sh: please install $*" >&2
        return 1
    fi
}

# Stock luigi, the reference of the tests, runs on Python 3.10 to 3.13.
for python in "${PYTHON:-python3}" python3.13 python3.12 python3.11 python3.10 ''; do
    if "$python" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' 2> /dev/null; then break; fi
done
if [ -z "$python" ]; then
    echo "prepare.sh: no Python 3.10 to 3.13 found, which stock luigi needs; name one: make test PYTHON=..." >&2
    exit 1
fi

# Debian keeps what venv needs in a package of its own.
"$python" -c 'import ensurepip' 2> /dev/null || install python3-venv
"$python" -m venv "$venv"
"$venv/bin/python3" -m pip install --quiet --requirement tests/requirements.txt

# Without a browser the tests of the page are skipped, or fail where CI is set: that is theirs to say.
command -v chromium > /dev/null || command -v chromium-browser > /dev/null || command -v google-chrome > /dev/null ||
    install chromium || true

# Without Node the tests of the page's modules are skipped, or fail where CI is set; dagre is what the graph's layout is
# compared with.
command -v npm > /dev/null || install nodejs npm || true
! command -v npm > /dev/null || npm install --silent --no-fund --no-audit --prefix "$venv/node" @dagrejs/dagre@3.1.3

# What hands sockets over, and looks at units.
command -v systemd-socket-activate > /dev/null || install systemd || true

# A real cron, unpacked and not installed, so that it runs for a test only. Without it that test is skipped, or fails.
command -v cron > /dev/null || ! command -v dpkg > /dev/null || (
    cd "$venv" && rm -rf cron && { apt-get download -q cron || { apt-get update -q && apt-get download -q cron; }; } &&
        dpkg -x cron_*.deb cron && rm cron_*.deb
) || echo "prepare.sh: no cron for tests/e2e/test_day.py" >&2

# Real database servers. Tests start their own from these programs, so Debian is kept from starting any.
(
    export RUNLEVEL=1
    ls /usr/lib/postgresql/*/bin/postgres > /dev/null 2>&1 || install postgresql
    ls /usr/sbin/mariadbd > /dev/null 2>&1 || install mariadb-server
) || true
touch "$venv/ready"
