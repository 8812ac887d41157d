"""After a build the instructor is told which products on demand are older than it."""

import os

import pytest

from course_utils.build.products.outdated import ON_DEMAND, outdated_commands

EXAMPLES = {
    "course lite": ".records/lite.json",
    "course kit": "kit/x.zip",
    "course handouts": "handouts/trainee/x.pdf",
    "course board": "board/index.html",
}


def put(path, moment):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    os.utime(path, (moment, moment))


@pytest.fixture
def folder(tmp_path):
    for source in ("pages", "trainee"):
        put(tmp_path / ".records" / f"{source}.stamp", 1000)
    return tmp_path


def test_nothing_on_demand_is_asked_for_again(folder):
    assert outdated_commands(folder) == []


@pytest.mark.parametrize("command", ON_DEMAND)
def test_what_is_older_than_the_build_is_named_and_what_is_newer_is_not(folder, command):
    put(folder / EXAMPLES[command], 999)
    assert outdated_commands(folder) == [command]
    put(folder / EXAMPLES[command], 1001)
    assert outdated_commands(folder) == []


def test_the_newest_file_counts(folder):
    put(folder / "kit/old.zip", 10)
    put(folder / "kit/new.zip", 2000)
    assert outdated_commands(folder) == []
