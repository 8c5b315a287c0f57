"""The texts of lessons on a terminal and elsewhere."""

from __future__ import annotations

from refengine.authoring.lessons.prose import Prose
from refengine.terminal import Style

TEXT = """\
# Heading

Some `code with blanks in it` and **words** that matter, in a paragraph that is too long
for one line, see [there](x.md).

```
code     stays   as it is, however long the line may be, since code that is broken is none
```

- first item, which is long enough to go on in a second line
- second
"""


def test_lines_are_as_wide_as_asked_and_code_is_left_alone() -> None:
    assert Prose(TEXT).laid_out(40, Style(coloured=False)) == (
        "Heading\n\n"
        "Some `code with blanks in it` and words\n"
        "that matter, in a paragraph that is too\n"
        "long for one line, see there.\n\n"
        "    code     stays   as it is, however long the line may be, since code that is broken is none\n\n"
        "- first item, which is long enough to go\n"
        "  on in a second line\n"
        "- second"
    )


def test_a_terminal_shows_code_in_colour_and_weight_in_bold() -> None:
    shown = Prose("Some `code` and **weight**.").laid_out(40, Style(coloured=True))
    assert shown == "Some \x1b[36m`code`\x1b[0m and \x1b[1mweight\x1b[0m."
