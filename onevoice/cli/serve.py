"""`onevoice serve` and `onevoice api-key`: the HTTP API and the keys to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from onevoice.cli.session import moment, session_of
from onevoice.cli.sync import AsJson
from onevoice.cli.terminal import err, out, print_json, table
from onevoice.errors import ConfigError, OnevoiceError

if TYPE_CHECKING:
    from onevoice.store import Store
    from onevoice.store.api_keys import ApiKey

api_key = typer.Typer(help="Keys to the HTTP API.", no_args_is_help=True)


def serve(
    context: typer.Context,
    host: Annotated[
        str, typer.Option(help="Address to listen on; before any other put a proxy with TLS.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8100,
    as_of: Annotated[
        str | None, typer.Option(help="Answer as of this ISO time with its zone, for a replay or a sandbox.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No line per request.")] = False,
) -> None:
    """Serve the HTTP API until stopped. Its first line of output is its address."""
    from onevoice.api.server import run_server

    hub = session_of(context).hub()
    run_server(hub, host, port, moment(as_of), announce=typer.echo, log_requests=not quiet)


@api_key.command()
def create(
    context: typer.Context,
    scope: Annotated[list[str], typer.Option(help="What the key may do; may be repeated.")],
    name: Annotated[str, typer.Option(help="Who holds it.")] = "",
    days: Annotated[int | None, typer.Option(min=1, max=3650, help="Days until it ends; never when left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it: it cannot be shown a second time."""
    from onevoice.api.access import Scope
    from onevoice.store import api_keys

    allowed = [each.value for each in Scope]
    unknown = sorted(set(scope) - set(allowed))
    if unknown:
        raise ConfigError(f"scope: {unknown[0]!r} is not one (scopes: {', '.join(allowed)})")
    now = datetime.now(UTC)
    ends = now + timedelta(days=days) if days else None
    with _store(context).begin() as connection:
        text = api_keys.create_key(connection, name[:100], set(scope), now, ends)
    if as_json:
        print_json({"key": text, "scopes": sorted(set(scope)), "expires_at": ends})
        return
    typer.echo(text)
    err.print(f"Keep it: it is shown this once. Scopes: {', '.join(sorted(set(scope)))}.", highlight=False)


@api_key.command("list")
def list_keys(context: typer.Context, as_json: AsJson = False) -> None:
    """Show every key that was made, without what opens with it."""
    from onevoice.store import api_keys

    with _store(context).read() as connection:
        keys = api_keys.all_keys(connection)
    now = datetime.now(UTC)
    if as_json:
        print_json(
            [
                {
                    "id": key.key_id,
                    "name": key.name,
                    "scopes": sorted(key.scopes),
                    "created_at": key.created_at,
                    "expires_at": key.expires_at,
                    "revoked_at": key.revoked_at,
                    "open": key.is_open(now),
                }
                for key in keys
            ]
        )
        return
    if not keys:
        out.print("None. Make one: onevoice api-key create --scope profiles:read")
        return
    shown = table("API keys", "id", "name", "scopes", "until")
    for key in keys:
        shown.add_row(key.key_id, key.name, ", ".join(sorted(key.scopes)), _until(key))
    out.print(shown)


def _until(key: ApiKey) -> str:
    if key.revoked_at:
        return "revoked"
    return f"{key.expires_at:%Y-%m-%d %H:%M} UTC" if key.expires_at else "no end"


@api_key.command()
def revoke(
    context: typer.Context, key: Annotated[str, typer.Argument(help="Id of the key, as `list` shows it.")]
) -> None:
    """Close a key for good, at once."""
    from onevoice.store import api_keys

    with _store(context).begin() as connection:
        known = api_keys.revoke_key(connection, key, datetime.now(UTC))
    if not known:
        raise OnevoiceError("api-key: no key has this id (onevoice api-key list shows them)")
    out.print(f"{key}: revoked.")


def _store(context: typer.Context) -> Store:
    """The project's store."""
    return session_of(context).hub().store
