"""Other engines: only `make engines` runs these, they need Java 17, PostgreSQL and MariaDB."""

import os

import pytest
from servers import mariadb, postgres

if os.environ.get("COURSE_ENGINES") != "1":
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory):
    with postgres(tmp_path_factory.mktemp("postgres")) as url:
        yield url


@pytest.fixture(scope="session")
def mariadb_url(tmp_path_factory):
    with mariadb(tmp_path_factory.mktemp("mariadb")) as url:
        yield url
