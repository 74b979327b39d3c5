"""Secrets stand in no output and in no file, whatever goes wrong; and what is written is for this user alone."""

import gzip
import json
import os
import sqlite3
import stat
import subprocess
import sys

import pytest
from sqlalchemy import make_url

from f1_assets.connection import connect
from f1_assets.fetch import account
from f1_assets.fetch.archive import Archive
from f1_assets.fetch.sources import ServerAdapter
from f1_assets.fetch.transport import Transport
from f1_assets.importing import process_session_gap, refresh_calendar
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.settings import load_settings, masked_url, process_settings, without_secrets_of
from f1_assets.simulator import Simulator, SimulatorOptions
from f1_assets.warehouse.engine import shown
from f1_assets.warehouse.lake import Lake
from f1_assets_tests.conftest import PLENTY
from f1_assets_tests.fetch.server import services, status

OPTIONS = "races=1,tests=0,sprints=0,laps=5,samples_every=50,drivers=4"
PLANTED = "planted-hunter2"
KEY = SessionKey(2025, 1, "FP1")


@pytest.fixture
def usual_umask():
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def served():
    with services(Simulator(SimulatorOptions.parse(OPTIONS))) as running:
        yield running


def _open_to_others(home):
    """List what others could read or enter; what Dagster makes is behind its folder, which is this user's."""
    found = [home, *(path for path in home.rglob("*") if home / "dagster" not in path.parents)]
    return [str(path) for path in found if stat.S_IMODE(path.stat().st_mode) & 0o077]


def _files_with(home, secret):
    """List the files in which a secret stands, plain or in a kept response."""
    found = []
    for path in (path for path in home.rglob("*") if path.is_file()):
        if secret.encode() in path.read_bytes():
            found.append(str(path))
        if path.suffix == ".sqlite":
            connection = sqlite3.connect(path)
            values = connection.execute("SELECT value FROM responses").fetchall()
            connection.close()
            found += [f"{path}: a response" for (value,) in values if secret.encode() in gzip.decompress(value)]
    return found


def test_all_that_is_written_is_for_this_user_alone_whatever_the_umask(usual_umask, tmp_path):
    settings = load_settings(home=tmp_path / "home", source="simulator", simulator=OPTIONS)
    warehouse, transport = connect(settings), Transport(settings)
    refresh_calendar(2025, warehouse=warehouse, transport=transport)
    gap = SessionGap(KEY, ("weather", "car_telemetry"))
    assert process_session_gap(gap, warehouse=warehouse, transport=transport).failed == ()
    kinds = {path.suffix for path in settings.home.rglob("*") if path.is_file()}
    assert kinds >= {".db", ".db-wal", ".db-shm", ".sqlite", ".parquet"}
    assert _open_to_others(settings.home) == []
    transport.close()
    warehouse.close()


def test_a_lake_that_is_shared_stays_as_open_as_its_folder(usual_umask, tmp_path, sqlite_warehouse):
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o770)
    lake = Lake(str(tmp_path / "shared"))
    lake.mark("owner")
    lake.files.write("season=2025/round=01/x.parquet", b"x")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "shared").rglob("*")}
    assert modes == {"owner.txt": 0o660, "season=2025": 0o770, "round=01": 0o770, "x.parquet": 0o660}


def test_what_authenticates_a_request_is_not_kept_with_its_answer(tmp_path, served):
    import requests

    answer = requests.get(
        f"{served.url}/livetiming.formula1.com/static/2025/Index.json",
        headers={"Authorization": f"Bearer {PLANTED}", "X-Token": PLANTED, "Cookie": f"login={PLANTED}"},
    )
    answer.headers["Set-Cookie"] = f"login={PLANTED}"
    answer.cookies.set("login", PLANTED)
    archive = Archive.in_folder(tmp_path / "archive", "live")
    archive.keep("https://livetiming.formula1.com/static/2025/Index.json", answer, None)
    kept = archive.find("https://livetiming.formula1.com/static/2025/Index.json")
    assert kept.content == answer.content
    archive.close()
    assert _files_with(tmp_path, PLANTED) == []
    assert answer.request.headers["X-Token"] == PLANTED, "the request itself is left as it is"


def test_a_server_is_sent_its_user_and_password_and_they_stand_in_no_address(served):
    import requests

    session = requests.Session()
    adapter = ServerAdapter(served.url.replace("http://", f"http://me:{PLANTED}@"))
    session.mount("https://", adapter)
    request = requests.Request("GET", "https://livetiming.formula1.com/static/2025/Index.json").prepare()
    sent = []
    send = requests.adapters.HTTPAdapter.send

    def noted(self, request, **kwargs):
        sent.append((request.url, request.headers.get("Authorization")))
        return send(self, request, **kwargs)

    requests.adapters.HTTPAdapter.send = noted
    try:
        answer = session.send(request)
    finally:
        requests.adapters.HTTPAdapter.send = send
    ((url, authorization),) = sent
    assert PLANTED not in url + answer.url
    assert authorization.startswith("Basic ")
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "url",
    [
        f"http://me:{PLANTED}@host:8060/x",
        f"https://{PLANTED}@host",
        f"s3://bucket/f1?secret={PLANTED}",
        f"https://me:{PLANTED}@host/x?token={PLANTED}",
    ],
)
def test_an_address_is_shown_without_what_may_be_secret(url):
    assert PLANTED not in masked_url(url)
    assert PLANTED not in without_secrets_of(url, f"{url}: cannot connect to {url[8:]} with {PLANTED}")
    assert PLANTED not in repr(
        load_settings(lake_url=url, source=url if url.startswith("http") and "?" not in url else "live")
    )


