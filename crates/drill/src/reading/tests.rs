use super::{Sample, key, parse};
use crate::truth::Key;

#[test]
fn times_are_read_to_the_millisecond() {
    let body = br#"{"status":"success","data":{"resultType":"matrix","result":[
        {"metric":{"__name__":"drill_slots_total","series":"3","target":"1"},
         "values":[[1700000000.007,"12"],[1700000001.007,"13"]]}]},"warnings":["b is away"]}"#;
    let (series, warnings) = parse(body).unwrap();
    let samples = [(1_700_000_000_007, 12.0), (1_700_000_001_007, 13.0)];
    assert_eq!(series[0].1, samples.map(|(at_ms, value)| Sample { at_ms, value }));
    assert_eq!(key(&series[0].0), Some(Key::Raw { target: 1, series: 3 }));
    assert_eq!(warnings, ["b is away"]);
}

#[test]
fn an_error_is_an_error() {
    let error = parse(br#"{"status":"error","error":"query timed out"}"#).unwrap_err();
    assert_eq!(error.to_string(), "query timed out");
}
