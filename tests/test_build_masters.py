"""Masters are read strictly; the two editions say what each reader may see."""

import json
import re
from pathlib import Path

import nbformat
import pytest
from build_project import SAMPLE

from course_utils.build.sources.editions import (
    build_edition,
    dumps,
    joined_lines,
    literal,
    set_parameters,
)
from course_utils.build.sources.masters import parse_master, read_master, split_answer
from course_utils.errors import CourseError

HEAD = '# %% tags=["parameters"]\nBANK = "coastal"  # 银行\n\n'


def master_of(text):
    return parse_master(text, Path("m99_n02_test.py"))


@pytest.fixture(scope="module")
def sample():
    return read_master(SAMPLE)


def test_the_parts_of_a_master(sample):
    assert sample.key == "m99_n01"
    assert sample.questions == ("E1", "E2", "E3", "E4")
    assert sample.parameters == {
        "BANK": "coastal",
        "AS_OF": None,
        "BRANCH": None,
        "HORIZON_MONTHS": 12,
    }
    assert sample.outline == {"S004-D2", "S004-D2.1", "S004-D2.2"}
    assert dict(sample.variants("wrong", "E3")) == {"money": 'choice = "A"'}
    assert dict(sample.variants("alternative", "E3")) == {"lower_case": 'choice = "b"'}


def test_a_cell_knows_its_line(sample):
    lines = SAMPLE.read_text(encoding="utf-8").split("\n")
    for cell in sample.cells:
        assert lines[cell.line - 1].startswith("# %%")
    answer = next(cell for cell in sample.cells if cell.question("answer") == "E2")
    assert "by_branch" in lines[answer.line]


def test_variants_replace_stub_and_solution_and_keep_the_rest():
    text = (
        HEAD + '# %% tags=["answer:E1"]\nbase = 2\nx = ...  # ←\n### BEGIN SOLUTION\nx = base\n'
        '### END SOLUTION\ny = 1\n\n# %% tags=["wrong:E1:twice"]\nx = base * 2\n'
    )
    master = master_of(text)
    assert dict(master.variants("wrong", "E1")) == {"twice": "base = 2\nx = base * 2\ny = 1"}
    assert master.answer("E1").blank_source == "base = 2\nx = ...  # ←\ny = 1"
    assert master.answer("E1").solved_source == "base = 2\nx = base\ny = 1"


@pytest.mark.parametrize(
    "source",
    [
        "x = 1",
        "x = ...\n### BEGIN SOLUTION\nx = 1",
        "x = ...\n### END SOLUTION\nx = 1\n### BEGIN SOLUTION",
        "### BEGIN SOLUTION\nx = 1\n### END SOLUTION",
        "x = ...\n### BEGIN SOLUTION\n### BEGIN SOLUTION\nx = 1\n### END SOLUTION",
        "x = ...\ny = 1\n### BEGIN SOLUTION\nx = 1\n### END SOLUTION",
    ],
)
def test_broken_answer_cells_are_refused(source):
    with pytest.raises(CourseError):
        split_answer(source)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ('# %% tags=["anser:E1"]\nx = 1\n', "anser:E1"),
        ('# %% tags=["wrong:E1"]\nx = 1\n', "wrong:E1"),
        ('# %% tags=["check:1"]\nx = 1\n', "check:1"),
        ('# %% [markdown] tags=["check:E1"]\n# 文字\n', "check:E1"),
        ("# %%\n### BEGIN SOLUTION\nx = 1\n### END SOLUTION\n", "answer"),
        ('# %% [markdown] outline="S004-D2"\n# 文字\n', "outline"),
        ("# %% [raw]\n# 文字\n", "raw"),
        ("x = 1\n\n# %%\ny = 2\n", "第一个单元格"),
    ],
)
def test_a_cell_the_build_would_not_understand_is_refused(text, hint):
    with pytest.raises(CourseError, match=re.escape(hint)):
        master_of(HEAD + text if not text.startswith("x") else text)


def test_unreadable_masters(tmp_path):
    with pytest.raises(CourseError, match="找不到"):
        read_master(tmp_path / "m01_n01_gone.py")
    with pytest.raises(CourseError, match="改名"):
        read_master(tmp_path / "lesson1.py")
    path = tmp_path / "m01_n01_gbk.py"
    path.write_bytes("# %% [markdown]\n# 中文\n".encode("gb18030"))
    with pytest.raises(CourseError, match="UTF-8"):
        read_master(path)


@pytest.mark.parametrize("bad", ["BANK = open('x')", "BANK: str = 'x'", "import os", "A = B = 1"])
def test_parameters_are_literals(bad):
    master = master_of(f'# %% tags=["parameters"]\n{bad}\n')
    with pytest.raises(CourseError, match="参数格"):
        _ = master.parameters


def test_trainees_never_see_an_answer(sample):
    notebook = build_edition(sample, "trainee")
    text = dumps(notebook)
    for question in sample.questions:
        assert json.dumps(sample.answer(question).solution, ensure_ascii=False)[1:-1] not in text
        for role in ("wrong", "alternative"):
            for _, source in sample.variants(role, question):
                assert json.dumps(source, ensure_ascii=False)[1:-1] not in text
    assert "SOLUTION" not in text
    assert "揭示真值" not in text
    assert "cu.reveal" not in text
    assert all(not cell.get("outputs") for cell in notebook.cells)


