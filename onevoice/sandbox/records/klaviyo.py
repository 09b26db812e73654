"""The sender's profiles of a world. Nothing here is drawn that a verdict depends on."""

from __future__ import annotations

import random
from datetime import date, datetime
from typing import Any

from onevoice.sandbox.chance import stream
from onevoice.sandbox.klaviyo.tables import klaviyo_stamp
from onevoice.sandbox.population.drafts import Draft
from onevoice.sandbox.population.permissions import Permissions
from onevoice.sandbox.population.points import PointsCopy
from onevoice.sandbox.population.rewards import Had
from onevoice.sandbox.records.writing import moment
from onevoice.sandbox.state import VendorState
from onevoice.sandbox.truth import EMAIL, SMS


class KlaviyoRecords:
    """Writes the account."""

    def __init__(self, seed: int, state: VendorState, permissions: Permissions) -> None:
        self._rng: random.Random = stream(seed, "klaviyo records")
        self._state = state
        self._permissions = permissions

    def profile(self, draft: Draft, points: PointsCopy, had: Had, bought: list[datetime], left: list[datetime]) -> None:
        """One profile; `bought` and `left` are the orders and carts that the shops told the sender of."""
        rng = self._rng
        made = moment(draft.created, rng)
        properties = {
            "birth_date": draft.birth or None,
            "loyalty_points": points.points,
            "loyalty_points_expire_on": points.expires.isoformat() if points.expires else None,
            "loyalty_tier": points.tier or None,
            "loyalty_points_to_gold": points.to_gold,
            "birthday_reward_on": had.birthday.isoformat() if had.birthday else None,
            "welcome_reward_on": had.welcome.isoformat() if had.welcome else None,
            "last_order_on": max(bought).date().isoformat() if bought else None,
            "cart_abandoned_at": klaviyo_stamp(max(left)) if left else None,
        }
        fields = {
            "email": draft.email or None,
            "phone_number": draft.mobile or None,
            "first_name": draft.given or None,
            "last_name": draft.family or None,
            "location": {},
            "properties": {name: value for name, value in properties.items() if value is not None},
            "email_marketing": self._mail(draft) if draft.email else {},
            "sms_marketing": self._texts(draft) if draft.mobile else {},
            "created": klaviyo_stamp(made),
        }
        stamp = max(made, moment(draft.changed, rng))
        self._state.tables["profiles"].insert(fields, stamp, draft.key, actor="seed")

    def _mail(self, draft: Draft) -> dict[str, Any]:
        refused = self._permissions.refusals.get((id(draft), EMAIL))
        bounce = self._permissions.bounces.get(id(draft))
        consent = self._consent(draft, EMAIL)
        suppression = []
        if refused:
            reason = "UNSUBSCRIBE" if refused.word == "UNSUBSCRIBED" else refused.word
            suppression.append({"reason": reason, "timestamp": self._stamp(refused.on)})
        if bounce:
            suppression.append({"reason": bounce.reason, "timestamp": self._stamp(bounce.on)})
        return {**consent, "double_optin": False, "suppression": suppression, "list_suppressions": []}

    def _texts(self, draft: Draft) -> dict[str, Any]:
        return self._consent(draft, SMS)

    def _consent(self, draft: Draft, channel: str) -> dict[str, Any]:
        refused = self._permissions.refusals.get((id(draft), channel))
        granted = self._permissions.granted.get((id(draft), channel))
        if refused and refused.word == "UNSUBSCRIBED":
            at, consent, method = self._stamp(refused.on), "UNSUBSCRIBED", "PREFERENCE_PAGE"
        elif granted:
            at, consent, method = self._stamp(granted), "SUBSCRIBED", "FORM"
        else:
            return {"consent": "NEVER_SUBSCRIBED"}
        return {"consent": consent, "consent_timestamp": at, "last_updated": at, "method": method}

    def _stamp(self, on: date) -> str:
        return klaviyo_stamp(moment(on, self._rng))
