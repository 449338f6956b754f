"""Code with its colours."""

from pygments.lexer import inherit
from pygments.lexers import RustLexer, get_lexer_by_name
from pygments.token import STANDARD_TYPES, Comment, Name, Punctuation, Text, Whitespace
from pygments.util import ClassNotFound

from .tree import Element


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
    about = {"class": "code", "tabindex": "0", "aria-label": label, "role": "group"}
    return Element("pre", about, [Element("code", None, _coloured(source, language))])


def _coloured(source, language):
    source = source.strip("\n")
    if language in ("", "text"):
        return [source]
    try:
        lexer = EvcxrLexer() if language in ("rust", "evcxr") else get_lexer_by_name(language)
    except ClassNotFound:
        return [source]
    nodes, last = [], None
    for token, value in lexer.get_tokens(source):
        name = _class(token)
        if name != last or not nodes:
            nodes.append(Element("span", {"class": name}, [""]) if name else "")
            last = name
        if name:
            nodes[-1].children[0] += value
        else:
            nodes[-1] += value
    if nodes and isinstance(nodes[-1], str):
        nodes[-1] = nodes[-1].rstrip("\n")
    return nodes


def _class(token):
    """The short name of a class of tokens, which the style sheet colours."""
    while token not in STANDARD_TYPES:
        token = token.parent
    return STANDARD_TYPES[token]
