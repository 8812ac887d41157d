"""The class in the browser: what is fetched, packed and locked, and what people are told."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from html.parser import HTMLParser
from pathlib import Path

import pytest

from course_utils import libraries
from course_utils.analysis.statistics import experiment
from course_utils.bank import load_profile
from course_utils.build.products.lite import distribution, fetch, site, wheels
from course_utils.build.products.lite.landing import landing
from course_utils.build.products.lite.outcomes import expected_outcomes, notes
from course_utils.build.products.lite.sources import Pinned, load_sources, sha256
from course_utils.build.sources.syllabus import load_syllabus
from course_utils.deliver.download import Download
from course_utils.errors import CourseError
from course_utils.exercises import Outcome, Question, number
from course_utils.exercises.context import Context
from course_utils.exercises.grading import grade

ROOT = Path(__file__).resolve().parents[1]


# ---- what is fetched -----------------------------------------------------------------------------


def wheel(folder: Path, name: str, version: str = "1.0") -> Path:
    return wheels.write_wheel(folder, name.replace("-", "_"), version, {f"{name}.py": b"x = 1\n"})


@pytest.fixture
def pyodide(tmp_path: Path) -> Path:
    """A folder like that of an official distribution, with made-up files."""
    folder = tmp_path / "pyodide"
    folder.mkdir()
    packages = {}
    names = [n for n in load_sources().carried] + ["unused", "patsy"]
    for name in names:
        path = wheel(folder, name)
        packages[name] = {
            "depends": ["numpy"] if name == "pandas" else [],
            "file_name": path.name,
            "imports": [name],
            "name": name,
            "sha256": sha256(path),
            "version": "1.0",
        }
    packages["statsmodels"] = {**packages["unused"], "file_name": "not-there.whl"}
    for name in fetch.CORE:
        (folder / name).write_bytes(name.encode())
    lock = {"info": {"python": "3.14.0"}, "packages": packages}
    (folder / fetch.LOCK).write_text(json.dumps(lock), encoding="utf-8")
    return folder


@pytest.fixture
def parts(tmp_path: Path) -> dict[str, Path]:
    """Wheels of the kernel, of ours, and of the package index, made up."""
    kernel, ours, cache = tmp_path / "kernel", tmp_path / "ours", tmp_path / "cache"
    for folder in (kernel, ours, cache / "packages"):
        folder.mkdir(parents=True)
    for name in ("piplite", "pyodide-kernel", "ipykernel"):
        wheel(kernel, name)
    wheel(ours, "course-utils")
    wheel(ours, "course-data")
    return {"kernel": kernel, "ours": ours, "cache": cache}


@pytest.fixture
def offline(monkeypatch, parts) -> None:
    """Packages in plain Python come from a made-up folder."""

    def plain(names, cache):
        return {name: wheel(parts["cache"] / "packages", name) for name in names}

    monkeypatch.setattr(distribution, "plain_packages", plain)


def assemble(pyodide: Path, parts: dict[str, Path], folder: Path) -> distribution.Distribution:
    folder.mkdir()
    ours = {
        name: next(parts["ours"].glob(f"{name.replace('-', '_')}-*.whl"))
        for name in ("course-utils", "course-data")
    }
    return distribution.assemble(pyodide, parts["kernel"], ours, parts["cache"], folder)


def test_everything_pinned_has_a_hash_and_no_address() -> None:
    sources = load_sources()
    pinned = [sources.carrier, *sources.core.values(), *sources.carried.values()]
    pinned += sources.pypi.values()
    assert all(len(entry.sha256) == 64 and int(entry.sha256, 16) for entry in pinned)
    text = Path(fetch.__file__).with_name("sources.json").read_text(encoding="utf-8")
    assert "://" not in text
    assert set(fetch.CORE) == set(sources.core)
    assert set(fetch.NEEDED) <= set(sources.carried)


def test_the_lock_knows_what_lessons_need_and_nothing_else(
    pyodide, parts, offline, tmp_path
) -> None:
    made = assemble(pyodide, parts, tmp_path / "out")
    lock = json.loads((made.folder / fetch.LOCK).read_text(encoding="utf-8"))
    packages = lock["packages"]
    assert set(packages) == set(made.packages)
    assert "unused" not in packages
    for name in (*distribution.LIBRARIES, *distribution.KERNEL, "course-utils", "course-data"):
        assert name in packages, name
    for name, entry in packages.items():
        assert sha256(made.folder / entry["file_name"]) == entry["sha256"], name
        assert set(entry["depends"]) <= set(packages), name
    wheels_there = {path.name for path in made.folder.glob("*.whl")}
    assert wheels_there == {entry["file_name"] for entry in packages.values()}
    assert "course-data" in packages["course-utils"]["depends"]
    assert packages["course-utils"]["imports"] == ["course_utils"]
    assert made.missing == ()


def test_without_statsmodels_the_class_is_made_and_says_so(
    pyodide, parts, offline, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(distribution, "statsmodels_wheel", lambda folder: None)
    made = assemble(pyodide, parts, tmp_path / "out")
    assert made.missing == ("statsmodels",)
    said = notes(made.missing)
    assert said and all("statsmodels" in text for text in said.values())
    assert set(said) < set(expected_outcomes())
    assert notes(()) == {}


def test_statsmodels_of_an_official_folder_is_taken(
    pyodide, parts, offline, tmp_path, monkeypatch
) -> None:
    path = wheel(pyodide, "statsmodels", "9.9")
    lock = json.loads((pyodide / fetch.LOCK).read_text(encoding="utf-8"))
    lock["packages"]["statsmodels"] |= {"file_name": path.name, "sha256": sha256(path)}
    (pyodide / fetch.LOCK).write_text(json.dumps(lock), encoding="utf-8")
    monkeypatch.setattr(distribution, "statsmodels_wheel", lambda folder: pytest.fail("packed"))
    made = assemble(pyodide, parts, tmp_path / "out")
    assert (made.folder / path.name).is_file()


def test_a_package_that_everything_needs_cannot_be_left_out(
    pyodide, parts, offline, tmp_path
) -> None:
    next(pyodide.glob("pandas-*.whl")).unlink()
    with pytest.raises(CourseError, match="缺少程序包 pandas"):
        assemble(pyodide, parts, tmp_path / "out")


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda folder: (folder / "pyodide.asm.wasm").unlink(), "缺少 pyodide.asm.wasm"),
        (lambda folder: next(folder.glob("scipy-*.whl")).unlink(), "缺少 scipy"),
    ],
)
def test_a_folder_that_is_no_distribution_is_refused(pyodide, tmp_path, spoil, sentence) -> None:
    assert fetch.pyodide_folder(pyodide, tmp_path) == pyodide
    spoil(pyodide)
    with pytest.raises(CourseError, match=sentence):
        fetch.pyodide_folder(pyodide, tmp_path)


def test_an_archive_is_unpacked_once(pyodide, tmp_path) -> None:
    import tarfile

    archive = tmp_path / "pyodide-1.tar.bz2"
    with tarfile.open(archive, "w:bz2") as made:
        made.add(pyodide, "pyodide")
    folder = fetch.pyodide_folder(archive, tmp_path / "cache")
    assert (folder / fetch.LOCK).read_bytes() == (pyodide / fetch.LOCK).read_bytes()
    (folder / "mark").touch()
    assert (fetch.pyodide_folder(archive, tmp_path / "cache") / "mark").exists()
    archive.write_bytes(archive.read_bytes()[:500])
    with pytest.raises(CourseError, match="解压不了"):
        fetch.pyodide_folder(archive, tmp_path / "cache")


def test_without_a_network_one_sentence_says_what_to_do(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(CourseError, match="--pyodide"):
        fetch.plain_packages(["comm"], tmp_path / "cache")
    assert not list((tmp_path / "cache").glob("**/*.whl"))


def test_other_bytes_than_pinned_are_not_used(tmp_path) -> None:
    (tmp_path / "a.whl").write_bytes(b"something else")
    with pytest.raises(CourseError, match="没有使用"):
        fetch._require(tmp_path / "a.whl", Pinned("a.whl", "0" * 64))


# ---- wheels of our own ---------------------------------------------------------------------------


@pytest.mark.slow
def test_the_plain_part_of_statsmodels_fits_the_same_models(tmp_path) -> None:
    path = wheels.statsmodels_wheel(tmp_path)
    (tmp_path / "again").mkdir()
    assert wheels.statsmodels_wheel(tmp_path / "again").read_bytes() == path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    assert not [n for n in names if n.endswith((".so", ".pyd"))]
    code = (
        "import sys, zipimport; sys.path.insert(0, sys.argv[1])\n"
        "import numpy as np, statsmodels\n"
        "assert statsmodels.__file__.startswith(sys.argv[1]), statsmodels.__file__\n"
        "from course_utils.analysis.statistics.regressions import generalized, least_squares\n"
        "from statsmodels.stats.proportion import proportion_confint\n"
        "rng = np.random.default_rng(1); x = np.c_[np.ones(200), rng.normal(size=200)]\n"
        "y = x @ [1.0, 2.0] + rng.normal(size=200)\n"
        "GLM, families = generalized()\n"
        "print(least_squares()(y, x).fit(cov_type='HC1').bse.tolist())\n"
        "print(GLM(y > 0, x, family=families.Binomial()).fit().params.tolist())\n"
        "print(proportion_confint(30, 100, method='wilson'))\n"
    )

    def run(place: Path) -> str:
        command = [sys.executable, "-c", code, str(place)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    installed = Path(__import__("statsmodels").__file__).parents[1]
    unpacked = tmp_path / "plain"
    with zipfile.ZipFile(path) as archive:
        archive.extractall(unpacked)
    assert run(unpacked) == run(installed)


def test_the_data_wheel_holds_no_columns_and_a_parsed_contract(tmp_path) -> None:
    from course_utils.build.products.kit import trainee_data

    data = tmp_path / "project" / "data"
    trainee_data(load_profile("coastal"), data)
    bank = data / "warehouse" / "coastal"
    for path in bank.iterdir():
        path.unlink()
    (bank / "columns.json").write_text('{"format": 1, "tables": {}}', encoding="utf-8")
    (bank / "t").mkdir()
    (bank / "t" / "c.npz").write_bytes(b"x")
    path = wheels.data_wheel(data, "1.0", tmp_path)
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        profile = archive.read("course_data/data/banks/coastal/bank.yml").decode("utf-8")
    assert "effects" not in profile
    assert "course_data/data/warehouse/coastal/columns.json" in names
    assert not [name for name in names if name.endswith((".npz", ".parquet"))]
    assert [name for name in names if name.startswith("course_data/.cache/contract-")]
    assert not [name for name in names if "planted" in name or "truth" in name]
    assert path.read_bytes() == wheels.data_wheel(data, "1.0", tmp_path).read_bytes()


# ---- what people see -----------------------------------------------------------------------------


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.links += [value for name, value in attrs if name in ("href", "src")]


def test_the_first_page_links_every_lesson_and_asks_nobody_else() -> None:
    syllabus = load_syllabus(ROOT / "lessons" / "syllabus.yml")
    profile = load_profile("coastal").replace(name="甲<行>")
    text = landing(profile, syllabus, 66, site.FONT, "", {"m02_n02": "少一步"})
    page = Page()
    page.feed(text)
    lessons = [link for link in page.links if "path=" in link]
    assert len(lessons) == len(syllabus.lessons)
    assert len({link.partition("workspace=")[2] for link in lessons}) == len(lessons)
    assert "甲&lt;行&gt;" in text and "甲<行>" not in text
    assert "少一步" in text
    assert not re.search(r"https?://|\$[a-z]", text)


def test_the_kernel_finds_the_course_where_it_is_packed() -> None:
    config = site._configuration(load_profile("western"), "3.14")["jupyter-config-data"]
    options = config["litePluginSettings"][site._KERNEL_PLUGIN]["loadPyodideOptions"]
    assert options["env"]["COURSE_HOME"].endswith("site-packages/course_data")
    assert options["env"]["COURSE_TABLES"] == "course/tables/western"
    assert set(options["packages"]) == {*distribution.KERNEL, "course-utils"}
    assert not re.search(r"https?://", json.dumps(config))


def test_a_workbook_comes_as_a_link_that_saves_it(tmp_path) -> None:
    import base64

    path = tmp_path / '名单 "一".xlsx'
    path.write_bytes(bytes(range(256)) * 20)
    shown = Download(path)._repr_mimebundle_()["text/html"]
    name, data = re.search(r'download="([^"]+)" href="data:[^,]+;base64,([^"]+)"', shown).groups()
    assert name == "名单 &quot;一&quot;.xlsx"
    assert base64.b64decode(data) == path.read_bytes()
    assert "5 KB" in shown


# ---- a library that is not there -----------------------------------------------------------------


@pytest.fixture
def no_statsmodels(monkeypatch) -> None:
    for name in [n for n in sys.modules if n.partition(".")[0] == "statsmodels"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "statsmodels", None)


def test_a_missing_library_is_one_sentence(no_statsmodels, monkeypatch) -> None:
    import pandas as pd

    rows = pd.DataFrame({"y": [0, 1] * 20, "x": range(40)})
    with pytest.raises(
        libraries.MissingLibraryError, match="statsmodels，这台电脑的 Python 里没有它"
    ):
        experiment.logistic(rows, "y", ["x"])
    monkeypatch.setattr(libraries, "IN_BROWSER", True)
    with pytest.raises(CourseError, match=r"浏览器课堂里没有它.*跳过这一步"):
        libraries.need("statsmodels.stats.proportion")
    assert libraries.need("json") is json


def test_a_check_that_needs_it_says_so_too(no_statsmodels) -> None:
    class NoBank:
        code, as_of, truth = "x", None, None

    def expected(context: Context) -> float:
        return libraries.need("statsmodels.stats.proportion").proportion_confint(1, 2)[0]

    question = Question("E1", "share", expected, number(), hints=("想一想。",))
    namespace = {"share": 0.5}
    result = grade(question, Context(NoBank(), namespace), namespace)
    assert result.outcome is Outcome.BROKEN
    assert "statsmodels" in result.message and "不是你的错" not in result.message


def test_without_jupyterlite_one_sentence_says_what_to_install(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "jupyterlite_core", None)
    with pytest.raises(CourseError, match="缺少 JupyterLite"):
        site.find_tools()


def test_a_bookmarked_page_says_in_chinese_why_it_cannot_work(tmp_path) -> None:
    page = tmp_path / "index.html"
    page.write_text(
        "<html><head><title>x</title></head>"
        "<body><noscript>\n<p>requires JavaScript</p>\n</noscript>"
        "</body></html>",
        encoding="utf-8",
    )
    site.guarded(page)
    text = page.read_text(encoding="utf-8")
    assert "requires JavaScript" not in text and "请在设置里打开它" in text
    head = text.partition("<title>")[0]
    assert all(
        name in head for name in ("WebAssembly", "BigInt", "Worker", "fetch", "../index.html")
    )
    assert "=>" not in head and "?." not in head and "const " not in head  # for old browsers


def test_a_page_of_another_jupyterlite_is_not_taken_for_ours(tmp_path) -> None:
    page = tmp_path / "index.html"
    page.write_text("<html><body></body></html>", encoding="utf-8")
    with pytest.raises(CourseError, match="页面格式变了"):
        site.styled(page, "body {}")
    with pytest.raises(CourseError, match="页面格式变了"):
        site.guarded(page)
    with pytest.raises(CourseError, match="首页格式变了"):
        site.configuration_element(page)
