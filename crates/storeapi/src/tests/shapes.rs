//! Messages as Thanos 0.43 writes them, byte for byte from its definitions: what a message means,
//! and what of it is not known here.

use prost::Message as _;
use proto::thanos::{
    LabelMatcher, SeriesRequest, SeriesResponse, ShardInfo, label_matcher::Type,
    series_response::Result as Answer,
};
use storage::Columns;

use crate::wire;

/// Hexadecimal digits; spaces and what stands behind `#` are for the reader.
fn bytes(text: &str) -> Vec<u8> {
    let digits = text.lines().map(|line| line.split('#').next().unwrap_or_default());
    let digits = digits.flat_map(str::chars).filter(|c| !c.is_whitespace());
    let digits: Vec<u8> =
        digits.map(|c| c.to_digit(16).expect("a hexadecimal digit") as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

#[test]
fn a_request_of_thanos_query_is_understood() {
    let request = SeriesRequest::decode(&*bytes(
        "08 e807             # min_time 1000
         10 d00f             # max_time 2000
         1a 10 08 02         # matcher, a regular expression
            12 08 5f5f6e616d655f5f
            1a 02 2e2b
         20 00               # max_resolution_window
         2a 02 00 01         # aggregates RAW, COUNT
         30 01               # partial_response_disabled
         40 01               # skip_chunks
         4a 03 0a 01 78      # hints, which we do not know
         50 05 58 07         # step and range, out of use
         62 0c 08 0a         # query_hints, step 10
            12 04 0a 02 6d78 #   max
            38 01 42 00      #   projections, which we do not know
         6a 09 08 01 10 03   # shard 1 of 3 by x
            18 01 22 01 78
         72 07 7265706c696361
         78 0a               # limit
         80 01 40            # response_batch_size 64",
    ));
    let request = request.expect("it is well-formed");
    let name = LabelMatcher {
        r#type: Type::Re.into(),
        name: "__name__".to_owned(),
        value: ".+".to_owned(),
    };
    assert_eq!(request.matchers, [name]);
    assert_eq!((request.min_time, request.max_time), (1_000, 2_000));
    assert!(request.skip_chunks);
    let shard =
        ShardInfo { shard_index: 1, total_shards: 3, by: true, labels: vec!["x".to_owned()] };
    assert_eq!(request.shard_info, Some(shard));
    assert_eq!(request.without_replica_labels, ["replica"]);
    assert_eq!((request.limit, request.response_batch_size), (10, 64));
    let hints = request.query_hints.expect("there are hints");
    assert_eq!((hints.step_millis, hints.func.expect("a function").name), (10, "mx".to_owned()));
}

#[test]
fn an_answer_is_written_as_thanos_reads_it() {
    let mut columns = Columns::default();
    columns.push(1_000, 1.5);
    let series = proto::thanos::Series {
        labels: wire::labels(&super::labels(r#"a{x="1"}"#)),
        chunks: wire::chunks(&columns),
    };
    let message = SeriesResponse { result: Some(Answer::Series(series)) };
    let expected = bytes(
        "0a 34
           0a 0d 0a 08 5f5f6e616d655f5f 12 01 61     # __name__ a
           0a 06 0a 01 78 12 01 31                   # x 1
           12 1b 08 e807 10 e807                     # from 1000 to 1000
             1a 13 12 0f                             # raw; XOR is 0 and so not written
               0001 d00f 3ff8000000000000",
    );
    // What a chunk of one sample is: its number, its time, its value.
    let written = message.encode_to_vec();
    let data = [&[0, 1, 0xd0, 0x0f][..], &1.5f64.to_bits().to_be_bytes()].concat();
    assert!(written.windows(data.len()).any(|window| window == data));
    assert_eq!(written[2..25], expected[2..25]);
}

#[test]
fn hostile_series_are_refused() {
    let chunk = |kind: i32, data: &[u8]| proto::thanos::AggrChunk {
        raw: Some(proto::thanos::Chunk { r#type: kind, data: data.to_vec().into(), hash: 0 }),
        ..proto::thanos::AggrChunk::default()
    };
    let read = |chunk| wire::read_chunk(chunk, &mut Columns::default());
    assert!(read(chunk(7, &[])).is_err());
    assert!(read(chunk(0, &[0xff, 0xff, 1])).is_err());
    assert!(read(chunk(1, &[0, 9, 0xff, 0xff])).is_err());
    assert!(read(chunk(2, &[0xff; 40])).is_err());
    assert_eq!(read(chunk(0, &[0, 0])), Ok(None));
    assert_eq!(read(proto::thanos::AggrChunk::default()), Ok(None));

    let label = |name: &str, value: &str| proto::thanos::Label {
        name: name.to_owned(),
        value: value.to_owned(),
    };
    let labels = [label("b", "1"), label("a", ""), label("b", "2"), label("a", "3")];
    assert_eq!(wire::read_labels(&labels), Ok(super::labels(r#"{a="3", b="2"}"#)));
    assert!(wire::read_labels(&[label("a", &"x".repeat(1 << 24))]).is_err());
}
