"""De-identify typed rows column by column, as the contract's ``protect`` says."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from course_utils.errors import CourseError
from course_utils.intake.privacy import free_text, masks
from course_utils.intake.privacy.sample import RawValueSample, worth_keeping
from course_utils.intake.privacy.tokens import Tokens, replace_values

if TYPE_CHECKING:
    import polars as pl

    from course_utils.contract import Column, Table

#: Names of columns that hold secrets of authentication (C3): such a column is never read.
_SECRET_COLUMN = re.compile(
    r"密码|口令|验证码|磁道|芯片数据|指纹|人脸|面部|虹膜|声纹|生物特征|安全码|"
    r"(?:^|[^a-z])(?:cvv2?|cvn2?|cvc2?|pin|password|passwd|pwd|track_?[123]?|fingerprint|face_?id)(?:[^a-z]|$)|"
    r"^(?:卡片?)?有效期(?:至)?$",
    re.IGNORECASE,
)
#: Kinds of free text that are secrets of authentication.
_SECRETS = {"鉴别信息", "磁道数据"}
#: What a value of a column that is kept must not look like.
_IDENTIFIER = (
    r"(?:^|[^0-9A-Za-z.])(?:1[3-9]\d[ -]?\d{4}[ -]?\d{4}|[1-8]\d{5}(?:19|20)\d{9}[0-9Xx]|\d{15,19}|"
    r"[0-9ANY]\d{7}[0-9A-HJ-NPQRTUWXY]{10})(?:$|[^0-9A-Za-z])"
)
#: A kept whole number of this size is no count, day or year: somebody mapped a number of a person.
_TOO_LARGE = 10_000_000_000
#: A kept column is taken for names if so many different values look like one.
_NAMES_LEAST, _NAMES_SHARE = 20, 0.8
#: So large a share of secrets among the different texts of a column stops the intake.
_SECRETS_LEAST, _SECRETS_SHARE = 5, 0.05
_ID_DOMAIN = re.compile(r"person|enterprise|identity|certificate|uscc")
_PHONE_DOMAIN = re.compile(r"phone|mobile|电话")


@dataclass(frozen=True)
class Finding:
    """Something that de-identification had to cover where nothing was expected.

    Parameters
    ----------
    table, column : str
        Contract names.
    kind : str
        Chinese word for what was found.
    count : int
        Different values in the chunks seen (a value in two chunks counts twice).
    """

    table: str
    column: str
    kind: str
    count: int


class Protector:
    """De-identifies the rows of one bank.

    Parameters
    ----------
    key : bytes
        The bank's key.
    sample : RawValueSample, optional
        Takes a sample of what is replaced, for the scan of outputs.
    """

    def __init__(self, key: bytes, sample: RawValueSample | None = None) -> None:
        self._tokens = Tokens(key)
        self._sample = sample
        self._found: Counter[tuple[str, str, str]] = Counter()

    def __repr__(self) -> str:
        return "<Protector>"

    @property
    def findings(self) -> list[Finding]:
        """What was covered so far without the contract expecting it, and in free text."""
        return [Finding(*place, count) for place, count in sorted(self._found.items())]

    def protect(self, table: Table, rows: pl.DataFrame) -> pl.DataFrame:
        """Return the same rows and columns, de-identified.

        Parameters
        ----------
        table : Table
            Definition of the table.
        rows : polars.DataFrame
            Typed rows; columns that the contract does not know (``_row``) stay as they are.

        Raises
        ------
        CourseError
            If a column holds secrets of authentication.
        """
        changed = [
            self._column(table, table.columns[name], rows[name])
            for name in rows.columns
            if name in table.columns
        ]
        return rows.with_columns(changed)

    def _column(self, table: Table, column: Column, values: pl.Series) -> pl.Series:
        rule, _, domain = column.protect.partition(":")
        if rule == "refuse":
            return _refuse(table, column, values)
        if rule in ("year", "month_number"):
            return _coarse_date(rule, values)
        if rule == "round":
            return (values / float(domain)).round() * float(domain)
        import polars as pl

        if values.dtype != pl.String:
            return self._kept_number(table, column, values)
        different = values.drop_nulls().unique()
        if rule == "pseudonym":
            self._note(table, column, different)
            new = self._tokens.make(domain, _canonical(domain, different).to_list())
            return replace_values(values, different, new)
        if rule == "keep":
            return self._kept_text(table, column, values, different)
        if rule == "free_text":
            return self._cover(table, column, values, different)
        new = self._masked(table, column, rule, different)
        return replace_values(values, different, new)

    def _masked(self, table: Table, column: Column, rule: str, different: pl.Series) -> list[str]:
        def token(domain: str) -> Callable[[str], str]:
            return lambda text: self._tokens.make(domain, [text])[0]

        functions: dict[str, Callable[[str], str]] = {
            "name": masks.mask_name,
            "address": masks.mask_address,
            "organisation": lambda text: masks.organisation_label(text, token("organisation")),
            "counterparty": lambda text: masks.counterparty_label(text, token("party")),
        }
        if rule not in functions:
            raise ValueError(f"{table.name}.{column.name}: unknown protection {column.protect!r}")
        texts = different.to_list()
        new = [functions[rule](text) for text in texts]
        self._note(table, column, _hidden(texts, new))
        return new

    def _note(self, table: Table, column: Column, values: Iterable[str]) -> None:
        if self._sample is not None:
            self._sample.note(f"{table.name}.{column.name}", values)

    def _cover(
        self, table: Table, column: Column, values: pl.Series, different: pl.Series
    ) -> pl.Series:
        """Cover what stands in free text."""
        suspects = different.filter(different.str.contains(free_text.SUSPECT))
        old, new, secrets = [], [], 0
        for text in suspects.to_list():
            covered, kinds = free_text.cover(text)
            if kinds:
                old.append(text)
                new.append(covered)
                secrets += bool(_SECRETS & set(kinds))
                self._found.update((table.name, column.name, kind) for kind in kinds)
        if secrets >= _SECRETS_LEAST and secrets > _SECRETS_SHARE * len(different):
            raise _secret(f"“{table.zh}”的“{column.zh}”（{column.name}）里有 {secrets:,} 条")
        import polars as pl

        return replace_values(values, pl.Series(old, dtype=pl.String), new)

    def _kept_text(
        self, table: Table, column: Column, values: pl.Series, different: pl.Series
    ) -> pl.Series:
        """Look for identifiers where none should be: a clerk may have mapped the wrong column."""
        if column.codes:
            return values
        if column.type == "text":
            values = self._cover(table, column, values, different)
            different = values.drop_nulls().unique()
            if _like_names(different):
                self._found[table.name, column.name, "像姓名的列"] += len(different)
                return replace_values(
                    values, different, [masks.mask_name(text) for text in different.to_list()]
                )
            return values
        bad = different.filter(different.str.contains(_IDENTIFIER))
        if not len(bad):
            return values
        self._found[table.name, column.name, "像证件号、手机号或卡号的编号"] += len(bad)
        self._note(table, column, bad)
        # in a key the same value must stay the same value, or references would break
        return replace_values(values, bad, self._tokens.make("identifier", bad.to_list()))

    def _kept_number(self, table: Table, column: Column, values: pl.Series) -> pl.Series:
        import polars as pl

        if not values.dtype.is_integer():
            return values
        large = int((values.abs() >= _TOO_LARGE).sum() or 0)
        if not large:
            return values
        self._found[table.name, column.name, "像号码的整数"] += large
        return values.to_frame().select(
            pl.when(pl.first().abs() < _TOO_LARGE).then(pl.first()).alias(values.name)
        )[values.name]


#: What the sample can tell of an address ends before the number of the house: half the town's.
_PLACE = re.compile(r"(?:村|社区|小区|街道|乡|镇|路|街|巷|弄|道|园|县|区|市|组)$")


def _hidden(texts: Iterable[str], new: Iterable[str]) -> Iterator[str]:
    """Yield raw texts that must not come up again; a village or a public body may stay."""
    for text, masked in zip(texts, new, strict=True):
        # 某商业银行: somebody has left the name out already
        told = worth_keeping(text)
        known = told in masked or _PLACE.search(told) or text.startswith("某")
        if not (known or masks.is_public(text)):
            yield text


def refuse_secrets(table: str, names: Iterable[str]) -> None:
    """Fail if a mapping reads a column whose name says that it holds secrets of authentication.

    Parameters
    ----------
    table : str
        Chinese name of the table, for the sentence.
    names : iterable of str
        Names of source columns that the mapping uses.

    Raises
    ------
    CourseError
        Passwords, card verification codes, track data, biometrics never enter the course.
    """
    for name in names:
        if _SECRET_COLUMN.search(name):
            raise _secret(f"“{table}”要读的列“{name}”")


def _secret(where: str) -> CourseError:
    return CourseError(
        f"{where}是用户鉴别信息（C3：密码、验证码、卡片安全码、磁道、生物特征），任何时候都不得进入课堂："
        "请让数据提供人从导出里删去，再重新导入。"
    )


def _refuse(table: Table, column: Column, values: pl.Series) -> pl.Series:
    if values.null_count() < len(values):
        raise _secret(f"“{table.zh}”的“{column.zh}”（{column.name}）")
    return values


def _coarse_date(rule: str, values: pl.Series) -> pl.Series:
    """Return dates of which the year stays, or the month in a year that says nothing."""
    if not values.dtype.is_temporal():
        return values
    if rule == "year":
        return values.dt.truncate("1y")
    return values.dt.replace(year=2000, day=1)


def _canonical(domain: str, values: pl.Series) -> pl.Series:
    """Return values in the one spelling that is hashed: the same thing has the same pseudonym."""
    text = values.str.normalize("NFKC").str.replace_all(r"[\s'`\u200b\ufeff]", "")
    if _ID_DOMAIN.search(domain):
        return text.str.to_uppercase()
    if _PHONE_DOMAIN.search(domain):
        return text.str.replace_all(r"[^0-9]", "").str.replace(r"^(?:0086|86)(1\d{10})$", "$1")
    return text


def _like_names(different: pl.Series) -> bool:
    """Say whether the values of a column are people's names as far as one can tell."""
    if len(different) < _NAMES_LEAST:
        return False
    like = different.str.contains(rf"^[{free_text.SURNAMES}][\u4e00-\u9fff]{{1,2}}$")
    return like.sum() > _NAMES_SHARE * len(different)
