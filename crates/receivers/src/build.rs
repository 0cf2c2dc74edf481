//! From settings to integrations that can be told.

use std::sync::Arc;

use alertmanager::{
    Template,
    integration::{Integration, Notification, NotifyError, Receiver as Built},
};
use runtime::{BoxFuture, Runtime};

use crate::{Receiver, Settings, receiver::for_each_integration};

/// What integrations need beside their settings.
#[derive(Clone)]
pub struct Context {
    pub runtime: Runtime,
    pub template: Arc<Template>,
}

/// Why a receiver cannot be built.
#[derive(Debug, thiserror::Error)]
#[error("{receiver}/{integration}[{idx}]: {source}")]
pub struct Error {
    pub receiver: String,
    pub integration: &'static str,
    pub idx: usize,
    pub source: Box<transport::client::Error>,
}

/// How an integration tells its service of a group.
pub trait Notifier: Send + Sync {
    /// Makes one attempt.
    fn notify<'a>(
        &'a self,
        notification: &'a Notification,
    ) -> BoxFuture<'a, Result<(), NotifyError>>;
}

pub type NewNotifier = Result<Box<dyn Notifier>, transport::client::Error>;

/// Builds all integrations of a receiver. One that cannot send yet is built too: it logs a warning
/// now, and each notification fails with the reason.
pub fn build(receiver: &Receiver, context: &Context) -> Result<Built, Error> {
    let mut integrations: Vec<Arc<dyn Integration>> = Vec::new();
    macro_rules! build_all {
        ($($key:ident: $module:ident),* $(,)?) => {
            $( build_list(receiver, &receiver.$key, context, &mut integrations)?; )*
        };
    }
    for_each_integration!(build_all);
    Ok(Built { name: receiver.name.clone(), labels: receiver.labels.clone(), integrations })
}

fn build_list<T: Settings>(
    receiver: &Receiver,
    list: &[T],
    context: &Context,
    integrations: &mut Vec<Arc<dyn Integration>>,
) -> Result<(), Error> {
    for (idx, settings) in list.iter().enumerate() {
        let notifier = match settings.notifier(context) {
            Ok(notifier) => notifier,
            Err(error @ transport::client::Error::Unsupported { .. }) => {
                let (receiver, integration) = (&receiver.name, T::NAME);
                tracing::warn!(
                    receiver, integration, idx, err = %error,
                    "This integration cannot send; its notifications will fail"
                );
                Box::new(Mute { reason: error.to_string() })
            }
            Err(source) => {
                let receiver = receiver.name.clone();
                let source = Box::new(source);
                return Err(Error { receiver, integration: T::NAME, idx, source });
            }
        };
        let send_resolved = settings.send_resolved();
        integrations.push(Arc::new(One { name: T::NAME, idx, send_resolved, notifier }));
    }
    Ok(())
}

/// An integration with its place in the receiver.
struct One {
    name: &'static str,
    idx: usize,
    send_resolved: bool,
    notifier: Box<dyn Notifier>,
}

impl Integration for One {
    fn name(&self) -> &str {
        self.name
    }

    fn idx(&self) -> usize {
        self.idx
    }

    fn send_resolved(&self) -> bool {
        self.send_resolved
    }

    fn notify<'a>(
        &'a self,
        notification: &'a Notification,
    ) -> BoxFuture<'a, Result<(), NotifyError>> {
        self.notifier.notify(notification)
    }
}

/// Cannot send, and says so each time.
struct Mute {
    reason: String,
}

impl Notifier for Mute {
    fn notify<'a>(&'a self, _: &'a Notification) -> BoxFuture<'a, Result<(), NotifyError>> {
        Box::pin(async { Err(NotifyError::permanent(self.reason.clone())) })
    }
}
