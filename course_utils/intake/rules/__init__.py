"""The rules that a bank's data are held against, and how a bank changes them in its profile."""

from course_utils.intake.rules.book import RuleBook, RuleChange
from course_utils.intake.rules.catalogue import CATALOGUE, Rule, rule

__all__ = ["CATALOGUE", "Rule", "RuleBook", "RuleChange", "rule"]
