//! Where Amazon's credentials come from: the settings, the environment, files, the machine.

mod profile;

use std::{path::PathBuf, time::Duration};

use http::{HeaderValue, Method};
use jiff::Timestamp;
use runtime::{BoxFuture, Runtime};
use serde_json::Value;
use tokio::sync::Mutex;
use url::Url;

use super::{Credentials, header_value};
use crate::client::{
    Authentication, Client, Config, Error, Limits, Request, Result, config::SigV4,
    secret::reveal_option,
};

/// New credentials are fetched so long before the old ones end.
const EXPIRY_MARGIN: Duration = Duration::from_secs(60);
const LIMITS: Limits = Limits { timeout: Duration::from_secs(10), body_bytes: 1 << 20 };
/// What the link-local address of each machine at Amazon tells about it.
const METADATA: &str = "http://169.254.169.254";

/// Finds credentials, and keeps them for as long as they are good.
pub(crate) struct Provider {
    settings: SigV4,
    runtime: Runtime,
    client: Client,
    environment: fn(&str) -> Option<String>,
    /// Held while credentials are fetched, so that others wait for them.
    kept: Mutex<Option<Credentials>>,
}

impl Provider {
    pub(crate) fn new(settings: &SigV4, runtime: &Runtime) -> Result<Provider> {
        let client = Client::new(Config::default(), runtime.clone())?;
        Ok(Provider {
            settings: settings.clone(),
            runtime: runtime.clone(),
            client,
            environment: |name| std::env::var(name).ok().filter(|value| !value.is_empty()),
            kept: Mutex::default(),
        })
    }

    pub(crate) fn service(&self) -> &str {
        &self.settings.service
    }

