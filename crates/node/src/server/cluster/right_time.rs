//! Rules are not evaluated by a clock that is wrong: the others do it, and this member gets what they
//! record once its clock is right.

use std::sync::Arc;

use cluster::Cluster;
use model::Timestamp;
use rules::{Query, RuleGroup, Sample};
use tokio::sync::watch;

/// Answers rules as long as this member's clock is right.
pub(in crate::server) struct RightTime {
    query: Arc<dyn Query>,
    is_wrong: watch::Receiver<bool>,
}

impl RightTime {
    pub(in crate::server) fn new(query: Arc<dyn Query>, cluster: &Cluster) -> RightTime {
        RightTime { query, is_wrong: cluster.clock_is_wrong() }
    }

    fn check(&self) -> Result<(), String> {
        match *self.is_wrong.borrow() {
            true => Err("this machine's clock is too far from the other members'".to_owned()),
            false => Ok(()),
        }
    }
}

impl Query for RightTime {
    fn instant(&self, expr: &str, time: Timestamp) -> Result<Vec<Sample>, String> {
        self.check()?;
        self.query.instant(expr, time)
    }

    fn instant_for(
        &self,
        asker: &RuleGroup<'_>,
        expr: &str,
        time: Timestamp,
    ) -> Result<Vec<Sample>, String> {
        self.check()?;
        self.query.instant_for(asker, expr, time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nothing;

    impl Query for Nothing {
        fn instant(&self, _: &str, _: Timestamp) -> Result<Vec<Sample>, String> {
            Ok(Vec::new())
        }
    }

    #[test]
    fn nothing_is_evaluated_by_a_wrong_clock() {
        let (sender, is_wrong) = watch::channel(false);
        let rules = RightTime { query: Arc::new(Nothing), is_wrong };
        let group = RuleGroup { file: "rules.yml", name: "group" };
        let ask = || rules.instant_for(&group, "up", Timestamp::from_millis(0));
        assert_eq!(ask(), Ok(Vec::new()));
        sender.send_replace(true);
        assert!(ask().is_err_and(|error| error.contains("clock")));
        assert!(rules.instant("up", Timestamp::from_millis(0)).is_err());
        sender.send_replace(false);
        assert_eq!(ask(), Ok(Vec::new()));
    }
}
