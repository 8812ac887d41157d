"""What is proposed for headers of nine systems: how much of it is right, and what is honest."""

from __future__ import annotations

from course_utils.contract import load_contract
from course_utils.intake.mapping.proposal import Seen, propose
from course_utils.intake.mapping.proposal.evidence import look
from course_utils.intake.mapping.proposal.match import SURE, TABLE_SURE, also_feeds
from course_utils.intake.mapping.proposal.names import NameBook
from course_utils.intake.mapping.proposal.samples import shown

#: System → (title of the file, table, "source=column" or "source" for what the course does not use)
SYSTEMS = {
    "EAST 个人信贷业务借据表": (
        "EAST5_503_20251231",
        "loan",
        "JRXKZH NBJGH=branch_id YXJGMC MXKMBH MXKMMC KHTYBH=customer_id KHMC ZJLB ZJHM XDHTH "
        "XDJJH=loan_id DKFHZH XDYWZL=product_code DKFFLX=issue_type BZ DKJE=amount DKYE=balance "
        "DKWJFL=five_class ZQS DQQS ZQCS DKFFRQ=issue_date DKDQRQ=maturity_date ZJRQ=settle_date "
        "LXQKQS LJQKQS LLLX SJLL=rate HKFS=repay_method TXDQ JJDKYT=purpose DKTXHY=industry_code "
        "SFHLWDK=online SFLSDK=green SFSNDK=agricultural XDYGH=manager_id DKZT CJRQ",
    ),
    "核心系统 存款主档": (
        "DPST_ACCT_MST_20251231",
        "deposit_account",
        "ACCT_NO=account_id CUST_NO=customer_id OPN_BRCH_NO=branch_id PROD_CD SUBJ_NO CCY "
        "ACCT_STS OPN_DT=open_date VAL_DT MAT_DT=maturity_date CLS_DT=close_date "
        "TERM_MTHS=term_months PRIN_AMT=amount CUR_BAL=balance EXEC_RATE=rate "
        "AUTO_RENEW_FLG=auto_renew LST_TXN_DT",
    ),
    "核心系统 交易明细": (
        "DPS_TXN_DTL_202512",
        "transaction",
        "TXN_SEQ_NO=transaction_id ACCT_NO CUST_NO=customer_id TXN_DATE=date TXN_TIME=hour "
        "TXN_AMT=amount DC_FLAG=direction TXN_TYPE=kind CHNL_CD=channel OPP_ACCT_NO "
        "OPP_ACCT_NAME=counterparty_name SMRY_CD REMARK=memo TELLER_NO AFT_BAL",
    ),
    "支行贷款台账": (
        "某支行贷款台账 单位：万元",
        "loan",
        "序号 机构号=branch_id 客户编号=customer_id 客户姓名 借据号=loan_id 合同编号 "
        "业务品种=product_code 借款金额(万元)=amount 借据余额(万元)=balance 放款日期=issue_date "
        "到期日期=maturity_date 执行年利率%=rate 还款方式=repay_method 主要担保方式=guarantee "
        "五级分类结果=five_class 逾期天数=overdue_days 贷款用途=purpose "
        "管户客户经理工号=manager_id 是否涉农=agricultural 是否普惠=inclusive 备注",
    ),
    "客户关系系统 客户视图": (
        "crm_customer_view",
        "customer",
        "客户号=customer_id 客户名称=masked_name 证件号码=id_hash 手机号码=phone_hash "
        "客户类型=customer_type 性别=gender 出生日期=birth_year 婚姻状况=marital 学历=education "
        "职业=occupation 家庭住址 所属机构=branch_id 管户经理=manager_id 开户日期=open_date "
        "客户状态=status 是否农户=is_farmer 信用等级=credit_grade 乡镇号=town_id "
        "微信号 最近登录时间",
    ),
    "收单平台 商户档案": (
        "商户信息表",
        "merchant",
        "商户编号=merchant_id 商户名称=merchant_name 结算账号 客户号=customer_id "
        "MCC码=industry_code 入网日期=open_date 撤机日期=close_date "
        "所属网点=branch_id 维护人工号=employee_id "
        "签约费率=fee_rate 商户状态=status 终端数 法人手机",
    ),
    "收单平台 日汇总": (
        "商户日汇总_202512",
        "merchant_day",
        "清算日期=date 商户编号=merchant_id 交易笔数=transaction_count 交易金额=transaction_amount "
        "手续费",
    ),
    "零售数据集 customers": (
        "customers",
        "customer",
        "customer_id=customer_id full_name=masked_name gender=gender birth_date=birth_year "
        "marital_status=marital education_level=education occupation=occupation "
        "signup_date=open_date city income_band churned",
    ),
    "零售数据集 transactions": (
        "transactions",
        "transaction",
        "transaction_id=transaction_id customer_id=customer_id txn_date=date amount=amount "
        "txn_type=kind channel=channel merchant_name is_fraud",
    ),
    "零售数据集 events": (
        "app_events",
        "mobile_event",
        "event_id=event_id customer_id=customer_id event_timestamp=event_time event_type=action "
        "screen_name=page device_id=device_hash session_duration_sec=session_seconds app_version",
    ),
    "外国银行 loan": (
        "loan",
        "loan",
        "loan_id=loan_id account_id client_id=customer_id date amount=amount duration payments "
        "status interest_rate=rate",
    ),
    "外国银行 trans": (
        "trans",
        "transaction",
        "trans_id=transaction_id account_id date=date type=kind operation amount=amount balance "
        "k_symbol bank",
    ),
    "外国银行 account": (
        "accounts",
        "deposit_account",
        "account_number=account_id customer_number=customer_id branch_code=branch_id "
        "account_type=kind opened_date=open_date closed_date=close_date current_balance=balance "
        "interest_rate=rate currency",
    ),
    "营销系统 白名单": (
        "信贷白名单_第三批",
        "white_list",
        "名单编号=list_id 批次号=batch 下发日期=list_date 客户编号=customer_id 支行号=branch_id "
        "产品编号=product_code 预授信金额=offered_limit 预授信利率=offered_rate "
        "分配客户经理=assigned_employee_id 是否外呼=called 是否接通=reached 是否提款=drawn "
        "提款金额=drawn_amount 备注",
    ),
    "营销系统 外呼记录": (
        "外呼记录导出",
        "contact_log",
        "记录编号=contact_id 客户号=customer_id 客户姓名 外呼员工号=employee_id "
        "外呼时间=contact_time 触达方式=channel 营销目的=purpose 外呼结果=result 通话秒数",
    ),
    "人力系统 花名册": (
        "员工花名册",
        "employee",
        "工号=employee_id 姓名 性别=gender 出生年月=birth_year 所属机构=branch_id 职务=post "
        "最高学历=education 入职日期=hire_date 在岗状态=active 离职日期=leave_date 身份证号",
    ),
}


