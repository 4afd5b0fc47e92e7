"""The UI in a real Chromium: bytes of the first page, and of the second."""

import json
import tempfile
from collections.abc import Callable, Iterator

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from runtime.server import Server
from testbed import tools

MB = 1_000_000
SECONDS = 240
ARGUMENTS = ("--headless=new", "--disable-dev-shm-usage", "--disable-background-networking", "--no-sandbox")


@pytest.fixture
def driver() -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = str(tools.ensure("chromium"))
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        for argument in (*ARGUMENTS, f"--user-data-dir={profile}"):
            options.add_argument(argument)
        chrome = webdriver.Chrome(options, webdriver.ChromeService(str(tools.ensure("chromedriver"))))
        chrome.set_page_load_timeout(SECONDS)
        yield chrome
        chrome.quit()


def open_page(driver: webdriver.Chrome, url: str) -> dict[str, int]:
    """Open the list of experiments. Returns the bytes that each URL took on the wire; none if it was kept."""
    driver.get(url)
    WebDriverWait(driver, SECONDS).until(lambda d: "Default" in d.find_element(By.TAG_NAME, "body").text)
    urls, sizes = {}, {}
    for entry in driver.get_log("performance"):  # type: ignore[no-untyped-call]
        event = json.loads(entry["message"])["message"]
        if event["method"] == "Network.responseReceived":
            urls[event["params"]["requestId"]] = event["params"]["response"]["url"]
        if event["method"] == "Network.loadingFinished":
            sizes[event["params"]["requestId"]] = int(event["params"]["encodedDataLength"])
    ours = {request: address for request, address in urls.items() if address.startswith("http://")}
    return {address: sizes.get(request, 0) for request, address in ours.items()}


def test_the_first_page_is_small_and_the_second_is_kept(
    start: Callable[..., Server], ready_database: Callable[[], dict[str, str]], driver: webdriver.Chrome
) -> None:
    server = start(**ready_database()).ready()
    url = f"{server.url}/#/experiments"
    first = open_page(driver, url)
    scripts = {each for each in first if each.endswith((".js", ".css"))}
    assert len(scripts) >= 2, first
    assert MB // 2 < sum(first.values()) < 1.4 * MB, first
    driver.get("about:blank")
    second = open_page(driver, url)
    assert sum(second.get(each, 0) for each in scripts) == 0, second
    assert sum(second.values()) < MB // 10, second
