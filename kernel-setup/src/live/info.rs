//! What the kernel says about itself.

use std::sync::OnceLock;

use serde_json::{Value, json};

use super::wire::PROTOCOL;

/// The content of a `kernel_info_reply`.
pub fn kernel_info() -> Value {
    let rust = rust_version();
    let mut links = vec![
        json!({"text": "Rust standard library", "url": "https://doc.rust-lang.org/stable/std/"}),
        json!({"text": "tch (libtorch)", "url": "https://docs.rs/tch/0.26.0/tch/"}),
        json!({"text": "plotters", "url": "https://docs.rs/plotters/0.3/plotters/"}),
    ];
    let home = env!("CARGO_PKG_REPOSITORY");
    if !home.is_empty() {
        links.push(json!({"text": "icvae-core", "url": home}));
    }
    json!({
        "status": "ok",
        "protocol_version": PROTOCOL,
        "implementation": "icvae",
        "implementation_version": env!("CARGO_PKG_VERSION"),
        "language_info": {
            "name": "rust",
            "version": rust,
            "mimetype": "text/x-rustsrc",
            "file_extension": ".rs",
            "pygments_lexer": "rust",
            "codemirror_mode": "rust",
            "nbconvert_exporter": "script",
        },
        "banner": format!("Rust {rust}, evaluated by evcxr, with live output"),
        "debugger": false,
        "help_links": links,
    })
}

/// The compiler's version, such as `1.95.0`.
pub fn rust_version() -> &'static str {
    static VERSION: OnceLock<String> = OnceLock::new();
    VERSION.get_or_init(|| {
        let output = std::process::Command::new("rustc")
            .arg("--version")
            .output();
        let text = output.map(|output| output.stdout).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        text.split_whitespace()
            .nth(1)
            .unwrap_or_default()
            .to_owned()
    })
}
