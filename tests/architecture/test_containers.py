"""The images are small, hardened and reproducible, and compose starts them as intended."""

from __future__ import annotations

import importlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from voicemesh_chassis.variables import variables

if TYPE_CHECKING:
    from voicemesh_chassis.settings import ServiceSettings

pytestmark = pytest.mark.architecture

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ("bot", "stt", "trainer", "tts")
DOCKERFILES = {
    **{name: ROOT / "services" / name / "Dockerfile" for name in SERVICES},
    "models": ROOT / "deploy" / "models" / "Dockerfile",
}
REQUIREMENTS = sorted(path.name for path in (ROOT / "requirements").glob("*.txt"))
CUT_S = 5  # what the chassis allows handlers and transport after the drain


def instructions(name: str) -> list[tuple[str, str]]:
    """The instructions of a Dockerfile as (word, rest), continuation lines joined."""
    text = DOCKERFILES[name].read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    pairs = (line.split(maxsplit=1) for line in joined.splitlines())
    return [(word.upper(), rest) for word, rest in pairs]


def final_stage(name: str) -> dict[str, list[str]]:
    """What the last stage says, by instruction."""
    found: dict[str, list[str]] = {}
    for word, rest in instructions(name):
        if word == "FROM":
            found = {}
        found.setdefault(word, []).append(rest)
    return found


def environment(name: str) -> dict[str, str]:
    pairs = (shlex.split(line) for line in final_stage(name).get("ENV", []))
    return dict(pair.split("=", 1) for line in pairs for pair in line)


def settings_of(service: str) -> type[ServiceSettings]:
    module = importlib.import_module(f"voicemesh_{service}.settings")
    settings: type[ServiceSettings] = getattr(module, f"{service.capitalize()}Settings")
    return settings


def names_of(service: str) -> set[str]:
    """Every environment variable that a service reads."""
    return {variable.name for variable in variables(settings_of(service))}


def own_libraries(distribution: str) -> set[str]:
    """The directories below libs that a package of ours stands on, itself left out."""
    path = next(
        path
        for path in ROOT.glob("*/*/pyproject.toml")
        if tomllib.loads(path.read_text(encoding="utf-8"))["project"]["name"] == distribution
    )
    project = tomllib.loads(path.read_text(encoding="utf-8"))["project"]
    names = [re.split(r"[\s\[<>=@]", text)[0] for text in project["dependencies"]]
    direct = {name.removeprefix("voicemesh-") for name in names if name.startswith("voicemesh-")}
    return direct.union(*(own_libraries(f"voicemesh-{name}") for name in direct))


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    return loaded


