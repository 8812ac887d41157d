"""隐私报告: what was done to every column, how hard people are to find, what people must decide."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_utils.bank import parquet
from course_utils.bank.parquet import rows_of
from course_utils.build.products import simple_page
from course_utils.contract import load_contract
from course_utils.errors import CourseError
from course_utils.files import write_text
from course_utils.intake.privacy.duties import overdue
from course_utils.intake.privacy.release.attack import GOAL, ITEMS, attack_transactions
from course_utils.intake.privacy.release.classroom import last_release
from course_utils.intake.privacy.release.crowd import K_CLASS
from course_utils.intake.privacy.release.outside import K_OUTSIDE
from course_utils.paths import intake_dir, warehouse_dir

if TYPE_CHECKING:
    from course_utils.bank.profile import Profile
    from course_utils.contract import Column

PAGE, DATA = "隐私报告.html", "隐私报告.json"
_DONE = {
    "keep": "原样保留；像证件号、手机号、卡号的值一律遮蔽",
    "name": "只留姓或名称首尾字",
    "year": "只留年份",
    "month_number": "只留月份",
    "address": "只到乡镇",
    "free_text": "号码、证件、密码和带称呼的姓名一律遮蔽",
    "counterparty": "公共机构保留，个人和商户换成假名",
    "organisation": "字号换成假名，保留业态词",
    "refuse": "拒收",
}
#: Headings of a personal-information impact assessment (PIPL, articles 55 and 56) and what people
#: must write under each; what the machine knows is filled in.
_ASSESSMENT = (
    (
        "处理目的、处理方式是否合法、正当、必要",
        "目的：行内员工数据分析培训。由归口部门写明并签字。",
    ),
    ("处理的合法性基础（个人信息保护法第十三条、第二十九条）", ""),
    ("处理的个人信息种类和数量", "{kinds}"),
    ("最小必要：每一列为什么需要", "见上表；课程只读数据契约列出的列，其余列在导入时就没有读取。"),
    ("对个人权益的影响及安全风险", "{risk}"),
    ("所采取的保护措施是否合法、有效并与风险程度相适应", "{measures}"),
    ("受托人（外部讲师、云服务等）、委托协议、监督方式", ""),
    ("是否向其他处理者提供、是否出境", "课堂版只在行内使用；出行只有合成数据或不少于十户的汇总。"),
    ("保存期限和销毁方式", "{retention}"),
    (
        "安全措施：存放位置、权限、加密、日志、应急预案",
        "密钥在课程文件夹以外，权限 600；其余请填写。",
    ),
    ("评估结论和审批签字（归口部门、合规、信息安全、日期）", ""),
)
_SECTION_EMPTY = "　　　　　　　　　　"


def write_privacy_report(profile: Profile) -> Path:
    """Write the report of a bank, as a page and as JSON.

    Parameters
    ----------
    profile : Profile
        The bank.

    Returns
    -------
    pathlib.Path
        The page.

    Raises
    ------
    CourseError
        If the bank has no tables yet.
    """
    folder = warehouse_dir(profile.code)
    if not any(folder.glob("*.parquet")):
        raise CourseError(f"“{profile.name}”还没有数据，请先运行 course intake {profile.code}。")
    facts = _facts(profile, folder)
    target = intake_dir(profile.code)
    write_text(target / DATA, json.dumps(facts, ensure_ascii=False, indent=1))
    write_text(target / PAGE, _page(facts))
    return target / PAGE


def _facts(profile: Profile, folder: Path) -> dict[str, Any]:
    fields = list(_fields(folder))
    raw = _risk(folder)
    return {
        "bank": profile.code,
        "name": profile.name,
        "made": str(datetime.date.today()),
        "as_of": str(profile.as_of.date()),
        "department": profile.department,
        "contact": profile.contact,
        "purge_on": str(profile.purge_on) if profile.purge_on else "",
        "overdue": overdue(profile),
        "fields": fields,
        "pseudonym": "HMAC-SHA256，按用途分域，80 位；"
        "同一人在各表、各次导入中假名相同，没有密钥不能还原",
        "key": "在课程文件夹以外，不写入任何结果；丢失后重新导入会得到全新的、对不上的假名",
        "instructor": raw,
        "class_release": last_release(profile.code),
        "goal": GOAL,
        "items": ITEMS,
        "k_class": K_CLASS,
        "k_outside": K_OUTSIDE,
        "assessment": _assessment(profile, folder, fields),
    }


def _fields(folder: Path) -> Iterable[dict[str, str]]:
    contract = load_contract()
    for name in parquet.tables(folder):
        if name not in contract.tables:
            continue
        table = contract.tables[name]
        stored = parquet.stored_columns(folder, name)
        for column in table.columns.values():
            if column.name in stored:
                yield {
                    "table": table.zh,
                    "column": column.zh,
                    "name": f"{name}.{column.name}",
                    "privacy": column.privacy + ("，敏感" if column.sensitive else ""),
                    "done": what_was_done(column),
                    "indirect": "是" if column.quasi_identifier else "",
                }


def what_was_done(column: Column) -> str:
    """Return in Chinese what intake does to the values of a column."""
    rule, _, what = column.protect.partition(":")
    if rule == "pseudonym":
        return f"换成带密钥的假名（{what}）"
    if rule == "round":
        return f"按 {what} 取整"
    return _DONE[rule]


def _risk(folder: Path) -> dict[str, Any]:
    """Return how easily people are found in the tables that the instructor alone has."""
    import duckdb

    risk: dict[str, Any] = {}
    with duckdb.connect(config={"threads": 1}) as connection:
        if (folder / "customer.parquet").is_file():
            risk |= _indirect(connection, folder)
        if (folder / "transaction.parquet").is_file():
            needed = {"customer_id", "date", "amount", "kind", "direction"}
            if needed <= set(parquet.stored_columns(folder, "transaction")):
                source = _rows(folder, "transaction")
                if (found := attack_transactions(connection, source)) is not None:
                    risk["transactions_singled_out"] = found.singled_out
    return risk


def _indirect(connection: Any, folder: Path) -> dict[str, Any]:
    stored = parquet.stored_columns(folder, "customer")
    columns = load_contract().table("customer").columns.values()
    names = [c.name for c in columns if c.quasi_identifier and c.name in stored]
    if not names:
        return {}
    keys = ", ".join(f'"{name}"' for name in names)
    least, few, all_of_them = connection.execute(
        f"SELECT min(n), coalesce(sum(n) FILTER (n < {K_CLASS}), 0), sum(n) FROM "
        f"(SELECT count(*) AS n FROM {_rows(folder, 'customer')} GROUP BY {keys})"
    ).fetchone()
    return {
        "k": int(least or 0),
        "share_in_small_groups": float(few) / max(float(all_of_them or 0), 1),
        "columns": names,
    }


def _assessment(
    profile: Profile, folder: Path, fields: Sequence[dict[str, str]]
) -> list[dict[str, str]]:
    sensitive = sum("敏感" in one["privacy"] for one in fields)
    known = {
        "kinds": f"{len({one['table'] for one in fields})} 张表、{len(fields)} 列，"
        f"其中敏感个人信息 {sensitive} 列；没有 C3 用户鉴别信息（拒收）。",
        "risk": f"知道一名客户 {ITEMS} 笔交易的人几乎总能在交易流水里认出他，"
        "所以逐笔数据只供讲师本人；课堂版的试验结果见上文。",
        "measures": "导入时去标识化（仍属个人信息，不是匿名化）；课堂版 k 匿名、扰动、一次性密钥；"
        "产品逐个扫描；真实数据不能打学员包。",
        "retention": f"到 {profile.purge_on} 为止，用 course purge {profile.code} 销毁。"
        if profile.purge_on
        else "",
    }
    return [
        {"heading": heading, "known": text.format(**known) if text else ""}
        for heading, text in _ASSESSMENT
    ]


def _rows(folder: Path, table: str) -> str:
    return rows_of(folder / f"{table}.parquet")


def _page(facts: dict[str, Any]) -> str:
    title = f"{facts['name']}：隐私报告"
    parts = [f"<h1>{escape(title)}</h1>", _opening(facts), "<h2>三档用法</h2>", _tiers(facts)]
    parts += ["<h2>认人试验和 k 匿名</h2>", _risk_table(facts)]
    parts += ["<h2>逐列做了什么</h2>", _field_table(facts["fields"])]
    parts += ["<h2>假名和密钥</h2>", f"<p>{facts['pseudonym']}。密钥{facts['key']}。</p>"]
    parts += ["<h2>个人信息保护影响评估提纲</h2>", _assessment_table(facts["assessment"])]
    return simple_page.page(title, "仅供本行授权人员查看", "\n".join(parts))


def _opening(facts: dict[str, Any]) -> str:
    purge = facts["purge_on"] or "未定，请在银行档案里写 purge_on"
    warning = f"<p><strong>{escape(facts['overdue'])}</strong></p>" if facts["overdue"] else ""
    return (
        f"<p>生成于 {facts['made']}，数据截至 {facts['as_of']}。"
        f"归口部门：{escape(facts['department'] or '（未填）')}；"
        f"联系人：{escape(facts['contact'] or '（未填）')}；"
        f"销毁日期：{escape(purge)}。</p>{warning}"
    )


def _tiers(facts: dict[str, Any]) -> str:
    made = facts["class_release"]
    return _html_table(
        ("用在哪里", "给什么", "现状"),
        (
            ("讲师本人", "去标识化后的全部表", "在 data/warehouse 下，不得复制给学员"),
            (
                "行内课堂",
                "客户月度、粗化的客户表、公共参照和网点汇总",
                f"已生成 {made['code']}"
                if made
                else f"还没有：course release {facts['bank']} --tier class",
            ),
            (
                "行外",
                f"合成数据，或不少于 {facts['k_outside']} 户的汇总",
                f"course release {facts['bank']} --tier outside",
            ),
        ),
    )


def _risk_table(facts: dict[str, Any]) -> str:
    own, made = facts["instructor"], facts["class_release"]
    rows: list[tuple[str, str]] = []
    if "transactions_singled_out" in own:
        share = own["transactions_singled_out"]
        rows.append((f"交易流水：知道 {ITEMS} 笔的人能认出的客户", f"{share:.1%}"))
    if "k" in own:
        rows.append(("讲师用表：准标识列相同的客户，最小一组", f"{own['k']:,} 名"))
        share = own["share_in_small_groups"]
        rows.append((f"讲师用表：所在组不足 {K_CLASS} 名的客户", f"{share:.1%}"))
    if made:
        group = made["crowd"]
        rows += [
            ("月度数只缩放、取整：能认出的客户", f"{made['rounded']['singled_out']:.1%}"),
            (
                f"课堂版（目标 {GOAL:.0%} 以内）：能认出的客户",
                f"{made['released']['singled_out']:.1%}",
            ),
            ("课堂版：只猜最像的一名，猜中", f"{made['released']['guessed']:.1%}"),
            (
                "课堂版：每格扰动",
                f"±{made['width']:.0%}，客户缩放 ±{made['scale']:.0%}",
            ),
            ("课堂版：最小一组（k）", f"{group['k']} 名，共 {group['groups']:,} 组"),
            ("课堂版：太特殊而没有收进来的客户", f"{group['share_left_out']:.1%}"),
            ("课堂版：有借款人的组里不同五级分类（含无贷款）最少", _diversity(group)),
            ("代价：总额误差", f"{made['cost']['total']:.1%}"),
            ("代价：客户波动系数误差中位数", f"{made['cost']['variation']:.0%}"),
            ("代价：“下滑客户”判断一致", f"{made['cost']['falling']:.0%}"),
            ("代价：资产分层一致", f"{made['cost']['tiers']:.0%}"),
        ]
    note = (
        f"<p>试验假定有人确切知道一名客户 {ITEMS} 格（月份、种类、金额）并知道做法、不知道密钥："
        "唯一说得通，或明显比第二名更像，又确实是他，才算认出。"
        "知道得更多的人（例如一年里哪些月份有工资）能认出更多，所以课堂版也只在行内用。</p>"
    )
    return _html_table(("项目", "结果"), rows) + note


def _diversity(group: dict[str, Any]) -> str:
    return f"{group['diversity']} 种" if group["diversity"] is not None else "没有借据表，未测"


def _field_table(fields: Iterable[dict[str, str]]) -> str:
    names = ("table", "column", "name", "privacy", "done", "indirect")
    heads = ("表", "列", "英文名", "级别", "导入时做了什么", "准标识")
    return _html_table(heads, ([one[name] for name in names] for one in fields))


def _assessment_table(rows: Iterable[dict[str, str]]) -> str:
    return _html_table(
        ("项目", "程序能填的", "由人填写"),
        ((one["heading"], one["known"], _SECTION_EMPTY) for one in rows),
    )


def _html_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(one)}</th>" for one in heads)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(str(one))}</td>" for one in row) + "</tr>\n" for row in rows
    )
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>\n"
