//! Where 3.14 judges otherwise than 2.42, and ours otherwise than either, and why.

/// What 3.14, or ours, does that 2.42 does not.
pub struct Difference {
    pub reason: &'static str,
    /// By name.
    pub cases: &'static [&'static str],
}

/// Every case that is not listed is judged the same.
pub const DIFFERENCES: &[Difference] = &[
    Difference {
        reason: "names may be any text since 3.0, if written in quotes",
        cases: &[
            "rules: a quoted name",
            "rules: a quoted label",
            "rules: a name with a dash",
            "rules: a name that begins with a digit",
            "rules: a name of other letters",
            "rules: a record of a number",
            "rules: a label of other letters",
            "rules: a label with a dash",
            "rules: an annotation with a dash",
            "config: an external label with a dash",
            "job: targets with a label with a dash",
            "job: a target with a dash",
            "job: labelmap to a bad name",
            "job: a source with a dash",
            "damaged config, seed 1 number 26",
        ],
    },
    Difference {
        reason: "a number is a duration in seconds, and durations may be calculated, since 3.0",
        cases: &["rules: a window without a unit", "rules: a product of durations"],
    },
    Difference {
        reason: "windows are open to the left since 3.0",
        cases: &["test: two in a window", "test: three in a window"],
    },
    Difference {
        reason: "it is called double_exponential_smoothing since 3.0",
        cases: &["rules: holt_winters"],
    },
    Difference {
        reason: "the function came after 2.42",
        cases: &[
            "rules: histogram_avg",
            "rules: histogram_stddev",
            "rules: toDuration",
            "rules: now",
        ],
    },
    Difference {
        reason: "the key came after 2.42",
        cases: &[
            "rule file: a query offset",
            "rule file: labels of a group",
            "config: a limit of bytes",
            "config: more files",
            "config: an offset of rules",
            "config: OTLP",
            "config: a retention",
            "config: a runtime",
            "config: a limit for all",
            "job: protocols",
            "job: a limit of buckets",
            "job: dropped targets",
            "job: no compression",
            "job: classic histograms",
            "test file: fuzzy comparing",
            "test: a start",
        ],
    },
    Difference {
        reason: "Alertmanagers are spoken to by version 2 only since 3.0",
        cases: &["config: an Alertmanager by version 1"],
    },
    Difference {
        reason: "without files rules are read from standard input since 2.43",
        cases: &[
            "good rules: check rules --lint",
            "bad rules: check rules --lint",
            "twice rules: check rules --lint",
        ],
    },
    Difference {
        reason: "ours wants that all of the file is YAML; upstream stops where the first document ends",
        cases: &["rule file: a first line that is indented"],
    },
    Difference {
        reason: "Debian's promtool is built without it",
        cases: &[
            "job: Consul",
            "job: Kubernetes",
            "job: Kubernetes with a selector",
            "job: Kubernetes with a selector of another role",
            "job: Nomad",
        ],
    },
];

/// Why a case is judged otherwise; nothing if it is not.
pub fn reason(case: &str) -> Option<&'static str> {
    let difference = DIFFERENCES.iter().find(|difference| difference.cases.contains(&case));
    difference.map(|difference| difference.reason)
}
