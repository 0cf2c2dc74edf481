//! Good files for the targets to begin with.

use std::{io::Write as _, path::Path, sync::Arc};

use chunks::{
    XorChunk,
    histogram::{FloatHistogramChunk, Header, HistogramChunk, Layout},
};
use fuzz::folder::Folder;
use libfuzzer_sys as _;
use model::{
    FloatHistogram, Labels, Matcher, Metadata, MetricType, TimeRange,
    histogram::{Histogram, Span},
};
use runtime::{Disk, disk::SimulatedDisk};
use wal::record;

fn main() -> std::io::Result<()> {
    for (number, segment) in segments().iter().enumerate() {
        seed("wal", &number.to_string(), segment)?;
    }
    for (number, record) in records().iter().enumerate() {
        seed("wal", &format!("record-{number}"), record)?;
    }
    let folder = Folder::of_good_block();
    seed("index", "good", &folder.read("index"))?;
    seed("meta", "good", &folder.read("meta.json"))?;
    let block = blocks::Block::open(&folder.disk, &folder.path).expect("it is good");
    let matchers = [Matcher::equal("le", "b")];
    block.delete(&folder.disk, TimeRange::from_millis(10, 90_000), &matchers).expect("it is there");
    seed("tombstones", "good", &folder.read("tombstones"))?;
    seed("tombstones", "content", &folder.read("tombstones")[5..])?;
    for (number, chunk) in chunks().iter().enumerate() {
        seed("chunks", &number.to_string(), chunk)?;
    }
    for (number, text) in EXPOSITION.iter().enumerate() {
        for format in 0..5 {
            let body = [&[format], text.as_bytes()].concat();
            seed("exposition", &format!("{format}-{number}"), &body)?;
        }
    }
    for (number, query) in QUERIES.iter().enumerate() {
        seed("promql", &number.to_string(), query.as_bytes())?;
    }
    // A write request with one series and one sample; a read request with one query.
    let label = b"\x0a\x08__name__\x12\x02up";
    let series = [&b"\x0a\x0e"[..], label, b"\x12\x0b\x09\0\0\0\0\0\0\xf0\x3f\x10\x07"].concat();
    let request = [&b"\x03\x0a"[..], &[series.len() as u8], &series].concat();
    seed("remote_write", "version-1", &request)?;
    let query = b"\x08\x01\x10\x90\x4e\x1a\x0e\x12\x08__name__\x1a\x02up";
    let request = [&b"\x01\x0a"[..], &[query.len() as u8], query].concat();
    seed("remote_read", "one", &request)?;
    for (number, request) in OTLP.iter().enumerate() {
        let body = [&[2 + 4 * number as u8], request.as_bytes()].concat();
        seed("otlp", &format!("json-{number}"), &body)?;
    }
    // A resource, a scope, a monotonic sum with a point that has an attribute.
    let pair = b"\x0a\x01k\x12\x03\x0a\x01v";
    let point = [&b"\x19\0\0\0\0\0\0\0\x01\x21\0\0\0\0\0\0\xf0\x3f\x3a\x08"[..], pair].concat();
    let wrap = |tag: u8, inner: &[u8]| [&[tag, inner.len() as u8], inner].concat();
    let sum = [wrap(0x0a, &point), b"\x10\x02\x18\x01".to_vec()].concat();
    let metric = [&b"\x0a\x01m\x1a\x02By"[..], &wrap(0x3a, &sum)].concat();
    let scope = wrap(0x12, &metric);
    let resource = [wrap(0x0a, &wrap(0x0a, pair)), wrap(0x12, &scope)].concat();
    seed("otlp", "protobuf", &[&[0], &wrap(0x0a, &resource)[..]].concat())
}

const OTLP: [&str; 2] = [
    r#"{"resourceMetrics":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"a"}}]},
"scopeMetrics":[{"scope":{"name":"s"},"metrics":[{"name":"m","unit":"By/s","sum":{"aggregationTemporality":1,
"isMonotonic":true,"dataPoints":[{"timeUnixNano":"1000000","asInt":"3","attributes":[{"key":"k","value":
{"kvlistValue":{"values":[{"key":"a","value":{"doubleValue":1}}]}}}]}]}}]}]}]}"#,
    r#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"h","histogram":{"aggregationTemporality":2,
"dataPoints":[{"count":3,"sum":1.5,"bucketCounts":[1,2],"explicitBounds":[0.5],"exemplars":[{"asDouble":1,
"traceId":"0a0b"}]}]}},{"name":"e","exponentialHistogram":{"aggregationTemporality":1,"dataPoints":[{"count":2,
"scale":9,"zeroCount":1,"positive":{"offset":-3,"bucketCounts":["1","0"]}}]}},{"name":"s","summary":
{"dataPoints":[{"count":1,"quantileValues":[{"quantile":0.5,"value":1}]}]}}]}]}]}"#,
];

