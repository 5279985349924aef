"""What Discord's client offers a person, and what it sends when they take it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from discordsim.domain import Channel, Command, Message, User
from discordsim.errors import NotOfferedError
from discordsim.permissions import Permission
from discordsim.wire import message_payload, resolved_payload
from discordsim.world.content import interactive_components
from discordsim.world.definitions import CHAT_INPUT
from discordsim.world.options import filled_options, leaf_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from discordsim.domain import Json
    from discordsim.world import World

__all__ = ("Offers",)

_GUILD_CONTEXT, _DIRECT_CONTEXT = 0, 1
_BUTTON, _TEXT_MENU = 2, 3
_LINK_STYLE = 5
_THINGS_OF_MENUS = {5: "user", 6: "role", 7: "user or role", 8: "channel"}


class Offers:
    """One person's view of commands and components."""

    def __init__(self, world: World, user_id: int) -> None:
        """Look as somebody does.

        Args:
            world: where they are.
            user_id: who looks.
        """
        self._world = world
        self._user_id = user_id

    def command(self, channel: Channel, name: str, kind: int = CHAT_INPUT) -> Command:
        """Return a command that is offered in a channel.

        Raises:
            NotOfferedError: there is none of this name, or not for this person here.
        """
        held = self._world.directory.permissions(self._user_id, channel)
        if not held & Permission.USE_APPLICATION_COMMANDS:
            raise NotOfferedError(f"commands are not allowed here, so /{name} is not offered")
        offered = [
            command
            for command in self._world.commands.usable_in(channel.guild_id)
            if command.type == kind and self._may_use(command, channel, held)
        ]
        found = [command for command in offered if command.name == name]
        if not found:
            names = ", ".join(sorted(each.name for each in offered)) or "nothing"
            raise NotOfferedError(f"no command {name!r} is offered here; there is: {names}")
        # One for this guild alone hides one of the same name for all guilds.
        found.sort(key=lambda each: each.guild_id is None)
        if len({each.application_id for each in found}) > 1:
            raise NotOfferedError(f"several bots offer {name!r}; use the Command itself")
        return found[0]

    def _may_use(self, command: Command, channel: Channel, held: int) -> bool:
        contexts = command.definition["contexts"]
        if channel.guild_id is None:
            return _DIRECT_CONTEXT in contexts and command.application_id in channel.recipients
        if _GUILD_CONTEXT not in contexts:
            return False
        if not self._world.directory.is_member(channel.guild_id, command.application_id):
            return False
        wanted = command.definition["default_member_permissions"]
        if wanted is None:
            return True
        required = int(wanted) or int(Permission.ADMINISTRATOR)
        return held & required == required

    def filled(
        self,
        channel: Channel,
        command: Command,
        path: Sequence[str],
        values: Mapping[str, object],
        *,
        focused: str | None = None,
    ) -> Json:
        """Return what the bot is sent for a command with these options.

        Args:
            channel: where it is used.
            command: the command.
            path: names of its group and subcommand.
            values: what is entered, by option.
            focused: the option being typed in, for suggestions.

        Raises:
            NotOfferedError: Discord's client would not send that.
        """
        leaf, steps = leaf_of(command.definition, path)
        options, things = filled_options(leaf, values, focused=focused)
        for step in reversed(steps):
            options = [{"name": step["name"], "type": step["type"], "options": options}]
        data: dict[str, Any] = {"id": str(command.id), "name": command.name, "type": command.type}
        if command.guild_id is not None:
            data["guild_id"] = str(command.guild_id)
        if options:
            data["options"] = options
        if things:
            data["resolved"] = self._resolved(channel, things)
        return data

    def targeted(self, channel: Channel, command: Command, target: Message | User) -> Json:
        """Return what the bot is sent for a command used on a message or a user."""
        data: dict[str, Any] = {
            "id": str(command.id),
            "name": command.name,
            "type": command.type,
            "target_id": str(target.id),
        }
        if isinstance(target, User):
            return data | {"resolved": self._resolved(channel, {str(target.id): target})}
        payload = message_payload(self._world, target, viewer_id=command.application_id)
        return data | {"resolved": {"messages": {str(target.id): payload}}}

    def _resolved(self, channel: Channel, things: Mapping[str, object]) -> dict[str, Any]:
        return resolved_payload(self._world, things, place=channel, viewer_id=self._user_id)

    def component(self, message: Message, wanted: str, *, button: bool) -> Json:
        """Return a button by its label or custom id, or a menu by its placeholder or custom id.

        Raises:
            NotOfferedError: the message has none such, or it is greyed out.
        """
        offered = [
            component
            for _, component in interactive_components(message.components)
            if (component["type"] == _BUTTON) is button and component.get("style") != _LINK_STYLE
        ]
        for component in offered:
            emoji = (component.get("emoji") or {}).get("name")
            names = (component.get("label"), component.get("placeholder"), emoji)
            if wanted == component.get("custom_id") or wanted in names:
                if component.get("disabled"):
                    raise NotOfferedError(f"{wanted!r} is greyed out")
                return component
        shown = [
            str(each.get("label") or each.get("placeholder") or each["custom_id"])
            for each in offered
        ]
        kind = "button" if button else "menu"
        raise NotOfferedError(f"no {kind} {wanted!r}; there is: {', '.join(shown) or 'none'}")

    def pressed(self, component: Json) -> Json:
        """Return what the bot is sent for a button."""
        return {"custom_id": component["custom_id"], "component_type": _BUTTON}

    def picked(self, channel: Channel, menu: Json, values: Sequence[object]) -> Json:
        """Return what the bot is sent for a choice from a menu.

        Args:
            channel: where it is.
            menu: the menu; see `component`.
            values: labels or values of its options, or users, roles or channels.

        Raises:
            NotOfferedError: the menu does not offer that, or not so many at once.
        """
        least, most = menu.get("min_values", 1), menu.get("max_values", 1)
        if not least <= len(values) <= most:
            raise NotOfferedError(f"the menu takes {least} to {most} choices, not {len(values)}")
        data: dict[str, Any] = {"custom_id": menu["custom_id"], "component_type": menu["type"]}
        if menu["type"] == _TEXT_MENU:
            return data | {"values": [_option(menu, value) for value in values]}
        things: dict[str, object] = {}
        for value in values:
            identity = getattr(value, "id", None)
            if identity is None:
                wanted = _THINGS_OF_MENUS[menu["type"]]
                raise NotOfferedError(f"the menu takes a {wanted}, not {value!r}")
            things[str(identity)] = value
        return data | {"values": list(things), "resolved": self._resolved(channel, things)}

    def entered(self, inputs: Mapping[str, Json], components: Any, texts: Mapping[str, str]) -> Any:
        """Return the components of a form as they are sent, with what was entered.

        Args:
            inputs: the text inputs of the form by custom id.
            components: the form's components.
            texts: what is entered, by custom id or label.

        Raises:
            NotOfferedError: there is no such input, or a text is missing, too short or too long.
        """
        values = {custom_id: str(each.get("value") or "") for custom_id, each in inputs.items()}
        by_label = {each.get("label"): custom_id for custom_id, each in inputs.items()}
        by_label.update(_labels_around(components))
        for name, text in texts.items():
            custom_id = name if name in inputs else by_label.get(name)
            if custom_id is None:
                offered = ", ".join(inputs)
                raise NotOfferedError(f"the form has no input {name!r}; there is: {offered}")
            values[custom_id] = text
        for custom_id, text in values.items():
            _require_length(custom_id, inputs[custom_id], text)
        return [_submitted(component, values) for component in components]


