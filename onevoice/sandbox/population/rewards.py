"""Birthday and welcome rewards that people had, each on one record of Salesforce, HubSpot or Klaviyo."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, timedelta

from onevoice.sandbox.chance import stream
from onevoice.sandbox.population.drafts import HUBSPOT, KLAVIYO, SALESFORCE, SHOPIFY, Draft

_AWAY = range(290, 311)
"""Ages in days that lie close to the limit of a birthday reward."""


@dataclass(slots=True)
class Had:
    """When the rewards on one record were given."""

    birthday: date | None = None
    welcome: date | None = None


@dataclass(slots=True)
class Rewards:
    """By `id` of the draft."""

    had: dict[int, Had] = field(default_factory=dict)

    def of(self, draft: Draft) -> Had:
        """What stands on the record of a draft."""
        return self.had.get(id(draft), Had())


def draw_rewards(seed: int, everybody: dict[int, list[Draft]], as_of: date) -> Rewards:
    """Give rewards to a part of the people; `everybody` are all drafts by person."""
    rng, rewards = stream(seed, "rewards"), Rewards()
    week = {(as_of + timedelta(days=n)).strftime("%m-%d") for n in range(8)}
    for drafts in everybody.values():
        keepers = [draft for draft in drafts if draft.system in {SALESFORCE, HUBSPOT, KLAVIYO} and not draft.fixed]
        if not keepers:
            continue
        keeper = rng.choice(keepers)
        on = _birthday_reward(rng, any(draft.birth[5:10] in week for draft in drafts), as_of)
        if on:
            rewards.had.setdefault(id(keeper), Had()).birthday = on
        new_to_the_shop = any(d.system == SHOPIFY and (as_of - d.created).days < 14 for d in drafts)
        if rng.random() < (0.6 if new_to_the_shop else 0.12):
            days = rng.randint(30, max(31, (as_of - keeper.created).days))
            rewards.had.setdefault(id(keeper), Had()).welcome = as_of - timedelta(days=days)
    return rewards


def _birthday_reward(rng: random.Random, near: bool, as_of: date) -> date | None:
    """The last birthday's reward, or for many whose birthday is near one that was given ahead of time."""
    if near:
        return as_of - timedelta(days=rng.randint(5, 60)) if rng.random() < 0.72 else None
    if rng.random() > 0.25:
        return None
    days = rng.randint(15, 360)
    return None if days in _AWAY else as_of - timedelta(days=days)
