//! The standard library's documentation, as rustup installs it: pages of HTML.

use std::fs;
use std::path::Path;

use super::docs::page;
use super::index::{Id, Index, Kind};

/// What the page of an item says of it, as HTML.
pub fn item(index: &Index, id: Id, folder: &Path) -> Option<String> {
    let page = page(index, id)?;
    let (file, fragment) = match page.split_once('#') {
        Some((file, fragment)) => (file, Some(fragment)),
        None => (page.as_str(), None),
    };
    let html = fs::read_to_string(folder.join(file)).ok()?;
    let Some(fragment) = fragment else {
        return first_block(&html, 0);
    };
    let name = fragment.split_once('.').map_or("", |(_, name)| name);
    // A trait's own methods stand under another name.
    let ids = [fragment.to_owned(), format!("tymethod.{name}")];
    let at = ids
        .iter()
        .find_map(|id| html.find(&format!("id=\"{id}\"")))?;
    let next = html[at + 4..]
        .find("<section id=\"")
        .map_or(html.len(), |next| at + 4 + next);
    let found = first_block(&html[..next], at);
    match index.items[id].kind {
        Kind::Variant | Kind::Field => found.or_else(|| first_block(&html, at)),
        _ => found,
    }
}

/// What the page of a keyword says.
pub fn keyword(folder: &Path, name: &str) -> Option<String> {
    let html = fs::read_to_string(folder.join(format!("std/keyword.{name}.html"))).ok()?;
    first_block(&html, 0)
}

/// The first block of documentation from a place on, cleaned.
fn first_block(html: &str, from: usize) -> Option<String> {
    const BLOCK: &str = "<div class=\"docblock";
    let start = from + html[from..].find(BLOCK)?;
    let start = start + html[start..].find('>')? + 1;
    let (mut depth, mut at) = (1usize, start);
    while depth > 0 {
        let tag = at + html[at..].find('<')?;
        if html[tag..].starts_with("<div") {
            depth += 1;
        } else if html[tag..].starts_with("</div") {
            depth -= 1;
            if depth == 0 {
                return Some(cleaned(&html[start..tag]));
            }
        }
        at = tag + 1;
    }
    None
}

/// Tags that say how text is set; all others are left out, and their text kept.
const KEPT: [&str; 16] = [
    "p",
    "pre",
    "code",
    "em",
    "strong",
    "ul",
    "ol",
    "li",
    "h2",
    "h3",
    "h4",
    "table",
    "tr",
    "td",
    "th",
    "blockquote",
];

fn cleaned(html: &str) -> String {
    let mut kept = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(open) = rest.find('<') {
        kept.push_str(&rest[..open]);
        let Some(close) = rest[open..].find('>').map(|i| open + i) else {
            break;
        };
        let tag = &rest[open + 1..close];
        rest = &rest[close + 1..];
        let name: String = tag
            .trim_start_matches('/')
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect();
        if name == "a"
            && (tag.contains("doc-anchor") || tag.contains("test-arrow") || tag.contains("tooltip"))
        {
            // The mark beside a heading, and buttons.
            rest = rest.find("</a>").map_or("", |end| &rest[end + 4..]);
        } else if KEPT.contains(&name.as_str()) {
            kept.push_str(&format!(
                "<{}{name}>",
                if tag.starts_with('/') { "/" } else { "" }
            ));
        }
    }
    kept.push_str(rest);
    kept
}

/// The part that explains: up to the first heading or example.
pub fn summary(html: &str) -> String {
    let end = ["<h2>", "<h3>", "<h4>", "<pre>"]
        .iter()
        .filter_map(|tag| html.find(tag))
        .min();
    html[..end.unwrap_or(html.len())].trim().to_owned()
}

/// The text of cleaned HTML.
pub fn plain(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some(open) = rest.find('<') {
        text.push_str(&rest[..open]);
        let close = rest[open..].find('>').map_or(rest.len() - 1, |i| open + i);
        match &rest[open + 1..close] {
            "/p" | "/pre" | "/ul" | "/ol" | "/h2" | "/h3" | "/h4" | "/table" => {
                text.push_str("\n\n")
            }
            "/li" | "/tr" => text.push('\n'),
            "li" => text.push_str("- "),
            _ => {}
        }
        rest = &rest[close + 1..];
    }
    text.push_str(rest);
    let text = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&nbsp;", " ")
        .replace("&amp;", "&");
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines().map(str::trim_end) {
        if !(line.is_empty() && lines.last().is_none_or(|last| last.is_empty())) {
            lines.push(line);
        }
    }
    lines.join("\n").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_down_to_its_text() {
        let html = "<div class=\"docblock item-decl\"><div>a &lt; b</div><a class=\"doc-anchor\" href=\"#x\">§</a>\
                    <p>One <a href=\"y\">two</a>.</p><h2 id=\"e\">Example</h2><pre class=\"rust\"><code>x</code></pre></div>";
        let found = first_block(html, 0).unwrap_or_default();
        assert_eq!(
            found,
            "a &lt; b<p>One two.</p><h2>Example</h2><pre><code>x</code></pre>"
        );
        assert_eq!(plain(&summary(&found)), "a < bOne two.");
    }
}
