//! Sockets that somebody else has opened, as systemd does.

use std::{
    net::TcpListener,
    os::fd::OwnedFd,
    process::{Command, Stdio},
};

use acceptance::{get, vesta, wait_for};

#[test]
fn an_alertmanager_takes_the_socket_that_is_handed_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("alertmanager.yml");
    std::fs::write(&config, "route: {receiver: none}\nreceivers: [{name: none}]\n")
        .expect("the folder can be written");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("it listens").port();
    // Descriptor 3 and the shell's own process are what systemd would say.
    let script = "exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec \"$@\"";
    let mut child = Command::new("sh")
        .args(["-c", script, "sh"])
        .arg(vesta())
        .args(["alertmanager", "--web.systemd-socket", "--cluster.listen-address="])
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--storage.path={}", folder.path().display()))
        .stdin(Stdio::from(OwnedFd::from(listener)))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("there is a shell");
    let answer = wait_for("an answer", std::time::Duration::from_secs(60), || {
        get(port, "/-/ready").filter(|answer| answer.status == 200)
    });
    assert_eq!(answer.body, "OK");
    child.kill().expect("the process is ours");
    child.wait().expect("the process is ours");
}
