"""Tools that servers of the chat wire run themselves, each in a form of its own.

- Groq's `executed_tools`: a call by its `index`, first with its input, in a
  later chunk with its result (https://console.groq.com/docs/compound).
- Perplexity's `reasoning_steps`: a thought and the search or page it led to,
  as they happen and again in the last message
  (https://docs.perplexity.ai/docs/sonar/pro-search/stream-mode).
- Google's grounding, as gateways pass it on: search queries and sources
  (https://ai.google.dev/gemini-api/docs/google-search).
- `images` of models that draw (https://openrouter.ai/docs/features/multimodal/image-generation).
"""

from collections import defaultdict
from collections.abc import Iterator

from lfgtui.model.events import HostedTool, ProviderItem, ReasoningDelta, WireEvent
from lfgtui.providers import lenient_json
from lfgtui.providers.lenient_json import JsonObject
from lfgtui.providers.wire import hosted_tools
from lfgtui.providers.wire.dedupe import Citations

WIRE = "openai-chat"
"""The wire of its `ProviderItem`s: histories hold both, so neither name nor form may change."""

# Fields with the input or the result of a step or an executed tool; the first not empty counts.
_STEP_INPUTS = ("search_keywords", "code", "queries")
_STEP_OUTPUTS = ("search_results", "contents", "result")
_EXECUTED_OUTPUTS = ("output", "search_results", "code_results", "browser_results")


class ChatHosted:
    """The hosted calls of one response, which get ids here, since this wire has none for them."""

    def __init__(self, turn: int, citations: Citations) -> None:
        self._turn = turn
        self._citations = citations
        self._seen: dict[str, set[str]] = defaultdict(set)  # what has an id, by kind

    def take(self, delta: JsonObject) -> Iterator[WireEvent]:
        """Yield the events of the hosted calls in a delta, or in a whole message."""
        for position, tool in enumerate(lenient_json.children(delta, "executed_tools")):
            yield self._executed(position, tool)
        for step in lenient_json.children(delta, "reasoning_steps"):
            yield from self._step(step)
        for image in lenient_json.children(delta, "images"):
            url = lenient_json.text(lenient_json.child(image, "image_url"), "url")
            if call_id := self._new_id("image", url):
                yield HostedTool("image", "", hosted_tools.summary({"url": url}), call_id)
                yield ProviderItem(WIRE, {"image": image})

    def ground(self, record: JsonObject, choice: JsonObject) -> Iterator[WireEvent]:
        """Yield Google's searches and sources, from any of the fields where gateways put them."""
        delta = lenient_json.child(choice, "delta") or lenient_json.child(choice, "message")
        google = (
            lenient_json.child(lenient_json.child(delta, key), "google")
            for key in ("provider_metadata", "extra_content")
        )
        groundings = lenient_json.children(record, "vertex_ai_grounding_metadata")
        for holder in (choice, *google):
            groundings.append(_either(holder, "groundingMetadata", "grounding_metadata"))
        for metadata in groundings:
            queries = metadata.get("webSearchQueries") or metadata.get("web_search_queries")
            given = "\n".join(lenient_json.strings(queries))
            if call_id := self._new_id("search", given):
                yield HostedTool("google_search", given, "done", call_id)
            chunks = lenient_json.children(metadata, "groundingChunks")
            for chunk in chunks or lenient_json.children(metadata, "grounding_chunks"):
                retrieved = _either(chunk, "retrievedContext", "retrieved_context")
                yield from self._citations.take([lenient_json.child(chunk, "web"), retrieved])

    def _executed(self, position: int, tool: JsonObject) -> HostedTool:
        """Return the event of one of Groq's tools; `index` is the call's, if it has one."""
        index = lenient_json.number(tool, "index")
        call_id = f"tool_{self._turn}_{1 + (position if index is None else index)}"
        name = lenient_json.text(tool, "name", "type")
        results = (_results(tool.get(key)) for key in _EXECUTED_OUTPUTS)
        output = next(filter(None, results), "")
        return HostedTool(name, hosted_tools.given(tool.get("arguments")), output, call_id)

    def _step(self, step: JsonObject) -> Iterator[WireEvent]:
        """Yield the events of one of Perplexity's steps, once."""
        separator = "\n\n" if self._seen["step"] else ""
        if not (call_id := self._new_id("step", lenient_json.compact(step))):
            return
        if thought := lenient_json.text(step, "thought"):
            yield ReasoningDelta(separator + thought)
        kind = lenient_json.text(step, "type")
        if detail := lenient_json.child(step, kind):
            given = next((detail[key] for key in _STEP_INPUTS if detail.get(key)), None)
            if isinstance(given, list):
                given = "\n".join(lenient_json.strings(given))
            output = next((detail[key] for key in _STEP_OUTPUTS if detail.get(key)), None)
            output = hosted_tools.outcome(output)
            yield HostedTool(kind, hosted_tools.given(given), output, call_id)

    def _new_id(self, kind: str, key: str) -> str:
        """Make an id for a call that `key` identifies; "" if that is empty or was seen before."""
        seen = self._seen[kind]
        if not key or key in seen:
            return ""
        seen.add(key)
        return f"{kind}_{self._turn}_{len(seen)}"


def _either(holder: JsonObject, *names: str) -> JsonObject:
    """Return the first of the fields that is a non-empty object, or {}."""
    return next(filter(None, (lenient_json.child(holder, name) for name in names)), {})


def _results(result: object) -> str:
    """Write results as text; Groq wraps lists of them in an object."""
    inner = lenient_json.as_object(result)
    if inner is not None and isinstance(inner.get("results"), list):
        result = inner["results"]
    return hosted_tools.summary(result) if result else ""
