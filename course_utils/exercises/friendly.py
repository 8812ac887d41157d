"""A Chinese note above a beginner's own error; the standard error still follows for tools."""

from __future__ import annotations

import builtins
import difflib
import html
import re
from collections.abc import Callable, Mapping
from typing import Any

_WIDE = {chr(ord(sign) + 0xFEE0): sign for sign in "()[]{},.:;!?=+-*/<>%&|'\"_#"}
_WIDE |= {"“": '"', "”": '"', "‘": "'", "’": "'", "、": ",", "。": ".", "【": "[", "】": "]"}
_WIDE |= {"《": "<", "》": ">", "×": "*", "÷": "/", "—": "-", "\u3000": " ", "\u00a0": " "}
_WIDE |= {"≥": ">=", "≤": "<=", "≠": "!="}
_INVISIBLE = {"\u3000", "\u00a0", "\u200b", "\ufeff"}
_SEEN_TYPES = {
    "Series": "一列数（Series）",
    "DataFrame": "一张表（DataFrame）",
    "str": "文字",
    "int": "整数",
    "float": "小数",
    "list": "列表",
    "dict": "字典",
    "NoneType": "空值 None",
    "ellipsis": "还没有填的 ...",
}
Explainer = Callable[[BaseException, str, Mapping[str, Any]], "str | None"]


def explain(
    kind: type[BaseException], error: BaseException, names: Mapping[str, Any]
) -> str | None:
    """Say in Chinese what a beginner's error means and what to do.

    Parameters
    ----------
    kind : type
        Class of the error.
    error : BaseException
        The error.
    names : Mapping[str, Any]
        The notebook's variables, for the nearest variable or column name.

    Returns
    -------
    str or None
        One or two sentences, or None when there is nothing helpful to say.
    """
    for base in kind.__mro__:
        speaker = _SPEAKERS.get(base.__name__)
        if speaker is not None:
            return speaker(error, str(error), names)
    return None


def _syntax(error: BaseException, message: str, names: Mapping[str, Any]) -> str | None:
    where = f"第 {error.lineno} 行：" if getattr(error, "lineno", None) else ""
    line = getattr(error, "text", None) or ""
    outside = re.sub(r"(\"[^\"]*\"|'[^']*')", "", line)
    wide = [sign for sign in dict.fromkeys(outside) if sign in _WIDE and sign not in _INVISIBLE]
    blamed = re.search(r"invalid (?:non-printable )?character '(.)'|U\+([0-9A-F]{4})", message)
    if "invalid" in message and "character" in message and blamed and not wide:
        sign = blamed.group(1) or chr(int(blamed.group(2), 16))
        wide = [sign] if sign in _WIDE and sign not in _INVISIBLE else []
        if not wide:
            return where + "这一行里有看不见的字符或全角空格，请删掉后用英文空格重打。"
    if wide:
        fixes = "，".join(f"「{sign}」改成「{_WIDE[sign]}」" for sign in wide)
        return f"{where}用了中文（全角）标点：{fixes}。写代码时请切换到英文输入法。"
    return where + _other_syntax(message, line)


def _other_syntax(message: str, line: str) -> str:
    if "was never closed" in message:
        return f"有一个 {message.split(chr(39))[1]} 没有配对的右括号，请补上。"
    if "unmatched" in message or "does not match" in message:
        return "括号没有成对：左右括号的个数或种类不一样。"
    if "unterminated" in message:
        return "引号没有成对：文字的前后都要有引号，而且要一样。"
    if "expected ':'" in message:
        return "行末少了英文冒号“:”（if、for、def、while 这样的行都要有）。"
    if "Perhaps you forgot a comma" in message:
        return "两项之间可能少了英文逗号。"
    if "cannot assign" in message or "Maybe you meant '=='" in message:
        return "等号用错了：比较两个值是否相等要写“==”，赋值时变量名要放在“=”的左边。"
    if "leading zeros" in message:
        return "数字不能以 0 开头；编号要当文字，请加上引号。"
    if re.search(r"\d\s*[%％]", line):
        return "百分数要写成小数，或除以 100，例如 3/100。"
    return "这一行的写法 Python 看不懂：检查括号、引号、逗号、冒号是不是都齐了。"


def _indentation(error: BaseException, message: str, names: Mapping[str, Any]) -> str:
    where = f"第 {error.lineno} 行" if getattr(error, "lineno", None) else "这一行"
    if "expected an indented block" in message:
        return f"{where}要比上一行多缩进 4 个空格。"
    if type(error).__name__ == "TabError":
        return f"{where}混用了 Tab 和空格：请统一改成空格。"
    return f"{where}行首的空格不对齐：同一段代码的行首要一样齐，不需要缩进的行不要有空格。"


