"""`course bank new` and `course bank inspect`, as a clerk uses them."""

from __future__ import annotations

import shutil

import pytest
from click.testing import CliRunner

from course_utils.bank import list_banks, load_profile
from course_utils.bank.strict_yaml import read_nodes
from course_utils.cli import main
from course_utils.contract import load_contract
from course_utils.errors import CourseError
from course_utils.intake.mapping import load_mapping
from course_utils.intake.mapping.model import is_deliverable
from course_utils.intake.mapping.proposal.fragment import file_patterns
from course_utils.intake.mapping.template import mapping_template, new_bank

pytestmark = pytest.mark.slow  # whole intakes or lessons: left out of the fast loop


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A project folder without banks."""
    from course_utils import paths

    contract, reference = (paths.data_dir(n).resolve() for n in ("contract", "reference"))
    (tmp_path / "data" / "banks").mkdir(parents=True)
    (tmp_path / "data" / "contract").symlink_to(contract)
    (tmp_path / "data" / "reference").symlink_to(reference)
    monkeypatch.setenv("COURSE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words):
    return CliRunner().invoke(main, ["bank", *words])


def export(path, names, rows, encoding="gb18030", delimiter=",", above=()):
    lines = [*above, delimiter.join(names), *(delimiter.join(row) for row in rows)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("\r\n".join(lines).encode(encoding) + b"\r\n")


def loans(count=60, name="王某某"):
    names = (
        "信贷借据号 客户统一编号 客户名称 贷款金额 贷款余额 贷款发放日期 贷款到期日期 贷款五级分类"
    )
    rows = [
        (f"JJ{i:012d}", f"8{i:09d}", name, f"{i}000.00", "0.00", "20240131", "20250131", "01")
        for i in range(count)
    ]
    return names.split(), rows


# ---- new -----------------------------------------------------------------------------------------


def test_new_writes_a_profile_and_a_mapping_that_read(home):
    result = run("new", "jia", "--name", "甲县农商行（试）", "--as-of", "2025-12-31")
    assert result.exit_code == 0, result.output
    assert list_banks() == ["jia"]
    profile = load_profile("jia")
    assert profile.is_real
    assert (profile.name, str(profile.as_of.date())) == ("甲县农商行（试）", "2025-12-31")
    assert profile.purge_on is not None
    assert load_mapping("jia").tables == {}


def test_new_never_overwrites(home):
    assert run("new", "jia").exit_code == 0
    mapping = home / "data" / "banks" / "jia" / "mapping.yml"
    mapping.write_text("# 我填的\n", encoding="utf-8")
    result = run("new", "jia", "--name", "别的")
    assert result.exit_code == 1
    assert "没有改动" in result.output
    assert mapping.read_text(encoding="utf-8") == "# 我填的\n"


@pytest.mark.parametrize("code", ["../jia", "con", "Jia", "a", "/tmp/jia", "甲"])
def test_new_refuses_a_code_that_is_no_folder(home, code):
    result = run("new", code)
    assert result.exit_code == 1
    assert "不合规" in result.output
    assert list_banks() == []


def test_new_refuses_a_date_that_is_none(home):
    result = run("new", "jia", "--as-of", "2025-13-01")
    assert "2025-12-31 这样的日期" in result.output
    assert result.exit_code == 1


def test_every_line_of_the_template_can_be_uncommented(home):
    contract = load_contract()
    text = mapping_template("jia", contract, {"m01_n01": "某一课"})
    lines = [
        line.removeprefix("# ") if not line.startswith("##") else line for line in text.split("\n")
    ]
    folder = home / "data" / "banks" / "jia"
    folder.mkdir()
    (folder / "mapping.yml").write_text("\n".join(lines), encoding="utf-8")
    mapping = load_mapping("jia")
    wanted = {t.name: t for t in contract.tables.values() if is_deliverable(t)}
    assert set(mapping.tables) == set(wanted)
    for name, table in wanted.items():
        columns = {c.name: c.zh for c in table.columns.values() if c.protect != "refuse"}
        mapped = {c.column: c.source for c in mapping.tables[name].columns.values()}
        assert mapped == columns
    assert mapping.folder == "data/incoming/jia"
    assert "某一课" in text


def test_the_template_says_what_a_clerk_must_know(home):
    text = mapping_template("jia", load_contract(), {})
    line = next(one for one in text.split("\n") if one.startswith("#       five_class: 五级分类"))
    assert "取值 正常、关注、次级、可疑、损失" in line
    name = next(one for one in text.split("\n") if one.startswith("#       masked_name"))
    assert "入库时姓名脱敏" in name
    assert "## ---- loan 贷款借据：一行一笔借据 ----" in text
    assert "next_90d_outcome" not in text
    assert "raw_export" not in text


def test_half_written_nothing(home, monkeypatch):
    from course_utils.intake.mapping import template

    write = template.write_text

    def broken(path, text):
        if path.name == "bank.yml":
            raise OSError(28, "No space left on device")
        write(path, text)

    monkeypatch.setattr(template, "write_text", broken)
    with pytest.raises(OSError, match="space"):
        new_bank("jia", load_contract(), {})
    assert list(home.glob("data/banks/jia/*")) == []
    monkeypatch.undo()
    monkeypatch.setenv("COURSE_HOME", str(home))
    assert run("new", "jia").exit_code == 0


# ---- inspect -------------------------------------------------------------------------------------


def test_inspect_reads_guesses_and_masks(home):
    names, rows = loans(name="欧阳某某")
    export(home / "导出" / "EAST5_503.txt", names, rows, delimiter="|@|")
    result = run("inspect", "导出/EAST5_503.txt")
    assert result.exit_code == 0, result.output
    assert "GB18030" in result.output
    assert "分隔符 |@|" in result.output
    assert "最像：贷款借据（loan" in result.output
    assert "amount: 贷款金额" in result.output
    assert '{from: 贷款五级分类, codes: {"01": 正常}}' in result.output
    assert "欧阳某某" not in result.output
    assert rows[7][1] not in result.output
    assert rows[7][0] not in result.output


def test_inspect_goes_on_after_a_file_that_cannot_be_read(home):
    names, rows = loans()
    export(home / "导出" / "a.csv", names, rows)
    (home / "导出" / "b.csv").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200))
    result = run("inspect", "导出")
    assert result.exit_code == 1
    assert "最像：贷款借据" in result.output
    assert "读不了" in result.output
    assert "Traceback" not in result.output


def test_inspect_says_that_nothing_is_there(home):
    result = run("inspect", "没有.csv")
    assert result.exit_code == 1
    assert "没有找到“没有.csv”" in result.output
    assert "--bank" in run("inspect", "x.csv", "--write").output


def test_write_proposes_once_and_changes_no_word(home):
    assert run("new", "jia").exit_code == 0
    path = home / "data" / "banks" / "jia" / "mapping.yml"
    before = path.read_text(encoding="utf-8")
    names, rows = loans()
    for month in ("202501", "202502", "202503"):
        export(home / "data" / "incoming" / "jia" / f"借据_{month}.csv", names, rows)
    result = run("inspect", "data/incoming/jia", "--bank", "jia", "--write")
    assert result.exit_code == 0, result.output
    assert "已写入" in result.output
    after = path.read_text(encoding="utf-8")
    assert after.startswith(before)
    loan = load_mapping("jia").tables["loan"]
    assert loan.files == ("借据_20250*.csv",)
    assert loan.columns["loan_id"].source == "信贷借据号"
    assert "客户名称" not in loan.sources

    again = run("inspect", "data/incoming/jia", "--bank", "jia", "--write")
    assert "没有再写" in again.output
    assert path.read_text(encoding="utf-8") == after


def test_write_leaves_what_somebody_wrote(home):
    assert run("new", "jia").exit_code == 0
    path = home / "data" / "banks" / "jia" / "mapping.yml"
    mine = (
        '# 手填\ntables:\n    loan:\n        files: ["x.csv"]\n        columns: {loan_id: 我的}\n'
    )
    path.write_text(mine, encoding="utf-8")
    names, rows = loans()
    export(home / "a.csv", names, rows)
    customers = [("c1", "甲*", "男", "某支行")] * 30
    export(home / "b.csv", ["客户号", "客户姓名", "性别", "机构编号"], customers)
    result = run("inspect", "a.csv", "b.csv", "--bank", "jia", "--write")
    assert result.exit_code == 0, result.output
    assert "已经有这张表，没有改动" in result.output
    text = path.read_text(encoding="utf-8")
    assert text.startswith(mine)
    mapping = load_mapping("jia")
    assert mapping.tables["loan"].columns["loan_id"].source == "我的"
    assert "# 待确认 loan:" in text


def test_questions_become_settings_when_confirmed(home):
    assert run("new", "jia").exit_code == 0
    names, rows = loans()
    names[0] = "序号"
    export(home / "a.csv", names, rows)
    run("inspect", "a.csv", "--bank", "jia", "--write")
    assert load_mapping("jia").tables == {}
    path = home / "data" / "banks" / "jia" / "mapping.yml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("# 待确认 ", ""), encoding="utf-8")
    loan = load_mapping("jia").tables["loan"]
    assert loan.columns["loan_id"].generate == "row"
    assert loan.columns["amount"].source == "贷款金额"


def test_write_refuses_a_mapping_that_does_not_read(home):
    assert run("new", "jia").exit_code == 0
    path = home / "data" / "banks" / "jia" / "mapping.yml"
    names, rows = loans()
    export(home / "a.csv", names, rows)
    for text in ("tables: {}\n", "tables:\nfolder: x\n", "tables: ["):
        path.write_text(text, encoding="utf-8")
        result = run("inspect", "a.csv", "--bank", "jia", "--write")
        assert result.exit_code == 1
        assert "Traceback" not in result.output
        assert path.read_text(encoding="utf-8") == text


def test_a_workbook_with_title_rows(home):
    xlsxwriter = pytest.importorskip("xlsxwriter")
    names, rows = loans()
    book = xlsxwriter.Workbook(str(home / "台账.xlsx"))
    book.add_worksheet("说明").write(0, 0, "本表由支行报送")
    sheet = book.add_worksheet("贷款明细")
    sheet.merge_range(0, 0, 0, 7, "某支行贷款台账")
    sheet.write(1, 7, "单位：万元")
    for place, line in enumerate([names, *rows], 2):
        sheet.write_row(place, 0, line)
    book.close()
    result = run("inspect", "台账.xlsx")
    assert "工作表“贷款明细”" in result.output, result.output
    assert "表头第 3 行" in result.output
    assert "unit: 万元" in result.output


def test_patterns_never_catch_other_files(tmp_path):
    for name in ("a_202501.csv", "a_202502.csv", "a_202503.csv", "b.csv"):
        (tmp_path / name).write_text("x", encoding="utf-8")
    months = sorted(tmp_path.glob("a_*.csv"))
    assert file_patterns(months, tmp_path) == ["a_20250*.csv"]
    (tmp_path / "a_202509_旧.csv").write_text("x", encoding="utf-8")
    assert file_patterns(months, tmp_path) == [path.name for path in months]
    assert file_patterns(months[:1], tmp_path) == ["a_202501.csv"]


def test_lines_are_counted_as_an_editor_counts(tmp_path):
    path = tmp_path / "m.yml"
    path.write_text("a:\n  b: 1\n  c:\n", encoding="utf-8")
    inside = read_nodes(path).pairs[0][1]
    assert [key.line for key, _ in inside.pairs] == [2, 3]
    shutil.rmtree(tmp_path)
    with pytest.raises(CourseError, match="读不了"):
        read_nodes(path)
