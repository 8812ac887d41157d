"""The house rules: a good master has no finding, and each rule catches a planted fault."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from build_project import REPOSITORY, SAMPLE, SAMPLE_LESSON

from course_utils.build.sources.lint import lint_master
from course_utils.build.sources.masters import parse_master, read_master
from course_utils.build.sources.prose import result_numbers
from course_utils.build.sources.syllabus import load_syllabus

TEXT = SAMPLE.read_text(encoding="utf-8")
SYLLABUS = load_syllabus(REPOSITORY / "lessons" / "syllabus.yml")


def rules(text, lesson=SAMPLE_LESSON):
    return {finding.rule for finding in lint_master(parse_master(text, Path(SAMPLE.name)), lesson)}


def test_the_sample_lesson_keeps_every_rule():
    findings = lint_master(read_master(SAMPLE), SAMPLE_LESSON)
    assert [str(finding) for finding in findings] == []


WRONG_CELL = re.search(r'# %% tags=\["wrong:E3:money"\].*?(?=# %%)', TEXT, re.DOTALL).group()
FAULTS = [
    ("one-h1", "# ## 讨论", "# # 讨论"),
    ("minutes", "用时：30 分钟", "用时：45 分钟"),
    ("minutes", " · 用时：30 分钟", ""),
    ("level", "难度：L1", "难度：L2"),
    ("outline-line", "大纲：", "提纲："),
    ("aims", "# - 把到期结构变成一张支行明天就能用的名单。\n", ""),
    ("abstract", "# Abstract: ", "# Summary: "),
    ("parameters-first", 'tags=["parameters"]', 'tags=["instructor"]'),
    ("parameters-common", "BRANCH = None  # 看哪家支行：None 表示全行\n", ""),
    ("parameters-comment", "  # 往后看几个月", ""),
    ("parameters-name", "HORIZON_MONTHS = 12", "horizon = 12"),
    ("parameters-literal", "HORIZON_MONTHS = 12", "HORIZON_MONTHS = 6 * 2"),
    ("code-length", 'cu.say(f"名单', "x = 1\n" * 16 + 'cu.say(f"名单'),
    ("code-length", 'choice = "B"\n', 'choice = "B"\n' * 17),
    ("no-magics", "cu.dictionary(", "%matplotlib inline\ncu.dictionary("),
    ("syntax", "cu.dictionary(bank,", "cu.dictionary(bank，"),
    ("cell-count", re.search(r"# %% \[markdown\]\n# ## 讨论.*?(?=# %%)", TEXT, re.S).group(), ""),
    ("sections", "# ## 成果\n", "# ### 成果\n"),
    ("section-name", "# ## 讨论\n", "# ## 聊一聊\n"),
    ("truth-hidden", '# %% [markdown] tags=["instructor"]', "# %% [markdown]"),
    ("honest", "这些数据**不能**说明客户到期以后会不会走：那要看接触记录和对照组。", ""),
    ("four-exercises", "E4", "E5"),
    ("answer-check", '# %% tags=["check:E2"]\ncu.check("E2")\n', ""),
    ("check-source", 'cu.check("E2")', 'cu.check("E1")'),
    ("has-wrong", WRONG_CELL, ""),
    ("has-alternative", 'tags=["alternative:E3:lower_case"]', ""),
    ("stub-name", "by_branch = ...", "per_branch = ..."),
    ("figure-text", '    alt=f"按到期月份画的柱状图，最高的月份是 {ladder.idxmax()}。",\n', ""),
    ("figure-text", '    source=f"存款账户表，{bank.as_of:%Y-%m-%d}",\n', ""),
    ("figure-show", "table = ladder.", "plt.show()\ntable = ladder."),
    ("imports", "import course_utils as cu", "import course_utils as cu\nimport sklearn"),
    ("typed-number", "# 一笔定期只在到期日", "# 到期 1,234 万元。一笔定期只在到期日"),
    ("typed-number", "已结清的账户也算进去。", "已结清的账户也算进去，多了 12%。"),
    ("outline-missing", ' outline=["S004-D2.1"]', ""),
    ("outline-unknown", 'outline=["S004-D2.1"]', 'outline=["S004-D2.1", "S004-D9"]'),
    ("no-latex", "# 金额高的月份", "# $x^2$ 金额高的月份"),
]


@pytest.mark.parametrize(
    ("rule", "old", "new"), FAULTS, ids=[f"{f[0]}-{i}" for i, f in enumerate(FAULTS)]
)
def test_each_rule_catches_a_planted_fault(rule, old, new):
    assert old in TEXT
    assert rule in rules(TEXT.replace(old, new))


def test_a_lesson_of_code_alone_is_out_of_balance():
    extra = "".join(f"# %%\nx = {number}\n\n" for number in range(30))
    found = rules(TEXT.replace("# %% [markdown]\n# ## 讨论", extra + "# %% [markdown]\n# ## 讨论"))
    assert {"prose-ratio", "cell-count"} <= found


def test_ids_that_the_syllabus_asks_for_must_be_taught():
    assert "outline-missing" in rules(TEXT, replace(SAMPLE_LESSON, home=("S004-D3",)))


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("增长了 3.5%，共 12 家。", ["3.5%", "12 家"]),
        ("其中 1,234 万元来自对公。", ["1,234 万元"]),
        ("前 10 户占一半", ["10"]),
        ("2000 元起存，2000 年开业", ["2000"]),
        ("利率 3.25，去年 2.9", ["3.25", "2.9"]),
        ("门槛 5 万元 [定义]\n最多 7 天", []),
        ("门槛 5 万元 [定义]\n\n最多 7 天", ["7"]),
        ("偏离度 4% [来源：银保监办发〔2018〕48 号]", []),
        ("| 档 | 下限 |\n|---|---|\n| 一 | 1 万元 |\n\n", ["1 万元"]),
        ("| 档 | 下限 [参数] |\n|---|---|\n| 一 | 1 万元 |\n", []),
        ("## 三步法 2.0", []),
        ("1. 先看\n2. 再算\n   3. 后做", []),
        ("用 `head(10)` 看前几行", []),
        ("```\nx = 10\n```", []),
        ("2025 年 12 月 31 日、2025-12-31、2023—2025 年、1 月、1-3 月", []),
        ("约 15 分钟，第 3 步，E1、CK3、C1-C3、L2、3Y、T−15…T−7、JR/T 0171—2020", []),
        ("见 m02_n02 和 S004-D2.1", []),
        ("Abstract: Uses 24 months of data.", []),
    ],
)
def test_numbers_in_prose(text, numbers):
    found = [number for _, number, _ in result_numbers(text)]
    assert [n.split(" ")[0] for n in found] == [n.split(" ")[0] for n in numbers]


@pytest.mark.parametrize("lesson", SYLLABUS.lessons, ids=lambda lesson: lesson.key)
def test_every_lesson_of_the_course_keeps_every_rule(lesson):
    master = read_master(lesson.path(REPOSITORY / "lessons", ".py"))
    assert [str(finding) for finding in lint_master(master, lesson)] == []
