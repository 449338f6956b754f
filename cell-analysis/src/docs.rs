//! Documentation from Markdown to what frontends show.

use pulldown_cmark::{BrokenLink, CodeBlockKind, CowStr, Event, Options, Parser, Tag, TagEnd};

use super::index::{Id, Index, Kind};

/// Where links of an item's documentation lead.
pub struct Links<'a> {
    pub index: &'a Index,
    pub of: Option<Id>,
}

impl Links<'_> {
    /// The address of an item's documentation, if it has one.
    pub fn address(&self, id: Id) -> Option<String> {
        let index = self.index;
        let item = &index.items[id];
        let krate = &index.crates[item.krate];
        let host = match (item.krate, krate.published) {
            (0, _) => "https://doc.rust-lang.org/stable".to_owned(),
            (_, true) => {
                let package = krate.name.clone();
                format!("https://docs.rs/{package}/{}", krate.version)
            }
            _ => return None,
        };
        page(index, id).map(|page| format!("{host}/{page}"))
    }

    /// What a name in a link leads to.
    fn named(&self, name: &str) -> Option<String> {
        let index = self.index;
        let name = name.trim().trim_matches('`');
        let name = name.split_once('@').map_or(name, |(_, name)| name);
        let name = name.trim_end_matches("()").trim_end_matches('!');
        let name = name.split('<').next().unwrap_or(name);
        let parts: Vec<String> = name.split("::").map(str::to_owned).collect();
        let own = self.of?;
        let (found, used) = index.resolve(index.module_of(own), &parts);
        let id = *found.first()?;
        let address = self.address(id)?;
        match parts.get(used) {
            None => Some(address),
            Some(member) if used + 1 == parts.len() => Some(format!("{address}#method.{member}")),
            Some(_) => None,
        }
    }
}

/// The page of an item below its crate's documentation.
pub fn page(index: &Index, id: Id) -> Option<String> {
    let item = &index.items[id];
    let prefix = match item.kind {
        Kind::Struct => "struct",
        Kind::Union => "union",
        Kind::Enum => "enum",
        Kind::Trait => "trait",
        Kind::Alias => "type",
        Kind::Function if item.within.is_none() && index.items[item.parent].kind != Kind::Trait => {
            "fn"
        }
        Kind::Constant if item.within.is_none() => "constant",
        Kind::Static => "static",
        Kind::Macro => "macro",
        Kind::Primitive => return Some(format!("std/primitive.{}.html", item.name)),
        Kind::Crate => return Some(format!("{}/index.html", item.name)),
        Kind::Module => return Some(format!("{}/index.html", index.path(id).join("/"))),
        Kind::Variant | Kind::Field | Kind::AssociatedType => {
            let kind = match item.kind {
                Kind::Variant => "variant",
                Kind::Field => "structfield",
                _ => "associatedtype",
            };
            return Some(format!(
                "{}#{kind}.{}",
                page(index, item.parent)?,
                item.name
            ));
        }
        _ => {
            let owner = match item.within {
                Some(number) => index.impl_target(number)?,
                None => item.parent,
            };
            return Some(format!("{}#method.{}", page(index, owner)?, item.name));
        }
    };
    let path = index.path(item.parent).join("/");
    Some(format!("{path}/{prefix}.{}.html", item.name))
}

/// Text in HTML.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// A declaration, with a parameter a line where it is long.
pub fn wrapped(declared: &str) -> String {
    if declared.contains('\n') || declared.chars().count() <= 88 {
        return declared.to_owned();
    }
    let code = super::lexer::Code::new(declared);
    let Some(open) = (0..code.tokens.len()).find(|i| code.is(*i, '(')) else {
        return declared.to_owned();
    };
    let close = code.close(open);
    let parts = code.split(open + 1, close);
    let mut shown = declared[..code.tokens[open].at.end].to_owned();
    for part in parts {
        shown.push_str(&format!("\n    {},", code.between(part.start, part.end)));
    }
    shown.push('\n');
    shown.push_str(
        code.tokens
            .get(close)
            .map_or("", |t| &declared[t.at.start..]),
    );
    shown
}

/// Code in a documentation's example without the lines that its author hides.
fn visible(line: &str) -> Option<String> {
    let trimmed = line.trim_start();
    match trimmed {
        "#" => None,
        _ if trimmed.starts_with("# ") => None,
        _ if trimmed.starts_with("##") => Some(line.replacen("##", "#", 1)),
        _ => Some(line.to_owned()),
    }
}

/// The part that explains: up to the first heading or example.
pub fn summary(docs: &str) -> String {
    let mut kept = Vec::new();
    for line in docs.lines() {
        if line.starts_with('#') || line.trim_start().starts_with("```") {
            break;
        }
        kept.push(line);
    }
    // What only introduces an example says nothing without it.
    kept.join("\n").trim_end().to_owned()
}

/// The first sentence.
pub fn first_sentence(docs: &str) -> String {
    let paragraph = docs
        .split("\n\n")
        .next()
        .unwrap_or_default()
        .replace('\n', " ");
    match paragraph.find(". ") {
        Some(end) => paragraph[..=end].to_owned(),
        None => paragraph,
    }
}

/// Documentation as plain text: Markdown is readable, but links and hidden lines are not.
pub fn plain(docs: &str) -> String {
    let (mut shown, mut in_code, mut is_rust) = (Vec::new(), false, false);
    for line in docs.lines() {
        if let Some(info) = line.trim_start().strip_prefix("```") {
            in_code = !in_code;
            is_rust = in_code && is_rust_block(info);
            continue;
        }
        match in_code {
            true if is_rust => shown.extend(visible(line).map(|line| format!("    {line}"))),
            true => shown.push(format!("    {line}")),
            false => shown.push(without_links(line)),
        }
    }
    shown.join("\n").trim().to_owned()
}

