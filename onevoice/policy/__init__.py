"""Rules, gates and decisions: which offers may reach whom, until when, and what contradicts that."""

from onevoice.policy.bulk import Decisions, facts_table
from onevoice.policy.check import check_policy
from onevoice.policy.contradict import Finding, Ground, Refusal, contradictions
from onevoice.policy.decide import Policy, compile_policy
from onevoice.policy.explain import Explanation, Reason, explain, reasons
from onevoice.policy.facts import FACTS
from onevoice.policy.gates import LIST, RELATED, Gate, SystemGates
from onevoice.policy.raw import raw_value

__all__ = [
    "FACTS",
    "LIST",
    "RELATED",
    "Decisions",
    "Explanation",
    "Finding",
    "Gate",
    "Ground",
    "Policy",
    "Reason",
    "Refusal",
    "SystemGates",
    "check_policy",
    "compile_policy",
    "contradictions",
    "explain",
    "facts_table",
    "raw_value",
    "reasons",
]
