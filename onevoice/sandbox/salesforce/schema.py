"""The objects and fields of the org: standard ones, the org's own, and those created through the API.

Standard names and types follow the vendor's objects at API 67.0; fields of an object that the sandbox does not hold are
left out. Fields created through the API live in `VendorState.schema`, so that they survive a restart.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from onevoice.sandbox.salesforce.errors import refusal
from onevoice.sandbox.state import VendorState

TEXTUAL = frozenset({"string", "email", "phone", "textarea", "picklist", "url"})


@dataclass(frozen=True, slots=True)
class FieldDef:
    """One field. `type` is a describe type of the vendor."""

    name: str
    type: str
    label: str
    length: int = 0
    writable: bool = True
    filterable: bool = True
    required: bool = False
    custom: bool = False
    external_id: bool = False
    unique: bool = False
    values: tuple[str, ...] = ()
    """Allowed values of a restricted picklist."""
    parent: str = ""
    """Object a reference points at."""
    relation: str = ""
    """Name under which a query reaches the parent's fields."""
    precision: int = 0
    scale: int = 0


def _text(name: str, label: str, length: int, **more: Any) -> FieldDef:
    return FieldDef(name, more.pop("type", "string"), label, length, **more)


def _parent(name: str, parent: str, *, relation: str | None = None, **more: Any) -> FieldDef:
    return FieldDef(
        name, "reference", f"{parent} ID", 18, parent=parent, relation=relation or name.removesuffix("Id"), **more
    )


def _picklist(name: str, label: str, *values: str) -> FieldDef:
    return FieldDef(name, "picklist", label, 255, values=values)


_SYSTEM = (
    FieldDef("Id", "id", "Record ID", 18, writable=False),
    FieldDef("IsDeleted", "boolean", "Deleted", writable=False),
    FieldDef("CreatedDate", "datetime", "Created Date", writable=False),
    FieldDef("LastModifiedDate", "datetime", "Last Modified Date", writable=False),
    FieldDef("SystemModstamp", "datetime", "System Modstamp", writable=False),
)
_CONTACT = (
    _text("Name", "Full Name", 121, writable=False),
    _text("FirstName", "First Name", 40),
    _text("LastName", "Last Name", 80, required=True),
    _text("Email", "Email", 80, type="email"),
    _text("Phone", "Business Phone", 40, type="phone"),
    _text("MobilePhone", "Mobile Phone", 40, type="phone"),
    FieldDef("Birthdate", "date", "Birthdate"),
    _text("MailingStreet", "Mailing Street", 255, type="textarea"),
    _text("MailingCity", "Mailing City", 40),
    _text("MailingPostalCode", "Mailing Zip/Postal Code", 20),
    _text("MailingState", "Mailing State/Province", 80),
    _text("MailingCountry", "Mailing Country", 80),
    FieldDef("HasOptedOutOfEmail", "boolean", "Email Opt Out"),
    FieldDef("DoNotCall", "boolean", "Do Not Call"),
    _text("Title", "Title", 128),
    _text("Description", "Contact Description", 32000, type="textarea", filterable=False),
    _parent("MasterRecordId", "Contact", relation="MasterRecord", writable=False),
    FieldDef("Last_Purchase_Date__c", "date", "Last Purchase Date", custom=True),
    FieldDef("Birthday_Reward_On__c", "date", "Birthday Reward On", custom=True),
    FieldDef("Welcome_Reward_On__c", "date", "Welcome Reward On", custom=True),
)
_CASE = (
    _parent("ContactId", "Contact"),
    _text("CaseNumber", "Case Number", 30, writable=False),
    FieldDef("Type", "picklist", "Case Type", 255),
    FieldDef("Status", "picklist", "Status", 255),
    FieldDef("IsClosed", "boolean", "Closed", writable=False),
    FieldDef("ClosedDate", "datetime", "Closed Date", writable=False),
    _text("Subject", "Subject", 255),
)
_MEMBER_STATUSES = ("Active", "Pending", "Suspended", "Inactive", "Merged")
OBJECTS: dict[str, tuple[FieldDef, ...]] = {
    "Organization": (
        *_SYSTEM,
        _text("Name", "Name", 80, writable=False),
        FieldDef("IsSandbox", "boolean", "Is Sandbox", writable=False),
        _text("OrganizationType", "Edition", 40, writable=False),
    ),
    "Contact": _SYSTEM + _CONTACT,
    "Case": _SYSTEM + _CASE,
    "LoyaltyProgram": (
        *_SYSTEM,
        _text("Name", "Loyalty Program Name", 255, required=True),
        _picklist("Status", "Status", "Draft", "Active", "Inactive"),
    ),
    "LoyaltyProgramMember": (
        *_SYSTEM,
        _parent("ContactId", "Contact"),
        _parent("ProgramId", "LoyaltyProgram"),
        _text("MembershipNumber", "Membership Number", 255, unique=True),
        _picklist("MemberStatus", "Member Status", *_MEMBER_STATUSES),
        _picklist("MemberType", "Member Type", "Individual", "Corporate"),
        FieldDef("EnrollmentDate", "date", "Enrollment Date"),
        FieldDef("MembershipEndDate", "date", "Membership End Date"),
        FieldDef("CanReceivePromotions", "boolean", "Can Receive Promotions"),
    ),
    "LoyaltyMemberCurrency": (
        *_SYSTEM,
        _parent("LoyaltyMemberId", "LoyaltyProgramMember"),
        _text("Name", "Name", 255),
        FieldDef("PointsBalance", "double", "Points Balance", writable=False, precision=18, scale=2),
        FieldDef("EscrowPointsBalance", "double", "Escrow Points Balance", writable=False, precision=18, scale=2),
    ),
    "LoyaltyMemberTier": (
        *_SYSTEM,
        _parent("LoyaltyMemberId", "LoyaltyProgramMember"),
        _text("Name", "Name", 255),
        FieldDef("LoyaltyTierId", "reference", "Loyalty Tier ID", 18),
        FieldDef("EffectiveDate", "date", "Effective Date"),
        FieldDef("TierExpirationDate", "date", "Tier Expiration Date"),
    ),
}


