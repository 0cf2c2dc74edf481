//! The real engine behind the API, once there is one.

use std::sync::Arc;

use runtime::Clock;
use storage::Queryable;

use crate::prometheus::engine::{Answer, Engine, Query, QueryError};

pub(super) struct PromQl;

impl PromQl {
    pub(super) fn new(_: Arc<dyn Queryable>, _: Arc<dyn Clock>) -> PromQl {
        PromQl
    }
}

impl Engine for PromQl {
    fn run(&self, _: &Query) -> Result<Answer, QueryError> {
        Ok(Answer::default())
    }
}
