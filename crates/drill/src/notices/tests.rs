use super::{count, doubles};

fn line(episode: u32, status: &str) -> String {
    format!(r#"{{"alerts":[{{"status":"{status}","labels":{{"episode":"{episode}"}}}}]}}"#)
}

#[test]
fn each_alert_fires_once_and_ends_once() {
    let all = [line(1, "firing"), line(1, "resolved"), line(2, "firing"), line(2, "resolved")];
    let counted = count(1..3, &all.join("\n"));
    assert_eq!((counted.expected, counted.lost, counted.doubled), (4, 0, 0));

    let some = [line(1, "firing"), line(1, "firing"), line(2, "resolved"), "cut of".to_owned()];
    let counted = count(1..3, &some.join("\n"));
    assert_eq!((counted.expected, counted.lost, counted.doubled), (4, 2, 1));
    assert_eq!(doubles(1..3, &some.join("\n")), ["alert 1 was told 2 times to be firing"]);
}
