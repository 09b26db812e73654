"""From a consent state to an answer: what silence means goes by the country's regime."""

from __future__ import annotations

from onevoice.configfile.consent_file import ConsentFile
from onevoice.model import ConsentState


def may_contact(
    state: ConsentState, contact_point: str, channel: str, purpose: str, config: ConsentFile, country: str | None
) -> bool:
    """Whether this contact point of this person may be used; `country` is the person's two-letter code, None unknown.

    A deny that another person left on the same contact point is not in `state`: see `point_states`.
    """
    if (channel, purpose) in state.person_denied or (contact_point, channel, purpose) in state.point_denied:
        return False
    return (contact_point, channel, purpose) in state.granted or not _needs_grant(config, channel, country)


def channel_denied(state: ConsentState, channel: str, purpose: str, config: ConsentFile, country: str | None) -> bool:
    """Whether no contact point of the person may be used on this channel: the fact behind `email_denied`.

    A deny that stands on single contact points only leaves the person reachable on others.
    """
    if (channel, purpose) in state.person_denied:
        return True
    return _needs_grant(config, channel, country) and not any(key[1:] == (channel, purpose) for key in state.granted)


def allowed_points(
    state: ConsentState, channel: str, purpose: str, config: ConsentFile, country: str | None
) -> frozenset[str] | None:
    """The only contact points of the person that may be used where a yes is needed; None where none is needed.

    A yes to one number says nothing of another one.
    """
    if not _needs_grant(config, channel, country):
        return None
    return frozenset(point for point, its, what in state.granted if (its, what) == (channel, purpose))


def _needs_grant(config: ConsentFile, channel: str, country: str | None) -> bool:
    if channel in config.channel_regimes:
        return config.channel_regimes[channel] == "opt_in"
    regime = config.regimes.get(country.upper(), config.default_regime) if country else config.default_regime
    return regime == "opt_in"
