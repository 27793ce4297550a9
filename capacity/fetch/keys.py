"""The API keys: where they are read from, and how they are kept out of logs, errors and reprs."""

from __future__ import annotations

import os
import re

from capacity.errors import ConfigError

API_KEY_VARIABLE = "POLYAI_API_KEY"
CALLS_KEY_VARIABLE = "POLYAI_V3_API_KEY"  # of call records; POLYAI_API_KEY where it is not set
_VARIABLES = (API_KEY_VARIABLE, CALLS_KEY_VARIABLE)


class Secret:
    """A key that is masked in every repr, and the environment variable that it is read from."""

    def __init__(self, value: str | None, variable: str) -> None:
        text = (value or "").strip()
        self.variable = variable
        if not text:
            raise ConfigError(f"there is no API key; set {variable}, or give api_key=")
        if not text.isascii() or not text.isprintable():
            # httpx would say so with the key in the message.
            raise ConfigError("the API key holds characters that no HTTP header can carry; copy it again")
        self._value = text

    def reveal(self) -> str:
        """Return the key itself, for the header."""
        return self._value

    def __repr__(self) -> str:
        return "'***'"


class Keys:
    """The keys of a client: of the maxima, and of call records, for which another one is often issued."""

    def __init__(self, given: str | None) -> None:
        found = {name: os.environ.get(name) if given is None else given for name in _VARIABLES}
        self._values = {name: value.strip() for name, value in found.items() if value and value.strip()}
        for value in self._values.values() or [""]:
            Secret(value, API_KEY_VARIABLE)  # says what is wrong with it

    def of(self, variable: str) -> Secret:
        """Return the key of one API.

        Raises
        ------
        ConfigError
            There is only the key of the other.
        """
        value = self._values.get(variable)
        if value is None and variable == CALLS_KEY_VARIABLE:
            value = self._values.get(API_KEY_VARIABLE)
        return Secret(value, variable)

    def cut_out(self, text: str) -> str:
        """Return the text without the keys."""
        for key in set(self._values.values()):
            text = re.sub(rf"(?<![A-Za-z0-9]){re.escape(key)}(?![A-Za-z0-9])", "***", text)
        return text

    def __repr__(self) -> str:
        return "'***'"
