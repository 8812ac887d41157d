"""The files that ``course bank new`` writes: a profile, and a mapping to fill in by uncommenting.

Lines that begin with ``##`` are help; a line that begins with ``# `` becomes part of the mapping
when these two characters are deleted, and all of them together are a mapping that reads.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from pathlib import Path

from course_utils.bank.profile import check_code
from course_utils.contract import protect_words
from course_utils.contract.model import Column, Contract, Table
from course_utils.errors import CourseError
from course_utils.files import write_text
from course_utils.intake.mapping.model import is_deliverable
from course_utils.paths import data_dir

#: Days after which the data should be gone unless somebody says otherwise.
KEPT_DAYS = 90

_PROFILE = """\
# 银行档案（真实银行）。由 course bank new 生成，请逐行核对；以 # 开头的行是说明，不影响程序。

# 课件、报告上显示的名称
name: {name}
# 一句话说明是什么银行，如 西部农业县农商行
kind: {kind}
# 数据截止日：所有分析站在这一天，通常是月末
as_of: {as_of}
# 数据归口部门；联系人或分机号（不写手机号）
department: {department}
contact: {contact}
# 最迟删除日：到这一天以前运行 course purge {code}，删除全部数据
purge_on: {purge_on}

# 校验规则：只写与默认不同的，数据报告会列出改过哪些。
# 一张表被拒收的行超过这个比例就停下，默认 0.05（5 %）；其他规则的代号见 数据报告.html，
# 级别写 停止、拒收、警告、提示 之一。
# rules:
#   max_rejected_share: 0.05

# 脱敏设置：默认按隐私等级处理，一般不用改。
# privacy: {{}}

# 课程参数：只写与默认不同的，common 对全部课生效，也可以写某一课（如 m02_n02）。
# parameters:
#   common: {{}}
"""

_GUIDE = """\
## 数据映射：贵行导出的哪个文件、哪一列，对应课程的哪张表、哪一列。由 course bank new 生成。
##
## 怎么填：
##   一、把导出文件放进 data/incoming/{code}/（不会进版本库），或运行时写 --from 文件夹。
##   二、以“##”开头的行是说明；以“# ”开头的行是可以启用的设置，
##       删去行首的“# ”（一个井号和一个空格）就生效，后面的缩进不要动。
##   三、有哪张表就启用哪张表：先启用表名、files、columns 三行，再启用有的那些列。
##       没有的表、没有的列不要启用。
##   四、每列冒号后面写贵行文件里的列名；现在填的是课程的中文名，请改成贵行的叫法。
##   五、可以先运行 course bank inspect 文件… --bank {code} --write，
##       能认出的表和列会写到本文件末尾，请人逐条确认。
##   六、填完运行 course intake {code}；course bank status {code} 会说明哪些课能上、还差哪一列。
##
## 一列的几种写法：
##   amount: 贷款金额
##       直接取这一列。
##   amount: {{from: 贷款金额, unit: 万元}}
##       金额的单位：元、千元、万元、百万元、亿元、分。不写就是元。
##   rate: {{from: 执行利率, unit: 小数}}
##       利率、比率的单位：百分数、小数、‰、BP。
##   five_class: {{from: 五级分类, codes: {{"01": 正常, "02": 关注}}}}
##       代码换算：左边是贵行代码，一律加引号；右边是课程的取值。
##   weight: {{value: 1}}
##       整列同一个值。
##   transaction_id: {{generate: row}}
##       没有编号时用行号代替。
##   amount: {{from: 金额, absolute: true}}
##   direction: {{from: 金额, signs: {{"+": 收入, "-": 支出}}}}
##       金额带正负号、没有方向一列时，这样写两行。
##   amount: {{from: [借方发生额, 贷方发生额]}}
##   direction: {{from: [借方发生额, 贷方发生额], which: [支出, 收入]}}
##       一出一入两列：取不是空也不是零的那一列；which 依次写两列各是什么。
##   month: {{file: '(20\\d{{4}})'}}
##       月份只写在文件名里；引号里是正则表达式，取括号里的部分。
##   date: {{from: date, order: ymd}}
##       日期的先后，两位年份（930105）也要写：ymd 年月日、dmy 日月年、mdy 月日年。
##   kind: {{from: 摘要, codes: {{"工资": 代发工资, "*": 转账}}}}
##       "*" 是其余各种；数据报告会列出各换算了多少。
##
## 一张表的几种设置（都可以不写，由系统判断）：
##   files: ["贷款*.csv", "支行/*.xlsx"]
##       一张表可以有多个文件；只写导出文件夹以内的路径，用 / 分隔。
##   encoding: gb18030
##   delimiter: "|@|"
##   sheet: 明细
##       "*" 表示全部工作表。
##   header: 3
##       表头在第 3 行；两行表头写 [3, 4]。
##   drop: ["^小计"]
##       这样开头的行不是数据。
##   unit: 万元
##       全表金额列的单位，个别列可以另写。
##   decimal: ","
##       小数点写成逗号（1.234,56）的文件。
##   skip: {{状态: [作废, 冲正]}}
##       这样的行不取；only: {{类型: [代发]}} 只取这样的行。不取的行另外计数，不算拒收。
##   一张表来自几种格式不同的导出（如个人贷款、对公贷款），表名下面写成几段，每段以“- ”开头：
##     loan:
##       - files: ["个人借据*.csv"]
##         columns: {{loan_id: 借据号}}
##       - files: ["对公借据*.csv"]
##         columns: {{loan_id: 借据编号}}
##   database: {{url_env: BANK_DB_URL, query: "select …"}}
##       代替 files，直接从数据库取；连接地址放在环境变量里，不写进文件。

