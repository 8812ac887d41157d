"""House rules for lesson masters that a machine can check; CONTRIBUTING.md says why."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from course_utils.build.sources.editions import trainee_cells
from course_utils.build.sources.masters import Answer, Cell, Master, split_answer
from course_utils.build.sources.prose import result_numbers
from course_utils.build.sources.syllabus import Lesson
from course_utils.errors import CourseError

MAX_CODE_LINES = 15
CELL_RANGE = (25, 45)
PROSE_RATIO = (0.5, 2.0)
QUESTIONS = ("E1", "E2", "E3", "E4")
SECTIONS = ("业务情境", "数据", "演示", "练习", "成果", "讨论", "小结", "揭示真值")
COMMON_PARAMETERS = ("BANK", "AS_OF", "BRANCH")

#: Names in cu.charts that draw nothing by themselves.
_NO_PICTURE = {"finish", "theme", "settings", "colors_for", "wrap", "wan", "yi", "percent"}
_NO_PICTURE |= {"basis_points", "number"}
_PLOTS = {"plot", "bar", "barh", "hist", "scatter", "boxplot", "pie", "imshow", "fill_between"}
_MAGIC = re.compile(r"^\s*[%!]", re.MULTILINE)


@dataclass(frozen=True)
class Finding:
    """One broken rule.

    Parameters
    ----------
    rule : str
        Short English name of the rule, for tests and for silencing in review.
    where : str
        File and line, in Chinese.
    message : str
        What is wrong and what to do, in Chinese.
    """

    rule: str
    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}{self.message}（{self.rule}）"


Rule = Callable[[Master, Lesson], Iterator[Finding]]
_RULES: list[Rule] = []


def _rule(function: Rule) -> Rule:
    _RULES.append(function)
    return function


def lint_master(master: Master, lesson: Lesson) -> list[Finding]:
    """Check one master against all rules.

    Parameters
    ----------
    master : Master
        The lesson's text.
    lesson : Lesson
        What the syllabus says about it.

    Returns
    -------
    list of Finding
        In the order of the rules; empty if the master keeps them all.
    """
    return [finding for rule in _RULES for finding in rule(master, lesson)]


def _headings(cell: Cell, level: int) -> list[str]:
    """Return the texts of the headings of one level in a Markdown cell, fenced code left out."""
    if cell.kind != "markdown":
        return []
    text = re.sub(r"^```.*?^```", "", cell.source, flags=re.DOTALL | re.MULTILINE)
    return re.findall(rf"^#{{{level}}} +(.+)$", text, flags=re.MULTILINE)


@_rule
def title_block(master: Master, lesson: Lesson) -> Iterator[Finding]:
    """One H1, in the first cell, with ids, level, minutes, three aims, English abstract."""
    titles = [(cell, text) for cell in master.cells for text in _headings(cell, 1)]
    first = master.cells[0] if master.cells else None
    if first is None or len(titles) != 1 or titles[0][0] is not first:
        yield Finding(
            "one-h1",
            f"{master.path.name}：",
            f"要恰好一个一级标题，写在第一格，现有 {len(titles)} 个。",
        )
        return
    where = master.where(first)
    minutes = re.search(r"用时：(\d+) 分钟", first.source)
    if not minutes or int(minutes.group(1)) != lesson.minutes:
        yield Finding("minutes", where, f"要写“用时：{lesson.minutes} 分钟”，与课程表一致。")
    if f"难度：{lesson.level}" not in first.source:
        yield Finding("level", where, f"要写“难度：{lesson.level}”，与课程表一致。")
    if "大纲：" not in first.source:
        yield Finding("outline-line", where, "要有一行“大纲：…”列出大纲编号。")
    aims = re.findall(r"^[-*] ", first.source, flags=re.MULTILINE)
    if "学完本课，你能：" not in first.source or len(aims) != 3:
        yield Finding("aims", where, "“学完本课，你能：”之后要恰好三条以“- ”开头的目标。")
    if not re.search(r"^Abstract: [A-Z].{20,}", first.source, flags=re.MULTILINE):
        yield Finding("abstract", where, "要有一行英文摘要，以“Abstract: ”开头。")


@_rule
def parameters_first(master: Master, lesson: Lesson) -> Iterator[Finding]:
    """The parameters cell is the first code cell, one commented assignment a line."""
    tagged = [cell for cell in master.cells if "parameters" in cell.tags]
    code = [cell for cell in master.cells if cell.kind == "code"]
    if len(tagged) != 1 or not code or code[0] is not tagged[0]:
        yield Finding(
            "parameters-first", f"{master.path.name}：", "要有一个参数格，并且是第一个代码格。"
        )
        return
    where = master.where(tagged[0])
    try:
        names = list(master.parameters)
    except CourseError as error:
        yield Finding("parameters-literal", "", str(error))
        return
    for name in COMMON_PARAMETERS:
        if name not in names:
            yield Finding("parameters-common", where, f"参数格里缺少 {name}。")
    for name in names:
        if not re.fullmatch(r"[A-Z][A-Z0-9_]*", name):
            yield Finding("parameters-name", where, f"参数名“{name}”要用大写英文和下划线。")
    for line in tagged[0].source.split("\n"):
        if line.strip() and not re.search(r"# .*[\u4e00-\u9fff]", line):
            yield Finding("parameters-comment", where, f"“{line.strip()}”后面要有一句中文说明。")


def _code_lines(source: str) -> int:
    return sum(
        1 for line in source.split("\n") if line.strip() and not line.strip().startswith("#")
    )


@_rule
def short_code(master: Master, lesson: Lesson) -> Iterator[Finding]:
    """No code cell, solved or blank, is longer than a dozen lines or so."""
    for cell in master.cells:
        if cell.kind != "code" or "parameters" in cell.tags:
            continue
        source = cell.source
        if cell.question("answer"):
            source = split_answer(source, master.where(cell)).solved_source
        count = _code_lines(source)
        if count > MAX_CODE_LINES:
            yield Finding(
                "code-length",
                master.where(cell),
                f"代码有 {count} 行，最多 {MAX_CODE_LINES} 行：请拆成两格，或放进包里。",
            )
        if _MAGIC.search(source):
            yield Finding("no-magics", master.where(cell), "不要用 % 或 ! 开头的命令。")
        elif problem := _syntax_problem(source):
            yield Finding("syntax", master.where(cell), f"代码有语法错误：{problem}。")


def _syntax_problem(source: str) -> str:
    try:
        ast.parse(source)
    except SyntaxError as error:
        return f"第 {error.lineno} 行 {error.msg}"
    return ""


@_rule
def pace(master: Master, lesson: Lesson) -> Iterator[Finding]:
    """25-45 cells, about as much prose as code; check cells do not count."""
    cells = [cell for cell in trainee_cells(master) if not cell.question("check")]
    low, high = CELL_RANGE
    if not low <= len(cells) <= high:
        yield Finding(
            "cell-count",
            f"{master.path.name}：",
            f"学员版有 {len(cells)} 格（检查格不算），要在 {low} 到 {high} 之间。",
        )
    code = sum(cell.kind == "code" for cell in cells)
    ratio = (len(cells) - code) / max(code, 1)
    low_ratio, high_ratio = PROSE_RATIO
    if not low_ratio <= ratio <= high_ratio:
        yield Finding(
            "prose-ratio",
            f"{master.path.name}：",
            f"文字格是代码格的 {ratio:.2f} 倍，要在 {low_ratio} 到 {high_ratio} 之间。",
        )


@_rule
def sections(master: Master, lesson: Lesson) -> Iterator[Finding]:
    """All required sections, in order; the truth for instructors only."""
    found: list[str] = []
    for cell in master.cells:
        for text in _headings(cell, 2):
            name = next((name for name in SECTIONS if text.startswith(name)), None)
            if name is None:
                yield Finding(
                    "section-name", master.where(cell), f"二级标题“{text}”要以规定的节名开头。"
                )
            elif not found or found[-1] != name:
                found.append(name)
            if (name == "揭示真值") != cell.instructor_only:
                yield Finding(
                    "truth-hidden",
                    master.where(cell),
                    "“揭示真值”这一节（也只有这一节）要带 instructor 标签。",
                )
    if found != list(SECTIONS):
        yield Finding(
            "sections",
            f"{master.path.name}：",
            f"各节要依次是 {'、'.join(SECTIONS)}，现在是 {'、'.join(found) or '没有'}。",
        )
    context = [c.source for c in master.cells if any(t.startswith("业务") for t in _headings(c, 2))]
    if context and not re.search(r"\*\*不能\*\*|不能(说明|回答|告诉)", "".join(context)):
        yield Finding("honest", f"{master.path.name}：", "“业务情境”里要说清这些数据不能说明什么。")


@_rule
def exercises(master: Master, lesson: Lesson) -> Iterator[Finding]:
    """Four exercises, each with an answer, a check, a wrong and an alternative answer."""
    if master.questions != QUESTIONS:
        yield Finding(
            "four-exercises",
            f"{master.path.name}：",
            f"要依次有练习 {'、'.join(QUESTIONS)}，现在有 {'、'.join(master.questions)}。",
        )
    for question in master.questions:
        yield from _one_exercise(master, question)


def _one_exercise(master: Master, question: str) -> Iterator[Finding]:
    place = {
        role: [n for n, cell in enumerate(master.cells) if cell.question(role) == question]
        for role in ("answer", "check", "wrong", "alternative")
    }
    where = f"{master.path.name} {question}："
    if len(place["answer"]) != 1 or len(place["check"]) != 1:
        yield Finding("answer-check", where, "要恰好有一个答题格和一个检查格。")
        return
    if place["check"][0] < place["answer"][0]:
        yield Finding("check-after-answer", where, "检查格要在答题格之后。")
    check = master.cells[place["check"][0]]
    if check.source.strip() != f'cu.check("{question}")':
        yield Finding("check-source", where, f'检查格里只写 cu.check("{question}")。')
    for role, label in (("wrong", "错误答案"), ("alternative", "另一种正确写法")):
        if not place[role]:
            yield Finding(f"has-{role}", where, f"至少要有一个{label}（{role}:{question}:名字）。")
        if any(number < place["check"][0] for number in place[role]):
            yield Finding(f"{role}-after-check", where, f"{label}要放在检查格之后。")
    answer = split_answer(master.cells[place["answer"][0]].source, where)
    yield from _stub_assigns_what_solution_does(answer, where)


def _stub_assigns_what_solution_does(answer: Answer, where: str) -> Iterator[Finding]:
    names = {line.split("=")[0].strip() for line in answer.stub.split("\n")}
    try:
        bound = _bound_names(answer.solution)
    except SyntaxError:
        return
    if missing := sorted(names - bound):
        yield Finding("stub-name", where, f"占位里的 {missing[0]} 在解答里没有被赋值。")


def _bound_names(source: str) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.FunctionDef):
            names.add(node.name)
    return names


@_rule
def figures(master: Master, lesson: Lesson) -> Iterator[Finding]:
    """Every picture has a title that states the finding, an alternative text and a source."""
    for cell in master.cells:
        if cell.kind != "code" or any(cell.question(role) for role in ("wrong", "alternative")):
            continue
        try:
            calls = [n for n in ast.walk(ast.parse(cell.source)) if isinstance(n, ast.Call)]
        except SyntaxError:
            continue
        drawn = sum(_draws(call) for call in calls)
        finished = [
            {keyword.arg for keyword in call.keywords}
            for call in calls
            if ast.unparse(call.func) == "cu.charts.finish"
        ]
        complete = [words for words in finished if {"title", "alt", "source"} <= words]
        if (drawn and not finished) or len(complete) < len(finished):
            yield Finding(
                "figure-text",
                master.where(cell),
                "画图的格子要以 cu.charts.finish(fig, title=…, alt=…, source=…) 结束。",
            )
        if "plt.show" in cell.source:
            yield Finding("figure-show", master.where(cell), "不要写 plt.show()。")


def _draws(call: ast.Call) -> bool:
    """Say whether a call makes a picture: a chart family, or a plot method of pandas."""
    name = ast.unparse(call.func)
    if name.startswith("cu.charts."):
        return name.removeprefix("cu.charts.") not in _NO_PICTURE
    return name.startswith(("plt.", "sns.")) or (name.rsplit(".", 1)[-1] in _PLOTS and "." in name)


@_rule
def board_tags(master: Master, lesson: Lesson) -> Iterator[Finding]:
    """A cell for the board shows what its role promises; a section has one brief a lesson."""
    shows = {"brief": "cu.brief(", "picture": "cu.charts.", "table": "cu.show("}
    briefs = [section for cell in master.cells for section, role in cell.board if role == "brief"]
    for cell in master.cells:
        for section, role in cell.board:
            where = master.where(cell)
            if shows[role] not in cell.source:
                yield Finding(
                    "board-role",
                    where,
                    f"标签 board:{section}:{role} 的格子里要有 {shows[role]}…)。",
                )
            if role == "brief" and not cell.instructor_only:
                yield Finding("board-instructor", where, "给行长的一格要带 instructor 标签。")
            if briefs.count(section) != 1:
                yield Finding(
                    "board-brief", where, f"看板的“{section}”一栏在一课里要恰好有一格 brief。"
                )


@_rule
def one_import(master: Master, lesson: Lesson) -> Iterator[Finding]:
    """A notebook imports course_utils and, where a lesson is about them, pandas and NumPy."""
    allowed = {"course_utils", "pandas", "numpy"}
    for cell in master.cells:
        if cell.kind != "code":
            continue
        try:
            tree = ast.parse(cell.source)
        except SyntaxError:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                modules = [node.module or ""]
            else:
                continue
            for module in modules:
                if module.split(".")[0] not in allowed:
                    yield Finding(
                        "imports",
                        master.where(cell),
                        f"不要导入 {module}：学员的笔记本只用 course_utils、pandas、numpy。",
                    )


@_rule
def no_result_numbers(master: Master, lesson: Lesson) -> Iterator[Finding]:
    """No number that could be a result is typed into prose."""
    for cell in master.cells:
        if cell.kind != "markdown":
            continue
        for offset, number, text in result_numbers(cell.source):
            yield Finding(
                "typed-number",
                f"{master.path.name} 第 {cell.line + 1 + offset} 行：",
                f"文字里有数字“{number}”（{text[:24]}…）：结果用 cu.say 算出来写，"
                "定义或参数请标 [定义]、[参数]、[来源：…]。",
            )


@_rule
def offline_prose(master: Master, lesson: Lesson) -> Iterator[Finding]:
    """No TeX and no links to a network: pages must read the same without one."""
    for cell in master.cells:
        if cell.kind != "markdown":
            continue
        text = re.sub(r"```.*?```|`[^`]*`", "", cell.source, flags=re.DOTALL)
        if re.search(r"\$[^$\n]+\$|\\\(|\\begin\{", text):
            yield Finding(
                "no-latex", master.where(cell), "公式请用文字或反引号写，网页断网时不排 TeX。"
            )
        if re.search(r"https?://", text):
            yield Finding(
                "no-links", master.where(cell), "不要写外部网址，来源写“[来源：文件名，年份]”。"
            )


@_rule
def outline_taught(master: Master, lesson: Lesson) -> Iterator[Finding]:
    """Every outline id of the lesson has a section that teaches it, and no other id is claimed."""
    listed = set(lesson.home) | set(lesson.refers)
    where = f"{master.path.name}："
    if missing := [id_ for id_ in (*lesson.home, *lesson.refers) if id_ not in master.outline]:
        yield Finding("outline-missing", where, f"大纲 {'、'.join(missing)} 没有哪一节在讲。")
    if unknown := sorted(master.outline - listed):
        yield Finding("outline-unknown", where, f"大纲 {'、'.join(unknown)} 不属于这一课。")
