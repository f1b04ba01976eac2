"""Loads the same invoices with an etlgen connector and with dlt, in turn, and prints the cost of each.

usage: run.py [--records N] [--pairs N] [--svg FILE]

Builds the connector and the mock API (release), installs dlt in a virtual environment under target/, and runs the
contenders in turn, once per pair; then the connector once more with five times the records, and with 100.
CPU seconds and peak memory are those of whole processes; the table has the medians. Use an idle machine.
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
DLT = "dlt[parquet,filesystem]==1.31.*"


def build():
    packages = ["-p", "etlgen-tests", "-p", "bulk-connector"]
    binaries = ["--bin", "mock-api", "--bin", "bulk-connector", "--example", "columns"]
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


def medians(target, contenders, rounds):
    """Runs the contenders in turn; returns the medians of wall seconds, CPU seconds and peak MB of each."""
    costs = {name: [] for name in contenders}
    for number in range(rounds):
        for name, command in contenders.items():
            folder = tempfile.mkdtemp(dir=target)
            costs[name].append(measured(command(folder)))
            shutil.rmtree(folder)
            print(f"{number + 1}/{rounds} {name}: {costs[name][-1][1]:.2f} CPU s", file=sys.stderr)
    return {name: [statistics.median(column) for column in zip(*runs)] for name, runs in costs.items()}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--svg", type=Path)
    options = parser.parse_args()

    target = build()
    python = install_dlt(target)

    def theirs(base, mode):
        return lambda folder: [python, HERE / "dlt_run.py", base, folder, mode]

    def ours(base):
        connector = [target / "release" / "bulk-connector", "sync", "--base-url", base, "--destination"]
        return {
            "etlgen -> columns": lambda _: [target / "release" / "examples" / "columns", base],
            "etlgen -> Parquet": lambda folder: [*connector, f"parquet:{folder}/out"],
            "etlgen -> SQLite": lambda folder: [*connector, f"sqlite:{folder}/out.db"],
        }

    with api(target, options.records) as base:
        contenders = {"dlt -> Parquet": theirs(base, "default"), "dlt tuned -> Parquet": theirs(base, "tuned")}
        costs = medians(target, contenders | ours(base), options.pairs)
    with api(target, 5 * options.records) as base:
        large = medians(target, ours(base), 3)
    with api(target, 100) as base:
        small = medians(target, ours(base), 5)

    per = 100_000 / options.records
    best = min(cpu for name, (_, cpu, _) in costs.items() if name.startswith("dlt"))
    print(f"\n{options.records} invoices, medians of {options.pairs} runs; dlt 1.31\n")
    print("| | wall s | CPU s | CPU s/100k | peak MB | dlt's best / this, CPU | peak MB at 5x | wall s, 100 records |")
    print("|---|---|---|---|---|---|---|---|")
    for name, (wall, cpu, memory) in costs.items():
        more = f"{large[name][2]:.0f} ({large[name][2] / memory:.2f}x)" if name in large else ""
        few = f"{small[name][0]:.2f}" if name in small else ""
        print(f"| {name} | {wall:.2f} | {cpu:.2f} | {cpu * per:.2f} | {memory:.0f} | {best / cpu:.1f} | {more} | {few} |")
    if options.svg:
        options.svg.write_text(plot(costs, per))


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
