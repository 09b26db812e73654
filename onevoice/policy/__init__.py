"""Rules, gates and decisions: which offers may reach whom, until when, and what contradicts that."""

from onevoice.policy.bulk import Decisions, facts_table
from onevoice.policy.check import check_policy
from onevoice.policy.contradict import Finding, contradictions
from onevoice.policy.decide import Policy, compile_policy
from onevoice.policy.explain import Explanation, Reason, explain
from onevoice.policy.facts import FACTS
from onevoice.policy.gates import LIST, RELATED, Gate

__all__ = [
    "FACTS",
    "LIST",
    "RELATED",
    "Decisions",
    "Explanation",
    "Finding",
    "Gate",
    "Policy",
    "Reason",
    "check_policy",
    "compile_policy",
    "contradictions",
    "explain",
    "facts_table",
]
