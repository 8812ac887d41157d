"""Counterparty names and lender keywords. All invented; no real bank, lender or shop."""

from __future__ import annotations

# (keyword, lender_kind, note): the rows of the side table lender_keyword that fit the names below.
LENDER_KEYWORDS: tuple[tuple[str, str, str], ...] = (
    ("消费金融", "消费金融", "持牌消费金融公司名称的通用部分"),
    ("小额贷款", "网络小贷", "小额贷款公司名称的通用部分"),
    ("小贷", "网络小贷", "小额贷款公司的简称，容易误伤"),
    ("借钱", "平台", "借款平台的服务名"),
    ("分期", "平台", "分期平台的服务名，商城购物也会带"),
    ("快贷", "平台", "借款平台的服务名"),
    ("借条", "平台", "借款平台的服务名"),
    ("按揭", "银行", "他行住房按揭还款附言"),
    ("贷款", "银行", "他行贷款还款附言"),
    ("还贷", "银行", "他行贷款还款附言"),
    ("月供", "银行", "他行贷款还款附言"),
    ("餐饮", "误报", "名称里有小贷二字的餐饮店"),
    ("商城", "误报", "购物付款，不是还款"),
    ("会员权益", "误报", "会员费，金额固定，也按月扣"),
    ("广告", "误报", "商户付的推广费"),
    ("退款", "误报", "退货退款"),
)
ONLINE_KINDS = ("消费金融", "网络小贷", "平台")

LENDERS: tuple[str, ...] = (
    "子丑消费金融有限公司", "寅卯消费金融有限公司", "辰巳消费金融股份有限公司",
    "午未消费金融有限公司", "申酉消费金融有限公司", "戌亥小额贷款有限公司",
    "青榆小额贷款有限公司", "沐川网络小额贷款有限公司", "蓝屿小贷有限责任公司",
    "云杉借钱", "南枝分期", "月白快贷", "木棉借条", "远山分期（还款专户）",
)  # fmt: skip
# Lenders that no keyword finds: the reason why recall stays below one.
PLAIN_LENDERS: tuple[str, ...] = ("霜序科技服务有限公司", "澄江信息技术有限公司")
FALSE_FRIEND = "巷口小贷餐饮管理有限公司"
FALSE_NAMES: tuple[str, ...] = (
    FALSE_FRIEND, "南枝分期商城", "木棉分期购物商城", "月白快贷广告传媒", "云杉小贷火锅餐饮店",
)  # fmt: skip
FALSE_PERIODIC: tuple[str, ...] = (FALSE_FRIEND, "辰巳消费金融会员权益", "远山分期会员权益")
REFUND_NAME = "午未消费金融商城退款"

OTHER_BANKS: tuple[str, ...] = (
    "某国有大行",
    "某股份制银行",
    "某邮储机构",
    "某城商行",
    "某外地农商行",
)
OTHER_BANK_LOAN: tuple[str, ...] = tuple(f"{name}个人贷款还款户" for name in OTHER_BANKS)
OWN_OTHER_BANK: tuple[str, ...] = tuple(f"本人（{name}）" for name in OTHER_BANKS)
WALLETS: tuple[str, ...] = ("甲支付", "乙支付", "丙支付")
EMPLOYERS: tuple[str, ...] = (
    "县域制造代发户", "城区商贸代发户", "建筑劳务代发户", "学校代发户", "医院代发户", "机关代发户",
    "物流代发户", "茶业合作社代发户", "家具厂代发户", "服务公司代发户",
)  # fmt: skip
UTILITIES: tuple[str, ...] = (
    "供电公司",
    "自来水公司",
    "燃气公司",
    "通信公司",
    "有线网络公司",
    "医保缴费",
)
SHOPS: tuple[str, ...] = (
    "顺意便利店", "福满超市", "百味饭店", "老街小吃店", "四季服饰店", "乐家药房", "望江加油站",
    "红枫理发店", "南塘生鲜店", "石桥五金店", "青禾农资店",
    "晨光里文具店", "竹溪母婴店", "东篱茶庄",
)  # fmt: skip
FIRMS: tuple[str, ...] = (
    "禾丰贸易有限公司", "澄牧农业有限公司", "穗顺建材有限公司",
    "霁源物流有限公司", "苑兴家具有限公司",
    "岚茂茶业有限公司", "朗裕装饰有限公司", "谷益粮油有限公司",
)  # fmt: skip
SURNAMES: tuple[str, ...] = tuple(
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
)
PEOPLE: tuple[str, ...] = tuple(f"{name}{tail}" for name in SURNAMES for tail in ("*", "**"))
OWN_BANK: tuple[str, ...] = (
    "本行收单清算户", "本行结息", "本行贷款还款户", "本行理财专户",
    "本行手续费", "财政惠农补贴", "社保养老金",
)  # fmt: skip
ALL_NAMES: tuple[str, ...] = tuple(
    dict.fromkeys(
        LENDERS + PLAIN_LENDERS + FALSE_NAMES + FALSE_PERIODIC + (REFUND_NAME,) + OTHER_BANK_LOAN
        + OWN_OTHER_BANK + WALLETS + EMPLOYERS + UTILITIES + SHOPS + FIRMS + PEOPLE + OWN_BANK
    )
)  # fmt: skip
_POSITION = {name: number for number, name in enumerate(ALL_NAMES)}


def positions(names: tuple[str, ...]) -> list[int]:
    """Return the codes of names in `ALL_NAMES`."""
    return [_POSITION[name] for name in names]


MEMOS: tuple[str, ...] = (
    "还款", "借款还款", "代扣", "自动扣款", "贷款发放", "按揭还款",
    "贷款还款", "还贷", "月供", "工资",
    "养老金", "惠农补贴", "结息", "电费", "水费", "话费", "医保", "货款",
    "转账", "还钱", "生活费", "红包",
    "房租", "理财申购", "理财赎回", "收款结算", "手续费", "退款", "购物", "餐费", "会员费", "转存",
)  # fmt: skip
MEMO_CODE = {memo: number for number, memo in enumerate(MEMOS)}

KINDS: tuple[str, ...] = (
    "转账", "消费", "存现", "取现", "代发工资", "养老金", "财政补贴", "结息", "手续费", "理财申购",
    "理财赎回", "放款", "还款", "自动还款", "缴费", "退款",
)  # fmt: skip
KIND = {name: number for number, name in enumerate(KINDS)}
PASSIVE_KINDS = ("结息", "代发工资", "养老金", "财政补贴", "手续费", "自动还款")
CHANNELS: tuple[str, ...] = (
    "柜面", "自助设备", "手机银行", "网上银行", "第三方支付", "收单", "系统",
)  # fmt: skip
CHANNEL = {name: number for number, name in enumerate(CHANNELS)}
PARTIES: tuple[str, ...] = (
    "本人他行", "个人", "企业", "第三方支付", "他行内部户", "本行内部户",
    "代发单位", "财政", "商户", "现金",
)  # fmt: skip
PARTY = {name: number for number, name in enumerate(PARTIES)}
TRUTHS: tuple[str, ...] = ("其他", "网贷还款", "网贷放款", "他行贷款还款", "误报")
TRUTH = {name: number for number, name in enumerate(TRUTHS)}
