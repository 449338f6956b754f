//! The connection file: where Jupyter and a kernel meet.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use tokio::net::TcpSocket;

/// Ports that are kept for the one they were chosen for, until he listens.
#[derive(Debug)]
#[expect(dead_code, reason = "held, never read")]
pub struct Held(Vec<TcpSocket>);

/// What a connection file says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Connection {
    pub transport: String,
    pub ip: String,
    pub key: String,
    #[serde(default)]
    pub signature_scheme: Option<String>,
    pub shell_port: u16,
    pub control_port: u16,
    pub stdin_port: u16,
    pub iopub_port: u16,
    pub hb_port: u16,
}

impl Connection {
    /// Reads a file.
    ///
    /// # Errors
    /// If it cannot be read, or asks for something that this kernel does not do.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the connection file {}", path.display()))?;
        let connection: Self = serde_json::from_str(&text)
            .with_context(|| format!("{} is not a connection file", path.display()))?;
        ensure!(
            connection.transport == "tcp",
            "this kernel connects by tcp, but {} asks for {}",
            path.display(),
            connection.transport
        );
        let scheme = connection
            .signature_scheme
            .as_deref()
            .unwrap_or("hmac-sha256");
        ensure!(
            connection.key.is_empty() || scheme == "hmac-sha256",
            "this kernel signs with hmac-sha256, but {} asks for {scheme}",
            path.display()
        );
        Ok(connection)
    }

    /// A connection on this machine, on ports that nobody else is given while they are held.
    pub fn private(key: String) -> Result<(Self, Held)> {
        let hold = || -> std::io::Result<TcpSocket> {
            let socket = TcpSocket::new_v4()?;
            // Who listens may then bind the same port beside a socket that never does.
            socket.set_reuseaddr(true)?;
            socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
            Ok(socket)
        };
        let held = (0..5)
            .map(|_| hold())
            .collect::<std::io::Result<Vec<_>>>()
            .context("no free port on this machine")?;
        let mut ports = held
            .iter()
            .map(|socket| socket.local_addr().map(|a| a.port()));
        let mut next = || ports.next().transpose().map(Option::unwrap_or_default);
        let connection = Self {
            transport: "tcp".into(),
            ip: Ipv4Addr::LOCALHOST.to_string(),
            key,
            signature_scheme: Some("hmac-sha256".into()),
            shell_port: next()?,
            control_port: next()?,
            stdin_port: next()?,
            iopub_port: next()?,
            hb_port: next()?,
        };
        drop(ports);
        // Only Linux lets two sockets bind one port in this way.
        let held = if cfg!(target_os = "linux") {
            held
        } else {
            Vec::new()
        };
        Ok((connection, Held(held)))
    }

    /// The address of one of its ports.
    pub fn endpoint(&self, port: u16) -> String {
        match self.ip.parse() {
            Ok(IpAddr::V6(ip)) => format!("tcp://[{ip}]:{port}"),
            _ => format!("tcp://{}:{port}", self.ip),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::cases;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(cases(200))]

        /// A good file with some bytes replaced is read, or refused with its name.
        #[test]
        fn any_bytes_are_borne(
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
            cut in any::<prop::sample::Index>(),
        ) {
            let good = r#"{"transport": "tcp", "ip": "127.0.0.1", "key": "k", "signature_scheme":
                "hmac-sha256", "shell_port": 1, "control_port": 2, "stdin_port": 3, "iopub_port": 4,
                "hb_port": 5}"#;
            let mut bytes = good.as_bytes().to_vec();
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            bytes.truncate(cut.index(bytes.len() * 4));
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("kernel.json");
            std::fs::write(&path, bytes).unwrap();
            match Connection::read(&path) {
                Ok(connection) => drop(connection.endpoint(connection.shell_port)),
                Err(error) => prop_assert!(error.to_string().contains("kernel.json")),
            }
        }
    }

    #[tokio::test]
    #[cfg(target_os = "linux")]
    async fn a_held_port_is_for_the_one_it_was_chosen_for() -> Result<()> {
        let (connection, held) = Connection::private("key".into())?;
        let address = (Ipv4Addr::LOCALHOST, connection.shell_port);
        // Others that ask for any port never get it, and those that want this one are refused.
        for _ in 0..100 {
            let other = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            assert_ne!(other.local_addr()?.port(), connection.shell_port);
        }
        let plain = TcpSocket::new_v4()?;
        assert!(plain.bind(SocketAddr::from(address)).is_err());
        // evcxr listens as every server does.
        let listener = tokio::net::TcpListener::bind(address).await?;
        drop(held);
        assert_eq!(listener.local_addr()?.port(), connection.shell_port);
        Ok(())
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_used_is_named() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("kernel.json");
        let error = Connection::read(&path).unwrap_err();
        assert!(error.to_string().contains("kernel.json"));
        std::fs::write(&path, "{}")?;
        assert!(
            Connection::read(&path)
                .unwrap_err()
                .to_string()
                .contains("not a connection file")
        );
        let (mut connection, _held) = Connection::private("key".into())?;
        connection.transport = "ipc".into();
        std::fs::write(&path, serde_json::to_string(&connection)?)?;
        assert!(
            Connection::read(&path)
                .unwrap_err()
                .to_string()
                .contains("asks for ipc")
        );
        connection.transport = "tcp".into();
        connection.signature_scheme = Some("hmac-md5".into());
        std::fs::write(&path, serde_json::to_string(&connection)?)?;
        assert!(
            Connection::read(&path)
                .unwrap_err()
                .to_string()
                .contains("hmac-md5")
        );
        Ok(())
    }
}
