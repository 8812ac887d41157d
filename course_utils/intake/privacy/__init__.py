"""De-identification: what may be stored, what may be shown in class, what may leave the bank.

Nothing here keeps a raw value: pseudonyms are keyed, masks lose what they hide, and the sample that
the output scan compares with is a set of keyed hashes.
"""

from course_utils.intake.privacy.key import ensure_key, key_path, load_key
from course_utils.intake.privacy.protector import Finding, Protector, refuse_secrets
from course_utils.intake.privacy.sample import RawValueSample
from course_utils.intake.privacy.tokens import fingerprint

__all__ = [
    "Finding",
    "Protector",
    "RawValueSample",
    "ensure_key",
    "fingerprint",
    "key_path",
    "load_key",
    "refuse_secrets",
]
