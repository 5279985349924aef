"""Names of tenants and their directories."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicemesh_chassis.errors import InvalidArgumentError
from voicemesh_tts.tenants import check_tenant, tenant_directory

pytestmark = pytest.mark.unit

DATA = Path("data")


@pytest.mark.parametrize("tenant", ["", "123456789012345678", "My guild", "..", "a/b", "ß🎉"])
def test_any_printable_name_can_be_a_tenants(tenant: str) -> None:
    assert check_tenant(tenant, "tenant") == tenant


@pytest.mark.parametrize("tenant", ["a\0b", "a\nb", " a", "a ", "x" * 129, "\u202ea"])
def test_names_that_hide_something_are_refused(tenant: str) -> None:
    with pytest.raises(InvalidArgumentError) as refused:
        check_tenant(tenant, "config.tenant")

    assert refused.value.field == "config.tenant"


def test_ordinary_names_are_their_directories() -> None:
    assert tenant_directory(DATA, "1234567890") == DATA / "1234567890"
    assert tenant_directory(DATA, "my-guild_2") == DATA / "my-guild_2"


@given(st.text(min_size=1, max_size=128))
def test_no_name_leads_out_of_the_data(tenant: str) -> None:
    directory = tenant_directory(DATA, tenant)

    assert directory.parent == DATA
    assert directory.name not in {"", ".", ".."}
    assert not directory.name.startswith(".")
    assert len(directory.name.encode()) <= 255


@given(st.text(min_size=1, max_size=64), st.text(min_size=1, max_size=64))
def test_different_tenants_have_different_directories_whatever_the_case(a: str, b: str) -> None:
    one, other = tenant_directory(DATA, a).name, tenant_directory(DATA, b).name

    assert (one.lower() == other.lower()) == (a == b)


@pytest.mark.parametrize("name", ["con", "nul", "com1", "lpt9"])
def test_names_of_devices_are_written_otherwise(name: str) -> None:
    assert tenant_directory(DATA, name).name != name
    assert tenant_directory(DATA, f"{name}x").name == f"{name}x"
