"""Loads JSON with dlt and prints the content of its tables.

usage: peer.py INPUT OUTPUT

INPUT: {"longest": …, "groups": [{"name": …, "load": …, "resources": [{"name": …, "docs": "[{…}, …]"}]}], "schemas": ["{…}", …]}
OUTPUT: {"groups": {name: {"error": …} or {"tables": {table: {"columns": {name: type}, "rows": [{name: value}]}}}},
         "schemas": [null or what is wrong with the schema]}
Every record has the key `case_no`; numbers, times and the like are written as text.
"""

import datetime
import json
import os
import sys
import tempfile

home = tempfile.mkdtemp()
os.environ.update(
    DLT_DATA_DIR=home,
    RUNTIME__DLTHUB_TELEMETRY="false",
    RUNTIME__LOG_LEVEL="CRITICAL",
)

import dlt  # noqa: E402
import pyarrow.parquet  # noqa: E402
from dlt.common.schema import Schema  # noqa: E402
from dlt.common.schema.utils import verify_schema_hash  # noqa: E402


def cell(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime.datetime):
        utc = value.astimezone(datetime.timezone.utc).replace(tzinfo=None)
        return utc.isoformat(timespec="microseconds") + "Z"
    if isinstance(value, (dict, list)):
        return json.dumps(value)
    return value if isinstance(value, str) else repr(value)


def load(group):
    name = group["name"]
    limits = {"max_identifier_length": asked["longest"], "max_column_identifier_length": asked["longest"]}
    destination = dlt.destinations.duckdb(os.path.join(home, name + ".duckdb"), **limits)
    pipeline = dlt.pipeline(name, destination=destination, dataset_name="data", pipelines_dir=home)

    @dlt.source(name="shop")
    def shop():
        for resource in group["resources"]:
            yield dlt.resource(
                json.loads(resource["docs"]),
                name=resource["name"],
                primary_key="case_no",
                write_disposition={"disposition": "merge", "strategy": "upsert"},
                file_format="parquet",
            )

    pipeline.extract(shop())
    pipeline.normalize()
    found = normalized(pipeline)
    if group["load"]:
        pipeline.load()
        found = {table: loaded(pipeline, table) for table in found}
    tables = {}
    for table, rows in found.items():
        columns = pipeline.default_schema.tables[table]["columns"]
        tables[table] = {
            "columns": {name: column["data_type"] for name, column in columns.items() if "data_type" in column},
            "rows": [{name: cell(value) for name, value in row.items() if value is not None} for row in rows],
        }
    return {"tables": tables}


def normalized(pipeline):
    """Returns the rows before loading: loading hundreds of tables takes minutes."""
    rows = {}
    for package in pipeline.list_normalized_load_packages():
        for job in pipeline.get_load_package_info(package).jobs["new_jobs"]:
            table = job.job_file_info.table_name
            if not table.startswith("_dlt"):
                rows.setdefault(table, []).extend(pyarrow.parquet.read_table(job.file_path).to_pylist())
    return rows


def loaded(pipeline, table):
    with pipeline.sql_client() as client:
        with client.execute_query("SELECT * FROM " + client.make_qualified_table_name(table)) as cursor:
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row)) for row in cursor.fetchall()]


def judge(text):
    schema = json.loads(text)
    if not verify_schema_hash(schema):
        return "dlt makes another hash of it"
    Schema.from_stored_schema(schema)
    return None


def attempt(function, argument, failed):
    try:
        return function(argument)
    except Exception as error:  # A failure of dlt is a result too.
        return failed(error)


with open(sys.argv[1], encoding="utf-8") as file:
    asked = json.load(file)
groups = {group["name"]: attempt(load, group, lambda error: {"error": str(error)}) for group in asked["groups"]}
schemas = [attempt(judge, text, lambda error: str(error)) for text in asked["schemas"]]
with open(sys.argv[2], "w", encoding="utf-8") as file:
    json.dump({"groups": groups, "schemas": schemas}, file)
