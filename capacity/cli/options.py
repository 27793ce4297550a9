"""Options that several commands share: said once, so that they mean the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import platformdirs
import typer

from capacity.errors import ConfigError


def default_store() -> str:
    """Return the store of this user, where none is named."""
    return str(Path(platformdirs.user_data_dir("capacity")) / "store")


Store = Annotated[
    str,
    typer.Option(
        "--store",
        help="Folder of the store, or its address: s3://bucket/prefix, gs://, az://.",
        default_factory=default_store,
        show_default="in your data folder",
    ),
]
Licence = Annotated[
    str, typer.Option("--licences", help="Licensed channels: '120', or in steps: '100,2026-03-01:120'.", metavar="N")
]
Zone = Annotated[str, typer.Option("--tz", help="Time zone of days and hours, such as Europe/London.", metavar="ZONE")]
Horizon = Annotated[int, typer.Option("--horizon", help="Days to look ahead.", min=1, max=365)]
Seed = Annotated[int, typer.Option("--seed", help="Seed of everything that is drawn by chance.", min=0)]
LeadTime = Annotated[
    str | None, typer.Option("--lead-time", help="From order to use, such as 14d or 3w: adds the date to order by.")
]
TariffFile = Annotated[
    Path | None,
    typer.Option(
        "--tariff", help="TOML file of how licences are paid for, in place of the two prices.", metavar="FILE"
    ),
]
Out = Annotated[Path, typer.Option("--out", help="Where to write.")]
Account = Annotated[str | None, typer.Option("--account", help="Account id.")]
Project = Annotated[str | None, typer.Option("--project", help="Project id.")]
Env = Annotated[str, typer.Option("--env", help="live, sandbox or pre-release.")]
AnyEnv = Annotated[str | None, typer.Option("--env", help="live, sandbox or pre-release.")]
Start = Annotated[str | None, typer.Option("--start", help="From this time on (a date is midnight in --tz).")]
End = Annotated[str | None, typer.Option("--end", help="Up to this time, exclusive (a date is midnight in --tz).")]
Absent = Annotated[
    str,
    typer.Option("--absent", help="'zero': a variant left out of an answer had no calls; 'missing': no row for it."),
]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Log each request, without key and phone numbers.")]


def as_folder(out: Path) -> Path:
    """Return where a command is to write, before the work: it must be a folder, or can become one."""
    if taken := next((part for part in (out, *out.parents) if part.exists() and not part.is_dir()), None):
        raise ConfigError(f"--out {str(out)!r}: {str(taken)!r} is a file; name a folder")
    return out
