"""The example adapters in ``docs/adapters``: their mappings come from the same shapes as the files.

``python -m tests.messy_bank.adapters`` writes them anew after a change of the contract.
"""

from __future__ import annotations

from pathlib import Path

from course_utils.contract import load_contract

from .sample import LEFT_OUT
from .systems.mapping_text import mapping_text
from .systems.shapes import SHAPES

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "adapters"
#: Columns that the synthetic coastal bank does not have.
ABSENT = frozenset(
    {
        ("calendar", "school_holiday"),
        ("contact_log", "next_action_date"),
        ("payroll", "special_deduction"),
    }
)
_OPENINGS = {
    "east5": """\
# 数据映射示例：EAST 5.0 样式的文本接口文件。
# 列名是中文名称的拼音首字母，分隔符 |@|，GB18030 与带 BOM 的 UTF-8 混用（系统自动判断），
# 日期 20240131，99991231 表示未到期，代码是数字，一张表按月分成多个文件。
# 表号、列名、代码请逐项换成贵行的；没有的表和列整段删去。
""",
    "core_dump": """\
# 数据映射示例：核心系统下传的 CSV。
# GB18030 编码，英文缩写列名，行尾多一个逗号，每页重复表头，小计、合计、制表人夹在数据里，
# 账号前有制表符或撇号，空值写成 \\N，金额带千分位，借贷标志 D、C。这些都不用设置，系统会识别。
# 列名、代码请逐项换成贵行的；没有的表和列整段删去。
""",
    "branch_excel": """\
# 数据映射示例：支行填报的 Excel 加总行补充的长表。
# 工作簿上方有标题和单位行，存款、贷款两张表的表头是两行，夹有小计、合计、制表人和空行，
# 金额是万元（表头和 unit 各写一次），利率带百分号，负数用括号，日期写法不一。
# 列名、工作表名请逐项换成贵行的；没有的表和列整段删去。
""",
}


def present() -> dict[str, list[str]]:
    """Return table → columns that a synthetic bank has, from the contract alone."""
    return {
        name: [c for c in table.columns if (name, c) not in ABSENT]
        for name, table in load_contract().tables.items()
        if name not in LEFT_OUT
    }


def adapter_mapping(adapter: str) -> str:
    """Return the text of an adapter's ``mapping.yml``."""
    return mapping_text(SHAPES[adapter], present(), _OPENINGS[adapter])


if __name__ == "__main__":
    for one in SHAPES:
        (FOLDER / one / "mapping.yml").write_text(adapter_mapping(one), encoding="utf-8")
