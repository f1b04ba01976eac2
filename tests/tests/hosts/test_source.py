"""Airbyte's standard tests of sources, for the program SOURCE."""

import os
import subprocess
import tempfile
from pathlib import Path

import orjson
from airbyte_cdk.models import (
    AirbyteMessageSerializer,
    ConfiguredAirbyteCatalogSerializer,
    Type,
)
from airbyte_cdk.sources.source import Source
from airbyte_cdk.test.standard_tests.source_base import SourceTestSuiteBase


def messages(verb, **files):
    arguments = [os.environ["SOURCE"], verb]
    with tempfile.TemporaryDirectory() as folder:
        for name, value in files.items():
            file = Path(folder) / f"{name}.json"
            file.write_bytes(orjson.dumps(value))
            arguments += [f"--{name}", str(file)]
        run = subprocess.run(arguments, capture_output=True)
    for line in run.stdout.splitlines():
        yield AirbyteMessageSerializer.load(orjson.loads(line))
    if run.returncode:
        raise RuntimeError(f"it ended with {run.returncode}: {run.stderr.decode()}")


def one(ty, verb, **files):
    return next(message for message in messages(verb, **files) if message.type == ty)


class Program(Source):
    """The program."""

    def spec(self, logger):
        return one(Type.SPEC, "spec").spec

    def check(self, logger, config):
        return one(Type.CONNECTION_STATUS, "check", config=dict(config)).connectionStatus

    def discover(self, logger, config):
        return one(Type.CATALOG, "discover", config=dict(config)).catalog

    def read(self, logger, config, catalog, state=None):
        catalog = ConfiguredAirbyteCatalogSerializer.dump(catalog)
        yield from messages("read", config=dict(config), catalog=catalog, state=[])


class TestSource(SourceTestSuiteBase):
    connector = Program

    @classmethod
    def get_connector_root_dir(cls):
        return Path(os.environ["FOLDER"]) / "source-shop"