contract: {version}
# folder: {folder}

tables:
"""


def new_bank(
    code: str,
    contract: Contract,
    lessons: Mapping[str, str],
    name: str | None = None,
    kind: str | None = None,
    as_of: datetime.date | None = None,
) -> tuple[Path, Path]:
    """Write profile and mapping of a new real bank.

    Parameters
    ----------
    code : str
        Code of the bank; becomes a folder.
    contract : Contract
        What the mapping is written for.
    lessons : mapping of str to str
        Short name of a lesson → its title.
    name, kind : str, optional
        For the profile; a request to fill them in if left out.
    as_of : datetime.date, optional
        The end of last month if left out.

    Returns
    -------
    tuple of pathlib.Path
        Profile and mapping.

    Raises
    ------
    CourseError
        If the code may not name a folder or one of the files is there: nothing is overwritten.
    """
    folder = data_dir("banks") / check_code(code)
    profile, mapping = folder / "bank.yml", folder / "mapping.yml"
    for path in (profile, mapping):
        if path.exists():
            raise CourseError(
                f"“{code}”已经有 data/banks/{code}/{path.name}，没有改动它；"
                "要重新开始，请先自己把文件改名，或换一个代号。"
            )
    day = as_of or datetime.date.today().replace(day=1) - datetime.timedelta(days=1)
    text = _PROFILE.format(
        code=code,
        name=yaml_quoted(name or f"{code} 银行（请改成行名）"),
        kind=yaml_quoted(kind or "请写明类型"),
        as_of=day.isoformat(),
        department=yaml_quoted("请填写"),
        contact=yaml_quoted("请填写"),
        purge_on=(datetime.date.today() + datetime.timedelta(days=KEPT_DAYS)).isoformat(),
    )
    write_text(mapping, mapping_template(code, contract, lessons))
    try:
        write_text(profile, text)
    except BaseException:
        mapping.unlink()  # half a bank would keep the next try from starting
        raise
    return profile, mapping


def mapping_template(code: str, contract: Contract, lessons: Mapping[str, str]) -> str:
    """Return the text of a mapping in which every table and column waits to be uncommented."""
    guide = _GUIDE.format(
        code=code, version=yaml_quoted(contract.version), folder=f"data/incoming/{code}"
    )
    lines = [guide]
    area = ""
    for table in contract.tables.values():
        if not is_deliverable(table):
            continue
        if table.area != area:
            area = table.area
            title = contract.areas.get(area, area)
            lines += ["", f"## {'=' * 24} {title} {'=' * 24}"]
        lines += ["", *_table_lines(table, lessons)]
    return "\n".join(lines).rstrip() + "\n"


def fragment_lines(table: str, files: str) -> list[str]:
    """Return the first lines of a table in the mapping."""
    return [f"  {table}:", f"    files: [{yaml_quoted(files)}]", "    columns:"]


def _table_lines(table: Table, lessons: Mapping[str, str]) -> list[str]:
    need = "可选：没有这张表的银行也能上其他课" if table.optional else "课程的基本表"
    key = "、".join(f"{name}（{table.columns[name].zh}）" for name in table.grain)
    lines = [
        f"## ---- {table.name} {table.zh}：{table.meaning} ----",
        f"## {need}；归口：{table.owner}；主键：{key}",
    ]
    reading = [f"{short}《{lessons.get(short, short)}》" for short in table.lessons]
    for start in range(0, len(reading), 4):
        head = "## 用到它的课：" if start == 0 else "##     "
        lines.append(head + "、".join(reading[start : start + 4]))
    lines += [f"# {line}" for line in fragment_lines(table.name, f"{table.name}*.*")]
    usable = [c for c in table.columns.values() if c.protect != "refuse"]
    width = max(len(c.name) + 2 * len(c.zh) for c in usable) + 2
    for column in usable:
        pair = f"{column.name}: {yaml_name(column.zh)}"
        space = " " * (width - len(column.name) - 2 * len(column.zh))
        lines.append(f"#       {pair}{space}# {_says(table, column)}")
    return lines


def _says(table: Table, column: Column) -> str:
    """Say what a column is: type, unit, values, need, what is done to it."""
    kinds = {
        "id": "编号",
        "text": "文本",
        "code": "代码",
        "flag": "是/否",
        "integer": "整数",
        "number": "数值",
        "money": "金额",
        "percent": "百分数",
        "ratio": "0 到 1 的小数",
        "date": "日期",
        "month": "月份",
        "timestamp": "时间",
    }
    parts = [kinds[column.type] + (f"（{column.unit}）" if column.unit else "")]
    if column.name in table.grain:
        parts.append("主键，必须有")
    elif column.optional:
        parts.append("可以没有这一列")
    elif column.nullable:
        parts.append("个别可空")
    else:
        parts.append("不能空")
    parts.append(column.meaning)
    if column.codes:
        parts.append("取值 " + "、".join(column.codes))
    parts.append("" if column.protect == "keep" else f"入库时{protect_words(column)}")
    return "；".join(part for part in parts if part)


def yaml_quoted(text: str) -> str:
    """Return a text as a YAML scalar in double quotes."""
    return json.dumps(text, ensure_ascii=False)


def yaml_name(text: str) -> str:
    """Return a name bare where YAML reads it as the same text."""
    bare = text and text[0].isalpha() and all(mark.isalnum() or mark == "_" for mark in text)
    return text if bare and text.lower() not in ("null", "true", "false") else yaml_quoted(text)
