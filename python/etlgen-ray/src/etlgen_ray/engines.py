"""Where slices are extracted: on a Ray cluster, or in threads of this machine."""

from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

from .budget import Budget, BudgetServer
from .connector import ConnectorError


class Lost(Exception):
    """The machine or the process of an attempt has gone."""


class Threads:
    """Extracts slices in processes of this machine, `workers` at a time."""

    def __init__(self, workers=4):
        self.workers = workers
        self._pool = None
        self._server = None

    def open(self, connector, rate):
        self._connector = connector
        self._pool = ThreadPoolExecutor(self.workers)
        self._more = []
        if rate:
            self._server = BudgetServer(Budget(rate)).start()
            self._more = ["--budget-url", self._server.url]

    def start(self, at, line, name):
        return self._pool.submit(self._connector.extract, at, line, self._more)

    def wait(self, handles, timeout):
        done, _ = wait(handles, timeout=timeout, return_when=FIRST_COMPLETED)
        return done

    def result(self, handle):
        return handle.result()

    def cancel(self, handle):
        handle.cancel()

    def close(self):
        if self._pool:
            self._pool.shutdown(wait=True, cancel_futures=True)
        if self._server:
            self._server.stop()


class Ray:
    """Extracts slices in tasks of a Ray cluster.

    `address`: the cluster; without one, Ray looks for it as `ray.init` does. `resources`: what each task
    takes, `{"api:stripe": 1}` for example. `ship`: the program is sent to the nodes; otherwise each node
    has it at the same path. `runtime_env`: that of the tasks.
    """

    def __init__(self, address=None, workers=None, num_cpus=0.25, resources=None, ship=False, runtime_env=None):
        self.address, self.workers = address, workers
        self.num_cpus, self.resources = num_cpus, resources or {}
        self.ship, self.runtime_env = ship, runtime_env
        self._budget = None
        self._began = False

    def open(self, connector, rate):
        import ray

        self._ray = ray
        if not ray.is_initialized():
            ray.init(address=self.address, logging_level="ERROR", log_to_driver=False)
            self._began = True
        if self.workers is None:
            cpus = ray.cluster_resources().get("CPU", 1)
            self.workers = max(1, int(cpus / self.num_cpus))
        if self.ship:
            with open(connector.program, "rb") as program:
                connector = type(connector)(connector.program, connector.env, program.read())
        self._connector = ray.put(connector)
        if rate:
            from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

            # It lives where the run is driven: if that machine goes, so does the run.
            here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
            actor = ray.remote(_BudgetActor).options(
                num_cpus=0, max_restarts=-1, max_task_retries=-1, scheduling_strategy=here
            )
            self._budget = actor.remote(rate)
            ray.get(self._budget.url.remote())
        # A task that is lost is started again by the caller, who knows what has a receipt.
        options = {"num_cpus": self.num_cpus, "resources": self.resources, "max_retries": 0}
        if self.runtime_env:
            options["runtime_env"] = self.runtime_env
        self._task = ray.remote(**options)(_extract)

    def start(self, at, line, name):
        more = []
        if self._budget is not None:
            # It has another address after it was started again on another machine.
            more = ["--budget-url", self._ray.get(self._budget.url.remote())]
        return self._task.options(name=name).remote(self._connector, at, line, more)

    def wait(self, handles, timeout):
        done, _ = self._ray.wait(list(handles), num_returns=1, timeout=timeout)
        return set(done)

    def result(self, handle):
        from ray.exceptions import RayError, RayTaskError

        try:
            return self._ray.get(handle)
        except RayTaskError as error:
            cause = error.cause if isinstance(error.cause, Exception) else error
            raise cause from None
        except RayError as error:
            raise Lost(str(error).splitlines()[0]) from None

    def cancel(self, handle):
        try:
            self._ray.cancel(handle, force=True)
        except Exception:
            # It has ended meanwhile.
            pass

    def close(self):
        if self._budget is not None:
            self._ray.kill(self._budget)
        if self._began:
            self._ray.shutdown()


def _extract(connector, at, line, more):
    return connector.extract(at, line, more)


class _BudgetActor:
    """The budget that all workers of a cluster share, as an actor that answers over HTTP."""

    def __init__(self, rate):
        import ray

        budget = Budget(rate)
        if ray.get_runtime_context().was_current_actor_reconstructed:
            # What the lost one had granted is not known.
            budget.paused = budget.now() + budget.span
        self._server = BudgetServer(budget, ray.util.get_node_ip_address()).start()

    def url(self):
        return self._server.url


__all__ = ["ConnectorError", "Lost", "Ray", "Threads"]
