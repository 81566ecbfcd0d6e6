"""The browser's window in which a page is opened."""

from typing import Any

#: Chromium fetches hundreds of files for what is around the page of a new window (its address bar's menu), on as many
#: cores as there are: nobody follows a link before that is over.
SETTLING_MS = 1500


def new_window(browser: Any, patience: float) -> Any:
    """Return the empty page of a new window, of a browser that knows nothing, which waits up to `patience` seconds."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.wait_for_timeout(SETTLING_MS)
    page.set_default_timeout(patience * 1000)
    return page
