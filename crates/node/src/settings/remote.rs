use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use config::{
    decode::{Setting as _, Style},
    prometheus::{AzureAd, File, RemoteRead, RemoteWrite, relabel_rules},
    values::Url,
    yaml,
};
use md5::{Digest as _, Md5};
use model::{Labels, names::ValidationScheme};
use receivers::http_config;
use remote::{Message, otlp, send};
use transport::client::{
    Authentication, Azure, AzureCertificate, AzureIdentity, Error, Google, Header, OAuth2, Secret,
};

use super::alerting::external_labels;

/// Where samples are sent. The error says which section is wrong.
pub(crate) fn write(file: &File) -> Result<Vec<send::Config>, String> {
    let external_labels = external_labels(file);
    let mut queues: Vec<send::Config> = Vec::new();
    for section in file.remote_write.iter() {
        let mut queue = queue(section, file.global.scheme(), &external_labels)
            .map_err(|error| format!("remote_write {:?}: {error}", section.name))?;
        // Two sections may name one URL; each has its own position.
        let n_same = queues.iter().filter(|other| other.url == queue.url).count();
        if section.name.is_empty() && n_same > 0 {
            queue.position_name = format!("{}-{n_same}", queue.position_name);
        }
        queues.push(queue);
    }
    Ok(queues)
}

/// What becomes of OpenTelemetry's names and attributes.
pub(crate) fn otlp(file: &File) -> otlp::Settings {
    let section = &file.otlp;
    otlp::Settings {
        // What it may be was checked when the file was read.
        strategy: otlp::Strategy::parse(&section.translation_strategy).unwrap_or_default(),
        promoted: match section.promote_all_resource_attributes {
            true => otlp::Promoted::AllBut(section.ignore_resource_attributes.clone()),
            false => otlp::Promoted::Only(section.promote_resource_attributes.clone()),
        },
        keep_identifying_resource_attributes: section.keep_identifying_resource_attributes,
        convert_histograms_to_nhcb: section.convert_histograms_to_nhcb,
        promote_scope_metadata: section.promote_scope_metadata,
        label_name_underscore_sanitization: section.label_name_underscore_sanitization,
        label_name_preserve_multiple_underscores: section.label_name_preserve_multiple_underscores,
    }
}

fn queue(
    section: &RemoteWrite,
    names: ValidationScheme,
    external_labels: &Labels,
) -> super::Result<send::Config> {
    let mut http = http_config::to_client(&section.http)?;
    http.round_robin_dns = section.round_robin_dns;
    if let Some(azure) = &section.azuread {
        http.authentication = self::azure(azure)?;
    }
    if let Some(google) = &section.google_iam {
        http.authentication = Authentication::Google(Box::new(Google {
            credentials_file: google.credentials_file.clone().into(),
            scope: "https://www.googleapis.com/auth/monitoring.write".to_owned(),
        }));
    }
    if let Some(sigv4) = &section.sigv4 {
        http.authentication = http_config::sigv4(sigv4, "aps");
    }
    add_headers(&mut http, &section.headers);
    let url = parse_url(section.url.as_ref())?;
    let count = |number: i64| usize::try_from(number).unwrap_or(1);
    let (waiting, metadata) = (&section.queue_config, &section.metadata_config);
    let place = if section.name.is_empty() { url.as_str() } else { section.name.as_str() };
    Ok(send::Config {
        name: name(&section.name, &yaml::print(&section.encode(Style::Shown))),
        position_name: hex(&Md5::digest(place)),
        fingerprint: fingerprint(section, external_labels),
        url,
        message: Message::parse(&section.protobuf_message).unwrap_or(Message::Version1),
        timeout: section.remote_timeout.0,
        http,
        write_relabel: relabel_rules(&section.write_relabel_configs, names)?,
        external_labels: external_labels.clone(),
        send_native_histograms: section.send_native_histograms,
        send_exemplars: section.send_exemplars,
        queue: send::Queue {
            capacity: count(waiting.capacity),
            max_shards: count(waiting.max_shards),
            min_shards: count(waiting.min_shards),
            max_samples_per_send: count(waiting.max_samples_per_send),
            batch_send_deadline: waiting.batch_send_deadline.0,
            min_backoff: waiting.min_backoff.0,
            max_backoff: waiting.max_backoff.0,
            retry_on_http_429: waiting.retry_on_http_429,
            sample_age_limit: waiting.sample_age_limit.0,
        },
        metadata: send::Metadata {
            send: metadata.send,
            interval: metadata.send_interval.0,
            max_per_send: count(metadata.max_samples_per_send),
        },
    })
}

