"""environment.yml, pyproject.toml and the two locks say the same."""

import re
import tomllib

import pytest
from build_project import REPOSITORY
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from ruamel.yaml import YAML

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = ("requirements.lock", "requirements-dev.lock")
CONDA = YAML(typ="safe").load((REPOSITORY / "environment.yml").read_text(encoding="utf-8"))
RUNTIME = [*PROJECT["project"]["dependencies"], *PROJECT["build-system"]["requires"]]
#: For a bank's cluster and warehouse, tested by `make engines`: Spark is 450 MB, no lock has it.
UNLOCKED = ("spark", "warehouse")
EXTRAS = [
    line
    for name, group in PROJECT["project"]["optional-dependencies"].items()
    if name not in UNLOCKED
    for line in group
]
WANTED = [
    *((lock, Requirement(line)) for lock in LOCKS for line in RUNTIME),
    *(
        ("requirements-dev.lock", Requirement(line))
        for line in EXTRAS
        if Requirement(line).name != PROJECT["project"]["name"]  # an extra that holds another one
    ),
]


def lock_text(name):
    return (REPOSITORY / name).read_text(encoding="utf-8")


def locked_versions(name):
    versions = {}
    for match in re.finditer(r"^([A-Za-z0-9_.-]+)==([^\s;]+)", lock_text(name), flags=re.MULTILINE):
        versions.setdefault(canonicalize_name(match[1]), []).append(match[2])
    return versions


LOCKED = {name: locked_versions(name) for name in LOCKS}


@pytest.mark.parametrize(("lock", "wanted"), WANTED, ids=str)
def test_the_lock_satisfies_every_requirement(lock, wanted):
    versions = LOCKED[lock].get(canonicalize_name(wanted.name), [])
    assert versions
    assert all(wanted.specifier.contains(version) for version in versions)


def test_developers_have_the_versions_of_trainees():
    trainees, developers = (LOCKED[name] for name in LOCKS)
    assert {name: developers.get(name) for name in trainees} == trainees


def test_trainees_do_not_install_what_only_developers_need():
    assert not {"ruff", "distributed", "nbmake"} & LOCKED["requirements.lock"].keys()


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_version_has_hashes(lock):
    entries = re.split(r"^(?=[A-Za-z0-9])", lock_text(lock), flags=re.MULTILINE)
    for entry in filter(None, entries):
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry.split("\n")[0]


@pytest.mark.parametrize("lock", LOCKS)
def test_the_lock_names_no_place_to_fetch_from(lock):
    assert not re.search(r"https?://|--(extra-)?index|--find-links|--trusted-host", lock_text(lock))


def test_conda_installs_the_same_lock():
    assert CONDA["channels"] == ["conda-forge", "nodefaults"]
    (pip,) = [entry for entry in CONDA["dependencies"] if isinstance(entry, dict)]
    assert pip == {"pip": ["-r requirements-dev.lock"]}
    assert "pip" in CONDA["dependencies"]


def test_conda_and_ruff_use_a_python_that_the_project_supports():
    supported = SpecifierSet(PROJECT["project"]["requires-python"])
    (python,) = [d for d in CONDA["dependencies"] if isinstance(d, str) and d.startswith("python=")]
    assert supported.contains(python.removeprefix("python=") + ".0")
    assert PROJECT["tool"]["ruff"]["target-version"] == "py311"
    assert supported.contains("3.11.0") and supported.contains("3.13.5")
    assert not supported.contains("3.10.0") and not supported.contains("3.14.0")


def test_ruff_looks_into_the_room_called_build():
    patterns = PROJECT["tool"]["ruff"]["exclude"]
    assert "build" not in patterns and "build/*" in patterns
