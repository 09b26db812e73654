"""What every mutation goes through: the scope it needs, misfortunes, user errors, and being counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError

from onevoice.sandbox.calls import DONE, PARTIAL_FAILURE, REFUSED, SETUP, WRITE
from onevoice.sandbox.gate import Operation
from onevoice.sandbox.shopify.consent import update_email_consent, update_sms_consent
from onevoice.sandbox.shopify.cost import MOST_INPUTS
from onevoice.sandbox.shopify.customers import update_customer
from onevoice.sandbox.shopify.definitions import create_definition
from onevoice.sandbox.shopify.errors import UserError, UserRefusalError, internal_error
from onevoice.sandbox.shopify.limits import Misfortune
from onevoice.sandbox.shopify.metafield_writes import MOST_METAFIELDS, delete_metafields, set_metafields
from onevoice.sandbox.shopify.shop import Info, Shop
from onevoice.sandbox.shopify.tags import add_tags, remove_tags

Write = Callable[[Shop, Mapping[str, Any]], tuple[dict[str, Any], int]]
"""(shop, arguments) -> (payload, units changed); UserRefusalError when nothing was done."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """One mutation: how it is counted, and what it does."""

    operation: Operation
    write: Write

    def __call__(self, _root: object, info: Info, **arguments: Any) -> dict[str, Any]:
        """Run it as a field. It is counted whatever becomes of it."""
        call = info.context
        try:
            call.need("write_customers", self.operation.name)
            payload, units = self._run(call.shop, arguments)
        except UserRefusalError as refusal:
            self._count(call.shop, 0, refusal.outcome)
            return {"userErrors": [error.shown() for error in refusal.errors]}
        except GraphQLError as error:
            denied = (error.extensions or {}).get("code") == "ACCESS_DENIED"
            self._count(call.shop, 0, REFUSED if denied else PARTIAL_FAILURE)
            raise
        self._count(call.shop, units, DONE)
        return {"userErrors": [], **payload}

    def _run(self, shop: Shop, arguments: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
        misfortune = shop.limits.misfortune()
        if misfortune is Misfortune.INTERNAL:
            raise internal_error()
        if misfortune is Misfortune.USER:
            unexpected = UserError(None, "Unexpected internal error happened.", "INTERNAL_ERROR")
            raise UserRefusalError([unexpected], PARTIAL_FAILURE)
        return self.write(shop, arguments)

    def _count(self, shop: Shop, units: int, outcome: str) -> None:
        operation = self.operation
        shop.state.calls.record(
            operation.name, operation.kind, units=units, batch_limit=operation.batch_limit, outcome=outcome
        )


MUTATIONS: Mapping[str, Mutation] = {
    name: Mutation(Operation(name, kind, batch_limit), write)
    for name, kind, batch_limit, write in (
        ("customerEmailMarketingConsentUpdate", WRITE, 1, update_email_consent),
        ("customerSmsMarketingConsentUpdate", WRITE, 1, update_sms_consent),
        ("customerUpdate", WRITE, 1, update_customer),
        ("metafieldDefinitionCreate", SETUP, 1, create_definition),
        ("metafieldsDelete", WRITE, MOST_INPUTS, delete_metafields),
        ("metafieldsSet", WRITE, MOST_METAFIELDS, set_metafields),
        ("tagsAdd", WRITE, 1, add_tags),
        ("tagsRemove", WRITE, 1, remove_tags),
    )
}