def _option(menu: Json, value: object) -> str:
    for option in menu["options"]:
        if value in (option["value"], option["label"]):
            return str(option["value"])
    offered = ", ".join(str(option["label"]) for option in menu["options"])
    raise NotOfferedError(f"the menu offers {offered}, not {value!r}")


def _labels_around(components: Any) -> dict[str, str]:
    """Custom ids of inputs by the label component that they stand in."""
    return {
        component["label"]: component["component"]["custom_id"]
        for component in components
        if "label" in component and "custom_id" in (component.get("component") or {})
    }


def _require_length(custom_id: str, text_input: Json, text: str) -> None:
    if not text and not text_input.get("required", True):
        return
    least, most = text_input.get("min_length") or 1, text_input.get("max_length") or 4000
    if not least <= len(text) <= most:
        raise NotOfferedError(f"{custom_id!r} takes {least} to {most} characters, not {len(text)}")


def _submitted(component: Json, values: Mapping[str, str]) -> dict[str, Any]:
    sent: dict[str, Any] = {"type": component["type"], "id": component.get("id", 1)}
    if component.get("custom_id") in values:
        sent |= {"custom_id": component["custom_id"], "value": values[component["custom_id"]]}
    if "components" in component:
        sent["components"] = [_submitted(each, values) for each in component["components"]]
    if "component" in component:
        sent["component"] = _submitted(component["component"], values)
    return sent
