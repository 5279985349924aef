"""The environment variables behind a settings class, for messages, `--help` and documentation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from pydantic import AliasChoices, BaseModel, SecretStr

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic.fields import FieldInfo
    from pydantic_settings import BaseSettings

__all__ = ("Variable", "first_level", "markdown_table", "prefix_of", "variables")


@dataclass(frozen=True)
class Variable:
    """One environment variable."""

    name: str
    """Upper case, as documented; case does not matter when it is read."""

    default: object
    """What holds if it is not set; None also if nothing does."""

    description: str
    """Effect and unit, on one line."""

    is_required: bool
    """Whether the service never starts without it."""

    is_secret: bool
    """Whether its value must not be shown."""

    @property
    def typed_default(self) -> str:
        """The default as one would set it; empty if there is none."""
        if isinstance(self.default, bool):
            return str(self.default).lower()
        if isinstance(self.default, tuple | list):
            return ",".join(str(part) for part in self.default)
        return "" if self.default is None else str(self.default)


def variables(cls: type[BaseSettings]) -> list[Variable]:
    """Every variable that `cls` reads, groups spelt out, in the order of the class."""
    return list(_walk(cls, prefix_of(cls)))


def first_level(cls: type[BaseSettings]) -> set[str]:
    """The names of the fields of `cls` itself: variables, and beginnings of grouped ones."""
    prefix = prefix_of(cls)
    return {_name(name, field, prefix) for name, field in cls.model_fields.items()}


def prefix_of(cls: type[BaseSettings]) -> str:
    """What the variables of `cls` begin with, in upper case."""
    return str(cls.model_config.get("env_prefix", "")).upper()


def markdown_table(cls: type[BaseSettings]) -> str:
    """The variables as a Markdown table, for a README."""
    rows = ["| variable | default | effect |", "| --- | --- | --- |"]
    for variable in variables(cls):
        default = "required" if variable.is_required else _quoted(variable.typed_default)
        effect = variable.description.replace("|", "\\|")
        rows.append(f"| `{variable.name}` | {default} | {effect} |")
    return "\n".join(rows) + "\n"


def _quoted(default: str) -> str:
    return f"`{default}`" if default else ""


def _walk(
    model: type[BaseModel],
    prefix: str,
    defaults: BaseModel | None = None,
    *,
    is_optional: bool = False,
) -> Iterator[Variable]:
    for field_name, field in model.model_fields.items():
        name = _name(field_name, field, prefix)
        if defaults is not None:
            default = getattr(defaults, field_name)
        elif field.is_required():
            default = None
        else:
            default = field.get_default(call_default_factory=True, validated_data={})
        group = _group(field)
        if group is not None:
            given = default if isinstance(default, group) else None
            no_group = given is None and not field.is_required()
            yield from _walk(group, f"{name}__", given, is_optional=no_group)
            continue
        yield Variable(
            name=name,
            default=default,
            description=" ".join((field.description or "").split()),
            is_required=defaults is None and field.is_required() and not is_optional,
            is_secret=_is_secret(field.annotation),
        )


def _name(field_name: str, field: FieldInfo, prefix: str) -> str:
    alias = field.validation_alias
    if isinstance(alias, AliasChoices):
        alias = next((choice for choice in alias.choices if isinstance(choice, str)), None)
    return (alias if isinstance(alias, str) else prefix + field_name).upper()


def _group(field: FieldInfo) -> type[BaseModel] | None:
    """The settings group that a field holds, also if it is optional."""
    for candidate in (field.annotation, *get_args(field.annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None


def _is_secret(annotation: Any) -> bool:
    return annotation is SecretStr or any(_is_secret(part) for part in get_args(annotation))
