"""Conversations as the tokens that the model reads when it answers, and those of the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from voicemesh_trainer.engines.lora.forest import Sequence_
from voicemesh_trainer.prompt import LINE_STOPS, chat_messages, line_prompt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from voicemesh_trainer.domain.conversations import Turn

__all__ = ("Wording",)

_CHATML_MARK = "<|im_start|>"
_CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] "
    "+ '<|im_end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


class Wording:
    """Writes conversations as `engines.llama.LlamaModel` does."""

    def __init__(
        self,
        tokenizer: Any,
        style: Literal["auto", "lines", "chat"],
        most_tokens: int,
        name: str = "",
    ) -> None:
        """Takes the base model's tokenizer.

        Args:
            tokenizer: of `transformers`.
            style: see `LocalSettings.style`.
            most_tokens: of prompt and answer together.
            name: what the assistant is called; empty if nothing.
        """
        self._tokenizer = tokenizer
        self._most_tokens = most_tokens
        self._name = name
        self._template = tokenizer.chat_template
        # As `LlamaServer.is_chat_model` decides, which knows ChatML where a file has no template.
        if not self._template and (style == "chat" or len(self._encode(_CHATML_MARK)) == 1):
            self._template = _CHATML
        self.chat = style == "chat" or (style == "auto" and bool(self._template))

    def sequence(
        self, history: Sequence[Turn], system_prompt: str | None, answer: str
    ) -> Sequence_:
        """A conversation and the answer that shall follow."""
        prompt, text = self._chat_text(history, system_prompt, answer)
        return self._cut(prompt, text)

    def plain(self, text: str) -> Sequence_:
        """A text without a question."""
        return self._cut("", text)

    def _chat_text(
        self, history: Sequence[Turn], system_prompt: str | None, answer: str
    ) -> tuple[str, str]:
        answer = answer.strip()
        if not self.chat:
            line = " ".join(answer.split())  # a turn is a line, so the answer becomes one
            prompt = line_prompt(history, system_prompt, name=self._name)
            return prompt, f" {line}{LINE_STOPS[0]}"
        messages = chat_messages(history, system_prompt, name=self._name, strict=True)
        prompt = self._render(messages, add_generation_prompt=True)
        said = [*messages, {"role": "assistant", "content": answer}]
        whole = self._render(said, add_generation_prompt=False)
        if whole.startswith(prompt):
            return prompt, whole[len(prompt) :].rstrip("\n")
        # A template that changes what was said before, such as one that hides thoughts.
        return prompt, answer + (self._tokenizer.eos_token or "")

    def _render(self, messages: list[dict[str, str]], *, add_generation_prompt: bool) -> str:
        text: str = self._tokenizer.apply_chat_template(
            messages,
            chat_template=self._template,
            tokenize=False,
            add_generation_prompt=add_generation_prompt,
        )
        # It is added to the tokens, as llama.cpp does.
        return text.removeprefix(self._tokenizer.bos_token or "")

    def _cut(self, prompt: str, text: str) -> Sequence_:
        before = self._encode(prompt)
        whole = self._encode(prompt + text)
        begin = len(before)
        # As it is when an answer is written: first the prompt, then token after token.
        after = whole[begin:] if whole[:begin] == before else self._encode(text)
        if not before:
            before, after = after[:1], after[1:]
        first = [self._tokenizer.bos_token_id] if self._adds_first() else before[:1]
        after = after[: self._most_tokens - 1]
        room = self._most_tokens - len(after) - 1
        rest = before if self._adds_first() else before[1:]
        return Sequence_((*first, *rest[max(0, len(rest) - room) :]), tuple(after))

    def _adds_first(self) -> bool:
        """Whether the model's texts begin with a token of their own."""
        begin = self._tokenizer.bos_token_id
        return begin is not None and self._tokenizer("a").input_ids[0] == begin

    def _encode(self, text: str) -> list[int]:
        tokens: list[int] = self._tokenizer(text, add_special_tokens=False).input_ids
        return tokens
