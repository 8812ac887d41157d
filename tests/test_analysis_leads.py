"""Leads in statements: hand-worked names, rhythms, features and a loan whose rate is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from course_utils.analysis import leads, loan_math
from course_utils.errors import CourseError

AS_OF = pd.Timestamp("2025-12-31")
KEYWORDS = pd.DataFrame(
    [("消费金融", "消费金融"), ("小贷", "网络小贷"), ("借钱", "平台"), ("餐饮", "误报"),
     ("按揭", "银行"), ("月供", "银行")],
    columns=["keyword", "lender_kind"],
)  # fmt: skip


def stream(who, name, dates, amounts, direction="支出", kind="转账", party="企业", memo=None):
    """Return statement rows of one stream."""
    dates = pd.to_datetime(pd.Series(list(dates)))
    return pd.DataFrame(
        {"customer_id": who, "date": dates, "amount": np.broadcast_to(amounts, len(dates)),
         "direction": direction, "kind": kind, "counterparty_name": name,
         "counterparty_type": party, "memo": memo}
    )  # fmt: skip


def monthly(first, months, day=8):
    start = pd.Period(first, "M")
    return [(start + k).to_timestamp() + pd.Timedelta(days=day - 1) for k in range(months)]


@pytest.fixture
def rows():
    wage = stream("C1", "县域制造代发户", monthly("2025-01", 12, 10), 5000.0, "收入", "代发工资",
                  "代发单位")  # fmt: skip
    moved = stream("C1", "本人（某大行）", monthly("2025-01", 12, 3), 9000.0, "收入",
                   party="本人他行")  # fmt: skip
    steady = stream("C1", "子丑消费金融有限公司", monthly("2025-01", 12), 600.0)
    second = stream("C1", "云杉借钱", monthly("2025-10", 3), [400.0, 410.0, 390.0])
    shop = stream("C1", "巷口小贷餐饮管理有限公司", monthly("2025-01", 12), 99.0, kind="消费")
    bank = stream("C2", "某城商行个人贷款还款户", monthly("2025-01", 12, 20), 3000.0,
                  party="他行内部户", memo="按揭还款")  # fmt: skip
    home = stream("C2", "本行贷款还款户", monthly("2025-01", 12, 20), 800.0, kind="自动还款",
                  party="本行内部户", memo="月供")  # fmt: skip
    return pd.concat([wage, moved, steady, second, shop, bank, home], ignore_index=True)


def test_names_lose_brackets_legal_form_blanks_and_width():
    names = pd.Series(
        ["子丑消费金融　股份有限公司（还款专户）", "蓝屿小贷有限责任公司", "ＡＢＣ借钱", None]
    )
    assert leads.normalise(names).tolist() == ["子丑消费金融", "蓝屿小贷", "ABC借钱", None]
    assert leads.normal_name("公司小吃店") == "公司小吃店"


def test_the_longest_keyword_decides_and_false_friends_cancel():
    words = pd.concat([KEYWORDS, pd.DataFrame({"keyword": ["网络小贷"], "lender_kind": ["平台"]})])
    names = pd.Series(["沐川网络小贷", "巷口小贷餐饮管理有限公司", "老街小吃店", None])
    kinds = leads.lender_kind(names, words)
    assert kinds.tolist() == ["平台", None, None, None]
    loose = leads.lender_kind(names, words, exclude=False)
    assert loose.tolist() == ["平台", "网络小贷", None, None]


def test_contains_handles_missing_texts_and_no_words():
    texts = pd.Series(["按揭还款", None, "电费"])
    assert leads.contains(texts, ["按揭", "电"]).tolist() == [True, False, True]
    assert not leads.contains(texts, []).any()


@pytest.mark.parametrize(
    ("dates", "amounts", "periodic"),
    [
        (["2025-01-01", "2025-01-21", "2025-02-10"], [100.0, 100, 100], True),  # exactly 20 days
        (["2025-01-01", "2025-02-10", "2025-03-22"], [100.0, 100, 100], True),  # exactly 40 days
        (["2025-01-01", "2025-01-20", "2025-02-08"], [100.0, 100, 100], False),  # 19 days
        (["2025-01-01", "2025-02-11", "2025-03-24"], [100.0, 100, 100], False),  # 41 days
        (["2025-01-01", "2025-01-31"], [100.0, 100], False),  # only two
        (["2025-01-01", "2025-01-31", "2025-03-02"], [75.0, 100, 125], False),  # cv = .25
        (["2025-01-01", "2025-01-31", "2025-03-02"], [76.0, 100, 124], True),  # cv = .24
        (["2025-03-02", "2025-01-01", "2025-01-31"], [100.0, 100, 100], True),  # any order
    ],
)
def test_rhythm_at_its_limits(dates, amounts, periodic):
    table = leads.periodicity(stream("C1", "甲", dates, amounts))
    assert table.loc[("C1", "甲"), "periodic"] == periodic


def test_rhythm_keeps_streams_apart_and_reports_numbers():
    both = pd.concat([
        stream("C1", "甲", monthly("2025-01", 3), [90.0, 100, 110]),
        stream("C1", "乙", ["2025-01-09"], 50.0),
        stream("C2", "甲", ["2025-01-09", "2025-01-10"], 50.0),
        stream("C3", None, monthly("2025-01", 3), 50.0),
    ])  # fmt: skip
    table = leads.periodicity(both)
    assert table.index.tolist() == [("C1", "乙"), ("C1", "甲"), ("C2", "甲")]
    assert table["payments"].tolist() == [1, 3, 2]
    assert table.loc[("C1", "甲"), "cv"] == pytest.approx(0.1)
    assert table["gap"].tolist()[1:] == [29.5, 1.0]
    assert table["widest"].tolist()[1:] == [31.0, 1.0]
    assert np.isnan(table.loc[("C1", "乙"), "gap"])


def test_pairs_count_evidence(rows):
    paid = stream("C1", "云杉借钱", ["2025-09-20"], 1150.0, "收入", memo="贷款发放")
    pairs = leads.lender_pairs(pd.concat([rows, paid]), KEYWORDS).set_index("lender")
    assert pairs.index.tolist() == ["云杉借钱", "子丑消费金融"]
    assert pairs["lender_kind"].tolist() == ["平台", "消费金融"]
    assert pairs["evidence"].tolist() == [4, 3]
    assert pairs["payout"].tolist() == [1150.0, 0.0]


def test_confirmed_names_join_the_lenders(rows):
    plain = stream("C2", "霜序科技服务有限公司", monthly("2025-06", 7), 500.0)
    both = pd.concat([rows, plain])
    assert "C2" not in set(leads.lender_pairs(both, KEYWORDS)["customer_id"])
    pairs = leads.lender_pairs(both, KEYWORDS, ["霜序科技服务有限公司"])
    assert pairs.set_index("customer_id").loc["C2", "lender_kind"] == "人工确认"


def test_features_of_a_customer_by_hand(rows):
    table = leads.lender_features(rows, KEYWORDS, AS_OF)
    one, two = table.loc["C1"], table.loc["C2"]
    assert (one["online_lenders"], one["online_lenders_year"]) == (2, 2)
    assert one["month_repayment"] == pytest.approx(1000.0)
    assert one["month_inflow"] == 5000.0  # own money from another bank is no income
    assert one["burden"] == pytest.approx(0.2)
    assert one["evidence"] == 15
    assert (two["bank_loans"], two["bank_payment"]) == (1, 3000.0)  # the own bank's is left out
    assert np.isnan(two["burden"]) and np.isnan(two["total_burden"])


def test_a_lender_no_longer_paid_is_not_in_use(rows):
    old = stream("C3", "子丑消费金融有限公司", monthly("2025-01", 6), 600.0)
    table = leads.lender_features(pd.concat([rows, old]), KEYWORDS, AS_OF)
    assert table.loc["C3", ["online_lenders", "online_lenders_year"]].tolist() == [0, 1]
    assert table.loc["C3", "month_repayment"] == 0


def test_a_payout_is_no_income(rows):
    paid = stream("C1", "云杉借钱", monthly("2025-07", 6, 2), 50_000.0, "收入")
    table = leads.lender_features(pd.concat([rows, paid]), KEYWORDS, AS_OF)
    assert table.loc["C1", "month_inflow"] == 5000.0


def test_empty_months_count_as_zero_inflow():
    wage = stream("C1", "厂", monthly("2025-07", 2), 4000.0, "收入", "代发工资", "代发单位")
    assert leads.month_inflow(wage, AS_OF).loc["C1"] == 0.0
    assert leads.month_inflow(wage, pd.Timestamp("2025-08-31"), months=2).loc["C1"] == 4000.0


def test_a_finished_loan_shows_its_rate():
    payment = round(loan_math.annuity_payment(6000, 18.0, 6), 2)
    name = "子丑消费金融有限公司"
    paid = stream("C1", name, ["2025-02-20"], 6000.0, "收入")
    back = stream("C1", name, monthly("2025-03", 6), payment)
    still = pd.concat([stream("C2", name, ["2025-07-20"], 6000.0, "收入"),
                       stream("C2", name, monthly("2025-08", 5), payment)])  # fmt: skip
    unknown = stream("C3", name, monthly("2025-03", 6), payment)
    table = leads.finished_loans(pd.concat([paid, back, still, unknown]), KEYWORDS, AS_OF)
    assert table["customer_id"].tolist() == ["C1"]
    assert table["percent"].iloc[0] == pytest.approx(18.0, abs=0.02)
    assert table["repaid"].iloc[0] == pytest.approx(6 * payment)


def test_missing_repayments_leave_the_rate_open():
    paid = stream("C1", "云杉借钱", ["2025-02-20"], 6000.0, "收入")
    table = leads.finished_loans(
        pd.concat([paid, stream("C1", "云杉借钱", monthly("2025-03", 3), 900.0)]), KEYWORDS, AS_OF
    )
    assert np.isnan(table["percent"].iloc[0])


def test_bank_loans_need_a_fixed_day(rows):
    days = ["2025-01-01", "2025-02-10", "2025-03-20", "2025-04-12", "2025-05-22"]
    loose = stream("C3", "某邮储机构个人贷款还款户", days, 2000.0, party="他行内部户")
    table = leads.bank_loans(pd.concat([rows, loose]), KEYWORDS).set_index("customer_id")
    assert table["periodic"].to_dict() == {"C2": True, "C3": False}
    assert table.loc["C2", ["day", "day_spread", "memo_hits", "mortgage_hits"]].tolist() == [
        20, 0, 12, 12,
    ]  # fmt: skip


def test_a_memo_alone_can_show_a_bank_loan():
    friend = stream("C4", "王*", monthly("2025-01", 6), 1500.0, party="个人", memo="月供")
    table = leads.bank_loans(friend, KEYWORDS)
    assert table["memo_hits"].tolist() == [6]


def test_balance_range_is_ordered_and_exact_without_interest():
    table = leads.balance_range(pd.Series([1000.0]), [0.0], [12, 36, 120])
    assert table.loc[0].tolist() == [12_000.0, 36_000.0, 120_000.0]
    table = leads.balance_range(pd.Series([1000.0]), [3.0, 6.0], [12, 120])
    assert table.loc[0, "low"] < table.loc[0, "middle"] < table.loc[0, "high"]


def test_a_missing_column_is_named(rows):
    with pytest.raises(CourseError, match="memo"):
        leads.lender_features(rows.drop(columns="memo"), KEYWORDS, AS_OF)


def test_no_lender_at_all_gives_zeros():
    wage = stream("C1", "厂", monthly("2025-01", 12), 4000.0, "收入", "代发工资", "代发单位")
    table = leads.lender_features(wage, KEYWORDS, AS_OF)
    assert table.loc["C1", ["online_lenders", "bank_loans", "evidence"]].tolist() == [0, 0, 0]
    assert table.loc["C1", "burden"] == 0.0
