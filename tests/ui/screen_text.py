"""What stands on the screen, as text."""

from textual.app import App


def lines(app: App[int]) -> list[str]:
    """The rows of the terminal."""
    width, height = app.size
    strips = app.screen._compositor.render_strips()
    return ["".join(segment.text for segment in strip)[:width] for strip in strips][:height]


def toasts(app: App[int]) -> list[str]:
    """Messages that are or were shown, oldest first."""
    return [notification.message for notification in app._notifications]
