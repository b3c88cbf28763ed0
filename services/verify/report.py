"""A verification's report as text for a person and as JSON for a program."""

from __future__ import annotations

import json
from dataclasses import asdict

from services.verify.types import Report

_MARKS = {
    "succeeded": "ok  ",
    "failed": "FAIL",
    "skipped": "-   ",
    "held": "held",
    "refuted": "NOT ",
    "undecided": "?   ",
}


def as_json(report: Report) -> str:
    """Every field; ``green`` says whether the exit status is 0."""
    return json.dumps({**asdict(report), "green": report.green}, indent=2)


def as_text(report: Report) -> str:
    """One line for each step and guess, what the account said below what did not hold, and the sum."""
    lines = [
        f"{report.account}: Snowflake {report.version}, region {report.region}, role {report.role}",
        "",
        "The example's way",
    ]
    for step in report.steps:
        lines.append(f"  {_MARKS[step.state]}  {step.title} ({step.seconds:.1f} s)")
        if step.said:
            lines.append(f"        {step.said}")
    if not report.steps:
        lines.append("  not gone")
    lines += ["", "Guesses about Snowflake"]
    for finding in report.findings:
        lines.append(f"  {_MARKS[finding.state]}  {finding.guess}: {finding.sentence}")
        note = (
            " (Spokehub does not rely on it)" if finding.state == "refuted" and not finding.relied_on else ""
        )
        lines.append(f"        {finding.said}{note}")
    return "\n".join([*lines, "", *_sum(report)])


def _sum(report: Report) -> list[str]:
    counts = {
        state: sum(f.state == state for f in report.findings) for state in ("held", "refuted", "undecided")
    }
    done = sum(step.state == "succeeded" for step in report.steps)
    lines = [
        f"{done} of {len(report.steps)} steps; {counts['held']} guesses held, {counts['refuted']} refuted,"
        f" {counts['undecided']} undecided",
        f"{report.seconds:.0f} s; at most {report.cost.credits:.3f} credits of an X-Small warehouse, if it ran"
        " from first to last and until it was suspended",
    ]
    if report.kept:
        lines.append(f"Kept: database {report.database}. Remove it with: spokehub verify --remove")
    elif report.left:
        lines += ["Not removed:", *(f"  {failure}" for failure in report.left)]
    else:
        lines.append("Everything that was made has been removed.")
    return lines
