"""Onevoice: one golden profile, one loyalty status, one consent, one decision per customer."""

__version__ = "0.1.0"
