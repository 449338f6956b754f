//! What to write instead of a variable that borrows, for the line at hand.

use syn::parse::Parser;
use syn::spanned::Spanned;

use super::redefinition::rust;

/// The same `let`, owning what it holds; nothing where the line doesn't tell what that would be.
pub fn owned(cell: &str, name: &str) -> Option<String> {
    let text = rust(cell);
    let statements = syn::Block::parse_within.parse_str(&text).ok()?;
    let local = statements.iter().find_map(|statement| match statement {
        syn::Stmt::Local(local) if binds(&local.pat, name) => Some(local),
        _ => None,
    })?;
    let slice = |part: &dyn Fn() -> proc_macro2::Span| text.get(part().byte_range());
    let value = &*local.init.as_ref()?.expr;
    let shown = slice(&|| value.span())?;
    let (pattern, declared) = match &local.pat {
        syn::Pat::Type(typed) => (slice(&|| typed.pat.span())?, slice(&|| typed.ty.span())),
        pattern => (slice(&|| pattern.span())?, None),
    };
    if let Some(declared) = declared {
        // `Vec<&str>`: the texts must be owned, not the vector.
        let collected = shown
            .strip_suffix(".collect()")
            .filter(|_| declared.contains("&str"))?;
        let declared = declared.replace("&str", "String");
        return Some(format!(
            "let {pattern}: {declared} = {collected}.map(str::to_owned).collect();"
        ));
    }
    let own = match value {
        syn::Expr::Reference(inner) => {
            let of = slice(&|| inner.expr.span())?;
            let by_range = matches!(&*inner.expr, syn::Expr::Index(index)
                if matches!(&*index.index, syn::Expr::Range(_)));
            match by_range {
                true => format!("{of}.to_vec()"),
                false => format!("{of}.clone()"),
            }
        }
        syn::Expr::MethodCall(call) => match call.method.to_string().as_str() {
            "trim" | "trim_start" | "trim_end" | "as_str" | "trim_matches" => {
                format!("{shown}.to_owned()")
            }
            "as_slice" | "as_bytes" => format!("{shown}.to_vec()"),
            "iter" => {
                return Some(format!(
                    "let {pattern}: Vec<_> = {shown}.cloned().collect();"
                ));
            }
            "chars" | "bytes" => {
                return Some(format!("let {pattern}: Vec<_> = {shown}.collect();"));
            }
            "lines" | "split" | "split_whitespace" => {
                return Some(format!(
                    "let {pattern}: Vec<String> = {shown}.map(str::to_owned).collect();"
                ));
            }
            "first" | "last" | "get" | "iter_max" => format!("{shown}.cloned()"),
            "unwrap" | "expect" | "unwrap_or_default" => format!("{shown}.clone()"),
            _ => return None,
        },
        syn::Expr::Try(_) => format!("{shown}.clone()"),
        _ => return None,
    };
    Some(format!("let {pattern} = {own};"))
}

fn binds(pattern: &syn::Pat, name: &str) -> bool {
    match pattern {
        syn::Pat::Ident(one) => one.ident == name,
        syn::Pat::Type(typed) => binds(&typed.pat, name),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_written_anew_so_that_it_owns() {
        for (cell, name, expected) in [
            (
                "let a = 1;\nlet r = &v[1..];",
                "r",
                "let r = v[1..].to_vec();",
            ),
            ("let r = &v[0];", "r", "let r = v[0].clone();"),
            (
                "let w = text.trim();",
                "w",
                "let w = text.trim().to_owned();",
            ),
            (
                "let it = v.iter();",
                "it",
                "let it: Vec<_> = v.iter().cloned().collect();",
            ),
            ("let x = v.get(1);", "x", "let x = v.get(1).cloned();"),
            (
                "let w: Vec<&str> = t.split(' ').collect();",
                "w",
                "let w: Vec<String> = t.split(' ').map(str::to_owned).collect();",
            ),
        ] {
            assert_eq!(owned(cell, name).as_deref(), Some(expected));
        }
        assert_eq!(owned("let g = f(&x);", "g"), None, "it depends on f");
        assert_eq!(owned("let (a, b) = s.split_at(1);", "a"), None);
    }
}
