"""One sentence: what it is about, what is wrong, what to do instead. *Words* stand for what changes."""

import re
from dataclasses import dataclass

GAP = r"(?<!\\)\*(\w+)\*"


@dataclass(frozen=True, order=True)
class Message:
    """See the module's text."""

    what: str
    wrong: str
    instead: str

    def row(self) -> str:
        """A row of a table in Markdown."""
        return f"| {shown(self.what)} | {shown(self.wrong)} | {shown(self.instead)} |"

    def matches(self, sentence: str) -> bool:
        """Whether it can be this sentence, which begins with `mlflow: ` and ends with a dot."""
        parts = [any_text(part) for part in (self.what, self.wrong, self.instead)]
        return bool(re.fullmatch(r"(?s)mlflow: {}: {}; {}\.".format(*parts), sentence))


def gap(name: str) -> str:
    """A word for what changes."""
    return f"*{re.sub(r'[^A-Za-z0-9]+', '_', name).strip('_') or 'value'}*"


def literal(text: str) -> str:
    """Text in which no asterisk begins a word for what changes."""
    return text.replace("*", r"\*").replace("\n", " ")


def any_text(part: str) -> str:
    """The regular expression of a part, in which the words for what changes are any text."""
    plain = [each.replace(r"\*", "*") for each in re.split(r"(?<!\\)\*\w+\*", part)]
    return "(?:.*)".join(re.escape(each) for each in plain)


def shown(part: str) -> str:
    """A part as Markdown: in code words for what changes are <words>."""
    pieces = part.replace("|", r"\|").split("`")
    for at, piece in enumerate(pieces):
        if at % 2:
            pieces[at] = re.sub(GAP, r"<\1>", piece).replace(r"\*", "*")
        else:
            pieces[at] = piece.replace("<", "&lt;")
    return "`".join(pieces)