def test_check_cells_are_locked_and_answers_cannot_be_deleted(sample):
    cells = build_edition(sample, "trainee").cells
    checks = [c for c in cells if any(t.startswith("check:") for t in c.metadata.get("tags", ()))]
    answers = [c for c in cells if any(t.startswith("answer:") for t in c.metadata.get("tags", ()))]
    assert len(checks) == len(answers) == 4
    assert all(c.metadata.editable is False and c.metadata.deletable is False for c in checks)
    assert all(c.metadata.deletable is False and "editable" not in c.metadata for c in answers)


def test_instructors_see_solution_truth_and_named_mistakes(sample):
    text = dumps(build_edition(sample, "instructor"))
    for expected in ("peak_balance = ladder.max()", "counted_rows", "揭示真值", "cu.reveal"):
        assert expected in text
    assert "SOLUTION" not in text
    assert "sort_then_first" not in text  # alternatives are for the proofs only


@pytest.mark.parametrize("edition", ["trainee", "instructor"])
def test_notebooks_are_valid_and_come_out_the_same_every_time(sample, edition):
    notebook = build_edition(sample, edition)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    ids = [cell.id for cell in notebook.cells]
    assert len(ids) == len(set(ids))
    assert dumps(notebook) == dumps(build_edition(read_master(SAMPLE), edition))


def test_ids_survive_an_edit_elsewhere():
    text = HEAD + "# %%\na = 1\n\n# %%\nb = 2\n"
    before = {c.source: c.id for c in build_edition(master_of(text), "trainee").cells}
    changed = text.replace("# %%\na = 1\n", "# %% [markdown]\n# 新的一格\n\n# %%\na = 3\n")
    after = {c.source: c.id for c in build_edition(master_of(changed), "trainee").cells}
    assert after["b = 2"] == before["b = 2"]


def test_equal_cells_get_different_ids():
    notebook = build_edition(master_of(HEAD + "# %%\na = 1\n\n# %%\na = 1\n"), "trainee")
    assert len({cell.id for cell in notebook.cells}) == 3
    nbformat.validate(notebook)


def test_parameters_are_filled_in_with_their_comments_kept():
    lines = ['BANK = "coastal"  # 银行', "CUTS = [", "    1,", "]  # 分档", 'NAME = "甲"  # 名']
    result = set_parameters("\n".join(lines), {"CUTS": [1.5, None], "NAME": '乙"行"', "X": 1})
    assert result.split("\n") == [
        'BANK = "coastal"  # 银行',
        "CUTS = [1.5, None]  # 分档",
        'NAME = "乙\\"行\\""  # 名',
    ]


def test_literals_read_back():
    value = {"甲": [1, 2.5, None, True], "b": "文\n字"}
    assert eval(literal(value)) == value
    assert "甲" in literal(value)


def test_a_parsed_master_is_kept_until_its_text_changes(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_HOME", str(tmp_path))
    path = tmp_path / "lessons" / "m98_n01_first.py"
    path.parent.mkdir()
    path.write_text('# %% tags=["parameters"]\nLIMIT = 3  # 上限\n', encoding="utf-8")
    first = read_master(path)
    (place,) = (tmp_path / ".cache").glob("*.json")
    assert "m98_n01_first" in place.name
    with monkeypatch.context() as patch:
        patch.setattr("jupytext.reads", lambda *args, **kwargs: pytest.fail("parsed again"))
        assert read_master(path) == first
    path.write_text('# %% tags=["parameters"]\nLIMIT = 4  # 上限\n', encoding="utf-8")
    assert read_master(path).parameters == {"LIMIT": 4}
    assert [other.name != place.name for other in (tmp_path / ".cache").glob("*.json")] == [True]
    next((tmp_path / ".cache").glob("*.json")).write_text("[[", encoding="utf-8")
    assert read_master(path).parameters == {"LIMIT": 4}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("先看余额，\n再看日子。", "先看余额，再看日子。"),
        ("- 甲：一句话\n  接着说", "- 甲：一句话接着说"),
        ("# 标题\n正文", "# 标题\n正文"),
        ("正文\n- 条目", "正文\n- 条目"),
        ("| 甲 |\n| 乙 |", "| 甲 |\n| 乙 |"),
        ("说到 AUC\n再说", "说到 AUC\n再说"),
        ("说到\nAUC", "说到\nAUC"),
        ("换行  \n下一行", "换行  \n下一行"),
        ("上\n\n下", "上\n\n下"),
        ("```\n甲\n乙\n```\n丙\n丁", "```\n甲\n乙\n```\n丙丁"),
        ("> 甲\n> 乙", "> 甲\n> 乙"),
    ],
)
def test_lines_of_a_chinese_sentence_are_joined_without_a_space(text, shown):
    assert joined_lines(text) == shown


def test_a_real_bank_has_no_planted_truth_and_keeps_the_advice():
    text = (
        "# %% [markdown]\n# ## 小结\n#\n# 生成器。\n\n"
        '# %% [markdown] tags=["instructor"]\n# ## 揭示真值\n#\n# 下表把生成器埋下的数放在一起。'
        "常见的\n# 弯路：\n#\n# - 真值是三倍；\n# - 忘了扣生活费。\n\n"
        '# %% tags=["instructor"]\ncu.reveal(bank)\n'
    )
    cells = build_edition(master_of(text), "instructor", real=True).cells
    assert [cell.source for cell in cells] == [
        "## 小结\n\n生成器。",
        "## 讲师提示\n\n常见的弯路：\n\n- 忘了扣生活费。",
    ]
    assert len(build_edition(master_of(text), "instructor").cells) == 3
    bare = text.replace("常见的\n# 弯路：\n#\n", "\n#\n").replace("- 忘了扣生活费。", "")
    assert len(build_edition(master_of(bare), "instructor", real=True).cells) == 1
