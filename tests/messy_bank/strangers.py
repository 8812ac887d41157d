"""Other data that somebody might bring: small files of five kinds that the course never saw."""

from __future__ import annotations

import datetime
import random
from pathlib import Path

from .identities import card_number, credit_code

ROWS = 240
_FIRST = datetime.date(2025, 1, 1)


def _day(chance: random.Random) -> datetime.date:
    return _FIRST + datetime.timedelta(days=chance.randrange(365))


def invoices(folder: Path) -> list[Path]:
    """Write the invoices of small firms: Chinese headers, no deposits at all."""
    chance = random.Random(1)
    lines = [
        "发票号码,开票日期,销方税号,销方名称,购方名称,货物名称,金额,税率,税额,价税合计,发票状态"
    ]
    for i in range(ROWS):
        net = round(chance.uniform(80, 90_000), 2)
        tax = round(net * 0.01, 2)
        seller = credit_code(700_000_000 + i % 20)
        lines.append(
            f"2533{i:016d},{_day(chance)},{seller},云禾{i % 20}号农资经营部,"
            f"青石{i % 9}号商贸有限公司,化肥,{net:.2f},1%,{tax:.2f},{net + tax:.2f},"
            f"{'正常' if i % 17 else '作废'}"
        )
    return [_write(folder / "发票明细.csv", lines, "gb18030")]


def retail(folder: Path) -> list[Path]:
    """Write a shop's customers, transactions and app events with English headers."""
    chance = random.Random(2)
    people = ["customer_id,first_name,last_name,gender,date_of_birth,email,signup_date,city,status"]
    sales = [
        "transaction_id,customer_id,transaction_date,amount,currency,payment_method,merchant,category"
    ]
    events = ["event_id,user_id,event_time,event_name,screen,session_seconds,device_id"]
    for i in range(ROWS):
        who = f"U{i % 60:05d}"
        if i < 60:
            people.append(
                f"{who},Name{i},Family{i},{'FM'[i % 2]},19{60 + i % 40}-0{1 + i % 9}-11,"
                f"n{i}@example.com,{_day(chance)},Town{i % 4},active"
            )
        sales.append(
            f"T{i:07d},{who},{_day(chance)}T10:{i % 60:02d}:00Z,{chance.uniform(1, 300):.2f},"
            f"EUR,card,Shop {i % 7},food"
        )
        events.append(
            f"E{i:07d},{who},{_day(chance)}T11:{i % 60:02d}:00Z,login,home,{i % 300},"
            f"dev{i % 60:04d}"
        )
    return [
        _write(folder / "customers.csv", people),
        _write(folder / "transactions.csv", sales),
        _write(folder / "app_events.csv", events),
    ]


def merchant_days(folder: Path) -> list[Path]:
    """Write payments a merchant and day."""
    chance = random.Random(3)
    lines = ["商户号\t商户名称\t交易日期\t交易笔数\t交易金额（元）\t手续费"]
    for i in range(ROWS):
        count = chance.randrange(1, 60)
        day = _FIRST + datetime.timedelta(days=i // 12)
        name = f"桂林路{i % 12}号小吃"
        amount = count * chance.uniform(8, 40)
        lines.append(
            f"8899{i % 12:08d}\t{name}\t{day:%Y%m%d}\t{count}\t{amount:.2f}\t{amount * 0.003:.2f}"
        )
    return [_write(folder / "merchant_pay.txt", lines)]


def foreign_accounts(folder: Path) -> list[Path]:
    """Write a foreign bank's accounts: days before months, decimal commas, other currencies."""
    chance = random.Random(4)
    lines = [
        "Account Number;Customer Number;Product;Currency;Opening Date;Maturity Date;Balance;Rate"
    ]
    for i in range(ROWS):
        whole, cents = divmod(chance.randrange(1_000, 90_000_000), 100)
        balance = f"{whole:,}".replace(",", ".") + f",{cents:02d}"
        opened = _day(chance)
        due = "" if i % 3 else f"{opened.replace(year=2027, day=min(opened.day, 28)):%d/%m/%Y}"
        lines.append(
            f"{card_number(i)};{100_000 + i % 80};{'TERM' if due else 'CURRENT'};EUR;"
            f"{opened:%d/%m/%Y};{due};{balance};2,15"
        )
    return [_write(folder / "accounts.csv", lines, "utf-8-sig")]


def one_table(folder: Path) -> list[Path]:
    """Write one table alone: loans."""
    chance = random.Random(5)
    lines = [
        "借据号,客户号,机构号,产品代码,放款日期,到期日期,放款金额,贷款余额,执行利率,"
        "还款方式,担保方式,贷款用途,五级分类,逾期天数,发放类型,线上标志,普惠小微,涉农,绿色"
    ]
    for i in range(ROWS):
        opened = _day(chance)
        amount = chance.randrange(1, 80) * 10_000
        lines.append(
            f"JJ{i:08d},KH{i % 90:08d},J{i % 6:03d},P01,{opened},"
            f"{opened.replace(year=2026, day=1)},"
            f'"{amount:,.2f}","{amount * 0.8:,.2f}",{chance.uniform(3, 7):.2f},等额本息,信用,经营,'
            f"{'正常' if i % 11 else '关注'},{0 if i % 11 else 40},新增,是,是,否,否"
        )
    return [_write(folder / "loans.csv", lines, "gb18030")]


STRANGERS = {
    "invoices": invoices,
    "retail": retail,
    "merchant_days": merchant_days,
    "foreign": foreign_accounts,
    "one_table": one_table,
}


def _write(path: Path, lines: list[str], encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(("\n".join(lines) + "\n").encode(encoding))
    return path
