"""Runs on up to 1,000 workers of which one attempt in twenty is lost."""

from model import play


def test_a_thousand_workers_come_near_the_floor_and_lose_nothing():
    point = play(1000)
    assert point["missing"] == 0 and point["extracted"] == point["slices"]
    assert point["lost"] > 0.03 * point["slices"]
    assert point["seconds"] <= 1.5 * point["floor"], point


def test_more_workers_help_as_long_as_the_budget_is_not_spent():
    ten, hundred = play(10), play(100)
    assert hundred["seconds"] < 0.15 * ten["seconds"]
    assert ten["missing"] == hundred["missing"] == 0
