"""Other engines: only `make engines` runs these, they need Java 17, PostgreSQL and MariaDB."""

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from servers import mariadb, postgres

sys.path.insert(0, str(Path(__file__).parents[1]))  # the hand-made banks of the other tests

if os.environ.get("COURSE_ENGINES") != "1":
    collect_ignore_glob = ["test_*.py"]


# not below pytest's folder: every other run of pytest closes that one to all but its owner


@pytest.fixture(scope="session")
def postgres_url():
    with TemporaryDirectory(prefix="postgres_") as folder, postgres(Path(folder)) as url:
        yield url


@pytest.fixture(scope="session")
def mariadb_url():
    with TemporaryDirectory(prefix="mariadb_") as folder, mariadb(Path(folder)) as url:
        yield url
