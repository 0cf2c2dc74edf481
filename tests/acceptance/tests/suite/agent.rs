//! An agent collects while its remote end is away, and is killed: nothing is lost.

use std::{path::Path, time::Duration};

use acceptance::{Process, free_port, get, query_result, vesta, wait_for};

const LIMIT: Duration = Duration::from_secs(60);

const APPENDED: &str = "prometheus_agent_samples_appended_total{type=\"float\"}";
const RECEIVED: &str = "prometheus_tsdb_head_samples_appended_total{type=\"float\"}";

fn start(folder: &Path, name: &str, port: u16, args: &[&str]) -> Process {
    let mut all = vec!["server".to_owned(), format!("--web.listen-address=127.0.0.1:{port}")];
    all.extend(args.iter().map(|arg| (*arg).to_owned()));
    let mut process = Process::start(&vesta(), folder, name, &all);
    process.wait_until_ready(port, "/-/ready");
    process
}

fn start_agent(folder: &Path, name: &str, port: u16) -> Process {
    let args = ["--agent", "--config.file=agent.yml", "--storage.agent.path=agent"];
    start(folder, name, port, &args)
}

/// The value of a metric of a server about itself.
fn figure(port: u16, name: &str) -> Option<f64> {
    let page = get(port, "/metrics")?.body;
    let line = page.lines().find(|line| line.starts_with(name))?;
    line.rsplit(' ').next()?.parse().ok()
}

#[test]
fn an_agent_that_is_killed_loses_nothing() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let folder = folder.path();
    let (agent_port, remote_port) = (free_port(), free_port());
    let write = |name: &str, text: &str| {
        std::fs::write(folder.join(name), text).expect("the folder can be written");
    };
    write("remote.yml", "global: {}\n");
    let sends = format!(
        "remote_write: [{{url: 'http://127.0.0.1:{remote_port}/api/v1/write', \
         queue_config: {{batch_send_deadline: 100ms}}}}]\n"
    );
    let scrapes = format!(
        "global: {{scrape_interval: 200ms}}\nscrape_configs: [{{job_name: self, \
         static_configs: [{{targets: ['127.0.0.1:{agent_port}']}}]}}]\n"
    );
    write("agent.yml", &format!("{scrapes}{sends}"));
    // Nobody is there to take what is collected.
    let mut agent = start_agent(folder, "agent-1", agent_port);
    let collected = wait_for("samples", LIMIT, || {
        figure(agent_port, APPENDED).filter(|collected| *collected > 2000.0)
    });
    agent.kill();

    // The next one only sends, so all that arrives is of the first.
    write("agent.yml", &sends);
    let remote = ["--config.file=remote.yml", "--storage.tsdb.path=remote"];
    let remote = [&remote[..], &["--web.enable-remote-write-receiver"]].concat();
    let _remote = start(folder, "remote", remote_port, &remote);
    let _agent = start_agent(folder, "agent-2", agent_port);
    wait_for("what was collected while the remote end was away", LIMIT, || {
        figure(remote_port, RECEIVED).filter(|received| *received >= collected)
    });
    let up = query_result(remote_port, "count_over_time(up[1h])");
    assert_eq!(up.len(), 1, "{up:?}");
    assert_eq!(figure(remote_port, "prometheus_tsdb_out_of_order_samples_total"), Some(0.0));
    let answer = get(agent_port, "/api/v1/query?query=up").expect("it answers");
    assert_eq!(answer.status, 422, "{}", answer.body);
}
