use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method};

use super::{Credentials, Scope, Unsigned, sign};

/// The example of Amazon's documentation.
#[test]
fn signature_is_the_documented_one() {
    let mut headers = HeaderMap::new();
    let form = HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8");
    headers.insert("content-type", form);
    let request = Unsigned {
        method: &Method::GET,
        url: &"https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08".parse().unwrap(),
        headers: &headers,
        body: b"",
    };
    // 2015-08-30T12:36:00Z
    let now = Duration::from_secs(1_440_938_160);
    let scope = Scope { region: "us-east-1", service: "iam", now };
    let credentials = Credentials {
        access_key: "AKIDEXAMPLE".to_owned(),
        secret_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
        session_token: None,
        expires: None,
    };
    let added = sign(&request, &scope, &credentials).expect("it can be signed");
    assert_eq!(added["x-amz-date"], "20150830T123600Z");
    assert_eq!(
        added["authorization"],
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
         SignedHeaders=content-type;host;x-amz-date, \
         Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
    );
}
