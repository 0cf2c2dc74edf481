//! Where the API server is, and who we are there.

use std::path::{Path, PathBuf};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use runtime::Runtime;
use serde_json::Value;
use transport::client::{self, Authentication, Proxy, Secret, Tls};

use super::Access;
use crate::{
    found::{each, get},
    service::Service,
};

const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// An API server.
pub(super) struct Server {
    /// Without a slash at the end.
    pub(super) url: String,
    pub(super) service: Service,
    /// The one that we run in.
    pub(super) namespace: String,
}

impl Server {
    pub(super) fn new(access: &Access, runtime: &Runtime) -> Result<Server, String> {
        let read = |path: &Path| {
            let text = runtime.disk.read_to_string(path);
            text.map_err(|error| format!("read {}: {error}", path.display()))
        };
        let (url, http) = match access {
            Access::Server { url, http } => (url.clone(), (**http).clone()),
            Access::InCluster => in_cluster(|name| std::env::var(name).ok(), &read)?,
            Access::Kubeconfig(path) => kubeconfig(&read(path)?, path)?,
        };
        let namespace = read(&Path::new(ACCOUNT).join("namespace"));
        Ok(Server {
            url: url.trim_end_matches('/').to_owned(),
            service: Service::new(&http, runtime)?,
            namespace: namespace
                .map_or_else(|_| "default".to_owned(), |text| text.trim().to_owned()),
        })
    }
}

fn in_cluster(
    environment: impl Fn(&str) -> Option<String>,
    read: &dyn Fn(&Path) -> Result<String, String>,
) -> Result<(String, client::Config), String> {
    let (Some(host), Some(port)) =
        (environment("KUBERNETES_SERVICE_HOST"), environment("KUBERNETES_SERVICE_PORT"))
    else {
        return Err("unable to load in-cluster configuration, KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be defined".to_owned());
    };
    let token = Path::new(ACCOUNT).join("token");
    read(&token)?;
    let scheme = "Bearer".to_owned();
    let credentials = Some(Secret::File(token));
    let http = client::Config {
        authentication: Authentication::Authorization { scheme, credentials },
        tls: Tls { ca: Some(Secret::File(Path::new(ACCOUNT).join("ca.crt"))), ..Tls::default() },
        ..client::Config::default()
    };
    Ok((format!("https://{}", crate::found::host_port(&host, port)), http))
}

/// The current context of the file at `path`.
fn kubeconfig(text: &str, path: &Path) -> Result<(String, client::Config), String> {
    let file: Value =
        serde_saphyr::from_str(text).map_err(|error| format!("{}: {error}", path.display()))?;
    let named = |list: &str, name: &str, key: &str| {
        let entry = each(&file[list]).find(|entry| get(entry, "name") == name);
        let entry = entry.map(|entry| entry[key].clone());
        entry.ok_or_else(|| format!("{}: no {name:?} among {list}", path.display()))
    };
    let context = named("contexts", get(&file, "current-context"), "context")?;
    let cluster = named("clusters", get(&context, "cluster"), "cluster")?;
    let user = named("users", get(&context, "user"), "user")?;
    if !user["exec"].is_null() || !user["auth-provider"].is_null() {
        return Err(format!(
            "{}: users that other programs log in (exec, auth-provider) are not supported yet",
            path.display()
        ));
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    let either = |from: &Value, key: &str| pem(from, key, folder);
    let tls = Tls {
        ca: either(&cluster, "certificate-authority")?,
        certificate: either(&user, "client-certificate")?,
        key: either(&user, "client-key")?,
        server_name: get(&cluster, "tls-server-name").to_owned(),
        insecure_skip_verify: cluster["insecure-skip-tls-verify"] == true,
        ..Tls::default()
    };
    let proxy = match get(&cluster, "proxy-url") {
        "" => None,
        text => Some(text.parse().map_err(|error| format!("proxy-url: {error}"))?),
    };
    let http = client::Config {
        authentication: authentication(&user, folder),
        tls,
        proxy: Proxy { url: proxy, ..Proxy::default() },
        ..client::Config::default()
    };
    Ok((get(&cluster, "server").to_owned(), http))
}

fn authentication(user: &Value, folder: &Path) -> Authentication {
    let inline = |key: &str| Some(Secret::Inline(get(user, key).to_owned()));
    let scheme = "Bearer".to_owned();
    if !get(user, "tokenFile").is_empty() {
        let credentials = Some(Secret::File(folder.join(get(user, "tokenFile"))));
        Authentication::Authorization { scheme, credentials }
    } else if !get(user, "token").is_empty() {
        Authentication::Authorization { scheme, credentials: inline("token") }
    } else if !get(user, "username").is_empty() {
        Authentication::Basic { username: inline("username"), password: inline("password") }
    } else {
        Authentication::None
    }
}

/// `<key>-data` in base64, or the file that `<key>` names.
fn pem(from: &Value, key: &str, folder: &Path) -> Result<Option<Secret>, String> {
    let data = get(from, &format!("{key}-data"));
    if !data.is_empty() {
        let bytes = BASE64_STANDARD.decode(data).map_err(|error| format!("{key}-data: {error}"))?;
        let text = String::from_utf8(bytes).map_err(|error| format!("{key}-data: {error}"))?;
        return Ok(Some(Secret::Inline(text)));
    }
    let path = get(from, key);
    Ok((!path.is_empty()).then(|| Secret::File(PathBuf::from(folder).join(path))))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use transport::client::{Authentication, Secret};

    use super::kubeconfig;

    #[test]
    fn the_current_context_is_used() {
        let text = "
current-context: b
contexts:
- {name: a, context: {cluster: x, user: x}}
- {name: b, context: {cluster: y, user: z}}
clusters:
- {name: y, cluster: {server: 'https://k8s:6443', certificate-authority: ca.crt}}
users:
- {name: z, user: {token: t, client-certificate-data: YQ==}}
";
        let (url, http) = kubeconfig(text, Path::new("/home/.kube/config")).expect("it is right");
        assert_eq!(url, "https://k8s:6443");
        assert_eq!(http.tls.ca, Some(Secret::File("/home/.kube/ca.crt".into())));
        assert_eq!(http.tls.certificate, Some(Secret::Inline("a".to_owned())));
        let credentials = Some(Secret::Inline("t".to_owned()));
        let scheme = "Bearer".to_owned();
        assert_eq!(http.authentication, Authentication::Authorization { scheme, credentials });
        let without = text.replace("name: z", "name: q");
        let error = kubeconfig(&without, Path::new("c")).expect_err("the user is missing");
        assert_eq!(error, "c: no \"z\" among users");
    }
}
