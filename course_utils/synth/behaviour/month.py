"""All payments of one month: the split of the panel, with names, memos, days and channels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from course_utils.synth.behaviour import names as nm
from course_utils.synth.behaviour.plan import MAX_LENDERS, Panel, Plan
from course_utils.synth.behaviour.split import YUAN, Budget, Item, round_parts
from course_utils.synth.trade.draw import weighted_choice
from course_utils.synth.trade.season import days_to_new_year

FIELDS = (
    "who", "cents", "day", "hour", "out", "kind", "channel", "name", "party", "memo", "truth",
)  # fmt: skip
_TYPES = dict.fromkeys(FIELDS, np.int16) | {
    "who": np.int32, "cents": np.int64, "hour": np.int8, "out": np.int8, "kind": np.int8,
    "channel": np.int8, "party": np.int8, "memo": np.int8, "truth": np.int8,
}  # fmt: skip
# Channel still open: mobile bank as often as the panel counts it, otherwise a mixture (UNSET),
# the shop's code (AT_SHOP) or online banking (ONLINE).
UNSET, AT_SHOP, ONLINE = -2, -3, -4
ROUND_TRANSFER, ROUND_WALLET, ROUND_EXTERNAL = 0.70, 0.10, 0.80
KEYWORD_LENDERS = len(nm.LENDERS)


@dataclass
class Rows:
    """Column pieces of one month; `build` joins them."""

    pieces: list[dict[str, np.ndarray]] = field(default_factory=list)

    def add(self, who: np.ndarray, cents: np.ndarray, **columns: Any) -> None:
        """Add payments; scalar columns are repeated."""
        if len(who) == 0:
            return
        piece = {"who": who.astype(np.int32), "cents": cents}
        for name in FIELDS[2:]:
            value = columns[name]
            kind = _TYPES[name]
            piece[name] = (
                np.full(len(who), value, dtype=kind)
                if np.ndim(value) == 0
                else np.asarray(value).astype(kind)
            )
        self.pieces.append(piece)

    def build(self) -> dict[str, np.ndarray]:
        """Return the joined columns."""
        if not self.pieces:
            return {name: np.zeros(0, dtype=_TYPES[name]) for name in FIELDS}
        return {name: np.concatenate([p[name] for p in self.pieces]) for name in FIELDS}


@dataclass
class Context:
    """What one month needs: random stream, number of days, day weights, panel column."""

    rng: np.random.Generator
    month: int
    days: int
    weights: np.ndarray
    calendar_month: int
    panel: Panel
    plan: Plan
    precision: float
    precision_periodic: float

    def any_day(self, count: int) -> np.ndarray:
        """Draw days of the month (1-based) by their weights."""
        return weighted_choice(self.rng, self.weights, count) + 1

    def fixed_day(self, day: np.ndarray, spread: int = 2) -> np.ndarray:
        """Return agreed days, at most `spread` days late, inside the month."""
        return np.minimum(day + self.rng.integers(0, spread + 1, len(day)), self.days)

    def memo(self, choices: tuple[str, ...], count: int, empty: float = 0.0) -> np.ndarray:
        """Draw memo codes; a share `empty` has none (-1)."""
        codes = np.array([nm.MEMO_CODE[choice] for choice in choices])
        drawn = codes[self.rng.integers(0, len(codes), count)]
        return np.where(self.rng.random(count) < empty, -1, drawn)

    def name(self, choices: tuple[str, ...], who: np.ndarray, variety: int) -> np.ndarray:
        """Return names that stay mostly the same for one customer."""
        codes = np.array(nm.positions(choices))
        pick = (who * 7 + self.rng.integers(0, variety, len(who))) % len(codes)
        return codes[pick]

    def day_hours(self, count: int) -> np.ndarray:
        """Draw hours of people who are awake."""
        return (7 + 15.9 * self.rng.beta(1.6, 1.4, count)).astype(np.int8)


def day_weights(dates: np.ndarray) -> np.ndarray:
    """Return how busy the days of a month are: festival weeks and weekends differ."""
    lunar = days_to_new_year(dates)
    weekday = (dates.astype(np.int64) + 3) % 7
    weight = np.where(weekday >= 5, 0.85, 1.0)
    weight = np.where((lunar >= -10) & (lunar < 0), weight * 1.5, weight)
    return np.where((lunar >= 0) & (lunar < 7), weight * 0.55, weight)


def month_rows(context: Context) -> dict[str, np.ndarray]:
    """Return all payments of one month; they sum to the panel exactly."""
    rows = Rows()
    _inflow(context, rows)
    _outflow(context, rows)
    columns = rows.build()
    _channels(context, columns)
    return columns


def _due(context: Context, slot: int) -> np.ndarray:
    """Return lender repayments (cents) due this month for one lender slot."""
    plan = context.plan
    first, last = plan.lender_first[:, slot], plan.lender_last[:, slot]
    due = (context.month > first) & (context.month <= last)
    spread = np.where(plan.lender_payout[:, slot] > 0, 0.01, 0.06)  # equal instalments, nearly
    wobble = np.exp(spread * context.rng.standard_normal(len(first)))
    return np.where(due, np.rint(plan.lender_amount[:, slot] * wobble), 0).astype(np.int64)


def _inflow(context: Context, rows: Rows) -> None:
    """Explain the inflow: pay, pension, own money from elsewhere, takings, the rest."""
    panel, plan, rng, m = context.panel, context.plan, context.rng, context.month
    budget = Budget(panel.in_cents[:, m], panel.in_count[:, m])
    system = nm.CHANNEL["系统"]

    def single(item: Item, day: np.ndarray, **columns: Any) -> None:
        who = item.rows()
        rows.add(who, item.cents(np.ones(len(who))), day=day[who], out=0, **columns)

    def each(values: np.ndarray, item: Item) -> np.ndarray:
        return values[item.rows()]

    pay = budget.take(panel.payroll[:, m])
    single(pay, context.fixed_day(plan.pay_day, 1), hour=5, kind=nm.KIND["代发工资"],
           channel=system, name=each(plan.employer, pay), party=nm.PARTY["代发单位"],
           memo=nm.MEMO_CODE["工资"], truth=0)  # fmt: skip
    own = budget.take(
        panel.external_in[:, m], 1 + (rng.random(len(plan.habit)) < 0.3), flexible=True
    )
    _own_transfers(context, rows, own, out=0)
    pension = budget.take(plan.pension)
    single(pension, plan.pension_day, hour=4, kind=nm.KIND["养老金"], channel=system,
           name=nm.positions(("社保养老金",))[0], party=nm.PARTY["财政"],
           memo=nm.MEMO_CODE["养老金"], truth=0)  # fmt: skip
    passive = panel.passive_in[:, m] - pay.count
    merchant = panel.acquiring[:, m] > 0
    quarter = context.calendar_month % 3 == 0
    small = np.exp(rng.normal(5.0, 1.6, len(plan.habit))).astype(np.int64).clip(1, 60_000)
    small = np.where((passive >= 1 + merchant) & (quarter | ~merchant), small, 0)
    only = (small > 0) & (passive >= budget.slots) & ~merchant
    wanted = np.where(
        only, budget.left, np.minimum(small, np.maximum(budget.left // 20, small > 0))
    )
    interest = budget.take(wanted, 1, flexible=True)
    single(interest, np.full(len(small), 21), hour=2, kind=nm.KIND["结息"], channel=system,
           name=nm.positions(("本行结息",))[0], party=nm.PARTY["本行内部户"],
           memo=nm.MEMO_CODE["结息"], truth=0)  # fmt: skip
    _takings(context, rows, budget, passive - interest.count)
    if context.calendar_month in (6, 11):
        grant = budget.take(plan.subsidy)
        single(grant, np.full(len(plan.subsidy), 18), hour=10, kind=nm.KIND["财政补贴"],
               channel=system, name=nm.positions(("财政惠农补贴",))[0], party=nm.PARTY["财政"],
               memo=nm.MEMO_CODE["惠农补贴"], truth=0)  # fmt: skip
    _disbursements(context, rows, budget)
    sold = _wealth_change(panel, m, sign=-1)
    redeemed = budget.take(np.where(sold <= 0.8 * budget.left, sold, 0))
    who = redeemed.rows()
    rows.add(who, redeemed.amount[redeemed.count > 0], day=context.any_day(len(who)), hour=9,
             out=0, kind=nm.KIND["理财赎回"], channel=UNSET,
             name=nm.positions(("本行理财专户",))[0], party=nm.PARTY["本行内部户"],
             memo=nm.MEMO_CODE["理财赎回"], truth=0)  # fmt: skip
    _rest(context, rows, budget.rest(), out=0)


def _own_transfers(context: Context, rows: Rows, item: Item, out: int) -> None:
    """Add transfers from or to the customer's own account at another bank."""
    rng = context.rng
    who = item.rows()
    cents = item.cents(np.exp(0.8 * rng.standard_normal(len(who))))
    step = np.where(cents >= 20_000 * YUAN, 1000 * YUAN, 100 * YUAN)
    cents = round_parts(cents, item.count, rng.random(len(who)) < ROUND_EXTERNAL, step)
    rows.add(who, cents, day=context.any_day(len(who)), hour=context.day_hours(len(who)), out=out,
             kind=nm.KIND["转账"], channel=UNSET if out else ONLINE,
             name=context.name(nm.OWN_OTHER_BANK, who, 1), party=nm.PARTY["本人他行"],
             memo=context.memo(("转账", "转存"), len(who), 0.4), truth=0)  # fmt: skip


