"""Reading again: in every cycle some records of a system are read by their ids, in turn, changed or not.

A pull asks a vendor for what changed since the last one. Not every vendor promises that a record's stamp moves with all
that hangs on it (a metafield, a group, a suppression), and some list no deletes. There a connector's manifest says how
many records are read again (`reread`); what is found comes in by the ways of a pull. A system with fewer records than
that is looked at whole in every cycle; of others, each record comes round in turn.
"""

from __future__ import annotations

from onevoice.errors import ConnectorError, RetryableError
from onevoice.model import Ref
from onevoice.pipeline.hub import Hub
from onevoice.pipeline.pull import store_page
from onevoice.pipeline.report import Report
from onevoice.store import rereads

FEW = 10
"""So many records may be gone at once, whatever their share."""


def reread_stream(hub: Hub, system: str, stream: str) -> Report:
    """Read the records of a stream whose turn it is. A vendor that fails ends this job, not the cycle."""
    size, fetcher = hub.source(system).streams[stream].reread, hub.fetcher(system)
    if not size or fetcher is None:
        return Report()
    fields = hub.fields_to_read(system, stream)
    with hub.store.read() as connection:
        refs = rereads.next_refs(connection, system, stream, size, hub.as_of)
    if not refs:
        return Report()
    try:
        records = list(fetcher.fetch(stream, [Ref.parse(ref).key for ref in refs], fields))
    except ConnectorError as exc:
        return Report(failed=str(exc), again=isinstance(exc, RetryableError))
    notes = []
    gone = sum(record.deleted for record in records)
    if gone > max(FEW, hub.config.hub.guard.mass_change_share * len(records)):
        records = [record for record in records if not record.deleted]
        notes.append(f"{system}.{stream}: {gone} of {len(refs)} records seem to be gone; that many are not believed")
    done = store_page(hub, system, stream, records, None, fields)
    with hub.store.begin() as connection:
        rereads.reach(connection, system, stream, refs[-1])
    return Report({"reread": len(records), "changed": done["changed"]}, tuple(notes), rejected=done["unmapped"])
