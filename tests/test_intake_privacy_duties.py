"""Raw data for the instructor alone, a report, and a purge when it is due."""

import datetime
import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from course_utils.bank import load_profile
from course_utils.build.products.scan import scan_file
from course_utils.cli import main
from course_utils.errors import CourseError
from course_utils.intake.privacy.duties import (
    overdue,
    plan_purge,
    purge,
    refuse_overdue,
    require_release,
)
from course_utils.intake.privacy.key import ensure_key, key_path
from course_utils.intake.privacy.report import write_privacy_report
from course_utils.paths import data_dir, incoming_dir, intake_dir, warehouse_dir

PROFILE = "name: 镇行\nkind: 试验\nas_of: 2025-12-31\n"


@pytest.fixture
def town(tmp_path, monkeypatch):
    """A real bank with a few tables, a report, exports, a build and a class release."""
    root = tmp_path / "home"
    banks = root / "data" / "banks"
    for code, text in (
        ("town", PROFILE + "purge_on: 2030-01-31\ndepartment: 零售部\n"),
        ("town_class", PROFILE + "origin: town\nrelease: class\n"),
        ("made", PROFILE),
    ):
        (banks / code).mkdir(parents=True)
        (banks / code / "bank.yml").write_text(text, "utf-8")
    (banks / "town" / "mapping.yml").write_text('contract: "2.0"\n', "utf-8")
    (root / "data" / "contract").symlink_to(data_dir("contract"))
    (root / "data" / "reference").symlink_to(data_dir("reference"))
    monkeypatch.setenv("COURSE_HOME", str(root))
    monkeypatch.setenv("COURSE_KEY_FILE", str(tmp_path / "keys" / "town.key"))
    for folder in (
        warehouse_dir("town"), warehouse_dir("town_class"), warehouse_dir("made"),
        intake_dir("town"), incoming_dir("town"), root / "build" / "town",
    ):  # fmt: skip
        folder.mkdir(parents=True)
        (folder / "x.txt").write_text("x", "utf-8")
    ensure_key("town", used_before=False)
    return load_profile("town")


def test_trainees_get_a_real_bank_as_a_class_release_only(town):
    with pytest.raises(CourseError, match="course release town --tier class"):
        require_release(town)
    require_release(load_profile("town_class"))
    require_release(load_profile("made"))


def test_every_product_for_trainees_asks(town):
    for name in ("kit", "lite", "hub"):
        text = (
            (data_dir("contract").resolve().parents[1]) / "course_utils" / "cli" / f"{name}.py"
        ).read_text("utf-8")
        assert "require_release(" in text, name


def test_a_bank_whose_day_has_passed_is_not_built(town):
    day = datetime.date(2030, 1, 31)
    assert overdue(town, day) == ""
    assert "course purge town" in overdue(town, day + datetime.timedelta(days=1))
    late = town.replace(purge_on=datetime.date(2020, 1, 1))
    with pytest.raises(CourseError, match="销毁"):
        refuse_overdue(late)
    assert "销毁" not in CliRunner().invoke(main, ["bank", "list"]).output
    path = data_dir("banks") / "town" / "bank.yml"
    path.write_text(PROFILE + "purge_on: 2020-01-01\n", "utf-8")
    assert "course purge town" in CliRunner().invoke(main, ["bank", "list"]).output
    result = CliRunner().invoke(main, ["release", "town", "--tier", "class"])
    assert result.exit_code == 1 and "销毁" in result.output
    result = CliRunner().invoke(main, ["intake", "town"])
    assert result.exit_code == 1 and "销毁" in result.output
    refuse_overdue(load_profile("made"))


def test_a_purge_says_what_it_removes_and_removes_no_more(town):
    result = CliRunner().invoke(main, ["purge", "town"], input="n\n")
    assert result.exit_code == 0 and "没有销毁" in result.output
    assert warehouse_dir("town").is_dir()
    plan = plan_purge(town)
    names = {path.name for _, path in plan.items}
    assert names == {"town", "town_class"} and plan.key is None
    purge(plan)
    for gone in (warehouse_dir("town"), warehouse_dir("town_class"), intake_dir("town")):
        assert not gone.exists()
    assert incoming_dir("town").is_dir() and warehouse_dir("made").is_dir()
    assert (data_dir("banks") / "town" / "mapping.yml").is_file()
    assert key_path("town").is_file()
    assert CliRunner().invoke(main, ["purge", "town", "--yes"]).output.startswith("“镇行”没有")


def test_the_key_and_the_exports_go_if_asked_for(town):
    result = CliRunner().invoke(main, ["purge", "town", "--yes", "--key", "--incoming"])
    assert result.exit_code == 0 and "密钥" in result.output
    assert not key_path("town").exists() and not incoming_dir("town").exists()


