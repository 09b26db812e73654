"""What an org holds survives a restart of its server: records, custom fields, the bin, its own id."""

from __future__ import annotations

import json

from onevoice.sandbox.salesforce import create_app
from onevoice.sandbox.state import Clock, ServerConfig
from onevoice.sandbox.tables import salesforce_state


def test_a_restart_forgets_only_the_sessions(org, stage):
    key, gone = org.contact(FirstName="Ann"), org.contact(FirstName="Bob")
    org.field("onevoice_tier__c", type="Text", length=40)
    sf = org.sdk()
    sf.Contact.update(key, {"onevoice_tier__c": "gold"})
    sf.Contact.delete(gone)
    account = sf.query("SELECT Id FROM Organization")["records"][0]["Id"]

    again = salesforce_state(Clock(org.state.clock.now()))
    again.load(json.loads(json.dumps(org.state.dump())))
    stage.app = create_app(again, ServerConfig(stage.url, "client", "secret"))
    rows = sf.query("SELECT Id, onevoice_tier__c, IsDeleted FROM Contact ORDER BY Id", include_deleted=True)["records"]
    assert [(row["Id"], row["onevoice_tier__c"], row["IsDeleted"]) for row in rows] == [
        (key, "gold", False),
        (gone, None, True),
    ]
    assert sf.query("SELECT Id FROM Organization")["records"][0]["Id"] == account
