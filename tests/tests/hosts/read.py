"""Reads SOURCE into DuckDB with PyAirbyte twice; between, the API gets another customer. Prints what each run has brought."""

import json
import os
import urllib.request
from pathlib import Path

import airbyte

config = json.loads(Path(os.environ["CONFIG"]).read_text())
source = airbyte.get_source("source-shop", local_executable=os.environ["SOURCE"], config=config)
source.check()
source.select_all_streams()
folder = Path(os.environ["FOLDER"])
cache = airbyte.caches.DuckDBCache(db_path=str(folder / "shop.duckdb"), schema_name="raw")
runs = []
for run in range(2):
    if run:
        urllib.request.urlopen(config["base_url"] + "/more").read()
    result = source.read(cache=cache)
    rows = {name: len(list(dataset)) for name, dataset in result.streams.items()}
    runs.append({"records": result.processed_records, "rows": rows})
print("RUNS " + json.dumps(runs))