def _systems():
    for name, (title, table, text) in SYSTEMS.items():
        pairs = [item.partition("=")[::2] for item in text.split()]
        yield name, title, table, [(source, column or None) for source, column in pairs]


def test_there_are_enough_systems_and_columns():
    systems = list(_systems())
    contract = load_contract()
    assert len({name.split()[0] for name, *_ in systems}) >= 8
    assert sum(len(pairs) for *_, pairs in systems) >= 200
    for _, _, table, pairs in systems:
        assert {c for _, c in pairs if c} <= set(contract.table(table).columns)


def test_precision_and_recall_by_name_alone(capsys):
    contract = load_contract()
    book = NameBook(contract)
    right_tables = right = proposed = wanted = sure = sure_right = 0
    wrong = []
    systems = list(_systems())
    for name, title, table, pairs in systems:
        found = propose([Seen(source) for source, _ in pairs], contract, title, book=book)
        wanted += sum(column is not None for _, column in pairs)
        if not found or found[0].table.name != table:
            wrong.append(f"{name}: {[one.table.name for one in found[:2]]}")
            continue
        right_tables += 1
        expected = dict(pairs)
        for one in found[0].columns:
            good = expected[one.source] == one.column.name
            proposed, right = proposed + 1, right + good
            if one.score >= SURE:
                sure, sure_right = sure + 1, sure_right + good
            if not good:
                wrong.append(f"{name}: {one.source} → {one.column.name} {one.score} {one.why}")
    with capsys.disabled():
        print(
            f"\n{len(systems)} 个文件 {sum(len(p) for *_, p in systems)} 列：表对 {right_tables}；"
            f"查准 {right / proposed:.1%}，有把握的查准 {sure_right / sure:.1%}，"
            f"查全 {right / wanted:.1%}"
        )
    assert right_tables == len(systems), wrong
    assert right / proposed >= 0.97, wrong
    assert sure_right / sure >= 0.98, wrong
    assert right / wanted >= 0.95, wrong


def _seen(name, values):
    return Seen(name, look(values))


def _loans(**changed):
    columns = {
        "借据号": [f"JJ{i:012d}" for i in range(60)],
        "客户号": [f"8{i % 40:09d}" for i in range(60)],
        "贷款金额（万元）": [f"{i + 1}.50" for i in range(60)],
        "贷款余额": [f"{i}.00" for i in range(60)],
        "发放日期": ["2024年1月31日"] * 60,
        "到期日期": ["20250131"] * 60,
        "五级分类": ["01", "02", "05"] * 20,
        "执行利率": ["0.0435", "0.05"] * 30,
        "担保方式": ["信用贷款", "抵押贷款", "9"] * 20,
        **changed,
    }
    return [_seen(name, values) for name, values in columns.items()]


def _best(seen, title=""):
    return propose(seen, load_contract(), title)[0]


def _by_column(proposal):
    return {one.column.name: one for one in proposal.columns}


