"""What a shop's customers can hold: the definitions of metafields, and making those that pushing needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from connectors._retry import call_with_retries
from connectors._words import vendor_code, without_personal_data
from connectors.shopify.client import TRANSIENT, Client, problem_error
from connectors.shopify.selection import metafield_name, tag_name
from onevoice.errors import ConfigError, ContractBroken, Unavailable
from onevoice.protocols import Field

STREAM = "customers"
MARKETING_STATE = "defaultEmailAddress.marketingState"
TYPES: Mapping[str, str] = {
    "text": "single_line_text_field",
    "integer": "number_integer",
    "decimal": "number_decimal",
    "boolean": "boolean",
    "date": "date",
    "datetime": "date_time",
}
"""Our types -> Shopify's."""
QUERY_POINTS = 20
MUTATION_POINTS = 10
_LIST = (
    "query Definitions($namespace: String!, $after: String) { metafieldDefinitions(ownerType: CUSTOMER, "
    "namespace: $namespace, first: 100, after: $after) "
    "{ nodes { key type { name } } pageInfo { hasNextPage endCursor } } }"
)
_CREATE = (
    "mutation Define($definition: MetafieldDefinitionInput!) { metafieldDefinitionCreate(definition: $definition) "
    "{ createdDefinition { id } userErrors { code field message } } }"
)

Name = tuple[str, str]
"""Namespace and key."""


class Definitions:
    """Types of the customers' metafields by name, listed by namespace when first needed."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._types: dict[str, dict[str, str]] = {}

    def missing(self, names: Iterable[Name]) -> frozenset[Name]:
        """Those that have no definition; asks anew before it says so."""
        wanted = frozenset(names)
        if all(self._type(*name) for name in wanted):
            return frozenset()
        for namespace in {namespace for namespace, _ in wanted}:
            self._types[namespace] = self._listed(namespace)
        return frozenset(name for name in wanted if not self._type(*name))

    def type_of(self, name: Name) -> str:
        """Shopify's type of a metafield that is not missing."""
        return self._types[name[0]][name[1]]

    def provision(self, fields: Sequence[Field], *, dry_run: bool) -> Sequence[str]:
        """Create the definitions that are missing; one sentence each. Tags and consent need nothing."""
        wanted = {name: field for field in fields if (name := self._wanted(field)) is not None}
        absent = self.missing(wanted)
        verb = "would create" if dry_run else "created"
        sentences = []
        for name in sorted(absent):
            field = wanted[name]
            if not dry_run:
                self._create(name, field)
            sentences.append(f"{self._client.system}: {verb} the metafield {field.name} of customers ({field.type})")
        return sentences

    def _wanted(self, field: Field) -> Name | None:
        name = metafield_name(field.name)
        if field.stream != STREAM or field.type not in TYPES:
            raise ConfigError(f"{self._client.system}: {field.stream}.{field.name}: nothing can be created for it")
        if name is None and tag_name(field.name) is None and field.name != MARKETING_STATE:
            raise ConfigError(
                f"{self._client.system}: {field.name}: fields of customers are metafields.<namespace>.<key>, "
                f"tagged.<tag> and {MARKETING_STATE}"
            )
        return name

    def _type(self, namespace: str, key: str) -> str:
        return self._types.get(namespace, {}).get(key, "")

    def _listed(self, namespace: str) -> dict[str, str]:
        types: dict[str, str] = {}
        after: str | None = None
        while True:
            variables = {"namespace": namespace, "after": after}
            answer = self._client.query(_LIST, variables, stream=STREAM, cost=QUERY_POINTS)
            listed = answer.part("metafieldDefinitions")
            types |= {node["key"]: node["type"]["name"] for node in listed["nodes"]}
            if not listed["pageInfo"]["hasNextPage"]:
                return types
            after = listed["pageInfo"]["endCursor"]

    def _create(self, name: Name, field: Field) -> None:
        namespace, key = name
        definition = {
            "namespace": namespace,
            "key": key,
            "name": field.label,
            "type": TYPES[field.type],
            "ownerType": "CUSTOMER",
        }
        # TAKEN: somebody else made it since we looked, or a try of ours that Shopify called failed did.
        for error in call_with_retries(partial(self._asked_to_create, definition)):
            if error["code"] != "TAKEN":
                words = without_personal_data(str(error["message"]))
                raise ContractBroken(
                    f"{self._client.system}: {field.name} was not created: {words} ({vendor_code(error['code'])}) "
                    "(create the metafield definition in the admin, Settings, Custom data)"
                )
        self._types[namespace][key] = TYPES[field.type]

    def _asked_to_create(self, definition: Mapping[str, str]) -> Sequence[Mapping[str, Any]]:
        """The user errors of one try; Unavailable for a failure at Shopify's that another try may not meet."""
        where = f"{self._client.system}.{STREAM}"
        answer = self._client.mutate(_CREATE, {"definition": definition}, stream=STREAM, cost=MUTATION_POINTS)
        if answer.problems:
            raise problem_error(answer.problems, where)
        errors: Sequence[Mapping[str, Any]] = answer.part("metafieldDefinitionCreate")["userErrors"]
        if any(error["code"] in TRANSIENT for error in errors):
            raise Unavailable(f"{where}: a failure at Shopify (INTERNAL_ERROR)")
        return errors
