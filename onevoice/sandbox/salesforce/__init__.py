"""A Salesforce org on this machine: REST API, SOQL, sObject Collections, custom fields through the Tooling API."""

from onevoice.sandbox.salesforce.app import create_app

__all__ = ["create_app"]
