//! What is answered only to so many at a time.

use axum::{body::Body, http::Request};
use tower::ServiceExt as _;

use super::state;
use crate::prometheus::{State, router};

#[test]
fn so_many_pages_hear_of_notifications_as_it_happens() {
    let tasks = tokio::runtime::Builder::new_current_thread().build().expect("no I/O needed");
    tasks.block_on(async {
        let router = router(State { listeners_max: 2, ..state() });
        let ask = async || {
            let request = Request::get("/api/v1/notifications/live").body(Body::empty());
            let request = request.expect("a request");
            router.clone().oneshot(request).await.expect("a router always answers")
        };
        let (first, second) = (ask().await, ask().await);
        assert_eq!([first.status(), second.status()], [200, 200]);
        assert_eq!(ask().await.status(), 204);
        // Whoever goes makes room.
        drop(first);
        assert_eq!(ask().await.status(), 200);
    });
}
