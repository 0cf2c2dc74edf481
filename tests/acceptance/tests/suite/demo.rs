//! The README's first command.

use std::time::{Duration, Instant};

use acceptance::{Process, free_port, get, query_result, run, vesta, wait_for};

use crate::bed::Bed;

#[test]
fn the_first_notification_of_the_demo_comes_within_two_minutes_and_once() {
    let bed = Bed::new();
    let port_base = free_port().min(50_000);
    let args = ["demo".to_owned(), format!("--port-base={port_base}"), "--data=demo".to_owned()];
    let data = bed.path().join("demo").display().to_string();
    let started = Instant::now();
    let mut demo = Process::start(&vesta(), bed.path(), "demo", &args);
    let firing = |demo: &Process| demo.output().matches("FIRING   ShopErrors").count();
    wait_for("the first notification", Duration::from_secs(120), || {
        (firing(&demo) > 0).then_some(())
    });
    eprintln!("the first notification came after {:?}", started.elapsed());
    wait_for("its end", Duration::from_secs(120), || {
        demo.output().contains("resolved ShopErrors").then_some(())
    });
    assert_eq!(firing(&demo), 1, "{}", demo.output());
    let federated = query_result(port_base + 2, "count by (shard) ({job=~\"shop|host\"})");
    assert_eq!(federated.len(), 2, "server-c has the series of both shards: {federated:?}");
    let stored = query_result(port_base + 12, "shop_requests_total{shard=\"business\"}");
    assert!(!stored.is_empty(), "the pair writes to the storage");

    let say = |words: [&str; 2]| run(&vesta(), &[&["demo", "--data", &data][..], &words].concat());
    let killed = say(["kill", "server-a"]);
    assert!(killed.status.success(), "{killed:?}");
    wait_for("the end of server-a", Duration::from_secs(10), || {
        demo.output().contains("server-a has ended").then_some(())
    });
    let fresh = "count_over_time(up{job=\"shop\"}[6s])";
    std::thread::sleep(Duration::from_secs(8));
    for port in [port_base + 1, port_base + 12] {
        assert!(!query_result(port, fresh).is_empty(), "the other one goes on");
    }
    assert!(!say(["kill", "server-a"]).status.success(), "it is gone already");
    assert!(say(["start", "server-a"]).status.success());
    wait_for("server-a again", Duration::from_secs(30), || {
        get(port_base, "/-/ready").filter(|answer| answer.status == 200)
    });

    let id = rustix::process::Pid::from_raw(demo.id() as i32).expect("a process has an id");
    rustix::process::kill_process(id, rustix::process::Signal::INT).expect("the demo runs");
    let status = demo.wait(Duration::from_secs(60)).expect("the demo stops");
    assert!(status.success(), "{status}\n{}", demo.output());
}
