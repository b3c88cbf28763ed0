"""When a task runs by itself: `'5 MINUTES'`, or `'USING CRON 0 3 * * * Europe/Zurich'`.

https://docs.snowflake.com/en/sql-reference/sql/create-task (SCHEDULE)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import CroniterBadCronError, CroniterBadDateError, croniter

from embedded_account.errors import SnowflakeError, invalid_value

_UNITS = {
    "HOUR": 3600,
    "HOURS": 3600,
    "H": 3600,
    "MINUTE": 60,
    "MINUTES": 60,
    "M": 60,
    "SECOND": 1,
    "SECONDS": 1,
    "S": 1,
}
_INTERVAL = re.compile(r"\s*(\d+)\s+([A-Z]+)\s*\Z", re.IGNORECASE)
_CRON = re.compile(r"\s*USING\s+CRON\s+(\S+\s+\S+\s+\S+\s+\S+\s+\S+)\s+(\S+)\s*\Z", re.IGNORECASE)
LONGEST = timedelta(days=8)


def _invalid(text: str) -> SnowflakeError:
    return invalid_value(f"invalid value [{text}] for parameter 'SCHEDULE'")


@dataclass(frozen=True)
class Schedule:
    """Either `interval`, or `cron` in `zone`."""

    interval: timedelta | None = None
    cron: str = ""
    zone: str = "UTC"

    @staticmethod
    def of(text: str) -> Schedule:
        """Read a SCHEDULE value.

        Raises:
            SnowflakeError: 001008 for what is no interval of up to 8 days and no cron expression with a time zone.
        """
        if found := _CRON.match(text):
            return Schedule(cron=_checked_cron(found.group(1), text), zone=_checked_zone(found.group(2)))
        found = _INTERVAL.match(text)
        seconds = _UNITS.get(found.group(2).upper()) if found else None
        if found is None or seconds is None:
            raise _invalid(text)
        interval = timedelta(seconds=int(found.group(1)) * seconds)
        if not timedelta(0) < interval <= LONGEST:
            raise _invalid(text)
        return Schedule(interval)

    def after(self, moment: datetime) -> datetime:
        """The next time strictly after `moment` (UTC), in UTC."""
        if self.interval is not None:
            return moment + self.interval
        return _after(self.cron, ZoneInfo(self.zone), moment).astimezone(moment.tzinfo)


def _after(cron: str, zone: ZoneInfo, moment: datetime) -> datetime:
    """The next moment at which the zone's clocks show a time of the cron expression.

    So nothing runs at a time that spring skips, and twice at one that autumn repeats:
    https://docs.snowflake.com/en/sql-reference/sql/create-task (SCHEDULE, daylight saving time)
    """
    # Where clocks go back, times that are shown again lie before the time that they show now.
    day = timedelta(days=1)
    offsets = [
        (moment + shift).astimezone(zone).utcoffset() or timedelta(0) for shift in (-day, timedelta(0), day)
    ]
    shown = moment.astimezone(zone).replace(tzinfo=None)
    times = croniter(_for_croniter(cron), shown - (max(offsets) - min(offsets)), ret_type=datetime)
    best: datetime | None = None
    while True:
        local: datetime = times.get_next()
        moments = [local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
        real = [one for one in moments if one.astimezone(zone).replace(tzinfo=None) == local and one > moment]
        if best is not None and moments[0] >= best:
            return best
        best = min([*real, *([best] if best else [])], default=None)


def _checked_cron(expression: str, text: str) -> str:
    try:
        # 30 February is well formed and never comes.
        croniter(_for_croniter(expression), datetime(2000, 1, 1)).get_next()  # noqa: DTZ001 - no zone is meant
    except (CroniterBadCronError, CroniterBadDateError):
        raise _invalid(text) from None
    return " ".join(expression.split())


def _checked_zone(zone: str) -> str:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise invalid_value(f"invalid time zone [{zone}] for parameter 'SCHEDULE'") from None
    return zone


def _for_croniter(expression: str) -> str:
    """Snowflake writes the last Friday of a month `5L`, croniter `L5`."""
    *most, day_of_week = expression.split()
    return " ".join([*most, re.sub(r"\b([0-7])L\b", r"L\1", day_of_week, flags=re.IGNORECASE)])
