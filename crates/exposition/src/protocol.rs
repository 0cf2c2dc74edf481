/// A format in which a target may answer, under the names of `scrape_protocols`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    PrometheusProto,
    PrometheusText0_0_4,
    PrometheusText1_0_0,
    OpenMetricsText0_0_1,
    OpenMetricsText1_0_0,
}

const PROTOCOLS: [(Protocol, &str, &str); 5] = [
    (
        Protocol::PrometheusProto,
        "PrometheusProto",
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
    ),
    (Protocol::PrometheusText0_0_4, "PrometheusText0.0.4", "text/plain;version=0.0.4"),
    (Protocol::PrometheusText1_0_0, "PrometheusText1.0.0", "text/plain;version=1.0.0"),
    (
        Protocol::OpenMetricsText0_0_1,
        "OpenMetricsText0.0.1",
        "application/openmetrics-text;version=0.0.1",
    ),
    (
        Protocol::OpenMetricsText1_0_0,
        "OpenMetricsText1.0.0",
        "application/openmetrics-text;version=1.0.0",
    ),
];

impl Protocol {
    /// What is asked for unless the configuration says otherwise, best first.
    pub const STANDARD: [Protocol; 4] = [
        Protocol::OpenMetricsText1_0_0,
        Protocol::OpenMetricsText0_0_1,
        Protocol::PrometheusText1_0_0,
        Protocol::PrometheusText0_0_4,
    ];

    /// The protocol of that name in a configuration.
    pub fn parse(name: &str) -> Option<Protocol> {
        PROTOCOLS.iter().find(|(_, known, _)| *known == name).map(|(protocol, ..)| *protocol)
    }

    /// The name in a configuration.
    pub fn as_str(self) -> &'static str {
        self.row().1
    }

    /// The media type in an `Accept` header.
    pub fn media_type(self) -> &'static str {
        self.row().2
    }

    fn row(self) -> &'static (Protocol, &'static str, &'static str) {
        PROTOCOLS
            .iter()
            .find(|(protocol, ..)| *protocol == self)
            .expect("the table lists all protocols")
    }
}