    /// The region of the settings, or of where we run.
    pub(crate) fn region(&self) -> BoxFuture<'_, Result<String>> {
        Box::pin(self.find_region())
    }

    async fn find_region(&self) -> Result<String> {
        if !self.settings.region.is_empty() {
            return Ok(self.settings.region.clone());
        }
        let named =
            (self.environment)("AWS_REGION").or_else(|| (self.environment)("AWS_DEFAULT_REGION"));
        let named = match named {
            Some(region) => Some(region),
            None => self.profile().await.remove("region"),
        };
        match named {
            Some(region) => Ok(region),
            None => self.metadata("/latest/meta-data/placement/region").await.map_err(|_| {
                refuse("region not configured in sigv4 or in default credentials chain")
            }),
        }
    }

    /// Credentials that are good now. Boxed, as clients have credentials and these have clients.
    pub(crate) fn credentials(&self) -> BoxFuture<'_, Result<Credentials>> {
        Box::pin(async move {
            let mut kept = self.kept.lock().await;
            let now = self.runtime.clock.now();
            let is_good =
                |kept: &&Credentials| kept.expires.is_none_or(|end| now + EXPIRY_MARGIN < end);
            if let Some(kept) = kept.as_ref().filter(is_good) {
                return Ok(kept.clone());
            }
            let mut credentials = self.find().await?;
            if !self.settings.role_arn.is_empty() {
                credentials = self.assume_role(credentials).await?;
            }
            *kept = Some(credentials.clone());
            Ok(credentials)
        })
    }

    /// The first of Amazon's usual places that has some.
    async fn find(&self) -> Result<Credentials> {
        let settings = &self.settings;
        if !settings.access_key.is_empty() {
            let secret_key = reveal_option(&self.runtime, settings.secret_key.as_ref()).await?;
            let access_key = settings.access_key.clone();
            let session_token = settings.session_token.clone();
            return Ok(Credentials { access_key, secret_key, session_token, expires: None });
        }
        if settings.profile.is_empty() {
            let name = |name| (self.environment)(name);
            if let (Some(access_key), Some(secret_key)) =
                (name("AWS_ACCESS_KEY_ID"), name("AWS_SECRET_ACCESS_KEY"))
            {
                let session_token = name("AWS_SESSION_TOKEN");
                return Ok(Credentials { access_key, secret_key, session_token, expires: None });
            }
        }
        let mut profile = self.profile().await;
        if let (Some(access_key), Some(secret_key)) =
            (profile.remove("aws_access_key_id"), profile.remove("aws_secret_access_key"))
        {
            let session_token = profile.remove("aws_session_token");
            return Ok(Credentials { access_key, secret_key, session_token, expires: None });
        }
        if let Some(found) = self.web_identity().await? {
            return Ok(found);
        }
        if let Some(found) = self.container().await? {
            return Ok(found);
        }
        self.instance().await
    }

    async fn profile(&self) -> profile::Profile {
        let environment = self.environment;
        let home = environment("HOME").map(PathBuf::from).unwrap_or_default();
        let place = |name: &str, default: &str| {
            environment(name).map_or_else(|| home.join(default), PathBuf::from)
        };
        let files = [
            place("AWS_CONFIG_FILE", ".aws/config"),
            place("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials"),
        ];
        let name = match self.settings.profile.as_str() {
            "" => environment("AWS_PROFILE").unwrap_or_else(|| "default".to_owned()),
            name => name.to_owned(),
        };
        let disk = self.runtime.disk.clone();
        runtime::blocking(move || {
            let texts = files.iter().filter_map(|path| disk.read_to_string(path).ok());
            texts.flat_map(|text| profile::parse(&text, &name)).collect()
        })
    }

    /// A role for the token of a Kubernetes service account.
    async fn web_identity(&self) -> Result<Option<Credentials>> {
        let (Some(role), Some(path)) =
            ((self.environment)("AWS_ROLE_ARN"), (self.environment)("AWS_WEB_IDENTITY_TOKEN_FILE"))
        else {
            return Ok(None);
        };
        let file = crate::client::Secret::File(path.into());
        let token = reveal_option(&self.runtime, Some(&file)).await?;
        let session = (self.environment)("AWS_ROLE_SESSION_NAME");
        let session = session.unwrap_or_else(|| self.session_name());
        let mut url = self.sts_url().await?;
        url.query_pairs_mut()
            .append_pair("Action", "AssumeRoleWithWebIdentity")
            .append_pair("Version", "2011-06-15")
            .append_pair("RoleArn", &role)
            .append_pair("RoleSessionName", &session)
            .append_pair("WebIdentityToken", &token);
        let answer = self.client.send(Request::get(url), &LIMITS).await?;
        read_sts(&String::from_utf8_lossy(&answer.body)).map(Some)
    }

    /// What the agent of a container gives out.
    async fn container(&self) -> Result<Option<Credentials>> {
        let relative = (self.environment)("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
        let full = relative.map(|path| format!("http://169.254.170.2{path}"));
        let Some(url) = full.or_else(|| (self.environment)("AWS_CONTAINER_CREDENTIALS_FULL_URI"))
        else {
            return Ok(None);
        };
        let mut request = Request::get(parse(&url)?);
        let token = match (self.environment)("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
            Some(path) => {
                let file = crate::client::Secret::File(path.into());
                Some(reveal_option(&self.runtime, Some(&file)).await?)
            }
            None => (self.environment)("AWS_CONTAINER_AUTHORIZATION_TOKEN"),
        };
        if let Some(token) = token {
            request.headers.insert(http::header::AUTHORIZATION, header_value(&token)?);
        }
        let answer = self.client.send(request, &LIMITS).await?;
        read_json(&answer.body).map(Some)
    }

    /// What the machine's own role gives.
    async fn instance(&self) -> Result<Credentials> {
        const PATH: &str = "/latest/meta-data/iam/security-credentials/";
        let role = self.metadata(PATH).await.map_err(|_| refuse("no EC2 IMDS role found"))?;
        let role = role.lines().next().unwrap_or_default();
        let answer = self.metadata(&format!("{PATH}{role}")).await?;
        read_json(answer.as_bytes())
    }

    async fn metadata(&self, path: &str) -> Result<String> {
        let mut token = Request::get(parse(&format!("{METADATA}/latest/api/token"))?);
        token.method = Method::PUT;
        let lifetime = HeaderValue::from_static("21600");
        token.headers.insert("x-aws-ec2-metadata-token-ttl-seconds", lifetime);
        let limits = Limits { timeout: Duration::from_secs(2), ..LIMITS };
        let token = self.client.send(token, &limits).await?;
        let mut request = Request::get(parse(&format!("{METADATA}{path}"))?);
        let token = header_value(&String::from_utf8_lossy(&token.body))?;
        request.headers.insert("x-aws-ec2-metadata-token", token);
        let answer = self.client.send(request, &limits).await?;
        if !answer.status.is_success() {
            return Err(refuse(&format!("EC2 metadata answers {}", answer.status)));
        }
        Ok(String::from_utf8_lossy(&answer.body).trim().to_owned())
    }

    async fn sts_url(&self) -> Result<Url> {
        let region = self.region().await?;
        let ending = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        let service = if self.settings.use_fips_sts_endpoint { "sts-fips" } else { "sts" };
        parse(&format!("https://{service}.{region}.{ending}/"))
    }

    async fn assume_role(&self, credentials: Credentials) -> Result<Credentials> {
        let settings = &self.settings;
        let mut url = self.sts_url().await?;
        let session = match settings.session_name.as_str() {
            "" => self.session_name(),
            name => name.to_owned(),
        };
        {
            let mut query = url.query_pairs_mut();
            query.append_pair("Action", "AssumeRole").append_pair("Version", "2011-06-15");
            query.append_pair("RoleArn", &settings.role_arn);
            query.append_pair("RoleSessionName", &session);
            if !settings.external_id.is_empty() {
                query.append_pair("ExternalId", &settings.external_id);
            }
            for (idx, (key, value)) in (1..).zip(&settings.tags) {
                query.append_pair(&format!("Tags.member.{idx}.Key"), key);
                query.append_pair(&format!("Tags.member.{idx}.Value"), value);
            }
        }
        let signer = SigV4 {
            region: self.region().await?,
            access_key: credentials.access_key,
            secret_key: Some(crate::client::Secret::Inline(credentials.secret_key)),
            session_token: credentials.session_token,
            service: "sts".to_owned(),
            ..SigV4::default()
        };
        let authentication = Authentication::SigV4(Box::new(signer));
        let config = Config { authentication, ..Config::default() };
        let client = Client::new(config, self.runtime.clone())?;
        let answer = client.send(Request::get(url), &LIMITS).await?;
        read_sts(&String::from_utf8_lossy(&answer.body))
    }

    fn session_name(&self) -> String {
        format!("vesta-{}", self.runtime.clock.now().as_secs())
    }
}

