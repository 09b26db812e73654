"""The HTTP API: downstream tools read profiles, and every sender can ask before it sends."""

from onevoice.api.app import create_app, openapi_document

__all__ = ["create_app", "openapi_document"]
