"""The board is read from executed notebooks: nothing is lost, made up, or taken for markup."""

from __future__ import annotations

import base64
import datetime
import io
from types import SimpleNamespace

import pandas as pd
import pytest
from build_project import NAMES, edit, make_build, make_project
from click.testing import CliRunner
from nbformat.v4 import new_output

from course_utils.brief import Brief
from course_utils.build.execution.records import FAILED, Record
from course_utils.build.products.board import board_lessons, write_board
from course_utils.build.products.board.font import embedded_font
from course_utils.build.products.board.panels import SECTIONS, collect_panels
from course_utils.build.products.board.tables import MOST_ROWS, read_table
from course_utils.build.products.board.write import render
from course_utils.build.products.scan import scan_file
from course_utils.build.sources.editions import build_edition, dumps
from course_utils.charts.picture import Picture
from course_utils.cli import main
from course_utils.display import table
from course_utils.errors import CourseError
from course_utils.files import write_text

TAGGED = """# %% tags=["board:churn:table", "board:churn:picture"]
loans = bank.load("loan")

# %% tags=["instructor", "board:churn:brief"]
cu.brief("一句话", "留意", "规则", [("户数", "30 户", "去年")])

# %% tags=["instructor"]
print("真值")
"""
ODD = '<script>alert("甲")</script>&'


class Bank(SimpleNamespace):
    """As much of a bank as the board asks for."""

    name, as_of, truth, lacking = "样行", datetime.date(2025, 12, 31), None, ()

    def missing(self, *names):
        return [f"表 {name}" for name in names if name in self.lacking]


@pytest.fixture
def project(tmp_path):
    root = make_project(tmp_path)
    for name in NAMES[:2]:
        edit(root, name, '# %% tags=["instructor"]\nprint("真值")\n', TAGGED)
    return root


def as_output(thing):
    bundle = thing._repr_mimebundle_()
    data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
    return new_output("display_data", data=data, metadata=metadata)


def picture(data=b"\x89PNG one", alt="柱状图", title="到期集中"):
    return Picture(data, alt, title, 10, 10)


def run_by_hand(build, number, outputs):
    """Write the executed notebook of one lesson with these outputs by role."""
    lesson = build.syllabus.lessons[number]
    notebook = build_edition(build.master(lesson), "instructor")
    for cell in notebook.cells:
        roles = [tag.split(":")[2] for tag in cell.metadata.get("tags", ()) if "board:" in tag]
        if roles:
            cell.outputs = [item for role in roles for item in outputs.get(role, [])]
    write_text(lesson.path(build.executed("instructor"), ".ipynb"), dumps(notebook))


def brief(headline="走了一成", mark="留意", figures=(("户数", "30 户", "去年 20 户"),)):
    return Brief(headline, mark, "过半", figures, [("零售部", "打电话", "本周")], "样本")


def test_lessons_of_the_board_are_those_with_tags(project):
    assert [lesson.name for lesson in board_lessons(make_build(project))] == list(NAMES[:2])


def test_a_section_nobody_knows_is_refused(project):
    edit(project, NAMES[0], "board:churn:brief", "board:weather:brief")
    with pytest.raises(CourseError, match="weather”，只能用 maturity"):
        board_lessons(make_build(project))


def test_without_any_result_one_sentence_says_what_to_run(project):
    with pytest.raises(CourseError, match="请先运行 course build --bank coastal。"):
        collect_panels(make_build(project), Bank())
    with pytest.raises(CourseError, match="还没有讲师版的运行结果"):
        write_board(make_build(project))
    assert not (project / "build" / "coastal" / "board").exists()


def test_what_the_lessons_show_arrives_unchanged(project):
    build = make_build(project)
    frame = table(pd.DataFrame({"客户数": [1200, 5]}), title="各档")
    run_by_hand(
        build,
        0,
        {
            "brief": [as_output(brief())],
            "picture": [as_output(picture())],
            "table": [as_output(frame)],
        },
    )
    second = picture(b"\x89PNG two", "折线图", "又一张")
    run_by_hand(
        build, 1, {"brief": [as_output(brief("都好", "要办"))], "picture": [as_output(second)]}
    )
    panel = next(panel for panel in collect_panels(build, Bank()) if panel.key == "churn")
    assert [item.headline for item in panel.briefs] == ["走了一成", "都好"]
    assert panel.mark == "要办" and panel.leading.headline == "都好"
    assert base64.b64decode(panel.picture.png) == b"\x89PNG two"
    assert (panel.picture.title, panel.picture.alt) == ("又一张", "折线图")
    assert panel.table.caption == "各档" and panel.table.rows == (("1,200",), ("5",))
    assert panel.gaps == [] and len(panel.actions) == 2


