"""Certificates for the tests, made by the openssl command."""

import shutil
import subprocess
from pathlib import Path

from tests.missing import skip_without


def make_certificate(directory, name):
    """Make `name`.pem and `name`.key in `directory`: a certificate for localhost, signed by itself; both paths."""
    openssl = shutil.which("openssl") or skip_without("openssl command")
    cert, key = Path(directory, name + ".pem"), Path(directory, name + ".key")
    subprocess.run(
        [
            *(openssl, "req", "-x509", "-nodes", "-newkey", "rsa:2048", "-days", "2", "-subj", f"/CN={name}"),
            *("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
            *("-addext", "keyUsage=critical,digitalSignature,keyCertSign"),
            *("-out", str(cert), "-keyout", str(key)),
        ],
        check=True,
        capture_output=True,
    )
    return str(cert), str(key)