def test_units_and_codes_are_proposed():
    found = _by_column(_best(_loans()))
    assert found["amount"].unit == "万元"
    assert found["balance"].unit is None
    assert (found["rate"].unit, found["rate"].sure) == ("小数", False)
    assert found["five_class"].translation.codes == {"01": "正常", "02": "关注", "05": "损失"}
    assert found["five_class"].sure
    assert found["guarantee"].translation.codes == {"信用贷款": "信用", "抵押贷款": "抵押"}
    assert found["guarantee"].translation.unknown == ("9",)
    assert not found["guarantee"].sure


def test_a_fee_below_one_percent_is_no_fraction():
    merchants = [
        _seen("商户编号", [f"M{i:09d}" for i in range(40)]),
        _seen("商户名称", ["某店"] * 40),
        _seen("签约费率", ["0.38", "0.25"] * 20),
        _seen("入网日期", ["2024-01-02"] * 40),
        _seen("CJRQ", ["20251231"] * 40),
    ]
    found = _by_column(_best(merchants))
    assert found["fee_rate"].unit is None
    assert "close_date" not in found
    merchants[2] = _seen("签约费率", ["0.0038", "0.0025"] * 20)
    assert _by_column(_best(merchants))["fee_rate"].unit == "小数"


def test_direction_and_gender_codes():
    flow = [
        _seen("交易流水号", [f"{i:016d}" for i in range(40)]),
        _seen("客户号", ["c1"] * 40),
        _seen("交易日期", ["20250101"] * 40),
        _seen("交易金额", ["1.25"] * 40),
        _seen("借贷标志", ["D", "C"] * 20),
    ]
    found = _by_column(_best(flow))
    assert found["direction"].translation.codes == {"D": "支出", "C": "收入"}
    person = [_seen("客户号", ["c1", "c2"] * 9), _seen("客户名称", ["甲*"] * 18)]
    person += [_seen("性别", ["M", "F"] * 9), _seen("是否农户", ["Y", "N"] * 9)]
    found = _by_column(_best(person))
    assert found["gender"].translation.codes == {"M": "男", "F": "女"}
    assert found["is_farmer"].translation.codes == {}


def test_values_contradict_a_name():
    found = _by_column(_best(_loans(到期日期=["信用", "抵押"] * 30)))
    assert "maturity_date" not in found or not found["maturity_date"].sure
    names = _by_column(_best(_loans(客户经理=["王某某", "李某"] * 30)))
    assert "manager_id" not in names or not names["manager_id"].sure


def test_codes_are_recognised_without_a_name():
    seen = [one for one in _loans() if one.name != "五级分类"]
    found = _by_column(_best([*seen, _seen("ZD7", ["正常", "关注", "次级"] * 20)]))
    assert found["five_class"].source == "ZD7"
    assert not found["five_class"].sure


def test_one_file_feeds_two_tables():
    names = "客户号 客户名称 性别 是否农户 是否开通手机银行 是否代发 是否ETC 是否持有信用卡"
    found = propose([Seen(name) for name in names.split()], load_contract(), "客户清单")
    assert found[0].table.name == "customer"
    assert [one.table.name for one in also_feeds(found[0], found[1:])] == ["customer_product"]


def test_invoices_fit_no_table_and_it_is_said():
    names = "发票代码 发票号码 开票日期 购方名称 购方税号 销方名称 销方税号 金额 税率 税额 价税合计"
    best = _best([Seen(name) for name in names.split()], "进项发票")
    assert best.borrowed
    assert not best.sure
    assert _by_column(best)["date"].source == "开票日期"


def test_a_file_of_something_else_gets_no_sure_table():
    for names in ("温度 湿度 风速 站点", "a b c", "资产负债率 流动比率 速动比率", "问题 答案"):
        found = propose([Seen(name) for name in names.split()], load_contract(), "文件")
        assert not any(one.score >= TABLE_SURE for one in found), (names, found[0])


def test_samples_show_nobody():
    phone = "1" + "3" * 10
    person = "9" * 6 + "19900101" + "1234"
    known = frozenset({"正常", "关注"})
    columns = {
        "手机": [phone] * 30,
        "证件号码": [person] * 30,
        "客户名称": ["欧阳某某", "王某某", "李某"] * 10,
        "客户经理": ["王某某", "李某"] * 15,
        "维护": ["王某某", "李某"] * 2 + ["赵某某"] * 2,
        "账号": ["6217" + "0" * 14 + "1"] * 30,
        "余额": ["1234567.89", "20.00"] * 15,
        "地址": ["某县某镇某村三组 12 号"] * 30,
        "邮箱": ["someone@example.com"] * 30,
        "五级分类": ["正常", "关注"] * 15,
        "生日": ["1990-01-02", "1985-03-04"] * 15,
    }
    for name, values in columns.items():
        text = shown(name, look(values), known)
        if name == "五级分类":
            assert text == "正常、关注"
            continue
        for value in values:
            assert value not in text, (name, text)
            assert value[1:] not in text, (name, text)
        assert len([mark for mark in text if mark.isdigit()]) <= 12