def test_what_is_missing_is_said_with_its_reason(project):
    build = make_build(project)
    run_by_hand(build, 0, {"brief": [as_output(brief())]})

    def gaps(bank):
        panels = {panel.key: panel for panel in collect_panels(build, bank)}
        return panels["churn"].gaps

    assert gaps(Bank()) == ["“课2”：这一课还没有运行，这部分没有。"]
    build.records.save(Record(NAMES[1], "instructor", FAILED, reason="坏了"))
    assert gaps(Bank()) == ["“课2”：这一课没有运行成功，请讲师看构建报告，这部分没有。"]
    assert gaps(Bank(lacking=("loan",))) == ["“课2”：本行缺少“表 loan”表，这部分没有。"]
    page = render(build, Bank(lacking=("loan",)), collect_panels(build, Bank(lacking=("loan",))))
    assert "本行缺少“表 loan”表" in page
    assert page.count("（这一栏没有）") == len(SECTIONS) - 1


def test_markup_in_names_is_shown_as_text(project):
    build = make_build(project)
    frame = table(pd.DataFrame({f"列{ODD}": [ODD, "乙"]}), title=ODD)
    outputs = {
        "brief": [as_output(brief(ODD, figures=((ODD, ODD, ODD),)))],
        "picture": [as_output(picture(alt=ODD, title=ODD))],
        "table": [as_output(frame)],
    }
    run_by_hand(build, 0, outputs)
    bank = Bank()
    bank.name = ODD
    page = render(build, bank, collect_panels(build, bank))
    assert "<script" not in page.lower()
    assert page.count("&lt;script&gt;alert(&#34;甲&#34;)&lt;/script&gt;&amp;") >= 10
    path = project / "page.html"
    path.write_text(page, encoding="utf-8")
    assert [str(leak) for leak in scan_file(path)] == []


def test_a_table_keeps_its_first_rows_and_says_so():
    frame = pd.DataFrame({"网点": [f"网点{n}" for n in range(9)], "占比": range(9)})
    view = read_table(table(frame, rows=8).html)
    assert view.heads == ("网点", "占比") and view.numeric == (False, True)
    assert len(view.rows) == MOST_ROWS and view.rows[1] == ("网点1", "1")
    assert view.notes == (f"共 9 行，只列前 {MOST_ROWS} 行。",)


@pytest.mark.parametrize("count", [1, 4])
def test_numbers_about_very_few_people_are_not_shown(count):
    frame = pd.DataFrame(
        {"去向": ["升档", "降档", "没有"], "样本户数": [5, count, 0], "占比": [0.9, 0.1, 0]}
    )
    view = read_table(table(frame, units={"占比": "%"}).html)
    assert view.rows == (("升档", "5", "90.0%"), ("降档", "—", "—"), ("没有", "0", "0.0%"))
    assert view.numeric == (False, True, True)
    assert view.notes == ("不足 5 的组不列数。",)


def test_few_branches_are_no_secret():
    frame = pd.DataFrame({"分法": ["基数法"], "碰到上下限的网点（家）": [2]})
    assert read_table(table(frame).html).rows == (("基数法", "2"),)


def test_the_font_has_what_the_page_shows_and_little_else():
    from fontTools.ttLib import TTFont

    text = "行长看板：5.38 亿元 ▲ 要办"
    address = embedded_font(text)
    assert address == embedded_font(text)
    kind, data = address.split(",")
    assert kind == "data:font/woff;base64"
    glyphs = TTFont(io.BytesIO(base64.b64decode(data))).getBestCmap()
    assert {ord(c) for c in text} <= set(glyphs) and len(glyphs) < 2 * len(set(text))


def test_the_page_is_one_file_and_the_old_one_stays_if_something_fails(project, monkeypatch):
    build = make_build(project)
    run_by_hand(build, 0, {"brief": [as_output(brief())]})
    page = write_board(build)
    before = page.read_bytes()
    assert [path.name for path in page.parent.iterdir()] == ["index.html"]
    monkeypatch.setattr("course_utils.build.products.board.write.write_text", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_board(build)
    assert page.read_bytes() == before
    assert [path.name for path in page.parent.parent.iterdir() if "part" in path.name] == []


@pytest.mark.parametrize("bank", ["nowhere", "../x"])
def test_a_bank_that_is_not_there_is_one_sentence(bank):
    result = CliRunner().invoke(main, ["board", "--bank", bank, "--no-run"])
    assert result.exit_code == 1
    assert result.output.startswith("错误：") and "Traceback" not in result.output
    assert len(result.output.strip().splitlines()) == 1