const EXPOSITION: [&str; 2] = [
    "# HELP a b\\n c\n# TYPE a counter\na_total{x=\"1\",y=\"\\\"\"} 1.5e3 1000\na_total 0x1p4\n",
    "# TYPE h histogram\n# UNIT h seconds\nh_bucket{le=\"1\"} 2 # {trace_id=\"a\"} 0.5 1.5\n\
     h_bucket{le=\"+Inf\"} 3\nh_sum 4\nh_count 3\nh_created 12.5\n# EOF\n",
];

const QUERIES: [&str; 5] = [
    "sum by (job) (rate(http_requests_total{code=~\"5..\"}[5m] offset 1h)) / 2 ^ -3",
    "histogram_quantile(0.9, {\"a.b\", le!=\"x\"} @ start()) > bool on (a) group_left (b) c",
    "max_over_time((a or b unless c)[1h:5m] @ 12.5)",
    "absent(-a) + topk(3, info(x)) atan2 1e3",
    "a{b='c', d=`e`}[5m + 1h] anchored",
];

fn seed(target: &str, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    let directory = Path::new("corpus").join(target);
    std::fs::create_dir_all(&directory)?;
    std::fs::File::create(directory.join(format!("seed-{name}")))?.write_all(bytes)
}

fn histogram() -> Histogram {
    Histogram {
        schema: 3,
        zero_threshold: 1e-128,
        zero_count: 2,
        count: 12,
        sum: 1.5,
        positive_spans: vec![Span { offset: -2, length: 1 }, Span { offset: 3, length: 2 }],
        negative_spans: vec![Span { offset: 0, length: 1 }],
        positive_buckets: vec![1, 2, -1],
        negative_buckets: vec![4],
        ..Histogram::default()
    }
}

fn records() -> Vec<Vec<u8>> {
    let mut records = vec![Vec::new(); 5];
    let labels = || Labels::from_pairs([("__name__", "up"), ("job", "a")]);
    record::encode_series(&[record::Series { series_ref: 1, labels: labels() }], &mut records[0]);
    let sample = |time| record::Sample { series_ref: 1, time, value: 1.5 };
    record::encode_samples(&[sample(1000), sample(2000)], &mut records[1]);
    let tombstone = record::Tombstone { series_ref: 1, range: TimeRange::from_millis(1, 9) };
    record::encode_tombstones(&[tombstone], &mut records[2]);
    let exemplar = record::Exemplar { series_ref: 1, time: 5, value: 2.0, labels: labels() };
    record::encode_exemplars(&[exemplar], &mut records[3]);
    let metadata =
        Metadata { kind: MetricType::Counter, unit: "s".into(), help: "help".into() };
    record::encode_metadata(&[record::SeriesMetadata { series_ref: 1, metadata }], &mut records[4]);
    let value = histogram();
    let float = value.to_float();
    let integers = [record::HistogramSample { series_ref: 1, time: 7, value }];
    let floats = [record::HistogramSample::<FloatHistogram> { series_ref: 1, time: 7, value: float }];
    records.extend(record::encode_histograms(&integers));
    records.extend(record::encode_histograms(&floats));
    records
}

fn segments() -> Vec<Vec<u8>> {
    let compressions = [wal::Compression::None, wal::Compression::Snappy, wal::Compression::Zstd];
    let segment = |compression| {
        let disk = SimulatedDisk::default();
        let options = wal::Options { compression, ..wal::Options::default() };
        let path = Path::new("wal");
        let mut writer =
            wal::Writer::open(Arc::new(disk.clone()), path, options).expect("there is room");
        let records = records();
        let records: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
        writer.append(&records).expect("there is room");
        let disk: &dyn Disk = &disk;
        disk.read(&path.join(wal::segment_name(0))).expect("it was written")
    };
    compressions.into_iter().map(segment).collect()
}

fn chunks() -> Vec<Vec<u8>> {
    let mut floats = XorChunk::default();
    let histogram = histogram();
    let mut integers = HistogramChunk::new(Header::Unknown, Layout::of(&histogram));
    let mut histograms = FloatHistogramChunk::new(Header::Gauge, Layout::of(&histogram));
    for step in 0..20 {
        let time = 1_000 + step * 15_000 + step % 3;
        floats.append(time, (step * step) as f64);
        integers.append(time, &histogram);
        histograms.append(time, &histogram.to_float());
    }
    // The first byte says which encoding, from zero.
    [(0, floats.into_bytes()), (1, integers.into_bytes()), (2, histograms.into_bytes())]
        .into_iter()
        .map(|(selector, bytes)| [vec![selector], bytes].concat())
        .collect()
}
