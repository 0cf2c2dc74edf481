//! The lease as an object that is replaced only if it is still the one that was read.

use std::{fmt, sync::Arc};

use object_store::{
    ClientOptions, Error, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, RetryConfig,
    UpdateVersion,
    aws::AmazonS3Builder,
    client::{
        HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
        HttpResponseBody, HttpService,
    },
    path::Path,
};
use runtime::{BoxFuture, Runtime};
use transport::client::{Client, Config, Request};
use url::Url;

use super::{
    http::LIMITS,
    store::{Record, Store, Version},
};

pub(super) struct Bucket {
    store: Arc<dyn ObjectStore>,
    path: Path,
}

impl Bucket {
    /// Where Amazon's variables (`AWS_ENDPOINT_URL`, `AWS_REGION`, …) say.
    pub(super) fn s3(bucket: &str, key: &str, runtime: Runtime) -> Result<Bucket, String> {
        let builder = AmazonS3Builder::from_env().with_bucket_name(bucket);
        Bucket::build(builder, key, runtime)
    }

    pub(super) fn build(
        builder: AmazonS3Builder,
        key: &str,
        runtime: Runtime,
    ) -> Result<Bucket, String> {
        // Who asks knows what to do when nothing comes of it.
        let retry = RetryConfig { max_retries: 0, ..RetryConfig::default() };
        let store = builder.with_http_connector(Connector(runtime)).with_retry(retry).build();
        let store = store.map_err(|error| error.to_string())?;
        Bucket::new(Arc::new(store), key)
    }

    pub(super) fn new(store: Arc<dyn ObjectStore>, key: &str) -> Result<Bucket, String> {
        Ok(Bucket { store, path: Path::parse(key).map_err(|error| error.to_string())? })
    }
}

impl Store for Bucket {
    fn read(&self) -> BoxFuture<'_, Result<Option<(Record, Version)>, String>> {
        Box::pin(async move {
            let found = match self.store.get(&self.path).await {
                Ok(found) => found,
                Err(Error::NotFound { .. }) => return Ok(None),
                Err(error) => return Err(error.to_string()),
            };
            let tag = found.meta.e_tag.clone().ok_or("an object without a tag")?;
            let bytes = found.bytes().await.map_err(|error| error.to_string())?;
            let record = serde_json::from_slice(&bytes)
                .map_err(|error| format!("the object holds no lease: {error}"))?;
            Ok(Some((record, Version(tag))))
        })
    }

    fn write_if<'a>(
        &'a self,
        record: &'a Record,
        version: Option<&'a Version>,
    ) -> BoxFuture<'a, Result<Option<Version>, String>> {
        Box::pin(async move {
            let bytes = serde_json::to_vec(record).map_err(|error| error.to_string())?;
            let mode = match version {
                None => PutMode::Create,
                Some(Version(tag)) => {
                    PutMode::Update(UpdateVersion { e_tag: Some(tag.clone()), version: None })
                }
            };
            match self.store.put_opts(&self.path, bytes.into(), PutOptions::from(mode)).await {
                Ok(put) => Ok(Some(Version(put.e_tag.ok_or("an object without a tag")?))),
                Err(
                    Error::AlreadyExists { .. }
                    | Error::Precondition { .. }
                    | Error::NotFound { .. },
                ) => Ok(None),
                Err(error) => Err(error.to_string()),
            }
        })
    }
}

/// The house's own client.
struct Connector(Runtime);

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector")
    }
}

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        let client = Client::new(Config::default(), self.0.clone());
        let client =
            client.map_err(|source| Error::Generic { store: "S3", source: Box::new(source) })?;
        Ok(HttpClient::new(Service(client)))
    }
}

struct Service(Client);

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Service")
    }
}

#[async_trait::async_trait]
impl HttpService for Service {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (head, body) = request.into_parts();
        let url = Url::parse(&head.uri.to_string())
            .map_err(|error| HttpError::new(HttpErrorKind::Request, error))?;
        let body = body.as_bytes().cloned().unwrap_or_default();
        let request = Request { method: head.method, url, headers: head.headers, body };
        let response = self.0.send(request, &LIMITS).await;
        let response = response.map_err(|error| HttpError::new(HttpErrorKind::Request, error))?;
        let mut answer = HttpResponse::new(HttpResponseBody::from(response.body));
        *answer.status_mut() = response.status;
        *answer.headers_mut() = response.headers;
        Ok(answer)
    }
}
