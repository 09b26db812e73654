"""Names: folding to a-z, parts, short forms, and whether two given names can be one person's.

The table of short forms and everyday names is identity/nicknames.yaml, written for this project.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from importlib import resources

from anyascii import anyascii
from ruamel.yaml import YAML

from identity.similarity import jaro_winkler, one_slip

TITLES = frozenset(
    [
        *("mr", "mrs", "ms", "miss", "mx", "dr", "prof", "sir", "dame", "rev", "jr", "sr", "phd", "esq"),
        *("mister", "lord", "frau", "herr", "senor", "senora", "senorita", "sra", "srta", "madame", "mme", "mlle"),
        *("mademoiselle", "monsieur", "signor", "signora", "mevrouw", "mevr", "meneer", "dhr", "fru", "herrn"),
    ]
)
_GENERATIONS = {"jr": "junior", "sr": "senior", "ii": "second", "iii": "third", "iv": "fourth"}
GENERATIONS = frozenset(_GENERATIONS.values())
"""What stands behind a name to tell father from son."""
PARTICLES = frozenset(
    [
        "van",
        "der",
        "den",
        "de",
        "la",
        "le",
        "von",
        "zu",
        "di",
        "da",
        "del",
        "della",
        "dos",
        "du",
        "bin",
        "ibn",
        "al",
        "el",
        "ter",
        "ten",
        "af",
        "av",
        "y",
        "e",
    ]
)
JUNK = frozenset(
    [
        "test",
        "tester",
        "testing",
        "customer",
        "guest",
        "user",
        "unknown",
        "anonymous",
        "none",
        "null",
        "na",
        "nil",
        "noname",
        "nobody",
        "xxx",
        "xx",
        "asdf",
        "qwerty",
        "dummy",
        "sample",
        "firstname",
        "lastname",
        "surname",
        "name",
        "mustermann",
        "default",
        "admin",
        "dontknow",
        "notknown",
        "notgiven",
        "notprovided",
        "refused",
        "declined",
        "ofhouse",
        "wife",
        "fnu",
        "lnu",
    ]
)
ROLES = frozenset(
    [
        "adult",
        "baby",
        "boy",
        "brother",
        "child",
        "daughter",
        "female",
        "gent",
        "gentleman",
        "gentlemen",
        "girl",
        "grandchild",
        "house",
        "householder",
        "husband",
        "infant",
        "kid",
        "lady",
        "male",
        "man",
        "minor",
        "mom",
        "mother",
        "occupant",
        "occupier",
        "person",
        "resident",
        "respondent",
        "roommate",
        "sister",
        "teen",
        "tenant",
        "wife",
        "woman",
    ]
)
"""What people write where the given name is asked of somebody whose name they do not know or do not tell.

Many are family names too (House, Child), where they stay.
"""
_ROLE_WORDS = ROLES | {"of", "the", "f", "m"}
COMPANIES = frozenset(
    [
        *("ltd", "limited", "llc", "llp", "plc", "inc", "incorporated", "corp", "corporation", "pty", "gmbh", "sarl"),
        *("srl", "bvba", "spzoo", "kft"),
    ]
)
"""Legal forms behind a company's name: whatever stands before them is nobody's name."""
_NO_LETTERS = frozenset({"Cf", "So", "Sk", "Co", "Cn"})
"""Unicode's categories of format characters, pictures, modifiers, and what stands for nothing."""
_REMARK = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_LEAST_RUN = 4
"""Letters beside one another on a keyboard from which they are nobody's name."""
_NAMES_OF_A_ROW = frozenset({"wert"})
_TWO_PEOPLE = re.compile(r"\w\s*[&+]\s*\w|\w\s(and|und|et)\s\w", re.IGNORECASE)
_WORD = re.compile(r"[a-z]+")
_LOOK_ALIKE = str.maketrans("01345689", "oleasbbg")
_MISREAD = re.compile(r"(?<=[a-z])[01345689](?=[a-z])")
"""A digit amid letters: a letter misread by a scanner."""
_DIGRAPHS = re.compile(r"([aou])e")
CLOSE = 0.9
"""Jaro-Winkler from which two names are taken for one mistyped (Splink's usual first cut is .92 to .9)."""
_SHORTEST_SLIP = 5
"""In shorter names one slip makes too many other names."""
_SHORTEST_ODD = 3
"""Shorter names are anybody's slip."""
FAR = 0.8
"""Below this they are clearly different names; in between, neither."""


@lru_cache(maxsize=400_000)
def fold(text: str) -> tuple[str, ...]:
    """Words in a-z: other scripts and accents transliterated, ue/oe/ae folded like their umlauts, hyphens split.

    A digit amid letters is taken for the letter that it looks like.
    """
    plain = anyascii(_said(text)).lower().replace("'", "").replace("`", "").replace(".", " ")
    plain = _MISREAD.sub(lambda found: found[0].translate(_LOOK_ALIKE), plain)
    return tuple(_DIGRAPHS.sub(r"\1", word) for word in _WORD.findall(plain))


def _said(text: str) -> str:
    """A name without pictures, characters that nobody sees, and remarks in brackets that stand beside it."""
    seen = "".join(sign for sign in text if unicodedata.category(sign) not in _NO_LETTERS)
    return _REMARK.sub(" ", seen) if _REMARK.sub("", seen).strip() else seen


