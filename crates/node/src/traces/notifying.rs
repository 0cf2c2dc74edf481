use std::sync::Arc;

use alertmanager::{Integration, Notification, NotifyError, Receiver};
use runtime::BoxFuture;
use telemetry::trace::{Kind, Tracer};

/// A receiver whose every attempt to notify is a span.
pub(crate) fn traced(mut receiver: Receiver, tracer: &Tracer) -> Receiver {
    for integration in &mut receiver.integrations {
        let (inner, tracer) = (integration.clone(), tracer.clone());
        *integration = Arc::new(Traced { inner, tracer });
    }
    receiver
}

struct Traced {
    inner: Arc<dyn Integration>,
    tracer: Tracer,
}

impl Integration for Traced {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn idx(&self) -> usize {
        self.inner.idx()
    }

    fn send_resolved(&self) -> bool {
        self.inner.send_resolved()
    }

    fn notify<'a>(
        &'a self,
        notification: &'a Notification,
    ) -> BoxFuture<'a, Result<(), NotifyError>> {
        if !self.tracer.is_on() {
            return self.inner.notify(notification);
        }
        Box::pin(async move {
            let mut span = self.tracer.start(format!("notify {}", self.name()), Kind::Client);
            span.set_text("alerting.notify.integration.name", self.name());
            span.set_text("alerting.notify.receiver.name", notification.receiver.as_str());
            span.set_text("alerting.notify.group_key", notification.group_key.as_str());
            let n_alerts = i64::try_from(notification.alerts.len()).unwrap_or(i64::MAX);
            span.set_number("alerting.alerts.count", n_alerts);
            let outcome = span.around(self.inner.notify(notification)).await;
            if let Err(error) = &outcome {
                span.fail(error.message.as_str());
            }
            outcome
        })
    }
}
