"""Klaviyo's own SDK against a sandbox with nothing changed but the base URL: drive.py URL KEY EMAIL...

Runs in the SDK's environment. The account holds the profiles with these addresses and nobody else. Whatever the SDK
cannot read raises, and ends the process with a status other than 0.
"""

from __future__ import annotations

import sys
import time
from urllib.parse import parse_qs, urlsplit

from klaviyo_api import KlaviyoAPI
from openapi_client.exceptions import ApiException
from openapi_client.models.get_profile_import_job_response_compound_document import (
    GetProfileImportJobResponseCompoundDocument,
)

PATIENCE_SECONDS = 30.0


def main(url: str, key: str, *emails: str) -> None:
    """Read, import, suppress, look again."""
    api = KlaviyoAPI(key, max_retries=5, max_delay=5, test_host=url)
    (account,) = api.Accounts.get_accounts().data
    _same(account.attributes.locale, "en-GB")
    ids = _read_all(api, emails)
    _import(api, ids[emails[0]])
    _suppress(api, emails[1])
    told = api.Profiles.get_profile(ids[emails[0]]).data.attributes
    _same((told.properties, told.first_name), ({"onevoice_tier": "gold"}, "Ada"))
    _is_refused(lambda: api.Profiles.get_profile("01NOBODY"), 404)
    _is_refused(KlaviyoAPI("pk_wrong", max_retries=0, test_host=url).Accounts.get_accounts, 401)


def _read_all(api: KlaviyoAPI, emails: tuple[str, ...]) -> dict[str, str]:
    """Profile ids by address, read in pages of two with subscriptions."""
    found: dict[str, str] = {}
    cursor = None
    while True:
        page = api.Profiles.get_profiles(
            additional_fields_profile=["subscriptions"], sort="updated", page_size=2, page_cursor=cursor
        )
        for one in page.data:
            marketing = one.attributes.subscriptions.email.marketing
            _same((marketing.can_receive_email_marketing, marketing.consent), (True, "NEVER_SUBSCRIBED"))
            found[one.attributes.email] = one.id
        if not page.links.next:
            break
        (cursor,) = parse_qs(urlsplit(page.links.next).query)["page[cursor]"]
    _same(sorted(found), sorted(emails))
    (first,) = api.Profiles.get_profiles(filter=f'equals(email,"{emails[0]}")').data
    _same(first.id, found[emails[0]])
    return found


def _import(api: KlaviyoAPI, profile: str) -> None:
    """One profile that is there and one that is not."""
    profiles = [
        {
            "type": "profile",
            "id": profile,
            "attributes": {"first_name": "Ada", "properties": {"onevoice_tier": "gold"}},
        },
        {"type": "profile", "id": "01NOBODY", "attributes": {"first_name": "Eve"}},
    ]
    body = {"data": {"type": "profile-bulk-import-job", "attributes": {"profiles": {"data": profiles}}}}
    job = api.Profiles.bulk_import_profiles(body).data.id
    done = _ended(lambda: api.Profiles.get_bulk_import_profiles_job(job))
    _same(type(done), GetProfileImportJobResponseCompoundDocument)
    told = done.data.attributes
    _same((told.total_count, told.completed_count, told.failed_count), (2, 1, 1))
    (error,) = api.Profiles.get_errors_for_bulk_import_profiles_job(job).data
    _same((error.attributes.code, error.attributes.original_payload["id"]), ("not_found", "01NOBODY"))


def _suppress(api: KlaviyoAPI, email: str) -> None:
    profile = {"type": "profile", "attributes": {"email": email}}
    body = {"data": {"type": "profile-suppression-bulk-create-job", "attributes": {"profiles": {"data": [profile]}}}}
    job = api.Profiles.bulk_suppress_profiles(body).data.id
    told = _ended(lambda: api.Profiles.get_bulk_suppress_profiles_job(job)).data.attributes
    _same((told.completed_count, told.skipped_count), (1, 0))
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        by_reason = 'equals(subscriptions.email.marketing.suppression.reason,"USER_SUPPRESSED")'
        found = api.Profiles.get_profiles(filter=by_reason, additional_fields_profile=["subscriptions"]).data
        if found or time.monotonic() > deadline:
            break
        time.sleep(0.2)
    _same([one.attributes.email for one in found], [email])
    _same(found[0].attributes.subscriptions.email.marketing.can_receive_email_marketing, False)


def _ended(read):
    """The job's answer once it is complete."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (answer := read()).data.attributes.status != "complete":
        if time.monotonic() > deadline:
            raise AssertionError(f"the job is still {answer.data.attributes.status}")
        time.sleep(0.2)
    return answer


def _is_refused(call, status: int) -> None:
    try:
        call()
    except ApiException as error:
        _same(error.status, status)
    else:
        raise AssertionError(f"a call went through that should be refused with {status}")


def _same(found: object, expected: object) -> None:
    if found != expected:
        raise AssertionError(f"{found!r} instead of {expected!r}")


if __name__ == "__main__":
    main(*sys.argv[1:])