def _name(error: BaseException, message: str, names: Mapping[str, Any]) -> str:
    name = getattr(error, "name", None) or ""
    known = [key for key in names if not key.startswith("_")]
    if not name.isascii() or name in _columns(names) or _is_code(name):
        return (
            f'Python 把 {name} 当成了变量名。如果它是文字、列名或编号，请加上英文引号："{name}"。'
        )
    near = difflib.get_close_matches(name, [*known, *dir(builtins)], 1, 0.72)
    if near:
        return f"没有叫 {name} 的变量。是不是想写 {near[0]}？（大小写也要一样）"
    return f"没有叫 {name} 的变量。前面定义它的单元格可能还没有运行：请从上往下依次运行。"


def _is_code(name: str) -> bool:
    return bool(re.fullmatch(r"[A-Z]{1,2}\d+|true|false|null|nan|NaN", name))


def _columns(names: Mapping[str, Any]) -> list[str]:
    found: dict[str, None] = {}
    for value in list(names.values()):
        if type(value).__name__ == "DataFrame":
            found.update(dict.fromkeys(map(str, value.columns)))
    return list(found)


def _key(error: BaseException, message: str, names: Mapping[str, Any]) -> str:
    key = error.args[0] if error.args else message
    text = str(key)
    if missing := re.search(r"\[(.+)\] not (?:in index|found in axis)", text):
        text = missing.group(1).split(",")[0]
    text = re.sub(r"Index\(|\)$", "", text).strip("'\"[] ")
    columns = _columns(names)
    if text in columns:
        return (
            f"这一步用的表里没有“{text}”，虽然别的表里有：检查用的是哪张表，"
            "或者它在汇总、合并之后还在不在（可能到了索引里）。"
        )
    near = difflib.get_close_matches(text.strip(), columns, 1, 0.55)
    tail = f"最接近的列名是“{near[0]}”。" if near else "用 .columns 看看这张表有哪些列。"
    return f"没有“{text}”这一列（或这个键）。{tail}"


def _type(error: BaseException, message: str, names: Mapping[str, Any]) -> str | None:
    if "ellipsis" in message.lower():
        return "还有 ... 没有填：把 ... 换成你自己的代码。"
    if "NoneType" in message:
        return (
            "有一个变量是空值 None：前一步的函数可能没有 return，"
            "或者用了 inplace=True 又把结果赋给了变量。"
        )
    if "Cannot setitem on a Categorical" in message:
        return (
            "这一列是分类，只能放它已有的类别：先用 .astype(str) 变成文字，"
            "或者用 .cat.add_categories 加上新的类别。"
        )
    if "Invalid value" in message and "for dtype" in message:
        return "放进去的值和这一列的类型不一样：数字列里不能放文字，先看清这一列是什么。"
    if "concatenate str" in message or re.search(
        r"unsupported operand.*'(str|int|float)'", message
    ):
        return (
            "文字和数字不能直接相加减：数字转文字用 str(...)，文字转数字用 float(...)，"
            '或者用 f"...{变量}..." 拼句子。'
        )
    if "is not callable" in message:
        kind = _quoted(message)
        return (
            f"{_SEEN_TYPES.get(kind, kind)}后面不能跟圆括号：取列、取行要用方括号 [ ]；"
            "也可能是变量名盖住了同名的函数。"
        )
    if "is not subscriptable" in message:
        return "方括号 [ ] 前面的东西不能取元素：是不是函数忘了写圆括号 ()，或者变量是空的？"
    if re.search(r"(positional|keyword|exactly one|at (least|most) \d+) argument", message):
        return "调用函数时给的参数个数或名字不对：对照函数的定义检查一遍。"
    if "'<' not supported" in message or "not supported between" in message:
        return "文字和数字不能比大小：检查这一列是不是文字，或者日期有没有转成日期类型。"
    return "用到的数据类型不对：检查是文字、数字、列表还是表。"


def _quoted(message: str) -> str:
    found = re.search(r"'(\w+)'", message)
    return found.group(1) if found else "它"


def _attribute(error: BaseException, message: str, names: Mapping[str, Any]) -> str:
    name = getattr(error, "name", None) or (message.split("'")[-2] if "'" in message else "")
    owner = getattr(error, "obj", None)
    if type(owner).__name__ == "ellipsis":
        return "还有 ... 没有填：把 ... 换成你自己的代码。"
    if owner is None:
        return f"变量是空值 None，所以没有 .{name}：看看前一步是不是没有返回结果。"
    kind = _SEEN_TYPES.get(type(owner).__name__, type(owner).__name__)
    public = [item for item in dir(owner) if not item.startswith("_")]
    near = difflib.get_close_matches(name, public, 1, 0.6)
    tail = f"是不是想写 .{near[0]}？" if near else "检查拼写；列名里有空格或中文时用方括号取列。"
    return f"{kind}没有 .{name} 这个属性或方法。{tail}"


