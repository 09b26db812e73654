"""Mappings, compiled: vendor records to canonical items and back, through named transforms."""

from onevoice.mapping.compile import CompiledMapping, PullResult, compile_mapping
from onevoice.mapping.push import PushField, PushSpec
from onevoice.mapping.transforms import Defaults

__all__ = ["CompiledMapping", "Defaults", "PullResult", "PushField", "PushSpec", "compile_mapping"]
