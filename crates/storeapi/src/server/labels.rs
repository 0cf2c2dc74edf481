//! `LabelNames` and `LabelValues`.

use grpc::Status;
use model::{Labels, TimeRange};
use proto::thanos::{
    LabelNamesRequest, LabelNamesResponse, LabelValuesRequest, LabelValuesResponse,
};
use storage::LabelHints;

use super::{Inner, external::decide, read_matchers, storage_failed};

impl Inner {
    pub(super) fn label_names(
        &self,
        request: LabelNamesRequest,
        external: Labels,
    ) -> Result<LabelNamesResponse, Status> {
        let is_removed =
            |name: &str| request.without_replica_labels.iter().any(|removed| removed == name);
        let Some(matchers) = decide(read_matchers(&request.matchers)?, &external) else {
            return Ok(LabelNamesResponse::default());
        };
        let range = TimeRange::from_millis(request.start, request.end);
        let querier = self.sources.series.querier(range).map_err(storage_failed)?;
        let answer =
            querier.label_names(&LabelHints::default(), &matchers).map_err(storage_failed)?;
        let mut names = answer.values;
        if !names.is_empty() {
            names.extend(external.iter().map(|(name, _)| name.to_owned()));
            names.retain(|name| !is_removed(name));
            names.sort();
            names.dedup();
        }
        cut(&mut names, request.limit);
        Ok(LabelNamesResponse { names, warnings: answer.warnings })
    }

    pub(super) fn label_values(
        &self,
        request: LabelValuesRequest,
        external: Labels,
    ) -> Result<LabelValuesResponse, Status> {
        if request.label.is_empty() {
            return Err(Status::invalid_argument("label name parameter cannot be empty"));
        }
        let is_removed = request.without_replica_labels.contains(&request.label);
        let matchers = decide(read_matchers(&request.matchers)?, &external);
        let Some(matchers) = matchers.filter(|_| !is_removed) else {
            return Ok(LabelValuesResponse::default());
        };
        if let Some(value) = external.get(&request.label) {
            return Ok(LabelValuesResponse {
                values: vec![value.to_owned()],
                warnings: Vec::new(),
            });
        }
        let range = TimeRange::from_millis(request.start, request.end);
        let querier = self.sources.series.querier(range).map_err(storage_failed)?;
        let hints = LabelHints { limit: usize::try_from(request.limit).unwrap_or_default() };
        let answer = querier.label_values(&request.label, &hints, &matchers);
        let answer = answer.map_err(storage_failed)?;
        Ok(LabelValuesResponse { values: answer.values, warnings: answer.warnings })
    }
}

fn cut(values: &mut Vec<String>, limit: i64) {
    if let Ok(limit) = usize::try_from(limit)
        && limit > 0
    {
        values.truncate(limit);
    }
}
