//! Jupyter's messages on the wire: frames, signatures, headers.
//!
//! Contents stay JSON values: a kernel that relays must not lose a field that it does not know.

use anyhow::{Context, Result, bail, ensure};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use zeromq::ZmqMessage;
use zeromq::util::PeerIdentity;

/// The version of the protocol that the kernel speaks.
pub const PROTOCOL: &str = "5.3";
/// Between the addresses of a message and its parts.
const DELIMITER: &[u8] = b"<IDS|MSG>";

/// One message.
#[derive(Debug, Clone, Default)]
pub struct Message {
    /// The peers it came from or goes to; on a publishing socket the topic.
    pub addresses: Vec<Vec<u8>>,
    /// Who it is.
    pub header: Value,
    /// The header of the request that it answers.
    pub parent: Value,
    /// About the message.
    pub metadata: Value,
    /// The message itself.
    pub content: Value,
    /// Binary attachments.
    pub buffers: Vec<Vec<u8>>,
    /// When it came, if it did.
    pub arrived: Option<std::time::Instant>,
}

impl Message {
    /// A message of its own, or caused by `parent` (a header, or null).
    pub fn new(session: &str, kind: &str, parent: &Value, content: Value) -> Self {
        let header = json!({
            "msg_id": uuid::Uuid::new_v4().to_string(),
            "session": session,
            "username": "kernel",
            "date": now(),
            "msg_type": kind,
            "version": PROTOCOL,
        });
        let parent = if parent.is_null() {
            json!({})
        } else {
            parent.clone()
        };
        Self {
            header,
            parent,
            metadata: json!({}),
            content,
            ..Self::default()
        }
    }

    /// The answer to this request.
    pub fn reply(&self, session: &str, content: Value) -> Self {
        let kind = self.kind().replace("_request", "_reply");
        Self {
            addresses: self.addresses.clone(),
            ..Self::new(session, &kind, &self.header, content)
        }
    }

    /// The type in the header.
    pub fn kind(&self) -> &str {
        self.header["msg_type"].as_str().unwrap_or_default()
    }

    /// The identifier in the header.
    pub fn id(&self) -> &str {
        self.header["msg_id"].as_str().unwrap_or_default()
    }

    /// The identifier of the request that caused this message.
    pub fn parent_id(&self) -> &str {
        self.parent["msg_id"].as_str().unwrap_or_default()
    }

    /// When its sender says that it was sent.
    pub fn sent(&self) -> Option<std::time::SystemTime> {
        humantime::parse_rfc3339(self.header["date"].as_str()?).ok()
    }

    /// Roughly how much memory the message takes.
    pub fn weight(&self) -> usize {
        512 + weight(&self.content) + self.buffers.iter().map(Vec::len).sum::<usize>()
    }
}

fn weight(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(values) => values.iter().map(weight).sum(),
        Value::Object(fields) => fields.values().map(weight).sum(),
        _ => 16,
    }
}

/// The present time as the protocol wants it.
pub fn now() -> String {
    humantime::format_rfc3339_micros(std::time::SystemTime::now()).to_string()
}

/// Signs and checks messages with the key of the connection file.
#[derive(Clone)]
pub struct Signer(Option<Hmac<Sha256>>);

impl Signer {
    /// With an empty key nothing is signed.
    pub fn new(key: &str) -> Result<Self> {
        if key.is_empty() {
            return Ok(Self(None));
        }
        let mac = Hmac::new_from_slice(key.as_bytes()).context("the connection's key")?;
        Ok(Self(Some(mac)))
    }

    /// Puts a message into frames.
    pub fn pack(&self, message: &Message) -> Result<ZmqMessage> {
        let parts = [
            &message.header,
            &message.parent,
            &message.metadata,
            &message.content,
        ]
        .map(serde_json::to_vec);
        let mut frames: Vec<Vec<u8>> = message.addresses.clone();
        frames.push(DELIMITER.to_vec());
        let signature = frames.len();
        frames.push(Vec::new());
        let mut mac = self.0.clone();
        for part in parts {
            let part = part?;
            if let Some(mac) = &mut mac {
                mac.update(&part);
            }
            frames.push(part);
        }
        if let Some(mac) = mac {
            frames[signature] = hex(&mac.finalize().into_bytes());
        }
        frames.extend(message.buffers.iter().cloned());
        let frames: Vec<bytes::Bytes> = frames.into_iter().map(Into::into).collect();
        ZmqMessage::try_from(frames)
            .ok()
            .context("a message without frames")
    }

