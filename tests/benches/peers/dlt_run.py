"""Loads the benchmark's invoices with dlt's `rest_api` source, with the settings that cost it the least.

usage: dlt_run.py BASE_URL PLACE DATASET {default|tuned}

PLACE is a file:// or postgres:// URL.

Prints one line of JSON: seconds, CPU seconds and peak memory (MB) of this process and its children.
"""

import atexit
import json
import os
import resource
import shutil
import sys
import tempfile
import time

base_url, place, dataset, mode = sys.argv[1:5]
started = time.time()
home = tempfile.mkdtemp()
atexit.register(shutil.rmtree, home, ignore_errors=True)
os.environ.update(
    DLT_DATA_DIR=home,
    RUNTIME__DLTHUB_TELEMETRY="false",
    RUNTIME__LOG_LEVEL="ERROR",
    DATA_WRITER__DISABLE_COMPRESSION="true",
)
# Into Postgres, COPY of CSV costs the least; untuned, dlt inserts values.
scheme = place.split(":")[0]
file_format = {"file": "parquet", "postgres": "csv" if mode == "tuned" else "insert_values"}[scheme]
os.environ["NORMALIZE__LOADER_FILE_FORMAT"] = file_format
if mode == "tuned":
    # Files of 10,000 items give both workers something to do; larger buffers save flushes.
    os.environ.update(
        NORMALIZE__WORKERS="2",
        EXTRACT__DATA_WRITER__FILE_MAX_ITEMS="10000",
        DATA_WRITER__BUFFER_MAX_ITEMS="20000",
        LOAD__WORKERS="2",
    )

import dlt  # noqa: E402
from dlt.sources.rest_api import rest_api_source  # noqa: E402

if __name__ == "__main__":
    source = rest_api_source(
        {
            "client": {"base_url": base_url},
            "resources": [
                {
                    "name": "invoices",
                    "endpoint": {
                        "path": "bulk/invoices",
                        "params": {"limit": 100},
                        "data_selector": "data",
                        "paginator": {"type": "cursor", "cursor_path": "next", "cursor_param": "cursor"},
                    },
                }
            ],
        }
    )
    pipeline = dlt.pipeline(
        "bench",
        destination=(
            dlt.destinations.filesystem(bucket_url=place) if scheme == "file" else dlt.destinations.postgres(credentials=place)
        ),
        dataset_name=dataset,
        pipelines_dir=home,
    )
    pipeline.run(source, loader_file_format=file_format)
    rows = {name: count for name, count in pipeline.last_trace.last_normalize_info.row_counts.items() if not name.startswith("_dlt")}
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    cpu = sum(usage.ru_utime + usage.ru_stime for usage in (own, children))
    print(json.dumps({"seconds": round(time.time() - started, 2), "cpu": round(cpu, 2), "memory": max(own.ru_maxrss, children.ru_maxrss) // 1024, "rows": rows}))
