//! A symbolic link with the name of an upstream program is that program.

use acceptance::{run, vesta};

use crate::bed::Bed;

#[test]
fn under_upstreams_names_it_is_that_program() {
    let bed = Bed::new();
    for (name, expected) in [
        ("prometheus", "--config.file"),
        ("alertmanager", "--storage.path"),
        ("promtool", "check"),
        ("amtool", "silence"),
    ] {
        let link = bed.path().join(name);
        std::os::unix::fs::symlink(vesta(), &link).expect("the test's folder can be written");
        let output = run(&link, &["--help"]);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{name}: {}", output.status);
        assert!(text.contains(expected), "{name} --help:\n{text}");
    }
}
