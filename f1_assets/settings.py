"""Every environment variable of f1_assets, typed and with its default. Nothing else reads the environment."""

import functools
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError

from f1_assets.errors import ConfigurationError
from f1_assets.keys import parse_seasons

IN_DATABASE = "database"
"""What `F1_ARCHIVE_URL` is where the database keeps the archived responses itself."""


def _valid_address(address: str) -> str:
    if not address.startswith(("http://", "https://")):
        raise ValueError("write an address that begins with http:// or https://")
    return address.rstrip("/")


def _valid_hosts(hosts: str | None) -> str | None:
    for host in (hosts or "").split(","):
        if not re.fullmatch(
            r"([\w-]+(\.[\w-]+)*\.?(:\d+)?|\[[\da-fA-F:.]+\](:\d+)?|[\da-fA-F:.]+)?", host.strip(), re.ASCII
        ):
            raise ValueError("write names or addresses without http://, separated by commas, as in board.example.org")
    return hosts


_ADDRESS = re.compile(r"[A-Za-z][\w+.-]+:[/:]")
"""How what is no folder begins: with two letters at least, as C:/ is a drive."""

_OBJECT_STORAGE = ("s3", "s3a", "gs", "gcs", "abfs", "abfss", "az")


def _valid_archive(archive: str) -> str:
    if archive == IN_DATABASE or not _ADDRESS.match(archive):
        return archive
    scheme, is_address, place = archive.partition("://")
    is_storage = scheme in _OBJECT_STORAGE and bool(place.strip("/"))
    is_folder = scheme == "file" and place.startswith("/")
    if not is_address or not (is_storage or is_folder) or "::" in archive:
        raise ValueError(
            f"write a folder, as in /srv/f1; a bucket, as in s3://bucket/f1, gs://... or abfs://...; a shared folder, "
            f"as in file:///mnt/f1; or {IN_DATABASE}"
        )
    if "?" in place or "#" in place or ":" in place.partition("/")[0].rpartition("@")[0]:
        raise ValueError("leave out user, password and options: the library of the storage reads them elsewhere")
    return archive


def _valid_broker(broker: SecretStr) -> SecretStr:
    if not re.match(r"rediss?://[^/\s]", broker.get_secret_value()):
        raise ValueError("write the address of Redis, as in redis://:PASSWORD@HOST:6379/0")
    return broker


def _valid_home(home: Path) -> Path:
    if _ADDRESS.match(str(home)):  # a path has one slash where an address had two
        raise ValueError("write the path of a folder, as in /srv/f1; s3:// and other URLs are not supported here")
    return home


def _valid_source(source: str) -> str:
    kinds = ("live", "simulator")
    if source in kinds:
        return source
    if source.startswith(("http://", "https://")):
        _refuse_what_is_no_server(source)
        return source.rstrip("/")
    if source.startswith("recording:") and source != "recording:":
        return source
    raise ValueError("write live, simulator, recording:DIR or http://HOST:PORT")


def _refuse_what_is_no_server(source: str) -> None:
    """Refuse an address that would fail later, in words that might repeat a password in it."""
    try:
        parts = urlsplit(source)
        is_server = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        is_server = False
    if not is_server or parts.query or parts.fragment or not source.isprintable() or " " in source:
        raise ValueError("a server is written http://HOST:PORT, or http://USER:PASSWORD@HOST:PORT")


def masked_url(url: str) -> str:
    """Return an address for people to see: without the user, the password and the query, which may be secrets."""
    head, query, _ = url.partition("?")
    return re.sub(r"(?<=//)[^/]*@", "***@", head) + ("?***" if query else "")


def without_secrets_of(url: str, words: str) -> str:
    """Take out of words, such as another library's error, what is masked in an address that they may repeat."""
    words = words.replace(url, masked_url(url))
    address, _, query = url.partition("?")
    user, _, password = address.partition("://")[2].partition("/")[0].rpartition("@")[0].partition(":")
    secrets = [query, *(value for _, value in parse_qsl(query)), password, user]
    for secret in filter(None, [*secrets, *map(unquote, secrets)]):
        words = words.replace(secret, "***")
    return words


