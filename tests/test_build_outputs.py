"""What is handed out: pages that need no network, a kit without answers, a wheel with its data."""

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import duckdb
import nbformat
import pytest
from build_project import NAMES, REPOSITORY, make_build, make_project
from kit_wheels import write_wheel

from course_utils import paths
from course_utils.build.execution.rerun import choose, rerun
from course_utils.build.products import kit
from course_utils.build.products.classroom import prepare_classroom
from course_utils.build.products.kit import folder as kit_folder
from course_utils.build.products.site import write_pages
from course_utils.errors import CourseError

pytestmark = pytest.mark.slow  # kernels, wheels
FIRST, SECOND, _ = NAMES


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    root = make_project(tmp_path_factory.mktemp("project"), NAMES[:2])
    build = make_build(root, {"common": {"LIMIT": 8}})
    records = build.run(build.syllabus.lessons)
    assert [record.reason for record in records if record.failed] == []
    write_pages(build, records)
    return build


@pytest.fixture
def tables(tmp_path, monkeypatch):
    """A warehouse with one table, the truth, and outcomes that trainees must not see."""
    folder = tmp_path / "warehouse" / "coastal"
    folder.mkdir(parents=True)
    for name in ("loan.parquet", "raw_export.parquet", "truth.json", "manifest.json"):
        (folder / name).write_text("x", encoding="utf-8")
    halves = "SELECT * FROM (VALUES ('C1', '公榜'), ('C2', '终榜')) t(customer_id, score_half)"
    duckdb.sql(f"COPY ({halves}) TO '{folder / kit.SCORED}' (FORMAT parquet)")
    monkeypatch.setenv("COURSE_WAREHOUSE", str(tmp_path / "warehouse"))
    return folder


@pytest.fixture
def fake_wheel(monkeypatch):
    def build_wheel(root, folder, edition):
        return write_wheel(folder, "course-utils")

    monkeypatch.setattr(kit_folder, "build_wheel", build_wheel)


def test_the_kit_holds_what_a_trainee_needs_and_no_truth(built, tables, fake_wheel):
    folder = kit.write_kit(built)
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert {
        "README.md",
        "start.bat",
        "start.sh",
        "requirements.lock",
        "wheels/course_utils-1.0-py3-none-any.whl",
        f"notebooks/0_small/{FIRST}.ipynb",
        "data/banks/coastal/bank.yml",
        "data/warehouse/coastal/loan.parquet",
        "data/warehouse/coastal/raw_export.parquet",
        f"pages/{FIRST}.html",
    } <= names
    assert not [name for name in names if re.search("truth|planted|manifest", name)]
    scored = folder / "data/warehouse/coastal" / kit.SCORED
    rows = duckdb.sql(f"SELECT customer_id, score_half FROM read_parquet('{scored}')").fetchall()
    assert rows == [("C1", "公榜")]  # the half that decides stays with the instructor
    profile = (folder / "data/banks/coastal/bank.yml").read_text(encoding="utf-8")
    assert "effects" not in profile and built.profile.name in profile
    batch = (folder / "start.bat").read_bytes()
    assert batch.count(b"\r\n") == batch.count(b"\n")


def test_the_kits_notebooks_stand_on_the_banks_values(built, tables, fake_wheel):
    folder = kit.write_kit(built)
    notebook = nbformat.read(folder / f"notebooks/0_small/{FIRST}.ipynb", as_version=4)
    nbformat.validate(notebook)
    source = next(c.source for c in notebook.cells if "parameters" in c.metadata.get("tags", ()))
    assert source.split("\n")[:2] == ['BANK = "coastal"  # 银行', "LIMIT = 8  # 上限"]
    assert all(not cell.get("outputs") for cell in notebook.cells)


def test_the_classroom_never_overwrites_somebodys_work(built):
    folder = prepare_classroom(built)
    path = folder / "0_small" / f"{FIRST}.ipynb"
    path.write_text("我的答案", encoding="utf-8")
    assert prepare_classroom(built) == folder
    assert path.read_text(encoding="utf-8") == "我的答案"
    assert (folder / "0_small" / f"{SECOND}.ipynb").is_file()


def test_each_lesson_is_run_again_on_one_bank_and_each_pair_has_its_turn(tmp_path):
    import datetime

    for bank in ("a", "b", "c"):
        folder = tmp_path / "build" / bank / "instructor" / "0"
        folder.mkdir(parents=True)
        for number in range(4):
            (folder / f"m{number}.ipynb").touch()
    seen = set()
    for day in range(3):
        chosen = choose(tmp_path, "abc", today=datetime.date(2026, 1, 1 + day))
        assert sorted(path.name for path in chosen) == [f"m{n}.ipynb" for n in range(4)]
        seen.update(chosen)
    assert len(seen) == 12 == len(choose(tmp_path, "abc", every=True))
    with pytest.raises(CourseError, match="course build --bank d"):
        choose(tmp_path, "abd")


PROBE = """
import json, sys
sys.path.insert(0, sys.argv[1])
import course_utils
from course_utils import bank, contract, paths
from importlib import resources
font = list(resources.files("course_utils.charts").joinpath("font").iterdir())
print(json.dumps({
    "file": course_utils.__file__,
    "home": str(paths.home()),
    "banks": bank.list_banks(),
    "name": bank.load_profile("coastal").name,
    "tables": len(contract.load_contract().tables),
    "fonts": [path.name for path in font],
}))
"""


def test_the_wheel_works_without_the_checkout(tmp_path):
    wheel = kit.build_wheel(REPOSITORY, tmp_path / "wheels", edition="full")
    assert re.fullmatch(r"course_utils-[\d.]+-py3-none-any\.whl", wheel.name)
    target = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    done = subprocess.run(
        [sys.executable, "-c", PROBE, str(target)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    found = json.loads(done.stdout)
    assert Path(found["file"]).is_relative_to(target)
    assert found["home"] == "None"
    assert found["banks"] == ["city_micro", "coastal", "western"]
    assert found["name"] and found["tables"] > 30
    assert any(name.endswith(".otf") for name in found["fonts"])
    assert paths.home() == REPOSITORY


def test_a_wheel_that_cannot_be_built_is_one_chinese_sentence(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 1\n", encoding="utf-8")
    with pytest.raises(CourseError, match="打包"):
        kit.build_wheel(tmp_path, tmp_path / "wheels")


def test_a_second_run_must_reproduce_the_outputs(built, tmp_path):
    path = built.executed("instructor") / "0_small" / f"{SECOND}.ipynb"
    assert rerun(built.root, [path]) == 0
    text = path.read_text(encoding="utf-8")
    assert "真值\\n" in text
    changed = tmp_path / path.name
    changed.write_text(text.replace("真值\\n", "假值\\n"), encoding="utf-8")
    assert rerun(built.root, [changed]) == 1
