"""Photograph a page with headless Chromium."""

import io
import os
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from PIL import Image
from selenium import webdriver
from selenium.webdriver.support.ui import WebDriverWait

from testbed import tools

SETTLE_SECONDS = 2
"""Time for icons and animations after the page is complete."""


@contextmanager
def browser(width: int, height: int) -> Iterator[Any]:
    """Yield a browser whose window has a size in pixels."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(tools.ensure("chromium"))
    for argument in ("headless=new", "disable-dev-shm-usage", "allow-file-access-from-files"):
        options.add_argument(f"--{argument}")
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")
    driver = webdriver.Chrome(options, webdriver.ChromeService(str(tools.ensure("chromedriver"))))
    try:
        driver.set_window_size(width, height)
        yield driver
    finally:
        driver.quit()


def photograph(driver: Any, url: str, complete: Callable[[Any], Any], what: str) -> bytes:
    """Return a PNG of a whole page.

    Args:
        driver: the browser.
        url: address of the page.
        complete: whether the page is complete, asked again for up to a minute.
        what: what is missing if it is not.
    """
    driver.get(url)
    WebDriverWait(driver, 60).until(complete, what)
    time.sleep(SETTLE_SECONDS)
    size = driver.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
    clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
    asked = {"clip": clip, "captureBeyondViewport": True}
    return b64decode(driver.execute_cdp_cmd("Page.captureScreenshot", asked)["data"])


def small(png: bytes, colours: int = 96) -> bytes:
    """Return the PNG with a palette of so many colours, which is a third of its size."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    reduced = image.quantize(colours, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    written = io.BytesIO()
    reduced.save(written, "PNG", optimize=True)
    return written.getvalue()
