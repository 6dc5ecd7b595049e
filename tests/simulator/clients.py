"""The official SDKs as clients of the three wires, behind one face."""

import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import anthropic
import openai
from openai.types.chat import ChatCompletion
from openai.types.responses import Response

Item = dict[str, Any]

HELLO: Item = {"role": "user", "content": "hello"}
NAMES = ("read_file", "list_files")
SCHEMA: Item = {"type": "object"}


class Answer(NamedTuple):
    """One response; `items` is what goes back to the service with the next request."""

    reasoning: str
    text: str
    calls: dict[str, tuple[str, Item]]
    stop: str
    usage: object
    items: list[Item]


@dataclass
class Question:
    """A request, as far as the tests vary it."""

    items: Sequence[Item]
    reasons: bool = True
    max_tokens: int = 4000
    stream: bool = True
    model: str = "two-turns"


class Client(ABC):
    """An SDK on one wire."""

    refusal: type[Exception] = openai.BadRequestError

    async def ask(self, items: Sequence[Item], **options: Any) -> Answer:
        return await self.send(Question(items, **options))

    @abstractmethod
    async def send(self, question: Question) -> Answer: ...

    @abstractmethod
    def results(self, answer: Answer, output: str = "fine") -> list[Item]:
        """The results of the answer's calls, as items for the next request."""


class AnthropicClient(Client):
    refusal = anthropic.BadRequestError

    def __init__(self, sdk: anthropic.AsyncAnthropic) -> None:
        self._sdk = sdk

    async def send(self, question: Question) -> Answer:
        body: Any = {
            "model": question.model,
            "max_tokens": question.max_tokens,
            "messages": question.items,
            "tools": [{"name": name, "input_schema": SCHEMA} for name in NAMES],
        }
        if question.reasons:
            body["thinking"] = {"type": "enabled", "budget_tokens": 1024}
        if question.stream:
            async with self._sdk.messages.stream(**body) as streamed:
                message = await streamed.get_final_message()
        else:
            message = await self._sdk.messages.create(**body)
        blocks = message.content
        content = [block.model_dump(exclude_none=True) for block in blocks]
        return Answer(
            "".join(block.thinking for block in blocks if block.type == "thinking"),
            "".join(block.text for block in blocks if block.type == "text"),
            {b.id: (b.name, dict(b.input)) for b in blocks if b.type == "tool_use"},
            str(message.stop_reason),
            message.usage,
            [{"role": "assistant", "content": content}],
        )

    def results(self, answer: Answer, output: str = "fine") -> list[Item]:
        blocks = [
            {
                "type": "tool_result",
                "tool_use_id": i,
                "content": output,
                "is_error": output != "fine",
            }
            for i in answer.calls
        ]
        return [{"role": "user", "content": blocks}]


class ChatClient(Client):
    def __init__(self, sdk: openai.AsyncOpenAI) -> None:
        self._sdk = sdk

    async def send(self, question: Question) -> Answer:
        body: Any = {
            "model": question.model,
            "messages": question.items,
            "tools": [
                {"type": "function", "function": {"name": name, "parameters": SCHEMA}}
                for name in NAMES
            ],
            "max_completion_tokens": question.max_tokens,
            "reasoning_effort": "low" if question.reasons else openai.omit,
        }
        completion: ChatCompletion
        if not question.stream:
            completion = await self._sdk.chat.completions.create(**body)
        else:
            options: Any = {"include_usage": True}
            async with self._sdk.chat.completions.stream(**body, stream_options=options) as events:
                try:
                    completion = await events.get_final_completion()
                except openai.LengthFinishReasonError as error:
                    completion = error.completion
        message = completion.choices[0].message.model_dump(exclude_none=True)
        message.pop("parsed", None)
        for call in message.get("tool_calls", ()):
            call["function"].pop("parsed_arguments", None)
            call.pop("index", None)
        return Answer(
            message.get("reasoning_content", ""),
            message["content"],
            {
                call["id"]: (call["function"]["name"], json.loads(call["function"]["arguments"]))
                for call in message.get("tool_calls", ())
            },
            completion.choices[0].finish_reason,
            completion.usage,
            [message],
        )

    def results(self, answer: Answer, output: str = "fine") -> list[Item]:
        return [{"role": "tool", "tool_call_id": i, "content": output} for i in answer.calls]


class ResponsesClient(Client):
    def __init__(self, sdk: openai.AsyncOpenAI) -> None:
        self._sdk = sdk

    async def send(self, question: Question) -> Answer:
        body: Any = {
            "model": question.model,
            "input": question.items,
            "tools": [
                {"type": "function", "name": name, "parameters": SCHEMA, "strict": False}
                for name in NAMES
            ],
            "store": False,
            "include": ["reasoning.encrypted_content"],
            "max_output_tokens": question.max_tokens,
            "reasoning": {"effort": "low", "summary": "auto"} if question.reasons else openai.omit,
        }
        whole: Response | None = None
        if not question.stream:
            whole = await self._sdk.responses.create(**body)
        else:
            async with self._sdk.responses.stream(**body) as events:
                async for event in events:
                    if event.type in ("response.completed", "response.incomplete"):
                        whole = event.response
        assert whole is not None
        returned = [item.model_dump(exclude_none=True) for item in whole.output]
        for item in returned:
            item.pop("parsed_arguments", None)
            for part in item.get("content", ()):
                part.pop("parsed", None)
        return Answer(
            "".join(i.summary[0].text for i in whole.output if i.type == "reasoning"),
            whole.output_text,
            {
                item.call_id: (item.name, json.loads(item.arguments))
                for item in whole.output
                if item.type == "function_call"
            },
            str(whole.status),
            whole.usage,
            returned,
        )

    def results(self, answer: Answer, output: str = "fine") -> list[Item]:
        return [
            {"type": "function_call_output", "call_id": i, "output": output} for i in answer.calls
        ]


@asynccontextmanager
async def connected(wire: str, url: str) -> AsyncIterator[Client]:
    """A client of that wire, which does not try again."""
    if wire == "anthropic":
        async with anthropic.AsyncAnthropic(base_url=url, api_key="any", max_retries=0) as claude:
            yield AnthropicClient(claude)
        return
    async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as gpt:
        yield ChatClient(gpt) if wire == "chat" else ResponsesClient(gpt)
