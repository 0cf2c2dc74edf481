use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;

use super::{Clock as _, SimulatedClock};

const SECOND: Duration = Duration::from_secs(1);

fn block_on(future: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().build().expect("no I/O needed").block_on(future);
}

#[test]
fn sleepers_wake_in_order_and_may_sleep_again() {
    block_on(async {
        let clock = Arc::new(SimulatedClock::default());
        let woken = Arc::new(Mutex::new(Vec::new()));
        for (name, period) in [("slow", 3), ("fast", 2)] {
            let (clock, woken) = (clock.clone(), woken.clone());
            tokio::spawn(async move {
                loop {
                    clock.sleep(SECOND * period).await;
                    woken.lock().push(format!("{name} {}", clock.monotonic().as_secs()));
                }
            });
        }
        clock.run_for(SECOND * 6).await;
        let woken = woken.lock().join(", ");
        assert_eq!(woken, "fast 2, slow 3, fast 4, slow 6, fast 6");
    });
}

#[test]
fn time_stands_still_between_advances() {
    let clock = SimulatedClock::starting_at(SECOND * 100);
    assert_eq!((clock.now(), clock.monotonic()), (SECOND * 100, Duration::ZERO));
    clock.advance(SECOND);
    assert_eq!((clock.now(), clock.monotonic()), (SECOND * 101, SECOND));
    clock.set_now(SECOND * 50);
    clock.advance(SECOND);
    assert_eq!((clock.now(), clock.monotonic()), (SECOND * 51, SECOND * 2));
}

#[test]
fn what_takes_too_long_is_nothing() {
    block_on(async {
        let clock = Arc::new(SimulatedClock::default());
        let waiting = clock.clone();
        let late = tokio::spawn(async move {
            super::timeout(&*waiting, SECOND, std::future::pending::<()>()).await
        });
        clock.run_for(SECOND).await;
        assert_eq!(late.await.expect("it does not panic"), None);
        assert_eq!(super::timeout(&*clock, SECOND, async { 1 }).await, Some(1));
    });
}
