//! Rules, targets, metadata and exemplars.

use std::collections::BTreeMap;

use grpc::Status;
use model::{Labels, TimeRange};
use proto::thanos::{
    Exemplar, ExemplarData, ExemplarsRequest, ExemplarsResponse, LabelSet, Meta, MetricMetadata,
    MetricMetadataEntry, MetricMetadataRequest, MetricMetadataResponse, Rule, RuleGroup,
    RulesRequest, RulesResponse, TargetsRequest, TargetsResponse, exemplars_response,
    metric_metadata_response, rule, rules_request, rules_response, targets_request,
    targets_response,
};

use super::{Inner, external::extend, storage_failed};
use crate::wire;

impl Inner {
    pub(super) fn rules(
        &self,
        request: RulesRequest,
        external: Labels,
    ) -> Result<Vec<RulesResponse>, Status> {
        let mut selectors = Vec::new();
        for text in &request.matcher_string {
            let selector = promql_syntax::parse_metric_selector(text);
            selectors.push(selector.map_err(|error| Status::invalid_argument(error.to_string()))?);
        }
        let is_named = |names: &[String], name: &str| {
            names.is_empty() || names.iter().any(|wanted| wanted == name)
        };
        let mut groups = self.sources.rules.groups();
        groups.retain(|group| {
            is_named(&request.rule_group, &group.name) && is_named(&request.file, &group.file)
        });
        for group in &mut groups {
            group.rules.retain_mut(|rule| {
                extend_rule(rule, &external)
                    && is_wanted(rule, request.r#type())
                    && is_named(&request.rule_name, name_and_labels(rule).0)
                    && (selectors.is_empty() || matches_any(rule, &selectors))
            });
        }
        let is_narrowed = !request.rule_name.is_empty() || !selectors.is_empty();
        groups.retain(|group| !is_narrowed || !group.rules.is_empty());
        let answer =
            |group: RuleGroup| RulesResponse { result: Some(rules_response::Result::Group(group)) };
        Ok(groups.into_iter().map(answer).collect())
    }

    pub(super) fn targets(
        &self,
        request: TargetsRequest,
        external: Labels,
    ) -> Result<Vec<TargetsResponse>, Status> {
        let mut targets = self.sources.targets.targets();
        match request.state() {
            targets_request::State::Any => {}
            targets_request::State::Active => targets.dropped_targets.clear(),
            targets_request::State::Dropped => targets.active_targets.clear(),
        }
        for target in &mut targets.active_targets {
            extend_set(&mut target.discovered_labels, &external);
            extend_set(&mut target.labels, &external);
        }
        for target in &mut targets.dropped_targets {
            extend_set(&mut target.discovered_labels, &external);
        }
        Ok(vec![TargetsResponse { result: Some(targets_response::Result::Targets(targets)) }])
    }

    pub(super) fn metadata(
        &self,
        request: MetricMetadataRequest,
        _: Labels,
    ) -> Result<Vec<MetricMetadataResponse>, Status> {
        // As upstream's HTTP API: below zero there is no limit.
        let limit = usize::try_from(request.limit).unwrap_or(usize::MAX);
        let meta = |meta: model::Metadata| Meta {
            r#type: meta.kind.as_str().to_owned(),
            help: meta.help,
            unit: meta.unit,
        };
        let known = self.sources.metadata.metadata(&request.metric).into_iter().take(limit);
        let metadata: BTreeMap<_, _> = known
            .map(|(name, metas)| {
                (name, MetricMetadataEntry { metas: metas.into_iter().map(meta).collect() })
            })
            .collect();
        let result = metric_metadata_response::Result::Metadata(MetricMetadata { metadata });
        Ok(vec![MetricMetadataResponse { result: Some(result) }])
    }

    pub(super) fn exemplars(
        &self,
        request: ExemplarsRequest,
        external: Labels,
    ) -> Result<Vec<ExemplarsResponse>, Status> {
        let expr = promql_syntax::parse(&request.query, &promql_syntax::Options::default())
            .map_err(|error| Status::invalid_argument(error.to_string()))?;
        let selectors = promql_syntax::extract_selectors(&expr).into_iter();
        let selectors: Vec<_> =
            selectors.filter_map(|s| super::external::decide(s.to_vec(), &external)).collect();
        let range = TimeRange::from_millis(request.start, request.end);
        let found = self.sources.exemplars.exemplars(range, &selectors).map_err(storage_failed)?;
        let answer = |series: storage::SeriesExemplars| {
            let exemplar = |exemplar: &storage::Exemplar| Exemplar {
                labels: Some(LabelSet { labels: wire::labels(&exemplar.labels) }),
                value: exemplar.value,
                ts: exemplar.time.as_millis(),
            };
            let labels = extend(&series.labels, &external);
            let data = ExemplarData {
                series_labels: Some(LabelSet { labels: wire::labels(&labels) }),
                exemplars: series.exemplars.iter().map(exemplar).collect(),
            };
            ExemplarsResponse { result: Some(exemplars_response::Result::Data(data)) }
        };
        Ok(found.into_iter().map(answer).collect())
    }
}

fn extend_set(set: &mut Option<LabelSet>, external: &Labels) {
    let set = set.get_or_insert_default();
    // They come from ourselves.
    if let Ok(labels) = wire::read_labels(&set.labels) {
        set.labels = wire::labels(&extend(&labels, external));
    }
}

/// Adds external labels; says whether it is a rule at all.
fn extend_rule(rule: &mut Rule, external: &Labels) -> bool {
    let labels = match &mut rule.result {
        Some(rule::Result::Recording(rule)) => &mut rule.labels,
        Some(rule::Result::Alert(rule)) => &mut rule.labels,
        None => return false,
    };
    extend_set(labels, external);
    true
}

fn is_wanted(rule: &Rule, kind: rules_request::Type) -> bool {
    match kind {
        rules_request::Type::All => true,
        rules_request::Type::Alert => matches!(rule.result, Some(rule::Result::Alert(_))),
        rules_request::Type::Record => matches!(rule.result, Some(rule::Result::Recording(_))),
    }
}

fn name_and_labels(rule: &Rule) -> (&str, Option<&LabelSet>) {
    match &rule.result {
        Some(rule::Result::Recording(rule)) => (&rule.name, rule.labels.as_ref()),
        Some(rule::Result::Alert(rule)) => (&rule.name, rule.labels.as_ref()),
        None => ("", None),
    }
}

fn matches_any(rule: &Rule, selectors: &[Vec<model::Matcher>]) -> bool {
    let labels = name_and_labels(rule).1.map(|set| set.labels.as_slice()).unwrap_or_default();
    let value = |name: &str| {
        labels.iter().find(|label| label.name == name).map_or("", |label| label.value.as_str())
    };
    selectors.iter().any(|s| s.iter().all(|matcher| matcher.matches(value(&matcher.name))))
}
