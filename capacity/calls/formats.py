"""How a time is written: from a cell to strptime formats, and from a format to where its fields stand.

Where day and month can be told apart in one way only, a cell has one format; "03/02/26" has three, by the order of
its numbers. Beside the directives of strptime there are "epoch-s", "epoch-ms", "epoch-us" and "epoch-ns" (numbers
since 1970) and "excel-days" (days since 1899-12-30).
"""

from __future__ import annotations

import functools
import re

from capacity.errors import ConfigError

EPOCHS = {"epoch-s": 10**9, "epoch-ms": 10**6, "epoch-us": 10**3, "epoch-ns": 1}
_NUMBERS = {
    "epoch-s": r"(?P<e>\d{9,10})(?:[.,](?P<f>\d{1,9}))?",
    "epoch-ms": r"(?P<e>\d{12,13})(?:[.,](?P<f>\d{1,9}))?",
    "epoch-us": r"(?P<e>\d{15,16})(?:[.,]0+)?",
    "epoch-ns": r"(?P<e>\d{19})(?:[.,]0+)?",  # 18 digits, before 2001, are ticks of other clocks
    "excel-days": r"(?P<x>[345]\d{4})(?:[.,](?P<f>\d{1,16}))?",
}
MONTHS = {
    name: month
    for month, names in enumerate(
        (
            "jan january januar janvier janv enero ene gennaio gen",
            "feb february februar fevrier fevr febrero febbraio",
            "mar march marz maerz mrz mars marzo",
            "apr april avril avr abril abr aprile",
            "may mai mayo maggio mag mei",
            "jun june juni juin junio giugno giu",
            "jul july juli juillet juil julio luglio lug",
            "aug august aout agosto ago augustus",
            "sep sept september septembre septiembre settembre set",
            "oct october okt oktober octobre octubre ottobre ott",
            "nov november novembre noviembre",
            "dec december dez dezember decembre diciembre dic dicembre",
        ),
        start=1,
    )
    for name in names.split()
}

_WORD = r"[^\W\d_]"
_WEEKDAY = re.compile(rf"{_WORD}{{2,9}}\.?,? +(?=[\w])")
_BETWEEN = re.compile(
    r"T(?=\d)|_(?=\d)|\s*,\s*|\s+-\s+|,?\s+(?:at|@|a|à|um|om|o|alle|a las|kl\.?)\s+|\s+|:(?=\d\d:)", re.IGNORECASE
)
_CLOCKS = (
    (re.compile(r"(?P<H>\d{1,2}):\d{2}:\d{2}(?P<f>[.,]\d{1,9})?"), "%{H}:%M:%S"),
    (re.compile(r"(?P<H>\d{1,2}):\d{2}(?![:\d])"), "%{H}:%M"),
    (re.compile(r"(?P<H>\d{1,2})h\d{2}m\d{2}s"), "%{H}h%Mm%Ss"),
    (re.compile(r"(?P<H>\d{1,2})h\d{2}(?!\w)"), "%{H}h%M"),
    (re.compile(r"(?P<H>\d{1,2})\.\d{2}\.\d{2}(?!\d)"), "%{H}.%M.%S"),
    (re.compile(r"(?P<H>\d{1,2})\.\d{2}(?=\s|$)"), "%{H}.%M"),
    (re.compile(r"(?P<H>\d{2})\d{4}(?P<f>[.,]\d{1,9})?(?!\d)"), "%{H}%M%S"),
    (re.compile(r"(?P<H>\d{2})\d{2}(?!\d)"), "%{H}%M"),
)
_NOON = re.compile(r"(\s*)[AaPp](?:[Mm]|\.\s?[Mm]\.)(?![A-Ya-y])")
_OFFSET = re.compile(r"(\s*)(?:(?:UTC|GMT)(?=[+-]))?([+-]\d{2}(?::?\d{2})?|[+-]\d|[Zz])(?![\d:])")
_ABBREVIATION = re.compile(r"(\s*)(?!Uhr)([A-Z]{2,5})(?![A-Za-z])")
_COMMENT = re.compile(r"\s*(\([^)]*\)|\[[^\]]*\]|Uhr)\s*$")


