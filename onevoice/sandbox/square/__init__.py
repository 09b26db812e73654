"""A Square seller on this machine: customers, groups, custom attributes, orders, locations, loyalty (Square API v2).

What the vendor itself does to its records, and the hub only ever meets, is here too: `merge_customers`, and
`put_attribute` for a value somebody else sets.
"""

from onevoice.sandbox.square.app import create_app
from onevoice.sandbox.square.attributes_store import put_attribute
from onevoice.sandbox.square.customers_store import merge_customers

__all__ = ["create_app", "merge_customers", "put_attribute"]