@pytest.mark.parametrize("name", DOCKERFILES)
def test_hadolint_finds_nothing(name: str) -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run(
        [str(hadolint), str(DOCKERFILES[name])],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", DOCKERFILES)
def test_any_builder_can_read_the_dockerfile(name: str) -> None:
    text = DOCKERFILES[name].read_text(encoding="utf-8")
    assert "# syntax" not in text, "would be fetched, so an offline build would fail"
    assert "<<" not in text, "heredocs need a newer frontend than the oldest in use"


@pytest.mark.parametrize("name", DOCKERFILES)
def test_the_image_runs_as_a_user_of_its_own_and_stops_by_sigterm(name: str) -> None:
    stage = final_stage(name)
    assert stage["USER"] == ["10001:10001"]
    assert stage["FROM"] == ["${BASE_IMAGE}"]
    assert stage["COPY"] == ["--from=build /venv /venv"], "nothing but the environment is shipped"
    command = "voicemesh-models" if name == "models" else f"voicemesh-{name}"
    assert stage["ENTRYPOINT"] == [f'["{command}"]']
    if name != "models":
        assert stage["STOPSIGNAL"] == ["SIGTERM"]
        assert "/readyz" in stage["HEALTHCHECK"][0]


@pytest.mark.parametrize("name", DOCKERFILES)
def test_an_image_holds_what_its_service_needs_and_no_more(name: str) -> None:
    copied = {rest for word, rest in instructions(name) if word == "COPY"}
    expected = {
        "--from=build /venv /venv",
        f"requirements/build.txt requirements/{name}.txt /src/requirements/",
    }
    libraries = own_libraries(f"voicemesh-{name}")
    if name == "models":
        libraries.add("models")
    else:
        expected.add(f"services/{name} services/{name}")
    assert copied == expected | {f"libs/{library} libs/{library}" for library in libraries}


@pytest.mark.parametrize("name", DOCKERFILES)
def test_what_is_installed_is_pinned_by_hash(name: str) -> None:
    runs = [rest for word, rest in instructions(name) if word == "RUN"]
    installs = re.findall(r"pip install ([^&]+)", " ".join(runs))
    assert installs
    for arguments in installs:
        ours = {"--no-deps", "--no-index"} <= set(arguments.split())
        assert ours or "--require-hashes" in arguments, arguments


@pytest.mark.parametrize("service", SERVICES)
def test_the_image_listens_where_the_service_does_by_default(service: str) -> None:
    given = environment(service)
    prefix = f"VOICEMESH_{service.upper()}_SERVER__"
    server = settings_of(service)().server
    own = [name for name in given if name.startswith(prefix[:-8])]
    assert set(own) <= names_of(service)
    assert given[f"{prefix}HOST"] == "0.0.0.0"  # noqa: S104 - inside the container
    assert given[f"{prefix}PORT"] == str(server.port)
    assert given[f"{prefix}METRICS_PORT"] == str(server.metrics_port)
    assert final_stage(service)["EXPOSE"][0].split()[:2] == [
        str(server.port),
        str(server.metrics_port),
    ]


def test_the_builder_is_sent_nothing_but_packages_and_pins() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert {rule for rule in rules if rule.startswith("!")} == {
        "!libs",
        "!services",
        "!requirements/*.txt",
    }


def test_compose_runs_the_four_services_and_the_model_job() -> None:
    services = compose()["services"]
    assert set(services) == {"models", *SERVICES}
    for name, service in services.items():
        assert service["image"].startswith(f"voicemesh/{name}:")
        assert ROOT / service["build"]["dockerfile"] == DOCKERFILES[name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["deploy"]["resources"]["limits"]["memory"]


def test_compose_publishes_the_console_alone_and_only_to_this_machine() -> None:
    published = {
        name: service["ports"]
        for name, service in compose()["services"].items()
        if "ports" in service
    }
    assert set(published) == {"bot"}
    assert published["bot"] == ["127.0.0.1:${VOICEMESH_CONSOLE_PORT:-8080}:8080"]


def test_compose_keeps_uploads_on_a_disk_that_the_image_lets_stt_write_to() -> None:
    stt = compose()["services"]["stt"]
    directory = stt["environment"]["VOICEMESH_STT_SPOOL_DIR"]
    assert f"stt-spool:{directory}" in stt["volumes"]
    assert "stt-spool" in compose()["volumes"]
    # A new volume takes its owner from what the image has in its place.
    made = next(rest for rest in final_stage("stt")["RUN"] if "install --directory" in rest)
    assert directory in made.split()


def test_compose_keeps_what_people_teach_where_the_image_lets_the_trainer_write_to() -> None:
    trainer = compose()["services"]["trainer"]
    directory = trainer["environment"]["VOICEMESH_TRAINER_STORAGE__DATA_DIR"]
    assert f"trainer-data:{directory}" in trainer["volumes"]
    assert "trainer-data" in compose()["volumes"]
    made = next(rest for rest in final_stage("trainer")["RUN"] if "install --directory" in rest)
    assert directory in made.split()


def test_compose_keeps_what_guilds_decided_where_the_image_lets_the_bot_write_to() -> None:
    bot = compose()["services"]["bot"]
    directory = bot["environment"]["VOICEMESH_BOT_STORAGE__DATA_DIR"]
    assert f"bot-data:{directory}" in bot["volumes"]
    assert "bot-data" in compose()["volumes"]
    made = next(rest for rest in final_stage("bot")["RUN"] if "install --directory" in rest)
    assert directory in made.split()


def test_compose_waits_for_models_and_then_for_healthy_services() -> None:
    services = compose()["services"]
    for name in ("stt", "tts", "trainer"):
        wanted = {"models": {"condition": "service_completed_successfully"}}
        assert services[name]["depends_on"] == wanted
        assert services[name]["volumes"][0] == "models:/models:ro"
    healthy = {"condition": "service_healthy"}
    assert services["bot"]["depends_on"] == {"stt": healthy, "tts": healthy, "trainer": healthy}


@pytest.mark.parametrize("service", SERVICES)
def test_compose_gives_a_service_time_to_drain_and_no_unknown_variable(service: str) -> None:
    server = settings_of(service)().server
    described = compose()["services"][service]
    grace_s = float(described["stop_grace_period"].removesuffix("s"))
    assert grace_s > server.drain_timeout_s + CUT_S + server.stop_timeout_s
    assert set(described["environment"]) <= names_of(service)


@pytest.mark.parametrize("service", ["stt", "trainer", "tts"])
def test_compose_tells_the_bot_where_the_service_is(service: str) -> None:
    given = compose()["services"]["bot"]["environment"]
    port = settings_of(service)().server.port
    assert given[f"VOICEMESH_BOT_{service.upper()}__TARGET"] == f"dns:///{service}:{port}"


def test_env_example_lists_every_variable_of_compose() -> None:
    used = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text("utf-8")))
    example = (ROOT / ".env.example").read_text("utf-8")
    listed = set(re.findall(r"^#?\s?([A-Z_]+)=", example, flags=re.MULTILINE))
    assert listed == used


def test_compose_accepts_the_file() -> None:
    command = ["docker-compose"]
    if shutil.which(command[0]) is None:
        if os.environ.get("VOICEMESH_REQUIRE_TOOLS") == "1":
            pytest.fail("docker-compose is required and is not installed")
        pytest.skip("docker-compose is not installed")
    done = subprocess.run(
        [*command, "-f", str(ROOT / "docker-compose.yml"), "config", "-q"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_requirements_name_no_registry_and_no_path(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    for forbidden in ("://", "index-url", "find-links", "-e ", "torch=="):
        assert forbidden not in text


def test_every_dependency_is_pinned_in_its_range() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "lock_requirements.py"), "--check"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
