"""Short files whose few Chinese letters are good UTF-8 by accident."""

import pytest

from course_utils.intake.reading import ReadOptions, open_source


def cells(path):
    reading = open_source(path, ReadOptions(wanted=("JGDC", "XJ")))[0]
    return [value for chunk in reading.chunks() for value in chunk["JGDC"]]


def test_chinese_that_is_also_utf8(tmp_path):
    path = tmp_path / "peers.csv"
    data = "JGDC,XJ\n同业01,1\n同业02,2\n".encode("gb18030")
    data.decode("utf-8")  # the accident
    path.write_bytes(data)
    assert cells(path) == ["同业01", "同业02"]


@pytest.mark.parametrize(
    "word", ["café", "Zürich Ähre", "Пример", "Αθήνα", "naïve 12 €", "同业", "5 µm"]
)
def test_utf8_that_is_meant(tmp_path, word):
    path = tmp_path / "words.csv"
    path.write_bytes(f"JGDC,XJ\n{word},1\n".encode())
    assert cells(path) == [word]


@pytest.mark.parametrize("word", ["联通", "一种", "移动，（支行）", "同业存单"])
def test_other_short_chinese(tmp_path, word):
    path = tmp_path / "words.csv"
    path.write_bytes(f"JGDC,XJ\n{word},1\n".encode("gb18030"))
    assert cells(path) == [word]
