"""The sandbox's own endpoint: the planted truth, today's messages with their verdict, call counts, the clock, edits by
hand, limits and faults. For demos and tests; a hub never speaks to it. Plain HTTP, JSON in and out.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from onevoice.sandbox.edits import Hand, NothingPushedError, answer, read_field, write_field
from onevoice.sandbox.happenings import Happenings
from onevoice.sandbox.judge import Judge, person_name
from onevoice.sandbox.state import VendorState
from onevoice.sandbox.trap import Snare


class BadRequestError(Exception):
    """What was sent cannot be meant; the message says what is allowed."""


class Admin:
    """The endpoints over one world."""

    def __init__(self, judge: Judge, stop: Callable[[], None]) -> None:
        self._judge = judge
        self._world = judge.world
        self._stop = stop

    @property
    def _vendors(self) -> dict[str, VendorState]:
        return self._world.vendors

    def app(self) -> Starlette:
        """The application to serve."""
        reads: dict[str, Callable[[], Any]] = {
            "/clock": self.clock,
            "/truth": self.truth,
            "/messages": self._judge.messages,
            "/allowed": lambda: {"allowed": self._judge.allowed()},
            "/native-opt-outs": self._judge.native_opt_outs,
            "/calls": self.calls,
            "/state": self.state,
            "/log": self.log,
            "/james": self.james,
            "/trap": self.trap,
        }
        changes: dict[str, Callable[[Mapping[str, Any]], Any]] = {
            "/clock": self.advance,
            "/assignment": self.assign,
            "/calls/reset": self.reset_calls,
            "/edits": self.edit,
            "/field": self.field,
            "/happen": self.happen,
            "/limits": self.limits,
            "/faults": self.faults,
            "/trap": self.arm,
            "/trap/release": self.release,
            "/stop": self.stop,
        }
        return Starlette(
            routes=[
                *(Route(path, self._reading(read), methods=["GET"]) for path, read in reads.items()),
                *(Route(path, self._changing(change), methods=["POST"]) for path, change in changes.items()),
            ]
        )

    def _reading(self, read: Callable[[], Any]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(_: Request) -> Response:
            self._world.catch_up()
            return _json(read())

        return endpoint

    def _changing(self, change: Callable[[Mapping[str, Any]], Any]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                body = orjson.loads(await request.body() or b"{}")
            except orjson.JSONDecodeError:
                return _json({"error": "the body is not JSON"}, 400)
            if not isinstance(body, dict):
                return _json({"error": "the body must be a JSON object"}, 400)
            self._world.catch_up()
            try:
                return _json(change(body))
            except BadRequestError as error:
                return _json({"error": str(error)}, 400)

        return endpoint

    def clock(self) -> dict[str, str]:
        return {"as_of": self._world.clock.now().isoformat()}

    def advance(self, body: Mapping[str, Any]) -> dict[str, str]:
        seconds = body.get("advance_seconds")
        if not isinstance(seconds, (int, float)) or isinstance(seconds, bool) or seconds < 0:
            raise BadRequestError("clock: advance_seconds must be a number, 0 or more")
        self._world.clock.advance(seconds)
        return self.clock()

    def truth(self) -> dict[str, Any]:
        records = [
            {"system": system, "stream": stream, "key": key, "person": person_name(person)}
            for (system, stream, key), person in self._world.truth.person_of.items()
        ]
        return {"records": records, "people": self._world.people, "hard_cases": self._world.truth.hard_cases}

    def assign(self, body: Mapping[str, Any]) -> dict[str, int]:
        """Take what the hub says of records that carry no pushed id; a later call replaces what it names again."""
        try:
            said = {(str(s), str(t), str(k)): str(profile) for s, t, k, profile in body["records"]}
        except (KeyError, TypeError, ValueError):
            raise BadRequestError("assignment: records must be [system, stream, key, profile_id] lists") from None
        self._judge.assigned.update(said)
        return {"records": len(said)}

    def calls(self) -> dict[str, Any]:
        return {name: vendor.calls.summary() for name, vendor in self._vendors.items()}

    def reset_calls(self, _: Mapping[str, Any]) -> dict[str, Any]:
        for vendor in self._vendors.values():
            vendor.calls.reset()
            vendor.trap.passed.clear()
        return self.calls()

    def edit(self, body: Mapping[str, Any]) -> dict[str, Any]:
        count, seed = body.get("count", 25), body.get("seed", 1)
        if not isinstance(count, int) or not isinstance(seed, int) or count < 1:
            raise BadRequestError("edits: count must be a whole number from 1, seed a whole number")
        try:
            return answer(Hand(self._judge, seed).make(count))
        except NothingPushedError as error:
            raise BadRequestError(str(error)) from None

    def field(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """What stands in `field` of the record `key` of a `stream` of `system`; with a `value`, changed by hand.

        A `quiet` edit does not move the record's stamp.
        """
        system, stream, key, field = (str(body.get(name) or "") for name in ("system", "stream", "key", "field"))
        place = (system, stream, key)
        try:
            before = read_field(self._world, place, field)
            if "value" in body:
                write_field(self._world, place, field, body["value"], quiet=body.get("quiet") is True)
        except ValueError as error:
            raise BadRequestError(str(error)) from None
        return {"before": before, "now": read_field(self._world, place, field)}

    def happen(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Let people do something: see `happenings` for what there is. Gives the keys of what was made."""
        try:
            return Happenings(self._world).happen(body)
        except ValueError as error:
            raise BadRequestError(str(error)) from None

    def james(self) -> dict[str, Any]:
        """James' records by system, his loyalty account, phone, address and card number."""
        keys = {system: key for system, _, key in self._world.truth.hard_cases["james"]}
        contact = self._world.salesforce.tables["Contact"].rows[keys["salesforce"]]
        facts = self._world.truth.of(("salesforce", "Contact", keys["salesforce"]))
        return {
            **keys,
            "person": person_name(self._world.truth.person_of["salesforce", "Contact", keys["salesforce"]]),
            "loyalty_account": facts.accounts[0].key,
            "card": facts.memberships[0].number,
            "phone": self._world.square.tables["customers"].rows[keys["square"]]["phone_number"],
            "email": contact["Email"],
        }

    def limits(self, body: Mapping[str, Any]) -> dict[str, bool]:
        if not isinstance(body.get("on"), bool):
            raise BadRequestError("limits: on must be true or false")
        for vendor in self._vendors.values():
            vendor.faults.limits_on = body["on"]
        return {"on": body["on"]}

    def faults(self, body: Mapping[str, Any]) -> dict[str, str]:
        name = str(body.get("name"))
        try:
            for system, vendor in self._vendors.items():
                vendor.faults.use(name, system)
        except ValueError as error:
            raise BadRequestError(str(error)) from None
        return {"name": name}

    def trap(self) -> dict[str, Any]:
        """By system, whether a call is waited for, the operation that is held, and the requests that came by."""
        return {name: vendor.trap.state() for name, vendor in self._vendors.items()}

    def arm(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Hold a call of `system`: `kind` (write, read), `nth`, `moment` (before, after its effect), `operation`."""
        vendor = self._vendors.get(str(body.get("system")))
        if vendor is None:
            raise BadRequestError(f"trap: system must be one of {', '.join(self._vendors)}")
        kind, moment, operation = (str(body.get(name) or "") for name in ("kind", "moment", "operation"))
        try:
            vendor.trap.arm(Snare(kind, body.get("nth", 1), moment, operation))
        except ValueError as error:
            raise BadRequestError(str(error)) from None
        return self.trap()

    def release(self, _: Mapping[str, Any]) -> dict[str, Any]:
        """Let every held call go. One that was held before its effect is never carried out."""
        for vendor in self._vendors.values():
            vendor.trap.release()
        return self.trap()

    def state(self) -> dict[str, Any]:
        """Every record of all vendors without stamps: equal for two runs that ended in the same place."""
        return {
            name: {table: _timeless(known.stable()) for table, known in sorted(vendor.tables.items())}
            for name, vendor in self._vendors.items()
        }

    def log(self) -> dict[str, Any]:
        """What was refused, what happened besides plain writes, and what was sent twice without need."""
        return {
            name: {
                "outcomes": dict(sorted(vendor.calls.outcomes.items())),
                "events": vendor.events,
                "identical_resends": {
                    f"{table}/{key}": times for (table, key), times in sorted(vendor.api_writes.identical.items())
                },
            }
            for name, vendor in self._vendors.items()
        }

    def stop(self, _: Mapping[str, Any]) -> dict[str, bool]:
        self._stop()
        return {"stopping": True}


def _timeless(rows: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Rows whose lists of events have lost their times."""
    for row in rows.values():
        if isinstance(row.get("events"), list):
            row["events"] = [{name: value for name, value in event.items() if name != "at"} for event in row["events"]]
    return rows


def _json(value: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/json")
