"""What kind of data a product holds, in words that are true for the bank at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from course_utils.bank import Profile

SYNTHETIC = "合成数据，没有真实客户"
RELEASED = "真实数据的课堂版（已去标识、扰动、取整），只在课堂用，不得外传"
REAL = "真实数据（已去标识），只限讲师本人，不得外传"


def about_data(profile: Profile) -> str:
    """Say whether a bank's data are made up or come from real customers.

    Parameters
    ----------
    profile : Profile
        The bank.
    """
    if not profile.is_real:
        return SYNTHETIC
    return RELEASED if profile.release else REAL
