//! The sockets that Jupyter connects to.

use anyhow::{Context, Result};
use serde_json::json;
use tokio::sync::{mpsc, watch};
use zeromq::{RepSocket, RouterSendHalf, RouterSocket, Socket, SocketRecv, SocketSend, XPubSocket};

use super::connection::Connection;
use super::wire::{Message, Signer};

/// The kernel's side of a connection.
pub struct JupyterSockets {
    /// Requests on the shell channel, in order.
    pub shell: mpsc::UnboundedReceiver<Message>,
    /// Requests on the control channel.
    pub control: mpsc::UnboundedReceiver<Message>,
    /// Answers to requests for input.
    pub stdin: mpsc::UnboundedReceiver<Message>,
    /// The way back.
    pub replies: Replies,
    /// Whether somebody has subscribed to what is published.
    pub subscribed: watch::Receiver<bool>,
}

/// Sends to single clients.
#[derive(Clone)]
pub struct Replies {
    shell: RouterSendHalf,
    control: RouterSendHalf,
    stdin: RouterSendHalf,
    signer: Signer,
}

/// One of the three channels that clients talk on.
#[derive(Debug, Clone, Copy)]
pub enum Channel {
    /// Requests in order.
    Shell,
    /// Requests that overtake them.
    Control,
    /// Requests of the kernel.
    Stdin,
}

impl Replies {
    /// Sends a message to the client in its addresses.
    pub async fn send(&mut self, channel: Channel, message: &Message) {
        let socket = match channel {
            Channel::Shell => &mut self.shell,
            Channel::Control => &mut self.control,
            Channel::Stdin => &mut self.stdin,
        };
        let sent = match self.signer.pack(message) {
            Ok(frames) => socket.send(frames).await.map_err(Into::into),
            Err(error) => Err(error),
        };
        if let Err(error) = sent {
            // The client is gone.
            eprintln!("cannot send a {}: {error:#}", message.kind());
        }
    }
}

impl JupyterSockets {
    /// Opens the sockets; what comes through `published` goes to all subscribers.
    ///
    /// # Errors
    /// If a port is taken.
    pub async fn open(
        connection: &Connection,
        session: &str,
        published: mpsc::Receiver<Message>,
    ) -> Result<Self> {
        let signer = Signer::new(&connection.key)?;
        let router = async |name, port| -> Result<_> {
            let mut socket = RouterSocket::new();
            bind(&mut socket, connection, name, port).await?;
            let (sender, mut receiver) = socket.split();
            let (queue, requests) = mpsc::unbounded_channel();
            let signer = signer.clone();
            tokio::spawn(async move {
                loop {
                    match receiver.recv().await {
                        Ok(frames) => match signer.unpack(frames) {
                            Ok(message) => {
                                if queue.send(message).is_err() {
                                    return;
                                }
                            }
                            Err(error) => eprintln!("refused on the {name} channel: {error:#}"),
                        },
                        Err(error) => {
                            eprintln!("on the {name} channel: {error}");
                            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                        }
                    }
                }
            });
            Ok((sender, requests))
        };
        let (shell_sender, shell) = router("shell", connection.shell_port).await?;
        let (control_sender, control) = router("control", connection.control_port).await?;
        let (stdin_sender, stdin) = router("stdin", connection.stdin_port).await?;
        let mut heartbeat = RepSocket::new();
        bind(&mut heartbeat, connection, "heartbeat", connection.hb_port).await?;
        tokio::spawn(async move {
            loop {
                match heartbeat.recv().await {
                    Ok(beat) => drop(heartbeat.send(beat).await),
                    Err(_) => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
                }
            }
        });
        let mut iopub = XPubSocket::new();
        bind(&mut iopub, connection, "iopub", connection.iopub_port).await?;
        let (tell, subscribed) = watch::channel(false);
        tokio::spawn(publish(
            iopub,
            published,
            signer.clone(),
            session.to_owned(),
            tell,
        ));
        let replies = Replies {
            shell: shell_sender,
            control: control_sender,
            stdin: stdin_sender,
            signer,
        };
        Ok(Self {
            shell,
            control,
            stdin,
            replies,
            subscribed,
        })
    }
}

async fn bind(
    socket: &mut impl Socket,
    connection: &Connection,
    name: &str,
    port: u16,
) -> Result<()> {
    let endpoint = connection.endpoint(port);
    socket
        .bind(&endpoint)
        .await
        .with_context(|| format!("cannot open the {name} channel at {endpoint}"))?;
    Ok(())
}

/// Publishes, and greets subscribers.
async fn publish(
    mut iopub: XPubSocket,
    mut messages: mpsc::Receiver<Message>,
    signer: Signer,
    session: String,
    subscribed: watch::Sender<bool>,
) {
    loop {
        let message = tokio::select! {
            message = messages.recv() => match message {
                Some(message) => message,
                None => return,
            },
            subscription = iopub.recv() => match subscription {
                Ok(frames) => match frames.get(0).map(|frame| frame.to_vec()) {
                    Some(frame) if frame.first() == Some(&1) => {
                        subscribed.send_replace(true);
                        welcome(&session, &frame[1..])
                    }
                    _ => continue,
                },
                Err(_) => continue,
            },
        };
        let sent = match signer.pack(&message) {
            Ok(frames) => iopub.send(frames).await.map_err(Into::into),
            Err(error) => Err(error),
        };
        if let Err(error) = sent {
            eprintln!("cannot publish a {}: {error:#}", message.kind());
        }
    }
}

/// Tells a subscriber that from here on it will miss nothing.
fn welcome(session: &str, topic: &[u8]) -> Message {
    let subscription = String::from_utf8_lossy(topic);
    let content = json!({"subscription": subscription});
    let message = Message::new(session, "iopub_welcome", &serde_json::Value::Null, content);
    Message {
        addresses: vec![topic.to_vec()],
        ..message
    }
}