def _dates(text: str, at: int) -> tuple[int, dict[str, str]] | None:
    """Return where a date that begins here ends, and its format by the order of its numbers."""
    found = re.compile(r"(\d{4})([-/. ])(\d{1,2})\2(\d{1,2})(?!\d)").match(text, at)
    if found:
        s = found[2]
        return found.end(), {"": f"%Y{s}%m{s}%d"}
    found = re.compile(r"(\d{4})([-/. ])([^\W\d_]{3,9})\2(\d{1,2})(?!\d)").match(text, at)
    if found and found[3].lower() in MONTHS:
        return found.end(), {"": f"%Y{found[2]}%b{found[2]}%d"}
    found = re.compile(r"(\d{1,2})([-/. ])(\d{1,2})\2(\d{4}|\d{2})(?!\d)").match(text, at)
    if found:
        s, y = found[2], "%Y" if len(found[4]) == 4 else "%y"
        orders = {"dmy": f"%d{s}%m{s}{y}"}
        if s == "." and y == "%Y":
            return found.end(), {"": orders["dmy"]}  # dots and the year last: day first, wherever they are used
        if s != ".":
            orders["mdy"] = f"%m{s}%d{s}{y}"
        if y == "%y" and len(found[1]) == 2:
            orders["ymd"] = f"%y{s}%m{s}%d"
        return found.end(), orders
    found = re.compile(r"(\d{1,2})([-/ ]|\. ?)?([^\W\d_]{3,9})(\.?,?[-/ ]?)(\d{4}|\d{2})(?!\d)").match(text, at)
    if found and found[3].lower() in MONTHS:
        y = "%Y" if len(found[5]) == 4 else "%y"
        return found.end(), {"": f"%d{found[2] or ''}%b{found[4]}{y}"}
    found = re.compile(r"([^\W\d_]{3,9})(\.?[- ]+)(\d{1,2})(st|nd|rd|th)?(,?[- ]+)(\d{4})(?!\d)").match(text, at)
    if found and found[1].lower() in MONTHS:
        return found.end(), {"": f"%b{found[2]}%d{'%o' if found[4] else ''}{found[5]}%Y"}
    found = re.compile(r"(\d{8})(?=\D|$|\d{4}(?:\d\d)?(?!\d))").match(text, at)
    if found:
        return found.end(), {"ymd": "%Y%m%d", "dmy": "%d%m%Y", "mdy": "%m%d%Y"}
    found = re.compile(r"(\d{6})(?=\D|$|\d{4}(?:\d\d)?(?!\d))").match(text, at)
    if found:
        return found.end(), {"ymd": "%y%m%d", "dmy": "%d%m%y", "mdy": "%m%d%y"}
    return None


def _clock(text: str, at: int) -> tuple[int, str] | None:
    """Return where a time of day that begins here ends, and its format."""
    for regex, form in _CLOCKS:
        found = regex.match(text, at)
        if found:
            end, made = found.end(), form
            if found.groupdict().get("f"):
                made += f"{found['f'][0]}%f"
            noon = _NOON.match(text, end)
            if noon:
                return noon.end(), made.replace("{H}", "I") + noon[1] + "%p"
            return end, made.replace("{H}", "H")
    return None


def _zone(text: str, at: int) -> tuple[int, str]:
    """Return where a zone that may begin here ends, and its format."""
    found = _OFFSET.match(text, at)
    if found:
        named = text[found.start() + len(found[1]) : found.start(2)]
        return found.end(), f"{found[1]}{named}%z"
    found = _ABBREVIATION.match(text, at)
    if found:
        return found.end(), f"{found[1]}%Z"
    return at, ""


