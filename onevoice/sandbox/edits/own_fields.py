"""Edits of the hub's own fields and of fields that nobody cares about. Each makes a Scene's profile wrong in one place.

Each function takes the scene and the records of a profile, and gives the edit it made, or None where it does not fit.
"""

from __future__ import annotations

from datetime import timedelta

from onevoice.sandbox.edits.scene import Edit, Scene
from onevoice.sandbox.pushed import GROUP, TAG, pushed, put
from onevoice.sandbox.truth import FAMILIES, Ref

_VALUES = ("onevoice_tier", "onevoice_points")
_UNTIL = (
    *(f"onevoice_no_{family}_until" for family in FAMILIES),
    "onevoice_no_discount_sms_until",
    "onevoice_no_cart_reminder_sms_until",
)


def clear_field(scene: Scene, refs: list[Ref]) -> Edit | None:
    """Empty a field that the hub pushed. A Square attribute that is gone leaves no trace to find: not there."""
    ref = scene.rng.choice([ref for ref in refs if ref[0] != "square"] or refs)
    if ref[0] == "square":
        return None
    names = [name for name in _VALUES if pushed(scene.world, ref, name) is not None]
    soon = (scene.day + timedelta(days=2)).isoformat()
    for name in _UNTIL:
        until = pushed(scene.world, ref, name)
        if until and str(until)[:10] > soon:
            names.append(name)
    if not names:
        return None
    return Edit("clear_field", ref, put(scene.world, ref, scene.rng.choice(names), None), False, (ref,))


def remove_tag(scene: Scene, refs: list[Ref]) -> Edit | None:
    """Take Shopify's tag against discounts off."""
    return _without(scene, refs, "remove_tag", "shopify", TAG)


def leave_group(scene: Scene, refs: list[Ref]) -> Edit | None:
    """Take a customer out of the tills' group of those who are not to be asked to join."""
    return _without(scene, refs, "leave_group", "square", GROUP)


def _without(scene: Scene, refs: list[Ref], kind: str, system: str, name: str) -> Edit | None:
    for ref in refs:
        if ref[0] == system and pushed(scene.world, ref, name):
            return Edit(kind, ref, put(scene.world, ref, name, None), False, (ref,))
    return None


def untick_optout(scene: Scene, refs: list[Ref]) -> Edit | None:
    """Un-tick a native opt-out in Salesforce that the hub had set."""
    by_api = scene.world.salesforce.api_writes.values
    for ref in refs:
        sent = by_api.get(ref[1:], {}).get("HasOptedOutOfEmail")
        if ref[0] == "salesforce" and sent is True and scene.row(ref).get("HasOptedOutOfEmail"):
            scene.change(ref, {"HasOptedOutOfEmail": False})
            return Edit("untick_optout", ref, "HasOptedOutOfEmail", contradicts=True, expected=(ref,))
    return None


def wrong_tier(scene: Scene, refs: list[Ref]) -> Edit | None:
    """Write another tier into `onevoice_tier`."""
    ref = scene.rng.choice(refs)
    tier, _ = scene.facts(refs).highest_tier(scene.day)
    if tier is None or scene.shown(ref, "onevoice_tier") != tier.name.lower():
        return None
    wrong = "Silver" if tier.name == "Gold" else "Gold"
    spelled = str(pushed(scene.world, ref, "onevoice_tier"))
    field = put(scene.world, ref, "onevoice_tier", wrong.lower() if spelled.islower() else wrong)
    return Edit("wrong_tier", ref, field, contradicts=True, expected=(ref,))


def wrong_points(scene: Scene, refs: list[Ref]) -> Edit | None:
    """Write another number of points on the sender's profile."""
    ref = next((ref for ref in refs if ref[0] == "klaviyo"), None)
    if ref is None or not scene.shown(ref, "onevoice_points"):
        return None
    points = int(float(scene.shown(ref, "onevoice_points"))) + scene.rng.choice((-20, 35, 400))
    return Edit("wrong_points", ref, put(scene.world, ref, "onevoice_points", points), False, (ref,))


def irrelevant(scene: Scene, refs: list[Ref]) -> Edit:
    """Change a job title, a note, a tag, a property that nobody maps."""
    ref = scene.rng.choice(refs)
    note = f"Asked about opening hours {scene.rng.randint(1, 99)}"
    row = scene.row(ref)
    if ref[0] == "salesforce":
        field = scene.rng.choice(("Title", "Description"))
        scene.change(ref, {field: note})
    elif ref[0] == "hubspot":
        field = "jobtitle"
        scene.change(ref, {field: note})
    elif ref[0] == "shopify":
        field = "tags"
        scene.change(ref, {field: [*row.get("tags", ()), "asked-about-hours"]})
    elif ref[0] == "square":
        field = "note"
        scene.change(ref, {field: note})
    else:
        field = "properties.last_question"
        scene.change(ref, {"properties": {**(row.get("properties") or {}), "last_question": note}})
    return Edit("irrelevant", ref, field, contradicts=False, expected=())
