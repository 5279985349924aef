"""Settings come from the environment, whole and known, or the start ends with one sentence."""

from __future__ import annotations

import os
from typing import Self

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from voicemesh_chassis.refusals import ContradictionError
from voicemesh_chassis.settings import (
    LogSettings,
    ServerSettings,
    ServiceSettings,
    load_settings,
    service_name,
    service_settings_config,
)
from voicemesh_chassis.variables import markdown_table, variables

pytestmark = pytest.mark.unit


class RangeSettings(BaseModel):
    """Settings that depend on each other."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    least: int = 1
    """The least."""

    most: int = 5
    """The most."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.most == 13:
            msg = "MOST and LEAST bring bad luck"
            raise ValueError(msg)
        if self.least > self.most:
            raise ContradictionError(self, "least", "must be at most", "most")
        return self


class ProbeSettings(ServiceSettings):
    """Settings of a service that does not exist."""

    model_config = service_settings_config("VOICEMESH_PROBE_")

    server: ServerSettings = ServerSettings(port=50999, metrics_port=9199)
    """Where it listens."""

    beam_size: int = Field(default=5, ge=1, le=10)
    """How many hypotheses are kept."""

    range: RangeSettings = RangeSettings()
    """Two numbers."""

    hosts: tuple[str, ...] = ("127.0.0.1", "localhost")
    """Names of this machine."""

    discord_token: SecretStr | None = Field(default=None, validation_alias="DISCORD_TOKEN")
    """Lets the bot in."""


class NeedySettings(ServiceSettings):
    """Settings with one that must be given."""

    model_config = service_settings_config("VOICEMESH_NEEDY_")

    url: str
    """Where the database is."""


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("VOICEMESH_") or name == "DISCORD_TOKEN":
            monkeypatch.delenv(name)


def refused(settings_class: type[ServiceSettings], capsys: pytest.CaptureFixture[str]) -> str:
    """The sentence with which the start ends."""
    with pytest.raises(SystemExit) as caught:
        load_settings(settings_class)
    captured = capsys.readouterr()
    assert caught.value.code == 78
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err.strip()


def test_defaults_hold_when_nothing_is_set() -> None:
    settings = load_settings(ProbeSettings)

    assert settings.server.host == "127.0.0.1"
    assert (settings.server.port, settings.server.metrics_port) == (50999, 9199)
    assert settings.log == LogSettings(format="console", level="info")


def test_a_nested_variable_leaves_the_services_other_defaults_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("VOICEMESH_PROBE_SERVER__MAX_CONCURRENT", "3")

    settings = load_settings(ProbeSettings)

    assert (settings.server.max_concurrent, settings.server.port) == (3, 50999)


def test_an_empty_variable_means_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICEMESH_PROBE_BEAM_SIZE", "")

    assert load_settings(ProbeSettings).beam_size == 5


def test_tokens_are_separated_by_commas_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICEMESH_PROBE_SERVER__AUTH_TOKENS", "first-one, second-one")

    settings = load_settings(ProbeSettings)

    tokens = [token.get_secret_value() for token in settings.server.auth_tokens]
    assert tokens == ["first-one", "second-one"]
    assert "first-one" not in repr(settings)


