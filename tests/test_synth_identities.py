"""What holds in every synthetic bank: contract, references, time, money, determinism."""

import hashlib
import json

import numpy as np
import pandas as pd
import pytest

from course_utils.bank import load_profile, open_bank
from course_utils.contract import check_frame, check_references, load_contract
from course_utils.contract.model import DATE_TYPES
from course_utils.errors import CourseError
from course_utils.synth import generate, is_current, storage, write_bank
from course_utils.synth.holdings import lots_of
from course_utils.synth.recovery.defects import ledger_gaps

SIZE = 2_000
CASES = [("coastal", 0), ("coastal", 1), ("western", 0), ("city_micro", 0)]
#: Dates that may lie after the as-of date: contracts, plans and the calendar.
PLANNED = {
    "calendar.date", "consent.expire_date", "credit_line.expire_date",
    "deposit_account.maturity_date",
    "loan.maturity_date", "loan.graduation_date", "bureau_loan.maturity_date",
    "bureau_report.consent_expire_date", "contact_log.due_date", "contact_log.next_action_date",
    "repayment.due_date", "campaign.end_date", "target.period_start", "target.period_end",
    "npl_action.promised_date",
}  # fmt: skip
#: Records about a firm that the bank collects later: they may be older than the firm's file.
COLLECTED = {"utility_month"}


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{case[0]}+{case[1]}")
def sim(request):
    profile = load_profile(request.param[0])
    return generate(profile, persons=SIZE, seed=profile.seed + request.param[1])


def test_every_table_keeps_the_contract(sim):
    faults = [f for name, frame in sim.tables.items() for f in check_frame(name, frame)]
    # the one planted fault that breaks no rule of the contract is a maturity before the start
    assert not faults, [(f.table, f.column, f.rule, f.count) for f in faults]


def test_every_table_of_the_contract_is_there(sim):
    contract = load_contract()
    lacking = set(contract.tables) - set(sim.tables)
    assert not lacking
    for name, frame in sim.tables.items():
        assert len(frame), name


def test_references_hold_without_exception(sim):
    faults = check_references(sim.tables)
    assert not faults, [(f.table, f.column, f.count) for f in faults]


def test_types_and_order_are_those_of_the_contract(sim):
    contract = load_contract()
    for name, frame in sim.tables.items():
        table = contract.table(name)
        assert list(frame.columns) == [c for c in table.columns if c in frame.columns]
        assert {c: str(t) for c, t in frame.dtypes.items()} == table.dtypes(frame.columns)
        key = list(table.grain)
        assert frame[key].equals(frame[key].sort_values(key, ignore_index=True)), name


def test_nothing_happens_after_the_as_of_date(sim):
    contract, wrong = load_contract(), {}
    end = sim.as_of + pd.Timedelta(days=1)
    for name, frame in sim.tables.items():
        for column in contract.table(name).columns.values():
            place = f"{name}.{column.name}"
            if column.type in DATE_TYPES and column.name in frame and place not in PLANNED:
                late = int((frame[column.name] >= end).sum())
                if late:
                    wrong[place] = late
    assert not wrong


def test_no_event_before_the_customer_came(sim):
    contract, wrong = load_contract(), {}
    opened = sim.tables["customer"].set_index("customer_id")["open_date"]
    for name, frame in sim.tables.items():
        table = contract.table(name)
        if "customer_id" not in frame or table.as_of is None or name in COLLECTED | {"customer"}:
            continue
        when = frame[table.as_of]
        if table.columns[table.as_of].type == "month":
            first = frame["customer_id"].map(opened.dt.to_period("M").dt.to_timestamp())
        else:
            first = frame["customer_id"].map(opened)
        early = int((when < first).sum())
        if early:
            wrong[name] = early
    assert not wrong