    /// Reads a message, and refuses what is not one or not signed by the owner of the key.
    pub fn unpack(&self, frames: ZmqMessage) -> Result<Message> {
        let mut frames: Vec<Vec<u8>> = frames.into_vec().iter().map(|f| f.to_vec()).collect();
        let delimiter = frames
            .iter()
            .position(|frame| frame == DELIMITER)
            .context("a message without the delimiter <IDS|MSG>")?;
        let mut parts = frames.split_off(delimiter + 1);
        frames.pop();
        ensure!(
            parts.len() >= 5,
            "a message of {} parts, where 5 are the least",
            parts.len()
        );
        let buffers = parts.split_off(5);
        if let Some(mac) = &self.0 {
            let mut mac = mac.clone();
            for part in &parts[1..] {
                mac.update(part);
            }
            // Compared in constant time, so that nobody can guess a signature byte by byte.
            let Some(signature) = unhex(&parts[0]) else {
                bail!("a signature that is not hex")
            };
            mac.verify_slice(&signature)
                .ok()
                .context("a message with a wrong signature")?;
        }
        let mut values = parts[1..]
            .iter()
            .map(|part| serde_json::from_slice::<Value>(part));
        let mut next = || values.next().transpose().map(Option::unwrap_or_default);
        let message = Message {
            addresses: frames,
            header: next().context("a header that is not JSON")?,
            parent: next().context("a parent header that is not JSON")?,
            metadata: next().context("metadata that are not JSON")?,
            content: next().context("content that is not JSON")?,
            buffers,
            arrived: Some(std::time::Instant::now()),
        };
        ensure!(!message.kind().is_empty(), "a message without a type");
        Ok(message)
    }
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    bytes
        .iter()
        .flat_map(|byte| format!("{byte:02x}").into_bytes())
        .collect()
}

fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text)
        .ok()
        .filter(|text| text.is_ascii())?;
    (0..text.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(text.get(i..i + 2)?, 16).ok())
        .collect()
}

/// An identity that several sockets can share.
pub fn identity(name: &str) -> Result<PeerIdentity> {
    Ok(PeerIdentity::try_from(name.as_bytes())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::cases;
    use proptest::prelude::*;

    fn frame() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            3 => prop::collection::vec(any::<u8>(), 0..40),
            2 => Just(DELIMITER.to_vec()),
            2 => Just(b"{}".to_vec()),
            1 => Just(br#"{"msg_type": "x", "date": 3}"#.to_vec()),
            1 => "[\\[{\"a:,0-9}\\]]{0,40}".prop_map(String::into_bytes),
            1 => (1usize..4000).prop_map(|n| vec![b'['; n]),
        ]
    }

    proptest! {
        #![proptest_config(cases(500))]

        /// Any frames are a message or refused in a sentence; without the key, always refused.
        #[test]
        fn any_frames_are_borne(frames in prop::collection::vec(frame(), 1..9)) {
            let message = || {
                let frames: Vec<_> = frames.iter().cloned().map(bytes::Bytes::from).collect();
                ZmqMessage::try_from(frames).unwrap()
            };
            if let Ok(message) = Signer::new("").unwrap().unpack(message()) {
                prop_assert!(!message.kind().is_empty());
                let _ = (message.id(), message.parent_id(), message.sent());
                let total: usize = frames.iter().map(Vec::len).sum();
                prop_assert!(message.weight() <= 512 + 16 * total);
            }
            let error = Signer::new("secret").unwrap().unpack(message()).unwrap_err();
            prop_assert!(!error.to_string().contains('\n'));
        }
    }

    fn request() -> Message {
        let mut message = Message::new("s", "execute_request", &Value::Null, json!({"code": "1"}));
        message.addresses = vec![b"client".to_vec()];
        message.buffers = vec![vec![0, 159, 146]];
        message
    }

    #[test]
    fn a_message_survives_the_wire() -> Result<()> {
        let signer = Signer::new("secret")?;
        let message = signer.unpack(signer.pack(&request())?)?;
        assert_eq!(message.kind(), "execute_request");
        assert_eq!(message.addresses, [b"client"]);
        assert_eq!(message.buffers, [[0, 159, 146]]);
        assert_eq!(message.content["code"], "1");
        let reply = message.reply("s", json!({}));
        assert_eq!(
            (reply.kind(), reply.parent_id()),
            ("execute_reply", message.id())
        );
        Ok(())
    }

    #[test]
    fn what_is_not_signed_or_not_a_message_is_refused() -> Result<()> {
        let signer = Signer::new("secret")?;
        let forged = Signer::new("guess")?.pack(&request())?;
        let unsigned = Signer::new("")?.pack(&request())?;
        for frames in [forged, unsigned] {
            let error = signer.unpack(frames).unwrap_err();
            assert_eq!(error.to_string(), "a message with a wrong signature");
        }
        for (frames, problem) in [
            (vec!["x"], "without the delimiter"),
            (vec!["<IDS|MSG>"], "0 parts"),
            (
                vec!["<IDS|MSG>", "", "{", "{}", "{}", "{}"],
                "header that is not JSON",
            ),
            (
                vec!["<IDS|MSG>", "", "[]", "{}", "{}", "{}"],
                "without a type",
            ),
        ] {
            let frames: Vec<_> = frames.into_iter().map(bytes::Bytes::from).collect();
            let frames = ZmqMessage::try_from(frames).expect("some frames");
            let error = Signer::new("")?.unpack(frames).unwrap_err();
            assert!(error.to_string().contains(problem), "{error}");
        }
        Ok(())
    }
}
