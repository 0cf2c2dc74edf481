//! Remote write's two messages, written field by field as protobuf lays them out.

use std::collections::HashMap;

use model::MetricType;

use super::Pushed;

/// `prometheus.WriteRequest`.
pub(super) fn version_1(pushed: &Pushed) -> Vec<u8> {
    let mut request = Message::default();
    for (labels, time, value) in &pushed.samples {
        let mut series = Message::default();
        for (name, value) in labels.iter() {
            let mut label = Message::default();
            label.bytes(1, name.as_bytes());
            label.bytes(2, value.as_bytes());
            series.message(1, &label);
        }
        series.message(2, &sample(*value, time.as_millis()));
        request.message(1, &series);
    }
    for (family, metadata) in &pushed.metadata {
        let mut message = Message::default();
        message.varint(1, number_of(metadata.kind));
        message.bytes(2, family.as_bytes());
        message.bytes(4, metadata.help.as_bytes());
        request.message(3, &message);
    }
    request.0
}

/// `io.prometheus.write.v2.Request`: texts are numbers of symbols, the first of which is empty.
pub(super) fn version_2(pushed: &Pushed) -> Vec<u8> {
    let (mut symbols, mut numbers) = (vec![""], HashMap::from([("", 0u64)]));
    let mut request = Message::default();
    let mut all = Vec::with_capacity(pushed.samples.len());
    for (labels, time, value) in &pushed.samples {
        let mut number = |text| {
            *numbers.entry(text).or_insert_with(|| {
                symbols.push(text);
                symbols.len() as u64 - 1
            })
        };
        let mut references = Message::default();
        for (name, value) in labels.iter() {
            references.raw_varint(number(name));
            references.raw_varint(number(value));
        }
        let mut series = Message::default();
        series.message(1, &references);
        series.message(2, &sample(*value, time.as_millis()));
        if let Some(metadata) = pushed.metadata_of(labels.metric_name()) {
            let mut message = Message::default();
            message.varint(1, number_of(metadata.kind));
            message.varint(3, number(&metadata.help));
            series.message(5, &message);
        }
        all.push(series);
    }
    for symbol in symbols {
        request.bytes(4, symbol.as_bytes());
    }
    for series in all {
        request.message(5, &series);
    }
    request.0
}

fn sample(value: f64, time: i64) -> Message {
    let mut sample = Message::default();
    sample.double(1, value);
    sample.varint(2, time as u64);
    sample
}

/// The numbers that both versions have for types.
fn number_of(kind: MetricType) -> u64 {
    match kind {
        MetricType::Unknown => 0,
        MetricType::Counter => 1,
        MetricType::Gauge => 2,
        MetricType::Histogram => 3,
        MetricType::GaugeHistogram => 4,
        MetricType::Summary => 5,
        MetricType::Info => 6,
        MetricType::StateSet => 7,
    }
}

/// Bytes of a message that grows.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn raw_varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    /// Zero is the default and left out, here and below.
    fn varint(&mut self, field: u64, value: u64) {
        if value != 0 {
            self.raw_varint(field << 3);
            self.raw_varint(value);
        }
    }

    fn double(&mut self, field: u64, value: f64) {
        if value.to_bits() != 0 {
            self.raw_varint(field << 3 | 1);
            self.0.extend_from_slice(&value.to_bits().to_le_bytes());
        }
    }

    /// Elements of lists are written even if they are empty.
    fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.raw_varint(field << 3 | 2);
        self.raw_varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn message(&mut self, field: u64, message: &Message) {
        self.bytes(field, &message.0);
    }
}
