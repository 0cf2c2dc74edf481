//! The lease as Kubernetes' own (`coordination.k8s.io/v1`), where `kubectl get leases` shows it.

use http::{Method, StatusCode};
use runtime::{BoxFuture, Runtime};
use serde_json::{Value, json};
use transport::client::{Authentication, Client, Config, Request, Response, Secret, Tls};
use url::Url;

use super::{
    http::{LIMITS, text},
    store::{Record, Store, Version},
};

/// What every pod is given.
const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// What a Lease has no field for.
const NAME: &str = "vesta/holder-name";
const RENEWALS: &str = "vesta/renewals";
const DURATION: &str = "vesta/duration-millis";

pub(super) struct Kubernetes {
    client: Client,
    runtime: Runtime,
    /// Of all leases of the namespace, with a slash at the end.
    leases: Url,
    namespace: String,
    name: String,
}

impl Kubernetes {
    /// From a pod, with the account that it is given.
    pub(super) fn in_pod(
        namespace: &str,
        name: &str,
        runtime: Runtime,
    ) -> Result<Kubernetes, String> {
        let variable = |name: &str| {
            std::env::var(name).map_err(|_| format!("not in a pod: {name} is not set"))
        };
        let host = variable("KUBERNETES_SERVICE_HOST")?;
        let port = variable("KUBERNETES_SERVICE_PORT")?;
        let host = if host.contains(':') { format!("[{host}]") } else { host };
        let file = |name: &str| Secret::File(format!("{ACCOUNT}/{name}").into());
        let config = Config {
            authentication: Authentication::Authorization {
                scheme: "Bearer".to_owned(),
                credentials: Some(file("token")),
            },
            tls: Tls { ca: Some(file("ca.crt")), ..Tls::default() },
            ..Config::default()
        };
        Kubernetes::new(&format!("https://{host}:{port}"), namespace, name, config, runtime)
    }

    pub(super) fn new(
        server: &str,
        namespace: &str,
        name: &str,
        config: Config,
        runtime: Runtime,
    ) -> Result<Kubernetes, String> {
        let leases = format!("{server}/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/");
        Ok(Kubernetes {
            client: Client::new(config, runtime.clone()).map_err(|error| error.to_string())?,
            runtime,
            leases: Url::parse(&leases).map_err(|error| error.to_string())?,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        })
    }

    async fn send(
        &self,
        method: Method,
        url: Url,
        body: Option<&Value>,
    ) -> Result<Response, String> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut request = Request::post(url, "application/json", body);
        request.method = method;
        self.client.send(request, &LIMITS).await.map_err(|error| error.to_string())
    }

    fn own(&self) -> Result<Url, String> {
        self.leases.join(&self.name).map_err(|error| error.to_string())
    }

    fn lease(&self, record: &Record, version: Option<&Version>) -> Value {
        let holder =
            (!record.holder.is_empty()).then(|| format!("{}/{}", record.holder, record.run));
        let now = self.runtime.clock.now();
        let renewed = jiff::Timestamp::from_microsecond(now.as_micros() as i64).unwrap_or_default();
        json!({
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {
                "name": self.name,
                "namespace": self.namespace,
                "resourceVersion": version.map(|version| &version.0),
                "annotations": {
                    NAME: record.name,
                    RENEWALS: record.renewals.to_string(),
                    DURATION: record.duration_millis.to_string(),
                },
            },
            "spec": {
                "holderIdentity": holder,
                "leaseDurationSeconds": record.duration_millis.div_ceil(1000).clamp(1, i32::MAX as u64),
                "leaseTransitions": record.epoch.min(i32::MAX as u64),
                "renewTime": renewed.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string(),
            },
        })
    }
}

fn refused(response: &Response) -> String {
    format!("Kubernetes answers {}: {}", response.status, text(&response.body))
}

fn read_lease(body: &[u8]) -> Result<(Record, Version), String> {
    let lease: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let (metadata, spec) = (&lease["metadata"], &lease["spec"]);
    let version = metadata["resourceVersion"].as_str().ok_or("a lease without a version")?;
    let holder = spec["holderIdentity"].as_str().unwrap_or_default();
    // Somebody else's program may hold it; then it has no run.
    let (holder, run) = holder.split_once('/').unwrap_or((holder, ""));
    let annotation = |name: &str| metadata["annotations"][name].as_str().unwrap_or_default();
    let seconds = spec["leaseDurationSeconds"].as_u64().unwrap_or_default();
    let record = Record {
        holder: holder.to_owned(),
        run: run.to_owned(),
        name: annotation(NAME).to_owned(),
        epoch: spec["leaseTransitions"].as_u64().unwrap_or_default(),
        renewals: annotation(RENEWALS).parse().unwrap_or_default(),
        duration_millis: annotation(DURATION).parse().unwrap_or(seconds * 1000),
    };
    Ok((record, Version(version.to_owned())))
}

impl Store for Kubernetes {
    fn read(&self) -> BoxFuture<'_, Result<Option<(Record, Version)>, String>> {
        Box::pin(async move {
            let response = self.send(Method::GET, self.own()?, None).await?;
            match response.status {
                StatusCode::OK => read_lease(&response.body).map(Some),
                StatusCode::NOT_FOUND => Ok(None),
                _ => Err(refused(&response)),
            }
        })
    }

    fn write_if<'a>(
        &'a self,
        record: &'a Record,
        version: Option<&'a Version>,
    ) -> BoxFuture<'a, Result<Option<Version>, String>> {
        Box::pin(async move {
            let lease = self.lease(record, version);
            let response = match version {
                Some(_) => self.send(Method::PUT, self.own()?, Some(&lease)).await?,
                None => {
                    let mut all = self.leases.clone();
                    all.path_segments_mut().map_err(|()| "no path")?.pop_if_empty();
                    self.send(Method::POST, all, Some(&lease)).await?
                }
            };
            match response.status {
                StatusCode::OK | StatusCode::CREATED => {
                    read_lease(&response.body).map(|(_, version)| Some(version))
                }
                // Another one was faster, or it was deleted.
                StatusCode::CONFLICT | StatusCode::NOT_FOUND => Ok(None),
                _ => Err(refused(&response)),
            }
        })
    }
}
