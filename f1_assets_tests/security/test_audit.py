"""``make audit`` fails for what is known to be vulnerable, and does not take silence for an all-clear."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

AUDIT = Path(__file__).parents[2] / ".ci" / "audit"
FOUND = {
    "dependencies": [
        {"name": "sound", "version": "1", "vulns": []},
        {"name": "unsound", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"]}, {"id": "PYSEC-2"}]},
    ]
}
SKIPPED = {"name": "unknown", "skip_reason": "Dependency not found on PyPI and could not be audited"}


@pytest.mark.parametrize(
    ("written", "exit_code", "error", "code", "said"),
    [
        (json.dumps(FOUND), 1, "Found 2 known vulnerabilities", 1, "unsound 2: PYSEC-1, fixed in 3"),
        (None, 0, "No known vulnerabilities found", 0, "not reachable, not audited"),
        (json.dumps({"dependencies": [SKIPPED]}), 0, "", 0, "not reachable, not audited"),
        (json.dumps({"dependencies": [FOUND["dependencies"][0]]}), 0, "", 0, "no known vulnerabilities"),
        (None, 1, "ERROR: Connection refused", 0, "ERROR: Connection refused: not reachable, not audited"),
        ("{", 1, "", 0, "not reachable, not audited"),
    ],
)
def test_what_pip_audit_says_is_told(tmp_path, written, exit_code, error, code, said):
    fake = tmp_path / "pip_audit.py"
    fake.write_text(
        "import sys, pathlib\n"
        "place = pathlib.Path(sys.argv[sys.argv.index('--output') + 1])\n"
        f"written = {written!r}\n"
        "place.write_text(written) if written is not None else None\n"
        f"sys.stderr.write({error!r})\n"
        f"sys.exit({exit_code})\n"
    )
    done = subprocess.run([sys.executable, str(AUDIT), sys.executable, str(fake)], capture_output=True, text=True)
    assert (done.returncode, said in done.stdout) == (code, True), done.stdout + done.stderr
