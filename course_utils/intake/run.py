"""``run_intake``: a bank's exports become its tables, or a report says why they cannot."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_utils.bank import load_profile
from course_utils.contract import load_contract
from course_utils.errors import CourseError
from course_utils.files import alone, explain_os_errors
from course_utils.intake import messages
from course_utils.intake.checking import check_sets
from course_utils.intake.engine import fetch_marts, staying
from course_utils.intake.mapping import load_mapping
from course_utils.intake.privacy import RawValueSample, ensure_key, key_path
from course_utils.intake.privacy import sample as raw_values
from course_utils.intake.publish import MANIFEST, SAMPLED, Published, publish
from course_utils.intake.report import FileResult, IntakeResult, Summary, summarise, write_report
from course_utils.intake.rules import RuleBook
from course_utils.intake.stage import Progress, Stage
from course_utils.intake.staging import FAULTS, REJECTED, SAMPLE, StagedFile, Staging
from course_utils.paths import home, incoming_dir, intake_dir, warehouse_dir

if TYPE_CHECKING:
    import duckdb

    from course_utils.bank import Profile
    from course_utils.intake.checking import SetChecks
    from course_utils.intake.mapping import BankMapping

#: Memory that checks and publication may take; what does not fit goes to disk.
MEMORY = "512MB"
#: Folder of the report, below the bank's intake folder.
REPORT = "数据报告"


@dataclass(frozen=True)
class Request:
    """What somebody asks of an intake.

    Parameters
    ----------
    bank : str
        Code of the bank.
    folder : pathlib.Path, optional
        Where the exports lie; what the mapping says if left out.
    new_key : bool
        Make a new key: all pseudonyms change.
    afresh : bool
        Read everything again, also what an earlier run had finished.
    engine : str, optional
        Address of the engine that works out the marts where the data live.
    """

    bank: str
    folder: Path | None = None
    new_key: bool = False
    afresh: bool = False
    engine: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What an intake came to.

    Parameters
    ----------
    summary : Summary
        Rows in and out, rules that were broken, why nothing was published.
    published : Published or None
        What stands in the bank now; None if it stayed as it was.
    report : pathlib.Path
        Folder of the report.
    """

    summary: Summary
    published: Published | None
    report: Path


def run_intake(
    request: Request,
    say: Callable[[str], None] = lambda sentence: None,
    progress: Progress = lambda label, done, total: None,
) -> Outcome:
    """Take a bank's exports in.

    The bank's tables appear complete or stay as they were; the report is written either way.

    Parameters
    ----------
    request : Request
        What to do.
    say : callable
        Called with sentences that people must read.
    progress : callable
        Called as ``progress(label, done, total)``.

    Returns
    -------
    Outcome
        What was found and what was published.

    Raises
    ------
    CourseError
        If the profile, the mapping, a file or the key is not usable, or another intake runs.
    """
    profile, mapping = load_profile(request.bank), load_mapping(request.bank)
    if not mapping.tables:
        raise CourseError(
            f"data/banks/{profile.code}/mapping.yml 里还没有填任何一张表："
            "请先用 course bank inspect 看导出文件，再把对应的列填进去。"
        )
    place = intake_dir(profile.code)
    busy = f"“{profile.name}”正在另一个窗口导入，请等它结束后再试。"
    with explain_os_errors(place):
        place.mkdir(parents=True, exist_ok=True)
        place.chmod(0o700)
        with alone(place / ".lock", busy):
            return _Intake(request, profile, mapping, place, say).run(progress)


