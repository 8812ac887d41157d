"""Invented names: syllable lists only, nothing taken from a real place, person or firm."""

from __future__ import annotations

import numpy as np

from course_utils.errors import CourseError

SURNAMES = np.array(
    list(
        "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶余"
    ),
    dtype=object,
)
_GIVEN = list("安宁和平清远明德文华建国春秋雨雪松柏青云海山石川兰芳秀英玉美丽红梅丹霞晓俊杰伟强军")
_PLACE_FIRST = list("云石清青白金玉龙凤松竹梅桃柳沙枫杉枣荷莲桂梧鹤雁鹿牛马羊古新大小上下高平")
_PLACE_LAST = list("溪岭湾坪坝桥渡塘泉坡岗沟堰埠台垭坑园坎坳")
_TOWN_LAST = list("墩涧塬畈滩")
_FIRM_FIRST = list("禾泽岚苑霁澄牧谷穗硕沛熙朗昱琦砚帆舟禹稷耘")
_FIRM_SECOND = list("丰兴达茂源顺隆盛宏庆裕泰康益恒发")


def _pairs(first: list[str], last: list[str], skip: set[str] | None = None) -> list[str]:
    skip = skip or set()
    return [a + b for b in last for a in first if a != b and a + b not in skip]


def place_names(rng: np.random.Generator, count: int, suffix: str, town: bool = False) -> list[str]:
    """Draw different invented place names.

    Parameters
    ----------
    rng : numpy.random.Generator
        Random stream.
    count : int
        How many names.
    suffix : str
        Ending such as 村, 社区, 镇.
    town : bool
        Use the syllables kept for towns, so that no town shares a name with a village.

    Returns
    -------
    list of str
        `count` different names.
    """
    pool = _pairs(_PLACE_FIRST, _TOWN_LAST if town else _PLACE_LAST)
    if count > len(pool):
        raise CourseError(
            f"虚构地名只备了 {len(pool)} 个，档案里要 {count} 个，请减少乡镇或村的个数。"
        )
    chosen = rng.permutation(len(pool))[:count]
    return [pool[i] + suffix for i in chosen]


def surname_codes(rng: np.random.Generator, count: int) -> np.ndarray:
    """Draw `count` surname codes with a long-tailed frequency, indices into `SURNAMES`."""
    weight = 1.0 / (np.arange(len(SURNAMES)) + 4.0)
    return rng.choice(len(SURNAMES), size=count, p=weight / weight.sum())


def masked_names(codes: np.ndarray, two_characters: np.ndarray) -> np.ndarray:
    """Return masked personal names: surname and one or two stars.

    Parameters
    ----------
    codes : numpy.ndarray of int, shape (n,)
        Surname codes.
    two_characters : numpy.ndarray of bool, shape (n,)
        Whether the whole name has two characters (one star).
    """
    table = np.array([[s + "**", s + "*"] for s in SURNAMES], dtype=object)
    return table[codes, two_characters.astype(int)]


def full_names(rng: np.random.Generator, codes: np.ndarray) -> np.ndarray:
    """Return invented full names for the one table that shows why names must be masked."""
    given = np.array(_GIVEN, dtype=object)
    first = given[rng.integers(0, len(given), len(codes))]
    second = given[rng.integers(0, len(given), len(codes))]
    return SURNAMES[codes] + first + np.where(rng.random(len(codes)) < 0.2, "", second)


def firm_names(rng: np.random.Generator, trade_words: np.ndarray, forms: np.ndarray) -> np.ndarray:
    """Return invented firm names: two syllables, a word for the trade, a legal form.

    Parameters
    ----------
    rng : numpy.random.Generator
        Random stream.
    trade_words : numpy.ndarray of object, shape (n,)
        Word for the trade such as 茶业, 建材.
    forms : numpy.ndarray of object, shape (n,)
        Legal form such as 有限公司, 店.

    Returns
    -------
    numpy.ndarray of object, shape (n,)
    """
    count = len(trade_words)
    first, second = np.array(_FIRM_FIRST, dtype=object), np.array(_FIRM_SECOND, dtype=object)
    head = first[rng.integers(0, len(first), count)]
    middle = first[rng.integers(0, len(first), count)]
    tail = second[rng.integers(0, len(second), count)]
    return head + middle + tail + trade_words + forms
