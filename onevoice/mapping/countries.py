"""Country names and codes as they are found in address fields, to two-letter codes (ISO 3166)."""

from __future__ import annotations

from collections.abc import Mapping

from phonenumbers import SUPPORTED_REGIONS

_NAMES = """
AR argentina arg|AT austria österreich oesterreich aut|AU australia aus|BE belgium belgië belgique belgien bel
BG bulgaria bgr|BR brazil brasil bra|CA canada kanada can|CH switzerland schweiz suisse svizzera che
CL chile chl|CN china chn|CO colombia col|CY cyprus cyp|CZ czechia czech+republic tschechien cze
DE germany deutschland allemagne deu|DK denmark dänemark danmark dnk|EE estonia estland est
ES spain españa spanien esp
FI finland suomi finnland fin
FR france frankreich fra
GB united+kingdom great+britain england scotland wales northern+ireland uk u.k. gbr vereinigtes+königreich
GB grossbritannien
GR greece griechenland grc|HR croatia kroatien hrv|HU hungary ungarn hun|IE ireland irland irl|IL israel isr
IN india indien ind|IS iceland isl|IT italy italia italien ita|JP japan jpn|KR south+korea korea kor
LI liechtenstein lie|LT lithuania litauen ltu|LU luxembourg luxemburg lux|LV latvia lettland lva|MT malta mlt
MX mexico méxico mexiko mex|NL netherlands nederland niederlande|NL the+netherlands holland nld
NO norway norge norwegen nor|NZ new+zealand neuseeland nzl|PL poland polska polen pol|PT portugal prt
RO romania rumänien rou|RS serbia serbien srb|SE sweden sverige schweden swe|SG singapore sgp
SI slovenia slowenien svn|SK slovakia slowakei svk|TR turkey türkiye türkei tur|UA ukraine ukr
ZA south+africa südafrika zaf
US united+states united+states+of+america usa u.s. u.s.a. america vereinigte+staaten
"""
"""Code and names of a country; + stands for a blank, | between countries."""


def _codes() -> Mapping[str, str]:
    found = {code.lower(): code for code in SUPPORTED_REGIONS}
    for entry in _NAMES.replace("\n", "|").split("|"):
        code, *names = entry.split() or [""]
        found.update({name.replace("+", " "): code for name in names})
    return found


_CODES = _codes()


def country_code(text: str) -> str:
    """The two-letter code of a country, or the text itself where it is none that is known here."""
    return _CODES.get(" ".join(text.casefold().split()), text)
