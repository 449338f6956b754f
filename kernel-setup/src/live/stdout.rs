//! What the reader's process writes to its standard output: their text, and evcxr's protocol.
//!
//! Text is handed on at once, whole lines or not. What may belong to evcxr has its markers, which may
//! follow unfinished text on the same line. A cell can print them too: whether they are meant is
//! decided where more is known (screen.rs).

/// Something found in the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamItem {
    /// The reader's text.
    Text(String),
    /// One representation of a value: its MIME type and its content.
    Content(String, String),
    /// The cell has panicked.
    Panic,
    /// A `?` has ended the cell early.
    EarlyReturn,
    /// The cell is over.
    Complete,
    /// A variable's type has changed: its name.
    ChangedType(String),
    /// The next line that is read from standard input answers this question.
    Question {
        /// What to ask.
        prompt: String,
        /// Whether the answer is to be hidden.
        password: bool,
    },
}

impl StreamItem {
    /// The line that a marker is.
    pub fn line(&self) -> String {
        match self {
            Self::Panic => PANIC.to_owned(),
            Self::EarlyReturn => EARLY_RETURN.to_owned(),
            Self::Complete => COMPLETE.to_owned(),
            Self::ChangedType(name) => format!("{CHANGED_TYPE}{name}"),
            Self::Question {
                prompt,
                password: false,
            } => format!("{QUESTION}{prompt}"),
            Self::Question { prompt, .. } => format!("{PASSWORD}{prompt}"),
            Self::Text(text) | Self::Content(_, text) => text.clone(),
        }
    }

    fn of_line(line: &str) -> Option<Self> {
        let question = |prompt: &str, password| Self::Question {
            prompt: prompt.to_owned(),
            password,
        };
        match line {
            COMPLETE => Some(Self::Complete),
            PANIC => Some(Self::Panic),
            EARLY_RETURN => Some(Self::EarlyReturn),
            _ => None,
        }
        .or_else(|| {
            Some(Self::ChangedType(
                line.strip_prefix(CHANGED_TYPE)?.to_owned(),
            ))
        })
        .or_else(|| Some(question(line.strip_prefix(QUESTION)?, false)))
        .or_else(|| Some(question(line.strip_prefix(PASSWORD)?, true)))
    }
}

const COMMON: &[u8] = b"EVCXR_";
const COMPLETE: &str = "EVCXR_EXECUTION_COMPLETE";
const PANIC: &str = "EVCXR_PANIC_NOTIFICATION";
const EARLY_RETURN: &str = "EVCXR_ERROR_OCCURRED";
const BEGIN: &str = "EVCXR_BEGIN_CONTENT ";
const END: &str = "EVCXR_END_CONTENT";
const CHANGED_TYPE: &str = "EVCXR_VARIABLE_CHANGED_TYPE:";
const QUESTION: &str = "EVCXR_INPUT_REQUEST:";
const PASSWORD: &str = "EVCXR_INPUT_REQUEST_PASSWORD:";

/// Takes the stream apart.
#[derive(Debug, Default)]
pub struct Parser {
    buffer: Vec<u8>,
    /// How much of the buffer is known to hold no line end.
    scanned: usize,
    content: Option<(String, String)>,
}

impl Parser {
    /// Adds what was read, and returns what is clear by now.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<StreamItem> {
        self.buffer.extend_from_slice(bytes);
        let mut pieces = Vec::new();
        loop {
            let found = match self.content {
                Some(_) => self.content_line(),
                None => self.text_or_marker(),
            };
            match found {
                Some(Some(piece)) => pieces.push(piece),
                Some(None) => {}
                None => return pieces,
            }
        }
    }

    /// What is left when the stream or its cell has ended.
    pub fn rest(&mut self) -> Option<StreamItem> {
        let mut text = self
            .content
            .take()
            .map(|(_, content)| content)
            .unwrap_or_default();
        text.push_str(&String::from_utf8_lossy(&std::mem::take(&mut self.buffer)));
        self.scanned = 0;
        (!text.is_empty()).then_some(StreamItem::Text(text))
    }

    /// `None` if more must be read first.
    fn content_line(&mut self) -> Option<Option<StreamItem>> {
        let end = position(&self.buffer[self.scanned..], b"\n").map(|at| self.scanned + at);
        let Some(end) = end else {
            self.scanned = self.buffer.len();
            return None;
        };
        let line = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
        let (mime, content) = self.content.take()?;
        if line == END {
            self.consume(end + 1);
            return Some(Some(StreamItem::Content(mime, content)));
        }
        if line == PANIC {
            // The block was never closed; the marker is left for the next look.
            return Some(Some(StreamItem::Text(content)));
        }
        self.consume(end + 1);
        let content = if content.is_empty() {
            line
        } else {
            content + "\n" + &line
        };
        self.content = Some((mime, content));
        Some(None)
    }

    fn text_or_marker(&mut self) -> Option<Option<StreamItem>> {
        let mut from = 0;
        while let Some(at) = position(&self.buffer[from..], COMMON).map(|at| from + at) {
            let Some(end) = position(&self.buffer[at..], b"\n").map(|end| at + end) else {
                return self.text(at);
            };
            let line = String::from_utf8_lossy(&self.buffer[at..end]).into_owned();
            let piece = StreamItem::of_line(&line);
            let mime = line.strip_prefix(BEGIN).filter(|mime| !mime.contains(' '));
            if piece.is_some() || mime.is_some() {
                if at > 0 {
                    return self.text(at);
                }
                self.consume(end + 1);
                self.content = mime.map(|mime| (mime.to_owned(), String::new()));
                return Some(piece);
            }
            from = at + COMMON.len();
        }
        self.text(self.buffer.len() - marker_start(&self.buffer[from..]))
    }

    /// Takes the text before `end`, but for a character that is still incomplete.
    fn text(&mut self, end: usize) -> Option<Option<StreamItem>> {
        let end = if end == self.buffer.len() {
            end - cut_off(&self.buffer)
        } else {
            end
        };
        if end == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
        self.consume(end);
        Some(Some(StreamItem::Text(text)))
    }

    fn consume(&mut self, count: usize) {
        self.buffer.drain(..count);
        self.scanned = 0;
    }
}

