//! `promtool check service-discovery`: ours and upstream's see the same targets in files, over HTTP
//! and in DNS.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, UdpSocket},
    path::Path,
    process::Command,
};

use acceptance::{program, vesta};
use serde_json::Value;

use crate::bed::Bed;

/// Our own name server; its port is the only one that a resolver's configuration knows.
const NAME_SERVER: &str = "127.0.0.153";
/// Labels that Debian's version does not have yet.
const NEW: [&str; 3] = [
    "__always_scrape_classic_histograms__",
    "__convert_classic_histograms_to_nhcb__",
    "__scrape_native_histograms__",
];

/// Both promtools find the same targets for `job`, and so many.
fn check(bed: &Bed, job: &str, expected_targets: usize) {
    let Some(promtool) = program("promtool") else {
        return acceptance::skip("check service-discovery", "promtool");
    };
    let theirs = targets(bed, &promtool, &[], job);
    let ours = targets(bed, &vesta(), &["promtool"], job);
    assert_eq!(ours, theirs, "{job}");
    assert_eq!(ours.len(), expected_targets, "{job}: {ours:#?}");
}

/// The targets in a fixed order.
fn targets(bed: &Bed, program: &Path, command: &[&str], job: &str) -> Vec<String> {
    let args = ["check", "service-discovery", "--timeout=3s", "config.yml", job];
    // A name server of our own, for this process alone.
    let script = "mount --bind resolv.conf /etc/resolv.conf && exec \"$@\"";
    let mut run = Command::new("unshare");
    run.args(["-m", "sh", "-c", script, "sh"]);
    let output = run.arg(program).args(command).args(args).current_dir(bed.path()).output();
    let output = output.expect("unshare is there");
    let text = String::from_utf8_lossy(&output.stdout);
    let found: Value = serde_json::from_str(&text).unwrap_or_else(|error| {
        panic!("{error}: {text}{}", String::from_utf8_lossy(&output.stderr))
    });
    let mut found = found.as_array().cloned().unwrap_or_default();
    for target in &mut found {
        for labels in ["discoveredLabels", "labels"] {
            if let Some(labels) = target[labels].as_object_mut() {
                labels.retain(|name, _| !NEW.contains(&name.as_str()));
            }
        }
    }
    let mut found: Vec<String> = found.iter().map(Value::to_string).collect();
    found.sort();
    found
}

fn may_have_a_name_server() -> bool {
    let made = Command::new("unshare").args(["-m", "true"]).status();
    made.is_ok_and(|status| status.success())
}

#[test]
fn files_http_and_dns_give_both_promtools_the_same_targets() {
    let bed = Bed::new();
    if !may_have_a_name_server() {
        return acceptance::skip("check service-discovery", "right to mount");
    }
    let Ok(name_server) = UdpSocket::bind((NAME_SERVER, 53)) else {
        return acceptance::skip("check service-discovery", "right to be a name server");
    };
    std::thread::spawn(move || answer_names(&name_server));
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    let port = listener.local_addr().expect("it is bound").port();
    std::thread::spawn(move || answer_http(&listener));
    bed.write("resolv.conf", &format!("nameserver {NAME_SERVER}\n"));
    bed.write(
        "a.json",
        r#"[{"targets":["a:1","b:2"],"labels":{"from":"json"}},{"targets":["c:3"]}]"#,
    );
    bed.write("a.yml", "- {targets: ['d:4'], labels: {from: yaml, drop: me}}\n");
    bed.write("config.yml", &format!(
        "scrape_configs:\n\
         - {{job_name: file, file_sd_configs: [{{files: ['a*.json', a.yml]}}],\n\
            relabel_configs: [{{source_labels: [__meta_filepath], target_label: file}},\n\
            {{source_labels: [drop], regex: me, action: drop}}]}}\n\
         - {{job_name: http, http_sd_configs: [{{url: 'http://127.0.0.1:{port}/targets'}}],\n\
            relabel_configs: [{{source_labels: [__meta_url], target_label: url}}]}}\n\
         - {{job_name: srv, dns_sd_configs: [{{names: [_web._tcp.example.com.]}}],\n\
            relabel_configs: [{{regex: __meta_dns_(.+), action: labelmap}}]}}\n\
         - {{job_name: a, dns_sd_configs: [{{names: [one.example.com], type: A, port: 9100}}]}}\n\
         - {{job_name: aaaa, dns_sd_configs: [{{names: [one.example.com], type: AAAA, port: 9100}}]}}\n\
         - {{job_name: mx, dns_sd_configs: [{{names: [example.com], type: MX, port: 25}}]}}\n"
    ));
    let expected = [("file", 4), ("http", 2), ("srv", 2), ("a", 2), ("aaaa", 1), ("mx", 1)];
    for (job, expected_targets) in expected {
        check(&bed, job, expected_targets);
    }
}

fn answer_http(listener: &TcpListener) {
    let body = r#"[{"targets":["h:1","i:2"],"labels":{"k":"v"}}]"#;
    for stream in listener.incoming() {
        let Ok(mut stream) = stream else { continue };
        let mut request = [0; 4096];
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        // Who has gone does not want an answer.
        if stream.read(&mut request).is_ok() {
            stream.write_all(answer.as_bytes()).unwrap_or_default();
        }
    }
}

/// Names of `example.com`, by the type that is asked for.
fn answer_names(socket: &UdpSocket) {
    let mut buffer = [0; 512];
    while let Ok((length, from)) = socket.recv_from(&mut buffer) {
        let question = &buffer[..length];
        // The question ends with its type and class, and maybe with an extension after it.
        let name_end = 12 + question[12..].iter().position(|byte| *byte == 0).expect("a name") + 1;
        let kind = u16::from_be_bytes([question[name_end], question[name_end + 1]]);
        let name = |labels: &[&str]| -> Vec<u8> {
            let labels = labels.iter().flat_map(|it| {
                std::iter::once(it.len() as u8).chain(it.bytes()).collect::<Vec<_>>()
            });
            labels.chain([0]).collect()
        };
        let records: Vec<Vec<u8>> = match kind {
            1 => vec![vec![10, 0, 0, 1], vec![10, 0, 0, 2]],
            15 => vec![[&[0, 10][..], &name(&["mail", "example", "com"])].concat()],
            28 => vec![[&[0x20, 1, 0x0d, 0xb8][..], &[0; 11], &[1]].concat()],
            33 => vec![
                [&[0, 0, 0, 0, 0, 80][..], &name(&["web1", "example", "com"])].concat(),
                [&[0, 0, 0, 0, 0, 81][..], &name(&["web2", "example", "com"])].concat(),
            ],
            _ => Vec::new(),
        };
        let mut answer = question[..2].to_vec();
        answer.extend([0x84, 0, 0, 1, 0, records.len() as u8, 0, 0, 0, 0]);
        answer.extend(&question[12..name_end + 4]);
        for record in records {
            answer.extend([0xc0, 12]);
            answer.extend(kind.to_be_bytes());
            answer.extend([0, 1, 0, 0, 0, 60, 0, record.len() as u8]);
            answer.extend(record);
        }
        // Who has gone does not want an answer.
        drop(socket.send_to(&answer, from));
    }
}
