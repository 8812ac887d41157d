"""One bank: its profile, its tables, its as-of date and, if it is synthetic, the planted truth.

``open_bank("coastal")`` is the only way by which lessons and checks reach data.
"""

from course_utils.bank.profile import Profile, list_banks, load_profile
from course_utils.bank.warehouse import Bank, open_bank

__all__ = ["Bank", "Profile", "list_banks", "load_profile", "open_bank"]