class Settings(BaseSettings):
    """The settings of one process, from ``F1_*`` variables and a ``.env`` file; see ``.env.example``."""

    model_config = SettingsConfigDict(env_prefix="F1_", env_file=".env", extra="ignore", frozen=True)

    home: Annotated[Path, AfterValidator(_valid_home)] = Field(
        Path(".f1"), description="Where everything embedded lives (mode 0700)."
    )
    database_url: SecretStr | None = Field(None, description="Any SQLAlchemy URL; SQLite under F1_HOME by default.")
    archive_url: Annotated[str, AfterValidator(_valid_archive)] | None = Field(
        None,
        repr=False,
        description="Archived responses: a folder, s3://... or database; archive/ under F1_HOME by default.",
    )
    lake_url: str | None = Field(
        None, repr=False, description="Telemetry: a folder or s3://...; lake/ under F1_HOME by default."
    )
    source: Annotated[str, AfterValidator(_valid_source)] = Field(
        "live", repr=False, description="live, recording:DIR, simulator or http://HOST:PORT."
    )
    quota: str | None = Field(None, description="Request quota: any=500/1h,4/1s;jolpica=200/1h,4/1s by default.")
    simulator_faults: str = Field("", description="Makes the simulator misbehave: WeatherData=500,...")
    seasons: str | None = Field(None, description="Seasons that the sensor and the schedule keep complete.")
    datasets: str | None = Field(None, description="Datasets to keep, separated by commas; all by default.")
    workers: int = Field(2, ge=1, le=64, description="Sessions imported side by side.")
    broker_url: Annotated[SecretStr, AfterValidator(_valid_broker)] | None = Field(
        None, description="Redis, through which runs reach f1-assets worker: redis://:PASSWORD@HOST:6379/0."
    )
    autostart: bool = Field(False, description="1: gap sensor and daily schedule run from the start.")
    slack_token: SecretStr | None = Field(None, description="Token of a Slack app; no notifications without it.")
    slack_channel: str | None = Field(None, description="Channel for notifications.")
    slack_api_url: str | None = Field(None, description="Another address for Slack's API.")
    log_format: Literal["text", "json"] = Field("text", description="Logs: text to read, json for a collector.")
    username: SecretStr | None = Field(None, description="E-mail address of a Formula 1 account with F1 TV.")
    password: SecretStr | None = Field(None, description="Password of that account.")
    board_url: Annotated[str, AfterValidator(_valid_address)] = Field(
        "http://127.0.0.1:8050", description="Where people reach the season board; Dagster and Slack link to it."
    )
    board_hosts: Annotated[str | None, AfterValidator(_valid_hosts)] = Field(
        None, description="Names under which the board answers, by commas, beside loopback and its --host address."
    )
    dagster_url: Annotated[str, AfterValidator(_valid_address)] = Field(
        "http://127.0.0.1:3000", description="Where people reach Dagster's UI; the season board links to it."
    )
    dagster_home_set: Path | None = Field(None, validation_alias="DAGSTER_HOME", description="Dagster's own folder.")
    simulator: str = Field("", description="Shapes the made-up season: races=24,seed=1,...")

    @property
    def source_shown(self) -> str:
        """The source as people may see it: an address may hold a password."""
        return masked_url(self.source)

    @property
    def database(self) -> URL:
        """Where the warehouse is: `database_url`, or the SQLite file under `home`."""
        if self.database_url is None:
            return URL.create("sqlite", database=str(self.home / "warehouse.db"))
        try:
            return make_url(self.database_url.get_secret_value())
        except (ArgumentError, ValueError):
            raise ConfigurationError(
                "F1_DATABASE_URL is not a database URL.",
                advice="Write it like postgresql://USER:PASSWORD@HOST/DATABASE.",
            ) from None

    @property
    def announced_board_url(self) -> str | None:
        """Where the season board is, if it is set: it is served only where somebody starts it."""
        return self.board_url if "board_url" in self.model_fields_set else None

    @property
    def board_host_names(self) -> list[str]:
        """The hosts of `board_hosts`."""
        return [host.strip() for host in (self.board_hosts or "").split(",") if host.strip()]

    @property
    def archive_folder(self) -> Path | None:
        """The folder of this machine with archived responses; None where all hosts of the database share them."""
        if self.archive_url and (self.archive_url == IN_DATABASE or _ADDRESS.match(self.archive_url)):
            return None
        return Path(self.archive_url) if self.archive_url else self.home / "archive"

    @property
    def archive_shown(self) -> str:
        """Where archived responses are, for people to see: as `F1_ARCHIVE_URL` names it on any machine."""
        return str(self.archive_folder.absolute()) if self.archive_folder else masked_url(self.archive_url or "")

    @property
    def lake(self) -> str:
        """Where telemetry is: `lake_url`, or a folder under `home`."""
        return self.lake_url or str(self.home.absolute() / "lake")

    @property
    def dagster_home(self) -> Path:
        """Where Dagster keeps its instance: its own ``DAGSTER_HOME``, or a folder under `home`."""
        return self.dagster_home_set or self.home.absolute() / "dagster"

    def kept_seasons(self, now: datetime | None = None) -> list[int]:
        """Return the seasons of ``F1_SEASONS``; the current one by default."""
        return parse_seasons(self.seasons) if self.seasons else [(now or datetime.now(UTC)).year]

    @property
    def alive_folder(self) -> Path:
        """Where imports of this machine show that they live."""
        return self.home.absolute() / "alive"

    def make_home(self) -> Path:
        """Create `home` for this user alone, and give it as an absolute path.

        Raises
        ------
        ConfigurationError
            When the folder cannot be made.
        """
        home = self.home.absolute()
        try:
            home.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            why = "it is a file" if home.is_file() else f"the folder cannot be made ({error.strerror})"
            advice = "Set F1_HOME to a folder that this user may write."
            raise ConfigurationError(f"F1_HOME {home} cannot be used: {why}.", advice=advice) from error
        return home


def load_settings(**overrides: Any) -> Settings:  # noqa: ANN401 (a field of any type)
    """Read the settings from the environment.

    Raises
    ------
    ConfigurationError
        Naming each variable that is wrong and what it may be; values of secrets are not repeated.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        wrong = "; ".join(
            f"F1_{'_'.join(map(str, problem['loc'])).upper()}{_given(problem)}: "
            f"{problem['msg'].removeprefix('Value error, ').partition(', unable')[0]}"
            for problem in error.errors()
        )
        raise ConfigurationError(f"Settings are wrong. {wrong}.") from None


def _given(problem: Mapping[str, Any]) -> str:
    """Repeat a wrong number; words are not repeated, as they may be a secret put into the wrong variable."""
    field = Settings.model_fields.get(str(problem["loc"][0])) if problem["loc"] else None
    is_number = field is not None and field.annotation is int and re.fullmatch(r"-?[0-9.,]{1,9}", str(problem["input"]))
    return f"={problem['input']}" if is_number else ""


@functools.cache
def process_settings() -> Settings:
    """Return the settings of this process, read once."""
    return load_settings()
