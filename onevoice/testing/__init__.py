"""What a connector author runs: the contract suite."""

from onevoice.testing.contract import RULES, Rig, Rule

__all__ = ["RULES", "Rig", "Rule"]
