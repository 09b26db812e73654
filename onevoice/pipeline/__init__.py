"""The steps of the hub, in the order of the data. Plain functions of the store: the CLI and the flows call the same."""

from onevoice.pipeline.cycle import run_cycle, run_in_turn, stages
from onevoice.pipeline.hub import Hub, PushLimits, open_hub
from onevoice.pipeline.report import CycleReport, Job, Report, Stage

__all__ = [
    "CycleReport",
    "Hub",
    "Job",
    "PushLimits",
    "Report",
    "Stage",
    "open_hub",
    "run_cycle",
    "run_in_turn",
    "stages",
]
