use telemetry::{Counter, Gauge, Histogram, Registry, Summary, Vector};

/// The metrics of rule evaluation, under upstream's names.
#[derive(Clone)]
pub struct Metrics {
    pub evaluation_duration: Summary,
    pub evaluation_duration_histogram: Histogram,
    pub group_duration: Summary,
    pub group_duration_histogram: Histogram,
    pub iterations: Vector<Counter, 1>,
    pub iterations_missed: Vector<Counter, 1>,
    pub iterations_made_up: Vector<Counter, 1>,
    pub evaluations: Vector<Counter, 1>,
    pub evaluation_failures: Vector<Counter, 1>,
    pub group_interval: Vector<Gauge, 1>,
    pub group_last_evaluation: Vector<Gauge, 1>,
    pub group_last_duration: Vector<Gauge, 1>,
    pub group_last_rule_duration_sum: Vector<Gauge, 1>,
    pub group_last_restore_duration: Vector<Gauge, 1>,
    pub group_rules: Vector<Gauge, 1>,
    pub group_samples: Vector<Gauge, 1>,
    pub template_expansions: Counter,
    pub template_expansion_failures: Counter,
}

/// In seconds.
const DURATION_BOUNDS: [f64; 4] = [0.01, 0.1, 1.0, 10.0];

impl Metrics {
    pub fn register(registry: &Registry) -> Metrics {
        let counters = |name, help| registry.counters(name, help, ["rule_group"]);
        let gauges = |name, help| registry.gauges(name, help, ["rule_group"]);
        Metrics {
            evaluation_duration: registry.summary(
                "prometheus_rule_evaluation_duration_seconds",
                "The duration for a rule to execute.",
                &[0.5, 0.9, 0.99],
            ),
            evaluation_duration_histogram: registry.histogram(
                "prometheus_rule_evaluation_duration_histogram_seconds",
                "The duration for a rule to execute.",
                &DURATION_BOUNDS,
            ),
            group_duration_histogram: registry.histogram(
                "prometheus_rule_group_duration_histogram_seconds",
                "The duration of rule group evaluations.",
                &DURATION_BOUNDS,
            ),
            group_duration: registry.summary(
                "prometheus_rule_group_duration_seconds",
                "The duration of rule group evaluations.",
                &[0.01, 0.05, 0.5, 0.9, 0.99],
            ),
            iterations: counters(
                "prometheus_rule_group_iterations_total",
                "The total number of scheduled rule group evaluations, whether executed or missed.",
            ),
            iterations_missed: counters(
                "prometheus_rule_group_iterations_missed_total",
                "The total number of rule group evaluations missed due to slow rule group evaluation.",
            ),
            iterations_made_up: counters(
                "vesta_rule_group_iterations_made_up_total",
                "The total number of missed rule group evaluations whose recording rules were evaluated afterwards.",
            ),
            evaluations: counters(
                "prometheus_rule_evaluations_total",
                "The total number of rule evaluations.",
            ),
            evaluation_failures: counters(
                "prometheus_rule_evaluation_failures_total",
                "The total number of rule evaluation failures.",
            ),
            group_interval: gauges(
                "prometheus_rule_group_interval_seconds",
                "The interval of a rule group.",
            ),
            group_last_evaluation: gauges(
                "prometheus_rule_group_last_evaluation_timestamp_seconds",
                "The timestamp of the last rule group evaluation in seconds.",
            ),
            group_last_duration: gauges(
                "prometheus_rule_group_last_duration_seconds",
                "The duration of the last rule group evaluation.",
            ),
            group_last_rule_duration_sum: gauges(
                "prometheus_rule_group_last_rule_duration_sum_seconds",
                "The sum of time in seconds it took to evaluate each rule in the group.",
            ),
            group_last_restore_duration: gauges(
                "prometheus_rule_group_last_restore_duration_seconds",
                "The duration of the last alert rules alerts restoration using the \
                 `ALERTS_FOR_STATE` series.",
            ),
            group_rules: gauges("prometheus_rule_group_rules", "The number of rules."),
            group_samples: gauges(
                "prometheus_rule_group_last_evaluation_samples",
                "The number of samples returned during the last rule group evaluation.",
            ),
            template_expansions: registry.counter(
                "prometheus_template_text_expansions_total",
                "The total number of template text expansions.",
            ),
            template_expansion_failures: registry.counter(
                "prometheus_template_text_expansion_failures_total",
                "The total number of template text expansion failures.",
            ),
        }
    }

    /// Makes the series of a group, so that they begin at zero.
    pub(crate) fn add_group(&self, key: &str, n_rules: usize, interval_seconds: f64) {
        for counters in [
            &self.iterations,
            &self.iterations_missed,
            &self.iterations_made_up,
            &self.evaluations,
            &self.evaluation_failures,
        ] {
            counters.with([key]);
        }
        for gauges in [
            &self.group_last_evaluation,
            &self.group_last_duration,
            &self.group_last_rule_duration_sum,
            &self.group_samples,
        ] {
            gauges.with([key]);
        }
        self.group_rules.with([key]).set(n_rules as f64);
        self.group_interval.with([key]).set(interval_seconds);
    }

    /// Forgets the series of a group that is no longer configured.
    pub(crate) fn remove_group(&self, key: &str) {
        for counters in [
            &self.iterations,
            &self.iterations_missed,
            &self.iterations_made_up,
            &self.evaluations,
            &self.evaluation_failures,
        ] {
            counters.remove([key]);
        }
        for gauges in [
            &self.group_interval,
            &self.group_last_evaluation,
            &self.group_last_duration,
            &self.group_last_rule_duration_sum,
            &self.group_last_restore_duration,
            &self.group_rules,
            &self.group_samples,
        ] {
            gauges.remove([key]);
        }
    }
}
