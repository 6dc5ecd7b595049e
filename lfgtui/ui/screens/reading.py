"""Reading in the pane that keys act on: scrolling, folding, copying."""

from abc import abstractmethod

from lfgtui.ui.screens.prompt import AskingScreen
from lfgtui.ui.widgets.pane import Pane

_TOAST_SECONDS = 2.5


class ReadingScreen(AskingScreen):
    """The keys under "Read" that one pane answers by itself."""

    @property
    @abstractmethod
    def current_pane(self) -> Pane:
        """The pane that keys act on."""

    def toast(self, message: str) -> None:
        """A short word that goes away by itself."""
        self.notify(message, timeout=_TOAST_SECONDS)

    def action_page_up(self) -> None:
        self.current_pane.scroll_pages(-1)

    def action_page_down(self) -> None:
        self.current_pane.scroll_pages(1)

    def action_aside_left(self) -> None:
        self.current_pane.scroll_aside(-1)

    def action_aside_right(self) -> None:
        self.current_pane.scroll_aside(1)

    def action_start(self) -> None:
        self.current_pane.scroll_start()

    def action_finish(self) -> None:
        self.current_pane.scroll_finish()

    def action_follow(self) -> None:
        self.current_pane.follow()

    def action_tools(self) -> None:
        self.current_pane.toggle_tools()

    def action_reasoning(self) -> None:
        self.current_pane.toggle_reasoning()

    def action_urls(self) -> None:
        self.current_pane.toggle_urls()

    def action_fold(self) -> None:
        self.current_pane.toggle_fold()

    def action_copy(self) -> None:
        text = self.current_pane.copy_text()
        if not text:
            self.toast("nothing to copy yet")
            return
        self.app.copy_to_clipboard(text)
        self.toast(f"copied {len(text):,} characters")