@lru_cache(maxsize=1)
def _table() -> tuple[dict[str, tuple[str, ...]], frozenset[str]]:
    raw = YAML(typ="safe").load(resources.files("identity").joinpath("nicknames.yaml").read_text("utf-8"))
    stands_for: dict[str, set[str]] = {}
    known: set[str] = set()
    for full, short in raw["short_forms"].items():
        (root,) = fold(full)
        stands_for.setdefault(root, set()).add(root)
        known.add(root)
        for name in str(short).split():
            (folded,) = fold(name)
            stands_for.setdefault(folded, set()).add(root)
            known.add(folded)
    known.update(word for line in raw["everyday"] for word in fold(line))
    return {name: tuple(sorted(roots)) for name, roots in stands_for.items()}, frozenset(known)


@lru_cache(maxsize=400_000)
def roots(given: str) -> tuple[str, ...]:
    """Full names that a folded given name may stand for; one letter stands for none.

    A name nobody knows that is one slip from everyday ones stands for theirs as well (Jrnnifer).
    """
    if len(given) < 2:
        return ()
    stands_for, known = _table()
    if given in known or len(given) < _SHORTEST_SLIP:
        return stands_for.get(given, (given,))
    return tuple(sorted({given, *(root for name in _one_slip_away(given) for root in stands_for.get(name, (name,)))}))


@lru_cache(maxsize=1)
def _by_gap() -> dict[str, list[str]]:
    """Everyday names by every spelling of them with at most one letter left out."""
    spellings: dict[str, list[str]] = {}
    for name in sorted(_table()[1]):
        if len(name) >= _SHORTEST_SLIP:
            for spelling in _gaps(name):
                spellings.setdefault(spelling, []).append(name)
    return spellings


def _gaps(name: str) -> set[str]:
    return {name, *(name[:at] + name[at + 1 :] for at in range(len(name)))}


def _one_slip_away(given: str) -> set[str]:
    near = {name for spelling in _gaps(given) for name in _by_gap().get(spelling, ())}
    return {name for name in near if name != given and one_slip(given, name)}


@lru_cache(maxsize=1)
def _short_forms() -> dict[str, tuple[str, ...]]:
    """Full name -> all that may stand for it."""
    forms: dict[str, list[str]] = {}
    for form, full_names in _table()[0].items():
        for full in full_names:
            forms.setdefault(full, []).append(form)
    return {full: tuple(sorted(known)) for full, known in forms.items()}


def _slip_of_short_form(odd: str, given: str) -> bool:
    """Whether a name nobody knows is one slip from something that may stand for the other (Jck for John)."""
    if is_known(odd) or len(odd) < _SHORTEST_ODD:
        return False
    return any(form != odd and one_slip(odd, form) for root in roots(given) for form in _short_forms().get(root, ()))


def is_known(given: str) -> bool:
    """Whether a folded given name is an everyday one."""
    return given in _table()[1]


@lru_cache(maxsize=400_000)
def split_name(given: str, family: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(given names, words of the family name), folded, without titles; a lone full name is split at its last word.

    A couple's account (John & Mary) has no given name: it is neither's. A company (Hill Heating Ltd) has no name.
    Junior and senior stand behind the given names.
    """
    first, born = _without_titles(() if _TWO_PEOPLE.search(given) else fold(given))
    last, also = _without_titles(fold(family))
    if COMPANIES.intersection((*first, *last)[-1:]):
        return (), ()
    if not last and len(first) > 1:
        first, last = first[:-1], first[-1:]
    elif not first and len(last) > 1:
        first, last = last[:-1], last[-1:]
    if not ROLES.isdisjoint(first) and _ROLE_WORDS.issuperset(first):
        first = ()
    givens = _without_junk(first)
    return (*givens, *sorted({*born, *also})) if givens else (), _without_junk(last)


def _without_titles(words: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(words without forms of address, the generation that the last of several words tells)."""
    told = _GENERATIONS.get(words[-1], "") if len(words) > 1 else ""
    named = words[:-1] if told else words
    return tuple(word for word in named if word not in TITLES), (told,) if told else ()


def _without_junk(words: tuple[str, ...]) -> tuple[str, ...]:
    return () if "".join(words) in JUNK else tuple(word for word in words if word not in JUNK and not is_typed(word))


@lru_cache(maxsize=100_000)
def is_typed(word: str) -> bool:
    """Whether a word is what hands type to get past a form: one letter again and again, or a row of keys."""
    if len(word) > 2 and len(set(word)) == 1:
        return True
    return len(word) >= _LEAST_RUN and word not in _NAMES_OF_A_ROW and any(word in row for row in _ROWS)


def family_parts(words: tuple[str, ...]) -> tuple[str, ...]:
    """Parts of a family name that identify: particles dropped unless nothing else is left."""
    return tuple(word for word in words if word not in PARTICLES and len(word) > 1) or words


def core(parts: tuple[str, ...]) -> str:
    """A family name by its parts that identify, in a spelling that transliterations share: w is v, shch is sch."""
    return "".join(parts).replace("w", "v").replace("shch", "sch")


@lru_cache(maxsize=400_000)
def given_names_clash(a: str, b: str) -> bool:
    """Whether two folded first given names clearly belong to two people.

    Not where one is the initial or a short form of the other, or a slip of the pen. Two everyday names are two
    names however close they look (Daniel, Danielle).
    """
    if not a or not b or a == b:
        return False
    if 1 in (len(a), len(b)):
        return {a[0], *(name[0] for name in roots(a))}.isdisjoint({b[0], *(name[0] for name in roots(b))})
    if set(roots(a)) & set(roots(b)):
        return False
    if is_known(a) and is_known(b):
        return True
    cut_short = min(len(a), len(b)) >= 3 and (a.startswith(b) or b.startswith(a))
    if cut_short or _slip_of_short_form(a, b) or _slip_of_short_form(b, a):
        return False
    return jaro_winkler(a, b) < FAR and not one_slip(a, b)
