"""A real browser logs in at a real provider; tests/e2e/test_identity.py does so behind an Ingress."""

from e2e.browser import browser

from runtime.oidc import people
from runtime.oidc.conftest import Site
from runtime.oidc.people import call, log_in
from runtime.oidc.provider import PASSWORD
from runtime.oidc.test_oidc import ANNA, BERT, OLGA


def test_a_browser_logs_in_goes_to_another_pod_and_logs_out(site: Site) -> None:
    olga = people.browser()
    log_in(olga, site.server, OLGA)
    mine, other = f"blue-window-{site.server.port}", f"shared-window-{site.server.port}"
    for name in (mine, other):
        assert call(olga, site.server, "POST", "experiments/create", json={"name": name}).ok
    with browser("127.0.0.1") as window:
        window.open(f"{site.server.url}/")
        window.fill(login=ANNA, password=PASSWORD)
        for server in (site.server, site.other):  # cookies know no ports
            window.open(f"{server.url}/#/experiments")
            window.see(mine)
            assert other not in window.driver.page_source
        cookies = window.cookies()
        window.open(f"{site.server.url}/logout")
        window.open(f"{site.server.url}/")
        window.fill(login=BERT, password=PASSWORD)
        window.open(f"{site.server.url}/#/experiments")
        window.see(other)
        assert mine not in window.driver.page_source
    kept = people.browser()
    kept.cookies.update(cookies)
    assert call(kept, site.other, "GET", "users/current").status_code == 401
