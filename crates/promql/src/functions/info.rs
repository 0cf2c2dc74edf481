//! `info`: labels of info series such as `target_info`, joined to other series.

use crate::{
    Error, Result,
    eval::{Evaluator, Scope, Sink},
    plan::Call,
};

pub(super) fn info(
    _evaluator: &Evaluator<'_>,
    _call: &Call,
    _scope: &Scope,
    _sink: Sink<'_>,
) -> Result<()> {
    Err(Error::execution("info is not implemented"))
}