def formats_of(text: str) -> dict[str, str]:
    """Return the formats of one cell by the order of the numbers in its date: "ymd", "dmy", "mdy"; "" where all agree.

    A time of day alone has the key "clock", a date alone those of the date. Nothing that fits: an empty mapping.

    Examples
    --------
    >>> formats_of("2026-02-03T09:00:00.5Z")
    {'': '%Y-%m-%dT%H:%M:%S.%f%z'}
    >>> formats_of("03/02/26 9:00 PM")
    {'dmy': '%d/%m/%y %I:%M %p', 'mdy': '%m/%d/%y %I:%M %p', 'ymd': '%y/%m/%d %I:%M %p'}
    >>> formats_of("soon")
    {}
    """
    text = text.strip()
    if re.fullmatch(r"[\d.,]+", text) and (found := _of_digits(text)):
        return found
    comment = _COMMENT.search(text)
    tail = ""
    if comment and comment.start() > 0:
        text, tail = text[: comment.start()], "%*"
    at, lead = 0, ""
    weekday = _WEEKDAY.match(text)
    if weekday and weekday[0].strip(" .,").lower() not in MONTHS:
        at, lead = weekday.end(), "%a" + weekday[0].lstrip("".join({c for c in weekday[0] if c.isalpha()}))
    for build in (_date_clock, _clock_date, _ctime):
        made = build(text, at)
        if made:
            return {order: lead + form + tail for order, form in made.items()}
    return {}


def _of_digits(text: str) -> dict[str, str]:
    whole = re.split(r"[.,]", text)[0]
    if text.isdigit() and len(text) in (12, 14):
        clock = "%H%M" if len(text) == 12 else "%H%M%S"
        found = {order: form + clock for order, form in {"ymd": "%Y%m%d", "dmy": "%d%m%Y", "mdy": "%m%d%Y"}.items()}
        return {**found, "epoch": "epoch-ms"} if len(text) == 12 else found
    if len(whole) == 10 and text.isdigit():
        return {"epoch": "epoch-s", "ymd": "%y%m%d%H%M"}
    for name, form in _NUMBERS.items():
        if re.fullmatch(form, text):
            return {"": name}
    return {}


def _date_clock(text: str, at: int) -> dict[str, str]:
    date = _dates(text, at)
    if date is None:
        return {}
    at, forms = date
    if at == len(text):
        return forms
    between = _BETWEEN.match(text, at)
    if between:
        at = between.end()
    clock = _clock(text, at)
    if clock is None:
        end, zone = _zone(text, at)
        return {k: v + zone for k, v in forms.items()} if zone and end == len(text) and not between else {}
    end, form = clock
    end, zone = _zone(text, end)
    if end != len(text):
        return {}
    return {k: v + (between[0] if between else "") + form + zone for k, v in forms.items()}


def _clock_date(text: str, at: int) -> dict[str, str]:
    clock = _clock(text, at)
    if clock is None:
        return {}
    at, form = clock
    if at == len(text):
        return {"clock": form}
    at, zone = _zone(text, at)
    between = _BETWEEN.match(text, at)
    if between is None:
        return {"clock": form + zone} if at == len(text) and not form.startswith("%H%M") else {}  # "2026-02" is none
    weekday = _WEEKDAY.match(text, between.end())
    lead, begin = "", between.end()
    if weekday and weekday[0].strip(" .,").lower() not in MONTHS:
        lead, begin = "%a" + re.sub(r"[^\W\d_]", "", weekday[0]), weekday.end()
    date = _dates(text, begin)
    if date is None:
        return {}
    end, after = _zone(text, date[0]) if not zone else (date[0], "")
    if end != len(text):
        return {}
    return {k: form + zone + between[0] + lead + v + after for k, v in date[1].items()}


def _ctime(text: str, at: int) -> dict[str, str]:
    """Read what follows the day of the week in "Tue Feb  3 09:00:00 2026" and "Tue Feb 3 09:00:00 UTC 2026"."""
    found = re.compile(r"([A-Za-z]{3}) +(\d{1,2}) +").match(text, at)
    clock = _clock(text, found.end()) if found and found[1].lower() in MONTHS else None
    if clock is None:
        return {}
    end, zone = _zone(text, clock[0])
    year = re.compile(r" +\d{4}(?!\d)").match(text, end)
    if year is None:
        return {}
    end, after = _zone(text, year.end()) if not zone else (year.end(), "")
    return {"": f"%b %d {clock[1]}{zone} %Y{after}"} if end == len(text) else {}


