//! Chores of the repository that cargo has no command for: `cargo xtask proto`.

mod proto;

use anyhow::bail;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["proto"] => proto::generate(),
        ["proto", "--check"] => proto::check(),
        _ => bail!("usage: cargo xtask proto [--check]"),
    }
}