def _takings(context: Context, rows: Rows, budget: Budget, number: np.ndarray) -> None:
    """Add daily settlements of merchants' takings, `number` of them a merchant."""
    m = context.month
    wanted = np.minimum(context.panel.acquiring[:, m], (0.97 * budget.left).astype(np.int64))
    item = budget.take(wanted, number, flexible=True)
    who = item.rows()
    cents = item.cents(context.rng.gamma(3.0, 1.0, len(who)) + 0.05)
    rows.add(who, cents, day=context.any_day(len(who)), hour=3, out=0, kind=nm.KIND["转账"],
             channel=nm.CHANNEL["收单"], name=nm.positions(("本行收单清算户",))[0],
             party=nm.PARTY["本行内部户"], memo=nm.MEMO_CODE["收款结算"], truth=0)  # fmt: skip


def _disbursements(context: Context, rows: Rows, budget: Budget) -> None:
    """Add online loans paid out in the month before their first repayment."""
    plan = context.plan
    for slot in range(MAX_LENDERS):
        begins = plan.lender_first[:, slot] == context.month
        amount = plan.lender_payout[:, slot] * (plan.lender_amount[:, slot] > 0)
        item = budget.take(np.where(begins & (amount < budget.left), amount, 0))
        who = item.rows()
        rows.add(who, item.amount[item.count > 0], day=context.any_day(len(who)),
                 hour=context.day_hours(len(who)), out=0, kind=nm.KIND["转账"],
                 channel=nm.CHANNEL["网上银行"], name=plan.lender_name[who, slot],
                 party=nm.PARTY["企业"], memo=context.memo(("贷款发放", "转账"), len(who), 0.3),
                 truth=nm.TRUTH["网贷放款"])  # fmt: skip


