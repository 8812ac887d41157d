"""Masks of single values: names, firms, addresses, counterparties."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from course_utils.intake.privacy.free_text import SURNAMES

#: Public names that lessons look for: banks, lenders, pay companies, utilities, offices.
PUBLIC = re.compile(
    r"银行|信用社|信用联社|农商行|消费金融|小额贷款|小贷|融资租赁|融资担保|信托|典当|保理|支付|财付通|支付宝|"
    r"微信|银联|网联|花呗|借呗|白条|保险|证券|基金|期货|供电|电力|电网|供水|自来水|水务|燃气|天然气|"
    r"移动通信|中国移动|联通|电信|广电|社会保险|社保|医疗保障|医保|公积金|税务|财政|国库|人力资源|"
    r"烟草|石油|石化|邮政|铁路|高速公路|12306|美团|拼多多|淘宝|京东|抖音|快手"
)
#: Words that only names of organisations hold.
ORGANISATION = re.compile(
    r"公司|合作社|合伙|个体|经营部|商店|商行|商贸|超市|便利店|批发|门市|工厂|加工|厂$|店$|部$|社$|坊$|铺$|"
    r"馆$|院$|所$|局$|中心|医院|学校|小学|中学|大学|幼儿园|协会|委员会|村委|集团|物流|餐饮|饭店|酒店|"
    r"农场|家庭农场|养殖|种植|服务站|工作室|有限|股份|商户|政府|政务|机关"
)
#: Words of a firm's name that say its kind, not which one it is; they stay.
_KINDS = (
    "农民专业合作社|专业合作社|合作社联合社|合作社|有限责任公司|股份有限公司|有限公司|合伙企业|集团公司|"
    "分公司|公司|家庭农场|农场|经营部|门市部|批发部|便利店|超市|商店|商行|商贸|小吃店|餐馆|饭店|酒店|"
    "餐饮|理发店|药店|五金|建材|农资|粮油|水果|蔬菜|茶业|茶叶|水产|养殖|种植|加工厂|工厂|服务部|修理部|"
    "汽修|物流|运输|电器|服装|服饰|母婴|百货|烟酒|科技|贸易|工程|建筑|装饰|机械|制造|食品|家具|医院|"
    "幼儿园|学校|工作室|诊所|厂|店|坊|部|社"
)
_KIND = re.compile(rf"(?:{_KINDS})")
_SIGNS = re.compile(r"[\s()\[\]【】〔〕《》\"'·.,，。、_-]")
_TOWN = re.compile(r"^.{0,30}?(?:街道办事处|街道|办事处|民族乡|乡|镇|苏木)(?!人民政府)")
_COUNTY = re.compile(r"^.{0,20}?(?:自治县|县|区|旗|市)")
_DOUBLE = (
    "欧阳|司马|上官|诸葛|东方|皇甫|尉迟|公孙|慕容|令狐|宇文|长孙|司徒|端木|夏侯|轩辕|东郭|南宫|西门|独孤|"
    "呼延|申屠|闻人|淳于|单于|太叔|钟离|澹台"
)
_DOUBLE_SURNAME = re.compile(rf"^(?:{_DOUBLE})")
#: Firms that may bear a public word in their name.
_SMALL_FIRM = re.compile(r"个体|代理|经营部|(?<!农)商行|店$|店[（(]")
_PARTS = re.compile(r"[^\u3400-\u9fff]+")
_PERSON = re.compile(rf"[{SURNAMES}][\u4e00-\u9fff]{{1,2}}")
_HIDDEN = "*"


def mask_name(name: str) -> str:
    """Return a name of which only the family name stays; a firm keeps its first and last character.

    Names in other scripts and minority names with ``·`` keep the first character of each part.
    """
    text = name.strip()
    if _HIDDEN in text or not text:
        return text
    if ORGANISATION.search(text):
        return mask_firm(text)
    if "·" in text or "•" in text:
        return "·".join(part[:1] + _HIDDEN for part in re.split(r"[·•]", text))
    if text.isascii():
        return text[0].upper() + _HIDDEN * 3
    if len(text) == 1:
        return _HIDDEN
    surname = 2 if len(text) > 2 and _DOUBLE_SURNAME.match(text) else 1
    return text[:surname] + _HIDDEN * min(max(len(text) - surname, 1), 2)


def mask_firm(name: str) -> str:
    """Return the first and the last character of a firm's name with three stars between."""
    text = name.strip()
    return text if _HIDDEN in text or len(text) < 3 else f"{text[0]}{_HIDDEN * 3}{text[-1]}"


def mask_address(address: str) -> str:
    """Return an address down to its town, or its county, or only that it is hidden."""
    text = address.strip()
    for pattern in (_TOWN, _COUNTY):
        if (found := pattern.match(text)) is not None and len(found.group()) >= 2:
            return found.group()
    return "（地址已隐去）"


def organisation_label(name: str, token: Callable[[str], str]) -> str:
    """Return a firm's name with what is its own replaced by a pseudonym; words of its kind stay.

    The same own part has the same pseudonym, so that spellings which differ in the kind alone
    (有限公司, 有限责任公司) can still be matched.
    """
    text = unicodedata.normalize("NFKC", name).strip()
    if not text or _HIDDEN in text:
        return text
    kinds = _KIND.findall(text)
    # brackets, blanks and dots differ from system to system, the firm does not
    own = _SIGNS.sub("", _KIND.sub("", text))
    if not own:
        return text
    return f"某{token(own)[1:7]}{''.join(kinds)}"


def counterparty_label(name: str, token: Callable[[str], str]) -> str:
    """Return the name of a public institution as it is, and a labelled pseudonym for all others."""
    text = name.strip()
    if not text or _HIDDEN in text or is_public(text):
        return text
    kind = "商户" if ORGANISATION.search(text) else "个人"
    return f"{kind}{token(text)[1:11]}"


def is_public(name: str) -> bool:
    """Say whether a counterparty is a public institution: no person's data.

    What stands beside it after a dash or in brackets must not be a person (财付通-张某某).
    """
    if PUBLIC.search(name) is None or _SMALL_FIRM.search(name):
        return False
    parts = _PARTS.split(name)
    return not any(_PERSON.fullmatch(part) and not PUBLIC.search(part) for part in parts)
