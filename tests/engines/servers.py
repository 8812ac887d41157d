"""A PostgreSQL and a MariaDB of our own, in a temporary folder, and the shipped banks in them."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

from course_utils.bank.parquet import stored_columns
from course_utils.contract import load_contract

REPOSITORY = Path(__file__).resolve().parents[2]
WAREHOUSE = REPOSITORY / "data" / "warehouse"
BANKS = ("coastal", "western", "city_micro")
TABLES = (
    "transaction", "deposit_account", "wealth_holding", "loan", "repayment", "merchant",
    "merchant_day",
)  # fmt: skip
_TYPES = {
    "id": "VARCHAR(64)", "text": "VARCHAR(255)", "code": "VARCHAR(64)", "flag": "BOOLEAN",
    "integer": "BIGINT", "number": "DOUBLE PRECISION", "percent": "DOUBLE PRECISION",
    "ratio": "DOUBLE PRECISION", "money": "DECIMAL(18,2)", "date": "DATE", "month": "DATE",
    "timestamp": "TIMESTAMP",
}  # fmt: skip
_SECRET = "Zx7-probe"  # the servers live for one test run and listen on 127.0.0.1 alone


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def program(name, *places):
    found = shutil.which(name) or next((str(p) for g in places for p in Path("/").glob(g)), None)
    assert found, f"{name} is not installed: apt-get install postgresql mariadb-server"
    return found


def wait_for(port, process):
    for _ in range(150):
        assert process.poll() is None, "the server has ended"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.2)
    raise AssertionError("the server does not answer")


def as_user(name, folder):
    """Return arguments of Popen that give up root, which neither server accepts."""
    if os.getuid() != 0:
        return {}
    shutil.chown(folder, name)
    return {"user": name, "group": name, "extra_groups": []}


@contextlib.contextmanager
def running(command, port, **options):
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options
    )
    try:
        wait_for(port, process)
        yield
    finally:
        process.terminate()
        process.wait(30)


@contextlib.contextmanager
def postgres(folder):
    places = "usr/lib/postgresql/*/bin/"
    port, data, who = free_port(), folder / "data", as_user("postgres", folder)
    initdb = [program("initdb", places + "initdb"), "-D", data, "-U", "course", "-E", "UTF8",
              "--locale=C.UTF-8", "-A", "trust"]  # fmt: skip
    subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, cwd=folder, **who)
    command = [program("postgres", places + "postgres"), "-D", data, "-p", str(port), "-k", folder,
               "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]  # fmt: skip
    with running(command, port, cwd=folder, **who):
        url = f"postgresql://course@127.0.0.1:{port}/postgres"
        load_postgres(url)
        yield url


@contextlib.contextmanager
def mariadb(folder):
    port, data, who = free_port(), folder / "data", as_user("mysql", folder)
    install = [program("mariadb-install-db"), "--no-defaults", f"--datadir={data}",
               "--skip-test-db", "--auth-root-authentication-method=normal"]  # fmt: skip
    subprocess.run(install, check=True, stdout=subprocess.DEVNULL, cwd=folder, **who)
    boot = folder / "boot.sql"
    boot.write_text(
        "CREATE DATABASE course CHARACTER SET utf8mb4;"
        f"\nCREATE USER course@'127.0.0.1' IDENTIFIED BY '{_SECRET}';"
        "\nGRANT ALL ON *.* TO course@'127.0.0.1';\n",
        encoding="utf-8",
    )
    boot.chmod(0o644)
    command = [program("mariadbd", "usr/sbin/mariadbd"), "--no-defaults", f"--datadir={data}",
               f"--port={port}", "--bind-address=127.0.0.1", f"--socket={folder}/s.sock",
               f"--init-file={boot}", "--local-infile=1", "--innodb-flush-log-at-trx-commit=0",
               "--innodb-buffer-pool-size=256M", "--skip-name-resolve"]  # fmt: skip
    with running(command, port, cwd=folder, **who):
        url = f"mysql://course:{_SECRET}@127.0.0.1:{port}/course"
        load_mariadb(url, folder)
        yield url


def each_table():
    contract = load_contract()
    for bank in BANKS:
        for name in TABLES:
            table = contract.table(name)
            columns = [c for c in stored_columns(WAREHOUSE / bank, name) if c in table.columns]
            yield bank, name, {c: _TYPES[table.column(c).type] for c in columns}


def csv_of(bank, name, columns, path, null):
    import duckdb

    flags = {c for c, kind in columns.items() if kind == "BOOLEAN"}
    chosen = ", ".join(f'CAST("{c}" AS INT) AS "{c}"' if c in flags else f'"{c}"' for c in columns)
    duckdb.execute(
        f"COPY (SELECT {chosen} FROM '{WAREHOUSE}/{bank}/{name}.parquet') TO '{path}' "
        f"(FORMAT csv, HEADER false, NULLSTR '{null}', DELIMITER '\t')"
    )


def load_postgres(url):
    import tempfile

    import psycopg

    with psycopg.connect(url, autocommit=True) as connection, tempfile.TemporaryDirectory() as tmp:
        for bank, name, columns in each_table():
            connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{bank}"')
            body = ", ".join(f'"{c}" {kind}' for c, kind in columns.items())
            connection.execute(f'CREATE TABLE "{bank}"."{name}" ({body})')
            path = Path(tmp) / "rows.csv"
            csv_of(bank, name, columns, path, "")
            into = f'COPY "{bank}"."{name}" FROM STDIN (FORMAT csv, DELIMITER E\'\t\')'
            with connection.cursor().copy(into) as copy, path.open("rb") as rows:
                while block := rows.read(1 << 20):
                    copy.write(block)


def load_mariadb(url, folder):
    import pymysql

    parts = urlsplit(url)
    connection = pymysql.connect(
        host=parts.hostname, port=parts.port, user=parts.username, password=parts.password,
        local_infile=True, charset="utf8mb4", autocommit=True,
    )  # fmt: skip
    with connection, connection.cursor() as cursor:
        for bank, name, columns in each_table():
            cursor.execute(f"CREATE DATABASE IF NOT EXISTS `{bank}` CHARACTER SET utf8mb4")
            body = ", ".join(f"`{c}` {kind}" for c, kind in columns.items())
            cursor.execute(f"CREATE TABLE `{bank}`.`{name}` ({body})")
            path = folder / "rows.csv"
            csv_of(bank, name, columns, path, r"\N")
            cursor.execute(
                f"LOAD DATA LOCAL INFILE '{path}' INTO TABLE `{bank}`.`{name}` "
                "CHARACTER SET utf8mb4 FIELDS TERMINATED BY '\t' OPTIONALLY ENCLOSED BY '\"' "
                "ESCAPED BY '\\\\'"
            )
