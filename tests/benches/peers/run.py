"""Loads the same invoices with an etlgen connector and with dlt, in turn, and prints the cost of each.

usage: run.py [--records N] [--pairs N] [--svg FILE] [--only TEXT]

Builds the connector, the mock API and the Postgres of the tests (release), installs dlt in a virtual environment under
target/, and runs the contenders in turn, once per pair; then the connector once more with five times the records, a
second time into the same place, and with 100. CPU seconds and peak memory are those of the client's processes, not of
servers; the table has the medians. Use an idle machine.
"""

import argparse
import contextlib
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
DLT = "dlt[parquet,filesystem,postgres]==1.31.*"


def build():
    packages = ["-p", "etlgen-tests", "-p", "bulk-connector", "--features", "etlgen-runtime/postgres"]
    binaries = ["--bin", "mock-api", "--bin", "postgres", "--bin", "bulk-connector", "--example", "columns"]
    subprocess.run(["cargo", "build", "--release", *packages, *binaries], cwd=ROOT, check=True)
    metadata = subprocess.run(
        ["cargo", "metadata", "--format-version", "1", "--no-deps"], cwd=ROOT, check=True, capture_output=True
    )
    return Path(json.loads(metadata.stdout)["target_directory"])


def install_dlt(target):
    python = target / "bench-venv" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", python.parents[1]], check=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", DLT], check=True)
    return python


def measured(command):
    """Runs a command; returns wall seconds, CPU seconds and peak memory in MB (of the largest process)."""
    started = time.time()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    error = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{command} failed: {error.decode(errors='replace')[-2000:]}")
    return time.time() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def api(target, records):
    """Starts the mock API with that many invoices; returns its address."""
    port = free_port()
    server = subprocess.Popen([target / "release" / "mock-api", "--port", str(port), "--bulk", str(records)], stdout=subprocess.DEVNULL)
    try:
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.kill()


@contextlib.contextmanager
def postgres(target):
    """Holds the Postgres of the tests; returns its URL."""
    server = subprocess.Popen([target / "release" / "postgres"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield server.stdout.readline().strip()
    finally:
        server.stdin.close()
        server.wait()


def medians(target, contenders, rounds, again=False):
    """Runs the contenders in turn; returns the medians of wall seconds, CPU seconds and peak MB of each: of the first run
    into a place, or of the second one."""
    costs = {name: [] for name in contenders}
    for number in range(rounds):
        for name, command in contenders.items():
            folder = tempfile.mkdtemp(dir=target, prefix="bench_")
            for _ in range(2 if again else 1):
                cost = measured(command(folder))
            costs[name].append(cost)
            shutil.rmtree(folder)
            print(f"{number + 1}/{rounds} {name}: {cost[1]:.2f} CPU s", file=sys.stderr)
    return {name: [statistics.median(column) for column in zip(*runs)] for name, runs in costs.items()}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--svg", type=Path)
    parser.add_argument("--only", default="", help="only contenders with this text in their name")
    options = parser.parse_args()

    target = build()
    python = install_dlt(target)

    def theirs(base, mode, place):
        return lambda folder: [python, HERE / "dlt_run.py", base, place(folder), Path(folder).name, mode]

    def ours(base, server):
        connector = [target / "release" / "bulk-connector", "sync", "--base-url", base, "--destination"]
        return {
            "etlgen -> columns": lambda _: [target / "release" / "examples" / "columns", base],
            "etlgen -> Parquet": lambda folder: [*connector, f"parquet:{folder}/out"],
            "etlgen -> SQLite": lambda folder: [*connector, f"sqlite:{folder}/out.db"],
            "etlgen -> Postgres": lambda folder: [*connector, f"{server}?schema={Path(folder).name}"],
        }

    def wanted(contenders):
        return {name: command for name, command in contenders.items() if options.only in name}

    with postgres(target) as server:
        places = {"Parquet": lambda folder: f"file://{folder}/out", "Postgres": lambda _: server}
        with api(target, options.records) as base:
            dlt = {
                f"dlt{' ' * (mode != '')}{mode} -> {name}": theirs(base, mode or "default", place)
                for name, place in places.items()
                for mode in ("", "tuned")
            }
            costs = medians(target, wanted(dlt | ours(base, server)), options.pairs)
            stored = {name: command for name, command in ours(base, server).items() if "columns" not in name}
            second = medians(target, wanted(stored), 3, again=True)
        with api(target, 5 * options.records) as base:
            large = medians(target, wanted(ours(base, server)), 3)
        with api(target, 100) as base:
            small = medians(target, wanted(ours(base, server)), 5)

    per = 100_000 / options.records
    print(f"\n{options.records} invoices, medians of {options.pairs} runs; dlt 1.31\n")
    print("| | wall s | CPU s | CPU s/100k | peak MB | dlt's best / this, CPU | CPU s of a second run | peak MB at 5x | wall s, 100 records |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name, (wall, cpu, memory) in costs.items():
        best = dlts_best(costs, name)
        ratio = f"{best / cpu:.1f}" if best else ""
        again = f"{second[name][1]:.2f}" if name in second else ""
        more = f"{large[name][2]:.0f} ({large[name][2] / memory:.2f}x)" if name in large else ""
        few = f"{small[name][0]:.2f}" if name in small else ""
        print(f"| {name} | {wall:.2f} | {cpu:.2f} | {cpu * per:.2f} | {memory:.0f} | {ratio} | {again} | {more} | {few} |")
    if options.svg:
        options.svg.write_text(plot(costs, per))


def dlts_best(costs, name):
    """Returns the least CPU of dlt into the same place; into files, where it does not load into that place."""
    place = name.split(" -> ")[1]
    theirs = {other: cpu for other, (_, cpu, _) in costs.items() if other.startswith("dlt")}
    same = [cpu for other, cpu in theirs.items() if other.endswith(place)]
    return min(same or theirs.values(), default=None)


def plot(costs, per):
    """Returns a bar chart of CPU seconds per 100,000 records."""
    widest = max(cpu for _, cpu, _ in costs.values()) * per
    rows = []
    for index, (name, (_, cpu, _)) in enumerate(costs.items()):
        y, width = 40 + 34 * index, 420 * cpu * per / widest
        colour = "#9aa5b1" if name.startswith("dlt") else "#1f6feb"
        rows.append(
            f'<text x="180" y="{y + 15}" text-anchor="end">{name}</text>'
            f'<rect x="190" y="{y}" width="{width:.1f}" height="22" fill="{colour}"/>'
            f'<text x="{196 + width:.1f}" y="{y + 15}">{cpu * per:.1f}</text>'
        )
    height = 50 + 34 * len(rows)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="680" height="{height}" font-family="sans-serif" font-size="13">'
        '<text x="190" y="24">CPU seconds per 100,000 invoices of 3.1 KB (less is better)</text>' + "".join(rows) + "</svg>\n"
    )


if __name__ == "__main__":
    main()
