//! Which service keeps the lease, as the user has written it.

use std::{path::PathBuf, str::FromStr, sync::Arc};

use runtime::Runtime;

use super::{bucket::Bucket, etcd::Etcd, folder::Folder, kubernetes::Kubernetes, store::Store};
use crate::{Error, Result};

/// Where the key is that nobody has named.
const KEY: &str = "vesta/lease";

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Backend {
    /// `gossip`: the members among themselves.
    Gossip,
    /// `etcd://[user:password@]host:port[,host:port…][/key]`, `etcds://` for TLS.
    Etcd { is_secure: bool, user: Option<(String, String)>, hosts: Vec<String>, key: String },
    /// `kubernetes://namespace/name`, from within a pod.
    Kubernetes { namespace: String, name: String },
    /// `s3://bucket/key`; credentials, region and endpoint as Amazon's programs find them.
    S3 { bucket: String, key: String },
    /// `file:///folder/key`, in a folder that all members have.
    Folder(PathBuf),
}

impl Backend {
    pub fn name(&self) -> &'static str {
        match self {
            Backend::Gossip => "gossip",
            Backend::Etcd { .. } => "etcd",
            Backend::Kubernetes { .. } => "kubernetes",
            Backend::S3 { .. } | Backend::Folder(_) => "object-store",
        }
    }

    /// Nothing if no other service is needed.
    pub fn open(&self, runtime: &Runtime) -> Result<Option<Arc<dyn Store>>> {
        let failed = |reason: String| Error::Lease { text: self.name().to_owned(), reason };
        let store: Arc<dyn Store> = match self {
            Backend::Gossip => return Ok(None),
            Backend::Etcd { is_secure, user, hosts, key } => {
                let etcd = Etcd::new(*is_secure, user.clone(), hosts, key, runtime.clone());
                Arc::new(etcd.map_err(failed)?)
            }
            Backend::Kubernetes { namespace, name } => {
                let kubernetes = Kubernetes::in_pod(namespace, name, runtime.clone());
                Arc::new(kubernetes.map_err(failed)?)
            }
            Backend::S3 { bucket, key } => {
                Arc::new(Bucket::s3(bucket, key, runtime.clone()).map_err(failed)?)
            }
            Backend::Folder(path) => Arc::new(Folder::new(path, runtime.clone()).map_err(failed)?),
        };
        Ok(Some(store))
    }
}

impl FromStr for Backend {
    type Err = Error;

    fn from_str(text: &str) -> Result<Backend> {
        let wrong =
            |reason: &str| Error::Lease { text: text.to_owned(), reason: reason.to_owned() };
        if text == "gossip" {
            return Ok(Backend::Gossip);
        }
        let known = "it must be gossip, etcd://host:port/key, kubernetes://namespace/name, \
                     s3://bucket/key or file:///folder/key";
        let (scheme, rest) = text.split_once("://").ok_or_else(|| wrong(known))?;
        let (host, key) = rest.split_once('/').unwrap_or((rest, ""));
        let key_or = |default: &str| if key.is_empty() { default } else { key }.to_owned();
        match scheme {
            "etcd" | "etcds" => {
                let (user, hosts) = match host.rsplit_once('@') {
                    Some((user, hosts)) => {
                        let pair = user.split_once(':').ok_or_else(|| wrong("no password"))?;
                        (Some((pair.0.to_owned(), pair.1.to_owned())), hosts)
                    }
                    None => (None, host),
                };
                let hosts: Vec<String> = hosts.split(',').map(str::to_owned).collect();
                if hosts.iter().any(String::is_empty) {
                    return Err(wrong("no host"));
                }
                let is_secure = scheme == "etcds";
                Ok(Backend::Etcd { is_secure, user, hosts, key: key_or(KEY) })
            }
            "kubernetes" if host.is_empty() || key.is_empty() || key.contains('/') => {
                Err(wrong("it must be kubernetes://namespace/name"))
            }
            "kubernetes" => {
                Ok(Backend::Kubernetes { namespace: host.to_owned(), name: key.to_owned() })
            }
            "s3" if host.is_empty() => Err(wrong("no bucket")),
            "s3" => Ok(Backend::S3 { bucket: host.to_owned(), key: key_or(KEY) }),
            "file" if !host.is_empty() || key.is_empty() => {
                Err(wrong("it must be file:///folder/key"))
            }
            "file" => Ok(Backend::Folder(PathBuf::from(format!("/{key}")))),
            _ => Err(wrong(known)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backends_are_written_as_addresses() {
        let check = |text: &str, expected: Option<Backend>| {
            assert_eq!(text.parse::<Backend>().ok(), expected, "{text}");
        };
        let etcd = |is_secure, user: Option<(&str, &str)>, hosts: &[&str], key: &str| {
            let user = user.map(|(name, password)| (name.to_owned(), password.to_owned()));
            let hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
            Some(Backend::Etcd { is_secure, user, hosts, key: key.to_owned() })
        };
        check("gossip", Some(Backend::Gossip));
        check("etcd://a:2379", etcd(false, None, &["a:2379"], KEY));
        check(
            "etcds://u:p@a:2379,b:2379/x/y",
            etcd(true, Some(("u", "p")), &["a:2379", "b:2379"], "x/y"),
        );
        check("etcd://", None);
        let (namespace, name) = ("monitoring".to_owned(), "vesta".to_owned());
        check("kubernetes://monitoring/vesta", Some(Backend::Kubernetes { namespace, name }));
        check("kubernetes://vesta", None);
        let (bucket, key) = ("b".to_owned(), "k/l".to_owned());
        check("s3://b/k/l", Some(Backend::S3 { bucket, key }));
        check("s3:///k", None);
        check("file:///shared/lease", Some(Backend::Folder("/shared/lease".into())));
        check("file://shared/lease", None);
        check("zookeeper://a", None);
        check("", None);
    }
}
