"""Suspending: the terminal goes back to the shell that lfg was started from."""

import os
import signal

from textual.app import App


class Suspending(App[int], inherit_bindings=False):
    """An app that can be suspended, until `fg`."""

    def action_suspend(self) -> None:
        if self._driver is None or not self._driver.can_suspend:
            self.notify("lfg cannot be suspended here")
        elif os.getpgrp() == os.getsid(0):  # no shell started lfg, so none could continue it
            self.notify("there is no shell to go back to in this terminal")
        else:
            os.kill(0, signal.SIGTSTP)  # all of the job, as the terminal would
