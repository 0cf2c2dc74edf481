//! Makes a table of the built pages in `web/dist`, each with its compressed form and its hash.

#![expect(clippy::disallowed_methods, reason = "a build script is not part of the simulated world")]

use std::{
    env,
    fmt::Write as _,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

fn main() -> io::Result<()> {
    let manifest = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let dist = manifest.join("web/dist");
    println!("cargo::rerun-if-changed={}", dist.display());
    let mut files = Vec::new();
    collect(&dist, &mut files)?;
    files.sort();
    let mut table = String::from("&[\n");
    for (idx, file) in files.iter().enumerate() {
        let bytes = fs::read(file)?;
        let gzip = out.join(format!("{idx}.gz"));
        fs::write(&gzip, compress(&bytes)?)?;
        let path = file.strip_prefix(&dist).expect("it was found there");
        writeln!(
            table,
            "    ({path:?}, include_bytes!({file:?}), include_bytes!({gzip:?}), \"{hash}\"),",
            hash = hash(&bytes),
        )
        .expect("a string takes all");
    }
    table.push_str("]\n");
    fs::write(out.join("table.rs"), table)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

fn compress(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// Sixteen digits are plenty to tell one build from the next.
fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