def _file(error: BaseException, message: str, names: Mapping[str, Any]) -> str:
    path = getattr(error, "filename", None) or ""
    return f"找不到文件“{path}”：检查文件名、扩展名和所在的文件夹；不要改动笔记本的存放位置。"


def _value(error: BaseException, message: str, names: Mapping[str, Any]) -> str | None:
    if "truth value of a" in message:
        return (
            "一整列不能当成一个真假值：多个条件用 &（并且）、|（或者）连接，"
            "每个条件各加一对圆括号；不要用 and、or。"
        )
    if "Length of values" in message or "Length mismatch" in message or "same length" in message:
        return "长度对不上：放进表里的这一列和表的行数不一样。检查有没有先筛选过。"
    if "could not convert string to float" in message or "invalid literal for int" in message:
        return "这段文字不能转成数字：看看里面有没有逗号、单位、空格或空值。"
    if "Unable to parse string" in message:
        return "这一列里有不是数字的文字，不能转成数字。"
    if "duplicate" in message:
        return "有重复的标签或键：先检查重复行，再做这一步。"
    if "time data" in message or "Unknown datetime" in message or "not match format" in message:
        return "日期的写法不统一或不合要求：写成“2025-01-31”这样。"
    return None


def _zero(error: BaseException, message: str, names: Mapping[str, Any]) -> str:
    return "除数是 0：先看看分母那一项为什么是 0，再决定怎么处理。"


def _index(error: BaseException, message: str, names: Mapping[str, Any]) -> str:
    return "位置超出了范围：没有那么多行（或元素）。位置从 0 数起，先用 len(...) 看看有多少。"


def _module(error: BaseException, message: str, names: Mapping[str, Any]) -> str:
    name = getattr(error, "name", None) or ""
    return f"没有安装“{name}”，或名字写错了。本课用到的都已装好，只需要 import course_utils as cu。"


def _course(error: BaseException, message: str, names: Mapping[str, Any]) -> str:
    return message


def _merge(error: BaseException, message: str, names: Mapping[str, Any]) -> str:
    return "合并（merge）没有做成：检查两张表有没有同名的键列、键是不是应当唯一。"


_SPEAKERS: dict[str, Explainer] = {
    "CourseError": _course,
    "IndentationError": _indentation,
    "SyntaxError": _syntax,
    "UnboundLocalError": lambda e, m, n: "函数里用到的变量还没有赋值：检查每条路是不是都给了它值。",
    "NameError": _name,
    "MergeError": _merge,
    "KeyError": _key,
    "IndexError": _index,
    "TypeError": _type,
    "AttributeError": _attribute,
    "FileNotFoundError": _file,
    "PermissionError": lambda e, m, n: "文件打不开：它可能正在 Excel 里开着，请先关掉再运行。",
    "ZeroDivisionError": _zero,
    "ModuleNotFoundError": _module,
    "RecursionError": lambda e, m, n: "函数不停地调用自己，没有停下来的条件。",
    "MemoryError": lambda e, m, n: "内存不够：关掉别的笔记本，重启内核后再从头运行。",
    "KeyboardInterrupt": lambda e, m, n: "运行被中断了。",
    "ValueError": _value,
}


def install(shell: Any) -> None:
    """Make a notebook show the Chinese note above each error; the short standard error follows.

    Parameters
    ----------
    shell : IPython.core.interactiveshell.InteractiveShell
        The running kernel's shell.
    """

    def handler(
        shell: Any, kind: type[BaseException], error: BaseException, tb: Any, tb_offset: Any = None
    ) -> None:
        try:
            said = explain(kind, error, shell.user_ns)
            if said:
                _display(said)
        except Exception:
            said = None
        shell.showtraceback((kind, error, tb), tb_offset=tb_offset)

    shell.set_custom_exc((Exception,), handler)
    shell.InteractiveTB.set_mode("Minimal")


def _display(said: str) -> None:
    from IPython.display import display

    box = (
        '<div style="border-left:4px solid #a84300;padding:4px 12px">'
        f'<b style="color:#a84300">这一格没有跑通</b><br>{html.escape(said)}</div>'
    )
    display({"text/plain": f"【这一格没有跑通】{said}", "text/html": box}, raw=True)
