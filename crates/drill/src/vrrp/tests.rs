use super::{Input, Node, Output};

/// Two machines that hear each other; what is done to them is at its millisecond.
fn history(inputs: &[(i64, usize, Input)], until_ms: i64) -> Vec<(i64, usize, Output)> {
    let mut nodes = [Node::new(150), Node::new(100)];
    let mut seen = Vec::new();
    for now_ms in (0..until_ms).step_by(10) {
        for index in [0, 1] {
            let given = inputs.iter().filter(|(at, who, _)| *at == now_ms && *who == index);
            let given: Vec<Input> = given.map(|(_, _, input)| *input).collect();
            for input in given.into_iter().chain([Input::Tick]) {
                for output in nodes[index].handle(now_ms, input) {
                    match output {
                        Output::Advert { priority } => {
                            let outputs =
                                nodes[1 - index].handle(now_ms, Input::Advert { priority });
                            seen.extend(outputs.into_iter().map(|o| (now_ms, 1 - index, o)));
                        }
                        other => seen.push((now_ms, index, other)),
                    }
                }
            }
        }
    }
    seen
}

const JOIN: [(i64, usize, Input); 2] = [(0, 0, Input::Join), (0, 1, Input::Join)];

fn check(more: &[(i64, usize, Input)], until_ms: i64, expected: &[(i64, usize, Output)]) {
    assert_eq!(history(&[&JOIN, more].concat(), until_ms), expected);
}

#[test]
fn the_higher_priority_is_master() {
    check(&[], 30_000, &[(3420, 0, Output::Start)]);
}

#[test]
fn a_machine_that_vanishes_is_missed_after_three_advertisements() {
    check(
        &[(10_000, 0, Input::Vanish)],
        20_000,
        &[(3420, 0, Output::Start), (13_030, 1, Output::Start)],
    );
}

#[test]
fn who_stops_in_order_says_so_and_who_returns_takes_over() {
    check(
        &[(10_000, 0, Input::Leave), (20_000, 0, Input::Join)],
        30_000,
        &[
            (3420, 0, Output::Start),
            (10_000, 0, Output::Stop),
            (10_610, 1, Output::Start),
            (23_420, 1, Output::Stop),
            (23_420, 0, Output::Start),
        ],
    );
}

#[test]
fn two_failed_checks_are_a_fault() {
    check(
        &[
            (10_000, 0, Input::Check(false)),
            (11_000, 0, Input::Check(true)),
            (12_000, 0, Input::Check(false)),
            (13_000, 0, Input::Check(false)),
        ],
        15_000,
        &[(3420, 0, Output::Start), (13_000, 0, Output::Stop), (13_610, 1, Output::Start)],
    );
}
