//! Just enough of remote write 1.0 to fill a server.

use crate::data::Sample;

/// Each with its end of line.
pub(crate) const HEADERS: &str = "Content-Encoding: snappy\r\nContent-Type: application/x-protobuf\r\n\
                       X-Prometheus-Remote-Write-Version: 0.1.0\r\n";

/// A series with some of its samples.
pub(crate) type Part<'a> = (&'a [(String, String)], &'a [Sample]);

/// The body of a request.
pub(crate) fn body(series: &[Part<'_>]) -> Vec<u8> {
    let mut request = Vec::new();
    for (labels, samples) in series {
        let mut one = Vec::new();
        for (name, value) in *labels {
            let mut label = Vec::new();
            push_bytes(&mut label, 1, name.as_bytes());
            push_bytes(&mut label, 2, value.as_bytes());
            push_bytes(&mut one, 1, &label);
        }
        for sample in *samples {
            let mut bytes = vec![1 << 3 | 1];
            bytes.extend(sample.value.to_le_bytes());
            bytes.push(2 << 3);
            push_varint(&mut bytes, sample.time as u64);
            push_bytes(&mut one, 2, &bytes);
        }
        push_bytes(&mut request, 1, &one);
    }
    snap::raw::Encoder::new().compress_vec(&request).expect("the request is small")
}

fn push_bytes(out: &mut Vec<u8>, field: u8, bytes: &[u8]) {
    out.push(field << 3 | 2);
    push_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn push_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}
