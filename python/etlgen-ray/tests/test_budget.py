"""The shared budget, in the time of its own clock."""

import random

from etlgen_ray.budget import VALID, Budget


class Clock:
    def __init__(self):
        self.time = 0.0

    def __call__(self):
        return self.time


def play(budget, clock, workers, seconds, answer=lambda worker, now: {}, delay=0.01):
    """Lets workers ask and send in virtual time; returns when each request was sent."""
    chance = random.Random(7)
    sent, free = [], dict.fromkeys(workers, 0.0)
    held = {worker: (0, 0.0) for worker in workers}
    while True:
        worker = min(free, key=free.get)
        clock.time = max(clock.time, free[worker])
        if clock.time >= seconds:
            return sent
        count, until = held[worker]
        if count and clock.time < until:
            sent.append((clock.time, worker))
            held[worker] = (count - 1, until)
            free[worker] = clock.time + chance.uniform(0.5, 1.5) * delay
            continue
        resource = worker.split("/")[0]
        granted, time = budget.lease(worker, resource, 8, count, **answer(worker, clock.time))
        held[worker] = (granted, clock.time + time if granted else 0.0)
        free[worker] = clock.time + (0.0005 if granted else time)


def busiest(sent):
    times = [at for at, _ in sent]
    return max(sum(1 for other in times if at <= other < at + 1.0) for at in times)


def test_eight_workers_never_exceed_the_rate_and_use_nine_tenths_of_it():
    clock = Clock()
    sent = play(Budget(50, clock), clock, [f"issues/{n}" for n in range(8)], 20.0)
    assert busiest(sent) <= 50
    assert len(sent) >= 0.9 * 50 * 20


def test_resources_get_the_same_whatever_their_workers():
    clock = Clock()
    workers = ["repos/0"] + [f"issues/{n}" for n in range(7)]
    sent = play(Budget(400, clock), clock, workers, 5.0, delay=0.0001)
    repos = sum(1 for _, worker in sent if worker.startswith("repos"))
    assert busiest(sent) <= 400
    # One worker of eight, and one resource of two.
    assert 0.25 < repos / len(sent) < 0.65


def test_one_429_slows_all_and_the_rate_comes_back():
    clock = Clock()
    told = []

    def answer(worker, now):
        if now >= 2.0 and not told:
            told.append(now)
            return {"overloads": 1, "pause_seconds": 1.0}
        return {}

    sent = play(Budget(50, clock), clock, [f"a/{n}" for n in range(8)], 20.0, answer)
    during = [at for at, _ in sent if told[0] + VALID < at < told[0] + 1.0]
    assert not during, "nothing is sent in the pause"
    after = sum(1 for at, _ in sent if told[0] + 1.0 <= at < told[0] + 2.0)
    assert 0 < after <= 27
    assert sum(1 for at, _ in sent if at >= 19.0) >= 45


def test_what_the_headers_say_counts_for_all():
    clock = Clock()
    budget = Budget(50, clock)
    first = {"remaining": {"requests": 5, "seconds": 10.0}}
    sent = play(budget, clock, [f"a/{n}" for n in range(4)], 9.0, lambda w, now: first if now == 0.0 else {})
    assert len(sent) <= 6


def test_a_rate_below_one_is_kept():
    clock = Clock()
    sent = play(Budget(0.5, clock), clock, ["a/0", "a/1"], 20.0)
    assert 8 <= len(sent) <= 10


def test_requests_that_were_not_sent_are_given_back():
    clock = Clock()
    budget = Budget(2, clock)
    assert budget.lease("a", "r", 1)[0] == 1
    assert budget.lease("a", "r", 1)[0] == 1
    assert budget.lease("a", "r", 1)[0] == 0
    assert budget.lease("a", "r", 1, unspent=1)[0] == 1
