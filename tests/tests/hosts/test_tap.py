"""The test suite for taps of Meltano's SDK, for the program TAP: its streams are those of its catalog."""

import json
import os
import subprocess
from pathlib import Path

import singer_sdk.testing.factory
from singer_sdk import Stream, Tap
from singer_sdk.testing import get_tap_test_class
from singer_sdk.testing.runners import TapTestRunner

TAP = os.environ["TAP"]
CONFIG = os.environ["CONFIG"]
CATALOG = Path(os.environ["FOLDER"]) / "catalog.json"


def tap(*arguments):
    run = subprocess.run([TAP, "--config", CONFIG, *arguments], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout


CATALOG.write_text(tap("--discover"))
ENTRIES = json.loads(CATALOG.read_text())["streams"]


class Listed(Stream):
    """A stream of the catalog."""

    def __init__(self, tap, entry):
        super().__init__(tap=tap, name=entry["tap_stream_id"], schema=entry["schema"])
        self.primary_keys = entry["key_properties"]
        self.replication_key = entry["replication_key"]

    def get_records(self, context):
        for line in tap("--catalog", str(CATALOG)).splitlines():
            message = json.loads(line)
            if message["type"] == "RECORD" and message["stream"] == self.name:
                yield message["record"]


class Program(Tap):
    """The program."""

    name = "tap-shop"
    config_jsonschema = {"type": "object", "properties": {}}

    def discover_streams(self):
        return [Listed(self, entry) for entry in ENTRIES]


class Runner(TapTestRunner):
    """Runs the program in place of the class."""

    def run_discovery(self):
        return tap("--discover")

    def run_connection_test(self):
        tap("--test")
        return True

    def _execute_sync(self):
        return tap("--catalog", str(CATALOG)), ""


singer_sdk.testing.factory.TapTestRunner = Runner
TestTap = get_tap_test_class(Program, config=json.loads(Path(CONFIG).read_text()))
