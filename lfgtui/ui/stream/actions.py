"""The actions of keys that move through, fold or search a stream."""

import sys
from collections.abc import Callable, Mapping

from lfgtui.ui.stream.view import SIDEWAYS, StreamView

STREAM_ACTIONS: Mapping[str, Callable[[StreamView], None]] = {
    "page_up": lambda stream: stream.scroll_pages(-1),
    "page_down": lambda stream: stream.scroll_pages(1),
    "half_page_up": lambda stream: stream.scroll_pages(-1, 2),
    "half_page_down": lambda stream: stream.scroll_pages(1, 2),
    "aside_left": lambda stream: stream.scroll_sideways(-SIDEWAYS),
    "aside_right": lambda stream: stream.scroll_sideways(SIDEWAYS),
    "start": lambda stream: stream.scroll_lines(-sys.maxsize),
    "finish": StreamView.follow,
    "follow": StreamView.follow,
    "tools": lambda stream: stream.toggle_kind("tool"),
    "reasoning": lambda stream: stream.toggle_kind("reasoning"),
    "urls": StreamView.toggle_urls,
    "fold": StreamView.toggle_nearest,
}