def test_settings_cannot_be_changed() -> None:
    settings = load_settings(ProbeSettings)

    with pytest.raises(ValidationError):
        settings.beam_size = 6
    with pytest.raises(ValidationError):
        settings.server.port = 1


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        (
            "VOICEMESH_PROBE_SERVER__PORT",
            "70000",
            "VOICEMESH_PROBE_SERVER__PORT = '70000' cannot be used: it must be at most 65535; "
            "set it to a value that is allowed, or leave it out for 50999.",
        ),
        (
            "VOICEMESH_PROBE_BEAM_SIZE",
            "many",
            "VOICEMESH_PROBE_BEAM_SIZE = 'many' cannot be used: it must be a whole number; "
            "set it to a value that is allowed, or leave it out for 5.",
        ),
        (
            "VOICEMESH_PROBE_BEEM_SIZE",
            "5",
            "VOICEMESH_PROBE_BEEM_SIZE is not a setting: did you mean VOICEMESH_PROBE_BEAM_SIZE?",
        ),
        (
            "VOICEMESH_PROBE_SERVER__PROT",
            "5",
            "VOICEMESH_PROBE_SERVER__PROT is not a setting: did you mean "
            "VOICEMESH_PROBE_SERVER__PORT?",
        ),
        (
            "VOICEMESH_PROBE_ZZZZ",
            "5",
            "VOICEMESH_PROBE_ZZZZ is not a setting: remove it from the environment.",
        ),
        (
            "VOICEMESH_PROBE_SERVER__TLS__KEY_FILE",
            "key.pem",
            "VOICEMESH_PROBE_SERVER__TLS__CERTIFICATE_FILE is not set, but belongs to "
            "VOICEMESH_PROBE_SERVER__TLS__KEY_FILE: set all of them or none.",
        ),
        (
            "VOICEMESH_PROBE_SERVER__TLS__CLIENT_CA_FILE",
            "ca.pem",
            "VOICEMESH_PROBE_SERVER__TLS__CERTIFICATE_FILE and "
            "VOICEMESH_PROBE_SERVER__TLS__KEY_FILE are not set, but belong to "
            "VOICEMESH_PROBE_SERVER__TLS__CLIENT_CA_FILE: set all of them or none.",
        ),
        (
            "VOICEMESH_PROBE_SERVER__REFLECTION",
            "perhaps",
            "VOICEMESH_PROBE_SERVER__REFLECTION = 'perhaps' cannot be used: it must be true or "
            "false; set it to a value that is allowed, or leave it out for true.",
        ),
        (
            "VOICEMESH_PROBE_RANGE__LEAST",
            "7",
            "VOICEMESH_PROBE_RANGE__LEAST = 7 must be at most VOICEMESH_PROBE_RANGE__MOST = 5: "
            "change one of them.",
        ),
        (
            "VOICEMESH_PROBE_RANGE__MOST",
            "13",
            "settings that begin with VOICEMESH_PROBE_RANGE__ cannot be used: "
            "MOST and LEAST bring bad luck.",
        ),
        (
            "VOICEMESH_PROBE_LOG__LEVEL",
            "loud",
            "VOICEMESH_PROBE_LOG__LEVEL = 'loud' cannot be used: it must be 'debug', 'info', "
            "'warning' or 'error'; set it to a value that is allowed, or leave it out for 'info'.",
        ),
    ],
)
def test_a_bad_setting_is_told_with_what_where_and_how_to_mend(
    name: str,
    value: str,
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(name, value)

    assert refused(ProbeSettings, capsys) == sentence


def test_a_missing_setting_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    sentence = refused(NeedySettings, capsys)

    assert sentence == "VOICEMESH_NEEDY_URL is not set: set it in the environment."


def test_broken_json_is_told_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VOICEMESH_PROBE_SERVER", "{port")

    assert refused(ProbeSettings, capsys) == (
        "VOICEMESH_PROBE_SERVER or one that begins with it cannot be read: "
        "write lists and objects as JSON."
    )


def test_a_bad_token_is_not_repeated(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VOICEMESH_PROBE_SERVER__AUTH_TOKENS", "two words,hidden")

    sentence = refused(ProbeSettings, capsys)

    assert "VOICEMESH_PROBE_SERVER__AUTH_TOKENS cannot be used" in sentence
    assert "two words" not in sentence
    assert "hidden" not in sentence


def test_several_bad_settings_are_counted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VOICEMESH_PROBE_BEAM_SIZE", "0")
    monkeypatch.setenv("VOICEMESH_PROBE_LOG__LEVEL", "loud")

    assert "(and 1 more setting)" in refused(ProbeSettings, capsys)


def test_variables_of_other_services_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICEMESH_OTHER_SERVER__PROT", "1")
    monkeypatch.setenv("VOICEMESH_MODELS_DIR", "/models")

    assert load_settings(ProbeSettings).beam_size == 5


def test_a_variable_with_a_name_of_its_own_is_read_and_listed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "abc")

    token = load_settings(ProbeSettings).discord_token

    assert token is not None
    assert token.get_secret_value() == "abc"
    assert "DISCORD_TOKEN" in [variable.name for variable in variables(ProbeSettings)]


def test_every_variable_is_described_and_has_the_services_default() -> None:
    found = {variable.name: variable for variable in variables(ProbeSettings)}

    assert found["VOICEMESH_PROBE_SERVER__PORT"].default == 50999
    assert not found["VOICEMESH_PROBE_SERVER__TLS__KEY_FILE"].is_required
    assert found["VOICEMESH_PROBE_SERVER__AUTH_TOKENS"].is_secret
    assert all(variable.description for variable in found.values())


def test_only_what_the_service_cannot_do_without_is_required() -> None:
    required = [variable.name for variable in variables(NeedySettings) if variable.is_required]

    assert required == ["VOICEMESH_NEEDY_URL"]


def test_the_table_for_a_readme_has_one_row_a_variable() -> None:
    table = markdown_table(ProbeSettings)

    assert "| `VOICEMESH_PROBE_BEAM_SIZE` | `5` | How many hypotheses are kept. |\n" in table
    assert "| `VOICEMESH_PROBE_HOSTS` | `127.0.0.1,localhost` |" in table
    assert "| `VOICEMESH_PROBE_SERVER__REFLECTION` | `true` |" in table
    assert len(table.splitlines()) == 2 + len(variables(ProbeSettings))


def test_the_service_is_named_after_its_prefix() -> None:
    assert service_name(ProbeSettings) == "probe"
