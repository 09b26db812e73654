"""A Klaviyo account on this machine, revision 2026-07-15: profiles, import jobs, consent, suppression, lists."""

from onevoice.sandbox.klaviyo.app import create_app
from onevoice.sandbox.klaviyo.jobs import finish_due_jobs

__all__ = ["create_app", "finish_due_jobs"]