class _Intake:
    """One intake, while nobody else works on the bank."""

    def __init__(
        self,
        request: Request,
        profile: Profile,
        mapping: BankMapping,
        place: Path,
        say: Callable[[str], None],
    ) -> None:
        self.request, self.profile, self.mapping, self.place = request, profile, mapping, place
        self.contract = load_contract()
        self.rules = RuleBook.from_profile(profile.rules, self.contract)
        self.staging = Staging(place / ".staging")
        self.target = warehouse_dir(profile.code)
        self.say = say

    def run(self, progress: Progress) -> Outcome:
        """Stage, check, publish, report."""
        stage = self._stage()
        staged = stage.run(progress)
        if stage.resumed:
            self.say(f"有 {len(stage.resumed)} 个文件上次已经读完、没有变过，这次直接接着做。")
        published = None
        with self._connection() as connection:
            checks = self._check(connection, staged)
            result = self._result(staged, checks)
            summary = summarise(result)
            if summary.may_publish:
                published = self._publish(connection, checks, staged)
        told = [*messages.empty(summary), *messages.skipped(result)]
        if published is not None:
            told += messages.stale(result, self.target)
            told += messages.published_as(published, result)
        for sentence in told:
            self.say(sentence)
        result = replace(result, messages=told)
        self._report(result, published)
        if published is not None:
            self.staging.clear()
        return Outcome(summary, published, self.place / REPORT)

    def _result(self, staged: list[StagedFile], checks: SetChecks) -> IntakeResult:
        kept: Counter[str] = Counter()
        faults, rejected, files = [], {}, []
        for file in staged:
            faults += file.shards(FAULTS)
            rejected.setdefault(file.table, []).extend(file.shards(REJECTED))
            for place, sheet in enumerate(file.sheets):
                kept[file.table] += sheet.kept
                notes = file.notes if place == 0 else {}
                files.append(
                    FileResult(
                        file.table, file.name, sheet.sheet, sheet.columns, sheet.counts,
                        sheet.kept, sheet.rejected, notes,
                    )
                )  # fmt: skip
        for table, reasons in checks.rejected.items():
            kept[table] -= reasons.total()
        for table, path in checks.lost.items():
            rejected[table].append(path)
        if checks.path is not None:
            faults.append(checks.path)
        return IntakeResult(
            bank=self.profile.code,
            name=self.profile.name,
            as_of=self.profile.as_of.date(),
            made=f"{datetime.now():%Y-%m-%d %H:%M}",
            contract=self.contract,
            mapping=self.mapping,
            rules=self.rules,
            files=files,
            kept=kept,
            faults=faults,
            rejected=rejected,
        )

    def _stage(self) -> Stage:
        key, sentence = ensure_key(
            self.profile.code,
            used_before=(self.target / MANIFEST).is_file(),
            new=self.request.new_key,
        )
        if sentence:
            self.say(sentence)
        self.key = key
        self._same_key()
        if self.request.afresh:
            self.staging.clear()
        folder = self._folder()
        return Stage(
            self.contract,
            self.mapping,
            folder,
            self.profile.as_of.date(),
            self.rules,
            key,
            self.staging,
            self._elsewhere(),
        )

    def _elsewhere(self) -> frozenset[str]:
        """Return the tables whose rows stay in another engine."""
        if self.request.engine is None:
            return frozenset()
        elsewhere = frozenset(part.table for part in staying(self.mapping, self.contract))
        read = {part.table for part in self.mapping if not part.database}
        if SAMPLED in elsewhere - read:
            self.say(
                "交易流水留在引擎里，只取回月度结果：看流水明细的课没有数据可读，"
                "要开这些课，请在 mapping.yml 的 transaction 里再写一个流水文件（抽样的整户）。"
            )
        return elsewhere

    def _report(self, result: IntakeResult, published: Published | None) -> None:
        try:
            with explain_os_errors(self.place / REPORT):
                write_report(self.place / REPORT, result)
        except CourseError as fault:
            if published is None:
                raise
            raise CourseError(
                f"新的数据表已经写好，只有数据报告没有写成，改好后再运行一次会补上：{fault}"
            ) from fault

    def _same_key(self) -> None:
        """Refuse a key that is not the one of the last intake: no pseudonym would match."""
        known = self.place / raw_values.FILE
        if self.request.new_key or not known.is_file():
            return
        if not raw_values.made_with(self.key, known):
            raise CourseError(
                f"现在的密钥（{key_path(self.profile.code)}）不是上次导入用的那一把："
                "请把原来的放回去；确实要换时加 --new-key 重做，但所有假名都会改变。"
            )

    def _folder(self) -> Path:
        """Return where the exports lie."""
        if self.request.folder is not None:
            return self.request.folder
        if self.mapping.folder is None:
            return incoming_dir(self.profile.code)
        return (home() or Path.cwd()) / self.mapping.folder

    @contextmanager
    def _connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open a database that spills to the intake's own folder; all it sees is de-identified."""
        import duckdb

        spill = self.place / ".spill"
        shutil.rmtree(spill, ignore_errors=True)
        config: Mapping[str, Any] = {
            "threads": 2,
            "memory_limit": MEMORY,
            "temp_directory": str(spill),
            "preserve_insertion_order": False,
        }
        try:
            with explain_os_errors(spill), duckdb.connect(config=dict(config)) as connection:
                yield connection
        finally:
            shutil.rmtree(spill, ignore_errors=True)

    def _check(self, connection: duckdb.DuckDBPyConnection, staged: list[StagedFile]) -> SetChecks:
        places: dict[str, dict[int, tuple[str, str]]] = {}
        for file in staged:
            for sheet in file.sheets:
                places.setdefault(file.table, {})[sheet.part] = (file.name, sheet.sheet)
        return check_sets(
            connection,
            {name: self.staging.pattern(name) for name in self.staging.tables()},
            self.contract,
            self.rules,
            self.profile.as_of.date(),
            places,
            self.mapping,
            self.staging.folder,
        )

    def _publish(
        self,
        connection: duckdb.DuckDBPyConnection,
        checks: SetChecks,
        staged: list[StagedFile],
    ) -> Published:
        self._save_raw_values(staged)
        about = {
            "bank": self.profile.code,
            "as_of": str(self.profile.as_of.date()),
            "files": sorted({file.name for file in staged}),
        }
        as_of, scratch = self.profile.as_of.date(), self.place / ".scratch"
        try:
            carried = self._fetch(scratch)
            return publish(
                connection, checks, self.contract, self.target, as_of, scratch, about, carried
            )
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _fetch(self, scratch: Path) -> dict[str, Path]:
        """Have the marts worked out where the rows stay; return mart → Parquet file."""
        if self.request.engine is None:
            return {}
        as_of, folder = self.profile.as_of.date(), scratch / "marts"
        fetched = fetch_marts(
            self.request.engine, self.mapping, self.contract, self.key, as_of, folder
        )
        return {one.table: one.path for one in fetched}

    def _save_raw_values(self, staged: list[StagedFile]) -> None:
        sample = RawValueSample(self.key)
        for file in staged:
            sample.absorb(file.folder / SAMPLE)
        sample.save(self.place / raw_values.FILE)