def test_a_database_is_shown_without_password_and_options():
    url = make_url(f"postgresql://me:{PLANTED}@db/f1?password={PLANTED}")
    assert shown(url) == "postgresql://me:***@db/f1"


def test_an_account_that_is_refused_is_told_without_its_name_and_password(monkeypatch):
    from fastf1.exceptions import F1AuthError

    def refuse(auth_func):
        raise F1AuthError(f"no account {PLANTED}@example.org with {PLANTED}-too")

    monkeypatch.setattr(account, "_refusals", {})
    monkeypatch.setattr(account.token_manager, "get", refuse)
    settings = load_settings(username=f"{PLANTED}@example.org", password=f"{PLANTED}-too")
    with pytest.raises(Exception, match=r"no account \*\*\* with \*\*\*"):
        account.require_account(settings)


@pytest.mark.parametrize("debug", [[], ["--debug"]])
@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("F1_DATABASE_URL", f"postgresql://me:{PLANTED}@127.0.0.1:1/x?sslpassword={PLANTED}"),
        ("F1_DATABASE_URL", f"mysql+nodriver://me:{PLANTED}@h/x"),
        ("F1_DATABASE_URL", f"{PLANTED} is no url"),
        ("F1_SOURCE", f"http://me:{PLANTED}@host:nonsense"),
        ("F1_LAKE_URL", f"nonsense://me:{PLANTED}@host/x?token={PLANTED}"),
        ("F1_ARCHIVE_URL", f"s3://me:{PLANTED}@host/x?token={PLANTED}"),
        ("F1_WORKERS", f"{PLANTED}"),
    ],
)
def test_a_wrong_setting_is_refused_without_repeating_it(monkeypatch, capfd, tmp_path, debug, setting, value):
    from f1_assets.cli.app import main

    monkeypatch.setenv(setting, value)
    monkeypatch.setenv("F1_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(sys, "argv", ["f1-assets", *debug, "archive", "stats" if "SOURCE" in setting else "verify"])
    process_settings.cache_clear()
    with pytest.raises(SystemExit) as ended:
        main()
    written = capfd.readouterr()
    assert ended.value.code == 4, written.err
    assert PLANTED not in written.out + written.err


SECRETS = {
    "F1_USERNAME": f"{PLANTED}-user@example.org",
    "F1_PASSWORD": f"{PLANTED}-password",
    "F1_SLACK_TOKEN": f"xoxb-{PLANTED}",
    "F1_SLACK_CHANNEL": "#f1",
    "F1_SLACK_API_URL": "http://127.0.0.1:9",
}


@pytest.mark.long
@pytest.mark.parametrize("fails", [False, True])
def test_secrets_are_nowhere_after_an_import(fails, served, usual_umask, tmp_path, postgres_url):
    if fails:
        served.faults.update({"WeatherData": status(500), "TimingData": status(403)})
    database = make_url(postgres_url).set(password=PLANTED).render_as_string(hide_password=False)
    environment = {
        **os.environ,
        **SECRETS,
        "F1_HOME": str(tmp_path / "home"),
        "F1_SOURCE": served.url.replace("http://", f"http://me:{PLANTED}@"),
        "F1_DATABASE_URL": database,
        "F1_QUOTA": PLENTY,
    }
    only = ["--round", "1", "--session", "FP1", "--notify"]
    commands = [
        ["db", "upgrade"],
        ["--debug", "import", "2025", *only, "--json"],
        ["status", str(KEY)],
        ["--debug", "archive", "stats"],
    ]
    written = ""
    for command in commands:
        done = subprocess.run(
            [sys.executable, "-c", "from f1_assets.cli import main; main()", *command],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode in ((0, 1) if fails else (0,)), done.stderr
        written += done.stdout + done.stderr
    assert "2025-01-FP1" in written
    assert PLANTED not in written
    assert any((tmp_path / "home").rglob("*.sqlite"))
    assert _files_with(tmp_path, PLANTED) == []
    assert _open_to_others(tmp_path / "home") == []
    warehouse = connect(load_settings(home=tmp_path / "home", database_url=database))
    stored = json.dumps([str(line) for line in warehouse.extractions()])
    assert PLANTED not in stored
    assert len(warehouse.extractions()) > 5
    warehouse.close()
