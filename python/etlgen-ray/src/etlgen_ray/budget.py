"""One budget of requests for several processes.

A process asks for requests in blocks, and says what it has heard of the API's rate limit:

    POST / {"worker": "w1", "resource": "issues", "want": 8, "unspent": 0,
            "remaining": {"requests": 40, "seconds": 12.5}, "pause_seconds": 30.0, "overloads": 1}

The answer grants requests that must be sent within `seconds`, or says when to ask again:

    {"grant": 2, "seconds": 0.05}    {"grant": 0, "wait_seconds": 0.013}
"""

import json
import math
import threading
import time
from collections import Counter, deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# How long granted requests are valid. A shorter time lets fewer requests of one second fall into another.
VALID = 0.05
# What a network may delay.
SLACK = 0.01
# A process that has not asked for so long takes no part in the division.
ACTIVE = 2.0


class Budget:
    """Grants requests: at most `rate` in any second, to resources and then to workers in equal parts.

    `now` is a clock in seconds; tests have their own.
    """

    def __init__(self, rate, now=time.monotonic):
        self.rate, self.now = float(rate), now
        # A rate below one is one request in more than a second.
        self.span = max(1.0, 1.0 / self.rate)
        self.most = max(1, int(self.rate * self.span))
        self.allowed = float(self.most)
        self.granted = deque()
        self.paused = 0.0
        self.halved = -math.inf
        self.left = None
        self.asking = {}
        # When a worker was refused last, since it was granted something.
        self.refused = {}
        self._lock = threading.Lock()

    def lease(self, worker, resource="", want=1, unspent=0, remaining=None, pause_seconds=None, overloads=0):
        """Grants requests; returns their number and for how long they are valid, or 0 and the time to wait."""
        with self._lock:
            now = self.now()
            self._hear(now, worker, unspent, remaining, pause_seconds, overloads)
            self.asking[worker] = (resource, now)
            for other in [w for w, (_, at) in self.asking.items() if now - at > ACTIVE]:
                del self.asking[other]
            wait = self._wait(now)
            if wait <= 0 and self._takes_too_much(now, resource):
                wait = VALID / 10
            if wait > 0:
                self.refused[worker] = now
                return 0, wait
            self.refused.pop(worker, None)
            free = int(self.allowed) - len(self.granted)
            if self.left is not None:
                free = min(free, self.left[0])
            count = max(1, min(int(want), self._share(resource), free))
            for _ in range(count):
                self.granted.append((now, worker, resource))
            if self.left is not None:
                self.left = (self.left[0] - count, self.left[1])
            return count, VALID

    def _takes_too_much(self, now, resource):
        """Whether a resource has had its part while another one waits that has not."""
        part = self.allowed / max(1, len({r for r, _ in self.asking.values()}))
        had = Counter(r for _, _, r in self.granted)
        if had[resource] < part:
            return False
        waiting = (self.asking[w][0] for w, at in self.refused.items() if now - at < self.span + 1.0 and w in self.asking)
        return any(had[other] < part for other in waiting if other != resource)

    def _share(self, resource):
        """The part of one worker: of a block, each resource gets the same, and of that each of its workers."""
        resources = {r for r, _ in self.asking.values()}
        workers = sum(1 for r, _ in self.asking.values() if r == resource)
        block = self.allowed * VALID / self.span
        return math.ceil(block / max(1, len(resources)) / max(1, workers))

    def _wait(self, now):
        """The time until something may be granted."""
        lasts = self.span + VALID + SLACK
        while self.granted and self.granted[0][0] + lasts <= now:
            self.granted.popleft()
        self._recover(now)
        until = self.paused
        if len(self.granted) >= int(self.allowed):
            until = max(until, self.granted[0][0] + lasts)
        # A second is not spent in its first moment.
        block = max(4, math.ceil(2 * self.allowed * VALID / self.span))
        if len(self.granted) >= block:
            until = max(until, self.granted[-block][0] + VALID)
        if self.left is not None:
            requests, reset = self.left
            if reset <= now:
                self.left = None
            elif requests <= 0:
                until = max(until, reset)
        return max(0.0, until - now)

    def _recover(self, now):
        """Raises a lowered rate again, by a tenth each second without another overload."""
        quiet = now - max(self.halved, self.paused)
        if self.allowed < self.most and quiet >= 1.0:
            self.allowed = min(self.most, self.allowed + max(1.0, self.most / 10))
            self.halved = now

    def _hear(self, now, worker, unspent, remaining, pause_seconds, overloads):
        for _ in range(int(unspent)):
            mine = next((i for i in range(len(self.granted) - 1, -1, -1) if self.granted[i][1] == worker), None)
            if mine is None:
                break
            del self.granted[mine]
        if overloads and now - self.halved > 0.25:
            self.allowed = max(1.0, self.allowed / 2)
            self.halved = now
        if pause_seconds:
            self.paused = max(self.paused, now + float(pause_seconds))
        if remaining is not None:
            # Others may have been sent that the API has not counted yet.
            under_way = sum(1 for at, _, _ in self.granted if now - at <= VALID)
            requests, reset = int(remaining["requests"]) - under_way, now + float(remaining["seconds"])
            if self.left is not None and abs(self.left[1] - reset) < 2.0:
                requests, reset = min(requests, self.left[0]), min(reset, self.left[1])
            self.left = (requests, reset)


class BudgetServer:
    """Answers the processes of a run. `host`: the address of this machine that they reach."""

    def __init__(self, budget, host="127.0.0.1", port=0):
        self.budget = budget

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                asked = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or b"{}")
                known = ("worker", "resource", "want", "unspent", "remaining", "pause_seconds", "overloads")
                count, seconds = budget.lease(**{key: asked[key] for key in known if key in asked})
                answer = {"grant": count, "seconds": seconds} if count else {"grant": 0, "wait_seconds": seconds}
                body = json.dumps(answer).encode()
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer((host, port), Handler)
        self._server.daemon_threads = True
        self.url = f"http://{host}:{self._server.server_port}/"

    def start(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def stop(self):
        self._server.shutdown()
        self._server.server_close()


def main():
    """`python -m etlgen_ray.budget RATE [PORT]`: a budget for processes that something else starts."""
    import sys

    rate, port = float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    server = BudgetServer(Budget(rate), port=port)
    print(server.url, flush=True)
    server._server.serve_forever()


if __name__ == "__main__":
    main()
