"""What a portal holds survives a restart of its server: members, opt-outs, own properties."""

from __future__ import annotations


def test_a_restart_forgets_only_the_tokens(portal, restarted):
    key = portal.contact(email="ann@example.org")
    portal.property("onevoice_tier")
    sdk = portal.sdk()
    made = sdk.crm.lists.lists_api.create({"name": "Quiet", "objectTypeId": "0-1", "processingType": "MANUAL"}).list
    sdk.crm.lists.memberships_api.add(made.list_id, [key])
    sdk.crm.contacts.basic_api.update(key, {"properties": {"onevoice_tier": "gold"}})
    sdk.communication_preferences.status_api.unsubscribe({"emailAddress": "ann@example.org", "subscriptionId": "10001"})

    again = restarted().sdk()
    assert [one.record_id for one in again.crm.lists.memberships_api.get_page(made.list_id).results] == [key]
    body = {"properties": ["onevoice_tier", "hs_email_optout_10001"]}
    found = again.crm.contacts.search_api.do_search(body).results[0].properties
    assert (found["onevoice_tier"], found["hs_email_optout_10001"]) == ("gold", "true")
    status = again.communication_preferences.status_api.get_email_status("ann@example.org")
    assert status.subscription_statuses[0].status == "NOT_SUBSCRIBED"
