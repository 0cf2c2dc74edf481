use super::Json;

#[test]
fn lists_end_when_nobody_reads() {
    let (sink, source) = tokio::sync::mpsc::channel(1);
    drop(source);
    let mut json = Json::streaming(sink);
    let long = "x".repeat(100_000);
    let mut n_written = 0;
    json.array(0..1_000, |json, _| {
        n_written += 1;
        json.string(&long);
        json.flush_full_chunk();
    });
    assert_eq!(n_written, 1);
}
