"""The schedule of a run, with a connector of one page of Python."""

import json
import os
import stat
import sys
import time

import pytest

import etlgen_ray
from etlgen_ray import ConnectorError, Threads

# Parents p0..p3 have two children each; a file per slice makes it fail or wait.
PROGRAM = """#!{python}
import json, os, pathlib, sys, time
here, arguments = pathlib.Path({here!r}), sys.argv[1:]
option = lambda name: arguments[arguments.index(name) + 1]
def slices(run):
    done = {{path.stem for path in (run / "receipts").glob("*.json")}}
    parents = [f"p{{n}}" for n in range(4)]
    children = [f"{{p}}c{{n}}" for p in parents if p in done for n in range(2)]
    return [name for name in parents + children if name not in done]
def show(run):
    for name in slices(run):
        print(json.dumps({{"id": name, "resource": name[0]}}))
if arguments[0] == "plan":
    begins = "--out" in arguments
    run = pathlib.Path(option("--out") if begins else option("--run"))
    if not begins and not run.exists():
        sys.exit("there is no run in it")
    (run / "receipts").mkdir(parents=True, exist_ok=True)
    show(run)
elif arguments[0] == "extract":
    name = json.loads(sys.stdin.readline())["id"]
    with open(here / "log", "a") as log:
        log.write(name + "\\n")
    fails = here / f"{{name}}.fails"
    if fails.exists() and (left := int(fails.read_text())) > 0:
        fails.write_text(str(left - 1))
        print("the API answered 500", file=sys.stderr)
        sys.exit(int(os.environ.get("CODE", "4")))
    slow = here / f"{{name}}.slow"
    if slow.exists():
        slow.unlink()
        time.sleep(20)
    receipt = {{"slice": name, "rows": 1, "requests": 2, "children": {{}} if "c" in name else {{"c": 2}}}}
    (pathlib.Path(option("--out")) / "receipts" / f"{{name}}.json").write_text(json.dumps(receipt))
    print(json.dumps(receipt))
else:
    missing = slices(pathlib.Path(option("--run")))
    if missing:
        print("missing", *missing, file=sys.stderr)
        sys.exit(6)
    pathlib.Path(option("--report")).write_text(json.dumps({{"complete": True}}))
    print("committed")
"""


@pytest.fixture
def connector(tmp_path):
    path = tmp_path / "connector"
    path.write_text(PROGRAM.format(python=sys.executable, here=str(tmp_path)))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def load(connector, tmp_path, **more):
    at = str(tmp_path / "run")
    return etlgen_ray.run(connector, "sqlite:x.db", at=at, engine=Threads(4), progress=lambda _: None, **more)


def log(tmp_path):
    return (tmp_path / "log").read_text().split()


def test_children_follow_their_parents(connector, tmp_path):
    result = load(connector, tmp_path)
    assert (result.slices, result.rows, result.requests) == (12, 12, 24)
    assert result.report == {"complete": True}
    assert sorted(set(log(tmp_path))) == sorted(log(tmp_path)), "each once"


def test_a_slice_that_fails_twice_is_extracted_again(connector, tmp_path):
    (tmp_path / "p1.fails").write_text("2")
    result = load(connector, tmp_path)
    assert (result.slices, result.retries) == (12, 2)
    assert log(tmp_path).count("p1") == 3


def test_a_slice_that_fails_too_often_ends_the_run_and_the_next_call_goes_on(connector, tmp_path):
    (tmp_path / "p1.fails").write_text("3")
    with pytest.raises(ConnectorError, match="p1 has failed 3 times: the API answered 500") as error:
        load(connector, tmp_path, retries=2)
    assert error.value.code == 4
    assert load(connector, tmp_path).report == {"complete": True}


def test_what_another_attempt_cannot_change_ends_the_run_at_once(connector, tmp_path):
    (tmp_path / "p1.fails").write_text("9")
    with pytest.raises(ConnectorError):
        load(connector, tmp_path, env={"CODE": "3"})
    assert log(tmp_path).count("p1") == 1


def test_a_straggler_is_started_a_second_time(connector, tmp_path):
    (tmp_path / "p3c1.slow").touch()
    started = time.monotonic()
    engine = Threads(4)
    engine.close = lambda: engine._pool.shutdown(wait=False, cancel_futures=True)
    at = str(tmp_path / "run")
    result = etlgen_ray.run(connector, "x", at=at, engine=engine, speculate=2.0, progress=lambda _: None)
    assert result.speculated == 1 and result.slices == 12
    assert time.monotonic() - started < 15
    assert log(tmp_path).count("p3c1") == 2
