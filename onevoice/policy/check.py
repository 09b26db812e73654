"""The check of rules and gates for `load_project` and `lint_project`: every fault at its line and column."""

from __future__ import annotations

from collections.abc import Iterator

from onevoice.configfile.document import Document
from onevoice.configfile.project_config import ProjectConfig
from onevoice.errors import Fault
from onevoice.policy.gates import compile_gates
from onevoice.policy.positions import placed
from onevoice.policy.rules import RuleFault, compile_rules


def check_policy(project: ProjectConfig) -> Iterator[Fault]:
    """Faults of the expressions in config/suppression.yaml and config/offers.yaml."""
    _, rule_faults = compile_rules(project.offers, project.suppression, project.loyalty)
    _, gate_faults = compile_gates(project.offers, project.suppression)
    for fault in (*rule_faults, *gate_faults):
        yield _placed(project, fault)


def _placed(project: ProjectConfig, fault: RuleFault) -> Fault:
    document = project.documents.get(fault.file) or Document(fault.file, None)
    text = (project.root / fault.file).read_text(encoding="utf-8-sig")
    return placed(fault, document, text)
