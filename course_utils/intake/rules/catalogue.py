"""Every rule by its code: Chinese name, level, what is wrong, how to mend it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from course_utils.intake.faults import NOTE, REFUSE, STOP, WARN
from course_utils.intake.rules.relations import SENTENCES

#: What a rule does to a cell that breaks it.
UNREADABLE, VALUE, REMARK, ROW, WHOLE = "unreadable", "value", "remark", "row", "whole"


@dataclass(frozen=True)
class Rule:
    """One rule.

    Parameters
    ----------
    code : str
        Name in the profile, in the list of faults and in the JSON report.
    zh : str
        Chinese name.
    level : str
        Level where the contract demands a value; where it does not, a cell that is `UNREADABLE` or
        breaks a rule of `VALUE` is blanked and reported as a warning.
    problem, mend : str
        What is wrong; what the clerk does about it. ``{limit}`` stands for the limit of the rule
        or the list of allowed values, ``{unit}`` for the unit.
    kind : str
        ``unreadable`` (no value could be made of the cell), ``value`` (the value breaks a rule),
        ``remark`` (the value stays), ``row`` (the row as a whole), ``whole`` (a file or column).
    relax : bool
        A bank may lower the level.
    """

    code: str
    zh: str
    level: str
    problem: str
    mend: str
    kind: str = REMARK
    relax: bool = False


_NO_TEXT = "单元格里只留数字，没有值就留空"
_TABLE = (
    # cells that cannot be read
    Rule("null", "必填为空", REFUSE, "必填项为空", "补齐后重新导出", VALUE),
    Rule("number", "不是数字", REFUSE, "读不成数字", _NO_TEXT, UNREADABLE),
    Rule("number_scientific", "科学计数", REFUSE, "数字是科学计数形式，位数已不可靠",
         "从系统重新导出，不要用 Excel 打开后另存", UNREADABLE),
    Rule("number_size", "数字超长", REFUSE, "数字的位数超出能存的范围", "核对这一格是否串列",
         UNREADABLE),
    Rule("integer", "不是整数", REFUSE, "应当是整数", "核对单位，或改为整数", UNREADABLE),
    Rule("date", "日期无法识别", REFUSE, "不是存在的日期",
         "改成 2025-01-31 的形式，注意 2 月没有 30 日", UNREADABLE),
    Rule("date_year", "两位年份", REFUSE, "年份只有两位，分不清年月日", "年份写满四位",
         UNREADABLE),
    Rule("date_order", "日月顺序不明", REFUSE, "分不清哪个是日、哪个是月",
         "改成 2025-01-31 的形式",
         UNREADABLE),
    Rule("date_open", "必填日期为占位值", REFUSE, "必填日期写成了 9999-12-31、0000 之类的占位值",
         "填入真实日期", UNREADABLE),
    Rule("date_range", "日期超范围", REFUSE, "年份不在 1900 到 2100 之间", "核对日期", UNREADABLE),
    Rule("flag", "不是是否值", REFUSE, "认不出是“是”还是“否”",
         "改成 是/否，或在 mapping.yml 的 codes 里登记", UNREADABLE),
    Rule("code", "码值未登记", REFUSE, "不在允许值之中（{limit}）",
         "在 mapping.yml 的 codes 里登记这个码值，或更正源数据", UNREADABLE),
    Rule("id_lost", "账号被 Excel 截断", REFUSE,
         "编号变成了科学计数或浮点数，后几位已经丢失，无法恢复",
         "从系统按文本格式重新导出，不要用 Excel 打开后另存", UNREADABLE),
    # values that break a rule
    Rule("minimum", "小于下限", REFUSE, "小于下限 {limit}{unit}", "核对单位和正负号", VALUE, True),
    Rule("maximum", "大于上限", REFUSE, "大于上限 {limit}{unit}", "核对单位", VALUE, True),
    Rule("after_as_of", "晚于基准日", REFUSE, "晚于基准日 {limit}，这时还不该有这一行",
         "核对取数日期；确属基准日之后的数据不必改，系统已经剔除", VALUE, True),
    # the value stays
    Rule("hidden_after_as_of", "结果晚于基准日", NOTE,
         "晚于基准日 {limit}，课程里按“还没有发生”处理",
         "不必修改，核对取数日期即可", REMARK, True),
    Rule("currency_sign", "单元格里有货币符号", NOTE, "金额带有 ¥、元 之类的文字，已按元读取",
         "单元格只放数字，单位写在表头", REMARK, True),
    Rule("unit_in_cell", "单位写在单元格里", WARN, "单元格自带单位（万元、%、年等），已按它换算",
         "单元格只放数字，单位写在表头和 mapping.yml", REMARK, True),
    Rule("full_width", "全角字符", NOTE, "数字是全角字符，已转成半角", "不必修改", REMARK, True),
    Rule("rounded", "分以下四舍五入", NOTE, "小数多于两位，已四舍五入到分",
         "不必修改，核对口径即可", REMARK, True),
    Rule("date_serial", "Excel 日期序号", NOTE, "日期是 Excel 序号，已换算成日期",
         "导出时把这一列设为日期或文本格式", REMARK, True),
    Rule("time_zone", "世界时", WARN, "时间末尾是 Z 或其他时区；按原样读取，没有换算成北京时间",
         "导出时换成北京时间", REMARK, True),
    Rule("id_tail", "编号带小数尾巴", WARN, "编号末尾的 .0 已去掉", "按文本格式重新导出",
         REMARK, True),
    Rule("formula_text", "疑似公式", WARN, "文字以 = + @ 开头，像是公式；按文字保存，不会执行",
         "核对这一格的来历", REMARK, True),
    # a file or a column as a whole
    Rule("column_missing", "缺列", STOP, "文件里没有 mapping.yml 写的这一列",
         "补上这一列，或改正 mapping.yml", WHOLE),
    Rule("column_absent", "缺少可空的列", WARN, "这个文件里没有 mapping.yml 写的这一列，按空值处理",
         "补上这一列，或改正 mapping.yml", WHOLE, True),
    Rule("column_not_mapped", "未提供", NOTE, "银行没有提供这一列，用到它的课不能完整运行",
         "有这一列时补进 mapping.yml", WHOLE),
    Rule("key_not_mapped", "主键没有来源", STOP, "主键列在 mapping.yml 里没有来源",
         "写上来源列，实在没有的写 generate: row", WHOLE),
    Rule("column_elsewhere", "一个来源缺列", STOP,
         "这张表有几个来源，别的来源有这一列，有一个来源没有，会缺值",
         "在 mapping.yml 里给那个来源补上这一列，或写 value", WHOLE),
    Rule("scale", "单位可疑", WARN, "整列的大小像是单位弄错了（{limit}）",
         "核对是 % 还是小数，在 mapping.yml 用 unit 写明", WHOLE, True),
    Rule("date_order_guess", "日月顺序是推断的", WARN, "日月顺序由整列推断为{limit}",
         "核对；不对时请改成 2025-01-31 的形式后重新导出", WHOLE, True),
    Rule("id_length", "编号长短不一", WARN, "绝大多数编号是 {limit} 位，有一些更短，可能丢了前导零",
         "按文本格式重新导出，核对前导零", WHOLE, True),
    Rule("id_zeros", "编号尾数可疑", WARN, "大量 16 位以上的编号末几位全是零，像是被 Excel 改过",
         "从系统按文本格式重新导出", WHOLE, True),
    Rule("covered", "遮住了不该有的内容", WARN, "列里有{limit}，入库前已经遮住或换成假名",
         "核对 mapping.yml 是不是对错了列", WHOLE, True),
    Rule("covered_text", "文字里遮住的内容", NOTE, "文字里有{limit}，入库前已经遮住",
         "不必修改；今后录入时不要把号码写进备注", WHOLE, True),
    Rule("total_differs", "合计对不上", WARN, "读入各行之和减去文件里的合计，差 {limit}",
         "核对是否漏行、串列或合计本身有误", WHOLE, True),
    Rule("rejected_share", "拒收过多", STOP, "拒收的行占 {limit}，超过允许的比例",
         "按清单修改后重新导出；确需放宽时在 bank.yml 的 rules 里改 max_rejected_share", WHOLE),
    # rows that were not read
    Rule("ragged_short", "字段偏少", REFUSE, "这一行的字段比表头少，整行没有读入",
         "检查是否有断行，修正后重新导出", ROW),
    Rule("ragged_long", "字段偏多", REFUSE, "这一行的字段比表头多，整行没有读入",
         "检查是否有未加引号的分隔符，修正后重新导出", ROW),
    Rule("broken_quote", "引号不成对", REFUSE, "引号没有成对，整行没有读入", "补齐引号后重新导出",
         ROW),
    Rule("cell_error", "单元格是错误值", WARN, "单元格里是公式错误（#DIV/0! 之类），按空值处理",
         "修正公式后重新保存", REMARK, True),
    Rule("sheet_skipped", "没有读的工作表", NOTE, "工作簿里还有这张有数据的工作表，没有读",
         "需要时在 mapping.yml 里写 sheet（“*”表示全部）", WHOLE, True),
    Rule("not_read", "整行读不出", REFUSE, "整行没有读入", "打开文件核对这一行", ROW),
    # keys and references
    Rule("duplicate_row", "重复行", REFUSE, "与前面的一行完全相同，只保留第一行",
         "去重后重新导出", ROW),
    Rule("duplicate_key", "主键重复", REFUSE, "主键相同而内容不同，都没有收",
         "核对取数口径，去重后重新导出", ROW),
    Rule("reference", "关联不上", REFUSE, "在“{limit}”里找不到",
         "先补齐被引用的表，或核对编号位数和前导零", VALUE),
)  # fmt: skip

_RELATIONS = (
    Rule(code, zh, WARN, problem, mend, REMARK, relax=True)
    for code, (zh, problem, mend) in SENTENCES.items()
)
CATALOGUE: Mapping[str, Rule] = MappingProxyType({one.code: one for one in (*_TABLE, *_RELATIONS)})


def rule(code: str) -> Rule:
    """Return a rule; a code of the reader that is not listed is one of a row that was not read."""
    return CATALOGUE.get(code, CATALOGUE["not_read"])
