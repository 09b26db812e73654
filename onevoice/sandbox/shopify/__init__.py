"""A Shopify shop on this machine: customers, orders, abandoned checkouts by the Admin GraphQL API, version 2026-07."""

from onevoice.sandbox.shopify.app import create_app
from onevoice.sandbox.shopify.tables import shopify_state

__all__ = ["create_app", "shopify_state"]
