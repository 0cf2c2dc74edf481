//! To one collector, by HTTP or gRPC.

use std::{
    io::{self, Write as _},
    sync::Arc,
    time::Duration,
};

use axum::http::{HeaderName, HeaderValue, header::CONTENT_ENCODING};
use config::prometheus::Tracing;
use flate2::{Compression, write::GzEncoder};
use prost::Message as _;
use proto::trace::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use receivers::http_config;
use runtime::{BoxFuture, Clock, Runtime, clock::timeout, network::Stream};
use transport::client::{self, Client, Limits, Request};
use url::Url;

/// OpenTelemetry's, when none is given.
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);
pub(super) const METHOD: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const ANSWER_BYTES_MAX: usize = 1 << 20;

pub(super) struct Exporter {
    way: Way,
    headers: Vec<(String, String)>,
    timeout: Duration,
    clock: Arc<dyn Clock>,
}

enum Way {
    Http { client: Box<Client>, url: Url, compresses: bool },
    Grpc(grpc::Channel),
}

impl Exporter {
    pub(super) fn new(settings: &Tracing, runtime: &Runtime) -> Result<Exporter, String> {
        let wrong = |error: String| format!("tracing: {error}");
        let way = match settings.client_type.as_str() {
            "http" => to_http(settings, runtime),
            _ => to_grpc(settings, runtime),
        };
        let timeout = match settings.timeout.0 {
            Duration::ZERO => TIMEOUT_DEFAULT,
            timeout => timeout,
        };
        let headers = settings.headers.iter();
        Ok(Exporter {
            way: way.map_err(wrong)?,
            headers: headers.map(|(name, value)| (name.to_lowercase(), value.clone())).collect(),
            timeout,
            clock: runtime.clock.clone(),
        })
    }

    pub(super) async fn export(&self, request: ExportTraceServiceRequest) -> Result<(), String> {
        match &self.way {
            Way::Http { client, url, compresses } => {
                self.post(client, url, *compresses, &request).await
            }
            Way::Grpc(channel) => {
                let call = self.call(channel, request);
                let answer = timeout(&*self.clock, self.timeout, call).await;
                answer.unwrap_or_else(|| Err("no answer in time".to_owned()))
            }
        }
    }

    async fn post(
        &self,
        client: &Client,
        url: &Url,
        compresses: bool,
        request: &ExportTraceServiceRequest,
    ) -> Result<(), String> {
        let body = request.encode_to_vec();
        let body = if compresses { gzip(&body) } else { body };
        let mut request = Request::post(url.clone(), "application/x-protobuf", body);
        if compresses {
            request.headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        for (name, value) in &self.headers {
            let name = HeaderName::try_from(name).map_err(|error| error.to_string())?;
            let value = HeaderValue::try_from(value).map_err(|error| error.to_string())?;
            request.headers.insert(name, value);
        }
        let limits = Limits { timeout: self.timeout, body_bytes: ANSWER_BYTES_MAX };
        let answer = client.send(request, &limits).await.map_err(|error| error.to_string())?;
        match answer.status.is_success() {
            true => Ok(()),
            false => Err(format!("the collector answered {}", answer.status)),
        }
    }

    async fn call(
        &self,
        channel: &grpc::Channel,
        request: ExportTraceServiceRequest,
    ) -> Result<(), String> {
        let mut request = grpc::Request::new(request);
        for (name, value) in &self.headers {
            let name = grpc::MetadataKey::from_bytes(name.as_bytes())
                .map_err(|error| error.to_string())?;
            let value = grpc::MetadataValue::try_from(value).map_err(|error| error.to_string())?;
            request.metadata_mut().insert(name, value);
        }
        let answer = channel.unary::<_, ExportTraceServiceResponse>(METHOD, request).await;
        answer.map(drop).map_err(|status| status.to_string())
    }
}

fn to_http(settings: &Tracing, runtime: &Runtime) -> Result<Way, String> {
    let scheme = if settings.insecure { "http" } else { "https" };
    let url = format!("{scheme}://{}/v1/traces", settings.endpoint);
    let url = Url::parse(&url).map_err(|error| format!("endpoint: {error}"))?;
    let tls = http_config::tls(&settings.tls_config).map_err(|error| error.to_string())?;
    let config = client::Config { tls, ..client::Config::default() };
    let client = Client::new(config, runtime.clone()).map_err(|error| error.to_string())?;
    let compresses = settings.compression == "gzip";
    Ok(Way::Http { client: Box::new(client), url, compresses })
}

/// Messages are never compressed here: they are small, and collectors take them as they are.
fn to_grpc(settings: &Tracing, runtime: &Runtime) -> Result<Way, String> {
    let connect: Arc<dyn grpc::Connect> = if settings.insecure {
        Arc::new(grpc::Plain(runtime.network.clone()))
    } else {
        let tls = http_config::tls(&settings.tls_config).map_err(|error| error.to_string())?;
        Arc::new(Secure { tls, runtime: runtime.clone() })
    };
    let limits =
        grpc::Settings { connect_timeout: TIMEOUT_DEFAULT, answer_bytes_max: ANSWER_BYTES_MAX };
    let channel = grpc::Channel::new(&settings.endpoint, connect, runtime.clock.clone(), limits);
    channel.map(Way::Grpc).map_err(|error| format!("endpoint: {error}"))
}

/// TLS as `tls_config` says it.
struct Secure {
    tls: client::Tls,
    runtime: Runtime,
}

impl grpc::Connect for Secure {
    fn connect<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Stream>>> {
        Box::pin(async move {
            let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
            let host = host.trim_start_matches('[').trim_end_matches(']');
            let stream = self.runtime.network.connect(address).await?;
            let secure = client::start_tls(self.tls.clone(), &self.runtime, host, stream);
            secure.await.map_err(|error| io::Error::other(error.to_string()))
        })
    }

    fn is_secure(&self) -> bool {
        true
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("a vector takes everything");
    encoder.finish().expect("a vector takes everything")
}
