"""A backfill on a Ray cluster of one head and three workers, one of which is killed. Arguments: the
connector, the destination, the place of the run, and the options of `plan` as JSON."""

import json
import sys

import ray
from ray.cluster_utils import Cluster

import etlgen_ray

connector, destination, at, options = sys.argv[1:5]
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
nodes = [cluster.add_node(num_cpus=1) for _ in range(3)]
ray.init(address=cluster.address, logging_level="ERROR", log_to_driver=False)
told, killed = [], []


def progress(line):
    told.append(line)
    print(line, file=sys.stderr, flush=True)
    if not killed and line.startswith("extracted") and int(line.split()[1]) >= 40:
        killed.append(line)
        cluster.remove_node(nodes[0], allow_graceful=False)


engine = etlgen_ray.Ray(workers=6, num_cpus=0.5)
result = etlgen_ray.run(
    connector, destination, at=at, options=json.loads(options), engine=engine, rate=200, speculate=4.0, progress=progress
)
print(json.dumps({
    "slices": result.slices,
    "rows": result.rows,
    "requests": result.requests,
    "retries": result.retries,
    "speculated": result.speculated,
    "seconds": result.seconds,
    "killed": bool(killed),
}))
ray.shutdown()
cluster.shutdown()
