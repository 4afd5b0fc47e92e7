"""Write docs/messages.md."""

from repository.messages.page import PAGE, page

PAGE.write_text(page())
