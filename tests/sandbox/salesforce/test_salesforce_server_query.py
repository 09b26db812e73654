"""Queries over HTTP with the real SDK: conditions, order, pages, lag, deleted rows, errors as the vendor words them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from simple_salesforce.exceptions import SalesforceMalformedRequest
from simple_salesforce.format import format_soql


@pytest.fixture
def ask(org):
    sf = org.sdk()

    def ask(where):
        return [row["Id"] for row in sf.query_all(f"SELECT Id FROM Contact WHERE {where} ORDER BY Id")["records"]]

    return ask


def test_conditions(org, ask):
    ann = org.contact(
        FirstName="Ann", Email="ann@example.org", Birthdate="1980-05-01", HasOptedOutOfEmail=True, Title="50% _off"
    )
    bob = org.contact(FirstName="bob", Email="bob@example.org", Birthdate="1990-05-01")
    eve = org.contact(FirstName="Eve", LastName="O'Neil")
    assert ask("FirstName = 'ANN'") == [ann]
    assert ask("FirstName != 'ann'") == [bob, eve]
    assert ask("FirstName <> 'ann'") == [bob, eve]
    assert ask("Email = null") == [eve]
    assert ask("Email != null") == [ann, bob]
    assert ask("Birthdate < 1990-05-01") == [ann]
    assert ask("Birthdate >= 1980-05-01") == [ann, bob]
    assert ask("HasOptedOutOfEmail = true") == [ann]
    assert ask("HasOptedOutOfEmail = false") == [bob, eve]
    assert ask("FirstName IN ('ANN', 'EVE')") == [ann, eve]
    assert ask("FirstName NOT IN ('ANN', 'EVE')") == [bob]
    assert ask("NOT FirstName = 'Ann'") == [bob, eve]
    assert ask("Email LIKE '%@example.org'") == [ann, bob]
    assert ask("FirstName LIKE '_ob'") == [bob]
    assert ask(r"Title LIKE '50\% \_%'") == [ann]
    assert ask(r"LastName = 'O\'Neil'") == [eve]
    assert ask("Name = 'eve o\\'neil'") == [eve]
    assert ask(f"Id = '{ann[:15]}'") == [ann]
    assert ask(f"Id IN ('{bob}', '{eve}') AND Email != null") == [bob]
    assert ask(f"Id > '{ann}'") == [bob, eve]
    assert ask("(FirstName = 'Ann' OR FirstName = 'Bob') AND Birthdate > 1985-01-01") == [bob]


def test_order_nulls_limit_and_offset(org):
    ann = org.contact(FirstName="Ann")
    none = org.contact()
    bob = org.contact(FirstName="bob")
    sf = org.sdk()

    def ordered(rest):
        return [row["Id"] for row in sf.query(f"SELECT Id FROM Contact ORDER BY {rest}")["records"]]

    assert ordered("FirstName") == [none, ann, bob]
    assert ordered("FirstName DESC") == [none, bob, ann]
    assert ordered("FirstName DESC NULLS LAST") == [bob, ann, none]
    assert ordered("FirstName NULLS LAST LIMIT 1 OFFSET 1") == [bob]
    assert sf.query("SELECT COUNT() FROM Contact")["totalSize"] == 3
    assert sf.query("SELECT COUNT(FirstName) FROM Contact")["records"][0]["expr0"] == 2


def test_tie_break_on_id_walks_through_rows_of_one_second(org):
    stamp = org.state.clock.now() - timedelta(days=3)
    ids = [org.state.tables["Contact"].insert({"LastName": "Moss"}, stamp=stamp, actor="seed") for _ in range(7)]
    sf, got, after = org.sdk(), [], "000000000000000"
    while True:
        rows = sf.query(
            format_soql(
                "SELECT Id FROM Contact WHERE SystemModstamp > {t} OR (SystemModstamp = {t} AND Id > {i}) "
                "ORDER BY SystemModstamp, Id LIMIT 3",
                t=stamp,
                i=after,
            )
        )["records"]
        if not rows:
            break
        got += [row["Id"] for row in rows]
        after = got[-1]
    assert got == ids


def test_pages_hold_what_was_found_when_the_query_began(org):
    ids = [org.contact(Email=f"a{n}@example.org") for n in range(2100)]
    sf = org.sdk()
    first = sf.query("SELECT Id, Email FROM Contact ORDER BY Id")
    assert (len(first["records"]), first["totalSize"], first["done"]) == (2000, 2100, False)
    sf.Contact.update(ids[-1], {"Email": "changed@example.org"})
    org.state.clock.advance(10)
    rest = sf.query_more(first["nextRecordsUrl"], identifier_is_url=True)
    assert rest["done"]
    assert [row["Id"] for row in first["records"] + rest["records"]] == ids
    assert rest["records"][-1]["Email"] == "a2099@example.org"
    small = sf.query("SELECT Id FROM Contact", headers={"Sforce-Query-Options": "batchSize=500"})
    assert len(small["records"]) == 500
    assert len(list(sf.query_all_iter("SELECT Id FROM Contact"))) == 2100
    with pytest.raises(SalesforceMalformedRequest, match="INVALID_QUERY_LOCATOR"):
        sf.query_more("01gQy000000zzzzAAA-2000")


def test_parents_are_nested_and_null_when_missing(org):
    ann = org.contact(FirstName="Ann", Email="ann@example.org")
    program = org.state.tables["LoyaltyProgram"].insert({"Name": "Club"}, stamp=org.state.clock.now(), actor="seed")
    stamp = org.state.clock.now()
    members = org.state.tables["LoyaltyProgramMember"]
    tiers = org.state.tables["LoyaltyMemberTier"]
    member = members.insert({"ContactId": ann, "ProgramId": program}, stamp=stamp, actor="seed")
    tiers.insert({"LoyaltyMemberId": member, "Name": "Gold"}, stamp=stamp, actor="seed")
    tiers.insert({"LoyaltyMemberId": None, "Name": "Blue"}, stamp=stamp, actor="seed")
    sf = org.sdk()
    rows = sf.query(
        "SELECT Name, LoyaltyMember.ProgramId, LoyaltyMember.Contact.Email FROM LoyaltyMemberTier "
        "WHERE LoyaltyMember.Contact.FirstName = 'Ann' OR Name = 'Blue' ORDER BY Name DESC"
    )["records"]
    assert rows[0]["LoyaltyMember"]["Contact"]["Email"] == "ann@example.org"
    assert rows[0]["LoyaltyMember"]["ProgramId"] == program
    assert rows[1]["LoyaltyMember"] is None


def test_a_fresh_change_is_hidden_from_queries_but_not_from_reads(org):
    ann = org.contact(FirstName="Ann", Email="ann@example.org")
    sf = org.sdk()
    before = sf.Contact.get(ann)["SystemModstamp"]
    sf.Contact.update(ann, {"FirstName": "Anna"})
    made = sf.Contact.create({"LastName": "New"})["id"]
    assert sf.Contact.get(ann)["FirstName"] == "Anna"
    asked = sf.restful("composite/sobjects/Contact", method="POST", json={"ids": [made], "fields": ["LastName"]})
    assert asked[0]["LastName"] == "New"
    assert [row["FirstName"] for row in sf.query("SELECT FirstName FROM Contact")["records"]] == ["Ann"]
    org.state.clock.advance(2)
    rows = sf.query("SELECT FirstName, SystemModstamp, LastModifiedDate FROM Contact ORDER BY Id")["records"]
    assert [row["FirstName"] for row in rows] == ["Anna", None]
    assert rows[0]["SystemModstamp"] > before
    assert rows[0]["SystemModstamp"] == rows[0]["LastModifiedDate"]
    assert rows[0]["SystemModstamp"].endswith(".000+0000")


def test_deleted_rows_are_for_those_who_ask(org):
    ann, bob = org.contact(FirstName="Ann"), org.contact(FirstName="Bob")
    sf = org.sdk()
    assert sf.Contact.delete(ann) == 204
    org.state.clock.advance(120)
    assert [row["Id"] for row in sf.query("SELECT Id FROM Contact")["records"]] == [bob]
    rows = sf.query_all("SELECT Id, IsDeleted FROM Contact WHERE IsDeleted = true", include_deleted=True)["records"]
    assert [row["Id"] for row in rows] == [ann]
    now = org.state.clock.now()
    gone = sf.Contact.deleted(now - timedelta(minutes=10), now)
    assert [row["id"] for row in gone["deletedRecords"]] == [ann]
    assert sf.Contact.updated(now - timedelta(days=5), now)["ids"] == [bob]
    with pytest.raises(SalesforceMalformedRequest, match="INVALID_REPLICATION_DATE"):
        sf.Contact.deleted(now - timedelta(days=20), now)


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("SELECT Id FROM Contact WHERE", "MALFORMED_QUERY"),
        ("SELECT Nope FROM Contact", "INVALID_FIELD"),
        ("SELECT onevoice_tier__c FROM Contact", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE Nope = 1", "INVALID_FIELD"),
        ("SELECT Id FROM Contact ORDER BY Nope", "INVALID_FIELD"),
        ("SELECT Id FROM Nope", "INVALID_TYPE"),
        ("SELECT Nope.Name FROM Contact", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE SystemModstamp > '2026-11-22'", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE Birthdate > 2026-11-22T09:00:00Z", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE HasOptedOutOfEmail = 'true'", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE FirstName = 3", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE Description LIKE '%a%'", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE Birthdate LIKE '19%'", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE Id = 'short'", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM Contact LIMIT 1 OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE"),
    ],
)
def test_errors(org, statement, code):
    with pytest.raises(SalesforceMalformedRequest) as refused:
        org.sdk().query(statement)
    assert refused.value.status == 400
    assert [error["errorCode"] for error in refused.value.content] == [code]


def test_narrowing_by_sorted_index_changes_no_answer(org):
    """The index walk must find what a plain scan finds, whatever the condition."""
    stamps = [org.state.clock.now() - timedelta(days=3, minutes=n % 13) for n in range(60)]
    table = org.state.tables["Contact"]
    for n, stamp in enumerate(stamps):
        table.insert(
            {"LastName": f"N{n}", "Birthdate": f"19{50 + n % 9}-01-01" if n % 4 else None}, stamp=stamp, actor="seed"
        )
    sf = org.sdk()
    edge = format_soql("{}", stamps[6])
    middle = sorted(table.rows)[30]
    for condition in (
        f"SystemModstamp > {edge}",
        f"SystemModstamp >= {edge} AND Birthdate = null",
        f"SystemModstamp < {edge} OR SystemModstamp = {edge}",
        f"NOT SystemModstamp < {edge}",
        f"(SystemModstamp > {edge} OR (SystemModstamp = {edge} AND Id > '{middle}')) AND Birthdate != null",
        f"Id > '{middle}'",
        "Birthdate > 1955-01-01 OR LastName LIKE 'N1%'",
        "Birthdate != 1955-01-01",
    ):
        answers = {
            tuple(sorted(row["Id"] for row in sf.query(f"SELECT Id FROM Contact WHERE {condition} {order}")["records"]))
            for order in (
                "",
                "ORDER BY Id",
                "ORDER BY SystemModstamp, Id",
                "ORDER BY Birthdate",
                "ORDER BY LastName DESC",
            )
        }
        assert len(answers) == 1, condition
        assert 0 < len(answers.pop()) < 60, condition
