"""The audit's report as one HTML page: no script, no request to anywhere, fit for printing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from onevoice.cli.audit.report import Evidence, Finding, Report

_CHANNELS = {"email": "by e-mail", "sms": "by text message", "receipt": "on a till receipt"}
_STANDS_ON = {
    "address": "No match of records is needed: the very address or number was refused.",
    "record": "No match of records is needed: the messaged record itself shows it.",
}


def page_of(report: Report, limit: int) -> str:
    """The page, with at most `limit` findings."""
    shown = ordered(report.found)[:limit]
    surely = report.findings - report.if_picked
    template = Template(files("onevoice.cli.audit").joinpath("page.html").read_text("utf-8"))
    return template.substitute(
        day=escape(report.as_of[:10]),
        title=escape(f"{surely:,} messages would go out today that contradict what you know"),
        lead=escape(
            f"{report.if_picked:,} more would, if a campaign picks the record. "
            f"{report.doubtful:,} of the {report.findings:,} are told with a doubt."
        ),
        made=escape(_made(report)),
        figures=_figures(
            {
                "would go out today": surely,
                "only if picked": report.if_picked,
                "in doubt": report.doubtful,
                "customers": report.customers,
                "customer records": report.customer_records,
            }
        ),
        failures="".join(
            f'<p class="failed">{escape(system.system)} could not be read: {escape(system.failed)}</p>'
            for system in report.by_system
            if system.failed
        ),
        kinds=_table(
            ("Contradiction", "#Messages", "#Only if picked", "#In doubt"),
            ((c.contradiction, c.findings, c.if_picked, c.doubtful) for c in report.by_contradiction),
        ),
        systems=_table(
            ("System", "#Records read", "Read (UTC)", "#Messages", "#Only if picked", "#In doubt", ""),
            (
                (s.system, s.records_read, _time(s.read_at), s.findings, s.if_picked, s.doubtful, _remark(s.campaigns))
                for s in report.by_system
            ),
        ),
        worst=_table(
            ("Customer", "Profile", "#Messages", "What goes wrong"),
            ((w.customer, w.profile, w.findings, "; ".join(w.contradictions)) for w in report.worst_customers),
        ),
        shown=escape(f"{len(shown):,} of {report.findings:,}, of every kind in turn; the JSON report has all of them."),
        findings="\n".join(map(_finding, shown)),
    )


def ordered(found: Iterable[Finding]) -> list[Finding]:
    """Every kind of contradiction in turn, and of each first what is sure and goes out surely."""
    kinds: defaultdict[str, list[Finding]] = defaultdict(list)
    for finding in sorted(found, key=lambda f: (bool(f.doubts), f.sends != "surely")):
        kinds[finding.contradiction].append(finding)
    turns = [(place, kind) for kind, group in kinds.items() for place in range(len(group))]
    return [kinds[kind][place] for place, kind in sorted(turns, key=lambda turn: (turn[0], -len(kinds[turn[1]])))]


def _made(report: Report) -> str:
    data = (
        "Names, addresses and numbers are shown whole: keep this page as you keep the data."
        if report.personal_data
        else "Names, addresses and numbers are masked."
    )
    return f"As of {_time(report.as_of)} UTC, from {report.customer_records:,} customer records. {data}"


def _remark(campaigns: bool) -> str:
    return "" if campaigns else "its campaigns are not described"


def _figures(figures: Mapping[str, int]) -> str:
    return "".join(f"<li><b>{count:,}</b>{escape(name)}</li>" for name, count in figures.items())


def _table(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table; heads with a leading `#` stand over numbers, the first cell of a row is its head."""
    sides = ['class="number"' if head.startswith("#") else "" for head in heads]
    top = "".join(
        f'<th scope="col" {side}>{escape(head.removeprefix("#"))}</th>' for head, side in zip(heads, sides, strict=True)
    )
    body = "".join(f"<tr>{''.join(_cells(row, sides))}</tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>" if body else "<p>None.</p>"


def _cells(row: Sequence[Any], sides: Sequence[str]) -> Iterable[str]:
    for place, (value, side) in enumerate(zip(row, sides, strict=True)):
        text = f"{value:,}" if isinstance(value, int) else str(value)
        yield f'<th scope="row">{escape(text)}</th>' if place == 0 else f"<td {side}>{escape(text)}</td>"


def _finding(finding: Finding) -> str:
    condition = ", if the campaign picks this record" if finding.sends == "if_picked" else ""
    doubts = "".join(f'<p class="doubt">In doubt: {escape(doubt)}</p>' for doubt in finding.doubts)
    title = finding.contradiction[:1].upper() + finding.contradiction[1:]
    channel = _CHANNELS.get(finding.channel, finding.channel)
    customer = finding.customer or "nobody named"
    record = f"<code>{escape(finding.stream)}/{escape(finding.record)}</code>, read {_time(finding.read_at)}"
    return (
        f'<article class="{"doubtful" if finding.doubts else "sure"}"><h3>{escape(title)}</h3>'
        f"<p>{escape(finding.system)} would send <b>{escape(finding.offer)}</b> {escape(channel)} "
        f"to {escape(customer)}{condition}: {record}.</p>"
        f'<p class="because">{escape(finding.because)}</p>{_sureness(finding)}{doubts}{_proof(finding)}</article>'
    )


def _sureness(finding: Finding) -> str:
    if finding.weakest_match is not None:
        match = finding.weakest_match
        words = f"It rests on one match: {match.left} and {match.right}, {match.how}."
    else:
        words = _STANDS_ON.get(finding.stands_on, "")
    return f'<p class="faint">{escape(words)}</p>' if words else ""


def _proof(finding: Finding) -> str:
    rows = [("What lets it go out", f"{finding.stream}/{finding.record}", finding.fields, finding.read_at, "")]
    rows += [
        (
            _kind(record),
            f"{record.system}: {record.stream}/{record.record}",
            record.says,
            record.read_at,
            _chain(record),
        )
        for record in finding.evidence
    ]
    body = "".join(
        f'<tr><th scope="row">{escape(what)}</th><td><code>{escape(where)}</code></td><td>{_values(says)}</td>'
        f"<td>{_time(read)}</td><td>{escape(how)}</td></tr>"
        for what, where, says, read, how in rows
    )
    columns = ("Proof", "Record", "Says", "Read (UTC)", "Matched by")
    heads = "".join(f'<th scope="col">{column}</th>' for column in columns)
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"


def _kind(record: Evidence) -> str:
    words = record.kind.replace("_", " ")
    return words[:1].upper() + words[1:]


def _chain(record: Evidence) -> str:
    return "; then ".join(match.how for match in record.matched_by)


def _values(says: Mapping[str, Any]) -> str:
    known = [(name, value) for name, value in says.items() if value is not None]
    pairs = "".join(f"<dt>{escape(name)}</dt><dd>{escape(_shown(value))}</dd>" for name, value in known)
    return f"<dl>{pairs}</dl>" if pairs else ""


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _time(text: str | None) -> str:
    """ISO 8601 as minutes."""
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M}" if text else "unknown"