/// By the one way that the section names.
fn azure(section: &AzureAd) -> Result<Authentication, Error> {
    let (authority, audience) = match section.cloud.as_str() {
        "AzureChina" => ("https://login.chinacloudapi.cn", "https://monitor.azure.cn//.default"),
        "AzureGovernment" => {
            ("https://login.microsoftonline.us", "https://monitor.azure.us//.default")
        }
        _ => ("https://login.microsoftonline.com", "https://monitor.azure.com//.default"),
    };
    let scope = if section.scope.is_empty() { audience } else { &section.scope };
    if let Some(oauth) = &section.oauth {
        return Ok(Authentication::OAuth2(Box::new(OAuth2 {
            client_id: oauth.client_id.clone(),
            client_secret: Some(Secret::Inline(oauth.client_secret.0.clone())),
            token_url: format!("{authority}/{}/oauth2/v2.0/token", oauth.tenant_id),
            scopes: vec![scope.to_owned()],
            ..OAuth2::default()
        })));
    }
    let identity = identity(section)?;
    let (authority, scope) = (authority.to_owned(), scope.to_owned());
    Ok(Authentication::Azure(Box::new(Azure { authority, scope, identity })))
}

fn identity(section: &AzureAd) -> Result<AzureIdentity, Error> {
    if let Some(managed) = &section.managed_identity {
        return Ok(AzureIdentity::Managed { client_id: managed.client_id.clone() });
    }
    if let Some(workload) = &section.workload_identity {
        let token_file = match workload.token_file_path.as_str() {
            "" => "/var/run/secrets/azure/tokens/azure-identity-token",
            path => path,
        };
        return Ok(AzureIdentity::Workload {
            client_id: workload.client_id.clone(),
            tenant_id: workload.tenant_id.clone(),
            token_file: token_file.to_owned(),
        });
    }
    if let Some(certificate) = &section.certificate {
        if !certificate.certificate_password.0.is_empty() {
            return Err(Error::Unsupported { what: "azuread certificate with a password" });
        }
        return Ok(AzureIdentity::Certificate(AzureCertificate {
            client_id: certificate.client_id.clone(),
            tenant_id: certificate.tenant_id.clone(),
            path: certificate.certificate_path.clone(),
            key_path: certificate.certificate_key_path.clone(),
            send_chain: certificate.send_certificate_chain,
        }));
    }
    let tenant_id = section.sdk.as_ref().map(|sdk| sdk.tenant_id.clone());
    Ok(AzureIdentity::Environment { tenant_id: tenant_id.unwrap_or_default() })
}

/// The section's own name, or what upstream makes of its text.
fn name(own: &str, text: &str) -> String {
    if !own.is_empty() {
        return own.to_owned();
    }
    hex(&Md5::digest(text)).chars().take(6).collect()
}

/// Sections without a URL are refused when they are read.
fn parse_url(url: Option<&Url>) -> Result<url::Url, Error> {
    let url = url.map_or("", |url| &url.0);
    let (what, bad) = (format!("url {url}"), |error: url::ParseError| error.to_string());
    url.parse().map_err(|error| Error::Config { what, reason: bad(error) })
}

fn add_headers(http: &mut transport::client::Config, headers: &BTreeMap<String, String>) {
    http.headers.extend(headers.iter().map(|(name, value)| Header {
        name: name.clone(),
        values: vec![Secret::Inline(value.clone())],
    }));
}

fn fingerprint(section: &RemoteWrite, external_labels: &Labels) -> u64 {
    let mut hasher = DefaultHasher::new();
    yaml::print(&section.encode(Style::Whole)).hash(&mut hasher);
    external_labels.hash(&mut hasher);
    hasher.finish()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What queries also read from. The error says which section is wrong.
pub(crate) fn read(file: &File, user_agent: &str) -> Result<Vec<remote::read::Config>, String> {
    let external_labels = external_labels(file);
    let source = |section: &RemoteRead| {
        source(section, &external_labels, user_agent)
            .map_err(|error| format!("remote_read {:?}: {error}", section.name))
    };
    file.remote_read.iter().map(source).collect()
}

fn source(
    section: &RemoteRead,
    external_labels: &Labels,
    user_agent: &str,
) -> super::Result<remote::read::Config> {
    let mut http = http_config::to_client(&section.http)?;
    add_headers(&mut http, &section.headers);
    Ok(remote::read::Config {
        name: name(&section.name, &yaml::print(&section.encode(Style::Shown))),
        url: parse_url(section.url.as_ref())?,
        timeout: section.remote_timeout.0,
        http,
        frame_bytes_max: section.chunked_read_limit,
        required_matchers: Labels::from_pairs(section.required_matchers.iter()),
        read_recent: section.read_recent,
        filter_external_labels: section.filter_external_labels,
        external_labels: external_labels.clone(),
        user_agent: user_agent.to_owned(),
    })
}
