"""The gate between masters and notebooks/ catches every way in which they can differ."""

import pytest
from build_project import NAMES, edit, make_project

from course_utils.build.sources.drift import find_drift, write_notebooks
from course_utils.build.sources.syllabus import load_syllabus
from course_utils.errors import CourseError


@pytest.fixture
def project(tmp_path):
    root = make_project(tmp_path)
    syllabus = load_syllabus(root / "lessons" / "syllabus.yml")
    write_notebooks(root, syllabus)
    return root, syllabus


def notebook(root, name):
    return root / "notebooks" / "0_small" / f"{name}.ipynb"


def test_freshly_generated_notebooks_show_no_difference(project):
    assert find_drift(*project) == []
    assert write_notebooks(*project) == []


def test_a_planted_edit_is_caught_and_mended(project):
    root, syllabus = project
    path = notebook(root, NAMES[1])
    path.write_text(path.read_text(encoding="utf-8").replace("课 2", "课 二"), encoding="utf-8")
    (finding,) = find_drift(root, syllabus)
    assert "与母本不一致" in finding and NAMES[1] in finding
    assert [p.name for p in write_notebooks(root, syllabus)] == [path.name]
    assert find_drift(root, syllabus) == []


def test_a_forgotten_regeneration_is_caught(project):
    root, syllabus = project
    edit(root, NAMES[0], "LIMIT = 3", "LIMIT = 4")
    (finding,) = find_drift(root, syllabus)
    assert NAMES[0] in finding


def test_a_saved_output_is_caught(project):
    root, syllabus = project
    path = notebook(root, NAMES[0])
    text = path.read_text(encoding="utf-8")
    assert '"execution_count": null' in text
    changed = text.replace('"execution_count": null', '"execution_count": 1', 1)
    path.write_text(changed, encoding="utf-8")
    assert len(find_drift(root, syllabus)) == 1


def test_a_missing_master_is_caught(project):
    root, syllabus = project
    (root / "lessons" / "0_small" / f"{NAMES[2]}.py").unlink()
    findings = find_drift(root, syllabus)
    assert any("缺少母本" in finding and NAMES[2] in finding for finding in findings)
    with pytest.raises(CourseError, match="找不到课程母本"):
        write_notebooks(root, syllabus)


def test_a_missing_notebook_is_caught(project):
    root, syllabus = project
    notebook(root, NAMES[2]).unlink()
    (finding,) = find_drift(root, syllabus)
    assert "缺少生成的文件" in finding and NAMES[2] in finding


def test_a_stray_notebook_is_caught_and_removed(project):
    root, syllabus = project
    stray = notebook(root, "m98_n09_stray")
    stray.write_text("{}", encoding="utf-8")
    (finding,) = find_drift(root, syllabus)
    assert "没有对应的课" in finding and stray.name in finding
    write_notebooks(root, syllabus)
    assert not stray.exists()


def test_a_master_that_the_syllabus_does_not_list_is_caught(project):
    root, syllabus = project
    master = root / "lessons" / "0_small" / "m98_n09_stray.py"
    master.write_text("# %% [markdown]\n# # 题\n", encoding="utf-8")
    (finding,) = find_drift(root, syllabus)
    assert "不在课程表里" in finding and master.name in finding


def test_checkpoints_and_what_lessons_deliver_are_no_drift(project):
    root, syllabus = project
    for name in (".ipynb_checkpoints", "成果"):
        folder = root / "notebooks" / "0_small" / name
        folder.mkdir()
        (folder / "x.xlsx").write_text("x", encoding="utf-8")
    assert find_drift(root, syllabus) == []