@pytest.mark.parametrize(
    ("name", "column", "parent", "key", "first", "last"),
    [
        ("loan_month", "month", "loan", "loan_id", "issue_date", "settle_date"),
        ("merchant_month", "month", "merchant", "merchant_id", "open_date", "close_date"),
        ("merchant_day", "date", "merchant", "merchant_id", "open_date", "close_date"),
        ("credit_line_month", "month", "credit_line", "line_id", "approve_date", None),
    ],
)
def test_no_event_outside_the_life_of_its_parent(sim, name, column, parent, key, first, last):
    if name not in sim.tables:
        pytest.skip(f"no {name}")
    child, life = sim.tables[name], sim.tables[parent].set_index(key)
    period = child[column].dt.to_period("M" if column == "month" else "D")
    begun = child[key].map(life[first]).dt.to_period(period.dt.freq)
    assert (period >= begun).all()
    if last:
        ended = child[key].map(life[last])
        over = ended.notna()
        assert (period[over] <= ended[over].dt.to_period(period.dt.freq)).all()


def test_accounts_live_between_opening_and_closing(sim):
    account = sim.tables["deposit_account"]
    closed = account["close_date"].notna()
    assert (account["close_date"] >= account["open_date"])[closed].all()
    assert (account.loc[closed, "balance"] == 0).all()
    loan = sim.tables["loan"]
    settled = loan["settle_date"].notna()
    assert (loan["settle_date"] >= loan["issue_date"])[settled].all()
    assert (loan.loc[settled, "balance"] == 0).all()
    assert (loan["balance"] <= loan["amount"]).all()


def test_closing_balance_is_opening_plus_flows(sim):
    month = sim.tables["customer_month"]

    def cents(name):
        return np.round(month[name].to_numpy() * 100).astype(np.int64)

    flow = cents("deposit_open") + cents("in_amount") - cents("out_amount")
    assert (flow == cents("deposit_end")).all()
    ordered = month.sort_values(["customer_id", "month"])
    same = ordered["customer_id"].eq(ordered["customer_id"].shift())
    opening, closing = ordered["deposit_open"], ordered["deposit_end"].shift()
    assert (opening[same] == closing[same]).all()


def test_accounts_add_up_to_the_last_month_end(sim):
    month = sim.tables["customer_month"]
    last = month[month["month"] == sim.as_of].set_index("customer_id")["deposit_end"]
    account = sim.tables["deposit_account"].groupby("customer_id")["balance"].sum()
    assert ((account.reindex(last.index).fillna(0) - last).abs() < 0.005).all()


def test_ledger_is_the_weighted_sum_of_accounts_but_for_one_month(sim):
    gaps = ledger_gaps(sim.tables, sim.profile)
    assert gaps.notna().all()
    off = gaps[gaps.abs() > 1e-9]
    assert len(off) == 1
    planted = sim.effects.value("m00_n01", "ledger_gap")
    assert off.iloc[0] == pytest.approx(planted, abs=1e-6)


def test_ledger_of_loans(sim):
    ledger = sim.tables["branch_day"]
    customer = sim.tables["customer"].set_index("customer_id")
    loan = sim.tables["loan_month"].merge(
        sim.tables["loan"][["loan_id", "customer_id", "branch_id"]], on="loan_id"
    )
    weight = loan["customer_id"].map(customer["weight"])
    total = (loan["balance"] * weight).groupby(loan["month"]).sum()
    booked = ledger.groupby("date")["loans"].sum().reindex(total.index).dropna()
    assert len(booked) >= 12
    assert np.allclose(booked, total.reindex(booked.index), rtol=1e-9, atol=0.01 * len(customer))


def test_principal_adds_up_to_the_loan(sim):
    loan = sim.tables["loan"].set_index("loan_id")
    due = sim.tables["repayment"].groupby("loan_id")["due_principal"].sum()
    early = sim.tables["repayment"]["kind"] != "按期"
    plain = ~due.index.isin(sim.tables["repayment"].loc[early, "loan_id"])
    full = due[plain]
    amount = loan["amount"].reindex(full.index)
    # schedules are listed up to the as-of date or to the end: never more than was lent
    assert (full <= amount + 0.005).all()
    over = loan.reindex(full.index)
    done = (over["maturity_date"] <= sim.as_of) & (over["maturity_date"] > over["issue_date"])
    done &= over["settle_type"] == "到期结清"
    assert done.any()
    assert ((full - amount)[done].abs() < 0.005).all()


