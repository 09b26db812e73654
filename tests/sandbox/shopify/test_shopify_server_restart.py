"""What a shop holds survives a restart of its server."""

from __future__ import annotations


def test_a_restart_forgets_nothing(shop, restarted, one_line):
    ann = shop.customer(email="ann@example.org", emailMarketing={"state": "SUBSCRIBED"})
    shop.order(ann, one_line())
    shop.checkout(ann, one_line())
    shop.data(
        """mutation($id: ID!, $tier: [MetafieldsSetInput!]!, $definition: MetafieldDefinitionInput!) {
        metafieldDefinitionCreate(definition: $definition) { userErrors { message } }
        metafieldsSet(metafields: $tier) { userErrors { message } }
        tagsAdd(id: $id, tags: ["onevoice-no-discount"]) { userErrors { message } }
        customerEmailMarketingConsentUpdate(input: { customerId: $id,
          emailMarketingConsent: { marketingState: UNSUBSCRIBED } }) { userErrors { message } } }""",
        id=ann,
        tier=[{"ownerId": ann, "namespace": "onevoice", "key": "tier", "value": "gold"}],
        definition={
            "ownerType": "CUSTOMER",
            "namespace": "onevoice",
            "key": "tier",
            "name": "Tier",
            "type": "single_line_text_field",
        },
    )
    again = restarted()
    said = again.data(
        """{ customers(first: 5) { nodes { id tags numberOfOrders updatedAt defaultEmailAddress { marketingState }
        metafield(namespace: "onevoice", key: "tier") { value definition { name } } } }
        abandonedCheckouts(first: 5) { nodes { customer { id } } } }"""
    )
    [found] = said["customers"]["nodes"]
    assert (found["id"], found["tags"], found["numberOfOrders"]) == (ann, ["onevoice-no-discount"], "1")
    assert found["defaultEmailAddress"] == {"marketingState": "UNSUBSCRIBED"}
    assert found["metafield"] == {"value": "gold", "definition": {"name": "Tier"}}
    assert found["updatedAt"] == shop.state.tables["customers"].get(ann)["updatedAt"]
    assert said["abandonedCheckouts"]["nodes"] == [{"customer": {"id": ann}}]
    assert again.state.api_writes.writes == {("customers", ann): 3}
    new = again.state.tables["customers"].insert({"id": "?", "firstName": "New"}, actor="hand")
    assert new != ann
