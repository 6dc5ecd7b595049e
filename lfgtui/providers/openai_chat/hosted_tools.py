"""Tools that servers of the chat wire run themselves, each in a form of its own.

- Groq's `executed_tools`: a call by its `index`, first with its input, in a
  later chunk with its result (https://console.groq.com/docs/compound).
- Perplexity's `reasoning_steps`: a thought and the search or page it led to,
  live and again in a closing message
  (https://docs.perplexity.ai/docs/sonar/pro-search/stream-mode).
- Google's grounding, as gateways hand it on: the search queries.
- `images` of models that draw (https://openrouter.ai/docs/features/multimodal/image-generation).
"""

from lfgtui.model.events import HostedTool, ProviderItem, ReasoningDelta, WireEvent
from lfgtui.providers import lenient_json
from lfgtui.providers.lenient_json import JsonObject
from lfgtui.providers.wire import hosted_tools
from lfgtui.providers.wire.citations import Citations, grounding

WIRE = "openai-chat"

_STEP_INPUTS = ("search_keywords", "code", "queries")
_STEP_OUTPUTS = ("search_results", "contents", "result")
_EXECUTED_OUTPUTS = ("output", "search_results", "code_results", "browser_results")


class ChatHosted:
    """The hosted calls of one response."""

    def __init__(self, turn: int, citations: Citations) -> None:
        self._turn = turn
        self._citations = citations
        self._steps: set[str] = set()
        self._searched: set[str] = set()
        self._pictures: set[str] = set()

    def take(self, delta: JsonObject, events: list[WireEvent]) -> None:
        """Add the events of the hosted calls in a delta, or in a whole message."""
        for position, tool in enumerate(lenient_json.children(delta, "executed_tools")):
            events.append(self._executed(position, tool))
        for step in lenient_json.children(delta, "reasoning_steps"):
            self._step(step, events)
        for image in lenient_json.children(delta, "images"):
            url = lenient_json.text(lenient_json.child(image, "image_url"), "url")
            if url and url not in self._pictures:
                self._pictures.add(url)
                call_id = self._id("image", len(self._pictures))
                events.append(HostedTool("image", "", hosted_tools.summary({"url": url}), call_id))
                events.append(ProviderItem(WIRE, {"image": image}))

    def ground(self, record: JsonObject, choice: JsonObject, events: list[WireEvent]) -> None:
        """Add Google's grounding, from any of the places where gateways put it."""
        delta = lenient_json.child(choice, "delta") or lenient_json.child(choice, "message")
        google = (
            lenient_json.child(lenient_json.child(delta, key), "google")
            for key in ("provider_metadata", "extra_content")
        )
        groundings = lenient_json.children(record, "vertex_ai_grounding_metadata")
        for holder in (choice, *google):
            for key in ("groundingMetadata", "grounding_metadata"):
                groundings.append(lenient_json.child(holder, key))
        for metadata in groundings:
            queries, sources = grounding(metadata)
            if queries and queries not in self._searched:
                self._searched.add(queries)
                call_id = self._id("search", len(self._searched))
                events.append(HostedTool("google_search", queries, "done", call_id))
            events += self._citations.take(sources)

    def _executed(self, position: int, tool: JsonObject) -> HostedTool:
        index = lenient_json.number(tool, "index")
        call_id = self._id("tool", 1 + (position if index is None else index))
        name = lenient_json.text(tool, "name", "type")
        results = (_results(tool.get(key)) for key in _EXECUTED_OUTPUTS)
        output = next(filter(None, results), "")
        return HostedTool(name, hosted_tools.given(tool.get("arguments")), output, call_id)

    def _step(self, step: JsonObject, events: list[WireEvent]) -> None:
        key = lenient_json.compact(step)
        if key in self._steps:
            return
        if thought := lenient_json.text(step, "thought"):
            events.append(ReasoningDelta(f"\n\n{thought}" if self._steps else thought))
        self._steps.add(key)
        kind = lenient_json.text(step, "type")
        detail = lenient_json.child(step, kind)
        if not detail:
            return
        given = next((detail[key] for key in _STEP_INPUTS if detail.get(key)), None)
        if isinstance(given, list):
            given = "\n".join(lenient_json.strings(given))
        output = next((detail[key] for key in _STEP_OUTPUTS if detail.get(key)), None)
        call_id = self._id("step", len(self._steps))
        events.append(
            HostedTool(kind, hosted_tools.given(given), hosted_tools.outcome(output), call_id)
        )

    def _id(self, kind: str, number: int) -> str:
        """Make an id that no other turn has: the wire gives none."""
        return f"{kind}_{self._turn}_{number}"


def _results(result: object) -> str:
    """Write results as text; Groq wraps lists of them in an object."""
    inner = lenient_json.as_object(result)
    if inner is not None and isinstance(inner.get("results"), list):
        result = inner["results"]
    return hosted_tools.summary(result) if result else ""
