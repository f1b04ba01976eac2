"""Plans, extracts and commits."""

import json
import statistics
import sys
import time
from dataclasses import dataclass, field

from .connector import Connector, ConnectorError
from .engines import Ray


@dataclass
class Result:
    """What a run has done. `report` is that of `commit --report`; `None` if the run was committed before."""

    report: dict | None
    told: str
    slices: int = 0
    rows: int = 0
    requests: int = 0
    retries: int = 0
    speculated: int = 0
    seconds: float = 0.0


@dataclass
class _Slice:
    line: str
    id: str
    resource: str
    attempts: int = 0
    failures: list = field(default_factory=list)
    not_before: float = 0.0


def run(
    connector,
    destination,
    *,
    at,
    options=(),
    env=None,
    engine=None,
    rate=None,
    retries=5,
    speculate=3.0,
    wait=None,
    progress=None,
):
    """Loads what a connector reads into a destination, from several processes.

    `connector`: the path of the program. `at`: a folder or a bucket that all of them reach; if a run has
    begun there, it goes on. `options`: those of `connector plan`. `env`: variables for the connector.
    `engine`: `Ray(...)` by default. `rate`: the requests a second of all workers together; the answers of
    the API may lower it. `retries`: how often a slice that fails is extracted again. `speculate`: a slice
    that takes so many times as long as half of the others is started a second time; `None`: never.
    `wait`: how long the commit waits for another run (`"10m"`); without it, not at all. `progress`: gets each line, instead of the terminal.

    Raises `ConnectorError` if a slice fails more often, or at once if another attempt cannot help.
    """
    connector = Connector(str(connector), dict(env or {}))
    engine = engine or Ray()
    tell = progress or (lambda line: print(line, file=sys.stderr, flush=True))
    begun = time.monotonic()
    lines = connector.next(at) if connector.has_run(at) else connector.begin(at, destination, options)
    extraction = Extraction(connector, engine, at, retries, speculate, tell)
    engine.open(connector, rate)
    try:
        extraction.go(lines)
    finally:
        engine.close()
    code, told, report = connector.commit(at, destination, ["--wait", wait] if wait else [])
    if report is None and code == 6:
        raise ConnectorError("slices are missing: " + told, code)
    result = extraction.result
    result.report, result.told = report, told
    result.seconds = time.monotonic() - begun
    tell(f"committed: {result.slices} slices, {result.rows} rows in {result.seconds:.1f} s")
    return result


class Extraction:
    """Extracts the slices of a run, in phases as parents finish. `time`: the clock, with `monotonic` and `sleep`."""

    def __init__(self, connector, engine, at, retries, speculate, tell, time=time):
        self.time = time
        self.connector, self.engine, self.at = connector, engine, at
        self.retries, self.speculate, self.tell = retries, speculate, tell
        self.result = Result(None, "")
        self.known, self.done = {}, set()
        self.queue = []
        # The attempts under way: slice and start.
        self.running = {}
        self.took = []
        self.grown = False
        self.told = 0.0

    def go(self, lines):
        self.add(lines)
        while True:
            self.fill()
            if not self.running:
                if self.queue:
                    self.time.sleep(0.05)
                    continue
                self.add(self.connector.next(self.at))
                self.grown = False
                if not self.queue:
                    return
                continue
            for handle in self.engine.wait(list(self.running), 0.5):
                self.end(handle)
            # The children of a parent that has been read need not wait for the others.
            if self.grown and len(self.queue) < self.engine.workers:
                self.grown = False
                self.add(self.connector.next(self.at))
            self.hurry()
            self.show()

    def add(self, lines):
        for line in lines:
            slice_ = json.loads(line)
            if slice_["id"] not in self.known:
                found = _Slice(line, slice_["id"], slice_["resource"])
                self.known[found.id] = found
                self.queue.append(found)

    def fill(self):
        now = self.time.monotonic()
        ready = [s for s in self.queue if s.not_before <= now]
        for slice_ in ready[: max(0, self.engine.workers - len(self.running))]:
            self.queue.remove(slice_)
            self.start(slice_)

    def start(self, slice_):
        slice_.attempts += 1
        handle = self.engine.start(self.at, slice_.line, f"extract {slice_.id}")
        self.running[handle] = (slice_, self.time.monotonic())

    def end(self, handle):
        slice_, started = self.running.pop(handle)
        try:
            receipt = self.engine.result(handle)
        except Exception as error:
            return self.failed(slice_, error)
        if slice_.id in self.done:
            return
        self.done.add(slice_.id)
        self.took.append(self.time.monotonic() - started)
        self.result.slices += 1
        self.result.rows += receipt["rows"]
        self.result.requests += receipt["requests"]
        self.grown |= bool(receipt["children"])
        # A second attempt would find the receipt.
        for other in [h for h, (s, _) in self.running.items() if s is slice_]:
            del self.running[other]
            self.engine.cancel(other)

    def failed(self, slice_, error):
        if slice_.id in self.done or any(s is slice_ for s, _ in self.running.values()):
            return
        slice_.failures.append(str(error))
        if isinstance(error, ConnectorError) and error.lasts:
            raise error
        if len(slice_.failures) > self.retries:
            code = error.code if isinstance(error, ConnectorError) else None
            message = f"{slice_.id} has failed {len(slice_.failures)} times: {error}"
            raise ConnectorError(message, code) from error
        self.result.retries += 1
        self.tell(f"again: {slice_.id}: {str(error).splitlines()[0] if str(error) else type(error).__name__}")
        slice_.not_before = self.time.monotonic() + min(30.0, 0.2 * 2 ** len(slice_.failures))
        self.queue.append(slice_)

    def hurry(self):
        """Starts a second attempt of slices that take much longer than the others."""
        if self.speculate is None or len(self.took) < 5 or self.queue:
            return
        limit = max(1.0, self.speculate * statistics.median(self.took))
        now = self.time.monotonic()
        for slice_, started in list(self.running.values()):
            twins = sum(1 for s, _ in self.running.values() if s is slice_)
            if twins == 1 and now - started > limit and len(self.running) < self.engine.workers:
                self.result.speculated += 1
                self.tell(f"a second attempt: {slice_.id}")
                self.start(slice_)

    def show(self):
        now = self.time.monotonic()
        if now - self.told >= 2.0:
            self.told = now
            done, known = self.result.slices, len(self.known)
            self.tell(f"extracted {done} of {known} slices so far, {self.result.rows} rows, {len(self.running)} under way")