def test_transactions_add_up_to_the_months(sim):
    flows = sim.tables["transaction"].assign(
        month=lambda t: t["date"] + pd.offsets.MonthEnd(0)
    )  # fmt: skip
    table = flows.pivot_table(
        index=["month", "customer_id"], columns="direction", values="amount", aggfunc="sum"
    ).fillna(0)
    month = sim.tables["customer_month"].set_index(["month", "customer_id"]).reindex(table.index)
    assert np.allclose(table["收入"], month["in_amount"], atol=0.005)
    assert np.allclose(table["支出"], month["out_amount"], atol=0.005)


def test_wealth_lots_add_up_to_the_month_end(sim):
    held = sim.tables["wealth_holding"]
    assert (held["end_date"].isna() | (held["end_date"] >= held["start_date"])).all()
    live = held[held["end_date"].isna()].groupby("customer_id")["amount"].sum()
    path = sim.arrays["wealth_end"][:, -1] / 100
    wealth = pd.Series(path, index=sim.people["customer_id"])
    assert ((live.reindex(wealth.index).fillna(0) - wealth).abs() < 0.005).all()


def test_lots_follow_any_path():
    path = np.array([[0, 5, 3, 9, 0, 4], [7, 7, 2, 2, 8, 8], [0, 0, 0, 0, 0, 0]])
    lots = lots_of(path)
    for t in range(path.shape[1]):
        held = lots[(lots["start"] <= t) & ((lots["end"] > t) | (lots["end"] < 0))]
        total = held.groupby("row")["amount"].sum().reindex(range(3), fill_value=0)
        assert total.tolist() == path[:, t].tolist()
    assert (lots["amount"] > 0).all()


def test_maturity_is_start_plus_term(sim):
    account = sim.tables["deposit_account"]
    term = account[account["term_months"].notna()]
    months = term["maturity_date"].dt.to_period("M").astype("int64") - term[
        "open_date"
    ].dt.to_period("M").astype("int64")
    assert (months == term["term_months"].astype("int64")).all()


def test_products_held_agree_with_the_tables(sim):
    held = sim.tables["customer_product"].set_index("customer_id")
    loan = sim.tables["loan"].merge(sim.tables["product"][["product_code", "line"]])
    live = loan[loan["settle_date"].isna()]
    for column, lines in {
        "has_mortgage": ["按揭"],
        "has_consumer_loan": ["消费贷"],
        "has_student_loan": ["助学贷"],
        "has_business_loan": ["经营贷", "农户贷", "企业贷"],
    }.items():
        expected = set(live.loc[live["line"].isin(lines), "customer_id"])
        assert set(held.index[held[column]]) == expected, column
    merchant = sim.tables["merchant"]
    assert set(held.index[held["has_pos"]]) == set(
        merchant.loc[merchant["close_date"].isna(), "customer_id"]
    )
    assert set(held.index[held["has_etc"]]) == set(sim.tables["etc_user"]["customer_id"])


def test_weights_make_the_bank(sim):
    customer, world = sim.tables["customer"], sim.profile.world
    person = customer["customer_type"] != "企业"
    assert customer.loc[person, "weight"].sum() == world["person_population"]
    assert customer.loc[~person, "weight"].sum() == world["enterprise_population"]
    assert (customer["weight"] >= 1).all() and (customer["weight"] % 1 == 0).all()


