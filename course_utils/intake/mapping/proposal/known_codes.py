"""Code lists that banks share: what a value of theirs means in the contract's words.

Only lists that mean the same everywhere are sure. A number that every bank gives a meaning of its
own (担保方式 1 is 信用 here and 抵押 there) is left to a person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from course_utils.contract.model import Column

#: Column → value → contract's code; values are compared in small letters.
_LISTS: Mapping[str, Mapping[str, str]] = {
    "five_class": {
        **dict(
            zip(("1", "2", "3", "4", "5"), ("正常", "关注", "次级", "可疑", "损失"), strict=True)
        ),
        **dict(
            zip(
                ("01", "02", "03", "04", "05"),
                ("正常", "关注", "次级", "可疑", "损失"),
                strict=True,
            )
        ),
        **dict(
            zip(
                ("10", "20", "30", "40", "50"),
                ("正常", "关注", "次级", "可疑", "损失"),
                strict=True,
            )
        ),
    },
    "direction": {
        "贷": "收入",
        "借": "支出",
        "c": "收入",
        "d": "支出",
        "cr": "收入",
        "dr": "支出",
        "credit": "收入",
        "debit": "支出",
        "收": "收入",
        "付": "支出",
        "支": "支出",
        "入": "收入",
        "出": "支出",
        "转入": "收入",
        "转出": "支出",
        "in": "收入",
        "out": "支出",
        "income": "收入",
        "expense": "支出",
    },
    "gender": {"m": "男", "f": "女", "male": "男", "female": "女", "1": "男", "2": "女"},
    "customer_type": {
        "对私": "个人",
        "对公": "企业",
        "私人": "个人",
        "单位": "企业",
        "公司": "企业",
        "个体": "个体工商户",
        "p": "个人",
        "c": "企业",
        "person": "个人",
        "company": "企业",
        "individual": "个人",
        "corporate": "企业",
    },
    "marital": {
        "10": "未婚",
        "20": "已婚",
        "21": "已婚",
        "22": "已婚",
        "23": "已婚",
        "30": "丧偶",
        "40": "离异",
        "离婚": "离异",
        "初婚": "已婚",
        "再婚": "已婚",
        "single": "未婚",
        "married": "已婚",
        "divorced": "离异",
        "widowed": "丧偶",
    },
    "education": {
        "研究生": "本科及以上",
        "硕士": "本科及以上",
        "博士": "本科及以上",
        "大学本科": "本科及以上",
        "本科": "本科及以上",
        "专科": "大专",
        "大学专科": "大专",
        "高中": "高中中专",
        "中专": "高中中专",
        "初中": "初中及以下",
        "小学": "初中及以下",
    },
    "repay_method": {
        "到期一次还本付息": "一次还本付息",
        "利随本清": "一次还本付息",
        "按月结息到期还本": "按月付息到期还本",
        "按月付息": "按月付息到期还本",
        "先息后本": "按月付息到期还本",
        "等额还款": "等额本息",
    },
    "guarantee": {"免担保": "信用", "无担保": "信用", "保证人": "保证"},
    "flag": {
        "有": "是",
        "无": "否",
        "已": "是",
        "未": "否",
        "开通": "是",
        "未开通": "否",
        "已开通": "是",
        "√": "是",
        "×": "否",
        "在职": "是",
        "在岗": "是",
        "离职": "否",
        "离岗": "否",
        "已签约": "是",
        "未签约": "否",
    },
}
#: Values of a flag that the intake understands by itself.
PLAIN_FLAGS = frozenset(("是", "否", "y", "n", "yes", "no", "true", "false", "t", "f", "1", "0"))


@dataclass(frozen=True)
class Translation:
    """A proposal for ``codes:``.

    Parameters
    ----------
    codes : mapping of str to str
        Value of the source → code of the contract, where the meaning is known.
    unknown : tuple of str
        Values whose meaning somebody has to say.
    """

    codes: Mapping[str, str]
    unknown: tuple[str, ...] = ()


def translate(column: Column, values: Sequence[str]) -> Translation:
    """Propose what the values of a source column mean in a code or flag column."""
    if column.type == "flag":
        return _translate(values, ("是", "否"), _LISTS["flag"], PLAIN_FLAGS)
    if column.type != "code":
        return Translation({})
    return _translate(values, column.codes, _LISTS.get(column.name, {}), frozenset())


def _translate(
    values: Sequence[str],
    codes: Sequence[str],
    known: Mapping[str, str],
    plain: frozenset[str],
) -> Translation:
    found: dict[str, str] = {}
    unknown: list[str] = []
    for value in values:
        small = value.lower()
        if value in codes or small in plain:
            continue
        meaning = known.get(small)
        if meaning is None or meaning not in codes:
            meaning = _by_words(value, codes)
        if meaning is None:
            unknown.append(value)
        else:
            found[value] = meaning
    return Translation(found, tuple(unknown))


def _by_words(value: str, codes: Sequence[str]) -> str | None:
    """Return the only code whose words stand in the value (信用贷款 → 信用), or that it begins."""
    inside = [code for code in codes if len(code) >= 2 and code in value]
    longest = [c for c in inside if not any(c != other and c in other for other in inside)]
    if len(longest) == 1:
        return longest[0]
    if len(value) < 2 or value.isascii():
        return None
    around = [code for code in codes if value in code]
    return around[0] if len(around) == 1 else None
