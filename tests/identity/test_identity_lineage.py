"""Ids that last: what happens to them in a merge, a split, a move, and back."""

from __future__ import annotations

from identity import Cluster, Edge, assign_ids, profile_id
from onevoice.model import Ref


def _ref(key: str) -> Ref:
    return Ref("crm", "contacts", key)


def _clusters(*groups: str) -> list[Cluster]:
    return [Cluster(frozenset(_ref(key) for key in group)) for group in groups]


def _kinds(changes) -> list[str]:
    return [event.kind for event in changes.events]


def test_new_clusters_get_ids_made_from_their_anchor() -> None:
    changes = assign_ids({}, _clusters("ab", "c"))
    assert changes.assigned == {
        _ref("a"): profile_id(_ref("a")),
        _ref("b"): profile_id(_ref("a")),
        _ref("c"): profile_id(_ref("c")),
    }
    assert _kinds(changes) == ["created", "created"]
    assert assign_ids({}, _clusters("c", "ba")) == changes


def test_nothing_new_means_no_event() -> None:
    first = assign_ids({}, _clusters("ab", "c")).assigned
    again = assign_ids(first, _clusters("ab", "c"))
    assert again.assigned == first
    assert not again.events


def test_the_oldest_survives_a_merge_and_the_loser_redirects() -> None:
    previous = {_ref("a"): "young", _ref("b"): "old"}
    changes = assign_ids(previous, _clusters("ab"), age={"old": 1, "young": 2}.__getitem__)
    assert set(changes.assigned.values()) == {"old"}
    assert [(e.kind, e.profile_id, e.other_id) for e in changes.events] == [("merged", "young", "old")]


def test_of_two_ids_of_one_age_that_of_the_lower_anchor_survives_as_if_all_had_come_at_once() -> None:
    """Whichever of the two hashes sorts first."""
    at_once = assign_ids({}, _clusters("abcd")).assigned
    for first, second in (("ab", "cd"), ("ad", "bc"), ("a", "bcd")):
        apart = assign_ids({}, _clusters(first, second)).assigned
        assert assign_ids(apart, _clusters("abcd"), age=lambda _: 1).assigned == at_once
    keys = [("ab"[n % 2] + str(n), "cd"[n % 2] + str(n)) for n in range(8)]
    for low, high in keys:
        apart = assign_ids({}, [Cluster(frozenset({_ref(key)})) for key in (low, high)]).assigned
        together = assign_ids(apart, [Cluster(frozenset({_ref(low), _ref(high)}))]).assigned
        assert set(together.values()) == {profile_id(_ref(low))}


def test_an_anchor_that_is_gone_counts_after_one_that_is_there() -> None:
    gone, there = profile_id(_ref("a")), profile_id(_ref("c"))
    previous = {_ref("b"): gone, _ref("c"): there}
    assert set(assign_ids(previous, _clusters("bc")).assigned.values()) == {there}


def test_a_split_leaves_the_id_with_the_anchor() -> None:
    pid = profile_id(_ref("a"))
    previous = dict.fromkeys(map(_ref, "abc"), pid)
    changes = assign_ids(previous, _clusters("a", "bc"))
    assert changes.assigned[_ref("a")] == pid
    assert changes.assigned[_ref("b")] == changes.assigned[_ref("c")] == profile_id(_ref("b"))
    assert [(e.kind, e.profile_id, e.other_id) for e in changes.events] == [("split", profile_id(_ref("b")), pid)]


def test_a_split_after_a_merge_restores_the_retired_id() -> None:
    a, b = profile_id(_ref("a")), profile_id(_ref("b"))
    changes = assign_ids(
        dict.fromkeys(map(_ref, "ab"), a),
        _clusters("a", "b"),
        standing=lambda pid: "retired" if pid == b else "free",
    )
    assert changes.assigned == {_ref("a"): a, _ref("b"): b}
    assert [(e.kind, e.profile_id, e.other_id) for e in changes.events] == [("restored", b, a)]


def test_a_retired_id_comes_back_before_a_new_one_is_made() -> None:
    retired = profile_id(_ref("b"))
    changes = assign_ids({}, _clusters("ab"), standing=lambda pid: "retired" if pid == retired else "free")
    assert set(changes.assigned.values()) == {retired}
    assert [(e.kind, e.cause) for e in changes.events] == [("restored", str(_ref("b")))]


def test_a_merge_names_the_match_that_joined_the_two() -> None:
    """Heavier matches within either of the two joined nothing new."""
    pairs = (("a", "b", 20.0), ("c", "d", 19.0), ("b", "c", 5.0))
    edges = tuple(Edge(_ref(left), _ref(right), weight, 1.0) for left, right, weight in pairs)
    previous = {_ref("a"): "P", _ref("b"): "P", _ref("c"): "Q", _ref("d"): "Q"}
    [merged] = assign_ids(previous, [Cluster(frozenset(previous), edges)]).events
    assert (merged.kind, merged.cause) == ("merged", f"{_ref('b')} = {_ref('c')}")


def test_a_record_that_moves_between_living_profiles_is_told() -> None:
    previous = {_ref("a"): "P", _ref("b"): "P", _ref("c"): "Q"}
    changes = assign_ids(previous, _clusters("a", "bc"), age={"P": 1, "Q": 2}.__getitem__)
    assert changes.assigned == {_ref("a"): "P", _ref("b"): "Q", _ref("c"): "Q"}
    assert [(e.kind, e.profile_id, e.other_id) for e in changes.events] == [("moved", "Q", "P")]


def test_deleting_the_anchor_keeps_the_id_and_deleting_all_retires_it() -> None:
    pid = profile_id(_ref("a"))
    previous = dict.fromkeys(map(_ref, "ab"), pid)
    assert assign_ids(previous, _clusters("b")).assigned == {_ref("b"): pid}
    assert _kinds(assign_ids(previous, [])) == ["retired"]


def test_an_id_that_lives_elsewhere_is_never_given_twice() -> None:
    taken = profile_id(_ref("a"))
    changes = assign_ids({}, _clusters("a"), standing=lambda pid: "living" if pid == taken else "free")
    assert changes.assigned[_ref("a")] != taken
