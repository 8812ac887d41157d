"""Free text: everything in it that looks like a person's number, name or secret is covered."""

from __future__ import annotations

import re
from collections.abc import Iterator

#: Full-width digits, letters and signs, each as long as the character it stands for.
_NARROW = str.maketrans(
    {
        **{chr(0xFF01 + i): chr(0x21 + i) for i in range(94) if chr(0x21 + i).isalnum()},
        "－": "-",
        "—": "-",
        "＠": "@",
        "．": ".",
        "　": " ",
        "＊": "*",
    }
)
SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚"
    "卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤温"
    "庄严游翁施洪倪齐章鲁葛伍申尤柳邢岳左梅庞殷祝管耿牛季单甘包宁关苗裴阮纪冉焦"
)
_LABELS = (
    "姓名|户名|客户|借款人|担保人|保证人|法人代表|法定代表人|法人|联系人|经办人|持卡人|收款人|付款人|户主|"
    "配偶|妻子|丈夫|父亲|母亲|儿子|女儿|转给|转账给|汇给|付给|还给|借给|代付|联系"
)
#: Words that follow a label without being a name.
_NO_NAME = (
    "经理|量|数|群|类|号|名单|信息|资料|电话|管理|服务|需求|关系|方式|贷款|存款|高净|单位|公司|已|未|不|无|"
    "应|任|时|金额|金|白|方|程|计划|万元|万|段|成|关注|关心|明|项"
)
_NAME = re.compile(
    rf"(?:{_LABELS})\s*[:：为是叫\"']?\s*(?!{_NO_NAME})"
    rf"(?P<name>[{SURNAMES}][\u4e00-\u9fff]{{1,2}}?)(?=[^\u4e00-\u9fff]|的|电|手|反|称|说|去|在|来|有|想|$)"
)
_SECRET = re.compile(
    r"(?:(?:登录|支付|交易|查询|取款|手机银行|卡)?密码|口令|验证码|安全码|动态码|CVV2?|CVN2?|PIN码?)"
    r"\s*[:：是为]?\s*[0-9A-Za-z!@#$%^&*]{3,}",
    re.IGNORECASE,
)
_TRACK = re.compile(r"[;%]?B?\d{13,19}[=D^]\d{4,}")
_REGION = "京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新"
_PLATE = r"(?:[A-HJ-NP-Z0-9]{4}[A-HJ-NP-Z0-9挂学警]|[DF]?[A-HJ-NP-Z0-9]{5,6}[DF]?)"
_CHINESE_DIGITS = "〇零一二三四五六七八九幺两"
_RULES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("鉴别信息", _SECRET),
    ("磁道数据", _TRACK),
    ("邮箱", re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")),
    ("社交账号", re.compile(r"(?:微信|QQ|qq|WeChat|wechat)号?\s*[:：]?\s*[A-Za-z0-9][\w-]{4,}")),
    (
        "证件号",
        re.compile(r"(?<!\d)\d{6}[ -]?(?:19|20)\d{2}[ -]?\d{4}[ -]?\d{3}[\dXx](?![0-9A-Za-z])"),
    ),
    (
        "统一社会信用代码",
        re.compile(r"(?<![0-9A-Za-z])[0-9AN-Y][0-9]\d{6}[0-9A-HJ-NPQRTUWXY]{10}(?![0-9A-Za-z])"),
    ),
    ("证件号", re.compile(r"(?<![0-9A-Za-z])[EGHKMPDS][A-Z]?\d{8}(?![0-9A-Za-z])")),
    ("号码", re.compile(r"(?<![\d.])(?:\+?86[ -]?)?1[3-9]\d(?:[ -]?\d{4}){2}(?!\d)")),
    ("号码", re.compile(r"(?<!\d)0\d{2,3}[ -]?\d{7,8}(?!\d)")),
    ("号码", re.compile(r"(?<![\d.])\d(?:[ -]?\d){8,}(?![\d])(?!\.\d)")),
    ("号码", re.compile(rf"[{_CHINESE_DIGITS}]{{7,}}")),
    ("车牌", re.compile(rf"[{_REGION}][A-HJ-NP-Z][· ]?{_PLATE}(?![0-9A-Za-z])")),
)
_DATE = re.compile(r"(?<!\d)(?:19|20)\d{2}([-/.])\d{1,2}\1\d{1,2}(?!\d)")
#: What a text must hold at all to be looked at; most memos do not.
SUSPECT = (
    rf"[0-9０-９][0-9０-９ \-－]{{6,}}|@|＠|密码|口令|验证码|安全码|动态码|(?i:cvv|cvn|pin)|"
    rf"微信|(?i:wechat|qq)|"
    rf"[{_CHINESE_DIGITS}]{{7}}|[{_REGION}][A-Z]|[A-Z]{{1,2}}\d{{8}}|{_LABELS}|"
    r"[0-9A-Z]{18}"
)


def cover(text: str) -> tuple[str, list[str]]:
    """Return a text with numbers, secrets and labelled names covered, and the kinds of what was.

    Kinds are the words that stand in the brackets: 〔号码〕, 〔证件号〕, 〔姓名〕, 〔鉴别信息〕.
    """
    kinds: list[str] = []
    plain = _DATE.sub(lambda date: "日" * len(date.group()), text.translate(_NARROW))
    for kind, start, end in reversed(list(_spans(plain))):
        kinds.append(kind)
        text = f"{text[:start]}〔{kind}〕{text[end:]}"
    return text, kinds[::-1]


def _spans(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield kind, start and end of what is to be covered, in order, without overlap."""
    found = [(kind, *match.span()) for kind, rule in _RULES for match in rule.finditer(text)]
    found += [("姓名", *match.span("name")) for match in _NAME.finditer(text)]
    end_before = 0
    # of two that overlap the one that begins first wins, then the longer one
    for kind, start, end in sorted(found, key=lambda one: (one[1], -one[2])):
        if start >= end_before:
            yield kind, start, end
            end_before = end
        elif end > end_before:
            yield kind, end_before, end
            end_before = end