fn is_rust_block(info: &str) -> bool {
    let first = info.split([',', ' ']).next().unwrap_or_default();
    [
        "",
        "rust",
        "no_run",
        "ignore",
        "should_panic",
        "compile_fail",
        "edition2021",
    ]
    .contains(&first)
}

/// `[text](address)` and `[text]` as `text`.
fn without_links(line: &str) -> String {
    let mut shown = String::new();
    let mut rest = line;
    while let Some(open) = rest.find('[') {
        let Some(close) = rest[open..].find(']').map(|i| open + i) else {
            break;
        };
        let inner = &rest[open + 1..close];
        let after = &rest[close + 1..];
        let linked = inner.starts_with('`') || after.starts_with('(') || after.starts_with('[');
        if !linked {
            shown.push_str(&rest[..=close]);
            rest = after;
            continue;
        }
        shown.push_str(&rest[..open]);
        shown.push_str(inner);
        rest = match (after.chars().next(), after.find([')', ']'])) {
            (Some('(' | '['), Some(end)) => &after[end + 1..],
            _ => after,
        };
    }
    shown.push_str(rest);
    shown
}

/// Documentation as HTML.
pub fn html(docs: &str, links: &Links<'_>) -> String {
    let resolve = |broken: BrokenLink<'_>| {
        let address = links.named(&broken.reference);
        // Brackets of other kinds, as around an interval, are none of a link.
        if address.is_none() && !broken.reference.starts_with('`') {
            return None;
        }
        Some((
            CowStr::from(address.unwrap_or_default()),
            CowStr::from(String::new()),
        ))
    };
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_FOOTNOTES;
    let parser = Parser::new_with_broken_link_callback(docs, options, Some(resolve));
    let mut is_rust = false;
    let mut open_links: Vec<bool> = Vec::new();
    let events = parser.filter_map(|event| match event {
        Event::Start(Tag::CodeBlock(kind)) => {
            is_rust = match &kind {
                CodeBlockKind::Fenced(info) => is_rust_block(info),
                CodeBlockKind::Indented => true,
            };
            Some(Event::Start(Tag::CodeBlock(CodeBlockKind::Indented)))
        }
        Event::End(TagEnd::CodeBlock) => {
            is_rust = false;
            Some(Event::End(TagEnd::CodeBlock))
        }
        Event::Text(text) if is_rust => {
            let ends = text.ends_with('\n');
            let lines: Vec<String> = text.lines().filter_map(visible).collect();
            let mut text = lines.join("\n");
            if ends && !lines.is_empty() {
                text.push('\n');
            }
            Some(Event::Text(text.into()))
        }
        Event::Start(Tag::Link {
            link_type,
            dest_url,
            title,
            id,
        }) => {
            let is_page = ["https://", "http://"]
                .iter()
                .any(|scheme| dest_url.starts_with(scheme));
            let address = match is_page {
                true => Some(dest_url.to_string()),
                false => links.named(&dest_url),
            };
            open_links.push(address.is_some());
            address.map(|address| {
                Event::Start(Tag::Link {
                    link_type,
                    dest_url: address.into(),
                    title,
                    id,
                })
            })
        }
        Event::End(TagEnd::Link) => open_links
            .pop()
            .unwrap_or(true)
            .then_some(Event::End(TagEnd::Link)),
        // What a crate's author writes is shown, and nothing of it runs.
        Event::Html(text) | Event::InlineHtml(text) => Some(Event::Text(text)),
        Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => None,
        event => Some(event),
    });
    let mut html = String::new();
    pulldown_cmark::html::push_html(&mut html, events);
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_are_shown_without_their_hidden_lines() {
        let docs = "Does [`x`](y) and [`Z`], [not] this.\n\n# Example\n\n```\n# fn main() {\nlet a = 1;\n#[test]\n# }\n```";
        assert_eq!(
            plain(docs),
            "Does `x` and `Z`, [not] this.\n\n# Example\n\n    let a = 1;\n    #[test]"
        );
        assert_eq!(summary(docs), "Does [`x`](y) and [`Z`], [not] this.");
        let index = Index::default();
        let links = Links {
            index: &index,
            of: None,
        };
        let html = html(docs, &links);
        assert!(
            html.contains("<pre><code>let a = 1;\n#[test]\n</code></pre>"),
            "{html}"
        );
        assert!(
            !html.contains("<a"),
            "a link that leads nowhere is none: {html}"
        );
        assert!(html.contains("<code>Z</code>, [not] this"), "{html}");
        let html = super::html(
            "[a](javascript://b.c/%0aalert(1)), floats in [0, 1]",
            &links,
        );
        assert!(
            !html.contains("<a") && html.contains("a, floats in [0, 1]"),
            "{html}"
        );
        let html = super::html("Not <script>x</script> but [a](https://b.c)", &links);
        assert!(
            !html.contains("<script") && html.contains("<a href=\"https://b.c\">a</a>"),
            "{html}"
        );
    }

    #[test]
    fn a_long_declaration_has_a_parameter_a_line() {
        let long = "pub fn f(first: HashMap<String, Vec<(i64, i64)>>, second: &Tensor, third: impl Fn(i64, i64) -> f64) -> Self";
        assert_eq!(
            wrapped(long),
            "pub fn f(\n    first: HashMap<String, Vec<(i64, i64)>>,\n    second: &Tensor,\n    third: impl Fn(i64, i64) -> f64,\n) -> Self"
        );
    }
}