def test_a_synthetic_bank_or_a_release_is_not_purged(town):
    for code, match in (("made", "合成数据"), ("town_class", "course purge town")):
        with pytest.raises(CourseError, match=match):
            plan_purge(load_profile(code))


@pytest.mark.skipif(os.name == "nt", reason="符号链接在 Windows 上要权限")
def test_a_purge_follows_no_link(town, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept.txt").write_text("x", "utf-8")
    folder = warehouse_dir("town_class")
    (folder / "x.txt").unlink()
    folder.rmdir()
    folder.symlink_to(elsewhere)
    purge(plan_purge(town))
    assert not folder.is_symlink() and (elsewhere / "kept.txt").is_file()


def write_customers(folder, count=40):
    ids = [f"Cabcdefghijklmn{n:02}" for n in range(count)]
    pl.DataFrame(
        {
            "customer_id": ids,
            "customer_type": "个人",
            "masked_name": "王**",
            "gender": ["男", "女"] * (count // 2),
            "branch_id": "B1",
        }
    ).write_parquet(folder / "customer.parquet")
    pl.DataFrame(
        {
            "transaction_id": [str(n) for n in range(count * 4)],
            "customer_id": ids * 4,
            "date": [datetime.date(2025, 1 + n // count, 3) for n in range(count * 4)],
            "amount": [1000.0 + n for n in range(count * 4)],
            "kind": "转账",
            "direction": "收入",
        }
    ).write_parquet(folder / "transaction.parquet")


def test_the_report_says_field_by_field_what_was_done(town):
    write_customers(warehouse_dir("town"))
    page = write_privacy_report(town)
    text = page.read_text("utf-8")
    facts = json.loads((page.parent / "隐私报告.json").read_text("utf-8"))
    assert len(facts["fields"]) == 11
    done = {one["name"]: one["done"] for one in facts["fields"]}
    assert "假名" in done["customer.customer_id"] and "姓" in done["customer.masked_name"]
    assert facts["instructor"]["k"] == 20
    assert facts["instructor"]["transactions_singled_out"] == 1
    assert facts["class_release"] is None and facts["purge_on"] == "2030-01-31"
    for heading in ("合法性基础", "受托人", "保存期限", "签字", "最小必要"):
        assert heading in text
    assert scan_file(page) == []
    key = key_path("town").read_bytes()
    assert key.hex() not in text and str(key_path("town")) not in text


def test_a_report_needs_tables(town):
    with pytest.raises(CourseError, match="course intake town"):
        write_privacy_report(town)


def test_no_program_that_we_start_gets_the_key(town):
    """The key is in no environment variable: kernels inherit only the place of a file."""
    key = key_path("town").read_bytes()
    code = "import os, sys; sys.stdout.write(repr(dict(os.environ)))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert key.hex() not in shown.stdout and repr(key) not in shown.stdout


def test_no_module_of_the_build_knows_the_key():
    """Papermill stores its parameters in every notebook: no key may come near them."""
    from course_utils.build import execution

    files = list(Path(execution.__file__).parent.glob("*.py"))
    assert len(files) > 3
    for path in files:
        assert "load_key" not in path.read_text("utf-8"), path.name


def test_the_command_makes_totals_for_outside_and_refuses_the_rest(town):
    result = CliRunner().invoke(main, ["release", "town", "--tier", "outside"])
    assert result.exit_code == 1 and "做不了对外汇总" in result.output
    result = CliRunner().invoke(main, ["release", "town", "--tier", "class"])
    assert result.exit_code == 1 and "Traceback" not in result.output


def test_a_build_of_a_real_bank_makes_no_trainee_kit(town, tmp_path, monkeypatch):
    from types import SimpleNamespace

    from course_utils.build.products import finish as module

    made = []
    nothing = SimpleNamespace(shared=[], modules={}, tables={})
    monkeypatch.setattr(module, "Snapshot", SimpleNamespace(take=lambda *given: nothing))
    monkeypatch.setattr(module, "scan_build", lambda folder: [])
    for name in ("_results", "_lesson_texts", "_page_files", "_project_files"):
        monkeypatch.setattr(module, name, lambda given: [])
    monkeypatch.setattr(module, "_unless_done", lambda b, name, *given: made.append(name) or name)
    build = SimpleNamespace(
        root=tmp_path,
        folder=tmp_path / "build",
        profile=town,
        records=SimpleNamespace(load=dict),
    )
    (build.folder / "trainee").mkdir(parents=True)  # of a time when the bank had no mapping
    assert module.finish(build).kit is None
    assert made == ["pages"] and not (build.folder / "trainee").exists()
    build.profile = load_profile("made")
    module.finish(build)
    assert made == ["pages", "pages", "trainee"]
