"""The wheelhouse: the lock read for other machines, wheels fetched, completeness proved."""

from __future__ import annotations

import pytest
from build_project import REPOSITORY
from kit_wheels import sha256, write_wheel
from packaging.utils import parse_wheel_filename

from course_utils.build.products.kit.fetch import fetch
from course_utils.build.products.kit.house import Wheel, closure, requirements_text
from course_utils.build.products.kit.targets import (
    PLATFORMS,
    PYTHONS,
    Pin,
    choose_targets,
    read_lock,
)
from course_utils.errors import CourseError

LOCK = (REPOSITORY / "requirements.lock").read_text(encoding="utf-8")
(WINDOWS,) = choose_targets(("windows",), ("3.11",))
(LINUX,) = choose_targets(("linux",), ("3.11",))
HASH = "a" * 64


@pytest.mark.parametrize("target", choose_targets(tuple(PLATFORMS), PYTHONS), ids=str)
def test_the_lock_gives_every_machine_one_version_of_everything(target):
    pins = read_lock(LOCK, target)
    assert {"jupyterlab", "pandas", "duckdb", "pip", "ipykernel"} <= set(pins)
    on_windows = target.platform.name == "windows"
    assert ({"pywinpty", "colorama"} <= set(pins)) == on_windows
    assert ("ptyprocess" in pins) != on_windows
    assert ("appnope" in pins) == (target.platform.name == "macos")
    assert all(len(digest) == 64 for pin in pins.values() for digest in pin.hashes)


def test_a_pin_is_chosen_for_the_oldest_release_of_a_python():
    text = (
        f"soup==2 ; python_full_version < '3.11.5' \\\n    --hash=sha256:{HASH}\n"
        f"soup==4 ; python_full_version >= '3.11.5' \\\n    --hash=sha256:{HASH}\n"
    )
    assert read_lock(text, WINDOWS)["soup"].version == "2"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("soup==2\n", "soup==2"),
        (f"soup>=2 --hash=sha256:{HASH}\n", "soup>=2"),
        (f"-e . --hash=sha256:{HASH}\n", "-e"),
        (f"soup==2 --hash=sha256:{HASH}\nsoup==3 --hash=sha256:{HASH}\n", "两个 soup"),
    ],
)
def test_a_lock_that_decides_nothing_is_refused(text, words):
    with pytest.raises(CourseError, match=words) as caught:
        read_lock(text, LINUX)
    assert "make lock" in str(caught.value)


@pytest.mark.parametrize(("platform", "python"), [("amiga", "3.11"), ("linux", "3.9")])
def test_an_unknown_machine_is_refused_with_the_choice(platform, python):
    with pytest.raises(CourseError, match="可选："):
        choose_targets((platform,), (python,))


def test_the_same_machine_twice_is_one_machine():
    assert len(choose_targets(("linux", "windows", "linux"), ("3.11", "3.12", "3.11"))) == 4


@pytest.mark.parametrize(
    ("tag", "fits"),
    [
        ("py3-none-any", "windows linux macos"),
        ("cp311-cp311-win_amd64", "windows"),
        ("cp39-abi3-win_amd64", "windows"),
        ("cp312-cp312-win_amd64", ""),
        ("cp311-cp311-win32", ""),
        ("cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64", "linux"),
        ("cp311-cp311-manylinux_2_28_x86_64", "linux"),
        ("cp311-cp311-manylinux_2_39_x86_64", ""),
        ("cp311-cp311-musllinux_1_2_x86_64", ""),
        ("cp311-cp311-macosx_11_0_arm64", "macos"),
        ("cp311-cp311-macosx_10_9_universal2", "macos"),
        ("cp311-cp311-macosx_10_9_x86_64", ""),
    ],
)
def test_tags_say_on_which_machine_a_wheel_runs(tag, fits):
    tags = parse_wheel_filename(f"x-1.0-{tag}.whl")[3]
    targets = choose_targets(("windows", "linux", "macos"), ("3.11",))
    assert {t.platform.name for t in targets if tags & t.tags} == set(fits.split())


@pytest.fixture
def house(tmp_path):
    """Returns a function that writes wheels and reads them back by name."""

    def make(**needs):
        paths = [write_wheel(tmp_path, name, needs=need) for name, need in needs.items()]
        return {wheel.name: wheel for wheel in map(Wheel.read, paths)}

    return make


def names(wheels):
    return [wheel.name for wheel in wheels]


def test_what_only_one_system_needs_is_packed_for_it_alone(house):
    wheels = house(course=["lab"], lab=['term; os_name == "nt"', 'pty; os_name != "nt"'], term=[])
    assert names(closure([wheels["course"]], wheels, WINDOWS)) == ["course", "lab", "term"]
    with pytest.raises(CourseError, match="lab 要用 pty，没有"):
        closure([wheels["course"]], wheels, LINUX)


