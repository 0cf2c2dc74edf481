//! `check web-config`: TLS, users and headers of the server's own listener.

use std::{io::Write as _, path::Path};

use config::{
    decode::{Setting as _, from_str},
    web::{File, TlsServer},
};
use runtime::Disk;
use transport::client::{self, Client};

use super::describe;
use crate::{Exit, World, arguments::CheckWebConfig};

const AUTH_TYPES: [&str; 6] = [
    "",
    "NoClientCert",
    "RequestClientCert",
    "RequireAnyClientCert",
    "VerifyClientCertIfGiven",
    "RequireAndVerifyClientCert",
];

pub(crate) fn run(world: &mut World, check: &CheckWebConfig) -> anyhow::Result<Exit> {
    let mut exit = Exit::Success;
    for file in &check.files {
        let outcome = validate(world, file);
        let shown = file.display();
        match outcome {
            Ok(()) => writeln!(world.stderr, "{shown} SUCCESS")?,
            Err(error) => {
                writeln!(world.stderr, "{shown} FAILED: {}", crate::explain(&error))?;
                exit = Exit::Failure;
            }
        }
    }
    Ok(exit)
}

fn validate(world: &World, path: &Path) -> anyhow::Result<()> {
    let disk = &*world.runtime.disk;
    let mut config: File = from_str(&disk.read_to_string(path)?)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    config.set_directory(&folder.map_or(".".to_owned(), |folder| folder.display().to_string()));
    config.check_headers().map_err(anyhow::Error::msg)?;
    for hash in config.basic_auth_users.values() {
        check_hash(&hash.0)?;
    }
    if config.tls_server_config != TlsServer::default() {
        check_tls(world, &config.tls_server_config)?;
    }
    Ok(())
}

/// Refuses what cannot be a password's hash.
fn check_hash(hash: &str) -> anyhow::Result<()> {
    let bytes = hash.as_bytes();
    anyhow::ensure!(
        bytes.len() >= 59,
        "crypto/bcrypt: hashedSecret too short to be a bcrypted password"
    );
    anyhow::ensure!(
        bytes[0] == b'$',
        "crypto/bcrypt: bcrypt hashes must start with '$', but hashedSecret started with '{}'",
        char::from(bytes[0])
    );
    anyhow::ensure!(
        bytes[1] <= b'2',
        "crypto/bcrypt: bcrypt algorithm version '{}' requested is newer than current version '2'",
        char::from(bytes[1])
    );
    let cost = hash.split('$').nth(2).and_then(|cost| cost.parse::<u32>().ok());
    match cost {
        Some(4..=31) => Ok(()),
        Some(cost) => {
            anyhow::bail!("crypto/bcrypt: cost {cost} is outside allowed inclusive range 4..31")
        }
        None => anyhow::bail!("crypto/bcrypt: the cost of the hash is not a number"),
    }
}

fn check_tls(world: &World, tls: &TlsServer) -> anyhow::Result<()> {
    let (cert, key) = (&tls.cert_file.0, &tls.key_file.0);
    anyhow::ensure!(!(cert.is_empty() && tls.cert.is_empty()), "missing cert_file");
    anyhow::ensure!(!(key.is_empty() && tls.key.is_empty()), "missing key_file");
    for version in [&tls.min_version, &tls.max_version] {
        let known = ["", "TLS10", "TLS11", "TLS12", "TLS13"].contains(&version.as_str());
        anyhow::ensure!(known, "unknown TLS version: {version}");
    }
    anyhow::ensure!(
        AUTH_TYPES.contains(&tls.client_auth_type.as_str()),
        "invalid ClientAuth: {}",
        tls.client_auth_type
    );
    let disk = &*world.runtime.disk;
    for path in [cert, key].into_iter().filter(|path| !path.is_empty()) {
        check_readable(disk, path, "failed to load X509KeyPair")?;
    }
    // The client checks a pair of certificate and key as a listener would.
    let either = |text: &str, path: &str| match text {
        "" => client::Secret::File(path.into()),
        text => client::Secret::Inline(text.to_owned()),
    };
    let pair = client::Config {
        tls: client::Tls {
            certificate: Some(either(&tls.cert, cert)),
            key: Some(either(&tls.key.0, key)),
            ..client::Tls::default()
        },
        ..client::Config::default()
    };
    Client::new(pair, world.runtime.clone())
        .map_err(|error| anyhow::anyhow!("failed to load X509KeyPair: {error}"))?;
    if !tls.client_ca_file.is_empty() {
        check_readable(disk, &tls.client_ca_file.0, "failed to read client CA")?;
    }
    let verifies = ["VerifyClientCertIfGiven", "RequireAndVerifyClientCert"]
        .contains(&tls.client_auth_type.as_str());
    let has_ca = !tls.client_ca_file.is_empty() || !tls.client_ca.is_empty();
    anyhow::ensure!(
        has_ca || !verifies,
        "client CA's have not been specified to verify client certificates"
    );
    Ok(())
}

fn check_readable(disk: &dyn Disk, path: &str, what: &str) -> anyhow::Result<()> {
    match disk.read(Path::new(path)) {
        Ok(_) => Ok(()),
        Err(error) => anyhow::bail!("{what}: open {path}: {}", describe(&error)),
    }
}
