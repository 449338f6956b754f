//! The connection file: where Jupyter and a kernel meet.

use std::net::{IpAddr, TcpListener};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

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

    /// A connection on this machine, on ports that are free now.
    pub fn private(key: String) -> Result<Self> {
        let listeners = (0..5)
            .map(|_| TcpListener::bind(("127.0.0.1", 0)))
            .collect::<std::io::Result<Vec<_>>>()
            .context("no free port on this machine")?;
        let mut ports = listeners
            .iter()
            .map(|listener| listener.local_addr().map(|a| a.port()));
        let mut next = || ports.next().transpose().map(Option::unwrap_or_default);
        Ok(Self {
            transport: "tcp".into(),
            ip: "127.0.0.1".into(),
            key,
            signature_scheme: Some("hmac-sha256".into()),
            shell_port: next()?,
            control_port: next()?,
            stdin_port: next()?,
            iopub_port: next()?,
            hb_port: next()?,
        })
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

    #[test]
    fn a_file_that_cannot_be_used_is_named() -> Result<()> {
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
        let mut connection = Connection::private("key".into())?;
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