fn position(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    memchr::memmem::find(haystack, needle)
}

/// How many bytes at the end may be the start of a marker.
fn marker_start(bytes: &[u8]) -> usize {
    (1..COMMON.len())
        .rev()
        .find(|&n| bytes.ends_with(&COMMON[..n]))
        .unwrap_or(0)
}

/// How many bytes at the end are the start of a character that is not there yet.
pub fn cut_off(bytes: &[u8]) -> usize {
    match bytes.utf8_chunks().last() {
        Some(chunk) if !chunk.invalid().is_empty() => {
            let invalid = chunk.invalid();
            let needed = match invalid[0] {
                0xC2..=0xDF => 2,
                0xE0..=0xEF => 3,
                0xF0..=0xF4 => 4,
                _ => 1,
            };
            if bytes.ends_with(invalid) && invalid.len() < needed {
                invalid.len()
            } else {
                0
            }
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> StreamItem {
        StreamItem::Text(text.into())
    }

    /// However the stream is cut, the pieces are the same once texts are joined.
    fn pieces(stream: &str) -> Vec<StreamItem> {
        let parse = |size: usize| {
            let mut parser = Parser::default();
            let mut all = Vec::<StreamItem>::new();
            for piece in stream
                .as_bytes()
                .chunks(size)
                .flat_map(|chunk| parser.push(chunk))
            {
                match (all.last_mut(), piece) {
                    (Some(StreamItem::Text(old)), StreamItem::Text(new)) => old.push_str(&new),
                    (_, piece) => all.push(piece),
                }
            }
            all.extend(parser.rest());
            all
        };
        let whole = parse(stream.len());
        for size in 1..stream.len().min(40) {
            assert_eq!(parse(size), whole, "in chunks of {size}");
        }
        whole
    }

    #[test]
    fn text_is_text_and_partial_lines_come_at_once() {
        let mut parser = Parser::default();
        assert_eq!(parser.push(b"half a li"), [text("half a li")]);
        assert_eq!(parser.push(b"ne\n"), [text("ne\n")]);
        assert_eq!(parser.push("größ".as_bytes()), [text("größ")]);
        assert_eq!(parser.push(&[0xe2, 0x82]), []);
        assert_eq!(parser.push(&[0xac]), [text("€")]);
    }

    #[test]
    fn markers_are_found_behind_unfinished_text() {
        assert_eq!(
            pieces(
                "12 %EVCXR_PANIC_NOTIFICATION\nEVCXR_ERROR_OCCURRED\nEVCXR_EXECUTION_COMPLETE\n"
            ),
            [
                text("12 %"),
                StreamItem::Panic,
                StreamItem::EarlyReturn,
                StreamItem::Complete
            ]
        );
        assert_eq!(
            pieces("a\nEVCXR_VARIABLE_CHANGED_TYPE:x\nb\n"),
            [
                text("a\n"),
                StreamItem::ChangedType("x".into()),
                text("b\n")
            ]
        );
    }

    #[test]
    fn what_only_looks_like_a_marker_is_text() {
        for same in [
            "EVCXR_x\n",
            "say EVCXR_EXECUTION_COMPLETE twice\n",
            "EVCX",
            "EVCXR_EVCXR_\n",
        ] {
            assert_eq!(pieces(same), [text(same)]);
        }
        assert_eq!(
            pieces("EVCXR_EVCXR_EXECUTION_COMPLETE\n"),
            [text("EVCXR_"), StreamItem::Complete]
        );
    }

    #[test]
    fn contents_keep_their_lines_and_their_order() {
        let stream = "x\nEVCXR_BEGIN_CONTENT text/html\n<b>\n\n</b>\nEVCXR_END_CONTENT\ny\n";
        let html = StreamItem::Content("text/html".into(), "<b>\n\n</b>".into());
        assert_eq!(pieces(stream), [text("x\n"), html, text("y\n")]);
    }

    #[test]
    fn a_content_that_is_never_closed_does_not_hang_the_cell() {
        assert_eq!(
            pieces("EVCXR_BEGIN_CONTENT text/html\n<b>\nEVCXR_PANIC_NOTIFICATION\n"),
            [text("<b>"), StreamItem::Panic]
        );
    }

    #[test]
    fn every_marker_is_the_line_that_it_was() {
        for line in [
            "EVCXR_EXECUTION_COMPLETE",
            "EVCXR_PANIC_NOTIFICATION",
            "EVCXR_ERROR_OCCURRED",
            "EVCXR_VARIABLE_CHANGED_TYPE:x",
            "EVCXR_INPUT_REQUEST:Name: ",
            "EVCXR_INPUT_REQUEST_PASSWORD:",
        ] {
            let [piece] = &pieces(&format!("{line}\n"))[..] else {
                panic!("{line} is not one piece")
            };
            assert!(!matches!(piece, StreamItem::Text(_)), "{line}");
            assert_eq!(piece.line(), line);
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced() {
        let mut parser = Parser::default();
        assert_eq!(parser.push(b"a\xffb"), [text("a\u{fffd}b")]);
    }
}
