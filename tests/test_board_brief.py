"""A brief says what the bank's head needs, and board tags change nothing else in a lesson."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from build_project import REPOSITORY, SAMPLE, SAMPLE_LESSON

from course_utils.brief import MARKS, METADATA, Brief
from course_utils.build.products.board.panels import SECTIONS, loaded_tables
from course_utils.build.sources.editions import build_edition
from course_utils.build.sources.lint import lint_master
from course_utils.build.sources.masters import BOARD_ROLES, parse_master, read_master
from course_utils.build.sources.syllabus import load_syllabus
from course_utils.errors import CourseError

SYLLABUS = load_syllabus(REPOSITORY / "lessons" / "syllabus.yml")
TEXT = SAMPLE.read_text(encoding="utf-8")
FIGURES = [("到期", "3 亿元", "去年 2 亿元")]
ACTIONS = [("零售部", "打电话", "本周")]
PICTURE = ("# %%\ntable = ladder", '# %% tags=["board:maturity:picture"]\ntable = ladder')
BRIEF_CELL = """# %% tags=["instructor", "board:maturity:brief"]
cu.brief("一句话", "留意", "规则", [("到期", "3 亿元", "去年")])

"""


def brief(**changes):
    content = {
        "headline": "到期集中",
        "mark": "要办",
        "rule": "过半",
        "figures": FIGURES,
        "actions": ACTIONS,
        "caution": "样本推算",
    }
    return Brief(**{**content, **changes})


def test_every_form_of_a_brief_says_the_same():
    data, metadata = brief()._repr_mimebundle_()
    for part in (
        "到期集中",
        "要办",
        "3 亿元",
        "去年 2 亿元",
        "零售部",
        "打电话",
        "本周",
        "样本推算",
    ):
        assert part in data["text/plain"] and part in data["text/html"]
    # notebooks are written with sorted keys
    kept = json.loads(json.dumps(metadata[METADATA], sort_keys=True))
    assert Brief.from_metadata(kept) == brief()


def test_a_mark_is_told_by_word_and_shape_not_by_colour():
    assert len(set(MARKS.values())) == len(MARKS)
    for mark, sign in MARKS.items():
        page = brief(mark=mark)._repr_mimebundle_()[0]["text/html"]
        assert f"{sign} {mark}" in page
        assert "color: #" not in page and "background" not in page


def test_names_that_look_like_markup_stay_text():
    odd = "<b>甲&乙</b>"
    page = brief(
        headline=odd, figures=[(odd, odd, odd)], actions=[(odd, odd, odd)], caution=odd, rule=odd
    )._repr_mimebundle_()[0]["text/html"]
    assert odd not in page and page.count("&lt;b&gt;甲&amp;乙&lt;/b&gt;") == 9


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"mark": "红灯"}, "记号只能是"),
        ({"figures": []}, "1 到 4 个"),
        ({"figures": FIGURES * 5}, "现在有 5 个"),
        ({"figures": [("到期", "3 亿元")]}, "要有三段文字"),
        ({"figures": [("到期", 3, "去年")]}, "要有三段文字"),
        ({"actions": [("零售部", " ", "本周")]}, "要做的事"),
        ({"headline": " "}, "一句话结论"),
        ({"rule": ""}, "判断规则"),
    ],
)
def test_an_incomplete_brief_is_refused_in_one_sentence(changes, words):
    with pytest.raises(CourseError, match=words) as problem:
        brief(**changes)
    assert str(problem.value).endswith("。") and "\n" not in str(problem.value)


@pytest.mark.parametrize(
    "tag", ["board:maturity", "board:maturity:film", "board:3x:brief", "board"]
)
def test_a_board_tag_that_means_nothing_is_refused(tag):
    with pytest.raises(CourseError, match="没有意义"):
        parse_master(TEXT.replace('tags=["check:E1"]', f'tags=["{tag}"]', 1), Path(SAMPLE.name))


def test_a_board_tag_changes_neither_ids_nor_the_trainees_notebook():
    plain = parse_master(TEXT, Path(SAMPLE.name))
    tagged = parse_master(TEXT.replace(*PICTURE), Path(SAMPLE.name))
    assert tagged != plain
    assert build_edition(plain, "trainee") == build_edition(tagged, "trainee")
    before, after = (build_edition(master, "instructor") for master in (plain, tagged))
    assert [node.id for node in before.cells] == [node.id for node in after.cells]
    tags = [node.metadata.get("tags", []) for node in after.cells]
    assert tags.count(["board:maturity:picture"]) == 1


def rules(text):
    return {
        finding.rule
        for finding in lint_master(parse_master(text, Path(SAMPLE.name)), SAMPLE_LESSON)
    }


def test_lint_holds_board_cells_to_their_promise():
    discussion = "# %% [markdown]\n# ## 讨论"
    good = TEXT.replace(discussion, BRIEF_CELL + discussion)
    assert good != TEXT and rules(good) == set()
    assert rules(good.replace("cu.brief(", "print(")) == {"board-role"}
    assert rules(good.replace('"instructor", "board:', '"board:')) == {"board-instructor"}
    assert rules(good.replace(BRIEF_CELL, BRIEF_CELL * 2)) == {"board-brief"}
    assert rules(TEXT.replace(*PICTURE)) == {"board-brief"}


def test_every_section_of_the_board_has_a_brief_a_picture_and_a_table():
    found = {
        (section, role)
        for lesson in SYLLABUS.lessons
        for cell in read_master(lesson.path(REPOSITORY / "lessons", ".py")).cells
        for section, role in cell.board
    }
    assert found == {(section, role) for section in SECTIONS for role in BOARD_ROLES}


def test_tables_a_lesson_cannot_do_without():
    source = (
        'BANK = "x"\n\n# %%\nbank.load("loan")\n'
        'queue = bank.load("queue_log") if bank.has("queue_log") else None\n'
        'bank.has("deposit_account.rate")\nbank.load("customer", columns=["weight"])\n'
    )
    master = parse_master(f'# %% tags=["parameters"]\n{source}', Path("m99_n01_sample.py"))
    assert loaded_tables(master) == ["loan", "customer"]
