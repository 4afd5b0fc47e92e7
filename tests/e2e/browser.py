"""A real Chromium that has its DNS records from the test and believes one certificate more."""

import contextlib
import json
import os
import socket
import ssl
import tempfile
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from testbed import tools

SECONDS = 60


@dataclass
class Browser:
    """One window. `answers` are the requests that its pages made, with their status."""

    driver: webdriver.Chrome

    def open(self, url: str) -> None:
        self.driver.get(url)

    def see(self, text: str) -> None:
        """Wait until the page shows the text."""
        WebDriverWait(self.driver, SECONDS).until(
            lambda driver: text in driver.find_element(By.TAG_NAME, "body").text,
            f"no {text!r} on {self.driver.current_url}",
        )

    def fill(self, **texts: str) -> None:
        """Wait for a form, type into its fields, which are given by their names, and send it."""
        named = [(By.NAME, name) for name in texts]
        waiting = WebDriverWait(self.driver, SECONDS)
        waiting.until(lambda driver: driver.find_elements(*named[0]), f"no form on {self.driver.current_url}")
        for place, text in zip(named, texts.values(), strict=True):
            self.driver.find_element(*place).send_keys(text)
        self.driver.find_element(*named[-1]).submit()

    def cookies(self) -> dict[str, str]:
        """The cookies of the page that is open."""
        return {each["name"]: each["value"] for each in self.driver.get_cookies()}

    def answers(self) -> list[tuple[str, str, int]]:
        """Method, URL and status of each answer since the last call."""
        methods: dict[str, str] = {}
        found = []
        for entry in self.driver.get_log("performance"):  # type: ignore[no-untyped-call]
            event = json.loads(entry["message"])["message"]
            if event["method"] == "Network.requestWillBeSent":
                methods[event["params"]["requestId"]] = event["params"]["request"]["method"]
            if event["method"] == "Network.responseReceived":
                answer = event["params"]["response"]
                found.append((methods.get(event["params"]["requestId"], ""), answer["url"], answer["status"]))
        return found


@contextlib.contextmanager
def browser(address: str, *hosts: str, port: int = 443) -> Iterator[Browser]:
    """A browser for which `hosts` are at `address`, and which believes the certificates there.

    Without hosts it opens what is at addresses only.
    """
    rules = [*(f"MAP {host} {address}" for host in hosts), "MAP * ~NOTFOUND", f"EXCLUDE {address}"]
    keys = ",".join(_key_of(address, host, port) for host in hosts)
    options = webdriver.ChromeOptions()
    options.binary_location = str(tools.ensure("chromium"))
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        for argument in (
            "--headless=new",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--window-size=1400,1000",
            f"--user-data-dir={profile}",
            f"--host-resolver-rules={', '.join(rules)}",
            f"--ignore-certificate-errors-spki-list={keys}",
            *(["--no-sandbox"] if os.geteuid() == 0 else []),
        ):
            options.add_argument(argument)
        service = webdriver.ChromeService(str(tools.ensure("chromedriver")))
        driver = webdriver.Chrome(options, service)
        try:
            yield Browser(driver)
        finally:
            driver.quit()


def _key_of(address: str, host: str, port: int) -> str:
    """The hash of the server's public key, as Chromium wants it. That its authority is right, others test."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    plain = socket.create_connection((address, port), SECONDS)
    with context.wrap_socket(plain, server_hostname=host) as secure:
        der = secure.getpeercert(binary_form=True)
    assert der
    key = x509.load_der_x509_certificate(der).public_key()
    return b64encode(
        sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()
    ).decode()
