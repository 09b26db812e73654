"""Edits that change what is true of a person: a tier, points, a refusal, a complaint. All records must follow.

Each function takes the scene and the records of a profile, and gives the edit it made, or None where it does not fit.
"""

from __future__ import annotations

from datetime import timedelta

from onevoice.sandbox.edits.scene import Edit, Scene, first_of, mailed
from onevoice.sandbox.happenings import Happenings
from onevoice.sandbox.klaviyo.tables import klaviyo_stamp
from onevoice.sandbox.pushed import pushed
from onevoice.sandbox.records.salesforce import TIER_IDS
from onevoice.sandbox.shopify.tables import shopify_stamp
from onevoice.sandbox.state import hubspot_stamp
from onevoice.sandbox.tables import OPTOUT_PROPERTY
from onevoice.sandbox.truth import EMAIL, SMS, Membership, Ref, Tier


def raise_tier(scene: Scene, refs: list[Ref]) -> Edit | None:
    """Raise the tier that decides in Salesforce."""
    return _change_tier(scene, "raise_tier", refs, {"Blue": "Silver", "Silver": "Gold"})


def lower_tier(scene: Scene, refs: list[Ref]) -> Edit | None:
    """Lower the tier that decides in Salesforce."""
    return _change_tier(scene, "lower_tier", refs, {"Gold": "Silver", "Silver": "Blue"})


def _change_tier(scene: Scene, kind: str, refs: list[Ref], steps: dict[str, str]) -> Edit | None:
    """Only the one active membership of a person, whose tier in force all records of the profile show."""
    memberships = scene.facts(refs).memberships
    if len(memberships) != 1 or memberships[0].ref not in refs:
        return None
    tier = memberships[0].tier_in_force(scene.day)
    if tier is None or tier.name not in steps or not _only_in_force(scene, memberships[0], tier):
        return None
    if any(scene.shown(ref, "onevoice_tier") != tier.name.lower() for ref in refs):
        return None
    name = steps[tier.name]
    until = None if name == "Blue" else scene.day + timedelta(days=scene.rng.randint(100, 300))
    day = until.isoformat() if until else None
    place = ("salesforce", "LoyaltyMemberTier", tier.key)
    scene.change(place, {"Name": name, "LoyaltyTierId": TIER_IDS[name], "TierExpirationDate": day})
    scene.truth.learn("tier", scene.truth.person_of[refs[0]], tier.key, name, day)
    return Edit(kind, place, "Name", contradicts=False, expected=tuple(refs))


def _only_in_force(scene: Scene, membership: Membership, tier: Tier) -> bool:
    return not [t for t in membership.tiers if t is not tier and (t.until is None or t.until >= scene.day)]


def unsubscribe(scene: Scene, refs: list[Ref]) -> Edit | None:
    """Opt the address of a contact out in HubSpot."""
    contact = first_of(refs, "hubspot")
    if contact is None or not _mail_would_stop(scene, refs):
        return None
    address = scene.address(contact)
    table = scene.world.hubspot.tables["subscriptions"]
    if address not in table:
        table.insert({"email": address, "status": "", "source": "", "events": []}, key=address, actor="hand")
    event = {"at": hubspot_stamp(scene.world.clock.now()), "status": "NOT_SUBSCRIBED", "source": "CONTACT"}
    said = [*table.rows[address]["events"], event]
    table.update(address, {"status": "NOT_SUBSCRIBED", "source": "CONTACT", "events": said}, actor="hand")
    scene.change(contact, {OPTOUT_PROPERTY: "true"}, actor="vendor")
    _opted_out(scene, contact, address, EMAIL)
    return Edit("unsubscribe", contact, OPTOUT_PROPERTY, contradicts=False, expected=tuple(mailed(refs)))


def unsubscribe_shop(scene: Scene, refs: list[Ref]) -> Edit | None:
    """Opt the address of a customer out in Shopify."""
    customer = first_of(refs, "shopify")
    if customer is None or not _mail_would_stop(scene, refs):
        return None
    at = shopify_stamp(scene.world.clock.now())
    said = {"state": "UNSUBSCRIBED", "optInLevel": "SINGLE_OPT_IN", "updatedAt": at}
    scene.change(customer, {"emailMarketing": said})
    _opted_out(scene, customer, scene.address(customer), EMAIL)
    expected = tuple(mailed(refs))
    return Edit("unsubscribe_shop", customer, "defaultEmailAddress.marketingState", False, expected)


def _mail_would_stop(scene: Scene, refs: list[Ref]) -> bool:
    return len(mailed(refs)) > 1 and scene.reachable(mailed(refs))


def stop_sms(scene: Scene, refs: list[Ref]) -> Edit | None:
    """Answer STOP to a text: the sender notes it on the profile, which alone has fields against SMS."""
    profiles = [ref for ref in refs if ref[0] == "klaviyo"]
    if len(profiles) != 1 or any(said.channel == SMS for said in scene.facts(refs).opt_outs):
        return None
    row, number = scene.row(profiles[0]), scene.own_number(profiles[0])
    held = row.get("sms_marketing") or {}
    if held.get("consent") != "SUBSCRIBED" or not number or scene.truth.opted_out(number, SMS):
        return None
    if pushed(scene.world, profiles[0], "onevoice_no_discount_sms_until"):
        return None
    at = klaviyo_stamp(scene.world.clock.now())
    said = {**held, "consent": "UNSUBSCRIBED", "consent_timestamp": at, "last_updated": at, "method": "SMS_KEYWORD"}
    scene.change(profiles[0], {"sms_marketing": said})
    _opted_out(scene, profiles[0], number, SMS)
    return Edit("stop_sms", profiles[0], "subscriptions.sms.marketing", False, (profiles[0],))


def _opted_out(scene: Scene, ref: Ref, address: str, channel: str) -> None:
    scene.truth.learn("opt_out", list(ref), address, scene.day.isoformat(), channel)


def complain(scene: Scene, refs: list[Ref]) -> Edit | None:
    """Open a complaint in Salesforce."""
    contact = first_of(refs, "salesforce")
    if contact is None or not _mail_would_stop(scene, refs):
        return None
    if any(pushed(scene.world, ref, "onevoice_no_discount_until") for ref in refs):
        return None
    made = Happenings(scene.world).open_case({"contact": contact[2], "type": "Complaint"})
    place = ("salesforce", "Case", str(made["key"]))
    return Edit("complain", place, "Status", contradicts=False, expected=tuple(refs))


def earn_points(scene: Scene, refs: list[Ref]) -> Edit | None:
    """Points are posted at the till; every record that shows them must follow. Square's own customers do not."""
    facts, shows = scene.facts(refs), mailed(refs)
    points = facts.points()
    if not points or points < 0 or not shows or any(account.ref not in refs for account in facts.accounts):
        return None
    if any(float(scene.shown(ref, "onevoice_points") or -1) != points for ref in shows):
        return None
    made = Happenings(scene.world).accumulate_points(
        {"account": facts.accounts[0].key, "points": scene.rng.randrange(10, 400, 5)}
    )
    place = ("square", "loyalty_accounts", str(made["key"]))
    return Edit("earn_points", place, "balance", contradicts=False, expected=tuple(shows))
