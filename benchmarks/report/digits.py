"""Numbers as the page shows them."""


def number(value: float) -> str:
    """Return three significant digits, thousands parted by commas."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    text = f"{value:.3g}"
    return text if "e" not in text else f"{value:.4f}"
