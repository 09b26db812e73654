"""What keeps records apart, and what lifts that."""

from __future__ import annotations

import pytest

from identity.vetoes import veto
from onevoice.configfile.identity_file import IdentityFile, Vetoes


def test_a_family_name_of_two_words_alone_is_no_given_name(make) -> None:
    one = make("1", family_name="Vasquez Smith")
    whole = make("2", given_name="Gabrielle", family_name="Vasquez-Smith")
    assert (one.given, one.family) == ("vasquz", "smith")
    config = IdentityFile.model_validate(
        {"model": "person.yaml", "comparisons": [{"kind": "given_name"}], "blocking": [["names"]]}
    )
    assert veto(one, whole, config) == ""
    assert veto(one, make("3", given_name="Gabrielle", family_name="Vasquez Jones"), config) != ""


@pytest.mark.parametrize(
    ("other", "lifted"),
    [
        ("1233821", True),
        ("1233871", True),
        ("1238321", True),
        ("123821", True),
        ("1277821", False),
        ("", False),
    ],
)
def test_a_nearly_equal_number_proves_where_the_configuration_says_so(
    make, config: IdentityFile, other: str, lifted: bool
) -> None:
    near = config.model_copy(update={"vetoes": Vetoes(lifted_by=(("near_national_id",),))})
    a = make("1", given_name="Emma", family_name="Hill", national_id="1233821")
    b = make("2", given_name="Ronan", family_name="Hill", national_id=other)
    assert (veto(a, b, near) == "") is lifted
    exact = config.model_copy(update={"vetoes": Vetoes(lifted_by=(("national_id",),))})
    assert (veto(a, b, exact) == "") is (other == "1233821")


def test_junior_is_not_senior_and_both_may_be_told_without(make, config: IdentityFile) -> None:
    senior = make("1", given_name="Thomas Lee", family_name="Ashcombe Sr.")
    junior = make("2", given_name="Thomas Lee Jr", family_name="Ashcombe")
    plain = make("3", given_name="Thomas Lee", family_name="Ashcombe")
    assert (senior.givens, junior.family) == (("thomas", "lee", "senior"), "ashcombe")
    assert veto(senior, junior, config) != ""
    assert veto(senior, plain, config) == veto(junior, plain, config) == ""
    assert veto(make("4", given_name="Anna", family_name="Ashcombe Jr."), junior, config) != ""
