"""A model of a run on many workers, in virtual time: the schedule is the real one, the connector and the
cluster are not.

`python tests/model.py` prints the figures of docs/slices.md, and writes their picture with `--svg FILE`.
"""

import heapq
import json
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from etlgen_ray.engines import Lost
from etlgen_ray.run import Extraction

# A request, and the start of a process, in seconds.
REQUEST, START = 0.2, 0.3


class Clock:
    """Virtual time."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


class Work:
    """Parents, the children of each in groups, and windows: how many requests each slice needs."""

    def __init__(self, parents=40, groups=400, windows=3_960, seed=1):
        chance = random.Random(seed)
        self.requests, self.parent = {}, {}
        for n in range(parents):
            self.requests[f"parents-{n}"] = 10
        for n in range(windows):
            self.requests[f"windows-{n}"] = chance.randint(2, 30)
        for n in range(parents):
            for group in range(groups // parents * 10):
                name = f"children-{n}-{group}"
                self.requests[name], self.parent[name] = chance.randint(5, 25), f"parents-{n}"
        self.done = set()

    def next(self, _):
        ready = (name for name in self.requests if name not in self.done and self.parent.get(name) in {None, *self.done})
        return [json.dumps({"id": name, "resource": name.split("-")[0]}) for name in ready]

    def chain(self):
        """The time of the slowest chain, without a limit."""
        own = {name: START + count * REQUEST for name, count in self.requests.items()}
        return max(own[name] + own.get(self.parent.get(name), 0.0) for name in own)


class Cluster:
    """Workers that share a rate of requests; `lost` of all attempts end with their machine."""

    def __init__(self, work, clock, workers, rate, lost, seed=2):
        self.work, self.clock, self.workers, self.rate, self.lost = work, clock, workers, rate, lost
        self.chance = random.Random(seed)
        self.free = 0.0
        self.ends, self.failed, self.lost_attempts, self.sent = [], set(), 0, 0

    def start(self, _, line, name):
        slice_ = json.loads(line)["id"]
        handle = (slice_, self.sent, len(self.ends), self.chance.random())
        count = self.work.requests[slice_]
        dies = self.chance.random() < self.lost
        if dies:
            count = max(1, int(count * self.chance.random()))
            self.failed.add(handle)
            self.lost_attempts += 1
        at = self.clock.now + START
        # Requests take their turns in the budget of all workers.
        self.free = max(self.free, at) + count / self.rate
        self.sent += count
        heapq.heappush(self.ends, (max(self.free, at + count * REQUEST), handle))
        return handle

    def wait(self, handles, timeout):
        done, handles = set(), set(handles)
        until = self.clock.now + timeout
        while self.ends and self.ends[0][0] <= until and not done:
            at, handle = heapq.heappop(self.ends)
            if handle in handles:
                self.clock.now = max(self.clock.now, at)
                done.add(handle)
        if not done:
            self.clock.now = until
        return done

    def result(self, handle):
        if handle in self.failed:
            raise Lost("the node has gone")
        slice_ = handle[0]
        self.work.done.add(slice_)
        grown = slice_.startswith("parents")
        return {"rows": 1, "requests": self.work.requests[slice_], "children": {"children": 1} if grown else {}}

    def cancel(self, handle):
        pass


def play(workers, rate=2_000.0, lost=0.05, work=None):
    """Plays a run; returns its time, the floor below which no schedule comes, and what was done."""
    work, clock = work or Work(), Clock()
    cluster = Cluster(work, clock, workers, rate, lost)
    extraction = Extraction(work, cluster, "", 50, None, lambda _: None, clock)
    extraction.go(work.next(""))
    total = sum(work.requests.values())
    busy = sum(START + count * REQUEST for count in work.requests.values()) / workers
    floor = max(total / rate, work.chain(), busy)
    return {
        "workers": workers,
        "seconds": clock.now,
        "floor": floor,
        "budget": total / rate,
        "chain": work.chain(),
        "slices": len(work.requests),
        "extracted": extraction.result.slices,
        "missing": len(set(work.requests) - work.done),
        "lost": cluster.lost_attempts,
        "retries": extraction.result.retries,
    }


def picture(points):
    """Draws time against workers, both as logarithms."""
    from math import log10

    width, height, left, low = 640, 360, 60, 40
    x = lambda n: left + (width - left - 20) * log10(n) / 3
    top = max(p["seconds"] for p in points)
    y = lambda s: height - low - (height - low - 20) * (log10(s) - 0.5) / (log10(top) - 0.5)
    path = lambda key: " ".join(f"{x(p['workers']):.1f},{y(p[key]):.1f}" for p in points)
    marks = [f'<text x="{x(n):.0f}" y="{height - 18}" text-anchor="middle">{n}</text>' for n in (1, 10, 100, 1000)]
    seconds = [s for s in (10, 100, 1000, 10_000, 100_000) if s <= top]
    marks += [f'<text x="{left - 8}" y="{y(s) + 4:.0f}" text-anchor="end">{s} s</text>' for s in seconds]
    marks += [f'<line x1="{left}" x2="{width - 20}" y1="{y(s):.1f}" y2="{y(s):.1f}" stroke="#ddd"/>' for s in seconds]
    dots = [f'<circle cx="{x(p["workers"]):.1f}" cy="{y(p["seconds"]):.1f}" r="3" fill="#0b6"/>' for p in points]
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        *marks,
        f'<polyline points="{path("floor")}" fill="none" stroke="#888" stroke-dasharray="5 4"/>',
        f'<polyline points="{path("seconds")}" fill="none" stroke="#0b6" stroke-width="2"/>',
        *dots,
        f'<text x="{width / 2:.0f}" y="{height - 2}" text-anchor="middle">workers</text>',
        f'<text x="{width - 24}" y="30" text-anchor="end">the run (line), and the floor: work, budget, slowest chain (dashed)</text>',
        "</svg>",
        "",
    ])


if __name__ == "__main__":
    points = [play(workers) for workers in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)]
    for point in points:
        print(json.dumps(point))
    if "--svg" in sys.argv:
        Path(sys.argv[sys.argv.index("--svg") + 1]).write_text(picture(points))
