"""Code with its colours."""

from html import escape

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexer import inherit
from pygments.lexers import RustLexer, get_lexer_by_name
from pygments.token import Comment, Name, Punctuation, Text, Whitespace
from pygments.util import ClassNotFound

# A short name for each class of tokens that the style sheet colours.
FORMATTER = HtmlFormatter(nowrap=True)


class EvcxrLexer(RustLexer):
    """Rust, and the commands that evcxr takes on lines of their own, such as `:dep`."""

    name = "Rust cell"
    aliases = []
    tokens = {"base": [(r"^:[a-z_]+\b.*$", Comment.Preproc), inherit]}

    def get_tokens_unprocessed(self, text, stack=("root",)):
        """Tells types by their spelling, where the lexer guesses from what stands before them."""
        for index, token, value in super().get_tokens_unprocessed(text, stack):
            if token in (Name, Name.Class) and value[:1].isalpha():
                token = Name.Class if value[0].isupper() and not value.isupper() else Name
            # What has no colour needs no element.
            plain = token in (Name, Punctuation, Whitespace)
            yield index, Text if plain else token, value


def block(source, language, label="Code"):
    """A block of code; one in an unknown language stays without colours."""
    # A block wider than the screen scrolls, so it must be in reach of the keyboard.
    return (
        f'<pre class="code" tabindex="0" aria-label="{label}" role="group">'
        f"<code>{_coloured(source, language)}</code></pre>"
    )


def _coloured(source, language):
    source = source.strip("\n")
    if language in ("", "text"):
        return escape(source, quote=False)
    try:
        lexer = EvcxrLexer() if language in ("rust", "evcxr") else get_lexer_by_name(language)
    except ClassNotFound:
        return escape(source, quote=False)
    return highlight(source, lexer, FORMATTER).rstrip("\n")
