"""The syllabus is the only list of lessons, and agrees with the table of outline ids."""

import re

import pytest
from build_project import REPOSITORY, make_project

from course_utils.build.sources.masters import read_master
from course_utils.build.sources.syllabus import load_outline, load_syllabus
from course_utils.errors import CourseError

SYLLABUS = load_syllabus(REPOSITORY / "lessons" / "syllabus.yml")
OUTLINE = load_outline(REPOSITORY / "lessons" / "outline.csv")


def test_the_outline_table_is_whole():
    assert len(OUTLINE) == 857
    assert len({row["lesson"] for row in OUTLINE.values()}) == 70
    for id_, row in OUTLINE.items():
        assert id_.startswith(row["training"] + "-")
        assert re.fullmatch(r"m\d\d_n\d\d_[a-z0-9_]+", row["lesson"])


def test_the_outline_table_names_nobody_and_is_simplified_chinese():
    text = (REPOSITORY / "lessons" / "outline.csv").read_text(encoding="utf-8")
    assert not re.search(r"讲师|老师|https?:|www\.|\d{7,}|@", text)
    assert not re.search("[專業務營銷貸險課時間對應實戰經點評數據銀]", text)


def test_five_trainings_and_their_modules():
    assert [training.id for training in SYLLABUS.trainings] == [f"S00{n}" for n in range(5)]
    used = {module for training in SYLLABUS.trainings for module in training.modules}
    assert used == {module.id for module in SYLLABUS.modules}


@pytest.mark.parametrize("lesson", SYLLABUS.lessons, ids=lambda lesson: lesson.key)
def test_a_lesson_is_home_to_exactly_what_the_outline_table_gives_it(lesson):
    assert list(lesson.home) == [
        id_ for id_, row in OUTLINE.items() if row["lesson"] == lesson.name
    ]
    assert set(lesson.refers) <= set(OUTLINE) - set(lesson.home)


@pytest.mark.parametrize("lesson", SYLLABUS.lessons, ids=lambda lesson: lesson.key)
def test_every_outline_id_of_a_lesson_has_a_section_that_teaches_it(lesson):
    master = read_master(lesson.path(REPOSITORY / "lessons", ".py"))
    assert master.outline == set(lesson.home) | set(lesson.refers)
    for cell in master.cells:
        if cell.outline:
            assert cell.kind == "markdown" and not cell.instructor_only
            assert len(cell.source) >= 40, f"{cell.outline} 只有一句话"


def test_lessons_are_found_by_either_name():
    assert SYLLABUS.lesson("m02_n02") is SYLLABUS.lesson("m02_n02_maturity_ladder")
    assert [lesson.key for lesson in SYLLABUS.select(["m02_n03", "m00_n01"])] == [
        "m00_n01",
        "m02_n03",
    ]
    assert SYLLABUS.select() == SYLLABUS.lessons
    with pytest.raises(CourseError, match="m02_n02_maturity_ladder"):
        SYLLABUS.lesson("m02_n02_maturity_lader")


@pytest.mark.parametrize(
    ("old", "new", "hint"),
    [
        ("        minutes: 10\n", "", "minutes"),
        ("minutes: 10", "minutes: 很久", "写法不对"),
        ("modules: [m98]", "modules: [m97]", "m97"),
        ("m98_n02_second", "m98_n01_other", "m98_n01"),
        ("level: L1", "level: L9", "L9"),
        ("modules:\n  - id", "modules:\n - : - id", "写法不对"),
    ],
)
def test_a_broken_syllabus_is_one_chinese_sentence(tmp_path, old, new, hint):
    path = make_project(tmp_path) / "lessons" / "syllabus.yml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CourseError, match=hint):
        load_syllabus(path)