fn read_sts(xml: &str) -> Result<Credentials> {
    let element = |name: &str| {
        let (_, rest) = xml.split_once(&format!("<{name}>"))?;
        rest.split_once(&format!("</{name}>")).map(|(text, _)| text.trim().to_owned())
    };
    let (Some(access_key), Some(secret_key)) = (element("AccessKeyId"), element("SecretAccessKey"))
    else {
        let reason =
            element("Message").unwrap_or_else(|| "no credentials in its answer".to_owned());
        return Err(refuse(&format!("STS: {reason}")));
    };
    let expires = element("Expiration").and_then(|text| read_time(&text));
    Ok(Credentials { access_key, secret_key, session_token: element("SessionToken"), expires })
}

fn read_json(body: &[u8]) -> Result<Credentials> {
    let answer: Value = serde_json::from_slice(body).map_err(|error| refuse(&error.to_string()))?;
    let text = |name: &str| answer[name].as_str().map(str::to_owned);
    match (text("AccessKeyId"), text("SecretAccessKey")) {
        (Some(access_key), Some(secret_key)) => Ok(Credentials {
            access_key,
            secret_key,
            session_token: text("Token"),
            expires: text("Expiration").and_then(|text| read_time(&text)),
        }),
        _ => Err(refuse("no credentials in the answer")),
    }
}

fn read_time(text: &str) -> Option<Duration> {
    let time: Timestamp = text.parse().ok()?;
    u64::try_from(time.as_second()).ok().map(Duration::from_secs)
}

fn parse(url: &str) -> Result<Url> {
    Url::parse(url).map_err(|error| refuse(&error.to_string()))
}

fn refuse(reason: &str) -> Error {
    Error::Config { what: "AWS credentials".to_owned(), reason: reason.to_owned() }
}
