"""Runs an etlgen connector on several machines: plan, extract, commit."""

from .budget import Budget, BudgetServer
from .connector import Connector, ConnectorError
from .engines import Ray, Threads
from .run import Result, run

__all__ = ["Budget", "BudgetServer", "Connector", "ConnectorError", "Ray", "Result", "Threads", "run"]
