"""What the consent and suppression jobs do to profiles.

Consent is what a person said; suppression is why an address gets nothing. They are kept apart: a suppressed profile may
be SUBSCRIBED. Three rules of Klaviyo's API description surprise their callers, and hold here:

- subscribing takes UNSUBSCRIBE, SPAM_COMPLAINT and USER_SUPPRESSED suppressions away (bulk_subscribe_profiles);
- unsubscribing with a list unsubscribes whoever is not on that list from everything (bulk_unsubscribe_profiles);
- unsuppressing lifts USER_SUPPRESSED and nothing else (bulk_unsuppress_profiles).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from onevoice.sandbox.klaviyo.filters import instant
from onevoice.sandbox.klaviyo.profiles_store import Profiles
from onevoice.sandbox.klaviyo.showing import SUBSCRIBED, UNSUBSCRIBED
from onevoice.sandbox.klaviyo.tables import klaviyo_stamp
from onevoice.sandbox.state import Fields, VendorState

USER_SUPPRESSED, UNSUBSCRIBE_REASON = "USER_SUPPRESSED", "UNSUBSCRIBE"
LIFTED_BY_SUBSCRIBING = frozenset({UNSUBSCRIBE_REASON, "SPAM_COMPLAINT", USER_SUPPRESSED})
LIFTED_BY_UNSUPPRESSING = frozenset({USER_SUPPRESSED})
DOUBLE = "double_opt_in"


class Consent:
    """The effects of consent jobs."""

    def __init__(self, state: VendorState, profiles: Profiles) -> None:
        self._state = state
        self._profiles = profiles
        self._lists = state.tables["lists"]

    def subscribe(self, work: Mapping[str, Any], list_id: str | None) -> None:
        """Subscribe each of work["profiles"] ({id, email, phone_number, channels: {channel: consented_at}}) and put it
        on the list. With a double opt-in list they are asked first, unless it is a historical import, and never answer
        here. The account's own default is single opt-in."""
        asked_first = list_id is not None and self._lists.rows[list_id].get("opt_in_process") == DOUBLE
        if asked_first and not work["historical_import"]:
            return
        joined = []
        for one in work["profiles"]:
            key = self._found_or_made(one)
            for channel, at in one["channels"].items():
                self._say_yes(key, channel, at)
            joined.append(key)
        if list_id is not None:
            self.join(list_id, joined)

    def unsubscribe(self, work: Mapping[str, Any], list_id: str | None) -> None:
        """Unsubscribe each of work["profiles"]: from the list those who are on it, everybody else altogether."""
        for one in work["profiles"]:
            key = self._found_or_made(one)
            on_list = list_id is not None and key in self._lists.rows[list_id]["joined"]
            for channel in one["channels"]:
                if on_list and channel == "email":
                    self._leave(key, str(list_id))
                elif not on_list:
                    self._say_no(key, channel)
            if on_list:
                self.remove(str(list_id), [key])

    def suppress(self, emails: Iterable[str]) -> int:
        """Put USER_SUPPRESSED on the profiles of these addresses, new ones if need be; how many had it not yet."""
        changed = 0
        for email in emails:
            key = self._found_or_made({"email": email})
            said = self._said(key, "email_marketing")
            if USER_SUPPRESSED not in {one["reason"] for one in said["suppression"]}:
                said["suppression"].append({"reason": USER_SUPPRESSED, "timestamp": self._now()})
                self._profiles.write(key, {"email_marketing": said})
                changed += 1
        return changed

    def unsuppress(self, emails: Iterable[str]) -> int:
        """Lift USER_SUPPRESSED; how many had it."""
        changed = 0
        for email in emails:
            key = self._profiles.find("email", email)
            if key is None:
                continue
            said = self._said(key, "email_marketing")
            kept = _without(said["suppression"], LIFTED_BY_UNSUPPRESSING)
            if kept != said["suppression"]:
                self._profiles.write(key, {"email_marketing": {**said, "suppression": kept}})
                changed += 1
        return changed

    def join(self, list_id: str, profiles: Iterable[str]) -> None:
        """Put profiles on a list; consent stays as it is."""
        row, now = self._lists.rows[list_id], self._now()
        joined = {**dict.fromkeys(profiles, now), **row["joined"]}
        if len(joined) != len(row["joined"]):
            self._lists.update(list_id, {"joined": joined})

    def remove(self, list_id: str, profiles: Iterable[str]) -> None:
        """Take profiles off a list; consent stays as it is."""
        gone, row = set(profiles), self._lists.rows[list_id]
        kept = {key: since for key, since in row["joined"].items() if key not in gone}
        if len(kept) != len(row["joined"]):
            self._lists.update(list_id, {"joined": kept})

    def members(self, list_id: str) -> list[str]:
        """Addresses of a list's profiles."""
        rows = self._profiles.table.rows
        return [rows[key]["email"] for key in self._lists.rows[list_id]["joined"] if rows.get(key, {}).get("email")]

    def _found_or_made(self, one: Mapping[str, Any]) -> str:
        names = {name: one[name] for name in ("email", "phone_number") if one.get(name)}
        found = one.get("id") or next(filter(None, (self._profiles.find(*pair) for pair in names.items())), None)
        return str(found) if found else self._profiles.create(names)

    def _say_yes(self, key: str, channel: str, at: str | None) -> None:
        said = self._said(key, f"{channel}_marketing")
        now = self._now()
        moment = instant(at)
        when = klaviyo_stamp(moment) if moment else now
        said |= {"consent": SUBSCRIBED, "consent_timestamp": when, "last_updated": now, "method": "API"}
        if channel == "email":
            said["suppression"] = _without(said["suppression"], LIFTED_BY_SUBSCRIBING)
        self._profiles.write(key, {f"{channel}_marketing": said})

    def _say_no(self, key: str, channel: str) -> None:
        said = self._said(key, f"{channel}_marketing")
        now = self._now()
        said |= {"consent": UNSUBSCRIBED, "consent_timestamp": now, "last_updated": now, "method": "API"}
        if channel == "email" and UNSUBSCRIBE_REASON not in {one["reason"] for one in said["suppression"]}:
            said["suppression"].append({"reason": UNSUBSCRIBE_REASON, "timestamp": now})
        self._profiles.write(key, {f"{channel}_marketing": said})

    def _leave(self, key: str, list_id: str) -> None:
        said = self._said(key, "email_marketing")
        entry = {"list_id": list_id, "reason": UNSUBSCRIBE_REASON, "timestamp": self._now()}
        kept = [one for one in said.get("list_suppressions") or [] if one["list_id"] != list_id]
        self._profiles.write(key, {"email_marketing": {**said, "list_suppressions": [*kept, entry]}})

    def _said(self, key: str, name: str) -> Fields:
        """A copy to write on; the `suppression` of an e-mail consent is a list of its own."""
        said = self._profiles.table.rows[key].get(name) or {}
        return {**said, "suppression": list(said.get("suppression") or ())} if name == "email_marketing" else dict(said)

    def _now(self) -> str:
        return klaviyo_stamp(self._state.clock.now())


def _without(suppression: Sequence[Mapping[str, str]], reasons: frozenset[str]) -> list[Mapping[str, str]]:
    return [one for one in suppression if one["reason"] not in reasons]