def test_extras_bring_what_they_need_and_nothing_else_does(house):
    wheels = house(
        course=["events[format]"],
        events=['fqdn; extra == "format"', 'docs; extra == "docs"'],
        fqdn=["course"],  # a circle ends
        builder=[],
    )
    assert names(closure([wheels["course"]], wheels, LINUX)) == ["course", "events", "fqdn"]


def test_a_wrong_version_is_as_good_as_none(house):
    wheels = house(course=["lab>=2"], lab=[])
    with pytest.raises(CourseError, match=r"course 要用 lab>=2，只有 1\.0"):
        closure([wheels["course"]], wheels, LINUX)


@pytest.mark.parametrize(
    ("tag", "python"), [("cp311-cp311-win_amd64", ">=3.11"), ("py3-none-any", ">=3.12")]
)
def test_a_wheel_for_another_machine_is_refused(tmp_path, tag, python):
    wheel = Wheel.read(write_wheel(tmp_path, "lab", tag=tag, python=python))
    with pytest.raises(CourseError, match="不能用于 Linux"):
        closure([wheel], {}, LINUX)


def test_the_list_allows_exactly_the_files_that_are_there(house):
    wheels = house(b=[], a=[])
    lines = requirements_text(wheels.values()).splitlines()
    assert lines == [f"{n}==1.0 --hash=sha256:{sha256(wheels[n].path)}" for n in ("a", "b")]


def test_a_damaged_wheel_is_one_sentence(tmp_path):
    path = tmp_path / "lab-1.0-py3-none-any.whl"
    path.write_bytes(b"PK half a file")
    with pytest.raises(CourseError, match=r"lab-1\.0"):
        Wheel.read(path)


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A folder that pip downloads from; nothing else can be reached."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def pin(path, digest=None):
    name, version = path.name.split("-")[:2]
    return {name: Pin(name, version, frozenset({digest or sha256(path)}))}


def test_wheels_are_fetched_once_checked_and_kept(index, tmp_path):
    first, second = (write_wheel(index, name) for name in ("first", "second"))
    cache, pins = tmp_path / "cache", {**pin(first), **pin(second)}
    seen = []
    found = fetch(pins, LINUX, cache, lambda *step: seen.append(step[1:]))
    assert set(found) == {"first", "second"} and seen == [(0, 2), (2, 2)]
    first.unlink()  # a second run asks for what is missing and for nothing else
    (cache / second.name).unlink()
    (cache / "old-1.0-py3-none-any.whl").write_bytes(b"of an older lock")
    assert set(fetch(pins, LINUX, cache)) == {"first", "second"}
    assert {path.name for path in cache.iterdir()} == {first.name, second.name}


def test_wheels_of_another_system_can_be_fetched_here(index, tmp_path):
    path = write_wheel(index, "term", tag="cp311-cp311-win_amd64")
    assert fetch(pin(path), WINDOWS, tmp_path / "cache")["term"].fits(WINDOWS)


def test_a_file_that_the_lock_does_not_know_is_not_taken(index, tmp_path):
    path = write_wheel(index, "first")
    with pytest.raises(CourseError, match="校验值不符"):
        fetch(pin(path, HASH), LINUX, tmp_path / "cache")
    assert not list((tmp_path / "cache").glob("*.whl"))


def test_a_kept_file_that_was_damaged_is_fetched_again(index, tmp_path):
    path = write_wheel(index, "first")
    cache = tmp_path / "cache"
    fetch(pin(path), LINUX, cache)
    (cache / path.name).write_bytes(b"damaged")
    assert fetch(pin(path), LINUX, cache)["first"].sha256 == sha256(path)


def test_a_package_that_nobody_has_is_named(index, tmp_path):
    with pytest.raises(CourseError, match=r"没有 nowhere==1\.0 给 Linux"):
        fetch(pin(tmp_path / "nowhere-1.0-x", HASH), LINUX, tmp_path / "cache")


@pytest.mark.slow  # pip tries again
def test_no_network_is_one_sentence_and_keeps_what_is_there(tmp_path, monkeypatch):
    for name, value in {"INDEX_URL": "http://127.0.0.1:9/", "RETRIES": "1"}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    for name in ("PIP_NO_INDEX", "PIP_FIND_LINKS", "PIP_CONFIG_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    cache = tmp_path / "cache"
    kept = write_wheel(cache, "kept")
    with pytest.raises(CourseError, match=r"连不上安装源.*--no-wheelhouse"):
        fetch({**pin(kept), **pin(tmp_path / "gone-1.0-x", HASH)}, LINUX, cache)
    assert kept.is_file()
