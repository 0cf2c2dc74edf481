//! keepalived between network namespaces, which needs root.

use std::time::{Duration, Instant};

use acceptance::{program, run, skip, wait_for};

use super::{Example, SOON};

fn ip(args: &[&str]) -> String {
    let ip = program("ip").expect("it was there a moment ago");
    String::from_utf8_lossy(&run(&ip, args).stdout).into_owned()
}

#[test]
fn the_virtual_address_moves_to_the_server_that_is_left() {
    let test = "the example keepalived";
    if !rustix::process::geteuid().is_root() {
        return skip(test, "root");
    }
    for name in ["keepalived", "ip", "curl"] {
        if program(name).is_none() {
            return skip(test, name);
        }
    }
    let example = Example::start("keepalived");
    let lan = example.read("lan.name");
    let machines = ["a", "b"].map(|name| (name, example.read(&format!("{name}.name"))));
    let has_address = |namespace: &str| {
        ip(&["-n", namespace, "-brief", "address", "show", "eth0"]).contains("10.77.0.100")
    };
    let holder = || {
        let mut holders = machines.iter().filter(|(_, namespace)| has_address(namespace));
        holders.next().filter(|_| holders.next().is_none()).map(|(name, _)| *name)
    };
    let ask = |query: &str| {
        let url = format!("http://10.77.0.100:9090/api/v1/query?query={query}");
        let args = ["netns", "exec", &lan, "curl", "-s", "-m", "1", &url];
        ip(&args)
            .contains("\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[{")
    };
    wait_for("answers at the virtual address", SOON, || ask("up").then_some(()));
    let first = wait_for("one machine with the virtual address", SOON, holder);

    example.kill(&format!("server-{first}"));
    let killed = Instant::now();
    wait_for("the virtual address at the other machine", SOON, || {
        holder().filter(|name| *name != first)
    });
    wait_for("answers at the virtual address", SOON, || ask("up").then_some(()));
    eprintln!("the virtual address answered again after {:?}", killed.elapsed());
    assert!(killed.elapsed() < Duration::from_secs(10), "{:?}", killed.elapsed());

    example.stop();
    let left: Vec<String> = ip(&["netns", "list"])
        .lines()
        .filter(|line| line.contains(&lan))
        .map(str::to_owned)
        .collect();
    assert!(left.is_empty(), "{left:?}");
}
