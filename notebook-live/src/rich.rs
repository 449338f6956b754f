//! Values that a notebook can show, and the bundle of representations that travels to it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

/// One output in all its representations: a frontend picks the richest that it can draw.
#[derive(Debug, Clone, PartialEq)]
pub struct Bundle {
    text: String,
    /// By MIME type: text, or JSON as it is.
    rich: Vec<(&'static str, Value)>,
    metadata: Map<String, Value>,
}

impl Bundle {
    /// Plain text.
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            rich: Vec::new(),
            metadata: Map::new(),
        }
    }

    /// HTML, with the text that stands for it where HTML can't be drawn.
    pub fn html(html: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            rich: vec![("text/html", html.into().into())],
            ..Self::text(text)
        }
    }

    /// A PNG file, its width and height in CSS pixels, and its alternative text.
    pub fn png(png: &[u8], size: (u32, u32), alt: impl Into<String>) -> Self {
        Self::picture("image/png", png, size, alt.into())
    }

    /// A GIF file, its width and height in CSS pixels, and its alternative text.
    pub fn gif(gif: &[u8], size: (u32, u32), alt: impl Into<String>) -> Self {
        Self::picture("image/gif", gif, size, alt.into())
    }

    /// The same picture as SVG besides, for frontends that show it.
    #[must_use]
    pub fn and_svg(self, svg: impl Into<String>) -> Self {
        self.and("image/svg+xml", svg.into())
    }

    /// One more representation of the same: text such as `text/latex`, or JSON.
    #[must_use]
    pub fn and(mut self, mime: &'static str, content: impl Into<Value>) -> Self {
        self.rich.push((mime, content.into()));
        self
    }

    fn picture(mime: &'static str, file: &[u8], (width, height): (u32, u32), alt: String) -> Self {
        let metadata = json!({mime: {"width": width, "height": height, "alt": alt}});
        Self {
            rich: vec![(mime, STANDARD.encode(file).into())],
            metadata: metadata.as_object().cloned().unwrap_or_default(),
            ..Self::text(alt)
        }
    }

    /// The plain text among the representations.
    pub fn as_text(&self) -> &str {
        &self.text
    }

    /// The representations by MIME type, as Jupyter's protocol wants them.
    pub fn data(&self) -> Value {
        let mut data = Map::new();
        data.insert("text/plain".into(), self.text.clone().into());
        for (mime, content) in &self.rich {
            data.insert((*mime).into(), content.clone());
        }
        data.into()
    }

    /// What a frontend should know about single representations.
    pub fn metadata(&self) -> Value {
        self.metadata.clone().into()
    }

    /// The blocks that evcxr reads from a cell's standard output.
    pub(crate) fn evcxr_blocks(&self) -> String {
        let text = ("text/plain", self.text.clone());
        let rich = self.rich.iter().map(|(mime, content)| match content {
            Value::String(text) => (*mime, text.clone()),
            json => (*mime, json.to_string()),
        });
        rich.chain([text])
            .map(|(mime, content)| {
                format!("EVCXR_BEGIN_CONTENT {mime}\n{content}\nEVCXR_END_CONTENT\n")
            })
            .collect()
    }

    /// Shows the bundle as the last expression of a cell (evcxr calls this).
    pub fn evcxr_display(&self) {
        crate::display(self);
    }
}

/// A value that a notebook can show.
pub trait Rich {
    /// The value in all the representations that it has.
    fn rich(&self) -> Bundle;
}

impl Rich for Bundle {
    fn rich(&self) -> Bundle {
        self.clone()
    }
}

impl Rich for str {
    fn rich(&self) -> Bundle {
        Bundle::text(self)
    }
}

impl Rich for String {
    fn rich(&self) -> Bundle {
        Bundle::text(self.as_str())
    }
}

/// A piece of HTML and the text that stands for it elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Html {
    html: String,
    text: String,
}

impl Html {
    /// Takes the HTML as it is: what comes from elsewhere must be escaped before.
    pub fn new(html: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            html: html.into(),
            text: text.into(),
        }
    }

    /// Shows it as the last expression of a cell (evcxr calls this).
    pub fn evcxr_display(&self) {
        crate::display(self);
    }
}

impl Rich for Html {
    fn rich(&self) -> Bundle {
        Bundle::html(&self.html, &self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_carries_its_size_and_its_alternative_text() {
        let bundle = Bundle::png(b"\x89PNG", (640, 480), "a curve");
        assert_eq!(
            bundle.data(),
            json!({"text/plain": "a curve", "image/png": "iVBORw=="})
        );
        assert_eq!(
            bundle.metadata(),
            json!({"image/png": {"width": 640, "height": 480, "alt": "a curve"}})
        );
        let both = bundle.and_svg("<svg/>");
        assert_eq!(both.data()["image/svg+xml"], "<svg/>");
        assert_eq!(both.data()["image/png"], "iVBORw==");
        let bundle = Bundle::gif(b"GIF89a", (64, 48), "it moves");
        assert_eq!(bundle.data()["image/gif"], "R0lGODlh");
        assert_eq!(bundle.metadata()["image/gif"]["alt"], "it moves");
    }

    #[test]
    fn evcxr_gets_one_block_for_each_representation() {
        assert_eq!(
            Bundle::html("<b>x</b>", "x").evcxr_blocks(),
            "EVCXR_BEGIN_CONTENT text/html\n<b>x</b>\nEVCXR_END_CONTENT\n\
             EVCXR_BEGIN_CONTENT text/plain\nx\nEVCXR_END_CONTENT\n"
        );
    }
}
