"""Class plans: minutes that add up, parts that exist, a page whose links arrive."""

import re
from urllib.parse import unquote

import pytest
from build_project import REPOSITORY, make_project
from docutils import nodes

from course_utils.build.products.site.renderer.reading import heading_anchor
from course_utils.build.sources.masters import read_master
from course_utils.build.sources.plans import plan_body, plan_faults
from course_utils.build.sources.syllabus import load_syllabus
from course_utils.errors import CourseError

PLAN = """
plans:
  - id: half
    title: {{zh: 半天班, en: Half a day}}
    hours: {hours}
    days:
      - title: 上午
        start: "09:00"
        slots:
          - {{minutes: 40, lesson: {lesson}, parts: [{part}]}}
          - {{minutes: 15, title: 休息}}
          - {{minutes: 20, lesson: m98_n02, parts: [练习], title: 两人一组}}
"""


@pytest.fixture
def project(tmp_path):
    return make_project(tmp_path / "project")


def with_plan(root, hours=1, lesson="m98_n01", part="E1"):
    path = root / "lessons" / "syllabus.yml"
    text = path.read_text(encoding="utf-8") + PLAN.format(hours=hours, lesson=lesson, part=part)
    path.write_text(text, encoding="utf-8")
    return load_syllabus(path)


def masters(root, syllabus):
    return {ls.key: read_master(ls.path(root / "lessons", ".py")) for ls in syllabus.lessons}


def test_times_follow_from_the_minutes_and_breaks_do_not_count(project):
    (plan,) = with_plan(project).plans
    assert [clock for clock, _ in plan.days[0].timed()] == [
        "09:00–09:40",
        "09:40–09:55",
        "09:55–10:15",
    ]
    assert plan.minutes() == 60
    assert plan.minutes("m98_n02") == 20
    assert plan.lessons == ("m98_n01", "m98_n02")


def test_minutes_must_add_up_to_the_hours(project):
    with pytest.raises(CourseError, match="合计 60 分钟，与 2 小时"):
        with_plan(project, hours=2)


def test_a_plan_may_only_use_lessons_that_exist(project):
    with pytest.raises(CourseError, match="m98_n09"):
        with_plan(project, lesson="m98_n09")


@pytest.mark.parametrize("part", ["E2", "演示一", "练"])
def test_a_part_that_the_lesson_lacks_is_a_fault(project, part):
    syllabus = with_plan(project, part=part)
    (fault,) = plan_faults(syllabus.plans[0], masters(project, syllabus))
    assert "m98_n01" in fault and part in fault


def test_the_page_links_to_headings_that_the_lesson_page_has(project):
    syllabus = with_plan(project)
    text = plan_body(syllabus.plans[0], syllabus, masters(project, syllabus), with_outline=False)
    anchors = re.findall(r'href="m98_n0\d\w+\.html#([^"]+)"', text)
    section = nodes.section("", nodes.title("", "练习"))
    assert [unquote(anchor) for anchor in anchors] == [heading_anchor(section)] * 2
    assert "两人一组：" in text and "休息" in text
    assert "课后自学" in text and "<td>m98_n02" not in text.split("课后自学")[0][-20:]


def test_what_no_slot_teaches_is_left_for_later(project):
    syllabus = with_plan(project, part="练习")
    text = plan_body(syllabus.plans[0], syllabus, masters(project, syllabus), with_outline=True)
    assert text.split("课后自学")[1].count("E1") == 2


def test_a_restricted_syllabus_holds_the_plan_and_nothing_else(project):
    syllabus = with_plan(project).restricted("half")
    assert [lesson.key for lesson in syllabus.lessons] == ["m98_n01", "m98_n02"]
    with pytest.raises(CourseError, match="half"):
        syllabus.restricted("hlaf")


SYLLABUS = load_syllabus(REPOSITORY / "lessons" / "syllabus.yml")


def test_the_two_day_data_course_teaches_every_module_of_its_training_in_twelve_hours():
    plan = next(plan for plan in SYLLABUS.plans if plan.id == "data-2day")
    assert (len(plan.days), plan.minutes()) == (2, 720)
    training = next(t for t in SYLLABUS.trainings if t.id == "S004")
    wanted = {ls.key for m in SYLLABUS.modules if m.id in training.modules for ls in m.lessons}
    assert set(plan.lessons) == wanted
    for lesson in plan.lessons:
        assert any(part.startswith("演示") or part == "业务情境" for part in plan.parts(lesson))


@pytest.mark.parametrize("plan", SYLLABUS.plans, ids=lambda plan: plan.id)
def test_every_part_of_a_plan_is_in_its_lesson(plan):
    assert plan_faults(plan, masters(REPOSITORY, SYLLABUS.restricted(plan.id))) == []
