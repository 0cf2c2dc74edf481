use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

use super::{World, ask, post, refused};
use crate::client::{Azure, AzureCertificate, AzureIdentity, Request, Result, oauth2::assertion};

const MACHINE: &str = "http://169.254.169.254/metadata/identity/oauth2/token";
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const CREDENTIALS: (&str, &str) = ("grant_type", "client_credentials");
/// As long as Microsoft lets a claim be good.
const LIFETIME_SECONDS: u64 = 10 * 60;

/// What to send for a token of `azure`.
pub(super) fn request(azure: &Azure, world: &World) -> Result<Request> {
    match &azure.identity {
        AzureIdentity::Managed { client_id } => of_machine(azure, client_id),
        AzureIdentity::Workload { client_id, tenant_id, token_file } => {
            of_workload(azure, world, (tenant_id, client_id, token_file))
        }
        AzureIdentity::Certificate(certificate) => of_certificate(azure, world, certificate),
        AzureIdentity::Environment { tenant_id } => of_environment(azure, world, tenant_id),
    }
}

/// The identity that the machine was given, or the one of these.
fn of_machine(azure: &Azure, client_id: &str) -> Result<Request> {
    let resource = azure.scope.strip_suffix("/.default").unwrap_or(&azure.scope);
    let mut query = Serializer::new(String::new());
    query.append_pair("api-version", "2018-02-01").append_pair("resource", resource);
    if !client_id.is_empty() {
        query.append_pair("client_id", client_id);
    }
    ask(&format!("{MACHINE}?{}", query.finish()), ("metadata", "true"))
}

fn of_workload(
    azure: &Azure,
    world: &World,
    (tenant_id, client_id, token_file): (&str, &str, &str),
) -> Result<Request> {
    // Kubernetes replaces it from time to time.
    let token = world.read(token_file)?;
    with_assertion(azure, tenant_id, client_id, token.trim())
}

fn with_assertion(
    azure: &Azure,
    tenant_id: &str,
    client_id: &str,
    assertion: &str,
) -> Result<Request> {
    let form = [
        CREDENTIALS,
        ("client_id", client_id),
        ("scope", &azure.scope),
        ("client_assertion_type", ASSERTION),
        ("client_assertion", assertion),
    ];
    post(&token_url(azure, tenant_id), &form)
}

fn of_certificate(azure: &Azure, world: &World, certificate: &AzureCertificate) -> Result<Request> {
    let AzureCertificate { client_id, tenant_id, path, key_path, send_chain } = certificate;
    let text = world.read(path)?;
    let chain: Vec<CertificateDer<'_>> =
        CertificateDer::pem_slice_iter(text.as_bytes()).flatten().collect();
    let Some(leaf) = chain.first() else {
        return Err(refused(&format!("file {path}"), "there is no certificate in it"));
    };
    let thumbprint = digest(&SHA1_FOR_LEGACY_USE_ONLY, leaf);
    let mut header = json!({ "x5t": BASE64_URL_SAFE_NO_PAD.encode(thumbprint) });
    if *send_chain {
        let chain: Vec<Value> =
            chain.iter().map(|one| json!(BASE64_STANDARD.encode(one))).collect();
        header["x5c"] = Value::Array(chain);
    }
    let (now, id) = world.moment();
    let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    let claims = json!({
        "aud": token_url(azure, tenant_id),
        "iss": client_id,
        "sub": client_id,
        "jti": id,
        "nbf": now,
        "exp": now + LIFETIME_SECONDS,
    });
    let key = if key_path.is_empty() { text } else { world.read(key_path)? };
    let assertion = assertion::seal(&key, "RS256", header, &claims)?;
    with_assertion(azure, tenant_id, client_id, &assertion)
}

/// The first of the ways that Microsoft's own programs try, but for what somebody has logged in to.
fn of_environment(azure: &Azure, world: &World, tenant_id: &str) -> Result<Request> {
    let tenant_id = match tenant_id {
        "" => world.variable("AZURE_TENANT_ID"),
        tenant_id => Some(tenant_id.to_owned()),
    };
    let client_id = world.variable("AZURE_CLIENT_ID");
    let (secret, token_file) =
        (world.variable("AZURE_CLIENT_SECRET"), world.variable("AZURE_FEDERATED_TOKEN_FILE"));
    match (tenant_id, client_id, secret, token_file) {
        (Some(tenant_id), Some(client_id), Some(secret), _) => {
            let form = [
                CREDENTIALS,
                ("client_id", &client_id),
                ("scope", &azure.scope),
                ("client_secret", &secret),
            ];
            post(&token_url(azure, &tenant_id), &form)
        }
        (Some(tenant_id), Some(client_id), None, Some(token_file)) => {
            of_workload(azure, world, (&tenant_id, &client_id, &token_file))
        }
        (_, client_id, ..) => of_machine(azure, client_id.as_deref().unwrap_or_default()),
    }
}

fn token_url(azure: &Azure, tenant_id: &str) -> String {
    format!("{}/{tenant_id}/oauth2/v2.0/token", azure.authority)
}
