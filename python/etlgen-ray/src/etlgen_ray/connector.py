"""The connector as a program: its three commands, and what its exit codes mean."""

import json
import os
import stat
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

# Exit codes of a connector that the same attempt would meet again.
_LASTING = {2: "usage or settings", 3: "credentials"}


class ConnectorError(Exception):
    """A command of the connector has failed."""

    def __init__(self, message, code=None):
        super().__init__(message)
        self.code = code

    def __reduce__(self):
        return (ConnectorError, (self.args[0], self.code))

    @property
    def lasts(self):
        """Whether another attempt would fail in the same way."""
        return self.code in _LASTING


@dataclass(frozen=True)
class Connector:
    """A connector, and how it is called: `program` is a path on every machine that runs it."""

    program: str
    env: dict = field(default_factory=dict)
    # The program itself, if it is shipped.
    image: bytes | None = None

    def call(self, arguments, stdin=None, ok=(0,)):
        """Runs a command; returns its exit code and its standard output."""
        done = subprocess.run(
            [self._path(), *arguments],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            env={**os.environ, **self.env},
        )
        if done.returncode not in ok:
            raise ConnectorError(done.stderr.strip()[-2000:] or f"exit code {done.returncode}", done.returncode)
        return done.returncode, done.stdout

    def begin(self, at, destination, options):
        return self._slices(["plan", "--out", at, "--destination", destination, *options])

    def next(self, at):
        return self._slices(["plan", "--run", at])

    def has_run(self, at):
        """Whether a run has begun there."""
        try:
            self.next(at)
            return True
        except ConnectorError as error:
            if "there is no run" in str(error):
                return False
            raise

    def extract(self, at, line, more=()):
        """Extracts a slice; returns its receipt."""
        _, out = self.call(["extract", "--slice", "-", "--out", at, *more], stdin=line + "\n")
        return json.loads(out.strip().splitlines()[-1])

    def commit(self, at, destination, more=()):
        """Commits a run; returns the exit code, what was told, and the report if it was committed now."""
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "report.json"
            arguments = ["commit", "--run", at, "--destination", destination, "--report", str(report), *more]
            code, told = self.call(arguments, ok=(0, 6))
            found = json.loads(report.read_text()) if report.exists() else None
            return code, told, found

    def _slices(self, arguments):
        _, out = self.call(arguments)
        return [line for line in out.splitlines() if line]

    def _path(self):
        if self.image is None:
            return self.program
        return _unpacked(self.image)


_UNPACKED = {}


def _unpacked(image):
    """Writes a shipped program into a file of this machine, once per process."""
    if image not in _UNPACKED:
        descriptor, path = tempfile.mkstemp(prefix="connector-")
        with os.fdopen(descriptor, "wb") as file:
            file.write(image)
        os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR)
        _UNPACKED[image] = path
    return _UNPACKED[image]
