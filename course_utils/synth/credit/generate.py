"""Third stage of the synthetic bank: campaigns that lead to loans, then the whole loan book."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course_utils.synth.credit import bureau, cases, mortgage, schedule, tables
from course_utils.synth.credit import products as p
from course_utils.synth.credit.applications import write_applications
from course_utils.synth.credit.book import NONE, Book
from course_utils.synth.credit.borrowers import (
    ORGANIC,
    People,
    Starts,
    choose_borrowers,
    read_people,
)
from course_utils.synth.credit.chains import simulate
from course_utils.synth.credit.draws import timestamps
from course_utils.synth.credit.lines import build_lines, line_changes, line_months
from course_utils.synth.credit.months import LoanMonths, build_months, fill_panels, settle_dates
from course_utils.synth.credit.recalls import append_recalls
from course_utils.synth.credit.risk import record_multi
from course_utils.synth.credit.workout import WRITTEN_OFF, Workout, work_out
from course_utils.synth.marketing import campaigns, white_list

if TYPE_CHECKING:
    from course_utils.synth.state import Simulation


def generate(sim: Simulation) -> None:
    """Write all credit tables and hand over what later generators need.

    Tables: loan, repayment, loan_month, credit_line, credit_line_month, credit_line_change,
    collateral, npl_case, npl_action, bureau_report, bureau_loan, loan_application; also white_list
    and parts of contact_log (white list, recall, replacement of online and other banks' loans),
    because every draw on a list is a loan of the book.

    Arrays: ``loan_balance`` and ``loan_installment`` (元, customer × 24 months).
    New columns of ``sim.people``: has_mortgage, has_student_loan, has_business_loan,
    has_consumer_loan, has_credit_card, borrower (ever borrowed), organic_borrower (won by no
    campaign), loan_outcome (1 = a loan was more than 90 days overdue, 0 = never, −1 = never
    borrowed).
    """
    people = read_people(sim)
    chains, students, mortgages = choose_borrowers(sim, people)
    taken = people.borrower.copy()
    for chosen in (chains.person, students[0], mortgages[0]):
        taken[chosen] = True
    listed, campaign_starts, offers = _campaigns(sim, people, taken)
    result = simulate(sim, people, Starts.join([chains, *campaign_starts]))
    record_multi(sim, result.book)
    home, extras = mortgage.build_mortgages(sim, people, mortgages)
    student = mortgage.build_students(sim, people, students)
    book = Book.join([result.book, home, student])
    first_home = len(result.book)
    rows, work, months, settle, called = _instalments(sim, people, book, first_home, extras)
    written_off = np.full(len(book), NONE)
    lost = work.outcome == WRITTEN_OFF
    written_off[work.loan[lost]] = work.end[lost]
    _write(sim, people, book, rows, months, settle, written_off, called, first_home, extras)
    _hand_over(sim, people, book, rows, months, settle, called)
    names = tables.loan_ids(book)
    append_recalls(sim, people, book, result.recalls, names)
    cases.write_cases(sim, people, book, rows, work, names)
    home_rows = slice(first_home, first_home + len(home))
    cases.write_collateral(sim, book, names, extras["ltv"], home_rows, work)
    bureau.build(sim, people, book, settle, offers)
    write_applications(sim, people, book)
    white_list.finish(sim, listed, _borrowing_at(sim, book, settle, listed))


def _campaigns(
    sim: Simulation, people: People, taken: np.ndarray
) -> tuple[white_list.ListRows, list[Starts], campaigns.Offers]:
    """Run the campaigns; nobody is won twice."""
    taken = taken.copy()
    online = campaigns.convert_online(sim, people, taken)
    taken[online.person] = True
    other, offers = campaigns.replace_other_banks(sim, people, taken)
    taken[other.person] = True
    listed, starts = white_list.plan(sim, people, taken)
    return listed, [online, other, starts], offers


def _instalments(
    sim: Simulation, people: People, book: Book, first_home: int, extras: dict
) -> tuple[schedule.Instalments, Workout, LoanMonths, np.ndarray, np.ndarray]:
    """Return instalments, fate of bad loans, month ends, settlement dates, call dates."""
    as_of = sim.as_of.to_datetime64().astype("M8[D]")
    rows = schedule.contract_schedule(book)
    schedule.reprice(rows, book, first_home, extras["rates"], extras["months"])
    called = schedule.called_dates(rows, book)
    rows = schedule.truncate(rows, book, called, as_of)
    tendency = np.clip((people.pd[book.person] / 0.02) ** 0.7, 0.2, 5.0)
    schedule.pay(rows, book, tendency, as_of, sim.rng("payment"))
    rows, work = work_out(sim, book, rows, called)
    written_off = np.full(len(book), NONE)
    lost = work.outcome == WRITTEN_OFF
    written_off[work.loan[lost]] = work.end[lost]
    settle = settle_dates(book, rows, written_off)
    return rows, work, build_months(book, rows, settle, as_of), settle, called


def _write(
    sim: Simulation,
    people: People,
    book: Book,
    rows: schedule.Instalments,
    months: LoanMonths,
    settle: np.ndarray,
    written_off: np.ndarray,
    called: np.ndarray,
    first_home: int,
    extras: dict,
) -> None:
    """Write loan, repayment, loan_month and the lines."""
    as_of = sim.as_of.to_datetime64().astype("M8[D]")
    names = tables.loan_ids(book)
    final = np.concatenate((months.first[1:], [len(months.loan)])) - 1
    balance = np.where(np.isnat(settle), months.balance[final], 0)
    lines, line_id, numbering = build_lines(sim, people, book, settle, balance)
    sim.tables["credit_line"] = lines
    sim.tables["loan"] = tables.loan_table(sim, book, rows, months, settle, written_off, line_id)
    sim.tables["repayment"] = tables.repayment_table(book, rows, names)
    rate = book.rate[months.loan].copy()
    at_home = (months.loan >= first_home) & (book.kind[months.loan] == p.MORTGAGE)
    column = months.month[at_home] - extras["months"][0]
    rate[at_home] = extras["rates"][months.loan[at_home] - first_home, column]
    sim.tables["loan_month"] = tables.loan_month_table(book, months, names, rate)
    sim.tables["credit_line_month"] = line_months(sim, book, numbering, months, lines)
    bad_date = np.where(called <= as_of, called, NONE)
    sim.tables["credit_line_change"] = line_changes(
        sim, book, numbering, months, lines["line_id"].to_numpy(), bad_date
    )


def _borrowing_at(
    sim: Simulation, book: Book, settle: np.ndarray, listed: white_list.ListRows
) -> dict[int, np.ndarray]:
    """Return for each batch of the white list the persons with a live loan at its date."""
    person = sim.people["customer_type"].astype(str).to_numpy()[book.person] != "企业"
    result = {}
    for batch in np.unique(listed.batch):
        date = listed.date[listed.batch == batch][0]
        live = (book.issue < date) & (np.isnat(settle) | (settle > date)) & person
        live &= ~np.isin(book.kind, p.LONG)
        result[int(batch)] = np.unique(book.person[live])
    return result


def _hand_over(
    sim: Simulation,
    people: People,
    book: Book,
    rows: schedule.Instalments,
    months: LoanMonths,
    settle: np.ndarray,
    called: np.ndarray,
) -> None:
    """Set the panels and the columns of ``sim.people`` that later generators read."""
    fill_panels(sim, book, rows, months)
    as_of = sim.as_of.to_datetime64().astype("M8[D]")
    live = np.isnat(settle)
    for name, kinds in (
        ("has_mortgage", (p.MORTGAGE,)),
        ("has_student_loan", (p.STUDENT,)),
        ("has_business_loan", p.BUSINESS),
        ("has_consumer_loan", (p.ONLINE,)),
    ):
        flag = np.zeros(len(people), dtype=bool)
        flag[book.person[live & np.isin(book.kind, kinds)]] = True
        sim.people[name] = flag
    outcome = np.full(len(people), -1, dtype=np.int8)
    outcome[book.person] = 0
    outcome[book.person[called <= as_of]] = 1
    sim.people["loan_outcome"] = outcome
    sim.people["borrower"] = outcome >= 0
    organic = np.zeros(len(people), dtype=bool)
    organic[book.person[(book.chain >= 0) & (book.slot == 0) & (book.source == ORGANIC)]] = True
    sim.people["organic_borrower"] = organic
    _consent_of_new_borrowers(sim, people, book)
    sim.people["is_borrower"] = outcome >= 0
    sim.people["has_credit_card"] = _credit_cards(sim, people)
    _card_history(sim, people)


def _consent_of_new_borrowers(sim: Simulation, people: People, book: Book) -> None:
    """Add the two bureau consents of customers whom a campaign made borrowers."""
    new = np.flatnonzero(sim.people["borrower"].to_numpy(dtype=bool) & ~people.borrower)
    first = np.full(len(people), np.iinfo(np.int64).max)
    np.minimum.at(first, book.person, book.issue.astype(np.int64))
    signed = np.maximum(first[new].astype("M8[D]") - 3, people.opened[new])
    parts = [
        pd.DataFrame(
            {
                "customer_id": sim.people["customer_id"].to_numpy()[new],
                "scope": scope,
                "granted": True,
                "date": timestamps(signed),
                "expire_date": timestamps(np.full(len(new), NONE)),
            }
        )
        for scope in ("征信查询-授信", "征信查询-贷后")
    ]
    consent = pd.concat([sim.tables["consent"], *parts], ignore_index=True)
    sim.tables["consent"] = consent.sort_values(["customer_id", "scope"], ignore_index=True)


def _card_history(sim: Simulation, people: People) -> None:
    """Append the credit cards to ``customer_product_history``."""
    rng = sim.rng("card_history")
    rows = np.flatnonzero(sim.people["has_credit_card"].to_numpy(dtype=bool))
    as_of = sim.as_of.to_datetime64().astype("M8[D]")
    first = np.maximum(people.opened[rows], np.datetime64("2016-01-01"))
    room = np.maximum((as_of - first).astype(np.int64) - 10, 1)
    sim.append(
        "customer_product_history",
        pd.DataFrame(
            {
                "customer_id": sim.people["customer_id"].to_numpy()[rows],
                "item": "信用卡",
                "from_date": timestamps(first + (room * rng.random(len(rows))).astype("m8[D]")),
                "to_date": timestamps(np.full(len(rows), NONE)),
            }
        ),
    )


def _credit_cards(sim: Simulation, people: People) -> np.ndarray:
    """Draw credit cards; among mortgage holders `m03_n06.second_product` hold other credit."""
    rng = sim.rng("credit_card")
    frame = sim.people
    other = (frame["has_business_loan"] | frame["has_consumer_loan"]).to_numpy(dtype=bool)
    mortgage_holder = frame["has_mortgage"].to_numpy(dtype=bool)
    chance = 0.07 + 0.10 * frame["has_payroll"].to_numpy(dtype=bool)
    card = (rng.random(len(people)) < chance) & ~people.company & (people.age >= 20)
    card[mortgage_holder] = False
    wanted = round(float(sim.effects.value("m03_n06", "second_product")) * mortgage_holder.sum())
    missing = max(wanted - int((mortgage_holder & other).sum()), 0)
    pool = np.flatnonzero(mortgage_holder & ~other)
    card[rng.choice(pool, min(missing, len(pool)), replace=False)] = True
    sim.record("m03_n06", "second_product", wanted / max(int(mortgage_holder.sum()), 1))
    return card
