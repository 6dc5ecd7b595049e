"""What agent servers call their events, and what each kind means here.

Collected from AG-UI (https://docs.ag-ui.com/concepts/events), the AI SDK's UI
message stream (https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol), LangGraph,
LangServe and LangChain's `astream_events`, Pydantic AI, the OpenAI Agents SDK
and the Responses API it passes on, Anthropic's stream as Claude Code passes
it on, A2A, ACP, Google's ADK and Dify. Names are compared as `normal` spells
them: `TEXT_MESSAGE_CONTENT`, `text-message-content` and `TextMessageContent`
are one.
"""

import re
from functools import lru_cache
from typing import Literal, TypeAlias

Meaning: TypeAlias = Literal[
    "text",  # a piece of the answer
    "whole",  # an answer that may have come in pieces before
    "reasoning",
    "call",  # a tool call began, or its input is complete
    "piece",  # a piece of its input
    "input_over",
    "live",  # a piece of its output
    "result",
    "status",
    "source",
    "usage",
    "error",
    "start",  # a run that will also say when it is over
    "done",
    "whole_done",  # the last word, with the answer once more
    "heartbeat",
    "message",  # a message: AI, tool or person
    "snapshot",  # several messages, or a state with messages in it
    "envelope",  # the event is inside
    "part",  # a piece of a message is inside
    "task",  # A2A
    "artifact",  # A2A
    "thought_step",  # Dify
    "frame",  # nothing a person would want to see
]

_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SEPARATORS = str.maketrans("-./ :", "_____")

_NAMES: dict[Meaning, str] = {
    "text": """token tokens text content chunk delta text_delta content_delta answer answer_delta
        text_message_content text_message_chunk text_chunk agent_message agent_message_chunk
        assistant_message_chunk assistant_delta message_chunk response_delta output_text_delta
        response_output_text_delta response_refusal_delta refusal_delta new_token llm_token
        llm_new_token on_llm_new_token stream partial message_delta data""",
    "whole": """final_answer final_result final_text text_message output_text
        response_output_text_done answer_complete assistant_message""",
    "reasoning": """reasoning reasoning_delta reasoning_content reasoning_token thinking
        thinking_delta thinking_token thinking_content thought thoughts
        reasoning_message_content reasoning_message_chunk thinking_text_message_content
        agent_thought_chunk agent_reasoning response_reasoning_text_delta
        response_reasoning_summary_text_delta reasoning_summary_delta reasoning_text_delta""",
    "call": """tool_call tool_calls tool_call_start tool_call_started tool_start tool_started
        tool_use tool_use_start tool_called tool tool_input_start tool_input_available
        tool_call_available function_call function_tool_call builtin_tool_call action
        agent_action on_tool_start mcp_call tool_call_item server_tool_use tool_call_begin""",
    "piece": """tool_call_args tool_call_chunk tool_call_delta tool_input_delta tool_args_delta
        tool_arguments_delta tool_call_arguments_delta input_json_delta function_call_delta""",
    "input_over": "tool_call_args_end tool_input_end",
    "live": """tool_output tool_output_delta tool_progress tool_stream tool_stdout tool_log
        on_tool_stream tool_call_update tool_output_chunk tool_update""",
    "result": """tool_result tool_call_result tool_end tool_call_end tool_finished
        tool_output_available tool_output_error tool_output_denied tool_input_error tool_completed
        tool_call_completed tool_call_finished tool_response tool_error function_response
        function_tool_result builtin_tool_result function_call_output observation on_tool_end
        on_tool_error tool_call_output_item tool_return tool_done""",
    "status": """status progress step_started step_start step node_started info log notification
        agent_updated_stream_event stage state_update activity agent_start task_started
        status_message""",
    "source": "source source_url sources citation citations references",
    "usage": """usage token_usage usage_update usage_metadata message_metadata response_completed
        message_start message_end""",
    "error": """error run_error run_failed on_error exception failed failure response_failed
        response_error stream_error agent_error workflow_failed aborted abort cancelled canceled
        run_cancelled response_incomplete""",
    "start": """start run_started run_start started begin stream_start stream_started
        workflow_started run_created run_in_progress""",
    "done": """done end finish finished complete completed run_finished run_completed run_end
        run_done stop stream_end stream_done stream_complete workflow_finished agent_end eos
        end_of_stream""",
    "whole_done": "result final agent_run_result final_output on_agent_finish",
    "heartbeat": "ping heartbeat keepalive keep_alive pong heart_beat",
    "message": """ai assistant user human system aimessage_chunk ai_message tool_message message
        aimessage human_message message_output_item on_chat_model_stream on_chat_model_end
        messages_tuple""",
    "snapshot": """values updates messages messages_partial messages_complete messages_snapshot
        state_snapshot_messages""",
    "envelope": """event stream_event raw_response_event raw_model_stream_event
        run_item_stream_event notification_event session_update on_custom_event""",
    "part": """part_start part_delta part_end content_block_start content_block_delta message_part
        response_output_item_done reasoning_item""",
    "task": "task status_update",
    "artifact": "artifact_update",
    "thought_step": "agent_thought",
    "frame": """text_start text_end text_message_start text_message_end reasoning_start
        reasoning_end reasoning_message_start reasoning_message_end thinking_start thinking_end
        thinking_text_message_start thinking_text_message_end step_finished step_end step_finish
        start_step finish_step node_finished metadata messages_metadata message_stop
        content_block_stop connected open ready hello init session session_created open_stream
        on_chain_start on_chain_stream on_chain_end on_parser_start on_parser_stream
        on_parser_end on_prompt_start on_prompt_end on_chat_model_start on_llm_start on_llm_end
        on_llm_stream on_retriever_start on_retriever_end
        response_created response_in_progress response_output_item_added
        response_content_part_added response_content_part_done response_queued
        response_function_call_arguments_delta response_function_call_arguments_done
        response_reasoning_summary_part_added response_reasoning_summary_part_done
        response_reasoning_summary_text_done response_reasoning_text_done
        response_output_text_annotation_added agent_updated tool_approval_response
        message_created message_completed""",
}

_MEANINGS: dict[str, Meaning] = {
    name: meaning for meaning, names in _NAMES.items() for name in names.split()
}


@lru_cache(maxsize=512)
def normal(name: str) -> str:
    """One spelling for all: small letters, words joined by `_`, no namespace after `|`."""
    return _BOUNDARY.sub("_", name.partition("|")[0]).translate(_SEPARATORS).lower()


def meaning_of(name: str) -> Meaning | None:
    """What an event of that name means; None where nobody knows."""
    return _MEANINGS.get(normal(name))


def known_names() -> list[str]:
    """Every name that means something."""
    return sorted(_MEANINGS)