def test_no_number_can_belong_to_a_person(sim):
    raw = sim.tables["raw_export"]
    weights = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
    digits = np.array([[int(c) for c in text[:17]] for text in raw["id_number"]])
    right = np.array(list("10X98765432"))[(digits @ weights) % 11]
    assert (right != raw["id_number"].str[-1].to_numpy()).all()
    assert raw["phone"].str.fullmatch(r"12\d{9}").all()  # no operator has 12x
    cards = np.array([[int(c) for c in text] for text in raw["card_number"]])[:, ::-1]
    cards[:, 1::2] *= 2
    assert ((cards // 10 + cards % 10).sum(axis=1) % 10 != 0).all()
    assert sim.tables["customer"]["masked_name"].str.contains(r"\*", regex=True).all()


def test_truth_can_be_written_and_names_what_was_planted(sim):
    text = json.dumps(sim.truth, ensure_ascii=False, default=storage._plain)
    assert json.loads(text)["m00_n01"]["dup_person_rate"]["planted"] == 0.015
    for lesson, keys in sim.truth.items():
        for key, entry in keys.items():
            assert entry["realised"] is not None, (lesson, key)


def test_two_runs_give_the_same_bytes(tmp_path, monkeypatch):
    profile = load_profile("western").replace(persons=600)
    sums = []
    for run in ("first", "second"):
        monkeypatch.setenv("COURSE_WAREHOUSE", str(tmp_path / run))
        write_bank(profile)
        folder = tmp_path / run / "western"
        sums.append({p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()})
    assert sums[0] == sums[1]
    assert {"customer.parquet", "truth.json", "manifest.json"} <= set(sums[0])


def test_written_bank_opens_and_is_current(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_WAREHOUSE", str(tmp_path))
    profile = load_profile("coastal").replace(persons=600)
    assert not is_current(profile)
    seen = []
    manifest = write_bank(profile, progress=lambda label, done, total: seen.append((done, total)))
    assert seen[0] == (0, seen[-1][1]) and seen[-1][0] == seen[-1][1]
    assert is_current(profile)
    assert not is_current(profile.replace(seed=profile.seed + 1))
    assert not is_current(profile, effects="off")
    assert is_current(profile.replace(name="别的名字"))  # a name changes no table
    bank = open_bank("coastal")
    assert len(bank.load("customer")) == manifest["rows"]["customer"]
    assert bank.truth["m00_n02"]["c3_column"]["planted"] == "remark2"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["coastal"]  # nothing left beside it
    (tmp_path / "coastal" / "loan.parquet").unlink()
    assert not is_current(profile)


def test_a_failed_run_leaves_the_old_bank_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_WAREHOUSE", str(tmp_path))
    profile = load_profile("coastal").replace(persons=600)
    write_bank(profile)
    before = (tmp_path / "coastal" / "manifest.json").read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(storage, "write_tables", full)
    with pytest.raises(CourseError, match="磁盘已满"):
        write_bank(profile.replace(seed=7))
    assert (tmp_path / "coastal" / "manifest.json").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["coastal"]


@pytest.mark.parametrize("change", [{"release": "class"}, {"origin": "town"}])
def test_a_real_bank_is_never_overwritten(tmp_path, monkeypatch, change):
    monkeypatch.setenv("COURSE_WAREHOUSE", str(tmp_path))
    with pytest.raises(CourseError, match="真实银行"):
        write_bank(load_profile("coastal").replace(persons=600, **change))
    assert not list(tmp_path.iterdir())


def test_a_full_bank_has_weight_one_everywhere():
    profile = load_profile("coastal")
    small = dict(profile.world) | {"person_population": 800, "enterprise_population": 60}
    sim = generate(profile.replace(world=small), persons=800)
    customer = sim.tables["customer"]
    assert (customer["weight"] == 1).all()
    assert (customer["customer_type"] == "企业").sum() == 60
    assert (customer["customer_type"] != "企业").sum() == 800


def test_another_seed_gives_another_bank():
    profile = load_profile("coastal")
    first, second = (generate(profile, persons=600, seed=seed) for seed in (1, 2))
    one, two = (s.tables["deposit_account"]["amount"].sum() for s in (first, second))
    assert one != two


@pytest.mark.parametrize("persons", [0, -5, 499, 10_000_000, 2.5, True])
def test_a_size_that_makes_no_sense_is_refused(persons):
    with pytest.raises(CourseError, match="persons"):
        generate(load_profile("coastal"), persons=persons)


def test_other_wrong_settings_are_refused():
    with pytest.raises(CourseError, match="on 或 off"):
        generate(load_profile("coastal"), effects="maybe", persons=600)
    with pytest.raises(CourseError, match="种子"):
        generate(load_profile("coastal"), persons=600, seed=-1)