_DIRECTIVES = {
    "Y": r"(?P<Y>\d{4})",
    "y": r"(?P<y>\d{2})",
    "m": r"(?P<m>\d{1,2})",
    "d": r"(?P<d>\d{1,2})",
    "e": r"(?P<d>\d{1,2})",
    "H": r"(?P<H>\d{1,2})",
    "k": r"(?P<H>\d{1,2})",
    "I": r"(?P<I>\d{1,2})",
    "l": r"(?P<I>\d{1,2})",
    "M": r"(?P<M>\d{2})",
    "S": r"(?P<S>\d{2})",
    "f": r"(?P<f>\d{1,9})",
    "p": r"(?P<p>[AaPp](?:[Mm]|\.\s?[Mm]\.))",
    "b": rf"(?P<b>{_WORD}{{3,9}})",
    "B": rf"(?P<b>{_WORD}{{3,9}})",
    "h": rf"(?P<b>{_WORD}{{3,9}})",
    "a": rf"(?P<a>{_WORD}{{2,9}})",
    "A": rf"(?P<a>{_WORD}{{2,9}})",
    "z": r"(?P<z>[Zz]|[+-]\d{2}(?::?\d{2})?|[+-]\d)",
    "Z": r"(?P<Z>[A-Za-z]{1,5})",
    "s": r"(?P<e>\d{9,10})",
    "o": r"(?P<o>st|nd|rd|th)",
    "*": r"\s*(?:\([^)]*\)|\[[^\]]*\]|Uhr)",
    "%": "%",
}
_SHORT = {"T": "%H:%M:%S", "R": "%H:%M", "D": "%m/%d/%y", "F": "%Y-%m-%d", "c": "%a %b %d %H:%M:%S %Y"}


def check_format(form: str) -> None:
    """Raise ConfigError for a format that cannot be read strictly: unknown directives, %p without %I, one twice.

    Examples
    --------
    >>> check_format("%d/%m/%Y %H:%M %p")
    Traceback (most recent call last):
    ...
    capacity.errors.ConfigError: '%d/%m/%Y %H:%M %p': %p (AM, PM) wants %I, the hour of 12; %H is the hour of 24
    """
    if form in _NUMBERS:
        return
    used = re.findall(r"%(.)", _long(form))
    if strange := [d for d in used if d not in _DIRECTIVES]:
        raise ConfigError(f"{form!r}: %{strange[0]} is not read; there are %{' %'.join(sorted(_DIRECTIVES))}")
    if not used:
        raise ConfigError(
            f"{form!r} has no directive; write it like '%d/%m/%Y %H:%M' (or one of {', '.join(_NUMBERS)})"
        )
    if "p" in used and "H" in used:
        raise ConfigError(f"{form!r}: %p (AM, PM) wants %I, the hour of 12; %H is the hour of 24")
    if "I" in used and "p" not in used:
        raise ConfigError(f"{form!r}: %I is the hour of 12 and wants %p (AM, PM); the hour of 24 is %H")
    fields = [re.findall(r"\?P<(\w)>", _DIRECTIVES[d])[0] for d in used if "?P<" in _DIRECTIVES[d]]
    if twice := [f for f in fields if fields.count(f) > 1]:
        raise ConfigError(f"{form!r} has %{twice[0]} twice")


def _long(form: str) -> str:
    for short, long in _SHORT.items():
        form = form.replace(f"%{short}", long)
    return form


@functools.lru_cache(maxsize=1024)
def pattern(form: str) -> re.Pattern[str]:
    """Return the expression whose groups are the fields of a format."""
    if form in _NUMBERS:
        return re.compile(rf"\s*{_NUMBERS[form]}\s*")
    check_format(form)
    made = ""
    for piece in re.findall(r"%.|\s+|[^%\s]+", _long(form), flags=re.DOTALL):
        if piece.startswith("%"):
            made += _DIRECTIVES[piece[1]]
        else:
            made += r"\s+" if piece.isspace() else re.escape(piece)
    return re.compile(rf"\s*{made}\s*")
