"""A HubSpot portal on this machine: OAuth, contacts, search, properties, lists, communication preferences (v3)."""

from onevoice.sandbox.hubspot.app import create_app

__all__ = ["create_app"]
