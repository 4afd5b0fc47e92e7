"""docs/routes.md is what its results give."""

from runtime import route_table


def test_the_page_is_generated() -> None:
    tables = route_table.read()
    assert tables.keys() == set(route_table.MODES)
    assert route_table.PAGE.read_text() == route_table.page(tables), "run `python -m runtime.route_table`"


def test_a_route_that_is_open_now_is_found() -> None:
    before = {"GET /a": [403, 200], "GET /b": [200, 200], "GET /c": [403, 200]}
    now = {"GET /a": [200, 200], "GET /b": [200, 200], "GET /c": [404, 200]}
    assert route_table.opened(before, now) == ["GET /a"]
