"""The service view as an answer."""

from __future__ import annotations

from datetime import date
from typing import Any

from onevoice.api import answers, portray
from onevoice.api.reading import Reading
from onevoice.api.serving import Serving
from onevoice.model import Ref
from onevoice.pipeline.service_view import LastOrder, Member, OpenCart, in_words, service_view
from onevoice.store import identities, lookups
from onevoice.store.lookups import KnownProfile


def desk_view(serving: Serving, look: Reading, known: KnownProfile) -> answers.ServiceView:
    """What the desk is shown of one customer at this moment."""
    refs = identities.load_members(look.connection, [known.profile_id]).get(known.profile_id, [])
    items = lookups.items_of_customers(look.connection, refs)
    labels, ages, now = look.labels(), look.ages(), serving.clock()
    view = service_view(
        items,
        [_member(name, labels.get(name, name), state) for name, state in sorted(known.status.items())],
        known.facts.get("annual_spend"),
        serving.best_from(look.connection),
        now=now,
        zone=serving.zone,
    )
    streams = sorted({(r.system, r.stream) for r in (*map(Ref.parse, refs), *(item.source for item in items))})
    return answers.ServiceView(
        profile_id=known.profile_id,
        sentences=in_words(view, now, serving.zone),
        name=portray.name_of(known, sees_persons=look.caller.sees_persons),
        memberships=portray.memberships(known, ages, labels),
        last_order=_order(view.last_order, today=view.bought_today),
        annual_spend=view.annual_spend,
        top_20_percent=view.top_by_spend,
        open_cart=_cart(view.open_cart),
        complaint_open_since=view.complaint_since,
        visits_today=[answers.Visit(at=visit.at, store=visit.store) for visit in view.visits_today],
        as_of={f"{system}/{stream}": at for system, stream in streams if (at := ages.streams.get((system, stream)))},
    )


def _order(order: LastOrder | None, *, today: bool) -> answers.LastOrder | None:
    if order is None:
        return None
    return answers.LastOrder(
        at=order.at,
        categories=list(order.categories),
        channel=order.channel,
        system=order.system,
        full_price=order.full_price,
        today=today,
    )


def _cart(cart: OpenCart | None) -> answers.OpenCart | None:
    if cart is None:
        return None
    return answers.OpenCart(at=cart.at, categories=list(cart.categories), system=cart.system)


def _member(programme: str, label: str, state: dict[str, Any]) -> Member:
    return Member(
        programme=programme,
        label=label,
        is_member=state["is_member"],
        tier=state.get("tier"),
        tier_until=_day(state.get("tier_until")),
        points=state.get("points"),
        since=_day(state.get("member_since")),
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