def _wealth_change(panel: Panel, month: int, sign: int) -> np.ndarray:
    """Return purchases (+1) or redemptions (-1) of wealth products in cents, in 1 000 元 steps."""
    if month == 0:
        return np.zeros(len(panel.wealth), dtype=np.int64)
    change = sign * (panel.wealth[:, month] - panel.wealth[:, month - 1])
    return np.where(change >= 5000 * YUAN, change // (1000 * YUAN) * (1000 * YUAN), 0)


def _outflow(context: Context, rows: Rows) -> None:
    """Explain the outflow: own accounts, wallets, loans, bills, wealth, the rest."""
    panel, plan, rng, m = context.panel, context.plan, context.rng, context.month
    n = len(plan.habit)
    budget = Budget(panel.out_cents[:, m], panel.out_count[:, m])
    external = budget.take(panel.external_out[:, m], 1 + rng.integers(0, 2, n), flexible=True)
    wallet = budget.take(panel.third_party[:, m], 1, flexible=True)
    own_loan = budget.take(panel.installment[:, m])
    who = own_loan.rows()
    rows.add(who, own_loan.amount[own_loan.count > 0], day=np.full(len(who), 20), hour=4, out=1,
             kind=nm.KIND["自动还款"], channel=nm.CHANNEL["系统"],
             name=nm.positions(("本行贷款还款户",))[0], party=nm.PARTY["本行内部户"],
             memo=nm.MEMO_CODE["贷款还款"], truth=0)  # fmt: skip
    hits = _lenders(context, rows, budget)
    bank = budget.take(plan.bank_amount)
    who = bank.rows()
    rows.add(who, bank.amount[bank.count > 0], day=context.fixed_day(plan.bank_day[who], 0),
             hour=6, out=1, kind=nm.KIND["转账"], channel=nm.CHANNEL["系统"],
             name=plan.bank_name[who], party=nm.PARTY["他行内部户"],
             memo=context.memo(("按揭还款", "贷款还款", "还贷", "月供"), len(who), 0.1),
             truth=nm.TRUTH["他行贷款还款"])  # fmt: skip
    _false_hits(context, rows, budget, hits)
    bill = budget.take(np.rint(plan.bill * np.exp(0.2 * rng.standard_normal(n))).astype(np.int64))
    who = bill.rows()
    rows.add(who, bill.amount[bill.count > 0], day=context.any_day(len(who)),
             hour=context.day_hours(len(who)), out=1, kind=nm.KIND["缴费"], channel=UNSET,
             name=plan.bill_name[who], party=nm.PARTY["企业"],
             memo=context.memo(("电费", "水费", "话费", "医保"), len(who)), truth=0)  # fmt: skip
    bought = _wealth_change(panel, m, sign=1)
    wealth = budget.take(np.where(bought <= 0.8 * budget.left, bought, 0))
    who = wealth.rows()
    rows.add(who, wealth.amount[wealth.count > 0], day=context.any_day(len(who)), hour=10, out=1,
             kind=nm.KIND["理财申购"], channel=UNSET, name=nm.positions(("本行理财专户",))[0],
             party=nm.PARTY["本行内部户"], memo=nm.MEMO_CODE["理财申购"], truth=0)  # fmt: skip
    wallet = budget.widen(wallet, 0.5)
    _own_transfers(context, rows, external, out=1)
    who = wallet.rows()
    cents = wallet.cents(np.exp(1.25 * rng.standard_normal(len(who))))
    step = np.full(len(who), 100 * YUAN)
    cents = round_parts(cents, wallet.count, rng.random(len(who)) < ROUND_WALLET, step)
    rows.add(who, cents, day=context.any_day(len(who)), hour=context.day_hours(len(who)), out=1,
             kind=nm.KIND["消费"], channel=nm.CHANNEL["第三方支付"],
             name=context.name(nm.WALLETS, who, 2), party=nm.PARTY["第三方支付"],
             memo=context.memo(("购物", "餐费", "话费"), len(who), 0.6), truth=0)  # fmt: skip
    _rest(context, rows, budget.rest(), out=1)


def _lenders(context: Context, rows: Rows, budget: Budget) -> int:
    """Add online-loan repayments; return how many carry a lender keyword."""
    plan, hits = context.plan, 0
    for slot in range(MAX_LENDERS):
        item = budget.take(_due(context, slot))
        who = item.rows()
        name = plan.lender_name[who, slot]
        hits += int((name < KEYWORD_LENDERS).sum())
        rows.add(who, item.amount[item.count > 0],
                 day=context.fixed_day(plan.lender_day[who, slot]), hour=8, out=1,
                 kind=nm.KIND["转账"], channel=nm.CHANNEL["网上银行"], name=name,
                 party=nm.PARTY["企业"],
                 memo=context.memo(("还款", "借款还款", "代扣", "自动扣款"), len(who), 0.35),
                 truth=nm.TRUTH["网贷还款"])  # fmt: skip
    return hits


def _false_hits(context: Context, rows: Rows, budget: Budget, hits: int) -> None:
    """Add payments whose payee only sounds like a lender, as many as the precision wants."""
    plan, rng, panel = context.plan, context.rng, context.panel
    total = round(hits * (1 / context.precision - 1))
    steady = min(round(hits * (1 / context.precision_periodic - 1)), total)
    busy = panel.out_count.min(axis=1) >= 3
    price = np.array([2990, 4900, 9900, 19900])[(plan.priority * 4e4).astype(int) % 4]
    for count, names, rank in (
        (steady, nm.FALSE_PERIODIC, np.where(busy, plan.priority, 2 + plan.priority)),
        (total - steady, nm.FALSE_NAMES, rng.random(len(plan.priority))),
    ):
        periodic = names is nm.FALSE_PERIODIC
        amount = price if periodic else np.exp(rng.normal(9.0, 0.9, len(price))).astype(np.int64)
        able = (budget.slots >= 2) & (budget.left > amount + budget.slots)
        if not periodic:
            able &= plan.priority > 0.1
        order = np.argsort(np.where(able, rank, np.inf), kind="stable")[:count]
        wanted = np.zeros(len(price), dtype=np.int64)
        wanted[order] = np.where(able[order], amount[order], 0)
        item = budget.take(wanted)
        who = item.rows()
        day = context.fixed_day(plan.bank_day[who], 1) if periodic else context.any_day(len(who))
        rows.add(who, item.amount[item.count > 0], day=day, hour=context.day_hours(len(who)),
                 out=1, kind=nm.KIND["消费"], channel=nm.CHANNEL["收单"],
                 name=context.name(names, who, 1 if periodic else len(names)),
                 party=nm.PARTY["企业"],
                 memo=context.memo(("会员费",) if periodic else ("餐费", "购物", "货款"), len(who)),
                 truth=nm.TRUTH["误报"])  # fmt: skip


def _rest(context: Context, rows: Rows, item: Item, out: int) -> None:
    """Explain what is left: people, cash, shops, firms, wallets."""
    rng = context.rng
    who = item.rows()
    count = len(who)
    if count == 0:
        return
    cents = item.cents(np.exp(1.7 * rng.standard_normal(count)))
    u = rng.random(count)
    cash = (u < (0.22 if out else 0.24)) & (cents >= 200 * YUAN)
    cash[np.concatenate(([0], np.cumsum(item.count[item.count > 0])[:-1]))] = False
    firm = ~cash & (context.plan.habit[who] < 0.25) & (rng.random(count) < 0.5)
    shop = ~cash & ~firm & (rng.random(count) < 0.4)
    person = ~cash & ~firm & ~shop
    step = np.where(cents >= 30_000 * YUAN, 1000 * YUAN, 100 * YUAN)
    chosen = cash | ((person | firm) & (rng.random(count) < ROUND_TRANSFER))
    cents = round_parts(cents, item.count, chosen, step)
    day, hour = context.any_day(count), context.day_hours(count)
    counter = np.where(rng.random(count) < 0.45, nm.CHANNEL["柜面"], nm.CHANNEL["自助设备"])
    office = 9 + (hour % 8)

    def add(mask: np.ndarray, kind: str, party: str, name: Any, memo: Any, channel: Any) -> None:
        rows.add(who[mask], cents[mask], day=day[mask], hour=(office if kind in ("存现", "取现")
                 else hour)[mask], out=out, kind=nm.KIND[kind], channel=channel, name=name,
                 party=nm.PARTY[party], memo=memo, truth=0)  # fmt: skip

    transfer = UNSET if out else ONLINE
    add(cash, "取现" if out else "存现", "现金", -1, -1, counter[cash])
    add(person, "转账", "个人", context.name(nm.PEOPLE, who[person], 9),
        context.memo(("转账", "还钱", "生活费", "红包", "房租"), person.sum(), 0.5),
        transfer)  # fmt: skip
    add(firm, "转账", "企业", context.name(nm.FIRMS, who[firm], 4),
        context.memo(("货款", "转账"), firm.sum(), 0.2), transfer)  # fmt: skip
    if out:
        add(shop, "消费", "商户", context.name(nm.SHOPS, who[shop], 8),
            context.memo(("购物", "餐费"), shop.sum(), 0.5), AT_SHOP)  # fmt: skip
    else:
        add(shop, "转账", "第三方支付", context.name(nm.WALLETS, who[shop], 2),
            context.memo(("转账", "退款"), shop.sum(), 0.5), nm.CHANNEL["第三方支付"])  # fmt: skip


def _channels(context: Context, columns: dict[str, np.ndarray]) -> None:
    """Fill open channels: first as many mobile ones as the panel counts, then the others."""
    open_rows = np.flatnonzero(columns["channel"] <= UNSET)
    if len(open_rows) == 0:
        return
    order = open_rows[np.argsort(columns["who"][open_rows], kind="stable")]
    owner = columns["who"][order]
    start = np.searchsorted(owner, owner, side="left")
    rank = np.arange(len(order)) - start
    mobile = rank < context.panel.mobile_count[owner, context.month]
    mixed = np.array([nm.CHANNEL["柜面"], nm.CHANNEL["自助设备"], nm.CHANNEL["网上银行"]])
    rest = mixed[weighted_choice(context.rng, (0.35, 0.15, 0.5), len(order))]
    wanted = columns["channel"][order]
    rest = np.where(wanted == AT_SHOP, nm.CHANNEL["收单"], rest)
    rest = np.where(wanted == ONLINE, nm.CHANNEL["网上银行"], rest)
    columns["channel"][order] = np.where(mobile, nm.CHANNEL["手机银行"], rest)