class Schema:
    """The org's objects as they are now."""

    def __init__(self, state: VendorState) -> None:
        self._state = state
        self._known: dict[str, dict[str, FieldDef]] = {}
        self._created = -1

    def objects(self) -> Iterator[str]:
        """Names of all objects."""
        return iter(OBJECTS)

    def fields(self, entity: str) -> dict[str, FieldDef]:
        """Fields by lower-cased name (the vendor's names ignore case); refuses an object that does not exist."""
        if sum(map(len, self._state.schema.values())) != self._created:
            self._rebuild()
        fields = self._known.get(entity.lower())
        if fields is None:
            raise refusal(400, "INVALID_TYPE", f"sObject type '{entity}' is not supported.")
        return fields

    def entity(self, name: str) -> str:
        """The object's name as the vendor spells it; answers 404 for one that does not exist."""
        for known in OBJECTS:
            if known.lower() == name.lower():
                return known
        raise refusal(404, "NOT_FOUND", "The requested resource does not exist")

    def add(self, entity: str, field: FieldDef) -> None:
        """Create a custom field."""
        self._state.schema.setdefault(entity, {})[field.name] = asdict(field)

    def custom(self, entity: str) -> dict[str, FieldDef]:
        """The fields that were created through the API, by name."""
        created = self._state.schema.get(entity, {})
        return {name: FieldDef(**{**kept, "values": tuple(kept["values"])}) for name, kept in created.items()}

    def _rebuild(self) -> None:
        self._created = sum(map(len, self._state.schema.values()))
        for entity, standard in OBJECTS.items():
            fields = [*standard, *self.custom(entity).values()]
            self._known[entity.lower()] = {field.name.lower(): field for field in fields}
